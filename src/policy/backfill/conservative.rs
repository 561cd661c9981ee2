//! Conservative backfill: every waiting job has a reservation of its very nodes, which no later job may delay.
//!
//! A reservation is the earliest window in which the placement finds room that is free throughout, as long as the job
//! is expected to take at the lowest rate it might get. Who has none (arrivals, mostly) is inserted in queue order,
//! while the others stay; in a pass where something ended, each in queue order is removed and inserted anew, the
//! others staying. Where a running job is past its expected end (it is then expected to end a second from now), a
//! reservation's start went by unused, or a pass of another kind started somebody, all are given up first.
//!
//! Power is not reserved ahead: a place must be within every cap while nobody else runs, and at its start within those
//! that hold then. Who breaks one waits, at his place in line, and what starts behind him leaves him the power.
//!
//! What is left at each future instant is a profile of steps, each a ledger of every GPU and every node's CPU and
//! memory. A pass costs O(waiting · steps · ledger) time; a step takes 8 bytes a GPU and 16 a node.

mod gpus;
mod profile;

use super::super::PolicyError;
use super::super::order::Order;
use super::super::pipeline::{Bus, Part, Pass};
use super::super::placement::Placement;
use super::super::walk::{Key, job_of, key_of};
use super::{Backfill, Entry};
use crate::history::SegmentEnd;
use crate::state::place::Choice;
use crate::state::power::ledger::Ledger;
use crate::state::power::level::{cap_of, level_of};
use crate::state::{Decision, Event, State, ticks};
use crate::units::{Factor, Seconds, Time};
use profile::{Held, Profile, Span};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ENTRY: Entry = Entry {
    name: "conservative",
    about: "every job has a reservation of its very nodes, which nobody may delay",
    source: "Mu'alem, Feitelson, Utilization, predictability, workloads and user runtime estimates, 2001",
    kind: Backfill::Conservative,
};

/// A stretch of time, and what a job holds in it.
#[derive(Debug, Clone)]
struct Window {
    start: Time,
    end: Time,
    choice: Choice,
    /// Whether a pass was asked for at its start.
    wakes: bool,
}

impl Window {
    fn held(&self) -> Held<'_> {
        Held { start: self.start, end: self.end, pieces: &self.choice.pieces }
    }
}

/// A place in line: the queue, then the order in it.
type Place = (u32, Key);

/// The conservative policy.
#[derive(Debug)]
pub(crate) struct Conservative {
    order: Order,
    placement: Placement,
    profile: Profile,
    /// Whether the profile holds what runs and what is reserved.
    known: bool,
    waiting: BTreeMap<Place, Option<Window>>,
    /// When the reservations begin.
    begins: BTreeSet<(Time, Place)>,
    /// Running jobs: what they hold, and until when they are expected to.
    running: BTreeMap<u32, Window>,
    /// Whether reservations may lie in the way of somebody who started nevertheless.
    void: bool,
    /// Whether something ended since the last pass.
    ended: bool,
    /// Whether anything but timers happened since the last pass.
    eventful: bool,
}

impl Conservative {
    pub(crate) fn new(state: &State, order: Order, placement: Placement) -> Self {
        Self {
            order,
            placement,
            profile: Profile::new(state),
            known: false,
            waiting: BTreeMap::new(),
            begins: BTreeSet::new(),
            running: BTreeMap::new(),
            void: false,
            ended: false,
            eventful: true,
        }
    }

    fn place(&self, state: &State, job: u32) -> Place {
        (state.class(job).queue, key_of(self.order.key(state, job), state, job))
    }

    /// The profile from scratch: what runs and what is reserved.
    fn rebuild(&mut self, state: &State) {
        self.profile.clear(state);
        let reserved =
            self.waiting.iter().filter_map(|(place, window)| Some((job_of(place.1), window.as_ref()?)));
        let running = self.running.iter().map(|(job, window)| (*job, window));
        for (job, window) in running.chain(reserved) {
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
        }
    }

