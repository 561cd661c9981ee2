//! Where jobs go: the placement, class by class or for all that wait at once.

use crate::policy::placement::Placement;
use crate::policy::placement::ranked::Ranked;
use crate::state::place::Choice;
use crate::state::{Resources, State};
use std::collections::BTreeSet;

/// Finds places.
#[derive(Debug)]
pub(super) struct Finder {
    placement: Placement,
    /// Where the places of all jobs that wait are ranked at once.
    ranked: Option<Ranked>,
    choice: Choice,
}

impl Finder {
    pub(super) fn new((placement, ranked): (Placement, Option<Ranked>)) -> Self {
        Self { placement, ranked, choice: Choice::default() }
    }

    /// A pass begins: what holds for all of it is read. Returns whether a place may cost more or less than in the last.
    pub(super) fn begin(&mut self, state: &State) -> bool {
        self.ranked.iter_mut().for_each(Ranked::begin);
        self.placement.freeze(state)
    }

    /// Something has become free in the middle of a pass: what was ranked before holds no more.
    pub(super) fn forget(&mut self) {
        self.ranked.iter_mut().for_each(Ranked::begin);
    }

    /// The place found last.
    pub(super) const fn choice(&self) -> &Choice {
        &self.choice
    }

    /// The place found last, to be put back.
    pub(super) fn take_choice(&mut self) -> Choice {
        std::mem::take(&mut self.choice)
    }
    pub(super) fn put_back(&mut self, choice: Choice) {
        self.choice = choice;
    }

    /// Whether a job finds a place now; it is the choice then.
    #[inline]
    pub(super) fn finds_place<I: Iterator<Item = u32>>(
        &mut self,
        state: &State,
        job: u32,
        waiting: impl FnOnce() -> I,
    ) -> bool {
        let (placement, resources, choice) = (&self.placement, state.resources(), &mut self.choice);
        let Some(ranked) = &mut self.ranked else {
            return placement.choose_in(state.class(job), job, resources, choice);
        };
        ranked.choose(placement, (state.classes(), waiting), job, resources, choice)
    }

    /// As [`Finder::finds_place`], of nodes that are up now, whatever was ranked.
    pub(super) fn finds_place_now(&mut self, state: &State, job: u32) -> bool {
        let (class, resources) = (state.class(job), state.resources());
        resources.below_ceilings(class) && self.placement.choose_in(class, job, resources, &mut self.choice)
    }

    /// The domains whose caps refuse a job that would find a place if no cap were looked at: any of the places that are
    /// looked at for it. None where it would not, or they are not told.
    pub(super) fn refusing(&mut self, state: &State, job: u32) -> Option<BTreeSet<u32>> {
        let (class, resources) = (state.class(job), state.resources());
        let power = resources.power()?;
        if !self.placement.choose(class, job, &resources.occupancy, &mut self.choice) {
            return None;
        }
        self.placement.choose_in(class, job, resources, &mut self.choice);
        Some(power.refusing())
    }

    /// Whether a job would fit some resources.
    #[inline]
    pub(super) fn fits(&mut self, state: &State, job: u32, resources: &Resources) -> bool {
        let class = state.class(job);
        resources.below_ceilings(class)
            && resources.holds(class).unwrap_or_else(|| self.placement.fits(class, job, resources))
    }

    /// Where a job would go in some resources, told in the memory of another place.
    pub(super) fn place_in(
        &self,
        state: &State,
        job: u32,
        resources: &Resources,
        mut memory: Choice,
    ) -> Option<Choice> {
        let class = state.class(job);
        let found =
            resources.below_ceilings(class) && self.placement.choose_in(class, job, resources, &mut memory);
        found.then_some(memory)
    }

    /// A job has started at the place found last.
    pub(super) fn started(&mut self, state: &State) {
        if let Some(ranked) = &mut self.ranked {
            ranked.started(&self.placement, state.resources(), &self.choice.pieces);
        }
    }
}
