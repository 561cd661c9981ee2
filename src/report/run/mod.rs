//! One run as files and as text.
//!
//! ```
//! use gigawatt::history::History;
//! use gigawatt::metrics::measure;
//! use gigawatt::report::run::{EXPORTERS, Provenance, Run};
//! let history = History::default();
//! let measured = measure(&history);
//! let provenance = Provenance { title: "night.toml".to_owned(), ..Provenance::default() };
//! let run = Run::new(&history, &measured, &provenance);
//! let jobs = EXPORTERS.iter().find(|exporter| exporter.file == "jobs.csv").unwrap();
//! let mut text = Vec::new();
//! (jobs.write)(&run, &mut text).unwrap();
//! assert!(text.starts_with(b"job_id,tenant,kind,gpus,submit_time,"));
//! ```

mod columns;
mod feeds;
mod jobs;
pub(super) mod json;
mod metered;
mod power;
mod ranges;
#[cfg(test)]
mod tests;
pub(super) mod text;

pub use columns::{COLUMNS, Column};
pub use json::{Input, Provenance};
pub use text::{stuck, summary};

use super::Directory;
use crate::error::Result;
use crate::history::{Digest, History, file};
use crate::metrics::{Details, Measured, details};
use crate::power::meter::{Cpu, Load, Metering, Usage, Window};
use std::cell::{OnceCell, RefCell};
use std::io::{self, Write};

/// A run that is over and all that is known about it.
#[derive(Debug)]
pub struct Run<'a> {
    /// What happened.
    pub history: &'a History,
    /// What it comes to.
    pub measured: &'a Measured,
    /// Where it comes from.
    pub provenance: &'a Provenance,
    digest: OnceCell<Digest>,
    details: OnceCell<Details>,
    #[cfg_attr(not(feature = "html"), expect(dead_code, reason = "only the page asks"))]
    with_page: bool,
    metering: RefCell<Option<&'a mut dyn Metering>>,
}

impl<'a> Run<'a> {
    /// Puts together what the exporters need.
    #[must_use]
    pub const fn new(history: &'a History, measured: &'a Measured, provenance: &'a Provenance) -> Self {
        Self {
            history,
            measured,
            provenance,
            digest: OnceCell::new(),
            details: OnceCell::new(),
            with_page: false,
            metering: RefCell::new(None),
        }
    }
    /// The same run, with a page for people among its files if `wanted`.
    #[must_use]
    pub fn with_page(self, wanted: bool) -> Self {
        Self { with_page: wanted, ..self }
    }
    /// The run looked at closely, once.
    pub fn details(&self) -> &Details {
        self.details.get_or_init(|| details(self.history, self.measured))
    }
    /// The same run, with what sites and feeds draw in `power.csv` and `feeds.csv` added up by `metering` instead of the processor.
    #[must_use]
    pub fn metered_by(self, metering: &'a mut dyn Metering) -> Self {
        Self { metering: RefCell::new(Some(metering)), ..self }
    }
    fn meter(&self, load: &Load, window: Window, out: &mut Usage) {
        match &mut *self.metering.borrow_mut() {
            Some(metering) => metering.meter(load, window, out),
            None => Cpu::default().meter(load, window, out),
        }
    }
    /// The digest of the history, computed once.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| self.history.digest())
    }
    /// Writes every file of [`EXPORTERS`] into the directory, each whole or not at all. Where an earlier run left its
    /// manifest there, its files that this run has not are taken away.
    ///
    /// # Errors
    /// The system says no.
    pub fn save(&self, directory: &Directory) -> Result<()> {
        let is_run = directory.path().join("manifest.json").is_file();
        for exporter in EXPORTERS {
            if (exporter.applies)(self) {
                directory.write_with(exporter.file, |out| (exporter.write)(self, out))?;
            } else if is_run {
                directory.remove(exporter.file)?;
            }
        }
        Ok(())
    }
}

/// Writes one file of a run directory.
#[derive(Debug, Clone, Copy)]
pub struct Exporter {
    /// What it is called.
    pub name: &'static str,
    /// The file it writes.
    pub file: &'static str,
    /// What is in it.
    pub about: &'static str,
    /// Whether the run has anything that it writes.
    pub applies: fn(&Run<'_>) -> bool,
    /// Writes it.
    pub write: fn(&Run<'_>, &mut dyn Write) -> io::Result<()>,
}

const fn always(_: &Run<'_>) -> bool {
    true
}

/// Every file of a run directory, in the order written: the manifest, which vouches for the others, comes last.
pub const EXPORTERS: &[Exporter] = &[
    Exporter {
        name: "history",
        file: "history",
        about: "everything that happened, in columns with digests: every other file can be made of it",
        applies: always,
        write: |run, out| {
            let digest = file::write(run.history, out)?;
            assert_eq!(*run.digest.get_or_init(|| digest), digest, "one history has one digest");
            Ok(())
        },
    },
    Exporter {
        name: "jobs",
        file: "jobs.csv",
        about: "a line a job: times, domains, outcome and why it waited",
        applies: always,
        write: jobs::write,
    },
    Exporter {
        name: "power",
        file: "power.csv",
        about: "what sites and feeds draw over time: mean and peak watts, joules, cap, $/MWh, kg CO2/MWh",
        applies: |run| run.measured.energy.is_some(),
        write: power::write,
    },
    Exporter {
        name: "feeds",
        file: "feeds.csv",
        about: "what sites and feeds drew in all, and what that energy costs and emits",
        applies: |run| run.measured.energy.is_some(),
        write: feeds::write,
    },
    Exporter {
        name: "summary",
        file: "summary.json",
        about: "every number of the run: distributions, utilization over time, tenants, reasons, graphs",
        applies: always,
        write: json::write_summary,
    },
    #[cfg(feature = "html")]
    Exporter {
        name: "report",
        file: "report.html",
        about: "the run as a page for people, that a browser opens without a network (simulate --report)",
        applies: |run| run.with_page,
        write: |run, out| super::html::write(&[(run.provenance.title.clone(), run)], out),
    },
    Exporter {
        name: "manifest",
        file: "manifest.json",
        about: "what repeats the run: version, seed, settings, options, digests of inputs and history",
        applies: always,
        write: json::write_manifest,
    },
];
