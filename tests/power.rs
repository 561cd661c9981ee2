//! What caps on power do to a schedule: cases small enough to be worked out by hand.

use gigawatt::cluster::{Cluster, Curtailment, Feed, NodeKind, NodePower, Ramp};
use gigawatt::history::{History, Plan, SegmentEnd, Settings, WaitReason};
use gigawatt::metrics::measure;
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Factor, Seconds, Time, Watts};
use gigawatt::workload::{Behaviour, Builder, Job, Profile, Request};

/// Nodes of one GPU that draw 100 W idle and 1,100 W at work, as slow as they are capped, on a row below a hall.
fn cluster(nodes: u32, hall: Option<u64>, row: Option<u64>) -> Cluster {
    let power = NodePower {
        idle: Watts(100),
        busy: Watts(1100),
        gpu_idle: Watts(0),
        gpu_tgp: Watts(1000),
        ..NodePower::default()
    };
    let mut cluster = Cluster::uniform(nodes, NodeKind { gpus: 1, power, ..NodeKind::default() });
    cluster.feeds[0] = Feed { name: "hall".to_owned(), cap: hall.map(Watts), ..Feed::default() };
    let cap = row.map(Watts);
    cluster.feeds.push(Feed { name: "row".to_owned(), parent: Some(0), cap, ..Feed::default() });
    cluster.racks.iter_mut().for_each(|rack| rack.feed = 1);
    cluster
}

/// What jobs have in common: all GPUs at their TGP, all the time.
fn behaviour() -> Behaviour {
    let one = Factor::ONE.0;
    let profile = Profile { shares: [one, 0, 0, 0, 0, 0], levels: [one; 6] };
    Behaviour { profile, preemptible: true, ..Behaviour::default() }
}

/// Jobs of one GPU: when submitted, seconds of work, priority.
fn run(cluster: Cluster, jobs: &[(u32, u32, i32)], settings: Settings) -> History {
    let mut builder = Builder::default();
    let request = builder.request(Request::gang(gigawatt::units::Gpus::ONE));
    let behaviour = builder.behaviour(behaviour());
    for &(submit, work, priority) in jobs {
        let work = Seconds(work);
        let job = Job { request, behaviour, work_time: work, priority, ..Job::at(Time(submit)) };
        builder.push(job.requesting(work));
    }
    let plan = Plan { cluster, workload: builder.finish(), settings };
    simulate(plan, &mut Control::default())
}

fn settings(power: &str) -> Settings {
    Settings { power: power.to_owned(), ..Settings::named("fifo", "skip", "first-fit") }
}

/// Every segment as (job, from, to, cap in percent).
fn segments(history: &History) -> Vec<(u32, u32, u32, u64)> {
    let percent = |cap: Factor| (u64::from(cap.0) * 100).div_ceil(1 << 16);
    let segment = |s: &gigawatt::history::Segment| (s.job, s.from.0, s.to.0, percent(s.cap));
    history.segments.iter().map(segment).collect()
}

/// Seconds that each job waited for power, and for everything else.
fn waited(history: &History) -> Vec<(u32, u32)> {
    let measured = measure(history);
    let power = |reasons: &[u32]| reasons[WaitReason::Power as usize];
    measured.jobs.iter().map(|job| (power(&job.reasons), job.wait_time.0 - power(&job.reasons))).collect()
}

/// Four idle nodes draw 400 W, so 2,500 W hold two jobs of 1,000 W and a hundred watts are left.
const HALL: Option<u64> = Some(2500);
const THREE: [(u32, u32, i32); 3] = [(0, 100, 0), (0, 100, 0), (0, 100, 0)];

#[test]
fn without_a_cap_or_with_none_all_run_at_once() {
    let all = [(0, 0, 100, 100), (1, 0, 100, 100), (2, 0, 100, 100)];
    for (hall, power) in [(None, "admit"), (None, "steer"), (HALL, "none"), (Some(3400), "admit")] {
        let history = run(cluster(4, hall, None), &THREE, settings(power));
        assert_eq!(segments(&history), all, "{hall:?}, {power}");
    }
}

