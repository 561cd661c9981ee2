//! WFP3: waiting in units of the requested time, to the third power, times GPUs: nobody waits long for what they asked.

use super::{ListedOrder, RANK_PERIOD, Varying, greatest};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "wfp3",
    about: "greatest (waited ÷ requested time)³ × GPUs first",
    source: "Tang, Lan, Desai, Buettner, Fault-aware, utility-based job scheduling on Blue Gene/P systems, Cluster 2009",
    options: &[RANK_PERIOD],
    rule: Varying::of(|at, job| {
        let slowed = f64::from(at.waited(job)) / at.requested(job);
        greatest(slowed * slowed * slowed * at.gpus(job))
    }),
};
