//! What moves time: events, their order, work, and when a pass takes place.
//!
//! **An instant**, in this order:
//! 1. jobs end: completed or failed when their work is done; timed out when they may not overrun and have done
//!    `requested_time` of work. A job that does not succeed makes those after it dependency-failed at that instant,
//!    and those after them, submitted or not; then what fails by itself (`failing.rs`);
//! 2. capacity changes, in the order of the list, and notices of changes to come. `Absent` and `Down` stop every job
//!    that holds anything there;
//! 3. submits, in input order. A job that could not start on the empty cluster, every node up and nobody else
//!    holding anything of its tenant's quota, is rejected;
//! 4. jobs become eligible: submitted, and every predecessor's finish plus the edge's delay has come;
//! 5. timers: a job that has never started by its `cancel_time` is cancelled, at the earliest when it is submitted,
//!    eligible or not;
//! 6. at time 0: the jobs that are running already start, in input order, whatever their tenant's quota: on the nodes
//!    listed, in the order of the list, else where the placement puts them. What has no room there waits like others;
//! 7. the pass.
//!
//! **Passes** take place at every instant at which something happened (a job ended, was stopped, became eligible, or
//! will never start; capacity changed, or is known to change from then on), or, with a cycle of N seconds, at the
//! multiples of N (0 included) at which something is pending, events or not, or something happened; or both, where `event_backfill` is given: a
//! pass at an event, which is no multiple of N, is one with that backfill. Instants without a cycle also come from the
//! orders and backfills that ask for them (`las`: a running preemptible job reaches a limit; conservative: a reservation
//! begins).
//! The run ends when nothing is left to happen: no event to come and, with a cycle, a pass after the last that
//! changed nothing and left no reservation. Instants later than `until` are not simulated.

use super::free::Free;
use super::future::Window;
use super::power::{Domain, Draws};
use super::world::World;
use super::{Attempt, Fate, Run};
use gigawatt::cluster::{Curtailment, NodeState};
use gigawatt::history::{Outcome, Plan, SegmentEnd};
use gigawatt::units::Time;
use gigawatt::workload::{Behaviour, Job, Overrun};
use std::collections::{BTreeMap, BTreeSet};

/// The instant of what never happens.
pub(super) const NEVER: u32 = u32::MAX;

/// A job with which something can still happen.
#[derive(Debug, Clone, Default)]
pub(super) struct Live {
    submitted: bool,
    /// Predecessors that have not succeeded yet.
    waits_for: u32,
    /// Latest finish of a predecessor plus the edge's delay.
    released: u32,
    /// Work that no stop can undo any more, Q16.16.
    pub(super) kept: u64,
    /// Seconds of a restart that its last stop cut short, where they add up.
    pub(super) owed: u32,
    /// What it has received: GPU thousandths times seconds held, or thousandths of seconds, before the current attempt.
    pub(super) attained: u64,
    /// Work done in stretches that a stall ended, which a failure would undo, Q16.16.
    pub(super) unsafe_work: u64,
    /// It stalls, and nobody knows: the seconds of a restart that were left when that began.
    pub(super) stalled: Option<u32>,
}

/// A run under way.
#[derive(Debug)]
pub(super) struct Simulation<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World<'a>,
    pub(super) now: u32,
    pub(super) free: Free,
    pub(super) live: Vec<Live>,
    pub(super) result: Run,
    /// Jobs that could start, in no order.
    pub(super) pending: Vec<u32>,
    /// Jobs that run, in no order.
    pub(super) running: Vec<u32>,
    /// Of pending jobs; only conservative backfill makes any.
    pub(super) reservations: BTreeMap<u32, Window>,
    /// Under easy-frozen, the shadows of jobs that reserved in the last walk over their groups.
    pub(super) frozen: BTreeMap<u32, u32>,
    /// Under conservative, when the last pass over each group was.
    pub(super) passed: BTreeMap<usize, u32>,
    /// The groups of partitions in which something ended, changed or became known since their last full pass.
    pub(super) left: BTreeSet<usize>,
    /// The backfill of the pass that takes place.
    pub(super) backfill: &'a str,
    /// The groups in which a pass that looks at no reservation started somebody since the last pass of the cycle.
    pub(super) void: BTreeSet<usize>,
    /// Whether the pass that takes place is one of the cycle, or there is none.
    pub(super) full: bool,
    /// Where jobs that wait, and those that run, as if they did, stand in the order, as the last walk began.
    pub(super) keys: BTreeMap<u32, i64>,
    /// By group of partitions: when more jobs may stop for one that is blocked.
    pub(super) wakes: BTreeMap<usize, u32>,
    /// The groups in which something happened at this instant.
    pub(super) happened: BTreeSet<usize>,
    /// Jobs not submitted yet, latest first.
    pub(super) unsubmitted: Vec<u32>,
    /// Submitted jobs that are not eligible yet.
    pub(super) held: Vec<u32>,
    pub(super) next_change: usize,
    /// What tenants used lately.
    pub(super) used: super::share::Used,
    /// What fails by itself.
    pub(super) failing: Option<super::failing::Failing>,
    /// By ramp: what its feed drew, each with the instant at which that ended.
    pub(super) past: Vec<Vec<(u32, u64)>>,
}

