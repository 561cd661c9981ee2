use super::*;
use crate::failure::{Exposure, Failures, Lemons, Per, Retirement, Span};
use crate::units::Seconds;

const TWO: &str = "[[cluster.rack]]\nplatform = \"h100\"\n[[cluster.rack]]\nplatform = \"gb300\"\n";
const GPU: &str =
    "[[failures.component]]\nname = \"gpu\"\nper = \"gpu\"\nmtbf = \"50000h\"\nrepair = { time = \"4h\" }\n";

fn failures(section: &str) -> (Failures, Vec<String>) {
    let loaded = load(&format!("{TWO}{JOB}{section}"));
    (*loaded.plan.cluster.failures.expect("there are some"), loaded.notes)
}

/// A component of whose keys one line is another, or some follow.
fn gpu(line: &str, other: &str) -> String {
    GPU.replace(line, other)
}

#[test]
fn what_fails_is_read_as_it_is_written() {
    let section = "[failures]\nexposure = \"computing\"\nscale = 2.0\ncrews = 4\nlemons = { share = 0.15, factor = 6 }\n\
                   retire = { failures = 5, within = \"30d\" }\n[[failures.component]]\nname = \"gpu\"\nper = \"gpu\"\n\
                   platforms = [\"h100\"]\nrate = 1.67e-4\nshape = 0.7\ndetection = { lognormal = \"20m\", sigma = 0.5 }\n\
                   repair = [ { name = \"restart\", share = 0.5, time = \"5m\" }, { name = \"swap\", share = 0.5, \
                   time = { uniform = [\"1h\", \"4h\"] }, helps = 0.8, crew = true } ]\n\
                   [[failures.component]]\nname = \"feed\"\nper = \"feed\"\nmtbf = \"2000000h\"\n\
                   repair = { time = { exponential = \"8h\" } }\n\
                   [[failures.component]]\nname = \"software\"\nper = \"job-gpu\"\nrate = 6e-5\n";
    let (read, notes) = failures(section);
    assert_eq!(notes, [""; 0], "nothing is assumed");
    assert_eq!((read.exposure, read.crews), (Exposure::Computing, Some(4)), "when, and by how many repaired");
    assert_eq!(read.lemons, Some(Lemons { share_milli: 150, factor_milli: 6000 }), "lemons");
    assert_eq!(read.retirement, Some(Retirement { failures: 5, within: Seconds(30 * 86_400) }), "given up");
    let [gpu, feed, software] = &read.components[..] else { panic!("{:?}", read.components) };
    assert_eq!((gpu.per, &gpu.kinds[..]), (Per::Gpu, &[0][..]), "of H100 alone");
    assert!((86_400.0 / gpu.life.mean() / (2.0 * 1.67e-4) - 1.0).abs() < 1e-6, "twice as often");
    assert_eq!((gpu.life.shape_milli, gpu.detection), (700, Span::Lognormal(Seconds(1200), 500)), "its life");
    let repairs: Vec<_> = gpu
        .repairs
        .iter()
        .map(|own| (own.name.as_str(), own.share_milli, own.helps_milli, own.crew))
        .collect();
    assert_eq!(repairs, [("restart", 500, 1000, false), ("swap", 500, 800, true)], "its repairs");
    assert_eq!(gpu.repairs[1].time, Span::Uniform(Seconds(3600), Seconds(14_400)), "drawn");
    assert!((feed.life.mean() / 3.6e9 - 1.0).abs() < 1e-6, "a million hours, twice as often as written");
    assert_eq!((software.per, software.repairs.len()), (Per::JobGpu, 1), "its job starts anew");
}

