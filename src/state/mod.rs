//! What is free, held, owed and pending now: the one truth that policies read and that their decisions change.
//!
//! [`State`] holds the [`Resources`] (GPUs, quotas, watts), the book of jobs and what has happened so far. It changes
//! by time, which only the simulation moves, and by a [`Decision`]: [`State::apply`] derives from the domains what
//! follows from them, checks every law, and either carries the decision out or refuses it with the [`Law`] that it
//! would break. A [`Trial`] applies decisions and takes them back.
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind, Piece};
//! use gigawatt::history::{Plan, Settings};
//! use gigawatt::state::{Decision, Law, State, Status};
//! use gigawatt::units::{Factor, Gpus, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request};
//! let mut builder = Builder::default();
//! builder.request(Request::gang(Gpus::whole(8)));
//! builder.behaviour(Behaviour::default());
//! builder.push(Job::at(Time(0)));
//! let cluster = Cluster::uniform(2, NodeKind { gpus: 8, ..NodeKind::default() });
//! let settings = Settings::named("fifo", "none", "first-fit");
//! let mut state = State::new(Plan { cluster, workload: builder.finish(), settings }, None);
//! let domains = [Piece::Nodes { word: 0, mask: 0b10 }];
//! let start = Decision::Start { job: 0, domains: &domains, cap: Factor::ONE };
//! assert_eq!(state.apply(start).unwrap_err().law, Law::NotPending, "nobody has submitted it");
//! assert_eq!(state.status(0), Status::Future);
//! ```

mod apply;
mod book;
pub mod class;
pub mod constraint;
mod decision;
mod event;
pub(crate) mod known;
pub(crate) mod overlay;
pub mod place;
pub mod power;
pub mod quota;
mod resources;
#[cfg(test)]
mod tests;
mod trial;
mod work;

pub use book::Status;
pub use decision::{Decision, Law, Refusal};
pub(crate) use event::Concern;
pub use event::Event;
pub use resources::Resources;
pub use trial::Trial;
pub(crate) use trial::{Checkpoint, Supposed};
pub(crate) use work::ticks;

use crate::cluster::{CapacityChange, NodeState};
use crate::history::{FailureRecord, History, JobRecord, Outcome, Plan, Segment, SegmentEnd};
use crate::units::{Factor, Time};
use crate::workload::{Job, Overrun};
use book::Book;
use class::{Class, Classes};
use power::CapRule;
use trial::Undo;

/// The state of a simulation at one instant.
#[derive(Debug)]
pub struct State {
    now: Time,
    history: History,
    classes: Classes,
    caps: Option<CapRule>,
    resources: Resources,
    book: Book,
    /// What has happened and the simulation has not followed yet.
    log: Vec<Event>,
    /// How many of those the policy has told all of its parts.
    heard: usize,
    /// What takes back the decisions on trial, the last at the end; nothing is kept where none is on trial.
    undo: Vec<Undo>,
    /// How many trials are open.
    trials: u32,
    /// Capacity changes that are known to come, by time.
    known: Vec<CapacityChange>,
    /// By partition: the job that its passes stop at.
    heads: Vec<Option<u32>>,
    /// By partition: the jobs that stand before that one and were passed over.
    passed_over: Vec<Vec<u32>>,
    /// Counts how often either changed.
    stops: u64,
}

