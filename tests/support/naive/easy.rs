//! Reservations of easy, easy-strict and easy-pinned, made anew in every pass, and of easy-frozen, which keeps shadows.
//!
//! **Who reserves.** A job that has no place, or lacks a licence, or may not start beside the reservations, or whose class has failed, unless
//! its quota or its partition's limit does not allow it: if its partition has fewer than `reservations` (1) in this pass, and it has a shadow beside
//! those made before it, of whatever partition. It holds the place it would have then for as long as it is expected to
//! run.
//!
//! **What starts.** With no reservation of a linked partition held: every job that has a place. Else a job that is expected to
//! end by the earliest shadow of a linked partition; under easy also one with which every reservation, in the order in
//! which they were made, is placed again at its own shadow, beside the job, what runs, and the reservations before it.
//! From then on they are where they were placed then.
//!
//! **The second try**, under easy: a job whose place delays a reservation is placed once more, on nodes of which no
//! reservation that begins before it would be expected to end there holds a GPU, and is asked the same.
//!
//! **easy-pinned** knows no second rule but another second try: a job that ends after the earliest shadow is placed once more
//! outside of those nodes, as the reservations were made, and starts there, whatever else it would take of them.
//!
//! **easy-frozen** is easy-strict with one reservation a partition, each made as if there were no other; a job that
//! reserved in the walk before this one has the shadow that it had then.

use super::free::Holding;
use super::future::Window;
use super::time::{NEVER, Simulation};
use super::walk::Walk;

impl Simulation<'_> {
    /// A blocked job holds a reservation, if its partition has one left and it has a shadow.
    pub(super) fn reserve_in_walk(&mut self, job: u32, walk: &mut Walk) {
        let partition = self.world.partition_of(job);
        let same = |window: &&Window| self.world.partition_of(window.job) == partition;
        let is_frozen = self.backfill == "easy-frozen";
        let most = self.plan.settings.reservations.filter(|_| !is_frozen).unwrap_or(1) as usize;
        if walk.reservations.iter().filter(same).count() >= most {
            return;
        }
        let known = self.frozen.get(&job).filter(|_| is_frozen);
        let made = match known {
            Some(from) => Some(Window { job, from: *from, to: NEVER, holding: Holding::default() }),
            None if is_frozen => self.shadow(job, &[]),
            None => self.shadow(job, &walk.reservations),
        };
        walk.reservations.extend(made);
    }

    /// The place where a job may start beside the reservations: this one, or that of the second try.
    pub(super) fn beside_reservations(
        &mut self,
        job: u32,
        holding: Holding,
        walk: &mut Walk,
    ) -> Option<Holding> {
        if self.delays_nobody(job, &holding, walk) {
            return Some(holding);
        }
        if !["easy", "easy-pinned"].contains(&self.backfill) {
            return None;
        }
        let mut free = self.free_for(job, walk);
        for node in self.world.scope(job) {
            let end = self.would_end_on(job, *node, self.now);
            let takes = |window: &&Window| {
                let mut pods = window.holding.pods.iter();
                window.from < end && pods.any(|pod| pod.node == *node && !pod.gpus.is_empty())
            };
            if walk.reservations.iter().any(|window| takes(&window)) {
                free.barred.insert(*node);
            }
        }
        let second = self.world.place(&free, job)?;
        let allowed = self.backfill == "easy-pinned" || self.delays_nobody(job, &second, walk);
        self.result.counts.second_tries += u64::from(allowed);
        allowed.then_some(second)
    }

    /// Whether a job may start there beside the reservations, which then are where they fit beside it.
    fn delays_nobody(&self, job: u32, holding: &Holding, walk: &mut Walk) -> bool {
        let rate = holding.rate(&self.plan.cluster, self.behaviour(job)).0;
        let end = self.would_end(job, self.now, rate);
        let group = self.world.group_of(job);
        let linked = walk.reservations.iter().filter(|window| self.world.group_of(window.job) == group);
        if linked.map(|window| window.from).min().is_none_or(|earliest| end <= earliest) {
            return true;
        }
        if self.backfill != "easy" {
            return false;
        }
        let mut windows = vec![Window { job, from: self.now, to: end, holding: holding.clone() }];
        for held in &walk.reservations {
            let Some(holding) = self.place_over(held.job, held.from, held.to, &windows) else { return false };
            windows.push(Window { holding, ..held.clone() });
        }
        walk.reservations = windows.split_off(1);
        true
    }

    /// When each of the jobs that reserved could start now that the walk is over, those before it at their own shadows.
    pub(super) fn record_shadows(&mut self, reservations: &[Window]) {
        if ["easy-pinned", "easy-frozen"].contains(&self.backfill) {
            // Nodes alone are kept free, or not even a time that still holds.
            return;
        }
        let mut before: Vec<Window> = Vec::new();
        for held in reservations {
            let after = self.shadow(held.job, &before).map_or(NEVER, |window| window.from);
            self.result.shadows.push((self.now, held.from, after));
            before.push(held.clone());
        }
    }
}