#[test]
fn profiles_are_named_and_their_components_replaced() {
    let (llama, notes) = failures(&format!("[failures]\nprofile = \"h100-llama3\"\n{GPU}"));
    assert_eq!((llama.components.len(), llama.components[0].name.as_str()), (18, "gpu"), "one is replaced");
    assert_eq!((llama.components[0].life.scale, notes.len()), (180_000_000, 0), "by 50,000 hours");
    let both = "profile = [{ name = \"h100-llama3\", platforms = [\"h100\"] }, { name = \"nvl72-early\", platforms = [\"gb300\"] }]";
    let (both, notes) = failures(&format!("[failures]\n{both}\n"));
    let of = |name: &str| both.components.iter().find(|own| own.name == name).map(|own| own.kinds.clone());
    assert_eq!(of("h100-llama3/gpu"), Some(vec![0]), "of its nodes");
    assert_eq!(of("nvl72-early/coolant"), Some(vec![1]), "of its racks");
    assert_eq!(of("nvl72-early/software"), Some(vec![]), "wherever jobs run");
    assert_eq!(notes.len(), 4, "which is said: {notes:?}");
    let (_, notes) = failures("[failures]\nprofile = [\"rsc-1\", \"rsc-2\"]\n");
    assert_eq!(notes, ["profiles `rsc-1` and `rsc-2` concern the same nodes: their failures add up"], "said");
    let flat = load(&format!("cluster = \"16x8\"\n{JOB}[failures]\nprofile = \"nvl72-early\"\n"));
    assert_eq!(
        flat.notes,
        ["every node is a rack of its own here, and so has `nvlink-switch`, `power-shelf`, `coolant`: \
          `[[cluster.rack]]` says which share one"],
        "said"
    );
}

