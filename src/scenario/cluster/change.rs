use super::Group;
use super::select::nodes;
use crate::cluster::{CapacityChange, Cluster, NodeState};
use crate::document::{Document, Table};
use crate::error::Problem;
use crate::units::{Seconds, Time};

const STATES: [(&str, NodeState); 4] = [
    ("up", NodeState::Up),
    ("draining", NodeState::Draining),
    ("down", NodeState::Down),
    ("absent", NodeState::Absent),
];

/// Reads `[[change]]` into `cluster`: racks that arrive, drain, break or leave, and how long before that is known.
pub(super) fn changes(document: &Document, table: &mut Table<'_>, groups: &[Group], cluster: &mut Cluster) {
    for mut change in table.tables("change") {
        let time = change.required::<Time>("time");
        let state = change.required_item("state").and_then(|item| item.choice(&STATES));
        let nodes = nodes(document, &mut change, groups, cluster);
        let notice = change.optional::<Seconds>("notice");
        change.finish();
        if let Some(notice) = notice.as_ref().filter(|notice| notice.value == Seconds::ZERO) {
            let problem = Problem::new("`notice`: expected at least a second, found `0`");
            document.complain(notice.mark, problem.hint("without `notice` a change comes as a surprise"));
        }
        let notice = notice.map(|notice| notice.value);
        let (Some(time), Some(state)) = (time, state) else { continue };
        let surprise = |nodes| CapacityChange::surprise(time.value, nodes, state.value);
        cluster.changes.extend(nodes.into_iter().map(|nodes| CapacityChange { notice, ..surprise(nodes) }));
    }
    cluster.changes.sort_by_key(|change| change.time);
}
