//! Conservative backfill: every waiting job has a reservation of its very nodes, which no later job may delay.
//!
//! A reservation is the earliest window in which the placement finds room that is free throughout, as long as the job
//! is expected to take at the lowest rate it might get. A job that has none (arrivals, mostly) is inserted in queue order,
//! while the others stay; in a pass where something ended, each in queue order is removed and inserted anew, the
//! others staying, unless it would find the same again. Where a running job is past its expected end (it is then expected to end a second from now), a
//! reservation's start went by unused, or a pass of another kind started a job, all of its group of linked partitions are
//! given up first. With a `depth`, a job reserves only if fewer than so many before it in its partition hold a
//! reservation that begins later, or if it held one as the pass began.
//!
//! Power is not reserved ahead: a place must be within every cap while no other job runs, and at its start within those
//! that hold then. A job that breaks one waits at its place in line, and what starts behind it leaves it the power.
//!
//! What is left at each future instant is a profile of steps, each a ledger of every GPU and every node's CPU and
//! memory. A pass costs O(waiting · steps · ledger) time; a step takes 8 bytes a GPU and 16 a node.

mod changes;
mod gpus;
mod power;
mod profile;
mod running;
mod step;
mod waiting;

use super::super::PolicyError;
use super::super::order::Order;
use super::super::pipeline::{Bus, Part, Pass};
use super::super::placement::Placement;
use super::super::walk::{Key, groups, job_of, key_of};
use super::{Backfill, ListedBackfill};
use crate::history::SegmentEnd;
use crate::state::place::Choice;
use crate::state::{Concern, Decision, Event, Resources, State, ticks};
use crate::units::{Factor, Seconds, Time};
use changes::Changes;
use power::Power;
use profile::{Profile, Span};
use running::Running;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use waiting::{Waiting, Window};

pub(super) const ENTRY: ListedBackfill = ListedBackfill {
    name: "conservative",
    about: "every job has a reservation of its very nodes, which nobody may delay",
    source: "Mu'alem, Feitelson, Utilization, predictability, workloads and user runtime estimates, 2001",
    kind: Backfill::Conservative,
};

/// A place in line: the group of linked partitions, then the tier, the highest first, then the order in it.
type Place = (usize, Reverse<u32>, Key);

/// What has happened to a group of linked partitions since its last pass.
#[derive(Debug, Clone, Copy, Default)]
struct Happened {
    /// Anything but timers.
    anything: bool,
    /// Something ended, or capacity changed.
    ended: bool,
    /// Reservations may lie in the way of a job that started nevertheless.
    void: bool,
}

/// The conservative policy.
#[derive(Debug)]
pub(crate) struct Conservative {
    order: Order,
    placement: Placement,
    profile: Profile,
    /// Whether the profile holds what runs and what is reserved.
    known: bool,
    /// What has been given back and taken in the profile.
    changes: Changes,
    waiting: Waiting,
    running: Running,
    /// By partition: its group of linked ones.
    group_of: Vec<usize>,
    /// By group.
    happened: Vec<Happened>,
}

impl Conservative {
    pub(crate) fn new(state: &State, order: Order, placement: Placement) -> Self {
        let group_of = groups(state);
        let groups = group_of.iter().max().map_or(0, |last| last + 1);
        Self {
            order,
            placement,
            profile: Profile::new(state),
            known: false,
            changes: Changes::default(),
            waiting: Waiting::new(group_of.len()),
            running: Running::default(),
            group_of,
            happened: vec![Happened { anything: true, ..Happened::default() }; groups],
        }
    }

    fn place(&self, state: &State, job: u32) -> Place {
        let class = state.class(job);
        let group = self.group_of[class.queue as usize];
        (group, Reverse(class.tier), key_of(self.order.key(state, job), state, job))
    }
    fn group(&self, state: &State, job: u32) -> usize {
        self.group_of[state.class(job).queue as usize]
    }

