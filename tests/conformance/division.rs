//! Rows of how queues beside one another divide what there is.

use super::milli;
use gigawatt::policy::order::turns::Claim;
use serde::Deserialize;

/// GPUs that there are, who claims them, and what each gets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DivisionRow {
    name: String,
    gpus: f64,
    queues: Vec<Claiming>,
    /// Expected.
    pub(crate) shares: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claiming {
    weight: f64,
    request: f64,
    #[serde(default)]
    own: f64,
    #[serde(default)]
    kept: f64,
    limit: Option<f64>,
    #[serde(default)]
    priority: i32,
}

/// What is other than a row says.
pub(crate) fn wrong_division(row: &DivisionRow, divide: fn(u64, &[Claim]) -> Vec<u64>) -> Option<String> {
    let amount = |units: f64| u64::from(milli(units));
    let claim = |own: &Claiming| Claim {
        own: amount(own.own),
        kept: amount(own.kept),
        request: amount(own.request),
        limit: own.limit.map(amount),
        weight_milli: milli(own.weight),
        priority: own.priority,
    };
    let claims: Vec<Claim> = row.queues.iter().map(claim).collect();
    let found = divide(amount(row.gpus), &claims);
    let expected: Vec<u64> = row.shares.iter().copied().map(amount).collect();
    (found != expected).then(|| format!("{}: found {found:?}, expected {expected:?}", row.name))
}
