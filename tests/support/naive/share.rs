//! What tenants used lately, and how they rank by it: Fair Tree, and the factors of multifactor.
//!
//! **Use.** At every whole number of periods (`rank_period`) since the start what a tenant used is what it had used before,
//! of which 2^(−period / half-life) is kept, and the rest the GPU thousandths that its jobs held in the mean of the period:
//! in 2⁻²⁸ thousandths, each rounded down, the part that is kept in 2⁻⁶⁴. Half-life: a week where nothing is said. A tenant is one for
//! every queue that its jobs stand in, and one where they stand in none.
//!
//! **Fair Tree.** At every level, from the top: siblings are queues and tenants, each of a weight (1 where nothing is said).
//! Their level is weight ÷ all weights there, divided by used ÷ all used there, in 2⁻³², rounded down; 0 where the weight is 0,
//! else infinite where nothing is used. They fall into groups of equal level, the highest first. All tenants of a group share a rank; what is
//! below its queues is one more level, whose first group shares that rank too. The rank of a tenant, where it is shared with none
//! before it, is the number of tenants less those that came before.

use super::quota::queue_of;
use super::time::Simulation;
use super::varying::instant;
use gigawatt::history::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// A tenant in a queue.
type User = (u32, Option<u32>);

/// What every tenant of a queue used as of the end of a period.
#[derive(Debug, Default)]
pub(super) struct Used {
    until: u32,
    by_user: BTreeMap<User, u64>,
    /// The ranks that come of it, once somebody has asked.
    ranks: Option<BTreeMap<User, u32>>,
}

/// A queue or a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Queue(u32),
    User(User),
}

fn user_of(plan: &Plan, job: u32) -> User {
    (plan.workload.jobs[job as usize].tenant, queue_of(plan, job))
}

/// What all members used.
struct Tree<'a> {
    plan: &'a Plan,
    used: BTreeMap<User, u64>,
}

impl Tree<'_> {
    fn below(&self, queue: Option<u32>) -> Vec<Member> {
        let queues = (0..).zip(&self.plan.workload.queues).filter(|(_, other)| other.parent == queue);
        let queues = queues.map(|(index, _)| Member::Queue(index));
        queues
            .chain(self.used.keys().filter(|(_, own)| *own == queue).map(|user| Member::User(*user)))
            .collect()
    }
    fn used(&self, member: Member) -> u64 {
        match member {
            Member::User(user) => self.used[&user],
            Member::Queue(queue) => self.below(Some(queue)).into_iter().map(|member| self.used(member)).sum(),
        }
    }
    fn weight(&self, member: Member) -> u32 {
        let workload = &self.plan.workload;
        let weight = match member {
            Member::User((tenant, _)) => workload.tenants[tenant as usize].weight_milli,
            Member::Queue(queue) => workload.queues[queue as usize].weight_milli,
        };
        weight.unwrap_or(1000)
    }
    fn level(&self, member: Member) -> u128 {
        let above = match member {
            Member::User((_, queue)) => queue,
            Member::Queue(queue) => self.plan.workload.queues[queue as usize].parent,
        };
        let siblings = self.below(above);
        let weights: u64 = siblings.iter().map(|member| u64::from(self.weight(*member))).sum();
        let all_used: u64 = siblings.iter().map(|member| self.used(*member)).sum();
        let (weight, used) = (self.weight(member), self.used(member));
        if weight == 0 {
            0
        } else if used == 0 {
            u128::MAX
        } else {
            (1 << 32) * u128::from(weight) * u128::from(all_used) / (u128::from(weights) * u128::from(used))
        }
    }
    /// Ranks what stands on a level; the first group shares `shared`, if there is such a rank.
    fn rank(&self, members: &[Member], mut shared: Option<u32>, ranks: &mut BTreeMap<User, u32>) {
        let all = u32::try_from(self.used.len()).expect("few tenants");
        let levelled: Vec<(u128, Member)> =
            members.iter().map(|member| (self.level(*member), *member)).collect();
        let levels: BTreeSet<u128> = levelled.iter().map(|(level, _)| *level).collect();
        for level in levels.into_iter().rev() {
            let group = levelled.iter().filter(|(own, _)| *own == level);
            let before = u32::try_from(ranks.len()).expect("few tenants");
            let rank = shared.take().unwrap_or(all - before);
            let mut below = Vec::new();
            let mut has_users = false;
            for (_, member) in group {
                match member {
                    Member::User(user) => has_users |= ranks.insert(*user, rank).is_none(),
                    Member::Queue(queue) => below.extend(self.below(Some(*queue))),
                }
            }
            let is_shared = has_users || rank != all - before;
            self.rank(&below, is_shared.then_some(rank), ranks);
        }
    }
}

