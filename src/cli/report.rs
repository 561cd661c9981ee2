use super::Exit;
use super::arguments::Report;
use super::saved::Saved;
use super::terminal::Terminal;
use crate::error::Result;
use crate::metrics::{Measured, measure};
use crate::report::html;
use crate::report::run::Run;
use crate::report::write_file;
use std::path::PathBuf;

/// Writes the page of saved runs.
pub(super) fn run(arguments: &Report, terminal: Terminal) -> Result<Exit> {
    let saved: Vec<Saved> = arguments.runs.iter().map(|path| Saved::read(path)).collect::<Result<_>>()?;
    let measured: Vec<Measured> = saved.iter().map(|saved| measure(&saved.history)).collect();
    let runs: Vec<Run<'_>> = saved
        .iter()
        .zip(&measured)
        .map(|(saved, measured)| Run::new(&saved.history, measured, &saved.provenance))
        .collect();
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

#[cfg(test)]
mod tests {
    use super::*;

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
