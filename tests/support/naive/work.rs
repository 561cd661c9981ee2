//! What a job does between its start and its end.
//!
//! **Work.** A job has `work_time << 16` to do, or `requested_time << 16` if that is less and it is killed. It does
//! `rate` a second, after the first `restart_time` seconds of every attempt but its first. A stop keeps what a
//! checkpoint holds: the work since the job's very first start, rounded down to whole intervals of work, each with the
//! cost of its checkpoint. With no interval a policy's stop keeps all of it, and a node that fails none of the attempt's.
//! A stopped job is pending at once, with the eligible time it had.
//!
//! **Stalls** (`failing.rs`): nobody knows of them, so that a job is expected to end as if it worked.
//!
//! **Expected end**: attempt's start + restart + ⌈((requested_time << 16) − kept work) / rate⌉; earlier if a node that
//! it holds is known to go before; but always later than now for a job that is running. Before a place is known, on a
//! node: at the speed of its platform, across racks for a gang that might span them; anywhere: at the slowest rate that
//! the job could have.

use super::Attempt;
use super::free::{Free, Holding, Owner, Pod};
use super::time::{NEVER, Simulation};
use gigawatt::history::SegmentEnd;
use gigawatt::units::Factor;
use gigawatt::workload::{Job, Overrun, Shape};

