//! What is expected to be free at an instant to come, moved from one to the next instead of being computed anew.
//!
//! A second [`Resources`], *then*, is the present with everything released that is expected to end by the *cut*. A
//! start is taken from it only if it is expected to end later, a finish given to it likewise, and a new reservation
//! moves the cut forward or back. A job past its expected end is expected to end one second from now.
//! A step costs what the jobs between the old cut and the new hold.

use super::finder::Finder;
use crate::cluster::{Piece, Ramp};
use crate::state::class::Class;
use crate::state::known::Flipped;
use crate::state::overlay::{Claim, Least};
use crate::state::power::ledger::Ledger;
use crate::state::power::rise::Rise;
use crate::state::{Resources, State, ticks};
use crate::units::{Factor, Seconds, Time};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// A running job and its expected end in one number, by which they are ordered.
const fn at(end: Time, job: u32) -> u64 {
    (end.0 as u64) << 32 | job as u64
}

const fn end_of(running: u64) -> Time {
    Time((running >> 32) as u32)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half holds the job")]
const fn job_of(running: u64) -> u32 {
    running as u32
}

/// The instants within a window, after its beginning, at which less may be free than then: where a claim begins, and of
/// watts where nodes come or a curtailment begins that is drained for.
fn instants_of_less(state: &State, (from, to): (Time, Time), claims: &[Claim<'_>]) -> BTreeSet<Time> {
    let begins = claims.iter().map(|claim| claim.from);
    let changes = state.known_changes().iter().filter(|_| state.caps().is_some()).map(|change| change.time);
    let all = begins.chain(changes).chain(state.drained_for());
    all.filter(|instant| from < *instant && *instant < to).collect()
}

/// What is free now; how far draws may rise is told for each instant that is looked at.
fn now_of(state: &State) -> Resources {
    let mut now = state.resources().clone();
    now.expect_rises(Vec::new());
    now
}

/// What is expected of the running jobs of linked partitions.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    /// Running jobs by expected end: both in one number.
    ends: BTreeSet<u64>,
    /// What is free once everything expected to end by `cut` has ended; none: it has to be made anew.
    then: Option<Resources>,
    cut: Time,
    /// The job whose earliest expected start `cut` is, unless more becomes free then or just before.
    head: Option<u32>,
    /// Jobs that a step of the cut frees; kept for its memory.
    ending: Vec<u32>,
    /// The changes known to come by the cut, as they are in effect then.
    changed: Vec<Flipped>,
}

impl Lookahead {
    /// Whether the mere passing of time has changed what is expected.
    pub(super) fn is_stale(&self, now: Time) -> bool {
        self.then.is_none() || self.cut <= now
    }

    /// A job holds pieces until it is expected to end.
    pub(super) fn begin(&mut self, class: &Class, job: u32, end: Time, (pieces, cap): (&[Piece], Factor)) {
        self.ends.insert(at(end, job));
        if end > self.cut
            && let Some(then) = &mut self.then
        {
            then.claim(class, pieces, cap);
        }
    }

    /// A job that was expected to end at `end` has let go of pieces.
    pub(super) fn end(&mut self, class: &Class, job: u32, end: Time, (pieces, cap): (&[Piece], Factor)) {
        self.ends.remove(&at(end, job));
        if end >= self.cut {
            self.head = None;
        }
        if end > self.cut
            && let Some(then) = &mut self.then
        {
            then.release(class, pieces, cap);
        }
    }

    /// A running job is expected to end at another instant, holding perhaps something else.
    pub(super) fn change(&mut self, job: u32, before: Time, end: Time) {
        self.ends.remove(&at(before, job));
        self.ends.insert(at(end, job));
        self.forget();
    }

    /// Nothing that is known of instants to come holds any more.
    pub(super) fn forget(&mut self) {
        self.then = None;
        self.changed.clear();
    }

    /// What is free at the cut.
    pub(super) fn then(&mut self) -> &mut Resources {
        self.then.as_mut().expect("it is made before it is asked")
    }

    /// Finds when a job that does not fit now is expected to start, no reservation standing before it;
    /// [`Time::NEVER`] if no expected end lets it. The cut is there then.
    pub(super) fn reserve(&mut self, state: &State, finder: &mut Finder, job: u32) -> Time {
        if !state.ends_tell_all() {
            return self.reserve_among_changes(state, finder, job);
        }
        let soonest = state.now() + Seconds(1);
        let monotone = state.class(job).monotone;
        // Where a greedy choice of racks decides, an earlier end may do though a later one does not: from the start.
        if self.then.is_none() {
            *self = Self { ends: std::mem::take(&mut self.ends), ..Self::default() };
            self.then = Some(now_of(state));
        } else if !monotone {
            self.move_to(state, Time::ZERO);
        }
        // Starts leave less free then, so that no earlier end will do; the job may have to wait longer, though.
        let known = self.head == Some(job) && self.cut >= soonest;
        if known && self.fits(state, finder, job) {
            return self.cut;
        }
        if self.cut < soonest {
            self.move_to(state, soonest);
        }
        if !monotone {
            let due = self.ends.range(..=at(soonest, u32::MAX)).next().is_some();
            if !(due && self.fits(state, finder, job)) {
                self.walk_on(state, finder, job);
            }
        } else if self.fits(state, finder, job) {
            self.walk_back(state, finder, job, soonest);
        } else {
            self.walk_on(state, finder, job);
        }
        self.head = Some(job);
        self.cut
    }

    /// As [`Lookahead::reserve`] where changes are known to come: each instant is looked at by itself.
    fn reserve_among_changes(&mut self, state: &State, finder: &mut Finder, job: u32) -> Time {
        let mut after = state.now();
        while let Some(instant) = self.next_instant(state, after) {
            let rate = state.slowest_rate(job);
            let end = instant + ticks(state.expected_work(job, rate), rate);
            if self.over(state, (instant, end), &[], |then| finder.fits(state, job, then)) {
                return instant;
            }
            after = instant;
        }
        Time::NEVER
    }

    /// Asks about what claims leave free over a window, without the nodes that are known to go within it.
    pub(super) fn over<T>(
        &mut self,
        state: &State,
        (from, to): (Time, Time),
        claims: &[Claim<'_>],
        ask: impl FnOnce(&Resources) -> T,
    ) -> T {
        let rises = self.rises_at(state, from, claims);
        let within: Vec<Claim<'_>> =
            claims.iter().filter(|claim| claim.from < to && from < claim.to).copied().collect();
        let claims = &within[..];
        let mut least = Least::default();
        for instant in instants_of_less(state, (from, to), claims) {
            self.move_to(state, instant);
            self.then().note(&mut least, claims, instant);
        }
        self.move_to(state, from);
        let then = self.then();
        let withheld = state.going_within(from, to).map(|nodes| then.occupancy.withhold(&nodes));
        let overlay = then.overlay(least, claims, from);
        then.expect_rises(rises);
        let answer = ask(then);
        then.expect_rises(Vec::new());
        then.lift(overlay, claims, from);
        then.occupancy.give_back(&withheld.unwrap_or_default());
        answer
    }

    /// How far the draw of feeds may rise at an instant: above the least of the minute before, as it was and as it is
    /// expected to be beside claims.
    fn rises_at(&mut self, state: &State, instant: Time, claims: &[Claim<'_>]) -> Vec<Rise> {
        let mut rises = state.rises().to_vec();
        if rises.is_empty() {
            return rises;
        }
        let mut points = self.changes_of_draw(state, instant, claims).into_iter().peekable();
        while let Some(point) = points.next() {
            let until = points.peek().copied().unwrap_or(instant);
            // What is past its expected end still draws now.
            if point == state.now() {
                if let Some(power) = state.resources().power_beside(claims, point) {
                    power.pass(&mut rises, until);
                }
                continue;
            }
            self.move_to(state, point);
            let then = self.then();
            then.hold_claims(claims, point, true);
            then.power().into_iter().for_each(|power| power.pass(&mut rises, until));
            then.hold_claims(claims, point, false);
        }
        rises
    }

    /// The instants before another, from a minute before it or from now, from which on draws may be others.
    fn changes_of_draw(&self, state: &State, instant: Time, claims: &[Claim<'_>]) -> BTreeSet<Time> {
        let now = state.now();
        let first = Time(instant.0.saturating_sub(Ramp::WINDOW.0)).max(now);
        let ends = self.ends.range(at(first, 0)..at(instant, 0)).map(|running| end_of(*running));
        let of_claims = claims.iter().flat_map(|claim| [claim.from, claim.to]);
        let changes = state.known_changes().iter().map(|change| change.time);
        let all = [first, now + Seconds(1)].into_iter().chain(ends).chain(of_claims).chain(changes);
        all.filter(|point| first <= *point && *point < instant).collect()
    }

    /// How the watts are expected to stand at an instant.
    pub(super) fn watts_at(&mut self, state: &State, instant: Time) -> Option<Ledger> {
        self.move_to(state, instant);
        self.then().power().cloned()
    }

    /// The first instant after another at which more may be free: an expected end, a change known to come, or when a draw
    /// may rise again.
    pub(super) fn next_instant(&self, state: &State, after: Time) -> Option<Time> {
        let changes = state.known_changes().iter().map(|change| change.time).chain(state.cap_changes());
        let change = changes.chain(state.rise_returns()).filter(|time| *time > after).min();
        self.next_end_from(after, state.now()).into_iter().chain(change).min()
    }

    /// The cut moves to the next expected ends until the job fits.
    fn walk_on(&mut self, state: &State, finder: &mut Finder, job: u32) {
        loop {
            let Some(end) = self.next_end(self.cut) else {
                self.cut = Time::NEVER;
                return;
            };
            self.move_to(state, end);
            if self.fits(state, finder, job) {
                return;
            }
        }
    }

    /// The first expected end after an instant.
    fn next_end(&self, after: Time) -> Option<Time> {
        let next = self.ends.range(at(after, u32::MAX)..).next().map(|running| end_of(*running));
        next.filter(|end| *end > after)
    }

    /// The first expected end after an instant, now or later: a second from now where a job is past its own.
    fn next_end_from(&self, after: Time, now: Time) -> Option<Time> {
        let overdue = self.ends.first().is_some_and(|first| end_of(*first) <= now);
        let soonest = now + Seconds(1);
        let next = self.next_end(after);
        if overdue && after < soonest { Some(next.map_or(soonest, |next| next.min(soonest))) } else { next }
    }

    /// The cut moves to earlier expected ends while the job still fits.
    fn walk_back(&mut self, state: &State, finder: &mut Finder, job: u32, soonest: Time) {
        loop {
            let last = self.ends.range(..=at(self.cut, u32::MAX)).next_back().map(|running| end_of(*running));
            let Some(end) = last.filter(|end| *end > soonest) else {
                self.cut = soonest;
                return;
            };
            if self.needs_one_ending_at(state, end, job) {
                self.cut = end;
                return;
            }
            self.hold_ending(state, at(end, 0)..=at(end, u32::MAX), false);
            if !self.fits(state, finder, job) {
                self.hold_ending(state, at(end, 0)..=at(end, u32::MAX), true);
                self.cut = end;
                return;
            }
            self.cut = Time(end.0 - 1);
        }
    }

    /// Whether only one job ends then, and counts tell that `job` has to wait for it.
    fn needs_one_ending_at(&self, state: &State, end: Time, job: u32) -> bool {
        let mut ending = self.ends.range(at(end, 0)..=at(end, u32::MAX)).map(|running| job_of(*running));
        let (Some(only), None, Some(then)) = (ending.next(), ending.next(), &self.then) else { return false };
        then.holds_without(state.class(job), state.domains(only)) == Some(false)
    }

    /// The cut moves to an instant, whichever way.
    pub(super) fn move_to(&mut self, state: &State, cut: Time) {
        if self.then.is_none() {
            self.cut = Time::ZERO;
            self.then = Some(now_of(state));
        }
        // No job has the greatest index.
        if cut > self.cut {
            self.hold_ending(state, at(self.cut, u32::MAX)..=at(cut, u32::MAX), true);
        } else if cut < self.cut {
            self.hold_ending(state, at(cut, u32::MAX)..=at(self.cut, u32::MAX), false);
        }
        if cut != self.cut {
            self.head = None;
        }
        self.cut = cut;
        let known = state.known_changes();
        let due = known.partition_point(|change| change.time <= cut);
        while self.changed.len() > due {
            let last = self.changed.pop().expect("there are more than are due");
            last.undo_in_all(self.then());
        }
        for change in &known[self.changed.len()..due] {
            let flipped = Flipped::in_all(change, self.then());
            self.changed.push(flipped);
        }
        if state.cap_changes().next().is_some() {
            self.then().expect_caps(state.plan(), state.now(), cut);
        }
    }

    /// The jobs that are expected to end in a stretch are released from what is free then, or claimed in it.
    fn hold_ending(&mut self, state: &State, ends: RangeInclusive<u64>, release: bool) {
        let mut ending = std::mem::take(&mut self.ending);
        ending.clear();
        ending.extend(self.ends.range(ends).map(|running| job_of(*running)));
        let then = self.then();
        for job in &ending {
            let (class, pieces) = (state.class(*job), state.domains(*job));
            let cap = state.segment(*job).map_or(Factor::ONE, |segment| segment.cap);
            if release { then.release(class, pieces, cap) } else { then.claim(class, pieces, cap) }
        }
        self.ending = ending;
    }

    /// Whether a job fits at the cut.
    #[inline]
    pub(super) fn fits(&mut self, state: &State, finder: &mut Finder, job: u32) -> bool {
        finder.fits(state, job, self.then())
    }

    /// True if counts tell that no place of a class leaves `head` its room at the cut.
    pub(super) fn lacks_room_beside(&self, head: &Class, class: &Class) -> bool {
        self.then.as_ref().is_some_and(|then| then.lacks_room_for_both(head, class))
    }

    /// Whether `head` would still fit at the cut with another job in place.
    pub(super) fn leaves_room(
        &mut self,
        state: &State,
        finder: &mut Finder,
        head: u32,
        class: &Class,
        (pieces, cap): (&[Piece], Factor),
    ) -> bool {
        let then = self.then();
        if let Some(fits) = then.holds_without(state.class(head), pieces) {
            return fits;
        }
        then.claim(class, pieces, cap);
        let fits = self.fits(state, finder, head);
        self.then().release(class, pieces, cap);
        fits
    }
}
