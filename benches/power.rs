//! Feeds metered in buckets of time: joules, peak, cost and carbon, by buckets × feeds.
//!
//! `cargo bench --bench power`. Criterion reports buckets a second; before that the bench says on standard error how
//! many bytes had to be moved a second, and what share that is of what memory can move: a copy's speed on this
//! machine, the data sheet's on a known GPU.

#![expect(clippy::print_stderr, reason = "what a case is belongs beside its figures")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gigawatt::power::meter::{Cpu, FeedDraw, Load, Metering, PriceStep, Usage, Window};
use gigawatt::random::{Purpose, Stream};

/// (feeds, placements a feed, seconds, seconds of a bucket)
const CASES: &[(u32, u32, u32, u32)] = &[
    (64, 1_000, 86_400, 1),
    (1_024, 1_000, 30 * 86_400, 3600),
    (1_024, 1_000, 7 * 86_400, 60),
    (4_096, 1_000, 30 * 86_400, 900),
];

struct Case {
    load: Load,
    window: Window,
    name: String,
    buckets: u64,
    /// What has to be read and written at least: changes, and buckets.
    bytes: u64,
}

fn case(feeds: u32, placements: u32, seconds: u32, bucket: u32) -> Case {
    let stream = Stream::new(1, Purpose::Sampling);
    let placement = |number: u32| {
        let entity = u64::from(number);
        let from = stream.below(entity, 0, seconds);
        let to = from + 60 + stream.below(entity, 1, 7200);
        FeedDraw { feed: number % feeds, from, to, watts: 1 + u64::from(stream.below(entity, 2, 2_000_000)) }
    };
    let all: Vec<FeedDraw> = (0..feeds * placements).map(placement).collect();
    let hour = |hour: u32| PriceStep {
        from: hour * 3600,
        price: i64::from(stream.below(hour.into(), 3, 200_000_000)) - 20_000_000,
        intensity: 369_000,
    };
    let tariff: Vec<PriceStep> = (0..seconds / 3600).map(hour).collect();
    let tariff_of = vec![0; feeds as usize];
    let window = Window { begin: 0, end: seconds, bucket };
    let buckets = u64::from(window.buckets()) * u64::from(feeds);
    let changes = 2 * u64::from(feeds) * u64::from(placements);
    Case {
        load: Load::new(&all, &tariff_of, &[tariff]),
        window,
        name: format!("{}x{feeds}", window.buckets()),
        buckets,
        bytes: 12 * changes + 16 * buckets,
    }
}

/// Ways to meter, by name.
fn ways() -> Vec<(&'static str, Box<dyn Metering>)> {
    #[cfg_attr(not(feature = "gpu"), expect(unused_mut, reason = "the processor is the only way"))]
    let mut ways: Vec<(&'static str, Box<dyn Metering>)> = vec![("all-cores", Box::new(Cpu::default()))];
    #[cfg(feature = "gpu")]
    {
        use gigawatt::gpu::{Gpu, Wish};
        use gigawatt::power::meter::Meters;
        if let Ok(meters) = Gpu::open(&Wish::Gpu).and_then(Meters::new) {
            eprintln!("adapter: {}", meters.gpu().adapter().name);
            ways.push(("gpu", Box::new(meters)));
        }
    }
    ways
}

fn seconds(mut run: impl FnMut()) -> f64 {
    let once = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures")]
        let begin = std::time::Instant::now();
        run();
        begin.elapsed().as_secs_f64()
    };
    std::iter::repeat_with(once).take(5).fold(f64::INFINITY, f64::min)
}

/// Bytes a nanosecond that a copy reads and writes.
fn copy_speed() -> f64 {
    let from = vec![1_u64; 1 << 24];
    let mut to = vec![0_u64; 1 << 24];
    let taken = seconds(|| to.copy_from_slice(std::hint::black_box(&from)));
    std::hint::black_box(&to);
    (2 * 8 * from.len()) as f64 / taken * 1e-9
}

/// Bytes a nanosecond of the first adapter's memory, where its data sheet is known.
fn gpu_speed() -> Option<f64> {
    let name = gigawatt::gpu::adapters().ok()?.first()?.name.clone();
    let known = [("H100", 3350.0), ("H200", 4800.0)];
    known.into_iter().find(|(part, _)| name.contains(part)).map(|(_, speed)| speed)
}

fn meters(criterion: &mut Criterion) {
    let (copy, device) = (copy_speed(), gpu_speed());
    let mut ways = ways();
    let mut group = criterion.benchmark_group("power");
    group.sample_size(10);
    for (feeds, placements, span, bucket) in CASES {
        let case = case(*feeds, *placements, *span, *bucket);
        group.throughput(Throughput::Elements(case.buckets));
        for (name, way) in &mut ways {
            let mut usage = Usage::default();
            let taken = seconds(|| way.meter(&case.load, case.window, &mut usage));
            let moved = case.bytes as f64 / taken * 1e-9;
            let most = if *name == "gpu" { device } else { Some(copy) };
            let share = most.map_or(String::new(), |most| {
                format!(", {:.1} % of memory's {most:.0}", moved / most * 100.0)
            });
            eprintln!("{}, {name}: {moved:.2} GB/s{share}", case.name);
            group.bench_function(BenchmarkId::new(*name, &case.name), |bencher| {
                bencher.iter(|| way.meter(&case.load, case.window, &mut usage));
            });
        }
    }
}

criterion_group!(benches, meters);
criterion_main!(benches);
