//! Cap and start: who would break a cap at full power starts at the highest level that does not, and keeps it.

use super::{Entry, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "cap",
    about: "a job that would break a cap at full power starts slower, at the highest level that fits",
    source: "geopm issue 3028: start under an assumed cap; levels of NVIDIA DPS policies",
    options: &[],
    rule: Rule::Cap,
};
