use super::{OldUntil, Window};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const INSPECT_EXAMPLES: &str = "\
Examples:
  gigawatt inspect philly.csv.zst
  gigawatt inspect philly.csv.zst --submitted-from 2017-10-01 --submitted-before 2017-11-01 --cluster 64x8
  gigawatt inspect RICC-2010-2.swf.gz --cluster 1024x8
  gigawatt inspect night.toml
  gigawatt inspect philly.csv.zst made.csv     two of them beside each other, by quantiles";

/// Show what a workload asks for: gangs, lengths, tenants, arrivals, demand over time
///
/// Nothing is simulated. With a cluster it also says what share of it the jobs would keep busy
/// (the offered load: sum of GPUs x work time / (GPUs x time from first to last submit)).
#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(in crate::cli) struct Inspect {
    /// A trace (plain, gzip, zstd), a file of job graphs or a scenario (TOML), or the directory of a run
    ///
    /// Of two of them the quantiles are shown beside each other.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// How to read a trace: a name from `gigawatt list formats`, or auto
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) format: Option<String>,
    /// Compare with this cluster: nodes x GPUs [x platform], such as 64x8
    #[arg(long, value_name = "NxG[xP]")]
    pub(in crate::cli) cluster: Option<String>,
    /// Change one key of the scenario, or of that which a trace on a cluster is; give it several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) window: Window,
    /// Print JSON, with everything
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    old: OldUntil,
}

#[cfg(feature = "html")]
const REPORT_EXAMPLES: &str = "\
Examples:
  gigawatt simulate night.toml --out run1
  gigawatt report run1                       run1/report.html
  gigawatt report run1 run2 --out both.html  side by side";

/// Write saved runs as one page that a browser opens from disk, several side by side
#[cfg(feature = "html")]
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(in crate::cli) struct Report {
    /// Directories of runs, as `simulate --out` wrote them
    #[arg(value_name = "DIR", required = true)]
    pub(in crate::cli) runs: Vec<PathBuf>,
    /// Where to write the page [default: DIR/report.html, or report.html where there are several]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gigawatt list policies
  gigawatt list platforms
  gigawatt list platforms gb300      every number of one, with its source
  gigawatt list devices              what --device can name on this machine";

/// List what can be named: policies, formats, platforms, failures, devices, exporters, columns, measures
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(in crate::cli) struct List {
    /// What to list
    #[arg(value_enum)]
    pub(in crate::cli) what: Listing,
    /// One of them, to see everything about it
    pub(in crate::cli) name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Listing {
    /// Presets, orders, backfills and placements, for -p and the scenario's [policy]
    Policies,
    /// Formats of traces, for --format
    Formats,
    /// GPU generations in their nodes and racks, for --cluster and scenarios
    Platforms,
    /// What fails in clusters that somebody has observed, and how often, for the scenario's [failures]
    Failures,
    /// What evaluates placements: the processor, and the GPUs found on this machine, for --device
    Devices,
    /// Files of a run directory (simulate --out)
    Exporters,
    /// Columns of the tables of a run, with their units and formulas
    Columns,
    /// Numbers of a run: rows of a comparison, columns of a sweep, targets of --where
    Measures,
    /// What is compared with other systems' own tests, row by row
    Conformance,
}