impl Simulation<'_> {
    /// A pending job starts now and holds this.
    pub(super) fn start(&mut self, job: u32, holding: Holding) {
        self.frozen.remove(&job);
        let rate = holding.rate(&self.plan.cluster, self.behaviour(job)).0;
        let restart = self.next_restart(job);
        let counts = &mut self.result.counts;
        counts.spanned += u64::from(holding.spans(&self.plan.cluster));
        counts.shared +=
            u64::from(holding.pods.iter().any(|pod| pod.gpus.iter().any(|(_, milli)| *milli < 1000)));
        counts.restarted += u64::from(restart > 0);
        if let ([first, _, ..], Some(pod)) = (&self.world.options(job)[..], holding.pods.first()) {
            let is_other = *first != Some(self.free.platform(pod.node));
            self.result.counts.on_platforms[usize::from(is_other)] += 1;
        }
        let owner = Owner::of(self.plan, job);
        self.free.take(&holding, owner);
        let borrows = owner.queue.is_some_and(|queue| self.world.borrows(&self.free, queue));
        self.result.counts.borrowed +=
            u64::from(borrows && self.plan.workload.request_of(job).gpus().milli() > 0);
        self.pending.retain(|other| *other != job);
        self.reservations.remove(&job);
        self.running.push(job);
        let from = self.now;
        let attempt = Attempt { from, to: NEVER, end: SegmentEnd::Open, holding, rate, restart };
        self.fate(job).attempts.push(attempt);
        self.set_clocks();
        assert!(self.result.jobs[job as usize].attempts.len() < 5000, "job {job} starts again and again");
    }

    /// A running job lets go of all it holds; it waits again.
    pub(super) fn stop(&mut self, job: u32, end: SegmentEnd) {
        let work = self.done_before(job) + self.worked(job);
        let behaviour = self.behaviour(job);
        let cost = if behaviour.checkpoint_interval.0 > 0 { behaviour.checkpoint_cost.0 } else { 0 };
        let interval = u64::from(behaviour.checkpoint_interval.0 + cost) << 16;
        self.live[job as usize].kept = match work.checked_rem(interval) {
            Some(since) => work - since,
            None if end == SegmentEnd::NodeDown => self.live[job as usize].kept,
            None => work,
        };
        let adds_up = self.in_vain() && self.live[job as usize].stalled.is_none();
        self.live[job as usize].owed = if adds_up { self.restart_left(job) } else { 0 };
        (self.live[job as usize].unsafe_work, self.live[job as usize].stalled) = (0, None);
        self.leave(job, end);
        self.pending.push(job);
    }

    /// Seconds of the restart of a running job that are to come.
    fn restart_left(&self, job: u32) -> u32 {
        let attempt = self.attempt(job);
        attempt.restart.saturating_sub(self.now - attempt.from)
    }
    /// Seconds without work at the beginning of the next attempt of a job.
    pub(super) fn next_restart(&self, job: u32) -> u32 {
        let own = || self.behaviour(job).restart_time.0 + self.live[job as usize].owed;
        if self.has_started(job) { own() } else { 0 }
    }

    /// Work that a policy's stop would undo now.
    pub(super) fn lost_since_checkpoint(&self, job: u32) -> u64 {
        let behaviour = self.behaviour(job);
        let cost = if behaviour.checkpoint_interval.0 > 0 { behaviour.checkpoint_cost.0 } else { 0 };
        let interval = u64::from(behaviour.checkpoint_interval.0 + cost) << 16;
        let work = self.done_before(job) + self.worked(job);
        work.checked_rem(interval).unwrap_or(0)
    }

    pub(super) fn leave(&mut self, job: u32, end: SegmentEnd) {
        let now = self.now;
        self.happened.insert(self.world.group_of(job));
        self.left.insert(self.world.group_of(job));
        self.live[job as usize].attained = self.attained(job);
        self.running.retain(|other| *other != job);
        let holding = self.attempt(job).holding.clone();
        self.free.give(&holding, Owner::of(self.plan, job));
        let attempt = self.fate(job).attempts.last_mut().expect("it was running");
        (attempt.to, attempt.end) = (now, end);
        self.job_is_whole(job);
        self.set_clocks();
    }

    /// Work done before the current stretch, Q16.16.
    pub(super) fn done_before(&self, job: u32) -> u64 {
        self.live[job as usize].kept + self.live[job as usize].unsafe_work
    }
    /// Work done in the current attempt, Q16.16.
    pub(super) fn worked(&self, job: u32) -> u64 {
        let attempt = self.attempt(job);
        let seconds = (self.now - attempt.from).saturating_sub(attempt.restart);
        u64::from(seconds) * u64::from(attempt.rate)
    }
    /// Work left of `work_time`, whole seconds rounded up; under ranked-lucid with the restart.
    pub(super) fn remaining(&self, job: u32) -> u64 {
        let runs = self.running.contains(&job);
        let now = if runs { self.worked(job) } else { 0 };
        let restarts = match (self.in_vain(), runs) {
            (false, _) => 0,
            (true, true) => u64::from(self.restart_left(job)) * u64::from(self.attempt(job).rate),
            (true, false) => u64::from(self.next_restart(job)) << 16,
        };
        let work = u64::from(self.job(job).work_time.0) << 16;
        (work.saturating_sub(self.done_before(job) + now) + restarts).div_ceil(1 << 16)
    }
    /// What a job receives in a second: the GPU thousandths that it holds, or a second's.
    pub(super) fn service(&self, job: u32) -> u64 {
        let gpus = u64::from(self.plan.workload.request_of(job).gpus().milli());
        if self.plan.settings.service_in_seconds { 1000 } else { gpus }
    }
    /// GPU thousandths times seconds held so far, or thousandths of the seconds that it ran.
    pub(super) fn attained(&self, job: u32) -> u64 {
        let before = self.live[job as usize].attained;
        if !self.running.contains(&job) {
            return before;
        }
        before + self.service(job) * u64::from(self.now - self.attempt(job).from)
    }

    /// When a running job will end if nothing stops it.
    pub(super) fn end_of(&self, job: u32) -> u32 {
        let Job { work_time, requested_time, .. } = self.job(job);
        let seconds = match self.behaviour(job).overrun {
            Overrun::Kill => work_time.min(requested_time),
            Overrun::Extend => work_time,
        };
        self.after_working(job, u64::from(seconds.0) << 16)
    }
    /// When a running job is expected to end, by its user's estimate or as a node of its is known to go: later than
    /// now.
    pub(super) fn expected_end(&self, job: u32) -> u32 {
        let estimate = u64::from(self.job(job).requested_time.0) << 16;
        let pods = &self.attempt(job).holding.pods;
        let gone = pods.iter().filter_map(|pod| self.known_to_go(pod.node, self.now)).min().unwrap_or(NEVER);
        self.expected_after(job, estimate, self.now).min(gone)
    }
    /// The end of the slot in which it would have done so much work, or of the one in which it still runs at an instant.
    fn expected_after(&self, job: u32, work: u64, instant: u32) -> u32 {
        let expected = self.slot(self.known_after(job, work));
        if expected > instant { expected } else { self.slot(instant.saturating_add(1)) }
    }
    /// Under conservative, the end of the slot in which something is expected to end.
    pub(super) fn slot(&self, expected: u32) -> u32 {
        let length = self.plan.settings.resolution.filter(|_| self.backfill == "conservative").unwrap_or(1);
        let end = u64::from(expected).div_ceil(u64::from(length)) * u64::from(length);
        if expected == NEVER { NEVER } else { u32::try_from(end).unwrap_or(NEVER) }
    }
    /// Whether a running job has run past its expected end, as that was at the last pass.
    pub(super) fn is_overdue(&self, job: u32) -> bool {
        let estimate = u64::from(self.job(job).requested_time.0) << 16;
        let last = self.passed.get(&self.world.group_of(job)).copied();
        let expected = match last {
            Some(last) => self.expected_after(job, estimate, last),
            None => self.slot(self.known_after(job, estimate)),
        };
        expected <= self.now
    }
    fn after_working(&self, job: u32, work: u64) -> u32 {
        let attempt = self.attempt(job);
        let left = work.saturating_sub(self.done_before(job));
        later(attempt.from, attempt.restart, left, attempt.rate)
    }
    /// The same, as far as anybody knows: of a job that stalls, as if it worked.
    fn known_after(&self, job: u32, work: u64) -> u32 {
        let Some(restart) = self.live[job as usize].stalled else { return self.after_working(job, work) };
        let attempt = self.attempt(job);
        later(attempt.from, restart, work.saturating_sub(self.done_before(job)), attempt.rate)
    }
    /// When a pending job would be expected to end if it started at `from` with this rate.
    pub(super) fn would_end(&self, job: u32, from: u32, rate: u32) -> u32 {
        let restart = self.next_restart(job);
        let estimate = u64::from(self.job(job).requested_time.0) << 16;
        let left = estimate.saturating_sub(self.live[job as usize].kept);
        later(from, restart, left, rate).max(from.saturating_add(1))
    }

    /// When a pending job would be expected to end at the latest if it started on this node at `from`.
    pub(super) fn would_end_on(&self, job: u32, node: u32, from: u32) -> u32 {
        let kind = self.plan.cluster.kind_of(node);
        let speed = self.behaviour(job).speed(kind.platform as usize);
        let slower = if self.world.may_span(job) { kind.across_racks } else { Factor::ONE };
        self.would_end(job, from, speed.times(slower).0.min(speed.0))
    }
    /// When a pending job would be expected to end at the latest if it started anywhere at `from`.
    pub(super) fn would_end_at_the_latest(&self, job: u32, from: u32) -> u32 {
        let slowest = self.rates(job).into_iter().min();
        self.would_end(job, from, slowest.unwrap_or(1 << 16))
    }

    /// Every rate a job could have: by the platforms of its scope, and, for a gang where racks matter, in one rack or
    /// several.
    pub(super) fn rates(&self, job: u32) -> Vec<u32> {
        let request = self.plan.workload.request_of(job);
        if request.gpus().milli() == 0 && request.cpu_milli == 0 && request.memory_mib == 0 {
            // What holds nothing is as fast anywhere.
            return vec![Factor::ONE.0];
        }
        let mut rates = Vec::new();
        for kind in self.world.kinds(job) {
            let speed = self.behaviour(job).speed(kind.platform as usize);
            rates.push(speed.times(Factor::ONE).0);
            if self.world.is_gang(job) && self.world.racks_matter {
                rates.push(speed.times(kind.across_racks).0);
            }
        }
        rates
    }
    /// The rate a job has wherever it runs; none if that depends on where.
    pub(super) fn only_rate(&self, job: u32) -> Option<u32> {
        if self.world.asks_for_nothing(job) {
            return Some(1 << 16);
        }
        let rates = self.rates(job);
        let first = *rates.first()?;
        rates.iter().all(|rate| *rate == first).then_some(first)
    }

    /// What a job that is already running holds of those of the nodes listed that are in its scope, if they have room.
    /// Of `Pods` one on each in turn, round after round, where it has room; of `Any` one pod a node, of all the GPUs that are fully free there, until it has enough.
    pub(super) fn on_nodes(&self, job: u32, nodes: &[u32]) -> Option<Holding> {
        if self.world.asks_for_nothing(job) {
            return Some(Holding::default());
        }
        let mut free = self.free.clone();
        let mut pods = Vec::new();
        let mut nodes = nodes.iter().copied().filter(|node| self.world.scope(job).contains(node));
        match self.plan.workload.request_of(job).shape {
            Shape::Pods { count, gpus_milli_each } => {
                let mut by_node: Vec<(u32, Vec<Pod>)> = nodes.map(|node| (node, Vec::new())).collect();
                let mut left = count;
                while left > 0 {
                    let before = left;
                    for (node, own) in &mut by_node {
                        let pod =
                            if left > 0 { self.pod_on(&mut free, job, *node, gpus_milli_each) } else { None };
                        left -= u32::from(pod.is_some());
                        own.extend(pod);
                    }
                    if left == before {
                        return None;
                    }
                }
                pods.extend(by_node.into_iter().flat_map(|(_, own)| own));
            }
            Shape::Any { gpus_milli } => {
                let mut wanted = gpus_milli;
                while wanted > 0 || pods.is_empty() {
                    let node = nodes.next()?;
                    let whole: u32 = free.gpus(node).iter().filter(|left| **left == 1000).sum();
                    let here = if wanted < 1000 { wanted } else { wanted.min(whole) };
                    if here > 0 || wanted == 0 {
                        pods.push(self.pod_on(&mut free, job, node, here)?);
                    }
                    wanted -= here;
                }
            }
        }
        Some(Holding { pods })
    }

    /// One pod of so many thousandths on this very node, taken from `free`; none if there is no room.
    fn pod_on(&self, free: &mut Free, job: u32, node: u32, milli: u32) -> Option<Pod> {
        let need = self.world.need(job, milli);
        (self.world.room(free, node, need, 1) > 0).then(|| super::place::take_gpus(free, node, need))
    }
}

fn later(from: u32, restart: u32, work: u64, rate: u32) -> u32 {
    let seconds = work.div_ceil(u64::from(rate)).saturating_add(u64::from(restart));
    u32::try_from(seconds).map_or(NEVER, |seconds| from.saturating_add(seconds))
}
