//! EASY: the first blocked jobs of a partition, `reservations` of them, hold reservations; a later job starts only if it
//! delays none.
//!
//! A reservation is a shadow: the earliest expected end, never before now, at which the job fits given the shadows before
//! it. A later job of any partition starts if it is expected to end before the earliest shadow, or if every reservation,
//! placed again in order at its own shadow, still fits with it in place; where its cheapest place would delay one, it is
//! tried once more outside of the nodes that the reservations take.

use super::super::part::{self, PartOption};
use super::{Backfill, ListedBackfill};

/// Also of [`super::easy_strict`] and [`super::easy_pinned`].
pub(super) const RESERVATIONS: PartOption = PartOption {
    name: "reservations",
    unit: "jobs a partition",
    default: "1",
    about: "how many blocked jobs of each partition, in order, hold a reservation",
    expected: "a whole number of at least 1",
    read: |settings, text| {
        // One is what nothing says, so that equal policies are equal settings.
        settings.reservations = Some(part::count(text)?).filter(|count| *count > 1);
        Some(())
    },
    show: |settings| settings.reservations.unwrap_or(1).to_string(),
};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "easy",
    about: "jobs that delay no reservation pass the first blocked one",
    source: "Lifka, The ANL/IBM SP scheduling system, JSSPP 1995",
    kind: Backfill::Easy,
};
