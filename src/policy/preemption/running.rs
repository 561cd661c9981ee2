//! The running jobs that could yield, those together of which a rule says the same.

use crate::state::State;
use crate::units::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// What a rule asks of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::policy) struct Standing {
    pub(super) partition: u32,
    /// The queue that it stands in.
    pub(super) queue: Option<u32>,
    /// The row of that in the tree of quotas, on the platform that it runs on.
    pub(super) row: Option<u32>,
    /// The tier of its partition, and its priority.
    pub(super) height: (u32, i32),
}

impl Standing {
    pub(super) fn of(state: &State, job: u32) -> Self {
        let class = state.held_as(job);
        Self { partition: class.partition, queue: class.queue, row: class.row, height: class.height() }
    }
}

/// Which running jobs of a standing may stop for a blocked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum May {
    /// None.
    Never,
    /// Those that became eligible after the blocked one, and stand behind it in the order.
    IfNewer,
    /// All.
    Always,
}

impl May {
    /// All, or none.
    pub(super) const fn all_if(condition: bool) -> Self {
        if condition { Self::Always } else { Self::Never }
    }
}

/// Running jobs by standing, and from when on each may stop.
#[derive(Debug, Default)]
pub(super) struct Running {
    lines: BTreeMap<Standing, Line>,
    at: BTreeMap<u32, (Standing, Time)>,
}

/// Jobs of one standing, each with the instant from which on it may stop.
#[derive(Debug, Default)]
pub(super) struct Line(BTreeSet<(Time, u32)>);

impl Line {
    /// Those that may stop at an instant.
    pub(super) fn ripe(&self, now: Time) -> impl Iterator<Item = u32> + '_ {
        self.0.range(..=(now, u32::MAX)).map(|(_, job)| *job)
    }
    /// Those that may stop only later, the soonest first, and when.
    pub(super) fn unripe(&self, now: Time) -> impl Iterator<Item = (Time, u32)> + '_ {
        self.0.range((Excluded((now, u32::MAX)), Unbounded)).copied()
    }
}

impl Running {
    /// A job runs, or runs on, as one of this standing that may stop from an instant on.
    pub(super) fn insert(&mut self, job: u32, standing: Standing, from: Time) {
        self.remove(job);
        self.lines.entry(standing).or_default().0.insert((from, job));
        self.at.insert(job, (standing, from));
    }
    /// A job runs no more.
    pub(super) fn remove(&mut self, job: u32) {
        let Some((standing, from)) = self.at.remove(&job) else { return };
        if let Some(line) = self.lines.get_mut(&standing) {
            line.0.remove(&(from, job));
            if line.0.is_empty() {
                self.lines.remove(&standing);
            }
        }
    }
    pub(super) fn lines(&self) -> impl Iterator<Item = (&Standing, &Line)> {
        self.lines.iter()
    }
}
