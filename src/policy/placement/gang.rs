//! A gang of several pods: the fewest racks, then the cheapest, then the cheapest nodes in them.

use super::{Cheapest, Choice, Picker, Preference, lowest_bits, narrow, pod};
use crate::cluster::{Occupancy, Piece};
use crate::policy::class::Form;
use crate::workload::Topology;

/// What a gang is on nodes of one kind.
#[derive(Debug, Clone, Copy)]
struct Need {
    kind: u32,
    /// Equal pods.
    pods: u32,
    /// Thousandths of each.
    milli: u32,
    /// Whole GPUs of one more pod; 0: none.
    rest: u32,
    /// Whether each pod is a whole node.
    whole_nodes: bool,
}

/// Where a gang of the picker's class goes, trying the kinds of nodes in their order.
pub(super) fn choose(picker: &Picker<'_>, preference: Preference, choice: &mut Choice) -> bool {
    let occupancy = picker.occupancy;
    for kind in 0..occupancy.kinds() {
        let Some(need) = need_on(picker, kind) else { continue };
        choice.pieces.clear();
        choice.kind = kind;
        let indexed = need.whole_nodes
            && picker.class.host.is_none()
            && picker.class.segment == 1
            && preference.node != Cheapest::Draw
            && (need.rest == 0 || !occupancy.has_split_gpus());
        if indexed && need.pods > occupancy.idle(picker.scope(), kind as usize) {
            continue;
        }
        let ignore = picker.class.topology == Topology::Ignore || occupancy.is_flat();
        let found = match (indexed, ignore) {
            (true, true) => whole_nodes_anywhere(picker, preference, need, choice),
            (true, false) => whole_nodes_in_racks(picker, preference, need, choice),
            (false, _) => from_scan(picker, preference, need, ignore, choice),
        };
        if found {
            return true;
        }
    }
    false
}

fn need_on(picker: &Picker<'_>, kind: u32) -> Option<Need> {
    match picker.class.form {
        Form::Gang { gpus } => {
            let each = picker.occupancy.kind_gpus(kind);
            (each > 0).then(|| Need {
                kind,
                pods: gpus / each,
                milli: each * 1000,
                rest: gpus % each,
                whole_nodes: true,
            })
        }
        Form::Pods { count, milli } => Some(Need { kind, pods: count, milli, rest: 0, whole_nodes: false }),
        form => unreachable!("{form:?} is not a gang"),
    }
}

/// Idle nodes are all alike: the lowest ones, wherever they are.
fn whole_nodes_anywhere(
    picker: &Picker<'_>,
    preference: Preference,
    need: Need,
    choice: &mut Choice,
) -> bool {
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
    if need.rest > 0 {
        let nodes = picker.occupancy.nodes_of(picker.scope());
        let others = nodes.filter(|node| picker.occupancy.kind(*node) == need.kind);
        if !place_rest(picker, preference, need, others, choice) {
            return false;
        }
    }
    choice.racks = if picker.occupancy.is_flat() { 1 } else { count_racks(picker.occupancy, &choice.pieces) };
    true
}

/// The remainder pod on the cheapest of `nodes` that the gang does not hold yet.
fn place_rest(
    picker: &Picker<'_>,
    preference: Preference,
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
        .min_by_key(|node| (picker.node_cost(preference.node, *node), *node));
    let Some(node) = cheapest else { return false };
    choice
        .pieces
        .push(Piece::Gpus { node: narrow(node), mask: lowest_bits(occupancy.free_mask(node), need.rest) });
    true
}

/// Whole nodes by the index of racks: one rack, else the fewest.
fn whole_nodes_in_racks(
    picker: &Picker<'_>,
    preference: Preference,
    need: Need,
    choice: &mut Choice,
) -> bool {
    let (occupancy, scope) = (picker.occupancy, picker.scope());
    let most = occupancy.most_idle(scope, need.kind as usize);
    let mut left = need.pods;
    let mut used = Vec::new();
    let mut fullest = most;
    loop {
        if let Some(rack) = one_rack(picker, preference, need, left, &used) {
            take_idle(picker, need.kind, rack, left, choice);
            let in_rack = occupancy.rack_nodes(rack).map(|node| node as usize);
            let in_scope = in_rack.filter(|node| occupancy.is_up(*node) && occupancy.in_scope(scope, *node));
            choice.racks = narrow(used.len()) + 1;
            return need.rest == 0 || place_rest(picker, preference, need, in_scope, choice);
        }
        if picker.class.topology == Topology::RequireRack {
            return false;
        }
        // Racks that give all they can, most first.
        let next = loop {
            if fullest == 0 {
                return false;
            }
            let racks = occupancy.racks_with_idle(scope, need.kind as usize, fullest);
            if let Some(rack) = racks.into_iter().find(|rack| !used.contains(rack)) {
                break rack;
            }
            fullest -= 1;
        };
        let take = left.min(narrow(fullest));
        if take == left && need.rest == 0 {
            unreachable!("a rack with room for the rest is taken as the last one");
        }
        take_idle(picker, need.kind, next, take, choice);
        left -= take;
        used.push(next);
    }
}

/// The cheapest rack not used yet that holds `left` whole nodes and the remainder pod.
fn one_rack(
    picker: &Picker<'_>,
    preference: Preference,
    need: Need,
    left: u32,
    used: &[usize],
) -> Option<usize> {
    let (occupancy, scope, kind) = (picker.occupancy, picker.scope(), need.kind as usize);
    let most = occupancy.most_idle(scope, kind);
    let simple = need.rest == 0 && used.is_empty();
    let first = |idle: usize| {
        if simple {
            return occupancy.first_rack_with_idle(scope, kind, idle);
        }
        let racks = occupancy.racks_with_idle(scope, kind, idle);
        racks.into_iter().find(|rack| !used.contains(rack) && holds_rest(picker, need, *rack, left))
    };
    let counts = left as usize..=most;
    match preference.rack {
        Cheapest::Fullest => counts.into_iter().find_map(first),
        Cheapest::Emptiest => counts.rev().find_map(first),
        _ => counts.filter_map(first).min(),
    }
}

