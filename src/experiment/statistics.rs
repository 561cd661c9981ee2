//! Intervals by resampling: how sure a difference between two policies is.
//!
//! Every resample has its address in a counter-based stream, so that an interval is the same on any machine, and
//! two policies (and all their metrics) are always resampled together: the comparison is paired.
//!
//! ```
//! use gigawatt::experiment::statistics::{Resampling, relative_change};
//! let reference = [10.0, 12.0, 9.0, 11.0, 10.0, 13.0, 12.0, 9.0, 10.0, 11.0];
//! let other: Vec<f64> = reference.iter().map(|wait| wait / 2.0).collect();
//! let interval = Resampling::new(1).bca(10, |picked| relative_change(&other, &reference, picked)).unwrap();
//! assert_eq!((interval.low, interval.high), (-0.5, -0.5), "half of it in every sample");
//! ```

use crate::random::{Purpose, Stream, normal_cdf, normal_quantile};
use rayon::prelude::*;
use serde::Serialize;

/// Fewer observations than this give no interval.
pub const FEWEST: usize = 10;
/// Fewer than this give one that holds the true value less often than it says: ten of a skewed quantity in some 85 of 100.
pub const ENOUGH: usize = 20;

/// Where a number lies with probability [`Resampling::LEVEL`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies in it, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Draws resamples and reads intervals off them.
#[derive(Debug, Clone, Copy)]
pub struct Resampling {
    stream: Stream,
    resamples: u32,
    level: f64,
}

impl Resampling {
    /// The probability that an interval holds the true value.
    pub const LEVEL: f64 = 0.95;
    /// How many resamples an interval is read off.
    pub const RESAMPLES: u32 = 2000;

    /// The resampling of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { stream: Stream::new(seed, Purpose::Bootstrap), resamples: Self::RESAMPLES, level: Self::LEVEL }
    }
    /// The same with another number of resamples.
    #[must_use]
    pub const fn resamples(mut self, resamples: u32) -> Self {
        self.resamples = resamples;
        self
    }
    /// The same with another level, above 0 and below 1.
    #[must_use]
    pub const fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// The bias-corrected and accelerated bootstrap interval of `statistic` over `count` independent observations.
    ///
    /// `statistic` gets indices below `count`, with repetition, and returns a finite number or NaN where the
    /// resample has none. `None` if there are fewer than [`FEWEST`] observations, or a NaN.
    /// B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987) 171–185.
    ///
    /// # Complexity
    /// O(resamples · (count + cost of the statistic)) time.
    pub fn bca(&self, count: usize, statistic: impl Fn(&[usize]) -> f64) -> Option<Interval> {
        if count < FEWEST {
            return None;
        }
        let mut picked: Vec<usize> = (0..count).collect();
        let observed = statistic(&picked);
        let mut jackknife = Vec::with_capacity(count);
        for left_out in 0..count {
            let others: Vec<usize> = (0..count).filter(|index| *index != left_out).collect();
            jackknife.push(statistic(&others));
        }
        let mut replicates = Vec::with_capacity(self.resamples as usize);
        for resample in 0..self.resamples {
            self.fill(resample, count, &mut picked);
            replicates.push(statistic(&picked));
        }
        if !observed.is_finite() || jackknife.iter().chain(&replicates).any(|value| !value.is_finite()) {
            return None;
        }
        replicates.sort_by(f64::total_cmp);
        Some(bca_ends(observed, &jackknife, &replicates, self.level))
    }

    /// The percentile intervals of several statistics over moving blocks of `count` consecutive observations.
    ///
    /// What happens on one day depends on the day before, so whole runs of days are drawn: [`block_length`] of
    /// them, from any first day. `statistics` gets how often each observation was drawn, and returns as many numbers
    /// each time. One is `None` if it was ever NaN, all are if there are fewer than [`FEWEST`] observations.
    /// H. R. Künsch, "The jackknife and the bootstrap for general stationary observations", Ann. Statist. 17 (1989).
    ///
    /// # Complexity
    /// O(resamples · (count + cost of the statistics)) time, on every core.
    pub fn moving_blocks(
        &self,
        count: usize,
        statistics: impl Fn(&[u32]) -> Vec<f64> + Sync,
    ) -> Vec<Option<Interval>> {
        let width = statistics(&vec![1; count]).len();
        if count < FEWEST {
            return vec![None; width];
        }
        let draw = |times: &mut Vec<u32>, resample| {
            self.draw_blocks(resample, times);
            statistics(times)
        };
        let replicates: Vec<Vec<f64>> =
            (0..self.resamples).into_par_iter().map_init(|| vec![0; count], draw).collect();
        let tail = (1.0 - self.level) / 2.0;
        let interval = |index: usize| {
            let mut values: Vec<f64> = replicates.iter().map(|replicate| replicate[index]).collect();
            values.sort_by(f64::total_cmp);
            let ends = Interval { low: at_rank(&values, tail), high: at_rank(&values, 1.0 - tail) };
            values.iter().all(|value| value.is_finite()).then_some(ends)
        };
        (0..width).map(interval).collect()
    }

    fn fill(&self, resample: u32, count: usize, picked: &mut Vec<usize>) {
        let bound = u32::try_from(count).expect("observations are counted in 32 bits");
        picked.clear();
        picked.extend((0..bound).map(|draw| self.stream.below(u64::from(resample), draw, bound) as usize));
    }

    fn draw_blocks(&self, resample: u32, times: &mut [u32]) {
        times.fill(0);
        let (count, length) = (times.len(), block_length(times.len()));
        let starts = u32::try_from(count - length + 1).expect("observations are counted in 32 bits");
        let mut left = count;
        let mut draw = 0;
        while left > 0 {
            let first = self.stream.below(u64::from(resample), draw, starts) as usize;
            let taken = length.min(left);
            for time in &mut times[first..first + taken] {
                *time += 1;
            }
            left -= taken;
            draw += 1;
        }
    }
}

