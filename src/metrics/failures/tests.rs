use super::*;
use crate::cluster::NodeState;
use crate::failure::{Component, Exposure, Failures, Lemons, Life, Per, Repair, Retirement, Span, SparePool};
use crate::history::sample::{self, Dice};
use crate::history::{Outcome, Plan, SegmentEnd, Settings};
use crate::metrics::LossCause;
use crate::metrics::measure;
use crate::simulation::{Control, simulate};
use crate::units::Seconds;

fn component(dice: &mut Dice, name: &str, per: Per) -> Component {
    let mean = f64::from(dice.pick(&[900, 4000, 20_000]));
    let half = |name: &str, time, helps_milli, crew| Repair {
        share_milli: 500,
        helps_milli,
        crew,
        ..Repair::certain(name, time)
    };
    let shape = if dice.one_in(2) { 1.0 } else { 0.7 };
    Component {
        life: Life::of_mean(mean, shape).unwrap(),
        detection: dice.pick(&[
            Span::Fixed(Seconds(0)),
            Span::Fixed(Seconds(9)),
            Span::Uniform(Seconds(0), Seconds(40)),
        ]),
        repairs: vec![
            half("reboot", Span::Fixed(Seconds(30)), 600, false),
            half("swap", Span::Exponential(Seconds(200)), 1000, true),
        ],
        ..Component::new(name, per)
    }
}

/// A random plan of which something fails.
fn plan(seed: u64) -> Plan {
    let mut plan = sample::random(seed).plan;
    let mut dice = Dice::new(seed ^ 0xFA11);
    let parts = [
        ("gpu", Per::Gpu),
        ("node", Per::Node),
        ("rack", Per::Rack),
        ("feed", Per::Feed),
        ("software", Per::JobGpu),
    ];
    let wanted = parts.into_iter().filter(|_| dice.one_in(2)).collect::<Vec<_>>();
    plan.cluster.failures = Some(Box::new(Failures {
        components: wanted.into_iter().map(|(name, per)| component(&mut dice, name, per)).collect(),
        exposure: dice.pick(&[Exposure::Always, Exposure::Computing]),
        crews: dice.pick(&[None, Some(1)]),
        lemons: dice.pick(&[None, Some(Lemons { share_milli: 300, factor_milli: 4000 })]),
        retirement: dice.pick(&[None, Some(Retirement { failures: 2, within: Seconds(500) })]),
        spares: reserve(&mut dice, plan.cluster.nodes()),
        ..Failures::default()
    }));
    let cost = dice.pick(&[0, 3]);
    for behaviour in plan.workload.behaviours.iter_mut().filter(|own| own.checkpoint_interval.0 > 0) {
        behaviour.checkpoint_cost = Seconds(cost);
    }
    let until = 200 + dice.below(1500);
    let preemption = dice.one_in(3).then(|| "ranked".to_owned());
    let order = if preemption.is_some() { "srtf" } else { "fifo" };
    plan.settings = Settings {
        seed,
        until: Some(until),
        warm_up: dice.pick(&[0, 0, 50]),
        drain: dice.one_in(3).then_some(until / 2),
        preemption,
        ..Settings::named(order, dice.pick(&["none", "skip"]), "first-fit")
    };
    plan
}

fn run(seed: u64) -> History {
    let history = simulate(plan(seed), &mut Control::default());
    history.check().unwrap();
    history
}

/// Work that a stop does not lose, from the definition: what was kept before, or the last whole period.
fn kept_after(history: &History, job: u32, end: SegmentEnd, (done, safe): (u64, u64)) -> u64 {
    let behaviour = history.plan.workload.behaviour_of(job);
    let period = u64::from(behaviour.checkpoint_interval.0 + behaviour.checkpoint_cost.0) << 16;
    match behaviour.checkpoint_interval.0 {
        0 if end == SegmentEnd::NodeDown => safe,
        0 => done,
        _ => (0..).map(|count| count * period).take_while(|work| *work <= done).last().unwrap().max(safe),
    }
}

