//! Consolidate: a gang on as few nodes as can be, by the rule of Helios; no preset of the cost function.
//!
//! Up to a node's GPUs: the node with the fewest free that fits. Beyond: nodes by free GPUs, most first; as many as
//! the gang fills must be entirely free, and the next in that order must hold the remainder. Equal pods go to nodes
//! in the same order, each taking as many as it has room for. Racks are never looked at.
//! Hu et al., "Characterization and prediction of deep learning workloads in large-scale GPU datacenters", SC 2021.
//! O(nodes) time.

use super::{Choosing, ListedPlacement};
use crate::cluster::Piece;
use crate::state::class::Form;
use crate::state::place::{Choice, Picker, gang, lowest_bits, narrow, pod};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "consolidate",
    about: "the fewest nodes: whole free ones first, the remainder on the next fullest-free",
    source: "Hu et al., Helios, SC 2021",
    options: &[],
    rule: Choosing::Consolidate,
};

pub(super) fn choose(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    match picker.class.form {
        Form::Gang { .. } | Form::Pods { .. } => {
            picker.class.kinds.iter().any(|kind| choose_kind(picker, *kind, choice))
        }
        _ => pod::choose(picker, choice),
    }
}

fn choose_kind(picker: &Picker<'_>, kind: u32, choice: &mut Choice) -> bool {
    let occupancy = picker.occupancy;
    let Some(need) = gang::need_on(picker, kind) else { return false };
    // Most gangs that find no place lack idle nodes, which are counted.
    if need.whole_nodes && need.pods > occupancy.idle(picker.scope(), kind as usize) {
        return false;
    }
    choice.clear();
    choice.kind = kind;
    let usable = |node: &usize| {
        occupancy.kind(*node) == kind
            && occupancy.host_pods(*node, picker.class.host) > 0
            && (need.milli == 0 || occupancy.free_milli(*node) > 0)
    };
    let mut nodes: Vec<usize> = occupancy.nodes_of(picker.scope()).filter(usable).collect();
    nodes.sort_by_key(|node| (std::cmp::Reverse(occupancy.free_milli(*node)), *node));
    let mut order = nodes.into_iter();
    let mut whole = Vec::new();
    let mut left = need.pods;
    while left > 0 {
        let Some(node) = order.next() else { return false };
        let here = gang::pods_on(picker, need, node).min(left);
        if here == 0 && need.whole_nodes {
            return false;
        }
        left -= here;
        if need.whole_nodes {
            whole.push(node);
        } else {
            gang::pods_pieces(picker, need, node, here, choice);
        }
    }
    whole.sort_unstable();
    whole.into_iter().for_each(|node| choice.push_node(node));
    if need.rest > 0 {
        let fits = |node: &usize| occupancy.free_mask(*node).count_ones() >= need.rest;
        let Some(node) = order.next().filter(fits) else { return false };
        choice.pieces.push(Piece::Gpus {
            node: narrow(node),
            mask: lowest_bits(occupancy.free_mask(node), need.rest),
        });
    }
    choice.racks = gang::count_racks(picker, &choice.pieces);
    true
}
