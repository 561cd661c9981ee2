//! Which partitions matter to one another: those that share nodes, a tree of quotas, a licence or a cap, directly or through others.

use crate::cluster::{Cluster, Rack};
use crate::history::Plan;
use crate::state::State;
use crate::state::class::{Class, Classes};
use std::collections::BTreeSet;
use std::ops::Range;

/// By partition of the workload: its group; groups are numbered by their first partition.
pub(in crate::policy) fn groups(state: &State) -> Vec<usize> {
    let (plan, classes) = (state.plan(), state.classes());
    let partitions = plan.workload.partitions.len();
    let capped = if state.caps().is_some() { below_caps(&plan.cluster) } else { Vec::new() };
    let mut first: Vec<usize> = (0..partitions).collect();
    for a in 0..partitions {
        for b in 0..a {
            if first[a] != first[b] && are_linked(plan, classes, &capped, (a, b)) {
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

/// Whether two partitions that jobs use share nodes, a tree of quotas, a licence, or caps that starts heed.
fn are_linked(plan: &Plan, classes: &Classes, capped: &[Vec<Range<u32>>], (a, b): (usize, usize)) -> bool {
    let of =
        |partition: usize| classes.table.iter().filter(move |class| class.partition as usize == partition);
    if of(a).next().is_none() || of(b).next().is_none() {
        return false;
    }
    let nodes = |partition: usize| {
        let found = plan.cluster.partition(&plan.workload.partitions[partition]);
        found.map_or(&[][..], |partition| &partition.nodes)
    };
    let meet = |x: &[Range<u32>], y: &[Range<u32>]| {
        x.iter().any(|x| y.iter().any(|y| x.start < y.end && y.start < x.end))
    };
    let whole = |row: u32| classes.quotas.whole(row).unwrap_or(row);
    let rows = |class: &Class| {
        let licences: Vec<u32> = class.licences.iter().map(|(row, _)| *row).collect();
        [class.quota.map(whole), class.queue].into_iter().flatten().chain(licences)
    };
    let roots = |partition: usize| of(partition).flat_map(rows).map(|row| classes.quotas.root(row));
    let share_a_quota = || roots(a).any(|root| roots(b).any(|other| other == root));
    let share_a_cap = || capped.iter().any(|below| meet(nodes(a), below) && meet(nodes(b), below));
    meet(nodes(a), nodes(b)) || share_a_quota() || share_a_cap()
}

/// The nodes below each rack, feed and site that may draw no more than so much, at any time, or rise no faster. A node with
/// a cap of its own links those that share it anyway.
fn below_caps(cluster: &Cluster) -> Vec<Vec<Range<u32>>> {
    let below = |is_below: &dyn Fn(&Rack) -> bool| {
        let racks = cluster.racks.iter().filter(|rack| is_below(rack));
        racks.map(|rack| rack.first_node..rack.first_node + rack.nodes).collect::<Vec<_>>()
    };
    let above = |rack: &Rack| {
        let parent = |feed: &u32| cluster.feeds[*feed as usize].parent;
        std::iter::successors(Some(rack.feed), parent)
    };
    let racks = cluster.racks.iter().filter(|rack| rack.cap.is_some());
    let mut all: Vec<_> = racks.map(|own| below(&|rack| rack.first_node == own.first_node)).collect();
    let curtailed = cluster.curtailments.iter().map(|curtailment| curtailment.feed);
    let limited = curtailed.chain(cluster.ramps.iter().map(|ramp| ramp.feed));
    let capped = (0..).zip(&cluster.feeds).filter(|(_, feed)| feed.cap.is_some()).map(|(index, _)| index);
    let feeds: BTreeSet<u32> = limited.chain(capped).collect();
    all.extend(feeds.iter().map(|feed| below(&|rack| above(rack).any(|above| above == *feed))));
    for (site, _) in (0..).zip(&cluster.sites).filter(|(_, site)| site.cap.is_some()) {
        all.push(below(&|rack| cluster.feeds[rack.feed as usize].site == site));
    }
    all
}
