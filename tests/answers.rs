//! What commands answer with `--json` is what `gigawatt schema` says of it: by a validator that is not ours (jsonschema,
//! driven by `tests/schema.py`), both ways: no key is missing, and none is there that the schema does not tell.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;
#[path = "support/python.rs"]
mod python;

use command::{STUCK, command, shown, workloads};
use python::{python, script};
use serde_json::Value;
use std::path::Path;

/// An answer: the name of its schema, the command, and the exit code.
const ANSWERS: &[(&str, &str, i32)] = &[
    ("simulate", "simulate --json", 0),
    ("simulate", "simulate night.toml --json", 0),
    ("simulate", "simulate two-sites.toml --until 1d --json", 0),
    ("simulate", "simulate cheap-hours.toml --json", 0),
    ("simulate", "simulate --workload sample-philly.csv --cluster 2x8 --json", 0),
    ("compare", "compare night.toml -p fcfs -p easy -p greedy --seeds 2 --by tenant --json", 0),
    ("compare", "compare night.toml -p fcfs -p greedy --seeds 10 --json", 0),
    ("compare", "compare night.toml -p fcfs -p greedy --precision 60% --json", 0),
    ("compare", "compare --workload sample-philly.csv --cluster 2x8 -p fcfs -p easy --json", 0),
    (
        "sweep",
        "sweep night.toml --vary policy=fcfs,greedy --vary cluster.rack.0.count=2,3 --seeds 2 --out sweep --json",
        0,
    ),
    (
        "sweep",
        "sweep night.toml --vary tenant.0.quota=64,96 --front utilization,wait_mean --out front --json",
        0,
    ),
    // The first cannot hold a job: no mean, and a problem.
    (
        "sweep",
        "sweep night.toml --vary cluster.rack.0.count=1,3 --front energy,wait_mean --out problem --json",
        0,
    ),
    ("sweep", "sweep stuck.toml --vary policy=fcfs,easy --out stuck --json", 1),
    ("simulate", "simulate stuck.toml --json", 1),
    ("compare", "compare stuck.toml -p fcfs -p easy --json", 1),
    (
        "size",
        "size night.toml -p greedy --set tenant.0.quota=576 --least cluster.rack.0.count --where wait_p95<30m --seeds 2 --json",
        0,
    ),
    (
        "size",
        "size night.toml --least cluster.rack.0.count --between 1..2 --where wait_p95<1s --seeds 10 --json",
        1,
    ),
    ("fit", "fit night.toml --tenant lab --gpus 8 --work 1h --at 3h --seeds 2 --json", 0),
    (
        "fit",
        "fit night.toml --tenant lab --pods 64 --pod-gpus 1 --segment 16 --work 4h --at 3h --seeds 2 --json",
        0,
    ),
    ("explain", "explain night experiments-124 --json", 0),
    ("explain", "explain night assistant/finetune --as-it-was --json", 0),
    ("explain-at", "explain night --at 6h --json", 0),
    ("explain-usage", "explain night --tenant lab --json", 0),
    ("explain-usage", "explain night --queue all --json", 0),
    ("inspect", "inspect night.toml --json", 0),
    ("inspect", "inspect night.toml --set cluster.rack.0.count=4 --set run.until=6h --json", 0),
    ("inspect", "inspect sample-philly.csv --json", 0),
    ("inspect", "inspect sample-philly.csv --cluster 2x8 --json", 0),
    ("inspect-requests", "inspect requests-azure-llm.csv --json", 0),
    ("inspect-two", "inspect sample-philly.csv sample.csv --json", 0),
];

/// A folder with scenarios and traces, and a run.
fn folder() -> tempfile::TempDir {
    let place = workloads();
    std::fs::write(place.path().join("stuck.toml"), STUCK).unwrap();
    answer(place.path(), "simulate night.toml --out night", 0);
    place
}

/// What a command prints.
#[track_caller]
fn answer(place: &Path, arguments: &str, code: i32) -> String {
    let output = command(place).args(arguments.split_whitespace()).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments}: {}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn answers_are_valid_by_their_schema_and_planted_errors_are_not() {
    let Some(python) = python("jsonschema") else { return };
    let place = folder();
    let here = place.path();
    for known in gigawatt::report::ANSWERS {
        let commands: Vec<_> = ANSWERS.iter().filter(|(name, ..)| *name == known.name).collect();
        assert!(!commands.is_empty(), "{}: no command gives it", known.name);
        std::fs::write(here.join("schema.json"), answer(here, &format!("schema {}", known.name), 0)).unwrap();
        let mut files = vec!["schema.json".to_owned()];
        for (index, (_, arguments, code)) in commands.iter().enumerate() {
            let text = answer(here, arguments, *code);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["schema"], known.id(), "{arguments} names its schema");
            std::fs::write(here.join(format!("answer-{index}.json")), text).unwrap();
            files.push(format!("answer-{index}.json"));
        }
        let valid = |files: &[&str]| script(&python, "schema.py", files, here);
        let (fine, text) = valid(&files.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(fine, "{}: {text}", known.name);
        // Planted: a key gone, one too many, and one of another kind, at the top and as deep as it goes.
        let whole: Value =
            serde_json::from_str(&std::fs::read_to_string(here.join("answer-0.json")).unwrap()).unwrap();
        let mut files = vec!["schema.json".to_owned()];
        let plants = plants(&whole, &known.schema()["required"]);
        for (index, (_, planted)) in plants.iter().enumerate() {
            files.push(format!("wrong-{index}.json"));
            std::fs::write(here.join(&files[index + 1]), planted.to_string()).unwrap();
        }
        let (_, text) = valid(&files.iter().map(String::as_str).collect::<Vec<_>>());
        for ((what, _), file) in plants.iter().zip(&files[1..]) {
            assert!(text.contains(&format!("{file}: ")), "{}: {what} is not noticed: {text}", known.name);
        }
    }
}

/// The same with something wrong.
fn plants(whole: &Value, required: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for key in whole.as_object().unwrap().keys() {
        if required.as_array().unwrap().contains(&key.as_str().into()) {
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(key);
            found.push((format!("`{key}` is gone, which"), without));
        }
        let mut other = whole.clone();
        other[key] = serde_json::json!({ "nobody": ["knows", true] });
        found.push((format!("`{key}` of another kind"), other));
    }
    let mut more = whole.clone();
    more["nobody_knows"] = 1.into();
    found.push(("a key more".to_owned(), more));
    found
}

#[test]
fn summary_json_is_what_simulate_prints() {
    let place = folder();
    let printed = answer(place.path(), "simulate night.toml --json", 0);
    assert_eq!(printed, std::fs::read_to_string(place.path().join("night/summary.json")).unwrap());
}
