//! Which jobs are out of a walk: they found no place, and none like them behind them would.

use super::line::Rank;
use crate::state::State;
use crate::units::Factor;
use std::collections::BTreeMap;

/// What tells waiting jobs apart: their class and, where nodes or watts are known to go, how long they are expected to run.
type Kind = (u32, u64, u32);

/// The first job of each kind that found no place in a pass: from it on the kind is out.
#[derive(Debug)]
pub(super) struct Out {
    /// Whether how long a job is expected to run decides whether it may start.
    lengths: bool,
    first: BTreeMap<Kind, Rank>,
}

impl Out {
    /// None is out yet.
    pub(super) fn new(state: &State) -> Self {
        Self { lengths: state.lengths_decide(), first: BTreeMap::new() }
    }
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
    /// Whether jobs of one class may differ.
    pub(super) const fn tells_lengths(&self) -> bool {
        self.lengths
    }
    fn kind(&self, state: &State, job: u32) -> Kind {
        let class = state.class(job);
        let (work, restart) = match class.rate {
            _ if !self.lengths => (0, 0),
            Some(rate) => (state.expected_work(job, rate), 0),
            None => (state.expected_work(job, Factor(0)), state.restart(job)),
        };
        (class.index, work, restart)
    }
    /// Jobs that found no place are out, and those like them behind them.
    pub(super) fn add(&mut self, state: &State, failed: Rank) {
        let first = self.first.entry(self.kind(state, failed.job())).or_insert(failed);
        *first = failed.min(*first);
    }
    /// Whether a waiting job has found no place, or stands behind one like it that has not.
    pub(super) fn has(&self, state: &State, rank: Rank) -> bool {
        !self.first.is_empty()
            && self.first.get(&self.kind(state, rank.job())).is_some_and(|out| *out <= rank)
    }
}
