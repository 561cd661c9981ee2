//! Scenarios with what is right worked out by hand: bugs that were published, and what parts of a policy do.
//!
//! `regressions/` has one file a bug, `policies/` one a rule: why in its comments, and lines `# expect: JOB COLUMN VALUE`. Columns are those of
//! a schedule, which the naive reference and the engine must give alike (`start_time`, `finish_time`, `attempts`), or
//! `wait_time` and the reasons of waiting by name, seconds, which only the engine tells.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::history::{Plan, WaitReason};
use gigawatt::metrics::measure;
use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::Factor;
use gigawatt::workload::Profile;
use std::path::Path;
use support::naive;
use support::schedule;

/// One scenario.
struct Case {
    name: String,
    plan: Plan,
    /// Job, column, value.
    expected: Vec<(u32, String, u32)>,
}

fn cases() -> Vec<Case> {
    let of = |folder: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
        let entries = std::fs::read_dir(folder).expect("a folder of scenarios");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry of it").path()).collect();
        files.sort();
        assert!(files.len() >= 7, "only {} scenarios", files.len());
        files
    };
    ["regressions", "policies"].into_iter().flat_map(of).map(|file| case(&file)).collect()
}

fn case(file: &Path) -> Case {
    let text = std::fs::read_to_string(file).expect("a text");
    let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
    let loaded = Scenario::from_text(&name, &text, &Overrides::default());
    let plan = loaded.unwrap_or_else(|error| panic!("{name}: {error}")).plan;
    let expectation = |line: &str| {
        let [id, column, value] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{name}: `{line}` is no job, column and value")
        };
        let job = (0..plan.workload.jobs.len()).find(|job| plan.workload.names.get(*job) == id);
        let job = job.unwrap_or_else(|| panic!("{name}: no job is called {id}"));
        (u32::try_from(job).expect("few jobs"), column.to_owned(), value.parse().expect("a number"))
    };
    let lines = text.lines().filter_map(|line| line.strip_prefix("# expect: "));
    let expected: Vec<_> = lines.map(expectation).collect();
    assert!(!expected.is_empty(), "{name}: nothing is expected");
    Case { name, plan, expected }
}

/// Every expected value that came out as another; `value` tells what came out, if it can.
fn differences(case: &Case, value: impl Fn(u32, &str) -> Option<u32>) -> Vec<String> {
    let check = |(job, column, expected): &(u32, String, u32)| {
        let id = case.plan.workload.names.get(*job as usize);
        let got = value(*job, column)?;
        (got != *expected).then(|| format!("{}: {id}: {column} is {got}, not {expected}", case.name))
    };
    case.expected.iter().filter_map(check).collect()
}

fn of_the_reference(case: &Case) -> Vec<String> {
    // It knows nothing of what jobs do with their GPUs: each draws all it can.
    let mut plan = case.plan.clone();
    let one = Factor::ONE.0;
    for behaviour in &mut plan.workload.behaviours {
        behaviour.profile = Profile { shares: [one, 0, 0, 0, 0, 0], levels: [one; 6] };
    }
    let lines = schedule::of_run(&naive::simulate(&plan));
    differences(case, |job, column| {
        let attempts = &lines[job as usize].attempts;
        match column {
            "start_time" => Some(attempts.first().map_or(schedule::NEVER, |attempt| attempt.from)),
            "attempts" => Some(u32::try_from(attempts.len()).expect("few attempts")),
            "finish_time" => Some(lines[job as usize].finish),
            _ => None,
        }
    })
}

fn of_the_engine(case: &Case) -> Vec<String> {
    let history = simulate(case.plan.clone(), &mut Control::default());
    let measured = measure(&history);
    differences(case, |job, column| {
        let times = &measured.jobs[job as usize];
        Some(match column {
            "start_time" => times.start_time.0,
            "attempts" => times.attempts,
            "finish_time" => history.jobs[job as usize].finish_time.0,
            "wait_time" => times.wait_time.0,
            reason => {
                let known = WaitReason::ALL.into_iter().find(|known| known.name() == reason);
                times.reasons[known.unwrap_or_else(|| panic!("no column is called {reason}")) as usize]
            }
        })
    })
}

#[test]
fn the_naive_reference_gives_what_is_right() {
    let found: Vec<String> = cases().iter().flat_map(of_the_reference).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_engine_gives_what_is_right() {
    let found: Vec<String> = cases().iter().flat_map(of_the_engine).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn another_value_is_reported() {
    for mut case in cases() {
        let before = of_the_engine(&case).len();
        case.expected.iter_mut().for_each(|(.., value)| *value += 1_000_000);
        assert_eq!(of_the_engine(&case).len(), case.expected.len(), "{}: {before} before", case.name);
    }
}
