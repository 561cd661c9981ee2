//! First in, first out: by eligible time alone.

use super::{Entry, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "fifo",
    about: "by the time a job became eligible",
    source: "the queue of every batch system",
    options: &[],
    rule: Rule::Static(|_, _| 0),
};
