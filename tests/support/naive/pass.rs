//! A pass: which jobs start now.
//!
//! **What it concerns.** The groups of linked partitions (`world.rs`) in which something happened at its instant; a pass
//! of a cycle concerns all.
//!
//! **The queue** is one over all partitions concerned: the higher tier first, where jobs stop for others of higher priority
//! the higher priority, then (key, eligible time, index). Keys:
//! fifo: none; sjf: requested time; ljf: that, the longest first; smallest-area-first: requested time × GPU thousandths;
//! largest-first: GPUs, the most first; edf: submit time + deadline, jobs without one last; f1: log10(requested time) × GPUs + 870 × log10(submit time), second 0 being 1;
//! drf, fair-sharing, saturation and proportion: priority, the highest first, queue by queue as `turns.rs` says;
//! priority: eligible time − priority × `priority_step` (waiting lifts every job alike, so this never changes); wfp3, unicef:
//! see `varying.rs`; fair-tree and multifactor: see `share.rs`; srtf and las: as in `preempt.rs`, read anew in every pass.
//! Where preemption is `ranked`, `preempt.rs` tells what happens and there is no backfill.
//!
//! **The walk** (none, skip, easy, easy-strict) goes through the queue once. Of each job it asks, in this order: is its
//! partition closed, or the quota, limit or a licence it counts against; does its quota allow it; does its queue; does its partition's limit;
//! is enough left of its licences; has its
//! class failed in this pass; is there a place for it; may it start beside the reservations held (`easy.rs`). A job that starts is started at once. What
//! blocks a job binds those behind it only.
//!
//! **Classes.** A job whose class failed in this pass is not tried again in it. The class: the request, the behaviour,
//! the tenant if it has a quota, the queue, and the priority where jobs stop for it; under easy and easy-strict, and while a capacity change is known to come
//! or starts heed a curtailment to come, also what else the expected end depends on: where only one rate is possible, the
//! time it would be expected to hold its domains, times that rate; else the requested time less the work kept, and the
//! restart. What the placement draws for a job (random) is no part.
//!
//! **Closing (none).** A job that is blocked, but would have a place now if nothing were withdrawn, or has a shadow,
//! closes its partition: no later job of it is tried, and all nodes of the partition are withdrawn from everybody. If it
//! would find a place if no cap were looked at, it also withdraws what is left under every cap that refused it.
//!
//! **Quotas and limits (none, easy, easy-strict).** A job that its quota does not allow closes the quota: no later job of that
//! tenant that asks for GPUs starts in this pass. It neither reserves nor closes anything else. Under skip it does nothing.
//! A job that only the limit of its partition does not allow closes that limit alike: no later job of the partition that
//! asks for GPUs starts in this pass. A job that its queue, or one above it, does not allow closes its queue alike, and none above
//! it.
//!
//! **Passed over.** A blocked job without a shadow (it waits for nodes that nobody knows to return) neither reserves nor
//! closes.
//!
//! Decisions where the design leaves room:
//! - Links are those of the whole workload and cluster, not of what is pending or running at the moment.
//! - A tier ranks before the key under ranked preemption too.
//! - A job that asks for no GPU counts against no quota, so that a closed quota does not hold it back.
//! - Of a job whose class has failed the quota is asked all the same: blocked by it, it is passed over and closes it.
//! - The shadow that decides whether a job closes is sought as if nothing were withdrawn.
//! - A shadow is sought at instants of what is linked with the job only: a job that was refused beside a reservation has a
//!   place at many instants, and the ends of jobs of a disjoint partition must not decide at which.
//! - The earliest shadow by which a job has to end is that of the linked partitions, for the same reason; all
//!   reservations are placed again.
//! - A cap refuses a job if it refused any place that the search for one looked at, wherever the search ended.
//! - Withdrawn nodes, nodes about to go and nodes of reservations are no place for pods, but still count where a cost or
//!   a gang's preference reads how much of a rack is free.
//! - A window in which a job is expected to hold a place that is not yet known is as long as at the slowest rate it could
//!   have, in shadows and reservations of every backfill.
//! - Conservative: a job counts towards `depth` if it holds a reservation that begins later than now; those that start in
//!   the pass and those that nobody knows a place for do not, else GPUs would idle with jobs queued behind them.
//! - Every beginning of a reservation is an event, also in the next second, beside a job that overruns.
//! - On a node that goes, and on one that a reservation takes, a gang that might span racks is expected to be slow.
//! - easy-strict has several reservations too, but no second try: nothing but ending by the earliest shadow counts.
//! - A pass at an event under `none` looks at no reservation of a cycle's conservative passes: what it started makes those
//!   of its group be made anew. A cycle with `event_backfill` conservative has the beginnings of reservations as events.
//! - `las` wants a pass as running jobs reach a limit only where it is ranked.
//! - Under ranked preemption, regions are shared by the partitions whose jobs may use them; curtailments to come are
//!   asked as if whoever runs now still would.

