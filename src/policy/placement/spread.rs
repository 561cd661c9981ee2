//! Spread: the emptiest rack first, then its emptiest node; heat and failures are shared out.

use super::{Entry, Rule};
use crate::cost::Weights;

pub(super) const ENTRY: Entry = Entry {
    name: "spread",
    about: "the emptiest rack first, then its emptiest node",
    source: "Kubernetes LeastAllocated, made hierarchical",
    options: &[],
    rule: Rule::Weigh(Weights { rack_spread: 65_534, spread: 1, ..Weights::ZERO }),
};
