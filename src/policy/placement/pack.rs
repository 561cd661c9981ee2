//! Pack: the fullest rack that fits first, then its fullest node; whole racks stay empty for gangs.

use super::{Entry, Rule};
use crate::cost::Weights;

pub(super) const ENTRY: Entry = Entry {
    name: "pack",
    about: "the fullest rack first, then its fullest node: fewest racks in use",
    source: "Kueue least-free-capacity, made hierarchical",
    options: &[],
    rule: Rule::Weigh(Weights { rack_leftover: 65_534, leftover: 1, ..Weights::ZERO }),
};
