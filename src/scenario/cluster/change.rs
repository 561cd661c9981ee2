use super::Group;
use super::select::nodes;
use crate::cluster::{CapacityChange, Cluster, NodeState};
use crate::document::{Document, Table};
use crate::units::Time;

const STATES: [(&str, NodeState); 4] = [
    ("up", NodeState::Up),
    ("draining", NodeState::Draining),
    ("down", NodeState::Down),
    ("absent", NodeState::Absent),
];

/// Reads `[[change]]` into `cluster`: racks that arrive, drain, break or leave.
pub(super) fn changes(document: &Document, table: &mut Table<'_>, groups: &[Group], cluster: &mut Cluster) {
    for mut change in table.tables("change") {
        let time = change.required::<Time>("time");
        let state = change.required_item("state").and_then(|item| item.choice(&STATES));
        let nodes = nodes(document, &mut change, groups, cluster);
        change.finish();
        let (Some(time), Some(state)) = (time, state) else { continue };
        let changes = nodes.into_iter().map(|nodes| CapacityChange::surprise(time.value, nodes, state.value));
        cluster.changes.extend(changes);
    }
    cluster.changes.sort_by_key(|change| change.time);
}
