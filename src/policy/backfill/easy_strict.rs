//! EASY without its second rule: nobody who is expected to end after the head's reservation passes it, even if the head
//! would not need what he takes. The reservation is that of [`super::easy`].

use super::{Backfill, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "easy-strict",
    about: "who is expected to end before the first blocked job starts passes it",
    source: "EASY without the extra-nodes rule",
    kind: Backfill::EasyStrict,
};
