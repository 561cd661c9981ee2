use serde::Serialize;
use std::cmp::Ordering;

/// Mean and percentiles of one number a job.
///
/// The mean is the exact sum over the count, divided once. A percentile is the nearest rank: the p-th of n values is
/// number ⌈p · n / 100⌉ of them in ascending order, so that it is always one of the values.
///
/// ```
/// use gigawatt::metrics::Distribution;
/// let waits = Distribution::of_seconds(vec![40, 10, 30, 20]);
/// assert_eq!((waits.mean, waits.p50, waits.p90, waits.max), (25.0, 20, 40, 40));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Distribution<T, Mean = f64> {
    /// How many values there are; without any, every number below is zero.
    pub count: u64,
    /// How many of them are of jobs that were waiting or running when the run ended: those may still grow.
    pub unfinished: u64,
    /// Their mean.
    pub mean: Mean,
    /// Half of them are at most this.
    pub p50: T,
    /// Nine in ten are at most this.
    pub p90: T,
    /// Nineteen in twenty are at most this.
    pub p95: T,
    /// Ninety-nine in a hundred are at most this.
    pub p99: T,
    /// The largest.
    pub max: T,
}

/// The value of nearest rank `percent` (1..=100) of ascending values; the default if there is none.
#[must_use]
pub fn percentile<T: Copy + Default>(ascending: &[T], percent: usize) -> T {
    ascending.get(rank(ascending.len(), percent)).copied().unwrap_or_default()
}

/// The index of the value of nearest rank `percent` among so many.
const fn rank(length: usize, percent: usize) -> usize {
    (length * percent).div_ceil(100).saturating_sub(1)
}

/// Of values in any order: the ranks that are told are selected, and nothing else is sorted.
fn of_unsorted<T: Copy + Default>(
    values: &mut [T],
    mean: f64,
    order: impl Fn(&T, &T) -> Ordering + Copy,
) -> Distribution<T> {
    let length = values.len();
    let mut from = 0;
    let ranks = [50, 90, 95, 99, 100].map(|percent| {
        let rank = rank(length, percent);
        if from < length {
            let (_, _, after) = values[from..].select_nth_unstable_by(rank - from, order);
            from = length - after.len();
        }
        values.get(rank).copied().unwrap_or_default()
    });
    let [p50, p90, p95, p99, max] = ranks;
    Distribution { count: count(length), unfinished: 0, mean, p50, p90, p95, p99, max }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).expect("what is in memory is counted in 64 bits")
}

impl Distribution<u32> {
    /// Of whole seconds, in any order.
    #[must_use]
    pub fn of_seconds(mut values: Vec<u32>) -> Self {
        let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
        let mean = ratio(sum, u128::from(count(values.len())));
        of_unsorted(&mut values, mean, u32::cmp)
    }
}

impl Distribution<f64> {
    /// Of ratios, summed in the order given.
    #[must_use]
    pub fn of_ratios(mut values: Vec<f64>) -> Self {
        let sum: f64 = values.iter().sum();
        let mean = if values.is_empty() { 0.0 } else { sum / real(u128::from(count(values.len()))) };
        of_unsorted(&mut values, mean, f64::total_cmp)
    }
}

/// The real number nearest to an exact one.
#[expect(clippy::cast_precision_loss, reason = "statistics are rounded once, here")]
pub(super) const fn real(exact: u128) -> f64 {
    exact as f64
}

/// A quotient of exact numbers; 0 where nothing is divided by nothing.
pub(super) const fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { real(part) / real(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        // The example of Wikipedia, "Percentile", nearest-rank method.
        let values = [3, 6, 7, 8, 8, 10, 13, 15, 16, 20];
        for (percent, expected) in [(1, 3), (25, 7), (50, 8), (75, 15), (90, 16), (91, 20), (100, 20)] {
            assert_eq!(percentile(&values, percent), expected, "p{percent}");
        }
        assert_eq!(percentile::<u32>(&[], 50), 0, "nothing");
        assert_eq!(percentile(&[9], 1), 9, "a single value is every percentile");
    }

    #[test]
    fn selected_ranks_are_those_of_the_values_in_order() {
        for length in 0..130_u32 {
            // 7,919 and 2^16 + 1 have no divisor in common: every order of few values, many of them equal.
            let values: Vec<u32> = (0..length).map(|index| index * 7919 % 65_537 % 40).collect();
            let mut ascending = values.clone();
            ascending.sort_unstable();
            let selected = Distribution::of_seconds(values);
            let ranks = [selected.p50, selected.p90, selected.p95, selected.p99, selected.max];
            let expected = [50, 90, 95, 99, 100].map(|percent| percentile(&ascending, percent));
            assert_eq!(ranks, expected, "{length} values");
        }
    }

    #[test]
    fn sums_do_not_overflow() {
        let waits = Distribution::of_seconds(vec![u32::MAX; 3]);
        assert_eq!((waits.count, waits.p99), (3, u32::MAX), "three jobs waited for ever");
        assert!((waits.mean - f64::from(u32::MAX)).abs() < 1e-3, "and so did their mean");
    }
}
