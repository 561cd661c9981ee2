//! POLCA: two thresholds of a cap slow first the jobs of low priority, then all.

use super::{Entry, Rule};

/// The levels of a job below no threshold, above the first and above the second: 100, 100 and 85 % for a high priority,
/// 100, 80 and 60 % for a low one.
pub(super) const fn levels(high: bool) -> [usize; 3] {
    if high { [0, 0, 3] } else { [0, 4, 8] }
}

pub(super) const ENTRY: Entry = Entry {
    name: "polca",
    about: "above one threshold of a cap low priorities are slowed, above another all are",
    source: "Patel et al., POLCA: power oversubscription in LLM cloud providers, arXiv 2308.12908",
    rule: Rule::Polca,
};
