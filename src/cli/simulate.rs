use super::arguments::Simulate;
use super::device::Uses;
use super::list::unknown;
use super::progress::Bar;
use super::terminal::Terminal;
use super::{Exit, device, interrupt, load};
use crate::ensemble::By;
use crate::error::{Error, Result};
use crate::history::{History, Plan};
use crate::metrics::measure;
use crate::policy::Ranks;
use crate::power::energy::is_counted;
use crate::report::run::{EXPORTERS, Look, Provenance, Run, remarks, summary};
use crate::report::{self, Directory};
use crate::scenario::{Input, Loaded, stops_nobody};
use crate::simulation::{Control, Progress, simulate};
use std::path::Path;

/// Runs one scenario under one policy.
pub(super) fn run(arguments: &Simulate, terminal: Terminal) -> Result<Exit> {
    let names = || EXPORTERS.iter().map(|exporter| exporter.name);
    if let Some(name) = arguments.export.iter().find(|name| !names().any(|known| known == *name)) {
        return Err(unknown("exporter", name, names()).into());
    }
    let overrides = arguments.changes.overrides(arguments.policy.as_deref());
    let loaded = load::scenario(arguments.scenario.as_deref(), &overrides)?;
    terminal.notes(&loaded.notes);
    terminal.notes(stops_nobody(&loaded.plan.settings, &loaded.plan).as_slice());
    let uses = Uses {
        ranks: Ranks::apply_to(&loaded.plan.settings),
        meters: arguments.out.is_some() && is_counted(&loaded.plan.cluster),
    };
    let mut device = device::chosen(loaded.device.as_ref(), uses, terminal)?;
    let out = arguments.out.as_deref().map(Directory::create).transpose()?;
    if let Some(out) = out.as_ref().filter(|_| !arguments.force) {
        Run::has_room(out)?;
    }
    let mut provenance = provenance(&loaded, arguments);
    let Loaded { plan, .. } = loaded;
    let history = simulated(plan, arguments.trace_decisions, device.ranks.clone(), terminal);
    provenance.device = device.name(terminal);
    let measured = measure(&history);
    let mut run = Run::new(&history, &measured, &provenance)
        .with_page(arguments.wants_page())
        .with_tables(arguments.tables.encodings())
        .with_exports(&arguments.export);
    if let Some(metering) = device.metering() {
        run = run.metered_by(metering);
    }
    if let Some(out) = &out {
        run.save(out)?;
    }
    let text = if arguments.json {
        json(&run)?
    } else {
        let kept_in = arguments.out.as_deref().map(|out| out.display().to_string());
        let by = arguments.by.map(By::from);
        summary(&run, &Look { kept_in: kept_in.as_deref(), by, width: terminal.width })
    };
    terminal.print(&text)?;
    terminal.notes(&remarks(&run));
    device.outcome(terminal)?;
    Ok(ended(&history))
}

/// A run that `until` cut off is done; one that leaves jobs which nothing left to happen could start is not.
fn ended(history: &History) -> Exit {
    if !history.complete || history.is_stuck() { Exit::Unfinished } else { Exit::Done }
}

/// Where a run comes from, the command line included.
fn provenance(loaded: &Loaded, arguments: &Simulate) -> Provenance {
    let input = |input: &Input| report::run::Input { path: input.path.clone(), digest: input.digest.clone() };
    let options = std::env::args_os().skip(1);
    Provenance {
        title: loaded.name.clone(),
        inputs: loaded.inputs.iter().map(input).collect(),
        options: options.map(|option| option.to_string_lossy().into_owned()).collect(),
        power_step: arguments.power_step,
        scenario: arguments.scenario_words(),
        ..Provenance::default()
    }
}

/// The history of a plan, with a progress bar, or with every decision on stderr.
fn simulated(plan: Plan, trace_decisions: bool, ranks: Ranks, terminal: Terminal) -> History {
    let bar = Bar::of_jobs(terminal, plan.workload.len());
    let mut progress = |progress: Progress| bar.simulated(progress);
    let mut trace = |line: &str| terminal.say(line);
    let mut control = Control { interrupted: Some(interrupt::listen(terminal)), ranks, ..Control::default() };
    if trace_decisions {
        control.trace = Some(&mut trace);
    } else {
        control.progress = Some(&mut progress);
    }
    let history = simulate(plan, &mut control);
    bar.done();
    history
}

/// What `summary.json` holds.
fn json(run: &Run<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    for exporter in EXPORTERS.iter().filter(|exporter| exporter.file == "summary.json") {
        (exporter.write)(run, &mut bytes)
            .map_err(|source| Error::io("write", Path::new("stdout"), source))?;
    }
    Ok(String::from_utf8(bytes).expect("JSON is text"))
}
