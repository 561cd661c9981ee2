mod answers;
mod compare;
mod convert;
mod looks;
mod questions;
mod shell;
mod watch;

pub(super) use answers::{Ask, Explain, Fit};
use compare::Grouping;
pub(super) use compare::{Compare, Form};
pub(super) use convert::{Generate, Import};
#[cfg(feature = "html")]
pub(super) use looks::Report;
pub(super) use looks::{Inspect, List, Listing};
pub(super) use questions::{Designed, Size, Sweep};
pub(super) use shell::{Completions, Init, Man, SchemaOf};
pub(super) use watch::Watch;

use super::Exit;
use crate::scenario::Overrides;
use crate::table::Encoding;
use crate::units::Seconds;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gigawatt simulate
      a day of four tenants on a few racks: the embedded quickstart
  gigawatt simulate --workload philly.csv.zst --cluster 64x8 -p easy --out run1
      a trace on 64 nodes of 8 GPUs under EASY backfill, every job in run1/jobs.csv
  gigawatt compare --workload philly.csv.zst --cluster 64x8 -p fcfs -p easy -p sjf/easy
      what each policy costs in waiting, relative to the first
  gigawatt size night.toml --least cluster.rack.0.count --where 'wait_p95 < 30m'
      how many racks it takes
  gigawatt explain run1 job-17
      why it waited, and what would have started it sooner
  gigawatt inspect RICC-2010-2.swf.gz --cluster 1024x8
      what a trace asks for, and whether that cluster could bear it";

/// Simulates how an AI cloud schedules training and inference jobs on racks of GPUs.
#[derive(Debug, Parser)]
#[command(name = "gigawatt", version, after_help = after_help(EXAMPLES))]
#[command(help_expected = true, max_term_width = 100, subcommand_required = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Say nothing but results and errors: no notes, no progress
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) quiet: bool,
    /// How many threads may work [default: one a core]; results do not depend on it
    #[arg(long, global = true, value_name = "N", help_heading = "Everywhere")]
    pub(super) threads: Option<NonZeroUsize>,
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
    Simulate(Simulate),
    Compare(Compare),
    Watch(Watch),
    Size(Size),
    Sweep(Sweep),
    Fit(Fit),
    Explain(Explain),
    Check(Check),
    Inspect(Inspect),
    Import(Import),
    Generate(Generate),
    #[cfg(feature = "html")]
    Report(Report),
    List(List),
    Init(Init),
    Schema(SchemaOf),
    Completions(Completions),
    Man(Man),
}

const SIMULATE_EXAMPLES: &str = "\
Examples:
  gigawatt simulate                                       the embedded quickstart
  gigawatt simulate night.toml --out run1 --report        everything kept, a page to look at
  gigawatt simulate night.toml -p sjf/easy/pack --seed 7
  gigawatt simulate --workload trace.swf.gz --cluster 128x8
  gigawatt simulate night.toml --set policy.priority_step=600 --set tenant.0.quota=64

Without a scenario, --workload and --cluster say what it would say; with neither of the three the
embedded quickstart runs. Ctrl-C or SIGTERM ends a run early and keeps what is done so far (exit codes
130, 143).";

/// Run a scenario under one policy and print what came of it
#[derive(Debug, Args)]
#[command(after_help = SIMULATE_EXAMPLES)]
pub(super) struct Simulate {
    /// A scenario file (TOML)
    pub(super) scenario: Option<PathBuf>,
    /// The policy: a preset or order[/backfill[/placement]], such as sjf/easy; also easy/reservations=2
    #[arg(short, long, value_name = "POLICY")]
    pub(super) policy: Option<String>,
    #[command(flatten)]
    pub(super) changes: Changes,
    /// Keep the run here: manifest.json, summary.json, history and tables (see `gigawatt list exporters`)
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace the run that is kept there
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// Also write this: a name from `gigawatt list exporters`, such as perfetto, swf or evalys
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', requires = "out")]
    pub(super) export: Vec<String>,
    /// How tables are written
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Tables::Both, requires = "out")]
    pub(super) tables: Tables,
    /// Also write the run as a page for people: DIR/report.html
    #[cfg(feature = "html")]
    #[arg(long, requires = "out")]
    pub(super) report: bool,
    /// Time that a line of power.csv is about, such as 1s, 5m or 1h [default: some hundred lines a feed]
    #[arg(long, value_name = "TIME", value_parser = step, requires = "out")]
    pub(super) power_step: Option<Seconds>,
    /// Also tell the waits of groups of jobs
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) by: Option<Grouping>,
    /// Print the summary as JSON; it has all groups
    #[arg(long)]
    pub(super) json: bool,
    /// Print every decision of the policy to stderr as it is taken
    #[arg(long)]
    pub(super) trace_decisions: bool,
}