#[test]
fn failures_that_cannot_be_meant_are_told() {
    let section = |text: &str| told(&format!("{TWO}{JOB}[failures]\n{text}"));
    let wrong = [
        section(""),
        section("profile = \"h100-lama3\"\n"),
        section("profile = [\"rsc-1\", \"rsc-1\", { name = \"rsc-2\", platforms = [\"a100\", \"h101\"] }]\n"),
        section(&format!(
            "scale = 1000\ncrews = 0\nlemons = {{ share = 1.5, factor = 0.5 }}\nretire = {{ within = \"1d\" }}\n{GPU}"
        )),
        section(&format!("crews = 4\n{GPU}")),
        section(
            "exposure = \"computing\"\nlemons = { share = 0.1, factor = 2 }\nretire = { failures = 2, within = \"1d\" }\n[[failures.component]]\nname = \"rack\"\nper = \"rack\"\nplatforms = []\nrate = 0.1\nrepair = { time = 60, crew = true }\n",
        ),
        section(&format!("{GPU}{GPU}")),
        section(&gpu("mtbf = \"50000h\"", "mtbf = \"50000y\"\nrate = 0")),
        section(&gpu("mtbf = \"50000h\"", "shape = 20\ndetection = { uniform = [\"9m\", \"1m\"] }")),
        section(&gpu(
            "{ time = \"4h\" }",
            "[{ name = \"a\", share = 0.5, time = 1 }, { name = \"b\", share = 0.45, time = 1 }, { time = 2 }]",
        )),
        section(&gpu(
            "{ time = \"4h\" }",
            "[{ name = \"a\", share = 0.5, time = 1 }, { name = \"b\", share = 0.45, time = 1, helps = 0.5 }]",
        )),
        section(&gpu("repair = { time = \"4h\" }", "")),
        section(&gpu("per = \"gpu\"", "per = \"job-gpu\"\nplatforms = [\"h100\"]")),
        section(
            "[[failures.component]]\nname = \"software\"\nper = \"job-gpu\"\nplatforms = [\"h100\"]\nrate = 1\n",
        ),
        section(&gpu("per = \"gpu\"", "per = \"core\"")),
        told(&format!(
            "[[cluster.rack]]\nplatform = \"h100\"\ngpus = 0\n{}[failures]\n{GPU}",
            JOB.replace("gpus = 1", "gpus = 0")
        )),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r#"
    s.toml:9:1: `[failures]` without `profile` and `component`: nothing fails (`gigawatt list failures` shows the profiles)
    s.toml:10:11: unknown profile `h100-lama3` (did you mean `h100-llama3`?)
    s.toml:10:21: profile `rsc-1` is named twice (one entry may name several `platforms`)
    s.toml:10:61: the cluster has no `a100` (it has h100, gb300)
    s.toml:10:69: unknown platform `h101` (did you mean `h100`?)
    s.toml:10:9: `scale`: expected a number from 0.01 to 100, found `1000` (all rates are multiplied by it)
    s.toml:11:1: `crews` do repairs that need people, and no repair of a component does (`crew = true` of a repair says that it does)
    s.toml:11:9: `crews`: expected at least 1, found `0`
    s.toml:12:20: `share`: expected a number from 0 to 1 with at most three decimals, found `1.5`
    s.toml:13:10: missing `failures` (such as `{ failures = 5, within = "30d" }`)
    s.toml:10:1: `crews` do repairs that need people, and no repair of a component does (`crew = true` of a repair says that it does)
    s.toml:10:1: `exposure = "computing"` concerns the parts of nodes, and no component is of nodes (`per = "gpu"` or `per = "node"` of a component)
    s.toml:11:1: `lemons` are nodes whose parts fail more often, and no component is of nodes (`per = "gpu"` or `per = "node"` of a component)
    s.toml:12:1: `retire` counts failures of the parts of nodes, and no component is of nodes (`per = "gpu"` or `per = "node"` of a component)
    s.toml:16:1: expected at least one platform (without `platforms`: any)
    s.toml:15:1: component `gpu` is described twice
    s.toml:13:8: `mtbf`: expected a mean life such as `50000h` or `1500.5d`, at least a second, found the text `50000y`
    s.toml:14:8: `rate` beside `mtbf`: expected one of them
    s.toml:10:1: missing `mtbf` or `rate` (`mtbf = "50000h"`, or `rate = 4.8e-4`: failures a day of each part)
    s.toml:13:9: `shape`: expected a number from 0.1 to 10, found `20` (1: parts fail as often at any age; less: new ones more often, more: old ones)
    s.toml:14:13: `uniform`: expected the least and the most, such as `["10m", "2h"]`
    s.toml:14:90: missing `name`
    s.toml:14:90: missing `share`
    s.toml:14:1: `repair`: the shares sum to 0.95, expected 1
    s.toml:14:88: `helps` says which repairs make good nodes of lemons, and there are none (`lemons = { share = 0.15, factor = 6 }` of `[failures]`)
    s.toml:10:1: missing `repair` (`repair = { time = "4h" }`, or a list of some with `share` each)
    s.toml:15:1: `repair` of what jobs bring: nothing is repaired, the job starts anew (`restart` of a job says how long that takes)
    s.toml:13:1: `platforms` beside `per = "job-gpu"`, which has none (GPUs, nodes and racks are of a platform)
    s.toml:12:7: unknown per `core` (did you mean `node`?)
    s.toml:9:1: no node that has `gpu` has a GPU (`per = "node"` is one a node)
    "#);
}

/// A job of 16 GPUs that says that of its checkpoints, and failures of its two nodes.
fn checkpointed(job: &str, rest: &str) -> String {
    let whole = "[[workload.job]]\nid = \"a\"\ngpus = 16\nwork = \"10h\"\n";
    format!("cluster = \"4x8xh100\"\n{whole}{job}\n{rest}")
}

/// Each of two nodes stops the job once in six hours.
const THREE_HOURS: &str =
    "[[failures.component]]\nname = \"node\"\nper = \"node\"\nmtbf = \"6h\"\nrepair = { time = \"1h\" }\n";
const STORAGE: &str = "[storage]\nper_gpu = \"2GB/s\"\nstore = \"20GB/s\"\noverhead = \"10s\"\n";

#[test]
fn checkpoints_are_as_often_as_failures_make_best() {
    for (rule, interval) in [("young", 805), ("daly", 785), ("optimal", 785)] {
        let loaded =
            load(&checkpointed(&format!("checkpoint = \"{rule}\"\ncheckpoint_stall = \"30s\""), THREE_HOURS));
        let workload = &loaded.plan.workload;
        let behaviour = workload.behaviour_of(0);
        assert_eq!(
            behaviour.checkpoint_interval,
            Seconds(interval),
            "{rule}, of a life of 3 h and a stall of 30 s"
        );
        assert_eq!(behaviour.checkpoint_cost, Seconds(30), "{rule}");
        let count = (36_000 - 1) / interval;
        assert_eq!(workload.jobs[0].work_time, Seconds(36_000 + count * 30), "{rule}: each is added");
        let note = format!(
            "a job of 16 GPUs writes a checkpoint after each {} of work, by `{rule}`: on h100 it is stopped once in 3h00m, and each \
             takes 30 s",
            Seconds(interval)
        );
        assert_eq!(loaded.notes, [note], "said");
    }
    let part = load(&checkpointed("checkpoint = \"10m\"\ncheckpoint_cost = \"30s\"", ""));
    assert_eq!(part.plan.workload.jobs[0].work_time, Seconds(36_000), "a cost is part of the work");
    let sized = load(&checkpointed("checkpoint = \"10m\"\ncheckpoint_size = \"400GB\"", STORAGE));
    assert_eq!(sized.plan.workload.behaviour_of(0).checkpoint_cost, Seconds(30), "20 s of the store, and 10");
    assert_eq!(
        sized.notes,
        ["checkpoints that several jobs write at once are not told: each has all of the store"],
        "what is left out"
    );
    let fast =
        checkpointed("checkpoint = \"young\"\ncheckpoint_stall = \"30s\"\nspeed = { h100 = 4 }", THREE_HOURS);
    let interval = load(&fast).plan.workload.behaviour_of(0).checkpoint_interval;
    assert_eq!(
        interval,
        Seconds(1610),
        "work counts on the reference platform: four times as much comes between failures"
    );
}

#[test]
fn checkpoints_that_cannot_be_meant_are_told() {
    let wrong = [
        told(&checkpointed("checkpoint = \"daly\"", THREE_HOURS)),
        told(&checkpointed("checkpoint = \"daly\"\ncheckpoint_stall = 0", THREE_HOURS)),
        told(&checkpointed("checkpoint = \"daly\"\ncheckpoint_stall = \"30s\"", "")),
        told(&checkpointed("checkpoint = \"dally\"\ncheckpoint_stall = \"30s\"", THREE_HOURS)),
        told(&checkpointed("checkpoint_stall = \"30s\"", "")),
        told(&checkpointed("checkpoint = \"1h\"\ncheckpoint_cost = 1\ncheckpoint_stall = \"30s\"", "")),
        told(&checkpointed("checkpoint = \"1h\"\ncheckpoint_size = \"1 TB\"", "")),
        told(&checkpointed("checkpoint = \"1h\"\ncheckpoint_size = \"1 TiB\"", "")),
        told(&checkpointed("", STORAGE)),
        told(&checkpointed("checkpoint = \"1h\"\ncheckpoint_size = \"1 TB\"", "[storage]\noverhead = 2\n")),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r#"
    s.toml:6:14: the best time between checkpoints is found from what each takes, and nothing says that (`checkpoint_stall = "30s"`, or `checkpoint_size` with `[storage]`)
    s.toml:6:14: the best time between checkpoints is found from what each takes, and nothing says that (`checkpoint_stall = "30s"`, or `checkpoint_size` with `[storage]`)
    s.toml:6:14: the best time between checkpoints is found from how often the job fails, and nothing of it does (`[failures]` says what does: `profile = "h100-llama3"`)
    s.toml:6:14: `checkpoint`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, or one of `young`, `daly`, `optimal`, found the text `dally`
    s.toml:6:20: `checkpoint_stall` of a job that writes no checkpoint (`checkpoint = "30m"`, or `"daly"`, says how often it does)
    s.toml:8:20: `checkpoint_stall` beside `checkpoint_cost`: expected one of them (the cost is part of `work`, a stall is added to it, a size tells the stall by `[storage]`)
    s.toml:7:19: `checkpoint_size`, and nothing says how fast checkpoints are written (`[storage]` does: `per_gpu = "2GB/s"`, `store = "1TB/s"`, `overhead = "2s"`)
    s.toml:7:19: `checkpoint_size`: expected an amount of data such as `105GB` or `5.3 TB`, found the text `1 TiB`
    s.toml:7:1: `[storage]`, and no job tells the size of its checkpoints (`checkpoint_size = "5.3TB"` of a job does)
    s.toml:8:1: missing `per_gpu` or `store` (`per_gpu = "2GB/s"`, `store = "1TB/s"`: the slower one counts)
    "#);
}
