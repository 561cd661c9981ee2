//! Conservative backfill: every waiting job has a reservation of its very nodes, which no later job may delay.
//!
//! A reservation is the earliest window in which the placement finds room that is free throughout, as long as the job
//! is expected to take at the lowest rate it might get. Who has none (arrivals, mostly) is inserted in queue order,
//! while the others stay; in a pass where something ended, each in queue order is removed and inserted anew, the
//! others staying. Where a running job is past its expected end (it is then expected to end a second from now), a
//! reservation's start went by unused, or a pass of another kind started a job, all of its group of linked partitions are
//! given up first. With a `depth`, a job reserves only if fewer than so many before it in its partition hold a
//! reservation that begins later, or if it held one as the pass began.
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
use super::super::walk::{Key, groups, job_of, key_of};
use super::{Backfill, Entry};
use crate::history::SegmentEnd;
use crate::state::place::Choice;
use crate::state::power::ledger::Ledger;
use crate::state::power::level::{cap_of, level_of};
use crate::state::{Concern, Decision, Event, State, ticks};
use crate::units::{Factor, Seconds, Time};
use profile::{Held, Profile, Span};
use std::cmp::Reverse;
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
}

impl Window {
    fn held(&self) -> Held<'_> {
        Held { start: self.start, end: self.end, pieces: &self.choice.pieces }
    }
}

/// A place in line: the group of linked partitions, then the tier, the highest first, then the order in it.
type Place = (usize, Reverse<u32>, Key);

