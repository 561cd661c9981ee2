//! First in, first out: by eligible time alone.

use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "fifo",
    about: "by the time a job became eligible",
    source: "the queue of every batch system",
    options: &[],
    rule: OrderKey::Static(|_, _| 0),
};
