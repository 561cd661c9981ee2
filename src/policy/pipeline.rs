//! Order, backfill and placement joined into one policy, for orders that stop nobody.

use super::backfill::{Backfill, conservative::Conservative, easy::Reservations};
use super::class::{Class, Form};
use super::order::{self, Rule};
use super::pending::{Candidate, Key, Pending, job_of, key_of};
use super::placement::ranked::{Ranked, Ranks};
use super::placement::{Choice, Placement};
use super::preemption::Preemptive;
use super::{Event, Policy, View};
use crate::history::{Plan, SegmentEnd};
use crate::units::{Factor, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The policy that a plan's settings name.
pub(super) fn build(view: &View, ranks: &Ranks) -> Option<Box<dyn Policy>> {
    let settings = &view.plan().settings;
    let placement = Placement::of(view.plan(), view.classes())?;
    let in_rounds = settings.cycle.is_some();
    let ranked = Ranked::new(ranks, &placement, in_rounds);
    let backfill = Backfill::named(&settings.backfill)?;
    let key = match order::named(&settings.order)?.rule {
        // Who is stopped for whom is decided anew in every pass: all are alike.
        Rule::Preemptive(ranking) => {
            return Some(Box::new(Preemptive::new(view, ranking, (placement, ranked))));
        }
        Rule::Static(key) => key,
    };
    let full: Box<dyn Policy> = match backfill {
        Backfill::Conservative => Box::new(Conservative::new(view, key, placement)),
        _ => Box::new(Pipeline::new(view, key, backfill, (placement, ranked))),
    };
    let Some(event) = settings.event_backfill.as_ref().filter(|_| settings.has_event_passes()) else {
        return Some(full);
    };
    let backfill = Backfill::named(event).filter(|backfill| backfill.serves_events())?;
    let placement = Placement::of(view.plan(), view.classes())?;
    let ranked = Ranked::new(ranks, &placement, false);
    Some(Box::new(TwoPasses {
        event: Box::new(Pipeline::new(view, key, backfill, (placement, ranked))),
        full,
    }))
}

/// One policy at events, another every so many seconds: where both fall together, only the other.
///
/// Each keeps its own books; what one starts the other hears of as of a job that has been running.
#[derive(Debug)]
struct TwoPasses {
    event: Box<dyn Policy>,
    full: Box<dyn Policy>,
}

impl Policy for TwoPasses {
    fn observe(&mut self, event: Event, view: &View) {
        self.event.observe(event, view);
        self.full.observe(event, view);
    }

    fn decide(&mut self, view: &mut View) {
        let before = view.history().segments.len();
        let full = view.plan().settings.is_full_pass(view.now());
        let (deciding, other) =
            if full { (&mut self.full, &mut self.event) } else { (&mut self.event, &mut self.full) };
        deciding.decide(view);
        for index in before..view.history().segments.len() {
            let job = view.history().segments[index].job;
            let segment = u32::try_from(index).expect("segments are counted in 32 bits");
            other.observe(Event::Running { job, segment }, view);
        }
    }
}

/// One queue a partition.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) pending: Pending,
    /// Whether anything but arrivals happened since the last pass.
    changed: bool,
    /// The head that the last pass stopped at.
    blocked: Option<Key>,
}

/// The non-preemptive policy.
#[derive(Debug)]
pub(super) struct Pipeline {
    key: fn(&View, u32) -> u64,
    backfill: Backfill,
    placement: Placement,
    /// Where the places of all who wait are ranked at once.
    ranked: Option<Ranked>,
    queues: Vec<Queue>,
    reservations: Reservations,
    choice: Choice,
    /// Counts states of free capacity in which who was refused may be tried again: one more at each pass, and at each
    /// start that might let in who did not fit.
    version: u64,
    /// How many jobs have started.
    starts: u64,
    /// Whether who does not fit now cannot fit once less is free, whatever started meanwhile and where.
    monotone: bool,
    /// Whether GPUs are alike and alone on their nodes, so that counts tell who leaves room for the head.
    counted: bool,
    /// In a pass: the next job of each class, the first on top.
    tries: BinaryHeap<Reverse<Candidate>>,
    /// By class: the version at which no place was found, and at which the head would have been delayed.
    refused: Vec<(u64, u64)>,
    /// Class and expected work of arrivals refused in a pass; kept for its memory.
    alike: Vec<(u32, u64)>,
}

