//! What a policy sees, and the only way it acts.

use super::class::{Class, Classes};
use super::placement::Choice;
use super::{Decision, Room};
use crate::cluster::{NodeState, Piece};
use crate::history::{HeadRecord, History, HoldRecord, JobRecord, Outcome, Plan, Segment, SegmentEnd};
use crate::units::{Factor, Seconds, Time};
use crate::workload::{Job, Overrun};
use std::collections::{BTreeMap, BTreeSet};

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

/// How far a job had come when it last stopped, moved or changed its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    /// Reference seconds of work left, Q16.
    left: u64,
    /// The same as of the last state that was kept: what a stop goes back to if no checkpoint was written since.
    kept: u64,
}

/// The state of a simulation: policies read it, and change it only through their decisions.
///
/// A decision takes effect at once and is checked as it does, so that what a policy reads next is the truth;
/// a wrong one panics (it is a bug of the policy). To ask "what if", a policy copies [`View::room`].
#[derive(Debug)]
pub struct View {
    now: Time,
    history: History,
    classes: Classes,
    room: Room,
    status: Vec<Status>,
    /// By job: its open segment.
    open: Vec<u32>,
    progress: BTreeMap<u32, Progress>,
    /// Running jobs, where there are caps on power to heed.
    running: BTreeSet<u32>,
    decisions: Vec<Decision>,
}

const NONE: u32 = u32::MAX;

impl View {
    /// The state before anything has happened.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let classes = Classes::of(&plan);
        let room = Room::new(&plan, &classes);
        let jobs = plan.workload.jobs.len();
        let record =
            JobRecord { eligible_time: Time::NEVER, finish_time: Time::NEVER, outcome: Outcome::Unfinished };
        // Most jobs run once, on pieces no more than one.
        let (segments, pieces) = (Vec::with_capacity(jobs), Vec::with_capacity(jobs));
        let history = History { plan, jobs: vec![record; jobs], segments, pieces, ..History::default() };
        Self {
            now: Time::ZERO,
            history,
            classes,
            room,
            status: vec![Status::Future; jobs],
            open: vec![NONE; jobs],
            progress: BTreeMap::new(),
            running: BTreeSet::new(),
            decisions: Vec::new(),
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
    pub const fn room(&self) -> &Room {
        &self.room
    }
    /// The request classes of the jobs.
    #[must_use]
    pub const fn classes(&self) -> &Classes {
        &self.classes
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
        self.status[job as usize]
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
        self.history.segments.get(self.open[job as usize] as usize)
    }
    /// The rate a job would have on a choice.
    #[must_use]
    #[inline]
    pub fn rate(&self, job: u32, choice: &Choice) -> Factor {
        let kinds = &self.history.plan.cluster.kinds;
        self.class(job).rate_under(kinds, choice.kind, choice.racks, choice.cap)
    }
    /// Reference seconds of work a job has left at the present instant, Q16.
    #[must_use]
    pub fn work_left(&self, job: u32) -> u64 {
        let before =
            self.progress.get(&job).map_or_else(|| work(self.job(job).work_time), |progress| progress.left);
        let Some(segment) = self.segment(job) else { return before };
        let worked = self.now.since(segment.from).0.saturating_sub(segment.restart);
        before.saturating_sub(u64::from(worked) * u64::from(segment.rate.0))
    }
    /// Reference seconds that a job, started now, is expected to hold its domains, times its rate, Q16:
    /// its request less what is done, and its restart.
    #[must_use]
    #[inline]
    pub fn expected_work(&self, job: u32, rate: Factor) -> u64 {
        if self.progress.is_empty() {
            return work(self.job(job).requested_time);
        }
        self.expected_again(job, rate)
    }
    /// As [`View::expected_work`], where somebody has run before.
    fn expected_again(&self, job: u32, rate: Factor) -> u64 {
        let Some(progress) = self.progress.get(&job) else { return work(self.job(job).requested_time) };
        self.requested_left(job, progress.left, self.restart(job), rate)
    }
    /// When a job, started now on a choice, is expected to end.
    #[must_use]
    #[inline]
    pub fn expected_end(&self, job: u32, rate: Factor) -> Time {
        self.now + ticks(self.expected_work(job, rate), rate)
    }
    /// Whether a job, started now, would first hold its domains for its restart time.
    pub(super) fn owes_restart(&self, job: u32) -> bool {
        self.restart(job) > 0
    }
    /// When a running job is expected to end, at its present rate.
    pub(super) fn expected_end_now(&self, job: u32) -> Option<Time> {
        let segment = self.segment(job)?;
        let restart = self.restart_left(segment);
        Some(
            self.now
                + ticks(self.requested_left(job, self.work_left(job), restart, segment.rate), segment.rate),
        )
    }
    /// Seconds of its restart that are still to come.
    fn restart_left(&self, segment: &Segment) -> u32 {
        segment.restart.saturating_sub(self.now.since(segment.from).0)
    }
    /// Running jobs, ascending, where there are caps on power to heed; else none.
    pub(super) const fn running(&self) -> &BTreeSet<u32> {
        &self.running
    }
    fn restart(&self, job: u32) -> u32 {
        if self.progress.contains_key(&job) {
            self.history.plan.workload.behaviour_of(job).restart_time.0
        } else {
            0
        }
    }
}

/// Deciding.
impl View {
    /// A pending job takes what was chosen for it.
    ///
    /// # Panics
    /// If it is not pending, or any of it is not free.
    pub fn start(&mut self, job: u32, choice: &Choice) {
        assert!(self.status(job) == Status::Pending, "job {job} is not pending");
        let segment = self.begin(job, choice, self.rate(job, choice), self.restart(job));
        self.status[job as usize] = Status::Running;
        self.decisions.push(Decision::Start { segment });
    }

