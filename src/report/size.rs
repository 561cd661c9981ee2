//! The least of something that meets targets, as text and JSON.

use super::answer;
use super::compare::amount;
use super::lines::fitted;
use super::number::{counted, grouped};
use super::table;
use crate::experiment::{Probe, Question, Sizing, Target};
use serde_json::{Value, json};

/// What was sized, and what came of it.
#[derive(Debug, Clone)]
pub struct Sized<'a> {
    /// The scenario and its policy.
    pub title: String,
    /// The key of which the least was looked for.
    pub key: &'a str,
    /// What was asked.
    pub question: &'a Question,
    /// What was found.
    pub found: &'a Sizing,
    /// The seeds that every value met.
    pub seeds: &'a [u64],
}

/// Values that a table shows on each side of the answer.
const AROUND: u64 = 4;

/// As a sentence, a table of what is around the answer, and what can be said of it.
#[must_use]
pub fn text(sized: &Sized<'_>, width: u16) -> String {
    let Sized { title, key, question, found, .. } = sized;
    let targets: Vec<&str> = question.targets.iter().map(|target| target.text.as_str()).collect();
    let targets = targets.join(" and ");
    let (low, high) = question.between.clone().into_inner();
    let answer = match found.answer {
        Some(answer) => format!("{key} = {} is the least with {targets}", grouped(answer)),
        None => format!("no {key} from {} to {} gives {targets}", grouped(low), grouped(high)),
    };
    let mut text = format!("{title}\n{answer}\n\n{}\n", around(sized, width));
    for line in [binding(sized), flat(sized), certainty(sized), monotone(sized), checked(sized)] {
        if !line.is_empty() {
            text.push_str(&line);
            text.push('\n');
        }
    }
    fitted(&text, width)
}

/// The values next to the answer; without one, the last that were tried.
fn around(sized: &Sized<'_>, width: u16) -> String {
    let Sized { key, question, found, .. } = sized;
    let words = question.targets.iter().map(|target| target.measure.word());
    let mut table = table::new(width, std::iter::once(*key).chain(words).chain(["meets"]));
    let shown: Vec<(&u64, &Probe)> = match found.answer {
        Some(answer) => found.probes.range(answer.saturating_sub(AROUND)..=answer + AROUND).collect(),
        None => {
            let mut last: Vec<_> = found.probes.iter().rev().take(5).collect();
            last.reverse();
            last
        }
    };
    for (value, probe) in shown {
        let meets = match (&probe.problem, probe.is_met()) {
            (Some(problem), _) => format!("no: {problem}"),
            (None, true) => "yes".to_owned(),
            (None, false) => "no".to_owned(),
        };
        let cell = |place: usize| {
            probe.verdicts.get(place).map_or_else(String::new, |verdict| {
                amount(verdict.value, question.targets[place].measure.unit)
            })
        };
        let cells = (0..question.targets.len()).map(cell);
        table.add_row(std::iter::once(grouped(*value)).chain(cells).chain([meets]));
    }
    table::right(&mut table, 0..=question.targets.len());
    table::text(&mut table)
}

/// Which targets are missed with one less, or by every value.
fn binding(sized: &Sized<'_>) -> String {
    let found = sized.found;
    let told = |place: usize, probe: &Probe| {
        let target = &sized.question.targets[place];
        let verdict = probe.verdicts.get(place);
        let value = verdict.map_or_else(String::new, |verdict| amount(verdict.value, target.measure.unit));
        format!("{} is {value}", target.measure.word())
    };
    let binding = found.binding();
    let (value, probe) = match found.answer {
        Some(answer) => {
            let Some(less) = answer.checked_sub(1).filter(|less| found.probes.contains_key(less)) else {
                return format!("It is the least value that may be asked for: {}.", grouped(answer));
            };
            (less, &found.probes[&less])
        }
        None => match found.probes.iter().last() {
            Some((value, probe)) => (*value, probe),
            None => return String::new(),
        },
    };
    if let Some(problem) = &probe.problem {
        return format!("With {}: {problem}.", grouped(value));
    }
    let words: Vec<String> = binding.iter().map(|place| told(*place, probe)).collect();
    let binds: Vec<&str> = binding.iter().map(|place| sized.question.targets[*place].text.as_str()).collect();
    format!("What binds: {}. With {} {}.", binds.join(", "), grouped(value), words.join(", "))
}

fn flat(sized: &Sized<'_>) -> String {
    let flat = sized.found.flat.filter(|_| sized.found.answer.is_none());
    flat.map_or_else(String::new, |flat| format!("From {} on more changes nothing.", grouped(flat)))
}

