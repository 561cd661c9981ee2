//! What `workloads/analysis` makes of runs and sweeps, and the lines of the README that read their Parquet.
//!
//! The marimo notebook runs without a browser, Weights & Biases' client keeps what it is given on this machine, and
//! `tests/analysis.py` compares both with the files of the run. Without the tools (tests/requirements.txt) the tests say
//! that they are skipped, or fail where `GIGAWATT_REQUIRE_TOOLS=1`.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;
#[path = "support/python.rs"]
mod python;
#[path = "support/readme.rs"]
mod readme;

use command::{command, directory, shown};
use python::{python, script};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with a run and a sweep, by this command.
fn folder() -> tempfile::TempDir {
    let place = directory(&[]);
    let night = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/night.toml").display().to_string();
    let vary = ["--vary", "policy=fcfs,greedy", "--vary", "cluster.rack.0.count=2,3", "--seeds", "2"];
    for arguments in [
        vec!["simulate", &night, "--out", "night"],
        [vec!["sweep", &night, "--out", "sweep"], vary.to_vec()].concat(),
    ] {
        let output = command(place.path()).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", shown(&output));
    }
    place
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/analysis").join(name)
}

/// Runs Python in a folder, offline: whether it is content, and what it says.
fn python_in(python: &Path, arguments: &[&str], place: &Path) -> (bool, String) {
    let output = Command::new(python)
        .args(arguments)
        .current_dir(place)
        .envs([
            ("WANDB_MODE", "offline"),
            ("WANDB_SILENT", "true"),
            ("WANDB_DIR", "kept"),
            ("MPLBACKEND", "agg"),
        ])
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// Puts another table in the place of one, made of it by an expression of polars over its `frame`.
fn plant(python: &Path, place: &Path, table: &str, expression: &str) {
    let code = format!(
        "import polars as pl; frame = pl.read_parquet('{table}'); ({expression}).write_parquet('{table}')"
    );
    let (fine, text) = python_in(python, &["-c", &code], place);
    assert!(fine, "{expression}: {text}");
}

#[test]
fn the_notebook_shows_what_the_files_say() {
    let Some(python) = python("marimo, matplotlib, polars") else { return };
    let place = folder();
    let (fine, text) = script(&python, "analysis.py", &["notebook", "night", "sweep"], place.path());
    assert!(fine && text.matches("numbers compared").count() == 2, "{text}");
    // Beside a notebook marimo keeps what it found: not beside ours.
    std::fs::copy(source("notebook.py"), place.path().join("notebook.py")).unwrap();
    for (folder, said) in [("night", "Utilization"), ("sweep", "energy_j")] {
        let arguments = [
            "-m",
            "marimo",
            "export",
            "html",
            "notebook.py",
            "-o",
            "page.html",
            "-f",
            "--",
            "--folder",
            folder,
        ];
        let (fine, text) = python_in(&python, &arguments, place.path());
        assert!(fine, "{folder}: {text}");
        let html = std::fs::read_to_string(place.path().join("page.html")).unwrap();
        assert!(html.contains("data:image/png") && !html.contains("Traceback"), "{folder}: {said} is drawn");
    }
    // Planted: another wait, and another measure.
    plant(
        &python,
        place.path(),
        "night/jobs.parquet",
        "frame.with_columns(wait_time = pl.col('wait_time') + 1)",
    );
    let (fine, text) = script(&python, "analysis.py", &["notebook", "night"], place.path());
    assert!(!fine && text.contains("the summary has"), "{text}");
}

#[test]
fn runs_and_sweeps_are_tracked_number_by_number() {
    let Some(python) = python("wandb, polars") else { return };
    let place = folder();
    std::fs::create_dir(place.path().join("kept")).unwrap();
    let tracker = source("track.py").display().to_string();
    let (fine, text) = python_in(&python, &[&tracker, "night", "sweep", "--project", "tests"], place.path());
    assert!(fine, "{text}");
    let check = || script(&python, "analysis.py", &["track", "kept", "night", "sweep"], place.path());
    let (fine, text) = check();
    assert!(fine && text.contains("\n0 problems"), "{text}");
    // Planted: a table that says something else than what was logged.
    for (table, expression, noticed) in [
        (
            "night/series.parquet",
            "frame.with_columns(utilization = pl.col('utilization') * 0.5)",
            "utilization at",
        ),
        ("sweep/runs.parquet", "frame.with_columns(energy_j = pl.col('energy_j') + 1e9)", "energy_j of run"),
    ] {
        let whole = std::fs::read(place.path().join(table)).unwrap();
        plant(&python, place.path(), table, expression);
        let (fine, text) = check();
        assert!(!fine && text.contains(noticed), "{table}: {text}");
        std::fs::write(place.path().join(table), whole).unwrap();
    }
}

/// The lines of the README that Python runs, and what it shows below them.
fn lines() -> Vec<(&'static str, &'static str)> {
    let blocks = readme::blocks();
    let pairs = blocks.windows(2).filter(|pair| pair[0].0 == "python" && pair[1].0.is_empty());
    pairs.map(|pair| (pair[0].1, pair[1].1)).collect()
}

/// Without blanks at line ends, which readers of a table leave and a README does not.
fn trimmed(text: &str) -> String {
    text.trim_end().lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn the_lines_of_the_readme_print_what_it_shows() {
    let Some(python) = python("duckdb, pandas, polars") else { return };
    let place = folder();
    let shown = lines();
    assert!(shown.len() >= 3, "the README reads Parquet by DuckDB, pandas and polars");
    for (code, printed) in shown {
        let (fine, text) = python_in(&python, &["-c", code], place.path());
        assert!(fine && trimmed(&text) == trimmed(printed), "{code}\nprints\n{text}\nnot\n{printed}");
    }
}
