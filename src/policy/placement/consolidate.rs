//! Consolidate: a gang on as few nodes as can be, by the rule of Helios; no preset of the cost function.
//!
//! Up to a node's GPUs: the node with the fewest free that fits. Beyond: nodes by free GPUs, most first; as many as
//! the gang fills must be entirely free, and the next in that order must hold the remainder.
//! Hu et al., "Characterization and prediction of deep learning workloads in large-scale GPU datacenters", SC 2021.
//! O(nodes) time.

use super::{Choice, Entry, Picker, Rule, best_fit, lowest_bits, narrow, pod};
use crate::cluster::Piece;
use crate::policy::class::Form;

pub(super) const ENTRY: Entry = Entry {
    name: "consolidate",
    about: "the fewest nodes: whole free ones first, the remainder on the next fullest-free",
    source: "Hu et al., Helios, SC 2021",
    rule: Rule::Consolidate,
};

pub(super) fn choose(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    let Form::Gang { gpus } = picker.class.form else {
        return pod::choose(picker, best_fit::PREFERENCE, choice);
    };
    let mut kinds: Vec<u32> =
        picker.occupancy.nodes_of(picker.scope()).map(|node| picker.occupancy.kind(node)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().any(|kind| choose_kind(picker, kind, gpus, choice))
}

fn choose_kind(picker: &Picker<'_>, kind: u32, gpus: u32, choice: &mut Choice) -> bool {
    let occupancy = picker.occupancy;
    let host = picker.class.host;
    let free = |node: &usize| occupancy.free_mask(*node).count_ones();
    let mut nodes: Vec<usize> = occupancy
        .nodes_of(picker.scope())
        .filter(|node| occupancy.kind(*node) == kind && occupancy.host_pods(*node, host) > 0)
        .collect();
    nodes.sort_by_key(|node| (std::cmp::Reverse(free(node)), *node));
    let each = nodes.first().map_or(0, |node| occupancy.full_mask(*node).count_ones());
    if each == 0 {
        return false;
    }
    let (whole, rest) = ((gpus / each) as usize, gpus % each);
    if nodes.len() < whole || nodes[..whole].iter().any(|node| free(node) < each) {
        return false;
    }
    choice.pieces.clear();
    choice.kind = kind;
    for &node in &nodes[..whole] {
        choice.push_node(node);
    }
    if rest > 0 {
        let Some(&node) = nodes.get(whole).filter(|node| free(node) >= rest) else { return false };
        choice
            .pieces
            .push(Piece::Gpus { node: narrow(node), mask: lowest_bits(occupancy.free_mask(node), rest) });
    }
    let mut racks: Vec<u32> =
        nodes[..whole + usize::from(rest > 0)].iter().map(|node| occupancy.rack(*node)).collect();
    racks.sort_unstable();
    racks.dedup();
    choice.racks = narrow(racks.len());
    true
}
