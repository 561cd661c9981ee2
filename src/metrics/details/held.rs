//! Who held GPUs when, and in which racks.

use super::buckets::Buckets;
use crate::cluster::{NodeState, Piece};
use crate::history::History;
use crate::units::Time;
use serde::Serialize;
use std::ops::Range;

/// What one tenant held over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantSeries {
    /// As the user calls it; of those that are not named one by one, all together: none.
    pub name: Option<String>,
    /// The mean number of GPUs that its jobs held in each bucket.
    pub gpus: Vec<f64>,
}

/// Which part of racks was in use, over time: racks side by side in rows of equally many.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Occupancy {
    /// The first rack of each row, and at last the number of racks.
    pub rows: Vec<u32>,
    /// By row and bucket: GPUs held ÷ GPUs of the row, whether they were available or not.
    pub shares: Vec<Vec<f64>>,
}

/// Tenants that are named one by one.
pub(super) const TENANTS: usize = 10;
/// Most rows of racks.
const ROWS: usize = 96;

/// What the tenants that held most held, those first that held more, then what all others held.
pub(super) fn tenants(history: &History) -> Vec<TenantSeries> {
    let workload = &history.plan.workload;
    let mut sums = vec![0_u128; workload.tenants.len()];
    for_each_segment(history, |tenant, from, to, milli| {
        sums[tenant] += u128::from(milli) * u128::from(to.since(from).0);
    });
    let mut order: Vec<usize> = (0..sums.len()).filter(|tenant| sums[*tenant] > 0).collect();
    order.sort_by_key(|tenant| (std::cmp::Reverse(sums[*tenant]), *tenant));
    // One left over has a name as well as the others.
    let named = if order.len() == TENANTS + 1 { order.len() } else { order.len().min(TENANTS) };
    let mut place = vec![named; sums.len()];
    (0..named).for_each(|index| place[order[index]] = index);
    let mut buckets = vec![Buckets::new(history.end); named + usize::from(order.len() > named)];
    for_each_segment(history, |tenant, from, to, milli| {
        if let Some(own) = buckets.get_mut(place[tenant]) {
            own.add(from, to, milli);
        }
    });
    let name = |index: usize| order[..named].get(index).map(|tenant| workload.tenants[*tenant].name.clone());
    let series =
        |(index, own): (usize, &Buckets)| TenantSeries { name: name(index), gpus: own.means(1000.0) };
    buckets.iter().enumerate().map(series).collect()
}

/// Calls `each` with whose every segment is, from when to when, and the thousandths of GPUs that it holds.
fn for_each_segment(history: &History, mut each: impl FnMut(usize, Time, Time, u64)) {
    for segment in &history.segments {
        let tenant = history.plan.workload.jobs[segment.job as usize].tenant as usize;
        each(tenant, segment.from, segment.to.min(history.end), history.gpus_of(segment));
    }
}

/// GPUs of nodes that are up or draining, the mean of each bucket.
pub(super) fn available(history: &History) -> Vec<f64> {
    let cluster = &history.plan.cluster;
    let mut buckets = Buckets::new(history.end);
    let mut states = vec![(NodeState::Up, Time::ZERO); cluster.nodes() as usize];
    let mut until = |node: u32, (state, since): (NodeState, Time), now: Time| {
        if state.is_there() {
            buckets.add(since, now.min(history.end), u64::from(cluster.kind_of(node).gpus));
        }
    };
    for change in history.changes().iter().filter(|change| change.time < history.end) {
        for node in change.nodes.clone() {
            let next = (change.state, change.time);
            until(node, std::mem::replace(&mut states[node as usize], next), change.time);
        }
    }
    (0..).zip(states).for_each(|(node, state)| until(node, state, history.end));
    buckets.means(1.0)
}

/// Which part of racks was in use.
///
/// # Complexity
/// O(nodes of all segments).
pub(super) fn occupancy(history: &History) -> Occupancy {
    let cluster = &history.plan.cluster;
    let racks = cluster.racks.len();
    let step = racks.div_ceil(ROWS).max(1);
    let starts = (0..racks).step_by(step).chain([racks]);
    let rows: Vec<u32> = starts.map(|rack| u32::try_from(rack).expect("racks have 32 bits")).collect();
    let row_of = |node: u32| cluster.rack_of(node) as usize / step;
    let mut buckets = vec![Buckets::new(history.end); rows.len().saturating_sub(1)];
    for segment in &history.segments {
        let (from, to) = (segment.from, segment.to.min(history.end));
        let mut add = |row: usize, milli: u64| buckets[row].add(from, to, milli);
        let mut last = (0, 0);
        for piece in history.pieces_of(segment) {
            for node in piece.nodes() {
                let milli = match *piece {
                    Piece::Nodes { .. } => u64::from(cluster.kind_of(node).gpus) * 1000,
                    Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
                    Piece::Share { milli, .. } => u64::from(milli),
                };
                let row = row_of(node);
                if row != last.0 {
                    add(last.0, last.1);
                    last = (row, 0);
                }
                last.1 += milli;
            }
        }
        add(last.0, last.1);
    }
    let gpus = |range: Range<u32>| -> u64 {
        let racks = &cluster.racks[range.start as usize..range.end as usize];
        racks
            .iter()
            .map(|rack| u64::from(rack.nodes) * u64::from(cluster.kinds[rack.kind as usize].gpus))
            .sum()
    };
    let wholes = rows.windows(2).map(|pair| gpus(pair[0]..pair[1]) * 1000);
    let shares = buckets.iter().zip(wholes).map(|(own, whole)| own.shares(whole)).collect();
    Occupancy { rows, shares }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * (1.0 + a.abs())
    }

    #[test]
    fn what_tenants_and_racks_hold_is_what_utilization_counts() {
        let mut busy = 0;
        for seed in 0..100 {
            let history = sample::random(seed);
            let series = measure(&history).metrics.series;
            let (tenants, available) = (tenants(&history), available(&history));
            let racks = occupancy(&history);
            let cluster = &history.plan.cluster;
            let gpus = |row: usize| {
                let racks = &cluster.racks[racks.rows[row] as usize..racks.rows[row + 1] as usize];
                let gpus = racks.iter().map(|rack| rack.nodes * cluster.kinds[rack.kind as usize].gpus);
                f64::from(gpus.sum::<u32>())
            };
            for (bucket, utilization) in series.utilization.iter().enumerate() {
                let held: f64 = tenants.iter().map(|tenant| tenant.gpus[bucket]).sum();
                let of_racks: f64 =
                    racks.shares.iter().enumerate().map(|(row, shares)| shares[bucket] * gpus(row)).sum();
                assert!(close(held, utilization * available[bucket]), "seed {seed}, bucket {bucket}");
                assert!(close(held, of_racks), "seed {seed}, bucket {bucket}: {held} and {of_racks}");
                busy += usize::from(held > 0.0);
            }
        }
        assert!(busy > 1000, "only {busy} buckets in use");
    }
}
