//! Preemption `classical`: which jobs stop for one that is blocked, by priority and by what queues nominally have.
//!
//! **Who may stop**: of the job's own queue those lower (`lower`), or also those as high that became eligible later
//! and stand behind it in the order as the walk begins, those that run as if they waited (`lower-or-newer`); of other queues of its tree the lower (`lower`) or all (`any`), if their queue, and every queue above it
//! below where it meets the job's, holds more than it has, what it was lent included; as in `yielding.rs`.
//!
//! **Advantage.** From the job's queue up: what it asks for, less what each queue below has left of what it keeps to itself, fits
//! in what that queue has beside what it holds. From the first queue of which that is so on, the job has an advantage over jobs that it meets above.
//!
//! **In which order**: those over which it has an advantage, others of other queues, those of its own; in each the lowest, then the
//! latest start, then the lowest index. One after another stops until the job has a place: of other queues only while these still hold too
//! much; and in a try in which the job's queue may borrow, without an advantage, only those lower whose priority is within the bound.
//! In one in which it may not it has no place where it would hold more than it has. **Tries**: see the engine's own words: only
//! borrowing if there is none of other queues, or none may yield to borrowing and the queue holds its nominal amount; first not, if none
//! may yield to borrowing and there is no advantage; else first borrowing.
//!
//! Where queues have what they have by platform, the job is tried on one after another: those that stop run there, and what queues hold
//! and have is what they do there.
//!
//! At last those run on that need not stop, as in `yielding.rs`.

use super::quota::{Tree, divided, queue_of, root};
use super::time::Simulation;
use super::walk::Walk;
use gigawatt::history::{BorrowFrom, ReclaimFrom, WithinQueue};
use std::cmp::Reverse;

