//! Nanoseconds a (request, domain) pair: every way to rank, by instruction set, cores and batch size.
//!
//! `cargo bench --bench cost`; a filter such as `-- cost/avx512` keeps the other cases out. Criterion reports pairs a
//! second. Before that the bench prints tables on standard error: nanoseconds a pair and, beside the integer operations
//! that naga counts in the shader, what the device could do at most (its roofline) and the share of that it does; and
//! from how many pairs on the GPU is faster than all cores. `-- none` prints the tables alone.

#![expect(clippy::print_stderr, reason = "what a case is belongs beside its figures")]

#[path = "../tests/support/batches.rs"]
#[expect(dead_code, reason = "the bench needs no definition to compare with")]
mod batches;
#[path = "../tests/support/operations.rs"]
#[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "what a pair takes on a GPU"))]
mod operations;

use batches::{Sample, Size, every_term};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gigawatt::cost::{Alike, Batch, Candidate, Cpu, Evaluator, Instructions, Ranking, Weights};
#[cfg(feature = "gpu")]
use gigawatt::cost::{OnGpu, Ranker};
#[cfg(feature = "gpu")]
use gigawatt::gpu::{Gpu, Wish};
use gigawatt::policy::placement::{ListedPlacement, PLACEMENTS};
use operations::operations;
#[cfg(feature = "gpu")]
use operations::{RANK, operations_a_pair};

/// Candidates kept of each query.
const K: usize = 8;

/// Every pair by itself, one after the other.
#[derive(Debug)]
struct Naive;

impl Evaluator for Naive {
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) {
        out.reset(batch.queries.len(), k);
        for query in 0..batch.queries.len() {
            let list = &mut out.candidates[query * k..][..k];
            for (domain, index) in (0..batch.domains.len()).zip(0..) {
                let candidate = Candidate { cost: batch.cost(query, domain), index };
                if candidate.is_some() && candidate < list[k - 1] {
                    let place = list.partition_point(|other| *other < candidate);
                    list[place..].rotate_right(1);
                    list[place] = candidate;
                }
            }
        }
    }
}

/// Ways to rank, by name; the last of all is every core with domains that are alike taken together.
fn evaluators() -> Vec<(String, Box<dyn Evaluator>)> {
    let mut all: Vec<(String, Box<dyn Evaluator>)> = vec![("naive".to_owned(), Box::new(Naive))];
    for instructions in Instructions::ALL.into_iter().filter(|set| set.is_available()) {
        let one = Cpu::default().with(instructions).threads(false).alike(Alike::Never);
        all.push((format!("{}-one-core", instructions.name()), Box::new(one)));
    }
    all.push(("all-cores".to_owned(), Box::new(Cpu::default().alike(Alike::Never))));
    all.push(("all-cores-alike".to_owned(), Box::new(Cpu::default().alike(Alike::Always))));
    #[cfg(feature = "gpu")]
    all.extend(on_gpu());
    all
}

/// The same batch again and again, which is uploaded once only.
#[cfg(feature = "gpu")]
#[derive(Debug)]
struct Resident {
    ranker: Ranker,
    shape: (usize, usize),
}

#[cfg(feature = "gpu")]
impl Evaluator for Resident {
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) {
        let shape = (batch.queries.len(), batch.domains.len());
        let known = std::mem::replace(&mut self.shape, shape) == shape;
        let ranked =
            if known { self.ranker.rank_again(batch, k, out) } else { self.ranker.rank(batch, k, out) };
        ranked.expect("a device that works");
    }
}

/// The first adapter, with and without the transfer of what it reads.
#[cfg(feature = "gpu")]
fn on_gpu() -> Vec<(String, Box<dyn Evaluator>)> {
    let ranker = || Gpu::open(&Wish::Gpu).and_then(Ranker::new);
    let (Ok(one), Ok(other)) = (ranker(), ranker()) else { return Vec::new() };
    let resident = Resident { ranker: other, shape: (0, 0) };
    vec![
        ("gpu".to_owned(), Box::new(OnGpu::new(one))),
        ("gpu-without-transfer".to_owned(), Box::new(resident)),
    ]
}