/// Says what an option is called now.
fn renamed(now: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |_| Err(format!("it is called `{now}` now"))
}

/// How the tables of a run are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Tables {
    /// Only as CSV
    Csv,
    /// Only as Parquet
    Parquet,
    /// As CSV and as Parquet
    Both,
}

impl Tables {
    /// As the run takes them.
    pub(super) const fn encodings(self) -> &'static [Encoding] {
        match self {
            Self::Csv => &[Encoding::Csv],
            Self::Parquet => &[Encoding::Parquet],
            Self::Both => Encoding::ALL,
        }
    }
}

impl Simulate {
    /// The part of the command line that means the scenario, as the user would type it again.
    pub(super) fn scenario_words(&self) -> Vec<String> {
        let path = self.scenario.as_ref().map(|path| path.display().to_string());
        path.into_iter().chain(self.changes.words()).collect()
    }
    /// Whether the run shall have a page.
    pub(super) const fn wants_page(&self) -> bool {
        #[cfg(feature = "html")]
        return self.report;
        #[cfg(not(feature = "html"))]
        return false;
    }
}

/// A length of time that is not nothing.
fn step(text: &str) -> Result<Seconds, String> {
    let step: Seconds = text.parse().map_err(|error: crate::units::ParseSecondsError| error.to_string())?;
    if step.0 == 0 { Err("expected at least a second".to_owned()) } else { Ok(step) }
}

const CHECK_EXAMPLES: &str = "\
Examples:
  gigawatt check night.toml
  gigawatt check night.toml --workload trace.swf.gz --set run.oversized=reject";

/// Report every problem of a scenario at once, or what it comes to; nothing is run
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(super) struct Check {
    /// A scenario file (TOML)
    pub(super) scenario: Option<PathBuf>,
    /// The policy: a preset or order[/backfill[/placement]]
    #[arg(short, long, value_name = "POLICY")]
    pub(super) policy: Option<String>,
    #[command(flatten)]
    pub(super) changes: Changes,
}

