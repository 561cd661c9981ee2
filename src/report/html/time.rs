//! What changes over time.

use super::plot::{Kind, Plot, Series, Variant, rounded, values};
use super::{View, label_of};

/// Title of the axis of time, to which the page adds its unit.
pub(super) const TITLE: &str = "Time since the start";

/// A line a run over the buckets of its series.
fn lines(views: &[View<'_>], y: &str, of: impl Fn(&View<'_>) -> Vec<Option<f64>>) -> Vec<Variant> {
    let series = |view: &View<'_>| Series {
        name: view.label.clone(),
        color: view.index.to_string(),
        style: "line",
        y: of(view),
        bucket: Some(view.details.bucket.0),
        ..Series::default()
    };
    vec![Variant {
        x: TITLE.to_owned(),
        y: y.to_owned(),
        series: views.iter().map(series).collect(),
        ..Variant::default()
    }]
}

/// How much of the cluster is held.
pub(super) fn utilization(views: &[View<'_>]) -> Plot {
    Plot {
        id: "utilization".to_owned(),
        title: "Utilization (% of available GPUs)".to_owned(),
        about: "GPU-seconds held ÷ GPU-seconds of nodes that are up or draining, bucket by bucket."
            .to_owned(),
        kind: Kind::Time,
        variants: lines(views, "GPUs held (% of available)", |view| {
            values(&view.measured.metrics.series.utilization, 0.01)
        }),
    }
}

/// How much of what is free is of no use to whole nodes.
pub(super) fn fragmentation(views: &[View<'_>]) -> Plot {
    Plot {
        id: "fragmentation".to_owned(),
        title: "Fragmentation (% of free GPUs)".to_owned(),
        about: "Free GPUs on partly used nodes ÷ all free GPUs: what no request for a whole node can use."
            .to_owned(),
        kind: Kind::Time,
        variants: lines(views, "Free GPUs on partly used nodes (%)", |view| {
            values(&view.measured.metrics.series.fragmentation, 0.01)
        }),
    }
}

/// A choice a run, and a choice of GPUs or jobs, of why jobs wait.
pub(super) fn queue(views: &[View<'_>]) -> Plot {
    let stacked = |view: &View<'_>, gpus: bool| {
        let details = view.details;
        let mut series: Vec<Series> = details
            .queue
            .iter()
            .map(|own| Series {
                name: own.reason.to_owned(),
                color: own.reason.to_owned(),
                style: "area",
                y: values(if gpus { &own.gpus } else { &own.jobs }, 1.0),
                bucket: Some(details.bucket.0),
                ..Series::default()
            })
            .collect();
        if gpus && !series.is_empty() {
            series.push(available(view));
        }
        let (what, y) = if gpus {
            ("GPUs asked for", "GPUs asked for by waiting jobs")
        } else {
            ("jobs", "Waiting jobs")
        };
        Variant {
            name: format!("{}{what}", label_of(views, view)),
            x: TITLE.to_owned(),
            y: y.to_owned(),
            series,
            ..Variant::default()
        }
    };
    Plot {
        id: "queue".to_owned(),
        title: "Queue by reason (GPUs, or jobs)".to_owned(),
        about: "What jobs wait for: the mean of each bucket, reason above reason. `dependency` is the time before a job \
                is eligible, and no part of its wait. The dashed line is all GPUs there are at the time."
            .to_owned(),
        kind: Kind::Time,
        variants: views.iter().flat_map(|view| [stacked(view, true), stacked(view, false)]).collect(),
    }
}

fn available(view: &View<'_>) -> Series {
    let details = view.details;
    Series {
        name: "available".to_owned(),
        color: "limit".to_owned(),
        style: "dash",
        y: values(&details.available_gpus, 1.0),
        bucket: Some(details.bucket.0),
        ..Series::default()
    }
}

/// Who holds how much.
pub(super) fn held(views: &[View<'_>]) -> Plot {
    let stacked = |view: &View<'_>| {
        let details = view.details;
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "all other tenants".to_owned());
        let mut series: Vec<Series> = details
            .tenants
            .iter()
            .enumerate()
            .map(|(index, own)| Series {
                name: name(&own.name),
                color: if own.name.is_some() { index.to_string() } else { "others".to_owned() },
                style: "area",
                y: values(&own.gpus, 1.0),
                bucket: Some(details.bucket.0),
                ..Series::default()
            })
            .collect();
        if !series.is_empty() {
            series.push(available(view));
        }
        Variant {
            name: label_of(views, view).trim_end_matches([':', ' ']).to_owned(),
            x: TITLE.to_owned(),
            y: "GPUs held".to_owned(),
            series,
            ..Variant::default()
        }
    };
    Plot {
        id: "held".to_owned(),
        title: "GPUs held by tenant (GPUs)".to_owned(),
        about:
            "The mean of each bucket, tenant above tenant; the dashed line is all GPUs there are at the time."
                .to_owned(),
        kind: Kind::Time,
        variants: views.iter().map(stacked).collect(),
    }
}

/// What sites and feeds draw, and may.
pub(super) fn draw(views: &[View<'_>]) -> Plot {
    let of = |view: &View<'_>| {
        let details = view.details;
        let peak = |watts: &[u64]| watts.iter().copied().max().unwrap_or(0);
        let caps = |own: &crate::metrics::DrawSeries| own.cap_w.iter().flatten().copied().max().unwrap_or(0);
        // What may not be exceeded is looked at first.
        let mut domains: Vec<_> = details.draw.iter().collect();
        domains.sort_by_key(|own| own.cap_w.iter().all(Option::is_none));
        let variants = domains.into_iter().map(|own| {
            let (unit, name) =
                if peak(&own.peak_w).max(caps(own)) >= 10_000_000 { (1e6, "MW") } else { (1e3, "kW") };
            #[expect(clippy::cast_precision_loss, reason = "watts for a screen")]
            let scaled = |watts: Option<u64>| watts.map(|watts| rounded(watts as f64 / unit));
            let series = |name: &str, color: &str, style, y| Series {
                name: name.to_owned(),
                color: color.to_owned(),
                style,
                y,
                bucket: Some(details.bucket.0),
                ..Series::default()
            };
            let peaks = own.peak_w.iter().map(|watts| scaled(Some(*watts))).collect();
            let caps = own.cap_w.iter().map(|watts| scaled(*watts)).collect();
            let mut all = vec![
                series("mean draw", "0", "line", values(&own.mean_w, unit)),
                series("highest draw", "1", "thin", peaks),
            ];
            all.extend(own.cap_w.iter().any(Option::is_some).then(|| series("cap", "limit", "dash", caps)));
            Variant {
                name: format!("{}{} {}", label_of(views, view), own.level, own.name),
                x: TITLE.to_owned(),
                y: format!("Draw ({name})"),
                series: all,
                ..Variant::default()
            }
        });
        variants.collect::<Vec<_>>()
    };
    Plot {
        id: "draw".to_owned(),
        title: "Draw against cap (kW or MW)".to_owned(),
        about: "The mean and the highest draw of each bucket, and the lowest cap that held in it. A site draws what its \
                feeds draw and, on top, conversion losses and cooling: it may exceed the sum of its feeds' caps."
            .to_owned(),
        kind: Kind::Time,
        variants: views.iter().flat_map(of).collect(),
    }
}

/// What energy costs and emits.
pub(super) fn price(views: &[View<'_>]) -> Plot {
    let of = |view: &View<'_>| {
        let details = view.details;
        let signals = details.draw.iter().filter(|own| own.level == "site").flat_map(|own| {
            [
                ("price", "Price ($/MWh)", &own.usd_mwh),
                ("carbon intensity", "Carbon intensity (g/kWh)", &own.g_kwh),
            ]
            .map(|(what, y, signal)| Variant {
                name: format!("{}{what}, {}", label_of(views, view), own.name),
                x: TITLE.to_owned(),
                y: y.to_owned(),
                series: vec![Series {
                    name: what.to_owned(),
                    color: if what == "price" { "1" } else { "2" }.to_owned(),
                    style: "line",
                    y: values(signal, 1.0),
                    bucket: Some(details.bucket.0),
                    ..Series::default()
                }],
                ..Variant::default()
            })
        });
        signals.filter(Variant::has_data).collect::<Vec<_>>()
    };
    Plot {
        id: "price".to_owned(),
        title: "Price and carbon intensity of energy ($/MWh, g/kWh)".to_owned(),
        about: "What the grid asked for a megawatt-hour, and emitted for a kilowatt-hour: the mean of each bucket.".to_owned(),
        kind: Kind::Time,
        variants: views.iter().flat_map(of).collect(),
    }
}
