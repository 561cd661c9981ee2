//! Gittins indices.

use gigawatt::policy::order::gittins::Lengths;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexRow {
    pub(super) name: String,
    pub(super) lengths: Vec<u64>,
    pub(super) received: f64,
    pub(super) expected: f64,
}

/// What is wrong with a row; expected values have at least three digits.
pub(super) fn wrong_index(row: &IndexRow) -> Option<String> {
    let lengths = Lengths::new(row.lengths.iter().map(|length| length * 1000).collect());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number of thousandths"
    )]
    let cost = lengths.cost((row.received * 1000.0) as u64).expect("some job is longer");
    let found = 1000.0 / f64::from(u32::try_from(cost).expect("lengths are short"));
    let differs = (found - row.expected).abs() > 0.0005;
    differs.then(|| format!("{}: found {found}, expected {}", row.name, row.expected))
}
