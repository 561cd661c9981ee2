//! The pass of orders that stop no job: from the front of each queue, and, behind a blocked job, as the backfill says.

use super::PolicyError;
use super::backfill::{Backfill, easy::Reservations};
use super::pending::{Candidate, Key, Pending, job_of, key_of};
use super::pipeline::{Bus, Part, Pass};
use super::placement::Placement;
use super::placement::ranked::Ranked;
use crate::history::{Plan, SegmentEnd};
use crate::state::class::{Class, Form};
use crate::state::place::Choice;
use crate::state::{Decision, Event, State};
use crate::units::{Factor, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One queue a partition.
#[derive(Debug)]
struct Queue {
    pending: Pending,
    /// Whether anything but arrivals happened since the last pass.
    changed: bool,
    /// The head that the last pass stopped at.
    blocked: Option<Key>,
}

/// The pass of orders that stop no job.
#[derive(Debug)]
pub(super) struct Walk {
    key: fn(&State, u32) -> u64,
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

impl Walk {
    pub(super) fn new(
        state: &State,
        key: fn(&State, u32) -> u64,
        backfill: Backfill,
        (placement, ranked): (Placement, Option<Ranked>),
    ) -> Self {
        let (plan, table) = (state.plan(), &state.classes().table);
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

    fn candidate(&self, state: &State, job: u32) -> Candidate {
        let class = state.classes().of_job[job as usize];
        let work = match state.class(job).rate {
            _ if !self.backfill.reserves() => 0,
            Some(rate) => state.expected_work(job, rate),
            // Alike are those with as much left, and the same restart: only then do they end together at every rate.
            None => state.expected_work(job, Factor(0)) << 1 | u64::from(state.owes_restart(job)),
        };
        Candidate { key: key_of((self.key)(state, job), state, job), class, work }
    }

    /// Whether a job finds a place now; it is the choice then.
    #[inline]
    fn finds_place(&mut self, state: &State, job: u32) -> bool {
        let (placement, room, choice) = (&self.placement, state.resources(), &mut self.choice);
        let Some(ranked) = &mut self.ranked else {
            return placement.choose_in(state.class(job), job, room, choice);
        };
        let waiting = || self.queues.iter().flat_map(|queue| queue.pending.jobs(state));
        ranked.choose(placement, (state.classes(), waiting), job, room, choice)
    }

    /// Starts a job if it fits now.
    fn try_start(&mut self, bus: &mut Bus<'_, '_>, job: u32) -> Result<bool, PolicyError> {
        let state: &State = bus;
        let class = state.class(job);
        let fits = state.resources().within_quota(class)
            && state.resources().holds(class) != Some(false)
            && self.finds_place(state, job);
        if fits {
            self.start(bus, job)?;
        }
        Ok(fits)
    }

    /// Starts a job at its choice.
    fn start(&mut self, bus: &mut Bus<'_, '_>, job: u32) -> Result<(), PolicyError> {
        let Choice { pieces, cap, .. } = &self.choice;
        bus.apply(Decision::Start { job, domains: pieces, cap: *cap })?;
        let state: &State = bus;
        self.reservations.started(state, job);
        if let Some(ranked) = &mut self.ranked {
            ranked.started(&self.placement, state.resources(), &self.choice.pieces);
        }
        self.starts += 1;
        self.version += u64::from(!self.monotone);
        // What another queue waits for may be expected at another time now.
        let own = state.class(job).queue as usize;
        if self.queues.len() > 1 && !self.monotone {
            for (index, queue) in self.queues.iter_mut().enumerate() {
                queue.changed |= index != own && self.reservations.shares(own, index);
            }
        }
        Ok(())
    }

    /// Starts jobs from the front of a queue; returns the first that does not fit.
    fn start_heads(&mut self, bus: &mut Bus<'_, '_>, queue: usize) -> Result<Option<Key>, PolicyError> {
        loop {
            let Some(head) = self.queues[queue].pending.first(bus) else { return Ok(None) };
            if !self.queues[queue].changed && self.queues[queue].blocked == Some(head) {
                return Ok(Some(head));
            }
            if !self.try_start(bus, job_of(head))? {
                return Ok(Some(head));
            }
            // Who was blocked may find another place once less is free.
            self.queues[queue].changed |= !self.monotone;
            if self.backfill != Backfill::None {
                let candidate = self.candidate(bus, job_of(head));
                self.queues[queue].pending.remove(candidate);
            }
        }
    }

    fn pass(&mut self, bus: &mut Bus<'_, '_>, queue: usize) -> Result<(), PolicyError> {
        self.version += 1;
        let before = self.starts;
        let head = self.start_heads(bus, queue)?;
        // Who starts changes what is expected of the others.
        self.queues[queue].changed |= self.starts != before;
        let fresh = self.queues[queue].pending.take_fresh();
        let mut dirty = false;
        if self.backfill == Backfill::None {
            // Where other passes go on behind it, nobody is blocked by it.
            if head != self.queues[queue].blocked && !bus.plan().settings.has_event_passes() {
                bus.close_partition(narrow(queue), head.map(job_of));
            }
        } else if let Some(head) = head {
            dirty = self.fill(bus, queue, head, fresh)?;
        }
        self.queues[queue].changed = dirty;
        self.queues[queue].blocked = head;
        Ok(())
    }

    /// Tries who stands behind a blocked head. Returns whether the next pass has to try everybody again.
    fn fill(
        &mut self,
        bus: &mut Bus<'_, '_>,
        queue: usize,
        head: Key,
        fresh: Vec<Candidate>,
    ) -> Result<bool, PolicyError> {
        let reserves = self.backfill.reserves();
        let mut all = self.queues[queue].changed || self.queues[queue].blocked != Some(head);
        if reserves && !all {
            all = self.reservations.is_stale(bus, queue);
        }
        if reserves && all {
            self.reservations.reserve(bus, &mut self.placement, queue, job_of(head));
        }
        let cut = if reserves { self.reservations.cut(queue) } else { Time::NEVER };
        let first = if all { None } else { self.try_arrivals(bus, queue, head, &fresh, cut)? };
        self.queues[queue].pending.settle(fresh, bus);
        let mut started = first.is_some();
        let Some(after) = first.or(all.then_some(head)) else { return Ok(false) };
        self.line_up(bus, queue, after, cut);
        while let Some(Reverse(candidate)) = self.tries.pop() {
            let starts = self.may_fit(bus, candidate.class)
                && self.consider(bus, queue, job_of(head), candidate, cut)?;
            if starts {
                started = true;
                self.queues[queue].pending.remove(candidate);
            }
            if starts && !self.monotone {
                self.line_up(bus, queue, candidate.key, cut);
            } else {
                self.line_up_class(bus, queue, candidate.class, candidate.key, cut);
            }
        }
        Ok(started && !self.monotone)
    }

    /// Where nothing but arrivals happened, who was refused before would be refused again, until somebody starts: tries
    /// the arrivals alone, and returns the first that starts.
    fn try_arrivals(
        &mut self,
        bus: &mut Bus<'_, '_>,
        queue: usize,
        head: Key,
        fresh: &[Candidate],
        cut: Time,
    ) -> Result<Option<Key>, PolicyError> {
        let blocked = self.candidate(bus, job_of(head));
        let mut refused = std::mem::take(&mut self.alike);
        refused.clear();
        refused.push((blocked.class, blocked.work));
        let mut first = None;
        for candidate in fresh.iter().copied().filter(|candidate| candidate.key > head) {
            let alike = (candidate.class, candidate.work);
            if refused.contains(&alike) || !self.queues[queue].pending.leads(candidate) {
                continue;
            }
            if self.consider(bus, queue, job_of(head), candidate, cut)? {
                first = Some(candidate.key);
                break;
            }
            refused.push(alike);
        }
        self.alike = refused;
        Ok(first)
    }

    /// The next job of every class after `after` that might start.
    fn line_up(&mut self, state: &State, queue: usize, after: Key, cut: Time) {
        self.tries.clear();
        for index in 0..self.queues[queue].pending.active().len() {
            let class = self.queues[queue].pending.active()[index];
            self.line_up_class(state, queue, class, after, cut);
        }
    }

    /// The next job of a class after `after` that might start, unless the class has been refused in this state.
    fn line_up_class(&mut self, state: &State, queue: usize, class: u32, after: Key, cut: Time) {
        if !self.may_fit(state, class) {
            return;
        }
        let pending = &self.queues[queue].pending;
        let delays = self.refused[class as usize].1 == self.version;
        let next = if delays || self.backfill == Backfill::EasyStrict {
            // Who ends later than this would have to leave the head its room.
            let limit = match state.classes().table[class as usize].rate {
                Some(rate) if cut != Time::NEVER => u64::from(cut.since(state.now()).0) * u64::from(rate.0),
                _ => u64::MAX,
            };
            pending.next_within(class, after, limit)
        } else {
            pending.next(class, after)
        };
        self.tries.extend(next.map(Reverse));
    }

    /// Whether a class has not been refused in this state, nor do counts say that it would be.
    fn may_fit(&self, state: &State, class: u32) -> bool {
        let no_place = self.refused[class as usize].0 == self.version;
        !no_place && state.resources().holds(&state.classes().table[class as usize]) != Some(false)
    }

    /// Starts a candidate if it fits now and does not delay the head.
    fn consider(
        &mut self,
        bus: &mut Bus<'_, '_>,
        queue: usize,
        head: u32,
        candidate: Candidate,
        cut: Time,
    ) -> Result<bool, PolicyError> {
        let state: &State = bus;
        let job = job_of(candidate.key);
        let class = state.class(job);
        if self.backfill.reserves()
            && let Some(rate) = class.rate
            && state.expected_end(job, rate) > cut
            && !self.may_leave_room(state, queue, head, class)
        {
            self.refused[candidate.class as usize].1 = self.version;
            return Ok(false);
        }
        let fits = state.resources().within_quota(class) && self.finds_place(state, job);
        let refused = &mut self.refused[candidate.class as usize];
        if !fits {
            refused.0 = self.version;
            return Ok(false);
        }
        if self.backfill.reserves() {
            let end = state.expected_end(job, state.rate_on(job, &self.choice.pieces, self.choice.cap));
            let in_time = end <= cut;
            let beside = !in_time
                && self.backfill != Backfill::EasyStrict
                && self.reservations.leaves_room(state, &mut self.placement, queue, head, job, &self.choice);
            if !in_time && !beside {
                if class.rate.is_some() {
                    refused.1 = self.version;
                }
                return Ok(false);
            }
        }
        self.start(bus, job)?;
        Ok(true)
    }

    /// Whether a job that ends after the cut might leave the head its room, wherever it goes.
    fn may_leave_room(&self, state: &State, queue: usize, head: u32, class: &Class) -> bool {
        let gpus = class.gpus_milli;
        self.backfill != Backfill::EasyStrict
            && !(self.counted && self.reservations.lacks_gpus(state, queue, head, gpus))
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

impl Part for Walk {
    fn observe(&mut self, event: &Event, state: &State) {
        match *event {
            Event::Eligible { job } | Event::Released { job } => {
                let candidate = self.candidate(state, job);
                self.queues[state.class(job).queue as usize].pending.push(candidate);
            }
            Event::Ended { job, segment, end } => {
                self.reservations.ended(state, job, segment);
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    let candidate = self.candidate(state, job);
                    self.queues[state.class(job).queue as usize].pending.push(candidate);
                }
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Changed { job, .. } => {
                self.reservations.changed(state, job);
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Capacity | Event::Power => {
                self.reservations.forget();
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Withdrawn { job } | Event::Held { job, .. } => {
                let candidate = self.candidate(state, job);
                self.queues[state.class(job).queue as usize].pending.forget(candidate);
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Started { job, .. } => {
                self.reservations.started(state, job);
                let candidate = self.candidate(state, job);
                self.queues[state.class(job).queue as usize].pending.forget(candidate);
                self.queues.iter_mut().for_each(|queue| queue.changed = true);
            }
            Event::Rejected { .. }
            | Event::Settled { .. }
            | Event::Closed { .. }
            | Event::WakeAt { .. }
            | Event::Timer => {}
        }
    }
}

impl Pass for Walk {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        // Where costs decide which nodes a gang tries, other costs may let it in.
        let costs_differ = self.placement.freeze(bus) && !self.monotone;
        self.queues.iter_mut().for_each(|queue| queue.changed |= costs_differ);
        self.ranked.iter_mut().for_each(Ranked::begin);
        for queue in 0..self.queues.len() {
            self.pass(bus, queue)?;
        }
        Ok(())
    }
}
