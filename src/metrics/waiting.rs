//! Why jobs wait, derived instant by instant while a history is replayed.

use super::fit::{Fit, Search, in_segments};
use super::ladder::{Ladder, Limits};
use super::occupancy::Occupancy;
use super::times::JobTimes;
use crate::cluster::CapacityChange;
use crate::history::{HeadRecord, History, Segment, WaitReason};
use crate::policy::power::Witness;
use crate::units::Time;
use crate::workload::{Topology, Workload};
use std::collections::BTreeMap;
use std::rc::Rc;

const NONE: u32 = u32::MAX;

/// A ladder and what its limits follow from.
#[derive(Debug)]
struct Line {
    ladder: Ladder,
    /// The distinct numbers of GPUs of its requests, thousandths, ascending; one request if it is searched for.
    sizes: Vec<u32>,
    fit: Fit,
    search: Search,
    /// The request that is searched for.
    request: u32,
    scope: u32,
    /// The tenant whose quota binds; [`NONE`]: none does.
    tenant: u32,
    /// A job of it, where power is looked at; [`NONE`]: it is not.
    powered: u32,
    queue: u32,
    /// Jobs that wait on it now.
    waiting: u32,
    /// When its limits were last looked at.
    seen: u32,
    /// Its limits are from a time when nobody waited on it.
    stale: bool,
}

/// The job that a queue's passes stop at.
#[derive(Debug, Clone, Copy)]
struct Head {
    job: u32,
    line: u32,
    rung: u32,
    /// The reason that counts for it since `since`, in place of `order`.
    reason: WaitReason,
    since: Time,
}

/// A job that began to wait between two passes: until the next one it is held.
#[derive(Debug, Clone, Copy)]
struct Fresh {
    job: u32,
    fitting: u32,
}

/// What tenants hold now, in thousandths of a GPU, and when that last changed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) milli: u64,
    pub(super) stamp: u32,
}

/// What was reserved, and when that last changed.
#[derive(Debug)]
struct Power {
    witness: Witness,
    stamp: u32,
    /// The history has contradicted itself: nobody is said to wait for power any more.
    lost: bool,
}

#[derive(Debug)]
pub(super) struct Waiting<'a> {
    history: &'a History,
    workload: &'a Workload,
    lines: Vec<Line>,
    /// The line of each request of tenants without a quota, and its rung.
    plain: Vec<(u32, u32)>,
    /// The same by (request, tenant) where a quota binds, as they turn up.
    with_quota: BTreeMap<(u32, u32), (u32, u32)>,
    /// The same by request class where caps on power are heeded, as they turn up.
    with_power: BTreeMap<u32, (u32, u32)>,
    /// What was reserved, where caps on power are heeded.
    power: Option<Power>,
    /// Lines that somebody waits on.
    active: Vec<u32>,
    blocked: Vec<bool>,
    heads: Vec<Option<Head>>,
    waits: Vec<bool>,
    fresh: Vec<Fresh>,
    /// Sets of nodes that gangs may spread over, by scope and whether a rack bounds them.
    domains: BTreeMap<(u32, bool), Rc<Vec<Vec<u32>>>>,
}

/// What tells lines apart: scope, what decides, the request if it is searched for, the tenant if a quota binds.
type LineKey = (u32, Fit, u32, u32);

