//! UNICEF: waiting in units of the requested time, the fewer the GPUs the sooner: small jobs turn around quickly.

use super::{ListedOrder, OrderKey, RANK_PERIOD, gpus, greatest, waited};
use crate::state::State;
use crate::units::Time;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "unicef",
    about: "greatest waited ÷ (log2(GPUs) × requested time) first; fewer than 2 GPUs count as 2",
    source: "Tang, Lan, Desai, Buettner, Fault-aware, utility-based job scheduling on Blue Gene/P systems, Cluster 2009",
    options: &[RANK_PERIOD],
    rule: OrderKey::Varying(key),
};

fn key(state: &State, job: u32, ranked: Time) -> u64 {
    let requested = state.job(job).requested_time.0.max(1);
    // The logarithm of one GPU would be 0.
    let width = libm::log2(gpus(state, job).max(2.0));
    greatest(f64::from(waited(state, job, ranked)) / (width * f64::from(requested)))
}
