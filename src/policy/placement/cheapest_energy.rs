//! Cheapest energy: the site and platform whose energy for the run costs least now, then the fullest node.

use super::{Choosing, ListedPlacement};
use crate::cost::Weights;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "cheapest-energy",
    about: "where the energy of the run costs least at the present price, there the fullest",
    source: "Qureshi et al., Cutting the electric bill, SIGCOMM 2009",
    options: &[],
    rule: Choosing::Weigh(Weights { energy: 65_534, leftover: 1, ..Weights::ZERO }),
};
