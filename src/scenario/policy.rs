use super::choices::{Choices, Found, Level, Origin};
use super::placement;
use crate::document::{Document, Item, Mark, Placed, Table};
use crate::error::Problem;
use crate::history::{Plan, Settings};
use crate::policy::backfill::BACKFILLS;
use crate::policy::order::expression;
use crate::policy::part::{self, Kind, PartOption};
use crate::policy::preemption;
use crate::workload::JobKind;

/// What `[policy]` says: parts and options, each with its place.
#[derive(Default)]
struct Said {
    parts: Vec<(Kind, Placed<String>)>,
    options: Vec<(PartOption, Placed<String>)>,
}

/// Reads `[policy]` into `settings`; `over` is what `--policy` says, which beats the file and yields to `--order` and
/// the like.
pub(super) fn read(
    document: &Document,
    root: &mut Table<'_>,
    over: Option<&Placed<String>>,
    settings: &mut Settings,
) -> Choices {
    let mut choices = Choices::usual(settings.clone());
    let complain = |mark: Mark, problem: Result<(), Box<Problem>>| {
        if let Err(problem) = problem {
            document.complain(mark, *problem);
        }
    };
    let at = |level: Level, mark: Mark| Origin::new(level, Some(mark));
    let mut said = Said::default();
    if let Some(mut policy) = root.table("policy") {
        if let Some(preset) = policy.optional::<String>("preset") {
            complain(preset.mark, choices.preset(&preset, at(Level::File, preset.mark)));
        }
        said = self::said(&mut policy, &mut choices);
        choices.at_events(event_backfill(document, &mut policy, settings.cycle));
        policy.finish();
    }
    let take = |choices: &mut Choices, level: Level| {
        let here = |mark: Mark| mark.is_setting() == (level == Level::Setting);
        for (kind, name) in said.parts.iter().filter(|(_, name)| here(name.mark)) {
            complain(name.mark, choices.name(*kind, name, at(level, name.mark)));
        }
        for (option, text) in said.options.iter().filter(|(_, text)| here(text.mark)) {
            complain(text.mark, choices.option(*option, text, at(level, text.mark)));
        }
        choices.settle()
    };
    take(&mut choices, Level::File);
    if let Some(over) = over {
        complain(over.mark, choices.apply(over, at(Level::Policy, over.mark)));
        choices.settle();
    }
    *settings = take(&mut choices, Level::Setting);
    report(document, choices.misfits(settings));
    choices
}

/// Reports what is wrong with a policy where it stands.
fn report(document: &Document, found: Vec<Found>) {
    for (mark, problem) in found {
        document.complain(mark.unwrap_or_else(|| document.root().mark()), *problem);
    }
}

/// The parts and options that stand in `[policy]`.
fn said(policy: &mut Table<'_>, choices: &mut Choices) -> Said {
    let mut said = Said::default();
    for kind in Kind::ALL {
        let name = match kind {
            Kind::Order => order(policy),
            Kind::Placement => placement::read(policy),
            _ => {
                let known: Vec<(&str, &'static str)> =
                    kind.parts().map(|part| (part.name, part.name)).collect();
                let name = policy.choice(kind.name(), &known);
                name.map(|name| Placed { value: name.value.to_owned(), mark: name.mark })
            }
        };
        match name {
            Some(name) => said.parts.push((kind, name)),
            None if policy.has(kind.name()) => choices.mark_unclear(kind),
            None => {}
        }
    }
    for option in part::options() {
        if let Some(item) = policy.item(option.name) {
            said.options.extend(written(&option, &item).map(|text| (option, text)));
        }
    }
    said
}

/// The order of `[policy]`: a name, or an expression.
fn order(policy: &mut Table<'_>) -> Option<Placed<String>> {
    let names = Kind::Order.parts().map(|part| part.name).filter(|name| *name != expression::NAME);
    let name = policy.name(Kind::Order.name(), names)?;
    if Kind::Order.knows(&name) {
        return Some(name);
    }
    policy.document().complain(name.mark, *part::unknown(Kind::Order, &name));
    None
}

/// The value of an option as the command line would have it: `80,89` for a list, `eval=12h,other=1h` for a table.
fn written(option: &PartOption, item: &Item<'_>) -> Option<Placed<String>> {
    let mark = item.mark();
    let value = if item.is_table() {
        let table = item.clone().table()?;
        let entries: Vec<String> =
            table.entries().iter().filter_map(|(key, item)| entry(option, key, item)).collect();
        (!entries.is_empty()).then(|| entries.join(","))
    } else if item.is_list() {
        let numbers: Option<Vec<String>> = item.clone().items()?.iter().map(Item::scalar).collect();
        // As the command line says it of a list, where nothing at all is a slip.
        let joined =
            numbers.map(|numbers| if numbers.is_empty() { "none".to_owned() } else { numbers.join(",") });
        joined.or_else(|| wrong(option, item))
    } else {
        item.scalar().or_else(|| wrong(option, item))
    };
    value.map(|value| Placed { value, mark })
}

fn wrong(option: &PartOption, item: &Item<'_>) -> Option<String> {
    item.wrong(option.expected());
    None
}

/// One entry of an option that is a table by kind of job.
fn entry(option: &PartOption, key: &Placed<String>, item: &Item<'_>) -> Option<String> {
    let document = item.document();
    let value = item.scalar().or_else(|| wrong(option, item))?;
    if JobKind::from_name(key).is_none() {
        let problem = Problem::new(format!("unknown kind of jobs `{}`", key.value));
        document.complain(key.mark, problem.hint_nearest(key, JobKind::ALL.map(JobKind::name)));
        return None;
    }
    let text = format!("{}={value}", key.value);
    match option.read(&mut Settings::default(), &text) {
        Ok(()) => Some(text),
        Err(problem) => {
            document.complain(item.mark(), *problem);
            None
        }
    }
}

/// The backfill of passes at events, where those have one of their own.
fn event_backfill(document: &Document, policy: &mut Table<'_>, cycle: Option<u32>) -> Option<Placed<String>> {
    let names: Vec<_> = BACKFILLS.iter().map(|entry| (entry.name, entry.name)).collect();
    let event = policy.choice("event_backfill", &names)?;
    if cycle.is_none() {
        let problem = Problem::new(
            "`event_backfill`: passes at events are only told from others where those have a cycle",
        );
        document.complain(event.mark, problem.hint("set `run.cycle`, such as `--cycle 30s`"));
    }
    Some(Placed { value: event.value.to_owned(), mark: event.mark })
}

/// What to say of settings that stop running jobs where none of a plan may be stopped, or none would be; none where some may,
/// or nothing is stopped anyway.
#[must_use]
pub fn stops_nobody(settings: &Settings, plan: &Plan) -> Option<String> {
    let workload = &plan.workload;
    if !preemption::stops_jobs(settings) || workload.is_empty() {
        return None;
    }
    if (0..workload.len()).any(|job| workload.behaviour_of(job).preemptible) {
        return preemption::idle(settings, plan).map(|(said, _)| format!("{said}: nothing is stopped"));
    }
    let part = match &settings.preemption {
        Some(preemption) => format!("preemption `{preemption}`"),
        None => format!("order `{}`", settings.order),
    };
    Some(format!("{part} stops running jobs for others, and no job is preemptible: nothing is stopped"))
}
