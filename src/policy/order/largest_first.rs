//! Largest job first, by GPUs.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "largest-first",
    about: "most GPUs first",
    source: "Johnson, Near-optimal bin packing algorithms, 1973 (first fit decreasing)",
    options: &[],
    rule: OrderKey::Static(|state, job| u64::from(u32::MAX - state.class(job).gpus_milli)),
};
