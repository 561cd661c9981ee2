//! Which running jobs stop for a blocked one, and which have.

use serde::{Deserialize, Serialize};

/// A segment ended so that a blocked job could start, which it did at that instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct YieldRecord {
    /// Index of the segment, which ended as [`SegmentEnd::Preempted`](super::SegmentEnd::Preempted).
    pub segment: u32,
    /// The job that started.
    pub to: u32,
}

/// Which of the running jobs that may stop for another stop first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Victims {
    /// Those that lose the least work.
    #[default]
    LeastLost,
    /// Those that started last.
    Youngest,
}

impl Victims {
    const ALL: [Self; 2] = [Self::LeastLost, Self::Youngest];
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeastLost => "least-lost",
            Self::Youngest => "youngest",
        }
    }
    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|victims| victims.name() == name)
    }
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// When a job of another queue may stop for a blocked one, by the shares of their queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReclaimRule {
    /// The blocked job's queue is no further above its own than the other is after the stop.
    Final,
    /// It is less far above its own than the other is before the stop.
    Initial,
}

impl ReclaimRule {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Initial => "initial",
        }
    }
    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Final, Self::Initial].into_iter().find(|rule| rule.name() == name)
    }
}
