//! The parts of a policy joined into one: what each decides, every other hears of at once.

use super::backfill::{Backfill, conservative::Conservative};
use super::hold::Hold;
use super::order::Order;
use super::placement::Placement;
use super::placement::ranked::{Ranked, Ranks};
use super::power::control::Control;
use super::preemption::yielding::Yielding;
use super::preemption::{Preemptive, is_ranked};
use super::walk::Walk;
use super::{Policy, PolicyError};
use crate::state::power::ledger::Ledger;
use crate::state::{Decision, Event, State, Supposed, Trial};

/// A part of a policy that keeps books of its own.
pub(super) trait Part: std::fmt::Debug {
    /// Takes note of something that has happened, whichever part decided it.
    fn observe(&mut self, event: &Event, state: &State);
}

/// A part that starts jobs, and perhaps stops some.
pub(super) trait Pass: Part {
    /// Decides which jobs start now.
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError>;
    /// Another pass has looked at everything: what happened until now is no reason for one of its own.
    fn stand_down(&mut self) {}
}

/// What a part decides through: applied at once, and told to every part.
pub(super) struct Bus<'a, 't> {
    trial: &'a mut Trial<'t>,
    /// The parts but the deciding one.
    others: [Option<&'a mut dyn Part>; 3],
}

impl std::ops::Deref for Bus<'_, '_> {
    type Target = State;
    fn deref(&self) -> &State {
        self.trial
    }
}

impl<'t> Bus<'_, 't> {
    /// Applies a decision and tells the other parts; the deciding one takes note of what is returned.
    #[inline]
    pub(super) fn apply(&mut self, decision: Decision<'_>) -> Result<Event, PolicyError> {
        let event = self.trial.apply(decision)?;
        self.tell(&event);
        Ok(event)
    }
    /// From now on the passes over a partition pass over these jobs before the one that they stop at.
    pub(super) fn pass_over(&mut self, partition: u32, jobs: Vec<u32>) {
        self.trial.pass_over(partition, jobs);
    }
    /// From now on the passes over a partition stop at this job.
    pub(super) fn close_partition(&mut self, partition: u32, head: Option<u32>) {
        let event = self.trial.close_partition(partition, head);
        self.tell(&event);
    }
    /// A job that was held back waits like all others.
    pub(super) fn release(&mut self, job: u32) {
        let event = self.trial.release(job);
        self.tell(&event);
    }
    /// Asks about the state as if things were otherwise.
    pub(super) fn supposing<T>(&mut self, what: Supposed, ask: impl FnOnce(&State) -> T) -> T {
        self.trial.supposing(what, ask)
    }
    /// Carries out decisions that hold together: all of them, and the other parts are told; or, where `act` gives up,
    /// none. `act` lists what happened, of which the deciding part takes note.
    pub(super) fn attempt<E>(
        &mut self,
        act: impl FnOnce(&mut Trial<'_>, &mut Vec<Event>) -> Result<Result<(), E>, PolicyError>,
    ) -> Result<Result<Vec<Event>, E>, PolicyError> {
        let (before, mut events) = (self.trial.checkpoint(), Vec::new());
        if let Err(given_up) = act(self.trial, &mut events)? {
            self.trial.roll_back(before);
            return Ok(Err(given_up));
        }
        self.trial.commit(before);
        events.iter().for_each(|event| self.tell(event));
        Ok(Ok(events))
    }
    /// What would be, were things otherwise: to ask, and to decide through the bus.
    pub(super) const fn trial(&mut self) -> &mut Trial<'t> {
        self.trial
    }
    /// Tries decisions and takes all of them back.
    pub(super) fn explore(&mut self, act: impl FnOnce(&mut Trial<'_>)) {
        let before = self.trial.checkpoint();
        act(self.trial);
        self.trial.roll_back(before);
    }
    /// Asks about power as if running jobs were capped at other levels.
    pub(super) fn at_levels<T>(&mut self, levels: &[(u32, usize)], ask: impl FnOnce(&Ledger) -> T) -> T {
        self.trial.at_levels(levels, ask)
    }
    fn tell(&mut self, event: &Event) {
        for part in self.others.iter_mut().flatten() {
            part.observe(event, self.trial);
        }
        self.trial.mark_heard();
    }
}

/// One policy of parts: the full pass, a pass at events between those of a cycle, and what is held and slowed.
#[derive(Debug)]
pub(super) struct Pipeline {
    hold: Option<Hold>,
    power: Option<Control>,
    full: Box<dyn Pass>,
    /// Passes at events, where those of a cycle are others: where both fall together, only the full one.
    event: Option<Box<dyn Pass>>,
}

impl Pipeline {
    /// The policy that a plan's settings name.
    pub(super) fn of(state: &State, ranks: &Ranks) -> Option<Self> {
        let settings = &state.plan().settings;
        super::power::Treatment::named(&settings.power)?;
        let full = full_pass(state, ranks)?;
        let event = match settings.event_backfill.as_ref().filter(|_| settings.has_event_passes()) {
            // The same backfill at events as in the cycle: one pass is both.
            Some(event) if !is_ranked(settings) && *event != settings.backfill => {
                Some(event_pass(state, ranks)?)
            }
            _ => None,
        };
        Some(Self { hold: Hold::of(state)?, power: Control::of(state)?, full, event })
    }
}

/// The pass that the settings name.
fn full_pass(state: &State, ranks: &Ranks) -> Option<Box<dyn Pass>> {
    let settings = &state.plan().settings;
    let placement = Placement::of(state.plan(), state.classes())?;
    let ranked = Ranked::new(ranks, &placement, settings.cycle.is_some());
    let backfill = Backfill::named(&settings.backfill)?;
    let order = Order::of(state.plan())?;
    Some(match backfill {
        // Which jobs stop for which is decided anew in every pass: all backfills are alike.
        _ if is_ranked(settings) => Box::new(Preemptive::new(state, order, (placement, ranked))),
        Backfill::Conservative => Box::new(Conservative::new(state, order, placement)),
        _ => {
            let yielding = Yielding::of(state.plan());
            Box::new(Walk::new(state, order, (backfill, yielding), (placement, ranked)))
        }
    })
}

/// The pass at events, where it is not that of the cycle.
fn event_pass(state: &State, ranks: &Ranks) -> Option<Box<dyn Pass>> {
    let placement = Placement::of(state.plan(), state.classes())?;
    let ranked = Ranked::new(ranks, &placement, false);
    let order = Order::of(state.plan())?;
    // Jobs are stopped in passes of the cycle alone.
    Some(Box::new(Walk::new(state, order, (Backfill::None, None), (placement, ranked))))
}

fn part<T: Part>(part: &mut Option<T>) -> Option<&mut dyn Part> {
    part.as_mut().map(|part| part as &mut dyn Part)
}

fn pass(pass: &mut Box<dyn Pass>) -> &mut dyn Part {
    pass.as_mut()
}

impl Pipeline {
    fn by_hold(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        let Self { hold: Some(hold), power, full, event } = self else { return Ok(()) };
        let others = [part(power), Some(pass(full)), event.as_mut().map(pass)];
        hold.decide(&mut Bus { trial, others })
    }

