use super::Changes;
use clap::Args;
use std::path::PathBuf;

const WATCH_EXAMPLES: &str = "\
Examples:
  gigawatt watch                       the embedded quickstart, a day in a minute
  gigawatt watch night.toml -p sjf/easy --speed 600
  gigawatt watch run1                  a run that `simulate --out run1` kept
  gigawatt watch run1 --at 6h          one instant of it, printed

Keys: space stops time, left and right move it (with shift ten times as far), n and p go
to the next and the previous event, + and - change the speed, q ends.";

/// Watch a run in the terminal: racks, queue, draw, tenants and what happens
///
/// A scenario is simulated first: that takes less time than anybody can watch.
#[derive(Debug, Args)]
#[command(after_help = WATCH_EXAMPLES)]
pub(in crate::cli) struct Watch {
    /// A scenario file (TOML), or the directory of a run
    #[arg(value_name = "SCENARIO|DIR")]
    pub(in crate::cli) source: Option<PathBuf>,
    /// The policy: a preset or order[/backfill[/placement]]
    #[arg(short, long, value_name = "POLICY")]
    pub(in crate::cli) policy: Option<String>,
    /// Seconds of the run that pass in one [default: the whole in a minute]
    #[arg(long, value_name = "X", value_parser = speed)]
    pub(in crate::cli) speed: Option<f64>,
    /// Print one instant instead, such as 6h, or a date
    #[arg(long, value_name = "TIME", conflicts_with = "speed")]
    pub(in crate::cli) at: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) changes: Changes,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| (0.125..=1e7).contains(speed));
    speed.ok_or_else(|| "expected a number from 0.125 to 10000000".to_owned())
}
