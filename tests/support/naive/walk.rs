//! The walk through the queue: none, skip, and those of easy; see `pass.rs`.

use super::free::{Free, Holding};
use super::future::Window;
use super::pass::Class;
use super::power::Domain;
use super::quota::{Refusal, queue_of};
use super::time::Simulation;
use super::yielding::Refused;
use std::collections::{BTreeMap, BTreeSet};

/// What a walk has come to so far.
#[derive(Debug, Default)]
pub(super) struct Walk {
    failed: Vec<Class>,
    /// Tenants whose quota is closed, where it tells platforms apart of which.
    closed_quotas: BTreeSet<(u32, Option<u32>)>,
    /// Queues that are closed, likewise.
    closed_queues: BTreeSet<(u32, Option<u32>)>,
    /// Partitions whose limit is closed.
    closed_limits: BTreeSet<u32>,
    /// Licences that are closed.
    closed_licences: BTreeSet<u32>,
    /// Partitions that are closed, and by which job.
    pub(super) closed: BTreeMap<u32, u32>,
    /// Nodes withdrawn from everybody.
    withdrawn: BTreeSet<u32>,
    /// Domains without a watt left for anybody.
    spent: BTreeSet<Domain>,
    /// Reservations held, in the order in which they were made, on the places they have by now.
    pub(super) reservations: Vec<Window>,
    blocked: bool,
    backfilled: u64,
    /// Whether jobs have stopped for one: it was the last that this walk tried.
    pub(super) made_room: bool,
}

impl Simulation<'_> {
    pub(super) fn walk(&mut self, queue: &[u32]) -> Walk {
        let mut walk = Walk::default();
        let mut left = queue.to_vec();
        while !left.is_empty() {
            if self.takes_turns() {
                left.retain(|job| !walk.failed.contains(&self.class(*job)));
                if left.is_empty() {
                    break;
                }
            }
            let job = left.remove(self.next_in_line(&left));
            match self.place_in_walk(job, &mut walk) {
                Some(holding) => {
                    self.start(job, holding);
                    walk.backfilled += u64::from(walk.blocked);
                }
                None => walk.blocked = true,
            }
            if walk.made_room {
                break;
            }
        }
        self.result.counts.blocked += u64::from(walk.blocked);
        self.result.counts.backfilled += walk.backfilled;
        // Passes at events with another backfill leave shadows as they are.
        if self.backfill == "easy-frozen" {
            self.frozen.retain(|job, _| !queue.contains(job) && self.pending.contains(job));
            self.frozen.extend(walk.reservations.iter().map(|window| (window.job, window.from)));
        }
        if walk.backfilled > 0 {
            self.record_shadows(&walk.reservations);
        }
        walk
    }

    /// The place where a job starts now, if it does; else what follows for those behind it.
    fn place_in_walk(&mut self, job: u32, walk: &mut Walk) -> Option<Holding> {
        let tenant = self.job(job).tenant;
        let counts = self.plan.workload.request_of(job).gpus().milli() > 0;
        let closed = walk.closed.contains_key(&self.world.partition_of(job));
        let partition = self.world.partition_of(job);
        let queue = queue_of(self.plan, job);
        let told_apart = !self.plan.workload.tenants[tenant as usize].quota_by_platform.is_empty();
        let queues = &self.plan.workload.queues;
        let of_tenant = |option: Option<u32>| (tenant, option.filter(|_| told_apart));
        let of_queue = |option: Option<u32>| {
            queue.map(|queue| (queue, option.filter(|_| super::quota::told_apart(queues, queue))))
        };
        let options = self.world.options(job);
        let is_closed = |option: &Option<u32>| {
            walk.closed_quotas.contains(&of_tenant(*option))
                || of_queue(*option).is_some_and(|queue| walk.closed_queues.contains(&queue))
        };
        // One that may run on several platforms is held back by any of them.
        let full = options.iter().any(is_closed) || walk.closed_limits.contains(&partition);
        let mut licences = self.plan.workload.request_of(job).licences.iter();
        let lacks = licences.any(|(own, _)| walk.closed_licences.contains(own));
        if closed || lacks || counts && full {
            return None;
        }
        let class = self.class(job);
        let has_failed = walk.failed.contains(&class);
        let room = |own: &mut Self, refused, walk: &mut Walk| {
            if has_failed { None } else { own.make_room(job, refused, walk) }
        };
        if let Some((refused, refusal)) = self.world.refuses(&self.free, job) {
            self.count_refused(refused, refusal);
            if let Some(place) = room(self, refused, walk) {
                return Some(place);
            }
            walk.failed.push(class);
            if self.backfill == "skip" {
                return None;
            }
            match refused {
                Refused::Quota => drop(walk.closed_quotas.insert(of_tenant(options[0]))),
                Refused::Queue => walk.closed_queues.extend(of_queue(options[0])),
                Refused::Licence(_) if self.backfill.starts_with("easy") => self.reserve_in_walk(job, walk),
                Refused::Licence(licence) => drop(walk.closed_licences.insert(licence)),
                _ => drop(walk.closed_limits.insert(partition)),
            }
            return None;
        }
        if has_failed {
            self.result.counts.class_skipped += 1;
            if self.backfill.starts_with("easy") {
                self.reserve_in_walk(job, walk);
            }
            return None;
        }
        self.world.refused.take();
        let place = self.world.place(&self.free_for(job, walk), job);
        let refused = self.world.refused.take();
        let allowed = match place {
            Some(holding) => self.beside_reservations(job, holding, walk),
            None => room(self, Refused::Place, walk),
        };
        if allowed.is_none() {
            walk.failed.push(class);
            match self.backfill {
                "none" => self.close(job, refused, walk),
                "skip" => {}
                "easy" | "easy-strict" | "easy-pinned" | "easy-frozen" => self.reserve_in_walk(job, walk),
                other => panic!("unknown backfill `{other}`"),
            }
        }
        allowed
    }

    pub(super) fn count_refused(&mut self, refused: Refused, refusal: Option<Refusal>) {
        let counts = &mut self.result.counts;
        match refused {
            Refused::Quota => counts.quota_refused += 1,
            Refused::Limit => counts.limit_refused += 1,
            Refused::Licence(_) => counts.licence_refused += 1,
            Refused::Queue | Refused::Place => {}
        }
        refusal.into_iter().for_each(|refusal| counts.queue_refused[refusal as usize] += 1);
    }

    /// What is free now for a job: nodes that are withdrawn or go while it would run are no place for it.
    pub(super) fn free_for(&self, job: u32, walk: &Walk) -> Free {
        let mut free = self.free_now(job);
        free.barred = self.going(job).chain(walk.withdrawn.iter().copied()).collect();
        free.spent.clone_from(&walk.spent);
        free
    }

    /// A job that has no place closes its partition if it knows when it will have one; `refused`: by these caps.
    fn close(&mut self, job: u32, refused: BTreeSet<Domain>, walk: &mut Walk) {
        let withdrawn = !walk.withdrawn.is_empty() || !walk.spent.is_empty();
        let kept_out = withdrawn && self.world.place(&self.free_for(job, &Walk::default()), job).is_some();
        if !kept_out && !self.has_shadow(job) {
            return;
        }
        let mut without_caps = self.free_for(job, walk);
        without_caps.unlimited = true;
        if self.world.place(&without_caps, job).is_some() {
            walk.spent.extend(refused);
        }
        let partition = self.world.partition_of(job);
        walk.closed.insert(partition, job);
        walk.withdrawn.extend(self.world.nodes_of_partition(partition));
    }
}
