//! EASY: the first blocked job of a queue has a reservation, at the earliest expected end at which it fits.
//!
//! What would be free at that instant is kept as a second [`Resources`], *then*: the present with everything released
//! that is expected to end by the *cut*. A start is taken from it only if it is expected to end later, a finish given
//! to it likewise, and a new head walks the cut forward or back, so that nothing is computed anew in a pass.
//! A job past its expected end is expected to end one second from now.
//! A pass costs O(candidates · log running) and O(jobs between the old cut and the new).

use super::super::placement::Placement;
use super::{Backfill, Entry};
use crate::cluster::Piece;
use crate::history::Plan;
use crate::state::class::Class;
use crate::state::place::Choice;
use crate::state::{Resources, State};
use crate::units::{Factor, Seconds, Time};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

pub(super) const ENTRY: Entry = Entry {
    name: "easy",
    about: "who does not delay the first blocked job passes it",
    source: "Lifka, The ANL/IBM SP scheduling system, JSSPP 1995",
    kind: Backfill::Easy,
};

/// A running job and its expected end in one number, by which they are ordered.
fn at(end: Time, job: u32) -> u64 {
    u64::from(end.0) << 32 | u64::from(job)
}

const fn end_of(running: u64) -> Time {
    Time((running >> 32) as u32)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half holds the job")]
const fn job_of(running: u64) -> u32 {
    running as u32
}

/// The reservations of the heads of all queues.
#[derive(Debug)]
pub(crate) struct Reservations {
    active: bool,
    /// Running jobs by expected end: both in one number.
    ends: BTreeSet<u64>,
    /// By job: its expected end while it runs.
    expected: Vec<Time>,
    queues: Vec<Reservation>,
    /// By two queues: whether they share nodes, directly or through others, so that jobs of one matter to the other.
    shared: Vec<Vec<bool>>,
    /// Jobs that a step of the cut frees; kept for its memory.
    ending: Vec<u32>,
}

#[derive(Debug, Default, Clone)]
struct Reservation {
    /// What is free once everything expected to end by `cut` has ended.
    then: Option<Resources>,
    cut: Time,
    /// Whose earliest expected end `cut` is, unless more becomes free then or just before.
    head: Option<u32>,
}

impl Reservation {
    /// A job starts that is expected to end at `end`.
    fn take(&mut self, class: &Class, pieces: &[Piece], cap: Factor, end: Time) {
        if end > self.cut
            && let Some(then) = &mut self.then
        {
            then.claim(class, pieces, cap);
        }
    }

    /// A job that was expected to end at `end` has ended.
    fn give(&mut self, class: &Class, pieces: &[Piece], cap: Factor, end: Time) {
        if end >= self.cut {
            self.head = None;
        }
        if end > self.cut
            && let Some(then) = &mut self.then
        {
            then.release(class, pieces, cap);
        }
    }
}

impl Reservations {
    pub(crate) fn new(plan: &Plan, classes: &[Class], active: bool) -> Self {
        Self {
            active,
            ends: BTreeSet::new(),
            expected: vec![Time::ZERO; if active { plan.workload.jobs.len() } else { 0 }],
            queues: vec![Reservation::default(); plan.workload.partitions.len()],
            shared: shared(plan, classes),
            ending: Vec::new(),
        }
    }

    /// When the head of a queue is expected to start; [`Time::NEVER`] if no expected end lets it.
    pub(crate) fn cut(&self, queue: usize) -> Time {
        self.queues[queue].cut
    }

    /// Whether two queues have nodes in common.
    pub(crate) fn shares(&self, one: usize, other: usize) -> bool {
        self.shared[one][other]
    }

    /// Whether the mere passing of time has changed what is expected.
    pub(crate) fn is_stale(&self, state: &State, queue: usize) -> bool {
        self.queues[queue].then.is_none() || self.queues[queue].cut <= state.now()
    }

    /// A job has started.
    #[inline]
    pub(crate) fn started(&mut self, state: &State, job: u32) {
        if let Some(segment) = state.segment(job).filter(|_| self.active) {
            let end = state.expected_end(job, segment.rate);
            self.begin(state, job, end, state.history().pieces_of(segment), segment.cap);
        }
    }

    fn begin(&mut self, state: &State, job: u32, end: Time, pieces: &[Piece], cap: Factor) {
        self.expected[job as usize] = end;
        self.ends.insert(at(end, job));
        let class = state.class(job);
        for (reservation, shared) in self.queues.iter_mut().zip(&self.shared[class.queue as usize]) {
            if *shared {
                reservation.take(class, pieces, cap, end);
            }
        }
    }

    /// A job has let go of a segment.
    pub(crate) fn ended(&mut self, state: &State, job: u32, segment: u32) {
        if !self.active {
            return;
        }
        let end = self.expected[job as usize];
        self.ends.remove(&at(end, job));
        let class = state.class(job);
        let history = state.history();
        let ended = &history.segments[segment as usize];
        let pieces = history.pieces_of(ended);
        for (reservation, shared) in self.queues.iter_mut().zip(&self.shared[class.queue as usize]) {
            if *shared {
                reservation.give(class, pieces, ended.cap, end);
            }
        }
    }

    /// A running job goes on at another rate.
    pub(crate) fn changed(&mut self, state: &State, job: u32) {
        let Some(end) = state.expected_end_now(job).filter(|_| self.active) else { return };
        let before = std::mem::replace(&mut self.expected[job as usize], end);
        self.ends.remove(&at(before, job));
        self.ends.insert(at(end, job));
        self.forget();
    }

    /// Nothing that is known holds any more.
    pub(crate) fn forget(&mut self) {
        self.queues.iter_mut().for_each(|reservation| reservation.then = None);
    }

    /// Finds when the head of a queue, which does not fit now, is expected to start.
    pub(crate) fn reserve(&mut self, state: &State, placement: &mut Placement, queue: usize, head: u32) {
        let soonest = state.now() + Seconds(1);
        // Where a greedy choice of racks decides, an earlier end may do though a later one does not: from the start.
        if self.queues[queue].then.is_none() || !state.class(head).monotone {
            self.queues[queue] =
                Reservation { then: Some(state.resources().clone()), cut: Time::ZERO, head: None };
        }
        // Starts leave less free then, so that no earlier end will do; the head may have to wait longer, though.
        let known = self.queues[queue].head == Some(head) && self.queues[queue].cut >= soonest;
        if known && self.fits(state, placement, queue, head) {
            return;
        }
        self.queues[queue].head = Some(head);
        if self.queues[queue].cut < soonest {
            self.release_until(state, queue, soonest);
        }
        if !state.class(head).monotone {
            self.walk_from_now(state, placement, queue, head, soonest);
        } else if self.fits(state, placement, queue, head) {
            self.walk_back(state, placement, queue, head, soonest);
        } else {
            self.walk_on(state, placement, queue, head);
        }
    }

    /// The cut moves from the present through every expected end until the head fits.
    fn walk_from_now(
        &mut self,
        state: &State,
        placement: &mut Placement,
        queue: usize,
        head: u32,
        soonest: Time,
    ) {
        let due = self.ends.range(..=at(soonest, u32::MAX)).next().is_some();
        if !(due && self.fits(state, placement, queue, head)) {
            self.walk_on(state, placement, queue, head);
        }
    }

    /// The cut moves to the next expected ends until the head fits.
    fn walk_on(&mut self, state: &State, placement: &mut Placement, queue: usize, head: u32) {
        loop {
            let cut = self.queues[queue].cut;
            let next = self.ends.range(at(cut, u32::MAX)..).next().map(|running| end_of(*running));
            let Some(end) = next.filter(|end| *end > cut) else {
                self.queues[queue].cut = Time::NEVER;
                return;
            };
            self.release_until(state, queue, end);
            if self.fits(state, placement, queue, head) {
                return;
            }
        }
    }

    /// The cut moves to earlier expected ends while the head still fits.
    fn walk_back(
        &mut self,
        state: &State,
        placement: &mut Placement,
        queue: usize,
        head: u32,
        soonest: Time,
    ) {
        loop {
            let cut = self.queues[queue].cut;
            let last = self.ends.range(..=at(cut, u32::MAX)).next_back().map(|running| end_of(*running));
            let Some(end) = last.filter(|end| *end > soonest) else {
                self.queues[queue].cut = soonest;
                return;
            };
            if self.needs_one_ending_at(state, queue, end, head) {
                self.queues[queue].cut = end;
                return;
            }
            self.each_ending_at(state, queue, end, false);
            if !self.fits(state, placement, queue, head) {
                self.each_ending_at(state, queue, end, true);
                self.queues[queue].cut = end;
                return;
            }
            self.queues[queue].cut = Time(end.0 - 1);
        }
    }

    /// Whether only one job of those that share nodes with the queue ends then, and counts tell that the head has to
    /// wait for it.
    fn needs_one_ending_at(&self, state: &State, queue: usize, end: Time, head: u32) -> bool {
        let mut ending = self.ends.range(at(end, 0)..=at(end, u32::MAX)).map(|running| job_of(*running));
        let (Some(job), None, Some(then)) = (ending.next(), ending.next(), &self.queues[queue].then) else {
            return false;
        };
        let segment = state.segment(job).filter(|_| self.shared[state.class(job).queue as usize][queue]);
        let pieces = segment.map(|segment| state.history().pieces_of(segment));
        pieces.and_then(|pieces| then.holds_without(state.class(head), pieces)) == Some(false)
    }

    fn release_until(&mut self, state: &State, queue: usize, cut: Time) {
        let from = self.queues[queue].cut;
        // No job has the greatest index.
        self.hold_ending(state, queue, at(from, u32::MAX)..=at(cut, u32::MAX), true);
        self.queues[queue].cut = cut;
    }

    fn each_ending_at(&mut self, state: &State, queue: usize, end: Time, release: bool) {
        self.hold_ending(state, queue, at(end, 0)..=at(end, u32::MAX), release);
    }

    fn hold_ending(&mut self, state: &State, queue: usize, ends: RangeInclusive<u64>, release: bool) {
        let mut ending = std::mem::take(&mut self.ending);
        ending.clear();
        ending.extend(self.ends.range(ends).map(|running| job_of(*running)));
        for job in &ending {
            self.hold(state, queue, *job, release);
        }
        self.ending = ending;
    }

    /// A running job is released from, or claimed in, what is free then.
    fn hold(&mut self, state: &State, queue: usize, job: u32, release: bool) {
        let class = state.class(job);
        if !self.shared[class.queue as usize][queue] {
            return;
        }
        let segment = state.segment(job).expect("a job with an expected end runs");
        let pieces = state.history().pieces_of(segment);
        let then = self.queues[queue].then.as_mut().expect("made before it is walked");
        let cap = segment.cap;
        if release { then.release(class, pieces, cap) } else { then.claim(class, pieces, cap) }
    }

    #[inline]
    fn fits(&self, state: &State, placement: &mut Placement, queue: usize, head: u32) -> bool {
        let then = self.queues[queue].then.as_ref().expect("made before it is asked");
        let class = state.class(head);
        let mut holds = || then.holds(class).unwrap_or_else(|| placement.fits(class, head, then));
        then.within_quota(class) && holds()
    }

    /// Whether, on counts alone, the head no longer fits at its reservation with so many thousandths of GPUs less.
    pub(crate) fn lacks_gpus(&self, state: &State, queue: usize, head: u32, milli: u32) -> bool {
        let class = state.class(head);
        let free = |then: &Resources| u64::from(then.occupancy.free_gpus(class.scope as usize)) * 1000;
        let wanted = u64::from(class.gpus_milli) + u64::from(milli);
        self.queues[queue].then.as_ref().is_some_and(|then| free(then) < wanted)
    }

    /// Whether the head would still fit at its reservation with `job` in place.
    pub(crate) fn leaves_room(
        &mut self,
        state: &State,
        placement: &mut Placement,
        queue: usize,
        head: u32,
        job: u32,
        choice: &Choice,
    ) -> bool {
        let class = state.class(job);
        let head_class = state.class(head);
        let then = self.queues[queue].then.as_ref();
        if let Some(fits) = then.and_then(|then| then.holds_without(head_class, &choice.pieces)) {
            return fits;
        }
        if let Some(then) = &mut self.queues[queue].then {
            then.claim(class, &choice.pieces, choice.cap);
        }
        let fits = self.fits(state, placement, queue, head);
        if let Some(then) = &mut self.queues[queue].then {
            then.release(class, &choice.pieces, choice.cap);
        }
        fits
    }
}

/// Which queues with jobs share nodes, directly or through others.
fn shared(plan: &Plan, classes: &[Class]) -> Vec<Vec<bool>> {
    let partitions = &plan.workload.partitions;
    let used = |queue: usize| classes.iter().any(|class| class.queue as usize == queue);
    let nodes = |queue: usize| {
        plan.cluster.partition(&partitions[queue]).map_or(&[][..], |partition| &partition.nodes)
    };
    let overlap = |a: usize, b: usize| {
        let meet = |x: &std::ops::Range<u32>| nodes(b).iter().any(|y| x.start < y.end && y.start < x.end);
        a == b || used(a) && used(b) && nodes(a).iter().any(meet)
    };
    let queues = 0..partitions.len();
    let mut shared: Vec<Vec<bool>> =
        queues.clone().map(|a| queues.clone().map(|b| overlap(a, b)).collect()).collect();
    for through in queues.clone() {
        for a in queues.clone().filter(|a| *a != through) {
            for b in queues.clone() {
                let linked = shared[a][through] && shared[through][b];
                shared[a][b] |= linked;
            }
        }
    }
    shared
}
