//! A scheduler's own configuration as a scenario: what becomes of it, what is left out, and that nothing is silent.
#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "imported/broken.rs"]
mod broken;
#[path = "support/command.rs"]
mod command;
#[path = "imported/conformance.rs"]
mod conformance;
#[path = "imported/flavours.rs"]
mod flavours;
#[path = "conformance/quota.rs"]
mod quota;
#[path = "imported/said.rs"]
mod said;

use command::Place;
use gigawatt::history::Plan;
use gigawatt::scenario::import::{Imported, Options, SYSTEMS, read};
use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};

/// The samples: files of a configuration, and the system that they are of.
pub(crate) const SAMPLES: [(&str, &[&str]); 4] = [
    ("slurm", &["slurm.conf", "topology.yaml"]),
    ("kueue", &["kueue.yaml"]),
    ("kai", &["kai.yaml"]),
    ("volcano", &["volcano.yaml"]),
];

pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads").join(name);
    std::fs::read(path).unwrap()
}

pub(crate) fn files(names: &[&str]) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| ((*name).to_owned(), sample(name))).collect()
}

/// What becomes of a text.
pub(crate) fn imported(name: &str, text: &str, options: &Options) -> Imported {
    read(&[(name.to_owned(), text.into())], options).unwrap_or_else(|error| panic!("{error}\nof\n{text}"))
}

pub(crate) fn plan(imported: &Imported) -> Plan {
    let loaded = Scenario::from_text("imported.toml", &imported.text, &Overrides::default());
    loaded.unwrap_or_else(|error| panic!("{error}\nin\n{}", imported.text)).plan
}

#[test]
fn every_system_has_a_sample_which_is_known_by_what_is_in_it() {
    let systems: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
    assert_eq!(SAMPLES.map(|(system, _)| system).as_slice(), systems.as_slice());
    for (system, names) in SAMPLES {
        let imported = read(&files(names), &Options::default()).unwrap();
        assert_eq!(imported.system, system);
        insta::assert_snapshot!(format!("{system}_as_a_scenario"), imported.text);
    }
}

#[test]
fn what_is_imported_runs_to_its_end() {
    for (system, names) in SAMPLES {
        let plan = plan(&read(&files(names), &Options::default()).unwrap());
        let history = simulate(plan, &mut Control::default());
        assert!(history.jobs.len() >= 1000, "{system}: jobs are made up");
        assert!(!history.segments.is_empty(), "{system}: they run");
    }
}

/// Lines of samples that say what is so anyway, or that are told with the line above.
const SAY_NOTHING: [&str; 18] = [
    "ClusterName=atlas",
    "GresTypes=gpu",
    "SchedulerType=sched/backfill",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_Core_Memory",
    "TopologyPlugin=topology/block",
    "PriorityType=priority/multifactor",
    "PriorityCalcPeriod=00:05:00",
    "NodeName=DEFAULT State=UNKNOWN",
    "PriorityMaxAge=7-0",
    "cluster_default: true",
    "flat: true",
    "topologyName: halls",
    "- nodeLabel: kubernetes.io/hostname",
    "queueingStrategy: BestEffortFIFO",
    "nominalQuota: 1k",
    "- name: priority",
    "- name: gang",
];

#[test]
fn no_line_is_silent() {
    for (system, names) in SAMPLES {
        let files = files(names);
        let whole = read(&files, &Options::default()).unwrap();
        let mut heard = 0;
        for (file, (name, bytes)) in files.iter().enumerate() {
            let text = std::str::from_utf8(bytes).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                let bare = line.split('#').next().unwrap().trim();
                if bare.is_empty() || bare == "---" || SAY_NOTHING.contains(&bare) {
                    continue;
                }
                let is_told = whole.left_out.iter().any(|left| left.file == *name && left.line == number);
                // Without it something else comes of the rest, or nothing.
                let without: Vec<&str> = (1..)
                    .zip(text.lines())
                    .map(|(own, line)| if own == number { "" } else { line })
                    .collect();
                let mut files = files.clone();
                files[file].1 = without.join("\n").into_bytes();
                let counts = read(&files, &Options::default()).map_or(true, |other| other.text != whole.text);
                assert!(is_told || counts, "{system}: {name}:{number} `{line}` is silent");
                heard += 1;
            }
        }
        assert!(heard > 10, "{system}: {heard} lines");
    }
}