    /// The earliest window in which the job finds room, held from then on.
    fn reserve(&mut self, bus: &mut Bus<'_, '_>, place: Place) -> Result<(), PolicyError> {
        let state: &State = bus;
        let job = job_of(place.1);
        let old = self.waiting.get_mut(&place).and_then(Option::take);
        if let Some(old) = &old {
            self.begins.remove(&(old.start, place));
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
            .earliest(class, length, |room| self.placement.choose_in(class, job, room, &mut choice));
        if let Some(Span { start, end }) = found {
            // What begins in the next second waits for a job that ends then, which is an event.
            let wakes = start > state.now() + Seconds(1);
            let window = Window { start, end, choice, wakes };
            self.profile.take(class, window.held());
            self.waiting.insert(place, Some(window));
            self.begins.insert((start, place));
            if wakes && !old.as_ref().is_some_and(|old| old.wakes && old.start == start) {
                bus.apply(Decision::WakeAt { time: start })?;
            }
        }
        if let Some(old) = old {
            self.profile.forget_marks(old.start, old.end);
        }
        Ok(())
    }

    /// Running jobs past their expected end are expected to end a second from now. Returns whether there is one.
    fn extend_overdue(&mut self, state: &State) -> bool {
        let now = state.now();
        let mut any = false;
        for window in self.running.values_mut().filter(|window| window.end <= now) {
            window.end = now + Seconds(1);
            any = true;
        }
        any
    }

    fn start_due(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        let now = bus.now();
        let mut power = Power::default();
        let mut blocked = Vec::new();
        while let Some((start, place)) = self.begins.first().copied().filter(|(start, _)| *start == now) {
            self.begins.remove(&(start, place));
            let job = job_of(place.1);
            let Some(Some(mut window)) = self.waiting.remove(&place) else { continue };
            if !power.admits(bus, job, &mut window.choice) {
                blocked.push((place, window));
                continue;
            }
            let Choice { pieces, cap, .. } = &window.choice;
            bus.apply(Decision::Start { job, domains: pieces, cap: *cap })?;
            let state: &State = bus;
            let rate = state.segment(job).map_or(Factor::ONE, |segment| segment.rate);
            let end = state.expected_end(job, rate);
            // It was thought to take longer, or, under a cap, less.
            if end != window.end {
                self.give(state, job, &window);
                self.void |= end > window.end;
                window.end = end;
                if self.known {
                    self.profile.take(state.class(job), window.held());
                }
            }
            self.running.insert(job, window);
        }
        for (place, window) in blocked {
            self.begins.insert((now, place));
            self.waiting.insert(place, Some(window));
        }
        Ok(())
    }

    /// What nobody has reserved any more, for the job no longer waits.
    fn withdraw(&mut self, state: &State, place: Place) -> bool {
        let Some(window) = self.waiting.remove(&place).flatten() else { return false };
        self.begins.remove(&(window.start, place));
        self.give(state, job_of(place.1), &window);
        true
    }
}

/// What power there is for those who start in a pass.
#[derive(Debug, Default)]
struct Power {
    /// What would be reserved if those who wait for power had it; none: nobody does.
    with_blocked: Option<Ledger>,
}

impl Power {
    /// Whether a job may start at its place, at the level that `choice` then has; if not, what it asks for is kept for
    /// it.
    fn admits(&mut self, state: &State, job: u32, choice: &mut Choice) -> bool {
        let class = state.class(job);
        let (Some(ledger), Some(draws)) = (state.resources().power(), &class.draws) else { return true };
        let pieces = &choice.pieces;
        let admitted = |level: &usize| {
            let others = self.with_blocked.as_ref();
            ledger.admits(draws, *level, pieces)
                && others.is_none_or(|others| others.admits(draws, *level, pieces))
        };
        let level = draws.starts().iter().copied().find(admitted);
        if level.is_none() {
            self.with_blocked.get_or_insert_with(|| ledger.clone());
        }
        if let Some(others) = &mut self.with_blocked {
            others.hold(draws, level.unwrap_or(level_of(choice.cap)), pieces, true);
        }
        choice.cap = level.map_or(choice.cap, cap_of);
        level.is_some()
    }
}

impl Part for Conservative {
    fn observe(&mut self, event: &Event, state: &State) {
        self.eventful |= !matches!(event, Event::Timer | Event::WakeAt { .. } | Event::Closed { .. });
        self.order.observe(event, state);
        match *event {
            Event::Eligible { job } | Event::Released { job } => {
                self.waiting.insert(self.place(state, job), None);
            }
            Event::Started { job, segment } => {
                // Whoever started it looked at no reservation.
                self.waiting.remove(&self.place(state, job));
                self.void = true;
                let history = state.history();
                let segment = &history.segments[segment as usize];
                let choice = Choice { pieces: history.pieces_of(segment).to_vec(), ..Choice::default() };
                let end = state.expected_end(job, segment.rate);
                self.known = false;
                self.running.insert(job, Window { start: segment.from, end, choice, wakes: false });
            }
            Event::Ended { job, end, .. } => {
                self.ended = true;
                if let Some(window) = self.running.remove(&job) {
                    self.give(state, job, &window);
                }
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    self.waiting.insert(self.place(state, job), None);
                }
            }
            Event::Withdrawn { job } | Event::Held { job, .. } => {
                self.ended |= self.withdraw(state, self.place(state, job));
            }
            Event::Capacity | Event::Power => {
                self.ended = true;
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

impl Pass for Conservative {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        debug_assert!(
            self.waiting.keys().all(|place| bus.waits(job_of(place.1))),
            "only jobs that wait have a place in line"
        );
        let now = bus.now();
        // The timer of a reservation that has moved is no reason for a pass.
        let beginning = self.begins.range((now, Place::default())..).take_while(|(start, _)| *start == now);
        let due =
            beginning.filter_map(|(_, place)| self.waiting.get(place)).flatten().any(|window| window.wakes);
        let wanted = std::mem::take(&mut self.eventful) || due || bus.plan().settings.cycle.is_some();
        if !wanted {
            return Ok(());
        }
        self.placement.freeze(bus);
        let stale =
            std::mem::take(&mut self.void) || self.begins.first().is_some_and(|(start, _)| *start < now);
        let overdue = self.extend_overdue(bus);
        let ended = std::mem::take(&mut self.ended);
        if stale || overdue {
            // Those that stay would lie in the way of each other: all are given up before any is made anew.
            self.waiting.values_mut().for_each(|window| *window = None);
            self.begins.clear();
            self.known = false;
        }
        if self.known {
            self.profile.advance(now);
        } else {
            self.rebuild(bus);
        }
        if ended {
            let reserved = self.waiting.iter().filter(|(_, window)| window.is_some());
            for place in reserved.map(|(place, _)| *place).collect::<Vec<_>>() {
                self.reserve(bus, place)?;
            }
        }
        let without = self.waiting.iter().filter(|(_, window)| window.is_none());
        for place in without.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.reserve(bus, place)?;
        }
        self.start_due(bus)
    }
}
