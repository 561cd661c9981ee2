//! Numbers that every job has, and what is read off them however often a day counts.

use super::measure::Reading;
use crate::history::History;
use crate::metrics::Measured;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// By [`Quantity`](super::measure::Quantity): those of the jobs that count, each with the day of its submit. All that have any of them wait.
pub(crate) fn rank(history: &History, measured: &Measured) -> Vec<Ranked> {
    let workload = &history.plan.workload;
    let eligible: Vec<u32> = measured.eligible(history).collect();
    let finished: Vec<u32> = measured.finished(history).collect();
    let submit = |job: u32| workload.jobs[job as usize].submit_time;
    let first = eligible.iter().map(|job| submit(*job)).min().unwrap_or_default();
    let day = |job: u32| submit(job).since(first).0 / DAY;
    let of = |jobs: &[u32], value: &dyn Fn(u32) -> f64| {
        Ranked::new(jobs.iter().map(|job| (value(*job), day(*job))).collect())
    };
    let times = |job: u32| &measured.jobs[job as usize];
    vec![
        of(&eligible, &|job| times(job).wait_time.0.into()),
        of(&finished, &|job| times(job).bounded_slowdown()),
        of(&finished, &|job| history.jobs[job as usize].finish_time.since(submit(job)).0.into()),
    ]
}

/// One quantity of the jobs that have it, ascending, each with the day of its submit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ranked {
    values: Vec<(f64, u32)>,
    /// Sum of the values of each day.
    sums: Vec<f64>,
    /// By [`BLOCK`] values, and within by day: how many there are. So a resample skips most of the values.
    counts: Vec<u32>,
}

/// Values that are skipped together if none of them is asked for.
const BLOCK: usize = 1024;

impl Ranked {
    /// Of (value, day) in any order.
    pub(crate) fn new(mut values: Vec<(f64, u32)>) -> Self {
        let days = values.iter().map(|(_, day)| *day as usize + 1).max().unwrap_or(0);
        let mut sums = vec![0.0; days];
        for (value, day) in &values {
            sums[*day as usize] += value;
        }
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut counts = vec![0; days * values.len().div_ceil(BLOCK)];
        for (block, counts) in values.chunks(BLOCK).zip(counts.chunks_mut(days.max(1))) {
            for (_, day) in block {
                counts[*day as usize] += 1;
            }
        }
        Self { values, sums, counts }
    }
    /// How many days there are.
    pub(crate) const fn days(&self) -> usize {
        self.sums.len()
    }
    /// The readings over all jobs, each counted as often as `times` says of its day; 0 if none counts.
    pub(crate) fn read(&self, readings: &[Reading], times: &[u32]) -> Vec<f64> {
        let weights: Vec<u64> =
            self.counts.chunks(self.days().max(1)).map(|days| weight(days, times)).collect();
        let count: u64 = weights.iter().sum();
        let sum: f64 = self.sums.iter().zip(times).map(|(sum, times)| sum * f64::from(*times)).sum();
        let mut found = vec![0.0; readings.len()];
        let mut ranks: Vec<(u64, usize)> = Vec::new();
        for (index, reading) in readings.iter().enumerate() {
            match reading {
                Reading::Mean => found[index] = sum / real(count).max(1.0),
                Reading::Percentile(percent) => {
                    ranks.push(((count * u64::from(*percent)).div_ceil(100).max(1), index));
                }
            }
        }
        ranks.sort_unstable();
        let mut wanted = ranks.into_iter().peekable();
        let mut seen = 0;
        for (block, weight) in self.values.chunks(BLOCK).zip(weights) {
            let Some((next, _)) = wanted.peek() else { break };
            if seen + weight < *next {
                seen += weight;
                continue;
            }
            for (value, day) in block {
                seen += u64::from(times[*day as usize]);
                while let Some((_, index)) = wanted.next_if(|(rank, _)| seen >= *rank) {
                    found[index] = *value;
                }
            }
        }
        found
    }
}

/// How many values of a block count, each as often as its day was drawn.
fn weight(counts: &[u32], times: &[u32]) -> u64 {
    // A block is small and a day is drawn no more often than there are days: 32 bits are enough.
    u64::from(counts.iter().zip(times).map(|(count, times)| count * times).sum::<u32>())
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::percentile;
    use Reading::{Mean, Percentile};
    use std::cmp::Ordering;

    const ALL: [Reading; 4] = [Percentile(99), Mean, Percentile(50), Percentile(90)];

    #[test]
    fn readings_are_the_nearest_ranks_and_the_mean() {
        let ranked = Ranked::new((1..=10).rev().map(|value| (f64::from(value), 0)).collect());
        assert_eq!(ranked.read(&ALL, &[1]), [10.0, 5.5, 5.0, 9.0], "of 1..=10");
        assert_eq!(Ranked::new(Vec::new()).read(&ALL, &[]), [0.0; 4], "of nothing");
    }

    #[test]
    fn a_day_drawn_twice_counts_twice_and_one_not_drawn_not_at_all() {
        let ranked = Ranked::new(vec![(1.0, 0), (3.0, 0), (10.0, 1), (20.0, 2), (40.0, 2)]);
        assert_eq!(ranked.days(), 3, "days");
        // 1 1 3 3 20 40: the mean is 68 / 6, the 3rd of 6 is 3, the 6th is 40.
        let expected = [40.0, 68.0 / 6.0, 3.0, 40.0];
        assert_eq!(ranked.read(&ALL, &[2, 0, 1]), expected, "as if written out");
        let written_out = Ranked::new([1.0, 1.0, 3.0, 3.0, 20.0, 40.0].map(|value| (value, 0)).to_vec());
        assert_eq!(written_out.read(&ALL, &[1]), expected, "written out");
    }

    #[test]
    fn skipped_blocks_change_nothing() {
        let values: Vec<(f64, u32)> =
            (0..5000_u32).map(|number| (f64::from(number * 7919 % 5003), number % 31)).collect();
        let times: Vec<u32> = (0..31).map(|day| day * 5 % 4).collect();
        let mut written_out: Vec<f64> = Vec::new();
        for (value, day) in &values {
            written_out.extend(std::iter::repeat_n(*value, times[*day as usize] as usize));
        }
        written_out.sort_by(f64::total_cmp);
        let found = Ranked::new(values).read(&ALL, &times);
        for (reading, found) in ALL.iter().zip(found) {
            let Percentile(percent) = reading else { continue };
            let expected = percentile(&written_out, usize::from(*percent));
            assert_eq!(found.total_cmp(&expected), Ordering::Equal, "p{percent}: {found}, {expected}");
        }
    }
}
