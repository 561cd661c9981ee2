//! Reservations that stand beside one another: each at its shadow, given those before it.
//!
//! The shadow of a job is the earliest expected end, of a running job or of an earlier reservation, at which it fits and
//! can hold its place for its expected run beside the reservations before it. Where an expected run depends on the
//! place, the window is as long as it takes at the lowest rate the job might get.
//!
//! Reservations that overlap a window count together in it, even if they do not overlap each other: of whole GPUs that
//! is exact, since a place in the window must be free of all of them.

use super::finder::Finder;
use super::lookahead::Lookahead;
use crate::cluster::Piece;
use crate::state::place::Choice;
use crate::state::{Resources, State, ticks};
use crate::units::{Factor, Time};

/// A job that is not to be delayed.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    pub(super) job: u32,
    /// When it is expected to start.
    pub(super) shadow: Time,
    /// When it is then expected to end.
    end: Time,
    /// Where it would go; none: nobody has asked yet.
    place: Option<Choice>,
}

/// A job that would hold pieces from now until an instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) job: u32,
    pub(super) end: Time,
    pub(super) pieces: &'a [Piece],
    pub(super) cap: Factor,
}

impl Reservation {
    /// Of a job whose shadow is known.
    pub(super) fn at(state: &State, job: u32, shadow: Time) -> Self {
        let rate = state.slowest_rate(job);
        let end = shadow + ticks(state.expected_work(job, rate), rate);
        Self { job, shadow, end, place: None }
    }
}

/// What reservations take from some resources, given back when it is over.
struct Overlay(Vec<(u32, Vec<Piece>, Factor)>);

impl Overlay {
    /// What is free of the places of those that overlap a window is taken.
    fn of<'a>(
        state: &State,
        then: &mut Resources,
        (from, to): (Time, Time),
        reservations: impl Iterator<Item = &'a Reservation>,
    ) -> Self {
        let mut taken = Vec::new();
        for held in reservations.filter(|held| held.shadow < to && from < held.end) {
            if let Some(Choice { pieces, cap, .. }) = &held.place {
                let part = then.claim_what_is_free(state.class(held.job), pieces, *cap);
                taken.push((held.job, part, *cap));
            }
        }
        Self(taken)
    }
    fn take(&mut self, state: &State, then: &mut Resources, candidate: Candidate<'_>) {
        let class = state.class(candidate.job);
        let part = then.claim_what_is_free(class, candidate.pieces, candidate.cap);
        self.0.push((candidate.job, part, candidate.cap));
    }
    fn lift(self, state: &State, then: &mut Resources) {
        for (job, pieces, cap) in self.0.into_iter().rev() {
            then.release(state.class(job), &pieces, cap);
        }
    }
}

/// The reservations of linked partitions, in the order in which the walk made them.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    held: Vec<Reservation>,
}

impl Reservations {
    pub(super) fn clear(&mut self) {
        self.held.clear();
    }
    pub(super) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
    /// The only one there is.
    pub(super) fn only(&self) -> Option<u32> {
        if let [only] = &self.held[..] { Some(only.job) } else { None }
    }
    /// The earliest shadow; [`Time::NEVER`] if there is none.
    pub(super) fn earliest(&self) -> Time {
        self.held.iter().map(|held| held.shadow).min().unwrap_or(Time::NEVER)
    }

    /// A blocked job gets its reservation, after those there are. Returns whether its shadow is known.
    pub(super) fn add(
        &mut self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        job: u32,
    ) -> bool {
        let made = if self.held.is_empty() {
            let shadow = ahead.reserve(state, finder, job);
            (shadow != Time::NEVER).then(|| Reservation::at(state, job, shadow))
        } else {
            self.place_all(state, (&mut *ahead, &mut *finder));
            self.after_others(state, (ahead, finder), job)
        };
        let known = made.is_some();
        self.held.extend(made);
        known
    }

    /// The places of reservations that were only counted so far are looked for.
    fn place_all(&mut self, state: &State, (ahead, finder): (&mut Lookahead, &mut Finder)) {
        for at in 0..self.held.len() {
            if self.held[at].place.is_none() {
                let place = self.place(state, (&mut *ahead, &mut *finder), at, None);
                self.held[at].place = place;
            }
        }
    }

    /// Where the reservation at an index goes at its shadow, beside those before it and a candidate.
    fn place(
        &self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        at: usize,
        candidate: Option<Candidate<'_>>,
    ) -> Option<Choice> {
        let held = &self.held[at];
        ahead.move_to(state, held.shadow);
        let then = ahead.then();
        let window = (held.shadow, held.end);
        let mut overlay = Overlay::of(state, then, window, self.held[..at].iter());
        if let Some(candidate) = candidate.filter(|candidate| candidate.end > held.shadow) {
            overlay.take(state, then, candidate);
        }
        let place = finder.place_in(state, held.job, then);
        overlay.lift(state, then);
        place
    }

    /// The earliest instant after now at which a job fits beside all reservations there are.
    fn after_others(
        &self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        job: u32,
    ) -> Option<Reservation> {
        let mut after = state.now();
        loop {
            let ends = self.held.iter().map(|held| held.end).filter(|end| *end > after);
            let next = ahead.next_end(after).into_iter().chain(ends).min()?;
            after = next;
            let mut made = Reservation::at(state, job, next);
            ahead.move_to(state, next);
            let then = ahead.then();
            let overlay = Overlay::of(state, then, (next, made.end), self.held.iter());
            made.place = finder.place_in(state, job, then);
            overlay.lift(state, then);
            if made.place.is_some() {
                return Some(made);
            }
        }
    }

    /// Whether every reservation, placed again in order at its own shadow, still fits with a candidate in place.
    pub(super) fn still_fit(
        &mut self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        candidate: Candidate<'_>,
    ) -> bool {
        if let [only] = &self.held[..] {
            let (job, shadow) = (only.job, only.shadow);
            ahead.move_to(state, shadow);
            let class = state.class(candidate.job);
            return ahead.leaves_room(state, finder, job, class, (candidate.pieces, candidate.cap));
        }
        let mut beside = Self { held: self.held.clone() };
        for at in 0..beside.held.len() {
            let place = beside.place(state, (&mut *ahead, &mut *finder), at, Some(candidate));
            if place.is_none() {
                return false;
            }
            beside.held[at].place = place;
        }
        true
    }

    /// The nodes, 64 a word, of which a reservation that begins before an instant takes a GPU, as they are placed with
    /// what has started so far.
    pub(super) fn nodes_before(
        &mut self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        end: Time,
    ) -> Vec<u64> {
        let mut nodes = vec![0; state.resources().occupancy.nodes().div_ceil(64)];
        for at in 0..self.held.len() {
            let place = self.place(state, (&mut *ahead, &mut *finder), at, None);
            self.held[at].place = place;
            if self.held[at].shadow < end
                && let Some(place) = &self.held[at].place
            {
                for node in place.pieces.iter().flat_map(|piece| piece.nodes()) {
                    nodes[node as usize >> 6] |= 1 << (node & 63);
                }
            }
        }
        nodes
    }
}
