use super::*;
use crate::cluster::Curtailment;
use crate::units::{Seconds, Time, Watts};

const FEEDS: &str = r#"
[[cluster.feed]]
name = "hall"
cap = "750 kW"
[[cluster.feed]]
name = "row"
parent = "hall"
[[cluster.rack]]
platform = "gb300"
feed = "row"
"#;

#[test]
fn a_curtailment_takes_watts_or_a_part_of_a_cap() {
    let power = r#"
[[power.curtailment]]
feed = "hall"
to = "80 %"
from = "18h"
until = "20h"
notice = "15m"
[[power.curtailment]]
feed = "row"
to = "90 kW"
from = "1d"
"#;
    let cluster = load(&format!("{FEEDS}{power}{JOB}")).plan.cluster;
    let (from, until) = (Time(18 * 3600), Time(20 * 3600));
    let expected = [
        Curtailment { feed: 0, cap: Watts(600_000), from, until, notice: Seconds(900) },
        Curtailment {
            feed: 1,
            cap: Watts(90_000),
            from: Time(86_400),
            until: Time::NEVER,
            notice: Seconds::ZERO,
        },
    ];
    assert_eq!(cluster.curtailments, expected, "one for two hours, one for good");
}

#[test]
fn every_problem_of_power_is_told() {
    let policy =
        "[policy]\npower = \"stear\"\ncurtail = \"prempt\"\npower_period = 0\npower_thresholds = [90, 80]\n";
    let power = r#"
[[power.curtailment]]
feed = "hal"
to = "80 %"
from = "18h"
[[power.curtailment]]
feed = "row"
to = "80 %"
from = "18h"
[[power.curtailment]]
feed = "row"
to = "120 %"
from = "18h"
until = "17h"
untill = "19h"
[power]
tarif = 7
"#;
    let told = told(&format!("{FEEDS}{policy}{power}{JOB}"));
    insta::assert_snapshot!(told, @r"
    s.toml:12:9: unknown power `stear` (did you mean `steer`?)
    s.toml:13:11: unknown curtail `prempt` (did you mean `preempt`?)
    s.toml:14:16: `power_period`: expected a time of at least a second, such as `90s` or `10m`, found `0`
    s.toml:15:20: `power_thresholds`: expected two ascending percentages of a cap, 6 to 100, such as `[80, 89]`, found `90,80`
    s.toml:18:8: unknown feed `hal` (did you mean `hall`?)
    s.toml:23:6: feed `row` has no cap to take a part of (give the feed a `cap`, or say `to` in watts)
    s.toml:27:6: `to`: expected a power such as `600 kW`, or a part of the feed's cap such as `80 %`, found the text `120 %`
    s.toml:29:9: a curtailment ends before it begins (`from` and `until` are instants since the start)
    s.toml:30:1: unknown key `untill` (did you mean `until`?)
    s.toml:32:1: unknown key `tarif` (did you mean `tariff`?)
    ");
}

#[test]
fn who_is_kept_from_starting_by_power_alone_is_told_so() {
    // 18 nodes and the switches draw 27.8 kW idle, a node that trains up to 5,180 W more.
    let policy = "policy.power = \"admit\"\n";
    let capped = |cap: &str| format!("{policy}{FEEDS}cap = \"{cap}\"\n");
    let job = |gpus: u32| {
        format!("[[workload.job]]\nid = \"{gpus}\"\nkind = \"pretrain\"\ngpus = {gpus}\nwork = 60\n")
    };
    insta::assert_snapshot!(told(&format!("{}{}{}", capped("30 kW"), job(4), job(73))), @r#"
    s.toml:13:1: job `4` asks for 4 GPUs and could never start for want of power (a cap, or the limit of a ramp, leaves less than it would draw beside idle nodes; `power` in `[policy]` says what is done then; `--set run.oversized=reject` runs the rest)
    s.toml:18:1: job `73` asks for 73 GPUs and could never start (there are 72 GPUs, at most 4 a node; `--set run.oversized=reject` runs the rest)
    "#);
    let fits = |text: &str| load(&format!("{text}{}", job(4))).plan.workload.len();
    assert_eq!(fits(&capped("33 kW")), 1, "27.8 and 5.18 kW");
    // What the grid takes away for an hour, the job waits for.
    let taken = "[[power.curtailment]]\nfeed = \"hall\"\nto = \"20 kW\"\nfrom = \"0h\"\nuntil = \"1h\"\n";
    let plan = load(&format!("{}{taken}{}", capped("33 kW"), job(4))).plan;
    let history = simulate(plan, &mut Control::default());
    assert_eq!(history.segments[0].from, Time(3600), "until it comes back");
    let for_good = taken.replace("until = \"1h\"\n", "");
    let told = told(&format!("{}{for_good}{}", capped("33 kW"), job(4)));
    assert!(told.contains("could never start for want of power"), "it never comes back: {told}");
}

#[test]
fn a_curtailment_may_come_again_and_again() {
    let power = |more: &str| {
        format!("{FEEDS}\n[[power.curtailment]]\nfeed = \"hall\"\nto = \"80 %\"\nfrom = \"18h\"\n{more}{JOB}")
    };
    let evenings = "until = \"20h\"\nevery = \"1d\"\n";
    let loaded = load(&format!("run.until = \"3d\"\n{}", power(evenings)));
    let hours: Vec<(u32, u32)> =
        loaded.plan.cluster.curtailments.iter().map(|c| (c.from.0 / 3600, c.until.0 / 3600)).collect();
    assert_eq!(hours, [(18, 20), (42, 44), (66, 68)], "each evening of the run");
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    let open = load(&power(evenings));
    assert_eq!(open.plan.cluster.curtailments.len(), 366, "for a year");
    assert!(
        open.notes[0].contains("`hall` comes 366 times") && open.notes[0].contains("`run.until`"),
        "{:?}",
        open.notes
    );
    for (more, wrong) in [
        ("every = \"1d\"\n", "a curtailment that comes again and never ends"),
        ("until = \"20h\"\nevery = \"1h\"\n", "a curtailment comes again before it ends"),
        ("until = 64801\nevery = 1\n", "a curtailment that comes more than 10000 times"),
        ("until = \"20h\"\nevery = 0\n", "a curtailment comes again before it ends"),
    ] {
        let told = told(&power(more));
        assert!(told.contains(wrong), "{more}: {told}");
    }
    let told =
        told(&format!("policy.curtail = \"drain\"\n{}", power("until = \"20h\"\nevery = \"daily\"\n")));
    assert!(
        told.contains("`every`: expected a time") && told.lines().count() == 1,
        "and nothing else: {told}"
    );
}
