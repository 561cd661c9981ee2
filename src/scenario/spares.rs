//! `spares` of `[failures]`: nodes that are kept in reserve for those that fail.

use crate::cluster::Cluster;
use crate::document::{Document, Item, Mark, Placed};
use crate::error::Problem;
use crate::failure::SparePool;
use crate::units::Seconds;
use std::ops::Range;

/// What shares its spares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Each {
    Rack,
    Cluster,
}

const EACH: [(&str, Each); 2] = [("rack", Each::Rack), ("cluster", Each::Cluster)];

/// Reads `spares`: how many nodes of each rack, or a table that also says of what and how soon they take jobs.
pub(super) fn read(document: &Document, item: Item<'_>, cluster: Option<&Cluster>) -> Vec<SparePool> {
    let mark = item.mark();
    let (nodes, each, after) = if item.is_table() {
        let Some(mut table) = item.table() else { return Vec::new() };
        let nodes = table.required::<u32>("nodes");
        let each = table.choice("each", &EACH).map_or(Each::Rack, |each| each.value);
        let after = table.optional::<Seconds>("after").map_or(Seconds::ZERO, |after| after.value);
        table.finish();
        (nodes, each, after)
    } else {
        (item.read::<u32>(), Each::Rack, Seconds::ZERO)
    };
    let (Some(nodes), Some(cluster)) = (nodes, cluster) else { return Vec::new() };
    if nodes.value == 0 {
        let problem = Problem::new("`spares`: expected at least one node, found `0`");
        document.complain(nodes.mark, problem.hint("without `spares` none is kept in reserve"));
        return Vec::new();
    }
    pools(document, (&nodes, mark), cluster, each)
        .into_iter()
        .map(|own| SparePool { nodes: own, count: nodes.value, activation: after })
        .collect()
}

/// The nodes of each pool; where one has no node left to take jobs, that is complained of.
fn pools(
    document: &Document,
    (nodes, mark): (&Placed<u32>, Mark),
    cluster: &Cluster,
    each: Each,
) -> Vec<Vec<Range<u32>>> {
    let racks = || (0..).zip(&cluster.racks);
    let of_rack = |(rack, _)| std::iter::once(cluster.nodes_of_rack(rack)).collect();
    let pools: Vec<Vec<Range<u32>>> = match each {
        Each::Rack => racks().map(of_rack).collect(),
        Each::Cluster => {
            let kinds = 0..u32::try_from(cluster.kinds.len()).expect("kinds are few");
            let of_kind = |kind: u32| {
                let own = racks().filter(|(_, rack)| rack.kind == kind);
                own.map(|(rack, _)| cluster.nodes_of_rack(rack)).collect::<Vec<_>>()
            };
            kinds.map(of_kind).filter(|nodes| !nodes.is_empty()).collect()
        }
    };
    let size = |pool: &Vec<Range<u32>>| pool.iter().map(|range| range.end - range.start).sum::<u32>();
    let smallest = pools.iter().map(size).min().unwrap_or_default();
    if smallest <= nodes.value {
        let what = if each == Each::Rack { "a rack" } else { "the nodes of one kind" };
        let many = if smallest == 1 { "is 1 node".to_owned() } else { format!("are {smallest} nodes") };
        let problem =
            format!("`spares`: {} of {what}, of which there {many}: none would take jobs", nodes.value);
        let hint = "`spares = { each = \"cluster\", nodes = 16 }` keeps some of all racks together";
        document.complain(mark, Problem::new(problem).hint(hint));
        return Vec::new();
    }
    pools
}
