//! What a comparison reads off a run.

use crate::history::{History, Outcome};
use crate::metrics::{Measured, Metrics, PowerMetrics};
use serde::Serialize;

/// What a number is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A ratio without a unit.
    Ratio,
    /// A part of the whole, 0..=1.
    Share,
    /// A number of jobs.
    Jobs,
    /// Joules.
    Joules,
    /// Watts.
    Watts,
    /// Dollars.
    Dollars,
    /// Grams.
    Grams,
}

impl Unit {
    /// Whether a number of it may be below zero: prices are, and credits for carbon.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Dollars | Self::Grams)
    }
}

/// A number that every job has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Wait,
    Slowdown,
    Turnaround,
}

impl Quantity {
    pub(super) const COUNT: usize = 3;
}

/// How one number is made of those of all jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Mean,
    /// Nearest rank, in hundredths.
    Percentile(u8),
}

/// One line of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// As JSON and CSV call it.
    pub key: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    pub(super) of_run: fn(&Metrics) -> f64,
    /// What of each job it is made of, and how; none for what only a whole run has.
    pub(super) of_jobs: Option<(Quantity, Reading)>,
    /// Whether it says nothing where every policy has 0, or NaN where nothing is known of it.
    pub is_optional: bool,
}

const fn seconds(
    key: &'static str,
    name: &'static str,
    of_run: fn(&Metrics) -> f64,
    quantity: Quantity,
    reading: Reading,
) -> Measure {
    Measure { key, name, unit: Unit::Seconds, of_run, of_jobs: Some((quantity, reading)), is_optional: false }
}
const fn slowdown(
    key: &'static str,
    name: &'static str,
    of_run: fn(&Metrics) -> f64,
    reading: Reading,
) -> Measure {
    Measure {
        key,
        name,
        unit: Unit::Ratio,
        of_run,
        of_jobs: Some((Quantity::Slowdown, reading)),
        is_optional: false,
    }
}
const fn whole(key: &'static str, name: &'static str, unit: Unit, of_run: fn(&Metrics) -> f64) -> Measure {
    Measure { key, name, unit, of_run, of_jobs: None, is_optional: false }
}
/// What is only known of some runs: where power is counted, or tenants contend.
const fn if_known(key: &'static str, name: &'static str, unit: Unit, of_run: fn(&Metrics) -> f64) -> Measure {
    Measure { is_optional: true, ..whole(key, name, unit, of_run) }
}

use Quantity::{Turnaround, Wait};
use Reading::{Mean, Percentile};

