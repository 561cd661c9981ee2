use super::arguments::{Designed, Sweep};
use super::progress::Bar;
use super::terminal::Terminal;
use super::vary::{Template, brief, parsed};
use super::{Exit, interrupt, load};
use crate::ensemble::{Delivered, Done, MEASURES, Measure, Wanted, Watch, World, each, measure};
use crate::error::{Error, Place, Problem, Problems, Result};
use crate::experiment::{Axis, Design, Shard, points};
use crate::report::Directory;
use crate::report::sweep::{self, Store, Swept};
use crate::scenario::Loaded;
use serde_json::json;
use std::ops::ControlFlow;
use std::time::Duration;

/// Measures of a table that does not say which.
const USUAL: [&str; 4] = ["wait_mean", "wait_p95", "utilization", "unfinished"];

/// Points that are drawn where nobody says how many.
const POINTS: u32 = 100;
/// The same of a Sobol' sequence, which shares every axis evenly at powers of two.
const SOBOL_POINTS: u32 = 128;

/// What is asked, every problem of it told at once.
struct Asked {
    axes: Vec<Axis>,
    points: Vec<Vec<String>>,
    measures: Vec<&'static Measure>,
    /// The option that names the measures, as the user typed it.
    typed: String,
}

impl Asked {
    /// Whether a key that begins so varies.
    fn varies(&self, part: &str) -> bool {
        self.axes.iter().any(|axis| axis.key.split('.').next() == Some(part))
    }
    /// The points with that value of an axis.
    fn with<'a>(&'a self, axis: usize, value: &'a str) -> impl Iterator<Item = usize> + 'a {
        (0..self.points.len()).filter(move |point| self.points[*point][axis] == value)
    }
}

/// Runs a scenario at every point of some axes, under every seed.
pub(super) fn run(arguments: &Sweep, terminal: Terminal) -> Result<Exit> {
    let asked = asked(arguments)?;
    let overrides = arguments.changes.overrides(arguments.policy.as_deref());
    let keys = asked.axes.iter().map(|axis| axis.key.as_str());
    let template = Template::new(arguments.scenario.as_deref(), overrides, "--vary", keys.clone())?;
    let at = |point: usize| {
        let pairs = asked.axes.iter().zip(&asked.points[point]);
        pairs.fold(template.clone(), |template, (axis, value)| template.with(&axis.key, value))
    };
    let loaded = first(asked.points.len(), &at)?;
    must_be_policies(&asked, &at)?;
    // Where tariffs or sites vary, something may be known of other points.
    if !asked.varies("power") && !asked.varies("cluster") {
        let measures: Vec<_> = asked.measures.iter().map(|measure| (*measure, asked.typed.clone())).collect();
        load::must_be_known(loaded.plan.clone(), &measures)?;
    }
    terminal.notes(&loaded.notes);
    advise(arguments, terminal);
    let seeds = u64::from(arguments.seeds);
    let first_seed = loaded.plan.settings.seed;
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let directory = Directory::create(&arguments.out)?;
    let manifest = manifest(arguments, &asked, &loaded);
    let mut store = Store::open(directory, shard, &manifest, sweep::header(keys.clone()), arguments.resume)?;
    let runs = asked.points.len() as u64 * seeds;
    let missing: Vec<u64> = (0..runs).filter(|run| shard.has(*run) && !store.has(*run)).collect();
    let own = (0..runs).filter(|run| shard.has(*run)).count();
    told(&store, own - missing.len(), own, terminal);
    let title = match asked.varies("policy") {
        true => loaded.name.clone(),
        false => format!("{}: {}", loaded.name, loaded.plan.settings.policy()),
    };
    drop(loaded);
    let split =
        |run: u64| (usize::try_from(run / seeds).unwrap_or(usize::MAX), first_seed.wrapping_add(run % seeds));
    let failed = sweep_over(&missing, own, arguments.budget, terminal, &at, split, |run, outcome| {
        let (point, seed) = split(run);
        store.add(run, sweep::line(run, seed, &asked.points[point], &outcome))
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let done = (0..runs).filter(|run| shard.has(*run) && store.has(*run)).count();
    if done < own {
        terminal.say(&format!("{done} of {own} runs are done; `--resume` goes on with the rest"));
        return Ok(Exit::Unfinished);
    }
    let names: Vec<&str> = keys.clone().collect();
    store.finish(shard, &names)?;
    terminal.say(&format!("{own} runs in {}", store.path().display()));
    let title = (title, arguments.front.is_some());
    let swept = swept(&asked, &store, seeds, title);
    let stuck: usize = swept.stuck_runs.iter().sum();
    if shard != Shard::WHOLE {
        // A part has done its part: whoever joins them is told by the exit code how they ended.
        if stuck > 0 {
            terminal.say(&format!("in {stuck} runs jobs are left that nothing left to happen could start"));
        }
        return Ok(Exit::Done);
    }
    terminal.print(&if arguments.json {
        sweep::json(&swept)
    } else {
        sweep::text(&swept, terminal.width)
    })?;
    Ok(if stuck == 0 { Exit::Done } else { Exit::Unfinished })
}

/// What came of every point, as the rows say.
fn swept<'a>(asked: &'a Asked, store: &Store, seeds: u64, (title, is_front): (String, bool)) -> Swept<'a> {
    let points = 0..asked.points.len() as u64;
    let rows =
        |point: u64| (point * seeds..(point + 1) * seeds).map(|run| store.row(run).unwrap_or_default());
    let places: Vec<usize> = asked.measures.iter().map(|measure| measure.index()).collect();
    let values = |row: &str| sweep::values(row, asked.axes.len(), &places);
    Swept {
        title,
        keys: asked.axes.iter().map(|axis| axis.key.as_str()).collect(),
        points: &asked.points,
        measures: asked.measures.clone(),
        runs: points.clone().map(|point| rows(point).map(values).collect()).collect(),
        problems: points.clone().map(|point| rows(point).find_map(sweep::problem)).collect(),
        stuck_runs: points.map(|point| rows(point).filter(|row| sweep::is_stuck(row)).count()).collect(),
        is_front,
    }
}

