//! Orders that let queues take turns: which job of those not yet tried in a walk is next.
//!
//! Under `skip` alone; under other backfills, and of conservative, the highest priority goes first. Jobs whose class has failed are
//! left out.
//!
//! The higher tier first. In a tier, of every queue its first job is looked at: the highest priority, then the earliest eligible time,
//! then the lowest index; jobs in no queue, or without a GPU, are as those of one more queue with none above. From the top down
//! that queue is next which has had least; of equals the one whose first job is before the others'. All is counted anew for
//! every job. What a queue has had:
//!
//! - drf: what it and those below it hold, by all GPUs, by its weight;
//! - fair-sharing: its share as in `fair.rs`, with the job that would be next there counted as if it ran: on the first of its options
//!   that does not refuse it, or, refused on each, on the first of all;
//! - saturation, proportion: what it and those below it hold, by its part. Of no part anything is more than any other.
//!
//! **Parts.** What there is, all GPUs, is divided among queues with none above, and the part of a queue among those right
//! below it. A queue asks for what its jobs hold and those that wait would, and those below it. Saturation: each gets
//! what it asks for, up to its limit, of what is nominal of it and those below it. Of what is left each still wants more: in
//! rounds, those that want no more than their part by weight get what they want, the others whole GPUs of theirs, until a round
//! satisfies nobody. Then one GPU more each, the greatest fraction that was cut off in the last round first. Proportion: in rounds, what is
//! left by weight, up to its limit, to what others do not keep, and to what it asks for, but at least what it keeps; who has
//! what it asks for, or got no more, is out.

use super::fair::compare;
use super::quota::queue_of;
use super::time::Simulation;
use gigawatt::workload::Queue;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What is had, of what, and the weight.
type Had = Option<(i128, i128, i128)>;

/// What a queue asks for and may have.
struct Claim {
    own: i128,
    kept: i128,
    request: i128,
    limit: Option<i128>,
    weight: i128,
}

impl Simulation<'_> {
    pub(super) fn takes_turns(&self) -> bool {
        self.backfill == "skip"
            && ["drf", "fair-sharing", "saturation", "proportion"]
                .contains(&self.plan.settings.order.as_str())
    }

    /// Where the next job stands in a line that is in order.
    pub(super) fn next_in_line(&self, line: &[u32]) -> usize {
        if !self.takes_turns() {
            return 0;
        }
        let tier = |job: u32| self.world.height(job).0;
        let mut firsts: BTreeMap<Option<u32>, usize> = BTreeMap::new();
        for (place, job) in line.iter().enumerate().filter(|(_, job)| tier(**job) == tier(line[0])) {
            let asks = self.plan.workload.request_of(*job).gpus().milli() > 0;
            let first = firsts.entry(queue_of(self.plan, *job).filter(|_| asks)).or_insert(place);
            let rank = |job: u32| (Reverse(self.job(job).priority), self.eligible(job), job);
            if rank(*job) < rank(line[*first]) {
                *first = place;
            }
        }
        self.first_below(None, &firsts, line).expect("somebody is next")
    }

    fn first_below(
        &self,
        above: Option<u32>,
        firsts: &BTreeMap<Option<u32>, usize>,
        line: &[u32],
    ) -> Option<usize> {
        let queues = &self.plan.workload.queues;
        let mut found: Vec<(Had, usize)> = Vec::new();
        for (queue, _) in (0..).zip(queues).filter(|(_, queue)| queue.parent == above) {
            let own = firsts.get(&Some(queue)).copied();
            let first = own.or_else(|| self.first_below(Some(queue), firsts, line));
            found.extend(first.map(|first| (self.had(queue, line[first]), first)));
        }
        if above.is_none() {
            found.extend(firsts.get(&None).map(|first| (None, *first)));
        }
        let rank = |place: usize| {
            let job = line[place];
            (Reverse(self.job(job).priority), self.eligible(job), job)
        };
        let least = found.into_iter().min_by(|(one, first), (other, second)| {
            compare(*one, *other).then_with(|| rank(*first).cmp(&rank(*second)))
        });
        least.map(|(_, first)| first)
    }

    fn had(&self, queue: u32, job: u32) -> Had {
        let weight = i128::from(self.plan.workload.queues[queue as usize].weight_milli.unwrap_or(1000));
        let held = self.tree(&self.free.queues).held(queue);
        let all = i128::from(self.plan.cluster.gpus()) * 1000;
        match self.plan.settings.order.as_str() {
            "drf" => (held > 0).then_some((held, all, weight)),
            "fair-sharing" => {
                let mut own = self.free.queues.clone();
                if let Some(queue) = queue_of(self.plan, job) {
                    let options = self.world.options(job);
                    let mut let_in = options
                        .iter()
                        .filter(|option| self.world.refuses_on(&self.free, job, **option).is_none());
                    let on = let_in.next().unwrap_or(&options[0]).unwrap_or(u32::MAX);
                    own.add(queue, on, u64::from(self.plan.workload.request_of(job).gpus().milli()));
                }
                self.share(&own, queue)
            }
            _ => {
                let part = self.part(queue);
                (held > 0).then_some(if part > 0 { (held, part, 1000) } else { (held, 1, 0) })
            }
        }
    }

    fn part(&self, queue: u32) -> i128 {
        let queues = &self.plan.workload.queues;
        let parent = queues[queue as usize].parent;
        let there = parent.map_or(i128::from(self.plan.cluster.gpus()) * 1000, |parent| self.part(parent));
        let beside: Vec<u32> =
            (0..).zip(queues).filter(|(_, other)| other.parent == parent).map(|(other, _)| other).collect();
        let claims: Vec<Claim> = beside.iter().map(|other| self.claim(*other)).collect();
        let parts = match self.plan.settings.order.as_str() {
            "saturation" => by_kai(there, &claims),
            _ => by_volcano(there, &claims),
        };
        let place = beside.iter().position(|other| *other == queue).expect("it is beside itself");
        parts[place]
    }

    /// What a queue may hold at most: of all platforms together, or of each that there is.
    fn limit_of_all(&self, queue: &Queue) -> Option<i128> {
        let kinds = &self.plan.cluster.kinds;
        let platforms: BTreeSet<u32> = kinds.iter().map(|kind| kind.platform).collect();
        let of = |platform: u32| queue.by_platform.iter().find(|own| own.platform == platform)?.limit_milli;
        let each: Vec<Option<u32>> = platforms.into_iter().map(of).collect();
        let mut most: Vec<u32> = queue.limit_milli.into_iter().collect();
        if each.iter().all(Option::is_some) {
            most.push(each.into_iter().flatten().sum());
        }
        most.into_iter().min().map(i128::from)
    }

    fn claim(&self, queue: u32) -> Claim {
        let own = &self.plan.workload.queues[queue as usize];
        let tree = self.tree(&self.free.queues);
        let waits = |job: &&u32| queue_of(self.plan, **job).is_some_and(|other| self.within(other, queue));
        let asked = |job: &u32| i128::from(self.plan.workload.request_of(*job).gpus().milli());
        Claim {
            own: self.trees(&self.free.queues, queue).iter().map(|tree| tree.nominal(queue)).sum(),
            kept: self.trees(&self.free.queues, queue).iter().map(|tree| tree.local(queue)).sum(),
            request: tree.held(queue) + self.pending.iter().filter(waits).map(asked).sum::<i128>(),
            limit: self.limit_of_all(own),
            weight: i128::from(own.weight_milli.unwrap_or(1000)),
        }
    }
}

