//! The command, as a user runs it.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The command, started in `directory`, with an environment that is the same everywhere.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigawatt"));
    command
        .current_dir(directory)
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .env("TERM", "xterm")
        .stdin(Stdio::null());
    command
}

/// A directory with these files.
pub(crate) fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::File::create(directory.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }
    directory
}

/// A directory with the files of `workloads`: scenarios, graphs and traces.
pub(crate) fn workloads() -> tempfile::TempDir {
    let place = directory(&[]);
    let workloads = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    for entry in std::fs::read_dir(workloads).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() {
            std::fs::copy(&entry, place.path().join(entry.file_name().unwrap())).unwrap();
        }
    }
    place
}

pub(crate) fn shown(output: &Output) -> String {
    format!(
        "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
        output.status.code().map_or("none".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )
}

/// Runs `gigawatt` with these arguments (split at blanks) beside these files.
pub(crate) fn run(arguments: &str, files: &[(&str, &str)]) -> String {
    let directory = directory(files);
    shown(&command(directory.path()).args(arguments.split_whitespace()).output().unwrap())
}

/// A node that goes down for good while a job runs on it.
pub(crate) const STUCK: &str = r#"
[cluster]
rack = [{ platform = "generic", nodes = 1, gpus = 8 }]
change = [{ time = "1h", nodes = "0", state = "down" }]
[workload]
job = [{ id = "a", gpus = 8, work = "2h" }]
"#;

/// A directory in which commands follow one another.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    /// With these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(directory(files))
    }
    /// And with this one.
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.0.path().join(name), text).unwrap();
        self
    }
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
    /// The command with these arguments (split at blanks), on so many threads.
    pub(crate) fn command(&self, arguments: &str, threads: &str) -> Command {
        let mut command = command(self.path());
        command.args(arguments.split_whitespace()).env("RAYON_NUM_THREADS", threads);
        command
    }
    /// How it ended, and what it printed.
    pub(crate) fn run_on(&self, arguments: &str, threads: &str) -> String {
        shown(&self.command(arguments, threads).output().unwrap())
    }
    /// As [`Place::run_on`] two threads.
    pub(crate) fn run(&self, arguments: &str) -> String {
        self.run_on(arguments, "2")
    }
    /// What it printed on standard output; it ended well.
    pub(crate) fn printed(&self, arguments: &str) -> String {
        let text = self.run(arguments);
        assert!(text.starts_with("exit code: 0\n"), "{arguments}: {text}");
        let (_, rest) = text.split_once("----- stdout -----\n").unwrap();
        rest.split_once("----- stderr -----").unwrap().0.to_owned()
    }
    pub(crate) fn json(&self, arguments: &str) -> serde_json::Value {
        serde_json::from_str(&self.printed(arguments)).unwrap()
    }
    /// The bytes of a file, as text.
    pub(crate) fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}
