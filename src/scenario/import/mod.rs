//! A scheduler's own configuration as a scenario, so that nobody types a quota tree again.
//!
//! What has a counterpart is written with where it comes from; what has none is listed with file and line; what was assumed
//! is said. A system is one file and one line of [`SYSTEMS`].
//!
//! ```
//! use gigawatt::scenario::import::{Options, read};
//! use gigawatt::scenario::{Overrides, Scenario};
//! let conf = "NodeName=n[1-4] Gres=gpu:h100:8\nPartitionName=train Nodes=ALL MaxTime=1-0\n";
//! let imported = read(&[("slurm.conf".to_owned(), conf.into())], &Options::default())?;
//! assert_eq!((imported.system, imported.left_out[0].line), ("slurm", 2));
//! let loaded = Scenario::from_text("s.toml", &imported.text, &Overrides::default())?;
//! assert_eq!(loaded.plan.cluster.gpus(), 32);
//! # Ok::<(), gigawatt::error::Error>(())
//! ```

mod draft;
mod findings;
mod kai;
mod kueue;
mod nodes;
mod objects;
mod slurm;
mod tree;
mod volcano;
mod write;
mod yaml;

pub use findings::LeftOut;

use crate::error::{Place, Problem, Result};
use draft::Draft;
use findings::{Findings, Source};
use yaml::Node;

/// A system whose configuration is read.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Unique among systems.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether a file is of it.
    detect: fn(&Source) -> bool,
    read: fn(&[Source], &Options, &mut Draft, &mut Findings),
}

/// Every system.
pub const SYSTEMS: &[System] = &[slurm::SYSTEM, kueue::SYSTEM, kai::SYSTEM, volcano::SYSTEM];

/// What files do not tell.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The name of the system; none: what the files show.
    pub system: Option<String>,
    /// Nodes x GPUs [x platform], where no file lists nodes.
    pub cluster: Option<String>,
    /// The path of the trace whose jobs run, as the scenario has it; none: some are generated.
    pub trace: Option<String>,
    /// Tenants of that trace.
    pub tenants: Vec<String>,
}

/// A scenario that was made of a configuration.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The name of the system.
    pub system: &'static str,
    /// The scenario as its file has it.
    pub text: String,
    /// How many GPUs its cluster has.
    pub gpus: u64,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many queues it has.
    pub queues: usize,
    /// What was assumed, a line each.
    pub assumed: Vec<String>,
    /// What has no counterpart, in the order of the files.
    pub left_out: Vec<LeftOut>,
}

impl Imported {
    /// What was left out although it bears on when and where jobs run.
    pub fn missed(&self) -> impl Iterator<Item = &LeftOut> {
        self.left_out.iter().filter(|left| !left.why.is_empty())
    }
}

/// Makes a scenario of the files of a configuration, each with its name.
///
/// # Errors
/// Everything that is wrong with them, or that they are of no system.
pub fn read(files: &[(String, Vec<u8>)], options: &Options) -> Result<Imported> {
    let mut findings = Findings::default();
    let sources: Vec<Source> =
        files.iter().filter_map(|(name, bytes)| source(name, bytes, &mut findings)).collect();
    std::mem::take(&mut findings.problems).into_result(())?;
    let system = system(&sources, options)?;
    let mut draft = Draft { cluster: options.cluster.clone(), ..Draft::default() };
    (system.read)(&sources, options, &mut draft, &mut findings);
    let order = |name: &str| sources.iter().position(|source| source.name == name);
    findings.left_out.sort_by_key(|left| (order(&left.file), left.line));
    std::mem::take(&mut findings.problems).into_result(())?;
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let text = write::scenario(&mut draft, &mut findings, &names, system.name, options);
    Ok(Imported {
        system: system.name,
        text,
        gpus: draft.gpus(),
        partitions: draft.partitions.len(),
        queues: draft.queues.len(),
        assumed: findings.assumed,
        left_out: findings.left_out,
    })
}

/// The system whose configuration a file is, if it is one.
#[must_use]
pub fn recognised(bytes: &[u8]) -> Option<&'static str> {
    let source = source("", bytes, &mut Findings::default())?;
    SYSTEMS.iter().find(|system| (system.detect)(&source)).map(|system| system.name)
}

/// A file as text, its documents beside it if it is YAML.
fn source(name: &str, bytes: &[u8], findings: &mut Findings) -> Option<Source> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(error) => {
            let number = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            let line = bytes.split(|byte| *byte == b'\n').nth(number - 1).unwrap_or_default();
            findings.problems.push(Problem::new("not text in UTF-8").at(Place::line(name, number, line)));
            return None;
        }
    };
    let documents = if is_yaml(&text) {
        match Node::documents(name, &text) {
            Ok(documents) => documents,
            Err(problem) => {
                findings.problems.push(*problem);
                return None;
            }
        }
    } else {
        Vec::new()
    };
    Some(Source { name: name.to_owned(), text, documents })
}

/// Whether a text is YAML or JSON: in its first line a colon stands before any `=`, or a bracket or a dash begins it.
fn is_yaml(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    let colon = first.split_once('=').map_or(first, |(before, _)| before).contains(':');
    colon || first.starts_with(['{', '[', '-', '%'])
}

fn system(sources: &[Source], options: &Options) -> Result<System> {
    if let Some(name) = options.system.as_deref().filter(|name| *name != "auto") {
        let known = || SYSTEMS.iter().map(|system| system.name);
        let found = SYSTEMS.iter().find(|system| system.name == name).copied();
        let unknown = || Problem::new(format!("unknown scheduler `{name}`")).hint_nearest(name, known());
        return found.ok_or_else(|| unknown().into());
    }
    let of = |system: &&System| sources.iter().any(|source| (system.detect)(source));
    if let Some(system) = SYSTEMS.iter().find(of) {
        return Ok(*system);
    }
    let source = sources.first();
    let name = source.map(|source| source.name.clone()).unwrap_or_default();
    let problem = Problem::new("not the configuration of a scheduler that is known").at(Place::file(name));
    let known: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
    Err(problem.hint(format!("known: {}; `--format` names one", known.join(", "))).into())
}
