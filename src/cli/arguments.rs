use super::Exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gigawatt inspect trace.swf.gz --cluster 128x8
      what a trace asks for, and whether 128 nodes of 8 GPUs could bear it
  gigawatt list policies
      orders, backfills and placements, each with its source";

/// Simulates how an AI cloud schedules training and inference jobs on racks of GPUs.
#[derive(Debug, Parser)]
#[command(name = "gigawatt", version, propagate_version = true, after_help = after_help(EXAMPLES))]
#[command(help_expected = true, max_term_width = 100, subcommand_required = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

fn after_help(examples: &str) -> String {
    let mut text = examples.to_owned();
    text.push_str("\n\nExit codes:\n");
    for exit in Exit::ALL {
        text.push_str(&format!("  {:>3}  {}\n", exit.code(), exit.about()));
    }
    text.push_str("\nResults go to stdout, everything else to stderr. NO_COLOR=1 turns colours off.");
    text
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Inspect(Inspect),
    List(List),
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  gigawatt inspect philly.csv.zst
  gigawatt inspect philly.csv.zst --from 2017-10-01 --until 2017-11-01 --cluster 64x8
  gigawatt inspect RICC-2010-2.swf.gz --cluster 1024x8";

/// Show what a workload asks for: gangs, lengths, tenants, arrivals, demand over time
///
/// Nothing is simulated. With --cluster it also says what share of that cluster the jobs would keep busy
/// (the offered load: sum of GPUs x work time / (GPUs x time from first to last submit)).
#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(super) struct Inspect {
    /// A trace, plain or packed with gzip or zstd
    pub(super) file: PathBuf,
    /// How to read it: a name from `gigawatt list formats`, or auto
    #[arg(long, value_name = "NAME", default_value = "auto", hide_default_value = true)]
    pub(super) format: String,
    #[command(flatten)]
    pub(super) window: Window,
}

/// Which jobs of a trace are taken, and how fast they come.
#[derive(Debug, Args)]
#[command(next_help_heading = "Part of the trace")]
pub(super) struct Window {
    /// Only jobs submitted from here on: seconds, 36h, 2d, or a date such as 2017-10-09
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
    /// Only jobs submitted before this: seconds, 36h, 2d, or a date
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    /// Multiply the rate of arrivals: 2 halves the time between submits
    #[arg(long, value_name = "X")]
    pub(super) scale_load: Option<f64>,
    /// Keep each job with this probability, above 0 and at most 1
    #[arg(long, value_name = "X")]
    pub(super) sample: Option<f64>,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gigawatt list policies
  gigawatt list platforms
  gigawatt list platforms gb300      every number of one, with its source";

/// List what can be named: policies, formats, platforms
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(super) struct List {
    /// What to list
    #[arg(value_enum)]
    pub(super) what: Listing,
    /// One of them, to see everything about it
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Listing {
    /// Presets, orders, backfills and placements, for -p and the scenario's [policy]
    Policies,
    /// Formats of traces, for --format
    Formats,
    /// GPU generations in their nodes and racks, for --cluster and scenarios
    Platforms,
}
