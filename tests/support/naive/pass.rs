//! A pass: who starts now.
//!
//! **Orders.** A queue is sorted by (key, eligible time, index): fifo: no key; sjf: requested time;
//! smallest-area-first: requested time × GPU thousandths; priority: eligible time − priority × `priority_step`
//! (waiting lifts every job alike, so this never changes). srtf and las are preemptive: see there; they know no
//! partitions and no backfill.
//!
//! **Queues.** Every partition of the workload has one; partition by partition, in order of their index, each pass
//! goes through it. A job starts if its tenant's quota allows it and the placement finds it a place.
//!
//! **Classes.** A job whose class failed in this pass is not tried again in it. The class: the request, the behaviour,
//! and the tenant if it has a quota; under easy and easy-strict also what else the expected end depends on: where only
//! one rate is possible, the time it would be expected to hold its domains, times that rate; else the requested time
//! less the work kept, and the restart. What the placement draws for a job (random) is no part.
//!
//! **Backfills.** none: the first job that cannot start ends the queue's turn. skip: all are tried. easy and
//! easy-strict: the first job that cannot start is the head. Its shadow is the earliest expected end of a running job
//! at which it fits (place and quota) once all jobs expected to end by then have left, those of other queues too;
//! never if there is none. Another starts if it fits now and is expected to end by the shadow; under easy also if
//! the head still fits at the shadow with it (and all that was started since) in place. A shadow that never comes
//! holds nobody back. The head of one queue does not bind the others.

use super::free::Holding;
use super::time::{NEVER, Simulation};
use super::weigh::Frozen;
use gigawatt::units::Time;

/// What decides whether a start is possible; equal for two jobs: if one cannot start, neither is tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    request: u32,
    behaviour: u32,
    tenant: Option<u32>,
    estimate: Option<(u64, u64)>,
}

