//! What the numbers of a run are counted in, and which of two is the better one.

use serde::Serialize;
use std::ops::RangeInclusive;

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
    /// As a word; empty for a plain number.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Ratio => "",
            Self::Share => "share, 0 to 1",
            Self::Jobs => "jobs",
            Self::Joules => "joules",
            Self::Watts => "watts",
            Self::Dollars => "dollars",
            Self::Grams => "grams",
        }
    }
    /// How a key says it.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Seconds => "_s",
            Self::Ratio | Self::Share => "",
            Self::Jobs => "_jobs",
            Self::Joules => "_j",
            Self::Watts => "_w",
            Self::Dollars => "_usd",
            Self::Grams => "_g",
        }
    }
    /// The values that something counted in it can have; money is also earned.
    #[must_use]
    pub const fn reach(self) -> RangeInclusive<f64> {
        match self {
            Self::Share => 0.0..=1.0,
            Self::Dollars => f64::NEG_INFINITY..=f64::INFINITY,
            _ => 0.0..=f64::INFINITY,
        }
    }
    /// Whether it tells of energy and what that costs, of which something is known in every run of a scenario or in none.
    #[must_use]
    pub const fn is_of_energy(self) -> bool {
        matches!(self, Self::Joules | Self::Watts | Self::Dollars | Self::Grams)
    }
}

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
}

impl Better {
    /// As a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }
}
