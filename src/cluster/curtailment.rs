//! When the grid takes power away.

use crate::units::{Seconds, Time, Watts};
use serde::{Deserialize, Serialize};

/// A stretch of time in which a feed may deliver less.
///
/// ```
/// use gigawatt::cluster::Curtailment;
/// use gigawatt::units::{Seconds, Time, Watts};
/// let (from, until) = (Time(18 * 3600), Time(20 * 3600));
/// let evening = Curtailment { feed: 0, cap: Watts(600_000), from, until, notice: Seconds(900) };
/// assert_eq!(evening.announced(), Time(18 * 3600 - 900));
/// assert!(evening.is_active(from) && !evening.is_active(until));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curtailment {
    /// Index into [`Cluster::feeds`](super::Cluster::feeds).
    pub feed: u32,
    /// The most it may deliver meanwhile; its own cap holds besides.
    pub cap: Watts,
    /// The first instant at which it holds.
    pub from: Time,
    /// The first instant at which it no longer holds; [`Time::NEVER`]: it stays.
    pub until: Time,
    /// How long before `from` it is known.
    pub notice: Seconds,
}

impl Curtailment {
    /// When it becomes known.
    #[must_use]
    pub const fn announced(&self) -> Time {
        Time(self.from.0.saturating_sub(self.notice.0))
    }
    /// Whether it holds at an instant.
    #[must_use]
    pub fn is_active(&self, now: Time) -> bool {
        self.from <= now && now < self.until
    }
    /// Whether it holds at an instant, or is known to come.
    #[must_use]
    pub fn is_known(&self, now: Time) -> bool {
        self.announced() <= now && now < self.until
    }
}
