//! Which partitions matter to one another: those that share nodes, a quota or a cap, directly or through others.

use crate::history::Plan;
use crate::state::State;
use crate::state::class::Class;
use std::ops::Range;

/// By partition of the workload: its group; groups are numbered by their first partition.
pub(in crate::policy) fn groups(state: &State) -> Vec<usize> {
    let (plan, table) = (state.plan(), &state.classes().table);
    let partitions = plan.workload.partitions.len();
    let mut first: Vec<usize> = (0..partitions).collect();
    for a in 0..partitions {
        for b in 0..a {
            if first[a] != first[b] && are_linked(plan, table, state.caps().is_some(), (a, b)) {
                let (low, high) = (first[a].min(first[b]), first[a].max(first[b]));
                first.iter_mut().filter(|own| **own == high).for_each(|own| *own = low);
            }
        }
    }
    let mut known: Vec<usize> = first.clone();
    known.sort_unstable();
    known.dedup();
    let number = |own: &usize| known.binary_search(own).expect("each is known");
    first.iter().map(number).collect()
}

/// Whether two partitions that jobs use share nodes, the quota of a tenant, or caps that starts heed.
fn are_linked(plan: &Plan, table: &[Class], capped: bool, (a, b): (usize, usize)) -> bool {
    let of = |partition: usize| table.iter().filter(move |class| class.queue as usize == partition);
    if of(a).next().is_none() || of(b).next().is_none() {
        return false;
    }
    let nodes = |partition: usize| {
        let found = plan.cluster.partition(&plan.workload.partitions[partition]);
        found.map_or(&[][..], |partition| &partition.nodes)
    };
    let meet = |x: &Range<u32>| nodes(b).iter().any(|y| x.start < y.end && y.start < x.end);
    let tenants = |partition: usize| of(partition).filter_map(|class| class.quota_tenant);
    let share_a_quota = || tenants(a).any(|tenant| tenants(b).any(|other| other == tenant));
    capped || nodes(a).iter().any(meet) || share_a_quota()
}
