//! As [`tas`](super::tas), but where several domains are taken, those with the least room first.

use super::{Choosing, ListedPlacement};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "tas-least-free",
    about: "as tas, and where several domains are taken those with the least room first",
    source: "Kubernetes SIGs, Kueue 0.20-devel, KEP-2724, `TASProfileLeastFreeCapacity`",
    options: &[],
    rule: Choosing::Levels { least_free: true },
};