/// What the command line changes of a scenario.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes to the scenario")]
pub(super) struct Changes {
    /// The jobs: a trace (plain, gzip, zstd) or a TOML file of job graphs
    #[arg(long, value_name = "FILE")]
    pub(super) workload: Option<String>,
    /// How to read it: a name from `gigawatt list formats`, or auto
    #[arg(long, value_name = "NAME")]
    pub(super) format: Option<String>,
    /// The cluster: nodes x GPUs [x platform], such as 64x8 or 552x8xh100, or the path of a list of nodes (CSV)
    #[arg(long, value_name = "NxG[xP]")]
    pub(super) cluster: Option<String>,
    /// Cut the run off at this time of its clock (run.until): seconds, 36h, 2d
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    #[command(flatten)]
    pub(super) window: Window,
    /// Which job goes next: a name from `gigawatt list policies`
    #[arg(long, value_name = "NAME")]
    pub(super) order: Option<String>,
    /// Which jobs may pass a blocked one: a name from `gigawatt list policies`
    #[arg(long, value_name = "NAME")]
    pub(super) backfill: Option<String>,
    /// Where a job goes: a name from `gigawatt list policies`, or weights such as leftover=3,energy=1
    #[arg(long, value_name = "NAME")]
    pub(super) placement: Option<String>,
    /// Which running jobs stop for others: a name from `gigawatt list policies` [default: what the order implies]
    #[arg(long, value_name = "NAME")]
    pub(super) preemption: Option<String>,
    /// Decide every so often, such as 30s or 5m, instead of at every event
    #[arg(long, value_name = "TIME")]
    pub(super) cycle: Option<String>,
    /// Seed of every random number
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// What evaluates placements: auto, cpu, gpu or a name from `gigawatt list devices`
    #[arg(long, value_name = "NAME")]
    pub(super) device: Option<String>,
    /// Set any key of the scenario; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

/// What `--submitted-before` was called where no run is cut off.
#[derive(Debug, Args)]
pub(super) struct OldUntil {
    /// What --submitted-before was called
    #[arg(long = "until", hide = true, value_parser = renamed("--submitted-before"))]
    old_until: Option<String>,
}

/// Which jobs of a trace are taken, and how fast they come.
#[derive(Debug, Args)]
pub(super) struct Window {
    /// Only jobs submitted from here on: seconds, 36h, 2d, or a date such as 2017-10-09
    #[arg(id = "submitted_from", long = "submitted-from", value_name = "TIME")]
    pub(super) from: Option<String>,
    /// Only jobs submitted before this: seconds, 36h, 2d, or a date
    #[arg(id = "submitted_before", long = "submitted-before", value_name = "TIME")]
    pub(super) until: Option<String>,
    /// What --submitted-from was called
    #[arg(long = "from", hide = true, value_parser = renamed("--submitted-from"))]
    old_from: Option<String>,
    /// Multiply the rate of arrivals: 2 halves the time between submits
    #[arg(long, value_name = "X")]
    pub(super) scale_load: Option<String>,
    /// What users request, in place of what a trace tells: exact, factor=2, like=FILE
    #[arg(long, value_name = "WHICH")]
    pub(super) estimates: Option<String>,
    /// Keep each job with this probability, above 0 and at most 1
    #[arg(long, value_name = "X")]
    pub(super) sample: Option<String>,
    /// What a trace leaves open, keys of `map` in [workload]: gpus=num_gpu,work_time=duration,unit=ms
    ///
    /// KEY is one of
    ///   gpus, pods, pod_gpus, submit_time, wait_time, start_time, end_time, work_time, requested_time,
    ///   job_id, tenant, partition, state, priority, kind, platforms, cpu, memory_mib
    ///                   the column of a table that tells it; others are known by their names
    ///   unit            what numbers of time count in: s, ms, us, ns, m, h, d; units.submit_time=ms: of
    ///                   one key
    ///   states.WORD     what a word for a state means: completed, failed, stopped, cancelled, running,
    ///                   pending, drop
    ///   platform        ignore: typed GPUs run anywhere; platform.a100=h100: on another type
    ///   gpus_from       requested, allocated: which counts where a trace tells both
    ///   shards_per_gpu  how many of gres/shard make a GPU
    ///   procs_per_gpu   how many processors of SWF make a GPU
    ///   think_time      true: jobs of SWF come after their preceding job
    ///   partition       queue, partition: which field of SWF is the partition
    #[arg(long, value_name = "KEY=VALUE,...", verbatim_doc_comment)]
    pub(super) map: Vec<String>,
    /// Names of the columns of a trace that has no header, such as JobID,State,Submit,Start,End
    #[arg(long, value_name = "NAME,...")]
    pub(super) columns: Option<String>,
    /// Leave out lines that cannot be read, count them and show the first three
    #[arg(long)]
    pub(super) skip_bad_lines: bool,
}

impl Changes {
    /// As the user would type them again, for a command over several policies.
    pub(super) fn words(&self) -> Vec<String> {
        let seed = self.seed.map(|seed| seed.to_string());
        let options = [
            ("--workload", &self.workload),
            ("--format", &self.format),
            ("--cluster", &self.cluster),
            ("--until", &self.until),
            ("--submitted-from", &self.window.from),
            ("--submitted-before", &self.window.until),
            ("--scale-load", &self.window.scale_load),
            ("--sample", &self.window.sample),
            ("--estimates", &self.window.estimates),
            ("--columns", &self.window.columns),
            ("--cycle", &self.cycle),
            ("--seed", &seed),
            ("--device", &self.device),
        ];
        let mut words = Vec::new();
        for (option, value) in options {
            words
                .extend(value.as_ref().map(|value| [option.to_owned(), value.clone()]).into_iter().flatten());
        }
        for pairs in &self.window.map {
            words.extend(["--map".to_owned(), pairs.clone()]);
        }
        if self.window.skip_bad_lines {
            words.push("--skip-bad-lines".to_owned());
        }
        for assignment in &self.set {
            words.extend(["--set".to_owned(), assignment.clone()]);
        }
        words
    }
    /// As the scenario takes them, with a policy if the command has one.
    pub(super) fn overrides(&self, policy: Option<&str>) -> Overrides {
        Overrides {
            workload: self.workload.clone(),
            format: self.format.clone(),
            cluster: self.cluster.clone(),
            policy: policy.map(str::to_owned),
            order: self.order.clone(),
            backfill: self.backfill.clone(),
            placement: self.placement.clone(),
            preemption: self.preemption.clone(),
            run_until: self.until.clone(),
            cycle: self.cycle.clone(),
            seed: self.seed,
            device: self.device.clone(),
            set: self.set.clone(),
            ..self.window.overrides()
        }
    }
}

impl Window {
    /// The options of it that are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let options = [
            ("--submitted-from", self.from.is_some()),
            ("--submitted-before", self.until.is_some()),
            ("--scale-load", self.scale_load.is_some()),
            ("--estimates", self.estimates.is_some()),
            ("--sample", self.sample.is_some()),
            ("--map", !self.map.is_empty()),
            ("--columns", self.columns.is_some()),
            ("--skip-bad-lines", self.skip_bad_lines),
        ];
        options.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
    /// As the scenario takes them.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            from: self.from.clone(),
            until: self.until.clone(),
            scale_load: self.scale_load.clone(),
            sample: self.sample.clone(),
            estimates: self.estimates.clone(),
            map: self.map.clone(),
            columns: self.columns.clone(),
            skip_bad_lines: self.skip_bad_lines,
            ..Overrides::default()
        }
    }
}