    /// The profile from scratch: what runs and what is reserved.
    fn rebuild(&mut self, state: &State) {
        self.profile.clear(state);
        self.changes.forget();
        let reserved = self.waiting.reserved().map(|(place, window)| (job_of(place.2), window));
        for (job, window) in self.running.iter().chain(reserved) {
            self.profile.take(state.class(job), window.held());
        }
        self.known = true;
    }

    /// A window is free again. One that was held twice over is not known to be: then nothing is known.
    fn give(&mut self, state: &State, job: u32, window: &Window) {
        self.known &= !self.profile.is_overdrawn();
        if self.known {
            self.profile.give(state.class(job), window.held());
            self.profile.forget_marks(window.start, window.end);
            if window.end > state.now() {
                self.changes.give(window.start);
            }
        }
    }

    /// Whether a reservation, removed and inserted anew, would be the same again.
    fn stays(&mut self, state: &State, place: Place) -> bool {
        let Some(window) = self.waiting.window(place) else { return false };
        let class = state.class(job_of(place.2));
        let comparable = self.known
            && class.monotone
            && !self.profile.is_overdrawn()
            && !state.foresees_changes()
            && self.changes.none_given(window.found, window.end);
        if !comparable {
            return false;
        }
        if self.changes.none_taken(window.found, (window.start, window.end))
            || self.placement.ignores_others(class, state.resources())
        {
            return true;
        }
        // What else is taken in the window since may make other nodes the better choice.
        let mut choice = Choice::default();
        let placement = &self.placement;
        let chooses = |room: &Resources| placement.choose_in(class, job_of(place.2), room, &mut choice);
        let same = self.profile.choose_again(class, window.held(), chooses) && choice == window.choice;
        if same {
            self.waiting.found_again(place, self.changes.stamp());
        }
        same
    }

    /// The earliest window in which the job finds room, held from then on.
    fn reserve(&mut self, bus: &mut Bus<'_, '_>, place: Place) -> Result<(), PolicyError> {
        let state: &State = bus;
        let job = job_of(place.2);
        let queue = state.class(job).queue;
        let old = self.waiting.take(place, queue);
        if old.is_some() {
            self.known &= !self.profile.is_overdrawn();
        }
        match &old {
            Some(old) if self.known => self.profile.give(state.class(job), old.held()),
            _ if self.known => {}
            _ => self.rebuild(state),
        }
        let class = state.class(job);
        let rate = state.slowest_rate(job);
        let length = ticks(state.expected_work(job, rate), rate);
        let mut choice = Choice::default();
        let found = self
            .profile
            .earliest(state, (class, length), |room| self.placement.choose_in(class, job, room, &mut choice));
        if let Some(Span { start, end }) = found {
            let wakes = start > state.now() && state.plan().settings.timers_are_events();
            let mut window = Window { start, end, choice, found: 0 };
            self.profile.take(class, window.held());
            let same = |old: &Window| old.held() == window.held();
            if !old.as_ref().is_some_and(same) {
                old.iter().for_each(|old| self.changes.give(old.start));
                self.changes.take(start, end);
            }
            window.found = self.changes.stamp();
            self.waiting.reserve(place, queue, window);
            if wakes && old.as_ref().is_none_or(|old| old.start != start) {
                bus.apply(Decision::WakeAt { time: start })?;
            }
        }
        if let Some(old) = old {
            self.profile.forget_marks(old.start, old.end);
            if found.is_none() {
                self.changes.give(old.start);
            }
        }
        Ok(())
    }

    /// Running jobs past their expected end are expected to end a second from now; the groups in which there is one have
    /// their reservations made anew.
    fn extend_overdue(&mut self, state: &State, concerned: &[bool]) {
        let now = state.now();
        let overdue: Vec<u32> =
            self.running.due(now).filter(|job| concerned[self.group(state, *job)]).collect();
        // The profile holds them until then no longer.
        self.known &= overdue.is_empty();
        for job in overdue {
            self.running.expect(job, now + Seconds(1));
            let group = self.group(state, job);
            self.happened[group].void = true;
        }
    }