/// Keys that a text becomes, line by line, and what is left out of it.
#[track_caller]
fn check(name: &str, text: &str, options: &Options, expected: &[&str], left_out: &[&str]) {
    let imported = imported(name, text, options);
    plan(&imported);
    let lines: Vec<String> =
        imported.text.lines().map(|line| line.split("  #").next().unwrap().trim().to_owned()).collect();
    for key in expected {
        let is_there = lines.iter().any(|line| line == key);
        let is_wanted = !key.starts_with('!');
        let is_absent =
            key.strip_prefix('!').is_some_and(|key| !lines.iter().any(|line| line.starts_with(key)));
        assert!(is_there && is_wanted || is_absent, "{key} in\n{}", imported.text);
    }
    let told: Vec<String> = imported.left_out.iter().map(ToString::to_string).collect();
    for left in left_out {
        assert!(told.iter().any(|told| told.contains(left)), "{left} among\n{}", told.join("\n"));
    }
    assert!(!left_out.is_empty() || told.is_empty(), "nothing but\n{}", told.join("\n"));
}

/// Two nodes in a partition, and what else is said.
fn slurm(more: &str) -> String {
    format!(
        "NodeName=n[1-2] Gres=gpu:h100:8\nPartitionName=p Nodes=ALL\nPartitionName=q Nodes=n2 PriorityTier=2\n{more}\n"
    )
}

#[test]
fn slurm_is_read_key_by_key() {
    let cases: [(&str, &[&str], &[&str]); 17] = [
        ("SchedulerType=sched/builtin", &["backfill = \"none\"", "!cycle", "!max_jobs"], &[]),
        (
            "",
            &[
                "max_jobs = 500",
                "window = \"1d\"",
                "resolution = \"1m\"",
                "cycle = \"30s\"",
                "event_backfill = \"none\"",
                "order = \"fifo\"",
            ],
            &[],
        ),
        ("schedulerparameters=BF_MAX_JOB_TEST=50", &["max_jobs = 50"], &[]),
        (
            "SchedulerParameters=bf_window=2880,bf_resolution=300",
            &["window = \"2d\"", "resolution = \"5m\""],
            &[],
        ),
        (
            "SchedulerParameters=bf_job_part_count_reserve=2,bf_max_job_test=50",
            &["backfill = \"easy\"", "reservations = 2", "!max_jobs"],
            &["conf:4 SchedulerParameters bf_max_job_test=50"],
        ),
        ("PriorityWeightAge=5", &["weight_age = 5", "weight_size = 0", "weight_share = 0", "!order"], &[]),
        (
            "PriorityWeightJobSize=3\nPriorityFavorSmall=YES\nPriorityDecayHalfLife=0",
            &["weight_size = 3", "favored_size = \"small\"", "!half_life"],
            &["conf:6 PriorityDecayHalfLife=0"],
        ),
        ("PriorityWeightFairshare=3\nPriorityDecayHalfLife=1-12", &["half_life = \"1d12h\""], &[]),
        ("PriorityType=priority/basic\nPriorityWeightAge=3", &["order = \"fifo\"", "!weight_age"], &[]),
        (
            "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE\nPreemptExemptTime=00:10:00",
            &["preemption = \"priority\"", "backfill = \"easy\"", "min_run = \"10m\""],
            &[],
        ),
        (
            "PreemptType=preempt/partition_prio\nPreemptMode=SUSPEND,GANG\nSchedulerParameters=preempt_youngest_first",
            &["preemption = \"priority\"", "victims = \"youngest\""],
            &["conf:5 PreemptMode=SUSPEND,GANG"],
        ),
        ("PreemptType=preempt/partition_prio", &["!preemption"], &[]),
        (
            "PreemptType=preempt/qos\nPreemptMode=CANCEL",
            &["!preemption"],
            &["conf:4 PreemptType=preempt/qos", "conf:5 PreemptMode=CANCEL"],
        ),
        ("SelectTypeParameters=CR_LLN,CR_Core", &["placement = \"worst-fit\""], &[]),
        (
            "SlurmctldPort=1\nSrunPortRange=1-2\nKillWait=3",
            &[],
            &[
                "conf:4 SlurmctldPort=1",
                "conf:5 SrunPortRange=1-2",
                "conf:6 KillWait=3: a job that is stopped",
            ],
        ),
        (
            "Licenses=fluent:30,ansys,c:0",
            &[
                "name = \"fluent\"",
                "count = 30",
                "name = \"ansys\"",
                "count = 1",
                "# - which jobs hold licences stands in no file: `licences = { NAME = 1 }` of a job says it",
            ],
            &["conf:4 Licenses c:0: there is none of it"],
        ),
        ("Include more.conf", &[], &["conf:4 Include more.conf: give the file"]),
    ];
    for (more, expected, left_out) in cases {
        check("conf", &slurm(more), &Options::default(), expected, left_out);
    }
}

