//! What a command varies of a scenario, and what it stays the same in.

use crate::error::{Error, Place, Problem, Problems, Result};
use crate::history::Plan;
use crate::scenario::{Loaded, Overrides, Scenario, Traces, TypedKey};
use std::path::Path;
use std::sync::Arc;

/// What stands for the number of nodes in `--cluster NODESx8`.
const NODES: &str = "NODES";
/// The key of that number.
const NODES_KEY: &str = "cluster.nodes";
/// The key of the seed, of which every value that is tried meets the same ones.
const SEED_KEY: &str = "run.seed";

/// A scenario as a command line means it, of which keys are yet to be set.
#[derive(Debug, Clone)]
pub(super) struct Template<'a> {
    path: Option<&'a Path>,
    overrides: Overrides,
    /// Where the keys were named.
    option: &'static str,
    /// What all that come of it read once.
    traces: Traces,
}

impl<'a> Template<'a> {
    /// With these `keys` left open; `option` is where they were named.
    pub(super) fn new<'k>(
        path: Option<&'a Path>,
        overrides: Overrides,
        option: &'static str,
        keys: impl IntoIterator<Item = &'k str>,
    ) -> Result<Self> {
        let keys: Vec<&str> = keys.into_iter().collect();
        if keys.contains(&SEED_KEY) {
            let problem =
                Problem::new(format!("`{SEED_KEY}` cannot vary: all that is tried meets the same seeds"));
            let hint = "`--seed 1 --seeds 3` are the seeds 1 to 3";
            return Err(problem.at(Place::file(format!("{option} {SEED_KEY}"))).hint(hint).into());
        }
        said_twice(&overrides, option, &keys)?;
        let asked = keys.contains(&NODES_KEY);
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
            _ => Ok(Self { path, overrides, option, traces: Traces::shared() }),
        }
    }
    /// With a key set as `--set` would, `policy` as `-p` would, and `cluster.nodes` in place of `NODES`.
    pub(super) fn with(&self, key: &str, value: &str) -> Self {
        let mut overrides = self.overrides.clone();
        match key {
            NODES_KEY => overrides.cluster = overrides.cluster.map(|cluster| cluster.replace(NODES, value)),
            "policy" => overrides.policy = Some(value.to_owned()),
            _ => overrides.varied.push(TypedKey {
                typed: format!("{} {key}={value}", self.option),
                key: key.to_owned(),
                value: value.to_owned(),
            }),
        }
        Self { overrides, traces: self.traces.clone(), ..*self }
    }
    /// With a job beside those it has; one that no empty cluster could hold is rejected.
    pub(super) fn with_job(&self, keys: &[TypedKey]) -> Self {
        let mut overrides = self.overrides.clone();
        overrides.job = keys.to_vec();
        overrides.set.push("run.oversized=reject".to_owned());
        Self { overrides, traces: self.traces.clone(), ..*self }
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

/// That nothing is set that varies too: one of the two would count for nothing.
fn said_twice(overrides: &Overrides, option: &str, keys: &[&str]) -> Result<()> {
    let mut problems = Problems::default();
    let policy = overrides.policy.iter().map(|policy| ("policy", format!("--policy {policy}")));
    let set =
        overrides.set.iter().filter_map(|set| Some((set.split_once('=')?.0.trim(), format!("--set {set}"))));
    for (key, typed) in policy.chain(set).filter(|(key, _)| keys.contains(key)) {
        let problem = Problem::new(format!("`{key}` is set and varies too"));
        problems
            .push(problem.at(Place::file(typed)).hint(format!("leave it out: `{option} {key}=...` says it")));
    }
    problems.into_result(())
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
