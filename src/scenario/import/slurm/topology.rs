use super::super::findings::{Findings, Source};
use super::super::yaml::Node;
use super::conf::Line;
use super::hostlist::names;
use crate::error::Problem;
use std::collections::BTreeMap;

/// Nodes that share a block or a switch.
#[derive(Debug)]
pub(super) struct Rack<'s> {
    pub(super) nodes: Vec<String>,
    /// Where it is told.
    pub(super) source: &'s Source,
    pub(super) line: usize,
    /// As it is called there: `SwitchName=s1`.
    pub(super) told: String,
}

/// A block or a switch as it is described: those below it by name, and its nodes.
struct Unit<'s> {
    name: String,
    below: Vec<String>,
    rack: Option<Rack<'s>>,
    source: &'s Source,
    line: usize,
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
pub(super) fn read<'s>(sources: &'s [Source], lines: &[Line<'s>], findings: &mut Findings) -> Vec<Rack<'s>> {
    let mut units = Vec::new();
    for source in sources.iter().filter(|source| !source.documents.is_empty()) {
        units.extend(yaml(source, findings));
    }
    let is_told = units.iter().any(|unit| unit.rack.is_some());
    for line in lines
        .iter()
        .filter(|line| line.begins("SwitchName") || line.begins("BlockName") || line.begins("BlockSizes"))
    {
        if line.begins("BlockSizes") {
            line.leave_out("BlockSizes", ABOVE, findings);
            continue;
        }
        units.extend(conf(line, is_told, findings));
    }
    check(&units, findings);
    units.into_iter().filter_map(|unit| unit.rack).collect()
}

/// A line of `topology.conf`; `is_told`: `topology.yaml` counts instead.
fn conf<'s>(line: &Line<'s>, is_told: bool, findings: &mut Findings) -> Option<Unit<'s>> {
    let first = &line.settings[0];
    let name = line.get(&first.key).unwrap_or_default().to_owned();
    let below = line.get("Switches").map(str::to_owned);
    line.leave_out("Switches", ABOVE, findings);
    if is_told {
        line.leave_out("Nodes", "topology.yaml tells it, as for Slurm", findings);
        return None;
    }
    let (source, number) = (line.source, line.number);
    let told = format!("{}={name}", first.key);
    let mut listed = |key: &str| {
        let text = line.get(key)?;
        let found = names(text);
        if found.is_none() {
            line.complain(text, Problem::new(format!("expected {NAMES}, found `{text}`")), findings);
        }
        found
    };
    let rack = listed("Nodes").map(|nodes| Rack { nodes, source, line: number, told });
    let below = below.and_then(|text| names(&text)).unwrap_or_default();
    Some(Unit { name, below, rack, source, line: number })
}

/// Reports what Slurm would not take: names given twice, and switches below one another in a ring.
fn check(units: &[Unit<'_>], findings: &mut Findings) {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (own, unit) in units.iter().enumerate() {
        if let Some(first) = known.get(unit.name.as_str()).map(|first| &units[*first]) {
            let problem = Problem::new(format!("`{}` is described twice", unit.name));
            let hint = format!("{}:{} describes it", first.source.name, first.line);
            findings.complain(unit.source, unit.line, problem.hint(hint));
        } else {
            known.insert(&unit.name, own);
        }
    }
    let below = |own: usize| units[own].below.iter().filter_map(|name| known.get(name.as_str()).copied());
    // Whatever has nothing open below it is taken away, as long as there is such: rings stay.
    let mut open: Vec<usize> = (0..units.len()).map(|own| below(own).count()).collect();
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    (0..units.len()).for_each(|own| below(own).for_each(|other| above[other].push(own)));
    let mut closed: Vec<usize> = (0..units.len()).filter(|own| open[*own] == 0).collect();
    while let Some(own) = closed.pop() {
        for other in &above[own] {
            open[*other] -= 1;
            if open[*other] == 0 {
                closed.push(*other);
            }
        }
    }
    let Some(first) = open.iter().position(|open| *open > 0) else { return };
    let mut ring = vec![first];
    loop {
        let next = below(ring[ring.len() - 1]).find(|own| open[*own] > 0).unwrap_or(first);
        if let Some(begin) = ring.iter().position(|own| *own == next) {
            ring.drain(..begin);
            ring.push(next);
            break;
        }
        ring.push(next);
    }
    let told: Vec<&str> = ring.iter().map(|own| units[*own].name.as_str()).collect();
    let unit = &units[ring[0]];
    let problem = Problem::new(format!("switches below one another in a ring: {}", told.join(" → ")));
    findings.complain(unit.source, unit.line, problem);
}

fn yaml<'s>(source: &'s Source, findings: &mut Findings) -> Vec<Unit<'s>> {
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
    let mut units = Vec::new();
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
            units.push(unit(source, (block, "block"), findings));
        }
        for switch in topology.at(&["tree", "switches"]).map_or(&[][..], Node::items) {
            units.push(unit(source, (switch, "switch"), findings));
        }
        let mut unread = Vec::new();
        topology.unread("", &mut unread);
        for (path, node) in unread {
            node.settle();
            let why = if path.contains("block_sizes") { ABOVE } else { "no counterpart" };
            findings.leave_out(source, node.line, format!("topology {name} {}", node.under(&path)), why);
        }
    }
    units
}

/// A block or a switch, as `kind` says.
fn unit<'s>(source: &'s Source, (node, kind): (&'s Node, &str), findings: &mut Findings) -> Unit<'s> {
    let name = node.get(kind).and_then(Node::text).unwrap_or_default();
    let below = node.get("children").map(|children| {
        children.settle();
        findings.leave_out(source, node.line, format!("{kind} {name}"), ABOVE);
        children.text().and_then(|text| names(&text)).unwrap_or_default()
    });
    let rack = node.get("nodes").and_then(|listed| {
        let nodes = listed.text().and_then(|text| names(&text));
        if nodes.is_none() {
            let problem = Problem::new(format!("expected {NAMES}, found {}", listed.told()));
            findings.complain(source, listed.line, problem);
        }
        Some(Rack { nodes: nodes?, source, line: node.line, told: format!("{kind} {name}") })
    });
    Unit { name, below: below.unwrap_or_default(), rack, source, line: node.line }
}