/// From how many requests on the GPU, transfer included, is faster than all cores, in steps of four: what
/// `--device auto` should know.
#[cfg(feature = "gpu")]
fn crossover() {
    let Some((_, mut gpu)) = on_gpu().into_iter().next() else { return };
    let mut cpu = Cpu::default();
    for domains in [4_096_u32, 65_536, 524_288] {
        let mut told = "none".to_owned();
        for queries in (0..7).map(|step| 1_u32 << (2 * step)) {
            let sample = sample(queries, domains, every_term());
            let [gpu, cpu] = [nanoseconds(gpu.as_mut(), &sample), nanoseconds(&mut cpu, &sample)];
            if gpu < cpu {
                told = format!("{queries} requests, {gpu:.3} against {cpu:.3} ns a pair");
                break;
            }
            told = format!("none up to {queries} requests, {gpu:.3} against {cpu:.3} ns a pair");
            if gpu > 4.0 * cpu && u64::from(queries) * u64::from(domains) > SLOW {
                break;
            }
        }
        eprintln!("crossover on {domains} domains: {told}");
    }
}

fn sample(queries: u32, domains: u32, weights: Weights) -> Sample {
    Sample::random(7, Size { states: 20_000, ..Size::of(queries, domains) }, weights)
}

/// Nanoseconds a pair, the best of some runs: three, and more while they take less than a third of a second.
fn nanoseconds(evaluator: &mut dyn Evaluator, sample: &Sample) -> f64 {
    let pairs = sample.queries.len() as f64 * sample.domains.len() as f64;
    let mut ranking = Ranking::default();
    let mut run = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures")]
        let begin = std::time::Instant::now();
        evaluator.rank(&sample.batch(), K, &mut ranking);
        begin.elapsed().as_secs_f64() * 1e9
    };
    let (mut best, mut spent, mut runs) = (f64::INFINITY, 0.0, 0);
    while runs < 3 || (spent < 3e8 && runs < 100) {
        let taken = run();
        (best, spent, runs) = (taken.min(best), spent + taken, runs + 1);
    }
    best / pairs
}

/// What a device does at most in a nanosecond, and what a pair asks of it.
#[derive(Debug, Clone)]
struct Roofline {
    /// Integer operations a pair, counted in the shader.
    operations: usize,
    /// Integer operations a nanosecond.
    most: f64,
    /// How that comes about.
    about: String,
}

impl Roofline {
    /// Of one core: lanes × vector units × clock. What is looked up in tables is shared by many pairs and not counted.
    fn of_core(way: &str, gigahertz: f64) -> Option<Self> {
        let known = [("avx512", 16.0, 2.0), ("avx2", 8.0, 3.0), ("portable", 4.0, 3.0)];
        let (_, lanes, units) = known.into_iter().find(|(set, ..)| way.starts_with(set))?;
        let about = format!("{lanes} lanes x {units} units x {gigahertz:.2} GHz");
        Some(Self { operations: operations("pair_cost"), most: lanes * units * gigahertz, about })
    }
    /// Of the first adapter, where its data sheet is known: lanes for integers × multiprocessors × clock.
    #[cfg(feature = "gpu")]
    fn of_gpu() -> Option<Self> {
        let name = gigawatt::gpu::adapters().ok()?.first()?.name.clone();
        eprintln!("adapter: {name}");
        let known = [("H100", 64.0, 132.0, 1.755), ("H200", 64.0, 132.0, 1.755)];
        let (_, lanes, multiprocessors, clock) = known.into_iter().find(|(part, ..)| name.contains(part))?;
        let about = format!("{lanes} lanes x {multiprocessors} multiprocessors x {clock} GHz");
        Some(Self { operations: operations_a_pair(RANK), most: lanes * multiprocessors * clock, about })
    }
    #[cfg(not(feature = "gpu"))]
    const fn of_gpu() -> Option<Self> {
        None
    }
    /// Operations a pair and a nanosecond, both at most and as measured.
    fn beside(&self, nanoseconds: f64) -> String {
        let Self { operations, most, about } = self;
        let done = *operations as f64 / nanoseconds;
        let share = done / most * 100.0;
        format!("{operations} operations a pair, {done:.1} of {most:.1} a ns = {share:.0} % ({about})")
    }
}

