//! Keys that change while a job runs.

use crate::state::{Event, State};
use crate::units::{Factor, Seconds, Time};

/// The two questions to an order that ranks running jobs too.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Ranking {
    /// How the job's key goes on from now.
    pub(super) course: fn(&State, &Attained, u32) -> Course,
    /// When a running job's key will next change in a way that matters; [`Time::NEVER`]: never.
    pub(super) changes: fn(&State, &Attained, u32) -> Time,
}

/// How the key of a job goes on for as long as it waits, or runs as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Course {
    /// It stays, unless it changes at the instant that the order tells.
    Stays(u64),
    /// The seconds of work left, or a multiple of them, which fall at a rate from an instant on.
    Falls {
        /// Reference seconds of work left at that instant, Q16.
        left: u64,
        /// From when on.
        from: Time,
        /// How fast.
        rate: Factor,
        /// What the whole seconds left are multiplied by.
        times: u32,
    },
    /// What an order makes of the service that it has received at an instant, which grows by so much a second.
    Receives {
        /// Thousandths.
        service: u64,
        /// When it had received that.
        from: Time,
        /// Thousandths a second.
        pace: u64,
    },
}

impl Course {
    /// The key at an instant; `index` tells that of a job that has received so much.
    #[inline]
    pub(super) fn key(self, now: Time, index: impl FnOnce(u64) -> u64) -> u64 {
        match self {
            Self::Stays(key) => key,
            Self::Receives { service, from, pace } => {
                index(service.saturating_add(u64::from(now.0.saturating_sub(from.0)).saturating_mul(pace)))
            }
            Self::Falls { left, from, rate, times } => {
                let done = u64::from(now.0.saturating_sub(from.0)) * u64::from(rate.0);
                left.saturating_sub(done).div_ceil(1 << 16).saturating_mul(u64::from(times))
            }
        }
    }
}

/// The service each job has received: GPU-thousandths held times seconds, or thousandths of seconds that it ran, up to its
/// last stop.
#[derive(Debug, Default)]
pub(in crate::policy) struct Attained(pub(super) Vec<u64>);

impl Attained {
    /// The service of a job up to now, the open segment included.
    pub(super) fn service(&self, state: &State, job: u32) -> u64 {
        let running = state.segment(job).map_or(0, |segment| u64::from(state.now().since(segment.from).0));
        self.0[job as usize] + running * Self::pace(state, state.held_milli(job))
    }
    /// When a running job will have received so much, which is more than now; [`Time::NEVER`]: it holds nothing.
    pub(super) fn reaches(&self, state: &State, job: u32, service: u64) -> Time {
        let missing = service.saturating_sub(self.service(state, job));
        let seconds = match Self::pace(state, state.held_milli(job)) {
            0 => return Time::NEVER,
            pace => missing.div_ceil(pace),
        };
        state.now() + Seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
    /// What a segment that is over was worth is kept.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        let segment = match *event {
            Event::Ended { segment, .. } => segment,
            Event::Changed { before, segment, .. } if before != segment => before,
            _ => return,
        };
        let segment = &state.history().segments[segment as usize];
        let held = state.resources().occupancy.milli_of(state.history().pieces_of(segment));
        let seconds = u64::from(segment.to.since(segment.from).0);
        self.0[segment.job as usize] += seconds * Self::pace(state, held);
    }
    /// The service that a job which holds so many thousandths of GPUs receives in a second.
    pub(super) fn pace(state: &State, held_milli: u64) -> u64 {
        if state.plan().settings.service_in_seconds { 1000 } else { held_milli }
    }
}
