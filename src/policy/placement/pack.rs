//! Pack: the fullest rack that fits first, then its fullest node; whole racks stay empty for gangs.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "pack",
    about: "the fullest rack first, then its fullest node: fewest racks in use",
    source: "Kueue least-free-capacity, made hierarchical",
    options: &[],
    rule: Choosing::Weigh(Weights { rack_leftover: 65_534, leftover: 1, ..Weights::ZERO }),
};
