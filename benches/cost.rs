//! Nanoseconds a (request, domain) pair: every way to rank, by instruction set, cores and batch size.
//!
//! `cargo bench --bench cost`; a filter such as `-- cost/avx512` keeps the other cases out. GIGAWATT_CROSSOVER=1 also
//! looks for the size from which the GPU is faster than all cores. Criterion reports pairs a
//! second; before them the bench says on standard error what a pair takes in nanoseconds and as a share of what the
//! instructions could do at most, given the integer operations that naga counts in the shader.

#![expect(clippy::print_stderr, reason = "what a case is belongs beside its figures")]

#[path = "../tests/support/batches.rs"]
#[expect(dead_code, reason = "the bench needs no definition to compare with")]
mod batches;
#[path = "../tests/support/operations.rs"]
mod operations;

use batches::{Sample, Size, every_term};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gigawatt::cost::{Alike, Batch, Candidate, Cpu, Evaluator, Instructions, Ranking, TERMS, Weights};
#[cfg(feature = "gpu")]
use gigawatt::cost::{OnGpu, Ranker};
#[cfg(feature = "gpu")]
use gigawatt::gpu::{Gpu, Wish};
use operations::operations;

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

/// Integer operations a nanosecond of the first adapter, where known: 132 multiprocessors of 64 lanes at 1.755 GHz.
#[cfg(feature = "gpu")]
fn gpu_roofline() -> Option<f64> {
    let name = gigawatt::gpu::adapters().ok()?.first()?.name.clone();
    eprintln!("adapter: {name}");
    ["H100", "H200"].iter().any(|known| name.contains(known)).then_some(132.0 * 64.0 * 1.755)
}

#[cfg(not(feature = "gpu"))]
fn gpu_roofline() -> Option<f64> {
    None
}

/// From how many pairs on the GPU is faster than all cores, in steps of four; what `--device auto` should know.
#[cfg(feature = "gpu")]
fn crossover() {
    let Some((_, mut gpu)) = on_gpu().into_iter().next() else { return };
    let mut cpu = Cpu::default();
    for domains in [4_096_u32, 16_384, 65_536, 262_144] {
        let faster = (0..7).map(|step| 1 << (2 * step)).find(|queries: &u32| {
            let sample = sample(*queries, domains, every_term());
            nanoseconds(gpu.as_mut(), &sample) < nanoseconds(&mut cpu, &sample)
        });
        match faster {
            Some(queries) => eprintln!("crossover on {domains} domains: {queries} queries"),
            None => eprintln!("crossover on {domains} domains: none up to 4096 queries"),
        }
    }
}

fn sample(queries: u32, domains: u32, weights: Weights) -> Sample {
    Sample::random(7, Size { states: 20_000, ..Size::of(queries, domains) }, weights)
}

/// Nanoseconds a pair, the best of some runs.
fn nanoseconds(evaluator: &mut dyn Evaluator, sample: &Sample) -> f64 {
    let pairs = sample.queries.len() as f64 * sample.domains.len() as f64;
    let mut ranking = Ranking::default();
    let mut run = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures")]
        let begin = std::time::Instant::now();
        evaluator.rank(&sample.batch(), K, &mut ranking);
        begin.elapsed().as_secs_f64() * 1e9 / pairs
    };
    (0..40).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// Operations a nanosecond that nothing can exceed: lanes × vector units × clock.
fn roofline(name: &str, gigahertz: f64) -> Option<f64> {
    let lanes = [("avx512", 16.0), ("avx2", 8.0), ("portable", 4.0)];
    let (_, lanes) = lanes.into_iter().find(|(set, _)| name.starts_with(set))?;
    let units = if name.starts_with("avx512") { 2.0 } else { 3.0 };
    Some(lanes * units * gigahertz)
}

/// The clock, in GHz: each step of a chain, a multiplication and an addition, takes four cycles.
fn gigahertz() -> f64 {
    const STEPS: u32 = 10_000_000;
    let run = || {
        #[expect(clippy::disallowed_methods, reason = "a bench measures")]
        let begin = std::time::Instant::now();
        let mut value = std::hint::black_box(1_u64);
        for step in 0..STEPS {
            value = value.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(u64::from(step));
        }
        std::hint::black_box(value);
        begin.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| run()).fold(f64::INFINITY, f64::min);
    4.0 * f64::from(STEPS) / best * 1e-9
}

fn report() {
    let counted = operations("pair_cost") as f64;
    let clock = gigahertz();
    let on_device = gpu_roofline();
    eprintln!("{counted} integer operations a pair, {clock:.1} GHz");
    for (name, weights) in [("every term", every_term()), ("best-fit", TERMS[0].with(Weights::default(), 1))]
    {
        let sample = sample(64, 65_536, weights);
        for (evaluator, mut ranks) in evaluators() {
            let taken = nanoseconds(ranks.as_mut(), &sample);
            let most = if evaluator.starts_with("gpu") { on_device } else { roofline(&evaluator, clock) };
            let share = most.map(|most| counted / taken / most * 100.0);
            let share = share.map_or(String::new(), |share| format!(", {share:.0} % of the roofline"));
            eprintln!("{name}, {evaluator}: {taken:.3} ns a pair{share}");
        }
    }
}

fn ranks(criterion: &mut Criterion) {
    report();
    #[cfg(feature = "gpu")]
    if std::env::var_os("GIGAWATT_CROSSOVER").is_some() {
        crossover();
    }
    let mut group = criterion.benchmark_group("cost");
    group.sample_size(10);
    for (queries, domains) in [(1, 65_536), (64, 4_096), (64, 65_536), (1_024, 65_536), (64, 524_288)] {
        let sample = sample(queries, domains, every_term());
        group.throughput(Throughput::Elements(u64::from(queries) * u64::from(domains)));
        for (name, mut evaluator) in evaluators() {
            if name == "naive" && u64::from(queries) * u64::from(domains) > 1 << 24 {
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