    /// A running job lets go of everything and waits again; work since its last checkpoint is lost.
    ///
    /// # Panics
    /// If it is not running.
    pub fn stop(&mut self, job: u32) {
        let segment = self.open[job as usize];
        self.interrupt(job, SegmentEnd::Preempted);
        self.decisions.push(Decision::Stop { segment });
    }

    /// A running job goes on with other domains: a move, or, where their GPUs are more or fewer, a resize, its rate
    /// in proportion. It first holds them for its restart time; nothing is lost. Quotas count what it asked for.
    ///
    /// # Panics
    /// If it is not running, or only since this instant, or any of it is not free once it has let go of what it holds.
    pub fn change(&mut self, job: u32, choice: &Choice) {
        let since = self.segment(job).map(|segment| segment.from);
        assert!(since.is_some_and(|since| since < self.now), "job {job} does not run yet");
        let left = self.work_left(job);
        self.close(job, SegmentEnd::Changed);
        self.progress.insert(job, Progress { left, kept: left });
        let (gpus, requested) = (gpus_milli(&self.history.plan, &choice.pieces), self.class(job).gpus_milli);
        let rate = self.rate(job, choice);
        let rate = if requested == 0 { rate } else { scaled(rate, gpus, requested) };
        let segment = self.begin(job, choice, rate, self.restart(job));
        self.decisions.push(Decision::Change { segment });
    }

    /// A running job goes on with its GPUs capped to `cap` of their TGP: nothing is lost, its rate follows.
    ///
    /// # Panics
    /// If it is not running.
    pub fn cap(&mut self, job: u32, cap: Factor) {
        let index = self.open[job as usize] as usize;
        let segment = self.history.segments[index];
        let choice = self.held(job, &segment, cap);
        let full = gpus_milli(&self.history.plan, &choice.pieces);
        let requested = self.class(job).gpus_milli;
        let rate = self.rate(job, &choice);
        let rate = if requested == 0 { rate } else { scaled(rate, full, requested) };
        let restart = self.restart_left(&segment);
        if segment.from == self.now {
            // Nothing has happened at the old cap.
            let class = self.classes.of_job(job);
            self.room.hold_power(class, &choice.pieces, segment.cap, false);
            self.room.hold_power(class, &choice.pieces, cap, true);
            let to = self.planned_end(job, rate, restart);
            self.history.segments[index] = Segment { to, rate, cap, ..segment };
        } else {
            let left = self.work_left(job);
            let all = work(self.job(job).work_time);
            let kept = self.progress.get(&job).map_or(all, |progress| progress.kept);
            self.close(job, SegmentEnd::Changed);
            self.progress.insert(job, Progress { left, kept });
            self.begin(job, &choice, rate, restart);
        }
        self.decisions.push(Decision::Cap { segment: self.open[job as usize] });
    }

