//! One queue over linked partitions: which of its jobs start in a pass.
//!
//! The walk goes through the waiting jobs in one order. A stream that no blocked job has stopped is taken from its front;
//! behind enough blocked jobs of a partition, the rest of it is tried class by class, each class once. Both are merged by
//! key, so that every job is tried at its place in the order.

mod attempt;
mod make_room;
mod pass;
mod turns;

use super::Rules;
use super::lookahead::Lookahead;
use super::pending::{Candidate, Key, Pending, job_of, key_of};
use super::reservations::Reservations;
use crate::history::Plan;
use crate::policy::backfill::Backfill;
use crate::policy::order::Order;
use crate::state::State;
use crate::state::class::Class;
use crate::units::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How a stream stands in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It is taken from its front.
    Open,
    /// It is tried class by class.
    ByClass,
    /// None of it is tried any more.
    Closed,
}

/// Jobs that close together: of one partition, counting against the same quota, queue, limit and licences, or none.
#[derive(Debug)]
struct Stream {
    partition: u32,
    /// The quota, the queue, the limit and the licences that they count against, on any platform.
    ceilings: Vec<u32>,
    tier: usize,
    /// Its place among the lines of its tier.
    line: usize,
    mode: Mode,
    /// The first job as the last pass left it.
    blocked: Option<Blocked>,
}

/// A job that a pass left blocked at the front of its stream.
#[derive(Debug, Clone, Copy)]
struct Blocked {
    key: Key,
    /// The ceiling that was why.
    ceiling: Option<u32>,
    /// Whether jobs before it had withdrawn nodes or watts: it may find a place once others stand there.
    beside_withdrawn: bool,
}

/// A partition in a pass.
#[derive(Debug, Clone, Default)]
struct Front {
    /// How many of its jobs hold a reservation.
    reserved: u32,
    /// The blocked job that closed it.
    head: Option<Key>,
    /// The blocked jobs that were passed over before it closed.
    passed: Vec<u32>,
}

/// What became of a job that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Started,
    /// Its tenant's quota, its queue, its partition's limit or a licence says no.
    Ceiling(u32),
    /// There is no place.
    Blocked,
    /// It would delay a reservation.
    Delays,
}

/// The waiting jobs of linked partitions.
#[derive(Debug)]
pub(super) struct Group {
    rules: Rules,
    /// By tier and, where running jobs stop for it, priority: the highest first. Where queues take turns: by tier and queue.
    tiers: Vec<Pending>,
    /// Where queues take turns: the tier and the queue of each of these.
    lanes: Vec<(u32, Option<u32>)>,
    streams: Vec<Stream>,
    /// By class of the plan: its stream; meaningless for classes of other groups.
    stream_of: Vec<u32>,
    /// By partition of the plan.
    fronts: Vec<Front>,
    /// By partition of the plan, where closed ones withdraw them: its nodes, 64 a word.
    nodes_of: Vec<Vec<u64>>,
    /// The heads that closed partitions in the last pass, where that is told.
    told: Vec<Option<u32>>,
    /// Whether anything happened since the last pass, and whether anything but arrivals.
    touched: bool,
    changed: bool,
    /// Whether jobs came since the last pass that stand behind the one at which their partition is closed.
    joined: bool,
    /// Emptied by each pass: by tier, the jobs that came since the one before.
    arrivals: Vec<Vec<Candidate>>,
    /// Whether blocked jobs are known as the last pass left them, the last of them, and its tier.
    last_blocked: Option<(usize, Key)>,
    ahead: Lookahead,
    /// Whether it is looked ahead at all.
    looks_ahead: bool,
    reservations: Reservations,
    /// Domains of the ledger of which blocked jobs have withdrawn the watts that are left.
    spent: Vec<u32>,
    /// Counts states of free capacity in which what was refused may be tried again: one more at each pass, and at each
    /// start that might let in what did not fit.
    version: u64,
    /// True if what does not fit now cannot fit later with less free, whatever started meanwhile and where.
    monotone: bool,
    /// True if GPUs are alike and alone on their nodes, so that counts tell what leaves room for a reservation.
    counted: bool,
    /// In a pass: the next job of each class, the first on top.
    tries: BinaryHeap<Reverse<Candidate>>,
    /// By class: the version at which no place was found, and at which a reservation would have been delayed.
    refused: Vec<(u64, u64)>,
    /// Kinds of jobs at the front of a stream that were blocked in this pass, ascending: none like them
    /// is tried.
    failed: Vec<(u32, u64)>,
    /// Jobs at the front of a stream that were passed over, with the stream.
    passed: Vec<(usize, Key)>,
    /// Whether a job started behind a blocked one.
    overtaken: bool,
    /// Whether jobs have made room for the last that was tried, and those of them that wait since then.
    made_room: bool,
    stopped: Vec<u32>,
    /// When more jobs may stop for one that is blocked; and of which instant that is asked already.
    wake: Time,
    asked: Time,
    /// As of when the keys of its jobs hold, where keys vary.
    ranked: Option<Time>,
}

