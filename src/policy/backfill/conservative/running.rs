//! What runs under conservative backfill: what each job holds, and until when it is expected to.

use super::waiting::Window;
use crate::units::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Running jobs and their windows, the first expected end at hand.
#[derive(Debug, Default)]
pub(super) struct Running {
    windows: BTreeMap<u32, Window>,
    /// Expected ends, with their jobs.
    ends: BTreeSet<(Time, u32)>,
}

impl Running {
    /// A job begins to hold a window.
    pub(super) fn insert(&mut self, job: u32, window: Window) {
        self.remove(job);
        self.ends.insert((window.end, job));
        self.windows.insert(job, window);
    }
    /// A job ends; returns what it held.
    pub(super) fn remove(&mut self, job: u32) -> Option<Window> {
        let window = self.windows.remove(&job)?;
        self.ends.remove(&(window.end, job));
        Some(window)
    }
    /// What a job holds.
    pub(super) fn window(&self, job: u32) -> Option<&Window> {
        self.windows.get(&job)
    }
    /// Every job and its window, by job.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Window)> {
        self.windows.iter().map(|(job, window)| (*job, window))
    }
    /// The jobs that were expected to have ended by an instant, in the order of their ends.
    pub(super) fn due(&self, now: Time) -> impl Iterator<Item = u32> {
        self.ends.range(..=(now, u32::MAX)).map(|(_, job)| *job)
    }
    /// A job is expected to end at another instant.
    pub(super) fn expect(&mut self, job: u32, end: Time) {
        if let Some(window) = self.windows.get_mut(&job) {
            self.ends.remove(&(window.end, job));
            self.ends.insert((end, job));
            window.end = end;
        }
    }
}
