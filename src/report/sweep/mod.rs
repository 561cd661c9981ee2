//! A sweep as files, text and JSON.

mod effects;
mod parquet;
mod plot;
mod rows;
mod store;

pub use rows::{header, is_stuck, line, problem, values};
pub use store::Store;

use super::answer;
use super::compare::amount;
use super::lines::fitted;
use super::number::{counted, grouped};
use super::table;
use crate::ensemble::Measure;
use crate::experiment::pareto;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What came of a sweep, by point.
#[derive(Debug)]
pub struct Swept<'a> {
    /// The scenario and its policy.
    pub title: String,
    /// The keys that vary.
    pub keys: Vec<&'a str>,
    /// A value a key, by point.
    pub points: &'a [Vec<String>],
    /// The measures told.
    pub measures: Vec<&'static Measure>,
    /// By point and seed: the measures, in their order; NaN where nothing is known.
    pub runs: Vec<Vec<Vec<f64>>>,
    /// By point: why it could not be run, if it could not.
    pub problems: Vec<Option<String>>,
    /// By point: in how many runs jobs are left that nothing left to happen could start.
    pub stuck_runs: Vec<usize>,
    /// Whether only points are told that no other one beats.
    pub is_front: bool,
}

/// Rows of a table that does not say which ones.
const ROWS: usize = 24;

impl Swept<'_> {
    /// Means over the seeds, by point.
    fn means(&self) -> Vec<Vec<f64>> {
        let mean = |runs: &Vec<Vec<f64>>| {
            let count: f64 = runs.iter().map(|_| 1.0).sum();
            (0..self.measures.len())
                .map(|place| runs.iter().map(|run| run[place]).sum::<f64>() / count)
                .collect()
        };
        self.runs.iter().map(mean).collect()
    }
    fn seeds(&self) -> usize {
        self.runs.first().map_or(0, Vec::len)
    }
    /// In how many seeds a point is on the front of that seed alone.
    fn on_front(&self) -> Vec<usize> {
        let mut counts = vec![0; self.points.len()];
        for seed in 0..self.seeds() {
            let values: Vec<Vec<f64>> = self.runs.iter().map(|runs| runs[seed].clone()).collect();
            for (count, on_front) in counts.iter_mut().zip(pareto(&values, &self.measures)) {
                *count += usize::from(on_front);
            }
        }
        counts
    }
}

/// A line a point, or a line a point of the front, by its first measure.
#[must_use]
pub fn text(swept: &Swept<'_>, width: u16) -> String {
    let (means, seeds) = (swept.means(), swept.seeds());
    let front = pareto(&means, &swept.measures);
    let counts = if swept.is_front { swept.on_front() } else { Vec::new() };
    let mut shown: Vec<usize> =
        (0..swept.points.len()).filter(|point| !swept.is_front || front[*point]).collect();
    if swept.is_front {
        shown.sort_by(|one, other| means[*one][0].total_cmp(&means[*other][0]));
    }
    let words = swept.measures.iter().map(|measure| measure.word());
    let sure = (swept.is_front && seeds > 1).then_some("on front");
    let mut table = table::new(width, swept.keys.iter().copied().chain(words).chain(sure));
    for point in shown.iter().take(ROWS) {
        let told = |(value, measure): (&f64, &&Measure)| {
            if value.is_nan() { "–".to_owned() } else { amount(*value, measure.unit) }
        };
        let cells = means[*point].iter().zip(&swept.measures).map(told);
        let sure = sure.map(|_| format!("{} of {seeds}", counts[*point]));
        table.add_row(swept.points[*point].iter().cloned().chain(cells).chain(sure));
    }
    table::right(&mut table, 0..swept.keys.len() + swept.measures.len() + 1);
    let (left_out, what) = (shown.len().saturating_sub(ROWS), if swept.is_front { "front" } else { "sweep" });
    let mut text = format!("{}\n\n{}\n", swept.title, table::text(&mut table));
    if left_out > 0 {
        text.push_str(&format!("… and {} of the {what}.\n", counted(left_out as u64, "point more")));
    }
    if swept.is_front {
        text.push_str(&plot::plot(swept, &means, &front, width));
    }
    text.push_str(&footer(swept, &means, shown.len()));
    text.push_str(&effects::text(swept, &means, width));
    fitted(&text, width)
}

