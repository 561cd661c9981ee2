use super::super::findings::{Findings, Source};
use super::super::yaml::Node;
use super::conf::Line;
use super::hostlist::names;
use crate::error::Problem;

/// Nodes that share a block or a switch.
#[derive(Debug)]
pub(super) struct Rack {
    pub(super) nodes: Vec<String>,
    /// Where it is told.
    pub(super) from: String,
}

/// Why levels above racks are left out.
const ABOVE: &str = "above a node there is the rack alone";
const NAMES: &str = "nodes such as `node[01-18]`";

/// Whether it is `topology.yaml`.
pub(super) fn is_yaml(source: &Source) -> bool {
    source.documents.iter().any(|document| {
        let first = document.items().first();
        first.is_some_and(|first| first.get("topology").is_some())
    })
}

/// The racks that blocks or the lowest switches make: of `topology.yaml`, else of `topology.conf`.
pub(super) fn read(sources: &[Source], lines: &[Line<'_>], findings: &mut Findings) -> Vec<Rack> {
    let mut racks = Vec::new();
    for source in sources.iter().filter(|source| !source.documents.is_empty()) {
        racks.extend(yaml(source, findings));
    }
    let is_told = !racks.is_empty();
    for line in lines
        .iter()
        .filter(|line| line.begins("SwitchName") || line.begins("BlockName") || line.begins("BlockSizes"))
    {
        let first = &line.settings[0];
        if first.key.eq_ignore_ascii_case("BlockSizes") {
            line.leave_out("BlockSizes", ABOVE, findings);
            continue;
        }
        line.get(&first.key);
        line.leave_out("Switches", ABOVE, findings);
        if is_told {
            line.leave_out("Nodes", "topology.yaml tells it, as for Slurm", findings);
            continue;
        }
        let Some(text) = line.get("Nodes") else { continue };
        match names(text) {
            Some(nodes) => racks.push(Rack { nodes, from: line.source.name.clone() }),
            None => {
                let problem = Problem::new(format!("expected {NAMES}, found `{text}`"));
                line.complain(text, problem, findings);
            }
        }
    }
    racks
}

fn yaml(source: &Source, findings: &mut Findings) -> Vec<Rack> {
    let all: Vec<&Node> = source.documents.iter().flat_map(Node::items).collect();
    let is_default =
        |node: &&Node| node.get("cluster_default").and_then(Node::text).is_some_and(|told| told == "true");
    let Some(chosen) = all.iter().find(|node| is_default(node)).or(all.first()) else {
        findings.complain(
            source,
            1,
            Problem::new("no topology in it").hint("a list: `- topology: NAME`, each with `block` or `tree`"),
        );
        return Vec::new();
    };
    let mut racks = Vec::new();
    for topology in &all {
        let name = topology.get("topology").and_then(Node::text).unwrap_or_default();
        if !std::ptr::eq(*topology, *chosen) {
            topology.settle();
            findings.leave_out(
                source,
                topology.line,
                format!("topology {name}"),
                "nodes have racks of one topology",
            );
            continue;
        }
        for block in topology.at(&["block", "blocks"]).map_or(&[][..], Node::items) {
            block.get("block");
            racks.extend(rack(source, block, findings));
        }
        for switch in topology.at(&["tree", "switches"]).map_or(&[][..], Node::items) {
            let name = switch.get("switch").and_then(Node::text).unwrap_or_default();
            if let Some(children) = switch.get("children") {
                children.settle();
                findings.leave_out(source, switch.line, format!("switch {name}"), ABOVE);
            }
            racks.extend(rack(source, switch, findings));
        }
        let mut unread = Vec::new();
        topology.unread("", &mut unread);
        for (path, node) in unread {
            node.settle();
            let why = if path.contains("block_sizes") { ABOVE } else { "no counterpart" };
            findings.leave_out(source, node.line, format!("topology {name} {}", node.under(&path)), why);
        }
    }
    racks
}

fn rack(source: &Source, unit: &Node, findings: &mut Findings) -> Option<Rack> {
    let node = unit.get("nodes")?;
    let nodes = node.text().and_then(|text| names(&text));
    if nodes.is_none() {
        findings.complain(
            source,
            node.line,
            Problem::new(format!("expected {NAMES}, found {}", node.told())),
        );
    }
    Some(Rack { nodes: nodes?, from: source.name.clone() })
}
