//! Preemption `priority`: running jobs stop for one that is blocked.
//!
//! **Who may stop.** A running preemptible job of a linked partition whose tier, or else priority, is lower, and that has run
//! for `min_run`, and not only since this instant.
//!
//! **In which order.** The lowest first; of equals those that lose least: GPU thousandths held times the work, Q16.16, since
//! the last checkpoint and that of the restart time, or with `victims = youngest` any; then the latest start, then the
//! highest index. Where the job is refused on every option, those are tried alone before all are that count against anything which
//! refuses it on any: the tenant's quota of a platform or of all, a queue's, or one of its tree's, likewise, the limit, a licence.
//!
//! **Who stops.** One after another stops, in that order, until the job has a place. Of these, those on its nodes, if
//! that is enough, else all. Of these, from the last to the first, each runs on without whose stop the job has a place
//! all the same. If the job, at its place with these gone, delays no reservation, they stop and it starts; else nothing happens.
//!
//! **Then** the walk of the group begins anew with all jobs that wait, those that have stopped among them. A job that was blocked while others were too young is tried again when the first of them no longer is.
//! Passes at events between those of a cycle with another backfill stop no job.

use super::free::{Holding, Owner, total};
use super::quota::{queue_of, root};
use super::time::{NEVER, Simulation};
use super::walk::Walk;
use gigawatt::history::{SegmentEnd, Victims};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What keeps a job out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Quota,
    Queue,
    Limit,
    /// Of the licence of that index.
    Licence(u32),
    Place,
}

