//! Scenarios and policies beside each other: who is compared, on which seeds, and what is said of chance.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{STUCK, run};
use serde_json::Value;

const NIGHT: &str = include_str!("../workloads/night.toml");
const TRACE: &str = "job_id,gpus,submit_time,work_time\na,8,0,600\nb,8,10,600\nc,1,20,60\n";

/// `night.toml`, the same with a third rack as `wide.toml`, and a small trace.
fn asked(arguments: &str) -> String {
    let wide = NIGHT.replace("count = 2\n", "count = 3\n").replace("seed = 1", "seed = 5");
    run(arguments, &[("night.toml", NIGHT), ("wide.toml", wide.as_str()), ("small.csv", TRACE)])
}

/// What it printed, and what it said, if all went well.
fn printed(arguments: &str) -> (String, String) {
    let text = asked(arguments);
    assert!(text.starts_with("exit code: 0\n"), "{arguments}: {text}");
    let (_, rest) = text.split_once("----- stdout -----\n").unwrap();
    let (stdout, stderr) = rest.split_once("----- stderr -----").unwrap();
    (stdout.to_owned(), stderr.to_owned())
}

fn json(arguments: &str) -> Value {
    serde_json::from_str(&printed(arguments).0).unwrap()
}

/// A measure of a contender, run by run.
fn runs(found: &Value, contender: usize, key: &str) -> Vec<f64> {
    let runs = found["policies"][contender]["measures"][key]["runs"].as_array().unwrap();
    runs.iter().map(|run| run.as_f64().unwrap()).collect()
}

fn names(found: &Value) -> Vec<&str> {
    found["policies"].as_array().unwrap().iter().map(|own| own["policy"].as_str().unwrap()).collect()
}

#[test]
fn every_run_is_that_of_the_scenario_and_the_policy_on_its_own() {
    let compared = "compare night.toml wide.toml -p easy -p sjf/skip --seeds 2 --json";
    let found = json(compared);
    assert_eq!(
        names(&found),
        ["night, easy", "night, sjf/skip", "wide, easy", "wide, sjf/skip"],
        "all of them"
    );
    for (contender, (file, policy)) in
        [("night", "easy"), ("night", "sjf/skip"), ("wide", "easy"), ("wide", "sjf/skip")]
            .into_iter()
            .enumerate()
    {
        // Seeds are those of the first scenario.
        for (place, seed) in [1, 2].into_iter().enumerate() {
            let alone = json(&format!("simulate {file}.toml -p {policy} --seed {seed} --json"));
            let wait = alone["wait_time"]["mean"].as_f64().unwrap();
            let own = runs(&found, contender, "wait_mean_s")[place];
            assert!((wait - own).abs() <= 1e-9 * wait, "{file} {policy} {seed}: {wait} and {own}");
        }
    }
    let said = printed(compared).1;
    assert!(said.contains("wide: seeds from 1 on, as the first scenario, and not from 5"), "{said}");
}

#[test]
fn what_is_varied_is_what_set_sets() {
    let found = json(
        "compare night.toml --vary cluster.rack.0.count=2,3 --vary tenant.0.quota=64,112 --seeds 1 --json",
    );
    let expected = [
        "cluster.rack.0.count=2, tenant.0.quota=64",
        "cluster.rack.0.count=2, tenant.0.quota=112",
        "cluster.rack.0.count=3, tenant.0.quota=64",
        "cluster.rack.0.count=3, tenant.0.quota=112",
    ];
    assert_eq!(names(&found), expected, "the last fastest");
    for (contender, name) in expected.into_iter().enumerate() {
        let sets: Vec<String> = name.split(", ").map(|set| format!("--set {set}")).collect();
        let alone = json(&format!("simulate night.toml {} --json", sets.join(" ")));
        assert_eq!(
            alone["wait_time"]["max"].as_f64(),
            runs(&found, contender, "wait_max_s").first().copied(),
            "{name}"
        );
    }
    // Some of what tells a contender from the others names it.
    for (reference, name) in [("3", 2), ("tenant.0.quota=64,2", 0), (expected[3], 3)] {
        let reference = reference.replace(", ", ",");
        let varied = "compare night.toml --vary cluster.rack.0.count=2,3 --vary tenant.0.quota=64,112 --seeds 1 --json";
        let text = asked(&format!("{varied} --reference {reference}"));
        match reference.as_str() {
            "3" => assert!(text.contains("`3` means 2 contenders"), "{text}"),
            _ => assert!(text.contains(&format!("\"reference\": \"{}\"", expected[name])), "{text}"),
        }
    }
}

