//! Parts and their own options: from the file, from `--set` and from `--policy`; what does not go together is told.

use super::*;
use crate::history::Settings;
use crate::policy::part::{self, Kind};

/// A cluster with a cap and a curtailment, energy with a price, a job that may wait.
const RICH: &str = r#"
[cluster]
feed = { name = "hall", cap = "1 MW" }
rack = { platform = "h100", feed = "hall" }
[power]
tariff = 40
[[power.curtailment]]
feed = "hall"
to = "80 %"
from = "18h"
[[workload.job]]
id = "a"
gpus = 1
work = 60
max_delay = "1h"
[[workload.job]]
id = "b"
gpus = 1
work = 60
priority = 2
[[queue]]
name = "q"
partitions = ["all"]
nominal = 8
"#;

pub(super) fn over(policy: &str) -> Overrides {
    Overrides { policy: Some(policy.to_owned()), ..Overrides::default() }
}

fn set(assignments: &[&str]) -> Overrides {
    let set = assignments.iter().map(|&assignment| assignment.to_owned()).collect();
    Overrides { set, ..Overrides::default() }
}

/// The policy that comes of a `[policy]` of the rich scenario, or what is wrong with it.
pub(super) fn policy(section: &str, overrides: &Overrides) -> String {
    match Scenario::from_text("s.toml", &format!("[policy]\n{section}\n{RICH}"), overrides) {
        Ok(loaded) => loaded.plan.settings.policy(),
        Err(error) => compact(&error.to_string()),
    }
}

/// The part that has an option, the option in a file, in a text, and what the policy is then called.
const OPTIONS: [(&str, &str, &str, &str); 27] = [
    (
        "order=priority",
        "priority_step = \"2h\"",
        "priority_step=2h",
        "priority/easy/best-fit/priority_step=2h",
    ),
    ("order=wfp3", "rank_period = \"30s\"", "rank_period=30s", "wfp3/easy/best-fit/rank_period=30s"),
    ("order=fair-tree", "half_life = \"12h\"", "half_life=12h", "fair-tree/easy/best-fit/half_life=12h"),
    ("order=multifactor", "weight_age = 5", "weight_age=5", "multifactor/easy/best-fit/weight_age=5"),
    ("order=multifactor", "weight_size = 5", "weight_size=5", "multifactor/easy/best-fit/weight_size=5"),
    ("order=multifactor", "weight_share = 0", "weight_share=0", "multifactor/easy/best-fit/weight_share=0"),
    (
        "order=multifactor",
        "weight_priority = 0",
        "weight_priority=0",
        "multifactor/easy/best-fit/weight_priority=0",
    ),
    ("order=multifactor", "max_age = 60", "max_age=1m", "multifactor/easy/best-fit/max_age=1m"),
    (
        "order=multifactor",
        "favored_size = \"small\"",
        "favored_size=small",
        "multifactor/easy/best-fit/favored_size=small",
    ),
    (
        "order=las",
        "queue_limits = [100, 200]",
        "queue_limits=100,200",
        "las/skip/best-fit/queue_limits=100,200",
    ),
    ("order=las", "service = \"seconds\"", "service=seconds", "las/skip/best-fit/service=seconds"),
    (
        "order=gittins",
        "lengths = [60, 60, 3600]",
        "lengths=60,60,3600",
        "gittins/skip/best-fit/lengths=60,60,3600",
    ),
    ("backfill=easy", "reservations = 2", "reservations=2", "fifo/easy/best-fit/reservations=2"),
    (
        "backfill=easy-strict",
        "reservations = 3",
        "reservations=3",
        "fifo/easy-strict/best-fit/reservations=3",
    ),
    ("backfill=conservative", "depth = 50", "depth=50", "fifo/conservative/best-fit/depth=50"),
    ("backfill=conservative", "window = \"1d\"", "window=1d", "fifo/conservative/best-fit/window=1d"),
    ("backfill=conservative", "resolution = 60", "resolution=1m", "fifo/conservative/best-fit/resolution=1m"),
    ("backfill=conservative", "max_jobs = 500", "max_jobs=500", "fifo/conservative/best-fit/max_jobs=500"),
    (
        "power=steer",
        "power_period = \"10m\"",
        "power_period=10m",
        "fifo/easy/best-fit/power=steer/power_period=10m",
    ),
    (
        "power=polca",
        "power_thresholds = [70, 80]",
        "power_thresholds=70,80",
        "fifo/easy/best-fit/power=polca/power_thresholds=70,80",
    ),
    (
        "preemption=priority",
        "min_run = \"10m\"",
        "min_run=10m",
        "fifo/easy/best-fit/preemption=priority/min_run=10m",
    ),
    (
        "preemption=priority",
        "victims = \"youngest\"",
        "victims=youngest",
        "fifo/easy/best-fit/preemption=priority/victims=youngest",
    ),
    (
        "preemption=reclaim",
        "reclaim_rules = \"final\"",
        "reclaim_rules=final",
        "fifo/easy/best-fit/preemption=reclaim/reclaim_rules=final",
    ),
    (
        "preemption=classical",
        "within_queue = \"lower-or-newer\"",
        "within_queue=lower-or-newer",
        "fifo/easy/best-fit/preemption=classical/within_queue=lower-or-newer",
    ),
    (
        "preemption=classical",
        "reclaim_from = \"lower\"",
        "reclaim_from=lower",
        "fifo/easy/best-fit/preemption=classical/reclaim_from=lower",
    ),
    (
        "preemption=classical",
        "borrow_from = 100",
        "borrow_from=100",
        "fifo/easy/best-fit/preemption=classical/borrow_from=100",
    ),
    (
        "hold=cheapest-window",
        "max_delay = { eval = \"12h\", other = 60 }",
        "max_delay=eval=12h,other=60",
        "fifo/easy/best-fit/hold=cheapest-window/max_delay=eval=12h,other=1m",
    ),
];