    /// What power control does, with the others listening.
    fn by_power<T: Default>(
        &mut self,
        trial: &mut Trial<'_>,
        act: impl FnOnce(&mut Control, &mut Bus<'_, '_>) -> Result<T, PolicyError>,
    ) -> Result<T, PolicyError> {
        let Self { hold, power: Some(power), full, event } = self else { return Ok(T::default()) };
        let others = [part(hold), Some(pass(full)), event.as_mut().map(pass)];
        act(power, &mut Bus { trial, others })
    }

    fn by_pass(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        let Self { hold, power, full, event } = self;
        let is_full = trial.plan().settings.is_full_pass(trial.now());
        if let Some(event) = event.as_mut().filter(|_| !is_full) {
            return event.decide(&mut Bus { trial, others: [part(hold), part(power), Some(pass(full))] });
        }
        let others = [part(hold), part(power), event.as_mut().map(pass)];
        full.decide(&mut Bus { trial, others })?;
        event.iter_mut().for_each(|event| event.stand_down());
        Ok(())
    }

    /// Power may have become free though nothing else has.
    fn tell_of_power(&mut self, state: &State) {
        pass(&mut self.full).observe(&Event::Power, state);
        self.event.iter_mut().for_each(|event| event.observe(&Event::Power, state));
    }
}

impl Policy for Pipeline {
    fn observe(&mut self, event: &Event, state: &State) {
        let Self { hold, power, full, event: other } = self;
        hold.iter_mut().for_each(|hold| hold.observe(event, state));
        power.iter_mut().for_each(|power| power.observe(event, state));
        full.observe(event, state);
        other.iter_mut().for_each(|other| other.observe(event, state));
    }

    fn make_way(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        self.by_power(trial, |power, bus| power.make_way(bus))
    }

    fn decide(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        self.by_hold(trial)?;
        if self.power.is_none() {
            return self.by_pass(trial);
        }
        if self.power.as_mut().is_some_and(|power| power.takes_rise(trial.now())) {
            self.tell_of_power(trial);
        }
        self.by_power(trial, |power, bus| power.before(bus))?;
        self.by_pass(trial)?;
        self.by_power(trial, |power, bus| power.after(bus))?;
        let mut may_fall = true;
        while self.by_power(trial, |power, bus| power.by_thresholds(bus, may_fall))? {
            may_fall = false;
            self.tell_of_power(trial);
            self.by_pass(trial)?;
        }
        self.by_power(trial, |power, bus| power.watch_rise(bus))
    }
}
