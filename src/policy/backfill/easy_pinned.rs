//! EASY as batsched has it under the name `easy_bf`: a reservation is of the very nodes on which the blocked job would start
//! at its shadow, and a later job that is expected to run beyond that goes elsewhere, though others would do for the
//! blocked job just as well. The reservations are those of [`super::easy`], and are made anew in every pass.

use super::{Backfill, ListedBackfill};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "easy-pinned",
    about: "jobs pass the first blocked one outside of the very nodes that it is expected to start on, or if they end before",
    source: "batsched, easy_bf (Poquet, Batsim): for comparisons with it",
    kind: Backfill::EasyPinned,
};