#[test]
fn groups_of_jobs_are_told_and_hold_all_of_them() {
    for by in ["gpus", "tenant", "kind", "platform"] {
        let found = json(&format!("compare night.toml -p easy -p greedy --seeds 2 --by {by} --json"));
        for contender in 0..2 {
            let groups = found["policies"][contender]["groups"].as_array().unwrap();
            let of = |what: &str| -> f64 {
                groups.iter().filter(|own| own["by"] == what).map(|own| own["jobs"].as_f64().unwrap()).sum()
            };
            assert!(of(by) > 100.0 && (of(by) - of("gpus")).abs() < 1e-9, "by {by}: {groups:?}");
            let longest = groups.iter().filter(|own| own["by"] == by).map(|own| {
                own["measures"]["wait_max_s"]["runs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|run| run.as_f64().unwrap())
                    .fold(0.0, f64::max)
            });
            let whole = runs(&found, contender, "wait_max_s").into_iter().fold(0.0, f64::max);
            assert!((longest.fold(0.0, f64::max) - whole).abs() < 0.5, "by {by}: the longest of all");
        }
    }
    let text = printed("compare night.toml -p easy -p greedy --seeds 1 --by tenant").0;
    for row in ["\nlongest, 1 GPU ", "\nlab, p95 ", "\nproduct, max "] {
        assert!(text.contains(row), "{row:?}: {text}");
    }
}

#[test]
fn seeds_are_added_until_it_is_as_precise_as_asked() {
    let found = json("compare night.toml -p easy -p greedy --precision 30% --seeds 100 --json");
    let (reached, seeds) = (&found["precision"], found["seeds"].as_array().unwrap().len());
    assert_eq!(reached["met"], true, "{reached}");
    assert!(
        reached["reached"].as_f64().unwrap() <= 0.3 && (20..=100).contains(&seeds),
        "{reached}, {seeds} seeds"
    );
    let text = asked("compare night.toml -p easy -p greedy --precision 0.01% --seeds 21");
    assert!(text.starts_with("exit code: 1\n"), "not that precise: {text}");
    assert!(text.contains("after 21 seeds, and not the"), "{text}");
}

#[test]
fn a_trace_on_two_clusters_is_read_once_and_has_no_seeds() {
    let found = json("compare --workload small.csv --cluster NODESx8 --vary cluster.nodes=1,2 --json");
    assert_eq!(names(&found), ["cluster.nodes=1", "cluster.nodes=2"], "{found}");
    assert_eq!(runs(&found, 0, "wait_max_s"), [1180.0], "c waits for a and b, which are in its way");
    assert_eq!(runs(&found, 1, "wait_max_s"), [580.0], "on two nodes for a alone");
    assert_eq!(found["intervals"]["method"], "few-days", "{found}");
}

#[test]
fn a_comparison_replaces_nothing_unless_it_is_told_to() {
    let place = command::directory(&[("small.csv", TRACE)]);
    let asked = |arguments: &str| {
        let mut command = command::command(place.path());
        command::shown(&command.args(arguments.split_whitespace()).output().unwrap())
    };
    let compare = "compare --workload small.csv --cluster 1x8 -p easy -p fcfs --out";
    assert!(asked(&format!("{compare} one")).starts_with("exit code: 0\n"), "the first");
    let again = asked(&format!("{compare} one"));
    assert!(
        again.starts_with("exit code: 2\n") && again.contains("another comparison is kept here"),
        "{again}"
    );
    assert!(asked(&format!("{compare} one --force")).starts_with("exit code: 0\n"), "where it is told to");
    assert!(
        asked("simulate --workload small.csv --cluster 1x8 --out run1").starts_with("exit code: 0\n"),
        "a run"
    );
    let beside = asked(&format!("{compare} run1"));
    assert!(beside.starts_with("exit code: 2\n") && beside.contains("not of this comparison"), "{beside}");
}

#[test]
fn jobs_that_nothing_can_start_end_a_comparison_as_they_end_a_run() {
    let asked = |arguments: &str| run(arguments, &[("stuck.toml", STUCK)]);
    let alone = asked("simulate stuck.toml");
    assert!(alone.starts_with("exit code: 1\n"), "{alone}");
    let both = asked("compare stuck.toml -p easy -p fcfs");
    assert!(both.starts_with("exit code: 1\n"), "{both}");
    assert!(
        both.contains("easy: in 1 of 1 run jobs are left that nothing left to happen can start."),
        "{both}"
    );
    let whole = STUCK.replace("time = \"1h\"", "time = \"3h\"");
    let whole = run("compare stuck.toml -p easy -p fcfs", &[("stuck.toml", whole.as_str())]);
    assert!(whole.starts_with("exit code: 0\n"), "{whole}");
}
