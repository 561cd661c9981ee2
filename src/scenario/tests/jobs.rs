use super::*;
use crate::units::{Factor, Seconds, Time};
use crate::workload::{JobKind, Overrun, Shape, Topology};

fn job(text: &str) -> Loaded {
    load(&format!("{CLUSTER}[[workload.job]]\nid = \"a\"\n{text}"))
}

fn told_job(text: &str) -> String {
    told(&format!("{CLUSTER}[[workload.job]]\nid = \"a\"\n{text}"))
}

#[test]
fn a_job_says_everything_about_itself() {
    let loaded = job("
        tenant = \"acorn\"
        kind = \"finetune\"
        pods = 2
        pod_gpus = 4
        cpu = 16.5
        memory = \"64 GiB\"
        work = \"6h\"
        requested = \"8h\"
        priority = -3
        platforms = [\"h100\", \"gb300\"]
        speed = { gb300 = 2.0 }
        topology = \"require-rack\"
        segment = 2
        preemptible = true
        checkpoint = \"30m\"
        checkpoint_cost = \"1m\"
        restart = \"5m\"
        overrun = \"kill\"
        cancel = \"1d\"
        fails = true
        submit = \"1h\"
    ");
    let workload = &loaded.plan.workload;
    let (job, request, behaviour) = (&workload.jobs[0], workload.request_of(0), workload.behaviour_of(0));
    assert_eq!(
        (job.submit_time, job.work_time, job.requested_time),
        (Time(3600), Seconds(21_600), Seconds(28_800)),
        "times"
    );
    assert_eq!((job.cancel_time, job.priority, job.fails), (Time(3600 + 86_400), -3, true), "fate");
    assert_eq!(request.shape, Shape::Pods { count: 2, gpus_milli_each: 4000 }, "pods");
    assert_eq!((request.cpu_milli, request.memory_mib, request.segment), (16_500, 65_536, 2), "host");
    let index = |name: &str| loaded.catalogue.index_of(name).unwrap();
    assert!(
        request.platforms.contains(index("gb300")) && !request.platforms.contains(index("b200")),
        "platforms"
    );
    assert_eq!(request.topology, Topology::RequireRack, "topology");
    assert_eq!(
        (behaviour.kind, behaviour.overrun, behaviour.preemptible),
        (JobKind::Finetune, Overrun::Kill, true),
        "kind"
    );
    assert_eq!(
        (behaviour.checkpoint_interval, behaviour.restart_time),
        (Seconds(1800), Seconds(300)),
        "restart"
    );
    assert_eq!((behaviour.gpus_min_milli, behaviour.gpus_max_milli), (8000, 8000), "not elastic");
    assert_eq!(behaviour.speed(index("gb300")), Factor::from_f64(2.0).unwrap(), "its own speed");
    assert!(behaviour.speed(index("vr200")) > behaviour.speed(index("h100")), "and those of its kind");
    assert_eq!(workload.tenants[job.tenant as usize].name, "acorn", "tenant");
}

#[test]
fn a_deadline_is_so_long_after_the_submission_or_so_many_times_the_work() {
    let text = |line: &str| {
        let job = "[[workload.job]]\nid = \"a\"\ngpus = 8\nwork = \"100s\"\nsubmit = \"1h\"\n";
        format!("cluster = \"2x8\"\n{job}{line}\n")
    };
    let due = |line: &str| load(&text(line)).plan.workload.jobs[0].due_time();
    assert_eq!(due(""), None, "nothing is said");
    assert_eq!(due("deadline = \"2h\""), Some(Time(3 * 3600)), "after its submission");
    assert_eq!(due("deadline = { times = 2.5 }"), Some(Time(3850)), "of its work");
    let edf = Overrides { policy: Some("edf".to_owned()), ..Overrides::default() };
    let found = told_with(&text(""), &edf);
    assert!(found.contains("order `edf` goes by deadlines, and no job has one"), "{found}");
    assert_eq!(told_with(&text("deadline = 200"), &edf), "nothing, and 1 jobs");
}

#[test]
fn jobs_that_say_nothing_may_be_stopped_but_services() {
    let of = |lines: &str| {
        let text =
            format!("cluster = \"2x8\"\n[[workload.job]]\nid = \"a\"\ngpus = 8\nwork = \"1h\"\n{lines}\n");
        load(&text).plan.workload.behaviour_of(0).preemptible
    };
    assert!(of("") && of("kind = \"pretrain\""), "a job");
    assert!(!of("kind = \"inference-service\""), "a service");
    assert!(
        !of("preemptible = false") && of("kind = \"inference-service\"\npreemptible = true"),
        "as they say"
    );
}

#[test]
fn pods_come_from_any_of_three_numbers() {
    let any = |gpus_milli| Shape::Any { gpus_milli };
    let pods = |count, gpus_milli_each| Shape::Pods { count, gpus_milli_each };
    for (text, shape) in [
        ("gpus = 12", any(12_000)),
        ("gpus = 0.5", any(500)),
        ("gpus = 0", any(0)),
        ("gpus = 12\npods = 3", pods(3, 4000)),
        ("gpus = 12\npod_gpus = 4", pods(3, 4000)),
        ("pods = 3\npod_gpus = 0.25", pods(3, 250)),
        ("pod_gpus = 4", pods(1, 4000)),
        ("pods = 3\ncpu = 4", pods(3, 0)),
        ("gpus = 12\npods = 3\npod_gpus = 4", pods(3, 4000)),
    ] {
        assert_eq!(job(&format!("work = 60\n{text}\n")).plan.workload.request_of(0).shape, shape, "{text}");
    }
    let wrong = [
        "gpus = 1.5",
        "gpus = 12\npods = 5",
        "gpus = 3\npods = 2",
        "gpus = 12\npod_gpus = 5",
        "gpus = 12\npod_gpus = 0",
        "pods = 0",
        "pods = 4000000000\npod_gpus = 8",
        "pods = -1",
        "gpus = \"x\"",
        "",
    ];
    let told: Vec<String> = wrong.iter().map(|text| told_job(&format!("work = 60\n{text}\n"))).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    s.toml:5:8: `1.5` GPUs: expected a share of one GPU, or whole ones
    s.toml:5:8: `2.4` GPUs: expected a share of one GPU, or whole ones
    s.toml:5:8: `1.5` GPUs: expected a share of one GPU, or whole ones
    s.toml:5:8: 12 GPUs are not 2 pods of 5
    s.toml:6:12: `pod_gpus`: expected more than 0 beside `gpus`
    s.toml:5:8: `pods`: expected at least 1, found `0`
    s.toml:5:8: more than 4294967 GPUs in all pods together
    s.toml:5:8: `pods`: expected a whole number from 0 to 4294967295, found `-1`
    s.toml:5:8: `gpus`: expected a number of GPUs with at most three decimals, up to 4294967, found the text `x`
    s.toml:2:1: missing `gpus` (0 for a job that needs none)
    ");
}

#[test]
fn work_is_a_time_or_a_distribution() {
    for (text, least, most) in [
        ("\"45m\"", 2700, 2700),
        ("{ uniform = [\"10m\", \"20m\"] }", 600, 1200),
        ("{ exponential = \"1h\" }", 1, 90_000),
        ("{ lognormal = \"1h\", sigma = 0.5 }", 300, 40_000),
    ] {
        let loaded =
            job(&format!("gpus = 1\ncount = 500\nwork = {text}\nrequested = {{ times = [1.0, 2.0] }}\n"));
        for job in &loaded.plan.workload.jobs {
            assert!((least..=most).contains(&job.work_time.0), "{text}: {}", job.work_time.0);
            let estimate = u64::from(job.requested_time.0) * 1000 / u64::from(job.work_time.0);
            assert!(
                (1000..=3000).contains(&estimate),
                "{text}: {} of {}",
                job.requested_time.0,
                job.work_time.0
            );
        }
    }
    let works = [
        "0",
        "-1",
        "\"x\"",
        "{ }",
        "{ uniform = [5] }",
        "{ uniform = [\"2h\", \"1h\"] }",
        "{ uniform = [0, 5] }",
        "{ exponential = 0 }",
        "{ exponential = \"30000d\" }",
        "{ lognormal = \"1h\" }",
        "{ lognormal = \"1h\", sigma = 9 }",
        "{ normal = \"1h\" }",
    ];
    let mut told: Vec<String> =
        works.iter().map(|work| told_job(&format!("gpus = 1\nwork = {work}\n"))).collect();
    let estimates =
        ["0", "{ times = 0 }", "{ times = [3, 1] }", "{ times = [1, 2, 3] }", "{ factor = 2 }", "true"];
    told.extend(
        estimates.iter().map(|estimate| told_job(&format!("gpus = 1\nwork = 60\nrequested = {estimate}\n"))),
    );
    insta::assert_snapshot!(told.join("\n"), @r#"
    s.toml:5:8: expected at least a second of work, found `0`
    s.toml:5:8: `work`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found `-1`
    s.toml:5:8: `work`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `x`
    s.toml:5:8: expected one of `exponential`, `lognormal` and `uniform` (such as `{ lognormal = "2h", sigma = 1.2 }`, the mean and its spread)
    s.toml:5:8: `uniform`: expected the least and the most, such as `["10m", "2h"]`
    s.toml:5:8: `uniform`: expected the least and the most, such as `["10m", "2h"]`
    s.toml:5:21: expected at least a second of work, found `0`
    s.toml:5:24: expected at least a second of work, found `0`
    s.toml:5:8: this distribution reaches beyond 136 years
    s.toml:5:8: `sigma`: expected the spread of the logarithm, from 0 to 3
    s.toml:5:36: `sigma`: expected the spread of the logarithm, from 0 to 3
    s.toml:5:8: expected one of `exponential`, `lognormal` and `uniform` (such as `{ lognormal = "2h", sigma = 1.2 }`, the mean and its spread)
    s.toml:5:10: unknown key `normal` (did you mean `lognormal`?)
    s.toml:6:13: expected at least a second of work, found `0`
    s.toml:6:13: `times`: expected a factor from 0.001 to 1000, or the least and the most (such as `{ times = 1.5 }` or `{ times = [1.0, 3.0] }`)
    s.toml:6:13: `times`: expected a factor from 0.001 to 1000, or the least and the most (such as `{ times = 1.5 }` or `{ times = [1.0, 3.0] }`)
    s.toml:6:13: `times`: expected a factor from 0.001 to 1000, or the least and the most (such as `{ times = 1.5 }` or `{ times = [1.0, 3.0] }`)
    s.toml:6:13: missing `times`
    s.toml:6:15: unknown key `factor` (known: times)
    s.toml:6:13: `requested`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found `true`
    "#);
}

#[test]
fn a_job_overrides_its_template() {
    let text = "
        [workload.template.t]
        kind = \"eval\"
        pods = 2
        pod_gpus = 4
        work = \"1h\"
        [[workload.job]]
        id = \"a\"
        template = \"t\"
        [[workload.job]]
        id = \"b\"
        template = \"t\"
        gpus = 3
        work = \"2h\"
    ";
    let workload = load(&format!("{CLUSTER}{text}")).plan.workload;
    assert_eq!(
        workload.request_of(0).shape,
        Shape::Pods { count: 2, gpus_milli_each: 4000 },
        "the template's"
    );
    assert_eq!(workload.request_of(1).shape, Shape::Any { gpus_milli: 3000 }, "pods are replaced as a whole");
    assert_eq!((workload.jobs[0].work_time.0, workload.jobs[1].work_time.0), (3600, 7200), "work");
    assert_eq!(workload.behaviour_of(1).kind, JobKind::Eval, "the rest stays");
    assert_eq!(workload.requests.len(), 2, "templates leave nothing behind");
}

#[test]
fn every_problem_of_jobs_templates_and_tenants_is_told() {
    let text = "
[[tenant]]
name = \"meta\"
quota = -8
partition = \"gold\"
[[tenant]]
name = \"meta\"
color = 1
[workload.template.t]
kind = \"evla\"
wrok = 5
count = 5
[[workload.job]]
id = \"a\"
template = \"t\"
gpus = 1
work = 60
tenant = \"mta\"
[[workload.job]]
id = \"b\"
template = \"u\"
gpus = 1
work = 60
[[workload.job]]
id = \"c\"
tenant = \"meta\"
gpus = 1
partition = \"gold\"
platforms = [\"h10\", \"h100\"]
topology = \"rack\"
overrun = \"stop\"
family = \"dense\"
memory = 64
cpu = -1
speed = { h10 = 1, h100 = 0 }
checkpoint = \"x\"
preemptible = 1
running = \"7-5\"
[[workload.job]]
id = \"d\"
tenant = \"meta\"
gpus = 1
work = 60
platforms = []
running = \"0-9\"
";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{text}")), @r"
    s.toml:5:9: `quota`: expected a number of GPUs with at most three decimals, up to 4294967, found `-8`
    s.toml:6:13: unknown partition `gold` (known: all)
    s.toml:8:8: tenant `meta` is described twice
    s.toml:9:1: unknown key `color` (known: name, quota, max_delay, partition, weight)
    s.toml:11:8: unknown kind `evla` (did you mean `eval`?)
    s.toml:12:1: unknown key `wrok` (did you mean `work`?)
    s.toml:13:1: unknown key `count` (known: tenant, cpu, memory, gpus, pods, pod_gpus, platforms, partition, topology, segment, licences, kind, family, overrun, preemptible, checkpoint, checkpoint_cost, checkpoint_stall, checkpoint_size, restart, max_delay, speed, phases, draw, work, deadline, requested, priority, cancel, fails)
    s.toml:19:10: unknown tenant `mta` (did you mean `meta`?)
    s.toml:20:1: missing `tenant` (this scenario declares its tenants)
    s.toml:22:12: unknown template `u` (did you mean `t`?)
    s.toml:25:1: missing `work`
    s.toml:29:13: unknown partition `gold` (known: all)
    s.toml:30:14: unknown platform `h10` (did you mean `h100`?)
    s.toml:31:12: unknown topology `rack` (known: ignore, prefer-rack, require-rack)
    s.toml:32:11: unknown overrun `stop` (known: extend, kill)
    s.toml:33:10: unknown family `dense` (known: dense-training, moe-training, prefill, decode, other)
    s.toml:34:10: `memory`: expected an amount of memory such as `512 MiB`, `64 GiB` or `2 TiB`, found `64`
    s.toml:35:7: `cpu`: expected a number of CPU cores with at most three decimals, up to 4294967, found `-1`
    s.toml:36:11: unknown platform `h10` (did you mean `h100`?)
    s.toml:37:14: `checkpoint`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, or one of `young`, `daly`, `optimal`, found the text `x`
    s.toml:38:15: `preemptible`: expected true or false, found `1`
    s.toml:39:11: `running`: expected indices such as `3` or `0-35;40`, found the text `7-5`
    s.toml:45:13: expected at least one platform (without `platforms`: any)
    s.toml:46:11: no node `9` (the last one is 3)
    ");
    let no_template = "[[workload.job]]\nid = \"a\"\ntemplate = \"t\"\ngpus = 1\nwork = 1\n";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{no_template}")), @r"s.toml:4:12: unknown template `t` (this file has no `[template.NAME]`)");
}

#[test]
fn running_jobs_hold_their_nodes_from_the_start() {
    let loaded = job("gpus = 16\nwork = \"1h\"\nrunning = \"1;3\"\n");
    let running = &loaded.plan.workload.running;
    assert_eq!((running.len(), running[0].nodes.as_slice()), (1, [1, 3].as_slice()), "where told");
    assert_eq!(
        job("gpus = 1\nwork = 60\ncount = 3\nrunning = true\n").plan.workload.running.len(),
        3,
        "an array"
    );
    assert!(job("gpus = 1\nwork = 60\nrunning = false\n").plan.workload.running.is_empty(), "not running");
    let wrong = [
        told_job("gpus = 1\nwork = 60\nrunning = true\nsubmit = 5\n"),
        told_job("gpus = 1\nwork = 60\nrunning = \"0\"\ncount = 2\n"),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r"
    s.toml:2:1: a job already running was submitted before, and waits for nothing
    s.toml:2:1: the jobs of an array cannot all run on the same nodes (`running = true`)
    ");
}

#[test]
fn pods_that_are_already_running_are_on_the_nodes_named() {
    let on = |text: &str| {
        let history = simulate(job(text).plan, &mut Control::default());
        assert_eq!(history.segments[0].from, Time(0), "it is running");
        let pieces = history.pieces_of(&history.segments[0]).iter();
        pieces.flat_map(|piece| piece.nodes()).collect::<Vec<u32>>()
    };
    let pods = |pods: u32, each: &str, nodes: &str| {
        on(&format!("pods = {pods}\npod_gpus = {each}\nwork = \"1h\"\nrunning = \"{nodes}\"\n"))
    };
    assert_eq!(pods(4, "2", "0-3"), [0, 1, 2, 3], "one on each, though one node had room for all");
    assert_eq!(pods(3, "2", "1;3"), [1, 1, 3], "the first again where there are more pods than nodes");
    assert_eq!(pods(5, "0.5", "2,0-0"), [0, 0, 0, 2, 2], "shares too");
    assert_eq!(on("gpus = 20\nwork = \"1h\"\nrunning = \"0-1;3\"\n"), [0, 1, 3], "a gang fills nodes");
    let wrong = [
        told_job("pods = 2\npod_gpus = 4\nwork = 60\nrunning = \"0-3\"\n"),
        told_job("pods = 5\npod_gpus = 4\nwork = 60\nrunning = \"0-1\"\n"),
        told_job("pod_gpus = 16\nwork = 60\nrunning = \"2\"\n"),
        told_job("gpus = 8\nwork = 60\nrunning = \"0-3\"\n"),
        told_job("gpus = 32\nwork = 60\nrunning = \"0-2\"\n"),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r"
    s.toml:7:11: `running`: 2 pods are not enough to hold these 4 nodes (name as many nodes as it has pods, or fewer: a pod sits on one node)
    s.toml:7:11: `running`: 5 pods of 4 GPUs do not fit on these 2 nodes (there is room for 4)
    s.toml:6:11: `running`: node 2 has no room for a pod of 16 GPUs (it has 8)
    s.toml:6:11: `running`: 8 GPUs fill 1 node and not these 4 nodes (say in how many pods they are: one goes on each node)
    s.toml:6:11: `running`: 32 GPUs do not fit on these 3 nodes (there are 24)
    ");
}

#[test]
fn jobs_that_no_empty_cluster_could_hold_are_named() {
    let text = "
[[tenant]]
name = \"meta\"
quota = 8
[[workload.job]]
id = \"huge\"
tenant = \"meta\"
count = 3
gpus = 33
work = 60
[[workload.job]]
id = \"pod\"
tenant = \"meta\"
pod_gpus = 9
cpu = 4
memory = \"1 GiB\"
work = 60
topology = \"require-rack\"
[[workload.job]]
id = \"rubin\"
tenant = \"meta\"
gpus = 1
work = 60
platforms = [\"vr200\"]
[[workload.job]]
id = \"quota\"
tenant = \"meta\"
gpus = 9
work = 60
[[workload.job]]
id = \"fine\"
tenant = \"meta\"
gpus = 8
work = 60
";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{text}")), @r#"
    s.toml:6:1: job `huge[0]` (and 2 like it) asks for 33 GPUs and could never start (there are 32 GPUs, at most 8 a node; `meta` may hold 8; `--set run.oversized=reject` runs the rest)
    s.toml:12:1: job `pod` asks for 1 pod of 9 GPUs, 4 cores a pod, 1024 MiB a pod in one rack and could never start (there are 32 GPUs, at most 8 a node; `meta` may hold 8; `--set run.oversized=reject` runs the rest)
    s.toml:20:1: job `rubin` asks for 1 GPU of `vr200`, which the cluster does not have, and could never start (jobs of a trace run on any platform with `map = { platform = "ignore" }` in `[workload]`, or on another with `map = { platform = { vr200 = "h100" } }`; `--set run.oversized=reject` runs the rest)
    s.toml:26:1: job `quota` asks for 9 GPUs and could never start (there are 32 GPUs, at most 8 a node; `meta` may hold 8; `--set run.oversized=reject` runs the rest)
    "#);
    let loaded = load(&format!("run.oversized = \"reject\"\n{CLUSTER}{text}"));
    assert_eq!(loaded.notes, ["6 jobs could never start, not on the empty cluster either: rejected"], "said");
}