#[test]
fn who_would_break_a_cap_waits() {
    let waits = [(0, 0, 100, 100), (1, 0, 100, 100), (2, 100, 200, 100)];
    // A cap at any level of the tree: the hall, the row below it, the site above.
    let mut site = cluster(4, None, None);
    site.sites[0].cap = Some(Watts(3399));
    for (capped, what) in [
        (cluster(4, HALL, None), "hall"),
        (cluster(4, None, HALL), "row"),
        (cluster(4, Some(3399), None), "a watt too little"),
        (site, "site"),
    ] {
        for backfill in ["none", "skip", "easy", "conservative"] {
            let settings = Settings { backfill: backfill.to_owned(), ..settings("admit") };
            let history = run(capped.clone(), &THREE, settings);
            assert_eq!(segments(&history), waits, "{what}, {backfill}");
            assert_eq!(history.check(), Ok(()), "{what}");
            assert_eq!(waited(&history), [(0, 0), (0, 0), (100, 0)], "{what}, {backfill}: for power alone");
        }
    }
}

#[test]
fn waiting_for_nodes_is_not_waiting_for_power() {
    let jobs = [(0, 100, 0), (0, 50, 0), (0, 50, 0), (0, 20, 0)];
    let history = run(cluster(2, Some(2200), None), &jobs, settings("admit"));
    assert_eq!(waited(&history), [(0, 0), (0, 0), (0, 50), (0, 100)], "two nodes, power for two");
    let history = run(cluster(3, Some(2300), None), &jobs, settings("admit"));
    assert_eq!(waited(&history), [(0, 0), (0, 0), (50, 0), (100, 0)], "three nodes, power for two");
    let settings = Settings { backfill: "none".to_owned(), ..settings("admit") };
    let history = run(cluster(3, Some(2300), None), &jobs, settings);
    assert_eq!(waited(&history), [(0, 0), (0, 0), (50, 0), (50, 50)], "behind the first for order");
}

#[test]
fn a_rack_without_power_left_is_passed_over() {
    let mut capped = cluster(4, None, None);
    capped.racks[0].cap = Some(Watts(1099));
    capped.racks[2].cap = Some(Watts(1100));
    let history = run(capped, &THREE, settings("admit"));
    let nodes = |job: usize| history.pieces_of(&history.segments[job])[0].nodes().collect::<Vec<u32>>();
    assert_eq!((nodes(0), nodes(1), nodes(2)), (vec![1], vec![2], vec![3]), "each the next that may");
}

#[test]
fn who_would_break_a_cap_starts_slower() {
    // 500 W are left for the third: half its TGP, half its speed.
    let history = run(cluster(4, Some(2900), None), &THREE, settings("cap"));
    assert_eq!(segments(&history), [(0, 0, 100, 100), (1, 0, 100, 100), (2, 0, 200, 50)], "half");
    // 400 W are too little for the lowest level.
    let history = run(cluster(4, Some(2800), None), &THREE, settings("cap"));
    assert_eq!(segments(&history), [(0, 0, 100, 100), (1, 0, 100, 100), (2, 100, 200, 100)], "waits");
}

#[test]
fn steering_gives_unused_watts_to_who_is_slowed() {
    let settings = Settings { power_period: 60, ..settings("steer") };
    let history = run(cluster(4, Some(2900), None), &THREE, settings);
    // At 100 two end; at 120, the next look, the third has done 60 s of work and goes on at full speed.
    let expected = [(0, 0, 100, 100), (1, 0, 100, 100), (2, 0, 120, 50), (2, 120, 160, 100)];
    assert_eq!(segments(&history), expected, "the watts of the others");
    assert_eq!(history.segments[2].end, SegmentEnd::Changed, "no stop");
}

