//! Runs in the forms of other tools, read back.
//!
//! A Perfetto trace is decoded with Perfetto's own messages by `tests/perfetto_trace.py`; see `tests/tables.rs` for its Python.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;
#[path = "support/python.rs"]
mod python;

use command::{command, directory, run, shown};
use python::{python, script};
use std::collections::BTreeMap;
use std::path::Path;

/// Stops, gangs that span nodes, shares of a GPU, graphs: all that slices may be.
const SCENARIO: &str = r#"
cluster = "4x8"
[run]
seed = 3
[policy]
order = "srtf"
backfill = "skip"
[[workload.graph]]
name = "nightly"
submit = ["0h", "6h"]
job = [
    { id = "train", gpus = 16, work = "2h" },
    { id = "eval", count = 5, gpus = 1, work = "10m", after = "train" },
    { id = "report", gpus = 0.5, work = "5m", after = "eval" },
]
[[workload.generate]]
name = "mixed"
count = 200
arrivals = { poisson = 10, per = "1h" }
[[workload.generate.job]]
weight = 3
gpus = 1
work = { lognormal = "2h", sigma = 1.0 }
[[workload.generate.job]]
gpus = 24
work = { lognormal = "1h", sigma = 1.0 }
"#;

#[track_caller]
fn done(directory: &Path, arguments: &str) -> String {
    let output = command(directory).args(arguments.split_whitespace()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of a table, each by the names of its columns.
fn lines(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let line = |row: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
    };
    reader.records().map(|row| line(row.unwrap())).collect()
}

/// What became of each job, in the order of submission.
fn schedule(path: &Path) -> Vec<[String; 4]> {
    let keys = ["submit_time", "start_time", "finish_time", "gpus"];
    lines(path).iter().map(|row| keys.map(|key| row[key].clone())).collect()
}

#[test]
fn an_swf_log_of_a_run_simulated_again_gives_the_same_schedule() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/sample-philly.csv");
    let place = directory(&[]);
    let here = place.path();
    for policy in ["fcfs", "easy", "sjf/skip"] {
        let jobs = format!("--workload {} --cluster 2x8 -p {policy}", sample.display());
        done(here, &format!("simulate {jobs} --out one --export swf --force"));
        let again = format!("--workload one/jobs.swf --cluster 2x8 -p {policy} --map procs_per_gpu=1");
        done(here, &format!("simulate {again} --out two --export swf --force"));
        let [one, two] = ["one", "two"].map(|run| schedule(&here.join(run).join("jobs.csv")));
        assert!(one.len() > 3 && one == two, "{policy}: {one:?} and {two:?}");
        let log = std::fs::read_to_string(here.join("one/jobs.swf")).unwrap();
        std::fs::write(here.join("late.swf"), log.replacen("\n1 ", "\n1 9", 1)).unwrap();
        let late = again.replace("one/jobs.swf", "late.swf");
        done(here, &format!("simulate {late} --out late --force"));
        assert_ne!(schedule(&here.join("late/jobs.csv")), one, "{policy}: a job that comes later is noticed");
    }
}

