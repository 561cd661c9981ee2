use super::Changes;
use clap::{ArgGroup, Args};
use std::path::PathBuf;

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  gigawatt simulate night.toml --out night
  gigawatt explain night assistant/finetune        why it waited, and what would have started it sooner
  gigawatt explain night --at 6h                   the cluster and the queue at that instant
  gigawatt explain night --tenant lab              what it may hold, held, borrowed and lent
  gigawatt explain night --queue research          the same of a queue, or of a partition

Reasons and evidence are those of the saved run. What would have been otherwise is not
guessed: the run is simulated again with one thing changed.";

/// Explain a saved run: why a job waited, what there was at an instant, what a tenant or a queue held
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
#[command(group(ArgGroup::new("question").required(true).args(["job", "at", "tenant", "queue"])))]
pub(in crate::cli) struct Explain {
    /// The directory of a run, as `simulate --out` wrote it
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,
    /// A job, as jobs.csv calls it: why it waited, and when it would have started otherwise
    #[arg(value_name = "JOB")]
    pub(in crate::cli) job: Option<String>,
    /// An instant: seconds, 36h, 2d since the start, or a date: the cluster and the queue
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// A tenant: what it may hold, is entitled to, held, borrowed and lent
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) tenant: Option<String>,
    /// A queue, or a partition, `all` where there are none: the same of its jobs
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) queue: Option<String>,
    /// Do not simulate when it could expect to start, and what would have been otherwise
    #[arg(long, requires = "job")]
    pub(in crate::cli) as_it_was: bool,
    /// Print JSON, with everything
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

const FIT_EXAMPLES: &str = "\
Examples:
  gigawatt fit night.toml --gpus 64 --work 4h --at 6h --tenant lab
  gigawatt fit night.toml --pods 16 --pod-gpus 4 --segment 4 --work 4h --at 2h
  gigawatt fit --workload trace.csv --cluster 64x8 --gpus 32 --work 1d --at 36h
  gigawatt fit run1 --gpus 8 --work 2h --at 9h          into a run that `simulate --out run1` kept

The scenario is simulated with the job added, under every seed, and again with less asked
for. What it says is what these simulations gave: that a job could start is no promise.
Exit code 1: under no seed it starts.";

/// Tell when a job that does not exist yet would start, and what would have it start sooner
#[derive(Debug, Args)]
#[command(after_help = FIT_EXAMPLES)]
pub(in crate::cli) struct Fit {
    /// A scenario file (TOML), or the directory of a run, whose seed is then the only one
    #[arg(value_name = "SCENARIO|DIR")]
    pub(in crate::cli) scenario: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) ask: Ask,
    /// The policy: a preset or order[/backfill[/placement]]
    #[arg(short, long, value_name = "POLICY")]
    pub(in crate::cli) policy: Option<String>,
    /// How many seeds, from --seed upwards [default: 10, or 1 where they make no difference]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) seeds: Option<u32>,
    #[command(flatten)]
    pub(in crate::cli) changes: Changes,
    /// Do not look for what would have it start sooner
    #[arg(long)]
    pub(in crate::cli) as_it_is: bool,
    /// Print JSON, with every seed
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// What a job asks for: keys of `[[workload.job]]`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The job")]
pub(in crate::cli) struct Ask {
    /// When it comes: seconds, 36h, 2d since the start, or a date [default: 0]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// How many GPUs it asks for
    #[arg(long, value_name = "N")]
    pub(in crate::cli) gpus: Option<String>,
    /// In how many pods of equal size
    #[arg(long, value_name = "N")]
    pub(in crate::cli) pods: Option<String>,
    /// GPUs of each pod
    #[arg(long, value_name = "N")]
    pub(in crate::cli) pod_gpus: Option<String>,
    /// So many pods have to share a rack
    #[arg(long, value_name = "PODS")]
    pub(in crate::cli) segment: Option<String>,
    /// What it wishes of racks: ignore, prefer-rack, require-rack; or prefer- or require- and a level of the cluster
    #[arg(long, value_name = "WISH")]
    pub(in crate::cli) topology: Option<String>,
    /// On which platforms it may run, such as gb300 or h100,h200
    #[arg(long, value_name = "NAME,...")]
    pub(in crate::cli) platforms: Option<String>,
    /// In which partition
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) partition: Option<String>,
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) tenant: Option<String>,
    /// What it is for, such as pretrain or eval
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: Option<String>,
    /// Higher goes first where the order looks at it
    #[arg(long, value_name = "N")]
    pub(in crate::cli) priority: Option<String>,
    /// How long its work takes on the reference platform
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) work: String,
    /// What it requests [default: its work]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) requested: Option<String>,
}
