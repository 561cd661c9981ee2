//! `--device` and `list devices` as a user meets them, with a driver and without.

#[cfg(feature = "gpu")]
#[path = "support/adapter.rs"]
mod adapter;

use std::process::{Command, Output};

/// The command with no graphics driver to be found, or with those of the machine.
fn run(arguments: &str, drivers: bool) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigawatt"));
    if !drivers {
        command.env("VK_DRIVER_FILES", "/nowhere.json").env("VK_ICD_FILENAMES", "/nowhere.json");
    }
    let Output { status, stdout, stderr } = command.args(arguments.split(' ')).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

/// Short, and with something to place.
const SIMULATE: &str = "simulate --set run.until=600";

#[test]
fn without_a_driver_the_processor_is_listed_and_what_is_missing_is_told() {
    let (code, stdout, _) = run("list devices", false);
    assert_eq!(code, Some(0), "a list is a list: {stdout}");
    assert!(stdout.contains("\n cpu ") || stdout.contains("\ncpu "), "{stdout}");
    let missing = if cfg!(feature = "gpu") { "no GPU is to be found" } else { "no GPU support" };
    assert!(stdout.contains(missing), "{stdout}");
}

#[test]
fn a_gpu_that_is_not_there_ends_with_exit_code_3_and_a_hint() {
    for wish in ["gpu", "h100"] {
        let out = tempfile::tempdir().expect("a directory");
        let run_directory = out.path().join("run");
        let arguments = format!("{SIMULATE} --device {wish} --out {}", run_directory.display());
        let (code, stdout, stderr) = run(&arguments, false);
        assert_eq!(code, Some(3), "{wish}: {stderr}");
        assert_eq!(stdout, "", "{wish}: nothing was run");
        assert!(stderr.starts_with("error: ") && stderr.contains("hint: "), "{wish}: {stderr}");
        assert!(!run_directory.exists(), "{wish}: nothing was written");
    }
}

#[test]
fn auto_and_cpu_need_no_driver() {
    for wish in ["auto", "cpu"] {
        let (code, stdout, stderr) = run(&format!("{SIMULATE} --device {wish}"), false);
        assert_eq!(code, Some(0), "{wish}: cut off after ten minutes: {stderr}");
        assert!(stdout.contains("Utilization"), "{wish}: {stdout}");
        assert_eq!(stderr.contains("device: cpu"), wish == "auto", "{wish}: {stderr}");
    }
}

#[test]
fn a_scenario_may_name_the_device_and_the_manifest_records_what_ran() {
    let out = tempfile::tempdir().expect("a directory");
    let manifest = |device: &str| {
        let directory = out.path().join(device);
        let arguments = format!("{SIMULATE} --set run.device={device} --out {}", directory.display());
        let (code, _, stderr) = run(&arguments, false);
        (code, stderr, std::fs::read_to_string(directory.join("manifest.json")))
    };
    let (code, stderr, text) = manifest("cpu");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(text.expect("written").contains("\"device\": \"cpu\""), "the manifest says what ran");
    let (code, stderr, text) = manifest("gpu");
    assert_eq!(code, Some(3), "{stderr}");
    assert!(text.is_err(), "nothing was run");
}

#[test]
#[cfg(feature = "gpu")]
fn a_gpu_adds_up_the_same_draw_to_the_byte() {
    let Some(gpu) = adapter::adapter() else { return };
    let name = &gpu.adapter().name;
    let out = tempfile::tempdir().expect("a directory");
    let written = |device: &str, options: &str| {
        let directory = out.path().join(format!("{device}{}", options.len()));
        let arguments = format!("{SIMULATE} --device {device} --out {}{options}", directory.display());
        let (code, _, stderr) = run(&arguments, true);
        assert_eq!(code, Some(0), "{device}: {stderr}");
        let file = |name| std::fs::read(directory.join(name)).expect("it was written");
        let numbers = [file("power.csv"), file("feeds.csv")].concat();
        (numbers, file("history"), file("manifest.json"), stderr)
    };
    let (cpu, gpu) = (written("cpu", ""), written("gpu", ""));
    assert!(gpu.3.contains(&format!("device: `{name}`")), "it says what it took: {}", gpu.3);
    let manifest = String::from_utf8(gpu.2).expect("text");
    assert!(manifest.contains(&format!("\"device\": \"{name}\"")), "{manifest}");
    assert!(cpu.0.iter().filter(|byte| **byte == b'\n').count() > 10, "there is something to compare");
    assert!((cpu.0 == gpu.0) & (cpu.1 == gpu.1), "byte for byte");
    let by_7 = written("gpu", " --power-step 7s").0;
    assert!(by_7 != cpu.0, "other steps are noticed");
    assert!(by_7 == written("cpu", " --power-step 7s").0, "steps of 7 s");
}

#[test]
#[cfg(feature = "gpu")]
fn a_gpu_ranks_places_and_the_history_is_the_same() {
    let Some(gpu) = adapter::adapter() else { return };
    let name = &gpu.adapter().name;
    let out = tempfile::tempdir().expect("a directory");
    let written = |device: &str, options: &str| {
        let directory = out.path().join(format!("{device}{}", options.len()));
        let arguments = format!("{SIMULATE}{options} --device {device} --out {}", directory.display());
        let (code, _, stderr) = run(&arguments, true);
        assert_eq!(code, Some(0), "{device}: {stderr}");
        let manifest = std::fs::read_to_string(directory.join("manifest.json")).expect("it was written");
        let history = std::fs::read(directory.join("history")).expect("it was written");
        (history, manifest.contains(&format!("\"device\": \"{name}\"")), stderr)
    };
    // In rounds and at events, where an index of free capacity would do and where none could; a stop in between.
    for options in [
        " --placement least-stranded --cycle 60",
        " --placement leftover=3,span=1",
        " --order srtf --cycle 300",
        "",
    ] {
        let (cpu, gpu) = (written("cpu", options), written("gpu", options));
        assert!(cpu.0 == gpu.0, "{options}: byte for byte");
        assert!(gpu.1 && !cpu.1, "{options}: the manifest says what ran");
        assert!(gpu.2.contains("which ranks places"), "{options}: {}", gpu.2);
    }
    let (cpu, other) = (written("cpu", " --placement spread"), written("gpu", " --placement least-stranded"));
    assert!(cpu.0 != other.0, "another placement is noticed");
}

#[test]
#[cfg(feature = "gpu")]
fn every_adapter_is_listed_with_its_limits_and_can_be_named() {
    let adapters = gigawatt::gpu::adapters().expect("drivers that answer");
    let required = std::env::var_os("GIGAWATT_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
    assert!(!required || !adapters.is_empty(), "an adapter is required");
    if adapters.is_empty() {
        println!("skipped: no adapter");
    }
    let (code, stdout, stderr) = run("list devices", true);
    assert_eq!(code, Some(0), "{stderr}");
    for adapter in adapters {
        let word = adapter.name.split(' ').next().expect("a name");
        assert!(stdout.contains(word), "{word} is missing in\n{stdout}");
        assert!(stdout.contains(adapter.kind.name()) && stdout.contains("MiB"), "{stdout}");
        let (code, _, stderr) = run(&format!("{SIMULATE} --device {word}"), true);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("device: "), "it says what it took: {stderr}");
    }
}
