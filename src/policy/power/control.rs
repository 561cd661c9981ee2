//! What is done about running jobs: which yield when a cap falls, get watts back, and are slowed meanwhile.

use super::curtail::Curtail;
use super::{HYSTERESIS, Treatment, polca};
use crate::cluster::Piece;
use crate::policy::PolicyError;
use crate::policy::pipeline::{Bus, Part};
use crate::state::power::ledger::Ledger;
use crate::state::power::level::{LEVELS, LOWEST, cap_of, level_of};
use crate::state::{Decision, Event, State};
use crate::units::{Seconds, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Slows running jobs, stops them and sets them free, as power asks for it.
#[derive(Debug)]
pub(in crate::policy) struct Control {
    rule: Treatment,
    curtail: Curtail,
    period: Seconds,
    thresholds: [u32; 2],
    /// Jobs that yielded, and the level they had before.
    yielded: BTreeMap<u32, usize>,
    /// By feed or site with a cap: how many thresholds of it are exceeded.
    zones: BTreeMap<u32, usize>,
    /// Whether anything but arrivals and timers happened since the last pass.
    eventful: bool,
    /// The next look at unused watts that was asked for.
    next_look: Time,
    /// When a feed may draw more by itself; [`Time::NEVER`]: none does.
    next_rise: Time,
}

impl Control {
    /// What the plan's settings name; none where no caps are heeded, no answer if there is none of that name.
    pub(in crate::policy) fn of(state: &State) -> Option<Option<Self>> {
        let settings = &state.plan().settings;
        let curtail = Curtail::named(&settings.curtail)?;
        let control = |rule| Self {
            rule,
            curtail,
            period: Seconds(settings.power_period.max(1)),
            thresholds: settings.power_thresholds,
            yielded: BTreeMap::new(),
            zones: BTreeMap::new(),
            eventful: true,
            next_look: Time::ZERO,
            next_rise: Time::NEVER,
        };
        Some(Treatment::of(state.plan()).map(control))
    }

    /// Whether a feed may draw more since now, which matters to all.
    pub(in crate::policy) fn takes_rise(&mut self, now: Time) -> bool {
        let rises = self.next_rise <= now;
        self.eventful |= rises;
        rises
    }

    /// Makes way where a cap is exceeded, and gives back what there is.
    pub(in crate::policy) fn make_way(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        if std::mem::take(&mut self.eventful) {
            self.give_way(bus)?;
            self.give_back(bus)?;
        }
        Ok(())
    }

    /// Before a pass.
    pub(in crate::policy) fn before(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        self.make_way(bus)?;
        if self.rule == Treatment::Steer { self.steer(bus) } else { Ok(()) }
    }

    /// After a pass.
    pub(in crate::policy) fn after(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        if self.rule == Treatment::Steer { self.ask_for_look(bus) } else { Ok(()) }
    }

    /// Asks for a pass when a feed may next draw more.
    pub(in crate::policy) fn watch_rise(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        self.next_rise = ledger(bus).next_rise().unwrap_or(Time::NEVER);
        if self.next_rise != Time::NEVER && self.next_rise > bus.now() {
            bus.apply(Decision::WakeAt { time: self.next_rise })?;
        }
        Ok(())
    }

    /// Jobs that draw below a cap that is exceeded yield.
    fn give_way(&mut self, state: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        let mut from = 0;
        while let Some(domain) = ledger(state).exceeded(from) {
            from = domain + 1;
            if self.curtail == Curtail::Cap {
                self.slow(state, domain)?;
            }
            if self.curtail != Curtail::Drain {
                self.stop(state, domain)?;
            }
        }
        Ok(())
    }

    /// All below a domain slow to the highest common level at which it no longer exceeds its cap, or to the lowest.
    fn slow(&mut self, state: &mut Bus<'_, '_>, domain: u32) -> Result<(), PolicyError> {
        let below: Vec<(u32, usize)> =
            running(state).filter(|(job, _)| ledger(state).touches(domain, pieces(state, *job))).collect();
        let would_exceed = |state: &mut Bus<'_, '_>, level: usize| {
            let slower = below.iter().filter(|(_, own)| *own < level);
            let levels: Vec<(u32, usize)> = slower.map(|(job, _)| (*job, level)).collect();
            state.at_levels(&levels, |ledger| ledger.exceeds(domain))
        };
        let common = (1..LEVELS).find(|level| !would_exceed(state, *level)).unwrap_or(LOWEST);
        for (job, own) in below.into_iter().filter(|(_, own)| *own < common) {
            self.yielded.entry(job).or_insert(own);
            set_level(state, job, common)?;
        }
        Ok(())
    }

    /// Preemptible jobs below a domain stop, the lowest priority first, of those the one that draws most, then the
    /// last, until it no longer exceeds its cap or no job is left.
    fn stop(&mut self, state: &mut Bus<'_, '_>, domain: u32) -> Result<(), PolicyError> {
        let reserved = |job: u32, level: usize| {
            let draws = state.class(job).draws.as_ref()?;
            Some(ledger(state).reserved_below(domain, draws, level, pieces(state, job)))
                .filter(|watts| *watts > 0)
        };
        let mut order: Vec<_> = running(state)
            .filter(|(job, _)| state.plan().workload.behaviour_of(*job).preemptible)
            .filter_map(|(job, level)| {
                Some((state.job(job).priority, Reverse(reserved(job, level)?), Reverse(job)))
            })
            .collect();
        order.sort_unstable();
        for (_, _, Reverse(job)) in order {
            if !ledger(state).exceeds(domain) {
                return Ok(());
            }
            state.apply(Decision::Stop { job })?;
            self.yielded.remove(&job);
        }
        Ok(())
    }

    /// Jobs that yielded get back what there is, up to what they had.
    fn give_back(&mut self, state: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        let ceilings: Vec<(u32, usize)> = self.yielded.iter().map(|(job, level)| (*job, *level)).collect();
        raise(state, &ceilings)?;
        self.yielded.retain(|job, ceiling| level(state, *job).is_some_and(|level| level > *ceiling));
        Ok(())
    }

    /// Once a period unused watts are given away; as long as any job is slowed there is a next time.
    fn steer(&mut self, state: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        if state.now() >= self.next_look {
            let slowed: Vec<(u32, usize)> = running(state).filter(|(_, level)| *level > 0).collect();
            let ceilings: Vec<(u32, usize)> = slowed.iter().map(|(job, _)| (*job, 0)).collect();
            raise(state, &ceilings)?;
        }
        Ok(())
    }

    fn ask_for_look(&mut self, state: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        if state.now() >= self.next_look && running(state).any(|(_, level)| level > 0) {
            self.next_look = Time(state.now().0 - state.now().0 % self.period.0) + self.period;
            state.apply(Decision::WakeAt { time: self.next_look })?;
        }
        Ok(())
    }

    /// Slows and sets free by thresholds. Returns whether any job was slowed.
    pub(in crate::policy) fn by_thresholds(
        &mut self,
        state: &mut Bus<'_, '_>,
        may_fall: bool,
    ) -> Result<bool, PolicyError> {
        if self.rule != Treatment::Polca {
            return Ok(false);
        }
        let capped: Vec<(u32, u64, u64)> = ledger(state).capped_feeds().collect();
        for (domain, drawn, cap) in capped {
            let exceeds =
                |drawn: u64, percent: u32| u128::from(drawn) * 100 > u128::from(cap) * u128::from(percent);
            let before = self.zones.get(&domain).copied().unwrap_or(0);
            let over = self.thresholds.iter().filter(|threshold| exceeds(drawn, **threshold)).count();
            let mut zone = before.max(over);
            // One threshold a pass; what it slowed has to fit without it.
            if may_fall && zone == before && zone > 0 {
                self.zones.insert(domain, zone - 1);
                let targets: Vec<(u32, usize)> =
                    running(state).map(|(job, _)| (job, self.target(state, job))).collect();
                let would_draw = state.at_levels(&targets, |ledger| ledger.drawn(domain));
                let still = exceeds(would_draw, self.thresholds[zone - 1] - HYSTERESIS);
                zone -= usize::from(!still);
            }
            self.zones.insert(domain, zone);
        }
        let targets: Vec<(u32, usize, usize)> =
            running(state).map(|(job, level)| (job, level, self.target(state, job))).collect();
        let mut slowed = false;
        for &(job, _, target) in targets.iter().filter(|(_, level, target)| level < target) {
            set_level(state, job, target)?;
            slowed = true;
        }
        let ceilings: Vec<(u32, usize)> = targets.iter().map(|(job, _, target)| (*job, *target)).collect();
        raise(state, &ceilings)?;
        Ok(slowed)
    }

    /// The level that the thresholds ask of a job.
    fn target(&self, state: &State, job: u32) -> usize {
        let held = pieces(state, job);
        let zones = self.zones.iter().filter(|(domain, _)| ledger(state).touches(**domain, held));
        let zone = zones.map(|(_, zone)| *zone).max().unwrap_or(0);
        polca::levels(state.class(job).high)[zone]
    }
}

/// Unused watts go to jobs that are slowed: step by step to the slowest, of those to the highest
/// priority, then to the first, up to the level named for each.
fn raise(state: &mut Bus<'_, '_>, ceilings: &[(u32, usize)]) -> Result<(), PolicyError> {
    let mut levels: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    let mut queue = BTreeSet::new();
    for &(job, ceiling) in ceilings {
        let Some(own) = level(state, job).filter(|own| *own > ceiling) else { continue };
        levels.insert(job, (own, ceiling));
        queue.insert((Reverse(own), Reverse(state.job(job).priority), job));
    }
    if queue.is_empty() {
        return Ok(());
    }
    // Every step is a decision on trial; what they come to is then decided at once.
    state.explore(|trial| {
        while let Some((Reverse(own), priority, job)) = queue.pop_first() {
            let fits = trial.class(job).draws.is_some()
                && trial.apply(Decision::Cap { job, cap: cap_of(own - 1) }).is_ok();
            if let Some((level, ceiling)) = levels.get_mut(&job).filter(|_| fits) {
                *level = own - 1;
                if own - 1 > *ceiling {
                    queue.insert((Reverse(own - 1), priority, job));
                }
            }
        }
    });
    for (job, (next, _)) in levels {
        if level(state, job) != Some(next) {
            set_level(state, job, next)?;
        }
    }
    Ok(())
}

fn set_level(state: &mut Bus<'_, '_>, job: u32, level: usize) -> Result<(), PolicyError> {
    state.apply(Decision::Cap { job, cap: cap_of(level) }).map(drop)
}

fn ledger(state: &State) -> &Ledger {
    state.resources().power().expect("power is controlled where it is counted")
}

fn pieces(state: &State, job: u32) -> &[Piece] {
    state.segment(job).map_or(&[], |segment| state.history().pieces_of(segment))
}

/// The level of a running job.
fn level(state: &State, job: u32) -> Option<usize> {
    state.segment(job).map(|segment| level_of(segment.cap))
}

/// Running jobs and their levels.
fn running(state: &State) -> impl Iterator<Item = (u32, usize)> {
    let mut jobs = state.running().to_vec();
    jobs.sort_unstable();
    jobs.into_iter().filter_map(|job| Some((job, level(state, job)?)))
}

impl Part for Control {
    fn observe(&mut self, event: &Event, _: &State) {
        if let Event::Ended { job, .. } = event {
            self.yielded.remove(job);
        }
        let happens = matches!(
            event,
            Event::Ended { .. }
                | Event::Settled { .. }
                | Event::Withdrawn { .. }
                | Event::Capacity
                | Event::Power
        );
        self.eventful |= happens;
    }
}
