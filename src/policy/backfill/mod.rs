//! Who may start while the first in the queue cannot.

pub(super) mod conservative;
pub(super) mod easy;
mod easy_strict;
mod none;
mod skip;

/// One backfill: its name and what it does.
#[derive(Debug)]
pub struct Entry {
    /// Unique among backfills.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    kind: Backfill,
}

/// How a pass treats jobs behind one that cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backfill {
    None,
    Skip,
    Easy,
    EasyStrict,
    Conservative,
}

/// Every backfill.
pub const BACKFILLS: &[Entry] =
    &[none::ENTRY, skip::ENTRY, easy::ENTRY, easy_strict::ENTRY, conservative::ENTRY];

/// The backfills that passes at events may have, between those of a cycle.
pub fn event_backfills() -> impl Iterator<Item = &'static Entry> {
    BACKFILLS.iter().filter(|entry| entry.kind.serves_events())
}

impl Backfill {
    pub(super) fn named(name: &str) -> Option<Self> {
        BACKFILLS.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }
    /// Whether it can serve passes at events between those of a cycle: not where reservations are kept from pass to
    /// pass.
    pub(super) fn serves_events(self) -> bool {
        self != Self::Conservative
    }
    /// Whether the head gets a reservation.
    pub(super) fn reserves(self) -> bool {
        matches!(self, Self::Easy | Self::EasyStrict)
    }
}
