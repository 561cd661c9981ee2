//! Least stranded: the node, and the rack, of which a start strands least for the workload's mix.
//!
//! It counts wholly free GPUs and idle nodes alone; a node of a rack counts about as much as its GPUs do on a node, on
//! racks of eighteen. Shares of GPUs, CPU and the pods that are typical are what `fgd` looks at.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "least-stranded",
    about: "where the start strands the fewest whole GPUs for the workload's mix of pods and gangs",
    source: "after Weng et al., FGD, ATC 2023, over wholly free GPUs",
    options: &[],
    rule: Choosing::Weigh(Weights { fragmentation: 1, rack_fragmentation: 18, ..Weights::ZERO }),
};
