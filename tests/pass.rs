//! Every scenario that pins the law of a pass comes out as worked out by hand: of the naive reference and of the engine.
//!
//! The scenarios lie outside the repository, where the variable `GIGAWATT_SHARED` points, each a folder with a
//! scenario and what is expected: lines `exit N` and `job ID column value`. Without them every test here says that it
//! is skipped.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::NodeState;
use gigawatt::history::Plan;
use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::Seconds;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::naive;
use support::recorded;
use support::schedule::{self, Line};

/// A scenario and what is expected of it.
struct Case {
    name: String,
    text: String,
    /// The exit code.
    exit: Option<i32>,
    /// Job, column, value.
    jobs: Vec<[String; 3]>,
}

/// A key that scenarios do not know yet, and what it says in the plan.
struct Unread {
    text: &'static str,
    set: fn(&mut Plan),
}

/// Taken out of the text and set by hand, until scenarios read them.
const UNREAD: &[Unread] = &[Unread {
    text: ",notice=\"400s\"",
    set: |plan| {
        let down = plan.cluster.changes.iter_mut().filter(|change| change.state == NodeState::Down);
        down.for_each(|change| change.notice = Some(Seconds(400)));
    },
}];

/// The scenarios, if they are there.
fn cases() -> Vec<Case> {
    let Some(folder) = recorded::folder() else { return Vec::new() };
    let entries = std::fs::read_dir(folder.join("pass")).expect("a folder of scenarios");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry of it").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let cases: Vec<Case> = folders.iter().map(|folder| case(folder)).collect();
    assert!(cases.len() >= 7, "only {} scenarios", cases.len());
    cases
}

fn case(folder: &Path) -> Case {
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(name))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    };
    let mut case =
        Case { name: folder.display().to_string(), text: read("s.toml"), exit: None, jobs: Vec::new() };
    for line in read("expected.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [] => {}
            ["exit", code] => case.exit = Some(code.parse().expect("an exit code")),
            ["job", id, column, value] => case.jobs.push([id, column, value].map(str::to_owned)),
            _ => panic!("{}: a line that nobody reads: {line}", case.name),
        }
    }
    assert!(!case.jobs.is_empty(), "{}: nothing is expected", case.name);
    case
}

/// The plan of a scenario, keys that scenarios do not read yet set by hand.
fn plan(case: &Case) -> Plan {
    let load =
        |text: &str| Scenario::from_text(&case.name, text, &Overrides::default()).map(|loaded| loaded.plan);
    load(&case.text).unwrap_or_else(|_| {
        let text = UNREAD.iter().fold(case.text.clone(), |text, unread| text.replace(unread.text, ""));
        let mut plan = load(&text).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        UNREAD
            .iter()
            .filter(|unread| case.text.contains(unread.text))
            .for_each(|unread| (unread.set)(&mut plan));
        plan
    })
}

/// Every expected value that came out as another.
fn differences(case: &Case, plan: &Plan, lines: &[Line]) -> Vec<String> {
    let check = |[id, column, value]: &[String; 3]| {
        let job = (0..plan.workload.jobs.len()).find(|job| plan.workload.names.get(*job) == *id);
        let line = &lines[job.unwrap_or_else(|| panic!("{}: no job is called {id}", case.name))];
        let got = match column.as_str() {
            "start_time" => line.attempts.first().map_or(schedule::NEVER, |attempt| attempt.from).to_string(),
            "finish_time" => line.finish.to_string(),
            "attempts" => line.attempts.len().to_string(),
            other => panic!("{}: a column that nobody reads: {other}", case.name),
        };
        (got != *value).then(|| format!("{}: {id}: {column} is {got}, not {value}", case.name))
    };
    case.jobs.iter().filter_map(check).collect()
}

/// Every difference of every scenario, as something schedules it.
fn of_all(run: impl Fn(&Plan) -> Vec<Line>) -> Vec<String> {
    let of_case = |case: Case| {
        let plan = plan(&case);
        differences(&case, &plan, &run(&plan))
    };
    cases().into_iter().flat_map(of_case).collect()
}

#[test]
fn the_naive_reference_obeys_every_scenario() {
    let found = of_all(|plan| schedule::of_run(&naive::simulate(plan)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_engine_obeys_every_scenario() {
    let found = of_all(|plan| schedule::of_history(&simulate(plan.clone(), &mut Control::default())));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_command_ends_with_the_expected_code() {
    for case in cases() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("s.toml"), &case.text).expect("a file in it");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gigawatt"));
        command.current_dir(folder.path()).args(["simulate", "s.toml", "--out", "out"]);
        let output = command.output().expect("a command that starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), case.exit.or(Some(0)), "{}: {said}", case.name);
    }
}

#[test]
fn another_value_is_reported() {
    let mut cases = cases();
    for case in &mut cases {
        let plan = plan(case);
        let lines = schedule::of_run(&naive::simulate(&plan));
        case.jobs[0][2].push('1');
        assert_eq!(differences(case, &plan, &lines).len(), 1, "{}: a planted digit is reported", case.name);
    }
}
