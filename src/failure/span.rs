use crate::random::normal_quantile;
use crate::units::Seconds;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A length of time, always the same or drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// Always so long.
    Fixed(Seconds),
    /// Every length from the first to the second alike.
    Uniform(Seconds, Seconds),
    /// Exponential of that mean.
    Exponential(Seconds),
    /// Lognormal of that mean; thousandths of the standard deviation of the logarithm.
    Lognormal(Seconds, u32),
}

impl Span {
    /// The widest spread of a lognormal one, thousandths.
    pub const SIGMA_MAX_MILLI: u32 = 3000;

    /// The length that belongs to 32 random bits: ascending with them.
    ///
    /// ```
    /// use gigawatt::failure::Span;
    /// use gigawatt::units::Seconds;
    /// assert_eq!(Span::Fixed(Seconds(60)).at(12345), Seconds(60));
    /// assert_eq!(Span::Exponential(Seconds(3600)).at(u32::MAX / 2), Seconds(2495), "the median is ln 2 of the mean");
    /// assert_eq!(Span::Uniform(Seconds(60), Seconds(120)).at(0), Seconds(60));
    /// ```
    #[must_use]
    pub fn at(&self, random: u32) -> Seconds {
        let uniform = (f64::from(random) + 0.5) / 4_294_967_296.0;
        match *self {
            Self::Fixed(length) => length,
            Self::Uniform(least, most) => {
                let span = u64::from(most.0.saturating_sub(least.0)) + 1;
                let above = (span * u64::from(random)) >> 32;
                Seconds(least.0.saturating_add(u32::try_from(above).unwrap_or(u32::MAX)))
            }
            Self::Exponential(mean) => whole(-f64::from(mean.0) * libm::log1p(-uniform)),
            Self::Lognormal(mean, milli) => {
                let sigma = f64::from(milli) / 1000.0;
                let log = libm::log(f64::from(mean.0)) - sigma * sigma / 2.0;
                whole(libm::exp(log + sigma * normal_quantile(uniform)))
            }
        }
    }
    /// Its mean, seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Fixed(mean) | Self::Exponential(mean) | Self::Lognormal(mean, _) => f64::from(mean.0),
            Self::Uniform(least, most) => f64::midpoint(f64::from(least.0), f64::from(most.0)),
        }
    }
    /// Whether it is in range.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        match *self {
            Self::Fixed(_) | Self::Exponential(_) => true,
            Self::Uniform(least, most) => least.0 <= most.0,
            Self::Lognormal(_, milli) => milli <= Self::SIGMA_MAX_MILLI,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(length) => length.fmt(f),
            Self::Uniform(least, most) => write!(f, "{least} to {most}"),
            Self::Exponential(mean) => write!(f, "exponential, {mean}"),
            Self::Lognormal(mean, milli) => {
                write!(f, "lognormal, {mean}, spread {}", f64::from(*milli) / 1000.0)
            }
        }
    }
}

/// To the nearest second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
fn whole(seconds: f64) -> Seconds {
    Seconds(libm::round(seconds) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_their_mean_and_ascend() {
        let spans = [
            Span::Fixed(Seconds(600)),
            Span::Uniform(Seconds(400), Seconds(800)),
            Span::Exponential(Seconds(600)),
            Span::Lognormal(Seconds(600), 1000),
        ];
        for span in spans {
            let lengths: Vec<u32> = (0..1 << 16).map(|i: u32| span.at(i << 16 | 1 << 15).0).collect();
            let mean = lengths.iter().map(|length| f64::from(*length)).sum::<f64>() / 65_536.0;
            assert!((mean / span.mean() - 1.0).abs() < 5e-3, "{span:?}: {mean}");
            assert!(lengths.is_sorted(), "{span:?}");
        }
        assert_eq!(
            Span::Uniform(Seconds(0), Seconds(u32::MAX)).at(u32::MAX),
            Seconds(u32::MAX),
            "the widest"
        );
        assert_eq!(Span::Lognormal(Seconds(0), 1000).at(7), Seconds(0), "no time at all");
    }
}
