//! The cluster of a scenario: sites, feeds and racks, levels and partitions over them, and how they change over time.

mod change;
mod feeds;
mod levels;
mod list;
mod racks;
mod select;
mod site;

pub(super) use feeds::unknown;

use super::files::Files;
use crate::cluster::{Cluster, NodeKind, NodePower};
use crate::document::{Document, Item, Placed, Table};
use crate::error::Problem;
use crate::hardware::{Catalogue, Platform};
use std::ops::Range;

/// The most nodes of a scenario: 33 million GPUs in boxes of 8.
pub(super) const NODES_MAX: u32 = 1 << 22;

/// Racks that were described together.
#[derive(Debug)]
pub(super) struct Group {
    name: String,
    racks: Range<u32>,
}

/// Reads `cluster`: a table, the short form `552x8xh100`, or the path of a list of nodes.
pub(super) fn read(
    document: &Document,
    root: &mut Table<'_>,
    catalogue: &mut Catalogue,
    files: &mut Files,
) -> Option<Cluster> {
    let hint =
        "nodes and GPUs such as `64x8xh100`, or a table with `rack`; on the command line `--cluster 64x8`";
    let item = root.required_or_hint("cluster", hint)?;
    if item.is_text() {
        let text: Placed<String> = item.read()?;
        let is_file = !text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(['.', '/']);
        return if is_file {
            list::read(document, &text, None, catalogue, files)
        } else {
            short(document, &text, catalogue)
        };
    }
    if !item.is_table() {
        item.wrong("a table, nodes and GPUs such as `552x8xh100`, or the path of a list of nodes");
        return None;
    }
    let mut table = item.table()?;
    let file = table.optional::<String>("file");
    let format = table.optional::<String>("format");
    let cluster = if let Some(file) = file {
        for key in ["site", "feed", "rack"] {
            if let Some(mark) = table.item(key).and(table.key_mark(key)) {
                document
                    .complain(mark, Problem::new(format!("`{key}` beside `file`, which lists every node")));
            }
        }
        list::read(document, &file, format.as_ref(), catalogue, files).map(|cluster| (cluster, Vec::new()))
    } else {
        racked(document, &mut table, catalogue, files)
    };
    let Some((mut cluster, groups)) = cluster else {
        // Without racks nothing below can be checked, nor is it unknown.
        for key in ["level", "partition", "change"] {
            table.item(key);
        }
        table.finish();
        return None;
    };
    levels::levels(document, &mut table, &mut cluster);
    select::partitions(document, &mut table, &groups, &mut cluster);
    change::changes(document, &mut table, &groups, &mut cluster);
    table.finish();
    Some(cluster)
}

/// Sites, feeds and racks; none if they make no cluster.
fn racked(
    document: &Document,
    table: &mut Table<'_>,
    catalogue: &Catalogue,
    files: &mut Files,
) -> Option<(Cluster, Vec<Group>)> {
    let (sites, feeds) = feeds::read(document, table, files);
    let racks = racks::read(document, table, catalogue, &feeds);
    let (sites, feeds) = (sites?, feeds?);
    let mut cluster = Cluster::single_feed();
    (cluster.sites, cluster.feeds) = (sites, feeds);
    let groups = racks::build(document, racks, &mut cluster)?;
    Some((cluster, groups))
}

/// A cluster on one feed from `NODESxGPUS` or `NODESxGPUSxPLATFORM`.
fn short(document: &Document, text: &Placed<String>, catalogue: &Catalogue) -> Option<Cluster> {
    let complain = |problem: Problem| document.complain(text.mark, problem);
    let mut pieces = text.value.splitn(3, 'x');
    let mut number = || pieces.next().and_then(|piece| piece.trim().parse::<u32>().ok());
    let (Some(nodes), Some(gpus)) = (number(), number()) else {
        let message = format!("`{}` is not nodes x GPUs a node", text.value);
        complain(Problem::new(message).hint("such as `552x8` or `552x8xh100`"));
        return None;
    };
    if nodes == 0 || nodes > NODES_MAX {
        complain(Problem::new(format!("a cluster has 1 to {NODES_MAX} nodes, not {nodes}")));
        return None;
    }
    if gpus > NodeKind::MAX_GPUS {
        complain(Problem::new(format!("a node has at most {} GPUs, not {gpus}", NodeKind::MAX_GPUS)));
        return None;
    }
    let Some(name) = pieces.next().map(str::trim) else {
        return Some(Cluster::uniform(nodes, NodeKind { gpus, ..NodeKind::default() }));
    };
    let Some(index) = catalogue.index_of(name) else {
        complain(Problem::new(format!("unknown platform `{name}`")).hint_nearest(name, catalogue.names()));
        return None;
    };
    let platform = &catalogue.platforms()[index];
    let mut cluster = Cluster::single_feed();
    let kind = cluster.add_kind(kind_of(index, platform, gpus));
    let mut left = nodes;
    while left > 0 {
        let rack = platform.nodes_per_rack().clamp(1, left);
        cluster.add_rack(0, kind, rack);
        left -= rack;
    }
    Some(cluster)
}

/// The node of a platform, with `gpus` GPUs.
fn kind_of(index: usize, platform: &Platform, gpus: u32) -> NodeKind {
    let cores = platform.cpu_cores().map(|cores| cores.saturating_mul(1000));
    NodeKind {
        platform_name: platform.name.clone(),
        platform: u32::try_from(index).expect("platforms are few"),
        gpus,
        cpu_milli: cores.unwrap_or(u32::MAX),
        memory_mib: platform.fact("host_memory").map_or(u32::MAX, |fact| mebibytes(fact.value)),
        across_racks: platform.across_racks(),
        power: NodePower::of(platform, gpus),
    }
}

/// Gigabytes of 10⁹ bytes in whole MiB.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
fn mebibytes(gigabytes: f64) -> u32 {
    (gigabytes * 1e9 / 1_048_576.0) as u32
}

/// The platform under a key that must be there.
fn platform(document: &Document, item: &Item<'_>, catalogue: &Catalogue) -> Option<usize> {
    let name: Placed<String> = item.read()?;
    let index = catalogue.index_of(&name);
    if index.is_none() {
        let problem = Problem::new(format!("unknown platform `{}`", name.value));
        document.complain(name.mark, problem.hint_nearest(&name, catalogue.names()));
    }
    index
}
