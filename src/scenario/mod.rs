//! A scenario file and what the command line changes of it, as a validated [`Plan`]: the only place that knows every
//! name.
//!
//! Everything that is wrong is reported at once, in the order of the file; past this room nothing can fail.
//!
//! ```
//! use gigawatt::scenario::{Overrides, Scenario};
//! let text = r#"
//!     cluster = "2x8xh100"
//!     [workload]
//!     job = [
//!         { id = "train", kind = "finetune", gpus = 16, work = "6h" },
//!         { id = "eval", count = 200, kind = "eval", gpus = 1, work = "10m", after = "train" },
//!     ]
//! "#;
//! let loaded = Scenario::from_text("night.toml", text, &Overrides::default()).unwrap();
//! assert_eq!(loaded.plan.workload.jobs.len(), 201);
//! assert_eq!(loaded.plan.workload.names.get(200), "eval[199]");
//!
//! let wrong = text.replace("after = \"train\"", "after = \"trian\"");
//! let problems = Scenario::from_text("night.toml", &wrong, &Overrides::default()).unwrap_err().to_string();
//! assert!(problems.contains("did you mean `train`?"), "{problems}");
//! ```

mod choices;
mod cluster;
mod failures;
mod files;
mod flat;
pub mod import;
mod jobs;
mod overrides;
mod oversized;
mod pieces;
mod placement;
mod policy;
mod power;
mod quantity;
mod run;
mod schema;
mod spares;
mod stops;
mod storage;
pub(crate) mod text;
mod traces;

pub use choices::{Choices, apply as apply_policy};
pub use files::Input;
pub(crate) use flat::ignored as ignored_racks;
pub use overrides::{Overrides, TypedKey};
pub use pieces::policy_keys;
pub use policy::stops_nobody;
pub use schema::{SCHEMAS, Schema};
pub use stops::stops_a_day;
pub use traces::Traces;

use crate::document::{Document, Placed, Table};
use crate::error::{Error, Place, Problem, Result};
use crate::gpu::Wish;
use crate::hardware::Catalogue;
use crate::history::{Plan, Settings};
use crate::trace;
use crate::workload::Job;
use files::Files;
use jobs::{Jobs, licences};
use std::path::Path;

/// The scenario that runs when none is named.
const QUICKSTART: &str = include_str!("../../workloads/quickstart.toml");

/// A scenario as read and checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What to call it: its path, or `quickstart`.
    pub name: String,
    /// Everything a run is given.
    pub plan: Plan,
    /// The platforms that the plan's indices refer to.
    pub catalogue: Catalogue,
    /// What is to evaluate placements; none: nobody said. What comes of a plan does not depend on it.
    pub device: Option<Wish>,
    /// What is chosen of the policy, to put other policies on top of.
    pub choices: Choices,
    /// What was dropped, changed or assumed while reading.
    pub notes: Vec<String>,
    /// Every file that was read, in the order it was.
    pub inputs: Vec<Input>,
}

/// Reads scenarios.
#[derive(Debug, Clone, Copy)]
pub struct Scenario;

