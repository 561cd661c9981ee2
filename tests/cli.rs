//! Whole invocations of the command: exit code, stdout and stderr, each in one snapshot.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;

use command::{command, directory, run, shown};
use std::process::Stdio;

const TINY: &str = "\
; UnixStartTime: 1272639895
1 0 0 3600 4 -1 -1 4 7200 -1 1 1 1 -1 1 -1 -1 -1
2 600 0 1800 8 -1 -1 8 1800 -1 1 2 1 -1 1 -1 -1 -1
3 1200 0 60 1 -1 -1 1 120 -1 1 2 1 -1 1 -1 -1 -1
4 1300 0 600 16 -1 -1 16 900 -1 0 1 1 -1 1 -1 -1 -1
5 1400 0 600 2 -1 -1 2 900 -1 1 2 1 -1 1 -1 -1 -1
";

#[test]
fn without_a_command_it_says_what_there_is() {
    insta::assert_snapshot!(run("", &[]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    Simulates how an AI cloud schedules training and inference jobs on racks of GPUs

    Usage: gigawatt [OPTIONS] <COMMAND>

    Commands:
      simulate     Run a scenario under one policy and print what came of it
      compare      Run several scenarios or policies on the same seeds and print them beside each other
      watch        Watch a run in the terminal: racks, queue, draw, tenants and what happens
      size         Find the least of something that meets targets: nodes, racks, a cap, a quota
      sweep        Run a scenario at every point of some keys, under several seeds, into a table
      fit          Tell when a job that does not exist yet would start, and what would have it start
                   sooner
      explain      Explain a saved run: why a job waited, what there was at an instant, what a tenant or
                   a queue held
      check        Report every problem of a scenario at once, or what it comes to; nothing is run
      inspect      Show what a workload asks for: gangs, lengths, tenants, arrivals, demand over time
      import       Write a trace, or a scheduler's configuration, in gigawatt's own format
      generate     Make a trace of the shape of another one, of any length and load
      report       Write saved runs as one page that a browser opens from disk, several side by side
      list         List what can be named: policies, formats, platforms, failures, devices, exporters,
                   columns, measures
      init         Write a scenario to begin with, every line explained
      schema       Print the JSON Schema of a file, for editors, or of what a command answers with
                   --json
      completions  Print what makes a shell complete commands and options
      man          Print the manual page, or write one a command
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Everywhere:
          --quiet        Say nothing but results and errors: no notes, no progress
          --threads <N>  How many threads may work [default: one a core]; results do not depend on it

    Examples:
      gigawatt simulate
          a day of four tenants on a few racks: the embedded quickstart
      gigawatt simulate --workload philly.csv.zst --cluster 64x8 -p easy --out run1
          a trace on 64 nodes of 8 GPUs under EASY backfill, every job in run1/jobs.csv
      gigawatt compare --workload philly.csv.zst --cluster 64x8 -p fcfs -p easy -p sjf/easy
          what each policy costs in waiting, relative to the first
      gigawatt size night.toml --least cluster.rack.0.count --where 'wait_p95 < 30m'
          how many racks it takes
      gigawatt explain run1 job-17
          why it waited, and what would have started it sooner
      gigawatt inspect RICC-2010-2.swf.gz --cluster 1024x8
          what a trace asks for, and whether that cluster could bear it

    Exit codes:
        0  done
        1  done, but jobs are left that nothing can start, a check failed, or the answer is no
        2  the input is wrong; nothing was run
        3  the GPU asked for is not usable
      101  a bug in gigawatt
      130  interrupted by Ctrl-C
      143  interrupted by SIGTERM

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
    check_listing("policies", gigawatt::policy::part::parts().map(|part| part.name));
    check_listing("formats", gigawatt::trace::FORMATS.iter().map(|format| format.name));
    check_listing("platforms", gigawatt::hardware::Catalogue::embedded().names());
    check_listing("measures", gigawatt::ensemble::MEASURES.iter().map(|measure| measure.word()));
}

#[test]
fn every_number_of_a_platform_is_shown() {
    let catalogue = gigawatt::hardware::Catalogue::embedded();
    let platform = catalogue.get("gb300").unwrap();
    check_listing("platforms gb300", platform.rows().map(|row| row.field.key));
}

#[test]
fn a_part_of_a_policy_is_shown_with_its_options_and_source() {
    insta::assert_snapshot!(run("list policies easy", &[]), @r"
    exit code: 0
    ----- stdout -----
    preset  what it sets, all else staying as it is: what it does
    ───────────────────────────────────────────────────────────────
    easy    fifo/easy: first come, first served with EASY backfill

    backfill  which jobs may pass a blocked one (with --cycle:
              policy.event_backfill, at events between)
    ───────────────────────────────────────────────────────────────────────────
    easy      jobs that delay no reservation pass the first blocked one
              reservations=1 (jobs a partition): how many blocked jobs of each
              partition, in order, hold a reservation
              [Lifka, The ANL/IBM SP scheduling system, JSSPP 1995]
    ----- stderr -----
    ");
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
      [possible values: policies, formats, platforms, failures, devices, exporters, columns, measures, conformance]

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
    5 jobs · 11 GPU-hours · submitted within 23m20s · from 2010-04-30
    1 job to fail

    Arrivals: jobs in each 20s
           1 █                             █                             █    █    █
             █                             █                             █    █    █
             █                             █                             █    █    █
             █                             █                             █    █    █
             2010-04-30 15:04           2010-04-30 15:16            2010-04-30 15:28

    Demand: GPUs in use if no job had to wait
          28                                                                   ⢰⣶⣶⣶⣶
                                                                               ⣾⣿⣿⣿⣿
                                                                               ⣿⣿⣿⣿⣿
                                                                          ⢀⣀⣀⡀⢸⣿⣿⣿⣿⣿
                                           ⣰⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
             ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣰⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
             ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
             2010-04-30 15:04           2010-04-30 15:16            2010-04-30 15:28
             mean 10, peak 30

    GPUs of a gang jobs                             GPU-hours
    1               20.0% █████████████████████████   0.2% ▏
    2               20.0% █████████████████████████   3.0% ██▏
    3–4             20.0% █████████████████████████  36.3% █████████████████████████
    5–8             20.0% █████████████████████████  36.3% █████████████████████████
    9–16            20.0% █████████████████████████  24.2% ████████████████▋

    Work time      jobs                             GPU-hours
    1–10 min        20.0% ████████▍                   0.2%
    10–60 min       60.0% █████████████████████████  63.5% █████████████████████████
    1–4 h           20.0% ████████▍                  36.3% ██████████████▎
    p50 10m00s · p90 1h00m · p99 1h00m · longest 1h00m · mean 22m12s
    requested above work in 80.0 % of jobs (median 1.5 times), below in 0.0 %
    recorded waits of 5 jobs: p50 0s · p95 0s · mean 0s

    Tenant         jobs                             GPU-hours
    user1           40.0% ████████████████▋          60.5% █████████████████████████
    user2           60.0% █████████████████████████  39.5% ████████████████▎

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
    insta::assert_snapshot!(run("inspect tiny.swf --submitted-from yesterday --submitted-before never", &files), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `from`: expected seconds, a time such as `36h`, or a date such as `2017-10-09 07:00:00`, found the text `yesterday`
    --> --submitted-from yesterday

    error: `until`: expected seconds, a time such as `36h`, or a date such as `2017-10-09 07:00:00`, found the text `never`
    --> --submitted-before never

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

const TINY_FILES: [(&str, &str); 2] = [("tiny.swf", TINY), ("night.toml", NIGHT)];

const NIGHT: &str = r#"
version = 1
cluster = "2x8xh100"

[run]
seed = 3

[policy]
preset = "easy"

[workload]
job = [
    { id = "train", kind = "finetune", gpus = 16, work = "6h" },
    { id = "eval", count = 20, kind = "eval", gpus = 1, work = "10m", after = "train" },
]
"#;

const BROKEN: &str = r#"
version = 1
cluster = "2x8xh100"
[run]
sede = 3
[policy]
order = "strf"
[workload]
job = [{ id = "eval", gpus = 1, work = "10m", after = "train" }]
"#;

#[test]
fn a_trace_is_simulated() {
    let arguments = "simulate --workload tiny.swf --cluster 2x8 -p fcfs";
    insta::assert_snapshot!(run(arguments, &TINY_FILES), @"
    exit code: 0
    ----- stdout -----
    tiny.swf: fifo/none/best-fit, seed 0
    5 jobs over 1h20m on 16 GPUs: 2 nodes in 2 racks

    Jobs           4 completed, 1 failed, 0 left
    Wait           mean 17m00s, p50 0s, p95 46m40s, p99 46m40s, max 46m40s
    Recorded wait  mean 0s, p50 0s, p95 0s, p99 0s, max 0s, of 5 jobs
    Simulated wait mean 17m00s, p50 0s, p95 46m40s, p99 46m40s, max 46m40s, of the
                   same
    Turnaround     mean 39m12s, p50 48m20s, p95 1h00m, p99 1h00m, max 1h00m
    Slowdown       mean 2.70, p50 1.0, p95 5.7, p99 5.7, max 5.7
    Utilization    51.6 %   ▃▃▃▃▃▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▃▃▃▃▃▃▃▃▃▃█████▂▂▂▂▂
    Goodput        39.1 %; lost 2.7 GPU-hours: failed 2.7
    Free GPUs      48.3 % of them on partly used nodes, 48.3 % in partly used racks

    Tenant  Jobs  Ended  GPU-hours   Share  Wait p50  Wait p95
    ───────────────────────────────────────────────────────────
    user1      2      2        6.7  60.5 %        0s    38m20s
    user2      3      3        4.3  39.5 %        0s    46m40s

    Reasons for waiting, of all job-seconds between submission and running
      capacity        56.9 %  ███████       not enough GPUs are free
      order           43.1 %  █████         others come first

    Look further   --out DIR keeps a line a job and every number of this run
                   gigawatt list columns says what the words mean
      gigawatt compare --workload tiny.swf --cluster 2x8 -p fifo/none -p fifo/easy
    ----- stderr -----
    note: SWF processors read as GPUs: one each
    note: 1 job whose work ends in failure (status 0)
    ");
}

#[test]
fn the_quickstart_fits_a_screen() {
    let text = run("simulate", &[]);
    let summary = text.split("----- stderr -----").next().unwrap();
    assert!(text.starts_with("exit code: 0\n"), "{text}");
    assert!(summary.lines().count() <= 2 + 40, "at most 40 lines: {summary}");
    assert!(summary.lines().all(|line| line.chars().count() <= 80), "of 80 columns: {summary}");
}

#[test]
fn every_decision_can_be_watched() {
    let arguments = "simulate --workload tiny.swf --cluster 2x8 -p sjf/easy --trace-decisions --json";
    let text = run(arguments, &TINY_FILES);
    let decisions = text.split("----- stderr -----\n").nth(1).unwrap();
    insta::assert_snapshot!(decisions, @"
    note: SWF processors read as GPUs: one each
    note: 1 job whose work ends in failure (status 0)
    0 start 1 on nodes 0
    600 start 2 on nodes 1
    1200 start 3 on nodes 0
    1400 start 5 on nodes 0
    3600 start 4 on nodes 0 1
    ");
}

#[test]
fn a_preemptive_policy_that_can_stop_nobody_says_so() {
    let fixed = NIGHT.replace("kind = ", "preemptible = false, kind = ");
    let files = [("night.toml", NIGHT), ("fixed.toml", fixed.as_str())];
    let note =
        "note: order `las` stops running jobs for others, and no job is preemptible: nothing is stopped\n";
    for command in ["simulate", "check"] {
        let told = |file: &str, policy: &str| run(&format!("{command} {file} -p {policy}"), &files);
        assert!(
            told("fixed.toml", "tiresias").contains(note),
            "{command}: {}",
            told("fixed.toml", "tiresias")
        );
        for (file, policy) in [("night.toml", "tiresias"), ("fixed.toml", "easy")] {
            let told = told(file, policy);
            assert!(!told.contains("preemptible"), "{command} {file} -p {policy}: {told}");
        }
    }
    let told = run("compare fixed.toml -p easy -p tiresias -p srtf --seeds 1", &files);
    for name in ["tiresias: order `las`", "srtf: order `srtf`"] {
        assert!(told.contains(&format!("note: {name} stops running jobs")), "{told}");
    }
    assert_eq!(told.matches("no job is preemptible").count(), 2, "{told}");
}

#[test]
fn jobs_that_nothing_can_start_are_told_by_the_exit_code() {
    let cut_off = run("simulate --workload tiny.swf --cluster 2x8 --set run.until=1h --json", &TINY_FILES);
    assert!(cut_off.starts_with("exit code: 0\n") && cut_off.contains("\"unfinished\": 1"), "{cut_off}");
    // A node leaves for good, and with it the room for the fourth job.
    let lost = "cluster = { rack = [{ platform = \"h100\", count = 1, nodes = 2 }], change = [{ time = \"10s\", \
                nodes = \"1\", state = \"down\" }] }\n";
    let text = run("simulate lost.toml --workload tiny.swf --json", &[("lost.toml", lost), TINY_FILES[0]]);
    assert!(text.starts_with("exit code: 1\n"), "{text}");
}

#[test]
fn a_run_directory_holds_the_same_bytes_every_time() {
    let directory = directory(&TINY_FILES);
    let mut runs = Vec::new();
    for out in ["one", "two"] {
        let output =
            command(directory.path()).args(["simulate", "night.toml", "--out", out]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        let read = |name: &str| std::fs::read(directory.path().join(out).join(name)).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&read("summary.json")).unwrap();
        assert_eq!(summary["outcomes"]["completed"], 21, "every job");
        let manifest: serde_json::Value = serde_json::from_slice(&read("manifest.json")).unwrap();
        assert_eq!(manifest["seed"], 3, "the scenario's");
        let history = gigawatt::history::file::read(&read("history"), "history").unwrap();
        assert!(history.complete, "nobody interrupted it");
        runs.push((read("jobs.csv"), read("history"), read("summary.json")));
    }
    assert!(runs[0] == runs[1], "byte for byte");
}

#[test]
fn a_saved_run_can_be_inspected() {
    let directory = directory(&TINY_FILES);
    let run = |arguments: &str| {
        let output = command(directory.path()).args(arguments.split_whitespace()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    run("simulate --workload tiny.swf --cluster 2x8 --out run");
    let text = run("inspect run");
    assert!(text.contains("5 jobs") && text.contains("offered load 1.77 on its cluster (16 GPUs)"), "{text}");
    let wrong = command(directory.path())
        .args(["inspect", "run", "--submitted-from", "5", "--cluster", "1x8"])
        .output();
    let told = shown(&wrong.unwrap());
    assert!(
        told.contains("`--cluster` does not go") && told.contains("`--submitted-from` does not go"),
        "{told}"
    );
    assert!(told.contains("exit code: 2") && told.contains("run/jobs.csv"), "{told}");
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_runs() {
    let arguments = "simulate night.toml --out night.toml/run";
    insta::assert_snapshot!(run(arguments, &TINY_FILES), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot create `night.toml/run`: Not a directory (os error 20)
    ");
}

#[test]
fn everything_wrong_with_a_scenario_is_told_at_once() {
    insta::assert_snapshot!(run("simulate broken.toml --out x", &[("broken.toml", BROKEN)]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: unknown key `sede`
     --> broken.toml:5:1
      |
    5 | sede = 3
      | ^^^^
      |
      = hint: did you mean `seed`?

    error: unknown order `strf`
     --> broken.toml:7:9
      |
    7 | order = "strf"
      |         ^^^^^^
      |
      = hint: did you mean `srtf`?

    error: unknown job `train`
     --> broken.toml:9:55
      |
    9 | job = [{ id = "eval", gpus = 1, work = "10m", after = "train" }]
      |                                                       ^^^^^^^
      |
      = hint: known: eval

    3 problems; nothing was run
    "#);
    let checked = run("check broken.toml", &[("broken.toml", BROKEN)]);
    let simulated = run("simulate broken.toml", &[("broken.toml", BROKEN)]);
    assert_eq!(checked, simulated, "check says the same");
}

#[test]
fn a_scenario_is_checked() {
    insta::assert_snapshot!(run("check night.toml", &TINY_FILES), @"
    exit code: 0
    ----- stdout -----
    night.toml: no problem found

    cluster       16 GPUs, 2 nodes, 1 rack
    racks         1 of 2 nodes of 8 h100
    jobs          21 jobs, 1 tenant, 20 dependencies
    work          99 GPU-hours on the reference platform
    offered load  none: all jobs are submitted at once
    policy        fifo/easy/best-fit, deciding at every event
    seed          3
    input         night.toml (blake3 25cf6fc022a4f198…)
    ----- stderr -----
    ");
}

#[test]
fn a_job_larger_than_the_cluster_is_told() {
    insta::assert_snapshot!(run("check --workload tiny.swf --cluster 1x8", &TINY_FILES), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: job `4` asks for 16 GPUs and could never start
    --> tiny.swf
     = hint: there are 8 GPUs, at most 8 a node; `--set run.oversized=reject` runs the rest

    1 problem; nothing was run
    "#);
}

#[test]
fn policies_are_compared() {
    let arguments = "compare --workload tiny.swf --cluster 2x8 -p fcfs -p sjf/easy";
    insta::assert_snapshot!(run(arguments, &TINY_FILES), @"
    exit code: 0
    ----- stdout -----
                                              sjf
                          fcfs               easy
    ──────────────────────────────────────────────
    wait, mean          17m00s     7m40s     −55%
    wait, p50               0s        0s        –
    wait, p95           46m40s    38m20s     −18%
    wait, p99           46m40s    38m20s     −18%
    wait, max           46m40s    38m20s     −18%
    slowdown, mean        2.70      1.77     −35%
    slowdown, p50         1.00      1.00     0.0%
    slowdown, p95         5.67      4.83     −15%
    slowdown, p99         5.67      4.83     −15%
    slowdown, max         5.67      4.83     −15%
    turnaround, mean    39m12s    29m52s     −24%
    turnaround, p50     48m20s    30m00s     −38%
    turnaround, p95      1h00m     1h00m     0.0%
    turnaround, p99      1h00m     1h00m     0.0%
    turnaround, max      1h00m     1h00m     0.0%
    makespan             1h20m     1h10m     −12%
    utilization          51.6%     59.0%     +14%
    goodput              39.1%     44.7%     +14%
    Jain index            0.88      0.87    −1.7%
    unfinished jobs          0         0        –
    longest, 1 GPU          0s        0s        –
    longest, 2 GPUs     46m40s        0s    −100%
    longest, 3–4 GPUs       0s        0s        –
    longest, 5–8 GPUs       0s        0s        –
    longest, 9–16 GPUs  38m20s    38m20s     0.0%

    fcfs: fifo/none/best-fit
    sjf/easy: sjf/easy/best-fit
    5 jobs a run; changes against fcfs.
    Nothing is random: one run each; 1 day: no intervals, which take ten.
    longest: the longest wait of any job that asks for so many GPUs: what starves.
    Jain index: (Σx)² ÷ nΣx², x = GPUs held ÷ entitlement while n tenants contend.
    ----- stderr -----
    note: SWF processors read as GPUs: one each
    note: 1 job whose work ends in failure (status 0)
    ");
}

#[test]
fn a_comparison_is_json_or_csv_for_machines() {
    let base = "compare --workload tiny.swf --cluster 2x8 -p fcfs -p greedy --reference greedy";
    let stdout = |text: String| {
        let text = text.split_once("----- stdout -----\n").unwrap().1.to_owned();
        text.split("----- stderr -----").next().unwrap().to_owned()
    };
    let json = stdout(run(&format!("{base} --json"), &TINY_FILES));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["reference"], "greedy", "{json}");
    assert_eq!(value["policies"][0]["policy"], "fcfs", "in the order given");
    let csv = stdout(run(&format!("{base} --as csv"), &TINY_FILES));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let records: Vec<_> = reader.records().map(|record| record.unwrap()).collect();
    let plain = records.iter().filter(|record| record[10].is_empty()).count();
    assert_eq!(plain, 2 * gigawatt::ensemble::MEASURES.len(), "a line a policy and measure");
    let table = stdout(run(&format!("{base} --as markdown"), &TINY_FILES));
    assert!(table.starts_with("| | greedy | fcfs |\n|---|---:|---:|\n| wait, mean | "), "{table}");
}

#[test]
fn a_comparison_that_makes_no_sense_is_told() {
    for (policies, said) in [
        ("-p fcfs", "one contender has nothing to be compared with"),
        ("-p fcfs -p fifo/none/best-fit", "policies `fcfs` and `fifo/none/best-fit` are the same"),
        ("-p fcfs -p strf", "unknown policy `strf`"),
        ("-p fcfs -p easy --reference esay", "unknown policy `esay`"),
        ("-p fcfs -p easy --seeds 0", "0 is not in 1..=10000"),
        ("-p fcfs -p easy --json --as csv", "cannot be used with"),
        ("", "one contender has nothing to be compared with"),
        ("night.toml", "contenders `night.toml` and `night.toml` are the same"),
        ("-p fcfs -p easy --measure wait_p59", "did you mean `wait_p50`"),
        ("-p fcfs -p easy --precision 2%", "nothing is random here"),
        ("-p fcfs -p easy --precision 0", "expected a share above 0"),
        ("-p fcfs --vary policy.order", "expected a key and its values"),
        ("-p fcfs --vary policy.ordre=fifo,sjf", "did you mean `order`?"),
        ("-p fcfs -p easy --vary run.until=1h,2h --reference fcfs", "`fcfs` means 2 contenders"),
        ("-p fcfs -p easy --vary run.until=1h,2h --reference fcsf", "no contender is called `fcsf`"),
    ] {
        let text = run(&format!("compare night.toml {policies}"), &TINY_FILES);
        assert!(text.starts_with("exit code: 2\n----- stdout -----\n----- stderr -----\n"), "{text}");
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn graphs_and_scenarios_are_inspected_too() {
    let text = run("inspect night.toml", &TINY_FILES);
    assert!(text.contains("21 jobs") && text.contains("20 dependencies"), "{text}");
    assert!(text.contains("no offered load on its cluster: all jobs are submitted at once"), "{text}");
    let text = run("inspect tiny.swf --cluster 4x8", &TINY_FILES);
    assert!(text.contains("offered load 0.89 on 4x8 (32 GPUs)"), "{text}");
}

#[test]
fn what_would_change_nothing_of_an_inspection_is_told() {
    for (arguments, key) in [
        ("tiny.swf --set cluster=4x8", "cluster"),
        ("tiny.swf --set run.until=1h", "run.until"),
        ("tiny.swf --cluster 4x8 --set cluster.rack.0.count=2", "cluster.rack.0.count"),
        ("tiny.swf --cluster 4x8 --set run.cycle=60", "run.cycle"),
        ("night.toml --set policy.order=sjf", "policy.order"),
    ] {
        let text = run(&format!("inspect {arguments}"), &TINY_FILES);
        assert!(text.starts_with("exit code: 2\n"), "{arguments}: {text}");
        assert!(text.contains(&format!("`{key}` changes nothing of what is shown")), "{arguments}: {text}");
        assert!(text.contains("hint: "), "{arguments}: {text}");
    }
    for arguments in ["tiny.swf --set workload.scale_load=2", "tiny.swf --cluster 4x8 --set run.until=1h"] {
        let text = run(&format!("inspect {arguments}"), &TINY_FILES);
        assert!(text.starts_with("exit code: 0\n"), "{arguments}: {text}");
    }
}
