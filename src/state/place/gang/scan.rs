//! A gang by looking at every node: pods of any size, CPU and memory, segments, random draws.

use super::{Need, RackCost, count_racks, fill_rack, may_hold, place_rest, rack_cost};
use crate::cluster::Piece;
use crate::state::place::assembly::{Assembly, Passed};
use crate::state::place::{Choice, Picker, lowest_bits, narrow, pod};
use std::cmp::Reverse;

/// No node holds more pods: 64 GPUs in thousandths are fewer, and of pods without GPUs more are not told apart.
const MOST_PODS: u32 = 65_535;

/// A rack, or all racks at once where they are ignored, as the scan sees it.
#[derive(Debug)]
pub(crate) struct ScannedRack {
    pub(super) rack: usize,
    nodes: Vec<usize>,
    pub(super) capacity: u32,
}

impl ScannedRack {
    /// Its nodes that the class may use.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().copied()
    }
}

/// The gang on all nodes of a kind as if they were one rack.
pub(crate) fn everywhere(picker: &Picker<'_>, need: Need, choice: &mut Choice) -> bool {
    let rooms = rooms(picker, need, true);
    let fits = rooms.first().is_some_and(|room| fill(picker, need, &room.nodes, need.pods, true, choice));
    choice.racks = count_racks(picker, &choice.pieces);
    fits
}

