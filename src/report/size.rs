//! The least of something that meets targets, as text and JSON.

use super::answer;
use super::compare::amount;
use super::lines::fitted;
use super::number::{counted, grouped};
use super::table;
use crate::experiment::{Probe, Question, Sizing, Target, Verdict};
use serde_json::{Value, json};

/// What was sized, and what came of it.
#[derive(Debug, Clone)]
pub struct Sized<'a> {
    /// The scenario and its policy.
    pub title: String,
    /// The key of which the least was looked for.
    pub key: &'a str,
    /// What it is set to, with [`HOLE`] for the number.
    pub value: &'a str,
    /// What was asked.
    pub question: &'a Question,
    /// What was found.
    pub found: &'a Sizing,
    /// The seeds that every value met.
    pub seeds: &'a [u64],
}

/// What stands for the number in a value.
pub const HOLE: &str = "{}";

impl Sized<'_> {
    /// A value as it is set: `880 kW`.
    fn told(&self, number: u64) -> String {
        match self.value == HOLE {
            true => grouped(number),
            false => self.value.replace(HOLE, &number.to_string()),
        }
    }
    /// Whether every value that might be the answer was tried.
    fn is_exhaustive(&self) -> bool {
        self.found.tried().first() == Some(&self.question.between)
    }
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
        Some(answer) => format!("{key} = {} is the least with {targets}", sized.told(answer)),
        None if sized.is_exhaustive() => {
            format!("no {key} from {} to {} gives {targets}", sized.told(low), sized.told(high))
        }
        None => {
            let tried = counted(found.probes.len() as u64, "value");
            format!("none of the {tried} of {key} that were tried gives {targets}")
        }
    };
    let mut text = format!("{title}\n{answer}\n\n{}\n", around(sized, width));
    let lines = [binding(sized), margin(sized), certainty(sized), monotone(sized), checked(sized)];
    for line in lines.iter().filter(|line| !line.is_empty()) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    fitted(&text, width)
}

/// The values next to the answer; without one, both ends and those next to where a target turns.
fn around(sized: &Sized<'_>, width: u16) -> String {
    let Sized { key, question, found, .. } = sized;
    let words = question.targets.iter().map(|target| target.measure.word());
    let mut table = table::new(width, std::iter::once(*key).chain(words).chain(["meets"]));
    let shown: Vec<(&u64, &Probe)> = match found.answer {
        Some(answer) => found.probes.range(answer.saturating_sub(AROUND)..=answer + AROUND).collect(),
        None => turns(found),
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
        table.add_row(std::iter::once(sized.told(*value)).chain(cells).chain([meets]));
    }
    table::right(&mut table, 0..=question.targets.len());
    table::text(&mut table)
}

/// Rows of a table of values without an answer.
const TURNS: usize = 12;

/// Both ends, and the values next to each other of which one meets a target that the other misses.
fn turns(found: &Sizing) -> Vec<(&u64, &Probe)> {
    let all: Vec<(&u64, &Probe)> = found.probes.iter().collect();
    let met = |probe: &Probe| probe.verdicts.iter().map(|verdict| verdict.met).collect::<Vec<_>>();
    let turns = |place: usize| all.get(place + 1).is_some_and(|next| met(next.1) != met(all[place].1));
    let is_shown = |place: &usize| {
        *place == 0 || *place + 1 == all.len() || turns(*place) || place.checked_sub(1).is_some_and(turns)
    };
    let mut shown: Vec<usize> = (0..all.len()).filter(is_shown).collect();
    if shown.len() > TURNS {
        shown.drain(TURNS / 2..shown.len() - TURNS / 2);
    }
    shown.into_iter().map(|place| all[place]).collect()
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
                return format!("It is the least value that may be asked for: {}.", sized.told(answer));
            };
            (less, &found.probes[&less])
        }
        None => match found.probes.iter().last() {
            Some((value, probe)) => (*value, probe),
            None => return String::new(),
        },
    };
    if let Some(problem) = &probe.problem {
        return format!("With {}: {problem}.", sized.told(value));
    }
    let words: Vec<String> = binding.iter().map(|place| told(*place, probe)).collect();
    let binds: Vec<&str> = binding.iter().map(|place| sized.question.targets[*place].text.as_str()).collect();
    format!("What binds: {}. With {} {}.", binds.join(", "), sized.told(value), words.join(", "))
}

