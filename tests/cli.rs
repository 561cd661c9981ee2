//! Whole invocations of the command: exit code, stdout and stderr, each in one snapshot.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The command, started in `directory`, with an environment that is the same everywhere.
fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigawatt"));
    command.current_dir(directory).env_remove("NO_COLOR").env("TERM", "xterm").stdin(Stdio::null());
    command
}

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::File::create(directory.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }
    directory
}

fn shown(output: &Output) -> String {
    format!(
        "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
        output.status.code().map_or("none".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )
}

/// Runs `gigawatt` with these arguments (split at blanks) beside these files.
fn run(arguments: &str, files: &[(&str, &str)]) -> String {
    let directory = directory(files);
    shown(&command(directory.path()).args(arguments.split_whitespace()).output().unwrap())
}

const TINY: &str = "\
; UnixStartTime: 1272639895
1 0 0 3600 4 -1 -1 4 7200 -1 1 1 1 -1 1 -1 -1 -1
2 600 0 1800 8 -1 -1 8 1800 -1 1 2 1 -1 1 -1 -1 -1
3 1200 0 60 1 -1 -1 1 120 -1 1 2 1 -1 1 -1 -1 -1
4 7200 0 600 16 -1 -1 16 900 -1 0 1 1 -1 1 -1 -1 -1
";

#[test]
fn without_a_command_it_says_what_there_is() {
    insta::assert_snapshot!(run("", &[]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    Simulates how an AI cloud schedules training and inference jobs on racks of GPUs

    Usage: gigawatt <COMMAND>

    Commands:
      compare  Run several policies on the same workloads and print them beside each other
      check    Report every problem of a scenario at once, or what it comes to; nothing is run
      inspect  Show what a workload asks for: gangs, lengths, tenants, arrivals, demand over time
      list     List what can be named: policies, formats, platforms
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Examples:
      gigawatt compare --workload philly.csv.zst --cluster 64x8 -p fcfs -p easy -p sjf/easy
          what each policy costs in waiting, relative to the first
      gigawatt inspect RICC-2010-2.swf.gz --cluster 1024x8
          what a trace asks for, and whether that cluster could bear it

    Exit codes:
        0  done
        1  done, but jobs were left unfinished, a check failed, or Ctrl-C
        2  the input is wrong; nothing was run
        3  the GPU asked for is not usable
      101  a bug in gigawatt

    Results go to stdout, everything else to stderr. NO_COLOR=1 turns colours off.
    ");
}

/// What `list` prints: in 80 columns, with each of these names at the beginning of a line.
#[track_caller]
fn check_listing<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) {
    let text = run(&format!("list {what}"), &[]);
    assert!(text.starts_with("exit code: 0\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for name in names {
        let found = text.lines().any(|line| line.split(' ').next() == Some(name));
        assert!(found, "`{name}` is missing: {text}");
    }
}

#[test]
fn everything_that_can_be_named_is_listed() {
    check_listing("policies", gigawatt::policy::PRESETS.iter().map(|preset| preset.name));
    check_listing("policies", gigawatt::policy::order::ORDERS.iter().map(|entry| entry.name));
    check_listing("policies", gigawatt::policy::backfill::BACKFILLS.iter().map(|entry| entry.name));
    check_listing("policies", gigawatt::policy::placement::PLACEMENTS.iter().map(|entry| entry.name));
    check_listing("formats", gigawatt::trace::FORMATS.iter().map(|format| format.name));
    check_listing("platforms", gigawatt::hardware::Catalogue::embedded().names());
}

#[test]
fn every_number_of_a_platform_is_shown() {
    let catalogue = gigawatt::hardware::Catalogue::embedded();
    let platform = catalogue.get("gb300").unwrap();
    check_listing("platforms gb300", platform.rows().map(|row| row.field.key));
}

#[test]
fn an_unknown_platform_is_told_with_the_nearest_known_one() {
    insta::assert_snapshot!(run("list platforms b20", &[]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: unknown platform `b20`
     |
     = hint: did you mean `b200`?

    1 problem; nothing was run
    ");
}

#[test]
fn an_unknown_listing_is_a_usage_error() {
    insta::assert_snapshot!(run("list polices", &[]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'polices' for '<WHAT>'
      [possible values: policies, formats, platforms]

      tip: a similar value exists: 'policies'

    For more information, try '--help'.
    ");
}

#[test]
fn a_trace_is_inspected() {
    insta::assert_snapshot!(run("inspect tiny.swf", &[("tiny.swf", TINY)]), @"
    exit code: 0
    ----- stdout -----
    tiny.swf (swf)
    4 jobs · 11 GPU-hours · submitted within 2h00m · from 2010-04-30
    1 job to fail

    Arrivals: jobs every 1m41s
           1 █    █     █                                                          █
             █    █     █                                                          █
             █    █     █                                                          █
             █    █     █                                                          █
             2010-04-30 15:04           2010-04-30 16:04            2010-04-30 17:04

    Demand: GPUs in use if no job had to wait
          12       ⣤⣤⣤⣤⣤⣤⣶⣤⣤⣤⣤⣤⣤⣤⣤⣤⡄
                  ⢠⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡀
                  ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣇
                  ⣼⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
             ⣀⣀⣀⣀⣠⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣆⣀⣀⣀⣀⣀⣀⣀⣀⣀⡀
             ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣄
             ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣆⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
             2010-04-30 15:04           2010-04-30 16:04            2010-04-30 17:04
             mean 4, peak 12

    GPUs of a gang jobs                             GPU-hours
    1               25.0% █████████████████████████   0.2% ▏
    2                0.0%                             0.0%
    3–4             25.0% █████████████████████████  37.4% █████████████████████████
    5–8             25.0% █████████████████████████  37.4% █████████████████████████
    9–16            25.0% █████████████████████████  25.0% ████████████████▋

    Work time      jobs                             GPU-hours
    1–10 min        25.0% ████████████▌               0.2%
    10–60 min       50.0% █████████████████████████  62.4% █████████████████████████
    1–4 h           25.0% ████████████▌              37.4% ███████████████
    p50 10m00s · p90 1h00m · p99 1h00m · longest 1h00m · mean 25m15s
    requested above work in 75.0 % of jobs (median 2.0 times), below in 0.0 %

    Tenant         jobs                             GPU-hours
    user1           50.0% █████████████████████████  62.4% █████████████████████████
    user2           50.0% █████████████████████████  37.6% ███████████████

    What the reader says
    · SWF processors read as GPUs: one each
    · 1 job whose work ends in failure (status 0)
    ----- stderr -----
    ");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    insta::assert_snapshot!(run("inspect nowhere.swf", &[]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot read `nowhere.swf`: No such file or directory (os error 2)
    ");
}

#[test]
fn a_wrong_window_is_told_all_at_once() {
    let files = [("tiny.swf", TINY)];
    insta::assert_snapshot!(run("inspect tiny.swf --from yesterday --until never", &files), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: --from `yesterday`: expected seconds (`3600`, `90m`, `36h`, `2d`) or a date (`2017-10-09`, `2017-10-09 07:00:00`)

    error: --until `never`: expected seconds (`3600`, `90m`, `36h`, `2d`) or a date (`2017-10-09`, `2017-10-09 07:00:00`)

    2 problems; nothing was run
    ");
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let directory = directory(&[]);
    let mut child =
        command(directory.path()).args(["list", "formats"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "a broken pipe is success");
}

#[test]
fn colours_are_only_for_terminals() {
    let text = run("inspect tiny.swf", &[("tiny.swf", TINY)]);
    assert!(!text.contains('\u{1b}'), "no escape sequence in a pipe");
}
