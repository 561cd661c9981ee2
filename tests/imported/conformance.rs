//! Kueue's own rows of quotas, by way of its manifests: what is imported has as much available as Kueue says.

use super::quota::{QuotaRow, milli};
use super::{imported, plan};
use gigawatt::scenario::import::Options;
use gigawatt::state::quota::{Row, Tree, Usage};
use serde::Deserialize;
use std::fmt::Write;

#[derive(Debug, Deserialize)]
struct Table {
    row: Vec<QuotaRow>,
}

/// The manifests of a row: cohorts are what others are below.
fn manifests(row: &QuotaRow) -> String {
    let mut text = String::new();
    for queue in &row.queues {
        let is_cohort = row.queues.iter().any(|other| other.parent.as_ref() == Some(&queue.name));
        let (kind, above) = if is_cohort { ("Cohort", "parentName") } else { ("ClusterQueue", "cohortName") };
        let _ = writeln!(
            text,
            "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: {kind}\nmetadata:\n  name: {}\nspec:",
            queue.name
        );
        queue.parent.iter().for_each(|parent| text += &format!("  {above}: {parent}\n"));
        let mut resource = format!("name: nvidia.com/gpu, nominalQuota: {}", queue.nominal.unwrap_or(0.0));
        queue.borrow.iter().for_each(|borrow| resource += &format!(", borrowingLimit: {borrow}"));
        queue.lend.iter().for_each(|lend| resource += &format!(", lendingLimit: {lend}"));
        let _ = writeln!(
            text,
            "  resourceGroups: [{{ flavors: [{{ name: f, resources: [{{ {resource} }}] }}] }}]"
        );
    }
    text
}

/// What is other than a row says.
fn wrong(row: &QuotaRow) -> Vec<String> {
    let options = Options { cluster: Some("64x8".to_owned()), ..Options::default() };
    let queues = plan(&imported("kueue.yaml", &manifests(row), &options)).workload.queues;
    let tree = Tree::new(queues.iter().map(Row::from).collect());
    let mut usage = Usage::of(&tree);
    let index = |name: &str| {
        let place = queues.iter().position(|queue| queue.name == name).unwrap_or_else(|| panic!("no {name}"));
        u32::try_from(place).expect("few queues")
    };
    row.queues.iter().for_each(|queue| usage.add(&tree, index(&queue.name), milli(queue.held).into()));
    let mut wrong = Vec::new();
    for queue in &row.queues {
        let own = index(&queue.name);
        let found = (tree.available(&usage, own), tree.most(own));
        let available = queue.available.map(|units| i64::from(milli(units)));
        let most = queue.most.map(|units| u64::from(milli(units)));
        if available.is_some_and(|available| available != found.0)
            || most.is_some_and(|most| found.1 != Some(most))
        {
            wrong.push(format!(
                "{}: {} has {found:?}, expected {available:?} and {most:?}",
                row.name, queue.name
            ));
        }
    }
    wrong
}

fn rows() -> Vec<QuotaRow> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/conformance/kueue-quota.toml");
    let table: Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    table.row
}

#[test]
fn an_imported_cohort_has_as_much_available_as_kueue_says() {
    let rows = rows();
    assert!(rows.len() >= 5, "rows to compare");
    let wrong: Vec<String> = rows.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_quota_is_noticed() {
    for mut row in rows() {
        let told =
            row.queues.iter_mut().find(|queue| queue.available.is_some()).expect("each row says something");
        told.available = told.available.map(|units| units + 1.0);
        assert!(!wrong(&row).is_empty(), "{}", row.name);
    }
}
