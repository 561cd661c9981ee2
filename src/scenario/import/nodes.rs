//! The cluster behind queues of Kubernetes: its nodes where they are listed, else as many as quotas add up to.

use super::Options;
use super::draft::{Change, Draft, NodeKind, Racks, platform_in};
use super::findings::Findings;
use super::objects::Object;
use super::yaml::Node;
use crate::error::Problem;
use crate::hardware::{Catalogue, Platform};
use crate::trace::{gpu_milli, quantity};

/// GPUs of some kind that queues have.
#[derive(Debug)]
pub(super) struct Flavour {
    pub(super) name: String,
    /// Texts that may tell the platform.
    pub(super) told: Vec<String>,
    pub(super) milli: u64,
}

/// A node as it is listed.
struct Listed {
    rack: usize,
    kind: NodeKind,
    is_cordoned: bool,
}

/// The label of a Topology's lowest level, where that is one node.
const HOST: &str = "kubernetes.io/hostname";

/// The labels that tell the rack of a node, from above: of the levels of a Topology, of a wanted name if there is such, all
/// but the node itself.
pub(super) fn levels(all: &[Object<'_>], wanted: &[String], findings: &mut Findings) -> Vec<String> {
    let mut levels: Option<Vec<String>> = None;
    let mut topologies: Vec<&Object<'_>> =
        all.iter().filter(|object| object.kind == "Topology" && !object.group.is_empty()).collect();
    topologies.sort_by_key(|object| !wanted.contains(&object.name));
    for object in topologies {
        let listed = object.node.at(&["spec", "levels"]).map_or(&[][..], Node::items);
        if levels.is_some() {
            object.leave_out_whole("nodes have racks of one Topology", findings);
            continue;
        }
        let labels: Vec<(String, &Node)> =
            listed.iter().filter_map(|level| Some((level.get("nodeLabel")?.text()?, level))).collect();
        let above: Vec<&(String, &Node)> = labels.iter().filter(|(label, _)| label != HOST).collect();
        for (label, level) in above.iter().rev().skip(1).map(|level| (&level.0, level.1)) {
            let why = "above a node there is the rack alone";
            object.leave_out_at(level, &format!("level {label}"), why, findings);
        }
        levels = Some(above.into_iter().map(|(label, _)| label.clone()).collect());
    }
    levels.unwrap_or_default()
}

/// The racks of a draft, from nodes, `--cluster`, or what flavours have.
pub(super) fn read_cluster(
    all: &[Object<'_>],
    flavours: &[Flavour],
    levels: &[String],
    options: &Options,
    draft: &mut Draft,
    findings: &mut Findings,
) {
    let nodes: Vec<&Object<'_>> =
        all.iter().filter(|object| object.kind == "Node" && object.group.is_empty()).collect();
    match (&options.cluster, nodes.first()) {
        (Some(cluster), Some(node)) => {
            let told = format!("`--cluster {cluster}`, and nodes are listed");
            findings.complain(
                node.source,
                node.node.line,
                Problem::new(told).hint("leave out one of the two"),
            );
        }
        (Some(cluster), None) => draft.cluster = Some(cluster.clone()),
        (None, Some(_)) => listed(&nodes, levels, draft, findings),
        (None, None) => assumed(flavours, levels, draft, findings),
    }
}

fn assumed(flavours: &[Flavour], levels: &[String], draft: &mut Draft, findings: &mut Findings) {
    if let Some(level) = levels.last() {
        findings.assume(format!("no nodes are listed, whose label {level} would tell their racks: racks as their platform has them"));
    }
    for flavour in flavours.iter().filter(|flavour| flavour.milli > 0) {
        let platform =
            flavour.told.iter().find_map(|text| platform_in(text)).unwrap_or_else(|| "generic".to_owned());
        let each = Catalogue::embedded().get(&platform).map_or(8, Platform::gpus_per_node).max(1);
        let gpus = flavour.milli.div_ceil(1000);
        let nodes = u32::try_from(gpus.div_ceil(each.into())).unwrap_or(u32::MAX);
        let kind = NodeKind { platform, gpus: each, cpu: None, memory_mib: None };
        findings.assume(format!(
            "no nodes are listed: {nodes} nodes of {each} GPUs ({}), as the quotas of {} add up to {gpus} GPUs; \
             `kubectl get nodes -o yaml` lists them, or `--cluster {nodes}x{each}x{}` tells them",
            kind.platform, flavour.name, kind.platform
        ));
        draft.add_nodes(&flavour.name, &kind, nodes, "as quotas add up");
    }
    // Where queues are wrong, what they have is not known.
    if draft.racks.is_empty() && findings.problems.is_empty() {
        let problem = Problem::new("nothing tells how many GPUs there are");
        findings.problems.push(
            problem.hint("`--cluster 64x8` tells it, or the nodes that `kubectl get nodes -o yaml` lists"),
        );
    }
}

fn listed(nodes: &[&Object<'_>], levels: &[String], draft: &mut Draft, findings: &mut Findings) {
    let mut racks: Vec<String> = Vec::new();
    let mut found: Vec<Listed> = Vec::new();
    for node in nodes {
        let label = |label: &str| node.text(&["metadata", "labels", label]);
        let place: Vec<String> = levels.iter().filter_map(|level| label(level)).collect();
        if let Some(taints) = node.node.at(&["spec", "taints"]) {
            node.leave_out_at(taints, "taints", "what a node keeps away is not told apart", findings);
        }
        let is_cordoned = node.text(&["spec", "unschedulable"]).is_some_and(|told| told == "true");
        let Some(kind) = kind(node, findings) else { continue };
        // A node of which no rack is told stands in one with all of its kind.
        let rack = if place.is_empty() { format!("\n{kind:?}") } else { place.join("/") };
        let rack = racks.iter().position(|known| *known == rack).unwrap_or_else(|| {
            racks.push(rack);
            racks.len() - 1
        });
        found.push(Listed { rack, kind, is_cordoned });
    }
    for node in nodes {
        node.node.settle();
    }
    if found.is_empty() {
        findings.complain(nodes[0].source, nodes[0].node.line, Problem::new("none of the nodes has GPUs"));
        return;
    }
    found.sort_by_key(|node| node.rack);
    fill(&found, &racks, draft, findings);
}

/// Racks of nodes that stand in their order.
fn fill(found: &[Listed], racks: &[String], draft: &mut Draft, findings: &mut Findings) {
    let mut first = 0_u32;
    for chunk in found.chunk_by(|a, b| a.rack == b.rack && a.kind == b.kind) {
        let nodes = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let (kind, rack) = (&chunk[0].kind, &racks[chunk[0].rack]);
        if rack.starts_with('\n') {
            findings.assume("no label tells the rack of some nodes: racks as their platform has them");
            draft.add_nodes(&kind.platform, kind, nodes, "nodes");
        } else {
            let (name, from) = (kind.platform.clone(), "nodes".to_owned());
            draft.add_racks(Racks { name, kind: kind.clone(), count: 1, nodes, from });
        }
        for (index, node) in (first..).zip(chunk) {
            if node.is_cordoned {
                let (state, nodes) = ("draining", std::iter::once(index..index + 1).collect());
                draft.changes.push(Change { state, nodes, from: "unschedulable".to_owned() });
            }
        }
        first = first.saturating_add(nodes);
    }
}

/// What a node is; none if it has no GPUs.
fn kind(node: &Object<'_>, findings: &mut Findings) -> Option<NodeKind> {
    let resources =
        node.node.at(&["status", "allocatable"]).or_else(|| node.node.at(&["status", "capacity"]));
    let (mut milli, mut cpu, mut memory_mib) = (0, None, None);
    for (name, amount) in resources.into_iter().flat_map(Node::entries) {
        let number = amount.scalar().and_then(quantity);
        match (name, gpu_milli(name)) {
            (_, Some((each, _))) => milli += node.milli(amount, each, findings).unwrap_or(0),
            ("cpu", _) => cpu = number.map(whole),
            ("memory", _) => memory_mib = number.map(|bytes| whole(bytes / 1_048_576.0)),
            _ => {}
        }
    }
    if milli < 1000 {
        findings.leave_out(node.source, node.node.line, node.told(), "it has no GPUs");
        return None;
    }
    let product =
        ["nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "node.kubernetes.io/instance-type"];
    let told = product.iter().filter_map(|label| node.text(&["metadata", "labels", label]));
    let platform = told.into_iter().find_map(|text| platform_in(&text)).unwrap_or_else(|| {
        findings.assume(
            "nodes whose GPUs are of no known platform are `generic`: speed 1, and they draw nothing",
        );
        "generic".to_owned()
    });
    Some(NodeKind { platform, gpus: milli / 1000, cpu, memory_mib })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
fn whole(number: f64) -> u32 {
    number.floor() as u32
}
