//! Shortest remaining time first, preemptive: by the reference seconds of work a job really has left.

use super::{Entry, Ranking, Rule};
use crate::units::Time;

pub(super) const ENTRY: Entry = Entry {
    name: "srtf",
    about: "least work left first; implies preemption",
    source: "Schrage, A proof of the optimality of the shortest remaining processing time discipline, 1968",
    options: &[],
    rule: Rule::Ranking(Ranking {
        key: |state, _, job| state.work_left(job).div_ceil(1 << 16),
        changes: |_, _, _| Time::NEVER,
    }),
};
