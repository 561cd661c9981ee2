use super::History;
use crate::failure::Per;
use crate::units::Time;
use std::ops::Range;

/// A part of the cluster, or of a job, failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureRecord {
    /// When.
    pub time: Time,
    /// Its component, an index into those of the cluster.
    pub component: u32,
    /// Its node, rack, feed, site or job.
    pub unit: u32,
    /// When that is, or would have been, detected.
    pub detected: Time,
    /// When its nodes were back; [`Time::NEVER`] if they were not.
    pub back: Time,
    /// How it is repaired, an index into the repairs of the component.
    pub repair: u32,
    /// Whether the repair helps.
    pub helps: bool,
}

impl FailureRecord {
    /// The nodes that it concerned, ascending and not touching; none of those that concern a job alone.
    #[must_use]
    pub fn nodes(&self, history: &History) -> Vec<Range<u32>> {
        let cluster = &history.plan.cluster;
        let component = cluster.failures.as_ref().and_then(|own| own.components.get(self.component as usize));
        match component.map(|component| component.per) {
            Some(Per::Gpu | Per::Node) => std::iter::once(self.unit..self.unit + 1).collect(),
            Some(Per::Rack) => std::iter::once(cluster.nodes_of_rack(self.unit)).collect(),
            Some(Per::Feed) => cluster.nodes_below_feed(self.unit),
            Some(Per::Site) => cluster.nodes_of_site(self.unit),
            Some(Per::JobGpu) | None => Vec::new(),
        }
    }
    /// The job that it concerned alone, if it was one's.
    #[must_use]
    pub fn job(&self, history: &History) -> Option<u32> {
        let components = history.plan.cluster.failures.as_ref().map(|own| &own.components);
        let component = components.and_then(|own| own.get(self.component as usize));
        component.filter(|component| component.per == Per::JobGpu).map(|_| self.unit)
    }
}
