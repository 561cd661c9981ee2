//! Running jobs stop so that a blocked one starts: all of them and the start, or nothing. Where they move, each starts
//! elsewhere at once.

use super::Group;
use super::attempt::drained_for;
use crate::policy::PolicyError;
use crate::policy::pipeline::Bus;
use crate::policy::walk::Desk;
use crate::policy::walk::finder::Finder;
use crate::policy::walk::pending::key_of;
use crate::state::{Decision, Event, State, Supposed, Trial};
use crate::units::{Factor, Time};
use std::cmp::Reverse;

impl Group {
    /// Starts a job that is blocked, by a row of quotas and limits if one says no, if jobs that stop for it make room and
    /// that delays no reservation. Returns whether it has started.
    pub(super) fn makes_room(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        (job, row): (u32, Option<u32>),
    ) -> Result<bool, PolicyError> {
        let Desk { order, finder, expected, yielding: Some(yielding) } = desk else { return Ok(false) };
        let moves = yielding.moves();
        if moves && !self.reservations.is_empty() {
            return Ok(false);
        }
        let own = |partition: u32| self.streams.iter().any(|stream| stream.partition == partition);
        let state: &State = bus;
        let is_behind = |running: u32| {
            order.renew(state, running);
            order.key(state, job) <= order.key(state, running)
        };
        let (candidates, next) = yielding.candidates(state, (job, row), own, is_behind);
        self.wake = self.wake.min(next);
        if candidates.is_empty() {
            return Ok(false);
        }
        let withdrawn = self.withdrawn(bus, job);
        let (supposed, drained) = (self.supposed_now(bus, job, withdrawn), drained_for(bus, job));
        let mut find = |trial: &mut Trial<'_>| {
            let supposed = on_trial(trial, &supposed, drained.as_deref());
            place(trial, finder, job, supposed)
        };
        let Some(chosen) = yielding.choose(bus.trial(), (job, row), candidates, &mut find) else {
            self.finds_none(bus, bus.class(job).index);
            return Ok(false);
        };
        let events = bus.attempt(|trial, events| {
            for job in &chosen {
                let event = trial.apply(Decision::Stop { job: *job })?;
                self.no_longer_expected(trial, expected, event);
                events.push(event);
            }
            let supposed = on_trial(trial, &supposed, drained.as_deref());
            let fits = place(trial, finder, job, supposed).is_some();
            if !fits || !self.reservations.is_empty() && !self.delays_nothing(finder, trial, job) {
                return Ok(Err(()));
            }
            let choice = finder.choice();
            events.push(trial.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?);
            if moves && !self.start_again(trial, finder, events)? {
                return Ok(Err(()));
            }
            Ok(Ok(()))
        })?;
        let Ok(events) = events else {
            chosen.iter().for_each(|job| self.still_expected(bus, expected, *job));
            if moves {
                self.finds_none(bus, bus.class(job).index);
            }
            return Ok(false);
        };
        for event in &events {
            desk.order.observe(event, bus);
            if let Event::Ended { job: stopped, segment, .. } = *event {
                desk.ends(stopped);
                bus.trial().note_yield(segment, job);
            }
        }
        desk.finder.forget();
        self.started(desk, bus, job);
        self.made_room = true;
        if moves {
            chosen.iter().for_each(|job| self.started(desk, bus, *job));
        } else {
            self.stopped = chosen;
        }
        Ok(true)
    }

    /// The jobs that have stopped, as `events` tell, start elsewhere, those that hold most first, and none at a lower cap than
    /// before: nobody makes room by going slower. Returns whether all do.
    fn start_again(
        &self,
        trial: &mut Trial<'_>,
        finder: &mut Finder,
        events: &mut Vec<Event>,
    ) -> Result<bool, PolicyError> {
        let stopped = |event: &Event| match *event {
            Event::Ended { job, segment, .. } => Some((job, trial.history().segments[segment as usize].cap)),
            _ => None,
        };
        let mut line: Vec<(u32, Factor)> = events.iter().filter_map(stopped).collect();
        line.sort_by_key(|(job, _)| (Reverse(trial.class(*job).gpus_milli), *job));
        for (job, cap) in line {
            // Curtailments to come are drained for when a job starts for the first time.
            let supposed = self.supposed_now(trial, job, self.withdrawn(trial, job));
            let found = place(trial, finder, job, supposed).is_some();
            let choice = finder.choice();
            if !found || choice.cap < cap {
                return Ok(false);
            }
            events.push(trial.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?);
        }
        Ok(true)
    }

    /// A job that was expected to end has stopped.
    fn no_longer_expected(&mut self, state: &State, expected: &[Time], event: Event) {
        if self.looks_ahead
            && let Event::Ended { job, segment, .. } = event
        {
            let (history, end) = (state.history(), expected[job as usize]);
            let segment = &history.segments[segment as usize];
            self.ahead.end(state.class(job), job, end, (history.pieces_of(segment), segment.cap));
        }
    }

    /// A job that had stopped on trial runs on.
    fn still_expected(&mut self, state: &State, expected: &[Time], job: u32) {
        if self.looks_ahead
            && let Some(segment) = state.segment(job)
        {
            let held = (state.domains(job), segment.cap);
            self.ahead.begin(state.class(job), job, expected[job as usize], held);
        }
    }

    /// Jobs that have stopped for another wait with the others, and what is left is tried from the front. Returns whether
    /// room has been made.
    pub(super) fn lines_up_stopped(&mut self, desk: &Desk, state: &State) -> bool {
        if !std::mem::take(&mut self.made_room) {
            return false;
        }
        for job in std::mem::take(&mut self.stopped) {
            let candidate = self.candidate(state, key_of(desk.order.key(state, job), state, job));
            self.push_again(candidate);
        }
        let mut arrivals = Vec::new();
        for pending in &mut self.tiers {
            pending.take_arrivals(&mut arrivals);
            pending.settle(&mut arrivals, state);
        }
        (self.touched, self.joined) = (false, false);
        // What was refused may fit now.
        self.changed = true;
        self.begin();
        self.version += 1;
        true
    }

    /// Asks for a pass when more jobs may stop for one that is blocked, unless that is asked already.
    pub(in crate::policy::walk) fn ask_to_wake(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        let is_new = self.wake != Time::NEVER && self.wake != self.asked;
        if is_new && bus.plan().settings.timers_are_events() {
            self.asked = self.wake;
            bus.apply(Decision::WakeAt { time: self.wake })?;
        }
        Ok(())
    }
}

/// What is supposed, with the watts as they would stand when curtailments begin without those that have stopped on trial.
fn on_trial(state: &State, supposed: &Supposed, drained: Option<&[Time]>) -> Supposed {
    let watts = drained.map(|begins| begins.iter().filter_map(|begin| state.watts_at(*begin)).collect());
    Supposed { watts, ..supposed.clone() }
}

/// The nodes, ascending, of the place that a job finds; it is the choice then.
fn place(trial: &mut Trial<'_>, finder: &mut Finder, job: u32, supposed: Supposed) -> Option<Vec<u32>> {
    if trial.resources().holds(trial.class(job)) == Some(false) {
        return None;
    }
    let found = if supposed.is_nothing() {
        finder.finds_place_now(trial, job)
    } else {
        trial.supposing(supposed, |state| finder.finds_place_now(state, job))
    };
    found.then(|| {
        let mut nodes: Vec<u32> = finder.choice().pieces.iter().flat_map(|piece| piece.nodes()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    })
}
