//! Queues: what they may hold, straight from the definitions, adding up all that is held anew at every question.
//!
//! A queue may hold more of its own (`local`: what it keeps from others), and what it draws from the queue above it: no more
//! than it may borrow, and no more than is available there; a queue with none above it, what it has and was lent. Where no
//! queue of a tree has anything of its own, there is no end of it. No queue, nor any above it, exceeds its limit.
//!
//! **Platforms.** Where a queue of a tree says anything by platform, each platform of the cluster is a tree of its own of
//! the same queues, with what they say of it, beside the tree of all together; a job counts against that of its nodes' platform,
//! then against that of all. Where any queue of the tree has something of its own of any platform, of others it has nothing.
//! A tenant's quota of a platform counts likewise. **Options** of a job: the platforms of the nodes it may use, those
//! that its queue names first and in that order, then by their number; nothing where neither its tenant nor its queue tells platforms
//! apart. It is refused if it is on each; what refuses it is what does on the first. Where it is not
//! refused on each, a licence may still refuse it, wherever it would run.
//!
//! A job stands in the queue that has none below it and names its tenant (or no tenant) and its partition (or none).

use super::free::{Free, Own};
use super::world::World;
use super::yielding::Refused;
use gigawatt::history::Plan;
use gigawatt::workload::{PlatformQuota, Queue};
use std::collections::BTreeSet;

/// What of a queue keeps a job out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The limit of its own queue.
    OwnLimit,
    /// As many jobs of its queue, or of one above it, run as may.
    Jobs,
    /// What its own queue may borrow.
    OwnBorrowing,
    /// Something of a queue above it.
    Above,
}

/// The queue of a job.
pub(crate) fn queue_of(plan: &Plan, job: u32) -> Option<u32> {
    let (tenant, partition) =
        (plan.workload.jobs[job as usize].tenant, plan.workload.request_of(job).partition);
    let takes = |queue: &Queue| {
        let names = !queue.tenants.is_empty() || !queue.partitions.is_empty();
        names
            && (queue.tenants.is_empty() || queue.tenants.contains(&tenant))
            && (queue.partitions.is_empty() || queue.partitions.contains(&partition))
    };
    (0..).zip(&plan.workload.queues).find(|(_, queue)| takes(queue)).map(|(index, _)| index)
}

/// Whether a job asks for more, requests longer or has a higher priority than its queue, or one above it, allows.
pub(super) fn is_beyond(plan: &Plan, job: u32) -> bool {
    let own = &plan.workload.jobs[job as usize];
    let queues = &plan.workload.queues;
    let mut above = std::iter::successors(queue_of(plan, job), |queue| queues[*queue as usize].parent);
    above.any(|queue| {
        let limits = &queues[queue as usize].job_limits;
        limits.gpus_milli.is_some_and(|most| plan.workload.request_of(job).gpus().milli() > most)
            || limits.time.is_some_and(|most| own.requested_time > most)
            || limits.priority.is_some_and(|most| own.priority > most)
    })
}

/// The queue at the top of a queue's tree.
pub(super) fn root(queues: &[Queue], queue: u32) -> u32 {
    queues[queue as usize].parent.map_or(queue, |parent| root(queues, parent))
}

/// Queues, and the thousandths that jobs hold in each.
pub(super) struct Tree<'a> {
    pub(super) queues: &'a [Queue],
    pub(super) own: &'a Own,
    /// How many jobs run in each.
    pub(super) jobs: &'a [u32],
    /// None: all together.
    pub(super) platform: Option<u32>,
}

/// Whether the tree that a queue is in tells platforms apart.
pub(super) fn told_apart(queues: &[Queue], queue: u32) -> bool {
    let top = root(queues, queue);
    (0..).zip(queues).any(|(own, other)| root(queues, own) == top && !other.by_platform.is_empty())
}

/// Whether a queue of that tree says what it has of a platform.
pub(super) fn divided(queues: &[Queue], queue: u32) -> bool {
    let top = root(queues, queue);
    let has = |other: &Queue| other.by_platform.iter().any(|own| own.nominal_milli.is_some());
    (0..).zip(queues).any(|(own, other)| root(queues, own) == top && has(other))
}

