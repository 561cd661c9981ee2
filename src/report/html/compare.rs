//! A comparison of policies as a page.

use super::page;
use super::plot::{Kind, Plot, Series, Variant, rounded};
use super::tables::table;
use super::text::escaped;
use crate::ensemble::{MEASURES, Measure, Shown, Unit};
use crate::experiment::{Column, Comparison, Entry};
use crate::report::compare::{amount, apart, footer, told};
use std::io::{self, Write};

/// Writes the page of a comparison: every measure of every policy, with its intervals.
///
/// # Errors
/// Whatever `out` says.
pub fn write(comparison: &Comparison, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<usize> = (0..MEASURES.len()).filter(|index| is_shown(comparison, *index)).collect();
    let plots: Vec<Plot> =
        [changes(comparison, &shown), runs(comparison, &shown)].into_iter().filter(Plot::has_data).collect();
    let lead = format!("<p class=\"lead\">{}</p>", escaped(&footer(comparison)).replace('\n', "<br>"));
    let figures: String = plots.iter().map(page::figure).collect();
    let sections =
        [("summary", "Summary", lead + &measures(comparison, &shown)), ("plots", "Plots", figures)];
    page::write(title, SOURCE, &sections, &plots.iter().collect::<Vec<_>>(), 0, out)
}

/// Where the numbers of the page are.
const SOURCE: &str = "Every number is one of what <code>gigawatt compare --json</code> prints.";

/// Whether a measure says anything of any policy.
fn is_shown(comparison: &Comparison, index: usize) -> bool {
    let entries = || comparison.policies.iter().map(|column| column.entries[index].value);
    let known = || entries().any(f64::is_finite);
    match MEASURES[index].shown {
        Shown::Always => known(),
        Shown::IfTold => known() && entries().any(|value| value.abs() > 0.0),
        Shown::Never => false,
    }
}

fn measures(comparison: &Comparison, shown: &[usize]) -> String {
    let reference = &comparison.policies[comparison.reference];
    let others = || comparison.policies.iter().filter(|column| !std::ptr::eq(*column, reference));
    let mut header = vec!["Measure", reference.name.as_str()];
    header.extend(others().map(|column| column.name.as_str()));
    let cell = |column: &Column, index: usize| {
        let entry = &column.entries[index];
        let value = amount(entry.value, MEASURES[index].unit);
        let apart = match entry.difference.or(entry.change) {
            Some(_) => format!(" <small>{}</small>", apart(entry, MEASURES[index].unit)),
            None => String::new(),
        };
        format!("{value}{apart}{}", interval(entry, MEASURES[index].unit))
    };
    let row = |index: &usize| {
        let mut cells = vec![
            escaped(MEASURES[*index].name),
            amount(reference.entries[*index].value, MEASURES[*index].unit),
        ];
        cells.extend(others().map(|column| cell(column, *index)));
        cells
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    table(&format!("Every measure; changes are against {}", reference.name), 1, &header, &rows)
}

fn interval(entry: &Entry, unit: Unit) -> String {
    entry.interval.filter(|ends| ends.low < ends.high).map_or_else(String::new, |ends| {
        let [low, high] = [ends.low, ends.high].map(|end| told(entry, unit, end));
        format!("<br><small>{low} … {high}</small>")
    })
}

/// How much more or less than the reference, in percent, measure by measure.
fn changes(comparison: &Comparison, shown: &[usize]) -> Plot {
    let percent =
        |change: f64| Some(change).filter(|change| change.is_finite()).map(|change| rounded(100.0 * change));
    let ends = |column: &Column| -> Vec<Option<[f64; 2]>> {
        let entries = shown.iter().map(|measure| &column.entries[*measure]);
        // The interval is of the difference where there is no change.
        let told = entries.map(|entry| entry.interval.filter(|_| entry.change.is_some()));
        let ends: Vec<_> =
            told.map(|told| told.map(|ends| [ends.low, ends.high].map(|end| rounded(100.0 * end)))).collect();
        if ends.iter().any(Option::is_some) { ends } else { Vec::new() }
    };
    let series = |(index, column): (usize, &Column)| Series {
        name: column.name.clone(),
        color: index.to_string(),
        y: shown.iter().map(|measure| column.entries[*measure].change.and_then(percent)).collect(),
        ends: ends(column),
        text: shown
            .iter()
            .map(|measure| {
                let entry = &column.entries[*measure];
                entry.change.map_or_else(String::new, |change| told(entry, MEASURES[*measure].unit, change))
            })
            .collect(),
        ..Series::default()
    };
    let others = comparison.policies.iter().enumerate().filter(|(index, _)| *index != comparison.reference);
    Plot {
        id: "changes".to_owned(),
        title: format!("Change against {} (%)", comparison.policies[comparison.reference].name),
        about: "Mean over the seeds ÷ that of the reference − 1. A line shows where it lies with 95 %, where that is \
                known."
            .to_owned(),
        kind: Kind::Bars,
        variants: vec![Variant {
            x: "Change (%)".to_owned(),
            y: "Measure".to_owned(),
            labels: shown.iter().map(|index| MEASURES[*index].name.to_owned()).collect(),
            series: others.map(series).collect(),
            ..Variant::default()
        }],
    }
}

/// The value of each run, seed by seed: a choice a measure.
fn runs(comparison: &Comparison, shown: &[usize]) -> Plot {
    let (unit_of, scale) = (|unit: Unit| unit_name(unit).0, |unit: Unit| unit_name(unit).1);
    let variant = |index: &usize| {
        let measure: &Measure = &MEASURES[*index];
        let series = |(number, column): (usize, &Column)| {
            let values = &column.entries[*index].runs;
            let seeds = 0..values.len();
            Series {
                name: column.name.clone(),
                color: number.to_string(),
                y: values
                    .iter()
                    .map(|value| Some(rounded(value / scale(measure.unit))).filter(|_| value.is_finite()))
                    .collect(),
                text: seeds.map(|seed| amount(values[seed], measure.unit)).collect(),
                ..Series::default()
            }
        };
        Variant {
            name: measure.name.to_owned(),
            x: format!("{} ({})", measure.name, unit_of(measure.unit)),
            y: "Seed".to_owned(),
            labels: comparison.seeds.iter().map(|seed| format!("seed {seed}")).collect(),
            series: comparison.policies.iter().enumerate().map(series).collect(),
            ..Variant::default()
        }
    };
    Plot {
        id: "runs".to_owned(),
        title: "Each measure, seed by seed (unit of the measure)".to_owned(),
        about: "Every policy met the same seeds.".to_owned(),
        kind: Kind::Bars,
        variants: shown.iter().map(variant).collect(),
    }
}

/// What a unit is called on an axis, and how many of the measure's own make one.
const fn unit_name(unit: Unit) -> (&'static str, f64) {
    match unit {
        Unit::Seconds => ("hours", 3600.0),
        Unit::Ratio => ("ratio", 1.0),
        Unit::Share => ("%", 0.01),
        Unit::Jobs => ("count", 1.0),
        Unit::Joules => ("MWh", 3.6e9),
        Unit::Watts => ("kW", 1e3),
        Unit::Dollars => ("$", 1.0),
        Unit::Grams => ("kg", 1e3),
    }
}
