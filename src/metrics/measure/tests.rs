use super::*;
use crate::cluster::{CapacityChange, Cluster, NodeKind, NodeState};
use crate::history::Settings;
use crate::history::{JobRecord, Piece, Plan, Segment, SegmentEnd, WaitRecord, Why, sample};
use crate::simulation::{Control, simulate};
use crate::units::{Factor, Gpus};
use crate::workload::{Behaviour, Builder, Job, Request, Shape, Tenant};

/// One rack of two nodes of four GPUs; tenant `a` may hold six GPUs, `b` two.
///
/// ```text
///         0        100       150       200       300       400
/// node 0  |  job 0 (a, 4)            |         |  job 2 (a, 4)  |
/// node 1  |  job 1 (b, 2)  |  job 3 (b, 2)     |  (goes down)
/// ```
/// Job 2 is submitted at 50, job 3 at 20, job 4 at 390: it never starts.
fn history() -> History {
    let mut builder = Builder::default();
    for (name, quota) in [("a", 6000), ("b", 2000)] {
        builder.add_tenant(Tenant { quota_milli: Some(quota), ..Tenant::named(name) });
    }
    let requests = [4, 2, 4, 2, 4].map(|gpus| builder.request(Request::gang(Gpus::whole(gpus))));
    builder.behaviour(Behaviour::default());
    for ((submit, tenant), request) in [(0, 0), (0, 1), (50, 0), (20, 1), (390, 0)].into_iter().zip(requests)
    {
        builder.push(Job { tenant, request, ..Job::at(Time(submit)) });
    }
    let mut cluster = Cluster::racked(1, 2, NodeKind { gpus: 4, ..NodeKind::default() });
    cluster.changes.push(CapacityChange::surprise(Time(300), 1..2, NodeState::Down));
    let settings = Settings { drain: Some(395), ..Settings::default() };
    let plan = Plan { cluster, workload: builder.finish(), settings };
    let segment = |job, from, to, first_piece| Segment {
        job,
        from: Time(from),
        to: Time(to),
        first_piece,
        pieces: 1,
        rate: Factor::ONE,
        cap: Factor::ONE,
        restart: 0,
        end: SegmentEnd::Completed,
    };
    let record = |eligible, finish, outcome| JobRecord {
        eligible_time: Time(eligible),
        finish_time: Time(finish),
        outcome,
    };
    let done = Outcome::Completed;
    History {
        plan,
        segments: vec![
            segment(0, 0, 200, 0),
            segment(1, 0, 100, 1),
            segment(3, 100, 200, 2),
            segment(2, 300, 400, 3),
        ],
        pieces: vec![
            Piece::Nodes { word: 0, mask: 1 },
            Piece::Gpus { node: 1, mask: 0b0011 },
            Piece::Gpus { node: 1, mask: 0b0110 },
            Piece::Nodes { word: 0, mask: 1 },
        ],
        jobs: vec![
            record(0, 200, done),
            record(0, 100, done),
            record(50, 400, done),
            record(20, 200, Outcome::Failed),
            record(390, u32::MAX, Outcome::Unfinished),
        ],
        // `b` holds the two it may hold, `a` four of six; from 200 on nobody starts job 2.
        waits: [(20, 1, WaitReason::Quota), (50, 0, WaitReason::Quota), (200, 0, WaitReason::Order)]
            .into_iter()
            .chain([(390, 0, WaitReason::Quota)])
            .map(|(time, class, reason)| WaitRecord { time: Time(time), why: Why::Class { class, reason } })
            .collect(),
        wait_classes: vec![0, 1, 0, 1, 0],
        end: Time(400),
        complete: true,
        exhausted: true,
        ..History::default()
    }
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-9, "{what}: {found} instead of {expected}");
}