fn footer(swept: &Swept<'_>, means: &[Vec<f64>], shown: usize) -> String {
    let seeds = swept.seeds();
    let of = if seeds == 1 { "one run each".to_owned() } else { format!("means over {seeds} seeds") };
    let mut text = format!("{}, {of}.\n", counted(swept.points.len() as u64, "point"));
    if swept.is_front {
        let words: Vec<&str> = swept.measures.iter().map(|measure| measure.word()).collect();
        text = format!("{} of {text}", grouped(shown as u64));
        text.push_str(&match &words[..] {
            [only] => format!("No other point is better in {only}.\n"),
            words => format!("No other point is better in one of {} and worse in none.\n", words.join(", ")),
        });
        if seeds > 1 {
            text.push_str("On front: in how many seeds it is on the front of that seed alone.\n");
        }
    }
    let ran = means.iter().zip(&swept.problems).filter(|(_, problem)| problem.is_none());
    let ran: Vec<&Vec<f64>> = ran.map(|(means, _)| means).collect();
    for (place, measure) in swept.measures.iter().enumerate() {
        let unknown = ran.iter().filter(|means| means[place].is_nan()).count();
        if unknown > 0 {
            let points = counted(unknown as u64, "point");
            text.push_str(&format!("Of {points} {} is not known.\n", measure.word()));
        }
    }
    text + &problems(swept) + &stuck(swept)
}

/// In how many runs jobs wait for ever.
fn stuck(swept: &Swept<'_>) -> String {
    let (runs, all) =
        (swept.stuck_runs.iter().sum::<usize>(), swept.runs.iter().map(Vec::len).sum::<usize>());
    if runs == 0 {
        return String::new();
    }
    let of = counted(all as u64, "run");
    format!("In {} of {of} jobs are left that nothing left to happen could start.\n", grouped(runs as u64))
}

/// Problems that are told one by one.
const PROBLEMS: usize = 3;

/// Why points could not be run, those of most first.
fn problems(swept: &Swept<'_>) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    swept.problems.iter().flatten().for_each(|problem| *counts.entry(problem).or_default() += 1);
    let mut told: Vec<(&str, u64)> = counts.into_iter().collect();
    told.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let line = |(problem, count): &(&str, u64)| {
        format!("{} could not be run: {problem}\n", counted(*count, "point"))
    };
    let mut text: String = told.iter().take(PROBLEMS).map(line).collect();
    if told.len() > PROBLEMS {
        text.push_str("and others: `problem` in the file says why each could not.\n");
    }
    text
}

/// Every point, for machines.
#[must_use]
pub fn json(swept: &Swept<'_>) -> String {
    let means = swept.means();
    let (front, counts) = match swept.is_front {
        true => (pareto(&means, &swept.measures), swept.on_front()),
        false => (Vec::new(), Vec::new()),
    };
    let point = |(place, point): (usize, &Vec<String>)| {
        let inputs = swept.keys.iter().zip(point).map(|(key, value)| ((*key).to_owned(), json!(value)));
        let measures = swept
            .measures
            .iter()
            .zip(&means[place])
            .map(|(measure, mean)| (measure.key.to_owned(), json!(mean)));
        let mut told = json!({
            "inputs": inputs.collect::<serde_json::Map<String, Value>>(),
            "means": measures.collect::<serde_json::Map<String, Value>>(),
            "problem": swept.problems[place],
            "stuck_runs": swept.stuck_runs[place],
        });
        if swept.is_front {
            told["on_front"] = json!(front[place]);
            told["seeds_on_front"] = json!(counts[place]);
        }
        told
    };
    let points: Vec<Value> = swept.points.iter().enumerate().map(point).collect();
    let all = json!({
        "scenario": swept.title,
        "seeds": swept.seeds(),
        "points": points,
        "main_effects": effects::main_json(swept, &means),
        "interactions": effects::interactions_json(swept, &means),
    });
    answer::text("sweep", all)
}

/// What an answer looks like.
pub(super) fn shape() -> Value {
    json!({
        "scenario": "string",
        "seeds": "integer",
        "points": [{
            "inputs": { "*": "string" },
            "means": { "*": "number?" },
            "problem": "string?",
            "stuck_runs": "integer",
            "on_front?": "boolean",
            "seeds_on_front?": "integer",
        }],
        "main_effects": { "*": { "*": "number?" } },
        "interactions": { "*": [{ "keys": ["string"], "share": "number?" }] },
    })
}