impl Pipeline {
    fn new(
        view: &View,
        key: fn(&View, u32) -> u64,
        backfill: Backfill,
        (placement, ranked): (Placement, Option<Ranked>),
    ) -> Self {
        let (plan, table) = (view.plan(), &view.classes().table);
        let classes = table.len();
        let by_class = if backfill == Backfill::None { 0 } else { classes };
        let queue = |_| Queue { pending: Pending::new(by_class), changed: true, blocked: None };
        Self {
            key,
            backfill,
            placement,
            ranked,
            queues: plan.workload.partitions.iter().map(queue).collect(),
            reservations: Reservations::new(plan, table, backfill.reserves()),
            choice: Choice::default(),
            tries: BinaryHeap::new(),
            version: 0,
            starts: 0,
            monotone: counts_tell(plan, table)
                || backfill == Backfill::Skip && table.iter().all(|class| class.monotone),
            counted: counts_tell(plan, table) && plan.cluster.kinds.len() == 1,
            refused: vec![(0, 0); classes],
            alike: Vec::new(),
        }
    }

    fn candidate(&self, view: &View, job: u32) -> Candidate {
        let class = view.classes().of_job[job as usize];
        let work = match view.class(job).rate {
            _ if !self.backfill.reserves() => 0,
            Some(rate) => view.expected_work(job, rate),
            // Alike are those with as much left, and the same restart: only then do they end together at every rate.
            None => view.expected_work(job, Factor(0)) << 1 | u64::from(view.owes_restart(job)),
        };
        Candidate { key: key_of((self.key)(view, job), view, job), class, work }
    }

    /// Whether a job finds a place now; it is the choice then.
    #[inline]
    fn finds_place(&mut self, view: &View, job: u32) -> bool {
        let (placement, room, choice) = (&self.placement, view.room(), &mut self.choice);
        let Some(ranked) = &mut self.ranked else {
            return placement.choose_in(view.class(job), job, room, choice);
        };
        let waiting = || self.queues.iter().flat_map(|queue| queue.pending.jobs(view));
        ranked.choose(placement, (view.classes(), waiting), job, room, choice)
    }

    /// Starts a job if it fits now.
    fn try_start(&mut self, view: &mut View, job: u32) -> bool {
        let class = view.class(job);
        let fits = view.room().within_quota(class)
            && view.room().holds(class) != Some(false)
            && self.finds_place(view, job);
        if fits {
            self.start(view, job);
        }
        fits
    }

    fn start(&mut self, view: &mut View, job: u32) {
        self.reservations.started(view, job, &self.choice);
        view.start(job, &self.choice);
        if let Some(ranked) = &mut self.ranked {
            ranked.started(&self.placement, view.room(), &self.choice.pieces);
        }
        self.starts += 1;
        self.version += u64::from(!self.monotone);
        // What another queue waits for may be expected at another time now.
        let own = view.class(job).queue as usize;
        if self.queues.len() > 1 && !self.monotone {
            for (index, queue) in self.queues.iter_mut().enumerate() {
                queue.changed |= index != own && self.reservations.shares(own, index);
            }
        }
    }

    /// Starts jobs from the front of a queue; returns the first that does not fit.
    fn start_heads(&mut self, view: &mut View, queue: usize) -> Option<Key> {
        loop {
            let head = self.queues[queue].pending.first(view)?;
            if !self.queues[queue].changed && self.queues[queue].blocked == Some(head) {
                return Some(head);
            }
            if !self.try_start(view, job_of(head)) {
                return Some(head);
            }
            // Who was blocked may find another place once less is free.
            self.queues[queue].changed |= !self.monotone;
            if self.backfill != Backfill::None {
                let candidate = self.candidate(view, job_of(head));
                self.queues[queue].pending.remove(candidate);
            }
        }
    }

