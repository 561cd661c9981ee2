//! Conservative backfill: every waiting job has a reservation of its very nodes, which no later job may delay.
//!
//! A reservation is the earliest window in which the placement finds nodes that are free throughout. Arrivals are
//! inserted after the others, which stay; in a pass where a job ended, each in queue order is removed and inserted
//! anew. Reservations count GPUs and quotas; CPU and memory are looked at when a job starts, and who then finds them
//! taken is inserted anew. If a job runs past its expected end, all reservations are made anew.
//! A pass costs O(waiting · steps · GPUs) time; the profile takes 2 bytes a GPU and step.

use super::super::pending::{Key, job_of, key_of};
use super::super::placement::{Choice, Placement};
use super::super::view::{Quota, Room};
use super::super::{Event, Policy, Status, View, ticks};
use crate::history::SegmentEnd;
use crate::units::{Factor, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What is left of each GPU, and held by each tenant, from one instant until the next step's.
#[derive(Debug, Clone)]
struct Step {
    from: Time,
    left: Vec<u16>,
    quota: Quota,
}

/// A window in the future, and what a job will hold in it.
#[derive(Debug, Clone)]
struct Reservation {
    start: Time,
    end: Time,
    choice: Choice,
}

/// The conservative policy.
#[derive(Debug)]
pub(crate) struct Conservative {
    key: fn(&View, u32) -> u64,
    placement: Placement,
    /// An empty cluster, from which windows are made.
    empty: Option<Room>,
    steps: Vec<Step>,
    waiting: BTreeMap<Key, Option<Reservation>>,
    /// Running jobs: what they are expected to hold, and until when.
    running: BTreeMap<u32, Reservation>,
    arrived: BTreeSet<Key>,
    ended: bool,
    anew: bool,
}

impl Conservative {
    pub(crate) fn new(key: fn(&View, u32) -> u64, placement: Placement) -> Self {
        Self {
            key,
            placement,
            empty: None,
            steps: Vec::new(),
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            arrived: BTreeSet::new(),
            ended: false,
            anew: true,
        }
    }

    /// The profile of what runs, without reservations.
    fn rebuild(&mut self, view: &View) {
        let empty = self.empty.get_or_insert_with(|| Room::new(view.plan(), view.classes()));
        let occupancy = &view.room().occupancy;
        let mut left = vec![1000_u16; occupancy.gpus()];
        for node in (0..view.plan().cluster.nodes() as usize).filter(|node| !occupancy.is_up(*node)) {
            empty.occupancy.each_gpu(node, |gpu| left[gpu] = 0);
        }
        self.steps = vec![Step { from: view.now(), left, quota: empty.clone_quota() }];
        let soonest = view.now() + crate::units::Seconds(1);
        for (job, held) in std::mem::take(&mut self.running) {
            let held = Reservation { end: held.end.max(soonest), start: view.now(), ..held };
            self.hold(view, job, &held, true);
            self.running.insert(job, held);
        }
        self.waiting.values_mut().for_each(|reservation| *reservation = None);
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

    fn hold(&mut self, view: &View, job: u32, window: &Reservation, hold: bool) {
        let start = window.start.max(self.steps[0].from);
        if window.end <= start {
            return;
        }
        let (first, last) = (self.split(start), self.split(window.end));
        let class = view.class(job);
        for step in &mut self.steps[first..last] {
            view.room().occupancy.count_pieces(&window.choice.pieces, |gpu, milli| {
                let left = &mut step.left[gpu];
                *left = if hold { left.saturating_sub(milli) } else { (*left + milli).min(1000) };
            });
            if hold { step.quota.hold(class) } else { step.quota.unhold(class) }
        }
    }

    /// The earliest window in which the job finds room, held from then on.
    fn insert(&mut self, view: &View, job: u32) -> Option<Reservation> {
        let class = view.class(job);
        let slowest = class.rate.unwrap_or_else(|| slowest(view, job));
        let length = ticks(view.expected_work(job, slowest), slowest);
        for first in 0..self.steps.len() {
            let start = self.steps[first].from;
            let Some(left) = self.left_throughout(view, job, first, start + length) else { continue };
            let empty = self.empty.as_ref().expect("made with the first profile");
            let mut choice = Choice::default();
            if self.placement.choose(class, job, &empty.occupancy.limited_to(&left), &mut choice) {
                let rate = view.rate(job, &choice);
                let end = start + ticks(view.expected_work(job, rate), rate);
                let window = Reservation { start, end, choice };
                self.hold(view, job, &window, true);
                return Some(window);
            }
        }
        None
    }

    /// What is left of every GPU from step `first` until `end`; none if that is certainly too little.
    fn left_throughout(&self, view: &View, job: u32, first: usize, end: Time) -> Option<Vec<u16>> {
        let class = view.class(job);
        let enough = |left: &[u16]| {
            left.iter().map(|left| u64::from(*left)).sum::<u64>() >= u64::from(class.gpus_milli)
        };
        let mut left = self.steps[first].left.clone();
        let mut window =
            self.steps[first..].iter().enumerate().take_while(|(index, step)| *index == 0 || step.from < end);
        let fits = window.all(|(_, step)| {
            left.iter_mut().zip(&step.left).for_each(|(left, other)| *left = (*left).min(*other));
            step.quota.within_quota(class) && enough(&left)
        });
        fits.then_some(left)
    }

    fn start_due(&mut self, view: &mut View) {
        let due: Vec<Key> = self
            .waiting
            .iter()
            .filter(|(_, window)| window.as_ref().is_some_and(|window| window.start <= view.now()))
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            let job = job_of(key);
            let Some(Some(window)) = self.waiting.get(&key).cloned() else { continue };
            let class = view.class(job);
            if view.room().within_quota(class)
                && view.room().occupancy.is_free(&window.choice.pieces, class.host)
            {
                view.start(job, &window.choice);
                self.waiting.remove(&key);
                self.running.insert(job, window);
            } else {
                self.anew = true;
            }
        }
        let next = self
            .waiting
            .values()
            .flatten()
            .map(|window| window.start)
            .filter(|start| *start > view.now())
            .min();
        if let Some(time) = next {
            view.wake_at(time);
        }
    }
}

/// The lowest rate a job might get.
fn slowest(view: &View, job: u32) -> Factor {
    let class = view.class(job);
    let kinds = &view.plan().cluster.kinds;
    let rates = (0u32..).zip(kinds).map(|(kind, _)| class.rate_on(kinds, kind, 2));
    rates.min().unwrap_or_default()
}

impl Policy for Conservative {
    fn observe(&mut self, event: Event, view: &View) {
        match event {
            Event::Eligible { job } => {
                let key = key_of((self.key)(view, job), view, job);
                self.waiting.insert(key, None);
                self.arrived.insert(key);
            }
            Event::Running { job, segment } => {
                let history = view.history();
                let segment = &history.segments[segment as usize];
                let choice = Choice { pieces: history.pieces_of(segment).to_vec(), ..Choice::default() };
                let end = view.expected_end(job, segment.rate);
                self.running.insert(job, Reservation { start: segment.from, end, choice });
                self.anew = true;
            }
            Event::Ended { job, end, .. } => {
                self.ended = true;
                if let Some(held) = self.running.remove(&job)
                    && !self.steps.is_empty()
                {
                    self.advance(view.now());
                    self.hold(view, job, &held, false);
                }
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    let key = key_of((self.key)(view, job), view, job);
                    self.waiting.insert(key, None);
                    self.arrived.insert(key);
                }
            }
            Event::Capacity => self.anew = true,
            Event::Cancelled { job } => {
                let key = key_of((self.key)(view, job), view, job);
                if let Some(Some(window)) = self.waiting.remove(&key)
                    && !self.steps.is_empty()
                {
                    self.hold(view, job, &window, false);
                }
                self.arrived.remove(&key);
                self.ended = true;
            }
            Event::Timer => {}
        }
    }

    fn decide(&mut self, view: &mut View) {
        debug_assert!(
            self.waiting.keys().all(|key| view.status(job_of(*key)) == Status::Pending),
            "only pending jobs wait"
        );
        let overdue = self.running.values().any(|held| held.end <= view.now());
        let arrived = std::mem::take(&mut self.arrived);
        if self.anew || overdue || self.steps.is_empty() {
            self.anew = false;
            self.rebuild(view);
            self.insert_again(view, &BTreeSet::new());
        } else {
            self.advance(view.now());
            if self.ended {
                self.insert_again(view, &arrived);
            }
            for key in &arrived {
                let window = self.insert(view, job_of(*key));
                self.waiting.insert(*key, window);
            }
        }
        self.ended = false;
        self.start_due(view);
    }
}

impl Conservative {
    /// Each waiting job but those in `except`, in order, is removed and inserted at its earliest start.
    fn insert_again(&mut self, view: &View, except: &BTreeSet<Key>) {
        let keys: Vec<Key> = self.waiting.keys().copied().filter(|key| !except.contains(key)).collect();
        for key in keys {
            if let Some(Some(window)) = self.waiting.get(&key).cloned() {
                self.hold(view, job_of(key), &window, false);
            }
            let window = self.insert(view, job_of(key));
            self.waiting.insert(key, window);
        }
    }
}
