use super::Run;
use crate::history::Digest;
use crate::metrics::{Details, Metrics, Usage};
use crate::report::ANSWERS;
use crate::units::Seconds;
use serde::Serialize;
use std::io::{self, Write};

/// An input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// As the user gave it.
    pub path: String,
    /// BLAKE3 of its bytes, in hexadecimal digits.
    pub digest: String,
}

/// Where a run comes from: with the program, enough to repeat it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The scenario as a title.
    pub title: String,
    /// Every file that was read, in the order read.
    pub inputs: Vec<Input>,
    /// What the command line said.
    pub options: Vec<String>,
    /// What evaluated placements: `cpu`, or the name of an adapter.
    #[serde(skip)]
    pub device: String,
    /// The part of it that other commands need to mean the same scenario.
    #[serde(skip)]
    pub scenario: Vec<String>,
    /// Seconds that a line of `power.csv` is about, at least 1; none: what suits the length of the run.
    #[serde(skip)]
    pub power_step: Option<Seconds>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    program: &'static str,
    version: &'a str,
    seed: u64,
    device: &'a str,
    #[serde(flatten)]
    provenance: &'a Provenance,
    settings: &'a crate::history::Settings,
    complete: bool,
    history: Digest,
}

fn pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Writes `manifest.json`.
pub(super) fn write_manifest(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let settings = &run.history.plan.settings;
    let manifest = Manifest {
        program: "gigawatt",
        version: &settings.version,
        seed: settings.seed,
        device: &run.provenance.device,
        provenance: run.provenance,
        settings,
        complete: run.history.complete,
        history: run.digest(),
    };
    pretty(&manifest, out)
}

#[derive(Serialize)]
struct Summary<'a> {
    schema: String,
    version: &'static str,
    #[serde(flatten)]
    metrics: &'a Metrics,
    details: &'a Details,
    /// What queues may hold and held.
    queues: &'a [Usage],
}

/// Writes `summary.json`.
pub(in crate::report) fn write_summary(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let schema = ANSWERS[0].id();
    let version = env!("CARGO_PKG_VERSION");
    let (metrics, details, queues) = (&run.measured.metrics, run.details(), run.queues());
    pretty(&Summary { schema, version, metrics, details, queues }, out)
}