impl Tree<'_> {
    /// What a queue says of the platform, or of all.
    fn said(&self, queue: u32) -> PlatformQuota {
        let queue = &self.queues[queue as usize];
        match self.platform {
            Some(platform) => queue.on(platform).copied().unwrap_or_default(),
            None => PlatformQuota {
                platform: 0,
                nominal_milli: queue.nominal_milli,
                borrow_milli: queue.borrow_milli,
                lend_milli: queue.lend_milli,
                limit_milli: queue.limit_milli,
            },
        }
    }
    fn held_by(&self, queue: u32) -> u64 {
        self.own.of(queue, self.platform)
    }
    fn below(&self, queue: u32) -> Vec<u32> {
        let below = (0..).zip(self.queues).filter(|(_, other)| other.parent == Some(queue));
        below.map(|(index, _)| index).collect()
    }
    pub(super) fn subtree(&self, queue: u32) -> i128 {
        let lent: i128 =
            self.below(queue).iter().map(|child| self.subtree(*child) - self.local(*child)).sum();
        i128::from(self.said(queue).nominal_milli.unwrap_or(0)) + lent
    }
    pub(super) fn local(&self, queue: u32) -> i128 {
        match self.said(queue).lend_milli {
            Some(lend) => (self.subtree(queue) - i128::from(lend)).max(0),
            None => 0,
        }
    }
    pub(super) fn held(&self, queue: u32) -> i128 {
        let below: i128 = self.below(queue).iter().map(|child| self.held(*child)).sum();
        i128::from(self.held_by(queue)) + below
    }
    fn running(&self, queue: u32) -> u32 {
        self.jobs[queue as usize] + self.below(queue).iter().map(|child| self.running(*child)).sum::<u32>()
    }
    pub(super) fn drawn(&self, queue: u32) -> i128 {
        let beyond = |child: &u32| (self.drawn(*child) - self.local(*child)).max(0);
        i128::from(self.held_by(queue)) + self.below(queue).iter().map(beyond).sum::<i128>()
    }
    pub(super) fn nominal(&self, queue: u32) -> i128 {
        let below: i128 = self.below(queue).iter().map(|child| self.nominal(*child)).sum();
        i128::from(self.said(queue).nominal_milli.unwrap_or(0)) + below
    }
    fn has_nominal(&self, queue: u32) -> bool {
        let below = self.below(queue);
        let mut of_any = self.queues[queue as usize].by_platform.iter();
        self.said(queue).nominal_milli.is_some()
            || self.platform.is_some() && of_any.any(|own| own.nominal_milli.is_some())
            || below.iter().any(|child| self.has_nominal(*child))
    }
    /// What a queue could hold if nothing else did; none: no end.
    pub(super) fn most(&self, queue: u32) -> Option<i128> {
        let above = std::iter::successors(Some(queue), |queue| self.queues[*queue as usize].parent);
        let limits = above.filter_map(|queue| self.said(queue).limit_milli);
        self.reach(queue).into_iter().chain(limits.map(i128::from)).min()
    }
    fn reach(&self, queue: u32) -> Option<i128> {
        let own = &self.queues[queue as usize];
        let Some(parent) = own.parent else { return self.has_nominal(queue).then(|| self.subtree(queue)) };
        let all = self.reach(parent).map(|above| self.local(queue) + above);
        let borrowed = self.said(queue).borrow_milli.map(|borrow| self.subtree(queue) + i128::from(borrow));
        all.into_iter().chain(borrowed).min()
    }
    fn may_borrow(&self, queue: u32) -> Option<i128> {
        let beyond = (self.drawn(queue) - self.local(queue)).max(0);
        let own = self.subtree(queue) - self.local(queue) - beyond;
        self.said(queue).borrow_milli.map(|borrow| own + i128::from(borrow))
    }
    /// None: no end.
    fn available(&self, queue: u32) -> Option<i128> {
        let Some(parent) = self.queues[queue as usize].parent else {
            return self.has_nominal(queue).then(|| self.subtree(queue) - self.drawn(queue));
        };
        let above = self.available(parent);
        let drawn = match (above, self.may_borrow(queue)) {
            (Some(above), Some(borrow)) => Some(above.min(borrow)),
            (above, borrow) => above.or(borrow),
        };
        drawn.map(|drawn| (self.local(queue) - self.drawn(queue)).max(0) + drawn)
    }
    fn refuses(&self, queue: u32, milli: i128) -> Option<Refusal> {
        let breaks = |queue: u32| {
            let limit = self.said(queue).limit_milli;
            limit.is_some_and(|limit| self.held(queue) + milli > i128::from(limit))
        };
        if breaks(queue) {
            return Some(Refusal::OwnLimit);
        }
        let above = std::iter::successors(Some(queue), |queue| self.queues[*queue as usize].parent);
        if above.into_iter().any(breaks) {
            return Some(Refusal::Above);
        }
        let above = std::iter::successors(Some(queue), |queue| self.queues[*queue as usize].parent);
        let is_full = |queue: u32| {
            let most = self.queues[queue as usize].job_limits.running.filter(|_| self.platform.is_none());
            most.is_some_and(|most| self.running(queue) >= most)
        };
        if above.into_iter().any(is_full) {
            return Some(Refusal::Jobs);
        }
        if self.available(queue).is_none_or(|available| milli <= available) {
            return None;
        }
        let kept = (self.local(queue) - self.drawn(queue)).max(0);
        let own = self.queues[queue as usize].parent.is_some() && self.may_borrow(queue) < Some(milli - kept);
        Some(if own && self.may_borrow(queue).is_some() { Refusal::OwnBorrowing } else { Refusal::Above })
    }
}

