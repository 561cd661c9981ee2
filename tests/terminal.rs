//! The command at a real terminal, which `tmux` and `script` make: what is asked, what is watched, and colours.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;
#[path = "support/screen.rs"]
mod screen;

use command::{command, directory, workloads};
use screen::{Screen, in_colour, tool};

/// What the keys of `watch` do, as it tells them.
const KEYS: [&str; 7] =
    ["q quit", "space pause", "←→ seek", "n/p event", "+- speed", "⇧←→ further", "home end"];

#[test]
fn a_run_is_watched_in_any_terminal() {
    let place = workloads();
    for size in [(40, 15), (60, 20), (80, 24), (200, 50)] {
        let Some(screen) = Screen::open(place.path(), "watch night.toml", size) else { return };
        let shown = screen.until("q quit");
        for told in KEYS.iter().chain(&["Racks", "Tenants", "Waiting", "GPUs"]) {
            assert!(shown.contains(told), "{size:?}: {told} in\n{shown}");
        }
        screen.keys(&["Space"]);
        screen.until("paused");
        screen.keys(&["End"]);
        let ended = screen.until("Waiting: 0 jobs");
        assert_ne!(shown, ended, "time has passed");
        screen.keys(&["q"]);
        let left = screen.until("done: 0");
        assert!(!left.contains("Tenants"), "{size:?}: the terminal is as it was\n{left}");
    }
}

#[test]
fn what_is_answered_wrongly_is_asked_again() {
    let place = directory(&[]);
    let Some(screen) = Screen::open(place.path(), "init", (80, 40)) else { return };
    for (question, answer, told) in [
        ("Which GPUs?", "gb30", "did you mean `gb300`?"),
        ("Which GPUs?", "h100", "How many racks"),
        ("How many racks", "none", "from 1 to 10000, found `none`"),
        ("How many racks", "0", "from 1 to 10000, found `0`"),
        ("How many racks", "2", "Which jobs?"),
        ("Which jobs?", "nowhere.swf", "cannot read `nowhere.swf`"),
        ("Which jobs?", "", "Which jobs go first?"),
        ("Which jobs go first?", "eazy", "unknown policy `eazy`"),
        ("Which jobs go first?", "easy/power=cap", "done: 0"),
    ] {
        screen.asked(question);
        screen.keys(&[answer, "Enter"]);
        screen.until(told);
    }
    let text = std::fs::read_to_string(place.path().join("scenario.toml")).unwrap();
    for said in ["platform = \"h100\", count = 2", "preset = \"easy\"\npower = \"cap\"\n"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let output = command(place.path()).args(["simulate", "scenario.toml"]).output().unwrap();
    assert!(output.status.success(), "it runs: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn whoever_goes_away_leaves_nothing_behind() {
    for (key, told) in [("C-c", "done: 130"), ("C-d", "done: 2")] {
        let place = directory(&[]);
        let Some(screen) = Screen::open(place.path(), "init", (40, 15)) else { return };
        screen.asked("Which GPUs?");
        screen.keys(&["Enter"]);
        screen.asked("How many racks");
        screen.keys(&[key]);
        screen.until(told);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{key}: nothing is written");
    }
}

#[test]
fn progress_is_shown_while_it_lasts() {
    let place = directory(&[]);
    assert!(command(place.path()).arg("init").output().unwrap().status.success(), "a scenario");
    let file = place.path().join("scenario.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // So many jobs that somebody sees them come.
    let many = text.replace("count = 1000\n", "count = 1000000\n");
    assert_ne!(text, many, "there are as many as it says");
    std::fs::write(&file, many).unwrap();
    for size in [(40, 15), (80, 24)] {
        let Some(screen) = Screen::open(place.path(), "simulate scenario.toml", size) else { return };
        let shown = screen.until(" % ");
        assert!(shown.contains("day ") && shown.contains(" left"), "{size:?}: nothing is cut off\n{shown}");
        let longest = shown.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(size.0), "{size:?}: {shown}");
        screen.keys(&["C-c"]);
        let ended = screen.until("done: 130");
        assert!(!ended.contains("left"), "{size:?}: it is gone\n{ended}");
    }
}

/// What is asked of tables and plots.
const LOOKS: [(&str, &str); 4] = [
    ("inspect", "inspect night.toml"),
    ("watch", "watch night.toml --at 6h"),
    ("simulate", "simulate night.toml --by gpus"),
    ("compare", "compare night.toml -p fcfs -p greedy --seeds 10"),
];

#[test]
fn colours_are_all_that_a_terminal_adds() {
    if !tool("script") {
        return;
    }
    let place = workloads();
    for (name, arguments) in LOOKS {
        for columns in [40, 80, 200] {
            let coloured = in_colour(place.path(), arguments, columns, &[]);
            let plain = in_colour(place.path(), arguments, columns, &[("NO_COLOR", "1")]);
            let mut piped = command(place.path());
            piped.args(arguments.split_whitespace()).env("COLUMNS", columns.to_string());
            let piped = String::from_utf8(piped.output().unwrap().stdout).unwrap();
            assert_eq!(plain, piped, "{arguments}, {columns} columns: NO_COLOR is as a pipe");
            assert_eq!(screen::without_colour(&coloured), piped, "{arguments}, {columns} columns");
            assert!(!piped.contains('\u{1b}'), "{arguments}: a pipe takes no colour");
            let has_colour = matches!(name, "inspect" | "watch");
            assert_eq!(coloured.contains('\u{1b}'), has_colour, "{arguments}, {columns} columns");
            // An escape that a person can read.
            let text = coloured.replace("\u{1b}[", "‹").replace('\u{1b}', "‹");
            insta::assert_snapshot!(format!("{name}_in_colour_and_{columns}_columns"), text);
        }
    }
}
