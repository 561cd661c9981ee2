//! What makes the command at home in shells and editors: schemas, completions, manual pages, a scenario to begin with.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/command.rs"]
mod command;
#[path = "support/python.rs"]
mod python;

use command::{command, directory, run, shown};
use gigawatt::hardware::Catalogue;
use gigawatt::policy::PRESETS;
use python::{python, script};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

fn run_in(directory: &Path, arguments: &str) -> String {
    shown(&command(directory).args(arguments.split_whitespace()).output().unwrap())
}

/// What a command prints when it is done.
#[track_caller]
fn done(directory: &Path, arguments: &str) -> String {
    let output = command(directory).args(arguments.split_whitespace()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The scenarios, or the file, of `workloads`.
fn workloads(is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let named = |path: &&PathBuf| is_wanted(&path.file_name().unwrap().to_string_lossy());
    paths.iter().filter(named).map(|path| path.display().to_string()).collect()
}

#[test]
fn files_are_valid_by_their_schema_and_planted_errors_are_not() {
    let Some(python) = python("jsonschema") else { return };
    let parts = ["graphs.toml", "platforms.toml"];
    let is_scenario = |name: &str| name.ends_with(".toml") && !parts.contains(&name);
    for (kind, files, planted) in [
        (
            "scenario",
            workloads(is_scenario),
            vec![
                ("seed = 7", "sede = 7", "sede"),
                ("seed = 7", "seed = \"seven\"", "seed"),
                ("cap = \"2 MW\"", "cap = \"much\"", "cap"),
                ("platform = \"gb300\"", "count2 = 1", "count2"),
            ],
        ),
        ("graph", workloads(|name| name == "graphs.toml"), vec![("gpus = ", "gpuz = ", "gpuz")]),
        ("platform", workloads(|name| name == "platforms.toml"), vec![("tgp = ", "tdp = ", "tdp")]),
    ] {
        let place = directory(&[("schema.json", &done(Path::new("."), &format!("schema {kind}")))]);
        assert!(!files.is_empty(), "{kind}: there are some");
        let arguments: Vec<&str> =
            ["schema.json"].into_iter().chain(files.iter().map(String::as_str)).collect();
        let (fine, text) = script(&python, "schema.py", &arguments, place.path());
        assert!(fine, "{kind}: {text}");
        let first = files.iter().find(|file| file.ends_with("quickstart.toml")).unwrap_or(&files[0]);
        let whole = std::fs::read_to_string(first).unwrap();
        for (right, wrong, noticed) in planted {
            assert!(whole.contains(right), "{kind}: there is `{right}`");
            std::fs::write(place.path().join("wrong.toml"), whole.replacen(right, wrong, 1)).unwrap();
            let (fine, text) = script(&python, "schema.py", &["schema.json", "wrong.toml"], place.path());
            assert!(!fine && text.contains(noticed), "{kind}: `{wrong}` is not noticed: {text}");
        }
    }
}

#[test]
fn what_init_writes_can_be_run() {
    let place = directory(&[]);
    let here = place.path();
    let told = done(here, "init");
    assert!(told.starts_with("scenario.toml: `gigawatt check scenario.toml`"), "{told}");
    assert!(done(here, "check scenario.toml").contains("scenario.toml: no problem found"), "it is right");
    let again = run_in(here, "init");
    assert!(again.starts_with("exit code: 2\n") && again.contains("there already"), "{again}");
    done(here, "init --force --policy sjf/easy --platform a100 --racks 2 --schema");
    let text = std::fs::read_to_string(here.join("scenario.toml")).unwrap();
    assert!(text.starts_with("#:schema ./gigawatt.schema.json\n"), "{text}");
    for said in ["order = \"sjf\"\nbackfill = \"easy\"", "platform = \"a100\", count = 2"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    done(here, "simulate scenario.toml --until 1d --quiet");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/sample.swf");
    done(here, &format!("init sub.toml --workload {}", sample.display()));
    done(here, "simulate sub.toml");
    for (wrong, said) in [
        ("init x.toml --platform gb30", "did you mean `gb300`?"),
        ("init x.toml --policy eazy", "unknown policy `eazy`"),
        ("init x.toml --workload nowhere.swf", "cannot read `nowhere.swf`"),
    ] {
        let told = run_in(here, wrong);
        assert!(told.starts_with("exit code: 2\n") && told.contains(said), "{wrong}: {told}");
        assert!(!here.join("x.toml").exists(), "{wrong}: nothing is written");
    }
    if let Some(python) = python("jsonschema") {
        let files = ["gigawatt.schema.json", "scenario.toml", "sub.toml"];
        let (fine, text) = script(&python, "schema.py", &files, here);
        assert!(fine, "{text}");
    }
}

#[test]
fn every_scenario_that_init_makes_is_right_and_runs() {
    let catalogue = Catalogue::embedded();
    let platforms: Vec<&str> = catalogue.names().collect();
    let mut asked: Vec<(String, &str)> = Vec::new();
    for preset in PRESETS {
        asked.extend(platforms.iter().map(|platform| (preset.name.to_owned(), *platform)));
    }
    // What a policy is about is there: caps, less power at times, prices.
    for policy in [
        "sjf/easy/pack",
        "easy/reservations=2",
        "//leftover=3,energy=1",
        "easy/power=cap",
        "easy/power=admit",
        "greedy/power=polca/power_thresholds=80,89",
        "easy/power=cap/curtail=drain",
        "easy/hold=cheapest-window/max_delay=eval=12h",
        "easy/hold=cleanest-window/max_delay=eval=2h,finetune=6h/power=cap/curtail=preempt",
    ] {
        asked.push((policy.to_owned(), "gb300"));
    }
    let place = directory(&[]);
    let (here, next) = (place.path(), AtomicUsize::new(0));
    let one = |(policy, platform): &(String, &str), file: &str| {
        done(here, &format!("init {file} --platform {platform} --racks 3 --policy {policy}"));
        let told = done(here, &format!("check {file}"));
        assert!(told.contains("no problem found") && told.contains(platform), "{policy}, {platform}: {told}");
        let told = done(here, &format!("simulate {file} --until 6h --quiet --json"));
        let summary: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert!(summary["jobs"].as_u64() > Some(0), "{policy}, {platform}: jobs came");
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(own) = asked.get(index) else { return };
                    one(own, &format!("{index}.toml"));
                }
            });
        }
    });
}

