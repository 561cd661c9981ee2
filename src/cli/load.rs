use super::terminal::Terminal;
use crate::error::{Error, Problem, Result};
use crate::scenario::{Loaded, Overrides, Scenario, Traces};
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
