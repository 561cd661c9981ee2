//! Rows of what queues may hold, as other systems' tests have them.

use serde::Deserialize;

/// A queue of a row, in units of its resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) nominal: Option<f64>,
    pub(crate) borrow: Option<f64>,
    pub(crate) lend: Option<f64>,
    #[serde(default)]
    pub(crate) held: f64,
    /// Expected.
    pub(crate) available: Option<f64>,
    pub(crate) most: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuotaRow {
    pub(crate) name: String,
    pub(crate) queues: Vec<Queue>,
}

/// Thousandths.
pub(crate) fn milli(units: f64) -> u32 {
    format!("{:.0}", units * 1000.0).parse().expect("thousandths are whole")
}
