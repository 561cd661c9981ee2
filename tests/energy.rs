//! Energy equals what other simulators computed, and what a hand computes.
//!
//! The recordings lie outside the repository, where the variable `GIGAWATT_SHARED` points; without it a test that needs
//! one says that it is skipped.

#[expect(dead_code, reason = "every test uses its part of what they share")]
mod support;

use gigawatt::cluster::{Cluster, NodePower};
use gigawatt::history::Plan;
use gigawatt::metrics::measure;
use gigawatt::power::draw::Draw;
use gigawatt::power::tree::{Domain, Tree};
use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Factor, Watts};
use gigawatt::workload::{JobKind, Profile};
use std::path::Path;
use support::recorded::{self, columns, number, plan, swf};

/// A GPU at its TGP all the time.
const FULL: Profile = Profile { shares: [1 << 16, 0, 0, 0, 0, 0], levels: [1 << 16; 6] };

/// Nodes of one GPU that draw `idle` watts, and `busy` while a job holds them.
fn batsim(idle: u64, busy: u64) -> Plan {
    let mut plan = plan(swf("batch/synth1k.swf.zst"), 256, 1, ["fifo", "none", "first-fit"]);
    plan.cluster.kinds[0].power = NodePower {
        idle: Watts(idle),
        busy: Watts(busy),
        gpu_tgp: Watts(busy - idle),
        ..NodePower::default()
    };
    plan.workload.behaviours[0].profile = FULL;
    plan.settings.warm_up = 295;
    plan
}

/// Joules of the whole machine from the first submit on, and jobs whose joules are not those recorded.
fn against_batsim(plan: Plan, recorded: &[(String, u128)]) -> (u128, usize) {
    let names = plan.workload.names.clone();
    let measured = measure(&simulate(plan, &mut Control::default()));
    let energy = measured.energy.expect("power is counted");
    assert_eq!(energy.len(), recorded.len(), "the same jobs");
    let others = |(index, (name, joules)): &(usize, &(String, u128))| {
        assert_eq!(names.get(*index), name.as_str(), "in the same order");
        energy[*index] != *joules
    };
    let others = recorded.iter().enumerate().filter(others).count();
    (measured.metrics.power.expect("power is counted").all.energy_j, others)
}

#[test]
fn the_joules_of_every_job_and_of_the_machine_equal_batsim() {
    if recorded::folder().is_none() {
        return;
    }
    // Written with six decimals of a binary fraction: one of them ends in .999999.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole joules of a small machine"
    )]
    let joules = |text: &str| {
        let joules: f64 = text.parse().expect("a number");
        assert!((joules - joules.round()).abs() < 1e-5, "{text} J are whole joules");
        joules.round() as u128
    };
    let rows = columns("energy/synth1k-fcfs-energy.csv.zst", ["workload_name", "job_id", "consumed_energy"]);
    let mut rows: Vec<_> = rows.into_iter().map(|[_, id, energy]| (id, joules(&energy))).collect();
    rows.sort_by_key(|(id, _)| number(id));
    assert_eq!(against_batsim(batsim(600, 2700), &rows), (385_886_258_700, 0), "as recorded");
    let (total, others) = against_batsim(batsim(601, 2700), &rows);
    // A busy node draws the same, an idle one a watt more.
    assert_eq!(others, 0, "jobs hold whole nodes");
    assert_eq!(total - 385_886_258_700, 256 * (1_033_875 - 295) - 108_156_367, "the nodes that no job held");
    assert_eq!(against_batsim(batsim(600, 2701), &rows).1, rows.len(), "a planted watt is in every job");
}

/// A scenario of this package.
fn scenario(name: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads").join(name);
    Scenario::load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}")).plan
}

/// What all sites draw with every node there, idle and with every GPU at its TGP.
fn idle_and_full(cluster: &Cluster) -> [u64; 2] {
    let mut tree = Tree::new(cluster);
    for node in 0..cluster.nodes() {
        tree.set_present(node, true);
    }
    tree.settle();
    let idle = tree.draw(Domain::All);
    for node in 0..cluster.nodes() {
        tree.add(node, Draw::new(&FULL, &cluster.kind_of(node).power, Factor::ONE).mean);
    }
    tree.settle();
    let full = tree.draw(Domain::All);
    let parts = tree.parts();
    let sum = [parts.busy, parts.idle, parts.overhead, parts.losses, parts.cooling].map(|part| part.0);
    assert_eq!(sum.iter().sum::<u64>(), full.0, "the parts are the whole");
    [idle.0, full.0]
}

