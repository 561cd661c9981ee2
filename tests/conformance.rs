//! What other systems' own tests say, row by row: `workloads/conformance`, a file of rows for each thing that is compared.

#[path = "conformance/classical.rs"]
mod classical;
#[path = "conformance/division.rs"]
mod division;
#[path = "conformance/fair.rs"]
mod fair;
#[path = "conformance/gittins.rs"]
mod gittins;
#[path = "conformance/quota.rs"]
mod quota;
#[path = "conformance/topology.rs"]
mod topology;

use classical::{ClassicalRow, wrong_classical};
use division::{DivisionRow, wrong_division};
use fair::{FairRow, wrong_stops};
use gigawatt::history::Factors;
use gigawatt::metrics::Blocks;
use gigawatt::policy::order::fair_tree::{Member, ranks};
use gigawatt::policy::order::multifactor::{Counted, priority};
use gigawatt::policy::order::{proportion, saturation};
use gigawatt::state::quota::{Row, Share, Tree, Usage};
use gittins::{IndexRow, wrong_index};
use quota::{Queue, QuotaRow, milli};
use serde::Deserialize;
use std::fs;
use std::path::PathBuf;
use topology::{TopologyRow, wrong_topology, wrong_topology_of_runs};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareRow {
    name: String,
    pools: Vec<Pool>,
    shares: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pool {
    resource: String,
    queues: Vec<Queue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    queue: String,
    weight: f64,
    share: Option<u128>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorityRow {
    name: String,
    weights: Weights,
    #[serde(default)]
    favor_small: bool,
    max_age: u32,
    waited: u64,
    gpus: (u64, u64),
    share: (u64, u64),
    priority: (u64, u64),
    expected: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    age: u32,
    size: u32,
    share: u32,
    priority: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RankRow {
    name: String,
    members: Vec<RankedMember>,
}

/// A user, if it says what it used, or an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RankedMember {
    name: String,
    parent: Option<String>,
    weight: Option<f64>,
    used: Option<u64>,
    /// Expected.
    rank: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FragmentationRow {
    name: String,
    nodes: u32,
    sizes: Vec<u32>,
    /// First and last nodes of stretches.
    busy: Vec<[u32; 2]>,
    /// Expected.
    fragmentation: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<R> {
    system: String,
    version: String,
    source: String,
    about: String,
    row: Vec<R>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("workloads/conformance")
}

fn rows<R: for<'de> Deserialize<'de>>(name: &str) -> Vec<R> {
    let text = fs::read_to_string(folder().join(name)).expect("the file is there");
    let table: Table<R> = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    for told in [&table.system, &table.version, &table.source, &table.about] {
        assert!(!told.is_empty(), "{name} tells where it comes from");
    }
    table.row
}

fn index(queues: &[Queue], name: &str) -> u32 {
    let place = queues.iter().position(|queue| queue.name == name).unwrap_or_else(|| panic!("no {name}"));
    u32::try_from(place).expect("few queues")
}

fn held(queues: &[Queue]) -> (Tree, Usage) {
    let row = |queue: &Queue| Row {
        parent: queue.parent.as_ref().map(|parent| index(queues, parent)),
        nominal_milli: queue.nominal.map(milli),
        borrow_milli: queue.borrow.map(milli),
        lend_milli: queue.lend.map(milli),
        ..Row::default()
    };
    let tree = Tree::new(queues.iter().map(row).collect());
    let mut usage = Usage::of(&tree);
    (0..).zip(queues).for_each(|(row, queue)| usage.add(&tree, row, milli(queue.held).into()));
    (tree, usage)
}

/// What is other than a row says.
fn wrong_quota(row: &QuotaRow) -> Vec<String> {
    let (tree, usage) = held(&row.queues);
    let told = |(index, queue): (u32, &Queue)| {
        let available = queue.available.map(|units| i64::from(milli(units)));
        let most = queue.most.map(|units| u64::from(milli(units)));
        let other = available.is_some_and(|available| available != tree.available(&usage, index))
            || most.is_some_and(|most| tree.most(index) != Some(most));
        let found = (tree.available(&usage, index), tree.most(index));
        other.then(|| {
            format!("{}: {} has {found:?}, expected {available:?} and {most:?}", row.name, queue.name)
        })
    };
    (0..).zip(&row.queues).filter_map(told).collect()
}

fn wrong_share(row: &ShareRow) -> Vec<String> {
    let mut names: Vec<&str> = row.pools.iter().map(|pool| pool.resource.as_str()).collect();
    names.dedup();
    let held: Vec<(&str, (Tree, Usage))> =
        row.pools.iter().map(|pool| (pool.resource.as_str(), held(&pool.queues))).collect();
    let pools = |name: &str| -> Vec<(&Tree, &Usage)> {
        held.iter().filter(|(own, _)| *own == name).map(|(_, (tree, usage))| (tree, usage)).collect()
    };
    let resources: Vec<Vec<(&Tree, &Usage)>> = names.iter().map(|name| pools(name)).collect();
    let resources: Vec<&[(&Tree, &Usage)]> = resources.iter().map(Vec::as_slice).collect();
    let told = |expected: &Expected| {
        let queue = index(&row.pools[0].queues, &expected.queue);
        let found = Share::of(&resources, queue, milli(expected.weight)).reported();
        (found != expected.share).then(|| format!("{}: found {found:?}, {expected:?}", row.name))
    };
    row.shares.iter().filter_map(told).collect()
}

fn wrong_priority(row: &PriorityRow) -> Option<String> {
    let Weights { age, size, share, priority: own } = row.weights;
    let factors = Factors {
        weight_age: age,
        weight_size: size,
        weight_share: share,
        weight_priority: own,
        max_age: row.max_age,
        favor_small: row.favor_small,
    };
    let age = (row.waited, row.max_age.into());
    let found =
        priority(&factors, &Counted { age, size: row.gpus, share: row.share, priority: row.priority });
    (found != row.expected).then(|| format!("{}: found {found}, expected {}", row.name, row.expected))
}

fn wrong_rank(row: &RankRow) -> Vec<String> {
    let place = |name: &String| row.members.iter().position(|member| member.name == *name).expect("a member");
    let member = |own: &RankedMember| Member {
        parent: own.parent.as_ref().map(|parent| u32::try_from(place(parent)).expect("few members")),
        weight_milli: milli(own.weight.unwrap_or(1.0)),
        used: own.used.unwrap_or(0),
        is_user: own.used.is_some(),
    };
    let members: Vec<Member> = row.members.iter().map(member).collect();
    let found = ranks(&members);
    let told = |(own, found): (&RankedMember, u32)| {
        let other = found != own.rank.unwrap_or(0);
        other.then(|| format!("{}: {} ranks {found}, expected {:?}", row.name, own.name, own.rank))
    };
    row.members.iter().zip(found).filter_map(told).collect()
}

#[test]
fn jobs_have_the_priority_that_slurm_gives_them() {
    let rows: Vec<PriorityRow> = rows("slurm-multifactor.toml");
    let wrong: Vec<String> = rows.iter().filter_map(wrong_priority).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].expected -= 1;
    assert!(wrong_priority(&planted[0]).is_some(), "a point less is noticed");
}

#[test]
fn jobs_have_the_gittins_index_of_its_definition() {
    let rows: Vec<IndexRow> = rows("gittins.toml");
    let wrong: Vec<String> = rows.iter().filter_map(wrong_index).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].expected += 0.001;
    assert!(wrong_index(&planted[0]).is_some(), "a thousandth is noticed");
}

#[test]
fn users_rank_as_in_slurms_fair_tree() {
    let rows: Vec<RankRow> = rows("slurm-fair-tree.toml");
    let wrong: Vec<String> = rows.iter().flat_map(wrong_rank).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].members[2].used = Some(10);
    assert_eq!(wrong_rank(&planted[0]).len(), 2, "who used less ranks higher");
}

fn wrong_fragmentation(row: &FragmentationRow) -> Option<String> {
    let mut blocks = Blocks::new(row.nodes, &row.sizes);
    let busy = || row.busy.iter().flat_map(|[first, last]| *first..=*last);
    busy().for_each(|node| blocks.set(node, true));
    let found = blocks.fragmentation();
    busy().for_each(|node| blocks.set(node, false));
    assert_eq!(blocks.fragmentation(), 0, "{}: all are idle again", row.name);
    (found != row.fragmentation)
        .then(|| format!("{}: found {found}, expected {}", row.name, row.fragmentation))
}

#[test]
fn gangs_lie_where_kueue_puts_them() {
    let rows: Vec<TopologyRow> = rows("kueue-tas.toml");
    let wrong: Vec<String> = rows.iter().flat_map(wrong_topology).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].asks[0].pods_at = None;
    assert_eq!(wrong_topology(&planted[0]).len(), 1, "a place that is not expected is noticed");
}

