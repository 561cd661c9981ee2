use serde::Serialize;

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
    let rank = (ascending.len() * percent).div_ceil(100);
    ascending.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn of_ascending<T: Copy + Default>(ascending: &[T], mean: f64) -> Distribution<T> {
    Distribution {
        count: count(ascending.len()),
        unfinished: 0,
        mean,
        p50: percentile(ascending, 50),
        p90: percentile(ascending, 90),
        p95: percentile(ascending, 95),
        p99: percentile(ascending, 99),
        max: ascending.last().copied().unwrap_or_default(),
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).expect("what is in memory is counted in 64 bits")
}

impl Distribution<u32> {
    /// Of whole seconds, in any order.
    #[must_use]
    pub fn of_seconds(mut values: Vec<u32>) -> Self {
        let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
        values.sort_unstable();
        of_ascending(&values, ratio(sum, u128::from(count(values.len()))))
    }
}

impl Distribution<f64> {
    /// Of ratios, summed in the order given.
    #[must_use]
    pub fn of_ratios(mut values: Vec<f64>) -> Self {
        let sum: f64 = values.iter().sum();
        let mean = if values.is_empty() { 0.0 } else { sum / real(u128::from(count(values.len()))) };
        values.sort_unstable_by(f64::total_cmp);
        of_ascending(&values, mean)
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
    fn sums_do_not_overflow() {
        let waits = Distribution::of_seconds(vec![u32::MAX; 3]);
        assert_eq!((waits.count, waits.p99), (3, u32::MAX), "three jobs waited for ever");
        assert!((waits.mean - f64::from(u32::MAX)).abs() < 1e-3, "and so did their mean");
    }
}
