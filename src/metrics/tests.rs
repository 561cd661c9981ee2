//! The replay and the reasons of waiting against their definition: every second of every waiting job by itself.

use super::replay::replay;
use super::schedule::Stretches;
use super::series::Integrals;
use super::times::{SecondsByReason, Wait, times};
use super::waiting::add_reasons;
use crate::cluster::{Cluster, NodeKind, NodeState};
use crate::history::sample::{self, Machine};
use crate::history::{History, Plan, Settings, WaitReason};
use crate::metrics::measure;
use crate::simulation::{Control, simulate};
use crate::units::{Gpus, Seconds, Time};
use crate::workload::{Behaviour, Builder, Job, Request, Shape};

#[derive(Default)]
struct Definition {
    held: Vec<u128>,
    allocated: u128,
    available: u128,
    free: u128,
    whole_nodes: u128,
    whole_racks: u128,
}

/// What tenants, and the jobs of partitions, hold at an instant.
struct Held {
    tenants: Vec<u64>,
    partitions: Vec<u64>,
}

/// What is free at an instant, what is held, and how much is available.
fn state(history: &History, now: Time) -> (Machine<'_>, Held, u128) {
    let Plan { cluster, workload, .. } = &history.plan;
    let mut machine = Machine::new(cluster);
    let mut available = u128::from(cluster.gpus());
    let mut states = vec![NodeState::Up; cluster.nodes() as usize];
    for change in cluster.changes.iter().filter(|change| change.time <= now) {
        for node in change.nodes.clone() {
            states[node as usize] = change.state;
        }
    }
    for (node, state) in (0u32..).zip(&states) {
        machine.nodes[node as usize].up = *state == NodeState::Up;
        if matches!(state, NodeState::Absent | NodeState::Down) {
            available -= u128::from(cluster.kind_of(node).gpus);
        }
    }
    let mut held =
        Held { tenants: vec![0; workload.tenants.len()], partitions: vec![0; workload.partitions.len()] };
    for segment in history.segments.iter().filter(|s| s.from <= now && now < s.to) {
        machine.apply(history.pieces_of(segment), workload.request_of(segment.job), true);
        held.tenants[workload.jobs[segment.job as usize].tenant as usize] += history.gpus_of(segment);
        held.partitions[workload.request_of(segment.job).partition as usize] += history.gpus_of(segment);
    }
    (machine, held, available * 1000)
}

fn is_over_quota(history: &History, job: u32, held: &[u64]) -> bool {
    let workload = &history.plan.workload;
    let (tenant, wanted) = (workload.jobs[job as usize].tenant as usize, workload.request_of(job).gpus());
    workload.tenants[tenant].quota_milli.is_some_and(|quota| {
        wanted.milli() > 0 && held[tenant] + u64::from(wanted.milli()) > u64::from(quota)
    })
}

fn is_over_limit(history: &History, job: u32, held: &[u64]) -> bool {
    let Plan { cluster, workload, .. } = &history.plan;
    let request = workload.request_of(job);
    let (partition, wanted) = (request.partition as usize, u64::from(request.gpus().milli()));
    let limit = cluster.partition(&workload.partitions[partition]).and_then(|own| own.limit_milli);
    limit.is_some_and(|limit| wanted > 0 && held[partition] + wanted > u64::from(limit))
}

fn why(history: &History, job: u32, machine: &Machine<'_>, held: &Held) -> WaitReason {
    let workload = &history.plan.workload;
    let request = workload.request_of(job);
    let scope = machine.scope(workload, request);
    let up = scope.iter().map(|node| &machine.nodes[*node as usize]).filter(|node| node.up);
    let free: u64 = up.flat_map(|node| &node.free_milli).map(|milli| u64::from(*milli)).sum();
    if is_over_quota(history, job, &held.tenants) {
        WaitReason::Quota
    } else if is_over_limit(history, job, &held.partitions) {
        WaitReason::Limit
    } else if free < u64::from(request.gpus().milli()) {
        WaitReason::Capacity
    } else if machine.place(&scope, request).is_none() {
        WaitReason::Shape
    } else {
        WaitReason::Order
    }
}

