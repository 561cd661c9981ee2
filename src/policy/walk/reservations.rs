//! Reservations that stand beside one another: each at its shadow, given those before it.
//!
//! The shadow of a job is the earliest instant at which it fits and can hold its place for its expected run beside the
//! reservations before it. It is sought at expected ends, of running jobs and of earlier reservations, at changes that are
//! known to come, and when a feed whose draw may rise only so fast may draw more again. Where an expected run depends on the
//! place, the window is as long as it takes at the lowest rate the job might get.
//!
//! Over a window counts what is left at least at any instant of it.

use super::finder::Finder;
use super::lookahead::Lookahead;
use crate::cluster::{Piece, Ramp};
use crate::policy::backfill::Backfill;
use crate::state::overlay::Claim;
use crate::state::place::Choice;
use crate::state::{State, ticks};
use crate::units::{Factor, Time};

/// A job that is not to be delayed.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    pub(super) job: u32,
    /// When it is expected to start.
    pub(super) shadow: Time,
    /// When it is then expected to end.
    end: Time,
    /// Where it would go; none: it has not been asked yet.
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

/// What reservations and a candidate would hold.
fn claims<'a>(
    state: &'a State,
    reservations: &'a [Reservation],
    candidate: Option<Candidate<'a>>,
) -> Vec<Claim<'a>> {
    let held = |held: &'a Reservation| {
        let Choice { pieces, cap, .. } = held.place.as_ref()?;
        let class = state.class(held.job);
        Some(Claim { class, pieces, cap: *cap, from: held.shadow, to: held.end })
    };
    let now = state.now();
    let candidate = candidate.map(|Candidate { job, end, pieces, cap }| Claim {
        class: state.class(job),
        pieces,
        cap,
        from: now,
        to: end,
    });
    reservations.iter().filter_map(held).chain(candidate).collect()
}

/// The reservations of linked partitions, in the order in which the walk made them.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    held: Vec<Reservation>,
    /// How often something had become free and had been taken when all of them were placed.
    placed: Option<(u64, u64)>,
    /// Whether each keeps to the place that it had when it was made.
    is_pinned: bool,
    /// Where shadows are frozen: those of the pass before.
    before: Vec<(u32, Time)>,
}

impl Reservations {
    pub(super) fn clear(&mut self, backfill: Backfill) {
        if backfill == Backfill::EasyFrozen {
            self.before = self.held.iter().map(|held| (held.job, held.shadow)).collect();
        }
        self.held.clear();
        self.placed = None;
    }
    /// A job has started: where it waits again, its shadow is found anew.
    pub(super) fn starts(&mut self, job: u32) {
        self.before.retain(|(before, _)| *before != job);
        self.held.retain(|held| held.job != job);
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
        backfill: Backfill,
    ) -> bool {
        let is_frozen = backfill == Backfill::EasyFrozen;
        let known = self.before.iter().find(|(before, _)| *before == job).filter(|_| is_frozen);
        let made = if let Some((_, shadow)) = known {
            Some(Reservation::at(state, job, *shadow))
        } else if is_frozen && !self.held.is_empty() {
            // As if there were no other, but not before something ends.
            Self::default().after_others(state, (&mut *ahead, &mut *finder), job)
        } else if self.held.is_empty() {
            let shadow = ahead.reserve(state, finder, job);
            (shadow != Time::NEVER).then(|| Reservation::at(state, job, shadow))
        } else {
            self.place_again(state, (&mut *ahead, &mut *finder));
            self.after_others(state, (&mut *ahead, &mut *finder), job)
        };
        let known = made.is_some();
        self.held.extend(made);
        if backfill == Backfill::EasyPinned {
            self.pin(state, (ahead, finder));
        }
        known
    }

    /// The last reservation keeps to the place that it has now.
    fn pin(&mut self, state: &State, (ahead, finder): (&mut Lookahead, &mut Finder)) {
        let Some(last) = self.held.len().checked_sub(1) else { return };
        if self.held[last].place.is_none() {
            self.held[last].place = self.place(state, (ahead, finder), last, None, Choice::default());
        }
        self.is_pinned = true;
    }

    /// Where the reservation at an index goes at its shadow, beside those before it and a candidate.
    fn place(
        &self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        at: usize,
        candidate: Option<Candidate<'_>>,
        memory: Choice,
    ) -> Option<Choice> {
        let held = &self.held[at];
        let claims = claims(state, &self.held[..at], candidate);
        ahead.over(state, (held.shadow, held.end), &claims, |then| {
            finder.place_in(state, held.job, then, memory)
        })
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
            let rises = !state.rises().is_empty();
            let risen = |held: &Reservation| rises.then(|| held.shadow + Ramp::WINDOW);
            let of_held = self.held.iter().flat_map(|held| risen(held).into_iter().chain([held.end]));
            let later = of_held.filter(|instant| *instant > after);
            let next = ahead.next_instant(state, after).into_iter().chain(later).min()?;
            after = next;
            let mut made = Reservation::at(state, job, next);
            let claims = claims(state, &self.held, None);
            made.place = ahead.over(state, (next, made.end), &claims, |then| {
                finder.place_in(state, job, then, Choice::default())
            });
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
        if let [only] = &self.held[..]
            && state.ends_tell_all()
        {
            let (job, shadow) = (only.job, only.shadow);
            ahead.move_to(state, shadow);
            let class = state.class(candidate.job);
            return ahead.leaves_room(state, finder, job, class, (candidate.pieces, candidate.cap));
        }
        let mut beside = Self { held: self.held.clone(), ..Self::default() };
        for at in 0..beside.held.len() {
            let place =
                beside.place(state, (&mut *ahead, &mut *finder), at, Some(candidate), Choice::default());
            if place.is_none() {
                return false;
            }
            beside.held[at].place = place;
        }
        true
    }

    /// The nodes, 64 a word, of which a reservation that begins before a job would be expected to end there takes a GPU, as
    /// they are placed with what has started so far.
    pub(super) fn nodes_before(
        &mut self,
        state: &State,
        (ahead, finder): (&mut Lookahead, &mut Finder),
        job: u32,
    ) -> Vec<u64> {
        self.place_again(state, (ahead, finder));
        let mut nodes = vec![0; state.resources().occupancy.nodes().div_ceil(64)];
        // Most jobs run as fast anywhere.
        let end = state.class(job).rate.map(|rate| state.expected_end(job, rate));
        for held in &self.held {
            let meets = |node: u32| held.shadow < end.unwrap_or_else(|| state.expected_end_on(job, node));
            for piece in held.place.iter().flat_map(|place| &place.pieces) {
                let (word, mask) = match *piece {
                    Piece::Gpus { mask: 0, .. } => continue,
                    Piece::Nodes { word, mask } => (word, mask),
                    Piece::Gpus { node, .. } | Piece::Share { node, .. } => (node >> 6, 1 << (node & 63)),
                };
                // Nodes of one piece are of one kind.
                if meets(word << 6 | mask.trailing_zeros()) {
                    nodes[word as usize] |= mask;
                }
            }
        }
        nodes
    }
    /// Every reservation is placed with what has started so far, unless that has been done.
    fn place_again(&mut self, state: &State, (ahead, finder): (&mut Lookahead, &mut Finder)) {
        let stands = (state.resources().freed(), state.resources().taken());
        if self.is_pinned || self.placed == Some(stands) {
            return;
        }
        for at in 0..self.held.len() {
            let memory = self.held[at].place.take().unwrap_or_default();
            self.held[at].place = self.place(state, (&mut *ahead, &mut *finder), at, None, memory);
        }
        self.placed = Some(stands);
    }
}
