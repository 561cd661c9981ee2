//! The only thing that moves time: events, their order, and one pass after all events of an instant.
//!
//! Events of one instant are applied in the order of `Rank`: finishes, capacity changes, submits in input order,
//! newly eligible jobs, withdrawals, releases of who was held back, and timers; then the policy decides once: at every instant with an event, or with a
//! cycle every so many seconds while anybody is pending, or both. A finish makes dependents eligible at
//! the same instant, a failure makes them dependency-failed.
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind};
//! use gigawatt::history::{Plan, Settings};
//! use gigawatt::simulation::{Control, simulate};
//! use gigawatt::units::{Gpus, Seconds, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request};
//! let mut builder = Builder::default();
//! let request = builder.request(Request::gang(Gpus::whole(8)));
//! let behaviour = builder.behaviour(Behaviour::default());
//! for submit in [0, 10] {
//!     builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(submit)) });
//! }
//! let plan = Plan {
//!     cluster: Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() }),
//!     workload: builder.finish(),
//!     settings: Settings::named("fifo", "none", "first-fit"),
//! };
//! let history = simulate(plan, &mut Control::default());
//! assert_eq!(history.segments[1].from, Time(100), "the second waits for the first");
//! ```

mod queue;

use crate::cluster::NodeState;
use crate::history::{History, Outcome, Plan, SegmentEnd};
use crate::policy::{self, Decision, Event, Policy, Ranks, Status, View};
use crate::units::{Seconds, Time};
use queue::{Queue, Rank};
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// Set by somebody else to stop at the next instant.
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

/// Runs a plan under the policy that its settings name.
///
/// # Panics
/// If the settings name a part that does not exist; whoever reads them from a user checks that.
#[must_use]
pub fn simulate(plan: Plan, control: &mut Control<'_>) -> History {
    let view = View::new(plan);
    let policy = policy::build(&view, &control.ranks).expect("the settings name parts that exist");
    Simulation::new(view, policy).run(control)
}

/// Runs a plan under a policy of the caller's own.
///
/// # Panics
/// If the policy decides what cannot be done.
#[must_use]
pub fn simulate_with(plan: Plan, policy: Box<dyn Policy>, control: &mut Control<'_>) -> History {
    Simulation::new(View::new(plan), policy).run(control)
}

/// Instants between two reports of how far a run is.
const CONTROL_INTERVAL: u32 = 4096;

struct Simulation {
    view: View,
    policy: Box<dyn Policy>,
    queue: Queue,
    /// Jobs by submit time, then input order; empty if they are in that order already.
    by_submit: Vec<u32>,
    next_submit: u32,
    next_change: usize,
    /// When caps on power change.
    cap_times: Vec<Time>,
    next_cap: usize,
    /// Whether caps or nodes have changed at this instant.
    way_is_due: bool,
    /// By job: how many it still waits for.
    predecessors: Vec<u32>,
    /// By job: the earliest instant its finished predecessors allow.
    not_before: Vec<Time>,
    /// Whether something happened that no pass has seen.
    unseen: bool,
    /// Whether something happened that no pass of the cycle has seen.
    unfilled: bool,
    settled: u32,
    pending: u32,
    oversized: Vec<u32>,
}

impl Simulation {
    fn new(view: View, policy: Box<dyn Policy>) -> Self {
        let workload = &view.plan().workload;
        let sorted = workload.jobs.is_sorted_by_key(|job| job.submit_time);
        let mut by_submit: Vec<u32> = if sorted { Vec::new() } else { (0..workload.len()).collect() };
        by_submit.sort_by_key(|job| workload.jobs[*job as usize].submit_time);
        let dependent = if workload.dependencies.is_empty() { 0 } else { workload.len() };
        let predecessors = (0..dependent).map(|job| workload.dependencies.predecessor_count(job)).collect();
        let oversized = policy::oversized_of(view.plan(), view.classes());
        let cap_times = policy::power::cap_times(view.plan());
        let mut queue = Queue::default();
        for (index, job) in (0u32..).zip(&workload.jobs) {
            if job.cancel_time != Time::NEVER {
                queue.push(job.cancel_time.max(job.submit_time), Rank::Cancel, index);
            }
        }
        Self {
            view,
            policy,
            queue,
            by_submit,
            next_submit: 0,
            next_change: 0,
            cap_times,
            next_cap: 0,
            way_is_due: false,
            predecessors,
            not_before: vec![Time::ZERO; dependent as usize],
            unseen: false,
            unfilled: false,
            settled: 0,
            pending: 0,
            oversized,
        }
    }

