//! A comparison of scenarios and policies as text, Markdown, JSON, CSV and Parquet.

mod cells;
mod footer;
mod machines;
#[cfg(test)]
mod tests;

pub(in crate::report) use cells::{amount, apart, percent, told};
pub(in crate::report) use footer::footer;
pub(in crate::report) use machines::shape;
pub use machines::{json, table as write_table};

use super::lines::{columns, fitted};
use super::table;
use crate::ensemble::{By, GROUP_MEASURES, MEASURES, Measure, Shown, Unit};
use crate::experiment::{Column, Comparison, Entry};
use crate::policy::text::segments;
use cells::{CHANGE, VALUE, cell, one_line};

/// A line of a comparison: something of which every contender has a value.
pub(in crate::report) struct Row<'a> {
    /// What it is.
    pub(in crate::report) label: String,
    /// What it is counted in.
    pub(in crate::report) unit: Unit,
    /// One a contender.
    pub(in crate::report) entries: Vec<&'a Entry>,
}

/// Everything that people are shown: the measures, the longest wait by size, and the groups that were asked for.
pub(in crate::report) fn rows(comparison: &Comparison) -> Vec<Row<'_>> {
    let columns = || comparison.policies.iter();
    let of_measure = |index: usize| columns().map(|column| &column.entries[index]).collect::<Vec<_>>();
    let measures =
        MEASURES.iter().enumerate().filter(|(index, measure)| is_shown(measure, &of_measure(*index)));
    let mut rows: Vec<Row<'_>> = measures
        .map(|(index, measure)| Row {
            label: measure.name.to_owned(),
            unit: measure.unit,
            entries: of_measure(index),
        })
        .collect();
    let first = &comparison.policies[0].groups;
    for (place, group) in first.iter().enumerate() {
        for (index, (_, word)) in GROUP_MEASURES.iter().enumerate() {
            let is_asked = comparison.by == Some(group.by);
            let starves = group.by == By::Gpus && index == LONGEST && !is_asked;
            let label = match is_asked {
                true => format!("{}, {word}", group.name),
                false => format!("longest, {}", group.name),
            };
            if starves || is_asked {
                let entries = columns().map(|column| &column.groups[place].entries[index]).collect();
                rows.push(Row { label, unit: Unit::Seconds, entries });
            }
        }
    }
    rows
}

/// Of [`GROUP_MEASURES`]: the longest wait.
const LONGEST: usize = 4;

/// Whether a measure says anything of any contender.
fn is_shown(measure: &Measure, entries: &[&Entry]) -> bool {
    match measure.shown {
        Shown::Always => true,
        Shown::IfTold => entries.iter().any(|entry| entry.value.abs() > 0.0),
        Shown::Never => false,
    }
}

/// The comparison as tables of at most `width` columns, every contender beside the reference.
///
/// Contenders that do not fit beside each other come in further tables, each with the reference again.
#[must_use]
pub fn text(comparison: &Comparison, width: u16) -> String {
    let reference = &comparison.policies[comparison.reference];
    let others: Vec<usize> =
        (0..comparison.policies.len()).filter(|index| *index != comparison.reference).collect();
    let rows = rows(comparison);
    let label = rows.iter().map(|row| columns(&row.label)).max().unwrap_or(0);
    let taken_up = label + GAP + heading_width(reference).max(VALUE);
    let room = usize::from(width).saturating_sub(taken_up);
    let mut text = String::new();
    let mut rest = &others[..];
    loop {
        let (mut taken, mut used) = (0, 0);
        while let Some(place) = rest.get(taken) {
            used += GAP + heading_width(&comparison.policies[*place]).max(cell_width(&rows, *place));
            if used > room && taken > 0 {
                break;
            }
            taken += 1;
        }
        text.push_str(&block(comparison, &rows, &rest[..taken], width));
        text.push('\n');
        rest = &rest[taken..];
        if rest.is_empty() {
            break;
        }
    }
    text.push_str(&footer(comparison));
    fitted(&text, width)
}

/// The comparison as one table in Markdown, and what there is to say about it as a list.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let escaped = |text: &str| text.replace('|', "\\|");
    let reference = comparison.reference;
    let others = || (0..comparison.policies.len()).filter(|place| *place != reference);
    let columns = std::iter::once(reference).chain(others());
    let names: Vec<String> = columns.map(|place| escaped(&comparison.policies[place].name)).collect();
    let mut text = format!("| | {} |\n|---|{}\n", names.join(" | "), "---:|".repeat(names.len()));
    for row in rows(comparison) {
        let values = others().map(|place| one_line(row.entries[place], row.unit));
        let values: Vec<String> =
            std::iter::once(amount(row.entries[reference].value, row.unit)).chain(values).collect();
        text.push_str(&format!("| {} | {} |\n", escaped(&row.label), values.join(" | ")));
    }
    let said = footer(comparison);
    text.push('\n');
    for line in said.lines() {
        text.push_str(&format!("{}  \n", escaped(line)));
    }
    text
}

/// Columns between columns.
const GAP: usize = 2;

/// The lines of a heading: parts of a policy, and what else tells a contender from others.
fn heading_lines(column: &Column) -> Vec<&str> {
    column.name.split(", ").flat_map(segments).collect()
}

/// One part a line, the last part of every heading on the last of `lines`.
fn heading(column: &Column, lines: usize) -> String {
    let own = heading_lines(column);
    "\n".repeat(lines.saturating_sub(own.len())) + &own.join("\n")
}

fn heading_width(column: &Column) -> usize {
    heading_lines(column).into_iter().map(columns).max().unwrap_or(0)
}

/// Columns of the widest cell, at least of a value and its change.
fn cell_width(rows: &[Row<'_>], place: usize) -> usize {
    let cells = rows.iter().map(|row| cell(row.entries[place], row.unit));
    let widths = cells.map(|cell| cell.lines().map(columns).max().unwrap_or(0));
    widths.max().unwrap_or(0).max(VALUE + CHANGE)
}

fn block(comparison: &Comparison, rows: &[Row<'_>], others: &[usize], width: u16) -> String {
    let column = |place: usize| &comparison.policies[place];
    let reference = comparison.reference;
    let all = || others.iter().chain([&reference]);
    let lines = all().map(|place| heading_lines(column(*place)).len()).max().unwrap_or(1);
    let filled = |headings: &[String]| {
        let mut table = table::new(width, std::iter::once("").chain(headings.iter().map(String::as_str)));
        for row in rows {
            let mut cells = vec![row.label.clone(), amount(row.entries[reference].value, row.unit)];
            cells.extend(others.iter().map(|place| cell(row.entries[*place], row.unit)));
            table.add_row(cells);
        }
        table::right(&mut table, 1..others.len() + 2);
        table::rigid(&mut table, [0]);
        table::at_least(&mut table, 1, VALUE);
        for (index, place) in others.iter().enumerate() {
            table::at_least(&mut table, index + 2, cell_width(rows, *place));
        }
        table
    };
    let in_order = || std::iter::once(&reference).chain(others);
    let mut table = filled(&in_order().map(|place| heading(column(*place), lines)).collect::<Vec<_>>());
    if !table::is_wide_enough(&table) {
        // Below each other, each has a line for its whole name.
        table = filled(&in_order().map(|place| column(*place).name.clone()).collect::<Vec<_>>());
    }
    table::text(&mut table)
}
