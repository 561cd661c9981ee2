use super::*;
use crate::cluster::{Cluster, Licence, NodeKind};
use crate::history::{Plan, Settings, WaitReason};
use crate::simulation::{Control, simulate};
use crate::units::{Gpus, Seconds, Time, Watts};
use crate::workload::{Behaviour, Builder, Job, Queue, Request, Shape, Tenant, Topology};
use std::collections::BTreeMap;

/// Random numbers in turn.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// What a random plan is given beside its jobs.
#[derive(Clone, Copy)]
struct Given {
    quota: Option<u32>,
    limit: Option<u32>,
    rack: Topology,
    exact: bool,
    free: bool,
    order: &'static str,
    /// Watts that the site may draw.
    cap: Option<u64>,
    /// Whether no job comes before the one looked at for its priority.
    urgent: bool,
    /// Whether its pods may be of any size, on any racks.
    apart: bool,
}

const AS_IT_IS: Given = Given {
    quota: Some(20_000),
    limit: Some(28_000),
    rack: Topology::RequireRack,
    exact: false,
    free: false,
    order: "fifo",
    cap: None,
    urgent: false,
    apart: false,
};

/// Forty jobs of two tenants on four racks of two nodes of 4 GPUs; job 17, which depends on another, is the one looked at.
fn plan(seed: u64, backfill: &str, given: Given) -> Plan {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    for name in ["a", "b"] {
        builder
            .add_tenant(Tenant { quota_milli: given.quota.filter(|_| name == "a"), ..Tenant::named(name) });
    }
    for number in 0..40 {
        let (gpus, submit) = ([1, 4, 8, 2, 12][dice.below(5) as usize], Time(number * 120));
        let apart = number == LOOKED_AT && given.apart;
        let topology = match number {
            _ if apart => Topology::Ignore,
            LOOKED_AT => given.rack,
            _ => Topology::PreferRack,
        };
        let gpus = if number == LOOKED_AT { 8 } else { gpus };
        let shape = if gpus > 4 && !apart {
            Shape::Pods { count: gpus / 4, gpus_milli_each: 4000 }
        } else {
            Shape::Any { gpus_milli: gpus * 1000 }
        };
        let request = builder.request(Request { shape, topology, ..Request::gang(Gpus::whole(gpus)) });
        let work_time = Seconds(100 + dice.below(1200));
        let times = 1 + dice.below(4);
        let times = if number == LOOKED_AT && given.exact { 1 } else { times };
        let tenant = if number == LOOKED_AT { 0 } else { dice.below(2) };
        let urgent = number == LOOKED_AT && given.urgent;
        let priority = if urgent { PRIORITY_MAX } else { i32::try_from(number * 5 % 4).unwrap() };
        let job = Job { request, behaviour, tenant, work_time, priority, ..Job::at(submit) };
        builder.push(job.requesting(Seconds(work_time.0 * times)));
    }
    if !given.free {
        builder.graph().add(15, LOOKED_AT, Seconds(60));
    }
    let mut kind = NodeKind { gpus: 4, ..NodeKind::default() };
    (kind.power.idle, kind.power.busy, kind.power.gpu_tgp) = (Watts(1000), Watts(9000), Watts(2000));
    let mut cluster = Cluster::racked(4, 2, kind);
    cluster.sites[0].cap = given.cap.map(Watts);
    cluster.partitions[0].limit_milli = given.limit;
    let workload = builder.try_finish().unwrap();
    let mut settings = Settings { seed, ..Settings::named(given.order, backfill, "best-fit") };
    settings.power = "admit".to_owned();
    Plan { cluster, workload, settings }
}

const LOOKED_AT: u32 = 17;
/// The highest priority of any job.
const PRIORITY_MAX: i32 = 3;

fn history(plan: Plan) -> History {
    simulate(plan, &mut Control::default())
}