/// Whether a rack that has `left` idle nodes or more holds the remainder pod besides.
fn holds_rest(picker: &Picker<'_>, need: Need, rack: usize, left: u32) -> bool {
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
            match choice.pieces.last_mut() {
                Some(Piece::Nodes { word: last, mask }) if *last == word => *mask |= take,
                _ => choice.pieces.push(Piece::Nodes { word, mask: take }),
            }
        }
    }
    debug_assert!(left == 0, "the rack was chosen for its idle nodes");
}

fn count_racks(occupancy: &Occupancy, pieces: &[Piece]) -> u32 {
    let mut racks: Vec<u32> =
        pieces.iter().flat_map(|piece| piece.nodes()).map(|node| occupancy.rack(node as usize)).collect();
    racks.sort_unstable();
    racks.dedup();
    narrow(racks.len())
}

/// A rack, or all racks at once where they are ignored, as the scan sees it.
#[derive(Debug)]
struct Room {
    rack: usize,
    nodes: Vec<usize>,
    capacity: u32,
}

/// The same choice by looking at every node: pods of any size, CPU and memory, segments, random draws.
fn from_scan(
    picker: &Picker<'_>,
    preference: Preference,
    need: Need,
    ignore: bool,
    choice: &mut Choice,
) -> bool {
    let mut rooms = rooms(picker, need, ignore);
    let segment = picker.class.segment;
    let gives = |room: &Room| room.capacity / segment * segment;
    let mut left = need.pods;
    let mut used = 0;
    loop {
        let holds = |room: &Room| {
            room.capacity >= left && fill(picker, preference, need, room, left, true, &mut Choice::default())
        };
        let cheapest = (0..rooms.len()).filter(|index| holds(&rooms[*index])).min_by_key(|index| {
            let room = &rooms[*index];
            (picker.rack_cost(preference.rack, room.rack, room.capacity), room.rack)
        });
        if let Some(last) = cheapest {
            fill(picker, preference, need, &rooms[last], left, true, choice);
            choice.racks =
                if picker.occupancy.is_flat() { 1 } else { count_racks(picker.occupancy, &choice.pieces) };
            return true;
        }
        if ignore || picker.class.topology == Topology::RequireRack {
            return false;
        }
        let most = (0..rooms.len()).filter(|index| gives(&rooms[*index]) > 0).min_by_key(|index| {
            let room = &rooms[*index];
            let cost = picker.rack_cost(preference.rack, room.rack, room.capacity);
            (std::cmp::Reverse(gives(room)), cost, room.rack)
        });
        let Some(next) = most else { return false };
        let room = rooms.swap_remove(next);
        let take = gives(&room).min(left / segment * segment);
        if take == 0 {
            return false;
        }
        fill(picker, preference, need, &room, take, false, choice);
        left -= take;
        used += 1;
        debug_assert!(used <= picker.occupancy.racks(), "every rack is used once");
    }
}

fn rooms(picker: &Picker<'_>, need: Need, ignore: bool) -> Vec<Room> {
    let occupancy = picker.occupancy;
    let mut rooms: Vec<Room> = Vec::new();
    for node in occupancy.nodes_of(picker.scope()).filter(|node| occupancy.kind(*node) == need.kind) {
        let rack = if ignore { 0 } else { occupancy.rack(node) as usize };
        if rooms.last().is_none_or(|room| room.rack != rack) {
            rooms.push(Room { rack, nodes: Vec::new(), capacity: 0 });
        }
        let room = rooms.last_mut().expect("a room was just pushed");
        room.nodes.push(node);
        room.capacity = room.capacity.saturating_add(pods_on(picker, need, node));
    }
    rooms
}

/// How many of the equal pods a node holds.
fn pods_on(picker: &Picker<'_>, need: Need, node: usize) -> u32 {
    let occupancy = picker.occupancy;
    let by_gpus = match need.milli {
        0 => u32::MAX,
        milli if milli < 1000 => occupancy.gpu_left(node).map(|left| left / milli).sum(),
        milli => occupancy.free_mask(node).count_ones() / (milli / 1000),
    };
    by_gpus.min(occupancy.host_pods(node, picker.class.host)).min(need.pods)
}

/// Puts `pods` pods, and the remainder pod with the `last` of them, on the cheapest nodes of a room.
fn fill(
    picker: &Picker<'_>,
    preference: Preference,
    need: Need,
    room: &Room,
    pods: u32,
    last: bool,
    choice: &mut Choice,
) -> bool {
    let mut order: Vec<usize> =
        room.nodes.iter().copied().filter(|node| pods_on(picker, need, *node) > 0).collect();
    order.sort_by_key(|node| (picker.node_cost(preference.node, *node), *node));
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
    for node in whole {
        choice.push_node(node);
    }
    left == 0
        && (!last
            || need.rest == 0
            || place_rest(picker, preference, need, room.nodes.iter().copied(), choice))
}

/// The pieces of `count` equal pods on one node.
fn pods_pieces(picker: &Picker<'_>, need: Need, node: usize, count: u32, choice: &mut Choice) {
    let occupancy = picker.occupancy;
    let mut free = occupancy.free_mask(node);
    let mut left: Vec<u32> =
        if (1..1000).contains(&need.milli) { occupancy.gpu_left(node).collect() } else { Vec::new() };
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
