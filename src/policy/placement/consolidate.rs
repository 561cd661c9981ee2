//! Consolidate: a gang on as few nodes as can be, by the rule of Helios; no preset of the cost function.
//!
//! Up to a node's GPUs: the node with the fewest free that fits. Beyond: nodes by free GPUs, most first; as many as
//! the gang fills must be entirely free, and the next in that order must hold the remainder. Equal pods go to nodes
//! in the same order, each taking as many as it has room for. Racks are never looked at;
//! a gang that names a level is placed so inside one domain of it, the one that has room for the fewest pods.
//! Hu et al., "Characterization and prediction of deep learning workloads in large-scale GPU datacenters", SC 2021.
//! O(nodes) time.

use super::{Choosing, ListedPlacement};
use crate::cluster::Piece;
use crate::state::class::Form;
use crate::state::place::assembly::Assembly;
use crate::state::place::gang::{self, Need, ScannedRack};
use crate::state::place::{Choice, Picker, lowest_bits, narrow, pod};
use crate::workload::Topology;

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
            in_one_domain(picker, choice)
                || !matches!(picker.class.topology, Topology::RequireLevel(_))
                    && picker.class.kinds.iter().any(|kind| {
                        let nodes = picker.occupancy.nodes_of(picker.scope());
                        gang::need_on(picker, *kind)
                            .is_some_and(|need| choose_kind(picker, need, nodes, choice))
                    })
        }
        _ => pod::choose(picker, choice),
    }
}

/// Inside one domain of the first level the class names that has one for it, if there is such a level.
fn in_one_domain(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    let mut on_level = |level: usize| {
        gang::needs(picker).any(|need| {
            let mut domains = gang::holding(picker, need, level).into_iter();
            domains.any(|domain| {
                let nodes = domain.iter().flat_map(ScannedRack::nodes);
                choose_kind(picker, need, nodes, choice) && Assembly::of(picker).takes(&choice.pieces)
            })
        })
    };
    picker.class.levels.iter().any(|level| on_level(*level as usize))
}

/// Of a kind of nodes, these.
fn choose_kind(
    picker: &Picker<'_>,
    need: Need,
    nodes: impl Iterator<Item = usize>,
    choice: &mut Choice,
) -> bool {
    let (occupancy, kind) = (picker.occupancy, need.kind);
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
    let mut nodes: Vec<usize> = nodes.filter(usable).collect();
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