#[test]
fn every_counterfactual_is_what_the_edited_scenario_gives() {
    let mut moved: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..60 {
        let backfill = ["none", "skip", "easy", "conservative"][usize::try_from(seed).unwrap() % 4];
        for as_it_is in
            [AS_IT_IS, Given { order: "priority", ..AS_IT_IS }, Given { cap: Some(50_000), ..AS_IT_IS }]
        {
            let own = history(plan(seed, backfill, as_it_is));
            let found = otherwise(&own, LOOKED_AT, None).unwrap();
            for told in &found {
                let given = match told.change {
                    Change::NoCaps => Given { cap: None, ..as_it_is },
                    Change::NoQuota => Given { quota: None, ..as_it_is },
                    Change::NoLimit => Given { limit: None, ..as_it_is },
                    Change::HighestPriority => Given { urgent: true, ..as_it_is },
                    Change::AnyShape => Given { apart: true, ..as_it_is },
                    Change::NoDependencies => Given { free: true, ..as_it_is },
                    Change::ExactEstimate => Given { exact: true, ..as_it_is },
                    Change::AnyPlatform => unreachable!("there is one"),
                };
                let edited = history(plan(seed, backfill, given));
                assert_eq!(told.start, first_start(&edited, LOOKED_AT), "seed {seed}: {told:?}");
                let moves = told.start != first_start(&own, LOOKED_AT);
                *moved.entry(told.change.name()).or_default() += u32::from(moves);
                let apart = longer_wait(&waits(&own), &waits(&edited), LOOKED_AT);
                assert!((told.others_wait - apart).abs() < 1e-9, "seed {seed}: {told:?}");
            }
            let changes: Vec<Change> = found.iter().map(|told| told.change).collect();
            assert!(changes.contains(&Change::NoQuota) && changes.contains(&Change::AnyShape), "{changes:?}");
            assert_eq!(changes.contains(&Change::NoCaps), as_it_is.cap.is_some(), "{changes:?}");
        }
    }
    assert_eq!(moved.len(), 7, "every change but the platform: {moved:?}");
    assert!(moved.values().all(|moved| *moved > 5), "starts that moved: {moved:?}");
}

#[test]
fn an_interrupted_run_is_compared_with_what_would_have_come_of_it_until_then() {
    let (mut moved, mut never) = (0, 0);
    for seed in 0..40 {
        let backfill = ["none", "skip", "easy", "conservative"][usize::try_from(seed).unwrap() % 4];
        let until = 2200 + 200 * u32::try_from(seed).unwrap();
        let up_to = |mut plan: Plan| {
            plan.settings.until = Some(until);
            history(plan)
        };
        // As Ctrl-C leaves it: nothing in the plan says where it ends.
        let mut own = up_to(plan(seed, backfill, AS_IT_IS));
        (own.plan.settings.until, own.complete) = (None, false);
        for told in otherwise(&own, LOOKED_AT, None).unwrap() {
            let given = match told.change {
                Change::NoQuota => Given { quota: None, ..AS_IT_IS },
                Change::NoDependencies => Given { free: true, ..AS_IT_IS },
                _ => continue,
            };
            let edited = up_to(plan(seed, backfill, given));
            assert_eq!(told.start, first_start(&edited, LOOKED_AT), "seed {seed}: {told:?}");
            let apart = longer_wait(&waits(&own), &waits(&edited), LOOKED_AT);
            assert!((told.others_wait - apart).abs() < 1e-9, "seed {seed}: {told:?}");
            never += u32::from(told.start.is_none());
            moved += u32::from(told.start != first_start(&own, LOOKED_AT));
        }
    }
    assert!(moved > 5 && never > 5, "{moved} moved, {never} never within the run");
}

#[test]
fn what_changes_nothing_is_not_asked() {
    let bare =
        Given { quota: None, limit: None, rack: Topology::Ignore, exact: true, free: true, ..AS_IT_IS };
    let plan = plan(3, "easy", bare);
    let changed: Vec<Change> =
        Change::ALL.into_iter().filter(|change| change.apply(&plan, LOOKED_AT).is_some()).collect();
    assert!(!changed.contains(&Change::NoQuota) && !changed.contains(&Change::NoDependencies), "{changed:?}");
    assert!(!changed.contains(&Change::HighestPriority), "fifo looks at no priority: {changed:?}");
}

/// A queue of 24 GPUs and two below it, of which the first may borrow 4 and the second keeps 4 of its 8.
fn queues() -> Vec<Queue> {
    let below = |tenant: u32, name: &str| Queue {
        parent: Some(0),
        tenants: vec![tenant],
        nominal_milli: Some(8000),
        ..Queue::named(name)
    };
    vec![
        Queue { nominal_milli: Some(8000), limit_milli: Some(22_000), ..Queue::named("cloud") },
        Queue { borrow_milli: Some(4000), ..below(0, "first") },
        Queue { lend_milli: Some(4000), ..below(1, "second") },
    ]
}