#[test]
fn slurm_tells_nodes_in_every_notation() {
    let cases: [(&str, &[&str], &[&str]); 9] = [
        (
            "NodeName=a[01-04]-[0-1] Gres=gpu:tesla:2(S:0-1) Procs=8",
            &["nodes = 1", "count = 8", "gpus = 2", "cpu = 8"],
            &[],
        ),
        (
            "NodeName=DEFAULT Gres=gpu:8\nNodeName=a RealMemory=1024\nNodeName=b Gres=gpu:4",
            &["gpus = 8", "gpus = 4", "memory = \"1024 MiB\""],
            &[],
        ),
        (
            "NodeName=a Gres=gpu:h100:8,nvme:1\nNodeName=b Gres=gpu:8 Feature=ib,h200 State=FUTURE\nNodeName=c Gres=gpu:8 Feature=ib,h200 State=DRAIN",
            &["platform = \"h100\"", "platform = \"h200\"", "state = \"draining\"", "nodes = \"1\""],
            &["conf:1 NodeName=a Gres=nvme:1", "conf:2 NodeName=b State=FUTURE"],
        ),
        (
            "NodeName=a[1-8] Gres=gpu:b200:8\nSwitchName=s1 Nodes=a[1-4]\nSwitchName=s2 Nodes=a[5-8] LinkSpeed=9\nSwitchName=top Switches=s[1-2]",
            &["count = 2", "nodes = 4"],
            &["conf:3 SwitchName=s2 LinkSpeed=9", "conf:4 SwitchName=top Switches=s[1-2]: above"],
        ),
        (
            "NodeName=a[1-6] Gres=gpu:gb200:4\nBlockName=b1 Nodes=a[1,3]\nBlockName=b2 Nodes=a[2,4-5]\nBlockSizes=2,4\nPartitionName=p Nodes=a[2-4]",
            &["nodes = \"1-3\""],
            &["conf:4 BlockSizes=2,4"],
        ),
        (
            "NodeName=a[1-6] Gres=gpu:4 Feature=x\nNodeSet=s Feature=x\nNodeSet=t Nodes=a[5-6]\nPartitionName=p Nodes=t\nPartitionName=all Nodes=s",
            &["nodes = \"4-5\"", "!name = \"all"],
            &[],
        ),
        ("NodeName=a[1-6] Gres=gpu:4\nPartitionName=all Nodes=a1", &["name = \"all-partition\""], &[]),
        (
            "NodeName=a[1-2] Gres=gpu:8\nNodeName=a[1-2] Name=gpu Type=h100 File=/dev/nvidia[0-7]",
            &["platform = \"h100\""],
            &["conf:2 NodeName=a[1-2] File=/dev/nvidia[0-7]"],
        ),
        (
            "NodeName=a Gres=gpu:1 State=CLOUD",
            &["gpus = 1"],
            &["conf:1 NodeName=a State=CLOUD: nodes of a cloud"],
        ),
    ];
    for (text, expected, left_out) in cases {
        check("conf", text, &Options::default(), expected, left_out);
    }
}

/// A ClusterQueue of 8 GPUs with more in its spec.
fn kueue(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: kueue.x-k8s.io/v1beta1\nkind: ClusterQueue\nmetadata: {{ name: {name} }}\nspec:\n  {spec}\n  \
         resourceGroups: [{{ flavors: [{{ name: f, resources: [{{ name: amd.com/gpu, nominalQuota: 8 }}] }}] }}]\n"
    )
}

