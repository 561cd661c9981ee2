use super::distribution::ratio;
use super::levels::Levels;
use crate::units::{Seconds, Time};
use serde::Serialize;
use std::ops::Range;

/// What is integrated over time: thousandths of GPUs, and jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) levels: Levels,
    pub(super) allocated: u64,
    /// GPUs that waiting jobs ask for, those held back aside.
    pub(super) wanted: u64,
    pub(super) waiting: u64,
}

/// Integrals of [`Rates`], exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Integrals {
    pub(super) seconds: u128,
    pub(super) allocated: u128,
    pub(super) available: u128,
    free: u128,
    on_part_used_nodes: u128,
    in_part_used_racks: u128,
    idle_though_wanted: u128,
    broken_up: u128,
    waiting: u128,
}

impl Integrals {
    fn add(&mut self, rates: &Rates, seconds: u32) {
        let times = |level: u64| u128::from(level) * u128::from(seconds);
        let Levels { available, free, free_on_whole_nodes, broken_up, free_on_whole_racks } = rates.levels;
        self.seconds += u128::from(seconds);
        self.allocated += times(rates.allocated);
        self.available += times(available);
        self.free += times(free);
        self.on_part_used_nodes += times(free.saturating_sub(free_on_whole_nodes));
        self.in_part_used_racks += times(free.saturating_sub(free_on_whole_racks));
        self.idle_though_wanted += times(rates.wanted.min(free));
        self.broken_up += times(broken_up);
        self.waiting += times(rates.waiting);
    }
    /// Free GPU-seconds, and those of them that waiting jobs asked for, in thousandths.
    pub(super) const fn free_and_wanted(&self) -> (u128, u128) {
        (self.free, self.idle_though_wanted)
    }
    /// Free GPU-seconds on nodes that are partly used, and all free ones, in thousandths.
    pub(super) const fn nodes_part_used(&self) -> (u128, u128) {
        (self.on_part_used_nodes, self.free)
    }
    /// Free GPU-seconds in racks that are partly used, and all free ones, in thousandths.
    pub(super) const fn racks_part_used(&self) -> (u128, u128) {
        (self.in_part_used_racks, self.free)
    }
    pub(super) fn utilization(&self) -> f64 {
        ratio(self.allocated, self.available)
    }
    pub(super) fn fragmentation(&self) -> f64 {
        ratio(self.nodes_part_used().0, self.free)
    }
    pub(super) fn rack_fragmentation(&self) -> f64 {
        ratio(self.racks_part_used().0, self.free)
    }
    pub(super) fn capacity_loss(&self) -> f64 {
        ratio(self.idle_though_wanted, self.available)
    }
    pub(super) fn broken_up(&self) -> f64 {
        ratio(self.broken_up, self.seconds)
    }
    fn waiting_jobs(&self) -> f64 {
        ratio(self.waiting, self.seconds)
    }
}

/// What changes over time, in buckets of equal width from the start of the run; the last may be cut off.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    /// Width of a bucket, seconds.
    pub bucket: Seconds,
    /// Allocated ÷ available GPU-seconds of each bucket.
    pub utilization: Vec<f64>,
    /// Fragmentation of each bucket.
    pub fragmentation: Vec<f64>,
    /// Mean number of jobs that are eligible and do not run.
    pub waiting_jobs: Vec<f64>,
    /// Mean of [`Blocks::fragmentation`](super::Blocks::fragmentation) of each bucket, nodes; empty where racks are no
    /// blocks.
    pub block_fragmentation: Vec<f64>,
}

/// A run divided into buckets of equal width from its start; the last may be cut off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// Seconds, at least 1.
    width: u32,
    pub(super) count: usize,
}

impl Split {
    fn of(end: Time) -> Self {
        let width = width(end);
        Self { width, count: end.0.div_ceil(width) as usize }
    }
    /// The parts of a stretch of time that lie in each bucket.
    pub(super) fn each(self, from: Time, to: Time, mut visit: impl FnMut(usize, Range<Time>)) {
        let mut from = from.0;
        while from < to.0 {
            let index = from / self.width;
            let until = to.0.min((index + 1).saturating_mul(self.width));
            if index as usize >= self.count {
                break;
            }
            visit(index as usize, Time(from)..Time(until));
            from = until;
        }
    }
}