impl<'a> Waiting<'a> {
    pub(super) fn new(history: &'a History, occupancy: &Occupancy<'a>) -> Self {
        let workload = &history.plan.workload;
        let queues = workload.partitions.len();
        let mut waiting = Self {
            history,
            workload,
            lines: Vec::new(),
            plain: Vec::new(),
            with_quota: BTreeMap::new(),
            with_power: BTreeMap::new(),
            power: Witness::new(&history.plan).map(|witness| Power { witness, stamp: 0, lost: false }),
            active: Vec::new(),
            blocked: vec![false; queues],
            heads: vec![None; queues],
            waits: vec![false; workload.jobs.len()],
            fresh: Vec::new(),
            domains: BTreeMap::new(),
        };
        let mut sizes: BTreeMap<LineKey, Vec<u32>> = BTreeMap::new();
        let mut keys = Vec::new();
        let cluster = &history.plan.cluster;
        for (index, request) in (0u32..).zip(&workload.requests) {
            let scope = occupancy.scopes.of_request[index as usize];
            let fit = Fit::of(
                request,
                &occupancy.scopes.scopes[scope as usize],
                occupancy.scopes.racks_are_cut,
                cluster,
            );
            let searched = if fit == Fit::Search { index } else { NONE };
            let key = (scope, fit, searched, NONE);
            sizes.entry(key).or_default().push(request.gpus().milli());
            keys.push(key);
        }
        let mut lines = BTreeMap::new();
        for (key, mut sizes) in sizes {
            sizes.sort_unstable();
            sizes.dedup();
            lines.insert(key, waiting.add_line(key, sizes, occupancy));
        }
        for (index, key) in (0u32..).zip(keys) {
            let track = waiting.track_on(lines[&key], index);
            waiting.plain.push(track);
        }
        waiting
    }

    fn add_line(&mut self, key: LineKey, sizes: Vec<u32>, occupancy: &Occupancy<'_>) -> u32 {
        let (scope, fit, request, tenant) = key;
        let cluster = &self.history.plan.cluster;
        let of_scope = &occupancy.scopes.of_request;
        let any = of_scope.iter().position(|of| *of == scope).expect("a line has a request");
        let queue = self.workload.requests[any].partition;
        let mut search = Search::default();
        if fit == Fit::Search {
            let request = &self.workload.requests[request as usize];
            search.in_segments = in_segments(request, cluster);
            let by_rack = search.in_segments || request.topology == Topology::RequireRack;
            let domains = self.domains.entry((scope, by_rack)).or_insert_with(|| {
                let scope = &occupancy.scopes.scopes[scope as usize];
                Rc::new(occupancy.scopes.domains(cluster, scope, by_rack))
            });
            search.domains = Rc::clone(domains);
        }
        let ladder = Ladder::new(sizes.len());
        let (waiting, seen, stale) = (0, 0, true);
        self.lines.push(Line {
            ladder,
            sizes,
            fit,
            search,
            request,
            scope,
            tenant,
            powered: NONE,
            queue,
            waiting,
            seen,
            stale,
        });
        u32::try_from(self.lines.len() - 1).expect("lines are no more than requests and tenants")
    }

    fn track_on(&self, line: u32, request: u32) -> (u32, u32) {
        let milli = self.workload.requests[request as usize].gpus().milli();
        let rung = self.lines[line as usize].sizes.partition_point(|size| *size < milli);
        (line, u32::try_from(rung).expect("rungs are no more than requests"))
    }

    /// The line of a job and its rung there.
    fn track(&mut self, job: u32, occupancy: &Occupancy<'_>) -> (u32, u32) {
        let (request, tenant) = {
            let job = &self.workload.jobs[job as usize];
            (job.request, job.tenant)
        };
        let plain = self.plain[request as usize];
        if let Some(power) = &self.power {
            let class = power.witness.class_of(job);
            return self.powered_track(job, class, plain.0, occupancy);
        }
        if self.workload.tenants[tenant as usize].quota_milli.is_none() {
            return plain;
        }
        if let Some(track) = self.with_quota.get(&(request, tenant)) {
            return *track;
        }
        let model = &self.lines[plain.0 as usize];
        let key = (model.scope, model.fit, model.request, tenant);
        let known =
            self.lines.iter().position(|line| (line.scope, line.fit, line.request, line.tenant) == key);
        let line = match known {
            Some(line) => u32::try_from(line).expect("lines are counted in 32 bits"),
            None => self.add_line(key, model.sizes.clone(), occupancy),
        };
        let track = (line, plain.1);
        self.with_quota.insert((request, tenant), track);
        track
    }

