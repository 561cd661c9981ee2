//! First fit: the lowest index that fits, at every level.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "first-fit",
    about: "the lowest node, the lowest rack that fits",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    options: &[],
    rule: Choosing::Weigh(Weights::ZERO),
};