/// The clock, in GHz: each step of a chain, a multiplication and an "or", takes four cycles.
fn gigahertz() -> f64 {
    const STEPS: u32 = 100_000;
    let run = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures")]
        let begin = std::time::Instant::now();
        let mut value = std::hint::black_box(0x5851_f42d_4c95_7f2d_u64);
        for _ in 0..STEPS {
            // A square, so that no two steps can be taken as one.
            value = value.wrapping_mul(value) | 5;
        }
        std::hint::black_box(value);
        begin.elapsed().as_secs_f64()
    };
    // Short and often: what shares the core interrupts some of them only.
    let best = (0..300).map(|_| run()).fold(f64::INFINITY, f64::min);
    4.0 * f64::from(STEPS) / best * 1e-9
}

/// Requests and domains of the cases.
const SIZES: [(u32, u32); 5] = [(1, 65_536), (64, 4_096), (64, 65_536), (1_024, 65_536), (64, 524_288)];

/// Pairs that a way which is slow is still asked for.
const SLOW: u64 = 1 << 24;

/// What a pair takes: every preset on one core, then every size in every way.
fn tables() {
    let (clock, on_device) = (gigahertz(), Roofline::of_gpu());
    let roofline = |way: &str| {
        if way.starts_with("gpu") { on_device.clone() } else { Roofline::of_core(way, clock) }
    };
    let line = |what: &str, way: &str, taken: f64| {
        let beside = roofline(way).map_or_else(String::new, |roofline| roofline.beside(taken));
        eprintln!("{what:24} {way:22} {taken:8.3} ns a pair   {beside}");
    };
    for (name, weights) in weights() {
        let sample = sample(64, 65_536, weights);
        for (way, mut ranks) in evaluators().into_iter().filter(|(way, _)| way.ends_with("one-core")) {
            line(&name, &way, nanoseconds(ranks.as_mut(), &sample));
        }
    }
    for (queries, domains) in SIZES {
        let sample = sample(queries, domains, every_term());
        let is_large = u64::from(queries) * u64::from(domains) > SLOW;
        for (way, mut ranks) in evaluators().into_iter().filter(|(way, _)| !is_large || way != "naive") {
            line(&format!("{queries} x {domains}"), &way, nanoseconds(ranks.as_mut(), &sample));
        }
    }
}

/// Weights that are measured: every term on, then the presets.
fn weights() -> Vec<(String, Weights)> {
    let preset = |entry: &ListedPlacement| entry.weights().map(|weights| (entry.name.to_owned(), weights));
    let presets = PLACEMENTS.iter().filter_map(preset);
    std::iter::once(("every term".to_owned(), every_term())).chain(presets).collect()
}

fn ranks(criterion: &mut Criterion) {
    tables();
    #[cfg(feature = "gpu")]
    crossover();
    let mut group = criterion.benchmark_group("cost");
    group.sample_size(10);
    for (queries, domains) in SIZES {
        let sample = sample(queries, domains, every_term());
        let pairs = u64::from(queries) * u64::from(domains);
        group.throughput(Throughput::Elements(pairs));
        for (name, mut evaluator) in evaluators() {
            if name == "naive" && pairs > SLOW {
                continue;
            }
            let mut ranking = Ranking::default();
            group.bench_function(BenchmarkId::new(name, format!("{queries}x{domains}")), |bencher| {
                bencher.iter(|| evaluator.rank(&sample.batch(), K, &mut ranking));
            });
        }
    }
}

criterion_group!(benches, ranks);
criterion_main!(benches);