    /// The line of a request class where power is looked at: of nobody else.
    fn powered_track(&mut self, job: u32, class: u32, plain: u32, occupancy: &Occupancy<'_>) -> (u32, u32) {
        if let Some(track) = self.with_power.get(&class) {
            return *track;
        }
        let (request, tenant) = {
            let job = &self.workload.jobs[job as usize];
            (job.request, job.tenant)
        };
        let limited = self.workload.tenants[tenant as usize].quota_milli.is_some();
        let model = &self.lines[plain as usize];
        let key = (model.scope, model.fit, model.request, if limited { tenant } else { NONE });
        let milli = self.workload.requests[request as usize].gpus().milli();
        let line = self.add_line(key, vec![milli], occupancy);
        self.lines[line as usize].powered = job;
        self.with_power.insert(class, (line, 0));
        (line, 0)
    }

    /// Nodes change their state.
    pub(super) fn set_state(&mut self, change: &CapacityChange, stamp: u32) {
        if let Some(power) = &mut self.power {
            change.nodes.clone().for_each(|node| power.witness.set_state(node, change.state));
            power.stamp = stamp;
        }
    }
    /// Time goes on to this instant.
    pub(super) fn set_now(&mut self, now: Time) {
        if let Some(power) = &mut self.power {
            power.witness.set_now(now);
        }
    }
    /// The caps on power of this instant hold.
    pub(super) fn set_caps(&mut self, now: Time, stamp: u32) {
        if let Some(power) = &mut self.power {
            power.witness.set_caps(&self.history.plan, now);
            power.stamp = stamp;
        }
    }
    /// A segment begins to hold its domains, or lets go.
    pub(super) fn hold(&mut self, segment: &Segment, take: bool, stamp: u32) {
        let Some(power) = self.power.as_mut().filter(|power| !power.lost) else { return };
        power.stamp = stamp;
        if take {
            power.lost = !power.witness.begins(self.history, segment);
        } else {
            power.witness.ends(self.history, segment);
        }
    }

    /// Whether something happens at the next pass, even if nothing else does.
    pub(super) fn needs_pass(&self) -> bool {
        let held = |line: &u32| {
            let line = &self.lines[*line as usize];
            !line.stale && line.ladder.limits().passed < line.ladder.limits().power
        };
        !self.fresh.is_empty() || self.active.iter().any(held)
    }

    /// A pass takes place: who began to wait since the last one was held until now.
    pub(super) fn pass(&mut self, now: Time, times: &mut [JobTimes], occupancy: &Occupancy<'_>) {
        for fresh in std::mem::take(&mut self.fresh) {
            self.held_until(fresh, now, times, occupancy);
        }
    }

    fn held_until(&mut self, fresh: Fresh, now: Time, times: &mut [JobTimes], occupancy: &Occupancy<'_>) {
        let (line, rung) = self.track(fresh.job, occupancy);
        let reading = self.lines[line as usize].ladder.read(rung as usize, now);
        let held = reading.fitting.wrapping_sub(fresh.fitting);
        move_seconds(&mut times[fresh.job as usize], WaitReason::Order, WaitReason::Held, held);
    }

    pub(super) fn begin(
        &mut self,
        job: u32,
        now: Time,
        passes: bool,
        times: &mut [JobTimes],
        occupancy: &Occupancy<'_>,
    ) {
        let (index, rung) = self.track(job, occupancy);
        let line = &mut self.lines[index as usize];
        if line.waiting == 0 {
            line.ladder.skip_to(now);
            line.ladder.blocked = self.blocked[line.queue as usize];
            line.stale = true;
            self.active.push(index);
        }
        line.waiting += 1;
        let reading = line.ladder.read(rung as usize, now);
        for (own, shown) in times[job as usize].reasons.iter_mut().zip(reading.by_reason) {
            *own = own.wrapping_sub(shown);
        }
        self.waits[job as usize] = true;
        if !passes {
            self.fresh.push(Fresh { job, fitting: reading.fitting });
        }
    }

