//! Jobs that wait: in order, by stream, and by class and how long they are expected to run.

use crate::state::State;
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

/// Where a job stands in the order: tier, order key, eligible time and index in one number.
pub(in crate::policy) type Key = u128;

/// The job of a key.
#[expect(clippy::cast_possible_truncation, reason = "the lower half holds the index")]
pub(in crate::policy) const fn job_of(key: Key) -> u32 {
    key as u32
}

/// The key of a job with an order key.
pub(in crate::policy) fn key_of(order: u64, state: &State, job: u32) -> Key {
    u128::from(order) << 64 | u128::from(state.eligible_time(job).0) << 32 | u128::from(job)
}

/// Jobs in order; those that no longer wait are dropped when they come up.
///
/// What comes in order, as under `fifo` all do, is appended; only what comes before the last is sorted in.
#[derive(Debug, Default)]
struct InOrder {
    appended: VecDeque<Key>,
    sorted_in: BinaryHeap<Reverse<Key>>,
}

impl InOrder {
    fn push(&mut self, key: Key) {
        if self.appended.back().is_none_or(|last| *last < key) {
            self.appended.push_back(key);
        } else {
            self.sorted_in.push(Reverse(key));
        }
    }

    /// The first job that still waits.
    #[inline]
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

    /// Drops the first job, which still waits.
    fn drop_first(&mut self, key: Key) {
        if self.appended.front() == Some(&key) {
            self.appended.pop_front();
        } else {
            self.sorted_in.pop();
        }
    }

