//! Best fit: the node with the fewest free GPUs that fits, the rack with the least room for a gang.

use super::{Entry, Rule};
use crate::cost::Weights;

pub(super) const ENTRY: Entry = Entry {
    name: "best-fit",
    about: "the node with the fewest free GPUs that fits, the rack with the least room",
    source: "Johnson, Near-optimal bin packing algorithms, 1973",
    options: &[],
    rule: Rule::Weigh(Weights { leftover: 1, ..Weights::ZERO }),
};
