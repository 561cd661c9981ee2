//! Everything, for machines.

use crate::ensemble::{GROUP_MEASURES, MEASURES};
use crate::experiment::{Column, Comparison, Entry, Group};
use crate::report::answer;
use crate::table::{self, Cells, Encoding, Kind, Writer};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Everything, for machines.
#[must_use]
pub fn json(comparison: &Comparison) -> String {
    let entry = |entry: &Entry| {
        let mut value = json!(entry);
        value["noise"] = json!(entry.is_noise());
        value
    };
    let group = |group: &Group| {
        let measures: Map<String, Value> = GROUP_MEASURES
            .iter()
            .zip(&group.entries)
            .map(|((key, _), own)| ((*key).to_owned(), entry(own)))
            .collect();
        json!({ "by": group.by.name(), "name": group.name, "jobs": group.jobs, "measures": measures })
    };
    let column = |column: &Column| {
        let measures: Map<String, Value> = MEASURES
            .iter()
            .zip(&column.entries)
            .map(|(measure, own)| (measure.key.to_owned(), entry(own)))
            .collect();
        let groups: Vec<Value> = column.groups.iter().map(group).collect();
        json!({
            "policy": column.name,
            "parts": column.parts,
            "jobs": column.jobs,
            "stuck_runs": column.stuck_runs,
            "measures": measures,
            "groups": groups,
        })
    };
    let all = json!({
        "reference": comparison.policies[comparison.reference].name,
        "seeds": comparison.seeds,
        "jobs": comparison.policies[comparison.reference].jobs,
        "intervals": comparison.basis,
        "about": MEASURES[comparison.about].key,
        "precision": comparison.precision,
        "policies": comparison.policies.iter().map(column).collect::<Vec<_>>(),
    });
    answer::text("compare", all)
}

/// What an answer looks like.
pub(in crate::report) fn shape() -> Value {
    let interval = json!({ "?": { "low": "number", "high": "number" } });
    let entry = json!({
        "value": "number?",
        "change": "number?",
        "difference": "number?",
        "interval": interval,
        "runs": ["number?"],
        "noise": "boolean?",
    });
    let measures = answer::each(MEASURES.iter().map(|measure| measure.key), &entry);
    let of_group = answer::each(GROUP_MEASURES.iter().map(|(key, _)| *key), &entry);
    json!({
        "reference": "string",
        "seeds": ["integer"],
        "jobs": ["integer"],
        "intervals": { "method": "string", "seeds?": "integer", "days?": "integer", "block?": "integer" },
        "about": "string",
        "precision": { "?": { "asked": "number", "reached": "number?", "met": "boolean" } },
        "policies": [{
            "policy": "string",
            "parts": "string",
            "jobs": ["integer"],
            "stuck_runs": "integer",
            "measures": measures,
            "groups": [{ "by": "string", "name": "string", "jobs": "number", "measures": of_group }],
        }],
    })
}

/// A number of a contender: of all jobs, or of those of a group.
#[derive(Debug)]
struct Line<'a> {
    column: &'a Column,
    reference: &'a str,
    key: &'static str,
    entry: &'a Entry,
    group: Option<&'a Group>,
}

type Head = table::Head<'static>;

const fn head(name: &'static str, kind: Kind, about: &'static str) -> Head {
    Head { name, unit: "", kind, about, since: "0.1.0" }
}

/// Writes what is known of a number.
fn known(value: Option<f64>, cells: &mut Cells) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        cells.real(value);
    }
}

/// The columns, of CSV and of Parquet.
fn columns<'a>() -> [table::Column<Line<'a>>; 11] {
    [
        table::Column {
            head: head("policy", Kind::Text, "the contender"),
            write: |line, cells| cells.text(&line.column.name),
        },
        table::Column {
            head: head("measure", Kind::Text, "a key of `gigawatt list measures`"),
            write: |line, cells| cells.text(line.key),
        },
        table::Column {
            head: head("value", Kind::Real, "mean over the seeds, in the unit of the measure"),
            write: |line, cells| known(Some(line.entry.value), cells),
        },
        table::Column {
            head: head("change", Kind::Real, "value / reference's value - 1"),
            write: |line, cells| known(line.entry.change, cells),
        },
        table::Column {
            head: head(
                "low",
                Kind::Real,
                "lower end of the 95 % interval of the change, or of the difference",
            ),
            write: |line, cells| known(line.entry.interval.map(|ends| ends.low), cells),
        },
        table::Column {
            head: head("high", Kind::Real, "its upper end"),
            write: |line, cells| known(line.entry.interval.map(|ends| ends.high), cells),
        },
        table::Column {
            head: head("reference", Kind::Text, "the contender that it is compared with"),
            write: |line, cells| cells.text(line.reference),
        },
        table::Column {
            head: head("difference", Kind::Real, "value - reference's value, where there is no change"),
            write: |line, cells| known(line.entry.difference, cells),
        },
        table::Column {
            head: head("noise", Kind::Text, "true: chance alone may explain it"),
            write: |line, cells| {
                if let Some(noise) = line.entry.is_noise() {
                    cells.text(if noise { "true" } else { "false" });
                }
            },
        },
        table::Column {
            head: head("by", Kind::Text, "what the jobs of the group have in common"),
            write: |line, cells| {
                if let Some(group) = line.group {
                    cells.text(group.by.name());
                }
            },
        },
        table::Column {
            head: head("group", Kind::Text, "the group; of all jobs nothing"),
            write: |line, cells| {
                if let Some(group) = line.group {
                    cells.text(&group.name);
                }
            },
        },
    ]
}

fn lines(comparison: &Comparison) -> Vec<Line<'_>> {
    let reference = comparison.policies[comparison.reference].name.as_str();
    let mut lines = Vec::new();
    for column in &comparison.policies {
        for (measure, entry) in MEASURES.iter().zip(&column.entries) {
            lines.push(Line { column, reference, key: measure.key, entry, group: None });
        }
    }
    for column in &comparison.policies {
        for group in &column.groups {
            for ((key, _), entry) in GROUP_MEASURES.iter().zip(&group.entries) {
                lines.push(Line { column, reference, key, entry, group: Some(group) });
            }
        }
    }
    lines
}

/// Writes one line a contender and measure, then one a contender, group and measure; `low` and `high` are of the `change`, or
/// of the `difference` where there is one.
///
/// # Errors
/// Whatever `out` says.
pub fn table(comparison: &Comparison, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let columns = columns();
    let mut writer = Writer::new(encoding, &columns, out)?;
    writer.rows(&lines(comparison))?;
    writer.finish()
}
