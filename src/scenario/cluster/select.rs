use super::super::quantity::{Ranges, merged, ranges};
use super::Group;
use super::feeds::{is_new, unknown};
use crate::cluster::{Cluster, Partition};
use crate::document::{Document, Placed, Table};
use crate::error::Problem;
use crate::units::Gpus;
use crate::workload::Workload;
use std::ops::Range;

/// Reads `[[partition]]` into `cluster`.
pub(super) fn partitions(
    document: &Document,
    table: &mut Table<'_>,
    groups: &[Group],
    cluster: &mut Cluster,
) {
    let mut names: Vec<Placed<String>> = Vec::new();
    for mut partition in table.tables("partition") {
        let name = partition.required::<String>("name");
        let nodes = nodes(document, &mut partition, groups, cluster);
        let tier = partition.value_or("tier", 0);
        let limit_milli = partition.optional::<Gpus>("limit").map(|limit| limit.value.milli());
        partition.finish();
        let Some(name) = name else { continue };
        if name.value == Workload::DEFAULT_PARTITION {
            let problem = Problem::new("partition `all` is every node, and there from the start");
            document.complain(name.mark, problem);
        } else if is_new(document, "partition", &name, names.iter()) {
            // A wrong one keeps its name, so that what refers to it is not reported as well.
            cluster.partitions.push(Partition {
                tier,
                limit_milli,
                ..Partition::new(name.value.clone(), nodes)
            });
            names.push(name);
        }
    }
}

/// The nodes that `nodes`, `racks` and `platforms` of a table name together.
pub(super) fn nodes(
    document: &Document,
    table: &mut Table<'_>,
    groups: &[Group],
    cluster: &Cluster,
) -> Vec<Range<u32>> {
    let mut chosen = Vec::new();
    if let Some(nodes) = table.optional::<Ranges>("nodes") {
        for range in &nodes.value.0 {
            if range.end > cluster.nodes() {
                let problem = Problem::new(format!("no node `{}`", range.end - 1));
                document
                    .complain(nodes.mark, problem.hint(format!("the last one is {}", cluster.nodes() - 1)));
            }
        }
        chosen.extend(nodes.value.0);
    }
    for name in table.list::<String>("racks") {
        if let Some(racks) = racks(document, &name, groups) {
            chosen.extend(racks.into_iter().map(|racks| {
                let (first, last) =
                    (&cluster.racks[racks.start as usize], &cluster.racks[racks.end as usize - 1]);
                first.first_node..last.first_node + last.nodes
            }));
        }
    }
    for name in table.list::<String>("platforms") {
        let of_platform = |kind: u32| cluster.kinds[kind as usize].platform_name == name.value;
        let racks = cluster.racks.iter().filter(|rack| of_platform(rack.kind));
        let before = chosen.len();
        chosen.extend(racks.map(|rack| rack.first_node..rack.first_node + rack.nodes));
        if chosen.len() == before {
            let here = cluster.kinds.iter().map(|kind| kind.platform_name.as_str());
            unknown(document, "platform of this cluster", &name, here);
        }
    }
    if !["nodes", "racks", "platforms"].iter().any(|key| table.has(key)) {
        table.complain(Problem::new("no nodes chosen").hint("give `nodes`, `racks` or `platforms`"));
    }
    merged(chosen)
}

/// The racks that a text like `hall-a` or `hall-a[0-3]` names.
fn racks(document: &Document, text: &Placed<String>, groups: &[Group]) -> Option<Vec<Range<u32>>> {
    let (name, inside) = match text.value.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']').unwrap_or(""))),
        None => (text.value.as_str(), None),
    };
    let Some(group) = groups.iter().find(|group| group.name == name) else {
        let name = Placed { value: name.to_owned(), mark: text.mark };
        unknown(document, "group of racks", &name, groups.iter().map(|group| group.name.as_str()));
        return None;
    };
    let Some(inside) = inside else { return Some(Vec::from([group.racks.clone()])) };
    let count = group.racks.end - group.racks.start;
    let found = ranges(inside).filter(|ranges| ranges.iter().all(|range| range.end <= count));
    if found.is_none() {
        let problem = Problem::new(format!("`{}` names no racks", text.value));
        document.complain(text.mark, problem.hint(format!("such as `{name}[0]` to `{name}[{}]`", count - 1)));
    }
    let place = |range: Range<u32>| group.racks.start + range.start..group.racks.start + range.end;
    found.map(|ranges| ranges.into_iter().map(place).collect())
}