/// Reading.
impl State {
    /// The state before anything has happened, where starts heed caps on power as `caps` says.
    #[must_use]
    pub fn new(plan: Plan, caps: Option<CapRule>) -> Self {
        let classes = Classes::of(&plan, caps.as_ref());
        let mut resources = Resources::new(&plan, &classes, caps.as_ref());
        resources.set_caps(&plan, Time::ZERO, caps.as_ref().is_some_and(|caps| caps.drains));
        let jobs = plan.workload.jobs.len();
        let book = Book::new(jobs, classes.table.len());
        let heads = vec![None; plan.workload.partitions.len()];
        let passed_over = vec![Vec::new(); plan.workload.partitions.len()];
        let record =
            JobRecord { eligible_time: Time::NEVER, finish_time: Time::NEVER, outcome: Outcome::Unfinished };
        // Most jobs run once, on pieces no more than one.
        let (segments, pieces) = (Vec::with_capacity(jobs), Vec::with_capacity(jobs));
        let history = History { plan, jobs: vec![record; jobs], segments, pieces, ..History::default() };
        Self {
            now: Time::ZERO,
            history,
            classes,
            caps,
            resources,
            book,
            log: Vec::new(),
            heard: 0,
            undo: Vec::new(),
            trials: 0,
            known: Vec::new(),
            heads,
            passed_over,
            stops: 0,
        }
    }
    /// The present instant.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }
    /// What was given, and what has happened so far.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }
    /// The plan of the run.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.history.plan
    }
    /// What is free, and what tenants hold.
    #[must_use]
    pub const fn resources(&self) -> &Resources {
        &self.resources
    }
    /// The request classes of the jobs.
    #[must_use]
    pub const fn classes(&self) -> &Classes {
        &self.classes
    }
    /// How starts heed caps on power; none: they do not.
    #[must_use]
    pub const fn caps(&self) -> Option<&CapRule> {
        self.caps.as_ref()
    }
    /// A job as it was submitted.
    #[must_use]
    #[inline]
    pub fn job(&self, job: u32) -> &Job {
        &self.history.plan.workload.jobs[job as usize]
    }
    /// The class of a job.
    #[must_use]
    #[inline]
    pub fn class(&self, job: u32) -> &Class {
        self.classes.of_job(job)
    }
    /// Where a job stands.
    #[must_use]
    #[inline]
    pub fn status(&self, job: u32) -> Status {
        self.book.status(job)
    }
    /// Whether a job may start: it is pending and not held back.
    #[must_use]
    #[inline]
    pub fn waits(&self, job: u32) -> bool {
        self.book.status(job) == Status::Pending && !self.book.is_held(job)
    }
    /// The jobs that may start, in no order.
    #[must_use]
    pub fn waiting(&self) -> &[u32] {
        self.book.waiting()
    }
    /// The request classes of which a job may start, in no order.
    #[must_use]
    pub fn waiting_classes(&self) -> &[u32] {
        self.book.waiting_classes()
    }
    /// The job that the passes over a partition stop at, as they last said.
    #[must_use]
    pub fn head(&self, partition: u32) -> Option<u32> {
        self.heads[partition as usize]
    }
    /// Whether the passes over every partition stop at a job.
    pub(crate) fn stops_everywhere(&self) -> bool {
        self.heads.iter().all(Option::is_some)
    }
    /// The blocked jobs before that one, which the passes over a partition pass over, as they last said.
    #[must_use]
    pub fn passed_over(&self, partition: u32) -> &[u32] {
        &self.passed_over[partition as usize]
    }
    /// Counts all that decides what jobs wait for, but time: while none of it grows, no job begins to wait for anything
    /// else, and no class begins to wait.
    pub(crate) const fn waiting_stamp(&self) -> [u64; 4] {
        let resources = &self.resources;
        [resources.freed(), resources.taken(), self.book.waiting_changes(), self.stops]
    }
    /// The running jobs, in no order.
    #[must_use]
    pub fn running(&self) -> &[u32] {
        self.book.running()
    }
    /// When a job could first have started.
    #[must_use]
    #[inline]
    pub fn eligible_time(&self, job: u32) -> Time {
        self.history.jobs[job as usize].eligible_time
    }
    /// The segment in which a running job is.
    #[must_use]
    #[inline]
    pub fn segment(&self, job: u32) -> Option<&Segment> {
        self.history.segments.get(self.book.open(job) as usize)
    }
    /// What a running job holds; nothing if it does not run.
    #[must_use]
    pub fn domains(&self, job: u32) -> &[crate::cluster::Piece] {
        self.segment(job).map_or(&[], |segment| self.history.pieces_of(segment))
    }
    /// The class of a job, as far as it is told by the platform that it runs on; of one that does not run by the first that
    /// it is tried on.
    pub(crate) fn held_as(&self, job: u32) -> &Class {
        let class = self.class(job);
        if class.alternatives.is_empty() { class } else { self.resources.held_as(class, self.domains(job)) }
    }
    /// Thousandths of GPUs that a running job holds, which may be more or fewer than it asked for.
    #[must_use]
    pub fn held_milli(&self, job: u32) -> u64 {
        if self.book.is_resized(job) {
            self.resources.occupancy.milli_of(self.domains(job))
        } else {
            u64::from(self.class(job).gpus_milli)
        }
    }
}