impl Simulation<'_> {
    /// A full pass, or one at an event between those of a cycle.
    pub(super) fn pass(&mut self, full: bool) {
        self.world.frozen = Some(Frozen { now: Time(self.now), free: self.free.clone() });
        let settings = &self.plan.settings;
        self.backfill = match &settings.event_backfill {
            Some(event) if !full => event,
            _ => &settings.backfill,
        };
        self.result.counts.between += u64::from(!full);
        let before = self.running.len();
        let preemptive = ["srtf", "las"].contains(&settings.order.as_str());
        if preemptive {
            self.preemptive_pass();
        } else if self.backfill == "conservative" {
            self.conservative_pass();
        } else {
            for (index, queue) in (0..).zip(self.queues()) {
                let head = self.pass_of(&queue);
                if self.backfill == "none" && self.plan.settings.event_backfill.is_none() {
                    self.record_head(index, head);
                }
            }
        }
        self.something_left &= !full;
        self.void = !full && (self.void || self.running.len() > before);
    }

    /// The pending jobs of every partition, each in order.
    pub(super) fn queues(&self) -> Vec<Vec<u32>> {
        let of = |partition| {
            let mut queue = self.pending.clone();
            queue.retain(|job| self.plan.workload.request_of(*job).partition == partition);
            queue.sort_by_cached_key(|job| (self.order_key(*job), self.eligible(*job), *job));
            queue
        };
        (0..).take(self.plan.workload.partitions.len()).map(of).collect()
    }

    pub(super) fn eligible(&self, job: u32) -> u32 {
        self.result.jobs[job as usize].eligible
    }

    fn order_key(&self, index: u32) -> i64 {
        let job = self.job(index);
        let requested = i64::from(job.requested_time.0);
        match self.plan.settings.order.as_str() {
            "fifo" => 0,
            "sjf" => requested,
            "smallest-area-first" => {
                requested * i64::from(self.plan.workload.request_of(index).gpus().milli())
            }
            "priority" => {
                let lift = i64::from(job.priority) * i64::from(self.plan.settings.priority_step);
                i64::from(self.eligible(index)) - lift
            }
            other => panic!("unknown order `{other}`"),
        }
    }

    pub(super) fn class(&self, index: u32) -> Class {
        let job = self.job(index);
        let limited = self.plan.workload.tenants[job.tenant as usize].quota_milli.is_some();
        let preemptive = ["srtf", "las"].contains(&self.plan.settings.order.as_str());
        let easy = self.backfill.starts_with("easy") && !preemptive;
        let estimate = || {
            let left = (u64::from(job.requested_time.0) << 16).saturating_sub(self.live[index as usize].kept);
            let restart = if self.has_started(index) { self.behaviour(index).restart_time.0 } else { 0 };
            match self.only_rate(index) {
                Some(rate) => (left + u64::from(restart) * u64::from(rate), 0),
                None => (left, u64::from(restart)),
            }
        };
        Class {
            request: job.request,
            behaviour: job.behaviour,
            tenant: limited.then_some(job.tenant),
            estimate: easy.then(estimate),
        }
    }

    /// Where the job would start now, if it can.
    pub(super) fn try_place(&mut self, job: u32) -> Option<Holding> {
        if !self.world.quota_allows(&self.free, job) {
            self.result.counts.quota_refused += 1;
            return None;
        }
        self.world.place(&self.free, job)
    }

    /// Where strict passes stop; where other passes go on behind it, nobody is blocked by it.
    fn record_head(&mut self, queue: u32, head: Option<u32>) {
        let before = self.result.heads.iter().rev().find(|record| record.1 == queue);
        if head != before.and_then(|record| record.2) {
            self.result.heads.push((self.now, queue, head));
        }
    }

    /// Returns the first job that did not start.
    fn pass_of(&mut self, queue: &[u32]) -> Option<u32> {
        let backfill = self.backfill;
        let mut failed = Vec::new();
        let mut head = None;
        let mut blocked = None;
        let mut backfilled = 0;
        for job in queue.iter().copied() {
            let class = self.class(job);
            if failed.contains(&class) {
                self.result.counts.class_skipped += 1;
                continue;
            }
            let place = self.try_place(job);
            let allowed = match (&place, head) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(holding), Some((head, shadow))) => self.harmless(job, holding, head, shadow),
            };
            if let Some(holding) = place.filter(|_| allowed) {
                self.start(job, holding);
                backfilled += u64::from(blocked.is_some());
                continue;
            }
            blocked = blocked.or(Some(job));
            failed.push(class);
            match backfill {
                "none" => break,
                "skip" => {}
                "easy" | "easy-strict" => head = head.or_else(|| Some((job, self.shadow(job)))),
                other => panic!("unknown backfill `{other}`"),
            }
        }
        self.result.counts.blocked += u64::from(blocked.is_some());
        self.result.counts.backfilled += backfilled;
        if let Some((head, before)) = head
            && backfilled > 0
        {
            let after = self.shadow(head);
            self.result.shadows.push((self.now, before, after));
        }
        blocked
    }

    /// The earliest expected end at which `head` fits.
    fn shadow(&self, head: u32) -> u32 {
        let mut ends: Vec<u32> = self.running.iter().map(|job| self.expected_end(*job)).collect();
        ends.sort_unstable();
        ends.dedup();
        let fits = |time: &u32| self.fits_at(head, *time, None);
        ends.into_iter().find(fits).unwrap_or(NEVER)
    }

    /// Whether `head` fits once all that is expected to end by `time` has left, `other` still being there.
    fn fits_at(&self, head: u32, time: u32, other: Option<(u32, &Holding)>) -> bool {
        let mut then = self.free.clone();
        for job in &self.running {
            if self.expected_end(*job) <= time {
                then.give(&self.attempt(*job).holding, self.job(*job).tenant);
            }
        }
        if let Some((job, holding)) = other {
            then.take(holding, self.job(job).tenant);
        }
        self.world.quota_allows(&then, head) && self.world.place(&then, head).is_some()
    }

    fn harmless(&self, job: u32, holding: &Holding, head: u32, shadow: u32) -> bool {
        let rate = holding.rate(&self.plan.cluster, self.behaviour(job)).0;
        let ends_in_time = self.would_end(job, self.now, rate) <= shadow;
        let easy = self.backfill == "easy";
        ends_in_time || (easy && self.fits_at(head, shadow, Some((job, holding))))
    }
}