#[test]
fn gangs_of_a_run_lie_where_kueue_puts_them() {
    let rows: Vec<TopologyRow> = rows("kueue-tas.toml");
    let (wrong, asked): (Vec<Vec<String>>, Vec<usize>) = rows.iter().map(wrong_topology_of_runs).unzip();
    assert!(wrong.iter().all(Vec::is_empty), "{}", wrong.concat().join("\n"));
    assert_eq!(asked.iter().sum::<usize>(), 14, "the others ask at a level that no job can name");
    let mut planted = rows;
    planted[0].asks[0].pods_at = None;
    assert_eq!(wrong_topology_of_runs(&planted[0]).0.len(), 1, "a place that is not expected is noticed");
}

#[test]
fn blocks_are_as_broken_up_as_slurm_says() {
    let rows: Vec<FragmentationRow> = rows("slurm-fragmentation.toml");
    let wrong: Vec<String> = rows.iter().filter_map(wrong_fragmentation).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[2].busy = vec![[0, 1]];
    assert!(wrong_fragmentation(&planted[2]).is_some(), "another busy node is noticed");
}

#[test]
fn queues_may_hold_what_kueue_lets_them() {
    let rows: Vec<QuotaRow> = rows("kueue-quota.toml");
    let wrong: Vec<String> = rows.iter().flat_map(wrong_quota).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].queues[1].available = Some(27.999);
    assert_eq!(wrong_quota(&planted[0]).len(), 1, "a thousandth less is noticed");
}

