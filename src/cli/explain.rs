use super::arguments::Explain;
use super::saved::Saved;
use super::terminal::Terminal;
use super::{Exit, interrupt, moment};
use crate::error::{Place, Problem, Result};
use crate::experiment::{Otherwise, Outlooks, explain, otherwise, outlooks};
use crate::history::History;
use crate::metrics::{Usage, measure, usage_of_partitions, usage_of_tenants};
use crate::report::explain::{Told, at_json, at_text, job_json, job_text, queues, usage_json, usage_text};
use crate::units::Time;
use crate::workload::Names;

/// Answers a question about a saved run.
pub(super) fn run(arguments: &Explain, terminal: Terminal) -> Result<Exit> {
    let saved = Saved::read(&arguments.run)?;
    let (history, title) = (&saved.history, saved.title());
    if let Some(job) = &arguments.job {
        return of_job(arguments, &saved, job, terminal);
    }
    let text = match (&arguments.at, &arguments.tenant, &arguments.queue) {
        (Some(at), ..) => {
            let now = instant(history, at)?;
            if arguments.json {
                at_json(&title, history, now)
            } else {
                at_text(&title, history, now, terminal.width)
            }
        }
        (None, Some(name), _) => {
            used(arguments, &title, ("tenant", name), &usage_of_tenants(history), terminal)?
        }
        (None, None, queue) => {
            let name = queue.as_deref().unwrap_or_default();
            of_queue(arguments, &title, history, name, terminal)?
        }
    };
    terminal.print(&text)?;
    Ok(Exit::Done)
}

fn of_job(arguments: &Explain, saved: &Saved, name: &str, terminal: Terminal) -> Result<Exit> {
    let history = &saved.history;
    let job = named(&history.plan.workload.names, name)?;
    let explained = explain(history, job);
    let simulated = if arguments.as_it_was {
        (None, None)
    } else if let Some((outlooks, otherwise)) = simulated(history, job, terminal) {
        (Some(outlooks), Some(otherwise))
    } else {
        terminal.say("interrupted: nothing is said of what is not simulated to its end");
        return Ok(Exit::Unfinished);
    };
    let (title, (outlooks, otherwise)) = (saved.title(), simulated);
    let told = Told {
        title: &title,
        history,
        explained: &explained,
        outlooks: outlooks.as_ref(),
        otherwise: otherwise.as_deref(),
    };
    terminal.print(&if arguments.json { job_json(&told) } else { job_text(&told, terminal.width) })?;
    Ok(Exit::Done)
}

/// What takes simulations of its own; none if it was interrupted.
fn simulated(history: &History, job: u32, terminal: Terminal) -> Option<(Outlooks, Vec<Otherwise>)> {
    let interrupted = Some(interrupt::listen(terminal));
    Some((outlooks(history, job, interrupted)?, otherwise(history, job, interrupted)?))
}

/// The job of that name.
fn named(names: &Names, name: &str) -> Result<u32> {
    let all = || (0..names.len()).map(|job| names.get(job));
    let found = all().position(|known| known == name).and_then(|job| u32::try_from(job).ok());
    found.ok_or_else(|| {
        let known: Vec<String> = all().map(std::borrow::Cow::into_owned).collect();
        let problem = Problem::new(format!("the run has no job `{name}`"));
        problem.hint_nearest(name, known.iter().map(String::as_str)).into()
    })
}

/// The instant of a run that a text means.
fn instant(history: &History, text: &str) -> Result<Time> {
    let now = moment::instant(text, history.plan.workload.epoch)?;
    if now <= history.end {
        return Ok(now);
    }
    let said = format!("`{text}` is not within the run, which took {}", history.end.since(Time::ZERO));
    Err(Problem::new(said).at(Place::file(format!("--at {text}"))).into())
}

/// What a queue held, or a partition, whose names differ.
fn of_queue(
    arguments: &Explain,
    title: &str,
    history: &History,
    name: &str,
    terminal: Terminal,
) -> Result<String> {
    let is_queue = history.plan.workload.queues.iter().any(|queue| queue.name == name);
    if is_queue {
        let all = queues(history, &measure(history).jobs);
        return used(arguments, title, ("queue", name), &all, terminal);
    }
    let partitions = usage_of_partitions(history);
    if partitions.iter().any(|own| own.name == name) || history.plan.workload.queues.is_empty() {
        return used(arguments, title, ("partition", name), &partitions, terminal);
    }
    let problem = Problem::new(format!("no job of the run has the queue or partition `{name}`"));
    let queues = history.plan.workload.queues.iter().map(|queue| queue.name.as_str());
    let known = queues.chain(partitions.iter().map(|own| own.name.as_str()));
    Err(problem.hint_nearest(name, known).into())
}

fn used(
    arguments: &Explain,
    title: &str,
    (what, name): (&str, &str),
    all: &[Usage],
    terminal: Terminal,
) -> Result<String> {
    let Some(own) = all.iter().find(|own| own.name == name) else {
        let problem = Problem::new(format!("no job of the run has the {what} `{name}`"));
        return Err(problem.hint_nearest(name, all.iter().map(|own| own.name.as_str())).into());
    };
    Ok(match arguments.json {
        true => usage_json(title, what, own, all),
        false => usage_text(title, what, own, all, terminal.width),
    })
}
