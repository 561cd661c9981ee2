//! A gang of several pods: the fewest racks, then the cheapest, then the cheapest nodes in them; where it names a level,
//! inside one domain of it.

mod domain;
mod scan;
mod span;

use super::assembly::{Assembly, Passed};
use super::{Cheapest, Choice, Picker, lowest_bits, narrow};
use crate::cluster::Piece;
use crate::state::class::Form;
use crate::workload::Topology;
pub(crate) use domain::holding;
use domain::in_one_domain;
pub(crate) use scan::{ScannedRack, pods_on, pods_pieces, room_on};
use scan::{everywhere, fill, rooms, scanned_rack, span_scanned};
use span::{span_by_counts, span_indexed};

/// What a gang is on nodes of one kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) kind: u32,
    /// Equal pods.
    pub(crate) pods: u32,
    /// Thousandths of each.
    pub(crate) milli: u32,
    /// Whole GPUs of one more pod; 0: none.
    pub(crate) rest: u32,
    /// Whether each pod is a whole node.
    pub(crate) whole_nodes: bool,
    /// Whether the capacity index knows the answer: it counts idle nodes, and nothing else.
    pub(crate) indexed: bool,
}

/// Where a gang of the picker's class goes.
pub(crate) fn choose(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    if ignores_racks(picker) {
        return in_one_domain(picker, choice) || anywhere(picker, choice);
    }
    let cheapest = |gang: &Assembly<'_>, refused: &Passed| {
        let one_rack = |need: Need| {
            let rack = if need.indexed {
                indexed_rack(picker, need, need.pods, (gang, refused))
            } else {
                let rooms = rooms(picker, need, false);
                scanned_rack(picker, need, need.pods, (&rooms, gang, refused))
            };
            Some((need, rack?))
        };
        let racks = needs(picker).filter_map(one_rack).min_by_key(|(_, rack)| *rack);
        racks.map(|(need, (_, rack))| (need, rack))
    };
    in_one_rack(picker, choice, cheapest) || across_racks(picker, choice)
}

/// The gang wherever there is room, whatever the racks.
fn anywhere(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    !matches!(picker.class.topology, Topology::RequireLevel(_))
        && needs(picker).any(|need| {
            start(need, choice);
            if need.indexed && picker.is_plain() {
                whole_nodes_anywhere(picker, need, choice)
            } else {
                everywhere(picker, need, choice)
            }
        })
}

/// Whether racks mean nothing to the picker's class.
pub(crate) fn ignores_racks(picker: &Picker<'_>) -> bool {
    picker.class.topology == Topology::Ignore || picker.occupancy.is_flat()
}

/// What the picker's class is on each kind of nodes, if there may be enough of them.
pub(crate) fn needs<'a>(picker: &'a Picker<'_>) -> impl Iterator<Item = Need> + 'a {
    let enough = |need: &Need| {
        let idle = || picker.occupancy.idle(picker.scope(), need.kind as usize);
        !need.indexed || need.pods <= idle() || picker.tells_refusals()
    };
    picker.class.kinds.iter().filter_map(|kind| need_on(picker, *kind)).filter(enough)
}

fn start(need: Need, choice: &mut Choice) {
    choice.clear();
    choice.kind = need.kind;
}