/// Makes the missing runs; what went wrong with the directory, if anything did.
fn sweep_over<'a>(
    missing: &[u64],
    own: usize,
    budget: Option<Duration>,
    terminal: Terminal,
    at: &(impl Fn(usize) -> Template<'a> + Sync),
    split: impl Fn(u64) -> (usize, u64) + Sync,
    mut keep: impl FnMut(u64, std::result::Result<Delivered, String>) -> Result<()> + Send,
) -> Option<Error> {
    let bar = Bar::of_sweep(terminal, own as u64);
    let begun = own - missing.len();
    let progress = |done: Done| bar.at((begun + done.runs) as u64);
    let enough = || budget.is_some_and(|budget| bar.elapsed() >= budget);
    let watch = Watch {
        interrupted: Some(interrupt::listen(terminal)),
        progress: Some(&progress),
        enough: Some(&enough),
        ..Watch::default()
    };
    let plan = |place: usize| {
        let (point, seed) = split(missing[place]);
        at(point).plan(seed).map_err(|error| brief(&error))
    };
    let worlds: Vec<World> = (0..missing.len()).map(World::of).collect();
    let wanted = Wanted { digest: true, ..Wanted::all() };
    let mut failed = None;
    each(&worlds, plan, &wanted, watch, |place, outcome| match keep(missing[place], outcome) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    });
    bar.done();
    failed
}

fn asked(arguments: &Sweep) -> Result<Asked> {
    let mut problems = Problems::default();
    let axes = parsed("--vary", &arguments.vary, Axis::parse, &mut problems);
    let mut measures = Vec::new();
    let usual = USUAL.join(",");
    let (option, names) = match (&arguments.front, &arguments.measure) {
        (Some(front), _) => ("--front", front),
        (None, Some(measures)) => ("--measure", measures),
        (None, None) => ("--measure", &usual),
    };
    for name in names.split(',').map(str::trim) {
        match measure(name) {
            Ok(again) if measures.iter().any(|own: &&Measure| own.key == again.key) => {
                let problem = Problem::new(format!("`{}` is named twice", again.word()));
                problems.push(
                    problem.at(Place::file(format!("{option} {names}"))).hint("name each measure once"),
                );
            }
            Ok(measure) => measures.push(measure),
            Err(problem) => problems.push(problem.at(Place::file(format!("{option} {names}")))),
        }
    }
    let design = designed(arguments);
    if let Some(points) = arguments.points.filter(|_| design == Design::Grid) {
        let problem = Problem::new("a grid has every combination, and no number of points");
        let hint =
            format!("`--design random --points {points}` draws so many; `:steps` of a range thins a grid");
        problems.push(problem.at(Place::file(format!("--points {points}"))).hint(hint));
    }
    let points = if problems.is_empty() { points(&axes, design) } else { Ok(Vec::new()) };
    let points = points.unwrap_or_else(|problem| {
        problems.push(problem.at(Place::file("--vary")));
        Vec::new()
    });
    problems.into_result(Asked { axes, points, measures, typed: format!("{option} {names}") })
}

