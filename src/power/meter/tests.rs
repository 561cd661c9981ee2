use super::shader::{Sum, Wide, add_sum, value};
use super::*;
use crate::random::{Purpose, Stream};

/// A load by its parts, so that the definition needs none of [`Load`].
#[derive(Debug, Clone)]
struct Case {
    placements: Vec<FeedDraw>,
    tariff_of: Vec<u32>,
    tariffs: Vec<Vec<PriceStep>>,
    window: Window,
}

impl Case {
    fn load(&self) -> Load {
        Load::new(&self.placements, &self.tariff_of, &self.tariffs)
    }
    fn drawn(seed: u64, feeds: u32, placements: u32, seconds: u32, bucket: u32) -> Self {
        let stream = Stream::new(seed, Purpose::Sampling);
        let below = |entity: u64, draw: u32, bound: u32| stream.below(entity, draw, bound);
        let placement = |number: u32| {
            let entity = u64::from(number);
            let from = below(entity, 0, seconds);
            let watts = u64::from(below(entity, 1, u32::MAX)) << below(entity, 2, 5);
            FeedDraw {
                feed: below(entity, 3, feeds),
                from,
                to: from + below(entity, 4, seconds / 2 + 2),
                watts,
            }
        };
        let tariff = |number: u64| {
            let mut steps: Vec<PriceStep> = (0..below(number, 10, 9))
                .map(|step| PriceStep {
                    from: below(number, 11 + 3 * step, seconds),
                    price: i64::from(below(number, 12 + 3 * step, u32::MAX)) - (1 << 31),
                    intensity: i64::from(below(number, 13 + 3 * step, 800_000)),
                })
                .collect();
            steps.sort_by_key(|step| step.from);
            steps.dedup_by_key(|step| step.from);
            steps
        };
        let begin = below(1, 99, seconds / 3 + 1);
        Self {
            placements: (0..placements).map(placement).collect(),
            tariff_of: (0..feeds).map(|feed| feed % 3).collect(),
            tariffs: (0..3).map(|number| tariff(1000 + number)).collect(),
            window: Window { begin, end: begin + seconds / 2, bucket },
        }
    }
    /// The same by definition: every second on its own, in numbers as wide as needed.
    fn by_seconds(&self) -> Usage {
        let mut usage = Usage::default();
        let feeds = self.tariff_of.len();
        usage.reset(feeds, self.window);
        for second in self.window.begin..self.window.end {
            let bucket = ((second - self.window.begin) / self.window.bucket) as usize;
            for (feed, tariff) in self.tariff_of.iter().enumerate() {
                let here = self.placements.iter().filter(|placement| {
                    placement.feed as usize == feed && placement.from <= second && second < placement.to
                });
                let draw: u64 = here.map(|placement| placement.watts).sum();
                let step = self.tariffs[*tariff as usize].iter().rfind(|step| step.from <= second);
                let cell = &mut usage.buckets[bucket * feeds + feed];
                cell.energy += draw;
                cell.peak = cell.peak.max(draw);
                let total = &mut usage.totals[feed];
                total.energy += i128::from(draw);
                total.cost += i128::from(draw) * step.map_or(0, |step| i128::from(step.price));
                total.carbon += i128::from(draw) * step.map_or(0, |step| i128::from(step.intensity));
            }
        }
        usage
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (seed, (feeds, placements, seconds, bucket)) in (0..).zip([
        (1, 0, 10, 1),
        (1, 1, 10, 3),
        (3, 20, 100, 1),
        (63, 100, 100, 7),
        (64, 100, 200, 60),
        (65, 400, 300, 60),
        (5, 300, 4000, 3600),
        (1, 200, 4000, 5),
        (2, 40, 2000, 1 << 21),
    ]) {
        cases.push(Case::drawn(seed, feeds, placements, seconds, bucket));
    }
    // The most that a feed may draw, at the highest and the lowest price, as late as there is time.
    let most = FeedDraw { feed: 0, from: u32::MAX - 500, to: u32::MAX, watts: 1 << 40 };
    let price = |from, price| PriceStep { from, price, intensity: i64::MAX };
    let tariffs = vec![vec![price(0, i64::MAX), price(u32::MAX - 300, i64::MIN)]];
    let window = Window { begin: u32::MAX - 600, end: u32::MAX, bucket: 60 };
    cases.push(Case { placements: vec![most], tariff_of: vec![0], tariffs, window });
    cases
}

fn on_the_cpu(case: &Case) -> Usage {
    let mut usage = Usage::default();
    Cpu::default().meter(&case.load(), case.window, &mut usage);
    usage
}

#[test]
fn the_processor_meters_what_every_second_draws() {
    for (number, case) in cases().into_iter().enumerate() {
        assert_eq!(on_the_cpu(&case), case.by_seconds(), "case {number}");
    }
    let mut case = Case::drawn(3, 3, 20, 100, 7);
    let before = on_the_cpu(&case);
    let inside = case.placements.iter_mut().find(|placement| placement.from < case.window.begin);
    inside.expect("one is there").watts += 1;
    assert_ne!(on_the_cpu(&case), before, "a watt more is noticed");
}

/// The most that a feed may draw, for as long as time lasts, at one high price.
fn longest(bucket: u32) -> Case {
    let most = FeedDraw { feed: 0, from: 0, to: u32::MAX, watts: 1 << 40 };
    let price = PriceStep { from: 0, price: 1 << 40, intensity: -1 };
    let window = Window { begin: 0, end: u32::MAX, bucket };
    Case { placements: vec![most], tariff_of: vec![0], tariffs: vec![vec![price]], window }
}

/// What that comes to.
const LONGEST: Total = Total {
    energy: (u32::MAX as i128) << 40,
    cost: (u32::MAX as i128) << 80,
    carbon: -((u32::MAX as i128) << 40),
};

#[test]
fn nothing_overflows_however_long_a_price_holds() {
    for bucket in [10_000, Window::BUCKET_MAX - 1, Window::BUCKET_MAX] {
        assert_eq!(on_the_cpu(&longest(bucket)).totals, [LONGEST], "buckets of {bucket} s");
    }
}

#[test]
fn no_total_depends_on_the_bucket() {
    let case = Case::drawn(11, 7, 200, 5000, 1);
    let totals = on_the_cpu(&case).totals;
    for bucket in [2, 60, 77, 3600] {
        let other = Case { window: Window { bucket, ..case.window }, ..case.clone() };
        assert_eq!(on_the_cpu(&other).totals, totals, "buckets of {bucket} s");
    }
}

#[test]
fn words_are_multiplied_and_added_as_wide_numbers_are() {
    let edges = [0, 1, 2, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, (1 << 62) - 1, 0x1234_5678_9abc_def0];
    let prices = [0, 1, -1, 7, -0x1_0000, i64::MAX, i64::MIN, 0x7fff_ffff, -0x8000_0000, 0x1234_5678_9abc];
    let mut sum = Sum::default();
    let mut expected = 0_i128;
    for amount in edges {
        for price in prices {
            let bits = u64::from_le_bytes(price.to_le_bytes());
            let product = value(Wide::from(amount), Wide::from(bits));
            assert_eq!(i128::from(product), i128::from(amount) * i128::from(price), "{amount} at {price}");
            sum = add_sum(sum, product);
            expected += i128::from(amount) * i128::from(price);
            assert_eq!(i128::from(sum), expected, "with {amount} at {price}");
        }
    }
}

#[cfg(feature = "gpu")]
mod on_a_device {
    use super::super::gpu::{Parameters, STEPS, State, THREADS};
    use super::super::shader::{Meter, Sum};
    use super::*;
    use crate::gpu::Error;
    use crate::gpu::lint::{Shader, same_layout};
    use crate::gpu::tests::device;

