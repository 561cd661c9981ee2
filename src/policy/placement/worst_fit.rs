//! Worst fit: the node with the most free GPUs, the rack with the most room for a gang.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "worst-fit",
    about: "the node with the most free GPUs, the rack with the most room",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    options: &[],
    rule: Choosing::Weigh(Weights { spread: 1, ..Weights::ZERO }),
};