/// How sure the answer and the value below it are.
fn certainty(sized: &Sized<'_>) -> String {
    let seeds = sized.seeds.len();
    if seeds == 1 {
        return "One run each.".to_owned();
    }
    let Some(answer) = sized.found.answer else { return format!("Means over {seeds} seeds.") };
    let sure = |value: Option<u64>| {
        let probe = value.and_then(|value| sized.found.probes.get(&value));
        probe.is_none_or(|probe| probe.verdicts.iter().all(|verdict| verdict.sure))
    };
    let has_interval = |probe: &Probe| probe.verdicts.iter().all(|verdict| verdict.interval.is_some());
    if !has_interval(&sized.found.probes[&answer]) {
        return format!("Means over {seeds} seeds: how sure they are takes ten (`--seeds 10`).");
    }
    let less = answer.checked_sub(1);
    match (sure(Some(answer)), sure(less)) {
        (true, true) => format!("Means over {seeds} seeds; at 95 % these meet and one less misses."),
        (true, false) => {
            format!("Means over {seeds} seeds; at 95 % one less might do; more seeds would say.")
        }
        (false, _) => format!("Means over {seeds} seeds; at 95 % it might miss; more seeds would say."),
    }
}

/// Where more is not better.
fn monotone(sized: &Sized<'_>) -> String {
    let misses: Vec<String> = sized.found.misses_above().into_iter().map(grouped).collect();
    if misses.is_empty() {
        return String::new();
    }
    format!("More is not always better: {} misses although it is more.", misses.join(", "))
}

fn checked(sized: &Sized<'_>) -> String {
    let tried = counted(sized.found.probes.len() as u64, "value");
    match sized.found.checked() {
        Some(checked) => {
            let (low, high) = checked.into_inner();
            let all = low == *sized.question.between.start() && sized.question.check.is_none();
            let rest =
                if all || low == *sized.question.between.start() { "" } else { "; below that by halving" };
            format!("{tried} tried, every one from {} to {}{rest}.", grouped(low), grouped(high))
        }
        None => format!("{tried} tried."),
    }
}

/// Everything, for machines.
#[must_use]
pub fn json(sized: &Sized<'_>) -> String {
    let Sized { title, key, question, found, seeds } = sized;
    let target = |target: &Target| json!({ "target": target.text, "measure": target.measure.key, "bound": target.bound });
    let probe = |(value, probe): (&u64, &Probe)| {
        let verdict = |(target, verdict): (&Target, &crate::experiment::Verdict)| {
            json!({
                "measure": target.measure.key,
                "value": verdict.value,
                "interval": verdict.interval,
                "met": verdict.met,
                "sure": verdict.sure,
                "runs": verdict.runs,
            })
        };
        let verdicts: Vec<Value> = question.targets.iter().zip(&probe.verdicts).map(verdict).collect();
        json!({ "value": value, "meets": probe.is_met(), "problem": probe.problem, "targets": verdicts })
    };
    let binds: Vec<&str> =
        found.binding().iter().map(|place| question.targets[*place].text.as_str()).collect();
    let checked = found.checked().map(std::ops::RangeInclusive::into_inner);
    let all = json!({
        "scenario": title,
        "key": key,
        "targets": question.targets.iter().map(target).collect::<Vec<_>>(),
        "between": [question.between.start(), question.between.end()],
        "answer": found.answer,
        "binding": binds,
        "misses_above": found.misses_above(),
        "checked": checked,
        "flat_from": found.flat,
        "seeds": seeds,
        "probes": found.probes.iter().map(probe).collect::<Vec<_>>(),
    });
    answer::text("size", all)
}

/// What an answer looks like.
pub(super) fn shape() -> Value {
    json!({
        "scenario": "string",
        "key": "string",
        "targets": [{ "target": "string", "measure": "string", "bound": "number" }],
        "between": ["integer"],
        "answer": "integer?",
        "binding": ["string"],
        "misses_above": ["integer"],
        "checked": { "?": ["integer"] },
        "flat_from": "integer?",
        "seeds": ["integer"],
        "probes": [{
            "value": "integer",
            "meets": "boolean",
            "problem": "string?",
            "targets": [{
                "measure": "string",
                "value": "number?",
                "interval": { "?": { "low": "number", "high": "number" } },
                "met": "boolean",
                "sure": "boolean",
                "runs": ["number?"],
            }],
        }],
    })
}