/// `kind=name` as it stands in a file.
fn in_file(part: &str) -> String {
    let (kind, name) = part.split_once('=').unwrap();
    format!("{kind} = \"{name}\"\n")
}

#[test]
fn every_option_is_read_from_file_setting_and_policy() {
    let named: Vec<&str> = OPTIONS.iter().map(|(_, _, text, _)| text.split('=').next().unwrap()).collect();
    for option in part::options() {
        assert!(named.contains(&option.name), "{} is tried", option.name);
    }
    for (part, file, text, expected) in OPTIONS {
        let section = format!("{}{file}", in_file(part));
        assert_eq!(policy(&section, &Overrides::default()), expected, "file");
        assert_eq!(policy("", &over(&format!("{part}/{text}"))), expected, "-p, on top of nothing");
        assert_eq!(policy(&in_file(part), &over(text)), expected, "-p, on top of its part");
        assert_eq!(policy(file, &over(part)), expected, "the file's, with the part of -p");
        let setting = format!("policy.{}", file.replace(" = ", "="));
        assert_eq!(policy(&in_file(part), &set(&[&setting])), expected, "--set");
        let mut settings = Settings::named("fifo", "easy", "best-fit");
        apply_policy(&mut settings, expected).unwrap();
        assert_eq!(settings.policy(), expected, "what it is called can be typed");
    }
}

#[test]
fn one_queue_is_no_limit() {
    let expected = "las/skip/best-fit/queue_limits=none";
    assert_eq!(policy("order = \"las\"\nqueue_limits = []", &Overrides::default()), expected, "file");
    assert_eq!(policy("", &over("las/queue_limits=none")), expected, "-p");
    assert!(policy("", &over("las/queue_limits=")).ends_with("found nothing"), "a slip");
}

