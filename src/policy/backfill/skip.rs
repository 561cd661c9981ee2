//! Skip: a pass tries every job in order and starts what fits; large jobs may starve.
//!
//! A class that found no place is not tried again until something is freed. A pass costs O(classes that wait) time,
//! and as much again a start behind the first.

use super::{Backfill, ListedBackfill};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "skip",
    about: "every job that fits passes a blocked one",
    source: "first fit of batch systems; Kueue BestEffortFIFO",
    kind: Backfill::Skip,
};
