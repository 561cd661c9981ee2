//! Steering: as `cap`, and once a control period watts that nobody uses go to whoever is slowed most.

use super::{Entry, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "steer",
    about: "as cap; every `power_period` unused watts go to those slowed most",
    source: "NVIDIA DPS, Power Reservation Steering",
    rule: Rule::Steer,
};
