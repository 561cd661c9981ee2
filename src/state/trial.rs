//! Decisions on trial: applied, asked about, and taken back or kept.

use super::apply::narrow;
use super::power::ledger::Ledger;
use super::power::level::cap_of;
use super::work::Progress;
use super::{Decision, Event, Refusal, State, Status};
use crate::history::{Segment, WaitRecord, Why, YieldRecord};
use crate::units::Time;

/// What takes one change back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undo {
    /// A job is in a segment, the last one.
    Began { job: u32, status: Status },
    /// A job let go of what it holds in a segment.
    Closed { job: u32, status: Status, segment: u32, to: Time },
    /// The cap of a segment that began at this instant is another.
    Recapped { segment: u32, old: Segment },
    /// How far a job has come is known anew.
    Progress { job: u32, before: Option<Progress> },
    /// A job holds as much as it asked for, or no longer.
    Resized { job: u32, before: bool },
    /// A job is held back.
    Held { job: u32 },
}

/// Where decisions on trial begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    undo: usize,
    log: usize,
}

/// What is supposed while the state is asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supposed {
    /// These nodes, 64 a word, take no new pods.
    pub(crate) nodes: Option<Vec<u64>>,
    /// The caps are those of now, and power is asked for besides as the watts stand at these instants.
    pub(crate) watts: Option<Vec<Ledger>>,
    /// Domains of the ledger that may not draw a watt more.
    pub(crate) withdrawn: Vec<u32>,
    /// Whether the domains that refuse something are to be told.
    pub(crate) tells_refusals: bool,
}

impl Supposed {
    /// Whether things are as they are.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.nodes.is_none() && self.watts.is_none() && self.withdrawn.is_empty() && !self.tells_refusals
    }
}

/// The state as a policy sees it while it decides: it reads, applies decisions, and takes them back.
///
/// Decisions apply at once. Between [`Trial::checkpoint`] and [`Trial::commit`] they can be taken back, all of them or
/// none, at the cost of what they changed; nothing is copied. The laws hold for every decision by itself: for two
/// jobs to swap places, one stops, the other moves, and the first starts again.
///
/// ```
/// use gigawatt::cluster::{Cluster, NodeKind};
/// use gigawatt::history::{Plan, Settings};
/// use gigawatt::state::{State, Trial};
/// let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
/// let plan = Plan { cluster, settings: Settings::named("fifo", "none", "first-fit"), ..Plan::default() };
/// let mut state = State::new(plan, None);
/// let mut trial = Trial::new(&mut state);
/// let before = trial.checkpoint();
/// // ... decisions ...
/// trial.roll_back(before);
/// ```
#[derive(Debug)]
pub struct Trial<'a> {
    pub(super) state: &'a mut State,
}

impl std::ops::Deref for Trial<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        self.state
    }
}

