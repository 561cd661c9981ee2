//! Pack: the fullest rack that fits first, then its fullest node; whole racks stay empty for gangs.

use super::{Cheapest, Entry, Preference, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "pack",
    about: "the fullest rack first, then its fullest node: fewest racks in use",
    source: "Kueue least-free-capacity, made hierarchical",
    rule: Rule::Prefer(Preference { node: Cheapest::Fullest, rack: Cheapest::Fullest, rack_first: true }),
};
