//! Admission: a job that would break a cap at full power waits.

use super::{ListedPower, Treatment};

pub(super) const ENTRY: ListedPower = ListedPower {
    name: "admit",
    about: "a job that would break a cap waits until it does not",
    source: "Slurm hierarchical resources, MODE_3",
    options: &[],
    rule: Treatment::Admit,
};