    fn pass(&mut self, view: &mut View, queue: usize) {
        self.version += 1;
        let before = self.starts;
        let head = self.start_heads(view, queue);
        // Who starts changes what is expected of the others.
        self.queues[queue].changed |= self.starts != before;
        let fresh = self.queues[queue].pending.take_fresh();
        let mut dirty = false;
        if self.backfill == Backfill::None {
            // Where other passes go on behind it, nobody is blocked by it.
            if head != self.queues[queue].blocked && !view.plan().settings.has_event_passes() {
                view.block(narrow(queue), head.map(job_of));
            }
        } else if let Some(head) = head {
            dirty = self.fill(view, queue, head, fresh);
        }
        self.queues[queue].changed = dirty;
        self.queues[queue].blocked = head;
    }

    /// Tries who stands behind a blocked head. Returns whether the next pass has to try everybody again.
    fn fill(&mut self, view: &mut View, queue: usize, head: Key, fresh: Vec<Candidate>) -> bool {
        let reserves = self.backfill.reserves();
        let mut all = self.queues[queue].changed || self.queues[queue].blocked != Some(head);
        if reserves && !all {
            all = self.reservations.is_stale(view, queue);
        }
        if reserves && all {
            self.reservations.reserve(view, &mut self.placement, queue, job_of(head));
        }
        let cut = if reserves { self.reservations.cut(queue) } else { Time::NEVER };
        let first = if all { None } else { self.try_arrivals(view, queue, head, &fresh, cut) };
        self.queues[queue].pending.settle(fresh, view);
        let mut started = first.is_some();
        let Some(after) = first.or(all.then_some(head)) else { return false };
        self.line_up(view, queue, after, cut);
        while let Some(Reverse(candidate)) = self.tries.pop() {
            let starts = self.may_fit(view, candidate.class)
                && self.consider(view, queue, job_of(head), candidate, cut);
            if starts {
                started = true;
                self.queues[queue].pending.remove(candidate);
            }
            if starts && !self.monotone {
                self.line_up(view, queue, candidate.key, cut);
            } else {
                self.line_up_class(view, queue, candidate.class, candidate.key, cut);
            }
        }
        started && !self.monotone
    }

    /// Where nothing but arrivals happened, who was refused before would be refused again, until somebody starts: tries
    /// the arrivals alone, and returns the first that starts.
    fn try_arrivals(
        &mut self,
        view: &mut View,
        queue: usize,
        head: Key,
        fresh: &[Candidate],
        cut: Time,
    ) -> Option<Key> {
        let blocked = self.candidate(view, job_of(head));
        let mut refused = std::mem::take(&mut self.alike);
        refused.clear();
        refused.push((blocked.class, blocked.work));
        let mut first = None;
        for candidate in fresh.iter().copied().filter(|candidate| candidate.key > head) {
            let alike = (candidate.class, candidate.work);
            if refused.contains(&alike) || !self.queues[queue].pending.leads(candidate) {
                continue;
            }
            if self.consider(view, queue, job_of(head), candidate, cut) {
                first = Some(candidate.key);
                break;
            }
            refused.push(alike);
        }
        self.alike = refused;
        first
    }

    /// The next job of every class after `after` that might start.
    fn line_up(&mut self, view: &View, queue: usize, after: Key, cut: Time) {
        self.tries.clear();
        for index in 0..self.queues[queue].pending.active().len() {
            let class = self.queues[queue].pending.active()[index];
            self.line_up_class(view, queue, class, after, cut);
        }
    }

    /// The next job of a class after `after` that might start, unless the class has been refused in this state.
    fn line_up_class(&mut self, view: &View, queue: usize, class: u32, after: Key, cut: Time) {
        if !self.may_fit(view, class) {
            return;
        }
        let pending = &self.queues[queue].pending;
        let delays = self.refused[class as usize].1 == self.version;
        let next = if delays || self.backfill == Backfill::EasyStrict {
            // Who ends later than this would have to leave the head its room.
            let limit = match view.classes().table[class as usize].rate {
                Some(rate) if cut != Time::NEVER => u64::from(cut.since(view.now()).0) * u64::from(rate.0),
                _ => u64::MAX,
            };
            pending.next_within(class, after, limit)
        } else {
            pending.next(class, after)
        };
        self.tries.extend(next.map(Reverse));
    }

