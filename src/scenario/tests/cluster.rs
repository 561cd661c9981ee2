use super::*;
use crate::cluster::NodeState;
use crate::units::{Seconds, Time, Watts};

fn with_cluster(cluster: &str) -> String {
    told(&format!("{cluster}{JOB}"))
}

#[test]
fn the_short_form_makes_racks_as_the_platform_has_them() {
    for (text, racks, nodes, gpus) in [
        ("552x8", 552, 552, 4416),
        ("552x8xh100", 138, 552, 4416),
        ("37x4xgb300", 3, 37, 148),
        ("2x1xvr200", 1, 2, 2),
    ] {
        let cluster = load(&format!("cluster = \"{text}\"\n{JOB}")).plan.cluster;
        assert_eq!((cluster.racks.len(), cluster.nodes(), cluster.gpus()), (racks, nodes, gpus), "{text}");
    }
    let wrong = ["8", "0x8", "8x99", "8x8xh10", "x8", "99999999x8", "8x8xh100x2"];
    let told: Vec<String> =
        wrong.iter().map(|text| with_cluster(&format!("cluster = \"{text}\"\n"))).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    s.toml:1:11: `8` is not nodes x GPUs a node (such as `552x8` or `552x8xh100`)
    s.toml:1:11: a cluster has 1 to 4194304 nodes, not 0
    s.toml:1:11: a node has at most 64 GPUs, not 99
    s.toml:1:11: unknown platform `h10` (did you mean `h100`?)
    s.toml:1:11: cannot read `x8`: No such file or directory (os error 2)
    s.toml:1:11: a cluster has 1 to 4194304 nodes, not 99999999
    s.toml:1:11: unknown platform `h100x2` (did you mean `h100`?)
    ");
}

#[test]
fn racks_hang_on_feeds_and_feeds_on_sites() {
    let text = "
        [[cluster.site]]
        name = \"north\"
        [[cluster.site]]
        name = \"south\"
        [[cluster.feed]]
        name = \"row-b\"
        parent = \"hall-s\"
        [[cluster.feed]]
        name = \"hall-s\"
        site = \"south\"
        cap = \"2 MW\"
        [[cluster.feed]]
        name = \"hall-n\"
        site = \"north\"
        [[cluster.rack]]
        platform = \"gb300\"
        feed = \"row-b\"
        count = 2
        [[cluster.rack]]
        platform = \"h100\"
        feed = \"hall-n\"
        nodes = 3
        gpus = 4
        cpu = 96.5
        memory = \"1 TiB\"
    ";
    let cluster = load(&format!("{text}{JOB}")).plan.cluster;
    let feeds: Vec<_> =
        cluster.feeds.iter().map(|feed| (feed.name.as_str(), feed.site, feed.parent)).collect();
    assert_eq!(
        feeds,
        [("hall-n", 0, None), ("hall-s", 1, None), ("row-b", 1, Some(1))],
        "by site, parents first"
    );
    assert_eq!(cluster.feeds[1].cap, Some(Watts(2_000_000)), "a cap");
    let racks: Vec<_> = cluster.racks.iter().map(|rack| (rack.feed, rack.first_node, rack.nodes)).collect();
    assert_eq!(racks, [(0, 0, 3), (2, 3, 18), (2, 21, 18)], "racks go by feed");
    let kind = &cluster.kinds[0];
    assert_eq!((kind.gpus, kind.cpu_milli, kind.memory_mib), (4, 96_500, 1 << 20), "overridden");
}

