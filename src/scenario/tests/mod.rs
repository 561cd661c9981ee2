use super::*;
use crate::history::Outcome;
use crate::metrics::measure;
use crate::simulation::{Control, simulate};

mod cluster;
mod commands;
mod expressions;
mod failures;
mod generate;
mod graphs;
mod grid;
mod jobs;
mod levels;
mod licences;
mod mutation;
mod parts;
mod power;
mod queues;
mod workloads;

/// A scenario that is right, whose sections tests replace.
const CLUSTER: &str = "cluster = \"4x8xh100\"\n";
const JOB: &str = "[[workload.job]]\nid = \"a\"\ngpus = 1\nwork = 60\n";

/// What is wrong with a text, one line a problem: place, message and hint.
fn told(text: &str) -> String {
    told_with(text, &Overrides::default())
}

fn told_with(text: &str, overrides: &Overrides) -> String {
    match Scenario::from_text("s.toml", text, overrides) {
        Ok(loaded) => format!("nothing, and {} jobs", loaded.plan.workload.jobs.len()),
        Err(error) => compact(&error.to_string()),
    }
}

/// Rendered problems without their pictures.
fn compact(rendered: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut message = String::new();
    for line in rendered.lines() {
        if let Some(text) = line.strip_prefix("error: ") {
            lines.push(text.to_owned());
            message = text.to_owned();
        } else if let (Some(place), Some(last)) = (line.trim_start().strip_prefix("--> "), lines.last_mut()) {
            *last = format!("{place}: {message}");
        } else if let (Some((_, hint)), Some(last)) = (line.split_once("= hint: "), lines.last_mut()) {
            last.push_str(&format!(" ({hint})"));
        }
    }
    lines.join("\n")
}