/// The cheapest of `rooms` that has not been passed and holds `left` pods and the remainder pod.
pub(crate) fn scanned_rack(
    picker: &Picker<'_>,
    need: Need,
    left: u32,
    (rooms, gang, passed): (&[ScannedRack], &Assembly<'_>, &Passed),
) -> Option<RackCost> {
    let holds = |room: &&ScannedRack| {
        room.capacity >= left
            && !passed.contains(room.rack)
            && may_hold(gang, need, room.rack, left, true)
            && fill(picker, need, &room.nodes, left, true, &mut Choice::default())
    };
    let cost = |room: &ScannedRack| rack_cost(picker, need, room.rack, room.capacity);
    rooms.iter().filter(holds).map(cost).min()
}

/// The gang over several racks, looking at every node: pods of any size, CPU and memory, segments, random draws.
pub(crate) fn span_scanned(picker: &Picker<'_>, need: Need, choice: &mut Choice) -> bool {
    span_over(rooms(picker, need, false), picker, need, choice)
}

/// As [`span_scanned`], of the racks told.
pub(super) fn span_over(
    mut rooms: Vec<ScannedRack>,
    picker: &Picker<'_>,
    need: Need,
    choice: &mut Choice,
) -> bool {
    let segment = picker.class.segment;
    let gives = |room: &ScannedRack| room.capacity / segment * segment;
    let mut gang = Assembly::of(picker);
    let mut left = need.pods;
    loop {
        let mut passed = Passed::default();
        while let Some((_, rack)) = scanned_rack(picker, need, left, (&rooms, &gang, &passed)) {
            let mut last = Choice::default();
            if fill_rack(picker, need, rack, left, &mut last) && gang.takes(&last.pieces) {
                choice.append(&last);
                choice.racks = count_racks(picker, &choice.pieces);
                return true;
            }
            passed.insert(rack);
        }
        passed.clear();
        let take = |room: &ScannedRack| gives(room).min(left / segment * segment);
        let (next, part) = loop {
            let may = |room: &ScannedRack| {
                !passed.contains(room.rack) && may_hold(&gang, need, room.rack, take(room), false)
            };
            let most = (0..rooms.len()).filter(|index| may(&rooms[*index])).min_by_key(|index| {
                let room = &rooms[*index];
                (Reverse(gives(room)), rack_cost(picker, need, room.rack, room.capacity))
            });
            let Some(next) = most.filter(|next| take(&rooms[*next]) > 0) else { return false };
            let mut part = Choice::default();
            fill(picker, need, &rooms[next].nodes, take(&rooms[next]), false, &mut part);
            if gang.takes(&part.pieces) {
                break (next, part);
            }
            passed.insert(rooms[next].rack);
        };
        left -= take(&rooms[next]);
        rooms.swap_remove(next);
        choice.append(&part);
    }
}

pub(crate) fn rooms(picker: &Picker<'_>, need: Need, ignore: bool) -> Vec<ScannedRack> {
    let occupancy = picker.occupancy;
    let mut rooms: Vec<ScannedRack> = Vec::new();
    for node in occupancy.nodes_of(picker.scope()).filter(|node| occupancy.kind(*node) == need.kind) {
        let rack = if ignore { 0 } else { occupancy.rack(node) as usize };
        if rooms.last().is_none_or(|room| room.rack != rack) {
            rooms.push(ScannedRack { rack, nodes: Vec::new(), capacity: 0 });
        }
        let room = rooms.last_mut().expect("a room was just pushed");
        room.nodes.push(node);
        room.capacity = room.capacity.saturating_add(pods_on(picker, need, node));
    }
    rooms
}

/// How many of the equal pods a node holds, up to all of them.
pub(crate) fn pods_on(picker: &Picker<'_>, need: Need, node: usize) -> u32 {
    room_on(picker, need, node).min(need.pods)
}

/// How many such pods a node has room for, however many the gang has.
pub(crate) fn room_on(picker: &Picker<'_>, need: Need, node: usize) -> u32 {
    let occupancy = picker.occupancy;
    let by_gpus = match need.milli {
        0 => u32::MAX,
        milli if milli < 1000 => occupancy.gpu_left(node).map(|left| left / milli).sum(),
        milli => occupancy.free_mask(node).count_ones() / (milli / 1000),
    };
    by_gpus.min(occupancy.host_pods(node, picker.class.host)).min(MOST_PODS)
}

/// Puts `pods` pods, and the remainder pod with the `last` of them, on the cheapest of `nodes`.
pub(crate) fn fill(
    picker: &Picker<'_>,
    need: Need,
    nodes: &[usize],
    pods: u32,
    last: bool,
    choice: &mut Choice,
) -> bool {
    let mut order: Vec<usize> =
        nodes.iter().copied().filter(|node| pods_on(picker, need, *node) > 0).collect();
    order.sort_by_key(|node| (picker.inside_cost(need.milli, *node), *node));
    let mut left = pods;
    let mut whole = Vec::new();
    for node in order {
        if left == 0 {
            break;
        }
        let here = pods_on(picker, need, node).min(left);
        left -= here;
        if need.whole_nodes {
            whole.push(node);
        } else {
            pods_pieces(picker, need, node, here, choice);
        }
    }
    // A node's mask is one piece, whatever the order of choice was.
    whole.sort_unstable();
    whole.into_iter().for_each(|node| choice.push_node(node));
    left == 0 && (!last || need.rest == 0 || place_rest(picker, need, nodes.iter().copied(), choice))
}

/// The pieces of `count` equal pods on one node.
pub(crate) fn pods_pieces(picker: &Picker<'_>, need: Need, node: usize, count: u32, choice: &mut Choice) {
    let occupancy = picker.occupancy;
    let mut free = occupancy.free_mask(node);
    let shares = (1..1000).contains(&need.milli);
    let mut left: Vec<u32> = if shares { occupancy.gpu_left(node).collect() } else { Vec::new() };
    for _ in 0..count {
        let piece = match need.milli {
            0 => Piece::Gpus { node: narrow(node), mask: 0 },
            milli if milli < 1000 => {
                let fits = (0..left.len()).filter(|gpu| left[*gpu] >= milli);
                let gpu = fits.min_by_key(|gpu| (left[*gpu], *gpu));
                if let Some(gpu) = gpu {
                    left[gpu] -= milli;
                }
                pod::share_piece(node, gpu.map(narrow), milli)
            }
            milli => {
                let mask = lowest_bits(free, milli / 1000);
                free &= !mask;
                Piece::Gpus { node: narrow(node), mask }
            }
        };
        choice.pieces.push(piece);
    }
}