    /// Whether a class has not been refused in this state, nor do counts say that it would be.
    fn may_fit(&self, view: &View, class: u32) -> bool {
        let no_place = self.refused[class as usize].0 == self.version;
        !no_place && view.room().holds(&view.classes().table[class as usize]) != Some(false)
    }

    /// Starts a candidate if it fits now and does not delay the head.
    fn consider(
        &mut self,
        view: &mut View,
        queue: usize,
        head: u32,
        candidate: Candidate,
        cut: Time,
    ) -> bool {
        let job = job_of(candidate.key);
        let class = view.class(job);
        if self.backfill.reserves()
            && let Some(rate) = class.rate
            && view.expected_end(job, rate) > cut
            && !self.may_leave_room(view, queue, head, class)
        {
            self.refused[candidate.class as usize].1 = self.version;
            return false;
        }
        let fits = view.room().within_quota(class) && self.finds_place(view, job);
        let refused = &mut self.refused[candidate.class as usize];
        if !fits {
            refused.0 = self.version;
            return false;
        }
        if self.backfill.reserves() {
            let end = view.expected_end(job, view.rate(job, &self.choice));
            let in_time = end <= cut;
            let beside = !in_time
                && self.backfill != Backfill::EasyStrict
                && self.reservations.leaves_room(view, &mut self.placement, queue, head, job, &self.choice);
            if !in_time && !beside {
                if class.rate.is_some() {
                    refused.1 = self.version;
                }
                return false;
            }
        }
        self.start(view, job);
        true
    }

    /// Whether a job that ends after the cut might leave the head its room, wherever it goes.
    fn may_leave_room(&self, view: &View, queue: usize, head: u32, class: &Class) -> bool {
        let gpus = class.gpus_milli;
        self.backfill != Backfill::EasyStrict
            && !(self.counted && self.reservations.lacks_gpus(view, queue, head, gpus))
    }
}

/// Whether counts of equal GPUs, one a node, say who fits, so that less free capacity never lets in who was refused;
/// where a reservation meets a choice of nodes it may.
fn counts_tell(plan: &Plan, classes: &[Class]) -> bool {
    let one_gpu = |kind: u32| plan.cluster.kinds[kind as usize].gpus <= 1;
    let counts = plan.cluster.racks.iter().all(|rack| rack.nodes == 1 && one_gpu(rack.kind));
    let is_simple = |class: &Class| {
        class.host.is_none() && class.draws.is_none() && !matches!(class.form, Form::Share { .. })
    };
    let simple = classes.iter().all(is_simple);
    let one_scope = classes.iter().all(|class| class.scope == 0);
    let one_queue = plan.workload.partitions.len() == 1;
    counts && simple && one_scope && one_queue
}

fn narrow(queue: usize) -> u32 {
    u32::try_from(queue).expect("queues are few")
}

impl Policy for Pipeline {
    fn observe(&mut self, event: Event, view: &View) {
        match event {
            Event::Eligible { job } => {
                let candidate = self.candidate(view, job);
                self.queues[view.class(job).queue as usize].pending.push(candidate);
            }
            Event::Ended { job, segment, end } => {
                self.reservations.ended(view, job, segment);
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    let candidate = self.candidate(view, job);
                    self.queues[view.class(job).queue as usize].pending.push(candidate);
                }
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Rerated { job, .. } => {
                self.reservations.rerated(view, job);
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Capacity | Event::Power => {
                self.reservations.forget();
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Cancelled { job } => {
                let candidate = self.candidate(view, job);
                self.queues[view.class(job).queue as usize].pending.remove(candidate);
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Running { job, segment } => {
                self.reservations.running(view, job, segment);
                let candidate = self.candidate(view, job);
                self.queues[view.class(job).queue as usize].pending.forget(candidate);
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Settled { .. } | Event::Timer => {}
        }
    }

    fn decide(&mut self, view: &mut View) {
        // Where costs decide which nodes a gang tries, other costs may let it in.
        let costs_differ = self.placement.freeze(view) && !self.monotone;
        self.queues.iter_mut().for_each(|queue| queue.changed |= costs_differ);
        self.ranked.iter_mut().for_each(Ranked::begin);
        for queue in 0..self.queues.len() {
            self.pass(view, queue);
        }
    }
}
