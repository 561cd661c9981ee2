//! EASY as batsched has it under the name `easy_bf_fast`: when a blocked job is expected to start is told once, as it becomes
//! the first of its partition that is blocked, and stays so for as long as it is, whatever ends before it was expected
//! to. No job that is expected to end later passes it.

use super::{Backfill, ListedBackfill};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "easy-frozen",
    about: "jobs that are expected to end before the first blocked one starts, as was expected when it was blocked first, pass it",
    source: "batsched, easy_bf_fast (Poquet, Batsim): for comparisons with it",
    kind: Backfill::EasyFrozen,
};
