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

mod churn;
mod exports;
mod failures;
pub(super) mod further;
pub(super) mod json;
mod labels;
mod power;
mod shape;
mod tables;
#[cfg(test)]
mod tests;
pub(super) mod text;

pub use json::{Input, Provenance};
pub use labels::{LABELS, Label};
pub(super) use shape::shape;
pub use tables::{TABLES, Table};
pub use text::{Look, remarks, summary};

use super::Directory;
use crate::error::Result;
use crate::history::{Digest, History, file};
use crate::metrics::{Details, Measured, details};
use crate::power::meter::{Cpu, Load, Metering, Usage, Window};
use crate::table::Encoding;
use std::cell::{OnceCell, RefCell};
use std::io::{self, Write};

/// The file that vouches for the others of a run.
const MANIFEST: &str = "manifest.json";

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
    queues: OnceCell<Vec<crate::metrics::Usage>>,
    #[cfg_attr(not(feature = "html"), expect(dead_code, reason = "only the page asks"))]
    with_page: bool,
    encodings: &'a [Encoding],
    asked: &'a [String],
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
            queues: OnceCell::new(),
            with_page: false,
            encodings: Encoding::ALL,
            asked: &[],
            metering: RefCell::new(None),
        }
    }
    /// The same run, with a page for people among its files if `wanted`.
    #[must_use]
    pub fn with_page(self, wanted: bool) -> Self {
        Self { with_page: wanted, ..self }
    }
    /// The same run, its tables written in these ways only, instead of all there are.
    #[must_use]
    pub fn with_tables(self, encodings: &'a [Encoding]) -> Self {
        Self { encodings, ..self }
    }
    /// The same run, with what these exporters write among its files.
    #[must_use]
    pub fn with_exports(self, asked: &'a [String]) -> Self {
        Self { asked, ..self }
    }
    /// The run looked at closely, once.
    pub fn details(&self) -> &Details {
        self.details.get_or_init(|| details(self.history, self.measured))
    }
    /// What its queues may hold and held, once; none where it has no queues.
    pub fn queues(&self) -> &[crate::metrics::Usage] {
        self.queues.get_or_init(|| super::explain::queues(self.history, &self.measured.jobs))
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
    /// Checks that a directory holds no run yet, and nothing that one would replace.
    ///
    /// # Errors
    /// It does; a hint tells of `--force`.
    pub fn has_room(directory: &Directory) -> Result<()> {
        let others = EXPORTERS.iter().map(|exporter| exporter.file).filter(|file| *file != MANIFEST);
        directory.holds_none_of("run", &[MANIFEST].into_iter().chain(others).collect::<Vec<_>>())
    }
    /// Writes every file of [`EXPORTERS`] into the directory, each whole or not at all. Where an earlier run left its
    /// manifest there, that is taken away first, so that it does not vouch for what is half replaced, and in the end its
    /// files that this run has not.
    ///
    /// # Errors
    /// The system says no.
    pub fn save(&self, directory: &Directory) -> Result<()> {
        let is_run = directory.path().join(MANIFEST).is_file();
        directory.remove(MANIFEST)?;
        for exporter in EXPORTERS {
            if exporter.is_wanted(self) {
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
    /// Whether the run has anything that it writes, and wants it if nobody names it.
    pub applies: fn(&Run<'_>) -> bool,
    /// Writes it.
    pub write: fn(&Run<'_>, &mut dyn Write) -> io::Result<()>,
}

impl Exporter {
    /// Whether it writes a file of this run.
    #[must_use]
    pub fn is_wanted(&self, run: &Run<'_>) -> bool {
        (self.applies)(run) || run.asked.iter().any(|name| name == self.name)
    }
}

/// Of a file that is written only if somebody names it.
const fn never(_: &Run<'_>) -> bool {
    false
}

const fn always(_: &Run<'_>) -> bool {
    true
}

/// A table as a file.
macro_rules! of_table {
    ($table:ident, $encoding:ident, $name:literal, $file:literal) => {
        Exporter {
            name: $name,
            file: $file,
            about: tables::$table.about,
            applies: |run| run.encodings.contains(&Encoding::$encoding) && (tables::$table.applies)(run),
            write: |run, out| (tables::$table.write)(run, Encoding::$encoding, out),
        }
    };
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
    of_table!(JOBS, Csv, "jobs", "jobs.csv"),
    of_table!(ATTEMPTS, Csv, "attempts", "attempts.csv"),
    of_table!(SERIES, Csv, "series", "series.csv"),
    of_table!(WAITING, Csv, "waiting", "waiting.csv"),
    of_table!(POWER, Csv, "power", "power.csv"),
    of_table!(FEEDS, Csv, "feeds", "feeds.csv"),
    of_table!(FAILURES, Csv, "failures", "failures.csv"),
    of_table!(JOBS, Parquet, "jobs-parquet", "jobs.parquet"),
    of_table!(ATTEMPTS, Parquet, "attempts-parquet", "attempts.parquet"),
    of_table!(SERIES, Parquet, "series-parquet", "series.parquet"),
    of_table!(WAITING, Parquet, "waiting-parquet", "waiting.parquet"),
    of_table!(POWER, Parquet, "power-parquet", "power.parquet"),
    of_table!(FEEDS, Parquet, "feeds-parquet", "feeds.parquet"),
    of_table!(FAILURES, Parquet, "failures-parquet", "failures.parquet"),
    Exporter {
        name: "perfetto",
        file: "trace.perfetto-trace",
        about: "racks, nodes and jobs over time for ui.perfetto.dev, with arrows along graphs and counters (--export)",
        applies: never,
        write: exports::perfetto,
    },
    Exporter {
        name: "swf",
        file: "jobs.swf",
        about: "the jobs as a log of the Standard Workload Format, which other simulators run (--export)",
        applies: never,
        write: exports::swf,
    },
    Exporter {
        name: "evalys",
        file: "evalys.csv",
        about: "the jobs as Batsim's jobs.csv, for evalys and the like (--export)",
        applies: never,
        write: exports::evalys,
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
        file: MANIFEST,
        about: "what repeats the run: version, seed, settings, options, digests of inputs and history",
        applies: always,
        write: json::write_manifest,
    },
];
