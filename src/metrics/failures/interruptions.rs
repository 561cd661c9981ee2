//! Which failure stopped which job, and what a stop took.

use crate::history::{FailureRecord, History, Segment, SegmentEnd};
use crate::metrics::spent::spent;
use crate::units::{Seconds, Time};
use std::collections::BTreeMap;

/// A job stopped as something that it needs had failed or was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interruption {
    /// The segment that ended with it.
    pub segment: u32,
    /// The failure that was detected then, an index into those of the history; none: a change was planned.
    pub failure: Option<u32>,
}

/// Whether a failure concerns what a segment holds.
fn concerns(history: &History, failure: &FailureRecord, segment: &Segment) -> bool {
    if let Some(job) = failure.job(history) {
        return job == segment.job;
    }
    let broken = failure.nodes(history);
    let mut held = history.pieces_of(segment).iter().flat_map(|piece| piece.nodes());
    held.any(|node| broken.iter().any(|nodes| nodes.contains(&node)))
}

/// Every stop of a job by a failure or a planned change of what it held, ascending by segment; of failures that are
/// detected at once, the one that came first stopped it.
///
/// # Complexity
/// O(segments + failures), and what a stopped job held for each failure that was detected at the same instant.
#[must_use]
pub fn interruptions(history: &History) -> Vec<Interruption> {
    let mut detected: BTreeMap<Time, Vec<u32>> = BTreeMap::new();
    for (index, failure) in (0u32..).zip(&history.failures) {
        detected.entry(failure.detected).or_default().push(index);
    }
    let broken = (0u32..).zip(&history.segments).filter(|(_, segment)| segment.end == SegmentEnd::NodeDown);
    let failure = |own: &Segment| {
        let mut seen = detected.get(&own.to)?.iter().copied();
        seen.find(|failure| concerns(history, &history.failures[*failure as usize], own))
    };
    broken.map(|(segment, own)| Interruption { segment, failure: failure(own) }).collect()
}

/// A stop of a job, by a policy or by a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The segment that ended with it.
    pub segment: u32,
    /// The failure that stopped it; none: a policy, or a planned change.
    pub failure: Option<u32>,
    /// How long it had taken to do the work that was lost.
    pub lost: Seconds,
    /// The same, thousandths of GPU-seconds.
    pub lost_milli: u128,
    /// When it ran again; none: it did not.
    pub again: Option<Time>,
}

/// Every stop of a job, in the order of time.
///
/// # Complexity
/// As of [`interruptions`], and O(segments · log jobs that stop or change).
#[must_use]
pub fn stops_of(history: &History, job: u32) -> Vec<Stop> {
    let own: Vec<(u32, &Segment)> =
        (0u32..).zip(&history.segments).filter(|(_, segment)| segment.job == job).collect();
    if !own.iter().any(|(_, segment)| segment.end.is_stop()) {
        return Vec::new();
    }
    let causes: BTreeMap<u32, Option<u32>> =
        interruptions(history).into_iter().map(|own| (own.segment, own.failure)).collect();
    let mut lost: BTreeMap<u32, (u32, u128)> = BTreeMap::new();
    spent(history, |spent| {
        let Some(stop) = spent.stopped.filter(|_| history.segments[spent.segment as usize].job == job) else {
            return;
        };
        let seconds = spent.to.since(spent.from).0;
        let gpus = history.gpus_of(&history.segments[spent.segment as usize]);
        let sum = lost.entry(stop).or_default();
        *sum = (sum.0 + seconds, sum.1 + u128::from(gpus) * u128::from(seconds));
    });
    let stops = own.iter().enumerate().filter(|(_, (_, segment))| segment.end.is_stop());
    let told = |(place, (index, _)): (usize, &(u32, &Segment))| {
        let (seconds, lost_milli) = lost.get(index).copied().unwrap_or_default();
        Stop {
            segment: *index,
            failure: causes.get(index).copied().flatten(),
            lost: Seconds(seconds),
            lost_milli,
            again: own.get(place + 1).map(|(_, next)| next.from),
        }
    };
    stops.map(told).collect()
}
