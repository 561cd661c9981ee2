//! EASY without its second rule: no job that is expected to end after the head's reservation passes it, even if the head
//! would not need what it takes. The reservation is that of [`super::easy`].

use super::{Backfill, ListedBackfill};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "easy-strict",
    about: "jobs that are expected to end before the first blocked one starts pass it",
    source: "EASY without the extra-nodes rule",
    kind: Backfill::EasyStrict,
};