/// A second in which a job held GPUs: thousandths of them, the work done at its end, and what it is lost to for sure.
type Second = (u32, u64, u64, Option<LossCause>);

/// What jobs held, second by second and job by job: thousandths of GPU-seconds by cause and of use, checkpoints counted as of
/// use. Where `forgets`, stops are taken to lose nothing.
fn by_the_second(history: &History, window: Window, forgets: bool) -> ([u128; LossCause::ALL.len()], u128) {
    let (mut lost, mut useful) = ([0; LossCause::ALL.len()], 0);
    let mut count = |(second, milli, _, cause): Second, kept: Option<LossCause>| {
        if (window.from.0..window.to.0).contains(&second) {
            let sum = cause.or(kept).map_or(&mut useful, |cause| &mut lost[cause as usize]);
            *sum += u128::from(milli);
        }
    };
    for job in 0..history.plan.workload.len() {
        let total = u64::from(history.plan.workload.jobs[job as usize].work_time.0) << 16;
        let in_the_end = match history.jobs[job as usize].outcome {
            Outcome::Failed => Some(LossCause::Failed),
            Outcome::Timeout => Some(LossCause::Timeout),
            _ => None,
        };
        let (mut done, mut safe, mut stalled, mut before) = (0_u64, 0_u64, false, None);
        let mut seconds: Vec<Second> = Vec::new();
        for segment in history.segments.iter().filter(|segment| segment.job == job) {
            let pieces = history.pieces_of(segment);
            if before != Some(pieces) {
                (safe, stalled) = (done, false);
            }
            before = Some(pieces);
            let milli = history.gpus_of(segment);
            for second in segment.from.0..segment.to.min(history.end).0 {
                let waits = second - segment.from.0 < segment.restart;
                done = if waits { done } else { (done + u64::from(segment.rate.0)).min(total) };
                let cause = if stalled { LossCause::Detection } else { LossCause::Restart };
                seconds.push((second, milli, done, waits.then_some(cause)));
            }
            stalled = segment.end == SegmentEnd::Stalled || stalled && segment.end == SegmentEnd::Changed;
            let cause = match segment.end {
                SegmentEnd::NodeDown => LossCause::NodeDown,
                SegmentEnd::Preempted => LossCause::Preempted,
                _ => continue,
            };
            let kept = kept_after(history, job, segment.end, (done, safe));
            for own in seconds.drain(..) {
                count(own, if own.2 > kept && !forgets { Some(cause) } else { in_the_end });
            }
            (done, safe, stalled, before) = (kept, kept, false, None);
        }
        seconds.into_iter().for_each(|own| count(own, in_the_end));
    }
    (lost, useful)
}

/// One of all nodes, or none.
fn reserve(dice: &mut Dice, nodes: u32) -> Vec<SparePool> {
    let activation = dice.pick(&[Seconds::ZERO, Seconds(30)]);
    let pool = SparePool { nodes: std::iter::once(0..nodes).collect(), count: 1, activation };
    if nodes > 1 && dice.one_in(2) { vec![pool] } else { Vec::new() }
}

/// Thousandths of GPU-seconds of nodes not absent as planned, and of those down as something failed, down as planned and in
/// reserve, second by second.
fn nodes_by_the_second(history: &History, window: Window) -> [u128; 4] {
    let cluster = &history.plan.cluster;
    let state = |changes: &[crate::cluster::CapacityChange], node: u32, second: u32| {
        let mut own = changes.iter().filter(|own| own.time.0 <= second && own.nodes.contains(&node));
        own.next_back().map_or(NodeState::Up, |own| own.state)
    };
    let mut found = [0; 4];
    for second in window.from.0..window.to.0 {
        for node in 0..cluster.nodes() {
            let gpus = u128::from(cluster.kind_of(node).gpus) * 1000;
            let planned = state(&cluster.changes, node, second);
            if planned == NodeState::Absent {
                continue;
            }
            found[0] += gpus;
            match state(&history.capacity, node, second) {
                NodeState::Up | NodeState::Draining => {}
                NodeState::Spare => found[3] += gpus,
                _ if planned == NodeState::Down => found[2] += gpus,
                _ => found[1] += gpus,
            }
        }
    }
    found
}

