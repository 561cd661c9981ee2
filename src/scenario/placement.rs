use crate::cost::{ParseWeightsError, TERMS, Weights};
use crate::document::{Placed, Table};
use crate::error::Problem;
use crate::policy::placement::{PLACEMENTS, expression};

/// The placement of `[policy]`: a name, weights in a text, `{ leftover = 3, energy = 1 }`, or an expression that comes to
/// weights; as a name.
pub(super) fn read(policy: &mut Table<'_>) -> Option<Placed<String>> {
    let item = policy.item("placement")?;
    let mark = item.mark();
    if item.is_table() {
        let table = item.table()?;
        let parts: Vec<String> = table
            .clone()
            .entries()
            .into_iter()
            .filter_map(|(term, item)| Some(format!("{}={}", term.value, item.read::<u32>()?.value)))
            .collect();
        // Without a single term, all places cost the same.
        let text = if parts.is_empty() { Weights::ZERO.to_string() } else { parts.join(",") };
        return match named(&text) {
            Ok(value) => Some(Placed { value, mark }),
            Err(problem) => {
                table.complain(*problem);
                None
            }
        };
    }
    let text = item.read::<String>()?;
    match named(&text.value) {
        Ok(value) => Some(Placed { value, mark }),
        Err(problem) => {
            policy.document().complain(mark, *problem);
            None
        }
    }
}

/// The name that a placement goes by in settings: one of [`PLACEMENTS`], or weights in the order of the terms.
pub(super) fn named(text: &str) -> Result<String, Box<Problem>> {
    if PLACEMENTS.iter().any(|entry| entry.name == text) {
        return Ok(text.to_owned());
    }
    let names = PLACEMENTS.iter().map(|entry| entry.name);
    if !text.contains('=') && expression::is_meant(text) {
        return expression::weights(text).map(|weights| weights.to_string());
    }
    if !text.contains('=') {
        return Err(Box::new(Problem::new(format!("unknown placement `{text}`")).hint_nearest(text, names)));
    }
    text.parse::<Weights>().map(|weights| weights.to_string()).map_err(|error| {
        let problem = Problem::new(format!("placement: {error}"));
        Box::new(match &error {
            ParseWeightsError::Term(name) => problem.hint_nearest(name, TERMS.iter().map(|term| term.name)),
            _ => problem,
        })
    })
}

/// Whether a placement goes by what is on a node now, and knows of no time to come.
pub(super) fn knows_now_alone(name: &str) -> bool {
    PLACEMENTS.iter().any(|entry| entry.name == name && entry.knows_now_alone())
}

/// The names of weights.
pub(super) fn terms() -> impl Iterator<Item = &'static str> {
    TERMS.iter().map(|term| term.name)
}

/// What a piece of `--policy` names by `key=value`; none if it is a name or weights.
pub(super) fn key_of(piece: &str) -> Option<(&str, &str)> {
    let (key, value) = piece.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    (!terms().any(|term| term == key)).then_some((key, value))
}