impl Simulation<'_> {
    pub(super) fn may_stop_classically(&self, running: u32, job: u32) -> bool {
        let (Some(own), Some(other)) = (self.queue_counted(job), self.queue_counted(running)) else {
            return false;
        };
        let queues = &self.plan.workload.queues;
        if root(queues, own) != root(queues, other)
            || divided(queues, own) && !self.world.options(job).contains(&Some(self.platform_of(running)))
        {
            return false;
        }
        let rules = self.plan.settings.classical;
        let (mine, theirs) = (self.world.height(job), self.world.height(running));
        if own == other {
            let newer = theirs == mine
                && self.eligible(job) < self.eligible(running)
                && self.keys[&job] <= self.keys[&running];
            return match rules.within_queue {
                WithinQueue::Never => false,
                WithinQueue::Lower => theirs < mine,
                WithinQueue::LowerOrNewer => theirs < mine || newer,
            };
        }
        match rules.reclaim_from {
            ReclaimFrom::Never => false,
            ReclaimFrom::Lower => theirs < mine,
            ReclaimFrom::Any => true,
        }
    }

    fn queue_counted(&self, job: u32) -> Option<u32> {
        queue_of(self.plan, job).filter(|_| self.plan.workload.request_of(job).gpus().milli() > 0)
    }

    /// What queues have of a platform, or of all.
    fn tree_on(&self, on: Option<u32>) -> Tree<'_> {
        Tree { platform: on, ..self.tree(&self.free.queues) }
    }

    fn too_much(&self, on: Option<u32>, queue: u32) -> bool {
        let tree = self.tree_on(on);
        tree.drawn(queue) > tree.subtree(queue)
    }

    /// The queues from one up to where it meets another, which is left out.
    fn below_where_they_meet(&self, queue: u32, other: u32) -> Vec<u32> {
        let up = |queue: &u32| self.plan.workload.queues[*queue as usize].parent;
        std::iter::successors(Some(queue), up).take_while(|above| !self.within(other, *above)).collect()
    }

    fn has_too_much_for(&self, running: u32, job: u32, on: Option<u32>) -> bool {
        let (own, theirs) = (self.queue_counted(job), self.queue_counted(running));
        let (Some(own), Some(theirs)) = (own, theirs) else { return false };
        self.below_where_they_meet(theirs, own).into_iter().all(|queue| self.too_much(on, queue))
    }

    /// Whether a job has an advantage over one of another queue.
    fn has_advantage(&self, job: u32, running: u32, on: Option<u32>) -> bool {
        let (own, theirs) = (self.queue_counted(job), self.queue_counted(running));
        let (Some(own), Some(theirs)) = (own, theirs) else { return false };
        let tree = self.tree_on(on);
        let mut left = i128::from(self.plan.workload.request_of(job).gpus().milli());
        for queue in self.below_where_they_meet(own, theirs) {
            if tree.drawn(queue) + left <= tree.subtree(queue) {
                return true;
            }
            left = (left - (tree.local(queue) - tree.drawn(queue)).max(0)).max(0);
        }
        false
    }

    fn yields_to_borrowing(&self, job: u32, running: u32, on: Option<u32>) -> bool {
        let is_lower = self.world.height(running) < self.world.height(job);
        self.has_advantage(job, running, on)
            || is_lower
                && match self.plan.settings.classical.borrow_from {
                    BorrowFrom::Never => false,
                    BorrowFrom::Lower => true,
                    BorrowFrom::UpTo(most) => self.job(running).priority <= most,
                }
    }

    /// The jobs that stop.
    pub(super) fn stopped_classically(
        &mut self,
        job: u32,
        candidates: &[u32],
        walk: &Walk,
    ) -> Option<Vec<u32>> {
        self.tried_on(job).into_iter().find_map(|on| self.stopped_on(job, on, candidates, walk))
    }

    fn stopped_on(&mut self, job: u32, on: Option<u32>, candidates: &[u32], walk: &Walk) -> Option<Vec<u32>> {
        let own = self.queue_counted(job)?;
        let mut line = self.running_on(candidates, on);
        let is_own = |world: &Self, running: u32| world.queue_counted(running) == Some(own);
        line.retain(|running| is_own(self, *running) || self.has_too_much_for(*running, job, on));
        let place = |running: u32| match (is_own(self, running), self.has_advantage(job, running, on)) {
            (true, _) => 2,
            (false, true) => 0,
            (false, false) => 1,
        };
        line.sort_by_cached_key(|running| {
            (place(*running), self.world.height(*running), Reverse(self.started(*running)), *running)
        });
        let advantage = line.iter().any(|running| place(*running) == 0);
        let others = line.iter().any(|running| place(*running) < 2);
        let forbids = self.plan.settings.classical.borrow_from == BorrowFrom::Never;
        let tree = self.tree_on(on);
        let full = tree.held(own) >= tree.nominal(own);
        let tries: &[bool] = if !others || forbids && full {
            &[true]
        } else if forbids && !advantage {
            &[false, true]
        } else {
            &[true, false]
        };
        let yields: Vec<bool> =
            line.iter().map(|running| self.yields_to_borrowing(job, *running, on)).collect();
        for borrows in tries.iter().copied() {
            let mut stopped: Vec<u32> = Vec::new();
            for (running, yields) in line.iter().zip(&yields) {
                let far = !is_own(self, *running);
                if far
                    && (borrows && !yields
                        || !self.without(&stopped, |world| world.has_too_much_for(*running, job, on)))
                {
                    continue;
                }
                stopped.push(*running);
                if self.starts_without((job, on), &stopped, borrows, walk) {
                    for at in (0..stopped.len()).rev() {
                        let mut others = stopped.clone();
                        others.remove(at);
                        if self.starts_without((job, on), &others, borrows, walk) {
                            stopped = others;
                        }
                    }
                    return Some(stopped);
                }
            }
        }
        None
    }

    /// What is so once some jobs hold nothing.
    fn without<T>(&mut self, stopped: &[u32], ask: impl FnOnce(&Self) -> T) -> T {
        let before = self.free.clone();
        for running in stopped {
            let holding = self.attempt(*running).holding.clone();
            self.free.give(&holding, super::free::Owner::of(self.plan, *running));
        }
        let answer = ask(self);
        self.free = before;
        answer
    }

    fn starts_without(
        &mut self,
        (job, on): (u32, Option<u32>),
        stopped: &[u32],
        borrows: bool,
        walk: &Walk,
    ) -> bool {
        let own = self.queue_counted(job).expect("it stands in a queue");
        let milli = i128::from(self.plan.workload.request_of(job).gpus().milli());
        let fits = |world: &Self| {
            let tree = world.tree_on(on);
            tree.drawn(own) + milli <= tree.subtree(own)
        };
        (borrows || self.without(stopped, fits)) && self.place_without(job, stopped, walk).is_some()
    }
}