    fn start_due(&mut self, bus: &mut Bus<'_, '_>, concerned: &[bool]) -> Result<(), PolicyError> {
        let now = bus.now();
        let due: Vec<Place> = self.waiting.beginning(now).filter(|place| concerned[place.0]).collect();
        let mut power = Power::default();
        let mut blocked = Vec::new();
        for place in due {
            let job = job_of(place.2);
            self.waiting.forget_begin(now, place);
            let Some(mut window) = self.waiting.remove(place, bus.class(job).queue) else { continue };
            if !power.admits(bus, job, &mut window.choice) {
                blocked.push((place, window));
                continue;
            }
            let Choice { pieces, cap, .. } = &window.choice;
            bus.apply(Decision::Start { job, domains: pieces, cap: *cap })?;
            let state: &State = bus;
            let rate = state.segment(job).map_or(Factor::ONE, |segment| segment.rate);
            let end = state.expected_end(job, rate).min(state.departure(&window.choice.pieces));
            // It was thought to take longer, or, under a cap, less.
            if end != window.end {
                self.give(state, job, &window);
                self.happened[place.0].void |= end > window.end;
                window.end = end;
                if self.known {
                    self.profile.take(state.class(job), window.held());
                    self.changes.take(window.start, window.end);
                }
            }
            self.running.insert(job, window);
        }
        for (place, window) in blocked {
            self.waiting.reserve(place, bus.class(job_of(place.2)).queue, window);
        }
        Ok(())
    }

    /// What is no longer reserved, since the job no longer waits.
    fn withdraw(&mut self, state: &State, place: Place) -> bool {
        let job = job_of(place.2);
        let Some(window) = self.waiting.remove(place, state.class(job).queue) else { return false };
        self.give(state, job, &window);
        true
    }
}

impl Part for Conservative {
    fn observe(&mut self, event: &Event, state: &State) {
        self.order.observe(event, state);
        match event.concern() {
            Concern::Linked(job) => {
                let group = self.group(state, job);
                self.happened[group].anything = true;
            }
            Concern::All => self.happened.iter_mut().for_each(|happened| happened.anything = true),
            Concern::None => {}
        }
        match *event {
            Event::Eligible { job } | Event::Released { job } => {
                self.waiting.insert(self.place(state, job), state.class(job).queue);
            }
            Event::Started { job, segment } => {
                // What started it looked at no reservation.
                let place = self.place(state, job);
                self.waiting.remove(place, state.class(job).queue);
                self.happened[place.0].void = true;
                let history = state.history();
                let segment = &history.segments[segment as usize];
                let choice = Choice { pieces: history.pieces_of(segment).to_vec(), ..Choice::default() };
                let end = state.expected_end(job, segment.rate).min(state.departure(&choice.pieces));
                self.known = false;
                self.running.insert(job, Window { start: segment.from, end, choice, found: 0 });
            }
            Event::Ended { job, end, .. } => {
                let group = self.group(state, job);
                self.happened[group].ended = true;
                if let Some(window) = self.running.remove(job) {
                    self.give(state, job, &window);
                }
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    self.waiting.insert(self.place(state, job), state.class(job).queue);
                }
            }
            Event::Withdrawn { job } | Event::Held { job, .. } => {
                let place = self.place(state, job);
                self.happened[place.0].ended |= self.withdraw(state, place);
            }
            Event::Notice => {
                let jobs: Vec<(u32, Time)> =
                    self.running.iter().map(|(job, window)| (job, window.end)).collect();
                for (job, end) in jobs {
                    self.running.expect(job, end.min(state.departure(state.domains(job))));
                }
                self.happened.iter_mut().for_each(|happened| happened.ended = true);
                self.known = false;
            }
            Event::Capacity | Event::Power => {
                self.happened.iter_mut().for_each(|happened| happened.ended = true);
                self.known = false;
            }
            Event::Rejected { .. }
            | Event::Settled { .. }
            | Event::Changed { .. }
            | Event::Closed { .. }
            | Event::WakeAt { .. }
            | Event::Timer => {}
        }
    }
}