    pub(super) fn end(&mut self, job: u32, now: Time, times: &mut [JobTimes], occupancy: &Occupancy<'_>) {
        if let Some(at) = self.fresh.iter().position(|fresh| fresh.job == job) {
            let fresh = self.fresh.swap_remove(at);
            self.held_until(fresh, now, times, occupancy);
        }
        let (index, rung) = self.track(job, occupancy);
        let line = &mut self.lines[index as usize];
        let reading = line.ladder.read(rung as usize, now);
        for (own, shown) in times[job as usize].reasons.iter_mut().zip(reading.by_reason) {
            *own = own.wrapping_add(shown);
        }
        let queue = line.queue as usize;
        line.waiting -= 1;
        if line.waiting == 0 {
            self.active.retain(|active| *active != index);
        }
        self.waits[job as usize] = false;
        if self.heads[queue].is_some_and(|head| head.job == job) {
            self.settle_head(queue, now, times);
            self.heads[queue] = None;
        }
    }

    /// From now on the passes of a queue stop at this job.
    pub(super) fn set_head(&mut self, record: HeadRecord, times: &mut [JobTimes], occupancy: &Occupancy<'_>) {
        let (queue, now) = (record.queue as usize, record.time);
        self.settle_head(queue, now, times);
        let blocked = record.head != HeadRecord::NONE;
        let waits = blocked && self.waits[record.head as usize];
        self.heads[queue] = waits.then(|| {
            let (line, rung) = self.track(record.head, occupancy);
            Head { job: record.head, line, rung, reason: WaitReason::Order, since: now }
        });
        if std::mem::replace(&mut self.blocked[queue], blocked) != blocked {
            for index in &self.active {
                let line = &mut self.lines[*index as usize];
                if line.queue as usize == queue {
                    line.ladder.set_blocked(blocked, now);
                    line.stale = true;
                }
            }
        }
    }

    /// Moves what the ladder counted as order for the first job of a queue to its own reason.
    fn settle_head(&mut self, queue: usize, now: Time, times: &mut [JobTimes]) {
        if let Some(head) = &mut self.heads[queue] {
            let seconds = now.since(head.since).0;
            head.since = now;
            move_seconds(&mut times[head.job as usize], WaitReason::Order, head.reason, seconds);
        }
    }

