//! Fragmentation gradient descent: the node, and the rack, of which a start strands least for the workload's mix.
//!
//! A node of a rack counts about as much as its GPUs do on a node, on racks of eighteen.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "fgd",
    about: "where the start strands the fewest GPUs for the workload's mix of pods and gangs",
    source: "Weng et al., FGD, ATC 2023",
    options: &[],
    rule: Choosing::Weigh(Weights { fragmentation: 1, rack_fragmentation: 18, ..Weights::ZERO }),
};
