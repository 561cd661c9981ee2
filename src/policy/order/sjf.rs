//! Shortest job first, by requested time.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "sjf",
    about: "shortest requested time first",
    source: "Conway, Maxwell, Miller, Theory of Scheduling, 1967",
    options: &[],
    rule: OrderKey::Static(|state, job| u64::from(state.job(job).requested_time.0)),
};
