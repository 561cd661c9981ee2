use super::super::quantity::{Cores, Mebibytes};
use super::feeds::{is_new, unknown};
use super::{Group, NODES_MAX, kind_of, platform};
use crate::cluster::{CapacityChange, Cluster, Feed, NodeKind, NodeState};
use crate::document::{Document, Mark, Placed, Table};
use crate::error::Problem;
use crate::hardware::Catalogue;
use crate::units::{Time, Watts};

/// Equal racks on one feed.
pub(super) struct Draft {
    name: Placed<String>,
    feed: u32,
    kind: NodeKind,
    count: u32,
    nodes: u32,
    /// The most each may draw.
    cap: Option<Watts>,
    /// When they arrive.
    from: Option<Time>,
    mark: Mark,
}

/// Reads `[[rack]]`; those that cannot be used are reported and left out.
pub(super) fn read(
    document: &Document,
    table: &mut Table<'_>,
    catalogue: &Catalogue,
    feeds: &Option<Vec<Feed>>,
) -> Option<Vec<Draft>> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut whole = true;
    for mut rack in table.tables("rack") {
        match draft(document, &mut rack, catalogue, feeds.as_deref()) {
            Some(draft)
                if is_new(document, "group of racks", &draft.name, drafts.iter().map(|d| &d.name)) =>
            {
                drafts.push(draft);
            }
            _ => whole = false,
        }
        rack.finish();
    }
    if drafts.is_empty() && whole {
        let problem = Problem::new("a cluster without a rack");
        table.complain(
            problem.hint("`[[cluster.rack]]` with `platform` and `count`, or `cluster = \"552x8xh100\"`"),
        );
        return None;
    }
    whole.then_some(drafts)
}

fn draft(
    document: &Document,
    rack: &mut Table<'_>,
    catalogue: &Catalogue,
    feeds: Option<&[Feed]>,
) -> Option<Draft> {
    let mark = rack.mark();
    let platform_index = rack.required_item("platform").and_then(|item| platform(document, &item, catalogue));
    let name = rack.optional::<String>("name");
    let count = at_least_one(document, rack, "count");
    let nodes = at_least_one(document, rack, "nodes");
    let gpus = rack.optional::<u32>("gpus");
    let cpu = rack.optional::<Cores>("cpu");
    let memory = rack.optional::<Mebibytes>("memory");
    let from = rack.optional::<Time>("from").map(|from| from.value);
    let cap = rack.optional::<Watts>("cap").map(|cap| cap.value);
    let node_cap = rack.optional::<Watts>("node_cap").map(|cap| cap.value);
    let feed_name = rack.optional::<String>("feed");
    // The feeds themselves are wrong: which one is meant cannot be told, nor whether it is.
    let feed = feeds.map_or(Some(0), |feeds| feed(document, rack, feed_name.as_ref(), feeds));
    if let Some(gpus) = gpus
        && gpus.value > NodeKind::MAX_GPUS
    {
        let message = format!("a node has at most {} GPUs, not {}", NodeKind::MAX_GPUS, gpus.value);
        document.complain(gpus.mark, Problem::new(message));
        return None;
    }
    let platform_index = platform_index?;
    let platform = &catalogue.platforms()[platform_index];
    let gpus = gpus.map_or_else(|| platform.gpus_per_node().min(NodeKind::MAX_GPUS), |gpus| gpus.value);
    let mut kind = kind_of(platform_index, platform, gpus);
    kind.cpu_milli = cpu.map_or(kind.cpu_milli, |cpu| cpu.value.0);
    kind.power.cap = node_cap;
    kind.memory_mib = memory.map_or(kind.memory_mib, |memory| memory.value.0);
    Some(Draft {
        name: name.unwrap_or_else(|| Placed { value: platform.name.clone(), mark }),
        feed: feed?,
        kind,
        count: count?.unwrap_or(1),
        nodes: nodes?.unwrap_or_else(|| platform.nodes_per_rack().max(1)),
        cap,
        from,
        mark,
    })
}

/// A count that, if given, is at least 1; the outer option is none if it is wrong.
#[expect(clippy::option_option, reason = "wrong, not given and given are three cases")]
pub(super) fn at_least_one(
    document: &Document,
    table: &mut Table<'_>,
    key: &'static str,
) -> Option<Option<u32>> {
    let given = table.has(key);
    let Some(number) = table.optional::<u32>(key) else { return (!given).then_some(None) };
    if number.value == 0 || number.value > NODES_MAX {
        let message =
            format!("`{key}`: expected a whole number from 1 to {NODES_MAX}, found `{}`", number.value);
        document.complain(number.mark, Problem::new(message));
        return None;
    }
    Some(Some(number.value))
}

fn feed(document: &Document, rack: &Table<'_>, name: Option<&Placed<String>>, feeds: &[Feed]) -> Option<u32> {
    let Some(name) = name else {
        if feeds.len() > 1 {
            rack.complain(Problem::new("missing `feed`: there are several"));
            return None;
        }
        return Some(0);
    };
    let found = feeds.iter().position(|feed| feed.name == name.value);
    if found.is_none() {
        unknown(document, "feed", name, feeds.iter().map(|feed| feed.name.as_str()));
    }
    found.and_then(|index| u32::try_from(index).ok())
}

/// Adds the racks by feed; none, which is then reported, if there are too many.
pub(super) fn build(
    document: &Document,
    drafts: Option<Vec<Draft>>,
    cluster: &mut Cluster,
) -> Option<Vec<Group>> {
    let mut drafts = drafts?;
    drafts.sort_by_key(|draft| draft.feed);
    let mut groups = Vec::new();
    for draft in drafts {
        let nodes = u64::from(draft.count) * u64::from(draft.nodes) + u64::from(cluster.nodes());
        if nodes > u64::from(NODES_MAX) {
            document.complain(draft.mark, Problem::new(format!("{nodes} nodes so far; at most {NODES_MAX}")));
            return None;
        }
        let kind = cluster.add_kind(draft.kind);
        let first_node = cluster.nodes();
        let racks: Vec<u32> =
            (0..draft.count).map(|_| cluster.add_rack(draft.feed, kind, draft.nodes)).collect();
        let first = racks[0];
        for rack in racks {
            cluster.racks[rack as usize].cap = draft.cap;
        }
        if let Some(from) = draft.from {
            let nodes = first_node..cluster.nodes();
            let change = |time, state| CapacityChange::surprise(time, nodes.clone(), state);
            cluster.changes.push(change(Time::ZERO, NodeState::Absent));
            cluster.changes.push(change(from, NodeState::Up));
        }
        groups.push(Group { name: draft.name.value, racks: first..first + draft.count });
    }
    Some(groups)
}
