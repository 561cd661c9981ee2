//! First fit: the lowest index that fits, at every level.

use super::{Cheapest, Entry, Preference, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "first-fit",
    about: "the lowest node, the lowest rack that fits",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    rule: Rule::Prefer(Preference { node: Cheapest::Lowest, rack: Cheapest::Lowest, rack_first: false }),
};
