use super::terminal::Terminal;
use crate::ensemble::Measure;
use crate::error::{Error, Place, Problem, Problems, Result};
use crate::history::Plan;
use crate::metrics::measure;
use crate::scenario::{Loaded, Overrides, Scenario, Traces};
use crate::simulation::{Control, simulate};
use std::path::Path;
use std::sync::Arc;

/// The scenario that the command line means: a file, options alone, or the quickstart.
pub(super) fn scenario(path: Option<&Path>, overrides: &Overrides) -> Result<Loaded> {
    Scenario::meant(path, overrides, &Traces::default())
}

/// An error that was told to several runs, as one.
pub(super) fn alone(error: Arc<Error>) -> Error {
    Arc::try_unwrap(error).unwrap_or_else(|shared| match &*shared {
        Error::Input(problems) => Error::Input(problems.clone()),
        other => Problem::new(other.to_string()).into(),
    })
}

/// That something is known of measures of energy and what it costs, by one run: each with where it was named.
pub(super) fn must_be_known(plan: Plan, measures: &[(&'static Measure, String)]) -> Result<()> {
    let asked: Vec<_> = measures.iter().filter(|(measure, _)| measure.unit.is_of_energy()).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let measured = measure(&simulate(plan, &mut Control::default()));
    let mut problems = Problems::default();
    for (unknown, place) in asked.into_iter().filter(|(asked, _)| asked.of(&measured).is_nan()) {
        let said = format!("nothing is known of `{}` here", unknown.word());
        let hint = format!(
            "it is {}; power is counted where a platform draws some, money and carbon where `[power]` says",
            unknown.about
        );
        problems.push(Problem::new(said).at(Place::file(place.clone())).hint(hint));
    }
    problems.into_result(())
}

/// Seeds of a command that does not say how many, where they make a difference.
const SEEDS: u32 = 10;

/// So many seeds from the first one upwards: as many as asked for, but one where nothing is random.
pub(super) fn seeds(first: u64, asked: Option<u32>, is_random: bool, terminal: Terminal) -> Vec<u64> {
    let count = if is_random { asked.unwrap_or(SEEDS) } else { 1 };
    if let Some(asked) = asked.filter(|asked| *asked > count) {
        terminal.note(&format!("nothing is random here: one run each in place of {asked}"));
    }
    (0..u64::from(count)).map(|offset| first.wrapping_add(offset)).collect()
}
