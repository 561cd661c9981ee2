use super::Changes;
use clap::Args;
use std::path::PathBuf;

const SIZE_EXAMPLES: &str = "\
Examples:
  gigawatt size night.toml --least cluster.rack.0.count --where 'wait_p95 < 30m' --where 'unfinished = 0'
  gigawatt size --workload trace.csv --cluster NODESx8 --least cluster.nodes --where 'wait_p95 < 30m'
  gigawatt size night.toml --least 'cluster.feed.0.cap={}0 kW' --between 1..100 --where 'wait_mean < 1h'

Values are doubled until the targets are met, halved in between, and those around the
answer are tried too, since more is not always better: --check says how many, `all`
every one below. The answer is that of the mean over the seeds. Exit code 1: no value
meets the targets.";

/// Find the least of something that meets targets: nodes, racks, a cap, a quota
#[derive(Debug, Args)]
#[command(after_help = SIZE_EXAMPLES)]
pub(in crate::cli) struct Size {
    /// A scenario file (TOML)
    pub(in crate::cli) scenario: Option<PathBuf>,
    /// A key of the scenario, as --set takes it, or KEY=VALUE with {} for the number
    ///
    /// `cluster.nodes` is the NODES of `--cluster NODESx8`.
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) least: String,
    /// A target, such as 'wait_p95 < 30m'; all that are given have to be met: see `gigawatt list measures`
    #[arg(long = "where", value_name = "TARGET", required = true)]
    pub(in crate::cli) targets: Vec<String>,
    /// The policy: a preset or order[/backfill[/placement]]
    #[arg(short, long, value_name = "POLICY")]
    pub(in crate::cli) policy: Option<String>,
    /// How many seeds, from --seed upwards [default: 10, or 1 where they make no difference]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) seeds: Option<u32>,
    /// Values that may be the answer [default: 1..65536]
    #[arg(long, value_name = "LOW..HIGH")]
    pub(in crate::cli) between: Option<String>,
    /// How many values on each side of the answer are tried too, or all [default: 8]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) check: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) changes: Changes,
    /// Print JSON, with every value tried
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
