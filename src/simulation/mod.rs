//! The only thing that moves time: events, their order, and one pass after all events of an instant.
//!
//! Events of one instant are applied in the order of `Rank`: finishes, repairs that end, failures, capacity changes, submits in input order,
//! newly eligible jobs, withdrawals, releases of jobs that were held back, and timers; then the policy decides once: at every instant with an event, or with a
//! cycle every so many seconds while any job is pending, or both. A finish makes dependents eligible at
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

mod control;
mod failing;
mod follow;
mod queue;

pub use control::{Control, Progress};

use crate::cluster::{CapacityChange, NodeState};
use crate::history::{History, Outcome, Plan, SegmentEnd};
use crate::policy::{self, Policy, PolicyError};
use crate::state::{Event, State, Status, Trial};
use crate::units::{Seconds, Time};
use crate::workload::Job;
use failing::Failing;
use queue::{Queue, Rank};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// Runs a plan under the policy that its settings name.
///
/// # Panics
/// If the settings name a part that does not exist; a reader of user input checks that.
#[must_use]
pub fn simulate(plan: Plan, control: &mut Control<'_>) -> History {
    let caps = policy::caps_of(&plan);
    let state = State::new(plan, caps);
    let policy = policy::build(&state, &control.ranks).expect("the settings name parts that exist");
    let run = Simulation::new(state, policy).run(control);
    run.unwrap_or_else(|error| panic!("a policy of this program decided what cannot be: {error}"))
}

/// Runs a plan under a policy of the caller's own.
///
/// # Errors
/// The policy decided what cannot be, or says that it cannot go on.
pub fn simulate_with(
    plan: Plan,
    policy: Box<dyn Policy>,
    control: &mut Control<'_>,
) -> Result<History, PolicyError> {
    let caps = policy::caps_of(&plan);
    Simulation::new(State::new(plan, caps), policy).run(control)
}

/// Jobs by submit time, then input order.
fn by_submit(jobs: &[Job]) -> Vec<u32> {
    let mut keys: Vec<(Time, u32)> = jobs.iter().map(|job| job.submit_time).zip(0..).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, job)| job).collect()
}

/// Instants between two reports of how far a run is.
const CONTROL_INTERVAL: u32 = 4096;

struct Simulation {
    state: State,
    policy: Box<dyn Policy>,
    queue: Queue,
    /// Jobs by submit time, then input order; empty if they are in that order already.
    by_submit: Vec<u32>,
    next_submit: u32,
    next_change: usize,
    /// When changes of capacity become known before they come.
    notice_times: Vec<Time>,
    next_notice: usize,
    /// When caps on power change.
    cap_times: Vec<Time>,
    next_cap: usize,
    /// What fails by itself, if anything does.
    failing: Option<Box<Failing>>,
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
    reasons: policy::Reasons,
}

impl Simulation {
    fn new(state: State, policy: Box<dyn Policy>) -> Self {
        let workload = &state.plan().workload;
        let sorted = workload.jobs.is_sorted_by_key(|job| job.submit_time);
        let by_submit = if sorted { Vec::new() } else { by_submit(&workload.jobs) };
        let dependent = if workload.dependencies.is_empty() { 0 } else { workload.len() };
        let predecessors = (0..dependent).map(|job| workload.dependencies.predecessor_count(job)).collect();
        let oversized = policy::oversized_of(state.plan(), state.classes(), state.caps());
        let reasons = policy::Reasons::new(state.plan(), state.classes());
        let cap_times = policy::power::cap_times(state.plan());
        let changes = state.plan().cluster.changes.iter();
        let mut notice_times: Vec<Time> =
            changes.filter(|change| change.notice.is_some()).map(CapacityChange::announced).collect();
        notice_times.sort_unstable();
        notice_times.dedup();
        let mut queue = Queue::default();
        for (index, job) in (0u32..).zip(&workload.jobs) {
            if job.cancel_time != Time::NEVER {
                queue.push(job.cancel_time.max(job.submit_time), Rank::Cancel, index);
            }
        }
        let failing = Failing::new(state.plan()).map(Box::new);
        Self {
            state,
            policy,
            queue,
            by_submit,
            next_submit: 0,
            next_change: 0,
            notice_times,
            next_notice: 0,
            cap_times,
            next_cap: 0,
            failing,
            way_is_due: false,
            predecessors,
            not_before: vec![Time::ZERO; dependent as usize],
            unseen: false,
            unfilled: false,
            settled: 0,
            pending: 0,
            oversized,
            reasons,
        }
    }

