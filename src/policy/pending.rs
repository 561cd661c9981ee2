//! Jobs that wait, by class and by how long they are expected to run.

use super::{Status, View};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where a job stands in its queue: order key, then eligible time and index in one number.
pub(super) type Key = (u64, u64);

/// The job of a key.
#[expect(clippy::cast_possible_truncation, reason = "the lower half holds the index")]
pub(super) const fn job_of(key: Key) -> u32 {
    key.1 as u32
}

/// The key of a job with an order key.
pub(super) fn key_of(order: u64, view: &View, job: u32) -> Key {
    (order, u64::from(view.eligible_time(job).0) << 32 | u64::from(job))
}

/// Jobs in order; who has left is dropped when it comes up.
#[derive(Debug, Default)]
struct Line(BinaryHeap<Reverse<Key>>);

impl Line {
    /// The first job that still waits.
    fn first(&mut self, view: &View) -> Option<Key> {
        while let Some(Reverse(key)) = self.0.peek() {
            if view.status(job_of(*key)) == Status::Pending {
                return Some(*key);
            }
            self.0.pop();
        }
        None
    }
}

/// A waiting job as a backfill sees it: its key, its class and its expected work (Q16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) key: Key,
    pub(super) class: u32,
    pub(super) work: u64,
}

/// The waiting jobs of one queue: all in one line, and, for backfill, by class and expected work.
///
/// Jobs new since the last pass are kept apart until that is over: most start at once and are never sorted in.
/// A push or start takes O(log waiting) time, and O(different estimates of the class) where one is new or the last.
#[derive(Debug, Default)]
pub(super) struct Pending {
    line: Line,
    fresh: Vec<Candidate>,
    /// By class: ascending by expected work.
    groups: Vec<Vec<(u64, Line)>>,
    /// Classes with a group.
    active: Vec<u32>,
}

impl Pending {
    /// An empty queue.
    pub(super) fn new(classes: usize) -> Self {
        Self { groups: (0..classes).map(|_| Vec::new()).collect(), ..Self::default() }
    }

    /// A job begins to wait.
    pub(super) fn push(&mut self, candidate: Candidate) {
        self.line.0.push(Reverse(candidate.key));
        self.fresh.push(candidate);
    }

    /// The first job.
    pub(super) fn first(&mut self, view: &View) -> Option<Key> {
        self.line.first(view)
    }

    /// The jobs that came since the last pass, in order.
    pub(super) fn take_fresh(&mut self) -> Vec<Candidate> {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable();
        fresh
    }

    /// Sorts in those of `fresh` that still wait; gives the empty list back for reuse.
    pub(super) fn settle(&mut self, mut fresh: Vec<Candidate>, view: &View) {
        for Candidate { key, class, work } in fresh.drain(..) {
            if view.status(job_of(key)) != Status::Pending {
                continue;
            }
            let groups = &mut self.groups[class as usize];
            if groups.is_empty() {
                self.active.push(class);
            }
            let place = groups.binary_search_by_key(&work, |group| group.0);
            let index = place.unwrap_or_else(|index| {
                groups.insert(index, (work, Line::default()));
                index
            });
            groups[index].1.0.push(Reverse(key));
        }
        if self.fresh.is_empty() {
            self.fresh = fresh;
        }
    }

    /// A job that led its group has started.
    pub(super) fn started(&mut self, candidate: Candidate, view: &View) {
        let class = candidate.class as usize;
        let groups = &mut self.groups[class];
        let Ok(index) = groups.binary_search_by_key(&candidate.work, |group| group.0) else { return };
        if groups[index].1.first(view).is_none() {
            groups.remove(index);
            self.forget_if_empty(class);
        }
    }

    /// The classes of which somebody waits, new ones aside.
    pub(super) fn active(&self) -> &[u32] {
        &self.active
    }

    /// Whether nobody of its class and expected work waits before this new job.
    pub(super) fn leads(&mut self, candidate: Candidate, view: &View) -> bool {
        let groups = &mut self.groups[candidate.class as usize];
        let Ok(index) = groups.binary_search_by_key(&candidate.work, |group| group.0) else { return true };
        groups[index].1.first(view).is_none_or(|first| candidate.key < first)
    }

    /// Of the leaders of a class's groups after `after`: the first with expected work up to `limit`, and the first
    /// with more.
    pub(super) fn leaders(
        &mut self,
        class: u32,
        after: Option<Key>,
        limit: u64,
        view: &View,
    ) -> (Option<Candidate>, Option<Candidate>) {
        let (mut within, mut beyond) = (None, None);
        let mut emptied = false;
        for (work, line) in &mut self.groups[class as usize] {
            let Some(key) = line.first(view) else {
                emptied = true;
                continue;
            };
            if after.is_some_and(|after| key <= after) {
                continue;
            }
            let best = if *work <= limit { &mut within } else { &mut beyond };
            if best.is_none_or(|best: Candidate| key < best.key) {
                *best = Some(Candidate { key, class, work: *work });
            }
        }
        if emptied {
            self.groups[class as usize].retain(|(_, line)| !line.0.is_empty());
            self.forget_if_empty(class as usize);
        }
        (within, beyond)
    }

    fn forget_if_empty(&mut self, class: usize) {
        if self.groups[class].is_empty() {
            self.active.retain(|active| *active as usize != class);
        }
    }
}
