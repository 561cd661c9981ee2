//! Random: any node or rack that fits, all equally likely; the yardstick that others must beat.

use super::{Choosing, ListedPlacement};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "random",
    about: "any node, any rack that fits, drawn from the seed",
    source: "the baseline of Weng et al., FGD, ATC 2023",
    options: &[],
    rule: Choosing::Draw,
};