/// Length of the blocks of [`Resampling::moving_blocks`]: the cube root of the number of observations, rounded.
///
/// P. Hall, J. L. Horowitz and B.-Y. Jing, "On blocking rules for the bootstrap with dependent data",
/// Biometrika 82 (1995): for an interval of a variance-like functional the best length grows as n^(1/3).
#[must_use]
pub fn block_length(count: usize) -> usize {
    (1..=count).take_while(|length| (2 * length - 1).pow(3) <= 8 * count).last().unwrap_or(1)
}

/// Mean of `values` at the indices `picked`; NaN if there is none.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of observations are far below 2^53")]
pub fn mean_of(values: &[f64], picked: &[usize]) -> f64 {
    picked.iter().map(|index| values[*index]).sum::<f64>() / picked.len() as f64
}

/// mean(values) / mean(reference) − 1 over the same observations of both; NaN if the reference's mean is 0.
#[must_use]
pub fn relative_change(values: &[f64], reference: &[f64], picked: &[usize]) -> f64 {
    change(mean_of(values, picked), mean_of(reference, picked))
}

/// `value` / `reference` − 1; NaN if `reference` is 0.
#[must_use]
pub fn change(value: f64, reference: f64) -> f64 {
    if reference == 0.0 { f64::NAN } else { value / reference - 1.0 }
}

