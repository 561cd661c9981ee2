//! Earliest deadline first: by the instant at which a job has to be done; jobs without a deadline after all others.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "edf",
    about: "earliest deadline first; jobs without one after all others",
    source: "Jackson, Scheduling a production line to minimize maximum tardiness, 1955; Liu, Layland, JACM 1973",
    options: &[],
    rule: OrderKey::Due(|state, job| state.job(job).due_time().map_or(u64::MAX, |due| u64::from(due.0))),
};
