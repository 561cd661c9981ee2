//! Conservative backfill: every waiting job has a reservation of its very nodes, which no later job may delay.
//!
//! A reservation is the earliest window in which the placement finds room that is free throughout, as long as the job
//! is expected to take at the lowest rate it might get. Who has none (arrivals, mostly) is inserted in queue order,
//! while the others stay; in a pass where something ended, each in queue order is removed and inserted anew, the
//! others staying. Where a running job is past its expected end (it is then expected to end a second from now), or a
//! reservation's start went by unused, all are given up first.
//!
//! What is left at each future instant is a profile of steps, each a ledger of every GPU and every node's CPU and
//! memory. A pass costs O(waiting · steps · ledger) time; a step takes 8 bytes a GPU and 16 a node.

use super::super::class::Form;
use super::super::pending::{Key, job_of, key_of};
use super::super::placement::{Choice, Placement};
use super::super::room::{Quota, Room};
use super::super::{Event, Policy, Status, View, ticks};
use super::{Backfill, Entry};
use crate::history::SegmentEnd;
use crate::units::{Factor, Seconds, Time};
use std::collections::BTreeMap;

pub(super) const ENTRY: Entry = Entry {
    name: "conservative",
    about: "every job has a reservation of its very nodes, which nobody may delay",
    source: "Mu'alem, Feitelson, Utilization, predictability, workloads and user runtime estimates, 2001",
    kind: Backfill::Conservative,
};

/// What is left from one instant until the next step's.
#[derive(Debug, Clone)]
struct Step {
    from: Time,
    left: Vec<i64>,
    /// GPU-thousandths left in all.
    free_milli: i64,
    /// Counters below zero: jobs that overrun hold what is reserved for others.
    short: u32,
    quota: Quota,
}

/// A stretch of time, and what a job holds in it.
#[derive(Debug, Clone)]
struct Window {
    start: Time,
    end: Time,
    choice: Choice,
    /// Whether a pass was asked for at its start.
    wakes: bool,
}

/// A place in line: the queue, then the order in it.
type Place = (u32, Key);

/// The conservative policy.
#[derive(Debug)]
pub(crate) struct Conservative {
    key: fn(&View, u32) -> u64,
    placement: Placement,
    /// An empty cluster with the same nodes up, from which windows are made.
    empty: Option<Room>,
    steps: Vec<Step>,
    waiting: BTreeMap<Place, Option<Window>>,
    /// Running jobs: what they hold, and until when they are expected to.
    running: BTreeMap<u32, Window>,
    /// Whether something ended since the last pass.
    ended: bool,
    /// Whether anything but timers happened since the last pass.
    eventful: bool,
}

impl Conservative {
    pub(crate) const fn new(key: fn(&View, u32) -> u64, placement: Placement) -> Self {
        Self {
            key,
            placement,
            empty: None,
            steps: Vec::new(),
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            ended: false,
            eventful: true,
        }
    }

    fn place(&self, view: &View, job: u32) -> Place {
        (view.class(job).queue, key_of((self.key)(view, job), view, job))
    }

    /// The profile from scratch: what is up, less what runs and what is reserved.
    fn rebuild(&mut self, view: &View) {
        let empty = self.empty.get_or_insert_with(|| Room::new(view.plan(), view.classes()));
        for node in 0..view.plan().cluster.nodes() {
            empty.occupancy.set_up(node, view.room().occupancy.is_up(node as usize));
        }
        let left = empty.occupancy.ledger();
        let free_milli = left[..left.len() - 2 * empty.occupancy.nodes()].iter().sum();
        self.steps = vec![Step { from: view.now(), left, free_milli, short: 0, quota: empty.clone_quota() }];
        let running: Vec<(u32, Window)> =
            self.running.iter().map(|(job, window)| (*job, window.clone())).collect();
        let reserved =
            self.waiting.iter().filter_map(|(place, window)| Some((job_of(place.1), window.clone()?)));
        for (job, window) in running.into_iter().chain(reserved.collect::<Vec<_>>()) {
            self.hold(view, job, &window, true);
        }
    }

    /// Steps that lie in the past are forgotten.
    fn advance(&mut self, now: Time) {
        let past = self.steps.partition_point(|step| step.from <= now).saturating_sub(1);
        self.steps.drain(..past);
        if let Some(first) = self.steps.first_mut() {
            first.from = first.from.max(now);
        }
    }

