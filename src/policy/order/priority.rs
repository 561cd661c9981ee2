//! Priority with ageing: a step of priority is worth `priority_step` seconds of waiting.
//!
//! As all jobs age alike, the ranking of two jobs never changes while they wait: eligible time less priority times
//! step is a static key.

use super::super::part::{self, PartOption};
use super::{ListedOrder, OrderKey};
use crate::state::State;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "priority",
    about: "highest priority first; waiting `priority_step` makes up for one step",
    source: "Slurm multifactor, age and priority factors",
    options: &[PRIORITY_STEP],
    rule: OrderKey::Static(key),
};

const PRIORITY_STEP: PartOption = PartOption {
    name: "priority_step",
    unit: "time",
    default: "1h",
    about: "waiting that makes up for one step of priority",
    expected: part::TIME,
    read: |settings, text| {
        settings.priority_step = part::seconds(text)?;
        Some(())
    },
    show: |settings| part::span(settings.priority_step),
};

fn key(state: &State, job: u32) -> u64 {
    // Far enough from zero for every 32-bit priority, step and time.
    const MIDDLE: i128 = 1 << 63;
    let step = i128::from(state.plan().settings.priority_step);
    let eligible = i128::from(state.eligible_time(job).0);
    u64::try_from(MIDDLE + eligible - i128::from(state.job(job).priority) * step).unwrap_or(u64::MAX)
}
