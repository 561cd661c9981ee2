//! Running jobs that yield to one that is blocked: which, found out by stopping them on trial.
//!
//! A job may stop if it is preemptible, its partition is linked with that of the blocked one, it has run long enough, and the
//! rule says so. The rule chooses a set of them without which the blocked job starts at once, and none of which could run
//! on then; where there is no such set, no job stops. Then the pass begins anew with what is left, those that have stopped
//! among the jobs that wait. A job that has started at this instant is not stopped, so that the pass ends.
//!
//! # Complexity
//! Those that may stop are asked for standing by standing ([`Standing`]), not one by one. A search takes as many stops on trial as
//! there are of them at the most, and O(k²) for a set of k jobs. A class of jobs is searched for once between two starts of a pass.

use super::running::{May, Running, Standing};
use crate::cluster::Piece;
use crate::history::{Plan, Settings};
use crate::policy::part::{self, PartOption};
use crate::state::{Checkpoint, Decision, State, Trial};
use crate::units::{Seconds, Time};
use std::cmp::Reverse;

/// How long a job runs at least.
pub(super) const MIN_RUN: PartOption = PartOption {
    name: "min_run",
    unit: "time",
    default: "0s",
    about: "how long a job runs at least before it stops for another",
    expected: part::TIME,
    read: |settings, text| {
        settings.min_run = Some(Seconds(part::seconds(text)?)).filter(|span| span.0 > 0);
        Some(())
    },
    show: |settings| part::span(settings.min_run.unwrap_or_default().0),
};

/// A rule of which running jobs yield to a blocked one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Yields {
    /// Which running jobs of a standing may stop for a blocked one, however long they have run.
    pub(super) may: fn(&State, &Standing, &Blocked<'_>) -> May,
    /// True if no job at all could stop for a job as things are, which is told sooner.
    pub(super) is_hopeless: fn(&State, u32) -> bool,
    /// Which of those that may, in no order, have to stop, in the order in which they do; none: it does not start even
    /// without all of them.
    pub(super) choose: fn(&mut Bench<'_, '_>, Vec<u32>, &Blocked<'_>) -> Option<Vec<u32>>,
    /// Why it can stop no job of a plan, and a hint; none: it may stop some.
    pub(super) idle: fn(&Plan) -> Option<(&'static str, &'static str)>,
    /// Whether a job stops only once its attempt has kept some work: where jobs may stop one another in turn.
    pub(super) keeps_work: bool,
    /// Whether what queues hold decides: a start may then give a job that was blocked before it a claim on others.
    pub(super) by_queues: bool,
    /// Whether those that stop start elsewhere at once: all of them, or nothing happens.
    pub(super) moves: bool,
    /// Whether where jobs stand in the order tells which may stop.
    pub(super) reads_order: bool,
}

/// A job that does not start as things are.
#[derive(Debug)]
pub(in crate::policy) struct Blocked<'a> {
    pub(in crate::policy) job: u32,
    /// The quota, queue, limit or licence that says no; none: there is no place.
    pub(in crate::policy) row: Option<u32>,
    /// By job that runs: when it started last.
    pub(super) began: &'a [Time],
}

/// When a running job stops among others; less goes first. The last of it is the job.
pub(super) type Turn = ((u32, i32), Reverse<Time>, u32);

impl Blocked<'_> {
    /// When a running job stops among others: the lowest first, then the one that started last, then the lowest index.
    pub(super) fn turn(&self, state: &State, running: u32) -> Turn {
        (state.class(running).height(), Reverse(self.began[running as usize]), running)
    }
}

/// Which jobs yield in a walk.
#[derive(Debug)]
pub(in crate::policy) struct Yielding {
    rule: Yields,
    min_run: Seconds,
    began: Vec<Time>,
    running: Running,
    /// By class of blocked jobs: as of when none could stop for it, and when the first may.
    none: Vec<Option<(Circumstances, Time)>>,
}

