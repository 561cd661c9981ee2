//! The cost function and its evaluators on the CPU and a GPU, against the written definition of every term.

#[cfg(feature = "gpu")]
#[path = "support/adapter.rs"]
mod adapter;
#[path = "support/batches.rs"]
mod batches;
#[path = "support/operations.rs"]
mod operations;

use batches::{Sample, Size, differences, every_term};
use gigawatt::cost::{Alike, Candidate, Cpu, Evaluator, Instructions, Ranking, SOURCE, TERMS, Weights};
use operations::{RANK, operations, operations_a_pair};

/// Every way the CPU can rank.
fn evaluators() -> Vec<(String, Cpu)> {
    let mut all = Vec::new();
    for instructions in Instructions::ALL.into_iter().filter(|set| set.is_available()) {
        for alike in [Alike::Always, Alike::Never, Alike::WherePaid] {
            for threads in [false, true] {
                let name = format!("{}, {alike:?}, threads: {threads}", instructions.name());
                all.push((name, Cpu::default().with(instructions).alike(alike).threads(threads)));
            }
        }
    }
    all
}

/// A ranking on the GPU, which all tests of this file share; none without one.
#[cfg(feature = "gpu")]
fn on_gpu(sample: &Sample, k: usize) -> Option<Ranking> {
    use gigawatt::cost::Ranker;
    use std::sync::{LazyLock, Mutex, PoisonError};
    static RANKER: LazyLock<Mutex<Option<Ranker>>> = LazyLock::new(|| {
        Mutex::new(adapter::adapter().map(|gpu| Ranker::new(gpu).expect("a device that takes the shader")))
    });
    let mut ranker = RANKER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ranking = Ranking::default();
    ranker.as_mut()?.rank(&sample.batch(), k, &mut ranking).expect("a device that works");
    Some(ranking)
}

#[cfg(not(feature = "gpu"))]
fn on_gpu(_: &Sample, _: usize) -> Option<Ranking> {
    None
}

fn check(sample: &Sample, k: usize) {
    if let Some(ranking) = on_gpu(sample, k) {
        assert_eq!(differences(sample, k, &ranking.candidates), [""; 0], "on the GPU, k = {k}");
    }
    for (name, mut evaluator) in evaluators() {
        let mut ranking = Ranking::default();
        evaluator.rank(&sample.batch(), k, &mut ranking);
        assert_eq!(differences(sample, k, &ranking.candidates), [""; 0], "{name}, k = {k}");
    }
}

#[test]
fn every_evaluator_ranks_by_the_definition() {
    for (seed, domains) in (1..).zip([0, 1, 2, 63, 64, 65, 511, 512, 513, 1_500]) {
        for k in [1, 2, 8, 100] {
            check(&Sample::random(seed, Size::of(9, domains), every_term()), k);
        }
    }
}

#[test]
fn each_term_alone_ranks_by_the_definition() {
    for (seed, term) in (1..).zip(TERMS) {
        for weight in [1, 65_535] {
            let weights = term.with(Weights::default(), weight);
            check(&Sample::random(seed, Size::of(7, 700), weights), 3);
        }
    }
    check(&Sample::random(1, Size::of(7, 700), Weights::default()), 3);
}

#[test]
fn domains_that_cost_the_same_are_ranked_by_index() {
    let alike = Size { states: 1, groups: 1, ..Size::of(70, 1_000) };
    for k in [1, 8] {
        check(&Sample::random(8, alike, Weights::default()), k);
        check(&Sample::random(8, alike, every_term()), k);
    }
}

#[test]
fn every_field_may_be_as_large_as_it_can() {
    check(&Sample::at_the_limits(every_term()), 100);
    for term in TERMS {
        check(&Sample::at_the_limits(term.with(Weights::default(), Weights::SUM_MAX)), 3);
    }
}

#[test]
fn many_queries_share_the_work_of_all_threads() {
    let size = Size { states: 3_000, ..Size::of(150, 3_000) };
    check(&Sample::random(5, size, every_term()), 2);
    check(&Sample::random(6, Size { groups: 40, ..Size::of(150, 3_000) }, every_term()), 2);
}

