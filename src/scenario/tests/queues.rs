use super::*;
use crate::units::Seconds;
use crate::workload::{JobLimits, Queue};

const HEAD: &str = "[[cluster.rack]]\nname = \"r\"\nplatform = \"h100\"\ncount = 8\n[[cluster.partition]]\nname = \"train\"\nracks = [\"r[0-3]\"]\n";

/// Jobs of three tenants, one of them in a partition.
const JOBS: &str = "
[[workload.job]]
id = \"a\"
tenant = \"openai\"
partition = \"train\"
gpus = 1
work = 60
[[workload.job]]
id = \"b\"
tenant = \"meta\"
gpus = 1
work = 60
[[workload.job]]
id = \"c\"
tenant = \"acorn\"
gpus = 1
work = 60
";

/// What is wrong with queues; places count from the line after the cluster.
fn wrong(queues: &str) -> String {
    let text = format!("{HEAD}{queues}{JOBS}");
    let lines = HEAD.lines().count();
    let from_queues = |line: &str| {
        let (place, rest) = line.strip_prefix("s.toml:").and_then(|line| line.split_once(':')).unwrap();
        format!("{}:{rest}", place.parse::<usize>().unwrap() - lines)
    };
    let told = told(&text);
    if told.starts_with("nothing") {
        told
    } else {
        told.lines().map(from_queues).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_tree_of_queues_is_read_whatever_the_order_in_the_file() {
    let loaded = load(&format!(
        "{HEAD}
        [[queue]]
        name = \"research\"
        parent = \"cloud\"
        tenants = [\"meta\", \"openai\"]
        nominal = 16
        borrow = 8.5
        guarantee = 4
        [[queue]]
        name = \"cloud\"
        nominal = 32
        limit = 40
        [[queue]]
        name = \"rest\"
        parent = \"cloud\"
        tenants = [\"acorn\"]
        partitions = [\"all\", \"train\"]
        lend = 0
        {JOBS}"
    ));
    let workload = &loaded.plan.workload;
    assert_eq!(
        workload.queues,
        [
            Queue { nominal_milli: Some(32_000), limit_milli: Some(40_000), ..Queue::named("cloud") },
            Queue {
                parent: Some(0),
                tenants: vec![0, 1],
                nominal_milli: Some(16_000),
                borrow_milli: Some(8500),
                lend_milli: Some(12_000),
                ..Queue::named("research")
            },
            Queue {
                parent: Some(0),
                tenants: vec![2],
                partitions: vec![0, 1],
                lend_milli: Some(0),
                ..Queue::named("rest")
            },
        ]
    );
    let queues: Vec<_> = (0..3).map(|job| workload.queue_of(job)).collect();
    assert_eq!(queues, [Some(1), Some(1), Some(2)], "where jobs stand");
    assert_eq!(loaded.notes, ["queues have 48 GPUs of their own, the cluster 256"], "what may surprise");
}

#[test]
fn a_queue_of_a_partition_takes_the_jobs_there_and_a_note_tells_of_all_others() {
    let loaded =
        load(&format!("{HEAD}[[queue]]\nname = \"cloud\"\npartitions = [\"train\"]\nlimit = 8\n{JOBS}"));
    let workload = &loaded.plan.workload;
    assert_eq!((0..3).map(|job| workload.queue_of(job)).collect::<Vec<_>>(), [Some(0), None, None]);
    assert_eq!(loaded.notes, ["jobs of `meta` and of another tenant stand in no queue: none limits them"]);
}

#[test]
fn queues_that_are_no_tree_are_told() {
    insta::assert_snapshot!(wrong("
[[queue]]
parent = \"x\"
[[queue]]
name = \"cloud\"
[[queue]]
name = \"cloud\"
[[queue]]
name = \"train\"
parent = \"clod\"
tenants = [\"meta\"]
colour = 1
"), @r"
    2:1: missing `name`
    7:8: queue `cloud` is described twice
    9:8: `train` is a partition (a queue needs a name of its own)
    10:10: unknown queue `clod` (did you mean `cloud`?)
    12:1: unknown key `colour` (known: name, parent, tenants, partitions, nominal, borrow, lend, guarantee, limit, weight, jobs, job_gpus, job_time, job_priority)
    ");
    insta::assert_snapshot!(wrong("
[[queue]]
name = \"a\"
parent = \"b\"
[[queue]]
name = \"b\"
parent = \"a\"
[[queue]]
name = \"c\"
parent = \"a\"
tenants = [\"meta\"]
[[queue]]
name = \"d\"
parent = \"d\"
"), @r"
    4:10: queues above one another in a ring: a → b → a
    14:10: queues above one another in a ring: d → d
    ");
    let queue = |own: u32| {
        let parent =
            own.checked_sub(1).map_or_else(String::new, |parent| format!("parent = \"q{parent}\"\n"));
        format!("[[queue]]\nname = \"q{own}\"\n{parent}")
    };
    let deep = |depth: u32| (0..depth).map(queue).collect::<String>() + "tenants = [\"meta\"]\n";
    assert_eq!(wrong(&deep(16)), "nothing, and 3 jobs", "as deep as may be");
    insta::assert_snapshot!(wrong(&deep(17)), @"50:10: more than 16 queues above one another");
}

#[test]
fn whose_jobs_a_queue_takes_has_to_be_clear() {
    insta::assert_snapshot!(wrong("
[[queue]]
name = \"cloud\"
tenants = [\"meta\"]
[[queue]]
name = \"below\"
parent = \"cloud\"
partitions = [\"trian\"]
[[queue]]
name = \"empty\"
parent = \"cloud\"
"), @r"
    3:8: queue `cloud` has tenants, and queues below it (give those to a queue below it)
    8:15: unknown partition `trian` (did you mean `train`?)
    10:8: queue `empty` takes no jobs, and has no queue below it (`tenants` or `partitions` say whose jobs it takes)
    ");
    insta::assert_snapshot!(wrong("
[[queue]]
name = \"a\"
tenants = [\"opneai\", \"meta\", \"meta\"]
"), @r"
    4:12: unknown tenant `opneai` (did you mean `openai`?)
    4:30: `meta` is named twice
    ");
    insta::assert_snapshot!(wrong("
[[queue]]
name = \"a\"
tenants = [\"openai\"]
[[queue]]
name = \"b\"
partitions = [\"train\"]
[[queue]]
name = \"c\"
tenants = [\"meta\", \"openai\"]
partitions = [\"all\"]
"), @r"
    6:8: jobs of `openai` in `train` stand in two queues: `a` and `b` (a job stands in one queue or none)
    9:8: jobs of `openai` in `all` stand in two queues: `a` and `c` (a job stands in one queue or none)
    ");
}

#[test]
fn amounts_that_say_nothing_or_contradict_are_told() {
    insta::assert_snapshot!(wrong("
[[queue]]
name = \"alone\"
tenants = [\"meta\"]
nominal = 8
borrow = 1
lend = 1
guarantee = 1
limit = 4
[[queue]]
name = \"cloud\"
nominal = 16
[[queue]]
name = \"a\"
parent = \"cloud\"
tenants = [\"openai\"]
nominal = 8
lend = 9
guarantee = 9
limit = 7.5
[[queue]]
name = \"empty\"
[[queue]]
name = \"b\"
parent = \"empty\"
tenants = [\"acorn\"]
borrow = 4
"), @r"
    6:10: `borrow` of a queue without a parent (`alone` has nobody to borrow from or to lend to)
    7:8: `lend` of a queue without a parent (`alone` has nobody to borrow from or to lend to)
    8:13: `guarantee` of a queue without a parent (`alone` has nobody to borrow from or to lend to)
    9:9: `limit` 4 is below `nominal` 8
    18:8: `lend` 9 is more than there is to lend (`a` and the queues below it have 8 GPUs to lend)
    19:13: `guarantee` beside `lend` (`guarantee` is `nominal` less `lend`)
    19:13: `guarantee` 9 is more than `nominal` 8
    20:9: `limit` 7.5 is below `nominal` 8
    27:10: nothing to borrow: no queue of this tree has `nominal`
    ");
}

#[test]
fn a_job_larger_than_its_queue_could_hold_is_told() {
    let small = "[[queue]]\nname = \"cloud\"\nnominal = 0.5\n[[queue]]\nname = \"lab\"\nparent = \"cloud\"\ntenants = [\"meta\"]\n";
    insta::assert_snapshot!(wrong(small), @"15:1: job `b` asks for 1 GPU and could never start (there are 256 GPUs, at most 8 a node; the most that queue `lab` could hold is 0.5 GPUs; `--set run.oversized=reject` runs the rest)");
}

#[test]
fn what_a_queue_allows_a_job_is_read_and_jobs_beyond_it_are_told() {
    let limits = "[[queue]]\nname = \"lab\"\ntenants = [\"meta\"]\njobs = 2\njob_gpus = 4\njob_time = \"1h\"\njob_priority = -1\n";
    let read = load(&format!("run = {{ oversized = \"reject\" }}\n{HEAD}{limits}{JOBS}"));
    let expected =
        JobLimits { running: Some(2), gpus_milli: Some(4000), time: Some(Seconds(3600)), priority: Some(-1) };
    assert_eq!(read.plan.workload.queues[0].job_limits, expected);
    assert!(
        read.notes.iter().any(|note| note == "1 job is beyond what its queue allows a job: rejected"),
        "{:?}",
        read.notes
    );
    insta::assert_snapshot!(wrong(limits), @"15:1: job `b` has priority 0 and could never start (a job of queue `lab` may have at most priority -1; `--set run.oversized=reject` runs the rest)");
    insta::assert_snapshot!(wrong(&limits.replace("= -1", "= 0").replace("\"1h\"", "59")), @"15:1: job `b` requests 1m00s and could never start (a job of queue `lab` may have at most 59s; `--set run.oversized=reject` runs the rest)");
    insta::assert_snapshot!(wrong("
[[queue]]
name = \"lab\"
tenants = [\"meta\"]
limit = 8
jobs = 0
job_gpus = 8
job_time = 0
job_priority = 1.5
"), @r"
    6:8: `jobs` 0 lets in no job (without it there is no such limit)
    7:12: `job_gpus` 8 beside `limit` 8 (no job asks for more than `limit` anyway)
    8:12: `job_time` 0 lets in no job (without it there is no such limit)
    9:16: `job_priority`: expected a whole number from -2147483648 to 2147483647, found `1.5`
    ");
}

#[test]
fn what_queues_have_may_be_told_apart_by_platform() {
    let cluster = "[[cluster.rack]]\nname = \"a\"\nplatform = \"h100\"\ncount = 2\n[[cluster.rack]]\nname = \"b\"\nplatform = \"h200\"\ncount = 2\n";
    let queues = "
[[queue]]
name = \"cloud\"
nominal = { h200 = 16, h100 = 8 }
[[queue]]
name = \"research\"
parent = \"cloud\"
tenants = [\"meta\", \"openai\", \"acorn\"]
nominal = { h100 = 8 }
borrow = { h200 = 4 }
guarantee = { h100 = 2 }
limit = { h200 = 12 }
[[tenant]]
name = \"meta\"
quota = { h200 = 4 }
[[tenant]]
name = \"openai\"
[[tenant]]
name = \"acorn\"
";
    let jobs = JOBS.replace("partition = \"train\"\n", "");
    let workload = load(&format!("{cluster}{queues}{jobs}")).plan.workload;
    let [cloud, research] = &workload.queues[..] else { panic!("two queues") };
    let said = |queue: &Queue, at: usize| {
        let own = queue.by_platform[at];
        [own.nominal_milli, own.borrow_milli, own.lend_milli, own.limit_milli]
    };
    assert_eq!(
        [said(cloud, 0), said(cloud, 1)],
        [[Some(16_000), None, None, None], [Some(8_000), None, None, None]]
    );
    assert_eq!(said(research, 0), [Some(8_000), None, Some(6_000), None], "it keeps 2 of `h100`");
    assert_eq!(said(research, 1), [None, Some(4_000), None, Some(12_000)]);
    assert_eq!(cloud.by_platform[0].platform, research.by_platform[1].platform, "in the order of the file");
    assert_eq!(workload.tenants[0].quota_by_platform, [(cloud.by_platform[0].platform, 4_000)]);
    for (key, other, expected) in [
        (
            "nominal = { h100 = 8 }",
            "nominal = 8",
            "`nominal` of all platforms together beside `nominal` by platform",
        ),
        ("borrow = { h200 = 4 }", "borrow = { gb300 = 4 }", "the cluster has no `gb300`"),
        ("borrow = { h200 = 4 }", "borrow = { h20 = 4 }", "unknown platform `h20`"),
        ("borrow = { h200 = 4 }", "borrow = {}", "`borrow` of no platform"),
        (
            "guarantee = { h100 = 2 }",
            "guarantee = { h100 = 20 }",
            "`guarantee` 20 of h100 is more than `nominal` 8",
        ),
        (
            "guarantee = { h100 = 2 }",
            "lend = { h100 = 20 }",
            "`lend` 20 of h100 is more than there is to lend",
        ),
        ("limit = { h200 = 12 }", "limit = { h100 = 4 }", "`limit` 4 of h100 is below `nominal` 8"),
    ] {
        let told = told(&format!("{cluster}{}{jobs}", queues.replace(key, other)));
        assert!(told.contains(expected), "{expected}: {told}");
    }
    for (policy, said, hint) in [
        (
            "backfill = \"conservative\"",
            "backfill `conservative` beside quotas by platform",
            "backfills `none`, `skip` and `easy`",
        ),
        (
            "order = \"gittins\"",
            "order `gittins`, which implies preemption `ranked`, beside",
            "with `preemption = \"none\"`",
        ),
        ("preemption = \"ranked\"", "preemption `ranked` beside", "the other preemptions, and `none`"),
    ] {
        let told = told(&format!("[policy]\n{policy}\n{cluster}{queues}{jobs}"));
        assert!(told.contains(said) && told.contains(hint), "{policy}: {told}");
    }
}
