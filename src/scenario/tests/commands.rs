use super::*;

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn what_the_command_line_says_replaces_the_file() {
    let overrides = Overrides {
        cluster: text("7x8"),
        order: text("sjf"),
        cycle: text("30s"),
        seed: Some(9),
        set: vec!["policy.placement=pack".to_owned(), "run.drain=1h".to_owned()],
        ..Overrides::default()
    };
    let loaded = Scenario::from_text("s.toml", &format!("{CLUSTER}{JOB}"), &overrides).unwrap();
    let settings = &loaded.plan.settings;
    assert_eq!(loaded.plan.cluster.nodes(), 7, "cluster");
    assert_eq!((settings.order.as_str(), settings.placement.as_str()), ("sjf", "pack"), "policy");
    assert_eq!((settings.cycle, settings.seed, settings.drain), (Some(30), 9, Some(3600)), "run");
}

#[test]
fn passes_at_events_have_a_backfill_of_their_own() {
    let settings = |cycle: Option<&str>, event: &str| {
        let set = vec![format!("policy.event_backfill={event}")];
        let overrides = Overrides { cycle: cycle.map(str::to_owned), set, ..Overrides::default() };
        let loaded = Scenario::from_text("s.toml", &format!("{CLUSTER}{JOB}"), &overrides);
        loaded.map(|loaded| loaded.plan.settings).map_err(|problems| problems.to_string())
    };
    let both = settings(Some("30s"), "none").unwrap();
    assert_eq!((both.cycle, both.event_backfill.as_deref()), (Some(30), Some("none")), "Slurm's two kinds");
    assert!(settings(None, "none").unwrap_err().contains("--cycle 30s"), "nothing to be told from");
    let other = settings(Some("30s"), "conservative").unwrap_err();
    assert!(other.contains("hint: at events: `none`, or the cycle's own, `easy`"), "{other}");
    assert_eq!(
        settings(Some("30s"), "easy").unwrap().event_backfill.as_deref(),
        Some("easy"),
        "the cycle's own"
    );
}

#[test]
fn a_policy_on_the_command_line_beats_the_file_and_yields_to_its_parts() {
    let file = format!("{CLUSTER}[policy]\npreset = \"tiresias\"\nplacement = \"spread\"\n{JOB}");
    let parts = |overrides: Overrides| {
        let settings = Scenario::from_text("s.toml", &file, &overrides).unwrap().plan.settings;
        [settings.order, settings.backfill, settings.placement].join("/")
    };
    let policy = |policy: &str| Overrides { policy: text(policy), ..Overrides::default() };
    assert_eq!(parts(Overrides::default()), "las/skip/spread", "the file's");
    assert_eq!(parts(policy("easy")), "fifo/easy/spread", "a preset names order and backfill");
    assert_eq!(parts(policy("helios")), "fifo/none/consolidate", "a whole system its placement too");
    assert_eq!(parts(policy("sjf/easy")), "sjf/easy/spread", "parts leave the rest");
    assert_eq!(parts(policy("sjf")), "sjf/skip/spread", "an order alone");
    assert_eq!(
        parts(Overrides { order: text("fifo"), ..policy("sjf/easy") }),
        "fifo/easy/spread",
        "--order last"
    );
}

#[test]
fn what_a_preset_does_not_name_stays_as_the_file_says() {
    let capped = "[cluster]\nfeed = { name = \"hall\", cap = \"1 MW\" }\n\
        rack = { platform = \"h100\", feed = \"hall\" }\n\
        [[power.curtailment]]\nfeed = \"hall\"\nto = \"80 %\"\nfrom = \"18h\"\n";
    let file = format!(
        "{capped}[policy]\norder = \"priority\"\nplacement = \"pack\"\npower = \"steer\"\ncurtail = \"drain\"\n\
         priority_step = \"2h\"\n{JOB}"
    );
    for preset in crate::policy::PRESETS {
        let overrides = Overrides { policy: text(preset.name), ..Overrides::default() };
        let settings = Scenario::from_text("s.toml", &file, &overrides).unwrap().plan.settings;
        let whole = ["helios", "tiresias", "kueue", "kai", "volcano", "slurm"].contains(&preset.name);
        assert_eq!(preset.system.is_some(), whole, "{} is a whole system", preset.name);
        let placement = if whole { "" } else { "/pack" };
        let parts = format!("{}{placement}", preset.parts());
        let mut expected = Scenario::from_text("s.toml", &format!("{capped}{JOB}"), &Overrides::default())
            .unwrap()
            .plan
            .settings;
        apply_policy(&mut expected, &format!("{parts}/power=steer/curtail=drain")).unwrap();
        assert_eq!(settings.policy(), expected.policy(), "{}", preset.name);
        assert_eq!(settings.priority_step, 7200, "{}", preset.name);
    }
    let alone = Scenario::from_text("s.toml", &format!("{CLUSTER}{JOB}"), &Overrides::default()).unwrap();
    assert_eq!(alone.plan.settings.policy(), "fifo/easy/best-fit", "of a scenario that names nothing");
}

#[test]
fn no_file_is_needed_with_a_workload_and_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.csv");
    std::fs::write(&path, "submit_time,gpus,work_time\n0,1,60\n10,2,60\n20,4,60\n").unwrap();
    let overrides = Overrides {
        workload: text(&path.display().to_string()),
        cluster: text("1x8"),
        format: text("csv"),
        from: text("10"),
        scale_load: text("0.5"),
        ..Overrides::default()
    };
    assert!(overrides.stand_alone(), "no file is needed");
    let loaded = Scenario::from_overrides(&overrides).unwrap();
    let submits: Vec<u32> = loaded.plan.workload.jobs.iter().map(|job| job.submit_time.0).collect();
    assert_eq!(submits, [0, 20], "the window, half as fast");
    assert_eq!(loaded.inputs.len(), 1, "the trace");
}

