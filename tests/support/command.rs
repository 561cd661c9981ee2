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
