//! What is plotted: titles, units and data. How it is drawn is the page's own matter.

use serde::Serialize;

/// One plot, of which one variant is seen at a time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Plot {
    /// Unique in the page.
    pub(super) id: String,
    /// What it shows, and in what unit.
    pub(super) title: String,
    /// How to read it.
    pub(super) about: String,
    /// How it is drawn.
    pub(super) kind: Kind,
    /// One a choice; the first is shown first.
    pub(super) variants: Vec<Variant>,
}

/// How a plot is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Over time, lines and stacked areas.
    Time,
    /// Part of the jobs, in percent, over a duration, in seconds.
    Cumulative,
    /// Horizontal bars beside each other.
    Bars,
    /// Racks over time.
    Racks,
    /// Chains of jobs over time.
    Paths,
}

/// One of the things that a plot may show.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Variant {
    /// What the choice is called; empty where there is none.
    pub(super) name: String,
    /// Title of the horizontal axis, with its unit.
    pub(super) x: String,
    /// Title of the vertical axis, with its unit.
    pub(super) y: String,
    /// What is on the vertical axis of bars.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<String>,
    pub(super) series: Vec<Series>,
    /// Racks over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) racks: Option<super::racks::Racks>,
    /// Chains of jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<super::paths::Path>,
}

/// One line, area or set of bars.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Series {
    pub(super) name: String,
    /// Which colour of the palette, or a word for one.
    pub(super) color: String,
    /// How it is drawn: `line`, `thin`, `dash` or `area`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) style: &'static str,
    /// Where not given: one a bucket, from the start of the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<Option<f64>>,
    /// Seconds of a bucket, where there are buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bucket: Option<u32>,
    /// Where each lies with 95 %.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ends: Vec<Option<[f64; 2]>>,
    /// Where bars begin; empty: at 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) base: Vec<f64>,
    /// A colour for each bar, as `color` is one for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) colors: Vec<String>,
    /// What stands beside bars.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) text: Vec<String>,
}

impl Plot {
    /// Whether any variant has something to show.
    pub(super) fn has_data(&self) -> bool {
        self.variants.iter().any(Variant::has_data)
    }
}

impl Variant {
    /// Whether there is something to show.
    pub(super) fn has_data(&self) -> bool {
        let of_series = self.series.iter().any(|series| series.y.iter().any(Option::is_some));
        of_series || self.racks.is_some() || !self.paths.is_empty()
    }
}

/// Six digits that count: what a screen can show, and no more bytes than that.
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Values in units of so much.
pub(super) fn values(values: &[f64], unit: f64) -> Vec<Option<f64>> {
    values.iter().map(|value| Some(rounded(value / unit))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_remain() {
        for (value, expected) in [(0.0, 0.0), (1.0 / 3.0, 0.333_333), (123_456_789.0, 123_457_000.0)] {
            assert!((rounded(value) - expected).abs() < 1e-12, "{value}");
        }
        assert_eq!(serde_json::to_string(&rounded(2.0 / 3.0)).unwrap(), "0.666667", "no more bytes");
    }
}
