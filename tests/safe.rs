//! What a run leaves when it is interrupted, killed, or made where another one is kept.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{command, directory, run, shown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A run that is stuck in the middle: nobody reads the decisions that it prints.
fn stuck(directory: &Path, options: &str) -> Child {
    let mut log = String::new();
    for job in 1..=40_000 {
        log.push_str(&format!("{job} {job} 0 60 1 -1 -1 1 60 -1 1 1 1 -1 1 -1 -1 -1\n"));
    }
    std::fs::write(directory.join("long.swf"), log).unwrap();
    let arguments = "simulate --workload long.swf --cluster 1x8 -p fcfs --trace-decisions --out out";
    let child = command(directory)
        .args(arguments.split_whitespace())
        .args(options.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The directory is made before the run; what it prints then fills the pipe.
    while !directory.join("out").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    child
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "the run is still there");
}

#[test]
fn an_interrupted_run_leaves_a_history_that_says_so() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let directory = directory(&[]);
        let child = stuck(directory.path(), "");
        send(signal, &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{signal}: {}", shown(&output));
        let bytes = std::fs::read(directory.path().join("out/history")).unwrap();
        let history = gigawatt::history::file::read(&bytes, "history").unwrap();
        assert!(!history.complete, "{signal}: marked unfinished");
        let settled = history.jobs.iter().filter(|job| job.finish_time != gigawatt::units::Time::NEVER);
        let settled = settled.count();
        assert!((1..40_000).contains(&settled), "{signal}: {settled} jobs were done by then");
        let manifest = std::fs::read_to_string(directory.path().join("out/manifest.json")).unwrap();
        assert!(manifest.contains("\"complete\": false"), "{signal}: {manifest}");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let directory = directory(&[]);
        let mut child = stuck(directory.path(), "");
        send(signal, &child);
        std::thread::sleep(Duration::from_millis(300));
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}: although nobody reads what it says");
        assert!(!directory.path().join("out/history").exists(), "{signal}: no half file");
    }
}

#[test]
fn a_killed_run_leaves_nothing_that_looks_whole() {
    let directory = directory(&[]);
    let mut child = stuck(directory.path(), "");
    send("-KILL", &child);
    assert_eq!(child.wait().unwrap().code(), None, "killed");
    let named = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let left: Vec<String> =
        std::fs::read_dir(directory.path().join("out")).unwrap().map(|entry| named(entry.unwrap())).collect();
    assert!(left.iter().all(|name| name.starts_with(".tmp")), "{left:?}");
    let told = run_in(directory.path(), "report out");
    assert!(told.starts_with("exit code: 2\n"), "it is no run: {told}");
}

fn run_in(directory: &Path, arguments: &str) -> String {
    shown(&command(directory).args(arguments.split_whitespace()).output().unwrap())
}

#[test]
fn a_run_is_replaced_only_if_that_is_said() {
    let directory = directory(&[]);
    let quick = "simulate --set run.until=1h --out run";
    assert!(run_in(directory.path(), quick).starts_with("exit code: 0\n"), "there is room");
    let manifest = || std::fs::read(directory.path().join("run/manifest.json")).unwrap();
    let first = manifest();
    let told = run_in(directory.path(), &format!("{quick} --seed 8"));
    assert!(told.starts_with("exit code: 2\n") && told.contains("another run is kept here"), "{told}");
    assert!(told.contains("hint: `--force`") && manifest() == first, "nothing is touched: {told}");
    let told = run_in(directory.path(), &format!("{quick} --seed 8 --force"));
    assert!(told.starts_with("exit code: 0\n") && manifest() != first, "{told}");
    // A file of somebody's own is as dear.
    std::fs::create_dir(directory.path().join("own")).unwrap();
    std::fs::write(directory.path().join("own/jobs.csv"), "mine\n").unwrap();
    let told = run_in(directory.path(), "simulate --set run.until=1h --out own");
    assert!(told.starts_with("exit code: 2\n") && told.contains("`jobs.csv` is there"), "{told}");
    let told = run("simulate --force", &[]);
    assert!(told.starts_with("exit code: 2\n") && told.contains("--out"), "nothing to replace: {told}");
}

#[test]
fn a_run_that_is_being_replaced_does_not_look_whole() {
    let directory = directory(&[]);
    let read_only = directory.path().join("run");
    assert!(run_in(directory.path(), "simulate --set run.until=1h --out run").starts_with("exit code: 0\n"));
    // Where a file cannot be replaced, what vouched for the others is gone by then.
    std::fs::remove_file(read_only.join("summary.json")).unwrap();
    std::fs::create_dir(read_only.join("summary.json")).unwrap();
    let told = run_in(directory.path(), "simulate --set run.until=1h --seed 8 --out run --force");
    assert!(told.starts_with("exit code: 2\n"), "{told}");
    assert!(!read_only.join("manifest.json").exists(), "half of one run and half of another are none");
}
