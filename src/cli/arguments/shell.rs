use crate::report::ANSWERS;
use crate::scenario::SCHEMAS;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;

const INIT_EXAMPLES: &str = "\
Examples:
  gigawatt init                                        four questions, then scenario.toml
  gigawatt init night.toml --platform vr200 --racks 8 --policy sjf/easy
  gigawatt init mine.toml --workload trace.swf.gz --schema
  gigawatt init - --policy easy/power=cap              printed, with a cap for the policy to keep

Whatever is not asked or answered has a default; where nobody is there to answer, nothing is asked.";

/// Write a scenario to begin with, every line explained
#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(in crate::cli) struct Init {
    /// Where to; - prints it
    #[arg(default_value = "scenario.toml", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: PathBuf,
    /// The GPUs: a name from `gigawatt list platforms` [default: gb300]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) platform: Option<String>,
    /// How many racks of them [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) racks: Option<u32>,
    /// The jobs: a trace that `gigawatt inspect` can read [default: jobs that are generated]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) workload: Option<String>,
    /// Which jobs go first: a preset from `gigawatt list policies`, or order[/backfill[/placement]];
    /// also easy/power=cap [default: easy]
    #[arg(long, value_name = "POLICY")]
    pub(in crate::cli) policy: Option<String>,
    /// Also write its schema beside it, so that editors complete and check keys
    #[arg(long)]
    pub(in crate::cli) schema: bool,
    /// Replace the file if it is there
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  gigawatt schema scenario > gigawatt.schema.json
  # and `#:schema ./gigawatt.schema.json` as the first line of a scenario, for editors that know taplo
  gigawatt schema compare > compare.schema.json      what `gigawatt compare --json` prints";

/// Print the JSON Schema of a file, for editors, or of what a command answers with --json
///
/// A file that is valid by it may still be wrong: `gigawatt check` says everything. An answer names its schema in the
/// key `schema`, whose last part is raised when an answer no longer has what it had.
#[derive(Debug, Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(in crate::cli) struct SchemaOf {
    /// Of which file, or answer
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(names()))]
    pub(in crate::cli) name: String,
}

/// What has a schema.
fn names() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|schema| schema.name).chain(ANSWERS.iter().map(|answer| answer.name))
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  gigawatt completions bash > ~/.local/share/bash-completion/completions/gigawatt
  gigawatt completions zsh > ~/.zfunc/_gigawatt
  gigawatt completions fish > ~/.config/fish/completions/gigawatt.fish";

/// Print what makes a shell complete commands and options
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(in crate::cli) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub(in crate::cli) shell: Shell,
}

/// Print the manual page, or write one a command
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gigawatt man | man -l -\n  gigawatt man --out ~/.local/share/man/man1")]
pub(in crate::cli) struct Man {
    /// Write gigawatt.1, gigawatt-simulate.1 and so on into this folder
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
}