#[test]
fn an_option_of_a_part_that_is_not_chosen_is_told() {
    for (part, file, text, _) in OPTIONS {
        let (kind, name) = part.split_once('=').unwrap();
        let key = text.split('=').next().unwrap();
        // A part of the same kind that lacks the option.
        let kind = Kind::named(kind).unwrap();
        let lacks = |part: &part::Part| !part.options.iter().any(|option| option.name == key);
        let other = kind.parts().find(lacks).unwrap();
        let other = format!("{}={}", kind.name(), other.name);
        let told = [
            (policy(&format!("{}{file}", in_file(&other)), &Overrides::default()), "s.toml:"),
            (policy(&in_file(&other), &set(&[&format!("policy.{}", file.replace(" = ", "="))])), "--set "),
            (policy("", &over(&format!("{other}/{text}"))), "--policy "),
        ];
        for (told, place) in told {
            assert!(told.starts_with(place), "{other}: {told}");
            assert!(told.contains(&format!("`{key}` is an option of {} `", kind.name())), "{told}");
            assert!(told.contains(name) && told.lines().count() == 1, "{told}");
        }
        // What the file says of its own part stays when another part takes its place.
        let file = format!("{}{file}", in_file(part));
        let inherited = policy(&file, &over(&other));
        assert!(!inherited.contains(key) && !inherited.contains(':'), "{other}: {inherited}");
    }
    insta::assert_snapshot!(policy("backfill = \"none\"\nreservations = 2", &Overrides::default()), @r#"s.toml:3:16: `reservations` is an option of backfill `easy` and `easy-strict` and `easy-pinned`, and backfill is `none` (`backfill = "easy"`)"#);
    insta::assert_snapshot!(policy("", &over("fcfs/reservations=2")), @r"--policy fcfs/reservations=2: `reservations` is an option of backfill `easy` and `easy-strict` and `easy-pinned`, and backfill is `none` (`backfill=easy`)");
    // What a command line says and then takes back is no better.
    let replaced = |text: &str, overrides: Overrides| {
        let told = policy("", &Overrides { policy: Some(text.to_owned()), ..overrides });
        assert!(told.contains("is an option of"), "{text}: {told}");
    };
    let skip = || Overrides { backfill: Some("skip".to_owned()), ..Overrides::default() };
    replaced("easy/reservations=4", skip());
    replaced("easy/reservations=4", set(&["policy.backfill=skip"]));
    replaced("las/queue_limits=5", Overrides { order: Some("fifo".to_owned()), ..Overrides::default() });
    insta::assert_snapshot!(policy("hold = \"non\"\nmax_delay = { eval = 60 }", &Overrides::default()), @r"s.toml:2:8: unknown hold `non` (did you mean `none`?)");
}

#[test]
fn an_unknown_option_is_told_with_the_nearest_known_one() {
    insta::assert_snapshot!(policy("reservation = 2", &Overrides::default()), @r"s.toml:2:1: unknown key `reservation` (did you mean `reservations`?)");
    insta::assert_snapshot!(policy("", &set(&["policy.dept=2"])), @r"--set policy.dept=2: unknown key `dept` (did you mean `depth`?)");
    insta::assert_snapshot!(policy("", &over("easy/reservation=2")), @r"--policy easy/reservation=2: unknown part or option `reservation` (did you mean `reservations`?)");
    insta::assert_snapshot!(policy("", &over("//leftovr=2,energy=1")), @r"--policy //leftovr=2,energy=1: unknown part or option `leftovr` (did you mean `leftover`?)");
    insta::assert_snapshot!(policy("", &over("easy/reservations=0")), @r"--policy easy/reservations=0: `reservations`: expected a whole number of at least 1, found `0`");
    insta::assert_snapshot!(policy("reservations = \"many\"", &Overrides::default()), @r"s.toml:2:16: `reservations`: expected a whole number of at least 1, found `many`");
}

#[test]
fn preemption_is_a_part_that_an_order_implies() {
    let preemption = |section: &str, overrides: &Overrides| policy(section, overrides);
    let none = Overrides::default();
    let by_flag = Overrides { preemption: Some("none".to_owned()), ..Overrides::default() };
    for (section, overrides, expected) in [
        ("order = \"srtf\"", &none, "srtf/skip/best-fit"),
        ("preset = \"easy\"\norder = \"las\"", &none, "las/skip/best-fit"),
        ("order = \"srtf\"\nbackfill = \"skip\"", &none, "srtf/skip/best-fit"),
        ("order = \"srtf\"\npreemption = \"ranked\"", &none, "srtf/skip/best-fit"),
        ("order = \"srtf\"\npreemption = \"none\"", &none, "srtf/easy/best-fit/preemption=none"),
        ("order = \"srtf\"", &by_flag, "srtf/easy/best-fit/preemption=none"),
        ("", &over("srtf/easy/preemption=none"), "srtf/easy/best-fit/preemption=none"),
        ("", &over("priority/preemption=ranked"), "priority/skip/best-fit/preemption=ranked"),
        ("preemption = \"none\"", &none, "fifo/easy/best-fit"),
        // The scenario's backfill yields to an order that is put on top of it, and comes back with another order.
        ("backfill = \"conservative\"", &over("srtf"), "srtf/skip/best-fit"),
        ("order = \"srtf\"", &over("sjf"), "sjf/easy/best-fit"),
        ("order = \"srtf\"", &over("easy"), "fifo/easy/best-fit"),
        ("preemption = \"none\"", &over("las"), "las/easy/best-fit/preemption=none"),
        ("preemption = \"none\"", &over("tiresias"), "las/skip/consolidate"),
    ] {
        assert_eq!(preemption(section, overrides), expected, "{section:?} {:?}", overrides.policy);
    }
}

#[test]
fn preemption_decides_whether_jobs_stop() {
    // A long job runs when a short one comes that needs its GPUs.
    let text = "cluster = \"1x8\"\n[[workload.job]]\nid = \"long\"\ngpus = 8\nwork = 100\n\
        [[workload.job]]\nid = \"short\"\ngpus = 8\nwork = 10\nsubmit = \"20s\"\n";
    for (policy, starts) in [("srtf", vec![0, 20, 30]), ("srtf/preemption=none", vec![0, 100])] {
        let plan = Scenario::from_text("s.toml", text, &over(policy)).unwrap().plan;
        let history = simulate(plan, &mut Control::default());
        let from: Vec<u32> = history.segments.iter().map(|segment| segment.from.0).collect();
        assert_eq!(from, starts, "{policy}");
    }
}

#[test]
fn a_backfill_beside_ranked_preemption_is_told() {
    insta::assert_snapshot!(policy("order = \"srtf\"\nbackfill = \"easy\"", &Overrides::default()), @r#"s.toml:3:12: backfill `easy` does nothing under preemption `ranked`, which order `srtf` implies, where only `skip` means anything (`preemption = "none"` keeps order and backfill, `backfill = "skip"` keeps the preemption)"#);
    insta::assert_snapshot!(policy("", &over("srtf/none")), @r"--policy srtf/none: backfill `none` does nothing under preemption `ranked`, which order `srtf` implies, where only `skip` means anything (`preemption=none` keeps order and backfill, `backfill=skip` keeps the preemption)");
    insta::assert_snapshot!(policy("preemption = \"ranked\"", &over("easy")), @r"--policy easy: backfill `easy` does nothing under preemption `ranked` where only `skip` means anything (`preemption=none` keeps order and backfill, `backfill=skip` keeps the preemption)");
    let backfill = Overrides { backfill: Some("conservative".to_owned()), ..over("las") };
    insta::assert_snapshot!(policy("", &backfill), @r"--backfill conservative: backfill `conservative` does nothing under preemption `ranked`, which order `las` implies, where only `skip` means anything (`--set policy.preemption=none` keeps order and backfill, `--set policy.backfill=skip` keeps the preemption)");
}

#[test]
fn running_jobs_cannot_be_ranked_by_what_changes_while_jobs_wait() {
    insta::assert_snapshot!(policy("order = \"wfp3\"\npreemption = \"ranked\"", &Overrides::default()), @r#"s.toml:3:14: order `wfp3` changes while jobs wait: preemption `ranked` cannot rank running jobs by it (`preemption = "none"`, or an order that stays, such as `priority`)"#);
    insta::assert_snapshot!(policy("", &over("unicef/preemption=ranked")), @r"--policy unicef/preemption=ranked: order `unicef` changes while jobs wait: preemption `ranked` cannot rank running jobs by it (`preemption=none`, or an order that stays, such as `priority`)");
}

#[test]
fn weights_that_nobody_reads_are_told() {
    let text = |order: &str, weight: &str| {
        let who = format!("[[tenant]]\nname = \"a\"\nweight = {weight}\n");
        let queue = "[[queue]]\nname = \"q\"\ntenants = [\"a\"]\nweight = 3\n";
        format!("{CLUSTER}[policy]\norder = \"{order}\"\n{who}{queue}{JOB}tenant = \"a\"\n")
    };
    let none = Overrides::default();
    insta::assert_snapshot!(told_with(&text("fifo", "2"), &none), @r"
    s.toml:6:10: `weight`, and order `fifo` reads none (order `fair-tree` does, and `multifactor` with `weight_share`)
    s.toml:10:10: `weight`, and order `fifo` reads none (order `fair-tree` does, `multifactor` with `weight_share`, those that let queues take turns, such as `drf`, and preemption `reclaim`)
    ");
    insta::assert_snapshot!(told_with(&text("fair-tree", "-2"), &none), @"s.toml:6:10: `weight`: expected a number of at least 0 with at most three decimals, up to 4294967, found `-2`");
    for (order, overrides, expected) in [
        ("fair-tree", none.clone(), "nothing, and 1 jobs"),
        ("multifactor", none.clone(), "nothing, and 1 jobs"),
        ("fifo", over("fair-tree"), "nothing, and 1 jobs"),
        // What the file's own order reads stays when another takes its place.
        ("fair-tree", over("fifo"), "nothing, and 1 jobs"),
        ("multifactor", over("weight_share=0"), "nothing, and 1 jobs"),
    ] {
        assert_eq!(told_with(&text(order, "0.5"), &overrides), expected, "{order} {:?}", overrides.policy);
    }
    let tenants = told_with(&text("fifo", "2"), &over("preemption=reclaim"));
    assert!(tenants.starts_with("s.toml:6:10") && !tenants.contains("s.toml:10"), "queues alone: {tenants}");
    let unread = told_with(&text("fifo", "2"), &over("multifactor/weight_share=0"));
    assert!(unread.contains("order `multifactor` reads none"), "{unread}");
}

#[test]
fn a_priority_that_all_jobs_share_is_worth_nothing() {
    let plain = |section: &str, job: &str| {
        told(&format!("{CLUSTER}[policy]\norder = \"multifactor\"\n{section}\n{JOB}{job}"))
    };
    insta::assert_snapshot!(plain("weight_priority = 5", ""), @"s.toml:4:19: `weight_priority`, and all jobs have the same priority (`priority` of a job or a template sets one)");
    assert_eq!(plain("weight_priority = 0", ""), "nothing, and 1 jobs");
    assert_eq!(plain("", ""), "nothing, and 1 jobs", "what is usual may come to nothing");
    let other = format!("{}priority = 2\n", JOB.replace("\"a\"", "\"b\""));
    assert_eq!(plain("weight_priority = 5", &other), "nothing, and 2 jobs");
}

#[test]
fn a_part_that_can_do_nothing_is_told() {
    let plain = |section: &str, overrides: &Overrides| {
        told_with(&format!("{CLUSTER}[policy]\n{section}\n{JOB}"), overrides)
    };
    let none = Overrides::default();
    insta::assert_snapshot!(plain("power = \"steer\"", &none), @r#"s.toml:3:9: power `steer` is about caps, and the cluster has none (`cap` of a site, feed or rack sets one, such as `cap = "750 kW"`)"#);
    insta::assert_snapshot!(plain("curtail = \"drain\"", &none), @r"s.toml:3:11: curtail `drain`, and the grid takes no power away (`[[power.curtailment]]` makes one)");
    insta::assert_snapshot!(plain("", &over("easy/power=cap")), @r#"--policy easy/power=cap: power `cap` is about caps, and the cluster has none (`cap` of a site, feed or rack sets one, such as `cap = "750 kW"`)"#);
    insta::assert_snapshot!(policy("power = \"none\"\ncurtail = \"drain\"", &none), @r#"s.toml:3:11: curtail `drain`, and power `none` heeds no curtailment (`power = "admit"` heeds them)"#);
    insta::assert_snapshot!(policy("", &over("hold=cleanest-window")), @r"--policy hold=cleanest-window: hold `cleanest-window`, and nothing to go by at any site (`[power]` says it: `tariff` for prices, `carbon` for what energy emits)");
    let nobody = RICH.replace("max_delay = \"1h\"", "");
    insta::assert_snapshot!(told_with(&nobody, &over("hold=cheapest-window")), @r#"--policy hold=cheapest-window: hold `cheapest-window`, and no job may be held back (`max_delay` says how long, such as `max_delay = { eval = "12h" }` in `[policy]`)"#);
    for section in ["power = \"none\"", "power = \"admit\"", "hold = \"none\"", "preemption = \"none\""] {
        assert_eq!(plain(section, &none), "nothing, and 1 jobs", "{section}: what is usual may be said");
    }
    assert_eq!(
        policy("curtail = \"drain\"", &over("power=none")),
        "fifo/easy/best-fit/power=none/curtail=drain"
    );
}

#[test]
fn policies_on_top_of_a_scenario_are_held_to_the_same() {
    let loaded =
        load(&format!("[policy]\norder = \"srtf\"\nreservations = 2\npreemption = \"none\"\n{RICH}"));
    let under = |text: &str| match loaded.choices.under(text, &loaded.plan) {
        Ok(settings) => settings.policy(),
        Err(problem) => problem.message().to_owned(),
    };
    for (text, expected) in [
        ("power=none", "srtf/easy/best-fit/power=none/preemption=none/reservations=2"),
        ("power=admit", "srtf/easy/best-fit/preemption=none/reservations=2"),
        ("greedy", "fifo/skip/best-fit"),
        ("preemption=ranked", "srtf/skip/best-fit"),
        ("greedy/depth=3", "`depth` is an option of backfill `conservative`, and backfill is `skip`"),
        ("easy/window=1d", "`window` is an option of backfill `conservative`, and backfill is `easy`"),
        ("easy/max_jobs=3", "`max_jobs` is an option of backfill `conservative`, and backfill is `easy`"),
        ("hold=cleanest-window", "hold `cleanest-window`, and nothing to go by at any site"),
    ] {
        assert_eq!(under(text), expected, "{text}");
    }
}

#[test]
fn a_placement_that_knows_the_pods_of_now_alone_goes_with_no_reservation() {
    assert_eq!(
        policy("placement = \"gpu-clustering\"", &Overrides::default()),
        "s.toml:2:13: placement `gpu-clustering` goes by the pods that are on a node now, and backfill `easy` \
         reserves for times to come (`backfill = \"skip\"` goes with it)"
    );
    for backfill in ["none", "skip"] {
        let section = format!("placement = \"gpu-clustering\"\nbackfill = \"{backfill}\"");
        assert_eq!(
            policy(&section, &Overrides::default()),
            format!("fifo/{backfill}/gpu-clustering"),
            "reserves nothing"
        );
    }
    for backfill in ["easy", "easy-strict", "conservative"] {
        let told = policy("", &over(&format!("backfill={backfill}/placement=gpu-clustering")));
        assert!(told.contains(&format!("backfill `{backfill}` reserves")), "{backfill}: {told}");
    }
    assert_eq!(
        policy("placement = \"fgd\"", &Overrides::default()),
        "fifo/easy/fgd",
        "others know what will be left"
    );
}
