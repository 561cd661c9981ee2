//! Random queues: one to six above and beside one another, with tenants or partitions dealt out to them.

use gigawatt::units::Seconds;
use gigawatt::workload::{JobLimits, PlatformQuota, Queue};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

/// Queues above one another.
#[derive(Debug, Clone)]
pub(crate) struct QueueSpec {
    /// The one above, of those before, none at 0; what is nominal, borrowed and lent, and a limit.
    rows: Vec<(usize, [Option<u32>; 4])>,
    /// In turn: how many jobs may run, how many GPUs one may ask for, how long, and the highest priority.
    job_limits: Vec<JobLimits>,
    /// By tenant, or by partition, which of the queues that have none below them it stands in; none: in no queue.
    dealt: [Option<usize>; 3],
    by_partition: bool,
    /// Of queues dealt to tenants: the only partition, where it is there.
    only: Option<u32>,
    /// How amounts are those of platforms 0 and 1: all of them, or limits alone.
    by_platform: Option<bool>,
}

fn job_limits() -> impl Strategy<Value = JobLimits> {
    let running = weighted(0.4, 1u32..5);
    let gpus = weighted(0.1, 1u32..12).prop_map(|gpus| gpus.map(|gpus| gpus * 1000));
    let time = weighted(0.1, 5u32..200).prop_map(|time| time.map(Seconds));
    (running, gpus, time, weighted(0.1, -1i32..4))
        .prop_map(|(running, gpus_milli, time, priority)| JobLimits { running, gpus_milli, time, priority })
}

prop_compose! {
    /// Any queues.
    pub(crate) fn queues()(
        rows in vec((
            0usize..4,
            [weighted(0.7, 0u32..16), weighted(0.3, 0u32..8), weighted(0.4, 0u32..12), weighted(0.2, 4u32..20)],
        ), 1..7),
        job_limits in weighted(0.3, vec(job_limits(), 1..4)),
        odd in 0u32..1000,
        dealt in prop::array::uniform3(weighted(0.9, 0usize..4)),
        by_partition in prop::bool::weighted(0.2),
        only in weighted(0.2, 0u32..3),
        platforms in weighted(0.3, prop::bool::weighted(0.8)),
    ) -> QueueSpec {
        let milli = |gpus: u32| gpus * 1000 + if gpus == 7 { odd } else { 0 };
        let rows = rows.into_iter().map(|(parent, amounts)| (parent, amounts.map(|gpus| gpus.map(milli))));
        QueueSpec { rows: rows.collect(), job_limits: job_limits.unwrap_or_default(), dealt, by_partition, only, by_platform: platforms }
    }
}

impl QueueSpec {
    /// The queues, where there are so many partitions.
    pub(crate) fn build(&self, partitions: usize) -> Vec<Queue> {
        let mut queues: Vec<Queue> = Vec::new();
        for (own, (parent, [nominal_milli, borrow_milli, lend_milli, limit_milli])) in
            self.rows.iter().enumerate()
        {
            let parent =
                (*parent).min(own).checked_sub(1).map(|parent| u32::try_from(parent).expect("few queues"));
            let amounts =
                Queue { nominal_milli: *nominal_milli, limit_milli: *limit_milli, ..Queue::default() };
            // A root neither borrows nor lends.
            let (borrow_milli, lend_milli) =
                (borrow_milli.filter(|_| parent.is_some()), lend_milli.filter(|_| parent.is_some()));
            let job_limits = self.job_limits.iter().cycle().nth(own).copied().unwrap_or_default();
            let name = format!("queue {own}");
            let queue = Queue { name, parent, borrow_milli, lend_milli, job_limits, ..amounts };
            queues.push(match self.by_platform {
                Some(whole) => told_apart(queue, own, whole),
                None => queue,
            });
        }
        let is_leaf = |own: &usize| {
            !queues.iter().any(|queue| queue.parent.map(|parent| parent as usize) == Some(*own))
        };
        let leaves: Vec<usize> = (0..queues.len()).filter(is_leaf).collect();
        let only = self.only.filter(|only| (*only as usize) < partitions);
        let most = if self.by_partition { partitions } else { 3 };
        for (index, leaf) in (0..).zip(self.dealt.iter().take(most)) {
            let Some(leaf) = leaf.map(|leaf| leaves[leaf % leaves.len()]) else { continue };
            let queue = &mut queues[leaf];
            if self.by_partition { queue.partitions.push(index) } else { queue.tenants.push(index) }
        }
        if let Some(only) = only.filter(|_| !self.by_partition) {
            let first = queues.iter_mut().find(|queue| !queue.tenants.is_empty());
            first.into_iter().for_each(|queue| queue.partitions.push(only));
        }
        queues
    }
}

/// A queue whose amounts are those of platforms, or some of them: the larger part of a first one, the rest of the other.
fn told_apart(queue: Queue, own: usize, whole: bool) -> Queue {
    let first = u32::try_from(own % 2).expect("0 or 1");
    let part = |milli: Option<u32>, larger: bool| {
        milli.map(|milli| if larger { milli - milli / 3 } else { milli / 3 })
    };
    let on = |platform: u32, larger: bool| PlatformQuota {
        platform,
        nominal_milli: part(queue.nominal_milli, larger).filter(|_| whole),
        borrow_milli: part(queue.borrow_milli, larger).filter(|_| whole),
        lend_milli: part(queue.lend_milli, larger).filter(|_| whole),
        limit_milli: part(queue.limit_milli, larger),
    };
    // Some name one platform alone.
    let by_platform =
        [on(first, true), on(1 - first, false)].into_iter().take(1 + usize::from(own != 2)).collect();
    if whole {
        let limit_milli = queue.limit_milli.filter(|_| own == 1);
        Queue { by_platform, nominal_milli: None, borrow_milli: None, lend_milli: None, limit_milli, ..queue }
    } else {
        Queue { by_platform, limit_milli: None, ..queue }
    }
}
