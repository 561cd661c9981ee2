//! Longest job first, by requested time.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "ljf",
    about: "longest requested time first",
    source: "Graham, Bounds on multiprocessing timing anomalies, 1969",
    options: &[],
    rule: OrderKey::Static(|state, job| u64::from(u32::MAX - state.job(job).requested_time.0)),
};
