use super::Exit;
use super::arguments::{Arguments, Command, Report};
use super::terminal::Terminal;
use crate::error::{Error, Place, Problem, Result};
use crate::history::{self, History};
use crate::metrics::{Measured, measure};
use crate::policy::part;
use crate::report::html;
use crate::report::run::{Input, Provenance, Run};
use crate::report::write_file;
use clap::Parser;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Writes the page of saved runs.
pub(super) fn run(arguments: &Report, terminal: Terminal) -> Result<Exit> {
    let saved: Vec<Saved> = arguments.runs.iter().map(|path| Saved::read(path)).collect::<Result<_>>()?;
    let runs: Vec<Run<'_>> =
        saved.iter().map(|saved| Run::new(&saved.history, &saved.measured, &saved.provenance)).collect();
    let labels = match &saved[..] {
        [one] => vec![one.provenance.title.clone()],
        _ => labels(&arguments.runs),
    };
    let labelled: Vec<(String, &Run<'_>)> = labels.into_iter().zip(&runs).collect();
    let path = match (&arguments.out, &arguments.runs[..]) {
        (Some(path), _) => path.clone(),
        (None, [one]) => one.join("report.html"),
        (None, _) => PathBuf::from("report.html"),
    };
    write_file(&path, |out| html::write(&labelled, out))?;
    terminal.print(&format!("{}\n", path.display()))?;
    Ok(Exit::Done)
}

/// What the page calls the runs: the last part of each path, or all of it where two end alike.
fn labels(paths: &[PathBuf]) -> Vec<String> {
    let last = |path: &PathBuf| {
        path.file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let short: Vec<String> = paths.iter().map(last).collect();
    let is_unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    let label = |(path, name): (&PathBuf, &String)| {
        if is_unique(name) { name.clone() } else { path.display().to_string() }
    };
    paths.iter().zip(&short).map(label).collect()
}

/// A run as its directory has it.
struct Saved {
    history: History,
    measured: Measured,
    provenance: Provenance,
}

impl Saved {
    fn read(directory: &Path) -> Result<Self> {
        let path = directory.join("history");
        let bytes = std::fs::read(&path).map_err(|source| Error::io("read", &path, source))?;
        let history = history::file::read(&bytes, &path.display().to_string())?;
        // What a newer version wrote may name parts that this one does not know.
        if let Err(problem) = part::check(&history.plan.settings) {
            return Err(problem.at(Place::file(path.display().to_string())).into());
        }
        let provenance = provenance(directory)?;
        let measured = measure(&history);
        Ok(Self { history, measured, provenance })
    }
}

/// What `manifest.json` says of where the run comes from.
fn provenance(directory: &Path) -> Result<Provenance> {
    let path = directory.join("manifest.json");
    let text = std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
    let manifest: Value = serde_json::from_str(&text).map_err(|error| {
        Problem::new(format!("this is no manifest that can be read: {error}"))
            .at(Place::file(path.display().to_string()))
            .hint("`gigawatt simulate --out DIR` writes one as `DIR/manifest.json`")
    })?;
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
    let words = std::iter::once("gigawatt").chain(options.iter().map(String::as_str));
    match Arguments::try_parse_from(words).map(|arguments| arguments.command) {
        Ok(Command::Simulate(simulate)) => simulate.scenario_words(),
        _ => Vec::new(),
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

    #[test]
    fn runs_that_are_called_alike_are_told_apart() {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(labels(&paths(&["a/run1", "a/run2"])), ["run1", "run2"], "short");
        assert_eq!(
            labels(&paths(&["a/run", "b/run", "c"])),
            ["a/run", "b/run", "c"],
            "as long as it must be"
        );
    }
}
