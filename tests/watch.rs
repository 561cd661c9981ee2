//! `gigawatt watch` where there is no terminal: one instant as text, and what is wrong is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

use std::path::Path;
use std::process::{Command, Output};

fn watch(directory: &Path, arguments: &str) -> Output {
    let words = arguments.split_whitespace();
    Command::new(env!("CARGO_BIN_EXE_gigawatt")).current_dir(directory).args(words).output().unwrap()
}

#[test]
fn an_instant_of_a_scenario_and_of_its_saved_run_is_one_picture() {
    let place = tempfile::tempdir().unwrap();
    let night = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads/night.toml");
    std::fs::copy(night, place.path().join("night.toml")).unwrap();
    assert!(watch(place.path(), "simulate night.toml --out run").status.success(), "a run to look at");
    let picture = |arguments: &str| {
        let output = watch(place.path(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let live = picture("watch night.toml --at 6h");
    assert_eq!(live, picture("watch run --at 6h"), "whichever of them is watched");
    assert_ne!(live, picture("watch run --at 9h"), "time matters");
    for part in ["Racks", "Tenants", "Waiting", "Last", "gb300 0", "lab", "GPUs in use", "06:00:00"] {
        assert!(live.contains(part), "{part}:\n{live}");
    }
    assert!(live.lines().all(|line| line.chars().count() <= 80), "as wide as a pipe");
}

#[test]
fn what_cannot_be_watched_is_told() {
    let place = tempfile::tempdir().unwrap();
    assert!(watch(place.path(), "simulate --out run").status.success(), "a run to look at");
    for (arguments, expected) in [
        ("watch run", "no terminal"),
        ("watch run --at 900d", "expected an instant of the run"),
        ("watch run --at 1h -p sjf", "nothing of it can be changed"),
        ("watch run --at 1h --seed 3", "nothing of it can be changed"),
        ("watch run --speed 0", "expected a number"),
        ("watch nowhere.toml --at 1h", "nowhere.toml"),
    ] {
        let output = watch(place.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(expected), "{arguments}: {said}");
        assert!(output.stdout.is_empty(), "{arguments}: nothing is printed");
    }
}
