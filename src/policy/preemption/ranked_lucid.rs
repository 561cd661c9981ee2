//! `ranked-lucid`: what `ranked` is in the simulator of Lucid, so that results can be compared with that.
//!
//! It is [`super::ranked`] with four differences, none of which anybody would want of a scheduler:
//!
//! - running jobs that rank too low stop even where those that are taken in their place then find none, and nobody is tried
//!   anew in their stead;
//! - of equal keys the one goes first that came first, then a running one before a waiting one, then the one that has run, or
//!   waited, longest;
//! - what a stop cuts short of a restart is added to the next restart, and restarts count as work that is left under
//!   `srtf` and `srsf`;
//! - passes are those of a cycle alone.

use super::ListedPreemption;

pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "ranked-lucid",
    about: "`ranked` as the simulator of Lucid has it: jobs also stop for those that then find no place; for comparisons with it",
    source: "Hu et al., Lucid, ASPLOS 2023: its simulator, policies srtf and tiresias",
    options: &[],
    yields: None,
};
