//! How much of what fails and is repaired is there: closed forms.
//!
//! ```
//! use gigawatt::failure::availability::{at_least, availability, spares};
//! assert_eq!(availability(900.0, 100.0), 0.9);
//! // A rack of 18 trays that is good with 16 of them.
//! for (tray, rack) in [(0.99, 0.99927), (0.98, 0.99479), (0.95, 0.94187)] {
//!     assert!((at_least(16, 18, tray) - rack).abs() < 5e-6);
//! }
//! // 2,048 nodes that fail 6.5 times in 1,000 days and take two days each.
//! assert_eq!(spares(2048.0 * 6.5e-3 * 2.0, 0.999), 44);
//! ```

/// The share of the time that something is there: mtbf ÷ (mtbf + mttr), in the same unit.
#[must_use]
pub fn availability(mtbf: f64, mttr: f64) -> f64 {
    mtbf / (mtbf + mttr)
}

/// The probability that at least `least` of `all` are there, each with the probability `each` and independently:
/// Σ C(all, i) · each^i · (1 − each)^(all − i).
///
/// # Complexity
/// O(all).
#[must_use]
pub fn at_least(least: u32, all: u32, each: f64) -> f64 {
    if least == 0 || each >= 1.0 {
        return if least <= all { 1.0 } else { 0.0 };
    }
    // By logarithms, as binomials of many overflow.
    let (log, log_not) = (libm::log(each), libm::log1p(-each));
    let factorial = |n: u32| libm::lgamma(f64::from(n) + 1.0);
    let term = |i: u32| {
        let ways = factorial(all) - factorial(i) - factorial(all - i);
        libm::exp(ways + f64::from(i) * log + f64::from(all - i) * log_not)
    };
    (least..=all).map(term).sum::<f64>().min(1.0)
}

/// The fewest spares that are enough with that probability, below 1, where so many are in repair on average: the least s
/// with P(Poisson(mean) ≤ s) ≥ enough. The mean is nodes × failures a day × days of a repair.
///
/// # Complexity
/// O(mean).
#[must_use]
pub fn spares(mean: f64, enough: f64) -> u32 {
    let mut sum = 0.0;
    let mut count = 0;
    loop {
        let many = f64::from(count);
        sum += libm::exp(many * libm::log(mean.max(f64::MIN_POSITIVE)) - mean - libm::lgamma(many + 1.0));
        // Beyond that nothing is added that counts.
        if sum >= enough || many > mean + 40.0 * libm::sqrt(mean.max(1.0)) {
            return count;
        }
        count += 1;
    }
}

/// How many of `machines` are there on average where `crews`, at least one, repair them, one at a time each: the machine repair model
/// M/M/c//N, both times exponential, in the same unit.
///
/// ```
/// use gigawatt::failure::availability::{availability, repaired_by};
/// assert!((repaired_by(3, 1, 2.0, 1.0) - 30.0 / 19.0).abs() < 1e-12, "three and one crew, by hand");
/// let enough = repaired_by(3, 3, 2.0, 1.0) / 3.0;
/// assert!((enough - availability(2.0, 1.0)).abs() < 1e-12, "nobody waits for a crew");
/// ```
///
/// # Complexity
/// O(machines).
#[must_use]
pub fn repaired_by(machines: u32, crews: u32, mtbf: f64, mttr: f64) -> f64 {
    // The probability that so many are down, to a common factor.
    let (mut here, mut sum, mut up) = (1.0, 0.0, 0.0);
    for down in 0..=machines {
        sum += here;
        up += here * f64::from(machines - down);
        if sum > 1e200 {
            (here, sum, up) = (here / 1e200, sum / 1e200, up / 1e200);
        }
        here *= f64::from(machines - down) * mttr / mtbf / f64::from((down + 1).min(crews.max(1)));
    }
    up / sum
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exactly representable results")]
mod tests {
    use super::*;

    #[test]
    fn probabilities_reach_their_ends() {
        assert_eq!([at_least(0, 5, 0.0), at_least(5, 5, 1.0), at_least(6, 5, 0.5)], [1.0, 1.0, 0.0], "ends");
        assert!((at_least(1, 2, 0.5) - 0.75).abs() < 1e-12, "one of two coins");
        assert!((at_least(450_000, 500_000, 0.9) - 0.5).abs() < 0.01, "many");
        assert_eq!(at_least(1, 5, 0.0), 0.0, "of what is never there");
        assert_eq!([spares(0.0, 0.999), spares(1.0, 0.5)], [0, 1], "none is needed, and one");
        assert!((1_003_000..1_003_200).contains(&spares(1e6, 0.999)), "3.09 deviations above the mean");
    }

    #[test]
    fn few_crews_leave_more_waiting() {
        let up: Vec<f64> = [1, 10, 100, 1000].map(|crews| repaired_by(10_000, crews, 1000.0, 10.0)).to_vec();
        assert!(up.is_sorted(), "{up:?}");
        assert!((up[0] - 100.0).abs() < 1e-6, "one repairs one in 10, and each of a hundred fails in 1000");
        assert!((up[3] / 10_000.0 - availability(1000.0, 10.0)).abs() < 1e-9, "enough of them");
    }
}