/// What tells which jobs may stop for a job of a class: while it is the same, so are they.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Circumstances {
    now: Time,
    /// How often something became free, and was taken.
    changes: [u64; 2],
    row: Option<u32>,
}

impl Yielding {
    /// What the settings of a plan say; none: no job yields to a blocked one.
    pub(in crate::policy) fn of(plan: &Plan) -> Option<Self> {
        let Settings { min_run, .. } = &plan.settings;
        let rule = super::yields(&plan.settings)?;
        Some(Self {
            rule,
            min_run: min_run.unwrap_or_default(),
            began: vec![Time::ZERO; plan.workload.jobs.len()],
            running: Running::default(),
            none: Vec::new(),
        })
    }

    /// Whether those that stop start elsewhere at once.
    pub(in crate::policy) const fn moves(&self) -> bool {
        self.rule.moves
    }

    /// Whether a start may give a job that was blocked before it a claim on others.
    pub(in crate::policy) const fn starts_give_claims(&self) -> bool {
        self.rule.by_queues
    }

    /// Whether where jobs stand in the order tells which may stop.
    pub(in crate::policy) const fn reads_order(&self) -> bool {
        self.rule.reads_order
    }

    /// A job has started.
    pub(in crate::policy) fn begins(&mut self, state: &State, job: u32) {
        self.began[job as usize] = state.now();
        self.goes_on(state, job);
    }
    /// A running job goes on at another rate, or elsewhere.
    pub(in crate::policy) fn goes_on(&mut self, state: &State, job: u32) {
        if !state.plan().workload.behaviour_of(job).preemptible {
            return;
        }
        // A job that started at this instant runs on.
        let least = self.began[job as usize] + Seconds(self.min_run.0.max(1));
        let keeps = if self.rule.keeps_work { state.keeps_work_from(job) } else { Time::ZERO };
        self.running.insert(job, Standing::of(state, job), least.max(keeps));
    }
    /// A job runs no more.
    pub(in crate::policy) fn ends(&mut self, job: u32) {
        self.running.remove(job);
    }

    /// Of the running jobs of the partitions that `concern` a blocked one those that may stop now, and when the next of the
    /// others may; `is_behind` tells which stand behind it in the order.
    pub(in crate::policy) fn candidates(
        &mut self,
        state: &State,
        (job, row): (u32, Option<u32>),
        concern: impl Fn(u32) -> bool,
        is_behind: impl FnMut(u32) -> bool,
    ) -> (Vec<u32>, Time) {
        let changes = [state.resources().freed(), state.resources().taken()];
        let (class, now) =
            (state.class(job).index as usize, Circumstances { now: state.now(), changes, row });
        if let Some(&Some((known, next))) = self.none.get(class)
            && known == now
        {
            return (Vec::new(), next);
        }
        let (candidates, next) = self.look_for_candidates(state, (job, row), concern, is_behind);
        if candidates.is_empty() {
            self.none.resize(state.classes().table.len(), None);
            self.none[class] = Some((now, next));
        }
        (candidates, next)
    }

    fn look_for_candidates(
        &self,
        state: &State,
        (job, row): (u32, Option<u32>),
        concern: impl Fn(u32) -> bool,
        mut is_behind: impl FnMut(u32) -> bool,
    ) -> (Vec<u32>, Time) {
        let blocked = Blocked { job, row, began: &self.began };
        let mut is_newer =
            |running: u32| state.eligible_time(job) < state.eligible_time(running) && is_behind(running);
        let (mut candidates, mut next, mut hopeless) = (Vec::new(), Time::NEVER, None);
        for (standing, line) in self.running.lines() {
            let may = if concern(standing.partition) {
                (self.rule.may)(state, standing, &blocked)
            } else {
                May::Never
            };
            if may == May::Never {
                continue;
            }
            let mut yields = |running: u32| may == May::Always || is_newer(running);
            let later = line.unripe(state.now()).find(|(_, running)| yields(*running));
            next = later.map_or(next, |(from, _)| next.min(from));
            let mut ripe = line.ripe(state.now()).filter(|running| yields(*running)).peekable();
            // A start later in this pass may change whether it is hopeless: those that may stop later are told all the same.
            if ripe.peek().is_some() && !*hopeless.get_or_insert_with(|| (self.rule.is_hopeless)(state, job))
            {
                candidates.extend(ripe);
            }
        }
        (candidates, next)
    }

