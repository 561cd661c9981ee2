use super::*;

/// A device of a test's own, since some break theirs; none if there is none, unless one is required.
#[cfg(feature = "gpu")]
pub(crate) fn device() -> Option<Gpu> {
    match Gpu::open(&Wish::Gpu) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            let required = std::env::var_os("GIGAWATT_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
            assert!(!required, "an adapter is required: {error}");
            println!("skipped: no adapter");
            None
        }
    }
}

#[test]
fn real_devices_come_before_software() {
    let mut kinds = [Kind::Software, Kind::Unknown, Kind::Discrete, Kind::Virtual, Kind::Integrated];
    kinds.sort();
    assert_eq!(kinds.first(), Some(&Kind::Discrete), "the fastest first");
    assert_eq!(kinds.last(), Some(&Kind::Software), "software last");
}

#[test]
fn a_wish_reads_as_it_is_written() {
    for text in ["auto", "cpu", "gpu", "llvmpipe"] {
        assert_eq!(Wish::from(text).to_string(), text, "as typed");
    }
}

#[test]
fn every_error_says_what_to_do() {
    let known = vec!["llvmpipe".to_owned()];
    let lost = Error::Lost { adapter: "llvmpipe".to_owned(), reason: "unplugged".to_owned() };
    for (error, message, hint) in [
        (Error::NotBuilt, "no GPU support", "feature `gpu`"),
        (Error::NoAdapter, "no GPU is to be found", "mesa-vulkan-drivers"),
        (
            Error::Unknown { name: "h100".to_owned(), known },
            "no device `h100`",
            "known: auto, cpu, gpu, llvmpipe",
        ),
        (lost, "`llvmpipe` was lost: unplugged", "--device cpu"),
    ] {
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
    }
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_build_without_the_feature_says_so() {
    let error = adapters().expect_err("nothing is built in");
    assert_eq!(error, Error::NotBuilt, "and that is the reason");
    assert!(error.hint().contains("feature `gpu`"), "{}", error.hint());
}

#[cfg(feature = "gpu")]
mod on_a_device {
    use super::*;

    const DOUBLE: &str = "
        struct Parameters { count: u32, factor: u32 }
        @group(0) @binding(0) var<uniform> parameters: Parameters;
        @group(0) @binding(1) var<storage, read> input: array<u32>;
        @group(0) @binding(2) var<storage, read_write> output: array<u32>;
        @compute @workgroup_size(64) fn multiply(@builtin(global_invocation_id) id: vec3<u32>) {
            if (id.x < parameters.count) { output[id.x] = input[id.x] * parameters.factor; }
        }";

    fn multiplied(gpu: &Gpu, input: &[u32], factors: &[u32]) -> Result<Vec<Vec<u32>>, Error> {
        let kernel = gpu.kernel(DOUBLE, "multiply")?;
        let [mut slots, mut from, mut to] = [Buffer::default(), Buffer::default(), Buffer::default()];
        let count = u32::try_from(input.len()).expect("a short list");
        gpu.upload_slots(&mut slots, &factors.iter().map(|factor| [count, *factor]).collect::<Vec<_>>())?;
        gpu.upload(&mut from, input)?;
        gpu.reserve(&mut to, 4 * u64::from(count))?;
        let mut results = Vec::new();
        for index in 0..factors.len() {
            let bindings = vec![slots.slot::<[u32; 2]>(index), from.whole(), to.whole()];
            let step = Step { kernel: &kernel, bindings, groups: [count.div_ceil(64), 1] };
            let mut out = Vec::new();
            gpu.run(&[step], &to, input.len(), &mut out)?;
            results.push(out);
        }
        Ok(results)
    }

    #[test]
    fn what_a_shader_computes_is_read_back() {
        let Some(gpu) = device() else { return };
        for length in [0_u32, 1, 63, 64, 65, 5000] {
            let input: Vec<u32> = (0..length).collect();
            let results = multiplied(&gpu, &input, &[2, 7]).expect("a device that works");
            for (factor, result) in [2, 7].into_iter().zip(results) {
                let expected: Vec<u32> = input.iter().map(|value| value * factor).collect();
                assert_eq!(result, expected, "{length} times {factor}");
            }
        }
    }

    #[test]
    fn a_lost_device_is_an_error_and_no_panic() {
        let Some(gpu) = device() else { return };
        assert!(multiplied(&gpu, &[1, 2, 3], &[2]).is_ok(), "it works at first");
        gpu.lose();
        let error = multiplied(&gpu, &[1, 2, 3], &[2]).expect_err("it is gone");
        assert!(matches!(error, Error::Lost { .. }), "{error}");
        assert!(error.hint().contains("--device cpu"), "{}", error.hint());
    }

    #[test]
    fn a_device_lost_during_a_run_is_an_error_and_no_panic() {
        let Some(gpu) = device() else { return };
        let kernel = gpu.kernel(DOUBLE, "multiply").expect("a valid shader");
        let [mut slots, mut from, mut to] = [Buffer::default(), Buffer::default(), Buffer::default()];
        gpu.upload_slots(&mut slots, &[[3_u32, 2]]).expect("a slot");
        gpu.upload(&mut from, &[1_u32, 2, 3]).expect("three words");
        gpu.reserve(&mut to, 12).expect("room for three");
        gpu.device.destroy();
        let bindings = vec![slots.slot::<[u32; 2]>(0), from.whole(), to.whole()];
        let step = Step { kernel: &kernel, bindings, groups: [1, 1] };
        let error = gpu.run(&[step], &to, 3, &mut Vec::new()).expect_err("it is gone");
        assert!(matches!(error, Error::Lost { .. }), "{error}");
    }

    #[test]
    fn what_a_driver_refuses_is_an_error_that_names_it() {
        let Some(gpu) = device() else { return };
        let error =
            gpu.kernel("fn multiply() { let x: u32 = 1.5; }", "multiply").expect_err("no valid shader");
        assert!(matches!(&error, Error::Refused { what, .. } if what == "multiply"), "{error}");
        let error = gpu.reserve(&mut Buffer::default(), 1 << 40).expect_err("a terabyte");
        assert!(matches!(&error, Error::Refused { what, .. } if what == "a buffer"), "{error}");
        assert!(multiplied(&gpu, &[4], &[3]).is_ok(), "and it goes on working");
    }

    #[test]
    fn a_device_that_is_not_there_is_told_with_those_that_are() {
        let Some(gpu) = device() else { return };
        let error = Gpu::open(&Wish::from("no such device")).expect_err("not there");
        assert!(error.hint().contains(&gpu.adapter().name), "{}", error.hint());
        let part = gpu.adapter().name[..4].to_uppercase();
        let named = Gpu::open(&Wish::Named(part)).expect("a part of a name is enough");
        assert_eq!(named.adapter(), gpu.adapter(), "the first of that name");
    }
}
