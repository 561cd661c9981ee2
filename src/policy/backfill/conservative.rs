//! Conservative backfill: every waiting job has a reservation of its very nodes, which no later job may delay.
//!
//! A reservation is the earliest window in which the placement finds room that is free throughout, as long as the job
//! is expected to take at the lowest rate it might get. A job that has none (arrivals, mostly) is inserted in queue order,
//! while the others stay; in a pass where something ended, each in queue order is removed and inserted anew, the
//! others staying, unless it would find the same again. Where a running job is past its expected end (it is then expected to end a second from now), a
//! reservation's start went by unused, or a pass of another kind started a job, all of its group of linked partitions are
//! given up first. With a `depth`, a job reserves only if fewer than so many before it in its partition hold a
//! reservation that begins later, or if it held one as the pass began; with `max_jobs`, only if fewer than so many of its group
//! stand before it, or as before. With a `window` nothing is reserved that would begin later than so long after now.
//!
//! With a `resolution` time goes by slots of that length: whatever is expected to end is expected to end with the slot in which
//! it would, but where its nodes are known to go before. A job that runs on past its slot is expected to end with the one that
//! is under way.
//!
//! Power is not reserved ahead: a place must be within every cap while no other job runs, and at its start within those
//! that hold then. A job that breaks one waits at its place in line, and what starts behind it leaves it the power.
//!
//! While no job of its group has a reservation, a job that fits now starts at once: what is free then only grows.
//!
//! What is left at each future instant is a profile of steps, each a ledger of every GPU and every node's CPU and
//! memory. A pass costs O(waiting · steps · ledger) time; a step takes 8 bytes a GPU and 16 a node.

mod changes;
mod gpus;
mod options;
mod pass;
mod power;
mod profile;
mod running;
mod slots;
mod step;
mod waiting;

use super::super::PolicyError;
use super::super::order::Order;
use super::super::pipeline::{Bus, Part};
use super::super::placement::Placement;
use super::super::walk::{Key, groups, job_of, key_of};
use super::{Backfill, ListedBackfill};
use crate::state::place::Choice;
use crate::state::{Concern, Decision, Event, Resources, State, ticks};
use crate::units::{Seconds, Time};
use changes::Changes;
pub(super) use options::OPTIONS;
use profile::{Profile, Span};
use running::Running;
use slots::Slots;
use std::cmp::Reverse;
use std::collections::BTreeSet;
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
    slots: Slots,
    profile: Profile,
    /// Whether the profile holds what runs and what is reserved.
    known: bool,
    /// What has been given back and taken in the profile.
    changes: Changes,
    waiting: Waiting,
    running: Running,
    /// Running jobs that the profile does not hold yet: while no job of their group had a reservation, none was looked at.
    unseen: BTreeSet<u32>,
    /// Jobs started in this pass, with what is expected of them until it is over.
    started: Vec<Place>,
    /// By partition: its group of linked ones.
    group_of: Vec<usize>,
    /// By group.
    happened: Vec<Happened>,
    /// By group: as of when the keys of its jobs hold, where keys vary.
    ranked: Vec<Option<Time>>,
}

impl Conservative {
    pub(crate) fn new(state: &State, order: Order, placement: Placement) -> Self {
        let group_of = groups(state);
        let groups = group_of.iter().max().map_or(0, |last| last + 1);
        Self {
            order,
            placement,
            slots: Slots::of(&state.plan().settings),
            profile: Profile::new(state),
            known: false,
            changes: Changes::default(),
            waiting: Waiting::new(group_of.len()),
            running: Running::default(),
            unseen: BTreeSet::new(),
            started: Vec::new(),
            group_of,
            happened: vec![Happened { anything: true, ..Happened::default() }; groups],
            ranked: vec![None; groups],
        }
    }

    /// Renews the keys of the jobs of the groups marked, where those vary: all stand in line anew, with the reservations
    /// that they have.
    fn rank(&mut self, state: &State, concerned: &[bool]) {
        let ranked = self.order.ranked(state);
        let anew: Vec<bool> =
            self.ranked.iter().zip(concerned).map(|(own, concerned)| *concerned && *own != ranked).collect();
        if !anew.contains(&true) {
            return;
        }
        let places: Vec<Place> = self.waiting.places().filter(|place| anew[place.0]).collect();
        for place in places {
            let job = job_of(place.2);
            self.order.renew(state, job);
            self.waiting.put(place, self.place(state, job), state.class(job).partition);
        }
        self.ranked.iter_mut().zip(&anew).filter(|(_, anew)| **anew).for_each(|(own, _)| *own = ranked);
    }

