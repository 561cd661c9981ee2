//! What the keys of a sweep explain of what differs, each alone and two together.

use super::Swept;
use crate::experiment::{interactions, main_effects};
use crate::report::table;
use serde_json::{Value, json};

/// Pairs of keys that are told, those first that explain most.
const PAIRS_MAX: usize = 10;

/// The share of the variance between points that each key explains on its own, by measure, and what two explain together
/// beyond that; nothing of a single key.
pub(super) fn text(swept: &Swept<'_>, means: &[Vec<f64>], width: u16) -> String {
    let shares = by_measure(swept, means, main_effects);
    if swept.keys.len() < 2 || swept.points.len() < 2 {
        return String::new();
    }
    if shares.iter().flatten().all(Option::is_none) {
        return untold(swept, means);
    }
    let mut table =
        table::new(width, std::iter::once("alone").chain(swept.keys.iter().copied()).chain(["together"]));
    for (measure, shares) in swept.measures.iter().zip(&shares) {
        if shares.iter().all(Option::is_none) {
            continue;
        }
        let rest = shares.iter().all(Option::is_some).then(|| 1.0 - shares.iter().flatten().sum::<f64>());
        let cells = shares.iter().copied().chain([rest]).map(percent);
        table.add_row(std::iter::once(measure.word().to_owned()).chain(cells));
    }
    table::right(&mut table, 1..swept.keys.len() + 2);
    let alone = table::text(&mut table);
    let about = "Shares of the variance between points that each key explains alone.";
    let is_dash =
        shares.iter().any(|shares| shares.iter().any(Option::is_none) && shares.iter().any(Option::is_some));
    let dash = if is_dash { " –: of a key whose values hardly repeat nothing is known." } else { "" };
    format!("\n{alone}{about}{dash}\n{}", pairs(swept, means, width))
}

/// Why nothing is said of what the keys explain.
fn untold(swept: &Swept<'_>, means: &[Vec<f64>]) -> String {
    let differs = |place: usize| {
        let mut known = means.iter().map(|means| means[place]).filter(|mean| mean.is_finite());
        known.next().is_some_and(|first| known.any(|other| other.total_cmp(&first).is_ne()))
    };
    if !(0..swept.measures.len()).any(differs) {
        return String::new();
    }
    let alone = "\nHow much a key explains alone is told where its values repeat: in a grid, a list, or whole numbers \
                 of a short range.\n";
    alone.to_owned()
}

/// What two keys explain together beyond what each explains alone; nothing where too few points share two values.
fn pairs(swept: &Swept<'_>, means: &[Vec<f64>], width: u16) -> String {
    let found = by_measure(swept, means, interactions);
    let share = |measure: usize, pair: usize| found[measure][pair].1;
    let most = |pair: usize| (0..found.len()).filter_map(|measure| share(measure, pair)).reduce(f64::max);
    let count = found.first().map_or(0, Vec::len);
    let mut told: Vec<(usize, f64)> = (0..count).filter_map(|pair| Some((pair, most(pair)?))).collect();
    told.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    if told.is_empty() {
        return String::new();
    }
    let words = swept.measures.iter().map(|measure| measure.word());
    let mut table = table::new(width, std::iter::once("two together").chain(words));
    for (pair, _) in told.iter().take(PAIRS_MAX) {
        let (one, other) = found[0][*pair].0;
        let name = format!("{} and {}", swept.keys[one], swept.keys[other]);
        let cells = (0..found.len()).map(|measure| percent(share(measure, *pair)));
        table.add_row(std::iter::once(name).chain(cells));
    }
    table::right(&mut table, 1..swept.measures.len() + 1);
    let more = match told.len().saturating_sub(PAIRS_MAX) {
        0 => String::new(),
        more => format!(" {more} more pairs explain less."),
    };
    format!("\n{}What two keys explain beyond each alone.{more}\n", table::text(&mut table))
}

/// By measure and key.
pub(super) fn main_json(swept: &Swept<'_>, means: &[Vec<f64>]) -> Value {
    let of_keys = |shares: Vec<Option<f64>>| {
        let named = swept.keys.iter().zip(shares).map(|(key, share)| ((*key).to_owned(), json!(share)));
        Value::Object(named.collect())
    };
    json_by_measure(swept, by_measure(swept, means, main_effects).into_iter().map(of_keys))
}

/// By measure: each pair of keys and its share.
pub(super) fn interactions_json(swept: &Swept<'_>, means: &[Vec<f64>]) -> Value {
    let of_pairs = |pairs: Vec<((usize, usize), Option<f64>)>| {
        let pair =
            |((one, other), share)| json!({ "keys": [swept.keys[one], swept.keys[other]], "share": share });
        Value::Array(pairs.into_iter().map(pair).collect())
    };
    json_by_measure(swept, by_measure(swept, means, interactions).into_iter().map(of_pairs))
}

fn json_by_measure(swept: &Swept<'_>, values: impl Iterator<Item = Value>) -> Value {
    Value::Object(swept.measures.iter().map(|measure| measure.key.to_owned()).zip(values).collect())
}

/// What is found of the means of each measure.
fn by_measure<T>(swept: &Swept<'_>, means: &[Vec<f64>], find: fn(&[Vec<String>], &[f64]) -> T) -> Vec<T> {
    let of = |place: usize| {
        let values: Vec<f64> = means.iter().map(|means| means[place]).collect();
        find(swept.points, &values)
    };
    (0..swept.measures.len()).map(of).collect()
}

fn percent(share: Option<f64>) -> String {
    // What is a little below 0 is 0.
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", (100.0 * share).round() + 0.0))
}
