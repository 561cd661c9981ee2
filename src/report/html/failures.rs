//! What fails and what it takes, as plots and tables.

use super::plot::{Kind, Plot, Series, Variant, rounded, values};
use super::tables::{JOBS, SHARE, TIME, table};
use super::text::{Form, escaped, number};
use super::time::TITLE;
use super::{View, label_of};
use crate::metrics::{FailureMetrics, Waterfall};

fn of<'a>(view: &'a View<'_>) -> Option<&'a FailureMetrics> {
    view.measured.metrics.failures.as_ref()
}

/// What came of all GPUs, bucket by bucket.
pub(super) fn over_time(views: &[View<'_>]) -> Plot {
    let stacked = |view: &View<'_>| {
        let own = &of(view)?.over_time;
        let parts = [
            ("useful", "2", &own.useful),
            ("lost", "1", &own.lost),
            ("free", "others", &own.idle),
            ("down", "7", &own.down),
        ];
        let series = |(name, color, parts): (&str, &str, &Vec<f64>)| Series {
            name: name.to_owned(),
            color: color.to_owned(),
            style: "area",
            y: values(parts, 0.01),
            bucket: Some(view.details.bucket.0),
            ..Series::default()
        };
        Some(Variant {
            name: label_of(views, view).trim_end_matches([':', ' ']).to_owned(),
            x: TITLE.to_owned(),
            y: "GPUs (% of those not absent)".to_owned(),
            series: parts.map(series).to_vec(),
            ..Variant::default()
        })
    };
    Plot {
        id: "goodput".to_owned(),
        title: "Goodput over time (% of GPUs)".to_owned(),
        about: "All GPUs of nodes that are not absent as planned, bucket by bucket: those that did work which counts, those \
                held that came to nothing, those that nobody held, and those of nodes that were down."
            .to_owned(),
        kind: Kind::Time,
        variants: views.iter().filter_map(stacked).collect(),
    }
}

/// Which colour of the palette a part of the capacity has.
fn color(part: &str) -> &'static str {
    match part {
        "useful" => "2",
        _ if part.starts_with("down") => "7",
        _ if part.starts_with("free") => "others",
        _ => "1",
    }
}

/// What is taken off the capacity, part by part, down to what was useful.
pub(super) fn waterfall(views: &[View<'_>]) -> Plot {
    let known: Vec<(&View<'_>, &Waterfall)> =
        views.iter().filter_map(|view| Some((view, &of(view)?.waterfall))).collect();
    let names: Vec<&str> = Waterfall::default().parts().into_iter().map(|(name, _)| name).collect();
    let is_told = |place: &usize| known.iter().any(|(_, own)| own.parts()[*place].1 > 0);
    let shown: Vec<usize> = (0..names.len()).filter(is_told).collect();
    let series = |(view, own): &(&View<'_>, &Waterfall)| {
        let parts = own.parts();
        let bars = std::iter::once(own.capacity).chain(shown.iter().map(|place| parts[*place].1));
        let bars: Vec<u128> = bars.collect();
        let mut left = own.capacity;
        let mut base = |(place, part): (usize, &u128)| {
            // The whole stands first, from nothing on.
            left -= if place == 0 { 0 } else { (*part).min(left) };
            if place == 0 { 0.0 } else { rounded(100.0 * share(left, own.capacity)) }
        };
        let told = |part: &u128| SHARE.shown(share(*part, own.capacity));
        let whole = std::iter::once("11");
        let colors = whole.chain(shown.iter().map(|place| color(names[*place])));
        Series {
            name: view.label.clone(),
            color: view.index.to_string(),
            base: bars.iter().enumerate().map(&mut base).collect(),
            y: bars.iter().map(|part| Some(rounded(100.0 * share(*part, own.capacity)))).collect(),
            text: bars.iter().map(told).collect(),
            colors: if known.len() == 1 { colors.map(str::to_owned).collect() } else { Vec::new() },
            ..Series::default()
        }
    };
    let labels = std::iter::once("all").chain(shown.iter().map(|place| names[*place]));
    Plot {
        id: "waterfall".to_owned(),
        title: "What became of all GPU-hours (% of all)".to_owned(),
        about: "GPU-hours of nodes not absent as planned, less those of nodes that were down, less those that were free, less \
                those that were held and lost, cause by cause: what is left was useful."
            .to_owned(),
        kind: Kind::Bars,
        variants: vec![Variant {
            x: "GPU-hours (% of all)".to_owned(),
            y: "Part".to_owned(),
            series: known.iter().map(series).collect(),
            labels: labels.map(str::to_owned).collect(),
            ..Variant::default()
        }],
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for a screen")]
fn share(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What the failures of each component came to, and of jobs by size.
pub(super) fn tables(views: &[View<'_>], view: &View<'_>) -> String {
    let Some(own) = of(view) else { return String::new() };
    let shown = |list: &str, index: usize, name: &str, keys: &[(&str, Form)]| {
        let of = |(key, form): &(&str, Form)| {
            number(&view.summary, &format!("/failures/{list}/{index}/{key}"), *form)
        };
        std::iter::once(escaped(name)).chain(keys.iter().map(of)).collect::<Vec<String>>()
    };
    let keys = [
        ("failures", JOBS),
        ("mean_time_between_s", TIME),
        ("mean_time_to_repair_s", TIME),
        ("node_hours_down", Form::Rate),
        ("interruptions", JOBS),
        ("lost_gpu_hours", Form::Hours),
    ];
    let components = own.components.iter().enumerate();
    let components: Vec<Vec<String>> =
        components.map(|(index, own)| shown("components", index, &own.name, &keys)).collect();
    let keys = [("jobs", JOBS), ("interruptions", JOBS), ("mean_time_to_failure_s", TIME), ("ettr", SHARE)];
    let sizes = own.sizes.iter().enumerate();
    let sizes: Vec<Vec<String>> = sizes.map(|(index, own)| shown("sizes", index, &own.name, &keys)).collect();
    let whose = label_of(views, view);
    let by_component = table(
        &format!("{whose}Failures by component; work that its stops lost, in GPU-hours"),
        1,
        &["Component", "Failures", "One in", "Repaired in", "Node-hours down", "Stops", "Lost"],
        &components,
    );
    let by_size = table(
        &format!("{whose}Jobs by GPUs asked for: stops by failures, time held between them, effective time"),
        1,
        &["GPUs", "Jobs", "Stops", "One in", "Effective time"],
        &sizes,
    );
    if sizes.is_empty() { by_component } else { by_component + &by_size }
}