/// The design and what it is drawn with.
fn designed(arguments: &Sweep) -> Design {
    let seed = arguments.changes.seed.unwrap_or_default();
    let points = |usual: u32| arguments.points.unwrap_or(usual);
    match arguments.design {
        Designed::Grid => Design::Grid,
        Designed::Random => Design::Random { points: points(POINTS), seed },
        Designed::Lhs => Design::Latin { points: points(POINTS), seed },
        Designed::Sobol => Design::Sobol { points: points(SOBOL_POINTS), seed },
    }
}

/// What might be better asked.
fn advise(arguments: &Sweep, terminal: Terminal) {
    let points = arguments.points.unwrap_or(SOBOL_POINTS);
    if arguments.design == Designed::Sobol && !points.is_power_of_two() {
        terminal.note(&format!(
            "a Sobol' sequence is even at powers of two: {} points rather than {points}",
            points.next_power_of_two()
        ));
    }
}

/// The scenario of the first point that has one; without any, what is wrong with the first.
fn first<'a>(points: usize, at: &impl Fn(usize) -> Template<'a>) -> Result<Loaded> {
    let mut found = at(0).load();
    for point in 1..points {
        if found.is_ok() {
            break;
        }
        found = at(point).load().or(found);
    }
    found
}

/// Points that are tried with a policy before it is said to be none.
const TRIES: usize = 32;

/// That every policy and part of one that was written can be had at some point: another is a slip, and no point.
fn must_be_policies<'a>(asked: &Asked, at: &impl Fn(usize) -> Template<'a>) -> Result<()> {
    let mut problems = Problems::default();
    for (place, axis) in asked.axes.iter().enumerate() {
        if axis.key.split('.').next() != Some("policy") || !axis.is_list() {
            continue;
        }
        for value in axis.grid() {
            let mut wrong = None;
            for point in asked.with(place, &value).take(TRIES) {
                // A job that is too large is a matter of the point.
                match at(point).with("run.oversized", "reject").load() {
                    Ok(_) => {
                        wrong = None;
                        break;
                    }
                    Err(Error::Input(own)) => wrong = wrong.or(Some(own)),
                    Err(other) => return Err(other),
                }
            }
            wrong.into_iter().for_each(|wrong| problems.append(wrong));
        }
    }
    problems.into_result(())
}

/// What was there already.
fn told(store: &Store, known: usize, own: usize, terminal: Terminal) {
    if known > 0 {
        terminal.say(&format!("{known} of {own} runs are done already"));
    }
    if store.repeated() > 0 {
        terminal.say(&format!("{} of them more than once, and the same", store.repeated()));
    }
}

/// All that makes a sweep what it is, and nothing of how it is run.
fn manifest(arguments: &Sweep, asked: &Asked, loaded: &Loaded) -> String {
    let inputs: Vec<_> =
        loaded.inputs.iter().map(|input| json!({ "path": input.path, "digest": input.digest })).collect();
    let changes = &arguments.changes;
    let all = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "scenario": loaded.name,
        "inputs": inputs,
        "policy": arguments.policy,
        "changes": arguments.changes.words(),
        "parts": [changes.order, changes.backfill, changes.placement, changes.preemption],
        "vary": arguments.vary,
        "design": format!("{:?}", arguments.design).to_lowercase(),
        "design_seed": arguments.changes.seed.unwrap_or_default(),
        "points": asked.points.len(),
        "first_seed": loaded.plan.settings.seed,
        "seeds": arguments.seeds,
        "measures": MEASURES.iter().map(|measure| measure.key).collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}
