//! Power is not reserved ahead: a job that starts must find it then.

use crate::state::State;
use crate::state::place::Choice;
use crate::state::power::ledger::Ledger;
use crate::state::power::level::{cap_of, level_of};

/// What power there is for the jobs that start in a pass.
#[derive(Debug, Default)]
pub(super) struct Power {
    /// What would be reserved if the jobs that wait for power had it; none: no job does.
    with_blocked: Option<Ledger>,
}

impl Power {
    /// Whether a job may start at its place, at the level that `choice` then has; if not, what it asks for is kept for
    /// it.
    pub(super) fn admits(&mut self, state: &State, job: u32, choice: &mut Choice) -> bool {
        let class = state.class(job);
        let (Some(ledger), Some(draws)) = (state.resources().power(), &class.draws) else { return true };
        let pieces = &choice.pieces;
        // Of curtailments to come only those count that the job would outlast, beside what is expected to run then.
        let eased = state.watts_for(job).map(|watts| {
            let mut eased = ledger.clone();
            eased.ease(true);
            eased.ask_also(watts);
            eased
        });
        let ledger = eased.as_ref().unwrap_or(ledger);
        if let Some(others) = &mut self.with_blocked {
            others.ease(eased.is_some());
        }
        let admitted = |level: &usize| {
            let others = self.with_blocked.as_ref();
            ledger.admits(draws, *level, pieces)
                && others.is_none_or(|others| others.admits(draws, *level, pieces))
        };
        let level = draws.starts().iter().copied().find(admitted);
        if level.is_none() {
            let others = self.with_blocked.get_or_insert_with(|| ledger.clone());
            others.ask_also(Vec::new());
        }
        if let Some(others) = &mut self.with_blocked {
            others.hold(draws, level.unwrap_or(level_of(choice.cap)), pieces, true);
        }
        choice.cap = level.map_or(choice.cap, cap_of);
        level.is_some()
    }
}
