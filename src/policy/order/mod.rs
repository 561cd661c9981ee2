//! WHO goes next: the order in which a pass tries pending jobs.
//!
//! A static order gives each job a key when it becomes eligible; lower goes first, ties go to the earlier
//! eligible time, then to the lower index. A preemptive order ranks running and pending jobs together,
//! anew in every pass.

mod fifo;
mod las;
mod priority;
mod sjf;
mod smallest_area_first;
mod srtf;

use super::View;
use crate::units::Time;

/// One order: its name, what it does, and its key.
#[derive(Debug)]
pub struct Entry {
    /// Unique among orders.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    pub(super) rule: Rule,
}

impl Entry {
    /// Whether it ranks running jobs too, so that some are stopped for others.
    #[must_use]
    pub const fn is_preemptive(&self) -> bool {
        matches!(self.rule, Rule::Preemptive(_))
    }
}

/// Every order.
pub const ORDERS: &[Entry] =
    &[fifo::ENTRY, sjf::ENTRY, smallest_area_first::ENTRY, priority::ENTRY, srtf::ENTRY, las::ENTRY];

/// How an order ranks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// A key that is fixed when a job becomes eligible.
    Static(fn(&View, u32) -> u64),
    /// A key that changes as jobs run, and when it will next change by itself.
    Preemptive(Ranking),
}

/// The two questions to a preemptive order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranking {
    /// The job's key now.
    pub(super) key: fn(&View, &Attained, u32) -> u64,
    /// When a running job's key will next change in a way that matters; [`Time::NEVER`]: never.
    pub(super) changes: fn(&View, &Attained, u32) -> Time,
}

/// The service each job has received: GPU-thousandths times seconds, up to its last stop.
#[derive(Debug, Default)]
pub(super) struct Attained(Vec<u64>);

impl Attained {
    pub(super) fn new(jobs: usize) -> Self {
        Self(vec![0; jobs])
    }
    /// The service of a job up to now, the open segment included.
    pub(super) fn service(&self, view: &View, job: u32) -> u64 {
        let running = view.segment(job).map_or(0, |segment| u64::from(view.now().since(segment.from).0));
        self.0[job as usize] + running * u64::from(view.class(job).gpus_milli)
    }
    /// A segment of a job ended.
    pub(super) fn add(&mut self, view: &View, job: u32, seconds: u32) {
        self.0[job as usize] += u64::from(seconds) * u64::from(view.class(job).gpus_milli);
    }
}

/// The order of that name.
pub(super) fn named(name: &str) -> Option<&'static Entry> {
    ORDERS.iter().find(|entry| entry.name == name)
}