    /// What a running job holds, as a choice under another cap.
    fn held(&self, job: u32, segment: &Segment, cap: Factor) -> Choice {
        let pieces = self.history.pieces_of(segment).to_vec();
        let nodes = || pieces.iter().flat_map(|piece| piece.nodes());
        let cluster = &self.history.plan.cluster;
        let racks: BTreeSet<u32> = nodes().map(|node| cluster.rack_of(node)).collect();
        let spans = !self.room.occupancy.is_flat() && self.class(job).rate.is_none();
        let racks = if spans { u32::try_from(racks.len()).expect("racks are counted in 32 bits") } else { 1 };
        let kind = nodes().next().map_or(0, |node| cluster.racks[cluster.rack_of(node) as usize].kind);
        Choice { pieces, kind, racks, cap }
    }

    /// A pending job is refused for good.
    ///
    /// # Panics
    /// If it is not pending.
    pub fn reject(&mut self, job: u32) {
        assert!(self.status(job) == Status::Pending, "job {job} is not pending");
        self.decisions.push(Decision::Reject { job });
    }

    /// The pass over a queue stops at this job: who stands behind it waits for order.
    pub fn block(&mut self, queue: u32, head: Option<u32>) {
        let head_index = head.unwrap_or(HeadRecord::NONE);
        self.history.heads.push(HeadRecord { time: self.now, queue, head: head_index });
        self.decisions.push(Decision::Wait { queue, head });
    }

    /// A pending job is held back on purpose until an instant, at which there is a pass.
    ///
    /// # Panics
    /// If it is not pending.
    pub fn hold(&mut self, job: u32, until: Time) {
        assert!(self.status(job) == Status::Pending, "job {job} is not pending");
        self.history.holds.push(HoldRecord { job, until });
        self.decisions.push(Decision::Hold { job, until });
    }

    /// Asks for a pass at an instant in which nothing else may happen.
    pub fn wake_at(&mut self, time: Time) {
        self.decisions.push(Decision::WakeAt { time });
    }

    fn begin(&mut self, job: u32, choice: &Choice, rate: Factor, restart: u32) -> u32 {
        self.room.claim(self.classes.of_job(job), &choice.pieces, choice.cap);
        let segment = u32::try_from(self.history.segments.len()).expect("segments are counted in 32 bits");
        let first_piece = u32::try_from(self.history.pieces.len()).expect("pieces are counted in 32 bits");
        self.history.pieces.extend_from_slice(&choice.pieces);
        self.history.segments.push(Segment {
            job,
            from: self.now,
            to: self.planned_end(job, rate, restart),
            first_piece,
            pieces: u32::try_from(choice.pieces.len()).expect("pieces are counted in 32 bits"),
            rate,
            cap: choice.cap,
            restart,
            end: SegmentEnd::Open,
        });
        self.open[job as usize] = segment;
        if self.room.power().is_some() {
            self.running.insert(job);
        }
        segment
    }

    /// When the job lets go by itself: its work is done, or its requested time over and it is killed then.
    fn planned_end(&self, job: u32, rate: Factor, restart: u32) -> Time {
        let left =
            self.progress.get(&job).map_or_else(|| work(self.job(job).work_time), |progress| progress.left);
        let end = self.now + Seconds(restart) + ticks(left, rate);
        let behaviour = self.history.plan.workload.behaviour_of(job);
        if behaviour.overrun == Overrun::Extend {
            return end;
        }
        end.min(self.now + ticks(self.requested_left(job, left, restart, rate), rate))
    }

    /// Reference seconds that are left of its request, Q16, once so much of its work is left, and what its restart takes.
    fn requested_left(&self, job: u32, left: u64, restart: u32, rate: Factor) -> u64 {
        let done = work(self.job(job).work_time) - left;
        let requested = work(self.job(job).requested_time);
        // What has used up its request is expected to end as soon as its restart is over, and never at once.
        (requested.saturating_sub(done) + u64::from(restart) * u64::from(rate.0)).max(1)
    }

    fn close(&mut self, job: u32, end: SegmentEnd) {
        self.running.remove(&job);
        let index = std::mem::replace(&mut self.open[job as usize], NONE) as usize;
        let segment = &mut self.history.segments[index];
        segment.to = self.now;
        segment.end = end;
        let range = segment.first_piece as usize..(segment.first_piece + segment.pieces) as usize;
        let cap = segment.cap;
        self.room.release(self.classes.of_job(job), &self.history.pieces[range], cap);
    }