#[test]
fn without_bounds_a_job_may_hold_all_there_is() {
    let mut plan = plan(3, "none", AS_IT_IS);
    plan.workload.queues = queues();
    let changed = Change::NoQuota.apply(&plan, LOOKED_AT).expect("there is something to change");
    let [cloud, first, second] = &changed.workload.queues[..] else { panic!("three queues") };
    assert_eq!((first.borrow_milli, first.nominal_milli), (None, Some(8000)), "it may borrow");
    assert_eq!((cloud.limit_milli, cloud.nominal_milli), (None, Some(32_000)), "all that there is");
    assert_eq!(*second, queues()[2], "others stay");
    assert_eq!(changed.workload.tenants[0].quota_milli, None, "nor has its tenant a quota");
}

#[test]
fn evidence_agrees_with_its_reason() {
    let mut seen = [0; WaitReason::ALL.len()];
    let mut bounds: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..60 {
        let backfill = ["none", "skip", "easy", "conservative"][usize::try_from(seed).unwrap() % 4];
        let limit = AS_IT_IS.limit.filter(|_| seed % 8 < 4);
        let mut given = plan(seed, backfill, Given { limit, ..AS_IT_IS });
        if seed % 3 == 0 {
            given.workload.queues = queues();
        }
        if seed % 5 == 0 {
            given.cluster.licences = vec![Licence { name: "seats".to_owned(), count: 4 }];
            given.workload.requests.iter_mut().for_each(|request| request.licences = vec![(0, 2)]);
        }
        let own = history(given);
        for job in 0..own.plan.workload.len() {
            let gpus = u64::from(own.plan.workload.request_of(job).gpus().milli());
            for stretch in explain(&own, job).stretches {
                let reason = stretch.waited.reason;
                let place = format!("seed {seed}, job {job}: {stretch:?}");
                match &stretch.evidence {
                    Evidence::Room { at, room, holders, .. } => {
                        assert!((stretch.waited.from..stretch.waited.to).contains(at), "{place}");
                        let held: u64 = holders.iter().map(|holder| holder.milli).sum();
                        assert!(held + room.free_milli <= room.gpus * 1000, "{place}");
                        if reason == WaitReason::Capacity {
                            assert!(room.free_milli < gpus, "never enough: {place}");
                        }
                    }
                    Evidence::Ceiling { ceiling_milli, held_milli, .. } => {
                        assert!(held_milli + gpus > *ceiling_milli, "never below it: {place}");
                    }
                    Evidence::Queue { at, room_milli, refusing, holders } => {
                        assert!((stretch.waited.from..stretch.waited.to).contains(at), "{place}");
                        assert!(reason == WaitReason::Quota && *room_milli < gpus, "never room: {place}");
                        assert!(refusing.used + gpus > refusing.most, "its bound: {place}");
                        let held: u64 = holders.iter().map(|holder| holder.milli).sum();
                        assert!(held <= 24_000, "those below it: {place}");
                        *bounds.entry(format!("{} {:?}", refusing.name, refusing.bound)).or_default() += 1;
                    }
                    Evidence::Licence { asked, count, at, held, holders, .. } => {
                        assert!((stretch.waited.from..stretch.waited.to).contains(at), "{place}");
                        assert!(held + u64::from(*asked) > u64::from(*count), "too few were left: {place}");
                        let milli: u64 = holders.iter().map(|holder| holder.milli).sum();
                        assert_eq!(milli, held * 1000, "all of them are named: {place}");
                        assert_eq!(reason, WaitReason::Licence, "{place}");
                    }
                    Evidence::After { job: before, finish, .. } => {
                        assert!(*before == 15 && *finish <= stretch.waited.to, "{place}");
                    }
                    Evidence::Plain => assert_eq!(reason, WaitReason::Held, "{place}"),
                }
                for passer in &stretch.started {
                    assert_eq!(first_start(&own, passer.job), Some(passer.start), "{place}");
                }
                seen[reason as usize] += 1;
            }
        }
    }
    for reason in [
        WaitReason::Dependency,
        WaitReason::Quota,
        WaitReason::Limit,
        WaitReason::Licence,
        WaitReason::Capacity,
        WaitReason::Order,
    ] {
        assert!(seen[reason as usize] > 5, "{}: {seen:?}", reason.name());
    }
}