/// The jobs behind which those of their partitions stand, of all that wait, where a blocked job closes a partition and
/// nothing but room blocks one.
fn heads(history: &History, waiting: &[u32]) -> Vec<u32> {
    let workload = &history.plan.workload;
    let shortest = history.plan.settings.order == "sjf";
    let key = |job: &u32| {
        let requested = if shortest { workload.jobs[*job as usize].requested_time.0 } else { 0 };
        (requested, history.jobs[*job as usize].eligible_time, *job)
    };
    let of = |queue: u32| waiting.iter().filter(move |job| workload.request_of(**job).partition == queue);
    let queues = 0..u32::try_from(workload.partitions.len()).unwrap();
    queues.filter_map(|queue| of(queue).min_by_key(|job| key(job)).copied()).collect()
}

/// Why jobs waited, second by second: the answer of the last pass, `held` before the first.
fn define_reasons(history: &History, waits: &[Wait]) -> Vec<SecondsByReason> {
    let mut found = vec![SecondsByReason::default(); history.jobs.len()];
    let mut last = vec![WaitReason::Held; history.jobs.len()];
    let strict = history.plan.settings.backfill == "none";
    for now in (0..history.end.0).map(Time) {
        let waits = || waits.iter().filter(|wait| wait.from <= now && now < wait.to);
        waits().filter(|wait| wait.from == now).for_each(|w| last[w.job as usize] = WaitReason::Held);
        if history.plan.settings.cycle.is_none_or(|cycle| now.0.is_multiple_of(cycle)) {
            let (machine, held, _) = state(history, now);
            let waiting: Vec<u32> = waits().map(|wait| wait.job).collect();
            let heads = if strict { heads(history, &waiting) } else { waiting.clone() };
            for job in waiting {
                let behind = !heads.contains(&job);
                let why = why(history, job, &machine, &held);
                last[job as usize] = if behind && why != WaitReason::Quota { WaitReason::Order } else { why };
            }
        }
        waits().for_each(|wait| found[wait.job as usize][last[wait.job as usize] as usize] += 1);
    }
    found
}

fn define(history: &History) -> Definition {
    let tenants = history.plan.workload.tenants.len();
    let mut found = Definition { held: vec![0; tenants], ..Definition::default() };
    for now in (0..history.end.0).map(Time) {
        let (machine, held, available) = state(history, now);
        for (sum, milli) in found.held.iter_mut().zip(&held.tenants) {
            *sum += u128::from(*milli);
        }
        found.allocated += u128::from(held.tenants.iter().sum::<u64>());
        found.available += available;
        add_free(&mut found, &machine);
    }
    found
}

fn add_free(found: &mut Definition, machine: &Machine<'_>) {
    let free = |node: &sample::Node| node.free_milli.iter().map(|milli| u128::from(*milli)).sum::<u128>();
    let whole = |node: &sample::Node| node.whole() as usize == node.free_milli.len();
    for rack in &machine.cluster.racks {
        let first = rack.first_node as usize;
        let nodes = machine.nodes[first..first + rack.nodes as usize].iter().filter(|node| node.up);
        found.free += nodes.clone().map(free).sum::<u128>();
        found.whole_nodes += nodes.clone().filter(|node| whole(node)).map(free).sum::<u128>();
        if nodes.clone().all(whole) {
            found.whole_racks += nodes.map(free).sum::<u128>();
        }
    }
}

/// The plans of the sample under the policies of this program.
fn simulated(seed: u64) -> History {
    let mut plan = sample::random(seed).plan;
    let parts = [
        ("fifo", "easy", "best-fit"),
        ("sjf", "none", "pack"),
        ("srtf", "skip", "spread"),
        ("fifo", "conservative", "first-fit"),
        ("fifo", "none", "spread"),
        ("fifo", "skip", "first-fit"),
    ];
    let (order, backfill, placement) = parts[usize::try_from(seed % 6).unwrap()];
    let named = Settings::named(order, backfill, placement);
    plan.settings = Settings { cycle: plan.settings.cycle, until: plan.settings.until, ..named };
    if backfill == "none" {
        // What closes a partition is then only want of room: see `heads`.
        plan.cluster.changes.clear();
        plan.workload.tenants.iter_mut().for_each(|tenant| tenant.quota_milli = None);
        plan.workload.jobs.iter_mut().for_each(|job| job.requested_time = job.work_time);
    } else if seed.is_multiple_of(4) {
        plan.cluster.partitions.iter_mut().for_each(|partition| partition.limit_milli = Some(6_000));
    }
    simulate(plan, &mut Control::default())
}

