//! First fit: the lowest index that fits, at every level.

use super::{Entry, Rule};
use crate::cost::Weights;

pub(super) const ENTRY: Entry = Entry {
    name: "first-fit",
    about: "the lowest node, the lowest rack that fits",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    options: &[],
    rule: Rule::Weigh(Weights::ZERO),
};