/// A job of 8 GPUs that comes while its tenant holds 16 of a quota of 20, on 40 GPUs of which others hold few.
fn kept_out(seed: u64) -> Plan {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    builder.add_tenant(Tenant { quota_milli: Some(20_000), ..Tenant::named("a") });
    builder.add_tenant(Tenant::named("b"));
    let mut push = |tenant: u32, gpus: u32, submit: u32, work: u32| {
        let request = builder.request(Request::gang(Gpus::whole(gpus)));
        let job = Job { request, behaviour, tenant, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push(job.requesting(Seconds(2 * work)))
    };
    push(0, 16, 0, 1000 + dice.below(1000));
    push(0, 8, 100 + dice.below(500), 300);
    for number in 0..4 {
        push(1, 1 + dice.below(2), number * 60, 100 + dice.below(2000));
    }
    let cluster = Cluster::uniform(5, NodeKind { gpus: 8, ..NodeKind::default() });
    Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", "easy", "best-fit") }
}

#[test]
fn lifting_what_a_job_waits_for_starts_it_then_and_lifting_anything_else_does_not() {
    for seed in 0..50 {
        let own = history(kept_out(seed));
        let stretches = explain(&own, 1).stretches;
        let [only] = &stretches[..] else { panic!("seed {seed}: one reason: {stretches:?}") };
        assert_eq!(only.waited.reason, WaitReason::Quota, "seed {seed}");
        assert_eq!(first_start(&own, 1), Some(only.waited.to), "seed {seed}");
        let found = otherwise(&own, 1, None).unwrap();
        assert!(found.len() > 1, "seed {seed}: {found:?}");
        for told in found {
            let expected = if told.change == Change::NoQuota { only.waited.from } else { only.waited.to };
            assert_eq!(told.start, Some(expected), "seed {seed}: {told:?}");
        }
    }
}

/// The instants at which a job waits for its first start, that of its start included.
fn waiting(own: &History) -> Vec<Time> {
    let begin = own.jobs[LOOKED_AT as usize].eligible_time;
    let Some(start) = first_start(own, LOOKED_AT).filter(|start| begin < *start) else { return Vec::new() };
    let events = own.segments.iter().flat_map(|segment| [segment.from, segment.to]);
    let mut instants: Vec<Time> = events.filter(|at| (begin..=start).contains(at)).collect();
    instants.extend([begin, start]);
    instants.sort_unstable();
    instants.dedup();
    instants
}

#[test]
fn what_is_known_at_an_instant_is_what_was_decided_until_then() {
    for seed in 0..40 {
        let backfill = ["none", "skip", "easy", "conservative"][usize::try_from(seed).unwrap() % 4];
        let own = history(plan(seed, backfill, AS_IT_IS));
        for now in waiting(&own).into_iter().step_by(5) {
            let known = history(known_at(&own, now));
            let begun = |history: &History| {
                let segments = history.segments.iter().filter(|segment| segment.from <= now);
                segments
                    .map(|own| (own.job, own.from, own.to.min(now), history.pieces_of(own).to_vec()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(begun(&known), begun(&own), "seed {seed}, {backfill}, at {now:?}");
        }
    }
}

#[test]
fn an_outlook_moves_for_a_reason_and_the_last_one_is_kept() {
    let (mut moved, mut later) = (0, 0);
    for seed in 0..60 {
        for backfill in ["conservative", "easy"] {
            let own = history(plan(seed, backfill, AS_IT_IS));
            let found = outlooks(&own, LOOKED_AT, None).unwrap();
            let Some(last) = found.all.last() else {
                assert!(waiting(&own).is_empty(), "seed {seed}: it waited");
                continue;
            };
            assert_eq!(last.start, first_start(&own, LOOKED_AT), "seed {seed}, {backfill}: the last is kept");
            for two in found.all.windows(2) {
                let [before, after] = two else { panic!("two at a time") };
                assert!(!after.since.is_empty(), "seed {seed}, {backfill}: why each moved");
                let told = first_start(&history(known_at(&own, after.at)), LOOKED_AT);
                assert_eq!(told, after.start, "seed {seed}, {backfill}: as simulated");
                moved += 1;
                later += usize::from(after.start > before.start);
            }
        }
    }
    assert!(moved > 50 && later > 0, "{moved} moved, {later} were put off");
}

#[test]
fn where_jobs_take_as_long_as_they_request_nothing_moves_a_reservation() {
    let mut waited = 0;
    for seed in 0..40 {
        let mut given = plan(seed, "conservative", AS_IT_IS);
        given.workload.jobs.iter_mut().for_each(|job| job.requested_time = job.work_time);
        let own = history(given);
        let found = outlooks(&own, LOOKED_AT, None).unwrap();
        waited += found.all.len();
        assert!(found.all.len() < 2, "seed {seed}: {found:?}");
    }
    assert!(waited > 10, "{waited} jobs waited");
}
