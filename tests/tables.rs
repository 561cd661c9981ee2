//! The tables of a run as other tools read them.
//!
//! pyarrow, DuckDB and polars are driven by `tests/tables.py` with the Python in `GIGAWATT_PYTHON`; `tests/run.sh`
//! installs them. Without them the tests that need them say that they are skipped, or fail where
//! `GIGAWATT_REQUIRE_TOOLS=1`.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;
#[path = "support/python.rs"]
mod python;

use command::{command, run, shown};
use python::{python, script};
use std::path::Path;

/// Nodes that break and jobs that are stopped, on two racks, with dates.
const STOPPED: &str = r#"
version = 1
[run]
start = "2026-01-31 18:00:00+01:00"
seed = 3
[cluster]
rack = [{ platform = "h100", name = "h", count = 3 }]
[[cluster.change]]
time = "5h"
nodes = "0-1"
state = "down"
[[cluster.change]]
time = "7h"
nodes = "0-1"
state = "up"
[[tenant]]
name = "a, \"quoted\" one"
[policy]
order = "srtf"
backfill = "skip"
[[workload.generate]]
name = "mixed"
tenant = "a, \"quoted\" one"
count = 300
arrivals = { poisson = 12, per = "1h" }
[[workload.generate.job]]
weight = 3
gpus = 1
work = { lognormal = "2h", sigma = 1.0 }
[[workload.generate.job]]
gpus = 24
work = { lognormal = "2h", sigma = 1.0 }
"#;

fn simulated(directory: &Path, arguments: &str) {
    let output = command(directory).args(arguments.split_whitespace()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", shown(&output));
}

fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn others_read_from_parquet_what_csv_says() {
    let Some(python) = python("duckdb, polars, pyarrow") else { return };
    let place = command::directory(&[("stopped.toml", STOPPED)]);
    simulated(place.path(), "simulate --out quick");
    simulated(place.path(), "simulate stopped.toml --out stopped");
    let (fine, text) = script(&python, "tables.py", &["quick", "stopped"], place.path());
    assert!(fine, "{text}");
    // Planted: it must notice.
    let attempts = place.path().join("stopped/attempts.csv");
    let whole = std::fs::read_to_string(&attempts).unwrap();
    for (planted, other, noticed) in [
        (",preempted,", ",completed,", "end_reason is 'completed'"),
        (",n0", ",0", "nodes is '0"),
        ("2026-01-31T17:0", "2026-01-31T18:0", "from_utc is '2026-01-31T18:"),
    ] {
        assert!(whole.contains(planted), "there is `{planted}`");
        std::fs::write(&attempts, whole.replace(planted, other)).unwrap();
        let (fine, text) = script(&python, "tables.py", &["stopped"], place.path());
        assert!(!fine && text.contains(noticed), "`{noticed}` is not noticed: {text}");
    }
}

#[test]
fn tables_are_written_as_asked() {
    let place = command::directory(&[]);
    for (out, option, csv, parquet) in [
        ("both", "", true, true),
        ("text", " --tables csv", true, false),
        ("packed", " --tables parquet", false, true),
    ] {
        simulated(place.path(), &format!("simulate --out {out}{option}"));
        let found = files(&place.path().join(out));
        for table in ["jobs", "attempts", "series", "waiting", "power", "feeds"] {
            let has = |ending: &str| found.contains(&format!("{table}.{ending}"));
            assert_eq!((has("csv"), has("parquet")), (csv, parquet), "{table} of {out}");
        }
    }
    let told = run("simulate --tables csv", &[]);
    assert!(told.contains("exit code: 2") && told.contains("--out"), "tables need a place: {told}");
}
