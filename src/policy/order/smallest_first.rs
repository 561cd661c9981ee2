//! Smallest job first, by GPUs.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "smallest-first",
    about: "fewest GPUs first",
    source: "Majumdar, Eager, Bunt, Scheduling in multiprogrammed parallel systems, SIGMETRICS 1988",
    options: &[],
    rule: OrderKey::Static(|state, job| u64::from(state.class(job).gpus_milli)),
};
