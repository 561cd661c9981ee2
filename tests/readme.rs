//! What README.md shows is what is printed, and what it tells to type works.

use std::fs;
use std::path::Path;
use std::process::Output;

#[path = "support/readme.rs"]
mod readme;

/// The fenced blocks of no language, in order.
fn blocks() -> Vec<&'static str> {
    readme::blocks().into_iter().filter(|(language, _)| language.is_empty()).map(|(_, text)| text).collect()
}
/// The fenced block that begins so.
fn block(start: &str) -> &'static str {
    let found = blocks().into_iter().find(|block| block.starts_with(start));
    found.unwrap_or_else(|| panic!("no block of the README begins with {start:?}"))
}
/// Whether `shown` is `printed`, but for what a line `…` stands for.
fn shows(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split("\n…\n");
    let Some(mut rest) = parts.next().and_then(|first| printed.trim_end().strip_prefix(first)) else {
        return false;
    };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// A folder with what the README's commands read, and a way to run them in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workloads = folder.path().join("workloads");
        fs::create_dir(&workloads).expect("a folder in it");
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads")).expect("there") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                continue;
            }
            fs::copy(&path, workloads.join(path.file_name().expect("a file"))).expect("a copy");
        }
        fs::write(folder.path().join("few.csv"), block("job_id,")).expect("a trace by hand");
        Self(folder)
    }
    fn run(&self, command: &str) -> Output {
        let mut run = assert_cmd::Command::cargo_bin("gigawatt").expect("the binary is built");
        // A shell would take the quotes away.
        let words = command.split_whitespace().map(|word| word.trim_matches('\''));
        run.current_dir(self.0.path()).args(words).output().expect("it runs")
    }
}

#[test]
fn what_the_readme_shows_is_what_is_printed() {
    let folder = Folder::new();
    let blocks = blocks();
    // An answer stands below its command.
    let below = blocks.windows(2).filter_map(|two| Some((two[0].strip_prefix("gigawatt ")?, two[1])));
    let answers = ["compare ", "size ", "sweep ", "explain ", "fit ", "import "];
    let is_answer = |command: &str, text: &str| {
        !command.contains('\n')
            && !text.starts_with("gigawatt ")
            && answers.iter().any(|answer| command.starts_with(answer))
    };
    let mut shown: Vec<(&str, &str)> = below.filter(|(command, text)| is_answer(command, text)).collect();
    assert!(shown.len() >= 7, "the README shows answers");
    // Runs that are explained are kept first.
    for run in ["night", "queues", "llama3"] {
        let keep = format!("simulate workloads/{run}.toml --out {run}");
        assert!(folder.run(&keep).status.success(), "{run} runs");
    }
    shown.extend([("simulate", block("quickstart:")), ("list platforms", block("platform "))]);
    for command in ["simulate workloads/llama3.toml", "simulate workloads/nvl72-month.toml"] {
        let begins = format!("{}: ", command.trim_start_matches("simulate "));
        shown.push((command, block(&begins)));
    }
    for (command, text) in shown {
        let printed = String::from_utf8(folder.run(command).stdout).expect("text");
        assert!(shows(text, &printed), "`gigawatt {command}` now prints\n{printed}");
    }
}

#[test]
fn the_devices_of_the_readme_are_told_as_here() {
    let printed = String::from_utf8(Folder::new().run("list devices").stdout).expect("text");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    // The processor is everywhere; adapters differ, and with them the widths of columns.
    for line in [0, 2, 3] {
        let shown = block("device").lines().nth(line).map(words);
        assert_eq!(shown, printed.lines().nth(line).map(words), "line {line} of\n{printed}");
    }
}

#[test]
fn the_broken_scenario_of_the_readme_is_reported_as_shown() {
    let folder = Folder::new();
    let mut text = fs::read_to_string(folder.0.path().join("workloads/night.toml")).expect("copied");
    for (right, wrong) in [
        ("preset = \"easy\"", "preset = \"eazy\""),
        ("gpus = 96", "gpsu = 96"),
        ("after = \"finetune\"", "after = \"fintune\""),
    ] {
        assert!(text.contains(right), "{right} is in it");
        text = text.replace(right, wrong);
    }
    fs::write(folder.0.path().join("night.toml"), text).expect("written");
    let output = folder.run("check night.toml");
    let printed = String::from_utf8(output.stderr).expect("text");
    assert!(shows(block("error:"), &printed), "`gigawatt check` now prints\n{printed}");
    assert_eq!(output.status.code(), Some(2), "the input is wrong");
}

#[test]
fn every_command_of_the_readme_works() {
    let folder = Folder::new();
    let commands = blocks().into_iter().flat_map(str::lines).filter_map(|line| {
        line.strip_prefix("gigawatt ").or_else(|| line.strip_prefix("cargo run --release -- "))
    });
    let mut count = 0;
    for command in commands {
        let output = folder.run(command);
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`gigawatt {command}` fails:\n{talk}");
        count += 1;
    }
    assert!(count >= 6, "only {count} commands found");
}

#[test]
fn another_digit_or_a_missing_line_is_noticed() {
    assert!(shows("a 1\n…\nd 4", "a 1\nb 2\nc 3\nd 4\n"), "left out");
    for printed in ["a 2\nb\nd 4", "a 1\nb\nd 5", "a 1\nb\nd 4\ne", "a 1"] {
        assert!(!shows("a 1\n…\nd 4", printed), "{printed:?}");
    }
}