    fn run(mut self, control: &mut Control<'_>) -> History {
        let until = self.view.plan().settings.until.map_or(Time::NEVER, Time);
        let mut instants = 0_u32;
        while let Some(now) = {
            self.prune();
            self.next_instant()
        } {
            if now > until {
                self.view.set_now(until);
                break;
            }
            instants += 1;
            if instants.is_multiple_of(CONTROL_INTERVAL) {
                self.report(control);
            }
            if control.interrupted.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return self.view.into_history(false);
            }
            self.view.set_now(now);
            self.apply(now);
            if instants == 1 {
                self.start_running();
            }
            if std::mem::take(&mut self.way_is_due) {
                self.policy.make_way(&mut self.view);
                self.follow_all(now, control);
            }
            if self.is_pass_due(now) {
                self.pass(now, control);
            }
        }
        self.view.into_history(true)
    }

    fn report(&self, control: &mut Control<'_>) {
        if let Some(progress) = &mut control.progress {
            progress(Progress {
                now: self.view.now(),
                settled: self.settled,
                jobs: self.view.plan().workload.len(),
            });
        }
    }

    /// The next submit: its instant and job.
    fn upcoming_submit(&self) -> Option<(Time, u32)> {
        let job = if self.by_submit.is_empty() {
            (self.next_submit < self.view.plan().workload.len()).then_some(self.next_submit)?
        } else {
            *self.by_submit.get(self.next_submit as usize)?
        };
        Some((self.view.job(job).submit_time, job))
    }

    /// Forgets what can no longer happen: the end of a job that was stopped, the submit or withdrawal of one whose
    /// outcome is known.
    fn prune(&mut self) {
        let view = &self.view;
        self.queue.prune(|time, rank, job| match rank {
            Rank::Finish => view.segment(job).is_none_or(|segment| segment.to != time),
            Rank::Eligible => view.status(job) != Status::Future,
            Rank::Cancel => {
                matches!(view.status(job), Status::Running | Status::Settled) || view.has_started(job)
            }
            Rank::Release | Rank::Timer => false,
        });
        while let Some((_, job)) = self.upcoming_submit()
            && self.view.status(job) == Status::Settled
        {
            self.next_submit += 1;
        }
    }

    fn next_instant(&self) -> Option<Time> {
        let plan = self.view.plan();
        let submit = self.upcoming_submit().map_or(Time::NEVER, |(time, _)| time);
        let change = plan.cluster.changes.get(self.next_change).map_or(Time::NEVER, |change| change.time);
        let cap = self.cap_times.get(self.next_cap).copied().unwrap_or(Time::NEVER);
        let event = submit.min(self.queue.next_time()).min(change).min(cap);
        let pass =
            plan.settings.cycle.filter(|_| self.pending > 0 && (self.unfilled || event != Time::NEVER));
        let pass = pass.map_or(Time::NEVER, |cycle| {
            Time(self.view.now().0 - self.view.now().0 % cycle) + Seconds(cycle)
        });
        let next = event.min(pass);
        // Capacity that comes or goes matters to nobody once every outcome is known.
        (self.settled < plan.workload.len() && next != Time::NEVER).then_some(next)
    }

    /// Applies every event of an instant.
    fn apply(&mut self, now: Time) {
        while let Some(job) = self.queue.pop(now, Rank::Finish) {
            self.finish(job, now);
        }
        while let Some(change) = self.view.plan().cluster.changes.get(self.next_change)
            && change.time == now
        {
            let change = change.clone();
            self.next_change += 1;
            self.way_is_due = true;
            self.change_capacity(change.nodes, change.state);
        }
        if self.cap_times.get(self.next_cap) == Some(&now) {
            self.next_cap += 1;
            self.view.set_caps();
            self.way_is_due = true;
            self.tell(Event::Power);
        }
        while let Some((time, job)) = self.upcoming_submit()
            && time == now
        {
            self.next_submit += 1;
            if self.view.status(job) == Status::Future && self.oversized.binary_search(&job).is_ok() {
                self.settle(job, Outcome::Rejected);
            } else if self.view.plan().workload.dependencies.predecessor_count(job) == 0 {
                // The others become eligible when the last job they wait for has succeeded.
                self.make_eligible(job);
            }
        }
        while let Some(job) = self.queue.pop(now, Rank::Eligible) {
            self.make_eligible(job);
        }
        while let Some(job) = self.queue.pop(now, Rank::Cancel) {
            self.cancel(job);
        }
        while self.queue.pop(now, Rank::Release).is_some() {
            self.tell(Event::Timer);
        }
        while self.queue.pop(now, Rank::Timer).is_some() {
            // Beside a cycle, passes at events are for what happens by itself.
            let unseen = self.unseen || !self.view.plan().settings.has_event_passes();
            self.tell(Event::Timer);
            self.unseen = unseen;
        }
    }

    fn tell(&mut self, event: Event) {
        self.unseen = true;
        self.unfilled = true;
        self.policy.observe(event, &self.view);
    }

    fn finish(&mut self, job: u32, now: Time) {
        // A job that was stopped meanwhile, or goes on at another rate, ends at another instant.
        if self.view.segment(job).is_none_or(|segment| segment.to != now) {
            return;
        }
        let segment = self.view.segment_index(job);
        let outcome = self.view.finish(job);
        self.settled += 1;
        let end = self.view.history().segments[segment as usize].end;
        self.tell(Event::Ended { job, segment, end });
        self.release_dependents(job, outcome);
    }

    /// The successors of a settled job become eligible, or fail with it.
    fn release_dependents(&mut self, job: u32, outcome: Outcome) {
        if self.predecessors.is_empty() {
            return;
        }
        let edges = self.view.plan().workload.dependencies.successors(job).to_vec();
        let now = self.view.now();
        for edge in edges {
            if self.view.status(edge.job) != Status::Future {
                continue;
            }
            if outcome != Outcome::Completed {
                self.settle(edge.job, Outcome::DependencyFailed);
                continue;
            }
            let waiting = edge.job as usize;
            self.predecessors[waiting] -= 1;
            self.not_before[waiting] = self.not_before[waiting].max(now + edge.delay);
            if self.predecessors[waiting] == 0 {
                let eligible = self.not_before[waiting].max(self.view.job(edge.job).submit_time);
                self.queue.push(eligible, Rank::Eligible, edge.job);
            }
        }
    }

    fn make_eligible(&mut self, job: u32) {
        if self.view.status(job) != Status::Future {
            return;
        }
        self.view.set_eligible(job);
        self.pending += 1;
        self.tell(Event::Eligible { job });
    }

    fn settle(&mut self, job: u32, outcome: Outcome) {
        self.view.settle(job, outcome);
        self.settled += 1;
        self.tell(Event::Settled { job });
        self.release_dependents(job, outcome);
    }

    fn cancel(&mut self, job: u32) {
        match self.view.status(job) {
            Status::Future => self.settle(job, Outcome::Cancelled),
            Status::Pending if !self.view.has_started(job) => {
                self.pending -= 1;
                self.tell(Event::Cancelled { job });
                self.settle(job, Outcome::Cancelled);
            }
            _ => {}
        }
    }

    fn change_capacity(&mut self, nodes: std::ops::Range<u32>, state: NodeState) {
        for node in nodes.clone() {
            self.view.set_state(node, state);
        }
        if matches!(state, NodeState::Down | NodeState::Absent) {
            for job in self.view.running_on(&nodes) {
                let segment = self.view.segment_index(job);
                self.view.node_down(job);
                self.pending += 1;
                self.tell(Event::Ended { job, segment, end: SegmentEnd::NodeDown });
            }
        }
        self.tell(Event::Capacity);
    }

    fn is_pass_due(&self, now: Time) -> bool {
        let settings = &self.view.plan().settings;
        let at_events = settings.cycle.is_none() || settings.has_event_passes();
        self.unseen && at_events || settings.cycle.is_some() && settings.is_full_pass(now)
    }

    fn pass(&mut self, now: Time, control: &mut Control<'_>) {
        self.unseen = false;
        self.unfilled &= !self.view.plan().settings.is_full_pass(now);
        self.policy.decide(&mut self.view);
        self.follow_all(now, control);
    }

    fn follow_all(&mut self, now: Time, control: &mut Control<'_>) {
        let decisions = self.view.take_decisions();
        for decision in &decisions {
            if let Some(trace) = &mut control.trace {
                trace(&decision.describe(&self.view));
            }
            self.follow(*decision, now);
        }
        self.view.give_back(decisions);
    }

    /// What a decision means for events to come.
    fn follow(&mut self, decision: Decision, now: Time) {
        match decision {
            Decision::Start { segment } => {
                self.pending -= 1;
                self.queue_finish(segment);
            }
            Decision::Change { segment } | Decision::Cap { segment } => self.queue_finish(segment),
            Decision::Stop { .. } => self.pending += 1,
            Decision::Reject { job } => {
                self.pending -= 1;
                self.settle(job, Outcome::Rejected);
            }
            Decision::Wait { .. } => {}
            Decision::Hold { job, until } => self.queue.push(until, Rank::Release, job),
            Decision::WakeAt { time } => {
                if time > now && time != Time::NEVER {
                    self.queue.push(time, Rank::Timer, 0);
                }
            }
        }
    }

    fn queue_finish(&mut self, segment: u32) {
        let segment = &self.view.history().segments[segment as usize];
        if segment.end == SegmentEnd::Open && segment.to != Time::NEVER {
            self.queue.push(segment.to, Rank::Finish, segment.job);
        }
    }

    /// Jobs that are running at time 0 take their nodes before the first pass.
    fn start_running(&mut self) {
        let running = self.view.plan().workload.running.clone();
        for running in &running {
            let job = running.job;
            if self.view.status(job) != Status::Pending {
                continue;
            }
            if let Some(choice) = policy::choose_initial(&self.view, running) {
                self.view.start(job, &choice);
                let segment = self.view.segment_index(job);
                self.tell(Event::Running { job, segment });
            }
        }
        let decisions = self.view.take_decisions();
        for decision in decisions {
            self.follow(decision, Time::ZERO);
        }
    }
}
