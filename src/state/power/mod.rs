//! What caps allow: the draw that is reserved on every level of the tree, and the levels at which jobs may start.

pub(crate) mod ledger;
pub(crate) mod level;
pub(crate) mod rise;

use level::LEVELS;

/// How starts heed caps on power.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapRule {
    /// The levels at which a job without priority may start, the highest first: indices of multiples of 5 % below the
    /// TGP.
    pub low: Vec<usize>,
    /// The same for a job with a priority above 0.
    pub high: Vec<usize>,
    /// Whether starts heed curtailments that are only announced.
    pub drains: bool,
}

impl CapRule {
    /// Every job at its full power alone.
    #[must_use]
    pub fn full_power(drains: bool) -> Self {
        Self { low: vec![0], high: vec![0], drains }
    }
    /// Every job at the highest level that there is power for.
    #[must_use]
    pub fn any_level(drains: bool) -> Self {
        Self { low: (0..LEVELS).collect(), high: (0..LEVELS).collect(), drains }
    }
    /// Whether priorities decide at which levels jobs may start.
    #[must_use]
    pub fn tells_priorities(&self) -> bool {
        self.low != self.high
    }
    /// The levels of a job of high priority or not.
    pub(crate) fn starts(&self, high: bool) -> &[usize] {
        if high { &self.high } else { &self.low }
    }
}
