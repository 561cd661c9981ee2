//! UNICEF: waiting in units of the requested time, the fewer the GPUs the sooner: small jobs turn around quickly.

use super::{ListedOrder, RANK_PERIOD, Varying, greatest};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "unicef",
    about: "greatest waited ÷ (log2(GPUs) × requested time) first; fewer than 2 GPUs count as 2",
    source: "Tang, Lan, Desai, Buettner, Fault-aware, utility-based job scheduling on Blue Gene/P systems, Cluster 2009",
    options: &[RANK_PERIOD],
    rule: Varying::of(|at, job| {
        // The logarithm of one GPU would be 0.
        let width = libm::log2(at.gpus(job).max(2.0));
        greatest(f64::from(at.waited(job)) / (width * at.requested(job)))
    }),
};