impl Scenario {
    /// The scenario in the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong with it and the files it names.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Loaded> {
        Self::load_with(path, overrides, &Traces::default())
    }
    /// The scenario that a command line means: a file, options alone, or the embedded one; what it reads of traces is
    /// kept for others.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn meant(path: Option<&Path>, overrides: &Overrides, traces: &Traces) -> Result<Loaded> {
        match path {
            Some(path) => Self::load_with(path, overrides, traces),
            None if overrides.workload.is_some() => Self::options_with(overrides, traces),
            None if overrides.cluster.is_some() => Err(no_jobs().into()),
            None => Self::text_with("quickstart", QUICKSTART, overrides, traces),
        }
    }
    fn load_with(path: &Path, overrides: &Overrides, traces: &Traces) -> Result<Loaded> {
        let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
        if let Some(problem) = is_trace(path, &bytes) {
            return Err(problem.into());
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut files = Files { folder, traces: traces.clone(), ..Files::default() };
        files.note(path, &bytes);
        let name = path.display().to_string();
        read(Document::from_bytes(name.as_str(), bytes), name, files, overrides)
    }
    /// The embedded scenario that runs when none is named: a day of four tenants on a few racks.
    ///
    /// # Errors
    /// Everything that is wrong with the overrides.
    pub fn embedded_quickstart(overrides: &Overrides) -> Result<Loaded> {
        Self::from_text("quickstart", QUICKSTART, overrides)
    }
    /// The text of the embedded scenario, to write one's own from.
    #[must_use]
    pub const fn quickstart_text() -> &'static str {
        QUICKSTART
    }
    /// No file at all: everything from the command line, which needs at least a workload and a cluster.
    ///
    /// # Errors
    /// Everything that is wrong with the overrides and the files they name.
    pub fn from_overrides(overrides: &Overrides) -> Result<Loaded> {
        Self::options_with(overrides, &Traces::default())
    }
    fn options_with(overrides: &Overrides, traces: &Traces) -> Result<Loaded> {
        let name = overrides.workload.clone().unwrap_or_else(|| "command line".to_owned());
        let files = Files { traces: traces.clone(), ..Files::default() };
        read(Document::parse("command line", ""), name, files, overrides)
    }
    /// A scenario from memory; `name` is what problems call it, and paths in it count from the current folder.
    ///
    /// # Errors
    /// Everything that is wrong with it and the files it names.
    pub fn from_text(name: &str, text: &str, overrides: &Overrides) -> Result<Loaded> {
        Self::text_with(name, text, overrides, &Traces::default())
    }
    fn text_with(name: &str, text: &str, overrides: &Overrides, traces: &Traces) -> Result<Loaded> {
        let mut files = Files { traces: traces.clone(), ..Files::default() };
        files.note(Path::new(name), text.as_bytes());
        read(Document::parse(name, text), name.to_owned(), files, overrides)
    }
}

/// What to say of a cluster alone.
fn no_jobs() -> Problem {
    let problem = "`--cluster` says where jobs run, and nothing says which: a workload is missing";
    let hint =
        "`--workload FILE`, or a scenario; with neither of them `gigawatt simulate` runs the quickstart";
    Problem::new(problem).hint(hint)
}

/// Reads the trace that `--workload` names, with what else the command line says of it, on no cluster.
///
/// # Errors
/// Everything that is wrong with the overrides or the trace.
pub fn read_trace(overrides: &Overrides) -> Result<trace::Trace> {
    trace_alone(overrides, None)
}

/// As [`read_trace`], with the index of every platform that it names.
///
/// # Errors
/// As [`read_trace`].
pub fn read_trace_naming(overrides: &Overrides, platform: &trace::PlatformIndex<'_>) -> Result<trace::Trace> {
    trace_alone(overrides, Some(platform))
}

fn trace_alone(overrides: &Overrides, platform: Option<&trace::PlatformIndex<'_>>) -> Result<trace::Trace> {
    if let Some(path) = overrides.workload.as_deref().filter(|path| path.ends_with(".toml")) {
        let found = format!("`{path}` is a scenario or a file of job graphs, where a trace is expected");
        let hint = format!("`gigawatt simulate {path} --out run1` writes run1/jobs.csv, which is a trace");
        return Err(Problem::new(found).at(Place::file(path)).hint(hint).into());
    }
    let mut document = Document::parse("command line", "");
    overrides.apply(&mut document);
    let read = jobs::read_trace(&document, &mut document.root(), platform);
    match read {
        Some(read) if !document.has_problems() => read,
        _ => document.into_result(()).and_then(|()| Err(Problem::new("no trace is named").into())),
    }
}

/// Whether metrics count a job by when it is submitted.
fn counts(plan: &Plan, job: &Job) -> bool {
    (plan.settings.warm_up..plan.settings.drain.unwrap_or(u32::MAX)).contains(&job.submit_time.0)
}

/// What to say of a file that is a trace and no TOML.
fn is_trace(path: &Path, bytes: &[u8]) -> Option<Problem> {
    let is_toml = std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<toml::Table>().is_ok());
    if is_toml {
        return None;
    }
    let path = path.display().to_string();
    if let Some(format) = trace::recognised_requests(bytes) {
        return Some(trace::not_jobs(&path, format));
    }
    if let Some(system) = import::recognised(bytes) {
        let found =
            format!("`{path}` is a scheduler's configuration ({system}), where a scenario is expected");
        let hint = format!("`gigawatt import {path} -o scenario.toml` makes one of it");
        return Some(Problem::new(found).at(Place::file(path)).hint(hint));
    }
    let format = trace::recognised(bytes)?;
    let hint = format!("`--workload {path} --cluster 64x8` runs it on 64 nodes of 8 GPUs");
    let found = format!("`{path}` is a trace ({format}), where a scenario is expected");
    Some(Problem::new(found).at(Place::file(path)).hint(hint))
}

