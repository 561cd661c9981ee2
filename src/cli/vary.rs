//! What a command varies of a scenario, and what it stays the same in.

use crate::error::{Error, Place, Problem, Problems, Result};
use crate::history::Plan;
use crate::scenario::{JobKey, Loaded, Overrides, Scenario, Traces};
use std::path::Path;
use std::sync::Arc;

/// What stands for the number of nodes in `--cluster NODESx8`.
const NODES: &str = "NODES";
/// The key of that number.
const NODES_KEY: &str = "cluster.nodes";

/// A scenario as a command line means it, of which keys are yet to be set.
#[derive(Debug, Clone)]
pub(super) struct Template<'a> {
    path: Option<&'a Path>,
    overrides: Overrides,
    /// What all that come of it read once.
    traces: Traces,
}

impl<'a> Template<'a> {
    /// With these `keys` left open; `option` is where they were named.
    pub(super) fn new<'k>(
        path: Option<&'a Path>,
        overrides: Overrides,
        option: &str,
        keys: impl IntoIterator<Item = &'k str>,
    ) -> Result<Self> {
        let asked = keys.into_iter().any(|key| key == NODES_KEY);
        let open = overrides.cluster.as_ref().is_some_and(|cluster| cluster.contains(NODES));
        let hint = format!("such as `--cluster {NODES}x8 {option} {NODES_KEY}...`");
        match (asked, open) {
            (true, false) => {
                let problem =
                    Problem::new(format!("`{NODES_KEY}` is the `{NODES}` of `--cluster`, which has none"));
                Err(problem.at(Place::file(format!("{option} {NODES_KEY}"))).hint(hint).into())
            }
            (false, true) => {
                let cluster = overrides.cluster.as_deref().unwrap_or_default();
                let problem = Problem::new(format!(
                    "`{NODES}` is left open, and no `{option} {NODES_KEY}` says what it is"
                ));
                Err(problem.at(Place::file(format!("--cluster {cluster}"))).hint(hint).into())
            }
            _ => Ok(Self { path, overrides, traces: Traces::shared() }),
        }
    }
    /// With a key set as `--set` would, `policy` as `-p` would, and `cluster.nodes` in place of `NODES`.
    pub(super) fn with(&self, key: &str, value: &str) -> Self {
        let mut overrides = self.overrides.clone();
        match key {
            NODES_KEY => overrides.cluster = overrides.cluster.map(|cluster| cluster.replace(NODES, value)),
            "policy" => overrides.policy = Some(value.to_owned()),
            _ => overrides.set.push(format!("{key}={value}")),
        }
        Self { path: self.path, overrides, traces: self.traces.clone() }
    }
    /// With a job beside those it has; one that no empty cluster could hold is rejected.
    pub(super) fn with_job(&self, keys: &[JobKey]) -> Self {
        let mut overrides = self.overrides.clone();
        overrides.job = keys.to_vec();
        overrides.set.push("run.oversized=reject".to_owned());
        Self { path: self.path, overrides, traces: self.traces.clone() }
    }
    /// The scenario as it is now.
    pub(super) fn load(&self) -> Result<Loaded> {
        Scenario::meant(self.path, &self.overrides, &self.traces)
    }
    /// Its plan under a seed.
    pub(super) fn plan(&self, seed: u64) -> std::result::Result<Plan, Arc<Error>> {
        let overrides = Overrides { seed: Some(seed), ..self.overrides.clone() };
        Scenario::meant(self.path, &overrides, &self.traces).map(|loaded| loaded.plan).map_err(Arc::new)
    }
}

/// What an error says first, in a line.
pub(super) fn brief(error: &Error) -> String {
    match error {
        Error::Input(problems) => {
            problems.kept().first().map_or_else(String::new, |problem| problem.message().to_owned())
        }
        other => other.to_string(),
    }
}

/// What an option that may come several times means, every problem of it told with its words.
pub(super) fn parsed<T>(
    option: &str,
    texts: &[String],
    parse: impl Fn(&str) -> std::result::Result<T, Box<Problem>>,
    problems: &mut Problems,
) -> Vec<T> {
    let mut all = Vec::new();
    for text in texts {
        match parse(text) {
            Ok(one) => all.push(one),
            Err(problem) => problems.push(problem.at(Place::file(format!("{option} {text}")))),
        }
    }
    all
}
