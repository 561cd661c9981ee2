//! Laws on random values.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Runs `test` on random values, in the suite or for as long as the environment says.
#[expect(clippy::print_stdout, reason = "what repeats a failure is printed first")]
pub(crate) fn for_all<S: Strategy>(
    name: &str,
    strategy: &S,
    cases: u32,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: std::fmt::Debug,
{
    let variable = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let seconds = variable("GIGAWATT_FUZZ_SECONDS");
    #[expect(clippy::disallowed_methods, reason = "how long to go on, not what happens")]
    let begin = std::time::Instant::now();
    for seed in variable("GIGAWATT_FUZZ_SEED").unwrap_or(1).. {
        println!("{name}: seed {seed}, {cases} cases");
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config =
            Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        match runner.run(strategy, &test) {
            Ok(()) => {}
            Err(TestError::Fail(reason, smallest)) => {
                panic!("{name}, seed {seed}: {reason}\nsmallest plan: {smallest:?}")
            }
            Err(abort) => panic!("{name}, seed {seed}: {abort}"),
        }
        if seconds.is_none_or(|seconds| begin.elapsed().as_secs() >= seconds) {
            return;
        }
    }
}