/// Reads a scenario section by section, each into what the next ones refer to.
fn read(mut document: Document, name: String, mut files: Files, overrides: &Overrides) -> Result<Loaded> {
    overrides.apply(&mut document);
    let policy = overrides.policy.as_ref().map(|policy| {
        let mark = document.typed(&format!("--policy {policy}"));
        Placed { value: policy.clone(), mark }
    });
    let mut root = document.root();
    let mut settings = Settings::named("", "", "");
    let wishes = run::read(&document, &mut root, &mut settings);
    let choices = policy::read(&document, &mut root, policy.as_ref(), &mut settings);
    let mut catalogue = platforms(&document, &mut root, &mut files);
    let mut cluster = cluster::read(&document, &mut root, &mut catalogue, &mut files);
    let own = licences::read(&document, &mut root);
    cluster.iter_mut().for_each(|cluster| cluster.licences.clone_from(&own));
    failures::read(&document, &mut root, &catalogue, cluster.as_mut(), &mut files);
    let storage = storage::read(&document, &mut root);
    let mut jobs = Jobs::new(&catalogue, cluster.as_ref(), (&settings, choices.weights_read()), &mut files);
    jobs.storage = storage;
    let mut asked = jobs.read(&document, &mut root);
    if let (Some(workload), Some(start)) = (&mut asked.workload, wishes.start) {
        workload.epoch = Some(start);
    }
    let span = power::Span::of(asked.workload.as_ref(), wishes.start, &settings);
    let wrong = document.problems().total() + files.problems.total();
    power::weather(&document, cluster.as_mut(), span, &mut files);
    power::read(&document, &mut root, cluster.as_mut(), span, &mut files);
    let power_is_whole = document.problems().total() + files.problems.total() == wrong;
    root.finish();
    let mut found = document.problems();
    found.append(files.problems);
    let (Some(cluster), Some(workload)) = (cluster, asked.workload) else {
        debug_assert!(!found.is_empty(), "what is not there was reported");
        return Err(Error::Input(found));
    };
    let plan = Plan { cluster, workload, settings };
    for (mark, problem) in choices.idle(&plan.settings, &plan, power_is_whole) {
        found.push(match mark {
            Some(mark) => problem.at(document.place(mark)),
            None => *problem,
        });
    }
    if let Some(mark) = wishes.window.filter(|_| !plan.workload.jobs.iter().any(|job| counts(&plan, job))) {
        let problem =
            Problem::new("no job is submitted between the end of `warm_up` and the begin of `drain`");
        found.push(problem.at(document.place(mark)).hint("both are instants since the start"));
    }
    files.notes.extend(licences::idle(&plan));
    files.notes.extend(flat::ignored(&plan));
    if found.is_empty() {
        oversized::check(&plan, &catalogue, wishes.oversized, &asked.places, &mut files.notes, &mut found);
    }
    let device = wishes.device;
    found.into_result(Loaded {
        name,
        plan,
        catalogue,
        device,
        choices,
        notes: files.notes,
        inputs: files.inputs,
    })
}

/// The catalogue with the scenario's own platforms: `platforms = "own.toml"`, or `[[platform]]` in place.
fn platforms(document: &Document, root: &mut Table<'_>, files: &mut Files) -> Catalogue {
    let mut catalogue = Catalogue::embedded();
    if let Some(path) = root.optional::<String>("platforms")
        && let Some((resolved, bytes)) = files.read(document, &path)
    {
        let own = Document::from_bytes(resolved.display().to_string(), bytes);
        let mut own_root = own.root();
        catalogue.read(&mut own_root);
        own_root.finish();
        files.problems.append(own.into_problems());
    }
    catalogue.read(root);
    catalogue
}

#[cfg(test)]
mod tests;
