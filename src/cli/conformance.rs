//! What is compared with other systems' own tests, row by row; `tests/conformance.rs` compares it.

use super::list::unknown;
use crate::error::Result;
use crate::report::table;
use toml::Table;

/// Every file of rows, by name.
const FILES: &[(&str, &str)] = &[
    ("gittins", include_str!("../../workloads/conformance/gittins.toml")),
    ("kai-fair-share", include_str!("../../workloads/conformance/kai-fair-share.toml")),
    ("kueue-classical", include_str!("../../workloads/conformance/kueue-classical.toml")),
    ("kueue-fair", include_str!("../../workloads/conformance/kueue-fair.toml")),
    ("kueue-quota", include_str!("../../workloads/conformance/kueue-quota.toml")),
    ("kueue-share", include_str!("../../workloads/conformance/kueue-share.toml")),
    ("kueue-tas", include_str!("../../workloads/conformance/kueue-tas.toml")),
    ("slurm-fair-tree", include_str!("../../workloads/conformance/slurm-fair-tree.toml")),
    ("slurm-fragmentation", include_str!("../../workloads/conformance/slurm-fragmentation.toml")),
    ("slurm-multifactor", include_str!("../../workloads/conformance/slurm-multifactor.toml")),
    ("volcano-proportion", include_str!("../../workloads/conformance/volcano-proportion.toml")),
];

/// The files, or the rows of one.
pub(super) fn listed(name: Option<&str>, width: u16) -> Result<String> {
    let Some(name) = name else { return Ok(all(width)) };
    let Some((_, text)) = FILES.iter().find(|(own, _)| *own == name) else {
        return Err(unknown("table", name, FILES.iter().map(|(own, _)| *own)).into());
    };
    let mut rows = table::new(width, ["row"]);
    for row in &rows_of(&read(text)) {
        rows.add_row([told(row, "name")]);
    }
    Ok(table::text(&mut rows))
}

fn all(width: u16) -> String {
    let mut files =
        table::new(width, ["table", "rows", "system and version", "what is compared, and where it is from"]);
    for (name, text) in FILES {
        let file = read(text);
        files.add_row([
            (*name).to_owned(),
            rows_of(&file).len().to_string(),
            format!("{} {}", told(&file, "system"), told(&file, "version")),
            format!("{} [{}]", told(&file, "about"), told(&file, "source")),
        ]);
    }
    table::right(&mut files, [1]);
    table::rigid(&mut files, 0..2);
    table::text(&mut files)
}

fn read(text: &str) -> Table {
    text.parse().expect("the embedded tables are TOML: every one of them is listed by a test")
}

fn rows_of(file: &Table) -> Vec<Table> {
    let rows = file.get("row").and_then(toml::Value::as_array);
    rows.into_iter().flatten().filter_map(toml::Value::as_table).cloned().collect()
}

fn told(table: &Table, key: &str) -> String {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}
