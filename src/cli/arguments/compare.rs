use super::Changes;
use crate::ensemble::By;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const COMPARE_EXAMPLES: &str = "\
Examples:
  gigawatt compare night.toml -p fcfs -p easy -p tiresias
  gigawatt compare night.toml later.toml                  two scenarios, each under its own policy
  gigawatt compare night.toml --vary cluster.rack.0.count=2,3 -p easy -p sjf/easy --reference 3,easy
  gigawatt compare night.toml -p easy -p greedy --precision 2% --by tenant
  gigawatt compare --workload trace.swf.gz --cluster 128x8 -p fcfs -p easy

Contenders are all combinations of scenarios, values of --vary and policies. All meet the
same seeds, what scenarios share draws the same numbers, and all runs share the cores.
A part that a policy does not name is that of the scenario. Where seeds make no
difference (a trace, no random placement) each contender runs once, and intervals
come from resampling the days of the trace. `≈` marks a change that may be chance.";

/// Run several scenarios or policies on the same seeds and print them beside each other
#[derive(Debug, Args)]
#[command(after_help = COMPARE_EXAMPLES)]
pub(in crate::cli) struct Compare {
    /// Scenario files (TOML); without any, options alone or the embedded quickstart
    #[arg(value_name = "SCENARIO")]
    pub(in crate::cli) scenarios: Vec<PathBuf>,
    /// One of the policies: a preset or order[/backfill[/placement]]; give it several times
    ///
    /// Without any, each scenario runs under its own.
    #[arg(short, long = "policy", value_name = "POLICY")]
    pub(in crate::cli) policies: Vec<String>,
    /// A key of the scenario and its values, each a contender: KEY=a,b,c or KEY=from..to:steps
    #[arg(long, value_name = "KEY=VALUES")]
    pub(in crate::cli) vary: Vec<String>,
    /// The contender, or the policy, that the others are compared with [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) reference: Option<String>,
    /// How many seeds, from --seed upwards [default: 10, or 1 where they make no difference]
    ///
    /// With --precision the most that there may be [default: 1000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) seeds: Option<u32>,
    /// Run seeds until the interval of each change is at most ± this, such as 2%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(in crate::cli) precision: Option<f64>,
    /// The measure that --precision and what is said of chance are about: see `gigawatt list measures`
    #[arg(long, value_name = "MEASURE", default_value = "wait_mean")]
    pub(in crate::cli) measure: String,
    /// Also tell the waits of groups of jobs
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(in crate::cli) by: Option<Grouping>,
    #[command(flatten)]
    pub(in crate::cli) changes: Changes,
    /// Keep the comparison here: comparison.json, comparison.csv, comparison.parquet
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Replace the comparison that is kept there
    #[arg(long, requires = "out")]
    pub(in crate::cli) force: bool,
    /// Also write the comparison as a page for people
    #[cfg(feature = "html")]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// How to print it
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t = Form::Text, conflicts_with = "json")]
    pub(in crate::cli) form: Form,
    /// Print JSON: --as json
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print every decision to stderr as it is taken, after the names of its contender and seed
    #[arg(long)]
    pub(in crate::cli) trace_decisions: bool,
}

impl Compare {
    /// How it is to be printed.
    pub(in crate::cli) const fn form(&self) -> Form {
        if self.json { Form::Json } else { self.form }
    }
}

/// How something is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Form {
    /// Tables for a terminal
    Text,
    /// A table that GitHub and others render
    Markdown,
    /// A line a contender and measure
    Csv,
    /// The same as Apache Parquet
    Parquet,
    /// Everything, every run included
    Json,
}

/// What the jobs of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Grouping {
    /// How many GPUs they ask for
    Gpus,
    /// Who submitted them
    Tenant,
    /// What they are for
    Kind,
    /// On which platform they first ran
    Platform,
}

impl From<Grouping> for By {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Gpus => Self::Gpus,
            Grouping::Tenant => Self::Tenant,
            Grouping::Kind => Self::Kind,
            Grouping::Platform => Self::Platform,
        }
    }
}

/// A share such as `2%` or `0.02`, above nothing.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    let share = number.trim().parse::<f64>().ok().map(|number| number * unit);
    share
        .filter(|share| *share > 0.0 && share.is_finite())
        .ok_or_else(|| "expected a share above 0, such as `2%`".to_owned())
}
