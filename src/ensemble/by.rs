//! Jobs by what they have in common, and how long those of each group waited.

use crate::history::History;
use crate::metrics::profile::{gang_class, gang_name};
use crate::metrics::{Distribution, Measured};
use crate::units::Time;
use crate::workload::JobKind;
use serde::Serialize;
use std::collections::BTreeMap;

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

/// What is told of the wait of a group: its key, as in [`MEASURES`](super::MEASURES), and how people call it.
pub const GROUP_MEASURES: [(&str, &str); 5] = [
    ("wait_mean_s", "mean"),
    ("wait_p50_s", "p50"),
    ("wait_p95_s", "p95"),
    ("wait_p99_s", "p99"),
    ("wait_max_s", "max"),
];

/// How long the jobs of a group waited.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupWaits {
    /// Where it stands among the groups of its run.
    pub place: usize,
    /// What its jobs have in common.
    pub name: String,
    /// How many they are.
    pub jobs: u64,
    /// Seconds, in the order of [`GROUP_MEASURES`].
    pub values: [f64; GROUP_MEASURES.len()],
}

/// The wait of the jobs that count, group by group; of groups without a job nothing is told.
///
/// # Complexity
/// O(n log n) in jobs, O(segments).
pub(super) fn waits_by(by: By, history: &History, measured: &Measured) -> Vec<GroupWaits> {
    let workload = &history.plan.workload;
    let platforms = if by == By::Platform { first_platforms(history) } else { Vec::new() };
    let class = |job: u32| match by {
        By::Gpus => gang_class(workload.request_of(job).gpus().milli()),
        By::Tenant => workload.jobs[job as usize].tenant as usize,
        By::Kind => workload.behaviour_of(job).kind as usize,
        By::Platform => platforms[job as usize],
    };
    let name = |class: usize| match by {
        By::Gpus => gang_name(class),
        By::Tenant => workload.tenants[class].name.clone(),
        By::Kind => JobKind::ALL[class].name().to_owned(),
        By::Platform => {
            let mut kinds = history.plan.cluster.kinds.iter();
            let kind = kinds.find(|kind| kind.platform as usize == class);
            kind.map_or_else(|| NEVER_RAN.to_owned(), |kind| kind.platform_name.clone())
        }
    };
    let mut groups: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for job in measured.eligible(history) {
        groups.entry(class(job)).or_default().push(measured.jobs[job as usize].wait_time.0);
    }
    let told = |(place, waits): (usize, Vec<u32>)| {
        let waits = Distribution::of_seconds(waits);
        let ranks = [waits.p50, waits.p95, waits.p99, waits.max].map(f64::from);
        let values = [waits.mean, ranks[0], ranks[1], ranks[2], ranks[3]];
        GroupWaits { place, name: name(place), jobs: waits.count, values }
    };
    groups.into_iter().map(told).collect()
}

/// What the group of jobs is called that never held a node.
const NEVER_RAN: &str = "no platform";

/// By job: the platform of the first node that it held; more than there are of one that held none.
fn first_platforms(history: &History) -> Vec<usize> {
    let mut found = vec![(usize::MAX, Time::NEVER); history.plan.workload.jobs.len()];
    for segment in &history.segments {
        let node = history.pieces_of(segment).first().and_then(|piece| piece.nodes().next());
        let own = &mut found[segment.job as usize];
        if let Some(node) = node.filter(|_| segment.from < own.1) {
            *own = (history.plan.cluster.kind_of(node).platform as usize, segment.from);
        }
    }
    found.into_iter().map(|(platform, _)| platform).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn groups_hold_every_job_that_counts_once() {
        let mut groups = [0; 4];
        for seed in 0..60 {
            let history = sample::random(seed);
            let measured = measure(&history);
            let whole = &measured.metrics.wait_time;
            for (by, seen) in [By::Gpus, By::Tenant, By::Kind, By::Platform].into_iter().zip(&mut groups) {
                let found = waits_by(by, &history, &measured);
                let jobs: u64 = found.iter().map(|group| group.jobs).sum();
                assert_eq!(jobs, whole.count, "seed {seed}, by {}", by.name());
                let longest = found.iter().map(|group| group.values[4]).fold(0.0, f64::max);
                assert!((longest - f64::from(whole.max)).abs() < 0.5, "seed {seed}, by {}", by.name());
                *seen = found.len().max(*seen);
            }
        }
        // All jobs of these histories are of one kind.
        assert!(groups[0] > 1 && groups[1] > 1 && groups[3] > 1, "several groups of each: {groups:?}");
    }

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
