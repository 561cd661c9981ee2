//! What is left in one step of a profile, and the least over several.

use super::gpus::Gpus;
use crate::state::quota::Quotas;

/// What is left from one instant until the next step's.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// A bit a GPU: none of it is held.
    pub(super) free: Vec<u64>,
    /// How many those are.
    pub(super) free_gpus: u32,
    /// A bit a GPU: some of it is left; empty where no job asks for shares.
    pub(super) some: Vec<u64>,
    /// The counters of a ledger (thousandths of GPUs held by shares, CPU, memory) that are not full, ascending.
    pub(super) left: Vec<(u32, i64)>,
    pub(super) quotas: Quotas,
}

/// The least that is left over some steps.
#[derive(Debug, Default)]
pub(super) struct Least {
    pub(super) free: Vec<u64>,
    pub(super) some: Vec<u64>,
    /// Every counter of a ledger.
    pub(super) left: Vec<i64>,
    /// Those that are not full.
    pub(super) lessened: Vec<u32>,
}

impl Step {
    /// The same as cloning it, in the memory that is there.
    pub(super) fn become_like(&mut self, other: &Self) {
        self.free.clone_from(&other.free);
        self.free_gpus = other.free_gpus;
        self.some.clone_from(&other.some);
        self.left.clone_from(&other.left);
        self.quotas.clone_from(&other.quotas);
    }
    /// Adds to a counter; returns what it then is.
    pub(super) fn count(&mut self, counter: usize, full: &[i64], amount: i64) -> i64 {
        let key = u32::try_from(counter).expect("counters are counted in 32 bits");
        let place = self.left.partition_point(|(other, _)| *other < key);
        let known = self.left.get(place).filter(|(other, _)| *other == key);
        let left = known.map_or(full[counter], |(_, left)| *left) + amount;
        match (known.is_some(), left == full[counter]) {
            (true, true) => {
                self.left.remove(place);
            }
            (true, false) => self.left[place].1 = left,
            (false, true) => {}
            (false, false) => self.left.insert(place, (key, left)),
        }
        left
    }
    /// The bits of `mask` in a word become those of `free`, and of `some`.
    pub(super) fn replace(&mut self, word: u32, mask: u64, free: u64, some: u64) {
        let old = &mut self.free[word as usize];
        self.free_gpus -= (*old & mask).count_ones();
        self.free_gpus += free.count_ones();
        *old = *old & !mask | free;
        if let Some(old) = self.some.get_mut(word as usize) {
            *old = *old & !mask | some;
        }
    }
}

impl Least {
    pub(super) fn begin(&mut self, step: &Step, full: &[i64]) -> bool {
        self.free.clone_from(&step.free);
        self.some.clone_from(&step.some);
        for counter in self.lessened.drain(..).map(|counter| counter as usize) {
            self.left[counter] = full[counter];
        }
        for (counter, left) in &step.left {
            self.left[*counter as usize] = *left;
            self.lessened.push(*counter);
        }
        true
    }
    /// Returns whether anything became less.
    pub(super) fn lessen(&mut self, step: &Step, full: &[i64]) -> bool {
        let mut lost = 0;
        for (least, free) in self.free.iter_mut().zip(&step.free) {
            lost |= *least & !free;
            *least &= free;
        }
        for (least, some) in self.some.iter_mut().zip(&step.some) {
            lost |= *least & !some;
            *least &= some;
        }
        let mut lessens = lost != 0;
        for &(counter, left) in &step.left {
            let least = &mut self.left[counter as usize];
            if left < *least {
                lessens = true;
                if *least == full[counter as usize] {
                    self.lessened.push(counter);
                }
                *least = left;
            }
        }
        lessens
    }
    /// The counters that are not full, and what is left of each; without the GPUs that have nothing left.
    pub(super) fn partly_left<'a>(&'a self, gpus: &'a Gpus) -> impl Iterator<Item = (usize, i64)> + 'a {
        let counters = self.lessened.iter().map(|counter| *counter as usize);
        let some = |counter: &usize| gpus.place_of(*counter).is_none_or(|(w, bit)| self.some[w] & bit != 0);
        counters.filter(some).map(|counter| (counter, self.left[counter]))
    }
}
