//! Jobs that are already running at time 0, and the nodes that they are said to hold.

use super::super::quantity::{Ranges, merged};
use crate::cluster::Cluster;
use crate::document::{Document, Item, Placed};
use crate::error::Problem;
use crate::units::Gpus;
use crate::workload::{Request, Shape};

/// The nodes of `running = "0-3"`, ascending; empty for `true`, none for `false`.
pub(super) fn nodes(
    document: &Document,
    item: Item<'_>,
    cluster: Option<&Cluster>,
) -> Option<Placed<Vec<u32>>> {
    if !item.is_text() {
        let running = item.read::<bool>().filter(|running| running.value)?;
        return Some(Placed { value: Vec::new(), mark: running.mark });
    }
    let ranges: Placed<Ranges> = item.read()?;
    let last = cluster.map_or(u32::MAX, |cluster| cluster.nodes().saturating_sub(1));
    for range in &ranges.value.0 {
        if range.end - 1 > last {
            let problem = Problem::new(format!("no node `{}`", range.end - 1));
            document.complain(ranges.mark, problem.hint(format!("the last one is {last}")));
            return None;
        }
    }
    cluster?;
    Some(Placed { value: merged(ranges.value.0).into_iter().flatten().collect(), mark: ranges.mark })
}

/// Whether the nodes named can be the ones that a request holds, no more and no fewer; none named are any.
///
/// Pods go one on each node, and again in their order where there are more pods than nodes.
pub(super) fn check(cluster: &Cluster, request: &Request, nodes: &[u32]) -> Result<(), Box<Problem>> {
    if nodes.is_empty() {
        return Ok(());
    }
    let these =
        if nodes.len() == 1 { "this node".to_owned() } else { format!("these {} nodes", nodes.len()) };
    let gpus = |node: &u32| cluster.kind_of(*node).gpus;
    match request.shape {
        Shape::Pods { count, .. } if (count as usize) < nodes.len() => {
            let pods = if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") };
            let problem = Problem::new(format!("`running`: {pods} not enough to hold {these}"));
            Err(Box::new(problem.hint("name as many nodes as it has pods, or fewer: a pod sits on one node")))
        }
        Shape::Pods { count, gpus_milli_each: each } => {
            let room = |node: &u32| match each {
                0 => u64::from(u32::MAX),
                1..1000 => u64::from(gpus(node)) * u64::from(1000 / each),
                _ => u64::from(gpus(node) * 1000 / each),
            };
            if let Some(full) = nodes.iter().find(|node| room(node) == 0) {
                let problem = format!(
                    "`running`: node {full} has no room for a pod of {} GPUs",
                    Gpus::from_milli(each)
                );
                return Err(Box::new(Problem::new(problem).hint(format!("it has {}", gpus(full)))));
            }
            let room: u64 = nodes.iter().map(room).fold(0, u64::saturating_add);
            if room < u64::from(count) {
                let problem = format!(
                    "`running`: {count} pods of {} GPUs do not fit on {these}",
                    Gpus::from_milli(each)
                );
                return Err(Box::new(Problem::new(problem).hint(format!("there is room for {room}"))));
            }
            Ok(())
        }
        Shape::Any { gpus_milli } => gang(gpus_milli, nodes, &these, &gpus),
    }
}

/// A gang takes all of one node after the other.
fn gang(milli: u32, nodes: &[u32], these: &str, gpus: &dyn Fn(&u32) -> u32) -> Result<(), Box<Problem>> {
    let wanted = Gpus::from_milli(milli);
    let mut left = milli.div_ceil(1000);
    for (index, node) in nodes.iter().enumerate() {
        if left == 0 && index > 0 {
            let noun = if index == 1 { "node" } else { "nodes" };
            let problem =
                Problem::new(format!("`running`: {wanted} GPUs fill {index} {noun} and not {these}"));
            return Err(Box::new(problem.hint("say in how many pods they are: one goes on each node")));
        }
        left = left.saturating_sub(gpus(node));
    }
    if left > 0 {
        let all: u64 = nodes.iter().map(|node| u64::from(gpus(node))).sum();
        let problem = Problem::new(format!("`running`: {wanted} GPUs do not fit on {these}"));
        return Err(Box::new(problem.hint(format!("there are {all}"))));
    }
    Ok(())
}
