//! Jobs that may wait for cheap or clean hours: cases small enough to be worked out by hand.

use gigawatt::cluster::grid::{Grid, Series, Signal};
use gigawatt::cluster::{Cluster, Feed, NodeKind, Pue, Site};
use gigawatt::history::{History, HoldRecord, Plan, Settings};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, PlatformSet, Request, Running};

/// Dollars a MWh by the minute, for ever.
fn minutes(dollars: &[i64]) -> Signal {
    let values = dollars.iter().map(|dollars| dollars * 1_000_000).collect();
    Signal::Series(Series { offset: 0, step: Seconds(60), values, repeats: true })
}

fn site(price: &[i64], carbon: &[i64]) -> Grid {
    Grid { price: Some(minutes(price)), carbon: Some(minutes(carbon)), ..Grid::default() }
}

/// Jobs as (submit, work, greatest delay) on two nodes of one GPU, each for a whole node.
fn plan(jobs: &[(u32, u32, u32)], hold: &str, backfill: &str) -> Plan {
    let mut builder = Builder::default();
    let request = builder.request(Request::gang(Gpus::whole(1)));
    for &(submit, work, delay) in jobs {
        let behaviour =
            builder.behaviour(Behaviour { max_delay: Some(Seconds(delay)), ..Behaviour::default() });
        let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push(job.requesting(Seconds(work)));
    }
    let mut cluster = Cluster::uniform(2, NodeKind { gpus: 1, ..NodeKind::default() });
    cluster.grids = vec![site(&[50, 40, 10, 20, 40], &[9, 9, 9, 9, 1])];
    let settings = Settings { hold: hold.to_owned(), ..Settings::named("fifo", backfill, "first-fit") };
    Plan { cluster, workload: builder.finish(), settings }
}

fn starts(history: &History) -> Vec<u32> {
    let mut starts = vec![u32::MAX; history.jobs.len()];
    for segment in &history.segments {
        starts[segment.job as usize] = segment.from.0;
    }
    starts
}

#[test]
fn a_job_that_may_wait_starts_in_the_lowest_window() {
    // Ninety seconds from 0 are least at 120; a job that may wait a minute only takes the one at 60; one that may not starts.
    let jobs = [(0, 90, 300), (0, 90, 60), (10, 90, 0), (0, 60, 119)];
    for backfill in ["none", "skip", "easy", "conservative"] {
        let held = simulate(plan(&jobs[..3], "cheapest-window", backfill), &mut Control::default());
        assert_eq!(starts(&held), [120, 60, 10], "{backfill}");
        assert_eq!(held.check(), Ok(()), "{backfill}");
        let until = |job, until| HoldRecord { job, until: Time(until) };
        assert_eq!(held.holds, [until(0, 120), until(1, 60)], "{backfill}: told as they became eligible");
        let clean = simulate(plan(&jobs[..1], "cleanest-window", backfill), &mut Control::default());
        // The clean minute begins at 240, and half a minute before or after are as clean: the earliest counts.
        assert_eq!(starts(&clean), [210], "{backfill}");
        let not_held = simulate(plan(&jobs[..3], "none", backfill), &mut Control::default());
        assert_eq!(starts(&not_held), [0, 0, 90], "{backfill}: nobody is held, and two nodes are taken");
    }
}

#[test]
fn who_was_held_then_waits_like_everybody() {
    // Both nodes are taken until 400; the held job was eligible before the other that waits, and goes first.
    let jobs = [(0, 400, 0), (0, 400, 0), (1, 60, 200), (5, 60, 0)];
    for (backfill, order) in [("easy", "fifo"), ("none", "fifo"), ("skip", "las")] {
        let mut plan = plan(&jobs, "cheapest-window", backfill);
        plan.settings.order = order.to_owned();
        let history = simulate(plan, &mut Control::default());
        assert_eq!(
            history.holds,
            [HoldRecord { job: 2, until: Time(120) }],
            "{backfill}: until the cheap minute"
        );
        assert_eq!(starts(&history), [0, 0, 400, 400], "{backfill}");
    }
}

#[test]
fn passes_at_events_start_who_was_held_between_those_of_a_cycle() {
    let jobs = [(0, 90, 300), (0, 90, 60)];
    for (event, expected) in [(None, [1000, 1000]), (Some("none"), [120, 60])] {
        let mut plan = plan(&jobs, "cheapest-window", "easy");
        plan.settings.cycle = Some(1000);
        plan.settings.event_backfill = event.map(str::to_owned);
        assert_eq!(starts(&simulate(plan, &mut Control::default())), expected, "{event:?}");
    }
}

#[test]
fn a_job_withdrawn_while_it_is_held_never_starts() {
    let mut plan = plan(&[(0, 60, 300), (0, 60, 300)], "cheapest-window", "easy");
    plan.workload.jobs[0].cancel_time = Time(100);
    let history = simulate(plan, &mut Control::default());
    assert_eq!(starts(&history), [u32::MAX, 120], "one is gone, the other starts");
}

#[test]
fn a_pass_every_so_often_sees_it_late() {
    let mut plan = plan(&[(1, 60, 300)], "cheapest-window", "skip");
    plan.settings.cycle = Some(100);
    let history = simulate(plan, &mut Control::default());
    assert_eq!(history.holds, [HoldRecord { job: 0, until: Time(120) }], "chosen when it became eligible");
    assert_eq!(starts(&history), [200], "the first pass after that");
}

#[test]
fn the_lowest_window_of_the_sites_that_a_job_may_run_at_counts() {
    let mut cluster = Cluster::single_feed();
    cluster.sites.push(Site { name: "other".to_owned(), ..Site::default() });
    cluster.feeds.push(Feed { name: "other".to_owned(), site: 1, ..Feed::default() });
    for (feed, platform) in [(0, 0), (1, 1)] {
        let kind = cluster.add_kind(NodeKind { gpus: 1, platform, ..NodeKind::default() });
        cluster.add_rack(feed, kind, 1);
    }
    cluster.grids = vec![site(&[50, 40, 10, 20, 40], &[0]), site(&[50, 50, 50, 50, 5], &[0])];
    let delays =
        [(PlatformSet::ALL, 240), (PlatformSet::NONE.with(0), 120), (PlatformSet::NONE.with(1), 240)];
    for (platforms, until) in delays {
        let mut plan = plan(&[(0, 60, 300)], "cheapest-window", "easy");
        plan.cluster = cluster.clone();
        plan.workload.requests[0].platforms = platforms;
        let history = simulate(plan, &mut Control::default());
        assert_eq!(history.holds, [HoldRecord { job: 0, until: Time(until) }], "{platforms:?}");
    }
    // Two and a half times 5 is more than 10.
    cluster.sites[1].pue = Some(Pue::constant(2500));
    let mut plan = plan(&[(0, 60, 300)], "cheapest-window", "easy");
    plan.cluster = cluster;
    let history = simulate(plan, &mut Control::default());
    assert_eq!(history.holds, [HoldRecord { job: 0, until: Time(120) }], "cooling is paid for too");
}

#[test]
fn what_runs_already_is_not_held() {
    let mut plan = plan(&[(0, 60, 300)], "cheapest-window", "easy");
    plan.workload.running.push(Running { job: 0, nodes: vec![1] });
    let history = simulate(plan, &mut Control::default());
    assert!(history.holds.is_empty(), "{:?}", history.holds);
    assert_eq!(starts(&history), [0], "it was running before second 0");
}