fn load(text: &str) -> Loaded {
    Scenario::from_text("s.toml", text, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_quickstart_runs_to_its_end_and_its_jobs_wait_for_several_reasons() {
    let loaded =
        Scenario::embedded_quickstart(&Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    let measured = measure(&simulate(loaded.plan, &mut Control::default()));
    let (jobs, metrics) = (measured.jobs, measured.metrics);
    assert_eq!(metrics.outcomes[Outcome::Completed as usize] as usize, jobs.len(), "nothing is left");
    let waited = jobs.iter().filter(|job| job.wait_time.0 > 0).count();
    assert!(waited * 5 >= jobs.len(), "{waited} of {} wait: at least a fifth", jobs.len());
    // Hours, so that a second here or there is no reason.
    let reasons = metrics.waiting_seconds.iter().filter(|seconds| **seconds >= 36_000).count();
    assert!(reasons >= 4, "ten hours of waiting for at least four reasons: {:?}", metrics.waiting_seconds);
}

#[test]
fn a_broken_scenario_is_shown_as_a_whole() {
    let text = format!("{CLUSTER}[policy]\norder = \"strf\"\n[run]\nseeds = 7\n{JOB}");
    let error = Scenario::from_text("night.toml", &text, &Overrides::default()).unwrap_err().to_string();
    insta::assert_snapshot!(error, @r#"
    error: unknown order `strf`
     --> night.toml:3:9
      |
    3 | order = "strf"
      |         ^^^^^^
      |
      = hint: did you mean `srtf`?

    error: unknown key `seeds`
     --> night.toml:5:1
      |
    5 | seeds = 7
      | ^^^^^
      |
      = hint: did you mean `seed`?

    2 problems; nothing was run
    "#);
}

#[test]
fn every_problem_of_run_and_policy_is_told() {
    let run = "version = 2\n[run]\ncycle = 0\nseed = -1\nwarm_up = \"2h\"\ndrain = \"1h\"\noversized = \"drop\"\nuntil = \"x\"\n";
    let policy = "[policy]\npreset = \"essy\"\norder = \"strf\"\nbackfill = 7\nplacement = \"pak\"\npriority_step = true\nqueue_limits = [7, 5, -1]\nx = 1\n";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{run}{policy}{JOB}")), @r"
    s.toml:2:11: version 2 of scenarios is not known (this program reads `version = 1`)
    s.toml:4:9: `cycle`: expected at least a second between passes, found `0` (without `cycle` there is a pass at every event)
    s.toml:5:8: `seed`: expected a whole number from 0 to 18446744073709551615, found `-1`
    s.toml:7:9: no job is left between the end of `warm_up` and the begin of `drain` (both are instants since the start)
    s.toml:8:13: unknown oversized `drop` (known: error, reject)
    s.toml:9:9: `until`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `x`
    s.toml:11:10: unknown policy `essy` (did you mean `easy`; parts work too: `sjf/easy/pack`)
    s.toml:12:9: unknown order `strf` (did you mean `srtf`?)
    s.toml:13:12: `backfill`: expected a text, found `7`
    s.toml:14:13: unknown placement `pak` (did you mean `pack`?)
    s.toml:15:17: `priority_step`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found `true`
    s.toml:16:16: `queue_limits`: expected GPU-seconds in ascending order, such as `[3250, 7200]`, or `none`, found `7,5,-1`
    s.toml:17:1: unknown key `x` (known: preset, order, backfill, placement, hold, power, curtail, preemption, rank_period, weight_age, weight_size, weight_share, weight_priority, max_age, favored_size, half_life, priority_step, queue_limits, service, lengths, reservations, depth, window, resolution, max_jobs, max_delay, power_period, power_thresholds, min_run, victims, reclaim_rules, within_queue, reclaim_from, borrow_from, event_backfill)
    ");
    insta::assert_snapshot!(told(""), @r"
    s.toml: missing `cluster` (nodes and GPUs such as `64x8xh100`, or a table with `rack`; on the command line `--cluster 64x8`)
    s.toml: missing `workload` (a table with `trace`, `graph`, `job` or `generate`; on the command line `--workload FILE`)
    ");
    insta::assert_snapshot!(told("cluster = 7\nworkload = 8\nplatforms = 9\n"), @r"
    s.toml:1:11: `cluster`: expected a table, nodes and GPUs such as `552x8xh100`, or the path of a list of nodes, found `7`
    s.toml:2:12: `workload`: expected a table, found `8`
    s.toml:3:13: `platforms`: expected a text, found `9`
    ");
}

#[test]
fn own_platforms_are_a_file_or_written_in_place() {
    let text = format!(
        "cluster = \"1x4xmine\"\n{JOB}[[platform]]\nname = \"mine\"\nlike = \"h100\"\ngpus_per_node = 4\n"
    );
    let loaded = load(&text);
    assert_eq!(loaded.catalogue.get("mine").map(|platform| platform.gpus_per_node()), Some(4), "in place");
    assert_eq!(loaded.plan.cluster.kinds[0].platform_name, "mine", "on the cluster");
    let missing = told(&format!("platforms = \"none/such.toml\"\n{CLUSTER}{JOB}"));
    insta::assert_snapshot!(missing, @r"s.toml:1:13: cannot read `none/such.toml`: No such file or directory (os error 2)");
}

#[test]
fn the_digest_of_every_input_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("night.toml");
    std::fs::write(folder.path().join("graphs.toml"), JOB.replace("workload.", "")).unwrap();
    std::fs::write(&path, format!("{CLUSTER}workload.graph = \"graphs.toml\"\n")).unwrap();
    let loaded = Scenario::load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.inputs.len(), 2, "the scenario and the file it names, from its own folder");
    let digest = blake3::hash(JOB.replace("workload.", "").as_bytes()).to_hex();
    assert_eq!(loaded.inputs[1].digest, digest.as_str(), "blake3");
    let missing =
        Scenario::load(&folder.path().join("no.toml"), &Overrides::default()).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read `"), "{missing}");
}
