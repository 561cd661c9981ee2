//! Keys that vary while a job waits.

use super::OrderKey;
use super::share::{self, Shares};
use crate::history::{Plan, Settings};
use crate::policy::part::{self, PartOption};
use crate::state::State;
use crate::units::Time;

/// A key that changes while a job waits.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Varying {
    pub(super) key: fn(&AsOf<'_>, u32) -> u64,
    /// Whether it reads what tenants and queues used.
    pub(super) reads_shares: fn(&Settings) -> bool,
}

impl Varying {
    /// A key that reads of a job how long it has waited, and what it asks for.
    pub(super) const fn of(key: fn(&AsOf<'_>, u32) -> u64) -> OrderKey {
        OrderKey::Varying(Self { key, reads_shares: |_| false })
    }
}

/// What keys that vary are made of, as of an instant that is not later than now.
pub(in crate::policy) struct AsOf<'a> {
    pub(super) state: &'a State,
    pub(super) instant: Time,
    pub(super) facts: &'a Facts,
    pub(super) shares: Option<&'a Shares>,
}

impl AsOf<'_> {
    /// Seconds that a job has waited, from when it became eligible.
    pub(super) fn waited(&self, job: u32) -> u32 {
        self.instant.0.saturating_sub(self.state.eligible_time(job).0)
    }
    /// How many GPUs a job asks for; one that asks for none counts as the smallest share of one.
    pub(super) fn gpus(&self, job: u32) -> f64 {
        f64::from(self.state.class(job).gpus_milli.max(1)) / 1000.0
    }
    /// The seconds that a job asks for, at least 1.
    pub(super) fn requested(&self, job: u32) -> f64 {
        f64::from(self.state.job(job).requested_time.0.max(1))
    }
    /// The rank of the tenant of a job by what was used, counted down from how many there are, and that number.
    pub(super) fn share_rank(&self, job: u32) -> (u32, u32) {
        self.shares.map_or((0, 1), |shares| shares.rank_of(job))
    }
}

/// What keys read of a plan as a whole.
#[derive(Debug)]
pub(super) struct Facts {
    /// All GPUs, thousandths.
    pub(super) milli: u64,
    /// The lowest and the highest priority of all jobs.
    pub(super) priorities: (i32, i32),
}

impl Facts {
    pub(super) fn of(plan: &Plan) -> Self {
        let priorities = || plan.workload.jobs.iter().map(|job| job.priority);
        let priorities = (priorities().min().unwrap_or(0), priorities().max().unwrap_or(0));
        Self { milli: plan.cluster.gpus() * 1000, priorities }
    }
}

/// How fast what was used is forgotten.
pub(super) const HALF_LIFE: PartOption = PartOption {
    name: "half_life",
    unit: "time",
    default: "7d",
    about: "GPUs that were held so long ago count half",
    expected: "a time of at least `1s`, such as `12h` or `7d`",
    read: |settings, text| {
        let half_life = part::seconds(text).filter(|half_life| *half_life > 0)?;
        settings.half_life = (half_life != share::USUAL_HALF_LIFE).then_some(half_life);
        Some(())
    },
    show: |settings| part::span(share::half_life(settings)),
};

/// How often keys that vary are renewed.
pub(super) const RANK_PERIOD: PartOption = PartOption {
    name: "rank_period",
    unit: "time",
    default: "5m",
    about: "keys hold as of the last whole number of these since the start; 1s: as of every pass",
    expected: "a time of at least `1s`, such as `30s` or `5m`",
    read: |settings, text| {
        let period = part::seconds(text).filter(|period| *period > 0)?;
        settings.rank_period = (period != USUAL_RANK_PERIOD).then_some(period);
        Some(())
    },
    show: |settings| part::span(rank_period(settings)),
};
const USUAL_RANK_PERIOD: u32 = 300;

/// From one renewal to the next, seconds.
pub(super) fn rank_period(settings: &Settings) -> u32 {
    settings.rank_period.unwrap_or(USUAL_RANK_PERIOD).max(1)
}