use super::time::Simulation;
use super::walk::Walk;
use super::weigh::Frozen;
use gigawatt::history::Plan;
use gigawatt::units::{Seconds, Time};
use gigawatt::workload::Job;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What decides whether a start is possible; equal for two jobs: if one cannot start, neither is tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    request: u32,
    behaviour: u32,
    tenant: Option<u32>,
    queue: Option<u32>,
    estimate: Option<(u64, u64)>,
    /// Where running jobs stop for others.
    priority: Option<i32>,
}

impl Simulation<'_> {
    /// A full pass, or one at an event between those of a cycle, over these groups of partitions.
    pub(super) fn pass(&mut self, full: bool, concerned: &BTreeSet<usize>) {
        let mut free = self.free.clone();
        free.curtailed = self.curtailed_at(self.now);
        self.world.frozen = Some(Frozen { now: Time(self.now), free });
        let settings = &self.plan.settings;
        self.backfill = match &settings.event_backfill {
            Some(event) if !full => event,
            _ => &settings.backfill,
        };
        self.full = full;
        self.result.counts.between += u64::from(!full);
        let before = self.running.clone();
        let queue = self.queue(concerned);
        if self.is_ranked() {
            self.preemptive_pass(&queue, concerned);
        } else if self.backfill == "conservative" {
            self.conservative_pass(&queue, concerned);
        } else {
            let walk = self.walks(&queue, concerned);
            if self.backfill == "none" && self.plan.settings.event_backfill.is_none() {
                self.record_heads(concerned, &walk);
            }
        }
        if full || self.backfill == "conservative" {
            self.left.retain(|group| !concerned.contains(group));
            self.void.retain(|group| !concerned.contains(group));
        } else {
            let started = self.running.iter().filter(|job| !before.contains(job));
            self.void.extend(started.map(|job| self.world.group_of(*job)));
        }
    }

    /// Whether pending and running jobs compete.
    pub(super) fn is_ranked(&self) -> bool {
        let implied = ["srtf", "srsf", "las", "gittins"].contains(&self.plan.settings.order.as_str());
        self.plan
            .settings
            .preemption
            .as_deref()
            .map_or(implied, |preemption| preemption.starts_with("ranked"))
    }

    /// The pending jobs of these groups, in order.
    pub(super) fn queue(&mut self, concerned: &BTreeSet<usize>) -> Vec<u32> {
        let mut queue = self.pending.clone();
        queue.retain(|job| concerned.contains(&self.world.group_of(*job)));
        let by_use = ["fair-tree", "multifactor"].contains(&self.plan.settings.order.as_str());
        let keys = if by_use { self.keys_by_use() } else { Vec::new() };
        let key = |job: u32| keys.get(job as usize).map_or_else(|| self.order_key(job), |key| -key);
        let rank = |job: &u32| {
            let height = Reverse(self.world.height(*job));
            (height, key(*job), self.eligible(*job), *job)
        };
        queue.sort_by_cached_key(rank);
        let all = queue.iter().chain(&self.running).map(|job| (*job, key(*job))).collect();
        self.keys = all;
        queue
    }

    pub(super) fn eligible(&self, job: u32) -> u32 {
        self.result.jobs[job as usize].eligible
    }

    pub(super) fn order_key(&self, index: u32) -> i64 {
        let order = self.plan.settings.order.as_str();
        if ["srtf", "srsf", "las", "gittins"].contains(&order) {
            return self.preemptive_key(index);
        }
        if order == "qssf" {
            return self.predicted_service(index);
        }
        if order == "qssf-lucid" {
            return self.service_unless_new(index);
        }
        waiting_key(self.plan, index, self.eligible(index), self.now)
    }

    pub(super) fn class(&self, index: u32) -> Class {
        let job = self.job(index);
        let tenant = &self.plan.workload.tenants[job.tenant as usize];
        let limited = tenant.quota_milli.is_some() || !tenant.quota_by_platform.is_empty();
        let easy = self.backfill.starts_with("easy") && !self.is_ranked();
        let cluster = &self.plan.cluster;
        let (drains, now) = (self.plan.settings.curtail == "drain", Time(self.now));
        let mut curtailments = cluster.curtailments.iter();
        let lengths_decide = self.known_changes().next().is_some()
            || drains && curtailments.any(|curtailment| curtailment.is_known(now) && curtailment.from > now);
        let estimate = || {
            let left = (u64::from(job.requested_time.0) << 16).saturating_sub(self.live[index as usize].kept);
            let restart = self.next_restart(index);
            match self.only_rate(index) {
                Some(rate) => (left + u64::from(restart) * u64::from(rate), 0),
                None => (left, u64::from(restart)),
            }
        };
        Class {
            request: job.request,
            behaviour: job.behaviour,
            tenant: limited.then_some(job.tenant),
            queue: super::quota::queue_of(self.plan, index),
            estimate: (easy || lengths_decide).then(estimate),
            priority: self.plan.settings.priorities_stop_jobs().then_some(job.priority),
        }
    }

    /// Which job closes each partition; where passes at events have another backfill, nobody is told.
    fn record_heads(&mut self, concerned: &BTreeSet<usize>, walk: &Walk) {
        for partition in (0..).take(self.plan.workload.partitions.len()) {
            if !concerned.contains(&self.world.group(partition)) {
                continue;
            }
            let head = walk.closed.get(&partition).copied();
            let before = self.result.heads.iter().rev().find(|record| record.1 == partition);
            if head != before.and_then(|record| record.2) {
                self.result.heads.push((self.now, partition, head));
            }
        }
    }
}