    /// Everything of this instant has happened: the limits and reasons that hold from now on.
    pub(super) fn settle(
        &mut self,
        now: Time,
        passes: bool,
        held: &[Held],
        times: &mut [JobTimes],
        occupancy: &Occupancy<'_>,
    ) {
        let cluster = &self.history.plan.cluster;
        for at in 0..self.active.len() {
            let line = &mut self.lines[self.active[at] as usize];
            let queue = line.queue as usize;
            let scope = &occupancy.scopes.scopes[line.scope as usize];
            let usage = held.get(line.tenant as usize).copied().unwrap_or_default();
            let power_stamp = self.power.as_ref().map_or(0, |power| power.stamp);
            let changed = line.stale || scope.stamp.max(usage.stamp).max(power_stamp) > line.seen;
            let before = line.ladder.limits();
            // Behind a blocked job everybody waits for order: only the job itself has limits.
            let moot =
                self.blocked[queue] && self.heads[queue].is_none_or(|head| head.line != self.active[at]);
            if moot || !changed && (!passes || before.passed == before.power) {
                line.stale |= changed;
                continue;
            }
            let allowed = match self.workload.tenants.get(line.tenant as usize).and_then(|t| t.quota_milli) {
                None => u64::MAX,
                Some(quota) => u64::from(quota).saturating_sub(usage.milli),
            };
            let below = |milli: u64| line.sizes.partition_point(|size| u64::from(*size) <= milli);
            let quota = below(allowed);
            let capacity = below(occupancy.free(scope)).min(quota);
            let whole = |gpus: u32| below(u64::from(gpus) * 1000);
            line.search.forget_unless(!line.stale && capacity > 0);
            let fit = match line.fit {
                _ if capacity == 0 => 0,
                Fit::Pod => whole(occupancy.pod_limit(scope)),
                Fit::Gang => whole(occupancy.gang_limit(scope)),
                Fit::Rack => whole(occupancy.rack_limit(scope)),
                Fit::Search => {
                    let request = &self.workload.requests[line.request as usize];
                    usize::from(line.search.fits(request, scope, cluster, occupancy))
                }
            };
            let fit = fit.min(capacity);
            let power = match &mut self.power {
                Some(power) if fit > 0 && line.powered != NONE && !power.lost => {
                    if power.witness.lacks_power(line.powered) { 0 } else { fit }
                }
                _ => fit,
            };
            let passed = if passes || line.stale { power } else { before.passed.min(power) };
            line.ladder.set_limits(Limits { quota, capacity, fit, power, passed }, now);
            line.stale = false;
            line.seen = now.0.saturating_add(1);
        }
        for queue in 0..self.heads.len() {
            let Some(head) = self.heads[queue] else { continue };
            let reason = self.lines[head.line as usize].ladder.limits().reason(head.rung as usize);
            if reason != head.reason {
                self.settle_head(queue, now, times);
                self.heads[queue] = Some(Head { reason, since: now, ..head });
            }
        }
    }
}

fn move_seconds(times: &mut JobTimes, from: WaitReason, to: WaitReason, seconds: u32) {
    let reasons = &mut times.reasons;
    reasons[from as usize] = reasons[from as usize].wrapping_sub(seconds);
    reasons[to as usize] = reasons[to as usize].wrapping_add(seconds);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, Settings};
    use crate::metrics::measure;
    use crate::simulation::{Control, simulate};
    use crate::units::{Gpus, Seconds};
    use crate::workload::{Behaviour, Builder, Job, Request, Shape};

    /// On each of two racks of four nodes of 8 GPUs one node is taken; then come 48 GPUs in segments of so many pods.
    fn waits_of(segment: u32, shape: Shape) -> [u64; 3] {
        let mut builder = Builder::default();
        let behaviour = builder.behaviour(Behaviour::default());
        let node = Request::gang(Gpus::whole(8));
        for request in [node.clone(), node.clone(), Request { shape, segment, ..node }] {
            let request = builder.request(request);
            builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(0)) });
        }
        let cluster = Cluster::racked(2, 4, NodeKind { gpus: 8, ..NodeKind::default() });
        let settings = Settings::named("fifo", "skip", "spread");
        let history =
            simulate(Plan { cluster, workload: builder.finish(), settings }, &mut Control::default());
        let metrics = measure(&history).metrics;
        [WaitReason::Shape, WaitReason::Order, WaitReason::Held].map(|reason| metrics.waited_for(reason))
    }

    #[test]
    fn who_waits_for_whole_segments_waits_for_shape() {
        let gang = Shape::Any { gpus_milli: 48_000 };
        let pods = Shape::Pods { count: 12, gpus_milli_each: 4_000 };
        for (segment, shape, waited, why) in [
            (1, gang, 0, "six nodes are free"),
            (2, gang, 100, "pairs: of each three nodes one is left over"),
            (3, gang, 0, "three and three"),
            (1, pods, 0, "two pods a node"),
            (4, pods, 100, "fours: of each six pods two are left over"),
            (6, pods, 0, "six and six"),
        ] {
            assert_eq!(waits_of(segment, shape), [waited, 0, 0], "segments of {segment}: {why}");
        }
    }
}
