//! WFP3: waiting in units of the requested time, to the third power, times GPUs: nobody waits long for what they asked.

use super::{ListedOrder, OrderKey, RANK_PERIOD, gpus, greatest, waited};
use crate::state::State;
use crate::units::Time;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "wfp3",
    about: "greatest (waited ÷ requested time)³ × GPUs first",
    source: "Tang, Lan, Desai, Buettner, Fault-aware, utility-based job scheduling on Blue Gene/P systems, Cluster 2009",
    options: &[RANK_PERIOD],
    rule: OrderKey::Varying(key),
};

fn key(state: &State, job: u32, ranked: Time) -> u64 {
    let requested = state.job(job).requested_time.0.max(1);
    let slowed = f64::from(waited(state, job, ranked)) / f64::from(requested);
    greatest(slowed * slowed * slowed * gpus(state, job))
}
