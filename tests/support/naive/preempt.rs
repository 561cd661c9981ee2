//! Preemptive orders: pending and running jobs compete for the GPUs.
//!
//! **Keys.** srtf: work left of `work_time`, whole reference seconds rounded up. las: how many of `queue_limits`
//! (GPU-seconds) the job has attained, every second that it holds its GPUs counting, restarts and lost work included.
//! Ties: running before pending, then eligible time, then index.
//!
//! **The walk** takes place if a job is pending. Nodes that belong to the same scopes (of all requests of the workload)
//! are one region; regions are numbered by their lowest node. The pool counts, per region, the free GPU thousandths of its
//! nodes that are up, and those that preemptible running jobs hold there. Quotas, limits and licences count what jobs that are not preemptible
//! hold. All pending and all preemptible running jobs, of all partitions that the pass concerns, are taken in order,
//! higher tiers first:
//! - a running job is taken if every region still has what the job holds of it (on nodes that are up), and its tenant's
//!   quota has room;
//! - a pending job is taken if the regions of its scope together have what it asks for, and its tenant's quota and its
//!   partition's limit have room; it takes all it can of the region that jobs of the fewest partitions may use (ties: the lowest),
//!   then of the next.
//!
//! Then running jobs that were not taken stop, and pending ones that were taken are placed in that order. CPU, memory,
//! shapes and racks are only looked at by the placement. Jobs that are not preemptible keep what they hold.
//!
//! **Nobody stops for nothing.** If one of those taken would find no place, it and all of its class behind it are out
//! of this pass, the rest are tried all the same, and the walk is made anew without those that are out. Only when all
//! that are taken have a place does any job stop or start.
//!
//! **ranked-lucid** differs: ties go to the eligible time, then to running before pending, then to the one that has run
//! or waited longest, then the index. Those not taken stop, whoever finds a place then. What a stop leaves of a restart is
//! added to the next restart, and restarts count as work left under srtf and srsf.

use super::free::{Holding, Owner};
use super::quota::queue_of;
use super::time::Simulation;
use super::walk::Walk;
use gigawatt::history::SegmentEnd;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