#[test]
fn thresholds_slow_low_priorities_first() {
    // 4,400 W: four idle nodes draw 400 W, jobs 1,000 W each at full power.
    let settings = Settings { power_thresholds: [40, 70], ..settings("polca") };
    let jobs = [(0, 100, 0), (10, 100, 1), (20, 100, 0)];
    let history = run(cluster(4, Some(4400), None), &jobs, settings);
    // t = 0: 1,400 W, 31.8 %. t = 10: 2,400 W, 54.5 %: the low one goes to 80 %, 2,200 W.
    // t = 20: 3,200 W, 72.7 %: low ones to 60 %, the high one to 85 %: 400 + 600 + 850 + 600 = 2,450 W.
    // Rates are ⌊0.8 · 65536⌋ = 52428, 39321 and 55705. High: 10 s at full, 90 s left: 5898240 / 55705 = 105.9, so 126.
    // First low: 10 s, then 524280, then (100 · 65536 − 655360 − 524280) / 39321 = 136.67, so 157.
    // At 126 the high one ends: 400 + 2 · 600 = 1,600 W; without the second threshold 2,000 W, 45.5 % ≤ 65 %: 80 %.
    // Without the first 2,400 W, 54.5 % > 35 %: no further until the next end.
    // First low at 126: 106 s at 39321 done, left 6553600 − 655360 − 524280 − 4168026 = 1205934; / 52428 = 23.002: 150.
    // Second low: 106 s at 39321, left 6553600 − 4168026 = 2385574; / 52428 = 45.5: 172. At 150 the other one ends:
    // 400 + 1,000 = 31.8 % ≤ 35 %: full power; left 2385574 − 24 · 52428 = 1127302; / 65536 = 17.2: 168.
    let expected = [
        (0, 0, 10, 100),
        (1, 10, 20, 100),
        (0, 10, 20, 80),
        (2, 20, 126, 60),
        (0, 20, 126, 60),
        (1, 20, 126, 85),
        (0, 126, 150, 80),
        (2, 126, 150, 80),
        (2, 150, 168, 100),
    ];
    assert_eq!(segments(&history), expected, "by hand");
}

#[test]
fn starts_raise_a_feed_no_faster_than_it_may_rise() {
    // 1,500 W a minute: one job of 1,000 W at 0, one at 60. At 100 one ends, and 1,400 W were the least since 40: the
    // third starts as well.
    let mut slow = cluster(4, None, None);
    slow.ramps.push(Ramp { feed: 0, rise: Watts(1500) });
    for backfill in ["none", "skip", "easy"] {
        let settings = Settings { backfill: backfill.to_owned(), ..settings("admit") };
        let history = run(slow.clone(), &THREE, settings);
        assert_eq!(
            segments(&history),
            [(0, 0, 100, 100), (1, 60, 160, 100), (2, 100, 200, 100)],
            "{backfill}"
        );
        assert_eq!(history.check(), Ok(()), "{backfill}");
        let third = if backfill == "none" { (40, 60) } else { (100, 0) };
        assert_eq!(
            waited(&history),
            [(0, 0), (60, 0), third],
            "{backfill}: for power, or behind a job that does"
        );
        let feed = measure(&history).metrics.power.expect("power is counted").feeds.swap_remove(0);
        assert_eq!((feed.rise_w, feed.rise_limit_w), (1000, Some(1500)), "{backfill}: from minute to minute");
    }
    slow.ramps[0].rise = Watts(2000);
    let history = run(slow.clone(), &THREE, settings("admit"));
    assert_eq!(segments(&history)[1..], [(1, 0, 100, 100), (2, 60, 160, 100)], "two at once");
    slow.ramps[0].rise = Watts(999);
    let history = run(slow.clone(), &THREE, settings("admit"));
    assert!(history.segments.is_empty(), "nobody may start, whenever");
    assert_eq!(run(slow, &THREE, settings("none")).segments.len(), 3, "unless nobody heeds it");
}