/// Every line of a comparison, in the order shown.
pub const MEASURES: &[Measure] = &[
    seconds("wait_mean_s", "wait, mean", |m| m.wait_time.mean, Wait, Mean),
    seconds("wait_p50_s", "wait, p50", |m| m.wait_time.p50.into(), Wait, Percentile(50)),
    seconds("wait_p90_s", "wait, p90", |m| m.wait_time.p90.into(), Wait, Percentile(90)),
    seconds("wait_p99_s", "wait, p99", |m| m.wait_time.p99.into(), Wait, Percentile(99)),
    slowdown("slowdown_mean", "slowdown, mean", |m| m.bounded_slowdown.mean, Mean),
    slowdown("slowdown_p50", "slowdown, p50", |m| m.bounded_slowdown.p50, Percentile(50)),
    slowdown("slowdown_p90", "slowdown, p90", |m| m.bounded_slowdown.p90, Percentile(90)),
    slowdown("slowdown_p99", "slowdown, p99", |m| m.bounded_slowdown.p99, Percentile(99)),
    seconds("turnaround_mean_s", "turnaround, mean", |m| m.turnaround_time.mean, Turnaround, Mean),
    seconds(
        "turnaround_p50_s",
        "turnaround, p50",
        |m| m.turnaround_time.p50.into(),
        Turnaround,
        Percentile(50),
    ),
    seconds(
        "turnaround_p90_s",
        "turnaround, p90",
        |m| m.turnaround_time.p90.into(),
        Turnaround,
        Percentile(90),
    ),
    seconds(
        "turnaround_p99_s",
        "turnaround, p99",
        |m| m.turnaround_time.p99.into(),
        Turnaround,
        Percentile(99),
    ),
    whole("makespan_s", "makespan", Unit::Seconds, |m| m.makespan.0.into()),
    whole("utilization", "utilization", Unit::Share, |m| m.utilization),
    if_known("jain_index", "Jain index", Unit::Ratio, |m| m.jain_index.unwrap_or(f64::NAN)),
    whole("unfinished_jobs", "unfinished jobs", Unit::Jobs, |m| m.outcome(Outcome::Unfinished).into()),
    if_known("energy_j", "energy", Unit::Joules, |m| power(m, |power| wide(power.all.energy_j))),
    if_known("peak_w", "peak power", Unit::Watts, |m| power(m, |power| wide(power.all.peak_w.into()))),
    if_known("over_cap_ws", "over caps", Unit::Joules, |m| power(m, |power| wide(power.all_over_cap_ws))),
    if_known("work_gpu_hours_mwh", "work/MWh", Unit::Ratio, |m| {
        power(m, |power| power.work_gpu_hours_per_mwh)
    }),
    if_known("energy_cost_usd", "cost of energy", Unit::Dollars, |m| {
        m.cost.as_ref().map_or(f64::NAN, |cost| signed(cost.energy.0) / 1e6)
    }),
    if_known("demand_cost_usd", "cost of peaks", Unit::Dollars, |m| {
        m.cost.as_ref().map_or(f64::NAN, |cost| signed(cost.demand.0) / 1e6)
    }),
    if_known("cost_usd", "cost", Unit::Dollars, |m| {
        m.cost.as_ref().map_or(f64::NAN, |cost| signed(cost.total.0) / 1e6)
    }),
    if_known("carbon_g", "carbon", Unit::Grams, |m| {
        m.cost.as_ref().map_or(f64::NAN, |cost| signed(cost.carbon_g))
    }),
];

fn power(metrics: &Metrics, value: fn(&PowerMetrics) -> f64) -> f64 {
    metrics.power.as_ref().map_or(f64::NAN, value)
}

#[expect(clippy::cast_precision_loss, reason = "a number to be compared")]
const fn wide(number: u128) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a number to be compared")]
const fn signed(number: i64) -> f64 {
    number as f64
}

/// Seconds of a day.
const DAY: u32 = 86_400;

/// By [`Quantity`]: those of the jobs that count, each with the day of its submit. All that have any of them wait.
pub(super) fn rank(history: &History, measured: &Measured) -> Vec<Ranked> {
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
pub(super) struct Ranked {
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
    pub(super) fn new(mut values: Vec<(f64, u32)>) -> Self {
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
    pub(super) const fn days(&self) -> usize {
        self.sums.len()
    }
    /// The readings over all jobs, each counted as often as `times` says of its day; 0 if none counts.
    pub(super) fn read(&self, readings: &[Reading], times: &[u32]) -> Vec<f64> {
        let weights: Vec<u64> =
            self.counts.chunks(self.days().max(1)).map(|days| weight(days, times)).collect();
        let count: u64 = weights.iter().sum();
        let sum: f64 = self.sums.iter().zip(times).map(|(sum, times)| sum * f64::from(*times)).sum();
        let mut found = vec![0.0; readings.len()];
        let mut ranks: Vec<(u64, usize)> = Vec::new();
        for (index, reading) in readings.iter().enumerate() {
            match reading {
                Mean => found[index] = sum / real(count).max(1.0),
                Percentile(percent) => {
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

    #[test]
    fn keys_are_unique() {
        let mut keys: Vec<&str> = MEASURES.iter().map(|measure| measure.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), MEASURES.len(), "a column a measure");
    }
}
