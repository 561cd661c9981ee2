use super::Changes;
use crate::experiment::Shard;
use crate::units::Seconds;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

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

const SWEEP_EXAMPLES: &str = "\
Examples:
  gigawatt sweep night.toml --vary tenant.0.quota=64..128:5 --vary policy=fcfs,easy,greedy --seeds 16 --out sweep1
  gigawatt sweep night.toml --vary cluster.rack.0.count=1..6 --vary 'policy=easy,sjf/easy' \\
      --design random --points 200 --front utilization,wait_mean --out sweep2
  gigawatt sweep night.toml --vary 'workload.scale_load=lognormal(1.0, 0.3)' \\
      --vary 'cluster.rack.0.count=uniform(2, 6)' --design sobol --points 128 --out sweep3
  gigawatt sweep night.toml --vary ... --out sweep1 --resume           what is missing
  gigawatt sweep night.toml --vary ... --out sweep1 --shard 2/8        one part of eight
  gigawatt sweep night.toml --vary ... --out sweep1 --resume           all parts into one file

Where points are drawn, --vary also takes distributions. Whole numbers give whole numbers,
and a unit stands for all: lognormal(median, sigma) with sigma of the logarithm, such as
lognormal(100 kW, 0.3); uniform(from, to) and loguniform(from, to), such as
loguniform(10m, 90m); from..to without steps is uniform too. What is drawn depends on
--seed alone. Points of `sobol` are a scrambled Sobol' sequence, best with a power of two of
them: at most 65536 points and 256 keys.

DIR/runs.csv, and runs.parquet, has a row a run: its number, seed, keys, every measure (see `gigawatt list
measures`) and the digest of its history, the same bytes whatever threads, shards and
restarts made it. All points meet the same seeds. A point that cannot be run, such as
a cluster too small for a job, has a row that says why. While it runs, rows are kept
in DIR/runs.csv.partial: a kill loses none. Exit code 1: runs are missing, or in some
jobs are left that nothing left to happen could start (`stuck`; of a part it is told).";

/// Run a scenario at every point of some keys, under several seeds, into a table
#[derive(Debug, Args)]
#[command(after_help = SWEEP_EXAMPLES)]
pub(in crate::cli) struct Sweep {
    /// A scenario file (TOML)
    pub(in crate::cli) scenario: Option<PathBuf>,
    /// A key of the scenario and its values: KEY=a,b,c or KEY=from..to:steps, such as 100..200 kW:3, or a distribution
    ///
    /// Keys are those of --set; `policy` is -p, and `cluster.nodes` the NODES of `--cluster NODESx8`.
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    pub(in crate::cli) vary: Vec<String>,
    /// How many seeds each point meets, from --seed upwards
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) seeds: u32,
    /// Which points: every combination, or some that are drawn
    #[arg(long, value_enum, default_value_t = Designed::Grid)]
    pub(in crate::cli) design: Designed,
    /// How many points are drawn [default: 100, of sobol 128]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(in crate::cli) points: Option<u32>,
    /// Tell the points that no other one beats in these measures, such as cost,wait_mean
    #[arg(long, value_name = "MEASURE,...")]
    pub(in crate::cli) front: Option<String>,
    /// Tell these measures of every point [default: wait_mean,wait_p95,utilization,unfinished]
    #[arg(long, value_name = "MEASURE,...", conflicts_with = "front")]
    pub(in crate::cli) measure: Option<String>,
    /// Keep the rows here: sweep.json, runs.csv, runs.parquet
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: PathBuf,
    /// Go on with what is in DIR, and take up the rows of all its parts
    #[arg(long)]
    pub(in crate::cli) resume: bool,
    /// Make one part of so many, such as 2/8: every eighth run from the second on
    #[arg(long, value_name = "i/n", value_parser = Shard::parse)]
    pub(in crate::cli) shard: Option<Shard>,
    /// Begin no run after this much time, such as 10m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) budget: Option<Duration>,
    /// The policy: a preset or order[/backfill[/placement]]
    #[arg(short, long, value_name = "POLICY")]
    pub(in crate::cli) policy: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) changes: Changes,
    /// Print JSON, with every point
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Which points a sweep has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Designed {
    /// Every combination of the values
    Grid,
    /// So many points, every value drawn on its own
    Random,
    /// A Latin hypercube: so many points, spread evenly along each axis
    Lhs,
    /// A scrambled Sobol' sequence: so many points, spread evenly along each axis and over several
    Sobol,
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds: Seconds =
        text.parse().map_err(|error: crate::units::ParseSecondsError| error.to_string())?;
    Ok(Duration::from_secs(seconds.0.into()))
}
