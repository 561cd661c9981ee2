//! Nothing is stopped.

use super::ListedPreemption;

pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "none",
    about: "a running job is never stopped for another",
    source: "run to completion",
    options: &[],
    yields: None,
};