impl World<'_> {
    /// The platforms on which a job is tried, one after another; see above.
    pub(super) fn options(&self, job: u32) -> Vec<Option<u32>> {
        let tenant = &self.plan.workload.tenants[self.plan.workload.jobs[job as usize].tenant as usize];
        let queue = queue_of(self.plan, job);
        let queues = &self.plan.workload.queues;
        let apart =
            queue.is_some_and(|queue| told_apart(queues, queue)) || !tenant.quota_by_platform.is_empty();
        let asks = self.plan.workload.request_of(job).gpus().milli() > 0;
        let there: BTreeSet<u32> = self.kinds(job).map(|kind| kind.platform).collect();
        if !apart || !asks || there.is_empty() {
            return vec![None];
        }
        let named = queue.into_iter().flat_map(|queue| &queues[queue as usize].by_platform);
        let named: Vec<u32> = named.map(|own| own.platform).filter(|own| there.contains(own)).collect();
        let others = there.iter().copied().filter(|own| !named.contains(own));
        named.iter().copied().chain(others).map(Some).collect()
    }
    /// What keeps a job out: of tenant, queue and partition the first that does.
    pub(super) fn refuses(&self, free: &Free, job: u32) -> Option<(Refused, Option<Refusal>)> {
        let each: Vec<_> =
            self.options(job).iter().map(|option| self.refuses_gpus_on(free, job, *option)).collect();
        if each.iter().all(Option::is_some) { each[0] } else { self.lacks_a_licence(free, job) }
    }
    /// Licences are the same on every platform.
    fn lacks_a_licence(&self, free: &Free, job: u32) -> Option<(Refused, Option<Refusal>)> {
        self.licence_refuses(free, job).map(|licence| (Refused::Licence(licence), None))
    }
    /// The same on a platform.
    pub(super) fn refuses_on(
        &self,
        free: &Free,
        job: u32,
        option: Option<u32>,
    ) -> Option<(Refused, Option<Refusal>)> {
        self.refuses_gpus_on(free, job, option).or_else(|| self.lacks_a_licence(free, job))
    }
    fn refuses_gpus_on(
        &self,
        free: &Free,
        job: u32,
        option: Option<u32>,
    ) -> Option<(Refused, Option<Refusal>)> {
        if !self.quota_allows(free, job, option) {
            return Some((Refused::Quota, None));
        }
        let by_queue = self.queue_refuses(free, job, option).map(|refusal| (Refused::Queue, Some(refusal)));
        by_queue.or_else(|| (!self.limit_allows(free, job)).then_some((Refused::Limit, None)))
    }
    /// Everything of tenant, queue and partition that keeps a job out now, on any of its options: of a platform, or of all.
    pub(super) fn all_that_refuse(&self, free: &Free, job: u32) -> Vec<(Refused, Option<u32>)> {
        let milli = i128::from(self.plan.workload.request_of(job).gpus().milli());
        if milli == 0 {
            return Vec::new();
        }
        let (queues, own) = (&self.plan.workload.queues, &free.queues);
        let mut all: Vec<Option<u32>> = self.options(job);
        all.push(None);
        let by_tenant = |on: &Option<u32>| !self.tenant_allows(free, job, *on);
        let by_queue = |on: &Option<u32>| {
            let queue = queue_of(self.plan, job).filter(|queue| on.is_none() || told_apart(queues, *queue));
            let tree = Tree { queues, own, jobs: &free.jobs, platform: *on };
            queue.is_some_and(|queue| tree.refuses(queue, milli).is_some())
        };
        let quotas = all.iter().copied().filter(by_tenant).map(|on| (Refused::Quota, on));
        let of_queues = all.iter().copied().filter(by_queue).map(|on| (Refused::Queue, on));
        let limit = (!self.limit_allows(free, job)).then_some((Refused::Limit, None));
        quotas.chain(of_queues).chain(limit).collect()
    }
    /// What keeps a job out of its queue, at the instant, or at any of a window.
    fn queue_refuses(&self, free: &Free, job: u32, option: Option<u32>) -> Option<Refusal> {
        let queue = queue_of(self.plan, job)?;
        let milli = i128::from(self.plan.workload.request_of(job).gpus().milli());
        let queues = &self.plan.workload.queues;
        let later = free.queues_later.iter().map(|(own, jobs)| (own, jobs));
        let instants: Vec<_> = std::iter::once((&free.queues, &free.jobs)).chain(later).collect();
        let option = option.filter(|_| told_apart(queues, queue));
        let refuses = |(own, jobs): &(&Own, &Vec<u32>)| {
            let on = |platform: Option<u32>| Tree { queues, own, jobs, platform }.refuses(queue, milli);
            option.and_then(|platform| on(Some(platform))).or_else(|| on(None))
        };
        instants.iter().find_map(refuses).filter(|_| milli > 0)
    }
    /// Whether a queue holds more than is nominally its own.
    pub(crate) fn borrows(&self, free: &Free, queue: u32) -> bool {
        let nominal = self.plan.workload.queues[queue as usize].nominal_milli.unwrap_or(0);
        free.queues.of(queue, None) > u64::from(nominal)
    }
}
