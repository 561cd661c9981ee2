//! Everything, for machines.

use crate::ensemble::{GROUP_MEASURES, MEASURES};
use crate::experiment::{Column, Comparison, Entry, Group};
use serde_json::{Map, Value, json};

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
            "measures": measures,
            "groups": groups,
        })
    };
    let all = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "reference": comparison.policies[comparison.reference].name,
        "seeds": comparison.seeds,
        "jobs": comparison.policies[comparison.reference].jobs,
        "intervals": comparison.basis,
        "about": MEASURES[comparison.about].key,
        "precision": comparison.precision,
        "policies": comparison.policies.iter().map(column).collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}

/// Columns of the CSV.
const COLUMNS: [&str; 11] = [
    "policy",
    "measure",
    "value",
    "change",
    "low",
    "high",
    "reference",
    "difference",
    "noise",
    "by",
    "group",
];

/// One line a contender and measure, then one a contender, group and measure; `low` and `high` are of the `change`, or of
/// the `difference` where there is one.
///
/// # Panics
/// Never: memory takes every record.
#[must_use]
pub fn csv(comparison: &Comparison) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("memory takes every record");
    let reference = &comparison.policies[comparison.reference].name;
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let mut write = |column: &Column, key: &str, entry: &Entry, [by, group]: [&str; 2]| {
        let record: [&str; COLUMNS.len()] = [
            &column.name,
            key,
            &optional(Some(entry.value).filter(|value| !value.is_nan())),
            &optional(entry.change),
            &optional(entry.interval.map(|interval| interval.low)),
            &optional(entry.interval.map(|interval| interval.high)),
            reference,
            &optional(entry.difference),
            entry.is_noise().map_or("", |noise| if noise { "true" } else { "false" }),
            by,
            group,
        ];
        writer.write_record(record).expect("memory takes every record");
    };
    for column in &comparison.policies {
        for (measure, entry) in MEASURES.iter().zip(&column.entries) {
            write(column, measure.key, entry, ["", ""]);
        }
    }
    for column in &comparison.policies {
        for group in &column.groups {
            for ((key, _), entry) in GROUP_MEASURES.iter().zip(&group.entries) {
                write(column, key, entry, [group.by.name(), &group.name]);
            }
        }
    }
    let bytes = writer.into_inner().expect("memory is never full of records");
    String::from_utf8(bytes).expect("written from text")
}
