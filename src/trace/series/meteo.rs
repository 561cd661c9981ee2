//! The JSON of open-meteo.com: a list of times, and one a quantity, all equally long.

use super::steps::{Stamp, Steps};
use super::{SeriesOptions, expected};
use crate::error::{Place, Problem};
use crate::trace::intake::Intake;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is read of it.
#[derive(Deserialize)]
struct Weather {
    /// How far the clock of the times is from UTC.
    #[serde(default)]
    utc_offset_seconds: i64,
    #[serde(default)]
    hourly: BTreeMap<String, Vec<Value>>,
}

/// Reads the quantity that the options name.
pub(super) fn read(text: &[u8], options: &SeriesOptions<'_>, steps: &mut Steps, intake: &mut Intake<'_>) {
    let mut complain = |problem: Problem| intake.problem(|file| problem.at(Place::file(file)));
    let weather: Weather = match serde_json::from_slice(text) {
        Ok(weather) => weather,
        Err(error) => {
            let problem = Problem::new(format!("not JSON of weather: {error}"));
            return complain(problem.hint("a table `hourly` with a list `time` and one a quantity"));
        }
    };
    let Weather { utc_offset_seconds: offset, hourly } = weather;
    if hourly.is_empty() {
        return complain(Problem::new("no table `hourly` of lists"));
    }
    let time = options.time_column.unwrap_or("time");
    let others: Vec<&str> = hourly.keys().map(String::as_str).filter(|name| *name != time).collect();
    let column = match (options.column, &others[..]) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => {
            let problem = Problem::new(format!("{} lists beside the times", others.len()));
            return complain(problem.hint(format!("`column` says which: {}", others.join(", "))));
        }
    };
    let missing = [time, column].into_iter().find(|name| !hourly.contains_key(*name));
    if let Some(name) = missing {
        let known = hourly.keys().map(String::as_str);
        return complain(Problem::new(format!("no list `hourly.{name}`")).hint_nearest(name, known));
    }
    let (times, values) = (&hourly[time], &hourly[column]);
    if times.len() != values.len() {
        let (times, values) = (times.len(), values.len());
        let message = format!("`hourly.{column}` has {values} values, `hourly.{time}` {times}");
        return complain(Problem::new(message));
    }
    for (index, (instant, value)) in times.iter().zip(values).enumerate() {
        let wrong = |what: &str, expected: &str| {
            Problem::new(format!("`hourly.{what}[{index}]`: expected {expected}"))
        };
        match stamp(instant, offset) {
            Some(stamp) => steps.follow(stamp, &|file| Place::file(file), intake),
            None => intake.problem(|file| wrong(time, "a date, or Unix seconds").at(Place::file(file))),
        }
        match value.is_number().then(|| options.number(&value.to_string())).flatten() {
            Some(number) => steps.values.push(number),
            None => intake.problem(|file| wrong(column, &expected(options)).at(Place::file(file))),
        }
    }
}

/// A date on the clock of the file, or Unix seconds.
fn stamp(value: &Value, offset: i64) -> Option<Stamp> {
    match value {
        Value::String(text) => {
            let stamp = Stamp::read(text.as_bytes()).filter(|stamp| stamp.dated)?;
            Some(Stamp { seconds: stamp.seconds.saturating_sub(offset), ..stamp })
        }
        Value::Number(number) => Some(Stamp { seconds: number.as_i64()?, dated: true }),
        _ => None,
    }
}