impl Simulation<'_> {
    /// What every tenant of a queue used at the end of the next period.
    fn use_one_more_period(&mut self) {
        let settings = &self.plan.settings;
        let period = settings.rank_period.unwrap_or(300);
        let half_life = settings.half_life.unwrap_or(604_800);
        let kept = libm::exp2(-f64::from(period) / f64::from(half_life)) * 2_f64.powi(64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1, in 2⁻⁶⁴")]
        let kept = kept as u128;
        let end = self.used.until + period;
        let mut held: BTreeMap<User, u128> = BTreeMap::new();
        for job in 0..self.plan.workload.len() {
            let milli = u128::from(self.plan.workload.request_of(job).gpus().milli());
            for attempt in &self.result.jobs[job as usize].attempts {
                let seconds = attempt.to.min(end).saturating_sub(attempt.from.max(self.used.until));
                *held.entry(user_of(self.plan, job)).or_default() += milli * u128::from(seconds);
            }
        }
        for (user, used) in &mut self.used.by_user {
            let mean = (held.get(user).copied().unwrap_or_default() << 28) / u128::from(period);
            let sum = u128::from(*used) * kept + mean * ((1 << 64) - kept);
            *used = u64::try_from(sum >> 64).expect("no more than all GPUs");
        }
        (self.used.until, self.used.ranks) = (end, None);
    }

    /// The rank of every tenant of a queue now.
    fn ranks(&mut self) -> BTreeMap<User, u32> {
        for job in 0..self.plan.workload.len() {
            self.used.by_user.entry(user_of(self.plan, job)).or_insert(0);
        }
        while self.used.until < instant(self.plan, self.now) {
            self.use_one_more_period();
        }
        if let Some(ranks) = &self.used.ranks {
            return ranks.clone();
        }
        let tree = Tree { plan: self.plan, used: self.used.by_user.clone() };
        let mut ranks = BTreeMap::new();
        tree.rank(&tree.below(None), None, &mut ranks);
        self.used.ranks = Some(ranks.clone());
        ranks
    }

    /// Keys that read what tenants used: of every job, the greater the sooner.
    pub(super) fn keys_by_use(&mut self) -> Vec<i64> {
        let ranks = self.ranks();
        let of = i64::try_from(ranks.len()).expect("few tenants");
        let key = |job: u32| {
            let rank = i64::from(ranks[&user_of(self.plan, job)]);
            if self.plan.settings.order == "fair-tree" { rank } else { self.multifactor(job, (rank, of)) }
        };
        (0..self.plan.workload.len()).map(key).collect()
    }

    /// Slurm's priority: of each factor its part of its weight, in 2⁻¹⁶, each rounded down; then the sum, in whole numbers.
    fn multifactor(&self, job: u32, share: (i64, i64)) -> i64 {
        let factors = &self.plan.settings.factors;
        let waited = instant(self.plan, self.now).saturating_sub(self.eligible(job));
        let all: i64 =
            (0..self.plan.cluster.nodes()).map(|node| i64::from(self.plan.cluster.kind_of(node).gpus)).sum();
        let asked = i64::from(self.plan.workload.request_of(job).gpus().milli()).min(all * 1000);
        let size = if factors.favor_small { all * 1000 - asked } else { asked };
        let priorities = || self.plan.workload.jobs.iter().map(|job| i64::from(job.priority));
        let (least, most) = (priorities().min().unwrap_or(0), priorities().max().unwrap_or(0));
        let part = |weight: u32, (part, of): (i64, i64)| {
            let weight = i128::from(weight) << 16;
            if of == 0 { 0 } else { weight * i128::from(part) / i128::from(of) }
        };
        let age = (i64::from(waited.min(factors.max_age)), i64::from(factors.max_age));
        let sum = part(factors.weight_age, age)
            + part(factors.weight_size, (size, all * 1000))
            + part(factors.weight_share, share)
            + part(factors.weight_priority, (i64::from(self.job(job).priority) - least, most - least));
        i64::try_from(sum >> 16).expect("weights are counted in 32 bits")
    }
}