/// The key of a job that became eligible then and waits now.
pub(super) fn waiting_key(plan: &Plan, index: u32, eligible: u32, now: u32) -> i64 {
    let job = &plan.workload.jobs[index as usize];
    let milli = || plan.workload.request_of(index).gpus().milli();
    let requested = i64::from(job.requested_time.0);
    match plan.settings.order.as_str() {
        "fifo" => 0,
        "sjf" => requested,
        "ljf" => -requested,
        "smallest-area-first" => requested * i64::from(milli()),
        "smallest-first" => i64::from(milli()),
        "largest-first" => -i64::from(milli()),
        "edf" if job.deadline == Seconds::FOREVER => i64::MAX,
        "edf" => i64::from((job.submit_time + job.deadline).0),
        "f1" => f1_key(job, milli()),
        "drf" | "fair-sharing" | "saturation" | "proportion" => -i64::from(job.priority),
        "priority" => i64::from(eligible) - i64::from(job.priority) * i64::from(plan.settings.priority_step),
        "wfp3" => -super::varying::wfp3(plan, index, eligible, now),
        "unicef" => -super::varying::unicef(plan, index, eligible, now),
        super::varying::WAITED => super::varying::waited(plan, index, eligible, now),
        super::varying::WEIGHED => super::varying::weighed(plan, index),
        other => panic!("unknown order `{other}`"),
    }
}

/// The bits of a number above 0 stand in its order.
fn f1_key(job: &Job, gpus_milli: u32) -> i64 {
    let log = |seconds: u32| libm::log10(f64::from(seconds.max(1)));
    let key = log(job.requested_time.0) * (f64::from(gpus_milli) / 1000.0) + 870.0 * log(job.submit_time.0);
    i64::try_from(key.to_bits()).expect("the sign is that of 0")
}
