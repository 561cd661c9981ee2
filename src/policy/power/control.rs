//! What is done about running jobs: who yields when a cap falls, who gets watts back, and who is slowed meanwhile.

use super::curtail::Curtail;
use super::ledger::Ledger;
use super::level::{LEVELS, LOWEST, cap_of, level_of};
use super::{HYSTERESIS, Rule, polca};
use crate::cluster::Piece;
use crate::history::SegmentEnd;
use crate::policy::{Event, Policy, View};
use crate::units::{Seconds, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A policy whose running jobs are slowed, stopped and set free as power asks for it.
#[derive(Debug)]
pub(in crate::policy) struct Controlled {
    inner: Box<dyn Policy>,
    rule: Rule,
    curtail: Curtail,
    period: Seconds,
    thresholds: [u32; 2],
    /// Jobs that yielded, and the level they had before.
    yielded: BTreeMap<u32, usize>,
    /// By feed or site with a cap: how many thresholds of it are exceeded.
    states: BTreeMap<u32, usize>,
    /// Whether anything but arrivals and timers happened since the last pass.
    eventful: bool,
    /// The next look at unused watts that was asked for.
    next_look: Time,
    /// When a feed may draw more by itself; [`Time::NEVER`]: none does.
    next_rise: Time,
}

impl Controlled {
    pub(in crate::policy) fn new(inner: Box<dyn Policy>, rule: Rule, curtail: Curtail, view: &View) -> Self {
        let settings = &view.plan().settings;
        Self {
            inner,
            rule,
            curtail,
            period: Seconds(settings.power_period.max(1)),
            thresholds: settings.power_thresholds,
            yielded: BTreeMap::new(),
            states: BTreeMap::new(),
            eventful: true,
            next_look: Time::ZERO,
            next_rise: Time::NEVER,
        }
    }

    /// Whoever draws below a cap that is exceeded yields.
    fn give_way(&mut self, view: &mut View) {
        let mut from = 0;
        while let Some(domain) = ledger(view).exceeded(from) {
            from = domain + 1;
            if self.curtail == Curtail::Cap {
                self.slow(view, domain);
            }
            if self.curtail != Curtail::Drain {
                self.stop(view, domain);
            }
        }
    }

    /// All below a domain slow to the highest common level at which it no longer exceeds its cap, or to the lowest.
    fn slow(&mut self, view: &mut View, domain: u32) {
        let below: Vec<(u32, usize)> =
            running(view).filter(|(job, _)| ledger(view).touches(domain, pieces(view, *job))).collect();
        let mut trial = ledger(view).clone();
        let mut at = below.clone();
        let mut common = LOWEST;
        for level in 1..LEVELS {
            for (job, own) in at.iter_mut().filter(|(_, own)| *own < level) {
                shift(&mut trial, view, *job, *own, level);
                *own = level;
            }
            if !trial.exceeds(domain) {
                common = level;
                break;
            }
        }
        for (job, own) in below.into_iter().filter(|(_, own)| *own < common) {
            self.yielded.entry(job).or_insert(own);
            self.set_level(view, job, common);
        }
    }

    /// Preemptible jobs below a domain stop, the lowest priority first, of those the one that draws most, then the
    /// last, until it no longer exceeds its cap or nobody is left.
    fn stop(&mut self, view: &mut View, domain: u32) {
        let reserved = |job: u32, level: usize| {
            let draws = view.class(job).draws.as_ref()?;
            Some(ledger(view).reserved_below(domain, draws, level, pieces(view, job)))
                .filter(|watts| *watts > 0)
        };
        let mut order: Vec<_> = running(view)
            .filter(|(job, _)| view.plan().workload.behaviour_of(*job).preemptible)
            .filter_map(|(job, level)| {
                Some((view.job(job).priority, Reverse(reserved(job, level)?), Reverse(job)))
            })
            .collect();
        order.sort_unstable();
        for (_, _, Reverse(job)) in order {
            if !ledger(view).exceeds(domain) {
                return;
            }
            let segment = view.segment_index(job);
            view.stop(job);
            self.yielded.remove(&job);
            self.inner.observe(Event::Ended { job, segment, end: SegmentEnd::Preempted }, view);
        }
    }

    /// Who yielded gets back what there is, up to what he had.
    fn give_back(&mut self, view: &mut View) {
        let ceilings: Vec<(u32, usize)> = self.yielded.iter().map(|(job, level)| (*job, *level)).collect();
        self.raise(view, &ceilings);
        self.yielded.retain(|job, ceiling| level(view, *job).is_some_and(|level| level > *ceiling));
    }

    /// Watts that nobody uses go to jobs that are slowed: step by step to the slowest, of those to the highest
    /// priority, then to the first, up to the level named for each.
    fn raise(&mut self, view: &mut View, ceilings: &[(u32, usize)]) {
        let mut trial = ledger(view).clone();
        let mut levels: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        let mut queue = BTreeSet::new();
        for &(job, ceiling) in ceilings {
            let Some(own) = level(view, job).filter(|own| *own > ceiling) else { continue };
            levels.insert(job, (own, ceiling));
            queue.insert((Reverse(own), Reverse(view.job(job).priority), job));
        }
        while let Some((Reverse(own), priority, job)) = queue.pop_first() {
            let class = view.class(job);
            let Some(draws) = &class.draws else { continue };
            let held = pieces(view, job);
            trial.hold(draws, own, held, false);
            let fits = trial.admits(draws, own - 1, held);
            let next = if fits { own - 1 } else { own };
            trial.hold(draws, next, held, true);
            if let Some((level, ceiling)) = levels.get_mut(&job) {
                *level = next;
                if fits && next > *ceiling {
                    queue.insert((Reverse(next), priority, job));
                }
            }
        }
        for (job, (next, _)) in levels {
            if level(view, job) != Some(next) {
                self.set_level(view, job, next);
            }
        }
    }

    fn set_level(&mut self, view: &mut View, job: u32, level: usize) {
        let before = view.segment_index(job);
        view.cap(job, cap_of(level));
        self.inner.observe(Event::Rerated { job, before }, view);
    }

    /// Once a period unused watts are given away; as long as anybody is slowed there is a next time.
    fn steer(&mut self, view: &mut View) {
        if view.now() >= self.next_look {
            let slowed: Vec<(u32, usize)> = running(view).filter(|(_, level)| *level > 0).collect();
            let ceilings: Vec<(u32, usize)> = slowed.iter().map(|(job, _)| (*job, 0)).collect();
            self.raise(view, &ceilings);
        }
    }

    fn ask_for_look(&mut self, view: &mut View) {
        if view.now() >= self.next_look && running(view).any(|(_, level)| level > 0) {
            self.next_look = Time(view.now().0 - view.now().0 % self.period.0) + self.period;
            view.wake_at(self.next_look);
        }
    }

    /// Slows and sets free by thresholds. Returns whether anybody was slowed.
    fn by_thresholds(&mut self, view: &mut View, may_fall: bool) -> bool {
        let capped: Vec<(u32, u64, u64)> = ledger(view).capped_feeds().collect();
        for (domain, drawn, cap) in capped {
            let exceeds =
                |drawn: u64, percent: u32| u128::from(drawn) * 100 > u128::from(cap) * u128::from(percent);
            let before = self.states.get(&domain).copied().unwrap_or(0);
            let over = self.thresholds.iter().filter(|threshold| exceeds(drawn, **threshold)).count();
            let mut state = before.max(over);
            // One threshold a pass; what it slowed has to fit without it.
            if may_fall && state == before && state > 0 {
                self.states.insert(domain, state - 1);
                let still = exceeds(self.would_draw(view, domain), self.thresholds[state - 1] - HYSTERESIS);
                state -= usize::from(!still);
            }
            self.states.insert(domain, state);
        }
        let targets: Vec<(u32, usize, usize)> =
            running(view).map(|(job, level)| (job, level, self.target(view, job))).collect();
        let mut slowed = false;
        for &(job, _, target) in targets.iter().filter(|(_, level, target)| level < target) {
            self.set_level(view, job, target);
            slowed = true;
        }
        let ceilings: Vec<(u32, usize)> = targets.iter().map(|(job, _, target)| (*job, *target)).collect();
        self.raise(view, &ceilings);
        slowed
    }

    /// The level that the thresholds ask of a job.
    fn target(&self, view: &View, job: u32) -> usize {
        let held = pieces(view, job);
        let states = self.states.iter().filter(|(domain, _)| ledger(view).touches(**domain, held));
        let state = states.map(|(_, state)| *state).max().unwrap_or(0);
        polca::levels(view.class(job).high)[state]
    }

    /// What a domain would draw were every job at the level that the thresholds ask of it.
    fn would_draw(&self, view: &View, domain: u32) -> u64 {
        let mut trial = ledger(view).clone();
        for (job, level) in running(view) {
            shift(&mut trial, view, job, level, self.target(view, job));
        }
        trial.drawn(domain)
    }
}

fn ledger(view: &View) -> &Ledger {
    view.room().power().expect("power is controlled where it is counted")
}

fn pieces(view: &View, job: u32) -> &[Piece] {
    view.segment(job).map_or(&[], |segment| view.history().pieces_of(segment))
}

/// The level of a running job.
fn level(view: &View, job: u32) -> Option<usize> {
    view.segment(job).map(|segment| level_of(segment.cap))
}

/// Running jobs and their levels.
fn running(view: &View) -> impl Iterator<Item = (u32, usize)> {
    view.running().iter().filter_map(|job| Some((*job, level(view, *job)?)))
}

/// A job goes from one level to another.
fn shift(trial: &mut Ledger, view: &View, job: u32, from: usize, to: usize) {
    if let Some(draws) = &view.class(job).draws {
        let held = pieces(view, job);
        trial.hold(draws, from, held, false);
        trial.hold(draws, to, held, true);
    }
}

impl Policy for Controlled {
    fn observe(&mut self, event: Event, view: &View) {
        if let Event::Ended { job, .. } = event {
            self.yielded.remove(&job);
        }
        self.eventful |= !matches!(event, Event::Eligible { .. } | Event::Timer);
        self.inner.observe(event, view);
    }

    fn make_way(&mut self, view: &mut View) {
        if std::mem::take(&mut self.eventful) {
            self.give_way(view);
            self.give_back(view);
        }
    }

    fn decide(&mut self, view: &mut View) {
        if self.next_rise <= view.now() {
            self.eventful = true;
            self.inner.observe(Event::Power, view);
        }
        self.make_way(view);
        if self.rule == Rule::Steer {
            self.steer(view);
        }
        self.inner.decide(view);
        if self.rule == Rule::Steer {
            self.ask_for_look(view);
        }
        let mut may_fall = true;
        while self.rule == Rule::Polca && self.by_thresholds(view, may_fall) {
            may_fall = false;
            self.inner.observe(Event::Power, view);
            self.inner.decide(view);
        }
        self.next_rise = ledger(view).next_rise().unwrap_or(Time::NEVER);
        if self.next_rise != Time::NEVER {
            view.wake_at(self.next_rise);
        }
    }
}
