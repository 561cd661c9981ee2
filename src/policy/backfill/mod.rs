//! Who may start while the first in the queue cannot.

pub(super) mod conservative;
pub(super) mod easy;

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
pub const BACKFILLS: &[Entry] = &[
    Entry {
        name: "none",
        about: "nobody passes a blocked job",
        source: "first come, first served",
        kind: Backfill::None,
    },
    Entry {
        name: "skip",
        about: "everybody who fits passes a blocked job",
        source: "first fit of batch systems; Kueue BestEffortFIFO",
        kind: Backfill::Skip,
    },
    Entry {
        name: "easy",
        about: "who does not delay the first blocked job passes it",
        source: "Lifka, The ANL/IBM SP scheduling system, JSSPP 1995",
        kind: Backfill::Easy,
    },
    Entry {
        name: "easy-strict",
        about: "who is expected to end before the first blocked job starts passes it",
        source: "EASY without the extra-nodes rule",
        kind: Backfill::EasyStrict,
    },
    Entry {
        name: "conservative",
        about: "every job has a reservation of its very nodes, which nobody may delay",
        source: "Mu'alem, Feitelson, Utilization, predictability, workloads and user runtime estimates, 2001",
        kind: Backfill::Conservative,
    },
];

impl Backfill {
    pub(super) fn named(name: &str) -> Option<Self> {
        BACKFILLS.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }
    /// Whether the head gets a reservation.
    pub(super) fn reserves(self) -> bool {
        matches!(self, Self::Easy | Self::EasyStrict)
    }
}
