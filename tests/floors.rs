//! The house stands: imports point down the floors, and rooms of one floor do not know each other.

use gigawatt::cost::TERMS;
use gigawatt::policy::part::parts;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up.
const FLOORS: &[&[&str]] = &[
    &["error", "gpu", "random", "units"],
    &["document", "table"],
    &["hardware"],
    &["failure"],
    &["cluster", "workload"],
    &["history"],
    &["cost", "power", "trace"],
    &["state"],
    &["policy"],
    &["simulation"],
    &["metrics"],
    &["ensemble"],
    &["experiment"],
    &["report"],
    &["scenario"],
    &["cli"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a source text names, its comments left out; `{` where it names several at once.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let after = code.flat_map(|line| line.split("crate::").skip(1));
    after
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if rest.starts_with('{') { "{".to_owned() } else { rest[..end].to_owned() }
        })
        .collect()
}

/// What a text of `room` names that is not below it, or that hides what it names.
fn upward(room: &str, text: &str) -> Vec<String> {
    let own = floor(room);
    imports(text).into_iter().filter(|other| other != room && (other == "{" || floor(other) >= own)).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn imports_point_down_the_floors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > FLOORS.len(), "only {} files found", paths.len());
    for path in paths {
        let inside = path.strip_prefix(&root).expect("found below it");
        let first = inside.iter().next().expect("a file has a name").to_string_lossy();
        let room = first.trim_end_matches(".rs");
        if room == "lib" || room == "main" {
            continue;
        }
        assert!(floor(room).is_some(), "room `{room}` stands on no floor");
        let text = fs::read_to_string(&path).expect("a readable file");
        assert_eq!(upward(room, &text), [""; 0], "{} looks up", inside.display());
    }
}

#[test]
fn an_import_that_points_up_or_sideways_is_noticed() {
    for (room, text, expected) in [
        ("policy", "use crate::simulation::simulate;", vec!["simulation"]),
        ("cluster", "use crate::workload::Job;", vec!["workload"]),
        ("units", "use crate::random::Stream;", vec!["random"]),
        ("cli", "use crate::{error::Problem, units};", vec!["{"]),
        ("metrics", "let x = crate::cli::main();", vec!["cli"]),
        ("metrics", "use crate::history::History; // not crate::cli::main", vec![]),
        ("state", "use crate::policy::Policy;", vec!["policy"]),
        ("policy", "use crate::state::State;", vec![]),
    ] {
        assert_eq!(upward(room, text), expected, "{room}: {text}");
    }
}

/// What drives a GPU is named in its own room and nowhere else.
fn names_a_driver(inside: &Path, text: &str) -> bool {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    !inside.starts_with("gpu") && code.into_iter().any(|line| line.contains("wgpu"))
}

#[test]
fn only_one_room_drives_a_gpu() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    for path in paths {
        let inside = path.strip_prefix(&root).expect("found below it");
        let text = fs::read_to_string(&path).expect("a readable file");
        assert!(!names_a_driver(inside, &text), "{} names wgpu", inside.display());
    }
    assert!(
        names_a_driver(Path::new("cost/gpu.rs"), "use wgpu::Device;"),
        "and where it is named, it is noticed"
    );
}

/// The code of a source file that is part of the program: without its comments and what is only tested.
fn program(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// What breaks an invariant of the house in a file: what it may not contain, and why.
fn broken_invariants(inside: &str, text: &str) -> Vec<String> {
    let code = program(text);
    let room = inside.split('/').next().unwrap_or_default();
    let mut found = Vec::new();
    let mut never = |what: String, why: &str| {
        if code.contains(&what) {
            found.push(format!("{inside} contains `{what}`: {why}"));
        }
    };
    if room == "metrics" && !inside.ends_with("tests.rs") {
        for above in ["policy", "simulation", "state"] {
            never(format!("crate::{above}"), "metrics see only the history");
        }
    }
    if !["state", "simulation"].contains(&room) {
        never("&mut State".to_owned(), "nothing but `apply` and time change the state");
    }
    if ["state", "simulation", "metrics"].contains(&room) && !inside.ends_with("tests.rs") {
        // `none` and the terms of the cost function are words of their own.
        let is_word = |name: &str| name == "none" || TERMS.iter().any(|term| term.name == name);
        for part in parts().filter(|part| !is_word(part.name)) {
            never(format!("\"{}\"", part.name), "only the tables of `policy` know parts by name");
        }
    }
    found
}

#[test]
fn the_invariants_of_the_house_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let of = |path: &PathBuf| {
        let inside = path.strip_prefix(&root).expect("found below it").to_string_lossy().into_owned();
        broken_invariants(&inside, &fs::read_to_string(path).expect("a readable file"))
    };
    assert_eq!(paths.iter().flat_map(of).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_broken_invariant_is_noticed() {
    for (inside, text, expected) in [
        ("metrics/fit.rs", "use crate::policy::power::Rule;", 1),
        ("metrics/fit.rs", "// crate::policy is not looked at", 0),
        ("policy/walk/mod.rs", "fn start(state: &mut State) {}", 1),
        ("policy/walk/mod.rs", "fn start(trial: &mut Trial<'_>) {}", 0),
        ("simulation/mod.rs", "if settings.order == \"srtf\" {", 1),
        ("scenario/policy.rs", "if order == \"srtf\" {", 0),
    ] {
        assert_eq!(broken_invariants(inside, text).len(), expected, "{inside}: {text}");
    }
}