#[test]
fn partitions_and_changes_name_nodes_racks_or_platforms() {
    let text = "
        [[cluster.rack]]
        name = \"old\"
        platform = \"h100\"
        count = 4
        nodes = 2
        [[cluster.rack]]
        platform = \"gb300\"
        nodes = 4
        from = \"8h\"
        [[cluster.partition]]
        name = \"mixed\"
        racks = [\"old[1-2]\"]
        nodes = \"0;9-10\"
        [[cluster.partition]]
        name = \"new\"
        platforms = [\"gb300\"]
        [[cluster.change]]
        time = \"1h\"
        racks = [\"old[0]\"]
        state = \"draining\"
    ";
    let cluster = load(&format!("{text}{JOB}")).plan.cluster;
    let partitions: Vec<_> = cluster.partitions.iter().map(|p| (p.name.as_str(), p.nodes.clone())).collect();
    let expected = [("all", vec![(0, 12)]), ("mixed", vec![(0, 1), (2, 6), (9, 11)]), ("new", vec![(8, 12)])];
    for ((name, nodes), (expected_name, ranges)) in partitions.into_iter().zip(expected) {
        let nodes: Vec<_> = nodes.into_iter().map(|range| (range.start, range.end)).collect();
        assert_eq!((name, nodes), (expected_name, ranges), "partition");
    }
    let changes: Vec<_> = cluster.changes.iter().map(|c| (c.time, c.nodes.clone(), c.state)).collect();
    let expected = [
        (Time(0), 8..12, NodeState::Absent),
        (Time(3600), 0..2, NodeState::Draining),
        (Time(28_800), 8..12, NodeState::Up),
    ];
    assert_eq!(changes, expected, "by time");
}

#[test]
fn every_problem_of_sites_feeds_and_racks_is_told() {
    let feeds = "
[[cluster.site]]
name = \"n\"
[[cluster.site]]
name = \"n\"
[[cluster.site]]
[[cluster.feed]]
name = \"\"
cap = \"-5 W\"
[[cluster.feed]]
name = \"a\"
watts = 5
[[cluster.rack]]
platform = \"gb30\"
[[cluster.rack]]
count = 0
[[cluster.rack]]
platform = \"gb300\"
nodes = 99999999
gpus = 65
cpu = \"many\"
memory = 64
from = -1
[[cluster.rack]]
platform = \"h100\"
[[cluster.rack]]
platform = \"h100\"
";
    insta::assert_snapshot!(with_cluster(feeds), @r"
    s.toml:5:8: site `n` is described twice
    s.toml:6:1: missing `name`
    s.toml:8:8: a feed needs a name that is not empty
    s.toml:9:7: `cap`: expected a power such as `120 kW` or `1.5 MW`, or a whole number of watts, found the text `-5 W`
    s.toml:12:1: unknown key `watts` (known: name, site, parent, cap, loss)
    s.toml:14:12: unknown platform `gb30` (did you mean `gb300`?)
    s.toml:15:1: missing `platform`
    s.toml:16:9: `count`: expected a whole number from 1 to 4194304, found `0`
    s.toml:19:9: `nodes`: expected a whole number from 1 to 4194304, found `99999999`
    s.toml:20:8: a node has at most 64 GPUs, not 65
    s.toml:21:7: `cpu`: expected a number of CPU cores with at most three decimals, up to 4294967, found the text `many`
    s.toml:22:10: `memory`: expected an amount of memory such as `512 MiB`, `64 GiB` or `2 TiB`, found `64`
    s.toml:23:8: `from`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found `-1`
    s.toml:26:1: group of racks `h100` is described twice
    ");
    let tree = |feeds: &str| {
        with_cluster(&format!("{feeds}[[cluster.rack]]\nplatform = \"h100\"\nfeed = \"hal\"\n"))
    };
    let ring =
        "[[cluster.feed]]\nname = \"a\"\nparent = \"b\"\n[[cluster.feed]]\nname = \"b\"\nparent = \"a\"\n";
    let lost = "[[cluster.feed]]\nname = \"a\"\nparent = \"c\"\nsite = \"x\"\n";
    let apart = "cluster.site = [{ name = \"n\" }, { name = \"s\" }]\ncluster.feed = [{ name = \"a\", site = \"n\" }, { name = \"b\", parent = \"a\", site = \"s\" }, { name = \"c\" }]\n";
    let two = "cluster.feed = [{ name = \"hall\" }, { name = \"b\" }]\ncluster.rack = [{ platform = \"h100\" }, { name = \"x\", platform = \"h100\", feed = \"hal\" }]\n";
    insta::assert_snapshot!(tree(ring), @r"s.toml:3:10: feeds in a ring: `a` <- `b` <- `a`");
    insta::assert_snapshot!(tree(lost), @r"
    s.toml:3:10: unknown feed `c` (did you mean `a`?)
    s.toml:4:8: unknown site `x` (known: site)
    ");
    insta::assert_snapshot!(tree(apart), @r"
    s.toml:2:80: feed `b` is at another site than the feed above it
    s.toml:2:96: missing `site`: there are several
    ");
    insta::assert_snapshot!(with_cluster(two), @r"
    s.toml:2:17: missing `feed`: there are several
    s.toml:2:80: unknown feed `hal` (did you mean `hall`?)
    ");
    insta::assert_snapshot!(with_cluster("[cluster]\n"), @r#"s.toml:1:1: a cluster without a rack (`[[cluster.rack]]` with `platform` and `count`, or `cluster = "552x8xh100"`)"#);
    insta::assert_snapshot!(with_cluster("cluster.rack = { platform = \"h100\", count = 4000000 }\n"), @r"s.toml:1:16: 16000000 nodes so far; at most 4194304");
}

#[test]
fn every_problem_of_partitions_and_changes_is_told() {
    let text = "
[[cluster.rack]]
platform = \"h100\"
[[cluster.partition]]
name = \"all\"
nodes = 0
[[cluster.partition]]
name = \"a\"
nodes = \"2-9\"
racks = [\"h10\", \"h100[1]\", \"h100[x\"]
platforms = [\"gb300\", 7]
[[cluster.partition]]
name = \"a\"
nodes = \"3-1\"
[[cluster.partition]]
name = \"b\"
[[cluster.change]]
state = \"of\"
nodes = 0
[[cluster.change]]
time = \"soon\"
node = 1
";
    insta::assert_snapshot!(with_cluster(text), @r"
    s.toml:5:8: partition `all` is every node, and there from the start
    s.toml:9:9: no node `9` (the last one is 3)
    s.toml:10:10: unknown group of racks `h10` (did you mean `h100`?)
    s.toml:10:17: `h100[1]` names no racks (such as `h100[0]` to `h100[0]`)
    s.toml:10:28: `h100[x` names no racks (such as `h100[0]` to `h100[0]`)
    s.toml:11:14: unknown platform of this cluster `gb300` (known: h100)
    s.toml:11:23: `platforms`: expected a text, found `7`
    s.toml:13:8: partition `a` is described twice
    s.toml:14:9: `nodes`: expected indices such as `3` or `0-35;40`, found the text `3-1`
    s.toml:15:1: no nodes chosen (give `nodes`, `racks` or `platforms`)
    s.toml:17:1: missing `time`
    s.toml:18:9: unknown state `of` (known: up, draining, down, absent)
    s.toml:20:1: missing `state`
    s.toml:20:1: no nodes chosen (give `nodes`, `racks` or `platforms`)
    s.toml:21:8: `time`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `soon`
    s.toml:22:1: unknown key `node` (did you mean `nodes`?)
    ");
}

#[test]
fn a_change_may_be_known_ahead_and_a_partition_come_before_others() {
    let text = "
cluster.rack = { platform = \"h100\", count = 2 }
cluster.change = [
    { time = \"1h\", nodes = 0, state = \"down\", notice = \"400s\" },
    { time = \"2h\", nodes = 0, state = \"up\" },
]
cluster.partition = [{ name = \"debug\", nodes = 0, tier = 2 }, { name = \"batch\", nodes = \"0-1\" }]
";
    let cluster = load(&format!("{text}{JOB}")).plan.cluster;
    let changes: Vec<_> = cluster.changes.iter().map(|change| (change.notice, change.announced())).collect();
    assert_eq!(changes, [(Some(Seconds(400)), Time(3200)), (None, Time(7200))], "the second is a surprise");
    let tiers: Vec<_> = cluster.partitions.iter().map(|p| (p.name.as_str(), p.tier)).collect();
    assert_eq!(tiers, [("all", 0), ("debug", 2), ("batch", 0)], "as told");
    let wrong = "
cluster.rack = { platform = \"h100\" }
cluster.change = [
    { time = \"1h\", nodes = 0, state = \"down\", notice = 0 },
    { time = \"1h\", nodes = 0, state = \"down\", notice = \"soon\" },
    { time = \"1h\", nodes = 0, state = \"down\", notice = -5 },
]
cluster.partition = [{ name = \"a\", nodes = 0, tier = -1 }, { name = \"b\", nodes = 0, tier = \"high\" }, { name = \"c\", nodes = 0, teir = 1 }]
";
    insta::assert_snapshot!(with_cluster(wrong), @r"
    s.toml:4:56: `notice`: expected at least a second, found `0` (without `notice` a change comes as a surprise)
    s.toml:5:56: `notice`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `soon`
    s.toml:6:56: `notice`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found `-5`
    s.toml:8:54: `tier`: expected a whole number from 0 to 4294967295, found `-1`
    s.toml:8:92: `tier`: expected a whole number from 0 to 4294967295, found the text `high`
    s.toml:8:127: unknown key `teir` (did you mean `tier`?)
    ");
}

#[test]
fn a_partition_may_have_a_limit() {
    let text = "
cluster.rack = { platform = \"h100\", count = 2 }
cluster.partition = [{ name = \"debug\", nodes = 0, limit = 1.5 }, { name = \"batch\", nodes = \"0-1\" }]
";
    let cluster = load(&format!("{text}{JOB}")).plan.cluster;
    let limits: Vec<_> = cluster.partitions.iter().map(|partition| partition.limit_milli).collect();
    assert_eq!(limits, [None, Some(1500), None], "as told");
    let wrong = "
cluster.rack = { platform = \"h100\" }
cluster.partition = [{ name = \"a\", nodes = 0, limit = -1 }, { name = \"b\", nodes = 0, limit = \"few\" }]
";
    insta::assert_snapshot!(with_cluster(wrong), @r"
    s.toml:3:55: `limit`: expected a number of GPUs with at most three decimals, up to 4294967, found `-1`
    s.toml:3:94: `limit`: expected a number of GPUs with at most three decimals, up to 4294967, found the text `few`
    ");
}

#[test]
fn a_job_above_the_limit_of_its_partition_could_never_start() {
    let text = "
cluster.rack = { platform = \"h100\", count = 2 }
cluster.partition = { name = \"debug\", nodes = 0, limit = 4 }
[[workload.job]]
id = \"wide\"
gpus = 5
work = 60
partition = \"debug\"
";
    insta::assert_snapshot!(told(text), @"s.toml:4:1: job `wide` asks for 5 GPUs in partition `debug` and could never start (there are 64 GPUs, at most 8 a node; the jobs of partition `debug` may hold 4 together; `--set run.oversized=reject` runs the rest)");
}

#[test]
fn a_list_of_nodes_is_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("nodes.csv", "rack,platform,gpus,count\nr0,gb300,4,18\nr1,h100,8,4\n");
    write("typo.csv", "rack,platform,gpus,count\nr0,gb30,4,18\n");
    write("broken.csv", "platform,gpus\nh100,many\n");
    write("openb.csv", "sn,cpu_milli,memory_mib,gpu,model\nn0,96000,262144,4,T4\nn1,96000,262144,0,\n");
    let path = folder.path().join("s.toml");
    let read = |cluster: &str| {
        std::fs::write(&path, format!("{cluster}\n{JOB}")).unwrap();
        Scenario::load(&path, &Overrides::default())
    };
    let told = |cluster: &str| {
        let text = compact(&read(cluster).unwrap_err().to_string());
        text.replace(&format!("{}/", folder.path().display()), "")
    };
    assert_eq!(read("cluster = \"nodes.csv\"").unwrap().plan.cluster.gpus(), 104, "as a path");
    let own =
        read("[cluster]\nfile = \"nodes.csv\"\npartition = { name = \"p\", nodes = \"0-17\" }").unwrap();
    assert_eq!(own.plan.cluster.partitions.len(), 2, "partitions on top");
    let openb = read("[cluster]\nfile = \"openb.csv\"\nformat = \"openb\"").unwrap();
    assert!(openb.catalogue.get("t4").is_some(), "a platform that came with the list");
    assert!(openb.notes.iter().any(|note| note.ends_with("without power: t4")), "{:?}", openb.notes);
    let wrong = [
        told("cluster = \"typo.csv\""),
        told("cluster = \"broken.csv\""),
        told("cluster = \"none.csv\""),
        told("[cluster]\nfile = \"nodes.csv\"\nformat = \"opnb\"\nrack = { platform = \"h100\" }"),
    ];
    insta::assert_snapshot!(wrong.join("\n"), @r"
    s.toml:1:11: unknown platform `gb30` in `typo.csv` (did you mean `gb300`?)
    broken.csv:2:6: gpus `many`
    s.toml:1:11: cannot read `none.csv`: No such file or directory (os error 2)
    s.toml:3:10: unknown format of node lists `opnb` (did you mean `openb`?)
    s.toml:4:1: `rack` beside `file`, which lists every node
    ");
}

#[test]
fn a_rack_that_is_one_node_is_no_place_for_several_and_that_is_said() {
    let notes = |cluster: &str, job: &str| {
        let jobs = "{ id = \"a\", gpus = 8, work = \"1h\", topology = \"require-rack\" }";
        load(&format!(
            "cluster = \"{cluster}\"\n[workload]\njob = [{jobs}, {{ id = \"b\", work = \"1h\", {job} }}]\n"
        ))
        .notes
    };
    let told = "1 job of several nodes or pods is to share a rack, and every rack here is one node: it runs on any nodes";
    for job in [
        "gpus = 16, topology = \"require-rack\"",
        "pods = 2, pod_gpus = 4, topology = \"require-rack\"",
        "pods = 4, pod_gpus = 8, segment = 2",
    ] {
        let found = notes("4x8", job);
        assert!(matches!(&found[..], [only] if only.starts_with(told)), "{job}: {found:?}");
        assert!(notes("4x8xh100", job).is_empty(), "{job}: racks of four nodes");
    }
    for job in ["gpus = 8, topology = \"require-rack\"", "gpus = 16", "pods = 4, pod_gpus = 8, segment = 1"] {
        assert!(notes("4x8", job).is_empty(), "{job}: nothing is ignored");
    }
}
