//! Caps are ignored: what exceeds them is counted, and no job waits or slows for them.

use super::{ListedPower, Treatment};

pub(super) const ENTRY: ListedPower = ListedPower {
    name: "none",
    about: "caps are not looked at; what exceeds them is counted",
    source: "a cluster whose power was never short",
    options: &[],
    rule: Treatment::None,
};