    /// The index of the step that begins at `time`, made if there is none.
    fn split(&mut self, time: Time) -> usize {
        let index = self.steps.partition_point(|step| step.from < time);
        if self.steps.get(index).is_none_or(|step| step.from != time) {
            let before = Step { from: time, ..self.steps[index - 1].clone() };
            self.steps.insert(index, before);
        }
        index
    }

    /// Takes a window from the profile, or gives it back.
    fn hold(&mut self, view: &View, job: u32, window: &Window, hold: bool) {
        let Some(first) = self.steps.first() else { return };
        let start = window.start.max(first.from);
        if window.end <= start {
            return;
        }
        let range = self.split(start)..self.split(window.end);
        let class = view.class(job);
        let sign = if hold { -1 } else { 1 };
        let gpus = view.room().occupancy.ledger_len() - 2 * view.room().occupancy.nodes();
        for step in &mut self.steps[range] {
            view.room().occupancy.for_each_counter(&window.choice.pieces, class.host, |counter, amount| {
                let left = &mut step.left[counter];
                step.short -= u32::from(*left < 0);
                *left += sign * amount;
                step.short += u32::from(*left < 0);
                step.free_milli += if counter < gpus { sign * amount } else { 0 };
            });
            if hold { step.quota.hold(class) } else { step.quota.unhold(class) }
        }
    }

    /// The earliest window in which the job finds room, held from then on.
    fn reserve(&mut self, view: &mut View, place: Place) {
        let job = job_of(place.1);
        let rate = slowest(view, job);
        let length = ticks(view.expected_work(job, rate), rate);
        let mut first = 0;
        while first < self.steps.len() && self.steps[first].from != Time::NEVER {
            let start = self.steps[first].from;
            let end = start + length;
            if let Some(last) = self.last_too_full(view, job, first, end) {
                // No window that contains that step will do.
                first = last + 1;
                continue;
            }
            let limited = self.limited(first, end);
            let mut choice = Choice::default();
            if self.placement.choose(view.class(job), job, &limited, &mut choice) {
                // What begins in the next second waits for a job that ends then, which is an event.
                let wakes = start > view.now() + Seconds(1);
                let window = Window { start, end, choice, wakes };
                self.hold(view, job, &window, true);
                self.waiting.insert(place, Some(window));
                if wakes {
                    view.wake_at(start);
                }
                return;
            }
            first += 1;
        }
    }

    fn window_steps(&self, first: usize, end: Time) -> impl Iterator<Item = &Step> {
        let in_window = move |(index, step): &(usize, &Step)| *index == 0 || step.from < end;
        self.steps[first..].iter().enumerate().take_while(in_window).map(|(_, step)| step)
    }

    /// The last step from `first` until `end` in which there is certainly too little.
    fn last_too_full(&self, view: &View, job: u32, first: usize, end: Time) -> Option<usize> {
        let class = view.class(job);
        // A counter below zero is as good as zero, so that the sum may be too low.
        let enough = |step: &Step| step.free_milli >= i64::from(class.gpus_milli) || step.short > 0;
        let full = |step: &Step| !(step.quota.within_quota(class) && enough(step));
        let steps = self.window_steps(first, end).enumerate();
        steps.filter(|(_, step)| full(step)).last().map(|(index, _)| first + index)
    }

    /// What is free throughout, from step `first` until `end`.
    fn limited(&self, first: usize, end: Time) -> crate::cluster::Occupancy {
        let mut left = self.steps[first].left.clone();
        for step in self.window_steps(first, end).skip(1) {
            left.iter_mut().zip(&step.left).for_each(|(left, other)| *left = (*left).min(*other));
        }
        self.empty.as_ref().expect("made with the first profile").occupancy.limited_to(&left)
    }

    /// Running jobs past their expected end are expected to end a second from now. Returns whether there is one.
    fn extend_overdue(&mut self, view: &View) -> bool {
        let now = view.now();
        let overdue: Vec<u32> =
            self.running.iter().filter(|(_, window)| window.end <= now).map(|(job, _)| *job).collect();
        for job in &overdue {
            let window = self.running.get_mut(job).expect("just found");
            let more =
                Window { start: now, end: now + Seconds(1), choice: window.choice.clone(), wakes: false };
            window.end = more.end;
            self.hold(view, *job, &more, true);
        }
        !overdue.is_empty()
    }