fn by_kai(there: i128, claims: &[Claim]) -> Vec<i128> {
    let wanted = |claim: &Claim| claim.limit.map_or(claim.request, |limit| limit.min(claim.request));
    let mut parts: Vec<i128> = claims.iter().map(|claim| claim.own.min(wanted(claim))).collect();
    let mut cut: Vec<Option<(i128, i128)>> = vec![None; claims.len()];
    loop {
        let left = there - parts.iter().sum::<i128>();
        let mut open: Vec<usize> = (0..claims.len()).collect();
        open.retain(|own| claims[*own].weight > 0 && parts[*own] < wanted(&claims[*own]));
        if left <= 0 || open.is_empty() {
            break;
        }
        let weights: i128 = open.iter().map(|own| claims[*own].weight).sum();
        let is_enough = |own: &usize, parts: &[i128]| {
            (wanted(&claims[*own]) - parts[*own]) * weights <= left * claims[*own].weight
        };
        let (satisfied, others): (Vec<usize>, Vec<usize>) =
            open.into_iter().partition(|own| is_enough(own, &parts));
        for own in &satisfied {
            (parts[*own], cut[*own]) = (wanted(&claims[*own]), None);
        }
        for own in others {
            let gpus = left * claims[own].weight / (1000 * weights);
            parts[own] += gpus * 1000;
            cut[own] = Some((left * claims[own].weight - gpus * 1000 * weights, weights));
        }
        if satisfied.is_empty() {
            break;
        }
    }
    let mut rest: Vec<(usize, (i128, i128))> =
        cut.into_iter().enumerate().filter_map(|(own, cut)| Some((own, cut?))).collect();
    rest.retain(|(_, (over, _))| *over > 0);
    rest.sort_by(|(_, (a, b)), (_, (c, d))| (c * b).cmp(&(a * d)));
    for (own, _) in rest {
        let left = (there - parts.iter().sum::<i128>()).max(0);
        parts[own] += 1000.min(left).min(wanted(&claims[own]) - parts[own]);
    }
    parts
}

fn by_volcano(there: i128, claims: &[Claim]) -> Vec<i128> {
    let kept: i128 = claims.iter().map(|claim| claim.kept).sum();
    let mut parts = vec![0; claims.len()];
    let mut out = vec![false; claims.len()];
    let mut left = there;
    loop {
        let round = left;
        let weights: i128 = (0..claims.len()).filter(|own| !out[*own]).map(|own| claims[own].weight).sum();
        for own in 0..claims.len() {
            if out[own] {
                continue;
            }
            let (claim, before) = (&claims[own], parts[own]);
            let more = if weights > 0 { round * claim.weight / weights } else { 0 };
            let others = (there - (kept - claim.kept)).max(0);
            let most = claim.limit.map_or(others, |limit| limit.min(others));
            let reached = (before + more).min(most);
            parts[own] = reached.min(claim.request).max(claim.kept);
            out[own] = claim.request <= reached || parts[own] == before;
            left = (left - (parts[own] - before)).max(0);
        }
        if left == 0 || left == round {
            return parts;
        }
    }
}