#[test]
fn shares_are_those_of_kueue() {
    let rows: Vec<ShareRow> = rows("kueue-share.toml");
    let wrong: Vec<String> = rows.iter().flat_map(wrong_share).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].shares[3].share = Some(0);
    assert_eq!(wrong_share(&planted[0]).len(), 1, "a queue without weight is noticed");
}

#[test]
fn jobs_yield_to_what_is_nominally_of_other_queues_as_those_of_kueue_do() {
    let rows: Vec<ClassicalRow> = rows("kueue-classical.toml");
    let wrong: Vec<String> = rows.iter().flat_map(wrong_classical).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].stops = vec!["standalone-2".to_owned()];
    planted[2].stops = vec!["standalone-1".to_owned()];
    assert_eq!(
        planted.iter().flat_map(wrong_classical).count(),
        2,
        "another job, and one that need not stop"
    );
}

#[test]
fn jobs_yield_to_other_queues_as_those_of_kueue_do() {
    let rows: Vec<FairRow> = rows("kueue-fair.toml");
    let wrong: Vec<String> = rows.iter().flat_map(wrong_stops).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut planted = rows;
    planted[0].stops = vec!["b2".to_owned()];
    planted[3].stops = vec!["a1".to_owned()];
    assert_eq!(planted.iter().flat_map(wrong_stops).count(), 2, "another job, and one that need not stop");
}

#[test]
fn queues_divide_gpus_as_those_of_kai_and_volcano_do() {
    for (name, divide) in [
        ("kai-fair-share.toml", saturation::fair_shares as fn(u64, &[_]) -> Vec<u64>),
        ("volcano-proportion.toml", proportion::deserved),
    ] {
        let rows: Vec<DivisionRow> = rows(name);
        let wrong: Vec<String> = rows.iter().filter_map(|row| wrong_division(row, divide)).collect();
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
        let mut planted = rows;
        planted[0].shares[0] += 0.001;
        assert!(wrong_division(&planted[0], divide).is_some(), "{name}: a thousandth more is noticed");
    }
}

#[test]
fn every_file_is_compared_and_listed() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("a plain name"))
        .collect();
    found.sort();
    let compared = [
        "gittins.toml",
        "kai-fair-share.toml",
        "kueue-classical.toml",
        "kueue-fair.toml",
        "kueue-quota.toml",
        "kueue-share.toml",
        "kueue-tas.toml",
        "slurm-fair-tree.toml",
        "slurm-fragmentation.toml",
        "slurm-multifactor.toml",
        "volcano-proportion.toml",
    ];
    assert_eq!(found, compared, "each has its test above");
    let run = assert_cmd::Command::cargo_bin("gigawatt")
        .expect("the binary is built")
        .args(["list", "conformance"])
        .output()
        .expect("it runs");
    let text = String::from_utf8(run.stdout).expect("text");
    for name in found {
        assert!(text.contains(name.trim_end_matches(".toml")), "{name} is listed:\n{text}");
    }
}
