//! Nanoseconds a (request, domain) pair: every way to rank, by instruction set, cores and batch size.
//!
//! `cargo bench --bench cost`; a filter such as `-- cost/avx512` keeps the other cases out. Criterion reports pairs a
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
    all
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
    eprintln!("{counted} integer operations a pair, {clock:.1} GHz");
    for (name, weights) in [("every term", every_term()), ("best-fit", TERMS[0].with(Weights::default(), 1))]
    {
        let sample = sample(64, 65_536, weights);
        for (evaluator, mut ranks) in evaluators() {
            let taken = nanoseconds(ranks.as_mut(), &sample);
            let share = roofline(&evaluator, clock).map(|most| counted / taken / most * 100.0);
            let share = share.map_or(String::new(), |share| format!(", {share:.0} % of the roofline"));
            eprintln!("{name}, {evaluator}: {taken:.3} ns a pair{share}");
        }
    }
}

fn ranks(criterion: &mut Criterion) {
    report();
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
