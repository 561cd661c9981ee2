//! How long the jobs of each group waited.

use crate::history::History;
use crate::metrics::{By, Classes, Distribution, Measured};
use std::collections::BTreeMap;

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
#[must_use]
pub fn waits_by(by: By, history: &History, measured: &Measured) -> Vec<GroupWaits> {
    let classes = Classes::of(by, history);
    let mut groups: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for job in measured.eligible(history) {
        groups.entry(classes.class(job)).or_default().push(measured.jobs[job as usize].wait_time.0);
    }
    let told = |(place, waits): (usize, Vec<u32>)| {
        let waits = Distribution::of_seconds(waits);
        let ranks = [waits.p50, waits.p95, waits.p99, waits.max].map(f64::from);
        let values = [waits.mean, ranks[0], ranks[1], ranks[2], ranks[3]];
        GroupWaits { place, name: classes.name(place), jobs: waits.count, values }
    };
    groups.into_iter().map(told).collect()
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
}