impl<'a> Trial<'a> {
    /// On this state.
    pub const fn new(state: &'a mut State) -> Self {
        Self { state }
    }
    /// Carries a decision out; see [`State::apply`].
    ///
    /// # Errors
    /// The law that it would break; nothing has changed then.
    #[inline]
    pub fn apply(&mut self, decision: Decision<'_>) -> Result<Event, Refusal> {
        self.state.apply(decision)
    }
    /// From here on decisions can be taken back.
    pub const fn checkpoint(&mut self) -> Checkpoint {
        self.state.trials += 1;
        Checkpoint { undo: self.state.undo.len(), log: self.state.log.len() }
    }
    /// Takes back everything since a checkpoint, which is over then: the state is as it was.
    ///
    /// # Panics
    /// If the checkpoint is over already.
    pub fn roll_back(&mut self, checkpoint: Checkpoint) {
        self.end(checkpoint);
        while self.state.undo.len() > checkpoint.undo {
            let undo = self.state.undo.pop().expect("there is one more than at the checkpoint");
            self.state.take_back(undo);
        }
        self.state.log.truncate(checkpoint.log);
        self.state.heard = self.state.heard.min(checkpoint.log);
    }
    /// Keeps everything since a checkpoint, which is over then.
    ///
    /// # Panics
    /// If the checkpoint is over already.
    pub fn commit(&mut self, checkpoint: Checkpoint) {
        self.end(checkpoint);
        if self.state.trials == 0 {
            self.state.undo.clear();
        }
    }
    fn end(&mut self, checkpoint: Checkpoint) {
        let open = self.state.trials > 0 && checkpoint.undo <= self.state.undo.len();
        assert!(open, "the checkpoint is over");
        self.state.trials -= 1;
    }
    /// Asks about the state as if things were otherwise.
    pub(crate) fn supposing<T>(&mut self, what: Supposed, ask: impl FnOnce(&State) -> T) -> T {
        let resources = &mut self.state.resources;
        let withheld = what.nodes.map(|nodes| resources.occupancy.withhold(&nodes));
        if let Some(power) = resources.power_mut() {
            power.ease(what.watts.is_some());
            power.ask_also(what.watts.unwrap_or_default());
            power.withdraw(&what.withdrawn);
            power.tell_refusals(what.tells_refusals);
        }
        let answer = ask(self.state);
        let resources = &mut self.state.resources;
        if let Some(power) = resources.power_mut() {
            power.ease(false);
            power.ask_also(Vec::new());
            power.withdraw(&[]);
            power.tell_refusals(false);
        }
        resources.occupancy.give_back(&withheld.unwrap_or_default());
        answer
    }
    /// A job stopped so that another could start, both of which has happened.
    pub(crate) fn note_yield(&mut self, segment: u32, to: u32) {
        self.state.history.yields.push(YieldRecord { segment, to });
    }
    /// From now on jobs wait for another reason.
    pub(crate) fn set_reason(&mut self, why: Why) {
        let time = self.state.now;
        self.state.history.waits.push(WaitRecord { time, why });
    }
    /// Asks about power as if running jobs were capped at other levels, whatever the caps.
    pub(crate) fn at_levels<T>(&mut self, levels: &[(u32, usize)], ask: impl FnOnce(&Ledger) -> T) -> T {
        self.shift(levels, true);
        let answer = ask(self.state.resources.power().expect("power is counted where it is asked about"));
        self.shift(levels, false);
        answer
    }
    /// Running jobs draw as at other levels, or again as they do.
    fn shift(&mut self, levels: &[(u32, usize)], away: bool) {
        let State { history, classes, resources, book, .. } = &mut *self.state;
        for &(job, level) in levels {
            let Some(segment) = history.segments.get(book.open(job) as usize) else { continue };
            let (class, held) = (classes.of_job(job), history.pieces_of(segment));
            let (from, to) = if away { (segment.cap, cap_of(level)) } else { (cap_of(level), segment.cap) };
            resources.hold_power(class, held, from, false);
            resources.hold_power(class, held, to, true);
        }
    }
    /// The policy has told all of its parts of everything so far.
    pub(crate) const fn mark_heard(&mut self) {
        self.state.heard = self.state.log.len();
    }
    /// From now on the passes over a partition pass over these jobs before the one that they stop at.
    pub(crate) fn pass_over(&mut self, partition: u32, jobs: Vec<u32>) {
        self.state.passed_over[partition as usize] = jobs;
        self.state.stops += 1;
    }
    /// From now on the passes over a partition stop at this job.
    pub(crate) fn close_partition(&mut self, partition: u32, head: Option<u32>) -> Event {
        self.state.close_partition(partition, head)
    }
    /// A job that was held back waits like all others.
    pub(crate) fn release(&mut self, job: u32) -> Event {
        self.state.release(job);
        let event = Event::Released { job };
        self.state.log.push(event);
        event
    }
}

impl State {
    /// Keeps what takes a change back, where decisions are on trial.
    #[inline]
    pub(super) fn undo(&mut self, undo: impl FnOnce() -> Undo) {
        if self.trials > 0 {
            self.undo.push(undo());
        }
    }

    pub(super) fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Began { job, status } => {
                let segment = self.history.segments.pop().expect("it began");
                let first = segment.first_piece as usize;
                let class = self.classes.of_job(job);
                self.resources.release(class, &self.history.pieces[first..], segment.cap);
                self.history.pieces.truncate(first);
                self.book.end(job);
                self.set_status(job, status);
            }
            Undo::Closed { job, status, segment, to } => {
                let old = &mut self.history.segments[segment as usize];
                (old.to, old.end) = (to, crate::history::SegmentEnd::Open);
                let old = *old;
                let range = old.first_piece as usize..(old.first_piece + old.pieces) as usize;
                self.resources.claim(self.classes.of_job(job), &self.history.pieces[range], old.cap);
                self.book.begin(job, segment);
                self.set_status(job, status);
            }
            Undo::Recapped { segment, old } => {
                let now = std::mem::replace(&mut self.history.segments[segment as usize], old);
                debug_assert!(narrow(self.history.segments.len()) > segment, "it is there");
                let range = old.first_piece as usize..(old.first_piece + old.pieces) as usize;
                let class = self.classes.of_job(old.job);
                self.resources.hold_power(class, &self.history.pieces[range.clone()], now.cap, false);
                self.resources.hold_power(class, &self.history.pieces[range], old.cap, true);
            }
            Undo::Progress { job, before } => {
                self.book.set_progress(job, before);
            }
            Undo::Resized { job, before } => {
                self.book.set_resized(job, before);
            }
            Undo::Held { job } => {
                self.history.holds.pop();
                self.book.set_held(job, self.classes.of_job[job as usize], false);
            }
        }
    }
}
