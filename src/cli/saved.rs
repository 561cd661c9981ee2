//! Runs as their directories have them.

use super::arguments::{Arguments, Command, Simulate};
use crate::error::{Error, Place, Problem, Result};
use crate::history::{self, History};
use crate::policy::part;
use crate::report::run::{Input, Provenance};
use crate::scenario::Overrides;
use clap::Parser;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A run as its directory has it.
pub(super) struct Saved {
    pub(super) history: History,
    pub(super) provenance: Provenance,
}

impl Saved {
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let path = directory.join("history");
        let bytes = std::fs::read(&path).map_err(|source| Error::io("read", &path, source))?;
        let history = history::file::read(&bytes, &path.display().to_string())?;
        // What a newer version wrote may name parts that this one does not know.
        if let Err(problem) = part::check(&history.plan.settings) {
            return Err(problem.at(Place::file(path.display().to_string())).into());
        }
        let provenance = provenance(directory, &history)?;
        Ok(Self { history, provenance })
    }
    /// The scenario that was simulated, and what the command line changed of it.
    pub(super) fn source(&self, directory: &Path) -> Result<(Option<PathBuf>, Overrides)> {
        let simulate = command(&self.provenance.options).ok_or_else(|| {
            let problem = Problem::new("the run was made by a command that this version does not take");
            problem.at(Place::file(directory.join("manifest.json").display().to_string()))
        })?;
        let overrides = simulate.changes.overrides(simulate.policy.as_deref());
        Ok((simulate.scenario, overrides))
    }
    /// The run as a line.
    pub(super) fn title(&self) -> String {
        let settings = &self.history.plan.settings;
        format!("{}: {}, seed {}", self.provenance.title, settings.policy(), settings.seed)
    }
}

/// What `manifest.json` says of where a run comes from, if it is the manifest of that run.
fn provenance(directory: &Path, history: &History) -> Result<Provenance> {
    let path = directory.join("manifest.json");
    let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
    let manifest: Value = serde_json::from_str(&text).map_err(|error| {
        Problem::new(format!("this is no manifest that can be read: {error}"))
            .at(Place::file(path.display().to_string()))
            .hint("`gigawatt simulate --out DIR` writes one as `DIR/manifest.json`")
    })?;
    let (told, digest) = (manifest["history"].as_str(), history.digest().to_string());
    if told.is_some_and(|told| told != digest) {
        let problem =
            Problem::new("this is the manifest of another run than `history`, whose digest differs");
        let hint = "`gigawatt simulate --out DIR` writes both";
        return Err(problem.at(Place::file(path.display().to_string())).hint(hint).into());
    }
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| manifest[key].as_array().cloned().unwrap_or_default();
    let input = |input: &Value| Input { path: text(input, "path"), digest: text(input, "digest") };
    let options: Vec<String> = list("options").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Provenance {
        title: text(&manifest, "title"),
        inputs: list("inputs").iter().map(input).collect(),
        scenario: scenario(&options),
        options,
        device: text(&manifest, "device"),
        ..Provenance::default()
    })
}

/// The part of a command line that means the scenario; none where this version does not take it.
fn scenario(options: &[String]) -> Vec<String> {
    command(options).map_or_else(Vec::new, |simulate| simulate.scenario_words())
}

/// The command that made a run, if this version takes it.
fn command(options: &[String]) -> Option<Simulate> {
    let words = std::iter::once("gigawatt").chain(options.iter().map(String::as_str));
    match Arguments::try_parse_from(words).ok()?.command {
        Command::Simulate(simulate) => Some(simulate),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_of_a_saved_run_is_what_its_command_line_says() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<String>>();
        let found =
            scenario(&words("simulate night.toml -p sjf --out run1 --seed 9 --report --set run.until=6h"));
        assert_eq!(found, words("night.toml --seed 9 --set run.until=6h"), "without policy and output");
        assert_eq!(scenario(&words("simulate --no-such-option")), [""; 0], "of another version");
    }
}