/// Before every place.
const FIRST: Place = (0, Reverse(u32::MAX), 0);

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
    waiting: BTreeMap<Place, Option<Window>>,
    /// When the reservations begin.
    begins: BTreeSet<(Time, Place)>,
    /// Running jobs: what they hold, and until when they are expected to.
    running: BTreeMap<u32, Window>,
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
            waiting: BTreeMap::new(),
            begins: BTreeSet::new(),
            running: BTreeMap::new(),
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
        let reserved =
            self.waiting.iter().filter_map(|(place, window)| Some((job_of(place.2), window.as_ref()?)));
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
        let job = job_of(place.2);
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
            .earliest(state, (class, length), |room| self.placement.choose_in(class, job, room, &mut choice));
        if let Some(Span { start, end }) = found {
            let wakes = start > state.now() && state.plan().settings.timers_are_events();
            let window = Window { start, end, choice };
            self.profile.take(class, window.held());
            self.waiting.insert(place, Some(window));
            self.begins.insert((start, place));
            if wakes && old.as_ref().is_none_or(|old| old.start != start) {
                bus.apply(Decision::WakeAt { time: start })?;
            }
        }
        if let Some(old) = old {
            self.profile.forget_marks(old.start, old.end);
        }
        Ok(())
    }

    /// Running jobs past their expected end are expected to end a second from now; the groups in which there is one have
    /// their reservations made anew.
    fn extend_overdue(&mut self, state: &State, concerned: &[bool]) {
        let now = state.now();
        let mut overdue = Vec::new();
        let group_of = &self.group_of;
        let concerned = |job: u32| concerned[group_of[state.class(job).queue as usize]];
        let late = |(job, window): &(&u32, &mut Window)| window.end <= now && concerned(**job);
        for (job, window) in self.running.iter_mut().filter(late) {
            window.end = now + Seconds(1);
            overdue.push(*job);
        }
        // The profile holds them until then no longer.
        self.known &= overdue.is_empty();
        for job in overdue {
            let group = self.group(state, job);
            self.happened[group].void = true;
        }
    }

    fn start_due(&mut self, bus: &mut Bus<'_, '_>, concerned: &[bool]) -> Result<(), PolicyError> {
        let now = bus.now();
        let due = self.begins.range((now, FIRST)..).take_while(|(start, _)| *start == now);
        let due: Vec<Place> = due.map(|(_, place)| *place).filter(|place| concerned[place.0]).collect();
        let mut power = Power::default();
        let mut blocked = Vec::new();
        for place in due {
            self.begins.remove(&(now, place));
            let job = job_of(place.2);
            let Some(Some(mut window)) = self.waiting.remove(&place) else { continue };
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
        self.give(state, job_of(place.2), &window);
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
                self.waiting.insert(self.place(state, job), None);
            }
            Event::Started { job, segment } => {
                // What started it looked at no reservation.
                let place = self.place(state, job);
                if let Some(Some(window)) = self.waiting.remove(&place) {
                    self.begins.remove(&(window.start, place));
                }
                self.happened[place.0].void = true;
                let history = state.history();
                let segment = &history.segments[segment as usize];
                let choice = Choice { pieces: history.pieces_of(segment).to_vec(), ..Choice::default() };
                let end = state.expected_end(job, segment.rate).min(state.departure(&choice.pieces));
                self.known = false;
                self.running.insert(job, Window { start: segment.from, end, choice });
            }
            Event::Ended { job, end, .. } => {
                let group = self.group(state, job);
                self.happened[group].ended = true;
                if let Some(window) = self.running.remove(&job) {
                    self.give(state, job, &window);
                }
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    self.waiting.insert(self.place(state, job), None);
                }
            }
            Event::Withdrawn { job } | Event::Held { job, .. } => {
                let place = self.place(state, job);
                self.happened[place.0].ended |= self.withdraw(state, place);
            }
            Event::Notice => {
                for (job, window) in &mut self.running {
                    window.end = window.end.min(state.departure(state.domains(*job)));
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
        let begin = self.begins.range((now, FIRST)..).take_while(|(start, _)| *start == now);
        begin.for_each(|(_, place)| concerned[place.0] = true);
        concerned
    }

    /// The reservations of the groups marked are given up: those that stay would lie in the way of each other.
    fn give_up(&mut self, anew: &[bool]) {
        for (place, window) in self.waiting.iter_mut().filter(|(place, _)| anew[place.0]) {
            if let Some(window) = window.take() {
                self.begins.remove(&(window.start, *place));
                self.known = false;
            }
        }
    }

    /// The places in line of the groups marked.
    fn places(&self, groups: &[bool], wanted: impl Fn(&Option<Window>) -> bool) -> Vec<Place> {
        let marked = self.waiting.iter().filter(|(place, window)| groups[place.0] && wanted(window));
        marked.map(|(place, _)| *place).collect()
    }

    /// Jobs without a reservation get one, those before `depth` later ones of their partition, and those that had one.
    fn reserve_all(
        &mut self,
        bus: &mut Bus<'_, '_>,
        concerned: &[bool],
        held: &BTreeSet<Place>,
    ) -> Result<(), PolicyError> {
        let (now, depth) = (bus.now(), bus.plan().settings.depth.unwrap_or(u32::MAX));
        let mut later = vec![0_u32; self.group_of.len()];
        for place in self.places(concerned, |_| true) {
            let before = later[bus.class(job_of(place.2)).queue as usize];
            let has_one = self.waiting.get(&place).is_some_and(Option::is_some);
            if !has_one && (before < depth || held.contains(&place)) {
                self.reserve(bus, place)?;
            }
            let window = self.waiting.get(&place).and_then(Option::as_ref);
            let waits = window.is_some_and(|window| window.start > now);
            later[bus.class(job_of(place.2)).queue as usize] += u32::from(waits);
        }
        Ok(())
    }
}

impl Pass for Conservative {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        debug_assert!(
            self.waiting.keys().all(|place| bus.waits(job_of(place.2))),
            "only jobs that wait have a place in line"
        );
        let concerned = self.concerned(bus);
        if !concerned.contains(&true) {
            return Ok(());
        }
        let now = bus.now();
        self.placement.freeze(bus);
        self.extend_overdue(bus, &concerned);
        let stale: Vec<usize> =
            self.begins.iter().take_while(|(start, _)| *start < now).map(|(_, place)| place.0).collect();
        stale.into_iter().for_each(|group| self.happened[group].void = true);
        let mut happened = self.happened.clone();
        for (group, concerned) in concerned.iter().enumerate() {
            if *concerned {
                self.happened[group] = Happened::default();
            } else {
                happened[group] = Happened::default();
            }
        }
        let held: BTreeSet<Place> = self.places(&concerned, Option::is_some).into_iter().collect();
        self.give_up(&happened.iter().map(|happened| happened.void).collect::<Vec<_>>());
        if self.known {
            self.profile.advance(now);
        } else {
            self.rebuild(bus);
        }
        let ended: Vec<bool> = happened.iter().map(|happened| happened.ended).collect();
        for place in self.places(&ended, Option::is_some) {
            self.reserve(bus, place)?;
        }
        self.reserve_all(bus, &concerned, &held)?;
        self.start_due(bus, &concerned)
    }
}