/// What a group is made of.
pub(super) struct Parts<'a> {
    pub(super) rules: Rules,
    pub(super) state: &'a State,
    /// The partitions of the plan that belong to it.
    pub(super) partitions: Vec<u32>,
    pub(super) monotone: bool,
    pub(super) counted: bool,
}

impl Group {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts { rules, state, partitions, monotone, counted } = parts;
        let (plan, table) = (state.plan(), &state.classes().table);
        let own = || table.iter().filter(|class| partitions.contains(&class.partition));
        // Where queues take turns, the priority counts within a queue: it is in the keys.
        let height = |class: &Class| match rules.takes_turns {
            true => ((class.tier, 0), class.queue),
            false => (class.height(), None),
        };
        let mut tiers: Vec<((u32, i32), Option<u32>)> = own().map(height).collect();
        tiers.sort_unstable_by_key(|(tier, queue)| (Reverse(*tier), *queue));
        tiers.dedup();
        let lanes =
            tiers.iter().map(|((tier, _), queue)| (*tier, *queue)).filter(|_| rules.takes_turns).collect();
        let mut streams: Vec<Stream> = Vec::new();
        let mut lines = vec![0; tiers.len()];
        let mut stream_of = vec![u32::MAX; table.len()];
        for class in own() {
            let tier = tiers.iter().position(|tier| *tier == height(class)).unwrap_or(0);
            let each = std::iter::once(class).chain(&class.alternatives).flat_map(Class::ceilings);
            let mut ceilings: Vec<u32> = each.collect();
            ceilings.dedup();
            let partition = class.partition;
            let is_same = |stream: &Stream| {
                (stream.tier, stream.partition, &stream.ceilings) == (tier, partition, &ceilings)
            };
            let known = streams.iter().position(is_same);
            let index = known.unwrap_or_else(|| {
                let line = lines[tier];
                lines[tier] += 1;
                let (mode, blocked) = (Mode::Open, None);
                streams.push(Stream { partition, ceilings, tier, line, mode, blocked });
                streams.len() - 1
            });
            stream_of[class.index as usize] = u32::try_from(index).expect("streams are no more than classes");
        }
        let by_class = if rules.backfill == Backfill::None { 0 } else { table.len() };
        // Under caps a gang whose place costs decide may break one at every instant to come.
        let changes = !plan.cluster.changes.is_empty() || plan.cluster.failures.is_some();
        let uncertain = changes || state.caps().is_some();
        let drains = !plan.cluster.curtailments.is_empty() && state.caps().is_some_and(|caps| caps.drains);
        Self {
            arrivals: vec![Vec::new(); lines.len()],
            lanes,
            tiers: lines.iter().map(|lines| Pending::new(*lines, by_class)).collect(),
            streams,
            stream_of,
            fronts: vec![Front::default(); plan.workload.partitions.len()],
            told: vec![None; plan.workload.partitions.len()],
            nodes_of: if rules.backfill == Backfill::None { nodes_of(plan) } else { Vec::new() },
            touched: true,
            changed: true,
            joined: false,
            last_blocked: None,
            ahead: Lookahead::default(),
            looks_ahead: rules.backfill.reserves() || rules.backfill == Backfill::None && uncertain || drains,
            reservations: Reservations::default(),
            spent: Vec::new(),
            version: 0,
            monotone,
            counted,
            tries: BinaryHeap::new(),
            refused: vec![(0, 0); table.len()],
            failed: Vec::new(),
            passed: Vec::new(),
            overtaken: false,
            made_room: false,
            stopped: Vec::new(),
            wake: Time::NEVER,
            asked: Time::NEVER,
            ranked: None,
            rules,
        }
    }

    /// Something happened that changes nothing for the jobs that wait.
    pub(super) const fn touch(&mut self) {
        self.touched = true;
    }
    /// Something happened; it changes nothing only if the keys of its jobs are those of `ranked`.
    pub(super) fn touch_unless(&mut self, ranked: Option<Time>) {
        self.touched |= self.ranked != ranked;
    }
    /// Renews the keys of its jobs, unless they are those of `ranked`; all stand in order anew then, and nothing is known of
    /// them.
    pub(super) fn rank(&mut self, state: &State, order: &mut Order, ranked: Option<Time>) {
        if self.ranked == ranked {
            return;
        }
        self.ranked = ranked;
        for pending in &mut self.tiers {
            let mut candidates = Vec::new();
            for job in pending.drain(state) {
                order.renew(state, job);
                let key = key_of(order.key(state, job), state, job);
                candidates.push(self.rules.candidate(state, key));
            }
            candidates.sort();
            // One that was held back may have stood in order twice.
            candidates.dedup();
            for candidate in candidates {
                let stream = self.stream_of[candidate.class as usize];
                pending.stand(self.streams[stream as usize].line, candidate);
            }
        }
        self.streams.iter_mut().for_each(|stream| stream.blocked = None);
        self.change();
    }
    /// Something other than an arrival happened.
    pub(super) const fn change(&mut self) {
        self.touched = true;
        self.changed = true;
    }
    /// What is expected of running jobs, where that is looked at.
    pub(super) fn ahead(&mut self) -> Option<&mut Lookahead> {
        self.looks_ahead.then_some(&mut self.ahead)
    }
    /// Whether a pass may start anything: something has happened since the last, other than that jobs joined a partition
    /// which is closed before them; these matter too where places may cost more or less than then. Or more jobs may stop.
    pub(super) fn is_due(&self, now: Time, costs_differ: bool) -> bool {
        self.touched || self.joined && costs_differ || self.wake <= now
    }
    /// What happened until now is no reason for a pass; where the last one closed partitions, another has been since.
    pub(super) fn stand_down(&mut self) {
        (self.touched, self.joined) = (false, false);
        self.fronts.iter_mut().for_each(|front| front.head = None);
    }
    fn stream(&self, class: u32) -> usize {
        self.stream_of[class as usize] as usize
    }
    /// A job begins to wait.
    pub(super) fn push(&mut self, candidate: Candidate) {
        let stream = &self.streams[self.stream(candidate.class)];
        let head = self.fronts[stream.partition as usize].head;
        // Where nothing is looked ahead at and no job may stop once it has run long enough, time alone opens no partition again.
        let stays_closed = !self.looks_ahead && !self.rules.yields && self.tiers.len() == 1;
        let joins = stays_closed && head.is_some_and(|head| head < candidate.key);
        self.joined |= joins;
        self.touched |= !joins;
        self.tiers[stream.tier].push(stream.line, candidate);
    }
    /// A job that has run begins to wait again.
    pub(super) fn push_again(&mut self, candidate: Candidate) {
        let stream = &self.streams[self.stream(candidate.class)];
        self.tiers[stream.tier].purge(stream.line, job_of(candidate.key));
        self.push(candidate);
    }
    /// A job no longer waits.
    pub(super) fn forget(&mut self, candidate: Candidate) {
        let tier = self.streams[self.stream(candidate.class)].tier;
        self.tiers[tier].forget(candidate);
    }
    /// Every job that waits.
    pub(super) fn jobs<'a>(&'a self, state: &'a State) -> impl Iterator<Item = u32> + 'a {
        self.tiers.iter().flat_map(|pending| pending.jobs(state))
    }
    /// What tells jobs apart in a pass: their class and, where that decides now, how long they are expected to run.
    pub(super) fn kind(&self, state: &State, candidate: Candidate) -> (u32, u64) {
        let lengths_decide = self.rules.backfill.reserves() || state.lengths_decide();
        (candidate.class, if lengths_decide { candidate.work } else { 0 })
    }
    /// A job as its backfill sees it.
    pub(super) fn candidate(&self, state: &State, key: Key) -> Candidate {
        self.rules.candidate(state, key)
    }
}

/// By partition of a plan: its nodes, 64 a word.
fn nodes_of(plan: &Plan) -> Vec<Vec<u64>> {
    let words = plan.cluster.nodes().div_ceil(64) as usize;
    let of = |name: &String| {
        let mut nodes = vec![0; words];
        let partition = plan.cluster.partition(name);
        for node in partition.iter().flat_map(|partition| &partition.nodes).cloned().flatten() {
            nodes[node as usize >> 6] |= 1 << (node & 63);
        }
        nodes
    };
    plan.workload.partitions.iter().map(of).collect()
}