    fn run(mut self, control: &mut Control<'_>) -> Result<History, PolicyError> {
        let until = self.state.plan().settings.until.map_or(Time::NEVER, Time);
        let mut instants = 0_u32;
        self.keep_spares();
        let exhausted = loop {
            self.prune();
            let Some(now) = self.next_instant() else { break true };
            if now > until {
                break false;
            }
            instants += 1;
            if instants.is_multiple_of(CONTROL_INTERVAL) {
                self.report(control);
            }
            if control.interrupted.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Ok(self.state.into_history(false, false));
            }
            self.state.set_now(now);
            self.apply(now);
            if instants == 1 {
                self.start_running();
            }
            if std::mem::take(&mut self.way_is_due) {
                self.policy.make_way(&mut Trial::new(&mut self.state))?;
                self.follow_all(now, control);
            }
            if self.is_pass_due(now) {
                self.pass(now, control)?;
            }
        };
        // Where nothing is left to happen, jobs that still wait do so to the end.
        if until != Time::NEVER && self.settled < self.state.plan().workload.len() {
            self.state.set_now(until);
        }
        Ok(self.state.into_history(true, exhausted))
    }

    fn report(&self, control: &mut Control<'_>) {
        if let Some(progress) = &mut control.progress {
            progress(Progress {
                now: self.state.now(),
                settled: self.settled,
                jobs: self.state.plan().workload.len(),
            });
        }
    }

    /// The next submit: its instant and job.
    fn upcoming_submit(&self) -> Option<(Time, u32)> {
        let job = if self.by_submit.is_empty() {
            (self.next_submit < self.state.plan().workload.len()).then_some(self.next_submit)?
        } else {
            *self.by_submit.get(self.next_submit as usize)?
        };
        Some((self.state.job(job).submit_time, job))
    }

    /// Forgets what can no longer happen: the end of a job that was stopped, the submit or withdrawal of one whose
    /// outcome is known.
    fn prune(&mut self) {
        let state = &self.state;
        self.queue.prune(|time, rank, job| match rank {
            Rank::Finish => state.segment(job).is_none_or(|segment| segment.to != time),
            Rank::Eligible => state.status(job) != Status::Future,
            Rank::Cancel => {
                matches!(state.status(job), Status::Running | Status::Settled) || state.has_started(job)
            }
            Rank::Release | Rank::Timer => false,
        });
        while let Some((_, job)) = self.upcoming_submit()
            && self.state.status(job) == Status::Settled
        {
            self.next_submit += 1;
        }
    }

    fn next_instant(&mut self) -> Option<Time> {
        let next_failure =
            self.failing.as_mut().map_or(Time::NEVER, |failing| failing.next_failure(&self.state));
        let mending = self.failing.as_ref().map_or(Time::NEVER, |failing| failing.next_mending());
        let plan = self.state.plan();
        let submit = self.upcoming_submit().map_or(Time::NEVER, |(time, _)| time);
        let change = plan.cluster.changes.get(self.next_change).map_or(Time::NEVER, |change| change.time);
        let cap = self.cap_times.get(self.next_cap).copied().unwrap_or(Time::NEVER);
        let notice = self.notice_times.get(self.next_notice).copied().unwrap_or(Time::NEVER);
        let event = submit.min(self.queue.next_time()).min(change).min(notice).min(cap).min(mending);
        let pass =
            plan.settings.cycle.filter(|_| self.pending > 0 && (self.unfilled || event != Time::NEVER));
        let pass = pass.map_or(Time::NEVER, |cycle| {
            Time(self.state.now().0 - self.state.now().0 % cycle) + Seconds(cycle)
        });
        let next = event.min(pass);
        // Where no job runs and nothing is to come but passes, what fails matters to nobody.
        let to_come = submit.min(change).min(cap).min(notice).min(mending) != Time::NEVER;
        let is_alive =
            to_come || !self.state.running().is_empty() || self.settled + self.pending < plan.workload.len();
        let failure = next_failure.max(self.state.now() + Seconds(1));
        let next = if is_alive { next.min(failure) } else { next };
        // Capacity that comes or goes matters to no job once every outcome is known.
        (self.settled < plan.workload.len() && next != Time::NEVER).then_some(next)
    }

    /// Applies every event of an instant.
    fn apply(&mut self, now: Time) {
        while let Some(job) = self.queue.pop(now, Rank::Finish) {
            self.finish(job, now);
        }
        self.failures(now);
        while let Some(change) = self.state.plan().cluster.changes.get(self.next_change)
            && change.time == now
        {
            let change = change.clone();
            self.next_change += 1;
            self.way_is_due = true;
            self.change_capacity(change.nodes, change.state);
        }
        if self.notice_times.get(self.next_notice) == Some(&now) {
            self.next_notice += 1;
            self.look_for_notices();
            self.tell(Event::Notice);
        }
        if self.cap_times.get(self.next_cap) == Some(&now) {
            self.next_cap += 1;
            self.state.set_caps();
            self.way_is_due = true;
            self.tell(Event::Power);
        }
        while let Some((time, job)) = self.upcoming_submit()
            && time == now
        {
            self.next_submit += 1;
            if self.state.status(job) == Status::Future && self.oversized.binary_search(&job).is_ok() {
                self.settle(job, Outcome::Rejected);
            } else if self.state.plan().workload.dependencies.predecessor_count(job) == 0 {
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
            let settings = &self.state.plan().settings;
            let unseen = self.unseen || !settings.has_event_passes() || settings.timers_are_events();
            self.tell(Event::Timer);
            self.unseen = unseen;
        }
    }

    fn tell(&mut self, event: Event) {
        self.unseen = true;
        self.unfilled = true;
        self.policy.observe(&event, &self.state);
    }

    fn finish(&mut self, job: u32, now: Time) {
        // A job that was stopped meanwhile, or goes on at another rate, ends at another instant.
        if self.state.segment(job).is_none_or(|segment| segment.to != now) {
            return;
        }
        let segment = self.state.segment_index(job);
        let outcome = self.state.finish(job);
        self.settled += 1;
        self.lets_go(segment);
        let end = self.state.history().segments[segment as usize].end;
        self.tell(Event::Ended { job, segment, end });
        self.release_dependents(job, outcome);
    }

    /// The successors of a settled job become eligible, or fail with it.
    fn release_dependents(&mut self, job: u32, outcome: Outcome) {
        if self.predecessors.is_empty() {
            return;
        }
        let edges = self.state.plan().workload.dependencies.successors(job).to_vec();
        let now = self.state.now();
        for edge in edges {
            if self.state.status(edge.job) != Status::Future {
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
                let eligible = self.not_before[waiting].max(self.state.job(edge.job).submit_time);
                self.queue.push(eligible, Rank::Eligible, edge.job);
            }
        }
    }

    fn make_eligible(&mut self, job: u32) {
        if self.state.status(job) != Status::Future {
            return;
        }
        self.state.set_eligible(job);
        self.pending += 1;
        self.tell(Event::Eligible { job });
    }

    fn settle(&mut self, job: u32, outcome: Outcome) {
        self.state.settle(job, outcome);
        self.settled += 1;
        self.tell(Event::Settled { job });
        self.release_dependents(job, outcome);
    }

    fn cancel(&mut self, job: u32) {
        match self.state.status(job) {
            Status::Future => self.settle(job, Outcome::Cancelled),
            Status::Pending if !self.state.has_started(job) => {
                self.pending -= 1;
                self.tell(Event::Withdrawn { job });
                self.settle(job, Outcome::Cancelled);
            }
            _ => {}
        }
    }

    fn change_capacity(&mut self, nodes: Range<u32>, state: NodeState) {
        self.plan_nodes(nodes, state);
        if !self.notice_times.is_empty() {
            self.look_for_notices();
        }
    }

    fn look_for_notices(&mut self) {
        self.state.look_for_notices();
        if let Some(failing) = &self.failing {
            self.state.come_only(|node| failing.is_planned_up(node));
        }
    }

    /// Nodes are in another state from now on; where they are gone or broken, what runs there stops.
    fn set_nodes(&mut self, nodes: Range<u32>, state: NodeState) {
        for node in nodes.clone() {
            self.state.set_state(node, state);
        }
        self.way_is_due = true;
        if matches!(state, NodeState::Down | NodeState::Absent) {
            for job in self.state.running_on(&nodes) {
                self.stop_for_failure(job);
            }
        }
        self.tell(Event::Capacity);
    }

    /// A running job stops, as something that it needs is broken.
    fn stop_for_failure(&mut self, job: u32) {
        let segment = self.state.segment_index(job);
        self.state.node_down(job);
        self.lets_go(segment);
        self.pending += 1;
        self.tell(Event::Ended { job, segment, end: SegmentEnd::NodeDown });
    }

    /// What a job held in a segment that is over ages no further for it.
    fn lets_go(&mut self, segment: u32) {
        if let Some(failing) = &mut self.failing {
            failing.ends(&self.state, segment, self.state.now());
        }
    }

    fn is_pass_due(&self, now: Time) -> bool {
        let settings = &self.state.plan().settings;
        let at_events = settings.cycle.is_none() || settings.has_event_passes();
        self.unseen && at_events || settings.cycle.is_some() && settings.is_full_pass(now)
    }

    fn pass(&mut self, now: Time, control: &mut Control<'_>) -> Result<(), PolicyError> {
        self.unseen = false;
        self.unfilled &= !self.state.plan().settings.is_full_pass(now);
        self.policy.decide(&mut Trial::new(&mut self.state))?;
        self.follow_all(now, control);
        self.reasons.settle(&mut Trial::new(&mut self.state));
        Ok(())
    }
}
