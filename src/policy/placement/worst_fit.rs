//! Worst fit: the node with the most free GPUs, the rack with the most room for a gang.

use super::{Cheapest, Entry, Preference, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "worst-fit",
    about: "the node with the most free GPUs, the rack with the most room",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    rule: Rule::Prefer(Preference { node: Cheapest::Emptiest, rack: Cheapest::Emptiest, rack_first: false }),
};
