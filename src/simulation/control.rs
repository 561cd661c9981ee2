//! What the caller of a simulation may watch and stop.

use crate::policy::Ranks;
use crate::units::Time;
use std::sync::atomic::AtomicBool;

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The simulated instant.
    pub now: Time,
    /// Jobs whose outcome is known.
    pub settled: u32,
    /// All jobs.
    pub jobs: u32,
}

/// What the caller of a simulation may watch and stop.
#[derive(Default)]
pub struct Control<'a> {
    /// Set by another thread to stop at the next instant.
    pub interrupted: Option<&'a AtomicBool>,
    /// Called every some thousand instants.
    pub progress: Option<&'a mut dyn FnMut(Progress)>,
    /// Called with a line for each decision.
    pub trace: Option<&'a mut dyn FnMut(&str)>,
    /// How places are ranked, and by whom: the history does not depend on it.
    pub ranks: Ranks,
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("interrupted", &self.interrupted).finish_non_exhaustive()
    }
}
