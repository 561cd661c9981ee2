//! Best fit: the node with the fewest free GPUs that fits, the rack with the least room for a gang.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "best-fit",
    about: "the node with the fewest free GPUs that fits, the rack with the least room",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    options: &[],
    rule: Choosing::Weigh(Weights { leftover: 1, ..Weights::ZERO }),
};
