use super::arguments::{Compare, Form};
use super::contenders::{self, Contenders};
use super::device::Uses;
use super::progress::Bar;
use super::terminal::Terminal;
use super::{Exit, device, interrupt, load};
use crate::ensemble::{By, Done, Watch, measure};
use crate::error::{Error, Place, Problem, Result};
use crate::experiment::{Comparison, Match, compare};
use crate::policy::Ranks;
use crate::report::{self, Directory};
use crate::table::Encoding;
use std::path::Path;

/// The most seeds of a comparison with a precision that does not say how many.
const SEEDS_MOST: u32 = 1000;

/// What a comparison is kept as.
const FILES: [&str; 3] = ["comparison.json", "comparison.csv", "comparison.parquet"];

/// Runs several scenarios or policies on the same seeds.
pub(super) fn run(arguments: &Compare, terminal: Terminal) -> Result<Exit> {
    let about = measure(&arguments.measure)
        .map_err(|problem| problem.at(Place::file(format!("--measure {}", arguments.measure))))?;
    let contenders = Contenders::of(arguments)?;
    contenders.tell(terminal);
    let ranks = contenders.all.iter().any(|contender| Ranks::apply_to(&contender.settings));
    let device = device::chosen(contenders.first().device.as_ref(), Uses { ranks, meters: false }, terminal)?;
    let out = arguments.out.as_deref().map(Directory::create).transpose()?;
    if let Some(out) = out.as_ref().filter(|_| !arguments.force) {
        out.holds_none_of("comparison", &[FILES[0], FILES[1], FILES[2], "manifest.json"])?;
    }
    let is_random = contenders.is_random().map_err(load::alone)?;
    let precision = precision(arguments, is_random)?;
    let most = arguments.seeds.or(precision.map(|_| SEEDS_MOST));
    let seeds = load::seeds(contenders.first().plan.settings.seed, most, is_random, terminal);
    #[cfg(feature = "html")]
    let title = contenders.title();
    let (reference, jobs) = (contenders.reference, contenders.jobs() * seeds.len() as u64);
    let (templates, all) = contenders.into_plans();
    let runs = all.len() * seeds.len();
    let bar = match precision {
        Some(_) => Bar::of_sweep(terminal, runs as u64),
        None => Bar::of_runs(terminal, jobs),
    };
    let progress = |done: Done| match precision {
        Some(_) => bar.at(done.runs as u64),
        None => bar.compared(done, runs),
    };
    let trace = |world: usize, line: &str| {
        let (name, seed) = (&all[world % all.len()].name, seeds[world / all.len()]);
        terminal.say(&format!("{name}, seed {seed}: {line}"));
    };
    let mut watch = Watch {
        interrupted: Some(interrupt::listen(terminal)),
        ranks: Some(&device.ranks),
        ..Watch::default()
    };
    if arguments.trace_decisions {
        watch.trace = Some(&trace);
    } else {
        watch.progress = Some(&progress);
    }
    let (by, about) = (arguments.by.map(By::from), about.index());
    let asked = Match { contenders: &all, reference, seeds: &seeds, is_random, by, about, precision };
    let plan = |scenario, seed| contenders::plan(&templates, scenario, seed);
    let comparison = compare(plan, &asked, watch).map_err(load::alone)?;
    bar.done();
    let Some(comparison) = comparison else {
        terminal.say("interrupted: no comparison of runs that are not all done");
        return Ok(Exit::Unfinished);
    };
    if let Some(out) = out {
        out.write(FILES[0], report::compare::json(&comparison).as_bytes())?;
        for (name, encoding) in [(FILES[1], Encoding::Csv), (FILES[2], Encoding::Parquet)] {
            out.write_with(name, |file| report::compare::write_table(&comparison, encoding, file))?;
        }
    }
    #[cfg(feature = "html")]
    if let Some(path) = &arguments.report {
        report::write_file(path, |out| report::html::write_comparison(&comparison, &title, out))?;
    }
    device.outcome(terminal)?;
    print(arguments.form(), &comparison, terminal)?;
    let is_enough = comparison.precision.as_ref().is_none_or(|reached| reached.met);
    let is_stuck = comparison.policies.iter().any(|column| column.stuck_runs > 0);
    Ok(if is_enough && !is_stuck { Exit::Done } else { Exit::Unfinished })
}

/// How sure a change has to be, where seeds make it surer.
fn precision(arguments: &Compare, is_random: bool) -> Result<Option<f64>> {
    let Some(within) = arguments.precision else { return Ok(None) };
    if !is_random {
        let problem = Problem::new("nothing is random here, and more seeds make nothing surer");
        let place = Place::file(format!("--precision {within}"));
        return Err(problem.at(place).hint("leave `--precision` out").into());
    }
    Ok(Some(within))
}

fn print(form: Form, comparison: &Comparison, terminal: Terminal) -> Result<()> {
    let table = |encoding: Encoding| {
        let mut bytes = Vec::new();
        report::compare::write_table(comparison, encoding, &mut bytes)
            .map_err(|source| Error::io("write", Path::new("stdout"), source))?;
        terminal.print_bytes(&bytes)
    };
    match form {
        Form::Text => terminal.print(&report::compare::text(comparison, terminal.width)),
        Form::Markdown => terminal.print(&report::compare::markdown(comparison)),
        Form::Json => terminal.print(&report::compare::json(comparison)),
        Form::Csv => table(Encoding::Csv),
        Form::Parquet => table(Encoding::Parquet),
    }
}
