//! What tenants and queues used lately, and how they rank by it.
//!
//! Use is the GPUs that jobs held, in the mean, in which the past counts half as much every `half_life`. It is brought up to
//! date at whole numbers of `rank_period` since the start, as Slurm does it:
//!
//! ```text
//! used ← used · 2^(−rank_period / half_life) + GPUs held in the mean of the period · (1 − 2^(−rank_period / half_life))
//! ```

mod decayed;

use super::fair_tree::{Member, ranks};
use crate::history::{Plan, Settings};
use crate::state::{Event, State};
use crate::units::Time;
use decayed::Decayed;
use std::collections::BTreeMap;

/// The usual half-life: a week.
pub(super) const USUAL_HALF_LIFE: u32 = 604_800;

/// Seconds after which what was used counts half.
pub(super) fn half_life(settings: &Settings) -> u32 {
    settings.half_life.unwrap_or(USUAL_HALF_LIFE).max(1)
}

/// What is used, by tenant and queue, and how tenants rank.
#[derive(Debug)]
pub(super) struct Shares {
    /// The queues, then the tenants of each, and those that stand in none.
    members: Vec<Member>,
    /// How many queues there are.
    queues: usize,
    /// By job: which of the tenants it is of.
    user_of: Vec<u32>,
    /// By tenant.
    used: Decayed,
    /// How many segments of the history are counted.
    seen: usize,
    /// By member, as of the end of a period.
    ranks: Vec<u32>,
    ranked: Option<Time>,
}

impl Shares {
    pub(super) fn new(plan: &Plan) -> Self {
        let workload = &plan.workload;
        let mut members: Vec<Member> = Vec::new();
        for queue in &workload.queues {
            members.push(Member { parent: queue.parent, weight_milli: queue.weight(), ..Member::default() });
        }
        let queues = members.len();
        let mut known: BTreeMap<(u32, Option<u32>), u32> = BTreeMap::new();
        let mut user_of = Vec::with_capacity(workload.jobs.len());
        let tree = crate::state::quota::Tree::of(plan);
        for job in &workload.jobs {
            let partition = workload.requests[job.request as usize].partition;
            let queue = tree.queue_of(job.tenant, partition);
            let user = *known.entry((job.tenant, queue)).or_insert_with(|| {
                let weight_milli = workload.tenants[job.tenant as usize].weight();
                members.push(Member { parent: queue, weight_milli, is_user: true, used: 0 });
                u32::try_from(members.len() - 1 - queues).expect("no more than jobs")
            });
            user_of.push(user);
        }
        let period = super::rank_period(&plan.settings);
        let used = Decayed::new(members.len() - queues, (period, half_life(&plan.settings)));
        Self { members, queues, user_of, used, seen: 0, ranks: Vec::new(), ranked: None }
    }

    /// Takes note of all that jobs hold from now on.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        self.catch_up(state);
        let segment = match *event {
            Event::Ended { segment, .. } => segment,
            Event::Changed { before, segment, .. } if before != segment => before,
            _ => return,
        };
        let segment = &state.history().segments[segment as usize];
        let milli = state.resources().occupancy.milli_of(state.history().pieces_of(segment));
        self.used.give_back(self.user_of[segment.job as usize], milli);
    }

    /// Counts what has begun since the last time; what a pass itself starts is told to nobody else.
    fn catch_up(&mut self, state: &State) {
        let history = state.history();
        for segment in &history.segments[self.seen..] {
            self.used.advance(segment.from);
            let milli = state.resources().occupancy.milli_of(history.pieces_of(segment));
            self.used.hold(self.user_of[segment.job as usize], milli);
        }
        self.seen = history.segments.len();
        self.used.advance(state.now());
    }

    /// The ranks become those of the period that ended last.
    pub(super) fn rank(&mut self, state: &State, ranked: Time) {
        if self.ranked == Some(ranked) {
            return;
        }
        self.catch_up(state);
        self.ranked = Some(ranked);
        for (member, used) in self.members[self.queues..].iter_mut().zip(self.used.used()) {
            member.used = used;
        }
        self.ranks = ranks(&self.members);
    }

    /// The rank of the tenant of a job, counted down from how many there are, and that number.
    pub(super) fn rank_of(&self, job: u32) -> (u32, u32) {
        let user = self.queues + self.user_of[job as usize] as usize;
        let of = u32::try_from(self.members.len() - self.queues).expect("no more than jobs");
        (self.ranks[user], of)
    }
}