    /// Small enough that small problems cross every border.
    const SMALL: Chunks = Chunks { bytes: 1 << 12, threads: 256 };

    fn metered(meters: &mut Meters, case: &Case) -> Result<Usage, Error> {
        let mut usage = Usage::default();
        meters.try_meter(&case.load(), case.window, &mut usage)?;
        Ok(usage)
    }

    #[test]
    fn a_gpu_meters_as_the_processor_does_in_any_chunks() {
        for chunks in [Chunks::default(), SMALL] {
            let Some(gpu) = device() else { return };
            let mut meters = Meters::with(gpu, POWER_SOURCE, chunks).expect("a device that takes the shader");
            for (number, case) in cases().into_iter().enumerate() {
                assert_eq!(metered(&mut meters, &case), Ok(on_the_cpu(&case)), "case {number}, {chunks:?}");
            }
            for seed in 20_u32..30 {
                let case = Case::drawn(seed.into(), 1 + seed * 3, 300, 3000, 60);
                assert_eq!(metered(&mut meters, &case), Ok(on_the_cpu(&case)), "seed {seed}, {chunks:?}");
            }
        }
    }

    #[test]
    fn a_feed_with_more_changes_than_a_dispatch_has_steps_is_metered_to_its_end() {
        let Some(gpu) = device() else { return };
        let mut meters = Meters::new(gpu).expect("a device that takes the shader");
        let count = 2 * STEPS + 77;
        let placement = |number: u32| FeedDraw {
            feed: 0,
            from: 2 * number,
            to: 2 * number + 1,
            watts: 5 + u64::from(number),
        };
        let tariffs = vec![vec![PriceStep { from: 0, price: -3, intensity: 9 }]];
        let window = Window { begin: 0, end: 2 * count, bucket: 2 };
        let case =
            Case { placements: (0..count).map(placement).collect(), tariff_of: vec![0], tariffs, window };
        let expected = on_the_cpu(&case);
        assert_eq!(expected.buckets[count as usize - 1].energy, 4 + u64::from(count), "the last draws most");
        assert_eq!(metered(&mut meters, &case).as_ref(), Ok(&expected), "as on the processor");
        let one_thread = Chunks { threads: 1, ..Chunks::default() };
        let Some(gpu) = device() else { return };
        let mut meters = Meters::with(gpu, POWER_SOURCE, one_thread).expect("a device that takes the shader");
        assert_eq!(
            metered(&mut meters, &case),
            Ok(expected),
            "by a thread that goes on three times and more"
        );
    }

