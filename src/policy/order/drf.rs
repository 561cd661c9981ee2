//! Dominant resource fairness over a tree of queues, of the one resource that queues here have: GPUs.

use super::turns::Turns;
use super::{ListedOrder, OrderKey};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "drf",
    about: "queues take turns: from the top of the tree down the one that holds the least of all GPUs for its `weight`; in a queue \
            the highest priority first, then the oldest",
    source: "Ghodsi et al., Dominant resource fairness, NSDI 2011; Bhattacharya et al., Hierarchical scheduling for diverse \
             datacenter workloads, SoCC 2013",
    options: &[],
    rule: OrderKey::Turns(Turns { had: |had, (queue, _), _| had.of_all(queue), divide: None }),
};