/// What only the simulation does: time, and what it brings.
impl State {
    #[inline]
    fn set_status(&mut self, job: u32, status: Status) {
        self.book.set_status(job, self.classes.of_job[job as usize], status);
    }
    pub(crate) fn set_now(&mut self, now: Time) {
        self.now = now;
        self.resources.set_now(now);
    }
    /// The caps of the present instant hold.
    pub(crate) fn set_caps(&mut self) {
        let drains = self.caps.as_ref().is_some_and(|caps| caps.drains);
        self.resources.set_caps(&self.history.plan, self.now, drains);
    }
    pub(crate) fn set_state(&mut self, node: u32, state: NodeState) {
        self.resources.set_state(node, state);
    }
    pub(crate) fn set_eligible(&mut self, job: u32) {
        self.history.jobs[job as usize].eligible_time = self.now;
        self.set_status(job, Status::Pending);
    }
    pub(crate) fn settle(&mut self, job: u32, outcome: Outcome) {
        let record = &mut self.history.jobs[job as usize];
        record.finish_time = self.now;
        record.outcome = outcome;
        self.set_status(job, Status::Settled);
    }
    /// Ends a running job whose planned end has come; its outcome is settled.
    pub(crate) fn finish(&mut self, job: u32) -> Outcome {
        let behaviour = self.history.plan.workload.behaviour_of(job);
        let killed =
            behaviour.overrun == Overrun::Kill && self.job(job).requested_time < self.job(job).work_time;
        let (outcome, end) = if killed {
            (Outcome::Timeout, SegmentEnd::Timeout)
        } else if self.job(job).fails {
            (Outcome::Failed, SegmentEnd::Failed)
        } else {
            (Outcome::Completed, SegmentEnd::Completed)
        };
        self.close(job, end);
        self.settle(job, outcome);
        outcome
    }
    /// Jobs of which nothing is held back any more at this instant wait like all others.
    pub(crate) fn release(&mut self, job: u32) {
        self.book.set_held(job, self.classes.of_job[job as usize], false);
    }
    /// Index of the open segment of a running job.
    pub(crate) fn segment_index(&self, job: u32) -> u32 {
        self.book.open(job)
    }
    /// Whether a job has run before.
    pub(crate) fn has_started(&self, job: u32) -> bool {
        self.book.progress(job).is_some()
    }
    /// The jobs that hold something on any of these nodes, ascending.
    pub(crate) fn running_on(&self, nodes: &std::ops::Range<u32>) -> Vec<u32> {
        let touches = |job: &u32| {
            let mut held = self.domains(*job).iter().flat_map(|piece| piece.nodes());
            held.any(|node| nodes.contains(&node))
        };
        let mut hit: Vec<u32> = self.running().iter().copied().filter(touches).collect();
        hit.sort_unstable();
        hit
    }
    pub(crate) fn node_down(&mut self, job: u32) {
        self.interrupt(job, SegmentEnd::NodeDown);
    }
    /// Something failed; returns the index of its record.
    pub(crate) fn note_failure(&mut self, record: FailureRecord) -> u32 {
        self.history.failures.push(record);
        apply::narrow(self.history.failures.len() - 1)
    }
    /// What failed is back; returns its record.
    pub(crate) fn set_back(&mut self, record: u32) -> FailureRecord {
        let own = &mut self.history.failures[record as usize];
        own.back = self.now;
        *own
    }
    /// What becomes of nodes where something can fail.
    pub(crate) fn note_capacity(&mut self, change: CapacityChange) {
        self.history.capacity.push(change);
    }
    /// What happened since the last call, and how much of it the policy has heard of by itself.
    pub(crate) fn take_log(&mut self) -> (Vec<Event>, usize) {
        (std::mem::take(&mut self.log), std::mem::take(&mut self.heard))
    }
    /// Gives the memory of a log back.
    pub(crate) fn give_back(&mut self, mut log: Vec<Event>) {
        log.clear();
        if self.log.is_empty() {
            self.log = log;
        }
    }
    /// The history, once the simulation is over.
    pub(crate) fn into_history(mut self, complete: bool, exhausted: bool) -> History {
        for segment in &mut self.history.segments {
            if segment.end == SegmentEnd::Open {
                segment.to = Time::NEVER;
            }
        }
        if !self.history.waits.is_empty() {
            self.history.wait_classes = self.classes.of_job;
        }
        self.history.yields.sort_unstable();
        self.history.end = self.now;
        (self.history.complete, self.history.exhausted) = (complete, exhausted);
        self.history
    }
}

/// The rate of a job that holds `milli` thousandths of GPUs where it asked for `requested`.
fn scaled(rate: Factor, milli: u64, requested: u32) -> Factor {
    if requested == 0 || milli == u64::from(requested) {
        return rate;
    }
    let scaled = u64::from(rate.0) * milli / u64::from(requested);
    Factor(u32::try_from(scaled.max(1)).unwrap_or(u32::MAX))
}
