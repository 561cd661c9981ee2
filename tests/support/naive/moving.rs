//! Preemption `consolidate`: running jobs move so that a blocked one has a place.
//!
//! **For whom.** A job that has no place, while no reservation is held; not one that a quota, a queue or a limit refuses.
//!
//! **Who may move.** Every running preemptible job of a linked partition that has run for `min_run`, and not only since this
//! instant.
//!
//! **In which order.** Each stands where the one of its nodes stands that is emptied soonest: nodes of which all that is held
//! may move before others, then the least held, then the lowest index; what is on no node last. Of one node those that
//! hold fewest GPUs, then the latest start, then the highest index. Who of that line moves is found as under `priority`.
//!
//! **Then** they stop, the job takes its place, and they start, those that ask for most GPUs first, then the lowest index,
//! each where the placement puts it. If one has no place, nothing happens.

use super::free::{Holding, Owner, total};
use super::time::Simulation;
use super::walk::Walk;
use std::cmp::Reverse;

impl Simulation<'_> {
    pub(super) fn consolidates(&self) -> bool {
        self.plan.settings.preemption.as_deref() == Some("consolidate")
    }

    /// Those that may move for a job, in the order in which they do.
    pub(super) fn soonest_emptied_first(&mut self, job: u32) -> Vec<u32> {
        let mut line = self.may_stop_for(job);
        let movable = line.clone();
        line.sort_by_cached_key(|running| {
            let nodes = self.attempt(*running).holding.pods.iter().map(|pod| pod.node);
            let soonest = nodes.map(|node| self.standing_of_node(node, &movable)).min();
            let held: u64 = self.attempt(*running).holding.pods.iter().map(total).sum();
            (soonest.is_none(), soonest, held, Reverse(self.started(*running)), Reverse(*running))
        });
        line
    }

    /// Whether anything stays on a node, how much is held of it, and its index.
    fn standing_of_node(&self, node: u32, movable: &[u32]) -> (bool, u64, u32) {
        let held_by = |jobs: &[u32]| -> u64 {
            let pods = jobs.iter().flat_map(|running| &self.attempt(*running).holding.pods);
            pods.filter(|pod| pod.node == node).map(total).sum()
        };
        let held = held_by(&self.running);
        (held > held_by(movable), held, node)
    }

    /// Jobs that have stopped start again beside one that is about to start. Returns whether all do.
    pub(super) fn start_again(&mut self, job: u32, place: &Holding, stopped: &[u32], walk: &Walk) -> bool {
        let mut line = stopped.to_vec();
        line.sort_by_key(|moved| (Reverse(self.plan.workload.request_of(*moved).gpus().milli()), *moved));
        self.free.take(place, Owner::of(self.plan, job));
        for moved in line {
            let allowed = self.world.ceilings_allow(&self.free, moved);
            let place = allowed.then(|| self.world.place(&self.free_for(moved, walk), moved)).flatten();
            let Some(place) = place else { return false };
            self.start(moved, place);
        }
        self.free.give(place, Owner::of(self.plan, job));
        true
    }
}