/// The gang in the cheapest rack that has power left for it, if there is one: `cheapest` tells it of those that have
/// not been refused.
pub(crate) fn in_one_rack(
    picker: &Picker<'_>,
    choice: &mut Choice,
    mut cheapest: impl FnMut(&Assembly<'_>, &Passed) -> Option<(Need, usize)>,
) -> bool {
    let mut gang = Assembly::of(picker);
    let mut refused = Passed::default();
    while let Some((need, rack)) = cheapest(&gang, &refused) {
        start(need, choice);
        choice.racks = 1;
        let filled = fill_rack(picker, need, rack, need.pods, choice);
        if gang.takes(&choice.pieces) {
            return filled;
        }
        refused.insert(rack);
    }
    false
}

/// The gang inside one domain of a level it names, else over as few racks as greed finds, if it may; a rack that has no
/// power left for what it would give is passed over.
pub(crate) fn across_racks(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    if in_one_domain(picker, choice) {
        return true;
    }
    !picker.class.topology.is_required()
        && needs(picker).any(|need| {
            start(need, choice);
            match need.indexed {
                true if picker.is_plain() && picker.admission.is_none() => {
                    span_by_counts(picker, need, choice)
                }
                true => span_indexed(picker, need, choice),
                false => span_scanned(picker, need, choice),
            }
        })
}

/// What the picker's class is on nodes of `kind`; none if those cannot hold any of it.
pub(crate) fn need_on(picker: &Picker<'_>, kind: u32) -> Option<Need> {
    match picker.class.form {
        Form::Gang { gpus } => {
            let each = picker.occupancy.kind_gpus(kind);
            let rest = gpus.checked_rem(each)?;
            let indexed = picker.class.host.is_none()
                && picker.class.segment == 1
                && picker.stream.is_none()
                && (rest == 0 || !picker.occupancy.has_split_gpus());
            Some(Need { kind, pods: gpus / each, milli: each * 1000, rest, whole_nodes: true, indexed })
        }
        Form::Pods { count, milli } => {
            Some(Need { kind, pods: count, milli, rest: 0, whole_nodes: false, indexed: false })
        }
        form => unreachable!("{form:?} is not a gang"),
    }
}

/// A rack's cost for a gang, and its index: the thousandths of the pods it has room for, or what stands for them.
type RackCost = (u32, usize);

fn rack_cost(picker: &Picker<'_>, need: Need, rack: usize, capacity: u32) -> RackCost {
    (picker.rack_cost(rack, (need.pods, need.milli, need.whole_nodes), capacity), rack)
}

/// The gang, or `pods` of it and the remainder pod, in one rack that holds that.
fn fill_rack(picker: &Picker<'_>, need: Need, rack: usize, pods: u32, choice: &mut Choice) -> bool {
    let (occupancy, scope) = (picker.occupancy, picker.scope());
    let in_rack = occupancy.rack_nodes(rack).map(|node| node as usize);
    let in_scope = in_rack.filter(|node| occupancy.is_up(*node) && occupancy.in_scope(scope, *node));
    if need.indexed {
        take_idle(picker, need.kind, rack, pods, choice);
        return need.rest == 0 || place_rest(picker, need, in_scope, choice);
    }
    let nodes: Vec<usize> = in_scope.collect();
    fill(picker, need, &nodes, pods, true, choice)
}

/// Idle nodes are all alike: the lowest ones, wherever they are.
fn whole_nodes_anywhere(picker: &Picker<'_>, need: Need, choice: &mut Choice) -> bool {
    let words = picker.occupancy.idle_words(picker.scope(), need.kind as usize);
    let mut left = need.pods;
    for (word, &idle) in words.iter().enumerate() {
        if left == 0 {
            break;
        }
        let take = if idle.count_ones() <= left { idle } else { lowest_bits(idle, left) };
        if take != 0 {
            left -= take.count_ones();
            choice.pieces.push(Piece::Nodes { word: narrow(word), mask: take });
        }
    }
    if left > 0 || need.rest > 0 && !rest_anywhere(picker, need, choice) {
        return false;
    }
    choice.racks = count_racks(picker, &choice.pieces);
    true
}

/// The remainder pod on the cheapest node of the kind that the gang does not hold yet; what it holds is the lowest idle
/// nodes.
fn rest_anywhere(picker: &Picker<'_>, need: Need, choice: &mut Choice) -> bool {
    let (occupancy, scope) = (picker.occupancy, picker.scope());
    if picker.class.kinds.len() > 1 {
        let of_kind = |node: &usize| occupancy.kind(*node) == need.kind;
        return place_rest(picker, need, occupancy.nodes_of(scope).filter(of_kind), choice);
    }
    let full = need.milli / 1000;
    let held = |word: usize| match choice
        .pieces
        .iter()
        .find(|piece| matches!(piece, Piece::Nodes { word: w, .. } if *w as usize == word))
    {
        Some(Piece::Nodes { mask, .. }) => *mask,
        _ => 0,
    };
    let idle = || {
        let words = occupancy.idle_words(scope, need.kind as usize).iter().enumerate();
        let left = words.map(|(word, idle)| (word, idle & !held(word))).find(|(_, left)| *left != 0);
        left.map(|(word, left)| word << 6 | left.trailing_zeros() as usize)
    };
    let lowest = |free: u32| if free == full { idle() } else { occupancy.first_with_free(scope, free) };
    let counts = occupancy.free_counts(scope, need.rest);
    let mut counts = (need.rest..=full).filter(|count| counts >> count & 1 == 1);
    let node = match picker.preference.node {
        Cheapest::Emptiest => counts.rev().find_map(lowest),
        Cheapest::Fullest => counts.find_map(lowest),
        _ => counts.filter_map(lowest).min(),
    };
    let Some(node) = node else { return false };
    choice
        .pieces
        .push(Piece::Gpus { node: narrow(node), mask: lowest_bits(occupancy.free_mask(node), need.rest) });
    true
}

/// The remainder pod on the cheapest of `nodes` that the gang does not hold yet.
fn place_rest(
    picker: &Picker<'_>,
    need: Need,
    nodes: impl Iterator<Item = usize>,
    choice: &mut Choice,
) -> bool {
    let occupancy = picker.occupancy;
    let taken = |node: usize| {
        choice.pieces.iter().any(|piece| match piece {
            Piece::Nodes { word, mask } => *word as usize == node >> 6 && mask >> (node & 63) & 1 == 1,
            Piece::Gpus { node: other, .. } | Piece::Share { node: other, .. } => *other as usize == node,
        })
    };
    let fits = |node: &usize| {
        occupancy.free_mask(*node).count_ones() >= need.rest
            && occupancy.host_pods(*node, picker.class.host) > 0
    };
    let cheapest = nodes
        .filter(fits)
        .filter(|node| !taken(*node))
        .min_by_key(|node| (picker.inside_cost(need.rest * 1000, *node), *node));
    let Some(node) = cheapest else { return false };
    choice
        .pieces
        .push(Piece::Gpus { node: narrow(node), mask: lowest_bits(occupancy.free_mask(node), need.rest) });
    true
}

/// Whether a rack might have power left for `pods` of a gang, and the remainder pod if `rest`.
fn may_hold(gang: &Assembly<'_>, need: Need, rack: usize, pods: u32, rest: bool) -> bool {
    let rest = if rest { need.rest * 1000 } else { 0 };
    gang.may_hold((rack, need.kind), (pods, need.milli, need.whole_nodes), rest)
}

/// The cheapest rack that has not been passed and holds `left` whole nodes and the remainder pod, by the index.
fn indexed_rack(
    picker: &Picker<'_>,
    need: Need,
    left: u32,
    (gang, passed): (&Assembly<'_>, &Passed),
) -> Option<RackCost> {
    let (occupancy, scope, kind) = (picker.occupancy, picker.scope(), need.kind as usize);
    let simple = need.rest == 0 && passed.is_empty() && gang.is_free();
    let usable = |rack: &usize| {
        !passed.contains(*rack)
            && holds_rest(picker, need, *rack, left)
            && may_hold(gang, need, *rack, left, true)
    };
    let first = |idle: usize| {
        let rack = if simple {
            occupancy.first_rack_with_idle(scope, kind, idle)
        } else {
            occupancy.racks_with_idle(scope, kind, idle).find(usable)
        };
        rack.map(|rack| rack_cost(picker, need, rack, narrow(idle)))
    };
    let next = |count: &usize| occupancy.next_idle_count(scope, kind, count + 1);
    let mut counts = std::iter::successors(occupancy.next_idle_count(scope, kind, left as usize), next);
    if !picker.is_plain() {
        let cheaper = |best: Option<RackCost>, (idle, rack): (usize, usize)| {
            let cost = rack_cost(picker, need, rack, narrow(idle));
            if best.is_none_or(|best| cost < best) && usable(&rack) { Some(cost) } else { best }
        };
        let racks = counts
            .flat_map(|idle| occupancy.racks_with_idle(scope, kind, idle).map(move |rack| (idle, rack)));
        return racks.fold(None, cheaper);
    }
    match picker.preference.rack {
        Cheapest::Fullest => counts.find_map(first),
        Cheapest::Emptiest => counts.filter_map(first).last(),
        _ => counts.filter_map(first).min(),
    }
}

/// Whether a rack that has `left` idle nodes or more holds the remainder pod besides.
pub(crate) fn holds_rest(picker: &Picker<'_>, need: Need, rack: usize, left: u32) -> bool {
    let (occupancy, scope) = (picker.occupancy, picker.scope());
    if need.rest == 0 || occupancy.rack_idle(scope, rack) > left {
        return true;
    }
    occupancy.rack_nodes(rack).map(|node| node as usize).any(|node| {
        let free = occupancy.free_mask(node);
        occupancy.is_up(node)
            && occupancy.in_scope(scope, node)
            && free != occupancy.full_mask(node)
            && free.count_ones() >= need.rest
    })
}

/// The `count` lowest idle nodes of a rack.
fn take_idle(picker: &Picker<'_>, kind: u32, rack: usize, count: u32, choice: &mut Choice) {
    let words = picker.occupancy.idle_words(picker.scope(), kind as usize);
    let range = picker.occupancy.rack_nodes(rack);
    let mut left = count;
    for word in range.start >> 6..=(range.end - 1) >> 6 {
        let low = range.start.saturating_sub(word << 6);
        let high = (range.end - (word << 6)).min(64);
        let inside = u64::MAX >> (64 - (high - low)) << low;
        let idle = words[word as usize] & inside;
        let take = if idle.count_ones() <= left { idle } else { lowest_bits(idle, left) };
        if take != 0 {
            left -= take.count_ones();
            choice.push_nodes(word, take);
        }
    }
    debug_assert!(left == 0, "the rack was chosen for its idle nodes");
}

/// How many racks the pieces touch; 1 on a flat cluster, and where the rate does not depend on it.
pub(crate) fn count_racks(picker: &Picker<'_>, pieces: &[Piece]) -> u32 {
    if picker.class.rate.is_some() || picker.occupancy.is_flat() {
        return 1;
    }
    let nodes = pieces.iter().flat_map(|piece| piece.nodes());
    let mut racks: Vec<u32> = nodes.map(|node| picker.occupancy.rack(node as usize)).collect();
    racks.sort_unstable();
    racks.dedup();
    narrow(racks.len())
}
