//! No job is held.

use super::ListedHold;

pub(super) const ENTRY: ListedHold = ListedHold {
    name: "none",
    about: "a job goes to its queue as soon as it is eligible",
    source: "the queue of every batch system",
    options: &[],
    signal: |_| None,
};