/// What one more gives beyond the answer.
fn margin(sized: &Sized<'_>) -> String {
    let found = sized.found;
    let more = found.answer.and_then(|answer| Some((answer + 1, found.probes.get(&(answer + 1))?)));
    let Some((value, probe)) = more.filter(|(_, probe)| probe.problem.is_none()) else {
        return String::new();
    };
    let told = |(target, verdict): (&Target, &Verdict)| {
        format!("{} is {}", target.measure.word(), amount(verdict.value, target.measure.unit))
    };
    let told: Vec<String> = sized.question.targets.iter().zip(&probe.verdicts).map(told).collect();
    format!("One more, {}: {}.", sized.told(value), told.join(", "))
}

/// By target: what one less and one more change of the value at the answer; none where they were not tried.
fn margins(sized: &Sized<'_>) -> Vec<Value> {
    let found = sized.found;
    let value = |at: Option<u64>, place: usize| Some(found.probes.get(&at?)?.verdicts.get(place)?.value);
    let one = |(place, target): (usize, &Target)| {
        let own = value(found.answer, place);
        let apart = |at: Option<u64>| value(at, place).zip(own).map(|(other, own)| other - own);
        json!({
            "measure": target.measure.key,
            "one_less": apart(found.answer.and_then(|answer| answer.checked_sub(1))),
            "one_more": apart(found.answer.map(|answer| answer + 1)),
        })
    };
    sized.question.targets.iter().enumerate().map(one).collect()
}

/// How sure the answer and the value below it are.
fn certainty(sized: &Sized<'_>) -> String {
    let seeds = sized.seeds.len();
    if seeds == 1 {
        return "One run each.".to_owned();
    }
    let Some(answer) = sized.found.answer else { return format!("Means over {seeds} seeds.") };
    let sure = |value: u64| {
        let probe = sized.found.probes.get(&value)?;
        Some(probe.verdicts.iter().all(|verdict| verdict.sure))
    };
    let has_interval = |probe: &Probe| probe.verdicts.iter().all(|verdict| verdict.interval.is_some());
    if !has_interval(&sized.found.probes[&answer]) {
        return format!("Means over {seeds} seeds: how sure they are takes ten (`--seeds 10`).");
    }
    let said = match (sure(answer) == Some(true), answer.checked_sub(1).and_then(sure)) {
        (true, Some(true)) => "these meet and one less misses",
        (true, Some(false)) => "one less might do; more seeds would say",
        (true, None) => "these meet; one less was not tried",
        (false, _) => "it might miss; more seeds would say",
    };
    format!("Means over {seeds} seeds; at 95 % {said}.")
}

/// Where more is not better.
fn monotone(sized: &Sized<'_>) -> String {
    let misses: Vec<String> = sized.found.misses_above().into_iter().map(|value| sized.told(value)).collect();
    if misses.is_empty() {
        return String::new();
    }
    let (verb, is) = if misses.len() == 1 { ("misses", "it is") } else { ("miss", "they are") };
    format!("More is not always better: {} {verb} although {is} more.", misses.join(", "))
}

/// Which values were tried, and no claim about others.
fn checked(sized: &Sized<'_>) -> String {
    let count = counted(sized.found.probes.len() as u64, "value");
    let list = |range: &std::ops::RangeInclusive<u64>| match range.start() == range.end() {
        true => grouped(*range.start()),
        false => format!("{}–{}", grouped(*range.start()), grouped(*range.end())),
    };
    let tried: Vec<String> = sized.found.tried().iter().map(list).collect();
    let rest = match (sized.found.answer, sized.is_exhaustive()) {
        (None, false) => " Others may meet the targets: `--check all` tries every one.",
        _ => "",
    };
    format!("{count} tried: {}.{rest}", tried.join(", "))
}

/// Everything, for machines.
#[must_use]
pub fn json(sized: &Sized<'_>) -> String {
    let Sized { title, key, value, question, found, seeds } = sized;
    let setting = found.answer.map(|answer| format!("{key}={}", value.replace(HOLE, &answer.to_string())));
    let tried: Vec<_> = found.tried().into_iter().map(std::ops::RangeInclusive::into_inner).collect();
    let target = |target: &Target| json!({ "target": target.text, "measure": target.measure.key, "bound": target.bound });
    let probe = |(value, probe): (&u64, &Probe)| {
        let verdict = |(target, verdict): (&Target, &Verdict)| {
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
        "value": Some(value).filter(|value| **value != HOLE),
        "answer": found.answer,
        "setting": setting,
        "binding": binds,
        "margins": margins(sized),
        "misses_above": found.misses_above(),
        "checked": checked,
        "tried": tried,
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
        "value": "string?",
        "answer": "integer?",
        "setting": "string?",
        "binding": ["string"],
        "margins": [{ "measure": "string", "one_less": "number?", "one_more": "number?" }],
        "misses_above": ["integer"],
        "checked": { "?": ["integer"] },
        "tried": [["integer"]],
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
