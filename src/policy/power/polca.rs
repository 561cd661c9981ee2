//! POLCA: two thresholds of a cap slow first the jobs of low priority, then all.

use super::{Entry, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "polca",
    about: "above one threshold of a cap low priorities are slowed, above another all are",
    source: "Patel et al., POLCA: power oversubscription in LLM cloud providers, arXiv 2308.12908",
    rule: Rule::Polca,
};
