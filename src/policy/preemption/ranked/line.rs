//! Where running and pending jobs rank, kept from pass to pass.
//!
//! Keys of waiting jobs do not change, so that these stand in order by class: of a class that is refused no job behind is
//! looked at. Keys of running jobs may change every second; they are computed from how each goes on, and the order of
//! the last pass, which is nearly right, is put right.

use super::regions::ByRegion;
use crate::policy::order::Course;
use crate::state::State;
use crate::state::class::Class;
use std::collections::{BTreeMap, BTreeSet};

/// Where a job ranks among running and pending ones: by tier, the highest first, key, what breaks ties, and index. Lower goes
/// first. All of it is two numbers, as comparing them is most of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u128, u64);

impl Rank {
    pub(super) const fn new(tier: u32, key: u64, [first, second]: [u32; 2], job: u32) -> Self {
        let high = ((u32::MAX - tier) as u128) << 96 | (key as u128) << 32 | first as u128;
        Self(high, (second as u64) << 32 | job as u64)
    }
    #[expect(clippy::cast_possible_truncation, reason = "the lower half holds the job")]
    pub(super) const fn job(self) -> u32 {
        self.1 as u32
    }
    /// The same job with another key.
    pub(super) const fn with_key(self, key: u64) -> Self {
        const KEY: u128 = (u64::MAX as u128) << 32;
        Self(self.0 & !KEY | (key as u128) << 32, self.1)
    }
}

/// The waiting jobs of a class.
#[derive(Debug)]
struct Queue {
    first: Rank,
    jobs: BTreeSet<Rank>,
}

/// Waiting jobs by class, each class in order.
#[derive(Debug, Default)]
pub(super) struct Pending {
    by_class: BTreeMap<u32, Queue>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.by_class.is_empty()
    }
    pub(super) fn insert(&mut self, class: u32, rank: Rank) {
        let queue =
            self.by_class.entry(class).or_insert_with(|| Queue { first: rank, jobs: BTreeSet::new() });
        queue.jobs.insert(rank);
        queue.first = queue.first.min(rank);
    }
    pub(super) fn remove(&mut self, class: u32, rank: Rank) {
        let Some(queue) = self.by_class.get_mut(&class) else { return };
        queue.jobs.remove(&rank);
        match queue.jobs.first() {
            Some(first) => queue.first = *first,
            None => {
                self.by_class.remove(&class);
            }
        }
    }
    /// Every class of which a job waits, and the first of these.
    pub(super) fn fronts(&self) -> impl Iterator<Item = (u32, Rank)> {
        self.by_class.iter().map(|(class, queue)| (*class, queue.first))
    }
    /// The waiting jobs of a class, in order.
    pub(super) fn of_class(&self, class: u32) -> impl Iterator<Item = Rank> {
        self.by_class.get(&class).into_iter().flat_map(|queue| queue.jobs.iter().copied())
    }
    /// The next job of a class behind another.
    pub(super) fn next(&self, class: u32, after: Rank) -> Option<Rank> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.by_class.get(&class)?.jobs.range((Excluded(after), Unbounded)).next().copied()
    }
}

/// A running job that may be stopped.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) rank: Rank,
    /// How its key goes on.
    pub(super) course: Course,
    /// What it holds on nodes that take new pods.
    pub(super) held: ByRegion,
    /// Index of its class.
    pub(super) class: u32,
    /// Its group of linked partitions.
    pub(super) group: u32,
    /// The how manieth it is of all that ever ran.
    number: u32,
}

impl Runner {
    pub(super) const fn new(rank: Rank, course: Course, held: ByRegion, (class, group): (u32, u32)) -> Self {
        Self { rank, course, held, class, group, number: 0 }
    }
    pub(super) fn class<'a>(&self, state: &'a State) -> &'a Class {
        &state.classes().table[self.class as usize]
    }
}

/// So many jobs are put into their places one by one; where there are more, all are sorted.
const FEW: u32 = 16;

/// Running jobs that may be stopped.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// In order as of the last time they were lined up; those that came later at the end.
    line: Vec<Runner>,
    /// By job: the number under which it runs.
    number_of: Vec<Option<std::num::NonZero<u32>>>,
    /// The numbers of those that have ended and still stand in the line.
    ended: Vec<u32>,
    last_number: u32,
}

impl Running {
    pub(super) fn new(jobs: usize) -> Self {
        Self { number_of: vec![None; jobs], ..Self::default() }
    }
    /// The running job; O(running jobs) time.
    pub(super) fn get_mut(&mut self, job: u32) -> Option<&mut Runner> {
        let number = self.number_of[job as usize]?.get();
        self.line.iter_mut().rev().find(|runner| runner.number == number)
    }
    pub(super) fn contains(&self, job: u32) -> bool {
        self.number_of[job as usize].is_some()
    }
    pub(super) fn insert(&mut self, runner: Runner) {
        self.last_number += 1;
        self.number_of[runner.rank.job() as usize] = std::num::NonZero::new(self.last_number);
        self.line.push(Runner { number: self.last_number, ..runner });
    }
    /// Returns whether it ran.
    pub(super) fn remove(&mut self, job: u32) -> bool {
        let Some(number) = self.number_of[job as usize].take() else { return false };
        self.ended.push(number.get());
        // Where no job waits for long, none is lined up.
        if self.ended.len() > self.line.len() / 2 + 64 {
            self.forget_ended();
        }
        true
    }
    fn forget_ended(&mut self) {
        self.ended.sort_unstable();
        let ended = std::mem::take(&mut self.ended);
        if !ended.is_empty() {
            self.line.retain(|runner| ended.binary_search(&runner.number).is_err());
        }
    }
    /// All of them, in no order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Runner> {
        self.forget_ended();
        self.line.iter_mut()
    }
    /// Ranks them by the keys that their courses have come to.
    pub(super) fn line_up(&mut self, key: impl Fn(Course) -> u64) {
        self.forget_ended();
        for runner in &mut self.line {
            runner.rank = runner.rank.with_key(key(runner.course));
        }
        let mut moved = 0;
        for at in 1..self.line.len() {
            let rank = self.line[at].rank;
            if self.line[at - 1].rank < rank {
                continue;
            }
            moved += 1;
            if moved > FEW {
                self.line.sort_by_key(|runner| runner.rank);
                return;
            }
            let to = self.line[..at].partition_point(|runner| runner.rank < rank);
            self.line[to..=at].rotate_right(1);
        }
    }
    /// Those lined up, in order.
    pub(super) fn in_line(&self) -> &[Runner] {
        &self.line
    }
}
