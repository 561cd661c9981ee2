//! Jobs by what they have in common.

use super::profile::{gang_class, gang_name};
use crate::history::History;
use crate::units::Time;
use crate::workload::JobKind;
use serde::Serialize;

/// What the jobs of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// How many GPUs they ask for, in powers of two.
    Gpus,
    /// Who submitted them.
    Tenant,
    /// What they are for.
    Kind,
    /// On which platform they first ran.
    Platform,
}

impl By {
    /// As the command line calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gpus => "gpus",
            Self::Tenant => "tenant",
            Self::Kind => "kind",
            Self::Platform => "platform",
        }
    }
}

/// What the group of jobs is called that never held a node.
const NEVER_RAN: &str = "no platform";

/// Which group every job of a run belongs to.
#[derive(Debug)]
pub struct Classes<'a> {
    by: By,
    history: &'a History,
    /// By job; nothing where jobs are grouped by something else.
    platforms: Vec<usize>,
}

impl<'a> Classes<'a> {
    /// The groups of a run.
    ///
    /// # Complexity
    /// O(segments) by platform, else O(1).
    #[must_use]
    pub fn of(by: By, history: &'a History) -> Self {
        let platforms = if by == By::Platform { first_platforms(history) } else { Vec::new() };
        Self { by, history, platforms }
    }
    /// The place of the group of a job among all groups, a small number.
    #[must_use]
    pub fn class(&self, job: u32) -> usize {
        let workload = &self.history.plan.workload;
        match self.by {
            By::Gpus => gang_class(workload.request_of(job).gpus().milli()),
            By::Tenant => workload.jobs[job as usize].tenant as usize,
            By::Kind => workload.behaviour_of(job).kind as usize,
            By::Platform => self.platforms[job as usize],
        }
    }
    /// How people call a group.
    #[must_use]
    pub fn name(&self, class: usize) -> String {
        match self.by {
            By::Gpus => gang_name(class),
            By::Tenant => self.history.plan.workload.tenants[class].name.clone(),
            By::Kind => JobKind::ALL[class].name().to_owned(),
            By::Platform => {
                let mut kinds = self.history.plan.cluster.kinds.iter();
                let kind = kinds.find(|kind| kind.platform as usize == class);
                kind.map_or_else(|| NEVER_RAN.to_owned(), |kind| kind.platform_name.clone())
            }
        }
    }
}

/// By job: the platform of the first node that it held; the number after the last platform of one that held none.
fn first_platforms(history: &History) -> Vec<usize> {
    let cluster = &history.plan.cluster;
    let none = cluster.kinds.iter().map(|kind| kind.platform as usize + 1).max().unwrap_or(0);
    let mut found = vec![(none, Time::NEVER); history.plan.workload.jobs.len()];
    for segment in &history.segments {
        let node = history.pieces_of(segment).first().and_then(|piece| piece.nodes().next());
        let own = &mut found[segment.job as usize];
        if let Some(node) = node.filter(|_| segment.from < own.1) {
            *own = (cluster.kind_of(node).platform as usize, segment.from);
        }
    }
    found.into_iter().map(|(platform, _)| platform).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;

    #[test]
    fn a_job_belongs_to_the_platform_that_it_first_ran_on() {
        let history = sample::random(3);
        let found = first_platforms(&history);
        for segment in history.segments.iter().rev() {
            let first = history.segments.iter().find(|other| other.job == segment.job);
            let node = first.and_then(|first| history.pieces_of(first).first()?.nodes().next());
            let expected = node.map(|node| history.plan.cluster.kind_of(node).platform as usize);
            if let Some(expected) = expected {
                assert_eq!(found[segment.job as usize], expected, "job {}", segment.job);
            }
        }
    }
}