    fn give_up(&mut self, view: &View, place: Place) {
        if let Some(window) = self.waiting.insert(place, None).flatten() {
            self.hold(view, job_of(place.1), &window, false);
        }
    }

    fn start_due(&mut self, view: &mut View) {
        let now = view.now();
        let due = self
            .waiting
            .iter()
            .filter(|(_, window)| window.as_ref().is_some_and(|window| window.start == now));
        let due: Vec<Place> = due.map(|(place, _)| *place).collect();
        for place in due {
            let job = job_of(place.1);
            let Some(Some(window)) = self.waiting.remove(&place) else { continue };
            view.start(job, &window.choice);
            let rate = view.segment(job).map_or(Factor::ONE, |segment| segment.rate);
            let end = view.expected_end(job, rate);
            // What it was thought to take longer, or less long.
            let (start, stop) = (end.min(window.end), end.max(window.end));
            let difference = Window { start, end: stop, choice: window.choice.clone(), wakes: false };
            self.hold(view, job, &difference, end > window.end);
            self.running.insert(job, Window { end, ..window });
        }
    }
}

/// The lowest rate a job might get.
fn slowest(view: &View, job: u32) -> Factor {
    let class = view.class(job);
    if let Some(rate) = class.rate {
        return rate;
    }
    let kinds = &view.plan().cluster.kinds;
    let spans =
        matches!(class.form, Form::Gang { .. } | Form::Pods { .. }) && !view.room().occupancy.is_flat();
    let racks = if spans { 2 } else { 1 };
    class.kinds.iter().map(|kind| class.rate_on(kinds, *kind, racks)).min().unwrap_or_default()
}

impl Policy for Conservative {
    fn observe(&mut self, event: Event, view: &View) {
        self.eventful |= event != Event::Timer;
        match event {
            Event::Eligible { job } => {
                self.waiting.insert(self.place(view, job), None);
            }
            Event::Running { job, segment } => {
                self.waiting.remove(&self.place(view, job));
                let history = view.history();
                let segment = &history.segments[segment as usize];
                let choice = Choice { pieces: history.pieces_of(segment).to_vec(), ..Choice::default() };
                let window = Window {
                    start: segment.from,
                    end: view.expected_end(job, segment.rate),
                    choice,
                    wakes: false,
                };
                self.hold(view, job, &window, true);
                self.running.insert(job, window);
            }
            Event::Ended { job, end, .. } => {
                self.ended = true;
                if let Some(window) = self.running.remove(&job) {
                    self.hold(view, job, &window, false);
                }
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    self.waiting.insert(self.place(view, job), None);
                }
            }
            Event::Cancelled { job } => {
                if let Some(Some(window)) = self.waiting.remove(&self.place(view, job)) {
                    self.hold(view, job, &window, false);
                    self.ended = true;
                }
            }
            Event::Capacity => {
                self.ended = true;
                self.steps.clear();
            }
            Event::Settled { .. } | Event::Timer => {}
        }
    }

    fn decide(&mut self, view: &mut View) {
        debug_assert!(
            self.waiting.keys().all(|place| view.status(job_of(place.1)) == Status::Pending),
            "only pending jobs wait"
        );
        // The timer of a reservation that has moved is no reason for a pass.
        let due = self.waiting.values().flatten().any(|window| window.wakes && window.start == view.now());
        let wanted = std::mem::take(&mut self.eventful) || due || view.plan().settings.cycle.is_some();
        if !wanted {
            return;
        }
        if self.steps.is_empty() {
            self.rebuild(view);
        }
        self.advance(view.now());
        let now = view.now();
        let stale = self.waiting.values().flatten().any(|window| window.start < now);
        let overdue = self.extend_overdue(view);
        let ended = std::mem::take(&mut self.ended);
        if stale || overdue || ended {
            let reserved = self.waiting.iter().filter(|(_, window)| window.is_some());
            let reserved: Vec<Place> = reserved.map(|(place, _)| *place).collect();
            if stale || overdue {
                // Those that stay would lie in the way of each other: all are given up before any is made anew.
                reserved.iter().for_each(|place| self.give_up(view, *place));
            } else {
                for place in reserved {
                    self.give_up(view, place);
                    self.reserve(view, place);
                }
            }
        }
        let without = self.waiting.iter().filter(|(_, window)| window.is_none());
        for place in without.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.reserve(view, place);
        }
        self.start_due(view);
    }
}