#[test]
fn a_small_history_gives_the_numbers_computed_by_hand() {
    let Measured { metrics, jobs, .. } = measure(&history());
    let waits: Vec<u32> = jobs.iter().map(|job| job.wait_time.0).collect();
    assert_eq!(waits, [0, 0, 250, 80, 10], "eligible and not running");
    let wait = &metrics.wait_time;
    assert_eq!((metrics.jobs, wait.count, wait.unfinished), (5, 5, 1), "one is unfinished");
    assert_eq!(metrics.turnaround_time.count, 4, "and has no turnaround yet");
    assert_eq!((metrics.outcome(Outcome::Failed), metrics.outcome(Outcome::Completed)), (1, 3), "outcomes");
    near(wait.mean, 340.0 / 5.0, "mean wait");
    assert_eq!((wait.p50, wait.p90), (10, 250), "ranks 3 and 5 of 5");
    near(metrics.turnaround_time.mean, f64::from(200 + 100 + 350 + 180) / 4.0, "mean turnaround");
    near(metrics.bounded_slowdown.mean, (1.0 + 1.0 + 3.5 + 1.8) / 4.0, "mean bounded slowdown");
    assert_eq!(metrics.makespan, Seconds(400), "from 0 to 400");
    // Up to second 395: 4 · 200 + 2 · 200 + 4 · 95 GPU-seconds of 8 · 300 + 4 · 95.
    near(metrics.utilization, 1580.0 / 2780.0, "utilization");
    near(metrics.gpu_hours, 1580.0 / 3600.0, "GPU-hours");
    // Free: 2 until 200, 8 until 300, 0 until 395; on partly used nodes only the 2.
    near(metrics.fragmentation, 400.0 / 1200.0, "fragmentation");
    near(metrics.rack_fragmentation, 400.0 / 1200.0, "of racks");
    // Waiting for 2 from 20 to 50, for 6 to 100, for 4 to 300; 2 free until 200, then 8; none after 300.
    near(metrics.capacity_loss, f64::from(2 * 180 + 4 * 100) / 2780.0, "idle though wanted");
    let waited = [
        (WaitReason::Quota, 80 + 150 + 10),
        (WaitReason::Capacity, 0),
        (WaitReason::Order, 100),
        (WaitReason::Shape, 0),
    ];
    for (reason, seconds) in waited {
        assert_eq!(metrics.waited_for(reason), seconds, "{}", reason.name());
    }
    let [a, b] = &metrics.tenants[..] else { panic!("two tenants") };
    near(a.share, 1180.0 / 1580.0, "a held 4 · 200 + 4 · 95");
    near(b.entitlement, 0.25, "two of eight");
    // From 20 to 200 a job waits and both have jobs: `a` holds four and `b` two. Later `a` is alone.
    assert_eq!((a.contended_gpus, b.contended_gpus), (Some(4.0), Some(2.0)), "while they contend");
    near(metrics.jain_index.unwrap(), jain(&[4.0 / 0.75, 2.0 / 0.25]), "fairness");
    assert_eq!((a.jobs, a.finished, b.wait_time.p95), (3, 2, 80), "their jobs");
    assert_eq!((a.wait_time.count, a.wait_time.unfinished), (3, 1), "the one that waits is of `a`");
    assert_eq!(metrics.series.utilization.len(), 80, "a bucket every five seconds");
}

fn waits(metrics: &Metrics) -> u64 {
    metrics.waiting_seconds.iter().sum()
}

fn jain(x: &[f64]) -> f64 {
    x.iter().sum::<f64>().powi(2)
        / (f64::from(u32::try_from(x.len()).unwrap()) * x.iter().map(|x| x * x).sum::<f64>())
}

#[test]
fn a_window_leaves_out_jobs_and_time_outside() {
    let mut history = history();
    history.plan.settings.warm_up = 10;
    history.plan.settings.drain = Some(100);
    let metrics = measure(&history).metrics;
    assert_eq!(metrics.window, Window { from: Time(10), to: Time(100) }, "as set");
    assert_eq!((metrics.jobs, waits(&metrics)), (2, 330), "jobs 2 and 3");
    near(metrics.utilization, 6.0 / 8.0, "six of eight all the time");
    history.plan.settings.warm_up = 5000;
    history.plan.settings.drain = None;
    let metrics = measure(&history).metrics;
    assert_eq!((metrics.jobs, metrics.makespan), (0, Seconds(0)), "after the end there is nothing");
    near(metrics.utilization, 0.0, "nothing of nothing");
}