#[test]
fn a_reservation_begins_as_a_draw_may_rise_again() {
    // 2,500 W a minute on three nodes: beside the first job, of 1,000 W, the gang of 2,000 W waits until 60. The third
    // would be over before the first is, and not by then: it would take a node that the gang needs.
    let mut slow = cluster(3, None, None);
    slow.ramps.push(Ramp { feed: 0, rise: Watts(2500) });
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(behaviour());
    for (gpus, work) in [(1, 100), (2, 50), (1, 90)] {
        let request = builder.request(Request::gang(gigawatt::units::Gpus::whole(gpus)));
        let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(0)) };
        builder.push(job.requesting(Seconds(work)));
    }
    let workload = builder.finish();
    for (backfill, gang, third) in [("easy", 60, 100), ("none", 60, 100), ("skip", 90, 0)] {
        let settings = Settings { backfill: backfill.to_owned(), ..settings("admit") };
        let plan = Plan { cluster: slow.clone(), workload: workload.clone(), settings };
        let history = simulate(plan, &mut Control::default());
        let mut starts: Vec<(u32, u32)> = history.segments.iter().map(|s| (s.job, s.from.0)).collect();
        starts.sort_unstable();
        assert_eq!(starts, [(0, 0), (1, gang), (2, third)], "{backfill}");
    }
}

#[test]
fn a_cap_of_a_node_that_nobody_heeds_is_counted() {
    // 1,100 W at work and 100 W idle: 50 W too much for as long as a job runs, whoever else draws what.
    let mut capped = cluster(4, None, None);
    capped.kinds[0].power.cap = Some(Watts(1050));
    let over = |cluster: Cluster, policy: &str| {
        let history = run(cluster, &THREE, settings(policy));
        measure(&history).metrics.power.expect("power is counted").all_over_cap_ws
    };
    assert_eq!(over(capped.clone(), "none"), 3 * 50 * 100, "three jobs of a hundred seconds");
    assert_eq!(over(capped.clone(), "cap"), 0, "at 95 % of the TGP a node draws 1,050 W");
    capped.kinds[0].power.cap = Some(Watts(99));
    assert_eq!(over(capped, "none"), 3 * 1001 * 100 + 100, "the idle one breaks it too");
}

#[test]
fn a_cap_is_the_same_whatever_the_grid_takes_away() {
    for (from, until) in [(0, 50), (10, 50), (0, u32::MAX)] {
        let mut hall = cluster(4, Some(2500), None);
        let (from, until, notice) = (Time(from), Time(until), Seconds::ZERO);
        hall.curtailments.push(Curtailment { feed: 0, cap: Watts(400), from, until, notice });
        let history = run(hall, &THREE, settings("none"));
        let feed = measure(&history).metrics.power.expect("power is counted").feeds.swap_remove(0);
        assert_eq!((feed.cap_w, feed.peak_w), (Some(2500), 3400), "from {from:?}");
        let taken = u128::from(until.min(history.end).since(from).0);
        assert_eq!(feed.over_cap_ws, 3000 * taken + 900 * (100 - taken), "from {from:?} until {until:?}");
    }
}

#[test]
fn a_reservation_keeps_the_power_it_waits_for() {
    // Power for two of four nodes. The second job, of two nodes, waits until 100; the third finds a node, and power, at
    // 10, but would have it until 110.
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(behaviour());
    for (submit, gpus, work) in [(0, 1, 100), (5, 2, 50), (10, 1, 100)] {
        let request = builder.request(Request::gang(gigawatt::units::Gpus::whole(gpus)));
        let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push(job.requesting(Seconds(work)));
    }
    let settings = Settings { backfill: "conservative".to_owned(), ..settings("admit") };
    let history = simulate(
        Plan { cluster: cluster(4, HALL, None), workload: builder.finish(), settings },
        &mut Control::default(),
    );
    assert_eq!(
        segments(&history),
        [(0, 0, 100, 100), (1, 100, 150, 100), (2, 150, 250, 100)],
        "no job takes the power of one that came before"
    );
    assert_eq!(history.check(), Ok(()), "a schedule like any other");
}

/// A curtailment of the hall to 3,600 W from 100 to 200.
fn curtailed(nodes: u32, notice: u32) -> Cluster {
    let mut cluster = cluster(nodes, Some(4000 + 100 * u64::from(nodes)), None);
    let (from, until) = (Time(100), Time(200));
    cluster.curtailments.push(Curtailment {
        feed: 0,
        cap: Watts(3600),
        from,
        until,
        notice: Seconds(notice),
    });
    cluster
}