impl<'a> Simulation<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let jobs = &plan.workload.jobs;
        let mut unsubmitted: Vec<u32> = (0..plan.workload.len()).collect();
        unsubmitted.sort_by_key(|job| std::cmp::Reverse((jobs[*job as usize].submit_time, *job)));
        let live =
            |job| Live { waits_for: plan.workload.dependencies.predecessor_count(job), ..Live::default() };
        let fate =
            Fate { eligible: NEVER, finish: NEVER, outcome: Outcome::Unfinished, attempts: Vec::new() };
        Self {
            plan,
            world: World::new(plan),
            now: 0,
            free: Free::empty(plan),
            live: (0..plan.workload.len()).map(live).collect(),
            result: Run { jobs: vec![fate; jobs.len()], ..Run::default() },
            pending: Vec::new(),
            running: Vec::new(),
            reservations: BTreeMap::new(),
            frozen: BTreeMap::new(),
            passed: BTreeMap::new(),
            left: BTreeSet::new(),
            backfill: &plan.settings.backfill,
            void: BTreeSet::new(),
            full: true,
            keys: BTreeMap::new(),
            wakes: BTreeMap::new(),
            happened: BTreeSet::new(),
            unsubmitted,
            held: Vec::new(),
            next_change: 0,
            used: super::share::Used::default(),
            failing: super::failing::Failing::new(plan),
            past: vec![Vec::new(); plan.cluster.ramps.len()],
        }
    }

    pub(super) fn run(mut self) -> Run {
        if self.failing.is_some() {
            let all: Vec<u32> = (0..self.plan.cluster.nodes()).collect();
            self.look_at(&all);
        }
        let cycle = self.plan.settings.cycle;
        let until = self.plan.settings.until.unwrap_or(NEVER);
        let mut settled = false;
        let mut next = self.next_event().into_iter().chain(self.fails_next()).min();
        while let Some(instant) = next.filter(|instant| *instant <= until) {
            let ringing = self.alarms().into_iter().filter(|(time, _)| *time == instant);
            self.happened = ringing.map(|(_, job)| self.world.group_of(job)).collect();
            if self.next_return() == Some(instant) && self.wakes() {
                self.happened.extend(self.world.groups_with(&(0..self.plan.cluster.nodes())));
            }
            self.now = instant;
            for (ramp, past) in self.plan.cluster.ramps.iter().zip(&mut self.past) {
                past.push((instant, Draws { cluster: &self.plan.cluster, free: &self.free }.feed(ramp.feed)));
            }
            if self.next_event_from(instant) == Some(instant) || self.next_failure()[0] <= instant {
                self.events();
                settled = false;
            }
            let of_cycle = cycle.is_some_and(|cycle| instant % cycle == 0);
            let at_event = cycle.is_none() || self.plan.settings.event_backfill.is_some();
            if of_cycle || at_event && !self.happened.is_empty() {
                let before = (self.pending.clone(), self.running.clone());
                let all = (0..self.plan.workload.len()).map(|job| self.world.group_of(job));
                let concerned = if of_cycle { all.collect() } else { self.happened.clone() };
                self.pass(of_cycle || cycle.is_none(), &concerned);
                self.result.counts.passes += 1;
                if of_cycle {
                    settled = before == (self.pending.clone(), self.running.clone())
                        && self.reservations.is_empty();
                }
            }
            next = self.next_event_from(instant.saturating_add(1));
            if let Some(cycle) = cycle
                && !self.pending.is_empty()
                && !(settled && next.is_none())
            {
                let pass = (instant / cycle + 1) * cycle;
                next = Some(next.map_or(pass, |event| event.min(pass)));
            }
            next = next.into_iter().chain(self.fails_next()).min();
        }
        self.result
    }

    pub(super) fn job(&self, job: u32) -> &'a Job {
        &self.plan.workload.jobs[job as usize]
    }
    pub(super) fn behaviour(&self, job: u32) -> &'a Behaviour {
        self.plan.workload.behaviour_of(job)
    }
    pub(super) fn fate(&mut self, job: u32) -> &mut Fate {
        &mut self.result.jobs[job as usize]
    }
    pub(super) fn attempt(&self, job: u32) -> &Attempt {
        self.result.jobs[job as usize].attempts.last().expect("a running job has an attempt")
    }
    pub(super) fn has_started(&self, job: u32) -> bool {
        !self.result.jobs[job as usize].attempts.is_empty()
    }
    fn is_over(&self, job: u32) -> bool {
        self.result.jobs[job as usize].outcome != Outcome::Unfinished
    }

    fn next_event(&self) -> Option<u32> {
        self.next_event_from(0)
    }

    /// The earliest instant, not before `from`, at which something happens by itself.
    fn next_event_from(&self, from: u32) -> Option<u32> {
        let ends = self.running.iter().map(|job| self.end_of(*job));
        let changes = self.plan.cluster.changes[self.next_change..].first().map(|change| change.time.0);
        let submits = self.unsubmitted.last().map(|job| self.job(*job).submit_time.0);
        let ready = |job: &&u32| self.live[**job as usize].waits_for == 0;
        let releases = self.held.iter().filter(ready).map(|job| self.live[*job as usize].released);
        let waiting = self.held.iter().chain(&self.pending).filter(|job| !self.has_started(**job));
        let cancels = waiting.map(|job| self.job(*job).cancel_time.0).filter(|time| *time != NEVER);
        let rises = self.next_return().filter(|_| self.wakes());
        let alarms = self.alarms().into_iter().map(|(time, _)| time).chain(rises);
        let noticed = self.plan.cluster.changes.iter().filter(|change| change.notice.is_some());
        let notices = noticed.map(|change| change.announced().0);
        let start = (from == 0).then_some(0).filter(|_| !self.plan.workload.running.is_empty());
        let all =
            ends.chain(changes).chain(submits).chain(releases).chain(cancels).chain(alarms).chain(start);
        let curtailments = self.heeded_curtailments().iter();
        let caps = curtailments.flat_map(|caps| [caps.announced().0, caps.from.0, caps.until.0]);
        let [_, mends] = self.next_failure();
        let caps = caps.chain([mends]).filter(|time| *time != NEVER);
        all.chain(notices).chain(caps).filter(|time| *time >= from).min()
    }

    fn events(&mut self) {
        let now = self.now;
        let mut ending: Vec<u32> =
            self.running.iter().copied().filter(|job| self.end_of(*job) == now).collect();
        ending.sort_unstable();
        for job in ending {
            self.finish(job);
        }
        self.failures();
        while let Some(change) = self.plan.cluster.changes.get(self.next_change)
            && change.time.0 <= now
        {
            self.next_change += 1;
            self.change(change.nodes.clone(), change.state);
        }
        for change in self.plan.cluster.changes.iter().filter(|change| change.notice.is_some()) {
            if change.announced().0 == now && change.time.0 > now {
                self.touched(&change.nodes);
            }
        }
        for curtailment in self.heeded_curtailments() {
            if [curtailment.announced(), curtailment.from, curtailment.until].contains(&Time(now)) {
                let cluster = &self.plan.cluster;
                let below = |node: &u32| Domain::Feed(curtailment.feed).is_above(cluster, *node);
                (0..cluster.nodes()).filter(below).for_each(|node| self.touched(&(node..node + 1)));
            }
        }
        while let Some(job) = self.unsubmitted.last().copied()
            && self.job(job).submit_time.0 <= now
        {
            self.unsubmitted.pop();
            self.submit(job);
        }
        let mut held = self.held.clone();
        held.sort_unstable();
        for job in held {
            if self.live[job as usize].waits_for == 0 && self.live[job as usize].released <= now {
                self.held.retain(|other| *other != job);
                self.pending.push(job);
                self.happened.insert(self.world.group_of(job));
                self.fate(job).eligible = now;
            }
        }
        let mut waiting: Vec<u32> = self.held.iter().chain(&self.pending).copied().collect();
        waiting.sort_unstable();
        for job in waiting {
            if !self.is_over(job) && !self.has_started(job) && self.job(job).cancel_time.0 <= now {
                self.over(job, Outcome::Cancelled);
            }
        }
        if now == 0 {
            self.start_running();
        }
    }

    fn submit(&mut self, job: u32) {
        if self.is_over(job) {
            return;
        }
        self.live[job as usize].submitted = true;
        let beyond = super::quota::is_beyond(self.plan, job);
        self.result.counts.beyond_queue += u64::from(beyond);
        if !beyond && self.world.could_ever_start(job) {
            self.held.push(job);
        } else {
            self.over(job, Outcome::Rejected);
        }
    }

    fn start_running(&mut self) {
        for running in &self.plan.workload.running {
            let job = running.job;
            if !self.pending.contains(&job) {
                continue;
            }
            let holding = if running.nodes.is_empty() {
                self.world.place_anywhere(&self.free, job)
            } else {
                self.on_nodes(job, &running.nodes)
            };
            if let Some(holding) = holding {
                self.start(job, holding);
            }
        }
    }

    fn finish(&mut self, job: u32) {
        let outcome = match self.job(job) {
            Job { requested_time, work_time, .. }
                if requested_time < work_time && self.behaviour(job).overrun == Overrun::Kill =>
            {
                Outcome::Timeout
            }
            Job { fails: true, .. } => Outcome::Failed,
            _ => Outcome::Completed,
        };
        let end = match outcome {
            Outcome::Timeout => SegmentEnd::Timeout,
            Outcome::Failed => SegmentEnd::Failed,
            _ => SegmentEnd::Completed,
        };
        self.leave(job, end);
        self.over(job, outcome);
    }

    /// Settles a job's outcome, and with it those of jobs that now can never start.
    fn over(&mut self, job: u32, outcome: Outcome) {
        let now = self.now;
        self.happened.insert(self.world.group_of(job));
        if self.reservations.remove(&job).is_some() {
            self.left.insert(self.world.group_of(job));
        }
        self.held.retain(|other| *other != job);
        self.pending.retain(|other| *other != job);
        self.fate(job).outcome = outcome;
        self.fate(job).finish = now;
        for edge in self.plan.workload.dependencies.successors(job) {
            let after = &mut self.live[edge.job as usize];
            if outcome == Outcome::Completed {
                after.waits_for -= 1;
                after.released = after.released.max(now.saturating_add(edge.delay.0));
            } else if !self.is_over(edge.job) {
                self.over(edge.job, Outcome::DependencyFailed);
            }
        }
    }

    fn change(&mut self, nodes: std::ops::Range<u32>, state: NodeState) {
        self.touched(&nodes);
        if self.failing.is_some() {
            nodes.clone().for_each(|node| self.plan_node(node, state));
            return self.look_at(&nodes.collect::<Vec<_>>());
        }
        for node in nodes {
            self.set_node(node, state);
        }
    }

    /// A node is in another state from now on.
    pub(super) fn set_node(&mut self, node: u32, state: NodeState) {
        self.touched(&(node..node + 1));
        self.free.state[node as usize] = state;
        if !matches!(state, NodeState::Absent | NodeState::Down) {
            return;
        }
        let mut hit = self.running.clone();
        hit.retain(|job| self.attempt(*job).holding.pods.iter().any(|pod| pod.node == node));
        hit.sort_unstable();
        for job in hit {
            self.stop(job, SegmentEnd::NodeDown);
            self.result.counts.node_down += 1;
        }
    }

    /// The curtailments whose beginnings, ends and notices are events.
    pub(super) fn heeded_curtailments(&self) -> &'a [Curtailment] {
        if ["", "none"].contains(&self.plan.settings.power.as_str()) {
            &[]
        } else {
            &self.plan.cluster.curtailments
        }
    }

    /// Something changed on these nodes, or became known.
    fn touched(&mut self, nodes: &std::ops::Range<u32>) {
        let groups = self.world.groups_with(nodes);
        self.happened.extend(&groups);
        self.left.extend(&groups);
    }

    /// Whether a draw that may rise again is an event.
    fn wakes(&self) -> bool {
        self.plan.settings.power == "admit" && self.plan.settings.cycle.is_none()
    }

    /// When passes at events are wanted, and by whom: as reservations begin, unless only passes of a cycle look at them;
    /// without a cycle as running jobs reach a limit.
    fn alarms(&self) -> Vec<(u32, u32)> {
        let settings = &self.plan.settings;
        let mut alarms = if settings.cycle.is_none() { self.demotions() } else { Vec::new() };
        if settings.cycle.is_none() || settings.event_backfill.as_deref() == Some("conservative") {
            alarms.extend(self.reservations.values().map(|reservation| (reservation.from, reservation.job)));
        }
        alarms.extend(self.wake_times());
        alarms
    }

    /// When running preemptible jobs reach their next limit; preemptive order `las` only.
    fn demotions(&self) -> Vec<(u32, u32)> {
        let limits = match self.plan.settings.order.as_str() {
            "las" => self.plan.settings.queue_limits.iter().map(|limit| limit * 1000).collect(),
            "gittins" => self.lengths(),
            _ => return Vec::new(),
        };
        if !self.is_ranked() {
            return Vec::new();
        }
        let preemptible = self.running.iter().filter(|job| self.behaviour(**job).preemptible);
        let next = |job: &u32| {
            let service = self.service(*job);
            let so_far = self.live[*job as usize].attained;
            let from = self.attempt(*job).from;
            let reached = |limit: &u64| {
                let left = limit.saturating_sub(so_far);
                u32::try_from(left.div_ceil(service)).map_or(NEVER, |seconds| from.saturating_add(seconds))
            };
            let limits = limits.iter().filter(|_| service > 0).map(reached);
            limits.filter(|time| *time > self.now && *time != NEVER).min().map(|time| (time, *job))
        };
        preemptible.filter_map(next).collect()
    }
}
