//! Which job goes next: the order in which a pass tries pending jobs.
//!
//! An order gives each job a key; lower goes first, ties go to the earlier eligible time, then to the lower index. The key
//! of a waiting job never changes; that of a running one may, which matters where running and pending jobs are ranked
//! together (preemption `ranked`).

mod f1;
mod fifo;
mod las;
mod priority;
mod sjf;
mod smallest_area_first;
mod srtf;

use super::part::{Kind, Part, PartOption};
use crate::state::{Event, State};
use crate::units::{Factor, Time};

/// One order: its name, what it does, and its key.
#[derive(Debug)]
pub struct ListedOrder {
    /// Unique among orders.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    pub(super) rule: OrderKey,
}

impl ListedOrder {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> Part {
        Part {
            kind: Kind::Order,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
    /// Whether its keys change while jobs run, so that it implies preemption unless that is said to be `none`.
    #[must_use]
    pub const fn ranks_running(&self) -> bool {
        matches!(self.rule, OrderKey::Ranking(_))
    }
}

/// Every order.
pub const ORDERS: &[ListedOrder] = &[
    fifo::ENTRY,
    sjf::ENTRY,
    smallest_area_first::ENTRY,
    f1::ENTRY,
    priority::ENTRY,
    srtf::ENTRY,
    las::ENTRY,
];

/// How an order ranks.
#[derive(Debug, Clone, Copy)]
pub(super) enum OrderKey {
    /// A key that does not change.
    Static(fn(&State, u32) -> u64),
    /// A key that changes while a job runs, and when it will next change by itself.
    Ranking(Ranking),
}

/// The two questions to an order that ranks running jobs too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranking {
    /// How the job's key goes on from now.
    pub(super) course: fn(&State, &Attained, u32) -> Course,
    /// When a running job's key will next change in a way that matters; [`Time::NEVER`]: never.
    pub(super) changes: fn(&State, &Attained, u32) -> Time,
}

/// How the key of a job goes on for as long as it waits, or runs as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It stays, unless it changes at the instant that the order tells.
    Stays(u64),
    /// The seconds of work left, which fall at a rate from an instant on.
    Falls {
        /// Reference seconds of work left at that instant, Q16.
        left: u64,
        /// From when on.
        from: Time,
        /// How fast.
        rate: Factor,
    },
}

impl Course {
    /// The key at an instant.
    #[inline]
    pub(super) const fn key(self, now: Time) -> u64 {
        match self {
            Self::Stays(key) => key,
            Self::Falls { left, from, rate } => {
                let done = now.0.saturating_sub(from.0) as u64 * rate.0 as u64;
                left.saturating_sub(done).div_ceil(1 << 16)
            }
        }
    }
}

/// The service each job has received: GPU-thousandths held times seconds, up to its last stop.
#[derive(Debug, Default)]
pub(super) struct Attained(Vec<u64>);

impl Attained {
    /// The service of a job up to now, the open segment included.
    pub(super) fn service(&self, state: &State, job: u32) -> u64 {
        let running = state.segment(job).map_or(0, |segment| u64::from(state.now().since(segment.from).0));
        self.0[job as usize] + running * state.held_milli(job)
    }
}

/// An order at work: its rule, and what jobs have received where that counts.
#[derive(Debug)]
pub(super) struct Order {
    rule: OrderKey,
    attained: Attained,
}

impl Order {
    /// The order of that name.
    pub(super) fn named(name: &str, jobs: usize) -> Option<Self> {
        let rule = ORDERS.iter().find(|entry| entry.name == name)?.rule;
        let counts = matches!(rule, OrderKey::Ranking(_));
        Some(Self { rule, attained: Attained(vec![0; if counts { jobs } else { 0 }]) })
    }
    /// The key of a job now; lower goes first. It does not change while the job waits.
    #[inline]
    pub(super) fn key(&self, state: &State, job: u32) -> u64 {
        match self.rule {
            OrderKey::Static(key) => key(state, job),
            OrderKey::Ranking(_) => self.course(state, job).key(state.now()),
        }
    }
    /// How the key of a job goes on, as long as it waits, or runs as it does.
    pub(super) fn course(&self, state: &State, job: u32) -> Course {
        match self.rule {
            OrderKey::Static(key) => Course::Stays(key(state, job)),
            OrderKey::Ranking(ranking) => (ranking.course)(state, &self.attained, job),
        }
    }
    /// When the key of a running job will next change by itself in a way that matters; [`Time::NEVER`]: never.
    pub(super) fn changes(&self, state: &State, job: u32) -> Time {
        match self.rule {
            OrderKey::Static(_) => Time::NEVER,
            OrderKey::Ranking(ranking) => (ranking.changes)(state, &self.attained, job),
        }
    }
    /// Takes note of what has happened.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        let segment = match *event {
            Event::Ended { segment, .. } => segment,
            Event::Changed { before, segment, .. } if before != segment => before,
            _ => return,
        };
        if !self.attained.0.is_empty() {
            let segment = &state.history().segments[segment as usize];
            let held = state.resources().occupancy.milli_of(state.history().pieces_of(segment));
            self.attained.0[segment.job as usize] += u64::from(segment.to.since(segment.from).0) * held;
        }
    }
}

/// A key that puts jobs in the order of numbers of 0 or more: their bits are in that order too.
fn least(value: f64) -> u64 {
    debug_assert!(value >= 0.0, "{value} is below 0");
    value.to_bits()
}

/// The entry of that name.
pub(super) fn named(name: &str) -> Option<&'static ListedOrder> {
    ORDERS.iter().find(|entry| entry.name == name)
}
