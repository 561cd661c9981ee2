//! Preemption `reclaim`: which jobs stop for one that is blocked, by the shares of their queues.
//!
//! **Who may stop**: of the job's own queue those of lower priority, of other queues of its tree all; as in `yielding.rs`, and once
//! the attempt has kept some work: the first checkpoint after what was kept before, or without checkpoints a second of work.
//!
//! **The share** of a queue: what it draws beyond what it has (`over`), by the most that the queue above it could hold, by its
//! weight. Nothing where nothing is over, where there is no end, and for a queue with none above. With weight 0, what is over
//! is above all others. The blocked job counts as if it ran.
//!
//! Where queues have what they have by platform, what is over and what there is are added up over them. The job is then tried on
//! one platform after another: it counts there, those that stop run there, and other queues yield only while they are over there.
//!
//! **The first round.** As long as there is a queue to take from (below): the first of its jobs, the lowest, then the
//! latest start, then the lowest index, stops if it is of the job's own queue or the rule allows it; else it is set aside
//! and the next one is looked at. If the job then has a place, the round ends. Rules compare the two queues just below
//! where those of the blocked job and of the other meet: `final`: its share ≤ the other's without the job that stops; `initial`: its share <
//! the other's with it, as they were when the queue was chosen. **The second round**, if there are two rules: the
//! same with those set aside and the second rule, each queue once.
//!
//! **The queue to take from**: from the root down that with the greatest share of those below; of equals one with queues
//! below it, then the one whose first job goes before the others'. Left out, until the round ends: queues with no job left,
//! or all of whose queues below are left out; and, unless the job's queue is in it, what has nothing over.
//!
//! At last those run on that need not stop, as in `yielding.rs`.

use super::free::Own;
use super::quota::{Tree, divided, queue_of, root};
use super::time::{NEVER, Simulation};
use super::walk::Walk;
use gigawatt::history::ReclaimRule;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is over, of what, and the weight.
type Share = Option<(i128, i128, i128)>;

pub(super) fn compare(one: Share, other: Share) -> Ordering {
    let (Some((a, b, v)), Some((c, d, w))) = (one, other) else { return one.is_some().cmp(&other.is_some()) };
    match (v, w) {
        (0, 0) => (a * d).cmp(&(c * b)),
        (0, _) => Ordering::Greater,
        (_, 0) => Ordering::Less,
        _ => (a * d * w).cmp(&(c * b * v)),
    }
}

/// A round: what is held, and which jobs may still stop.
struct Round {
    own: Own,
    lines: BTreeMap<u32, VecDeque<u32>>,
    out: BTreeSet<u32>,
    /// The platform that it is about; none: all together.
    on: Option<u32>,
}

