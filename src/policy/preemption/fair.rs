//! Which jobs of which queues stop for a blocked one, by the shares of their queues.

use super::yielding::{Bench, Blocked, Turn};
use crate::history::ReclaimRule;
use crate::state::quota::{Share, Tree, Usage};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

/// A search for jobs to stop.
pub(super) struct Fair<'b, 'a, 't, 'c> {
    bench: &'b mut Bench<'a, 't>,
    blocked: &'b Blocked<'c>,
    tree: Arc<Tree>,
    /// What is held, the blocked job's request included, and what has stopped not.
    usage: Usage,
    /// The queue of the blocked job.
    queue: u32,
    /// The platform on which it is tried, where that is told apart.
    platform: Option<u32>,
    /// By queue: its jobs that may stop, in the order in which they do.
    lines: BTreeMap<u32, BinaryHeap<Reverse<Turn>>>,
    /// Queues, and those that hold them together, of which nothing more can be taken.
    spent: BTreeSet<u32>,
    stopped: Vec<u32>,
}

impl<'b, 'a, 't, 'c> Fair<'b, 'a, 't, 'c> {
    /// For a job that stands in a queue and counts against a row of it; nothing has stopped.
    pub(super) fn new(bench: &'b mut Bench<'a, 't>, blocked: &'b Blocked<'c>, row: u32) -> Option<Self> {
        let state = bench.state();
        let class = state.class(blocked.job);
        let queue = class.queue?;
        let tree = Arc::clone(&state.classes().quotas);
        let mut usage = state.resources().usage().clone();
        usage.add(&tree, row, u64::from(class.gpus_milli));
        let (_, platform) = tree.owner(tree.pool(row));
        let (lines, spent, stopped) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Some(Self { bench, blocked, tree, usage, queue, platform, lines, spent, stopped })
    }

    /// The jobs that stop, in the order in which they do; none: the blocked job does not start even so.
    pub(super) fn stops(mut self, candidates: &[u32], rules: &[ReclaimRule]) -> Option<Vec<u32>> {
        let (first, second) = (*rules.first()?, rules.get(1));
        let mut passed = Vec::new();
        self.line_up(candidates);
        while let Some(target) = self.next_queue() {
            if self.takes_from(target, first, &mut passed) {
                return Some(self.stopped);
            }
        }
        self.line_up(if second.is_some() { &passed } else { &[] });
        while let Some(target) = self.next_queue() {
            // Once from each.
            self.spent.insert(target);
            if self.takes_from(target, *second?, &mut Vec::new()) {
                return Some(self.stopped);
            }
        }
        None
    }

    /// The jobs that may stop, queue by queue.
    fn line_up(&mut self, candidates: &[u32]) {
        // Few of them stop, so that they are not sorted.
        let mut by_queue: BTreeMap<u32, Vec<Reverse<Turn>>> = BTreeMap::new();
        for job in candidates {
            let state = self.bench.state();
            let queue = state.class(*job).queue.expect("candidates stand in queues");
            by_queue.entry(queue).or_default().push(Reverse(self.blocked.turn(state, *job)));
        }
        self.lines = by_queue.into_iter().map(|(queue, line)| (queue, line.into())).collect();
        self.spent.clear();
    }

    /// The turn of the first job of a queue that may stop.
    fn first(&self, queue: u32) -> Option<Turn> {
        self.lines.get(&queue).and_then(BinaryHeap::peek).map(|Reverse(turn)| *turn)
    }

    /// Stops the first job of a queue that a rule allows to stop; those before it are passed. Returns whether the blocked
    /// job starts then.
    fn takes_from(&mut self, queue: u32, rule: ReclaimRule, passed: &mut Vec<u32>) -> bool {
        let (mine, theirs) = self.below_the_meeting(queue);
        let (new, old) = (self.share(mine), self.share(theirs));
        // A stop makes the other's share no greater.
        let may_be = match rule {
            ReclaimRule::Final => new <= old,
            ReclaimRule::Initial => new < old,
        };
        if queue != self.queue && !may_be {
            let line = self.lines.remove(&queue).into_iter().flatten();
            passed.extend(line.map(|Reverse((.., job))| job));
            return false;
        }
        while let Some(Reverse((.., job))) = self.lines.get_mut(&queue).and_then(BinaryHeap::pop) {
            let (state, milli) = (self.bench.state(), self.bench.state().held_milli(job));
            let row = state.held_as(job).row.expect("candidates stand in queues");
            self.usage.subtract(&self.tree, row, milli);
            let allowed = queue == self.queue
                || match rule {
                    ReclaimRule::Final => new <= self.share(theirs),
                    ReclaimRule::Initial => new < old,
                };
            if allowed {
                self.bench.stop(job);
                self.stopped.push(job);
                return self.bench.place().is_some();
            }
            self.usage.add(&self.tree, row, milli);
            passed.push(job);
        }
        false
    }

    /// The queue that yields next: from the root down the one with the greatest share, of those of which anything can be
    /// taken.
    fn next_queue(&mut self) -> Option<u32> {
        let root = self.tree.root(self.queue);
        if root == self.queue {
            // It stands alone.
            return self.first(root).map(|_| root);
        }
        let mut at = root;
        loop {
            match self.greatest_below(at) {
                Some(next) if self.tree.below(next).next().is_none() => return Some(next),
                Some(next) => at = next,
                None if at == root => return None,
                None => {
                    self.spent.insert(at);
                    at = root;
                }
            }
        }
    }

    /// The row below one from which the next job is taken. What borrows nothing is left alone, but for the blocked job's own
    /// queue and those above it.
    fn greatest_below(&self, above: u32) -> Option<u32> {
        let may = |row: &u32| {
            let own = self.tree.is_within(self.queue, *row);
            let is_leaf = self.tree.below(*row).next().is_none();
            let has_jobs = !is_leaf || self.first(*row).is_some();
            !self.spent.contains(row) && has_jobs && (own || self.is_over(*row) && self.share(*row).borrows())
        };
        // Of equal shares those that hold queues together first, then the queue whose first job stops before the others'.
        let order = |row: &u32| self.first(*row);
        let rows = self.tree.below(above).filter(may);
        rows.max_by(|one, other| {
            let shares = self.share(*one).cmp(&self.share(*other));
            shares.then_with(|| order(other).cmp(&order(one)))
        })
    }

    /// Of the blocked job's queue and another, or what is above them, the rows just below where the two meet.
    fn below_the_meeting(&self, queue: u32) -> (u32, u32) {
        let below = |from: u32, other: u32| {
            self.tree.path(from).take_while(|row| !self.tree.is_within(other, *row)).last().unwrap_or(from)
        };
        (below(self.queue, queue), below(queue, self.queue))
    }

    /// Whether a queue borrows on the platform that it is about.
    fn is_over(&self, queue: u32) -> bool {
        let row = self.platform.map_or(queue, |platform| self.tree.on(queue, platform));
        self.tree.over(&self.usage, row) > 0
    }

    fn share(&self, row: u32) -> Share {
        let queue = &self.bench.state().plan().workload.queues[row as usize];
        Share::of(&[&[(&self.tree, &self.usage)]], row, queue.weight())
    }
}
