//! The book of jobs: where each stands, which wait, which run, and how far they have come.

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

/// A set of small numbers that is joined, left and listed in O(1) a member; in no order.
#[derive(Debug)]
struct Members {
    listed: Vec<u32>,
    /// By number: its place in the list, or none.
    place: Vec<u32>,
}

impl Members {
    fn none_of(count: usize) -> Self {
        Self { listed: Vec::new(), place: vec![NONE; count] }
    }
    #[inline]
    fn insert(&mut self, member: u32) {
        self.place[member as usize] = u32::try_from(self.listed.len()).expect("jobs are counted in 32 bits");
        self.listed.push(member);
    }
    #[inline]
    fn remove(&mut self, member: u32) {
        let place = std::mem::replace(&mut self.place[member as usize], NONE) as usize;
        self.listed.swap_remove(place);
        if let Some(moved) = self.listed.get(place) {
            self.place[*moved as usize] = u32::try_from(place).expect("jobs are counted in 32 bits");
        }
    }
}

/// The jobs that may start: pending and not held back.
#[derive(Debug)]
struct Waiting {
    jobs: Members,
    /// By class: how many of them are of it.
    of_class: Vec<u32>,
    /// The classes of which there is one.
    classes: Members,
    /// Counts jobs that left, and classes that came.
    changes: u64,
}

impl Waiting {
    fn set(&mut self, job: u32, class: u32, waits: bool) {
        let of_class = &mut self.of_class[class as usize];
        if waits {
            self.jobs.insert(job);
            *of_class += 1;
            if *of_class == 1 {
                self.classes.insert(class);
                self.changes += 1;
            }
        } else {
            self.changes += 1;
            self.jobs.remove(job);
            *of_class -= 1;
            if *of_class == 0 {
                self.classes.remove(class);
            }
        }
    }
}

/// Of every job what is true now.
#[derive(Debug)]
pub(super) struct Book {
    status: Vec<Status>,
    /// By job: its open segment.
    open: Vec<u32>,
    running: Members,
    waiting: Waiting,
    /// By job: how far those have come that have stopped, moved or changed their rate; empty if none has.
    progress: Vec<Option<Progress>>,
    /// Pending jobs that are held back on purpose.
    held: BTreeSet<u32>,
    /// Running jobs that hold more or fewer GPUs than they asked for.
    resized: BTreeSet<u32>,
}

impl Book {
    pub(super) fn new(jobs: usize, classes: usize) -> Self {
        Self {
            status: vec![Status::Future; jobs],
            open: vec![NONE; jobs],
            running: Members::none_of(jobs),
            waiting: Waiting {
                jobs: Members::none_of(jobs),
                of_class: vec![0; classes],
                classes: Members::none_of(classes),
                changes: 0,
            },
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
    /// A job of a class stands elsewhere.
    #[inline]
    pub(super) fn set_status(&mut self, job: u32, class: u32, status: Status) {
        let before = std::mem::replace(&mut self.status[job as usize], status);
        let (waited, waits) = (before == Status::Pending, status == Status::Pending);
        if waited != waits && !self.is_held(job) {
            self.waiting.set(job, class, waits);
        }
    }
    /// The jobs that may start, in no order.
    pub(super) fn waiting(&self) -> &[u32] {
        &self.waiting.jobs.listed
    }
    /// The classes of which a job may start, in no order.
    pub(super) fn waiting_classes(&self) -> &[u32] {
        &self.waiting.classes.listed
    }
    /// Counts jobs that may no longer start, and classes of which one may that before had none.
    pub(super) const fn waiting_changes(&self) -> u64 {
        self.waiting.changes
    }
    /// Index of the open segment; no segment has the greatest index, which stands for none.
    #[inline]
    pub(super) fn open(&self, job: u32) -> u32 {
        self.open[job as usize]
    }
    pub(super) fn running(&self) -> &[u32] {
        &self.running.listed
    }
    /// A job is in a segment from now on.
    pub(super) fn begin(&mut self, job: u32, segment: u32) {
        self.open[job as usize] = segment;
        self.running.insert(job);
    }
    /// A job is in no segment from now on; returns the one it was in.
    pub(super) fn end(&mut self, job: u32) -> u32 {
        self.running.remove(job);
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
    /// A job of a class is held back, or no longer.
    pub(super) fn set_held(&mut self, job: u32, class: u32, held: bool) {
        let changed = if held { self.held.insert(job) } else { self.held.remove(&job) };
        if changed && self.status(job) == Status::Pending {
            self.waiting.set(job, class, !held);
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
