//! What failed, and where, as people read it.

use crate::failure::{Component, Per};
use crate::history::{FailureRecord, History};

/// The component of which a part failed.
pub(super) fn component<'a>(history: &'a History, failure: &FailureRecord) -> Option<&'a Component> {
    history.plan.cluster.failures.as_ref()?.components.get(failure.component as usize)
}

/// What it is called.
pub(super) fn component_name<'a>(history: &'a History, failure: &FailureRecord) -> &'a str {
    component(history, failure).map_or("", |own| own.name.as_str())
}

/// Where a part failed: `node 17`, by its name if it has one; `rack 3`, `feed hall-1`, `site north`, `job train`.
pub(super) fn place(history: &History, failure: &FailureRecord) -> String {
    let (cluster, unit) = (&history.plan.cluster, failure.unit as usize);
    match component(history, failure).map(|own| own.per) {
        Some(Per::Gpu | Per::Node) => match cluster.node_names.get(unit) {
            Some(name) => format!("node {name}"),
            None => format!("node {unit}"),
        },
        Some(Per::Rack) => format!("rack {unit}"),
        Some(Per::Feed) => format!("feed {}", cluster.feeds[unit].name),
        Some(Per::Site) => format!("site {}", cluster.sites[unit].name),
        Some(Per::JobGpu) => format!("job {}", history.plan.workload.names.get(unit)),
        None => String::new(),
    }
}
