//! How fast a feed's draw may rise.

use crate::units::{Seconds, Watts};
use serde::{Deserialize, Serialize};

/// The most by which starts below a feed may raise its draw within a minute; a job that would raise it more waits.
///
/// A draw falls as jobs end, which cannot be put off: falls are measured and not limited.
///
/// ```
/// use gigawatt::cluster::Ramp;
/// use gigawatt::units::Watts;
/// let slow = Ramp { feed: 0, rise: Watts(100_000) };
/// assert_eq!(Ramp::WINDOW.0, 60, "at most 100 kW above the least draw of the last minute; {slow:?}");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ramp {
    /// Index into [`Cluster::feeds`](super::Cluster::feeds).
    pub feed: u32,
    /// Watts above the least draw of the [`Ramp::WINDOW`] before.
    pub rise: Watts,
}

impl Ramp {
    /// How far back it looks.
    pub const WINDOW: Seconds = Seconds(60);
}
