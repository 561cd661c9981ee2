//! Values, changes and intervals as people read them.

use crate::ensemble::Unit;
use crate::experiment::Entry;
use crate::metrics::JOULES_A_MWH;
use crate::report::number::{grouped, mass, scaled};
use crate::units::{Money, Seconds};

/// Columns of a value and of its change.
pub(super) const VALUE: usize = 8;
pub(super) const CHANGE: usize = 9;

/// What stands before a change that chance alone may explain.
pub(super) const NOISE: char = '≈';

/// How far it is from the reference, marked where that may be chance.
pub(in crate::report) fn apart(entry: &Entry, unit: Unit) -> String {
    let Some(apart) = entry.difference.or(entry.change) else { return "–".to_owned() };
    let mark = if entry.is_noise() == Some(true) { NOISE.to_string() } else { String::new() };
    mark + &told(entry, unit, apart)
}

/// The interval of it; where nothing ever differs it says nothing.
fn interval(entry: &Entry, unit: Unit) -> Option<String> {
    let apart = entry.difference.or(entry.change);
    let ends = entry.interval.filter(|ends| ends.low < ends.high || apart != Some(0.0))?;
    Some(format!("{} … {}", told(entry, unit, ends.low), told(entry, unit, ends.high)))
}

/// Value and change, or difference, and its interval, in a line.
pub(super) fn one_line(entry: &Entry, unit: Unit) -> String {
    let value = amount(entry.value, unit);
    match (entry.difference.or(entry.change), interval(entry, unit)) {
        (None, _) => value,
        (_, None) => format!("{value} ({})", apart(entry, unit)),
        (_, Some(ends)) => format!("{value} ({}; {ends})", apart(entry, unit)),
    }
}

/// Value and change, or difference; below them its interval.
pub(super) fn cell(entry: &Entry, unit: Unit) -> String {
    let text = apart(entry, unit);
    // A difference may take more room than a change.
    let gap = if text.chars().count() < CHANGE { "" } else { " " };
    let mut text = format!("{:>VALUE$}{gap}{text:>CHANGE$}", amount(entry.value, unit));
    if let Some(interval) = interval(entry, unit) {
        text.push('\n');
        text.push_str(&interval);
    }
    text
}

/// An amount with its sign: `+$0.05`, `−13.4 t`.
fn signed(apart: f64, unit: Unit) -> String {
    let sign = if apart < 0.0 { '−' } else { '+' };
    format!("{sign}{}", amount(apart.abs(), unit))
}

/// How far apart from the reference, as a change or as a difference, whichever the entry has.
pub(in crate::report) fn told(entry: &Entry, unit: Unit, apart: f64) -> String {
    if entry.difference.is_some() { signed(apart, unit) } else { percent(apart) }
}

/// `3h05m`, `12.4`, `83.1%`, `1,204`; of what is not known `–`.
pub(in crate::report) fn amount(value: f64, unit: Unit) -> String {
    match unit {
        _ if value.is_nan() => "–".to_owned(),
        Unit::Seconds => Seconds(whole(value)).to_string(),
        Unit::Ratio if value < 100.0 => format!("{value:.2}"),
        Unit::Ratio => format!("{value:.0}"),
        Unit::Share => format!("{:.1}%", 100.0 * value),
        Unit::Jobs if value.fract() == 0.0 => grouped(whole(value).into()),
        Unit::Jobs => format!("{value:.1}"),
        Unit::Joules => scaled(value / JOULES_A_MWH * 1e6, "Wh"),
        Unit::Watts => scaled(value, "W"),
        Unit::Grams => mass(value),
        Unit::Dollars => Money(micros(value)).to_string(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, for display")]
fn micros(dollars: f64) -> i64 {
    (dollars * 1e6).round() as i64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, for display")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}

/// `−38%`, `+4.2%`; above tenfold `×12.5`.
pub(in crate::report) fn percent(change: f64) -> String {
    let hundredths = 100.0 * change;
    let sign = if hundredths < 0.0 { '−' } else { '+' };
    match hundredths.abs() {
        size if size < 0.05 => "0.0%".to_owned(),
        size if size < 10.0 || (99.5..99.95).contains(&size) => format!("{sign}{size:.1}%"),
        size if size < 1000.0 => format!("{sign}{size:.0}%"),
        _ => format!("×{:.1}", change + 1.0),
    }
}