#[test]
fn evalys_reads_the_jobs_that_ran() {
    let place = directory(&[("s.toml", SCENARIO)]);
    let here = place.path();
    done(here, "simulate s.toml --out run --export evalys,swf");
    let (own, others) = (lines(&here.join("run/jobs.csv")), lines(&here.join("run/evalys.csv")));
    assert_eq!(own.len(), others.len(), "a line a job");
    for (own, other) in own.iter().zip(&others) {
        for (key, theirs) in [
            ("job_id", "job_id"),
            ("tenant", "workload_name"),
            ("submit_time", "submission_time"),
            ("start_time", "starting_time"),
            ("run_time", "execution_time"),
            ("finish_time", "finish_time"),
            ("requested_time", "requested_time"),
        ] {
            assert_eq!(own[key], other[theirs], "{key} of {own:?}");
        }
        let held: f64 = other["allocated_resources"]
            .split(' ')
            .map(|run| match run.split_once('-') {
                Some((first, last)) => last.parse::<f64>().unwrap() - first.parse::<f64>().unwrap() + 1.0,
                None => 1.0,
            })
            .sum();
        assert_eq!(held.to_string(), other["requested_number_of_resources"], "resources of {other:?}");
    }
    // Our own reader of that format takes them for the same jobs.
    let told = done(here, "inspect run/evalys.csv");
    assert!(told.contains("batsim-jobs") && told.contains("214 jobs"), "{told}");
    let log = std::fs::read_to_string(here.join("run/jobs.swf")).unwrap();
    assert!(log.contains("; Note: 2 jobs ask for parts of GPUs: rounded up"), "what is lost is told: {log}");
    assert!(log.contains("; Note: 2 jobs depend on several others"), "{log}");
}

#[test]
fn a_perfetto_trace_holds_the_run() {
    let Some(python) = python("google.protobuf, perfetto") else { return };
    let place = directory(&[("s.toml", SCENARIO)]);
    let here = place.path();
    done(here, "simulate s.toml --out run --export perfetto");
    done(here, "simulate --out quick --export perfetto");
    for run in ["run", "quick"] {
        let (fine, text) =
            script(&python, "perfetto_trace.py", &[&format!("{run}/trace.perfetto-trace")], here);
        assert!(fine, "{text}");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["wrong"], serde_json::json!([]), "{run}");
        let attempts = lines(&here.join(run).join("attempts.csv"));
        let number = |text: &str| text.parse::<f64>().unwrap();
        let held: f64 = attempts.iter().map(|row| number(&row["gpus"]) * number(&row["run_time"])).sum();
        let told = found["gpu_seconds"].as_f64().unwrap();
        assert!((held - told).abs() < 1e-6 * held, "{run}: {held} GPU-seconds, {told} in the trace");
        let summary = std::fs::read_to_string(here.join(run).join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let utilization = found["counters"]["utilization"].as_array().unwrap();
        let series = summary["series"]["utilization"].as_array().unwrap();
        assert_eq!(utilization.len(), series.len(), "{run}: a value a stretch");
        for (found, told) in utilization.iter().zip(series) {
            let (found, told) = (found[1].as_f64().unwrap(), told.as_f64().unwrap() * 100.0);
            assert!((found - told).abs() < 1e-9, "{run}: {found} % and {told} %");
        }
        // What holds no node has none to be shown on.
        let held = attempts.iter().filter(|row| !row["nodes"].is_empty());
        let jobs: std::collections::BTreeSet<&str> = held.map(|row| row["job_id"].as_str()).collect();
        assert_eq!(found["jobs"], jobs.len(), "{run}: every job that ran");
        let racks = found["processes"].as_array().unwrap().len() - 1;
        assert_eq!(racks, if run == "run" { 4 } else { 5 }, "{run}: racks are processes");
        if run == "run" {
            // Five evaluations after the training, and the report after each of them, twice.
            assert_eq!(found["flows"].as_array().unwrap().len(), 20, "arrows: {}", found["flows"]);
        } else {
            assert!(found["counters"].as_object().unwrap().len() > 4, "draw and caps too");
        }
    }
}

#[test]
fn exports_are_named_by_the_list() {
    let listed = run("list exporters", &[]);
    for name in ["perfetto", "swf", "evalys", "jobs-parquet"] {
        assert!(listed.contains(&format!("\n{name} ")), "{name}: {listed}");
    }
    let told = run("simulate --out x --export perfeto", &[]);
    assert!(told.starts_with("exit code: 2\n") && told.contains("did you mean `perfetto`?"), "{told}");
    let told = run("simulate --export perfetto", &[]);
    assert!(told.starts_with("exit code: 2\n") && told.contains("--out"), "{told}");
}