#[test]
fn a_trace_in_the_place_of_a_scenario_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.swf");
    std::fs::write(&path, include_bytes!("../../../workloads/sample.swf")).unwrap();
    let told = Scenario::load(&path, &Overrides::default()).unwrap_err().to_string();
    assert!(told.contains("is a trace (swf)") && told.contains("--workload"), "{told}");
    std::fs::write(&path, format!("{CLUSTER}{JOB}")).unwrap();
    assert!(Scenario::load(&path, &Overrides::default()).is_ok(), "whatever it is called");
}

#[test]
fn a_window_without_a_job_is_told() {
    let told = |set: &[&str]| {
        let set = set.iter().map(|&set| set.to_owned()).collect();
        told_with(&format!("{CLUSTER}{JOB}submit = \"1h\"\n"), &Overrides { set, ..Overrides::default() })
    };
    assert_eq!(told(&["run.warm_up=1h"]), "nothing, and 1 jobs", "it comes when counting begins");
    assert!(told(&["run.warm_up=2h"]).starts_with("--set run.warm_up=2h: no job is submitted"), "too late");
    assert!(told(&["run.drain=1h"]).starts_with("--set run.drain=1h: no job is submitted"), "too early");
}

#[test]
fn what_differs_in_partitions_that_are_not_there_is_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.csv");
    let jobs = "submit_time,gpus,work_time,partition\n0,99,60,a\n10,99,60,b\n20,1,60,a\n";
    std::fs::write(&path, jobs).unwrap();
    let workload = text(&path.display().to_string());
    let overrides = Overrides { workload, cluster: text("1x8"), ..Overrides::default() };
    let told = Scenario::from_overrides(&overrides).unwrap_err().to_string();
    let one = "error: job `1` (and 1 like it) asks for 99 GPUs and could never start\n";
    assert!(told.starts_with(&format!("{one}--> {}", path.display())), "with the file: {told}");
    assert!(told.ends_with("1 problem; nothing was run"), "once: {told}");
    let set = vec!["run.oversized=reject".to_owned()];
    let plan = Scenario::from_overrides(&Overrides { set, ..overrides }).unwrap().plan;
    let requests: Vec<u32> = plan.workload.jobs.iter().map(|job| job.request).collect();
    assert_eq!((requests, plan.workload.requests.len()), (vec![0, 0, 1], 2), "two that differ");
}

#[test]
fn every_problem_of_the_command_line_is_told_as_typed() {
    let overrides = Overrides {
        policy: text("esy"),
        order: text("strf"),
        cycle: text("soon"),
        cluster: text("8y8"),
        workload: text("no/such.csv"),
        format: text("swff"),
        from: text("tomorrow"),
        scale_load: text("fast"),
        sample: text("2"),
        set: vec!["run.sed=1".to_owned(), "x".to_owned()],
        ..Overrides::default()
    };
    insta::assert_snapshot!(told_with("", &overrides), @r"
    --workload no/such.csv: cannot read `no/such.csv`: No such file or directory (os error 2)
    --cluster 8y8: `8y8` is not nodes x GPUs a node (such as `552x8` or `552x8xh100`)
    --format swff: unknown format `swff` (did you mean `swf`?)
    --submitted-from tomorrow: `from`: expected seconds, a time such as `36h`, or a date such as `2017-10-09 07:00:00`, found the text `tomorrow`
    --scale-load fast: `scale_load`: expected a number, found the text `fast`
    --sample 2: `sample`: expected a number above 0 and at most 1, found `2` (the share of jobs to keep)
    --order strf: unknown order `strf` (did you mean `srtf`?)
    --cycle soon: `cycle`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `soon`
    --set run.sed=1: unknown key `sed` (did you mean `seed`?)
    --set x: expected `key=value`, found `x`
    --policy esy: unknown policy `esy` (did you mean `easy`; parts work too: `sjf/easy/pack`)
    ");
    let nothing = Scenario::from_overrides(&Overrides::default()).unwrap_err().to_string();
    insta::assert_snapshot!(compact(&nothing), @r"
    command line: missing `cluster` (nodes and GPUs such as `64x8xh100`, or a table with `rack`; on the command line `--cluster 64x8`)
    command line: missing `workload` (a table with `trace`, `graph`, `job` or `generate`; on the command line `--workload FILE`)
    ");
    for (policy, message) in [
        ("sjf/esy", "unknown backfill `esy`"),
        ("sjf/easy/pack/x", "unknown hold `x`"),
        ("sjf/easy/pack/none/x", "unknown power `x`"),
        ("sjf/easy/pack/none/cap/cap/x", "unknown preemption `x`"),
        (
            "sjf/easy/pack/none/cap/cap/none/x",
            "`sjf/easy/pack/none/cap/cap/none/x` has more parts than a policy",
        ),
        ("powr=cap", "unknown part or option `powr` (did you mean `power`?)"),
        ("easy/power=cup", "unknown power `cup`"),
        ("easy/power=", "`power=` without a name (known: none, admit, cap, steer, polca)"),
    ] {
        let told = told_with(
            &format!("{CLUSTER}{JOB}"),
            &Overrides { policy: text(policy), ..Overrides::default() },
        );
        assert!(told.contains(message), "{told}");
    }
}
