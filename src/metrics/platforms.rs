//! How busy the GPUs of each platform were.

use super::MILLI_SECONDS_AN_HOUR;
use super::distribution::{ratio, real};
use crate::cluster::NodeState;
use crate::history::{History, Piece};
use crate::units::Time;
use serde::Serialize;
use std::ops::Range;

/// The GPUs of one platform in the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlatformMetrics {
    /// As the catalogue calls it.
    pub name: String,
    /// GPUs that there are of it, whenever they come.
    pub gpus: u64,
    /// ∫ allocated GPUs dt, hours.
    pub gpu_hours: f64,
    /// ∫ available GPUs dt, hours; available are those of nodes up or draining.
    pub available_gpu_hours: f64,
    /// `utilization` = GPU-hours allocated ÷ available.
    pub utilization: f64,
}

/// Thousandths of GPU-seconds of one platform.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    gpus: u64,
    held: u128,
    available: u128,
}

/// Of every platform of the cluster, in the order in which racks first have it.
///
/// # Complexity
/// O(nodes · changes of them + nodes of all segments).
pub(super) fn platforms(history: &History, window: &Range<Time>) -> Vec<PlatformMetrics> {
    let cluster = &history.plan.cluster;
    let mut order: Vec<usize> = Vec::new();
    for rack in &cluster.racks {
        let platform = cluster.kinds[rack.kind as usize].platform as usize;
        if !order.contains(&platform) {
            order.push(platform);
        }
    }
    let mut sums = vec![Sums::default(); order.iter().map(|platform| platform + 1).max().unwrap_or(0)];
    let seconds = |from: Time, to: Time| u128::from(to.min(window.end).since(from.max(window.start)).0);
    add_available(history, &seconds, &mut sums);
    for segment in &history.segments {
        let length = seconds(segment.from, segment.to.min(history.end));
        for piece in history.pieces_of(segment) {
            let of = |node: u32| (cluster.kind_of(node).platform as usize, cluster.kind_of(node).gpus);
            match *piece {
                Piece::Nodes { .. } => piece.nodes().map(of).for_each(|(platform, gpus)| {
                    sums[platform].held += u128::from(gpus) * 1000 * length;
                }),
                Piece::Gpus { node, mask } => {
                    sums[of(node).0].held += u128::from(mask.count_ones()) * 1000 * length;
                }
                Piece::Share { node, milli, .. } => sums[of(node).0].held += u128::from(milli) * length,
            }
        }
    }
    let told = |platform: usize| {
        let (own, mut kinds) = (sums[platform], cluster.kinds.iter());
        let kind = kinds.find(|kind| kind.platform as usize == platform);
        PlatformMetrics {
            name: kind.map(|kind| kind.platform_name.clone()).unwrap_or_default(),
            gpus: own.gpus,
            gpu_hours: real(own.held) / MILLI_SECONDS_AN_HOUR,
            available_gpu_hours: real(own.available) / MILLI_SECONDS_AN_HOUR,
            utilization: ratio(own.held, own.available),
        }
    };
    order.into_iter().map(told).collect()
}

/// Adds how long the nodes of each platform were up or draining.
fn add_available(history: &History, seconds: &dyn Fn(Time, Time) -> u128, sums: &mut [Sums]) {
    let cluster = &history.plan.cluster;
    // By node: its state, and since when.
    let mut nodes = vec![(NodeState::Up, Time::ZERO); cluster.nodes() as usize];
    let mut add = |node: u32, state: NodeState, from: Time, to: Time| {
        let kind = cluster.kind_of(node);
        let gpus = if state.is_there() { u128::from(kind.gpus) } else { 0 };
        sums[kind.platform as usize].available += gpus * 1000 * seconds(from, to);
    };
    for change in history.changes() {
        let time = change.time.min(history.end);
        for node in change.nodes.clone() {
            let (state, since) = std::mem::replace(&mut nodes[node as usize], (change.state, time));
            add(node, state, since, time);
        }
    }
    for (node, (state, since)) in (0..).zip(nodes) {
        add(node, state, since, history.end);
    }
    for kind in (0..cluster.nodes()).map(|node| cluster.kind_of(node)) {
        sums[kind.platform as usize].gpus += u64::from(kind.gpus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn the_platforms_add_up_to_the_whole() {
        let (mut several, mut changed) = (0, 0);
        for seed in 0..80 {
            let history = sample::random(seed);
            let metrics = measure(&history).metrics;
            let sum = |of: fn(&PlatformMetrics) -> f64| metrics.platforms.iter().map(of).sum::<f64>();
            let same = |sum: f64, whole: f64| (sum - whole).abs() <= 1e-9 * whole.max(1.0);
            assert!(same(sum(|own| own.gpu_hours), metrics.gpu_hours), "seed {seed}: held");
            assert!(
                same(sum(|own| own.available_gpu_hours), metrics.available_gpu_hours),
                "seed {seed}: there"
            );
            let gpus: u64 = metrics.platforms.iter().map(|own| own.gpus).sum();
            assert_eq!(gpus, history.plan.cluster.gpus(), "seed {seed}: GPUs");
            several += usize::from(metrics.platforms.len() > 1);
            changed += usize::from(!history.plan.cluster.changes.is_empty());
        }
        assert!(several > 5 && changed > 5, "{several} with several platforms, {changed} with changes");
    }
}