    fn interrupt(&mut self, job: u32, end: SegmentEnd) {
        assert!(self.status(job) == Status::Running, "job {job} is not running");
        let behaviour = self.history.plan.workload.behaviour_of(job);
        let mut left = self.work_left(job);
        let period = work(behaviour.checkpoint_interval + behaviour.checkpoint_cost);
        if period > 0 && behaviour.checkpoint_interval.0 > 0 {
            let before = self.progress.get(&job).map_or_else(|| work(self.job(job).work_time), |p| p.kept);
            let total = work(self.job(job).work_time);
            let kept = ((total - left) / period * period).max(total - before);
            left = total - kept;
        }
        self.close(job, end);
        self.progress.insert(job, Progress { left, kept: left });
        self.status[job as usize] = Status::Pending;
    }
}

/// What only the simulation does.
impl View {
    pub(crate) fn set_now(&mut self, now: Time) {
        self.now = now;
        self.room.set_now(now);
    }
    /// The caps of the present instant hold.
    pub(crate) fn set_caps(&mut self) {
        self.room.set_caps(&self.history.plan, self.now);
    }
    pub(crate) fn set_state(&mut self, node: u32, state: NodeState) {
        self.room.set_state(node, state);
    }
    pub(crate) fn set_eligible(&mut self, job: u32) {
        self.history.jobs[job as usize].eligible_time = self.now;
        self.status[job as usize] = Status::Pending;
    }
    pub(crate) fn settle(&mut self, job: u32, outcome: Outcome) {
        let record = &mut self.history.jobs[job as usize];
        record.finish_time = self.now;
        record.outcome = outcome;
        self.status[job as usize] = Status::Settled;
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
    /// Index of the open segment of a running job.
    pub(crate) fn segment_index(&self, job: u32) -> u32 {
        self.open[job as usize]
    }
    /// Whether a job has run before.
    pub(crate) fn has_started(&self, job: u32) -> bool {
        self.progress.contains_key(&job)
    }
    /// The jobs that hold something on any of these nodes, ascending.
    pub(crate) fn running_on(&self, nodes: &std::ops::Range<u32>) -> Vec<u32> {
        let touches = |segment: &Segment| {
            self.history
                .pieces_of(segment)
                .iter()
                .any(|piece| piece.nodes().any(|node| nodes.contains(&node)))
        };
        (0u32..)
            .zip(&self.open)
            .filter(|(_, segment)| self.history.segments.get(**segment as usize).is_some_and(touches))
            .map(|(job, _)| job)
            .collect()
    }
    pub(crate) fn node_down(&mut self, job: u32) {
        self.interrupt(job, SegmentEnd::NodeDown);
    }
    pub(crate) fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }
    pub(crate) fn give_back(&mut self, mut decisions: Vec<Decision>) {
        decisions.clear();
        self.decisions = decisions;
    }
    /// The history, once the simulation is over.
    pub(crate) fn into_history(mut self, complete: bool) -> History {
        for segment in &mut self.history.segments {
            if segment.end == SegmentEnd::Open {
                segment.to = Time::NEVER;
            }
        }
        self.history.end = self.now;
        self.history.complete = complete;
        self.history
    }
}

/// Seconds of work in Q16.
const fn work(seconds: Seconds) -> u64 {
    (seconds.0 as u64) << 16
}

/// Whole seconds that `work` (Q16) takes at a rate, rounded up.
#[inline]
pub(crate) fn ticks(work: u64, rate: Factor) -> Seconds {
    let seconds = if rate == Factor::ONE { work.div_ceil(1 << 16) } else { work.div_ceil(u64::from(rate.0)) };
    Seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
}

fn gpus_milli(plan: &Plan, pieces: &[Piece]) -> u64 {
    pieces
        .iter()
        .map(|piece| match *piece {
            Piece::Nodes { word, mask } => {
                // Nodes of one piece are of one kind.
                let node = word * 64 + mask.trailing_zeros();
                u64::from(mask.count_ones()) * u64::from(plan.cluster.kind_of(node).gpus) * 1000
            }
            Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
            Piece::Share { milli, .. } => u64::from(milli),
        })
        .sum()
}

fn scaled(rate: Factor, gpus_milli: u64, requested_milli: u32) -> Factor {
    let scaled = u64::from(rate.0) * gpus_milli / u64::from(requested_milli);
    Factor(u32::try_from(scaled.max(1)).unwrap_or(u32::MAX))
}
