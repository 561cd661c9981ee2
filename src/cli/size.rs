use super::arguments::Size;
use super::terminal::Terminal;
use super::vary::{Template, brief, parsed};
use super::{Exit, interrupt, load};
use crate::ensemble::Watch;
use crate::error::{Place, Problem, Problems, Result};
use crate::experiment::{CHECK, Question, Target, is_random, size};
use crate::report;
use crate::report::size::Sized;
use crate::scenario::Loaded;
use std::ops::RangeInclusive;

/// Values of one that does not say which.
const BETWEEN: RangeInclusive<u64> = 1..=65_536;
const HOLE: &str = report::size::HOLE;

/// Looks for the least value of a key with which targets are met.
pub(super) fn run(arguments: &Size, terminal: Terminal) -> Result<Exit> {
    let question = question(arguments)?;
    let (key, value) = arguments.least.split_once('=').unwrap_or((arguments.least.as_str(), HOLE));
    let (key, value) = (key.trim(), value.trim());
    if !value.contains(HOLE) {
        let problem = Problem::new(format!("`{value}` has no `{HOLE}` for the number"));
        let hint = format!("such as `--least '{key}={HOLE} kW'`");
        return Err(problem.at(Place::file(format!("--least {}", arguments.least))).hint(hint).into());
    }
    let overrides = arguments.changes.overrides(arguments.policy.as_deref());
    let template = Template::new(arguments.scenario.as_deref(), overrides, "--least", [key])?;
    let with = |number: u64| template.with(key, &value.replace(HOLE, &number.to_string()));
    let (usual, loaded) = first(&question, &with)?;
    terminal.notes(&loaded.notes);
    let targets = question.targets.iter().map(|target| (target.measure, format!("--where {}", target.text)));
    load::must_be_known(loaded.plan.clone(), &targets.collect::<Vec<_>>())?;
    let other = usual.plan(loaded.plan.settings.seed.wrapping_add(1)).map_err(load::alone)?;
    let random = is_random(&loaded.plan, &other, [&loaded.plan.settings]);
    let seeds = load::seeds(loaded.plan.settings.seed, arguments.seeds, random, terminal);
    let interrupted = Some(interrupt::listen(terminal));
    let plan = |number, seed| with(number).plan(seed).map_err(|error| brief(&error));
    let title = format!("{}: {}", loaded.name, loaded.plan.settings.policy());
    let Some(found) = size(&question, plan, &seeds, Watch { interrupted, ..Watch::default() }) else {
        terminal.say("interrupted: no answer from a search that is not done");
        return Ok(Exit::Unfinished);
    };
    let sized = Sized { title, key, value, question: &question, found: &found, seeds: &seeds };
    let text = match arguments.json {
        true => report::size::json(&sized),
        false => report::size::text(&sized, terminal.width),
    };
    terminal.print(&text)?;
    Ok(if found.answer.is_some() { Exit::Done } else { Exit::Unfinished })
}

/// The targets and the values that may be the answer, every problem of them at once.
fn question(arguments: &Size) -> Result<Question> {
    let mut problems = Problems::default();
    let targets = parsed("--where", &arguments.targets, Target::parse, &mut problems);
    let between = arguments.between.as_deref().map_or(Some(BETWEEN), between);
    if between.is_none() {
        let text = arguments.between.as_deref().unwrap_or_default();
        let problem = Problem::new(format!("`{text}`: expected two whole numbers, the lower one first"));
        problems
            .push(problem.at(Place::file(format!("--between {text}"))).hint("such as `--between 1..512`"));
    }
    let check = match arguments.check.as_deref() {
        None => Some(Some(CHECK)),
        Some("all") => Some(None),
        Some(text) => text.parse().ok().map(Some),
    };
    if check.is_none() {
        let text = arguments.check.as_deref().unwrap_or_default();
        let problem = Problem::new(format!("`{text}`: expected a number of values, or `all`"));
        problems.push(problem.at(Place::file(format!("--check {text}"))).hint("such as `--check 16`"));
    }
    let (between, check) = (between.unwrap_or(BETWEEN), check.unwrap_or_default());
    problems.into_result(Question { targets, between, check })
}

/// What `1..512` means, both ends included.
fn between(text: &str) -> Option<RangeInclusive<u64>> {
    let (low, high) = text.split_once("..")?;
    let range = low.trim().parse().ok()?..=high.trim().trim_start_matches('=').parse().ok()?;
    // Twice as much is still a number.
    (!range.is_empty() && *range.end() < 1 << 62).then_some(range)
}

/// The first value, of those that are tried anyway, with which there is a scenario, and that; without any,
/// what is wrong with the first.
fn first<'a>(question: &Question, with: &impl Fn(u64) -> Template<'a>) -> Result<(Template<'a>, Loaded)> {
    let (mut value, high) = question.between.clone().into_inner();
    let mut wrong = None;
    loop {
        let template = with(value);
        match template.load() {
            Err(error) if value >= high => return Err(wrong.unwrap_or(error)),
            Err(error) => wrong = wrong.or(Some(error)),
            Ok(loaded) => return Ok((template, loaded)),
        }
        value = (value * 2).max(value + 1).min(high);
    }
}
