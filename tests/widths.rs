//! Every command in terminals of 40 to 200 columns: no line is longer than the terminal is wide, and no number that 80
//! columns show is cut off or left out in fewer or more.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{command, shown, workloads};
use std::path::Path;

/// What is asked, and whether all widths tell the same numbers: plots have as many parts as there is room for.
const COMMANDS: &[(&str, bool)] = &[
    ("simulate", true),
    ("simulate night.toml --by gpus", true),
    ("simulate two-sites.toml --until 1d --by platform", true),
    ("simulate cheap-hours.toml", true),
    ("simulate --workload sample-philly.csv --cluster 2x8 -p srtf --by tenant", true),
    ("compare night.toml -p fcfs -p easy -p greedy --seeds 2 --by kind", true),
    ("compare night.toml -p fcfs -p greedy --seeds 10", true),
    ("explain night experiments-124", true),
    ("explain night --at 6h", true),
    ("explain night --tenant lab", true),
    ("explain night --queue all", true),
    ("fit night.toml --tenant lab --pods 64 --pod-gpus 1 --segment 16 --work 4h --at 3h --seeds 2", true),
    (
        "size night.toml -p greedy --least cluster.rack.0.count --where wait_p95<10h --between 2..4 --seeds 2",
        true,
    ),
    ("sweep night.toml --vary policy=fcfs,easy --vary cluster.rack.0.count=2,3 --seeds 2 --out OUT", true),
    // Numbers within a name stand on two lines.
    ("simulate night.toml -p fifo/easy/leftover=3,energy=1,span=2/reservations=2", false),
    (
        "compare night.toml -p fifo/easy/leftover=3,energy=1,span=2/reservations=2 \
         -p sjf/easy/consolidate/reservations=4 --seeds 10",
        false,
    ),
    (
        "sweep night.toml --vary policy=fifo/easy/best-fit/reservations=2,sjf/easy/consolidate/reservations=4 \
         --seeds 2 --out LONG",
        false,
    ),
    ("check night.toml -p fifo/easy/leftover=3,energy=1,span=2/reservations=2", false),
    ("check night.toml", true),
    ("check quickstart.toml", true),
    ("inspect night.toml", false),
    ("inspect sample-philly.csv --cluster 2x8", false),
    ("inspect requests-azure-llm.csv", false),
    ("inspect sample-philly.csv sample.csv", true),
    ("watch night.toml --at 6h", false),
    ("list policies", true),
    ("list formats", true),
    ("list platforms", true),
    ("list platforms vr200", true),
    ("list exporters", true),
    ("list columns", true),
    ("list measures", true),
];

/// A folder with scenarios and traces, and a run.
fn folder() -> tempfile::TempDir {
    let place = workloads();
    told(place.path(), "simulate night.toml --out night", 80);
    place
}

/// What a command tells a terminal of so many columns.
fn told(place: &Path, arguments: &str, columns: u16) -> String {
    let arguments = arguments.replace("OUT", &format!("sweep-{columns}"));
    let arguments = arguments.replace("LONG", &format!("long-{columns}"));
    let output = command(place)
        .args(arguments.split_whitespace())
        .env("COLUMNS", columns.to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The numbers of a text, with their units.
fn numbers(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".,:".contains(c);
    let words = text.split(|c: char| !is_part(c)).map(|word| word.trim_matches(['.', ',', ':']));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect()
}

fn width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn every_command_follows_the_terminal() {
    let place = folder();
    for (arguments, same) in COMMANDS {
        // How many steps a path leaves out depends on the room for them.
        let usual = told(place.path(), arguments, 80);
        let usual = usual.lines().filter(|line| !line.contains(" more) →")).collect::<Vec<_>>().join("\n");
        assert!(!usual.is_empty(), "{arguments}");
        for columns in [40, 60, 120, 200] {
            let text = told(place.path(), arguments, columns);
            for line in text.lines().filter(|line| width(line) > usize::from(columns)) {
                // A path that is longer than the terminal is left to it, to be copied.
                let path = line.trim();
                let is_path = !path.contains(' ') && path.contains('/') && path.contains('.');
                assert!(is_path, "{arguments}, {columns} columns: {line}");
            }
            let own = numbers(&text);
            for number in numbers(&usual).iter().filter(|_| *same) {
                assert!(
                    own.contains(number),
                    "{arguments}, {columns} columns: {number} is missing in\n{text}"
                );
            }
        }
    }
}

#[test]
fn a_number_that_is_cut_off_is_noticed() {
    let [whole, cut] = ["lost 595.9 GPU-hours", "lost 59"].map(numbers);
    assert_eq!((whole, cut), (vec!["595.9"], vec!["59"]));
}

#[test]
fn tables_stand_as_they_should() {
    let place = folder();
    for (name, arguments) in [
        ("simulate", "simulate night.toml --by gpus"),
        ("explain", "explain night --at 6h"),
        ("platforms", "list platforms"),
    ] {
        for columns in [40, 80, 200] {
            let text = told(place.path(), arguments, columns);
            insta::assert_snapshot!(format!("{name}_in_{columns}_columns"), text);
        }
    }
}

#[test]
fn without_a_terminal_there_are_eighty_columns_and_no_colour() {
    let place = folder();
    let piped = |arguments: &str| {
        let output = command(place.path()).args(arguments.split_whitespace()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for arguments in ["simulate night.toml", "inspect night.toml", "list platforms"] {
        let text = piped(arguments);
        assert_eq!(text, told(place.path(), arguments, 80), "{arguments}");
        assert!(!text.contains('\u{1b}'), "{arguments}: no colour");
    }
    // More or fewer columns than text is laid out for are as many as it is.
    assert_eq!(told(place.path(), "list platforms", 1), told(place.path(), "list platforms", 40));
    assert_eq!(told(place.path(), "list columns", 999), told(place.path(), "list columns", 200));
}
