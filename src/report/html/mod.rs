//! Runs as one page that a browser opens from disk: no network, nothing beside it.
//!
//! Every number of the page is one of `summary.json`; an element that shows one names its JSON pointer. Plots are drawn
//! by plotly.js, which the crate `plotly` brings; it is packed into the page and unpacked by the browser.
//!
//! ```
//! use gigawatt::history::History;
//! use gigawatt::metrics::measure;
//! use gigawatt::report::html;
//! use gigawatt::report::run::{Provenance, Run};
//! let history = History::default();
//! let measured = measure(&history);
//! let provenance = Provenance { title: "night.toml".to_owned(), ..Provenance::default() };
//! let run = Run::new(&history, &measured, &provenance);
//! let mut page = Vec::new();
//! html::write(&[("night".to_owned(), &run)], &mut page).unwrap();
//! assert!(page.starts_with(b"<!doctype html>") && page.len() < 5_000_000);
//! ```

mod advice;
mod bars;
mod compare;
mod distributions;
mod failures;
mod figures;
mod first;
mod page;
mod paths;
mod plot;
mod plots;
mod provenance;
mod queues;
mod racks;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod time;

pub use compare::write as write_comparison;

use super::run::{Provenance, Run};
use crate::history::{Digest, History};
use crate::metrics::{Details, Measured, Usage};
use plot::Plot;
use serde_json::Value;
use std::io::{self, Write};

/// A run on its way to the page.
#[derive(Debug)]
struct View<'a> {
    /// What the page calls it.
    label: String,
    /// Which of the runs it is.
    index: usize,
    history: &'a History,
    measured: &'a Measured,
    provenance: &'a Provenance,
    details: &'a Details,
    queues: &'a [Usage],
    digest: Digest,
    /// What `summary.json` holds.
    summary: Value,
}

/// What stands before the name of something of one run: its label where there are several.
fn label_of(views: &[View<'_>], view: &View<'_>) -> String {
    if views.len() < 2 { String::new() } else { format!("{}: ", view.label) }
}

/// Where the numbers of the page are.
const SOURCE: &str = "Every number is one of <code>summary.json</code>; point at one to see which.";

/// Writes the page of one run, or of several beside each other, each with what the page calls it.
///
/// # Errors
/// Whatever `out` says.
pub fn write(runs: &[(String, &Run<'_>)], out: &mut dyn Write) -> io::Result<()> {
    let mut views = Vec::new();
    for (index, (label, run)) in runs.iter().enumerate() {
        let mut bytes = Vec::new();
        super::run::json::write_summary(run, &mut bytes)?;
        let summary = serde_json::from_slice(&bytes)?;
        views.push(View {
            label: label.clone(),
            index,
            history: run.history,
            measured: run.measured,
            provenance: run.provenance,
            details: run.details(),
            queues: run.queues(),
            digest: run.digest(),
            summary,
        });
    }
    let parts = plots::plots(&views);
    let plots = |part: &str| {
        let found = parts.iter().find(|(name, _)| *name == part);
        found.map(|(_, plots)| plots.iter().map(page::figure).collect::<String>()).unwrap_or_default()
    };
    let each = |of: fn(&[View<'_>], &View<'_>) -> String| {
        views.iter().map(|view| of(&views, view)).collect::<String>()
    };
    let sections = [
        ("summary", "Summary", first::screen(&views)),
        ("time", "Over time", plots("time")),
        ("racks", "Racks", plots("racks") + &each(tables::platforms)),
        ("waiting", "Waiting", plots("waiting") + &each(tables::longest)),
        ("tenants", "Tenants", plots("tenants") + &each(tables::tenants) + &each(queues::queues)),
        ("failures", "Failures", plots("failures") + &each(failures::tables)),
        ("energy", "Energy, cost, carbon", plots("energy") + &each(tables::domains)),
        ("graphs", "Job graphs", plots("graphs") + &each(tables::graphs)),
        ("numbers", "All numbers", figures::figures(&views)),
        ("words", "Words", provenance::words()),
        ("provenance", "Provenance", each(provenance::provenance)),
    ];
    let title = match &views[..] {
        [one] => one.provenance.title.clone(),
        many => format!("{} runs side by side", many.len()),
    };
    let all: Vec<&Plot> = parts.iter().flat_map(|(_, plots)| plots).collect();
    let ends = views.iter().map(|view| view.history.end.0);
    page::write(&title, SOURCE, &sections, &all, ends.max().unwrap_or(0), out)
}
