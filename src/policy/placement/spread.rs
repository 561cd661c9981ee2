//! Spread: the emptiest rack first, then its emptiest node; heat and failures are shared out.

use super::{Cheapest, Entry, Preference, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "spread",
    about: "the emptiest rack first, then its emptiest node",
    source: "Kubernetes LeastAllocated, made hierarchical",
    rule: Rule::Prefer(Preference { node: Cheapest::Emptiest, rack: Cheapest::Emptiest, rack_first: true }),
};
