use super::arguments::Compare;
use super::device::Uses;
use super::progress::Bar;
use super::terminal::Terminal;
use super::{Exit, device, interrupt, load};
use crate::ensemble::{Done, Watch};
use crate::error::{Place, Problem, Problems, Result};
use crate::experiment::{Comparison, Contender, compare, is_random};
use crate::policy::Ranks;
use crate::report::{self, Directory};
use crate::scenario::{Loaded, stops_nobody};

/// Runs several policies on the same plans.
pub(super) fn run(arguments: &Compare, terminal: Terminal) -> Result<Exit> {
    let overrides = arguments.changes.overrides(None);
    let loaded = load::scenario(arguments.scenario.as_deref(), &overrides)?;
    let (contenders, reference) = contenders(arguments, &loaded)?;
    terminal.notes(&loaded.notes);
    for contender in &contenders {
        let note = stops_nobody(&contender.settings, &loaded.plan.workload);
        terminal.notes(note.map(|note| format!("{}: {note}", contender.name)).as_slice());
    }
    let ranks = contenders.iter().any(|contender| Ranks::apply_to(&contender.settings));
    let device = device::chosen(loaded.device.as_ref(), Uses { ranks, meters: false }, terminal)?;
    let out = arguments.out.as_deref().map(Directory::create).transpose()?;
    let seed = loaded.plan.settings.seed;
    let plan = |_, seed| load::plan(arguments.scenario.as_deref(), &overrides, seed);
    let other = plan(0, seed.wrapping_add(1)).map_err(load::alone)?;
    let random = is_random(&loaded.plan, &other, contenders.iter().map(|contender| &contender.settings));
    let seeds = load::seeds(seed, arguments.seeds, random, terminal);
    // Another seed may bring a few jobs more or fewer: enough for a bar.
    let runs = contenders.len() * seeds.len();
    let jobs = runs as u64 * u64::from(loaded.plan.workload.len());
    #[cfg(feature = "html")]
    let title = loaded.name.clone();
    drop(loaded);
    let bar = Bar::of_runs(terminal, jobs);
    let progress = |done: Done| bar.compared(done, runs);
    let trace = |world: usize, line: &str| {
        let (policy, seed) = (&contenders[world % contenders.len()].name, seeds[world / contenders.len()]);
        terminal.say(&format!("{policy}, seed {seed}: {line}"));
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
    let comparison = compare(plan, &contenders, &seeds, reference, random, watch).map_err(load::alone)?;
    bar.done();
    let Some(comparison) = comparison else {
        terminal.say("interrupted: no comparison of runs that are not all done");
        return Ok(Exit::Unfinished);
    };
    if let Some(out) = out {
        out.write("comparison.json", report::compare::json(&comparison).as_bytes())?;
        out.write("comparison.csv", report::compare::csv(&comparison).as_bytes())?;
    }
    #[cfg(feature = "html")]
    if let Some(path) = &arguments.report {
        report::write_file(path, |out| report::html::write_comparison(&comparison, &title, out))?;
    }
    device.outcome(terminal)?;
    terminal.print(&printed(arguments, &comparison, terminal))?;
    Ok(Exit::Done)
}

fn printed(arguments: &Compare, comparison: &Comparison, terminal: Terminal) -> String {
    if arguments.json {
        report::compare::json(comparison)
    } else if arguments.csv {
        report::compare::csv(comparison)
    } else {
        report::compare::text(comparison, terminal.width)
    }
}

/// The policies named, on top of the scenario's settings, and which of them is the reference.
fn contenders(arguments: &Compare, loaded: &Loaded) -> Result<(Vec<Contender>, usize)> {
    let mut problems = Problems::default();
    let mut contenders: Vec<Contender> = Vec::new();
    let mut resolve = |option: &str, text: &str| {
        loaded.choices.under(text, &loaded.plan).unwrap_or_else(|problem| {
            problems.push(problem.at(Place::file(format!("{option} {text}"))));
            loaded.plan.settings.clone()
        })
    };
    for name in &arguments.policies {
        contenders.push(Contender { name: name.clone(), settings: resolve("--policy", name), scenario: 0 });
    }
    let reference = match &arguments.reference {
        None => 0,
        Some(name) => {
            let settings = resolve("--reference", name);
            let known = contenders.iter().position(|contender| contender.settings == settings);
            known.unwrap_or_else(|| {
                contenders.insert(0, Contender { name: name.clone(), settings, scenario: 0 });
                0
            })
        }
    };
    for (index, contender) in contenders.iter().enumerate() {
        let earlier = contenders[..index].iter().find(|earlier| earlier.settings == contender.settings);
        if let Some(earlier) = earlier.filter(|_| problems.is_empty()) {
            let said = format!("policies `{}` and `{}` are the same", earlier.name, contender.name);
            let settings = &contender.settings;
            let parts = format!("both are {}", settings.policy());
            problems.push(Problem::new(said).hint(parts));
        }
    }
    if contenders.len() == 1 && problems.is_empty() {
        problems.push(Problem::new("one policy has nothing to be compared with").hint("give `-p` twice"));
    }
    problems.into_result((contenders, reference))
}
