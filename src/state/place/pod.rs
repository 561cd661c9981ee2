//! One pod: the cheapest node that holds it.

use super::assembly::Assembly;
use super::{Cheapest, Choice, Picker, lowest_bits, narrow};
use crate::cluster::{Host, Occupancy, Piece};
use crate::state::class::{Class, Form};
use std::cell::Cell;

/// The cheapest node for a class of one pod.
#[inline]
pub(crate) fn choose(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    let node = match picker.class.form {
        Form::Pod { gpus } if indexed(picker) && gpus > 0 => {
            let cheapest = from_index(picker, picker.preference.node, gpus);
            // The index knows of no caps; where they do not refuse the cheapest of all, it is the cheapest.
            if cheapest.is_none_or(|node| has_power(picker, node)) { cheapest } else { from_scan(picker) }
        }
        _ => from_scan(picker),
    };
    let Some(node) = node else { return false };
    put(picker, node, choice);
    true
}

/// The share of a pod on this GPU of a node, which holds it.
pub(crate) fn put_share(picker: &Picker<'_>, node: usize, gpu: u32, choice: &mut Choice) {
    choice.kind = picker.occupancy.kind(node);
    choice.pieces.push(share_piece(node, Some(gpu), milli(picker.class)));
}

/// The pod on a node that holds it.
pub(crate) fn put(picker: &Picker<'_>, node: usize, choice: &mut Choice) {
    choice.kind = picker.occupancy.kind(node);
    choice.pieces.push(piece_on(picker, node));
}

/// Whether the capacity index knows the answer, caps on power aside: it counts wholly free GPUs of nodes, and nothing
/// else.
pub(crate) fn indexed(picker: &Picker<'_>) -> bool {
    let preference = picker.preference;
    let by_rack = preference.rack_first && !picker.occupancy.is_flat();
    !by_rack
        && picker.is_plain()
        && picker.class.host.is_none()
        && (preference.node == Cheapest::Lowest || !picker.occupancy.has_split_gpus())
}

fn from_index(picker: &Picker<'_>, cheapest: Cheapest, gpus: u32) -> Option<usize> {
    let (occupancy, scope) = (picker.occupancy, picker.scope());
    let mut counts = occupancy.free_counts(scope, gpus);
    if counts == 0 {
        return None;
    }
    let lowest = |count: u32| occupancy.first_with_free(scope, count);
    match cheapest {
        Cheapest::Emptiest => lowest(127 - counts.leading_zeros()),
        Cheapest::Fullest => lowest(counts.trailing_zeros()),
        _ => std::iter::from_fn(|| {
            let count = (counts != 0).then(|| counts.trailing_zeros())?;
            counts &= counts - 1;
            lowest(count)
        })
        .min(),
    }
}

fn from_scan(picker: &Picker<'_>) -> Option<usize> {
    let occupancy = picker.occupancy;
    // Racks whose chain lacks the power are not looked into.
    let (above, last) = (Assembly::of(picker), Cell::new((usize::MAX, false)));
    let powered = |node: &usize| {
        let Some(admission) = picker.admission else { return true };
        let rack = occupancy.rack(*node) as usize;
        if last.get().0 != rack {
            let watts = admission.watts(occupancy.kind(*node), milli(picker.class));
            last.set((rack, above.may_draw(rack, watts)));
        }
        last.get().1
    };
    let mut nodes = occupancy.nodes_of(picker.scope()).filter(powered).filter(|node| fits(picker, *node));
    if picker.is_plain() && picker.preference.node == Cheapest::Lowest && !picker.preference.rack_first {
        return nodes.next();
    }
    if picker.stream.is_some() {
        return nodes.min_by_key(|node| (picker.pod_cost(*node), *node));
    }
    let mut met = Met::default();
    nodes.filter(|node| met.is_first(occupancy, *node)).min_by_key(|node| (picker.pod_cost(*node), *node))
}

/// How many free GPUs nodes of a rack have that have been met: others of it with as many, and no GPU that is shared, cost
/// the same, and the lowest is taken.
#[derive(Debug, Default)]
struct Met {
    rack: u32,
    /// A bit for each number of GPUs.
    counts: u128,
}

impl Met {
    fn is_first(&mut self, occupancy: &Occupancy, node: usize) -> bool {
        let (rack, free) = (occupancy.rack(node), occupancy.free_mask(node).count_ones());
        if occupancy.free_milli(node) != free * 1000 {
            return true;
        }
        if rack != self.rack {
            *self = Self { rack, counts: 0 };
        }
        let met = self.counts >> free & 1 == 1;
        self.counts |= 1 << free;
        !met
    }
}

/// Whether a node of its scope that takes new pods holds the pod.
pub(crate) fn fits(picker: &Picker<'_>, node: usize) -> bool {
    let occupancy = picker.occupancy;
    let free = match picker.class.form {
        Form::Pod { gpus } => occupancy.free_mask(node).count_ones() >= gpus,
        Form::Share { milli } => occupancy.share_gpu(node, milli).is_some(),
        _ => return false,
    };
    free && occupancy.host_pods(node, picker.class.host) > 0 && has_power(picker, node)
}

/// Whether a node has power left for the pod.
pub(crate) fn has_power(picker: &Picker<'_>, node: usize) -> bool {
    picker.admission.is_none_or(|admission| admission.admits_pod(node, milli(picker.class)))
}

/// Thousandths of GPUs of a class of one pod.
pub(crate) fn milli(class: &Class) -> u32 {
    match class.form {
        Form::Share { milli } => milli,
        Form::Pod { gpus } => gpus * 1000,
        form => unreachable!("{form:?} is not one pod"),
    }
}

/// What one pod holds on a node that fits it: the lowest free GPUs, or a share of the fullest that has room.
fn piece_on(picker: &Picker<'_>, node: usize) -> Piece {
    piece_of(picker.occupancy, picker.class.host, node, milli(picker.class))
        .expect("the node was chosen because it has room")
}

/// What a pod of so many thousandths holds on a node; `None` if it does not fit.
pub(crate) fn piece_of(occupancy: &Occupancy, host: Host, node: usize, milli: u32) -> Option<Piece> {
    if !occupancy.is_up(node) || occupancy.host_pods(node, host) == 0 {
        return None;
    }
    if (1..1000).contains(&milli) {
        return Some(share_piece(node, Some(occupancy.share_gpu(node, milli)?), milli));
    }
    let (free, gpus) = (occupancy.free_mask(node), milli / 1000);
    if free.count_ones() < gpus {
        return None;
    }
    let whole = gpus > 0 && free.count_ones() == gpus && free == occupancy.full_mask(node);
    Some(if whole {
        Piece::Nodes { word: narrow(node >> 6), mask: 1 << (node & 63) }
    } else {
        Piece::Gpus { node: narrow(node), mask: lowest_bits(free, gpus) }
    })
}

pub(crate) fn share_piece(node: usize, gpu: Option<u32>, milli: u32) -> Piece {
    let narrow16 =
        |number: u32| u16::try_from(number).expect("a node has at most 64 GPUs of 1000 thousandths");
    let gpu = gpu.expect("the node was chosen because a GPU has room");
    Piece::Share { node: narrow(node), gpu: narrow16(gpu), milli: narrow16(milli) }
}
