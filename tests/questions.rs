//! Questions that take many runs: how much is enough, what is best, and how sure that is.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::run;
use serde_json::Value;

/// Jobs of a node or two, one every five minutes, for a day.
const TRACE: &str = "workload.csv";

fn trace() -> String {
    let mut text = "job_id,gpus,submit_time,work_time,requested_time\n".to_owned();
    for job in 0..288 {
        let gpus = [8, 1, 16, 4, 8, 24][job % 6];
        let work = 300 + job * 7919 % 5400;
        text.push_str(&format!("{job},{gpus},{},{work},{}\n", job * 300, work * (1 + job % 3)));
    }
    text
}

fn asked(arguments: &str) -> String {
    run(arguments, &[(TRACE, trace().as_str()), ("night.toml", include_str!("../workloads/night.toml"))])
}

/// What it printed, as JSON, and how it ended.
fn json(arguments: &str) -> (Value, String) {
    let text = asked(arguments);
    let (_, rest) = text.split_once("----- stdout -----\n").unwrap();
    let (stdout, _) = rest.split_once("----- stderr -----\n").unwrap();
    let value = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    (value, text.lines().next().unwrap_or_default().to_owned())
}

const SIZE: &str =
    "size --workload workload.csv --cluster NODESx8 -p fifo/easy/best-fit --least cluster.nodes";

#[test]
fn the_least_cluster_is_that_of_every_size_on_its_own() {
    for bound in ["1s", "1m", "20m", "2h"] {
        let (found, exit) =
            json(&format!("{SIZE} --where wait_p95<{bound} --between 1..40 --check all --json"));
        let answer = found["answer"].as_u64().unwrap();
        assert_eq!(exit, "exit code: 0", "{found}");
        // Every size on its own, by the command that runs one scenario.
        let limit =
            Value::from(gigawatt::experiment::Target::parse(&format!("wait_p95 < {bound}")).unwrap().bound);
        for nodes in 3..=answer {
            let one =
                format!("simulate --workload workload.csv --cluster {nodes}x8 -p fifo/easy/best-fit --json");
            let wait = json(&one).0["wait_time"]["p95"].as_f64().unwrap();
            assert_eq!(wait < limit.as_f64().unwrap(), nodes == answer, "{nodes} nodes: {wait}, {bound}");
        }
    }
}

#[test]
fn a_size_says_what_binds_and_what_one_less_gives() {
    let text = asked(&format!("{SIZE} --where wait_p95<20m --where unfinished=0"));
    assert!(text.starts_with("exit code: 0\n"), "{text}");
    for piece in [
        "cluster.nodes = ",
        " is the least with wait_p95<20m and unfinished=0",
        "What binds: wait_p95<20m. With ",
    ] {
        assert!(text.contains(piece), "{piece:?} is missing: {text}");
    }
    assert!(text.contains("no: job") || text.contains("One run each."), "{text}");
    let text = asked(&format!("{SIZE} --where wait_p95<0s --between 1..1000"));
    assert!(text.starts_with("exit code: 1\n"), "nothing waits less than no time: {text}");
    assert!(text.contains("no cluster.nodes from 1 to 1,000 gives wait_p95<0s"), "{text}");
    assert!(text.contains("on more changes nothing."), "{text}");
}

#[test]
fn any_key_of_a_scenario_has_a_least_value() {
    let (found, exit) = json(
        "size night.toml --least tenant.0.quota --between 64..200 --seeds 3 --check 2 --where wait_mean<3h --json",
    );
    assert_eq!(exit, "exit code: 0", "{found}");
    let answer = found["answer"].as_u64().unwrap();
    let probes = found["probes"].as_array().unwrap();
    let probe = |value: u64| probes.iter().find(|probe| probe["value"] == value).unwrap();
    assert_eq!(probe(answer)["meets"], true, "{found}");
    assert_eq!(probe(answer)["targets"][0]["runs"].as_array().unwrap().len(), 3, "a run a seed");
    if answer > 64 {
        assert_eq!(probe(answer - 1)["meets"], false, "{found}");
        assert_eq!(found["binding"][0], "wait_mean<3h", "{found}");
    }
}

#[test]
fn a_question_that_makes_no_sense_is_told() {
    for (arguments, said) in [
        ("size night.toml --least tenant.0.quota", "required arguments were not provided"),
        ("size night.toml --least tenant.0.quota --where wait_p59<3h", "did you mean `wait_p50`"),
        ("size night.toml --least tenant.0.quota --where wait_p95", "expected a measure, a sign and a value"),
        ("size night.toml --least tenant.0.quota --where wait_p95<3x", "expected a time such as `90s`"),
        ("size night.toml --least tenant.0.qouta --where wait_p95<3h", "did you mean `quota`?"),
        ("size night.toml --least tenant.0.quota=7 --where wait_p95<3h", "has no `{}` for the number"),
        ("size night.toml --least cluster.nodes --where wait_p95<3h", "such as `--cluster NODESx8"),
        (
            "size --workload workload.csv --cluster NODESx8 --least run.seed --where wait_p95<3h",
            "is left open",
        ),
        ("size night.toml --least tenant.0.quota --between 9..3 --where wait_p95<3h", "the lower one first"),
        (
            "size night.toml --least tenant.0.quota --check some --where wait_p95<3h",
            "a number of values, or `all`",
        ),
        ("size night.toml --least tenant.0.quota --where cost<3", "nothing is known of `cost`"),
    ] {
        let text = asked(arguments);
        assert!(
            text.starts_with("exit code: 2\n----- stdout -----\n----- stderr -----\n"),
            "{arguments}: {text}"
        );
        assert!(text.contains(said), "{said}: {text}");
    }
}
