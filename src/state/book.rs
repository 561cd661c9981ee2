//! The book of jobs: where each stands, which run, and how far they have come.

use super::work::Progress;
use std::collections::BTreeSet;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not submitted, or a job it depends on has not succeeded yet.
    Future,
    /// Eligible and not running.
    Pending,
    /// Running.
    Running,
    /// Its outcome is known.
    Settled,
}

const NONE: u32 = u32::MAX;

/// Of every job what is true now.
#[derive(Debug)]
pub(super) struct Book {
    status: Vec<Status>,
    /// By job: its open segment.
    open: Vec<u32>,
    /// By job: its place in `running`.
    place: Vec<u32>,
    running: Vec<u32>,
    /// By job: how far those have come that have stopped, moved or changed their rate; empty if none has.
    progress: Vec<Option<Progress>>,
    /// Pending jobs that are held back on purpose.
    held: BTreeSet<u32>,
    /// Running jobs that hold more or fewer GPUs than they asked for.
    resized: BTreeSet<u32>,
}

impl Book {
    pub(super) fn new(jobs: usize) -> Self {
        Self {
            status: vec![Status::Future; jobs],
            open: vec![NONE; jobs],
            place: vec![NONE; jobs],
            running: Vec::new(),
            progress: Vec::new(),
            held: BTreeSet::new(),
            resized: BTreeSet::new(),
        }
    }
    pub(super) fn contains(&self, job: u32) -> bool {
        (job as usize) < self.status.len()
    }
    #[inline]
    pub(super) fn status(&self, job: u32) -> Status {
        self.status[job as usize]
    }
    pub(super) fn set_status(&mut self, job: u32, status: Status) {
        self.status[job as usize] = status;
    }
    /// Index of the open segment; no segment has the greatest index, which stands for none.
    #[inline]
    pub(super) fn open(&self, job: u32) -> u32 {
        self.open[job as usize]
    }
    pub(super) fn running(&self) -> &[u32] {
        &self.running
    }
    /// A job is in a segment from now on.
    pub(super) fn begin(&mut self, job: u32, segment: u32) {
        self.open[job as usize] = segment;
        self.place[job as usize] = u32::try_from(self.running.len()).expect("jobs are counted in 32 bits");
        self.running.push(job);
    }
    /// A job is in no segment from now on; returns the one it was in.
    pub(super) fn end(&mut self, job: u32) -> u32 {
        let place = std::mem::replace(&mut self.place[job as usize], NONE) as usize;
        self.running.swap_remove(place);
        if let Some(moved) = self.running.get(place) {
            self.place[*moved as usize] = u32::try_from(place).expect("jobs are counted in 32 bits");
        }
        std::mem::replace(&mut self.open[job as usize], NONE)
    }
    #[inline]
    pub(super) fn progress(&self, job: u32) -> Option<Progress> {
        // Most runs stop no job.
        self.progress.get(job as usize).copied().flatten()
    }
    /// Returns what was known before.
    pub(super) fn set_progress(&mut self, job: u32, progress: Option<Progress>) -> Option<Progress> {
        self.progress.resize(self.status.len(), None);
        std::mem::replace(&mut self.progress[job as usize], progress)
    }
    #[inline]
    pub(super) fn is_held(&self, job: u32) -> bool {
        !self.held.is_empty() && self.held.contains(&job)
    }
    pub(super) fn set_held(&mut self, job: u32, held: bool) {
        if held {
            self.held.insert(job);
        } else {
            self.held.remove(&job);
        }
    }
    pub(super) fn is_resized(&self, job: u32) -> bool {
        !self.resized.is_empty() && self.resized.contains(&job)
    }
    /// Returns whether it was before.
    pub(super) fn set_resized(&mut self, job: u32, resized: bool) -> bool {
        if resized { !self.resized.insert(job) } else { self.resized.remove(&job) }
    }
}
