//! Shortest job first, by requested time.

use super::{Entry, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "sjf",
    about: "shortest requested time first",
    source: "Conway, Maxwell, Miller, Theory of Scheduling, 1967",
    options: &[],
    rule: Rule::Static(|state, job| u64::from(state.job(job).requested_time.0)),
};
