//! No backfill: a pass starts jobs from the front of a queue and stops at the first that cannot start.
//!
//! Jobs behind it wait for order, whatever is free. A pass costs O(log waiting) time a start.

use super::{Backfill, ListedBackfill};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "none",
    about: "no job passes a blocked one",
    source: "first come, first served",
    kind: Backfill::None,
};
