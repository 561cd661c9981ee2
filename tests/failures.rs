//! What fails by itself: the engine equals the naive reference, and the laws of failures hold.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::history::{History, Plan};
use gigawatt::simulation::{Control, simulate};
use proptest::test_runner::TestCaseError;
use std::cell::RefCell;
use support::failing::{FailureSpec, failures};
use support::for_all::for_all;
use support::naive::{self, Counts};
use support::plans::{self, Spec};
use support::schedule::{self, differences};

fn run(plan: &Plan) -> History {
    simulate(plan.clone(), &mut Control::default())
}

/// Nothing fails later, so that every run ends.
const LAST: u32 = 600;

fn failing(spec: &Spec, failures: &FailureSpec, seed: u64) -> Plan {
    let mut plan = spec.plan();
    plan.settings.seed = seed;
    plan.cluster.failures = Some(Box::new(failures.build(&plan.cluster, LAST)));
    plan
}

#[test]
fn what_fails_equals_the_naive_reference() {
    let seen = RefCell::new(Counts::default());
    for_all(
        "what_fails_equals_the_naive_reference",
        &(plans::spec(), failures(), 0u64..1000),
        600,
        |(spec, what, seed)| {
            let plan = failing(&spec, &what, seed);
            let expected = naive::simulate(&plan);
            let history = run(&plan);
            let problems = differences(&schedule::of_run(&expected), &schedule::of_history(&history));
            let mut seen = seen.borrow_mut();
            seen.stalled += expected.counts.stalled;
            seen.failed += expected.counts.failed;
            seen.retired += expected.counts.retired;
            seen.spares += expected.counts.spares;
            seen.node_down += expected.counts.node_down;
            if problems.is_empty() { Ok(()) } else { Err(TestCaseError::fail(problems.join("\n"))) }
        },
    );
    let Counts { stalled, failed, retired, spares, node_down, .. } = seen.into_inner();
    let happened = [stalled, failed, retired, spares, node_down];
    assert!(
        happened.iter().all(|count| *count > 20),
        "stalled, failed, given up, spares, stops: {happened:?}"
    );
}