#[test]
fn more_nodes_do_not_look_worse() {
    // Jobs of a whole node: 100 s at 0, 1000 s at 1, 10 s at 2; cut off at 150. On one node the second starts at
    // 100 and the third waits; on two the second starts at 1, the third at 100. Of those that ended alone, the
    // mean wait would be 0 on one node and (0 + 98) ÷ 2 on two.
    let run = |nodes| {
        let mut builder = Builder::default();
        let request = builder.request(Request::gang(Gpus::whole(4)));
        let behaviour = builder.behaviour(Behaviour::default());
        for (submit, work) in [(0, 100), (1, 1000), (2, 10)] {
            let work_time = Seconds(work);
            builder.push(Job { request, behaviour, work_time, ..Job::at(Time(submit)) });
        }
        let cluster = Cluster::uniform(nodes, NodeKind { gpus: 4, ..NodeKind::default() });
        let settings = Settings { until: Some(150), ..Settings::named("fifo", "none", "first-fit") };
        let plan = Plan { cluster, workload: builder.finish(), settings };
        measure(&simulate(plan, &mut Control::default())).metrics.wait_time
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(
        (one.count, one.unfinished, two.count, two.unfinished),
        (3, 2, 3, 1),
        "all, and those that are left"
    );
    near(one.mean, f64::from(99 + 148) / 3.0, "on one node");
    near(two.mean, 98.0 / 3.0, "on two");
}

#[test]
fn the_parts_of_random_histories_add_up() {
    for seed in 0..100 {
        let history = sample::random(seed);
        let Measured { metrics, jobs, .. } = measure(&history);
        for (job, times) in jobs.iter().enumerate() {
            let waited: u32 = times.reasons[1..].iter().sum();
            assert_eq!(waited, times.wait_time.0, "seed {seed}, job {job}: reasons");
        }
        assert_eq!(metrics.outcomes.iter().sum::<u32>(), metrics.jobs, "seed {seed}: outcomes");
        let shares: f64 = metrics.tenants.iter().map(|tenant| tenant.share).sum();
        let idle = metrics.gpu_hours <= 0.0;
        assert!(idle || (shares - 1.0).abs() < 1e-9, "seed {seed}: shares add up to {shares}");
        assert!((0.0..=1.0).contains(&metrics.utilization), "seed {seed}: utilization");
        assert!(metrics.fragmentation <= metrics.rack_fragmentation + 1e-12, "seed {seed}: racks hold nodes");
        assert!(metrics.bounded_slowdown.p50 <= metrics.bounded_slowdown.p99, "seed {seed}: percentiles");
    }
}

/// Changes one number of a history to another that a file might hold.
fn spoil(history: &mut History, dice: &mut sample::Dice) {
    let numbers = [0, 1, 2, 63, 64, 500, 1000, u32::MAX - 1, u32::MAX];
    let number = numbers[dice.below(9) as usize];
    let near = dice.below(history.end.0.saturating_add(10));
    let mut index = |length: usize| dice.below(u32::try_from(length).unwrap()) as usize;
    let jobs = history.jobs.len();
    let segments = history.segments.len().max(1);
    let pieces = history.pieces.len().max(1);
    let (job, segment, piece) = (index(jobs), index(segments), index(pieces));
    match dice.below(12) {
        0 => history.jobs[job].eligible_time = Time(near),
        1 => history.jobs[job].finish_time = Time(near),
        2 => history.plan.workload.jobs[job].submit_time = Time(near),
        3 => history.plan.workload.jobs[job].tenant = near % 3,
        4 => history.plan.workload.jobs[job].request = near % 4,
        5 => history.plan.settings.cycle = Some(number),
        6 => history.end = Time(number.max(history.end.0)),
        7 => history.plan.workload.requests[0].shape = Shape::Pods { count: 1, gpus_milli_each: number },
        8 => history.plan.settings.warm_up = number,
        9 => history.segments.iter_mut().skip(segment).take(1).for_each(|s| s.to = Time(near)),
        10 => history.segments.iter_mut().skip(segment).take(1).for_each(|s| s.restart = number),
        _ => history.pieces.iter_mut().skip(piece).take(1).for_each(|p| {
            *p = Piece::Share { node: near % 5, gpu: u16::try_from(near % 4).unwrap(), milli: 700 };
        }),
    }
}

#[test]
fn whatever_passes_the_check_is_measured_without_a_panic() {
    let samples: Vec<History> = (0..50).map(sample::random).collect();
    let mut sound = 0;
    for (seed, history) in (0..1500).zip(samples.iter().cycle()) {
        let mut history = history.clone();
        let mut dice = sample::Dice::new(seed);
        for _ in 0..=dice.below(3) {
            spoil(&mut history, &mut dice);
        }
        if history.check().is_ok() {
            sound += 1;
            let measured = measure(&history);
            assert_eq!(measured.jobs.len(), history.jobs.len(), "seed {seed}");
        }
    }
    assert!(sound > 300, "only {sound} spoilt histories are still sound");
}
