//! Conservative backfill: pending jobs hold reservations of the very GPUs they will use.
//!
//! In a pass, over the groups of linked partitions that it concerns:
//! 1. Where a running job is past its expected end, a reservation begins before now, or a pass at an event, which looks at
//!    none, started somebody, all reservations of that group are given up first: those that stay would lie in the way of
//!    each other, and nobody might ever start.
//! 2. Else, where something left since the last pass (a job ended or was stopped, a job with a reservation was cancelled
//!    or can never start), capacity changed, or a change became known, every job of that group with a reservation, in the
//!    order of the queue, gives it up and reserves anew, all others staying where they are at that moment.
//! 3. Every job without a reservation, in the order of the queue, reserves, if fewer than `depth` jobs of its partition
//!    before it hold one that begins later than now, and fewer than `max_jobs` of its group stood before it as the pass began; or if
//!    it held one then.
//! 4. Every job whose reservation begins now starts, in the order of the queue, on what it reserved.
//!
//! **To reserve**: of now, every later end of a running job's or a reservation's window, and every known change, the
//! earliest at which the placement finds a place among what is free over the whole window (see `future.rs`: of every GPU,
//! CPU, memory and quota the least at any instant of it); none if there is none. The window is as long as the job would be
//! expected to take on the slowest platform of its scope, for a gang over several racks of it where racks matter.
//!
//! It reserves nothing that begins later than `window` after now.
//!
//! **Slots** of `resolution` seconds: what is expected to end within one is expected to end with it, jobs that run and windows
//! alike; a running job that is past it with the one under way. It is past its expected end if it was to end, as of the
//! last pass over its group, before now.
//!
//! The beginning of a reservation is an event, unless only passes of a cycle look at reservations: they come anyway.

use super::future::Window;
use super::time::{NEVER, Simulation};
use std::collections::{BTreeMap, BTreeSet};

impl Simulation<'_> {
    pub(super) fn conservative_pass(&mut self, queue: &[u32], concerned: &BTreeSet<usize>) {
        let held: BTreeSet<u32> = self.reservations.keys().copied().collect();
        let anew: BTreeSet<usize> = self.to_make_anew().intersection(concerned).copied().collect();
        self.reservations.retain(|job, _| !anew.contains(&self.world.group_of(*job)));
        for job in queue.iter().filter(|job| held.contains(job)) {
            let group = self.world.group_of(*job);
            if self.left.contains(&group) && !anew.contains(&group) && self.reservations.remove(job).is_some()
            {
                self.reserve(*job);
            }
        }
        self.passed.extend(concerned.iter().map(|group| (*group, self.now)));
        let most = self.plan.settings.max_jobs.unwrap_or(u32::MAX);
        let mut seen: BTreeMap<usize, u32> = BTreeMap::new();
        let mut later: BTreeMap<u32, u32> = BTreeMap::new();
        for job in queue {
            let stood = seen.entry(self.world.group_of(*job)).or_default();
            let is_tried = *stood < most;
            *stood += 1;
            let before = later.entry(self.world.partition_of(*job)).or_default();
            let reserves = *before < self.plan.settings.depth.unwrap_or(u32::MAX);
            let may = reserves && is_tried || held.contains(job);
            if may && !self.reservations.contains_key(job) {
                self.reserve(*job);
            }
            *before += u32::from(self.reservations.get(job).is_some_and(|window| window.from > self.now));
        }
        let mut blocked = false;
        for job in queue.iter().copied() {
            let now = self.now;
            match self.reservations.get(&job).filter(|reservation| reservation.from == now) {
                Some(reservation) => {
                    let holding = reservation.holding.clone();
                    self.start(job, holding);
                    self.result.counts.backfilled += u64::from(blocked);
                }
                None => blocked = true,
            }
        }
        self.result.counts.blocked += u64::from(blocked);
    }

    /// The groups whose reservations lie in the way of each other.
    fn to_make_anew(&self) -> BTreeSet<usize> {
        let overdue = self.running.iter().copied().filter(|job| self.is_overdue(*job));
        let stale = self.reservations.values().filter(|reservation| reservation.from < self.now);
        let jobs = overdue.chain(stale.map(|reservation| reservation.job));
        self.void.iter().copied().chain(jobs.map(|job| self.world.group_of(job))).collect()
    }

    fn reserve(&mut self, job: u32) {
        let others: Vec<Window> = self.reservations.values().cloned().collect();
        let window = self.window_at(job, self.now, &others).or_else(|| self.shadow(job, &others));
        let last = self.plan.settings.window.map_or(NEVER, |window| self.now.saturating_add(window.0));
        if let Some(window) = window.filter(|window| window.from <= last) {
            self.result.counts.reserved += u64::from(window.from > self.now);
            self.reservations.insert(job, window);
        }
    }
}
