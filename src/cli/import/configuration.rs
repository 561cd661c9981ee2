use super::super::Exit;
use super::super::arguments::Import;
use super::super::terminal::Terminal;
use super::put;
use crate::error::{Error, Place, Problem, Problems, Result};
use crate::report::number::counted;
use crate::scenario::import::{Imported, Options, read, recognised};
use crate::scenario::text::path_from;
use crate::scenario::{Overrides, Scenario, read_trace_naming};
use crate::trace::PlatformNames;
use std::path::Path;

/// Reads a scheduler's configuration and writes a scenario, which can be run.
pub(super) fn run(arguments: &Import, terminal: Terminal) -> Result<Exit> {
    refuse_options_of_traces(arguments)?;
    let mut files = Vec::new();
    for path in &arguments.files {
        let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
        files.push((path.display().to_string(), bytes));
    }
    let options = Options {
        system: arguments.format.clone(),
        cluster: arguments.cluster.clone(),
        trace: arguments.workload.as_ref().map(|path| path_from(&arguments.out, path)),
        tenants: tenants(arguments.workload.as_deref())?,
    };
    let imported = read(&files, &options)?;
    let out = arguments.out.display().to_string();
    // Of what the files say nothing is wrong; what is may be the trace, or `--cluster`.
    Scenario::from_text(&out, &imported.text, &Overrides::default())
        .map_err(|error| in_the_input(error, (&out, &imported.text), arguments, &files))?;
    tell(&imported, &out, terminal);
    put(&arguments.out, imported.text.as_bytes())?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let told = format!(
        "{out}: {}, {} and {} of {} ({}); {} assumed, {} left out: both are told in it\n",
        counted(imported.gpus, "GPU"),
        counted(imported.partitions as u64, "partition"),
        counted(imported.queues as u64, "queue"),
        names.join(", "),
        imported.system,
        imported.assumed.len(),
        imported.missed().count(),
    );
    terminal.print_text(&told)?;
    Ok(Exit::Done)
}

/// What is wrong with a scenario that is not written, told of what it was made of: a line of a file, or `--cluster`, as the comment tells
/// that stands there or above; else all files.
fn in_the_input(
    error: Error,
    (out, text): (&str, &str),
    arguments: &Import,
    files: &[(String, Vec<u8>)],
) -> Error {
    let Error::Input(problems) = error else { return error };
    let is_of_the_text = |problem: &Problem| problem.place().is_some_and(|(file, _)| file == out);
    let mut told = Problems::default();
    let mut of_cluster = Problems::default();
    for problem in problems.kept() {
        if !is_of_the_text(problem) {
            told.push(problem.clone());
            continue;
        }
        let line = problem.place().and_then(|(_, line)| line);
        let origin = line.and_then(|line| origin(text, line));
        let place = origin.and_then(|origin| place_of(origin, files));
        match (origin, &arguments.cluster) {
            (Some("--cluster"), Some(cluster)) => {
                of_cluster.push(problem.clone().at(Place::file(format!("--cluster {cluster}"))));
            }
            _ => told.push(problem.clone().at(place.unwrap_or_else(|| {
                let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
                Place::file(names.join(", "))
            }))),
        }
    }
    // Without a cluster there is no more to say.
    if of_cluster.is_empty() { told.into() } else { of_cluster.into() }
}

/// What the comment says of where a line comes from, or else of where its table does.
fn origin<'t>(text: &'t str, line: usize) -> Option<&'t str> {
    let comment = |line: &'t str| Some(line.split_once(" # ")?.1.trim());
    let before: Vec<&str> = text.lines().take(line).collect();
    let own = before.last().and_then(|line| comment(line));
    own.or_else(|| before.iter().rev().find(|line| line.starts_with('[')).and_then(|line| comment(line)))
}

/// A place such as `kueue.yaml:12` of one of the files.
fn place_of(origin: &str, files: &[(String, Vec<u8>)]) -> Option<Place> {
    let (name, line) = origin.rsplit_once(':')?;
    let (line, (name, bytes)): (usize, _) = (line.parse().ok()?, files.iter().find(|file| file.0 == name)?);
    let text = bytes.split(|byte| *byte == b'\n').nth(line.checked_sub(1)?)?;
    Some(Place::line(name.as_str(), line, text))
}

/// What is wrong with a file of which a trace was to be made, if it is a configuration.
pub(super) fn instead(file: &Path) -> Option<Problem> {
    let system = recognised(&std::fs::read(file).ok()?)?;
    let shown = file.display().to_string();
    let problem = Problem::new(format!("`{shown}` is a scheduler's configuration ({system}), and no trace"));
    Some(problem.at(Place::file(shown)).hint("it becomes a scenario: `-o NAME.toml`"))
}

/// Options that say how a trace is read do nothing here.
fn refuse_options_of_traces(arguments: &Import) -> Result<()> {
    let seed = arguments.seed.map(|_| "--seed");
    match arguments.window.given().into_iter().chain(seed).next() {
        Some(name) => {
            let problem = Problem::new(format!("`{name}` is for a trace, and a scenario is written"));
            Err(problem.hint("keys of [workload] and [run] in the scenario say the same").into())
        }
        None => Ok(()),
    }
}

/// The tenants of a trace.
fn tenants(trace: Option<&str>) -> Result<Vec<String>> {
    let Some(path) = trace else { return Ok(Vec::new()) };
    let platforms = PlatformNames::default();
    let overrides = Overrides { workload: Some(path.to_owned()), ..Overrides::default() };
    let trace = read_trace_naming(&overrides, &|name: &str| platforms.index_of(name))?;
    Ok(trace.workload.tenants.iter().map(|tenant| tenant.name.clone()).collect())
}

fn tell(imported: &Imported, out: &str, terminal: Terminal) {
    for assumed in &imported.assumed {
        terminal.note(&format!("assumed: {assumed}"));
    }
    for left in imported.missed() {
        terminal.note(&format!("left out: {left}"));
    }
    let aside = imported.left_out.len() - imported.missed().count();
    if aside > 0 {
        let keys = counted(aside as u64, "setting");
        terminal.note(&format!("{keys} without a bearing on when and where jobs run: listed in {out}"));
    }
}