    fn place(&self, state: &State, job: u32) -> Place {
        let class = state.class(job);
        let group = self.group_of[class.partition as usize];
        (group, Reverse(class.tier), key_of(self.order.key(state, job), state, job))
    }
    fn group(&self, state: &State, job: u32) -> usize {
        self.group_of[state.class(job).partition as usize]
    }

    /// The profile holds what runs and what is reserved, from now on.
    fn look_ahead(&mut self, state: &State) {
        if !self.known {
            return self.rebuild(state);
        }
        self.profile.advance(state.now());
        for job in std::mem::take(&mut self.unseen) {
            if let Some(window) = self.running.window(job) {
                self.profile.take(state.class(job), window.held());
                self.changes.take(window.start, window.end);
            }
        }
    }

    /// The profile from scratch: what runs and what is reserved.
    fn rebuild(&mut self, state: &State) {
        self.profile.clear(state);
        self.changes.forget();
        self.unseen.clear();
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

    /// Starts a job that fits now where no other job of its group has a reservation: what is free then only grows, and
    /// nothing need be known of what will be free when.
    fn starts_at_once(&mut self, bus: &mut Bus<'_, '_>, place: Place) -> Result<bool, PolicyError> {
        let state: &State = bus;
        let (job, resources) = (job_of(place.2), state.resources());
        let class = state.class(job);
        let comparable = resources.power().is_none() && !state.foresees_changes();
        if !comparable || self.waiting.has_reserved(place.0) || !resources.below_ceilings(class) {
            return Ok(false);
        }
        let mut choice = Choice::default();
        if !self.placement.choose_in(class, job, resources, &mut choice) {
            return Ok(false);
        }
        let (start, end) = (state.now(), self.slots.end(state.now() + longest(state, job)));
        self.waiting.remove(place, class.partition);
        bus.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?;
        self.running.insert(job, Window { start, end, choice, found: 0 });
        self.unseen.insert(job);
        self.started.push(place);
        Ok(true)
    }

    /// The earliest window in which the job finds room, held from then on.
    fn reserve(&mut self, bus: &mut Bus<'_, '_>, place: Place) -> Result<(), PolicyError> {
        if self.starts_at_once(bus, place)? {
            return Ok(());
        }
        let state: &State = bus;
        let job = job_of(place.2);
        let partition = state.class(job).partition;
        let old = self.waiting.take(place, partition);
        self.known &= old.is_none() || !self.profile.is_overdrawn();
        let holds_old = self.known;
        self.look_ahead(state);
        if let Some(old) = old.as_ref().filter(|_| holds_old) {
            self.profile.give(state.class(job), old.held());
        }
        let class = state.class(job);
        let length = longest(state, job);
        let mut choice = Choice::default();
        let found = self.profile.earliest(state, (class, length), self.slots, |room| {
            self.placement.choose_in(class, job, room, &mut choice)
        });
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
            self.waiting.reserve(place, partition, window);
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

    /// What is no longer reserved, since the job no longer waits.
    fn withdraw(&mut self, state: &State, place: Place) -> bool {
        let job = job_of(place.2);
        let Some(window) = self.waiting.remove(place, state.class(job).partition) else { return false };
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
                self.waiting.insert(self.place(state, job), state.class(job).partition);
            }
            Event::Started { job, segment } => {
                // What started it looked at no reservation.
                let place = self.place(state, job);
                self.waiting.remove(place, state.class(job).partition);
                self.happened[place.0].void = true;
                let history = state.history();
                let segment = &history.segments[segment as usize];
                let choice = Choice { pieces: history.pieces_of(segment).to_vec(), ..Choice::default() };
                let expected = self.slots.end(state.expected_end(job, segment.rate));
                let end = expected.min(state.departure(&choice.pieces));
                self.known = false;
                self.running.insert(job, Window { start: segment.from, end, choice, found: 0 });
            }
            Event::Ended { job, end, .. } => {
                let group = self.group(state, job);
                self.happened[group].ended = true;
                let window = self.running.remove(job);
                if let Some(window) = window.filter(|_| !self.unseen.remove(&job)) {
                    self.give(state, job, &window);
                }
                if end.is_stop() {
                    self.known = false;
                    self.waiting.insert(self.place(state, job), state.class(job).partition);
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

/// How long a job takes at most, at the lowest rate that it might get.
fn longest(state: &State, job: u32) -> Seconds {
    let rate = state.slowest_rate(job);
    ticks(state.expected_work(job, rate), rate)
}