impl Simulation<'_> {
    /// Whether jobs stop for others in this pass.
    pub(super) fn yields(&self) -> bool {
        let settings = &self.plan.settings;
        let everywhere = settings.event_backfill.as_ref() == Some(&settings.backfill);
        let stops = settings.priorities_stop_jobs() || self.consolidates();
        stops && (self.full || everywhere)
    }

    /// The walks over a queue, group by group; from the front again once jobs have stopped for one.
    pub(super) fn walks(&mut self, queue: &[u32], concerned: &BTreeSet<usize>) -> Walk {
        if !self.yields() {
            return self.walk(queue);
        }
        let mut all = Walk::default();
        for group in concerned {
            self.wakes.remove(group);
            loop {
                let queue = self.queue(&BTreeSet::from([*group]));
                let walk = self.walk(&queue);
                if !walk.made_room {
                    all.closed.extend(walk.closed);
                    break;
                }
            }
        }
        all
    }

    /// Where a job starts, others having stopped for it.
    pub(super) fn make_room(&mut self, job: u32, refused: Refused, walk: &mut Walk) -> Option<Holding> {
        if !self.yields() {
            return None;
        }
        if self.consolidates() && (refused != Refused::Place || !walk.reservations.is_empty()) {
            return None;
        }
        let stopped = if self.reclaims() {
            let candidates = self.may_stop_for(job);
            self.reclaimed(job, &candidates, walk)?
        } else if self.is_classical() {
            let candidates = self.may_stop_for(job);
            let stopped = self.stopped_classically(job, &candidates, walk)?;
            let own = |running: &&u32| queue_of(self.plan, **running) == queue_of(self.plan, job);
            let own = stopped.iter().filter(own).count() as u64;
            self.result.counts.classical[0] += stopped.len() as u64 - own;
            self.result.counts.classical[1] += own;
            stopped
        } else if self.consolidates() {
            let line = self.soonest_emptied_first(job);
            self.needed(job, &line, walk)?
        } else {
            self.of_lower_priority(job, refused, walk)?
        };
        let holding = self.place_without(job, &stopped, walk).expect("it has just been there");
        let before = (self.free.clone(), self.running.clone(), self.pending.clone(), self.live.clone());
        let (fates, happened, left) = (self.result.jobs.clone(), self.happened.clone(), self.left.clone());
        let failing = self.failing.clone();
        stopped.iter().for_each(|running| self.stop(*running, SegmentEnd::Preempted));
        let allowed = self.beside_reservations(job, holding, walk);
        let allowed =
            allowed.filter(|place| !self.consolidates() || self.start_again(job, place, &stopped, walk));
        if allowed.is_none() {
            (self.free, self.running, self.pending, self.live) = before;
            (self.result.jobs, self.happened, self.left, self.failing) = (fates, happened, left, failing);
            return None;
        }
        let moved = if self.consolidates() { stopped.len() as u64 } else { 0 };
        self.result.counts.moved += moved;
        self.result.counts.yielded += stopped.len() as u64 - moved;
        walk.made_room = true;
        allowed
    }

    fn is_classical(&self) -> bool {
        self.plan.settings.preemption.as_deref() == Some("classical")
    }

    pub(super) fn reclaims(&self) -> bool {
        self.plan.settings.preemption.as_deref() == Some("reclaim")
    }

    fn of_lower_priority(&mut self, job: u32, refused: Refused, walk: &Walk) -> Option<Vec<u32>> {
        let mut line = self.may_stop_for(job);
        line.sort_by_cached_key(|running| self.standing(*running));
        let mut mates = line.clone();
        mates.retain(|running| self.counts_with(*running, job));
        let lines = if refused == Refused::Place { vec![line] } else { vec![mates, line] };
        lines.into_iter().find_map(|line| self.needed(job, &line, walk))
    }

    /// Those that may stop for a job now.
    pub(super) fn may_stop_for(&mut self, job: u32) -> Vec<u32> {
        let group = self.world.group_of(job);
        let mut all = self.running.clone();
        all.retain(|running| {
            let may = match (self.reclaims(), self.consolidates()) {
                (true, _) => self.may_reclaim(*running, job),
                _ if self.is_classical() => self.may_stop_classically(*running, job),
                (_, true) => true,
                _ => self.world.height(*running) < self.world.height(job),
            };
            may && self.behaviour(*running).preemptible && self.world.group_of(*running) == group
        });
        let least = self.plan.settings.min_run.unwrap_or_default().0.max(1);
        let keeps = |running: &u32| if self.reclaims() { self.keeps_from(*running) } else { 0 };
        let from = |running: &u32| self.started(*running).saturating_add(least).max(keeps(running));
        let later = all.iter().map(from).filter(|time| *time > self.now && *time != NEVER).min();
        let wake = self.wakes.get(&group).copied().into_iter().chain(later).min();
        all.retain(|running| from(running) <= self.now);
        self.wakes.extend(wake.map(|wake| (group, wake)));
        all
    }

    /// Where a running job stands among those that may stop.
    pub(super) fn standing(&self, job: u32) -> ((u32, i32), u128, Reverse<u32>, Reverse<u32>) {
        let held: u64 = self.attempt(job).holding.pods.iter().map(total).sum();
        let lost = self.lost_since_checkpoint(job) + (u64::from(self.behaviour(job).restart_time.0) << 16);
        let lost = match self.plan.settings.victims {
            Victims::LeastLost => u128::from(held) * u128::from(lost),
            Victims::Youngest => 0,
        };
        (self.world.height(job), lost, Reverse(self.started(job)), Reverse(job))
    }

    /// Whether a running job counts against anything that refuses another.
    fn counts_with(&self, running: u32, job: u32) -> bool {
        let here = self.platform_of(running);
        let tenant = |job: u32| self.job(job).tenant;
        let top = |job: u32| queue_of(self.plan, job).map(|queue| root(&self.plan.workload.queues, queue));
        let partition = |job: u32| self.world.partition_of(job);
        let same = |platform: Option<u32>| platform.is_none_or(|platform| platform == here);
        let counts = |refused: &(Refused, Option<u32>)| match *refused {
            (Refused::Quota, platform) => tenant(running) == tenant(job) && same(platform),
            (Refused::Queue, platform) => top(running) == top(job) && same(platform),
            (Refused::Limit, _) => partition(running) == partition(job),
            _ => false,
        };
        let asks = self.plan.workload.request_of(running).gpus().milli() > 0;
        let lacking = self.world.lacking_licences(&self.free, job);
        let held = &self.plan.workload.request_of(running).licences;
        asks && self.world.all_that_refuse(&self.free, job).iter().any(counts)
            || held.iter().any(|(own, _)| lacking.contains(own))
    }

    /// The platform on which a job runs that holds GPUs.
    pub(super) fn platform_of(&self, running: u32) -> u32 {
        self.attempt(running).holding.pods.first().map_or(u32::MAX, |pod| self.free.platform(pod.node))
    }

    /// Those of a line that have to stop.
    fn needed(&mut self, job: u32, line: &[u32], walk: &Walk) -> Option<Vec<u32>> {
        let enough =
            (1..=line.len()).find(|count| self.place_without(job, &line[..*count], walk).is_some())?;
        let mut stopped = line[..enough].to_vec();
        let nodes: BTreeSet<u32> =
            self.place_without(job, &stopped, walk)?.pods.iter().map(|pod| pod.node).collect();
        let mut near = stopped.clone();
        near.retain(|running| {
            self.attempt(*running).holding.pods.iter().any(|pod| nodes.contains(&pod.node))
        });
        if self.place_without(job, &near, walk).is_some() {
            stopped = near;
        }
        Some(self.without_spare(job, stopped, walk))
    }

    /// Of jobs without which one has a place those that have to stop.
    pub(super) fn without_spare(&mut self, job: u32, mut stopped: Vec<u32>, walk: &Walk) -> Vec<u32> {
        for at in (0..stopped.len()).rev() {
            let mut others = stopped.clone();
            others.remove(at);
            if self.place_without(job, &others, walk).is_some() {
                stopped = others;
            }
        }
        stopped
    }

    /// Where a job would go were these not running.
    pub(super) fn place_without(&mut self, job: u32, stopped: &[u32], walk: &Walk) -> Option<Holding> {
        let before = (self.free.clone(), self.running.clone());
        for running in stopped {
            let holding = self.attempt(*running).holding.clone();
            self.free.give(&holding, Owner::of(self.plan, *running));
        }
        // Nor are they expected to draw when a curtailment begins.
        self.running.retain(|running| !stopped.contains(running));
        let allowed = self.world.ceilings_allow(&self.free, job);
        let place = allowed.then(|| self.world.place(&self.free_for(job, walk), job));
        (self.free, self.running) = before;
        place.flatten()
    }

    /// When more jobs may stop for one that is blocked.
    pub(super) fn wake_times(&self) -> Vec<(u32, u32)> {
        if !self.plan.settings.timers_are_events() {
            return Vec::new();
        }
        let job_of = |group: usize| (0..).find(|job| self.world.group_of(*job) == group).unwrap_or(NEVER);
        self.wakes.iter().map(|(group, time)| (*time, job_of(*group))).collect()
    }
}
