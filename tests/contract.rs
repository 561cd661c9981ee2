//! When passes take place: cases small enough to be worked out by hand.

use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{History, Plan, Settings};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Request};

/// A plan of jobs as (submit, GPUs, work) on so many nodes of one GPU.
fn flat(nodes: u32, jobs: &[(u32, u32, u32)], backfill: &str) -> Plan {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    for &(submit, gpus, work) in jobs {
        let request = builder.request(Request::gang(Gpus::whole(gpus)));
        let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push(job.requesting(Seconds(work)));
    }
    let cluster = Cluster::uniform(nodes, NodeKind { gpus: 1, ..NodeKind::default() });
    Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", backfill, "first-fit") }
}

fn starts(history: &History) -> Vec<u32> {
    let mut starts = vec![u32::MAX; history.jobs.len()];
    for segment in &history.segments {
        starts[segment.job as usize] = segment.from.0;
    }
    starts
}

#[test]
fn passes_come_at_events_every_so_often_or_both() {
    // The second job needs both nodes, of which the first holds one until 100; the third may pass it without delaying
    // it, and so may the fourth if it ends by then.
    let jobs = [(0, 1, 100), (1, 2, 50), (2, 1, 20), (3, 1, 50)];
    let cases = [
        (None, None, [0, 100, 2, 22], "at once, and as the third ends"),
        (Some(30), None, [0, 120, 30, 180], "at multiples of 30; at 60 the fourth would end too late"),
        (Some(30), Some("none"), [0, 100, 30, 150], "the head at events, who passes it at multiples"),
        (Some(30), Some("skip"), [0, 100, 2, 22], "whoever fits at events"),
        (Some(1000), Some("easy-strict"), [0, 100, 2, 22], "reservations at events"),
    ];
    for (cycle, event, expected, why) in cases {
        let mut plan = flat(2, &jobs, "easy");
        plan.settings.cycle = cycle;
        plan.settings.event_backfill = event.map(str::to_owned);
        let history = simulate(plan, &mut Control::default());
        assert_eq!(starts(&history), expected, "cycle {cycle:?}, events {event:?}: {why}");
    }
}