    /// Which of some running jobs have to stop so that a blocked one starts; none: it does not even without all of them.
    /// `find` tells the nodes where it would go.
    pub(in crate::policy) fn choose(
        &self,
        trial: &mut Trial<'_>,
        (job, row): (u32, Option<u32>),
        candidates: Vec<u32>,
        find: &mut dyn FnMut(&mut Trial<'_>) -> Option<Vec<u32>>,
    ) -> Option<Vec<u32>> {
        let before = trial.checkpoint();
        let mut bench = Bench { trial, before, find };
        let chosen = (self.rule.choose)(&mut bench, candidates, &Blocked { job, row, began: &self.began });
        let Bench { trial, before, .. } = bench;
        trial.roll_back(before);
        chosen
    }
}

/// Where jobs are stopped on trial.
pub(in crate::policy) struct Bench<'a, 't> {
    trial: &'a mut Trial<'t>,
    before: Checkpoint,
    find: &'a mut dyn FnMut(&mut Trial<'_>) -> Option<Vec<u32>>,
}

impl Bench<'_, '_> {
    pub(super) fn state(&self) -> &State {
        self.trial
    }
    /// A running job stops.
    pub(super) fn stop(&mut self, job: u32) {
        self.trial.apply(Decision::Stop { job }).expect("candidates run");
    }
    /// Everything that was stopped runs on.
    pub(super) fn restore(&mut self) {
        self.trial.roll_back(self.before);
        self.before = self.trial.checkpoint();
    }
    /// The nodes, ascending, where the blocked job would go now.
    pub(super) fn place(&mut self) -> Option<Vec<u32>> {
        (self.find)(self.trial)
    }

    /// The shortest beginning of a line of jobs without which the blocked job starts, all of it stopped, and its place.
    pub(super) fn shortest<'b>(&mut self, line: &'b [u32]) -> Option<(&'b [u32], Vec<u32>)> {
        for (index, job) in line.iter().enumerate() {
            self.stop(*job);
            if let Some(nodes) = self.place() {
                return Some((&line[..=index], nodes));
            }
        }
        self.restore();
        None
    }

    /// Of jobs without which the blocked job starts those that have to stop: from the last to the first, each runs on
    /// without whose stop it starts all the same.
    pub(super) fn needed(&mut self, stopped: Vec<u32>) -> Vec<u32> {
        self.needed_if(stopped, |bench| bench.place().is_some())
    }
    /// The same of what is asked before it starts.
    pub(super) fn needed_if(
        &mut self,
        mut stopped: Vec<u32>,
        mut starts: impl FnMut(&mut Self) -> bool,
    ) -> Vec<u32> {
        for at in (0..stopped.len()).rev() {
            self.restore();
            let others = stopped.iter().enumerate().filter(|(index, _)| *index != at);
            others.for_each(|(_, job)| self.stop(*job));
            if starts(self) {
                stopped.remove(at);
            }
        }
        stopped
    }

    /// Of stopped jobs those that ran on some nodes, if the blocked job starts without these alone; else all.
    pub(super) fn near(&mut self, stopped: &[u32], nodes: &[u32]) -> Vec<u32> {
        self.restore();
        let touches = |piece: &Piece| piece.nodes().any(|node| nodes.binary_search(&node).is_ok());
        let state = self.state();
        let near: Vec<u32> =
            stopped.iter().copied().filter(|job| state.domains(*job).iter().any(touches)).collect();
        near.iter().for_each(|job| self.stop(*job));
        if self.place().is_some() { near } else { stopped.to_vec() }
    }
}