impl Simulation<'_> {
    /// Whether a running job may stop for another, however long it has run.
    pub(super) fn may_reclaim(&self, running: u32, job: u32) -> bool {
        let (Some(own), Some(other)) = (self.counting_queue(job), self.counting_queue(running)) else {
            return false;
        };
        let queues = &self.plan.workload.queues;
        let here = Some(self.platform_of(running));
        if divided(queues, own) && !self.world.options(job).contains(&here) {
            return false;
        }
        if own == other {
            self.world.height(running) < self.world.height(job)
        } else {
            root(queues, own) == root(queues, other)
        }
    }

    /// The queue of a job that asks for GPUs.
    fn counting_queue(&self, job: u32) -> Option<u32> {
        queue_of(self.plan, job).filter(|_| self.plan.workload.request_of(job).gpus().milli() > 0)
    }

    /// From when on a running job keeps work of its attempt.
    pub(super) fn keeps_from(&self, job: u32) -> u32 {
        let attempt = self.attempt(job);
        let behaviour = self.behaviour(job);
        let from = attempt.from + attempt.restart;
        if behaviour.checkpoint_interval.0 == 0 {
            return from + 1;
        }
        let interval = u64::from(behaviour.checkpoint_interval.0 + behaviour.checkpoint_cost.0) << 16;
        let kept = self.live[job as usize].kept;
        let next = (kept / interval + 1) * interval;
        if next > u64::from(self.job(job).work_time.0) << 16 {
            return NEVER;
        }
        u32::try_from(next.saturating_sub(self.done_before(job)).div_ceil(u64::from(attempt.rate)))
            .map_or(NEVER, |after| from.saturating_add(after))
    }

    pub(super) fn tree<'a>(&'a self, own: &'a Own) -> Tree<'a> {
        Tree { queues: &self.plan.workload.queues, own, jobs: &[], platform: None }
    }

    /// The trees in which a queue is told apart, or the one in which it is not.
    pub(super) fn trees<'a>(&'a self, own: &'a Own, queue: u32) -> Vec<Tree<'a>> {
        if !divided(&self.plan.workload.queues, queue) {
            return vec![self.tree(own)];
        }
        let platforms: BTreeSet<u32> = self.plan.cluster.kinds.iter().map(|kind| kind.platform).collect();
        let on = |platform: u32| Tree { platform: Some(platform), ..self.tree(own) };
        platforms.into_iter().map(on).collect()
    }

    pub(super) fn share(&self, own: &Own, queue: u32) -> Share {
        let trees = self.trees(own, queue);
        let above = self.plan.workload.queues[queue as usize].parent?;
        let over: i128 = trees.iter().map(|tree| (tree.drawn(queue) - tree.subtree(queue)).max(0)).sum();
        let most = trees.iter().map(|tree| tree.most(above)).sum::<Option<i128>>()?;
        let weight = i128::from(self.plan.workload.queues[queue as usize].weight_milli.unwrap_or(1000));
        (over > 0 && most > 0).then_some((over, most, weight))
    }

    pub(super) fn within(&self, queue: u32, other: u32) -> bool {
        let mut path =
            std::iter::successors(Some(queue), |queue| self.plan.workload.queues[*queue as usize].parent);
        path.any(|above| above == other)
    }

    /// The queue that holds one, just below where it meets another.
    fn below_meeting(&self, queue: u32, other: u32) -> u32 {
        match self.plan.workload.queues[queue as usize].parent {
            Some(parent) if !self.within(other, parent) => self.below_meeting(parent, other),
            _ => queue,
        }
    }

    /// The jobs that stop.
    pub(super) fn reclaimed(&mut self, job: u32, candidates: &[u32], walk: &Walk) -> Option<Vec<u32>> {
        self.tried_on(job).into_iter().find_map(|on| self.reclaimed_on(job, on, candidates, walk))
    }

    /// The platforms on which jobs stop for one, one after another; none: all together.
    pub(super) fn tried_on(&self, job: u32) -> Vec<Option<u32>> {
        let apart = self.counting_queue(job).is_some_and(|queue| divided(&self.plan.workload.queues, queue));
        if apart { self.world.options(job) } else { vec![None] }
    }

    /// Those of some jobs that run on a platform.
    pub(super) fn running_on(&self, jobs: &[u32], on: Option<u32>) -> Vec<u32> {
        let here = |job: &u32| on.is_none_or(|platform| self.platform_of(*job) == platform);
        jobs.iter().copied().filter(here).collect()
    }

    fn reclaimed_on(
        &mut self,
        job: u32,
        on: Option<u32>,
        candidates: &[u32],
        walk: &Walk,
    ) -> Option<Vec<u32>> {
        let queue = self.counting_queue(job)?;
        let rules = match self.plan.settings.reclaim_rule {
            Some(only) => vec![only],
            None => vec![ReclaimRule::Final, ReclaimRule::Initial],
        };
        let mut own = self.free.queues.clone();
        own.add(
            queue,
            on.unwrap_or(self.counted_on(job)),
            u64::from(self.plan.workload.request_of(job).gpus().milli()),
        );
        let (mut stopped, mut candidates) = (Vec::new(), self.running_on(candidates, on));
        for (number, rule) in rules.into_iter().enumerate() {
            let mut round = Round { own, lines: self.lines(&candidates), out: BTreeSet::new(), on };
            candidates.clear();
            while let Some(next) =
                self.queue_to_take_from(queue, root(&self.plan.workload.queues, queue), &mut round)
            {
                if number > 0 {
                    round.out.insert(next);
                }
                let taken = self.take_one(queue, next, rule, &mut round);
                candidates.extend(taken.1);
                let Some(taken) = taken.0 else { continue };
                stopped.push(taken);
                if self.place_without(job, &stopped, walk).is_some() {
                    let needed = self.without_spare(job, stopped, walk);
                    let at_home =
                        needed.iter().filter(|other| self.counting_queue(**other) == Some(queue)).count();
                    let [away, home, late] = &mut self.result.counts.reclaimed;
                    (*away, *home) = (*away + (needed.len() - at_home) as u64, *home + at_home as u64);
                    *late += number as u64;
                    return Some(needed);
                }
            }
            own = round.own;
        }
        None
    }

    /// The platform on which a job counts that waits, where that is told apart.
    pub(super) fn counted_on(&self, job: u32) -> u32 {
        self.world.options(job)[0].unwrap_or(u32::MAX)
    }

    fn lines(&self, candidates: &[u32]) -> BTreeMap<u32, VecDeque<u32>> {
        let mut lines: BTreeMap<u32, VecDeque<u32>> = BTreeMap::new();
        let mut all = candidates.to_vec();
        all.sort_by_key(|job| self.turn(*job));
        for job in all {
            lines.entry(self.counting_queue(job).expect("it stands in a queue")).or_default().push_back(job);
        }
        lines
    }

    fn turn(&self, job: u32) -> ((u32, i32), Reverse<u32>, u32) {
        (self.world.height(job), Reverse(self.started(job)), job)
    }

    /// The job of a queue that stops, and those set aside.
    fn take_one(
        &self,
        queue: u32,
        from: u32,
        rule: ReclaimRule,
        round: &mut Round,
    ) -> (Option<u32>, Vec<u32>) {
        let (mine, theirs) = (self.below_meeting(queue, from), self.below_meeting(from, queue));
        let (new, old) = (self.share(&round.own, mine), self.share(&round.own, theirs));
        let mut aside = Vec::new();
        while let Some(job) = round.lines.get_mut(&from).and_then(VecDeque::pop_front) {
            let held: u64 = self.attempt(job).holding.pods.iter().map(super::free::total).sum();
            round.own.subtract(from, self.platform_of(job), held);
            let allowed = match rule {
                _ if from == queue => true,
                ReclaimRule::Final => compare(new, self.share(&round.own, theirs)).is_le(),
                ReclaimRule::Initial => compare(new, old).is_lt(),
            };
            if allowed {
                return (Some(job), aside);
            }
            round.own.add(from, self.platform_of(job), held);
            aside.push(job);
        }
        (None, aside)
    }

    fn queue_to_take_from(&self, queue: u32, above: u32, round: &mut Round) -> Option<u32> {
        loop {
            let queues = &self.plan.workload.queues;
            let below =
                (0..).zip(queues).filter(|(_, other)| other.parent == Some(above)).map(|(own, _)| own);
            let mut below: Vec<u32> = below.collect();
            if below.is_empty() {
                return (above == queue || !round.lines.get(&above).is_none_or(VecDeque::is_empty))
                    .then_some(above)
                    .filter(|own| !round.lines.get(own).is_none_or(VecDeque::is_empty));
            }
            below.retain(|own| !round.out.contains(own));
            let here = Tree { platform: round.on, ..self.tree(&round.own) };
            let is_over =
                |own: u32| here.drawn(own) > here.subtree(own) && self.share(&round.own, own).is_some();
            below.retain(|own| self.within(queue, *own) || is_over(*own));
            let is_leaf = |own: &u32| !queues.iter().any(|other| other.parent == Some(*own));
            below.retain(|own| !is_leaf(own) || !round.lines.get(own).is_none_or(VecDeque::is_empty));
            let first = |own: &u32| round.lines.get(own).and_then(VecDeque::front).map(|job| self.turn(*job));
            let next = below.into_iter().max_by(|one, other| {
                let shares = compare(self.share(&round.own, *one), self.share(&round.own, *other));
                shares.then_with(|| first(other).cmp(&first(one)))
            });
            let next = next?;
            match self.queue_to_take_from(queue, next, round) {
                Some(found) => return Some(found),
                None => round.out.insert(next),
            };
        }
    }
}
