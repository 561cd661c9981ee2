//! Steering: as `cap`, and once a control period unused watts go to the job slowed most.

use super::super::part::{self, PartOption};
use super::{ListedPower, Treatment};

const POWER_PERIOD: PartOption = PartOption {
    name: "power_period",
    unit: "time",
    default: "1m",
    about: "from one look at unused watts to the next",
    expected: "a time of at least a second, such as `90s` or `10m`",
    read: |settings, text| {
        settings.power_period = part::seconds(text).filter(|seconds| *seconds > 0)?;
        Some(())
    },
    show: |settings| part::span(settings.power_period),
};

pub(super) const ENTRY: ListedPower = ListedPower {
    name: "steer",
    about: "as cap; every `power_period` unused watts go to the jobs slowed most",
    source: "NVIDIA DPS, Power Reservation Steering",
    options: &[POWER_PERIOD],
    rule: Treatment::Steer,
};
