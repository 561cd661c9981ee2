//! Cap and start: a job that would break a cap at full power starts at the highest level that does not, and keeps it.

use super::{ListedPower, Treatment};

pub(super) const ENTRY: ListedPower = ListedPower {
    name: "cap",
    about: "a job that would break a cap at full power starts slower, at the highest level that fits",
    source: "geopm issue 3028: start under an assumed cap; levels of NVIDIA DPS policies",
    options: &[],
    rule: Treatment::Cap,
};