#[test]
fn why_jobs_wait_is_the_answer_of_the_last_pass_second_by_second() {
    let mut seen = SecondsByReason::default();
    for seed in 0..300 {
        let history = simulated(seed);
        assert_eq!(history.check(), Ok(()), "seed {seed}");
        let (mut times, waits) = times(&history);
        let expected = define_reasons(&history, &waits);
        add_reasons(&history, &Stretches::new(waits), &mut times, &mut ());
        for (job, (own, expected)) in times.iter().zip(&expected).enumerate() {
            let mut reasons = own.reasons;
            reasons[0] = 0;
            assert_eq!(reasons, *expected, "seed {seed}, job {job}, {:?}", history.plan.settings);
            assert_eq!(reasons.iter().sum::<u32>(), own.wait_time.0, "seed {seed}, job {job}: the sum");
            for (sum, seconds) in seen.iter_mut().zip(own.reasons) {
                *sum += seconds;
            }
        }
    }
    // The samples have neither.
    let absent = [WaitReason::Power, WaitReason::Licence];
    for (reason, seconds) in WaitReason::ALL.iter().zip(seen) {
        assert!(seconds > 500 || absent.contains(reason), "too little waiting for {}", reason.name());
    }
}

#[test]
fn the_replay_equals_the_definition_second_by_second() {
    for seed in 0..200 {
        let history = sample::random(seed);
        let (_, waits) = times(&history);
        let replay = replay(&history, &Stretches::new(waits), Time::ZERO..history.end);
        let expected = define(&history);
        assert_eq!(replay.held, expected.held, "seed {seed}: what tenants held");
        let Integrals { allocated, available, .. } = replay.recorder.total;
        assert_eq!((allocated, available), (expected.allocated, expected.available), "seed {seed}");
        let part_used = |whole: u128| (expected.free - whole, expected.free);
        let total = &replay.recorder.total;
        assert_eq!(total.nodes_part_used(), part_used(expected.whole_nodes), "seed {seed}");
        assert_eq!(total.racks_part_used(), part_used(expected.whole_racks), "seed {seed}");
    }
}

#[test]
fn a_planted_second_is_noticed() {
    let history = (0..).map(sample::random).find(|history| history.segments.len() > 20).unwrap();
    let replay = replay(&history, &Stretches::new(Vec::new()), Time::ZERO..history.end);
    let mut other = history.clone();
    other.segments[3].to = Time(other.segments[3].to.0 - 1);
    assert_ne!(define(&other).held, replay.held, "one second less of one segment");
}

/// On each of two racks of four nodes of 8 GPUs one node is taken; then come 48 GPUs in segments of so many pods.
fn waits_of(segment: u32, shape: Shape) -> [u64; 3] {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    let node = Request::gang(Gpus::whole(8));
    for request in [node.clone(), node.clone(), Request { shape, segment, ..node }] {
        let request = builder.request(request);
        builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(0)) });
    }
    let cluster = Cluster::racked(2, 4, NodeKind { gpus: 8, ..NodeKind::default() });
    let settings = Settings::named("fifo", "skip", "spread");
    let history = simulate(Plan { cluster, workload: builder.finish(), settings }, &mut Control::default());
    let metrics = measure(&history).metrics;
    [WaitReason::Shape, WaitReason::Order, WaitReason::Held].map(|reason| metrics.waited_for(reason))
}

#[test]
fn what_needs_whole_segments_waits_for_shape() {
    let gang = Shape::Any { gpus_milli: 48_000 };
    let pods = Shape::Pods { count: 12, gpus_milli_each: 4_000 };
    for (segment, shape, waited, why) in [
        (1, gang, 0, "six nodes are free"),
        (2, gang, 100, "pairs: of each three nodes one is left over"),
        (3, gang, 0, "three and three"),
        (1, pods, 0, "two pods a node"),
        (4, pods, 100, "fours: of each six pods two are left over"),
        (6, pods, 0, "six and six"),
    ] {
        assert_eq!(waits_of(segment, shape), [waited, 0, 0], "segments of {segment}: {why}");
    }
}