/// Integrates over the window and over buckets of the whole run.
#[derive(Debug)]
pub(super) struct Recorder {
    window: Range<Time>,
    pub(super) split: Split,
    pub(super) buckets: Vec<Integrals>,
    pub(super) total: Integrals,
    /// What was allocated when that was the most, and what there was then.
    most: (u64, u64),
    since: Time,
}

/// Most buckets of a series.
const BUCKETS: u32 = 120;
/// Widths that people read easily: minutes, hours, days.
const WIDTHS: [u32; 17] =
    [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/// Seconds of a bucket of a run that ends then, at least 1.
pub(super) fn width(end: Time) -> u32 {
    let fits = |width: &u32| end.0.div_ceil(*width) <= BUCKETS;
    WIDTHS.into_iter().find(fits).unwrap_or_else(|| end.0.div_ceil(BUCKETS))
}

impl Recorder {
    pub(super) fn new(window: Range<Time>, end: Time) -> Self {
        let split = Split::of(end);
        let buckets = vec![Integrals::default(); split.count];
        Self { window, split, buckets, total: Integrals::default(), most: (0, 0), since: Time::ZERO }
    }
    /// The part of a stretch of time that lies in the window.
    pub(super) fn in_window(&self, from: Time, to: Time) -> u32 {
        to.min(self.window.end).since(from.max(self.window.start)).0
    }
    /// These rates have held from the last call until now.
    pub(super) fn run_to(&mut self, now: Time, rates: &Rates) {
        self.total.add(rates, self.in_window(self.since, now));
        if now > self.since && rates.allocated > self.most.0 {
            self.most = (rates.allocated, rates.levels.available);
        }
        self.split.each(self.since, now, |bucket, seconds| {
            self.buckets[bucket].add(rates, seconds.end.since(seconds.start).0);
        });
        self.since = now;
    }
    /// One more job waits for some time, for which what is wanted does not count: it is held back.
    pub(super) fn add_waiting(&mut self, from: Time, to: Time) {
        self.split.each(from, to, |bucket, seconds| {
            self.buckets[bucket].waiting += u128::from(seconds.end.since(seconds.start).0);
        });
    }
    /// The most that was allocated at any instant of the run ÷ what there was then.
    pub(super) fn packed(&self) -> f64 {
        ratio(self.most.0.into(), self.most.1.into())
    }
    pub(super) fn series(&self, has_blocks: bool) -> Series {
        let each = |value: fn(&Integrals) -> f64| self.buckets.iter().map(value).collect();
        Series {
            bucket: Seconds(self.split.width),
            utilization: each(Integrals::utilization),
            fragmentation: each(Integrals::fragmentation),
            waiting_jobs: each(Integrals::waiting_jobs),
            block_fragmentation: if has_blocks { each(Integrals::broken_up) } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_the_window_split_time_exactly() {
        let mut recorder = Recorder::new(Time(100)..Time(500), Time(1000));
        let rates = |allocated| Rates {
            levels: Levels { available: 10, free: 10 - allocated, ..Levels::default() },
            allocated,
            wanted: 4,
            waiting: 2,
        };
        for (until, allocated) in [(150, 5), (151, 10), (990, 2), (1000, 0)] {
            recorder.run_to(Time(until), &rates(allocated));
        }
        assert_eq!(recorder.total.allocated, 50 * 5 + 10 + (500 - 151) * 2, "only from 100 to 500");
        assert_eq!(recorder.total.available, 4000, "400 seconds of ten");
        assert_eq!(recorder.total.idle_though_wanted, 50 * 4 + (500 - 151) * 4, "no more than is wanted");
        let series = recorder.series(false);
        assert_eq!((series.bucket, series.utilization.len()), (Seconds(10), 100), "a readable width");
        assert!((series.utilization[15] - (10 + 9 * 2) as f64 / 100.0).abs() < 1e-12, "the sixteenth bucket");
        assert!((series.waiting_jobs[99] - 2.0).abs() < 1e-12, "two jobs wait to the end");
    }
}
