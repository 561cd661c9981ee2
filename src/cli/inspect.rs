use super::Exit;
use super::arguments::{Inspect, Window};
use super::terminal::Terminal;
use crate::error::{Problem, Problems, Result};
use crate::metrics::profile::Profile;
use crate::report::inspect::Inspection;
use crate::trace::{self, Moment};

/// Draws the profile of a trace.
pub(super) fn run(arguments: &Inspect, terminal: Terminal) -> Result<Exit> {
    let options = options(&arguments.window)?;
    let trace = trace::read(&arguments.file, Some(&arguments.format), &options)?;
    let profile = Profile::of(&trace.workload, Inspection::buckets(terminal.width));
    let inspection = Inspection {
        title: &format!("{} ({})", arguments.file.display(), trace.format),
        profile: &profile,
        notes: &trace.notes.lines(),
        cluster: None,
        width: terminal.width,
        colour: terminal.colour,
    };
    terminal.print(&inspection.render())?;
    Ok(Exit::Done)
}

fn options(window: &Window) -> Result<trace::Options<'static>> {
    let mut problems = Problems::default();
    let mut moment = |option: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let parsed: std::result::Result<Moment, _> = text.parse();
        parsed.map_err(|error| problems.push(Problem::new(format!("{option} `{text}`: {error}")))).ok()
    };
    let options = trace::Options {
        from: moment("--from", &window.from),
        until: moment("--until", &window.until),
        scale_load: window.scale_load.unwrap_or(1.0),
        sample: window.sample.unwrap_or(1.0),
        ..trace::Options::default()
    };
    problems.into_result(options)
}
