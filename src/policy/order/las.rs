//! Least attained service, in two dimensions: queues by GPU-seconds received, first come, first served in each.
//!
//! A job falls to the next queue when its attained GPU-seconds reach a limit of `queue_limits`.
//! Gu et al., "Tiresias: a GPU cluster manager for distributed deep learning", NSDI 2019.

use super::super::part::{self, PartOption};
use super::{Attained, Course, ListedOrder, OrderKey, Ranking};
use crate::state::State;
use crate::units::Time;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "las",
    about: "fewest GPU-seconds received first, in queues; implies preemption",
    source: "Gu et al., Tiresias, NSDI 2019",
    options: &[QUEUE_LIMITS, SERVICE],
    rule: OrderKey::Ranking(Ranking { course, changes }),
};

const QUEUE_LIMITS: PartOption = PartOption {
    name: "queue_limits",
    unit: "GPU-seconds",
    default: "3250,7200",
    about: "what a job has received when it falls to the next queue; seconds under `service = \"seconds\"`",
    expected: "GPU-seconds in ascending order, such as `[3250, 7200]`, or `none`",
    read: |settings, text| {
        settings.queue_limits = if text == "none" { Vec::new() } else { part::ascending(text)? };
        Some(())
    },
    show: |settings| match settings.queue_limits.as_slice() {
        [] => "none".to_owned(),
        limits => part::listed(limits.iter().copied()),
    },
};

/// Also of [`super::gittins`].
pub(super) const SERVICE: PartOption = PartOption {
    name: "service",
    unit: "name",
    default: "gpu-seconds",
    about: "what a job has received: the GPU-seconds that it held, or the `seconds` that it ran",
    expected: "`gpu-seconds` or `seconds`",
    read: |settings, text| {
        settings.service_in_seconds = match text {
            "gpu-seconds" => false,
            "seconds" => true,
            _ => return None,
        };
        Some(())
    },
    show: |settings| if settings.service_in_seconds { "seconds" } else { "gpu-seconds" }.to_owned(),
};

/// The limits in GPU-thousandths times seconds.
fn limits(state: &State) -> impl DoubleEndedIterator<Item = u64> + '_ {
    state.plan().settings.queue_limits.iter().map(|limit| limit.saturating_mul(1000))
}

fn course(state: &State, attained: &Attained, job: u32) -> Course {
    let service = attained.service(state, job);
    Course::Stays(limits(state).filter(|limit| service >= *limit).count() as u64)
}

fn changes(state: &State, attained: &Attained, job: u32) -> Time {
    let service = attained.service(state, job);
    let next = limits(state).filter(|limit| *limit > service).min();
    next.map_or(Time::NEVER, |limit| attained.reaches(state, job, limit))
}