    /// A job that was dropped stands first again, before all that were not.
    fn put_back(&mut self, key: Key) {
        if self.appended.front().is_none_or(|first| key < *first) {
            self.appended.push_front(key);
        } else {
            self.sorted_in.push(Reverse(key));
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

/// The waiting jobs of linked partitions: in one line a stream, and, for backfill, by class; with no classes the lines
/// are all. A stream is what closes together: the jobs of one partition that count against one quota, or none.
///
/// Jobs that came since the last pass are kept apart until that is over: most start at once and are never sorted in.
/// A push, start or withdrawal takes O(log waiting) time.
#[derive(Debug, Default)]
pub(super) struct Pending {
    lines: Vec<InOrder>,
    arrivals: Vec<Candidate>,
    /// By class.
    waiting: Vec<Waiting>,
    /// Classes of which a job waits, arrivals aside.
    active: Vec<u32>,
}

/// The waiting jobs of one class: groups of equal expected work, each behind its first. A pass tries no other than the
/// first of a group, since a job like one that was refused would be refused.
#[derive(Debug, Default)]
struct Waiting {
    /// The first of each group, and the group.
    firsts: BTreeMap<Key, u64>,
    by_work: BTreeMap<u64, Group>,
}

/// Waiting jobs of equal class and expected work; most often one alone.
#[derive(Debug)]
struct Group {
    first: Key,
    others: BTreeSet<Key>,
}

impl Waiting {
    fn insert(&mut self, key: Key, work: u64) {
        match self.by_work.entry(work) {
            Entry::Vacant(group) => {
                group.insert(Group { first: key, others: BTreeSet::new() });
                self.firsts.insert(key, work);
            }
            Entry::Occupied(mut group) => {
                let Group { first, others } = group.get_mut();
                if key < *first {
                    self.firsts.remove(first);
                    self.firsts.insert(key, work);
                    others.insert(std::mem::replace(first, key));
                } else {
                    others.insert(key);
                }
            }
        }
    }

    /// Returns whether it was there.
    fn remove(&mut self, key: Key, work: u64) -> bool {
        let Entry::Occupied(mut entry) = self.by_work.entry(work) else { return false };
        let Group { first, others } = entry.get_mut();
        if *first != key {
            return others.remove(&key);
        }
        self.firsts.remove(&key);
        if let Some(next) = others.pop_first() {
            *first = next;
            self.firsts.insert(next, work);
        } else {
            entry.remove();
        }
        true
    }
}

impl Pending {
    /// No job waits; so many classes, or none where they are not needed.
    pub(super) fn new(streams: usize, classes: usize) -> Self {
        Self {
            lines: (0..streams).map(|_| InOrder::default()).collect(),
            waiting: (0..classes).map(|_| Waiting::default()).collect(),
            ..Self::default()
        }
    }

    /// A job begins to wait.
    pub(super) fn push(&mut self, stream: usize, candidate: Candidate) {
        self.lines[stream].push(candidate.key);
        if !self.waiting.is_empty() {
            self.arrivals.push(candidate);
        }
    }

    /// Where a job of a stream that has run stood before is forgotten: it may stand elsewhere once it waits again.
    pub(super) fn purge(&mut self, stream: usize, job: u32) {
        let line = &mut self.lines[stream];
        line.appended.retain(|key| job_of(*key) != job);
        line.sorted_in.retain(|Reverse(key)| job_of(*key) != job);
    }

    /// Every job that still waits, in about the order in which they stood; none stands any more.
    pub(super) fn drain(&mut self, state: &State) -> Vec<u32> {
        let jobs = self.jobs(state).collect();
        self.lines.iter_mut().for_each(|line| *line = InOrder::default());
        self.arrivals.clear();
        self.active.drain(..).for_each(|class| self.waiting[class as usize] = Waiting::default());
        jobs
    }

    /// A job stands in a stream behind all others, and is no arrival.
    pub(super) fn stand(&mut self, stream: usize, candidate: Candidate) {
        self.lines[stream].push(candidate.key);
        if !self.waiting.is_empty() {
            self.sort_in(candidate);
        }
    }

    /// The first job of a stream.
    #[inline]
    pub(super) fn first(&mut self, stream: usize, state: &State) -> Option<Key> {
        self.lines[stream].first(state)
    }

    /// The first job of a stream is passed over, until it is put back.
    pub(super) fn pass_over(&mut self, stream: usize, key: Key) {
        self.lines[stream].drop_first(key);
    }

    /// A job that was passed over stands in its stream again.
    pub(super) fn put_back(&mut self, stream: usize, key: Key) {
        self.lines[stream].put_back(key);
    }

    /// Every job that still waits, in no order.
    pub(super) fn jobs<'a>(&'a self, state: &'a State) -> impl Iterator<Item = u32> + 'a {
        let all =
            |line: &'a InOrder| line.appended.iter().chain(line.sorted_in.iter().map(|Reverse(key)| key));
        let keys = self.lines.iter().flat_map(all);
        keys.map(|key| job_of(*key)).filter(|job| state.waits(*job))
    }

    /// The jobs that came since the last pass, in order, in exchange for an empty list.
    pub(super) fn take_arrivals(&mut self, empty: &mut Vec<Candidate>) {
        std::mem::swap(&mut self.arrivals, empty);
        empty.sort_unstable();
    }

    /// Sorts in those of the arrivals that still wait, and empties the list.
    pub(super) fn settle(&mut self, arrivals: &mut Vec<Candidate>, state: &State) {
        for candidate in arrivals.drain(..).filter(|arrival| state.waits(job_of(arrival.key))) {
            self.sort_in(candidate);
        }
    }

    fn sort_in(&mut self, Candidate { key, class, work }: Candidate) {
        let waiting = &mut self.waiting[class as usize];
        if waiting.firsts.is_empty() {
            self.active.push(class);
        }
        waiting.insert(key, work);
    }

    /// A job no longer waits, whether it came since the last pass or before.
    pub(super) fn forget(&mut self, candidate: Candidate) {
        self.arrivals.retain(|arrival| arrival.key != candidate.key);
        self.remove(candidate);
    }

    /// A job that came before the last pass no longer waits.
    pub(super) fn remove(&mut self, candidate: Candidate) {
        let Candidate { key, class, work } = candidate;
        let Some(waiting) = self.waiting.get_mut(class as usize) else { return };
        if waiting.remove(key, work) && waiting.firsts.is_empty() {
            self.active.retain(|active| *active != class);
        }
    }

    /// The classes of which a job waits, arrivals aside.
    pub(super) fn active(&self) -> &[u32] {
        &self.active
    }

    /// Whether no job of its class and expected work waits before this one.
    pub(super) fn is_first(&self, candidate: Candidate) -> bool {
        let group = self.waiting[candidate.class as usize].by_work.get(&candidate.work);
        group.is_none_or(|group| candidate.key <= group.first)
    }

    /// The first of a group of a class after `after`, or the first of all.
    pub(super) fn next(&self, class: u32, after: Option<Key>) -> Option<Candidate> {
        let firsts = &self.waiting[class as usize].firsts;
        let first = firsts.first_key_value().filter(|(key, _)| Some(**key) > after);
        let next = first.or_else(|| firsts.range((after.map_or(Unbounded, Excluded), Unbounded)).next());
        next.map(|(&key, &work)| Candidate { key, class, work })
    }

    /// The first of a group of a class after `after` with expected work up to `limit`.
    ///
    /// Goes through the class in order and through its shortest jobs at once, so that it takes no more than twice the
    /// steps of the shorter way: O(√groups) where lengths do not depend on the order.
    pub(super) fn next_within(&self, class: u32, after: Option<Key>, limit: u64) -> Option<Candidate> {
        let waiting = &self.waiting[class as usize];
        let mut in_order = waiting.firsts.range((after.map_or(Unbounded, Excluded), Unbounded));
        let mut shortest = waiting.by_work.iter();
        let mut best: Option<Candidate> = None;
        loop {
            let (&key, &work) = in_order.next()?;
            if work <= limit {
                return Some(Candidate { key, class, work });
            }
            match shortest.next() {
                Some((&work, group)) if work <= limit => {
                    let key = group.first;
                    if Some(key) > after && best.is_none_or(|best| key < best.key) {
                        best = Some(Candidate { key, class, work });
                    }
                }
                _ => return best,
            }
        }
    }
}
