//! What became of every GPU-second of a cluster, by cause.

use super::OverTime;
use super::standing::Standing;
use crate::history::History;
use crate::metrics::distribution::ratio;
use crate::metrics::losses::{LossCause, by_cause};
use crate::metrics::series::{Integrals, Recorder, Split};
use crate::metrics::spent::Spent;
use crate::units::Time;
use serde::Serialize;
use std::ops::Range;

/// What became of all GPUs of the cluster in the window, in thousandths of GPU-seconds: `capacity` is the sum of all else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Waterfall {
    /// GPUs of nodes that were not absent as planned.
    pub capacity: u128,
    /// Of nodes down, or given up, as something had failed.
    pub failed: u128,
    /// Of nodes down as planned.
    pub planned: u128,
    /// Of nodes in reserve for others that fail.
    pub reserve: u128,
    /// Free on nodes that drained: as planned, or as something had failed that nobody had seen.
    pub draining: u128,
    /// Free though waiting jobs asked for as many.
    pub wanted: u128,
    /// Free otherwise.
    pub idle: u128,
    /// Held, and lost by [`LossCause`], in the order of [`LossCause::ALL`].
    #[serde(serialize_with = "by_cause")]
    pub lost: [u128; LossCause::ALL.len()],
    /// Held, and of use.
    pub useful: u128,
}

impl Waterfall {
    /// All that was held.
    #[must_use]
    pub fn held(&self) -> u128 {
        self.lost.iter().sum::<u128>() + self.useful
    }
    /// Everything that becomes of the capacity, in the order in which it is taken off, with what people call it.
    ///
    /// ```
    /// use gigawatt::metrics::Waterfall;
    /// let own = Waterfall { capacity: 10, failed: 3, useful: 7, ..Waterfall::default() };
    /// assert!(own.adds_up());
    /// assert_eq!(own.parts()[0], ("down, failed", 3));
    /// assert!(!Waterfall { useful: 8, ..own }.adds_up());
    /// ```
    #[must_use]
    pub fn parts(&self) -> Vec<(&'static str, u128)> {
        let free = [
            ("down, failed", self.failed),
            ("down, planned", self.planned),
            ("in reserve", self.reserve),
            ("free, draining", self.draining),
            ("free though wanted", self.wanted),
            ("free", self.idle),
        ];
        let lost = LossCause::ALL.into_iter().map(LossCause::name).zip(self.lost);
        free.into_iter().chain(lost).chain([("useful", self.useful)]).collect()
    }
    /// Whether nothing is missing and nothing counted twice.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.parts().into_iter().map(|(_, part)| part).sum::<u128>() == self.capacity
    }
}

/// What jobs held, by what it came to.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    history: &'a History,
    window: Range<Time>,
    split: Split,
    lost: [u128; LossCause::ALL.len()],
    useful: u128,
    /// Of use, by bucket of the run.
    buckets: Vec<u128>,
    /// By job: seconds of work that nothing outside of it took away.
    pub(super) useful_seconds: Vec<u32>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(history: &'a History, window: Range<Time>, split: Split) -> Self {
        Self {
            history,
            window,
            split,
            lost: [0; LossCause::ALL.len()],
            useful: 0,
            buckets: vec![0; split.count],
            useful_seconds: vec![0; history.jobs.len()],
        }
    }
    /// A stretch of time in which a job held something; what of it is lost is added to `more` too.
    pub(super) fn add(&mut self, own: &Spent, more: Option<&mut u128>) {
        let segment = &self.history.segments[own.segment as usize];
        let gpus = u128::from(self.history.gpus_of(segment));
        let (written, other) = own.seconds(&self.window);
        let other = gpus * u128::from(other);
        self.lost[LossCause::Checkpoint as usize] += gpus * u128::from(written);
        match own.lost_to {
            Some(cause) => self.lost[cause as usize] += other,
            None => self.useful += other,
        }
        if let Some(more) = more {
            *more += other;
        }
        if matches!(own.lost_to, None | Some(LossCause::Failed | LossCause::Timeout)) {
            self.useful_seconds[segment.job as usize] += own.seconds(&(Time::ZERO..Time::NEVER)).1;
        }
        if own.lost_to.is_none() {
            let buckets = &mut self.buckets;
            self.split.each(own.from, own.to, |bucket, seconds| {
                buckets[bucket] += gpus * u128::from(own.seconds(&seconds).1);
            });
        }
    }
    pub(super) fn waterfall(&self, standing: &Standing, recorder: &Recorder) -> Waterfall {
        let Integrals { available, allocated, .. } = recorder.total;
        let (free, wanted) = recorder.total.free_and_wanted();
        Waterfall {
            capacity: standing.capacity,
            failed: standing.failed,
            planned: standing.planned,
            reserve: standing.reserve,
            draining: available.saturating_sub(allocated + free + standing.reserve),
            wanted,
            idle: free - wanted,
            lost: self.lost,
            useful: self.useful,
        }
    }
    pub(super) fn over_time(&self, standing: &Standing, recorder: &Recorder) -> OverTime {
        let mut found = OverTime::default();
        for ((own, useful), down) in recorder.buckets.iter().zip(&self.buckets).zip(&standing.down) {
            let capacity = own.available + down;
            let part = |part: u128| ratio(part, capacity);
            found.useful.push(part(*useful));
            found.lost.push(part(own.allocated.saturating_sub(*useful)));
            found.idle.push(part(own.available.saturating_sub(own.allocated)));
            found.down.push(part(*down));
        }
        found
    }
}
