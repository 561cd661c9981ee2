//! Best fit: the node with the fewest free GPUs that fits, the rack with the least room for a gang.

use super::{Cheapest, Entry, Preference, Rule};

pub(super) const PREFERENCE: Preference =
    Preference { node: Cheapest::Fullest, rack: Cheapest::Fullest, rack_first: false };

pub(super) const ENTRY: Entry = Entry {
    name: "best-fit",
    about: "the node with the fewest free GPUs that fits, the rack with the least room",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    rule: Rule::Prefer(PREFERENCE),
};
