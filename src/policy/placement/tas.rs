//! Kueue's topology-aware scheduling: room is counted in pods of the job, down the levels of the cluster, its racks and
//! its nodes ([`crate::state::place::tas`]).
//!
//! | a job's wish | Kueue's |
//! |---|---|
//! | `require-rack`, `require-` a level | required at the rack, at that level; where every rack has one node, `require-rack` is preferred |
//! | `prefer-rack`, `prefer-` a level | preferred there |
//! | `ignore` | unconstrained |
//! | `segment` | slices of so many pods, each in one rack; what they do not divide finds no place |
//!
//! A job lies on nodes of one kind, the first in order that has room. One pod is a gang of one. A gang of whole nodes and a
//! remainder counts the remainder as one more whole node; the last of its nodes holds it. Caps on power are looked at
//! where one pod goes; a gang whose place breaks one waits.
//!
//! `tas` is what Kueue does unless told otherwise: best fit, and for `ignore` the least free first; `tas-least-free` takes
//! the least free first whatever the wish (its gate `TASProfileLeastFreeCapacity`).
//!
//! O(levels · nodes log nodes) for a job.

use super::{Choosing, ListedPlacement};
use crate::cluster::Piece;
use crate::state::class::Form;
use crate::state::place::gang::{self, Need};
use crate::state::place::tas::{Domains, Slices, Wish};
use crate::state::place::{Choice, Picker, lowest_bits, narrow, pod};
use crate::workload::Topology;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "tas",
    about: "Kueue's: the domain with the least room that holds the gang, level by level; few racks, then few nodes",
    source: "Kubernetes SIGs, Kueue 0.20-devel, KEP-2724",
    options: &[],
    rule: Choosing::Levels { least_free: false },
};

/// Where a job of the picker's class goes; false if it finds no place.
pub(super) fn choose(picker: &Picker<'_>, least_free: bool, choice: &mut Choice) -> bool {
    picker.class.kinds.iter().any(|kind| {
        let need =
            if picker.class.is_gang() { gang::need_on(picker, *kind) } else { Some(one_pod(picker, *kind)) };
        need.is_some_and(|need| on_kind(picker, need, least_free, choice))
    })
}

/// One pod on nodes of a kind, as a gang of one.
fn one_pod(picker: &Picker<'_>, kind: u32) -> Need {
    let milli = pod::milli(picker.class);
    Need { kind, pods: 1, milli, rest: 0, whole_nodes: false, indexed: false }
}

fn on_kind(picker: &Picker<'_>, need: Need, least_free: bool, choice: &mut Choice) -> bool {
    let occupancy = picker.occupancy;
    let pods = need.pods.saturating_add(u32::from(need.rest > 0));
    // Most gangs that find no place lack idle nodes, which are counted.
    if need.whole_nodes && pods > occupancy.idle(picker.scope(), need.kind as usize) {
        return false;
    }
    let of_kind = |node: &usize| occupancy.kind(*node) == need.kind;
    let nodes: Vec<usize> = occupancy.nodes_of(picker.scope()).filter(of_kind).collect();
    let Some(assigned) = assign(picker, need, (&nodes, pods), least_free) else { return false };
    choice.clear();
    choice.kind = need.kind;
    let held: Vec<(usize, u32)> = nodes.into_iter().zip(assigned).filter(|(_, pods)| *pods > 0).collect();
    match picker.class.form {
        Form::Gang { .. } => {
            let (last, whole) =
                if need.rest > 0 { held.split_last().unzip() } else { (None, Some(&held[..])) };
            whole.into_iter().flatten().for_each(|(node, _)| choice.push_node(*node));
            choice.pieces.extend(last.map(|(node, _)| Piece::Gpus {
                node: narrow(*node),
                mask: lowest_bits(occupancy.free_mask(*node), need.rest),
            }));
        }
        Form::Pods { .. } => {
            held.into_iter().for_each(|(node, pods)| gang::pods_pieces(picker, need, node, pods, choice));
        }
        _ => held.into_iter().for_each(|(node, _)| pod::put(picker, node, choice)),
    }
    choice.racks = if picker.class.is_gang() { gang::count_racks(picker, &choice.pieces) } else { 1 };
    true
}

/// How many of so many pods go to each of some nodes; `None` if they find no place.
fn assign(
    picker: &Picker<'_>,
    need: Need,
    (nodes, pods): (&[usize], u32),
    least_free: bool,
) -> Option<Vec<u32>> {
    let (occupancy, class) = (picker.occupancy, picker.class);
    let room = |node: &usize| match class.is_gang() {
        true => gang::room_on(picker, need, *node),
        false if pod::fits(picker, *node) => gang::room_on(picker, need, *node),
        false => 0,
    };
    let room: Vec<u32> = nodes.iter().map(room).collect();
    let levels = occupancy.levels();
    let slices = match class.segment {
        segment if segment > 1 && class.is_gang() => Slices { pods: segment, level: levels },
        _ => Slices { pods: 1, level: levels + 1 },
    };
    // Where a cluster lacks a level, its racks stand for it.
    let level = class.levels.first().map_or(levels, |level| *level as usize);
    let wish = match class.topology {
        Topology::Ignore => Wish::Anywhere,
        Topology::RequireRack if occupancy.is_flat() => Wish::Preferred(levels),
        topology if topology.is_required() => Wish::Required(level),
        _ => Wish::Preferred(level),
    };
    let domains = Domains::new(parents(picker, nodes), room);
    let domains = if least_free { domains.least_free() } else { domains };
    domains.assign(pods, wish, slices)
}

/// The tree above some nodes, ascending: by level of the cluster, of their racks, and of themselves, what each is below.
fn parents(picker: &Picker<'_>, nodes: &[usize]) -> Vec<Vec<usize>> {
    let occupancy = picker.occupancy;
    let mut racks: Vec<u32> = nodes.iter().map(|node| occupancy.rack(*node)).collect();
    racks.dedup();
    // The domain that a rack lies in is the last that begins before it, or with it.
    let inside =
        |level: usize, rack: u32| occupancy.domains(level).partition_point(|domain| domain.start <= rack) - 1;
    let mut parents = Vec::new();
    for level in 0..occupancy.levels() {
        let above = |domain: &std::ops::Range<u32>| {
            level.checked_sub(1).map_or(0, |above| inside(above, domain.start))
        };
        parents.push(occupancy.domains(level).iter().map(above).collect());
    }
    let of_rack = |rack: &u32| occupancy.levels().checked_sub(1).map_or(0, |level| inside(level, *rack));
    parents.push(racks.iter().map(of_rack).collect());
    let own = |node: &usize| racks.partition_point(|rack| *rack < occupancy.rack(*node));
    parents.push(nodes.iter().map(own).collect());
    parents
}
