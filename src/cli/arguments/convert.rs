use super::{OldUntil, Window};
use clap::Args;
use std::path::PathBuf;

const IMPORT_EXAMPLES: &str = "\
Examples:
  gigawatt import philly.csv.zst -o philly.csv
  gigawatt import sacct.txt --submitted-from 2026-01-01 --estimates exact -o january.jsonl
  gigawatt import slurm.conf topology.yaml -o cluster.toml
      nodes, racks, partitions and policy of Slurm as a scenario, with jobs that are made up
  gigawatt import kueue.yaml nodes.yaml --workload jobs.csv -o cluster.toml
      the quotas of Kueue, on the nodes that `kubectl get nodes -o yaml` lists, with the jobs of a trace

What of a configuration has no counterpart is listed with file and line, what was assumed is said;
both stand in the scenario as well.";

/// Write a trace, or a scheduler's configuration, in gigawatt's own format
///
/// A trace becomes a trace: nothing of what is read is lost, and a run on what is written equals a run on
/// the trace itself, digest for digest. A configuration (of Slurm, Kueue, KAI or Volcano: `gigawatt list
/// formats`) becomes a scenario with its cluster, queues and policy.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(in crate::cli) struct Import {
    /// A trace (plain, gzip, zstd), or the files of a scheduler's configuration
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Where to, replaced if it is there: a trace to .csv, .jsonl or .parquet, a configuration to .toml
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// How to read it: a name from `gigawatt list formats`, or auto
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) format: Option<String>,
    /// Of a configuration: the trace whose jobs the scenario runs; without it, some are made up
    #[arg(long, value_name = "TRACE")]
    pub(in crate::cli) workload: Option<String>,
    /// Of a configuration that lists no nodes: nodes x GPUs [x platform], such as 64x8xh100
    #[arg(long, value_name = "NxG[xP]")]
    pub(in crate::cli) cluster: Option<String>,
    /// Seed of --sample and --estimates
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) window: Window,
    #[command(flatten)]
    old: OldUntil,
}

const GENERATE_EXAMPLES: &str = "\
Examples:
  gigawatt generate --like philly.csv.zst -o made.csv
  gigawatt generate --like philly.csv.zst --load 0.9 --cluster 512x8 -o busy.csv
  gigawatt generate --like philly.csv.zst --jobs 1000000 --seed 2 -o long.csv

Jobs that a tenant submitted shortly after each other stay together as they are, and how many come
in each hour is that of a day drawn from the trace: arrivals, gangs, work and estimates keep their
shape by tenant. `gigawatt inspect TRACE made.csv` shows how well.";

/// Make a trace of the shape of another one, of any length and load
#[derive(Debug, Args)]
#[command(after_help = GENERATE_EXAMPLES)]
pub(in crate::cli) struct Generate {
    /// The trace (plain, gzip, zstd)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) like: PathBuf,
    /// Where to: a file that ends in .csv, .jsonl or .parquet, replaced if it is there
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// How many jobs [default: as many as come in the time of the trace]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(in crate::cli) jobs: Option<u32>,
    /// The offered load on --cluster: 0.9 asks for nine tenths of its GPU time [default: that of the trace]
    #[arg(long, value_name = "X", value_parser = load, requires = "cluster")]
    pub(in crate::cli) load: Option<f64>,
    /// What --load is a load of: nodes x GPUs [x platform], such as 64x8
    #[arg(long, value_name = "NxG[xP]", requires = "load")]
    pub(in crate::cli) cluster: Option<String>,
    /// Seed of every random number
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
    /// How to read the trace: a name from `gigawatt list formats`, or auto
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) format: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) window: Window,
    #[command(flatten)]
    old: OldUntil,
}

/// An offered load.
fn load(text: &str) -> Result<f64, String> {
    let load = text.parse().ok().filter(|load| (0.001..=100.0).contains(load));
    load.ok_or_else(|| "expected a load from 0.001 to 100".to_owned())
}
