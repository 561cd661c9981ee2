//! Which jobs may start while the first of a queue cannot.

pub(super) mod conservative;
pub(super) mod easy;
mod easy_frozen;
mod easy_pinned;
mod easy_strict;
mod none;
mod skip;

use super::part::{Kind, Part, PartOption};

/// One backfill: its name and what it does.
#[derive(Debug)]
pub struct ListedBackfill {
    /// Unique among backfills.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    kind: Backfill,
}

impl ListedBackfill {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> Part {
        Part {
            kind: Kind::Backfill,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.kind.options(),
        }
    }
}

/// How a pass treats jobs behind one that cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backfill {
    None,
    Skip,
    Easy,
    EasyStrict,
    EasyPinned,
    EasyFrozen,
    Conservative,
}

/// Every backfill.
pub const BACKFILLS: &[ListedBackfill] = &[
    none::ENTRY,
    skip::ENTRY,
    easy::ENTRY,
    easy_strict::ENTRY,
    easy_pinned::ENTRY,
    easy_frozen::ENTRY,
    conservative::ENTRY,
];

/// Whether passes at events, between those of a cycle with a backfill, may have this one: `none`, or the cycle's own.
#[must_use]
pub fn serves_events(event: &str, of_cycle: &str) -> bool {
    Backfill::named(event) == Some(Backfill::None) || event == of_cycle
}

/// Whether a backfill reserves places for times to come.
#[must_use]
pub fn reserves(backfill: &str) -> bool {
    Backfill::named(backfill).is_some_and(|kind| kind.reserves() || kind == Backfill::Conservative)
}

/// Whether a backfill tries a job that may run on several platforms on one after another: those that keep to what was reserved,
/// where and when, do not.
#[must_use]
pub fn tries_platforms(backfill: &str) -> bool {
    use Backfill::{Conservative, EasyFrozen, EasyPinned};
    !matches!(Backfill::named(backfill), Some(Conservative | EasyFrozen | EasyPinned))
}

impl Backfill {
    /// What can be said about how it works.
    const fn options(self) -> &'static [PartOption] {
        match self {
            Self::None | Self::Skip | Self::EasyFrozen => &[],
            Self::Easy | Self::EasyStrict | Self::EasyPinned => &[easy::RESERVATIONS],
            Self::Conservative => conservative::OPTIONS,
        }
    }
    pub(super) fn named(name: &str) -> Option<Self> {
        BACKFILLS.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }
    /// Whether the head gets a reservation.
    pub(super) fn reserves(self) -> bool {
        matches!(self, Self::Easy | Self::EasyStrict | Self::EasyPinned | Self::EasyFrozen)
    }
    /// Whether no job that is expected to end after a reservation begins passes it.
    pub(super) fn is_strict(self) -> bool {
        matches!(self, Self::EasyStrict | Self::EasyFrozen)
    }
}