#[test]
fn all_slow_to_a_common_level_while_the_grid_takes_power() {
    let four = [(0, 300, 0); 4];
    let history = run(curtailed(4, 0), &four, settings("admit"));
    // 3,200 W for four: 80 %. A hundred seconds do 79.998 s of work: 120.002 s are left.
    let mut expected: Vec<_> = (0..4).map(|job| (job, 0, 100, 100)).collect();
    expected.extend((0..4).map(|job| (job, 100, 200, 80)));
    expected.extend((0..4).map(|job| (job, 200, 321, 100)));
    assert_eq!(segments(&history), expected, "slower, and back");
}

#[test]
fn the_lowest_priority_stops_while_the_grid_takes_power() {
    let jobs = [(0, 300, 2), (0, 300, 1), (0, 300, 3), (0, 300, 4)];
    let settings = Settings { curtail: "preempt".to_owned(), ..settings("admit") };
    let history = run(curtailed(4, 0), &jobs, settings);
    let expected =
        [(0, 0, 300, 100), (1, 0, 100, 100), (2, 0, 300, 100), (3, 0, 300, 100), (1, 200, 400, 100)];
    assert_eq!(segments(&history), expected, "one is enough, and it comes back");
    assert_eq!(history.segments[1].end, SegmentEnd::Preempted, "it was stopped");
    assert_eq!(waited(&history)[1], (100, 0), "while the grid had less");
}

#[test]
fn a_notice_keeps_starts_back_that_would_not_fit() {
    let jobs = [(0, 300, 0), (0, 80, 0), (0, 300, 0), (60, 80, 0), (90, 30, 0)];
    let drain = Settings { curtail: "drain".to_owned(), ..settings("admit") };
    let history = run(curtailed(5, 50), &jobs, drain.clone());
    // Five idle nodes: 500 W. Between 100 and 200 the grid leaves 3,100 W, which three jobs fill: the one that comes at 60 is the
    // third of those expected to run at 100, since one of the three ends at 80; the one at 90 would be the fourth.
    let expected =
        [(0, 0, 300, 100), (1, 0, 80, 100), (2, 0, 300, 100), (3, 60, 140, 100), (4, 140, 170, 100)];
    assert_eq!(
        segments(&history),
        expected,
        "the job that would be one too many at 100 waits for the end at 140"
    );
    assert_eq!(waited(&history)[3..], [(0, 0), (50, 0)], "for power that is still there");
    let history = run(curtailed(5, 0), &jobs, drain);
    let expected =
        [(0, 0, 300, 100), (1, 0, 80, 100), (2, 0, 300, 100), (3, 60, 140, 100), (4, 90, 120, 100)];
    assert_eq!(segments(&history), expected, "without notice nobody is kept back, and nobody yields");
}

#[test]
fn what_ends_before_a_curtailment_begins_starts_under_every_policy() {
    // Four idle nodes draw the 400 W that are left from 60 to 120, known from the beginning.
    let mut dark = curtailed(4, 60);
    let own = &mut dark.curtailments[0];
    (own.from, own.until, own.cap) = (Time(60), Time(120), Watts(400));
    let jobs = [(0, 30, 0), (10, 100, 0), (20, 40, 0)];
    let expected = [(0, 0, 30, 100), (2, 20, 60, 100), (1, 120, 220, 100)];
    for (backfill, preemption) in
        [("skip", "none"), ("easy", "none"), ("conservative", "none"), ("skip", "ranked")]
    {
        let (backfill, preemption) = (backfill.to_owned(), Some(preemption.to_owned()));
        let drain = Settings { curtail: "drain".to_owned(), backfill, preemption, ..settings("admit") };
        let history = run(dark.clone(), &jobs, drain.clone());
        assert_eq!(segments(&history), expected, "{} {:?}", drain.backfill, drain.preemption);
        assert_eq!(waited(&history), [(0, 0), (110, 0), (0, 0)], "{}: for power", drain.backfill);
    }
}