#[test]
fn no_query_gets_no_list_and_one_without_a_place_an_empty_one() {
    let sample = Sample::random(1, Size::of(0, 10), every_term());
    check(&sample, 4);
    let mut sample = Sample::random(1, Size::of(3, 100), every_term());
    sample.queries[1].scopes = 0;
    let mut ranking = Ranking::default();
    Cpu::default().rank(&sample.batch(), 4, &mut ranking);
    assert!(ranking.of(1).is_empty(), "a query without a scope fits nowhere");
    assert_eq!(ranking.of(0).len(), 4, "the others do");
}

#[test]
fn a_planted_difference_is_reported() {
    let sample = Sample::random(3, Size::of(4, 300), every_term());
    let mut ranking = Ranking::default();
    Cpu::default().rank(&sample.batch(), 2, &mut ranking);
    assert_eq!(differences(&sample, 2, &ranking.candidates), [""; 0], "as computed");
    let planted: [fn(&mut Candidate); 2] = [|first| first.cost += 1, |first| first.index += 1];
    for plant in planted {
        let mut candidates = ranking.candidates.clone();
        plant(&mut candidates[2]);
        assert_eq!(differences(&sample, 2, &candidates).len(), 1, "one query was changed");
    }
    // A term that the domains do not know of: every weight but one.
    let mut other = sample.clone();
    other.domains = Sample::random(3, Size::of(4, 300), TERMS[8].with(every_term(), 0)).domains;
    Cpu::default().rank(&other.batch(), 2, &mut ranking);
    assert!(!differences(&sample, 2, &ranking.candidates).is_empty(), "the pressure is left out");
}

#[test]
fn the_largest_terms_and_weights_do_not_overflow() {
    let weights = TERMS[1].with(Weights::default(), Weights::SUM_MAX);
    assert_eq!(weights.sum(), Weights::SUM_MAX, "one weight takes it all");
    let own = gigawatt::cost::own_cost(weights, gigawatt::cost::Own::default());
    assert_eq!(own, 65_535 * 65_535, "an empty domain under the heaviest spread");
    assert!(own < gigawatt::cost::INFEASIBLE, "still feasible");
}

#[test]
fn a_pair_takes_few_integer_operations() {
    assert_eq!(operations("pair_cost"), 23, "what fits, two terms, the sum");
    let looked_up = ["units_left", "stranded_index", "place_index"].map(operations);
    assert_eq!(looked_up, [2, 4, 2], "where the tables tell the rest");
    // Whether it is the last domain, and of another group; what is stranded; the cost; whether it is listed; the next.
    assert_eq!(operations_a_pair(RANK), 2 + (2 + 4) + 23 + 1 + 1, "a pair on the GPU");
    let longer = RANK.replace("if (cost < highest)", "if (cost * 3u + 1u < highest)");
    assert_eq!(operations_a_pair(&longer), 33 + 2, "two operations more are counted");
}

#[test]
fn the_shader_has_whole_numbers_only_and_no_division_or_shift() {
    let module = naga::front::wgsl::parse_str(SOURCE).expect("the shader parses");
    let flags = naga::valid::ValidationFlags::all();
    let mut validator = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty());
    validator.validate(&module).expect("the shader is valid");
    for (_, function) in module.functions.iter() {
        for (_, expression) in function.expressions.iter() {
            let naga::Expression::Binary { op, .. } = expression else { continue };
            use naga::BinaryOperator::{Divide, Modulo, ShiftLeft, ShiftRight};
            let banned = matches!(op, Divide | Modulo | ShiftLeft | ShiftRight);
            assert!(!banned, "{op:?} in {:?}", function.name);
        }
    }
    for (_, shape) in module.types.iter() {
        let float = matches!(shape.inner.scalar(), Some(scalar) if scalar.kind == naga::ScalarKind::Float);
        assert!(!float, "{shape:?} is no whole number");
    }
}
