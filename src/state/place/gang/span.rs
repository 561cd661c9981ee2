//! A gang over several racks: the fullest give all they can, and the last is the cheapest that holds the remainder.

use super::{Need, RackCost, fill_rack, indexed_rack, may_hold, rack_cost, take_idle};
use crate::state::place::assembly::{Assembly, Passed};
use crate::state::place::{Choice, Picker, narrow};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Whole nodes over several racks, where what they have idle decides alone: each of the fullest gives all, up to the last.
pub(super) fn span_by_counts(picker: &Picker<'_>, need: Need, choice: &mut Choice) -> bool {
    let (occupancy, scope, kind) = (picker.occupancy, picker.scope(), need.kind as usize);
    let with_idle =
        |idle: usize| occupancy.racks_with_idle(scope, kind, idle).map(move |rack| (narrow(idle), rack));
    let mut racks = (1..=occupancy.most_idle(scope, kind)).rev().flat_map(with_idle);
    let (mut left, mut used) = (need.pods, Passed::default());
    loop {
        let next = racks.next();
        // Where the fullest is too small, none is the last.
        if left <= next.map_or(0, |(idle, _)| idle)
            && last_rack(picker, need, left, (&mut Assembly::of(picker), &mut used), choice)
        {
            choice.racks = narrow(used.len()) + 1;
            return true;
        }
        let Some((idle, rack)) = next.filter(|_| left > 0) else { return false };
        take_idle(picker, need.kind, rack, left.min(idle), choice);
        used.insert(rack);
        left -= left.min(idle);
    }
}

/// Whole nodes over several racks, by the index.
pub(super) fn span_indexed(picker: &Picker<'_>, need: Need, choice: &mut Choice) -> bool {
    let fullest = picker.occupancy.most_idle(picker.scope(), need.kind as usize);
    let mut gang = Assembly::of(picker);
    let (mut left, mut used, mut part) = (need.pods, Passed::default(), Choice::default());
    // Racks with `most` idle nodes, the cheapest first.
    let (mut most, mut racks) = (fullest, None);
    loop {
        if last_rack(picker, need, left, (&mut gang, &mut used), choice) {
            choice.racks = narrow(used.len()) + 1;
            return true;
        }
        // A rack with too little power for all that is idle may have enough for less.
        if !gang.is_free() && left < narrow(fullest) || picker.tells_refusals() {
            (most, racks) = (fullest, None);
        }
        loop {
            if most == 0 || left == 0 {
                return false;
            }
            let take = left.min(narrow(most));
            let Some(rack) = racks.get_or_insert_with(|| by_cost(picker, need, most)).next() else {
                (most, racks) = (most - 1, None);
                continue;
            };
            if used.contains(rack) || !may_hold(&gang, need, rack, take, false) {
                continue;
            }
            part.clear();
            take_idle(picker, need.kind, rack, take, &mut part);
            if gang.takes(&part.pieces) {
                choice.append(&part);
                used.insert(rack);
                left -= take;
                break;
            }
        }
    }
}

/// What is left of a gang, `pods` and the remainder pod, in the cheapest rack not used yet that holds it and has power
/// left for it, if there is one.
fn last_rack(
    picker: &Picker<'_>,
    need: Need,
    pods: u32,
    (gang, used): (&mut Assembly<'_>, &mut Passed),
    choice: &mut Choice,
) -> bool {
    let mut refused = Vec::new();
    let found = loop {
        let Some((_, rack)) = indexed_rack(picker, need, pods, (gang, used)) else { break false };
        let mut last = Choice::default();
        if fill_rack(picker, need, rack, pods, &mut last) && gang.takes(&last.pieces) {
            choice.append(&last);
            break true;
        }
        used.insert(rack);
        refused.push(rack);
    };
    // It may still give less than all that is left.
    refused.iter().for_each(|rack| {
        used.remove(*rack);
    });
    found
}

/// The racks with so many idle nodes, the cheapest first.
fn by_cost<'a>(picker: &'a Picker<'_>, need: Need, idle: usize) -> Box<dyn Iterator<Item = usize> + 'a> {
    let racks = picker.occupancy.racks_with_idle(picker.scope(), need.kind as usize, idle);
    // What is equally free costs the same where nothing but that counts.
    if picker.is_plain() {
        return Box::new(racks);
    }
    let cost = |rack| Reverse(rack_cost(picker, need, rack, narrow(idle)));
    let mut by_cost: BinaryHeap<Reverse<RackCost>> = racks.map(cost).collect();
    Box::new(std::iter::from_fn(move || by_cost.pop().map(|Reverse((_, rack))| rack)))
}
