//! A gang inside one domain of a level between the racks and the cluster: one row, one block.
//!
//! The levels that a class names are tried in their order, the kinds of nodes in theirs. Of the domains that hold all of
//! the gang the one with room for the fewest pods takes it, ties to the lower index, as Kueue's and Slurm's best fits do
//! whatever is weighed below them; inside it the gang lies as it would on a cluster of nothing else.

use super::scan::{ScannedRack, fill, rooms, span_over};
use super::{Need, needs, start};
use crate::state::place::assembly::Assembly;
use crate::state::place::{Choice, Picker, narrow};
use std::ops::Range;

/// The racks of a domain that have nodes for a gang.
pub(crate) type Domain = Vec<ScannedRack>;

/// The gang inside one domain of the first level its class names that has one for it, if there is such a level.
pub(super) fn in_one_domain(picker: &Picker<'_>, choice: &mut Choice) -> bool {
    let place = |need: Need, domain: Domain, choice: &mut Choice| {
        start(need, choice);
        if picker.occupancy.is_flat() {
            on_nodes(picker, need, &domain, choice)
        } else {
            span_over(domain, picker, need, choice)
        }
    };
    let mut on_level = |level: usize| {
        needs(picker).any(|need| {
            let mut domains = holding(picker, need, level).into_iter();
            // What the index would tell holds of the whole cluster.
            let need = Need { indexed: false, ..need };
            domains.any(|domain| place(need, domain, choice))
        })
    };
    picker.class.levels.iter().any(|level| on_level(*level as usize))
}

/// The domains of a level that have room for all equal pods of a gang, those with the least room first.
pub(crate) fn holding(picker: &Picker<'_>, need: Need, level: usize) -> Vec<Domain> {
    let (occupancy, scope) = (picker.occupancy, picker.scope());
    let domains = occupancy.domains(level);
    // Idle nodes of another kind count here too: where even they are too few, no node is looked at.
    let idle = |domain: &Range<u32>| {
        domain.clone().map(|rack| occupancy.rack_idle(scope, rack as usize)).sum::<u32>()
    };
    let counted = need.indexed && !occupancy.is_flat();
    if counted && !domains.iter().any(|domain| idle(domain) >= need.pods) {
        return Vec::new();
    }
    let mut racks = rooms(picker, need, false).into_iter().peekable();
    let own = |domain: &Range<u32>| {
        let own: Domain =
            std::iter::from_fn(|| racks.next_if(|room| narrow(room.rack) < domain.end)).collect();
        (own.iter().fold(0_u32, |sum, room| sum.saturating_add(room.capacity)), own)
    };
    let mut holding: Vec<(u32, Domain)> =
        domains.iter().map(own).filter(|(room, _)| *room >= need.pods).collect();
    // Of equals the first stays first.
    holding.sort_by_key(|(room, _)| *room);
    holding.into_iter().map(|(_, domain)| domain).collect()
}

/// The gang on a domain's nodes as if they were one rack, where racks mean nothing.
fn on_nodes(picker: &Picker<'_>, need: Need, domain: &[ScannedRack], choice: &mut Choice) -> bool {
    let nodes: Vec<usize> = domain.iter().flat_map(ScannedRack::nodes).collect();
    choice.racks = 1;
    fill(picker, need, &nodes, need.pods, true, choice) && Assembly::of(picker).takes(&choice.pieces)
}
