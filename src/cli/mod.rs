//! Arguments, progress, colours and exit codes.
//!
//! What a command has to say goes to stdout, all talk to stderr; how it ends is an [`Exit`].

mod arguments;
mod check;
mod compare;
mod conformance;
mod contenders;
mod device;
mod exit;
mod explain;
mod failures;
mod fit;
mod generate;
mod import;
mod init;
mod inspect;
mod interrupt;
mod list;
mod load;
mod moment;
mod progress;
#[cfg(feature = "html")]
mod report;
mod saved;
mod shell;
mod simulate;
mod size;
mod sweep;
mod terminal;
mod vary;
mod watch;

pub use exit::Exit;

use crate::error::{Problem, Result};
use crate::gpu;
use arguments::{Arguments, Command};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;
use terminal::Terminal;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    report_bugs();
    let terminal = Terminal::detect();
    let exit = match Arguments::try_parse() {
        Ok(arguments) => set_up(&arguments, terminal)
            .and_then(|terminal| run(&arguments.command, terminal))
            .map(interrupt::told)
            .unwrap_or_else(|error| {
                terminal.error(&error);
                Exit::from(&error)
            }),
        Err(usage) => {
            // Help is data and goes to stdout; a reader that has gone is no error.
            let _ = usage.print();
            if usage.use_stderr() { Exit::WrongInput } else { Exit::Done }
        }
    };
    exit.into()
}

/// Does what is said for every command.
fn set_up(arguments: &Arguments, terminal: Terminal) -> Result<Terminal> {
    if let Some(threads) = arguments.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
        pool.map_err(|error| Problem::new(format!("cannot start {threads} threads: {error}")))?;
    }
    Ok(Terminal { quiet: arguments.quiet, watched: terminal.watched && !arguments.quiet, ..terminal })
}

fn run(command: &Command, terminal: Terminal) -> Result<Exit> {
    match command {
        Command::Simulate(arguments) => simulate::run(arguments, terminal),
        Command::Compare(arguments) => compare::run(arguments, terminal),
        Command::Watch(arguments) => watch::run(arguments, terminal),
        Command::Size(arguments) => size::run(arguments, terminal),
        Command::Sweep(arguments) => sweep::run(arguments, terminal),
        Command::Fit(arguments) => fit::run(arguments, terminal),
        Command::Explain(arguments) => explain::run(arguments, terminal),
        Command::Check(arguments) => check::run(arguments, terminal),
        Command::Inspect(arguments) => inspect::run(arguments, terminal),
        Command::Import(arguments) => import::run(arguments, terminal),
        Command::Generate(arguments) => generate::run(arguments, terminal),
        #[cfg(feature = "html")]
        Command::Report(arguments) => report::run(arguments, terminal),
        Command::List(arguments) => list::run(arguments, terminal),
        Command::Init(arguments) => init::run(arguments, terminal),
        Command::Schema(arguments) => shell::schema(arguments, terminal),
        Command::Completions(arguments) => shell::completions(arguments, terminal),
        Command::Man(arguments) => shell::man(arguments, terminal),
    }
}

/// Says of a panic, which ends the program with [`Exit::Bug`], that it is ours.
fn report_bugs() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if gpu::is_guarded() {
            return; // a driver's, and reported as an error
        }
        usual(panic);
        let said = "this is a bug in gigawatt, not in your input: please report it with the command you ran";
        let _ = writeln!(std::io::stderr().lock(), "{said}");
    }));
}
