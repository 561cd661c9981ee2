//! What a walk takes from and decides, and how that is carried out.

use super::line::{Rank, Runner};
use super::out::Out;
use crate::policy::PolicyError;
use crate::policy::placement::Placement;
use crate::policy::placement::ranked::Ranked;
use crate::state::class::Class;
use crate::state::place::Choice;
use crate::state::quota::Quotas;
use crate::state::{Decision, Event, State, Supposed, Trial};

/// What a walk decides.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Running jobs that are not, ascending.
    pub(super) stopped: Vec<u32>,
    /// Pending jobs that are, in order.
    pub(super) starting: Vec<Rank>,
    /// Whether jobs stop even for those that then find no place.
    pub(super) in_vain: bool,
}

/// What a walk takes from.
pub(super) struct Pool {
    /// GPU-thousandths by region.
    pub(super) free: Vec<u64>,
    /// None: nothing counts against one.
    pub(super) quotas: Option<Quotas>,
}

impl Pool {
    /// Whether a running job still has what it holds; it keeps that then.
    #[inline]
    pub(super) fn keeps(&mut self, runner: &Runner, state: &State) -> bool {
        let mut held = runner.held.iter();
        let keeps = held.all(|(region, milli)| milli <= self.free[region as usize])
            && self.quotas.as_ref().is_none_or(|quotas| quotas.allows(runner.class(state)));
        if keeps {
            runner.held.iter().for_each(|(region, milli)| self.free[region as usize] -= milli);
            self.quotas.iter_mut().for_each(|quotas| quotas.hold(runner.class(state)));
        }
        keeps
    }
    /// Whether the regions of a class have what a job of it asks for; it takes that then, of the first first.
    pub(super) fn takes(&mut self, class: &Class, regions: &[u32]) -> bool {
        let mut left = u64::from(class.gpus_milli);
        let free: u64 = regions.iter().map(|region| self.free[*region as usize]).sum();
        if free < left || self.quotas.as_ref().is_some_and(|quotas| !quotas.allows(class)) {
            return false;
        }
        for region in regions {
            let free = &mut self.free[*region as usize];
            let share = left.min(*free);
            *free -= share;
            left -= share;
        }
        self.quotas.iter_mut().for_each(|quotas| quotas.hold(class));
        true
    }
}

/// Stops jobs and starts others where they find a place, or tells the first of each class that finds none.
pub(super) fn carry_out(
    trial: &mut Trial<'_>,
    events: &mut Vec<Event>,
    taken: &Taken,
    (placement, ranked): (&Placement, &mut Option<Ranked>),
) -> Result<Result<(), Vec<Rank>>, PolicyError> {
    for &job in &taken.stopped {
        events.push(trial.apply(Decision::Stop { job })?);
    }
    ranked.iter_mut().for_each(Ranked::begin);
    let (mut failed, mut out): (Vec<Rank>, Out) = (Vec::new(), Out::new(trial));
    let mut choice = Choice::default();
    for rank in &taken.starting {
        let job = rank.job();
        let class = trial.class(job);
        if out.has(trial, *rank) {
            continue;
        }
        let is_below_ceilings = trial.resources().below_ceilings(class);
        let supposed =
            Supposed { nodes: trial.going(job), watts: trial.watts_for(job), ..Supposed::default() };
        let stays = supposed.is_nothing();
        let mut find = |state: &State| match ranked {
            Some(ranked) if stays => {
                let waiting = || taken.starting.iter().map(|rank| rank.job());
                ranked.choose(placement, (state.classes(), waiting), job, state.resources(), &mut choice)
            }
            _ => placement.choose_in(state.class(job), job, state.resources(), &mut choice),
        };
        let found = is_below_ceilings && if stays { find(trial) } else { trial.supposing(supposed, find) };
        if !found {
            out.add(trial, *rank);
            failed.push(*rank);
            continue;
        }
        events.push(trial.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?);
        if let Some(ranked) = ranked {
            ranked.started(placement, trial.resources(), &choice.pieces);
        }
    }
    Ok(if failed.is_empty() || taken.in_vain { Ok(()) } else { Err(failed) })
}
