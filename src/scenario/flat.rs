//! Wishes for racks where every rack is one node: nobody asks about racks then.

use crate::history::Plan;
use crate::report::number::counted;
use crate::workload::{Request, Shape, Topology};

/// What to say of jobs of several nodes or pods that are to share a rack, or segments of them, on a cluster whose racks are a node
/// each, which says nothing of racks; nothing where there are none.
pub(crate) fn ignored(plan: &Plan) -> Option<String> {
    let cluster = &plan.cluster;
    if cluster.racks.iter().any(|rack| rack.nodes > 1) {
        return None;
    }
    let largest = cluster.kinds.iter().map(|kind| kind.gpus).max().unwrap_or(0);
    let is_several = |request: &Request| match request.shape {
        Shape::Any { gpus_milli } => gpus_milli / 1000 > largest,
        Shape::Pods { count, .. } => count > 1,
    };
    let is_meant = |request: &Request| {
        is_several(request) && (request.topology == Topology::RequireRack || request.segment > 1)
    };
    let is_meant: Vec<bool> = plan.workload.requests.iter().map(is_meant).collect();
    let jobs = plan.workload.jobs.iter().filter(|job| is_meant[job.request as usize]).count();
    let (word, they) = if jobs == 1 { ("is", "it runs") } else { ("are", "they run") };
    let told = || {
        format!(
            "{} of several nodes or pods {word} to share a rack, and every rack here is one node: {they} on any nodes \
             (`[[cluster.rack]]` and `--cluster 4x8xh100` make racks of several)",
            counted(jobs as u64, "job")
        )
    };
    (jobs > 0).then(told)
}