#[test]
fn kueue_is_read_key_by_key() {
    let never: &[&str] = &["preemption = \"none\"", "order = \"priority\"", "nominal = 8"];
    let (x, y) = (kueue("x", "queueingStrategy: StrictFIFO"), kueue("y", "cohort: y"));
    let mixed = format!("{x}{y}");
    let reclaims =
        kueue("x", "preemption: { reclaimWithinCohort: Any }\n  cohort: c\n  fairSharing: { weight: 500m }");
    let by_use = format!(
        "{}---\napiVersion: config.kueue.x-k8s.io/v1beta1\nkind: Configuration\nadmissionFairSharing: {{ usageHalfLifeTime: 168h0m0s }}\n",
        kueue("x", "admissionScope: { admissionMode: UsageBasedAdmissionFairSharing }")
    );
    let fair = "---\napiVersion: config.kueue.x-k8s.io/v1beta1\nkind: Configuration\nfairSharing: { enable: true }\n";
    let fair = format!("{reclaims}{fair}");
    let cases: [(&str, &[&str], &[&str]); 7] = [
        (&y, never, &[]),
        (&x, &["backfill = \"none\""], &[]),
        // A cohort of the name of a queue is told apart, and one strict queue among others is left out.
        (
            &mixed,
            &["parent = \"cohort-y\"", "name = \"cohort-y\"", "!backfill"],
            &["kueue:6 ClusterQueue x queueingStrategy: StrictFIFO"],
        ),
        (
            &reclaims,
            &[
                "preemption = \"classical\"",
                "order = \"priority\"",
                "within_queue = \"never\"",
                "reclaim_from = \"any\"",
                "borrow_from = \"never\"",
            ],
            &["x: weight 0.5: nothing in this policy shares by weights"],
        ),
        (
            &fair,
            &["!preemption", "!order", "weight = 0.5", "parent = \"c\""],
            &["kueue:2 ClusterQueue x withinClusterQueue: Never"],
        ),
        (&by_use, &["order = \"fair-tree\"", "half_life = \"7d\""], &[]),
        (&kueue("x", "stopPolicy: Hold"), never, &["kueue:6 ClusterQueue x stopPolicy: Hold"]),
    ];
    for (text, expected, left_out) in cases {
        check("kueue", text, &Options::default(), expected, left_out);
    }
}

#[test]
fn nodes_of_kubernetes_are_the_cluster() {
    let node = |name: &str, rack: &str, spec: &str| {
        format!(
            "---\napiVersion: v1\nkind: Node\nmetadata: {{ name: {name}, labels: {{ r: {rack}, nvidia.com/gpu.product: NVIDIA-H200 }} }}\n\
             spec: {{ {spec} }}\nstatus: {{ allocatable: {{ nvidia.com/gpu: \"8\", cpu: 96, memory: 2Ti }} }}\n"
        )
    };
    let topology = "---\napiVersion: kueue.x-k8s.io/v1beta1\nkind: Topology\nmetadata: { name: t }\nspec: { levels: [{ nodeLabel: r }] }\n";
    let nodes = [("a", "r1", ""), ("b", "r2", ""), ("c", "r1", "unschedulable: true"), ("d", "r2", "")];
    let nodes: String = nodes.iter().map(|(name, rack, spec)| node(name, rack, spec)).collect();
    let text = format!("{}{topology}{nodes}", kueue("x", "cohort: c"));
    let expected = [
        "platform = \"h200\"",
        "count = 2",
        "nodes = 2",
        "cpu = 96",
        "memory = \"2097152 MiB\"",
        "nodes = \"1\"",
        "state = \"draining\"",
    ];
    check("kueue", &text, &Options::default(), &expected, &[]);
    let wanted = Options { cluster: Some("3x8xh100".to_owned()), ..Options::default() };
    check("kueue", &kueue("x", "cohort: c"), &wanted, &["cluster = \"3x8xh100\"", "!rack"], &[]);
    let error = read(&[("kueue".to_owned(), text.into())], &wanted).unwrap_err().to_string();
    assert!(error.contains("nodes are listed"), "{error}");
}

