use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// A part of a cluster: what it is, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Index of the component, below 2^16.
    pub component: u32,
    /// Index of its node, rack, feed, site or job.
    pub unit: u32,
}

impl Part {
    /// What its random numbers are addressed by.
    pub(super) fn entity(self) -> u64 {
        u64::from(self.component) << 32 | u64::from(self.unit)
    }
}

/// How long a part lasts: a Weibull distribution, P(life > t) = e^−(t/scale)^shape. With shape 1 it is exponential, and
/// below 1 new parts fail more often than old ones (infant mortality).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Seconds.
    pub scale: u64,
    /// Thousandths.
    pub shape_milli: u32,
}

/// 2^53, below which a float tells every whole number.
const UNIFORM: f64 = 9_007_199_254_740_992.0;

impl Life {
    /// It lasts for ever.
    pub const NEVER: Self = Self { scale: u64::MAX, shape_milli: 1000 };
    /// The longest scale, seconds: 300 million years.
    const SCALE_MAX: f64 = 1e16;
    /// The shapes that are taken.
    pub const SHAPES: std::ops::RangeInclusive<f64> = 0.1..=10.0;

    /// Of that mean, seconds, with a shape; none if either is out of range. The scale is mean ÷ Γ(1 + 1 ÷ shape).
    ///
    /// ```
    /// use gigawatt::failure::Life;
    /// assert_eq!(Life::of_mean(3600.0, 1.0).unwrap().scale, 3600);
    /// assert!((Life::of_mean(3600.0, 0.7).unwrap().mean() / 3600.0 - 1.0).abs() < 1e-3);
    /// assert_eq!(Life::of_mean(0.5, 1.0), None, "less than a second");
    /// ```
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    pub fn of_mean(mean: f64, shape: f64) -> Option<Self> {
        let scale = mean / libm::tgamma(1.0 + 1.0 / shape);
        let known = Self::SHAPES.contains(&shape) && (1.0..=Self::SCALE_MAX).contains(&scale);
        let rounded = |value: f64| libm::round(value) as u64;
        let shape_milli = u32::try_from(rounded(shape * 1000.0)).ok().filter(|_| known)?;
        Some(Self { scale: rounded(scale), shape_milli })
    }
    /// Its mean, seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.scale_of(1) * libm::tgamma(1.0 + 1.0 / self.shape())
    }
    /// Whether it is in range.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.scale > 0 && Self::SHAPES.contains(&self.shape())
    }
    /// The n-th lifetime of a part that is `count` equal ones, of which the first to fail counts, in milliseconds;
    /// [`u64::MAX`] if it never fails.
    ///
    /// The least of `count` lives is Weibull of the same shape, its scale the one's times count^(−1/shape).
    #[must_use]
    pub fn nth(&self, seed: u64, part: Part, n: u32, count: u32) -> u64 {
        if self.scale == u64::MAX || count == 0 {
            return u64::MAX;
        }
        let [high, low, _, _] = Stream::new(seed, Purpose::Lifetimes).block(part.entity(), n);
        // Above 0 and below 1.
        let uniform = (f64_of((u64::from(high) << 32 | u64::from(low)) >> 11) + 0.5) / UNIFORM;
        let unit = -libm::log(uniform);
        let unit = if self.shape_milli == 1000 { unit } else { libm::pow(unit, 1.0 / self.shape()) };
        let milliseconds = libm::ceil(self.scale_of(count) * unit * 1000.0).max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, which is meant"
        )]
        let whole = milliseconds as u64;
        whole
    }

    fn shape(&self) -> f64 {
        f64::from(self.shape_milli) / 1000.0
    }
    /// The scale of the first of so many to fail, seconds.
    fn scale_of(&self, count: u32) -> f64 {
        let scale = f64_of(self.scale);
        match (count, self.shape_milli) {
            (1, _) => scale,
            (count, 1000) => scale / f64::from(count),
            (count, _) => scale * libm::pow(f64::from(count), -1.0 / self.shape()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are all that counts")]
const fn f64_of(whole: u64) -> f64 {
    whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and standard deviation of first lifetimes, seconds.
    fn moments(life: Life, count: u32) -> (f64, f64) {
        let draws: Vec<f64> = (0..40_000)
            .map(|unit| f64_of(life.nth(5, Part { component: 2, unit }, 0, count)) / 1000.0)
            .collect();
        let mean = draws.iter().sum::<f64>() / 40_000.0;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 40_000.0;
        (mean, variance.sqrt())
    }

    #[test]
    fn lifetimes_have_the_moments_of_their_distribution() {
        // Weibull: mean scale·Γ(1 + 1/k), variance scale²·(Γ(1 + 2/k) − Γ(1 + 1/k)²).
        for (shape, count) in [(1.0, 1), (0.7, 1), (2.0, 1), (1.0, 8), (0.7, 8)] {
            let life = Life::of_mean(1e6, shape).unwrap();
            let (mean, deviation) = moments(life, count);
            let gamma = |times: f64| libm::tgamma(1.0 + times / shape);
            let expected = 1e6 * f64::from(count).powf(-1.0 / shape);
            let spread = expected * (gamma(2.0) / gamma(1.0).powi(2) - 1.0).sqrt();
            let error = spread / 200.0;
            assert!((mean - expected).abs() < 3.0 * error, "{shape}, {count}: {mean}, expected {expected}");
            assert!(
                (deviation / spread - 1.0).abs() < 0.05,
                "{shape}, {count}: {deviation}, expected {spread}"
            );
        }
    }

    #[test]
    fn a_lifetime_is_told_by_its_part_and_its_number() {
        let life = Life::of_mean(1e6, 1.0).unwrap();
        let at = |component, unit, n| life.nth(9, Part { component, unit }, n, 1);
        assert_eq!(at(0, 5, 3), at(0, 5, 3), "the same");
        for other in [at(1, 5, 3), at(0, 6, 3), at(0, 5, 4)] {
            assert_ne!(other, at(0, 5, 3), "another");
        }
        assert_eq!(Life::NEVER.nth(9, Part { component: 0, unit: 0 }, 0, 1), u64::MAX, "for ever");
    }
}
