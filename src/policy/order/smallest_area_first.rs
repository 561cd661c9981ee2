//! Smallest area first: GPUs times requested time.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "smallest-area-first",
    about: "fewest GPUs × requested time first",
    source: "Carastan-Santos, de Camargo, Trystram, Zrigui, One can only gain by replacing EASY, CCGrid 2019",
    options: &[],
    rule: OrderKey::Static(|state, job| {
        u64::from(state.class(job).gpus_milli) * u64::from(state.job(job).requested_time.0)
    }),
};
