//! A function of three features, fitted to simulations: it lets short, narrow and early jobs go first.

use super::{ListedOrder, OrderKey, least};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "f1",
    about: "least log10(requested time) × GPUs + 870 × log10(submit time) first; second 0 counts as 1",
    source: "Carastan-Santos, de Camargo, Obtaining dynamic scheduling policies with simulation and machine learning, SC 2017",
    options: &[],
    rule: OrderKey::Static(|state, job| {
        let log = |seconds: u32| libm::log10(f64::from(seconds.max(1)));
        let gpus = f64::from(state.class(job).gpus_milli) / 1000.0;
        let job = state.job(job);
        least(log(job.requested_time.0) * gpus + 870.0 * log(job.submit_time.0))
    }),
};
