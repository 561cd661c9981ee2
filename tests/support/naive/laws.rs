//! Laws about a run that follow from what its policy promises, and not from how the pass goes about it.

use super::free::{Free, Owner};
use super::pass::waiting_key;
use super::world::World;
use super::{Attempt, Run};
use gigawatt::cluster::NodeState;
use gigawatt::history::Plan;
use gigawatt::units::Time;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Under `none` no younger job of a partition starts while an older one of it could have had its place.
///
/// Older: before it in the queue of their partition. Could have: were the younger one not there, the placement would find
/// the older one a place among what is left at that instant. Every older job is looked at that is one pod, whose tenant
/// has no quota, that stands in no queue, holds no licence and whose partition has no limit, in a plan whose caps nobody heeds: of a gang more room is not always a place, and a quota may be closed.
pub(crate) fn overtaken(plan: &Plan, run: &Run) -> Vec<String> {
    let settings = &plan.settings;
    let strict =
        settings.backfill == "none" && settings.event_backfill.as_deref().unwrap_or("none") == "none";
    let heedless = ["", "none"].contains(&settings.power.as_str());
    if !strict
        || !heedless
        || ["srtf", "srsf", "las", "gittins", "qssf", "qssf-lucid", "multifactor", "fair-tree"]
            .contains(&settings.order.as_str())
    {
        return Vec::new();
    }
    let world = World::new(plan);
    let mut overtaken = Vec::new();
    for younger in 0..plan.workload.len() {
        let listed = |attempt: &&Attempt| attempt.from > 0 || plan.workload.running.is_empty();
        for attempt in run.jobs[younger as usize].attempts.iter().filter(listed) {
            let mut free = free_after(plan, run, attempt.from);
            free.give(&attempt.holding, Owner::of(plan, younger));
            let older =
                (0..plan.workload.len()).filter(|older| is_older(&world, run, *older, younger, attempt.from));
            for older in older.filter(|older| world.place(&free, *older).is_some()) {
                overtaken.push(format!("at {} job {younger} starts where job {older} could", attempt.from));
            }
        }
    }
    overtaken
}

/// What is free after the pass of an instant; nodes known to go soon are taken by nobody.
fn free_after(plan: &Plan, run: &Run, instant: u32) -> Free {
    let mut free = Free::empty(plan);
    for change in &plan.cluster.changes {
        if change.time.0 <= instant {
            change.nodes.clone().for_each(|node| free.state[node as usize] = change.state);
        } else if change.announced().0 <= instant && !matches!(change.state, NodeState::Up) {
            free.barred.extend(change.nodes.clone());
        }
    }
    for (job, fate) in (0..).zip(&run.jobs) {
        let held = fate.attempts.iter().filter(|attempt| (attempt.from..attempt.to).contains(&instant));
        held.for_each(|attempt| free.take(&attempt.holding, Owner::of(plan, job)));
    }
    free
}

/// Whether a job of one pod still waits after the pass of an instant, before another in the queue of their partition.
fn is_older(world: &World<'_>, run: &Run, older: u32, younger: u32, instant: u32) -> bool {
    let plan = world.plan;
    let fate = &run.jobs[older as usize];
    let waits = fate.eligible <= instant
        && fate.finish > instant
        && fate.attempts.iter().all(|attempt| attempt.to <= instant || attempt.from > instant);
    let key = |job: u32| {
        let eligible = run.jobs[job as usize].eligible;
        (Reverse(world.height(job)), waiting_key(plan, job, eligible, instant), eligible, job)
    };
    let tenant = &plan.workload.tenants[plan.workload.jobs[older as usize].tenant as usize];
    let limited = super::quota::queue_of(plan, older).is_some()
        || tenant.quota_milli.is_some()
        || !tenant.quota_by_platform.is_empty()
        || !plan.workload.request_of(older).licences.is_empty();
    waits
        && !limited
        && world.limit(older).is_none()
        && !world.is_gang(older)
        && world.partition_of(older) == world.partition_of(younger)
        && key(older) < key(younger)
}

/// Under `admit` nobody starts on GPUs below a domain that then draws more than its cap, or a curtailment, allows.
pub(crate) fn above_caps(plan: &Plan, run: &Run) -> Vec<String> {
    let mut above = Vec::new();
    for (job, fate) in run.jobs.iter().enumerate() {
        for attempt in &fate.attempts {
            let mut free = free_after(plan, run, attempt.from);
            for active in plan.cluster.curtailments.iter().filter(|caps| caps.is_active(Time(attempt.from))) {
                free.curtailed.insert(active.feed, active.cap);
            }
            let world = World::new(plan);
            if !world.refusing(&free, &BTreeSet::new(), &attempt.holding, false).is_empty() {
                above.push(format!("at {} job {job} starts above a cap", attempt.from));
            }
        }
    }
    above
}

/// Under easy and its kin no start makes a reservation that is held later, and it is always known when it begins.
pub(crate) fn delayed(run: &Run) -> Vec<String> {
    let late = run.shadows.iter().filter(|(_, before, after)| after > before);
    late.map(|late| format!("starts made a reservation later: {late:?}")).collect()
}
