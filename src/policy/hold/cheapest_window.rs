//! The window of least energy price.

use super::ListedHold;

pub(super) const ENTRY: ListedHold = ListedHold {
    name: "cheapest-window",
    about: "a job that may wait is held until the window of its expected run in which energy is cheapest",
    source: "Wiesner et al., Let's wait awhile, Middleware 2021; Hanafy et al., GAIA, ASPLOS 2024",
    options: &[super::MAX_DELAY],
    signal: |grid| grid.price.as_ref(),
};