impl Simulation<'_> {
    pub(super) fn preemptive_pass(&mut self, queue: &[u32], concerned: &BTreeSet<usize>) {
        if queue.is_empty() {
            return;
        }
        let mut walk = queue.to_vec();
        let competes =
            |job: &&u32| self.behaviour(**job).preemptible && concerned.contains(&self.world.group_of(**job));
        walk.extend(self.running.iter().filter(competes));
        walk.sort_by_cached_key(|job| {
            let tier = Reverse(self.world.tier(*job));
            let (waits, eligible) = (self.pending.contains(job), self.eligible(*job));
            let ties = if self.in_vain() {
                [eligible, u32::from(waits), self.since(*job)]
            } else {
                [u32::from(waits), eligible, 0]
            };
            (tier, self.order_key(*job), ties, *job)
        });
        let taken = loop {
            let taken = self.take_what_fits(&walk);
            let failed = self.without_a_place(&walk, &taken);
            if failed.is_empty() || self.in_vain() {
                break taken;
            }
            self.result.counts.struck += 1;
            let mut out = Vec::new();
            walk.retain(|job| {
                if failed.contains(job) {
                    out.push(self.class(*job));
                }
                self.running.contains(job) || !out.contains(&self.class(*job))
            });
        };
        for job in &walk {
            if self.running.contains(job) && !taken.contains(job) {
                self.stop(*job, SegmentEnd::Preempted);
                self.result.counts.preempted += 1;
            }
        }
        for job in taken {
            if !self.running.contains(&job) {
                match self.try_place(job) {
                    Some(place) => self.start(job, place),
                    None => assert!(self.in_vain(), "it was just tried"),
                }
            }
        }
        self.result.counts.blocked += u64::from(queue.iter().any(|job| self.pending.contains(job)));
    }

    /// Whether jobs also stop for those that then find no place.
    pub(super) fn in_vain(&self) -> bool {
        self.plan.settings.preemption.as_deref() == Some("ranked-lucid")
    }

    /// Since when a job has run, or waited.
    fn since(&self, job: u32) -> u32 {
        let last = self.result.jobs[job as usize].attempts.last();
        let runs = self.running.contains(&job);
        last.map_or(self.eligible(job), |last| if runs { last.from } else { last.to })
    }

    /// The first of every class of those taken that would find no place once the others have stopped.
    fn without_a_place(&mut self, walk: &[u32], taken: &[u32]) -> Vec<u32> {
        let before = self.free.clone();
        for job in walk.iter().filter(|job| self.running.contains(job) && !taken.contains(job)) {
            let holding = self.attempt(*job).holding.clone();
            self.free.give(&holding, Owner::of(self.plan, *job));
        }
        let mut failed: Vec<u32> = Vec::new();
        for job in taken.iter().copied().filter(|job| !self.running.contains(job)).collect::<Vec<_>>() {
            if failed.iter().any(|other| self.class(*other) == self.class(job)) {
                continue;
            }
            match self.try_place(job) {
                Some(holding) => self.free.take(&holding, Owner::of(self.plan, job)),
                None => failed.push(job),
            }
        }
        self.free = before;
        failed
    }

    /// Where the job would start now, if it can.
    fn try_place(&mut self, job: u32) -> Option<Holding> {
        if let Some((refused, refusal)) = self.world.refuses(&self.free, job) {
            self.count_refused(refused, refusal);
            return None;
        }
        self.world.place(&self.free_for(job, &Walk::default()), job)
    }

    pub(super) fn preemptive_key(&self, job: u32) -> i64 {
        let remaining = || i64::try_from(self.remaining(job)).expect("work is counted in 32 bits");
        match self.plan.settings.order.as_str() {
            "srtf" => return remaining(),
            "srsf" => return remaining() * i64::from(self.plan.workload.request_of(job).gpus().milli()),
            _ => {}
        }
        let attained = self.attained(job);
        if self.plan.settings.order == "gittins" {
            return self.spent_for_each_done(attained);
        }
        let reached = self.plan.settings.queue_limits.iter().filter(|limit| attained >= **limit * 1000);
        reached.map(|_| 1).sum()
    }

    /// The jobs of the walk that fit into the pool, in order.
    fn take_what_fits(&self, walk: &[u32]) -> Vec<u32> {
        let regions = &self.world.regions;
        let mut pool = vec![0; regions.iter().max().map_or(0, |last| last + 1)];
        let mut counted = self.free.clone();
        for node in (0..self.plan.cluster.nodes()).filter(|node| self.free.is_up(*node)) {
            pool[regions[node as usize]] += self.free.node_total(node);
        }
        let competing = self.running.iter().filter(|job| walk.contains(job));
        for job in competing {
            for (region, held) in self.held_by_region(*job, regions) {
                pool[region] += held;
            }
            let gpus = u64::from(self.plan.workload.request_of(*job).gpus().milli());
            counted.discount(Owner::of(self.plan, *job), self.platform_of(*job), gpus);
            counted.give_licences(Owner::of(self.plan, *job));
            for queue in queue_of(self.plan, *job).into_iter().filter(|_| gpus > 0) {
                counted.jobs[queue as usize] -= 1;
            }
        }
        let mut taken = Vec::new();
        for job in walk {
            let gpus = u64::from(self.plan.workload.request_of(*job).gpus().milli());
            let below = self.world.ceilings_allow(&counted, *job);
            let wanted = if self.running.contains(job) {
                let held = self.held_by_region(*job, regions);
                held.iter().all(|(region, held)| pool[*region] >= *held).then_some(held)
            } else {
                self.least_shared_regions_with(*job, gpus, regions, &pool)
            };
            let Some(wanted) = wanted.filter(|_| below) else { continue };
            for (region, milli) in wanted {
                pool[region] -= milli;
            }
            let first = || self.world.kinds(*job).next().map_or(u32::MAX, |kind| kind.platform);
            let platform = if self.running.contains(job) { self.platform_of(*job) } else { first() };
            counted.count(Owner::of(self.plan, *job), platform, gpus);
            counted.take_licences(Owner::of(self.plan, *job));
            for queue in queue_of(self.plan, *job).into_iter().filter(|_| gpus > 0) {
                counted.jobs[queue as usize] += 1;
            }
            taken.push(*job);
        }
        taken
    }

    /// GPU thousandths that a running job holds on nodes that are up, by region.
    fn held_by_region(&self, job: u32, regions: &[usize]) -> BTreeMap<usize, u64> {
        let mut held = BTreeMap::new();
        for pod in self.attempt(job).holding.pods.iter().filter(|pod| self.free.is_up(pod.node)) {
            *held.entry(regions[pod.node as usize]).or_insert(0) += super::free::total(pod);
        }
        held
    }

    fn least_shared_regions_with(
        &self,
        job: u32,
        gpus: u64,
        regions: &[usize],
        pool: &[u64],
    ) -> Option<BTreeMap<usize, u64>> {
        let mut wanted = BTreeMap::new();
        let mut missing = gpus;
        let region = |node: &u32| (self.world.partitions_with(*node), regions[*node as usize]);
        let scope: BTreeSet<(usize, usize)> = self.world.scope(job).iter().map(region).collect();
        for (_, region) in scope {
            let some = pool[region].min(missing);
            wanted.insert(region, some);
            missing -= some;
        }
        (missing == 0).then_some(wanted)
    }
}