#[test]
fn every_gpu_second_is_counted_once_and_by_its_cause() {
    use LossCause::{Checkpoint, Detection, Failed, NodeDown, Preempted, Restart, Timeout};
    let (mut failures, mut noticed, mut seen) = (0, 0, Waterfall::default());
    for seed in 0..60 {
        let history = run(seed);
        let metrics = measure(&history).metrics;
        let own = metrics.failures.as_ref().unwrap();
        let waterfall = own.waterfall;
        assert!(waterfall.adds_up(), "seed {seed}: {waterfall:?}");
        let (lost, useful) = by_the_second(&history, metrics.window, false);
        for cause in [Preempted, NodeDown, Restart, Detection].map(|cause| cause as usize) {
            assert_eq!(waterfall.lost[cause], lost[cause], "seed {seed}: {}", LossCause::ALL[cause].name());
        }
        // Checkpoints are part of work that counts, in the end in vain or not.
        let kept = |lost: &[u128], useful: u128| {
            [Checkpoint, Failed, Timeout].map(|cause| lost[cause as usize]).iter().sum::<u128>() + useful
        };
        assert_eq!(kept(&waterfall.lost, waterfall.useful), kept(&lost, useful), "seed {seed}");
        let nodes = nodes_by_the_second(&history, metrics.window);
        let parts = [waterfall.capacity, waterfall.failed, waterfall.planned, waterfall.reserve];
        assert_eq!(parts, nodes, "seed {seed}");
        let hours = |milli: u128| real(milli) / MILLI_SECONDS_AN_HOUR;
        assert!((hours(waterfall.held()) - metrics.gpu_hours).abs() < 1e-9, "seed {seed}: what is held");
        assert!(
            (hours(waterfall.useful) - metrics.goodput.useful_gpu_hours).abs() < 1e-9,
            "seed {seed}: goodput"
        );
        for part in 0..own.over_time.useful.len() {
            let OverTime { useful, lost, idle, down } = &own.over_time;
            let sum = useful[part] + lost[part] + idle[part] + down[part];
            assert!((sum - 1.0).abs() < 1e-9 || sum == 0.0, "seed {seed}: bucket {part} is {sum}");
        }
        failures += own.failures;
        let forgotten = by_the_second(&history, metrics.window, true).0[NodeDown as usize];
        noticed += u32::from(forgotten != waterfall.lost[NodeDown as usize]);
        seen.lost.iter_mut().zip(waterfall.lost).for_each(|(sum, own)| *sum += own);
        (seen.failed, seen.planned, seen.draining) = (
            seen.failed + waterfall.failed,
            seen.planned + waterfall.planned,
            seen.draining + waterfall.draining,
        );
        seen.reserve += waterfall.reserve;
        (seen.wanted, seen.idle) = (seen.wanted + waterfall.wanted, seen.idle + waterfall.idle);
    }
    assert!(failures > 300, "{failures} failures");
    assert!(noticed > 20, "stops that lose nothing are noticed in {noticed} runs");
    for (name, part) in seen.parts() {
        assert!(part > 0 || ["timeout", "useful"].contains(&name), "{name} never occurs");
    }
}

#[test]
fn no_work_is_lost_beyond_the_last_checkpoint() {
    let mut stops = 0;
    for seed in 0..40 {
        let history = run(seed);
        for job in 0..history.plan.workload.len() {
            let behaviour = history.plan.workload.behaviour_of(job);
            if behaviour.checkpoint_interval.0 == 0 {
                continue;
            }
            let period = u64::from((behaviour.checkpoint_interval + behaviour.checkpoint_cost).0) << 16;
            for stop in stops_of(&history, job) {
                let rate = u64::from(history.segments[stop.segment as usize].rate.0);
                assert!(u64::from(stop.lost.0) <= period.div_ceil(rate), "seed {seed}, job {job}: {stop:?}");
                stops += 1;
            }
        }
    }
    assert!(stops > 50, "{stops} stops");
}

