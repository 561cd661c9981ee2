//! Jobs that wait, by class and by how long they are expected to run.

use crate::state::State;
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

/// Where a job stands in its queue: order key, eligible time and index in one number.
pub(super) type Key = u128;

/// The job of a key.
#[expect(clippy::cast_possible_truncation, reason = "the lower half holds the index")]
pub(super) const fn job_of(key: Key) -> u32 {
    key as u32
}

/// The key of a job with an order key.
pub(super) fn key_of(order: u64, state: &State, job: u32) -> Key {
    u128::from(order) << 64 | u128::from(state.eligible_time(job).0) << 32 | u128::from(job)
}

/// Jobs in order; who has left is dropped when it comes up.
///
/// Who comes in order, as under `fifo` all do, is appended; only who comes before the last is sorted in.
#[derive(Debug, Default)]
struct Line {
    appended: VecDeque<Key>,
    sorted_in: BinaryHeap<Reverse<Key>>,
}

impl Line {
    fn push(&mut self, key: Key) {
        if self.appended.back().is_none_or(|last| *last < key) {
            self.appended.push_back(key);
        } else {
            self.sorted_in.push(Reverse(key));
        }
    }

    /// The first job that still waits.
    fn first(&mut self, state: &State) -> Option<Key> {
        let left = |key: &Key| !state.waits(job_of(*key));
        while self.appended.front().is_some_and(left) {
            self.appended.pop_front();
        }
        while self.sorted_in.peek().is_some_and(|Reverse(key)| left(key)) {
            self.sorted_in.pop();
        }
        match (self.appended.front(), self.sorted_in.peek()) {
            (Some(appended), Some(Reverse(sorted_in))) => Some(*appended.min(sorted_in)),
            (Some(first), None) | (None, Some(Reverse(first))) => Some(*first),
            (None, None) => None,
        }
    }
}

/// A waiting job as a backfill sees it: its key, its class and its expected work (Q16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) key: Key,
    pub(super) class: u32,
    pub(super) work: u64,
}

/// The waiting jobs of one queue: all in one line, and, for backfill, by class; with no classes the line is all.
///
/// Jobs new since the last pass are kept apart until that is over: most start at once and are never sorted in.
/// A push, start or withdrawal takes O(log waiting) time.
#[derive(Debug, Default)]
pub(super) struct Pending {
    line: Line,
    fresh: Vec<Candidate>,
    /// By class.
    waiting: Vec<Waiting>,
    /// Classes of which somebody waits, new ones aside.
    active: Vec<u32>,
}

/// The waiting jobs of one class: groups of equal expected work, each behind its leader. A pass tries no other than a
/// leader, since who is like one that was refused would be refused.
#[derive(Debug, Default)]
struct Waiting {
    /// The first of each group, and the group.
    leaders: BTreeMap<Key, u64>,
    by_work: BTreeMap<u64, Group>,
}

/// Waiting jobs of equal class and expected work; most often one alone.
#[derive(Debug)]
struct Group {
    leader: Key,
    others: BTreeSet<Key>,
}

impl Waiting {
    fn insert(&mut self, key: Key, work: u64) {
        match self.by_work.entry(work) {
            Entry::Vacant(group) => {
                group.insert(Group { leader: key, others: BTreeSet::new() });
                self.leaders.insert(key, work);
            }
            Entry::Occupied(mut group) => {
                let Group { leader, others } = group.get_mut();
                if key < *leader {
                    self.leaders.remove(leader);
                    self.leaders.insert(key, work);
                    others.insert(std::mem::replace(leader, key));
                } else {
                    others.insert(key);
                }
            }
        }
    }

    /// Returns whether it was there.
    fn remove(&mut self, key: Key, work: u64) -> bool {
        let Entry::Occupied(mut entry) = self.by_work.entry(work) else { return false };
        let Group { leader, others } = entry.get_mut();
        if *leader != key {
            return others.remove(&key);
        }
        self.leaders.remove(&key);
        if let Some(next) = others.pop_first() {
            *leader = next;
            self.leaders.insert(next, work);
        } else {
            entry.remove();
        }
        true
    }
}