#[test]
fn what_init_prints_is_what_it_writes() {
    let place = directory(&[]);
    let here = place.path();
    let printed = done(here, "init - --platform h200 --racks 2");
    done(here, "init two.toml --platform h200 --racks 2");
    assert_eq!(printed, std::fs::read_to_string(here.join("two.toml")).unwrap());
    assert_eq!(std::fs::read_dir(here).unwrap().count(), 1, "printing writes nothing");
    std::fs::create_dir(here.join("folder")).unwrap();
    std::fs::write(here.join("gigawatt.schema.json"), "{}").unwrap();
    for (wrong, said) in [
        ("init - --schema", "`gigawatt schema scenario` prints it"),
        ("init - --force", "`--force` replaces a file"),
        ("init folder", "it is a folder"),
        ("init nowhere/a.toml", "there is no such folder"),
        ("init three.toml --schema", "the file is there already"),
        ("init three.toml --policy easy/power=", "`power=` without a name"),
        ("init three.toml --policy easy/reservation=2", "did you mean `reservations`?"),
    ] {
        let told = run_in(here, wrong);
        assert!(told.starts_with("exit code: 2\n") && told.contains(said), "{wrong}: {told}");
        assert!(!here.join("three.toml").exists(), "{wrong}: nothing is written");
    }
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = done(Path::new("."), &format!("completions {shell}"));
        for word in ["simulate", "compare", "scale-load", "submitted-from", "parquet"] {
            assert!(text.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let place = directory(&[]);
    done(place.path(), "man --out pages");
    let page = |name: &str| std::fs::read_to_string(place.path().join("pages").join(name)).unwrap();
    assert!(page("gigawatt.1").contains(".TH gigawatt 1"), "a page of roff");
    for (name, said) in [("simulate", "\\-\\-until"), ("list", "measures"), ("init", "racks")] {
        let text = page(&format!("gigawatt-{name}.1"));
        assert!(text.contains(said), "{name} tells {said}: {text}");
    }
    assert_eq!(done(place.path(), "man"), page("gigawatt.1"), "printed");
}

#[test]
fn quiet_means_results_only() {
    let loud = run("simulate --workload sample.swf --cluster 8x8", &[("sample.swf", SAMPLE)]);
    let quiet = run("simulate --workload sample.swf --cluster 8x8 --quiet", &[("sample.swf", SAMPLE)]);
    assert!(loud.contains("note: ") && !quiet.contains("note: "), "{quiet}");
    assert!(quiet.ends_with("----- stderr -----\n"), "{quiet}");
    let told = run("simulate --workload nowhere.swf --cluster 8x8 --quiet", &[]);
    assert!(told.contains("error: "), "what is wrong is told all the same: {told}");
}

const SAMPLE: &str = "1 0 0 3600 4 -1 -1 4 7200 -1 1 1 1 -1 1 -1 -1 -1\n";

#[test]
fn threads_make_no_difference() {
    let of = |threads: u32| done(Path::new("."), &format!("simulate --threads {threads} --json --until 6h"));
    assert_eq!(of(1), of(3), "the same numbers");
    let told = run("simulate --threads 0", &[]);
    assert!(told.starts_with("exit code: 2\n"), "{told}");
}

#[test]
fn options_that_were_renamed_say_so() {
    for (arguments, now) in [
        ("simulate --workload t.swf --cluster 1x8 --from 1d", "--submitted-from"),
        ("inspect t.swf --from 1d", "--submitted-from"),
        ("inspect t.swf --until 1d", "--submitted-before"),
        ("import t.swf -o t.csv --until 1d", "--submitted-before"),
    ] {
        let told = run(arguments, &[("t.swf", SAMPLE)]);
        assert!(told.starts_with("exit code: 2\n"), "{arguments}: {told}");
        assert!(told.contains(&format!("it is called `{now}` now")), "{arguments}: {told}");
    }
    let cut_off = run("simulate --until 30m --json", &[]);
    assert!(cut_off.starts_with("exit code: 0\n"), "{cut_off}");
    assert_eq!(cut_off, run("simulate --set run.until=30m --json", &[]), "the same key");
}

#[test]
fn a_cluster_without_jobs_says_what_is_missing() {
    let told = run("simulate --cluster 2x8", &[]);
    assert!(told.starts_with("exit code: 2\n") && told.contains("a workload is missing"), "{told}");
}
