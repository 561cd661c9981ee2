mod configuration;

use super::Exit;
use super::arguments::Import;
use super::terminal::Terminal;
use crate::error::{Place, Problem, Result};
use crate::report::Directory;
use crate::report::number::counted;
use crate::scenario::{Overrides, read_trace_naming};
use crate::trace::{NativeForm, Options, PlatformNames, lost_in_native, write_native};
use crate::workload::Workload;
use std::path::Path;

/// Reads a trace and writes it in a format of gigawatt's own, or a scheduler's configuration and writes a scenario.
pub(super) fn run(arguments: &Import, terminal: Terminal) -> Result<Exit> {
    for file in &arguments.files {
        must_differ(file, &arguments.out)?;
    }
    if arguments.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
        return configuration::run(arguments, terminal);
    }
    let [file] = arguments.files.as_slice() else {
        let problem = Problem::new("one trace at a time");
        return Err(problem
            .hint("the files of a scheduler's configuration become a scenario: `-o NAME.toml`")
            .into());
    };
    for (name, is_given) in
        [("--workload", arguments.workload.is_some()), ("--cluster", arguments.cluster.is_some())]
    {
        if is_given {
            let problem =
                Problem::new(format!("`{name}` is for a scheduler's configuration, and a trace is written"));
            return Err(problem.hint("a configuration becomes a scenario: `-o NAME.toml`").into());
        }
    }
    trace(arguments, file, terminal).map_err(|error| configuration::instead(file).map_or(error, Into::into))
}

/// Writes a trace.
fn trace(arguments: &Import, file: &Path, terminal: Terminal) -> Result<Exit> {
    let form = NativeForm::of(&arguments.out)?;
    let overrides = Overrides {
        workload: Some(file.display().to_string()),
        format: arguments.format.clone(),
        seed: arguments.seed,
        ..arguments.window.overrides()
    };
    let platforms = PlatformNames::default();
    let known = |name: &str| platforms.index_of(name);
    let trace = read_trace_naming(&overrides, &known)?;
    terminal.notes(&trace.notes.lines());
    let bytes = written(&trace.workload, &platforms, form);
    let options = Options { platform: Some(&known), ..Options::default() };
    let lost = lost_in_native(&trace.workload, &bytes, &options)?;
    if !lost.is_empty() {
        terminal.note(&format!("not kept, for want of a column: {}", lost.join(", ")));
    }
    put(&arguments.out, &bytes)?;
    let (out, file) = (arguments.out.display(), file.display());
    let jobs = counted(trace.workload.len().into(), "job");
    terminal.print_text(&format!("{out}: {jobs} of {file} ({})\n", trace.format))?;
    Ok(Exit::Done)
}

/// Complains of an output that is the input.
fn must_differ(file: &Path, out: &Path) -> Result<()> {
    let same = matches!((file.canonicalize(), out.canonicalize()), (Ok(file), Ok(out)) if file == out);
    if same {
        let shown = out.display().to_string();
        let problem = Problem::new(format!("`{shown}` would be written over the file that is read"));
        return Err(problem.at(Place::file(shown)).hint("name another file after `-o`").into());
    }
    Ok(())
}

/// A workload in a format of gigawatt's own.
pub(super) fn written(workload: &Workload, platforms: &PlatformNames, form: NativeForm) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_native(workload, &platforms.names(), form, &mut bytes).expect("memory takes every byte");
    bytes
}

/// Writes a file, which appears whole or not at all, in place of the one of that name.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let Some(name) = path.file_name() else {
        let shown = path.display().to_string();
        return Err(Problem::new(format!("`{shown}` is not the name of a file"))
            .at(Place::file(shown))
            .into());
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Directory::create(folder)?.write(&name.to_string_lossy(), bytes)
}