#[test]
fn an_interruption_counts_for_what_failed() {
    let history = sample::failing();
    history.check().unwrap();
    let own = measure(&history).metrics.failures.unwrap();
    assert_eq!((own.failures, own.interruptions, own.planned_interruptions), (2, 1, 0));
    assert_eq!((own.mean_time_between_s, own.mean_time_to_repair_s), (Some(130.0), Some(100.0)));
    let [gpu, rack] = &own.components[..] else { panic!("two components") };
    assert_eq!((gpu.failures, gpu.interruptions, gpu.mean_time_between_s), (1, 1, Some(260.0)));
    assert!((gpu.lost_gpu_hours - 4.0 * 20.0 / 3600.0).abs() < 1e-12, "{gpu:?}");
    assert!((gpu.node_hours_down - 100.0 / 3600.0).abs() < 1e-12, "from 120 to 220");
    assert_eq!((rack.failures, rack.interruptions, rack.mean_time_to_repair_s), (1, 0, None));
    // Of 260 s from its first start to its end 200 were work that counts.
    assert_eq!(own.ettr, Some(200.0 / 260.0));
    let [size] = &own.sizes[..] else { panic!("one size") };
    assert_eq!((size.jobs, size.interruptions, size.mean_time_to_failure_s), (1, 1, Some(250.0)));
    let part =
        |share: f64, expected: f64| assert!((share - expected).abs() < 1e-12, "{share} is not {expected}");
    part(own.availability, 1.0 - 100.0 / (4.0 * 260.0));
    let racks = [1.0 - 100.0 / 520.0, 1.0, 1.0];
    own.rack_availability.into_iter().zip(racks).for_each(|(share, expected)| part(share, expected));
    part(own.runtime_goodput, 200.0 / 250.0);
    part(own.scheduling_goodput, 250.0 / 260.0);
    let gpus = |seconds: u128| 4000 * seconds;
    let mut lost = [0; LossCause::ALL.len()];
    lost[LossCause::NodeDown as usize] = gpus(20);
    lost[LossCause::Restart as usize] = gpus(10);
    lost[LossCause::Detection as usize] = gpus(20);
    // It waited for 10 s while two nodes and a half were free, and wants one.
    let expected = Waterfall {
        capacity: gpus(4 * 260),
        failed: gpus(100),
        planned: 0,
        reserve: 0,
        draining: 0,
        wanted: gpus(10),
        idle: gpus(4 * 260 - 100 - 250 - 10),
        lost,
        useful: gpus(200),
    };
    assert_eq!(own.waterfall, expected);
    let stop = Stop {
        segment: 1,
        failure: Some(0),
        lost: Seconds(20),
        lost_milli: gpus(20),
        again: Some(Time(130)),
    };
    assert_eq!(stops_of(&history, 0), [stop]);
}

#[test]
fn what_goes_as_planned_is_no_failure() {
    let mut history = sample::failing();
    history.failures.clear();
    // The node is down as planned.
    history.plan.cluster.changes = history.capacity.clone();
    let own = measure(&history).metrics.failures.unwrap();
    assert_eq!((own.failures, own.interruptions, own.planned_interruptions), (0, 0, 1));
    assert_eq!((own.waterfall.failed, own.waterfall.planned), (0, 4000 * 100));
    assert!(own.waterfall.adds_up(), "{own:?}");
    // What is absent as planned is no part of the capacity.
    history.plan.cluster.changes[1].state = NodeState::Absent;
    history.capacity[1].state = NodeState::Absent;
    let own = measure(&history).metrics.failures.unwrap();
    assert_eq!((own.waterfall.failed, own.waterfall.planned), (0, 0));
    assert_eq!(own.waterfall.capacity, 4000 * (4 * 260 - 100), "{own:?}");
    assert!((own.availability - 1.0).abs() < 1e-12 && own.waterfall.adds_up(), "{own:?}");
    history.plan.cluster.failures = None;
    history.capacity.clear();
    assert_eq!(measure(&history).metrics.failures, None, "nothing can fail");
}
