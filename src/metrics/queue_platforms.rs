//! What queues held of each platform.

use super::distribution::real;
use crate::history::History;
use crate::units::Time;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a queue may hold of a platform, and what it held of it over the whole run, GPUs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlatformUsage {
    /// As the catalogue calls it.
    pub name: String,
    /// The most that it may hold at once, were it alone; none: as many as there are.
    pub ceiling: Option<f64>,
    /// What is nominally its own and that of those below it.
    pub entitled: f64,
    /// Held by its jobs, and those below it, mean over the run.
    pub held: f64,
    /// The most that they held at once.
    pub peak: f64,
}

/// By queue and platform: the GPUs that jobs of the queue, and of those below it, held in the mean over the run, and the most at
/// once.
///
/// # Complexity
/// O(n log n) in segments times how many queues stand above one another.
#[must_use]
pub fn held_by_platform(history: &History) -> BTreeMap<(u32, u32), (f64, f64)> {
    let (workload, cluster) = (&history.plan.workload, &history.plan.cluster);
    let mut changes: BTreeMap<(u32, u32), Vec<(Time, i64)>> = BTreeMap::new();
    for segment in &history.segments {
        let node = history.pieces_of(segment).iter().flat_map(|piece| piece.nodes()).next();
        let (Some(node), Some(queue)) = (node, workload.queue_of(segment.job)) else { continue };
        let platform = cluster.kind_of(node).platform;
        let milli = i64::try_from(history.gpus_of(segment)).expect("thousandths of GPUs are few");
        for above in workload.queues_above(queue) {
            let own = changes.entry((above, platform)).or_default();
            own.extend([(segment.from, milli), (segment.to.min(history.end), -milli)]);
        }
    }
    let length = f64::from(history.end.0.max(1));
    let told = |changes: Vec<(Time, i64)>| {
        let (sum, peak) = sum_and_peak(changes);
        (real(sum) / 1000.0 / length, real(peak.unsigned_abs().into()) / 1000.0)
    };
    changes.into_iter().map(|(key, changes)| (key, told(changes))).collect()
}

/// Thousandths of GPU-seconds, and the most thousandths at once.
fn sum_and_peak(mut changes: Vec<(Time, i64)>) -> (u128, i64) {
    changes.sort_unstable();
    let (mut held, mut peak, mut sum, mut since) = (0_i64, 0, 0_u128, Time::ZERO);
    for instant in changes.chunk_by(|one, other| one.0 == other.0) {
        let now = instant[0].0;
        sum += u128::from(held.unsigned_abs()) * u128::from(now.since(since).0);
        held += instant.iter().map(|(_, milli)| milli).sum::<i64>();
        (peak, since) = (peak.max(held), now);
    }
    (sum, peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_as_another_begins_is_not_held_with_it() {
        let changes = [(0, 2000), (10, -2000), (10, 4000), (15, 500), (20, -4000), (20, -500)];
        let changes = changes.map(|(time, milli)| (Time(time), milli)).to_vec();
        assert_eq!(sum_and_peak(changes), (20_000 + 20_000 + 22_500, 4500));
    }
}