    #[test]
    fn nothing_overflows_on_a_gpu_either() {
        let Some(gpu) = device() else { return };
        let one_thread = Chunks { threads: 1, ..Chunks::default() };
        let mut meters = Meters::with(gpu, POWER_SOURCE, one_thread).expect("a device that takes the shader");
        for bucket in [1_000_000, Window::BUCKET_MAX] {
            let usage = metered(&mut meters, &longest(bucket)).expect("a device that works");
            assert_eq!(usage.totals, [LONGEST], "buckets of {bucket} s");
        }
    }

    #[test]
    fn a_planted_bug_is_noticed() {
        for (what, found, planted) in [
            ("a carry is lost", "select(0u, 1u, low < x.low)", "0u"),
            ("a negative price is read without its sign", "price.high > 0x7fffffffu", "false"),
            ("a second too much", "until - state.time)", "until - state.time + 1u)"),
            ("carbon at the price", "value(meter.priced, intensity)", "value(meter.priced, price)"),
            (
                "the peak is never reset",
                "return Meter(Wide(0u, 0u), Wide(0u, 0u), meter.priced",
                "return Meter(Wide(0u, 0u), meter.peak, meter.priced",
            ),
            ("a loop ends early", "(step < STEPS)", "(step < 5u)"),
        ] {
            let text = POWER_SOURCE.replace(found, planted);
            assert_ne!(text, POWER_SOURCE, "{what}: there is something to replace");
            let Some(gpu) = device() else { return };
            let chunks = Chunks { threads: 1, ..SMALL };
            let mut meters =
                Meters::with(gpu, &text, chunks).unwrap_or_else(|error| panic!("{what}: {error}"));
            let differs = cases().iter().any(|case| metered(&mut meters, case) != Ok(on_the_cpu(case)));
            assert!(differs, "{what}: not noticed");
        }
    }

    #[test]
    fn the_processor_takes_over_from_a_lost_device_with_the_same_result() {
        let Some(gpu) = device() else { return };
        let mut meters = Meters::new(gpu).expect("a device that takes the shader");
        let case = Case::drawn(5, 9, 50, 500, 10);
        meters.gpu().lose();
        let mut usage = Usage::default();
        meters.meter(&case.load(), case.window, &mut usage);
        assert!(matches!(meters.failure(), Some(Error::Lost { .. })), "the failure is kept");
        assert_eq!(usage, on_the_cpu(&case), "and the result is the same");
    }

    #[test]
    fn structures_are_laid_out_as_in_the_shader() {
        let shader = Shader::read(POWER_SOURCE).expect("a valid shader");
        assert_eq!((shader.constant("THREADS"), shader.constant("STEPS")), (THREADS, STEPS), "as in Rust");
        same_layout!(shader, Parameters, [feeds, done, begin, end, bucket, span, spans, resumed]);
        same_layout!(shader, Change, [time, low, high]);
        same_layout!(shader, Price, [time, price, intensity]);
        same_layout!(shader, Feed, [first, last, price_first, price_last]);
        same_layout!(shader, Wide, [low, high]);
        same_layout!(shader, Sum, [a, b, c, d]);
        same_layout!(shader, Meter, [bucket, peak, priced, energy, cost, carbon]);
        same_layout!(shader, State, [meter, time, bucket_begin, bucket, change, price]);
    }
}