impl Pending {
    /// An empty queue.
    pub(super) fn new(classes: usize) -> Self {
        Self { waiting: (0..classes).map(|_| Waiting::default()).collect(), ..Self::default() }
    }

    /// A job begins to wait.
    pub(super) fn push(&mut self, candidate: Candidate) {
        self.line.push(candidate.key);
        if !self.waiting.is_empty() {
            self.fresh.push(candidate);
        }
    }

    /// The first job.
    pub(super) fn first(&mut self, state: &State) -> Option<Key> {
        self.line.first(state)
    }

    /// Every job that still waits, in no order.
    pub(super) fn jobs<'a>(&'a self, state: &'a State) -> impl Iterator<Item = u32> + 'a {
        let keys = self.line.appended.iter().chain(self.line.sorted_in.iter().map(|Reverse(key)| key));
        keys.map(|key| job_of(*key)).filter(|job| state.waits(*job))
    }

    /// The jobs that came since the last pass, in order.
    pub(super) fn take_fresh(&mut self) -> Vec<Candidate> {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable();
        fresh
    }

    /// Sorts in those of `fresh` that still wait, and keeps the empty list for reuse.
    pub(super) fn settle(&mut self, mut fresh: Vec<Candidate>, state: &State) {
        for Candidate { key, class, work } in fresh.drain(..) {
            if state.waits(job_of(key)) {
                let waiting = &mut self.waiting[class as usize];
                if waiting.leaders.is_empty() {
                    self.active.push(class);
                }
                waiting.insert(key, work);
            }
        }
        if self.fresh.is_empty() {
            self.fresh = fresh;
        }
    }

    /// A job no longer waits, though no pass of this queue started it.
    pub(super) fn forget(&mut self, candidate: Candidate) {
        self.fresh.retain(|fresh| fresh.key != candidate.key);
        self.remove(candidate);
    }

    /// A job no longer waits.
    pub(super) fn remove(&mut self, candidate: Candidate) {
        let Candidate { key, class, work } = candidate;
        let Some(waiting) = self.waiting.get_mut(class as usize) else { return };
        if waiting.remove(key, work) && waiting.leaders.is_empty() {
            self.active.retain(|active| *active != class);
        }
    }

    /// The classes of which somebody waits, new ones aside.
    pub(super) fn active(&self) -> &[u32] {
        &self.active
    }

    /// Whether nobody of its class and expected work waits before this job.
    pub(super) fn leads(&self, candidate: Candidate) -> bool {
        let group = self.waiting[candidate.class as usize].by_work.get(&candidate.work);
        group.is_none_or(|group| candidate.key <= group.leader)
    }

    /// The first leader of a class after `after`.
    pub(super) fn next(&self, class: u32, after: Key) -> Option<Candidate> {
        let leaders = &self.waiting[class as usize].leaders;
        let first = leaders.first_key_value().filter(|(key, _)| **key > after);
        let next = first.or_else(|| leaders.range((Excluded(after), Unbounded)).next());
        next.map(|(&key, &work)| Candidate { key, class, work })
    }

    /// The first leader of a class after `after` with expected work up to `limit`.
    ///
    /// Goes through the class in order and through its shortest jobs at once, so that it takes no more than twice the
    /// steps of the shorter way: O(√groups) where lengths do not depend on the order.
    pub(super) fn next_within(&self, class: u32, after: Key, limit: u64) -> Option<Candidate> {
        let waiting = &self.waiting[class as usize];
        let mut in_order = waiting.leaders.range((Excluded(after), Unbounded));
        let mut shortest = waiting.by_work.iter();
        let mut best: Option<Candidate> = None;
        loop {
            let (&key, &work) = in_order.next()?;
            if work <= limit {
                return Some(Candidate { key, class, work });
            }
            match shortest.next() {
                Some((&work, group)) if work <= limit => {
                    let key = group.leader;
                    if key > after && best.is_none_or(|best| key < best.key) {
                        best = Some(Candidate { key, class, work });
                    }
                }
                _ => return best,
            }
        }
    }
}