fn bca_ends(observed: f64, jackknife: &[f64], sorted: &[f64], level: f64) -> Interval {
    let below = sorted.partition_point(|value| *value < observed);
    let not_above = sorted.partition_point(|value| *value <= observed);
    let share = share_of(below + not_above, 2 * sorted.len());
    let bias = normal_quantile(share);
    let mean = jackknife.iter().sum::<f64>() / share_of(jackknife.len(), 1);
    let squares: f64 = jackknife.iter().map(|value| (mean - value).powi(2)).sum();
    let cubes: f64 = jackknife.iter().map(|value| (mean - value).powi(3)).sum();
    let spread = squares * libm::sqrt(squares);
    let acceleration = if spread > 0.0 { cubes / (6.0 * spread) } else { 0.0 };
    let end = |tail: f64| {
        let z = normal_quantile(tail);
        let shifted = bias + (bias + z) / (1.0 - acceleration * (bias + z));
        // A statistic outside all its replicates has no finite bias: the plain percentile is left.
        at_rank(sorted, if shifted.is_finite() { normal_cdf(shifted) } else { tail })
    };
    let tail = (1.0 - level) / 2.0;
    Interval { low: end(tail), high: end(1.0 - tail) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of resamples are far below 2^53")]
fn share_of(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// The value below which a share `probability` of the ascending `sorted` lies, by nearest rank.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank: a share of a small length, clamped to it"
)]
fn at_rank(sorted: &[f64], probability: f64) -> f64 {
    let rank = (probability * sorted.len() as f64).ceil().clamp(1.0, sorted.len() as f64);
    sorted[rank as usize - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected} ± {tolerance}");
    }

    #[test]
    fn blocks_are_as_long_as_the_cube_root_of_the_days() {
        for (count, length) in [(1, 1), (3, 1), (4, 2), (10, 2), (27, 3), (109, 5), (1000, 10)] {
            assert_eq!(block_length(count), length, "{count} days");
        }
    }

    #[test]
    fn blocks_draw_as_many_days_as_there_are() {
        let mut times = [0; 23];
        for resample in 0..200 {
            Resampling::new(4).draw_blocks(resample, &mut times);
            assert_eq!(times.iter().sum::<u32>(), 23, "resample {resample}");
        }
    }

    #[test]
    fn fewer_than_ten_observations_give_no_interval() {
        let values = [1.0; 10];
        let resampling = Resampling::new(1).resamples(50);
        assert_eq!(resampling.bca(9, |picked| mean_of(&values, picked)), None, "nine");
        assert!(resampling.bca(10, |picked| mean_of(&values, picked)).is_some(), "ten");
        assert_eq!(resampling.moving_blocks(9, |_| vec![1.0]), [None], "nine days");
    }

    #[test]
    fn a_reference_of_zero_gives_no_interval() {
        let (values, zeros) = ([1.0; 12], [0.0; 12]);
        let interval = Resampling::new(1).bca(12, |picked| relative_change(&values, &zeros, picked));
        assert_eq!(interval, None, "nothing is relative to zero");
    }

    /// Without bias and skewness the interval of a mean is that of the percentiles of its replicates.
    #[test]
    fn of_a_symmetric_sample_the_interval_is_symmetric() {
        let values: Vec<f64> = (-10..=10).map(f64::from).collect();
        let interval =
            Resampling::new(3).resamples(20_000).bca(21, |picked| mean_of(&values, picked)).unwrap();
        // Standard deviation of the mean under resampling: √(Σx²/n) / √n = √(770/21/21).
        let expected = 1.96 * (770.0_f64 / 441.0).sqrt();
        near(interval.high, expected, 0.1); // means are multiples of 1/21
        near(interval.low, -expected, 0.1);
    }

    #[test]
    fn bias_and_acceleration_move_the_ends_as_worked_by_hand() {
        // 100 replicates 1..=100, observed 60: 59 below, 1 equal, so the bias is Φ⁻¹(0.595) = 0.240426.
        // Jackknife −1 and 1 around a mean of 0: no acceleration. Upper end: Φ(2·0.240426 + 1.959964) = 0.992673,
        // lower end: Φ(2·0.240426 − 1.959964) = 0.069555.
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        let interval = bca_ends(60.0, &[-1.0, 1.0], &sorted, 0.95);
        assert_eq!((interval.low, interval.high), (7.0, 100.0), "ranks ⌈6.96⌉ and ⌈99.27⌉");
        // Jackknife −2, 1, 1: Σ(mean−x)² = 6, Σ(mean−x)³ = 8 − 1 − 1 = 6, acceleration 6 / (6·6·√6) = 0.068041.
        // Without bias: upper end Φ(1.959964 / (1 − 0.133359)) = Φ(2.261565) = 0.98814,
        // lower end Φ(−1.959964 / (1 + 0.133359)) = Φ(−1.729341) = 0.04187.
        let interval = bca_ends(50.5, &[-2.0, 1.0, 1.0], &sorted, 0.95);
        assert_eq!((interval.low, interval.high), (5.0, 99.0), "ranks ⌈4.19⌉ and ⌈98.81⌉");
    }

    /// How often intervals of `level` hold the true mean 1 of `count` exponential observations.
    fn coverage(level: f64, count: usize, trials: u32) -> f64 {
        coverage_of(|uniform| -libm::log(uniform), level, count, trials)
    }

    /// The same of observations of mean 1 that are made of uniform numbers.
    fn coverage_of(draw: impl Fn(f64) -> f64, level: f64, count: usize, trials: u32) -> f64 {
        let draws = Stream::new(99, Purpose::Durations);
        let mut held = 0;
        for trial in 0..trials {
            let values: Vec<f64> = (0..count)
                .map(|index| {
                    let uniform = f64::from(draws.draw(u64::from(trial), u32::try_from(index).unwrap()));
                    draw((uniform + 0.5) / 4_294_967_296.0)
                })
                .collect();
            let resampling = Resampling::new(u64::from(trial)).resamples(400).level(level);
            let interval = resampling.bca(count, |picked| mean_of(&values, picked)).unwrap();
            held += u32::from(interval.contains(1.0));
        }
        f64::from(held) / f64::from(trials)
    }

    #[test]
    fn intervals_hold_the_true_mean_about_as_often_as_they_say() {
        let found = coverage(0.95, 40, 1000);
        assert!((0.91..=0.97).contains(&found), "of 95 % intervals {found} hold it");
        let planted = coverage(0.80, 40, 1000);
        assert!((0.75..=0.85).contains(&planted), "80 % intervals must be told from 95 % ones: {planted}");
    }

    #[test]
    fn few_skewed_observations_make_intervals_that_hold_less_than_they_say() {
        // Lognormal with mean 1 and sigma 1, and near-normal ones.
        let skewed = |uniform: f64| libm::exp(normal_quantile(uniform) - 0.5);
        let near = |uniform: f64| 1.0 + 0.2 * normal_quantile(uniform);
        let rough = coverage_of(skewed, 0.95, FEWEST, 600);
        assert!((0.75..0.91).contains(&rough), "ten lognormal ones: {rough}");
        let good = coverage_of(near, 0.95, 40, 600);
        assert!((0.92..=0.98).contains(&good), "forty near-normal ones: {good}");
    }

    /// Days that hang together: x(t) = 0.6 x(t − 1) + noise; the mean of 200 has a long-run variance of
    /// 1 / (1 − 0.6)² = 6.25 a day, where independent days would have 1 / (1 − 0.36) = 1.56.
    #[test]
    fn moving_blocks_see_that_days_hang_together() {
        let draws = Stream::new(5, Purpose::Arrivals);
        let (mut width, trials) = (0.0, 40_u32);
        for trial in 0..trials {
            let mut values = Vec::new();
            let mut last = 0.0;
            for day in 0..200 {
                let uniform = (f64::from(draws.draw(u64::from(trial), day)) + 0.5) / 4_294_967_296.0;
                last = 0.6 * last + normal_quantile(uniform);
                values.push(last);
            }
            let mean = |times: &[u32]| {
                let sum: f64 =
                    times.iter().zip(&values).map(|(times, value)| f64::from(*times) * value).sum();
                vec![sum / 200.0]
            };
            let resampling = Resampling::new(u64::from(trial)).resamples(400);
            let interval = resampling.moving_blocks(200, mean)[0].unwrap();
            width += (interval.high - interval.low) / f64::from(trials);
        }
        let truth = 2.0 * 1.96 * (6.25_f64 / 200.0).sqrt();
        let independent = 2.0 * 1.96 * (1.56_f64 / 200.0).sqrt();
        assert!(
            width > 1.4 * independent && width < 1.1 * truth,
            "{width} between {independent} and {truth}"
        );
    }
}
