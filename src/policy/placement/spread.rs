//! Spread: the emptiest rack first, then its emptiest node; heat and failures are shared out.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "spread",
    about: "the emptiest rack first, then its emptiest node",
    source: "Kubernetes LeastAllocated, made hierarchical",
    options: &[],
    rule: Choosing::Weigh(Weights { rack_spread: 65_534, spread: 1, ..Weights::ZERO }),
};