impl Conservative {
    /// The groups that a pass concerns: those in which something happened or a reservation begins, at a cycle all.
    fn concerned(&self, state: &State) -> Vec<bool> {
        let (now, settings) = (state.now(), &state.plan().settings);
        let all = settings.cycle.is_some() && settings.is_full_pass(now);
        let mut concerned: Vec<bool> =
            self.happened.iter().map(|happened| all || happened.anything).collect();
        self.waiting.beginning(now).for_each(|place| concerned[place.0] = true);
        concerned
    }

    /// The reservations of the groups marked are given up: those that stay would lie in the way of each other.
    fn give_up(&mut self, state: &State, anew: &[bool]) {
        for place in self.waiting.reserved_in(anew) {
            self.waiting.take(place, state.class(job_of(place.2)).queue);
            self.known = false;
        }
    }

    /// Jobs without a reservation get one: all, or those before `depth` later ones of their partition and those that had
    /// one as the pass began.
    fn reserve_all(
        &mut self,
        bus: &mut Bus<'_, '_>,
        concerned: &[bool],
        (depth, held): (Option<u32>, &BTreeSet<Place>),
    ) -> Result<(), PolicyError> {
        let Some(depth) = depth else {
            for place in self.waiting.unreserved_in(concerned) {
                self.reserve(bus, place)?;
            }
            return Ok(());
        };
        let now = bus.now();
        // By partition: reservations that begin later, of the places in line so far.
        let mut later = vec![0_u32; self.group_of.len()];
        let mut reserved = self.waiting.reserved_in(concerned).into_iter().peekable();
        let mut fronts: BinaryHeap<Reverse<(Place, u32)>> =
            self.waiting.first_unreserved(concerned).map(Reverse).collect();
        while let Some(Reverse((place, queue))) = fronts.pop() {
            while let Some(before) = reserved.next_if(|before| *before < place) {
                let waits = self.waiting.window(before).is_some_and(|window| window.start > now);
                later[bus.class(job_of(before.2)).queue as usize] += u32::from(waits);
            }
            let later = &mut later[queue as usize];
            if *later < depth || held.contains(&place) {
                self.reserve(bus, place)?;
                *later += u32::from(self.waiting.window(place).is_some_and(|window| window.start > now));
            }
            let next = if *later < depth {
                self.waiting.next_unreserved(queue, place)
            } else {
                self.waiting.next_unreserved_of(queue, place, held)
            };
            fronts.extend(next.map(|next| Reverse((next, queue))));
        }
        Ok(())
    }
}

impl Pass for Conservative {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        debug_assert!(
            self.waiting.places().all(|place| bus.waits(job_of(place.2))),
            "only jobs that wait have a place in line"
        );
        let concerned = self.concerned(bus);
        if !concerned.contains(&true) {
            return Ok(());
        }
        let now = bus.now();
        if self.placement.freeze(bus) {
            self.changes.forget();
        }
        self.extend_overdue(bus, &concerned);
        for place in self.waiting.begun_before(now) {
            self.happened[place.0].void = true;
        }
        let mut happened = self.happened.clone();
        for (group, concerned) in concerned.iter().enumerate() {
            if *concerned {
                self.happened[group] = Happened::default();
            } else {
                happened[group] = Happened::default();
            }
        }
        let depth = bus.plan().settings.depth;
        let held: BTreeSet<Place> = if depth.is_some() {
            self.waiting.reserved_in(&concerned).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        self.give_up(bus, &happened.iter().map(|happened| happened.void).collect::<Vec<_>>());
        if self.known {
            self.profile.advance(now);
        } else {
            self.rebuild(bus);
        }
        let ended: Vec<bool> = happened.iter().map(|happened| happened.ended).collect();
        if ended.contains(&true) {
            for place in self.waiting.reserved_in(&ended) {
                if !self.stays(bus, place) {
                    self.reserve(bus, place)?;
                }
            }
        }
        self.reserve_all(bus, &concerned, (depth, &held))?;
        self.start_due(bus, &concerned)
    }
}
