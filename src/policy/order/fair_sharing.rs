//! Kueue's order of fair sharing: the queue that would borrow least goes first.

use super::turns::Turns;
use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "fair-sharing",
    about: "queues take turns: from the top of the tree down the one that with its next job would borrow the least for its `weight`; \
            in a queue the highest priority first, then the oldest",
    source: "Kueue, fair sharing (KEP-1714), checked against 0.20-devel",
    options: &[],
    rule: OrderKey::Turns(Turns { had: |had, queue, more| had.borrowed(queue, more), divide: None }),
};