#[test]
fn the_chain_of_losses_of_frontier_gives_what_raps_computes() {
    let plan = scenario("frontier.toml");
    assert_eq!((plan.cluster.racks.len(), plan.cluster.nodes()), (74, 9_472), "74 racks of 128 nodes");
    let [idle, full] = idle_and_full(&plan.cluster);
    for (found, megawatts) in [(idle, 7.31), (full, 28.23)] {
        let found = Watts(found).0 as f64 / 1e6;
        assert!((found - megawatts).abs() < 0.01, "{found} MW instead of {megawatts} MW");
    }
    let mut spoilt = plan.cluster.clone();
    spoilt.kinds[0].power.stages.pop();
    let [_, without] = idle_and_full(&spoilt);
    assert!(full - without > 1_000_000, "rectifiers left out are noticed: {without} W");
    let measured = measure(&simulate(plan, &mut Control::default()));
    let power = measured.metrics.power.expect("power is counted");
    assert_eq!(power.all.peak_w, full, "a job on every GPU draws that much");
}

/// NVIDIA's Dynamic Power Software sample: a utility feed, a switchboard, four PDUs of two GB300 NVL72 racks each.
const DPS_TREE: &str = r#"
cluster.feed = [
    { name = "utility", cap = "750 kW" },
    { name = "switchboard", parent = "utility", cap = "1.6 MW" },
    { name = "pdu-1", parent = "switchboard", cap = "450 kW" },
    { name = "pdu-2", parent = "switchboard", cap = "450 kW" },
    { name = "pdu-3", parent = "switchboard", cap = "450 kW" },
    { name = "pdu-4", parent = "switchboard", cap = "450 kW" },
]
cluster.rack = [
    { name = "row-1", platform = "gb300", count = 2, feed = "pdu-1" },
    { name = "row-2", platform = "gb300", count = 2, feed = "pdu-2" },
    { name = "row-3", platform = "gb300", count = 2, feed = "pdu-3" },
    { name = "row-4", platform = "gb300", count = 2, feed = "pdu-4" },
]
workload.job = [{ id = "one", gpus = 4, work = "1h" }]
"#;

#[test]
fn the_tree_of_nvidia_draws_what_a_hand_computes() {
    let plan = Scenario::from_text("dps.toml", DPS_TREE, &Overrides::default()).unwrap().plan;
    let cluster = &plan.cluster;
    assert_eq!((cluster.nodes(), cluster.gpus()), (144, 576), "eight racks of 18 nodes of 4 GPUs");
    // A rack idle: 18 nodes of 1,100 W and 8 kW of switches; with every GPU at 1,400 W: 18 of 6,600 W.
    let (idle, full) = (18 * 1100 + 8000, 18 * 6600 + 8000);
    assert_eq!((idle, full), (27_800, 126_800), "watts");
    assert_eq!(idle_and_full(cluster), [8 * idle, 8 * full], "222.4 kW and 1,014.4 kW, without any loss");
    // Pre-training in the mean: 0.80 · 0.95 + 0.17 · 0.40 + 0.03 · 0.25 = 0.8355 of 1,400 W, so 1,170 W a GPU; that is
    // 970 of the 1,200 W above idle, and 970/1200 · 5,500 W = 4,445.8 W a node.
    let power = &cluster.kinds[0].power;
    let draw = Draw::new(&Profile::of(JobKind::Pretrain), power, Factor::ONE);
    assert_eq!((draw.gpu, draw.mean), (Watts(1170), Watts(4446)), "in the mean");
    // At its peak 0.95 · 1,400 = 1,330 W, 1,130 of 1,200 W: 5,179.2 W a node.
    assert_eq!(draw.peak, Watts(5180), "in its hungriest phase");
    // Seven nodes of the first rack at that: the PDU, the switchboard and the utility see the same watts.
    let mut tree = Tree::new(cluster);
    for node in 0..144 {
        tree.set_present(node, true);
    }
    for node in 0..7 {
        tree.add(node, draw.mean);
    }
    tree.settle();
    let busy = 7 * 4446;
    for (domain, watts) in [
        (Domain::Rack(0), idle + busy),
        (Domain::Rack(1), idle),
        (Domain::Feed(2), 2 * idle + busy),
        (Domain::Feed(3), 2 * idle),
        (Domain::Feed(1), 8 * idle + busy),
        (Domain::Feed(0), 8 * idle + busy),
    ] {
        assert_eq!(tree.draw(domain), Watts(watts), "{domain:?}");
    }
}