#[test]
fn volcano_without_what_is_deserved_goes_by_weight() {
    let queue = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: scheduling.volcano.sh/v1beta1\nkind: Queue\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
        )
    };
    let text =
        [queue("a", "weight: 3"), queue("b", "weight: 1"), queue("c", "parent: b"), queue("d", "parent: b")]
            .concat();
    let options = Options { cluster: Some("4x8".to_owned()), ..Options::default() };
    // Of b's 8 each has half; b itself has nothing beside.
    let expected = [
        "nominal = 24",
        "nominal = 0",
        "nominal = 4",
        "weight = 3",
        "order = \"proportion\"",
        "preemption = \"none\"",
    ];
    check("volcano", &text, &options, &expected, &[]);
    let error = read(&[("volcano".to_owned(), text.into())], &Options::default()).unwrap_err().to_string();
    assert!(error.contains("nothing tells how many GPUs there are"), "{error}");
}

#[test]
fn kai_tells_unlimited_quotas_and_runtimes() {
    let queue = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
        )
    };
    let text = queue(
        "a",
        "resources: { gpu: { quota: -1, limit: -1 } }, reclaimMinRuntime: 5m, preemptMinRuntime: 5m",
    );
    let options = Options { cluster: Some("4x8".to_owned()), ..Options::default() };
    check("kai", &text, &options, &["nominal = 32", "!limit", "min_run = \"5m\"", "!parent"], &[]);
    // Half-open minimum: the longest counts, the others are told.
    let two = text + &queue("b", "parentQueue: a, reclaimMinRuntime: 1h");
    check(
        "kai",
        &two,
        &options,
        &["min_run = \"1h\""],
        &["kai:5 Queue a reclaimMinRuntime: 5m", "kai:10 Queue b reclaimMinRuntime: 1h"],
    );
}

#[test]
fn a_trace_brings_its_own_tenants() {
    let place = Place::of(&[
        ("kueue.yaml", &kueue("x", "cohort: c")),
        ("jobs.csv", "job_id,tenant,submit_time,gpus,work_time\n1,x,0,4,60\n2,y,0,4,60\n"),
    ]);
    let text = place.run("import kueue.yaml --workload jobs.csv -o s.toml");
    assert!(
        text.starts_with("exit code: 0") && text.contains("tenant y of the trace stands in no queue"),
        "{text}"
    );
    place.printed("check s.toml");
    let summary = place.printed("simulate s.toml");
    assert!(summary.contains("2 completed"), "{summary}");
}

#[test]
fn options_that_do_nothing_are_refused() {
    let place =
        Place::of(&[("slurm.conf", &slurm("")), ("a.csv", "job_id,submit_time,gpus,work_time\n1,0,1,60\n")]);
    for (command, said) in [
        ("import slurm.conf -o s.toml --sample 0.5", "`--sample` is for a trace"),
        ("import slurm.conf -o s.toml --seed 3", "`--seed` is for a trace"),
        ("import slurm.conf -o s.toml --cluster 4x8", "nodes are listed"),
        ("import slurm.conf -o s.toml --format slrum", "did you mean `slurm`?"),
        ("import slurm.conf -o s.csv", "a scheduler's configuration (slurm), and no trace"),
        ("import a.csv -o s.toml", "not the configuration of a scheduler"),
        ("import a.csv slurm.conf -o s.csv", "one trace at a time"),
        ("import a.csv -o b.csv --cluster 4x8", "`--cluster` is for a scheduler's configuration"),
        ("import slurm.conf -o s.toml --workload none.csv", "cannot read `none.csv`"),
        ("import none.conf -o s.toml", "cannot read `none.conf`"),
        ("simulate slurm.conf", "`gigawatt import slurm.conf -o scenario.toml` makes one of it"),
    ] {
        let text = place.run(command);
        assert!(text.starts_with("exit code: 2") && text.contains(said), "{command}: {text}");
        assert!(!place.path().join("s.toml").exists(), "{command}: nothing is written");
    }
    let said = place.printed("import slurm.conf -o s.toml") + &place.printed("list formats kueue");
    assert!(said.contains("ClusterQueue"), "listed: {said}");
}
