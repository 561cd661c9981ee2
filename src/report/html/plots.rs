//! Every plot of one run, or of several beside each other.

use super::plot::{Kind, Plot, Series, Variant, rounded, values};
use super::racks::racks;
use super::text::{Form, real};
use super::{View, label_of, paths};
use crate::experiment::Unit;
use crate::history::WaitReason;
use crate::metrics::{Group, JOULES_A_MWH, PERCENTS};

/// Rectangles of all pictures of racks together.
const BARS: usize = 12_000;

/// A part of the page, and its plots in the order shown; those without data are left out.
pub(super) fn plots(views: &[View<'_>]) -> Vec<(&'static str, Vec<Plot>)> {
    let parts = [
        (
            "time",
            vec![
                utilization(views),
                queue(views),
                held(views),
                fragmentation(views),
                draw(views),
                price(views),
            ],
        ),
        ("racks", all_racks(views)),
        ("waiting", vec![reasons(views), wait(views), turnaround(views)]),
        ("tenants", vec![entitlement(views)]),
        ("energy", vec![energy(views), money(views)]),
        ("graphs", vec![paths::plot(views)]),
    ];
    let with_data = |plots: Vec<Plot>| plots.into_iter().filter(Plot::has_data).collect();
    parts.map(|(part, plots)| (part, with_data(plots))).to_vec()
}

const TIME: &str = "Time since the start";

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
        x: TIME.to_owned(),
        y: y.to_owned(),
        series: views.iter().map(series).collect(),
        ..Variant::default()
    }]
}

fn utilization(views: &[View<'_>]) -> Plot {
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

fn fragmentation(views: &[View<'_>]) -> Plot {
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
fn queue(views: &[View<'_>]) -> Plot {
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
            x: TIME.to_owned(),
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

fn held(views: &[View<'_>]) -> Plot {
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
            x: TIME.to_owned(),
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

fn draw(views: &[View<'_>]) -> Plot {
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
                x: TIME.to_owned(),
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

fn price(views: &[View<'_>]) -> Plot {
    let of = |view: &View<'_>| {
        let details = view.details;
        let signals = details.draw.iter().filter(|own| own.level == "site").flat_map(|own| {
            [
                ("price", "Price ($/MWh)", &own.usd_mwh),
                ("carbon intensity", "Carbon intensity (g/kWh)", &own.g_kwh),
            ]
            .map(|(what, y, signal)| Variant {
                name: format!("{}{what}, {}", label_of(views, view), own.name),
                x: TIME.to_owned(),
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

fn all_racks(views: &[View<'_>]) -> Vec<Plot> {
    let one = |view: &View<'_>| {
        let most = BARS / views.len().max(1);
        let found = racks(view.history, view.measured, view.details, most);
        Plot {
            id: format!("racks-{}", view.index),
            title: match views.len() {
                1 => "Racks over time (GPUs of each rack)".to_owned(),
                _ => format!("{}: racks over time (GPUs of each rack)", view.label),
            },
            about: "Each rectangle is a job on the GPUs that it holds, rack above rack; pick one to see which. Grey below \
                    is what all jobs hold, bucket by bucket: the paler, the emptier."
                .to_owned(),
            kind: Kind::Racks,
            variants: vec![Variant {
                x: TIME.to_owned(),
                y: "Rack".to_owned(),
                racks: found,
                ..Variant::default()
            }],
        }
    };
    views.iter().map(one).collect()
}

/// Bars of which each view has one a label.
fn bars<T>(
    views: &[View<'_>],
    labels: &[(String, T)],
    form: Form,
    unit: f64,
    value: impl Fn(&View<'_>, &T) -> f64,
) -> Vec<Series> {
    let series = |view: &View<'_>| {
        let found: Vec<f64> = labels.iter().map(|(_, own)| value(view, own)).collect();
        Series {
            name: view.label.clone(),
            color: view.index.to_string(),
            y: found.iter().map(|value| Some(rounded(value / unit))).collect(),
            text: found.iter().map(|value| form.shown(*value)).collect(),
            ..Series::default()
        }
    };
    views.iter().map(series).collect()
}

fn reasons(views: &[View<'_>]) -> Plot {
    let of = |key: &'static str| {
        move |view: &View<'_>, reason: &WaitReason| real(&view.summary, &format!("{key}/{}", reason.name()))
    };
    let waited = |key| {
        let reasons = WaitReason::ALL.into_iter().map(|reason| (reason.name().to_owned(), reason));
        reasons.filter(|(_, reason)| views.iter().any(|view| of(key)(view, reason) > 0.0)).collect::<Vec<_>>()
    };
    let variant = |name: &str, x: &str, key, form, unit| {
        let labels = waited(key);
        Variant {
            name: name.to_owned(),
            x: x.to_owned(),
            y: "Reason".to_owned(),
            series: bars(views, &labels, form, unit, of(key)),
            labels: labels.into_iter().map(|(label, _)| label).collect(),
            ..Variant::default()
        }
    };
    Plot {
        id: "reasons".to_owned(),
        title: "What jobs waited for (GPU-hours, or job-hours)".to_owned(),
        about: "Time that jobs of the window spent for each reason, weighed by the GPUs that they ask for, or job by job."
            .to_owned(),
        kind: Kind::Bars,
        variants: vec![
            variant("GPU-hours", "GPUs asked for × hours", "/details/waiting_gpu_hours", Form::Hours, 1.0),
            variant("job-hours", "Hours of all jobs", "/waiting_seconds", Form::Of(Unit::Seconds), 3600.0),
        ],
    }
}

fn wait(views: &[View<'_>]) -> Plot {
    Plot {
        id: "wait".to_owned(),
        title: "Wait (seconds, % of jobs that waited no longer)".to_owned(),
        about: "Of every job that was eligible, those not done with their wait so far. Waits below a second are drawn at \
                one."
            .to_owned(),
        kind: Kind::Cumulative,
        variants: distributions(views, "Wait", |group| &group.wait_percentiles),
    }
}

fn turnaround(views: &[View<'_>]) -> Plot {
    Plot {
        id: "turnaround".to_owned(),
        title: "Turnaround (seconds, % of jobs that took no longer)".to_owned(),
        about: "From submission to the end, of the jobs that completed, failed or timed out.".to_owned(),
        kind: Kind::Cumulative,
        variants: distributions(views, "Turnaround", |group| &group.turnaround_percentiles),
    }
}

fn distributions(views: &[View<'_>], what: &str, of: impl Fn(&Group) -> &Vec<u32>) -> Vec<Variant> {
    let line = |name: &str, color: usize, group: &Group| Series {
        name: name.to_owned(),
        color: color.to_string(),
        style: "line",
        x: of(group).iter().map(|seconds| f64::from(*seconds)).collect(),
        y: if of(group).is_empty() {
            Vec::new()
        } else {
            PERCENTS.map(|percent| Some(percent_of(percent))).to_vec()
        },
        ..Series::default()
    };
    let variant = |name: String, series| Variant {
        name,
        x: what.to_owned(),
        y: "Jobs (%)".to_owned(),
        series,
        ..Variant::default()
    };
    let all = views.iter().flat_map(|view| {
        view.details.all.iter().map(|group| line(&view.label, view.index, group)).collect::<Vec<_>>()
    });
    let mut variants = vec![variant("all jobs".to_owned(), all.collect())];
    for view in views {
        let details = view.details;
        for (name, groups) in
            [("by size", &details.by_size), ("by kind", &details.by_kind), ("by tenant", &details.by_tenant)]
        {
            let lines = groups.iter().enumerate().map(|(index, group)| line(&group.name, index, group));
            if groups.len() > 1 {
                variants.push(variant(format!("{}{name}", label_of(views, view)), lines.collect()));
            }
        }
    }
    variants
}

fn percent_of(percent: usize) -> f64 {
    f64::from(u8::try_from(percent).unwrap_or(100))
}

/// Tenants that have bars.
const TENANTS: usize = 16;

fn entitlement(views: &[View<'_>]) -> Plot {
    let of = |view: &View<'_>| {
        let mut tenants: Vec<_> = view.measured.metrics.tenants.iter().collect();
        tenants.sort_by(|a, b| b.gpu_hours.total_cmp(&a.gpu_hours));
        tenants.truncate(TENANTS);
        let contended: f64 = view.measured.metrics.tenants.iter().filter_map(|own| own.contended_gpus).sum();
        let series = |name: &str, color: &str, of: &dyn Fn(usize) -> Option<f64>| {
            let found: Vec<Option<f64>> = (0..tenants.len()).map(of).collect();
            Series {
                name: name.to_owned(),
                color: color.to_owned(),
                y: found.iter().map(|share| share.map(|share| rounded(share * 100.0))).collect(),
                text: found
                    .iter()
                    .map(|share| share.map_or_else(String::new, |s| Form::Of(Unit::Share).shown(s)))
                    .collect(),
                ..Series::default()
            }
        };
        let mut all = vec![
            series("entitled to", "limit", &|i| Some(tenants[i].entitlement)),
            series("held, of all GPU-hours held", "0", &|i| Some(tenants[i].share)),
        ];
        if contended > 0.0 {
            let share = |i: usize| tenants[i].contended_gpus.map(|own| own / contended);
            all.push(series("held while tenants contended", "1", &share));
        }
        Variant {
            name: label_of(views, view).trim_end_matches([':', ' ']).to_owned(),
            x: "Share (%)".to_owned(),
            y: "Tenant".to_owned(),
            labels: tenants.iter().map(|tenant| tenant.name.clone()).collect(),
            series: if tenants.is_empty() { Vec::new() } else { all },
            ..Variant::default()
        }
    };
    Plot {
        id: "entitlement".to_owned(),
        title: "Share of each tenant against its entitlement (%)".to_owned(),
        about: "Entitled is a tenant to its quota ÷ all quotas, or to an equal part where not every tenant has one. \
                Tenants contend while a job waits and two of them have jobs: each one's mean GPUs then ÷ the sum of these \
                means. The largest sixteen by GPU-hours."
            .to_owned(),
        kind: Kind::Bars,
        variants: views.iter().map(of).collect(),
    }
}

fn energy(views: &[View<'_>]) -> Plot {
    let parts = [
        ("jobs", "/power/jobs_j"),
        ("idle", "/power/idle_j"),
        ("overhead", "/power/overhead_j"),
        ("losses", "/power/losses_j"),
        ("cooling", "/power/cooling_j"),
    ];
    let value = |view: &View<'_>, key: &&str| real(&view.summary, key).max(0.0);
    let labels: Vec<(String, &str)> = parts
        .into_iter()
        .filter(|(_, key)| views.iter().any(|view| value(view, key) > 0.0))
        .map(|(label, key)| (label.to_owned(), key))
        .collect();
    let series = if labels.is_empty() {
        Vec::new()
    } else {
        bars(views, &labels, Form::Of(Unit::Joules), JOULES_A_MWH, value)
    };
    Plot {
        id: "energy".to_owned(),
        title: "Where the energy went (MWh)".to_owned(),
        about: "Jobs: what they draw, and the idle draw of the GPUs they hold. Idle: that of GPUs nobody holds. Overhead: \
                racks and conversions whatever passes. Losses: conversions. Cooling: the building, too."
            .to_owned(),
        kind: Kind::Bars,
        variants: vec![Variant {
            x: "Energy (MWh)".to_owned(),
            y: "Part".to_owned(),
            labels: labels.into_iter().map(|(label, _)| label).collect(),
            series,
            ..Variant::default()
        }],
    }
}

fn money(views: &[View<'_>]) -> Plot {
    let of = |view: &View<'_>| {
        let mut tenants: Vec<_> = (0..).zip(&view.measured.metrics.tenants).collect::<Vec<(usize, _)>>();
        tenants.sort_by(|a, b| b.1.gpu_hours.total_cmp(&a.1.gpu_hours));
        tenants.truncate(TENANTS);
        let whose = label_of(views, view);
        let variant = |what: &str, x: &str, key: &'static str, form, unit| {
            let value =
                |view: &View<'_>, index: &usize| real(&view.summary, &format!("/tenants/{index}/{key}"));
            let labels: Vec<(String, usize)> =
                tenants.iter().map(|(index, tenant)| (tenant.name.clone(), *index)).collect();
            Variant {
                name: format!("{whose}{what}"),
                x: x.to_owned(),
                y: "Tenant".to_owned(),
                series: bars(std::slice::from_ref(view), &labels, form, unit, value),
                labels: labels.into_iter().map(|(label, _)| label).collect(),
                ..Variant::default()
            }
        };
        let mut variants = Vec::new();
        if view.measured.metrics.cost.is_some() {
            variants.push(variant("cost", "Cost ($)", "cost_usd", Form::Of(Unit::Dollars), 1.0));
            variants.push(variant(
                "carbon",
                "Carbon (kg CO₂ equivalent)",
                "carbon_g",
                Form::Of(Unit::Grams),
                1e3,
            ));
        }
        if view.measured.metrics.power.is_some() {
            variants.push(variant(
                "energy",
                "Energy (MWh)",
                "energy_j",
                Form::Of(Unit::Joules),
                JOULES_A_MWH,
            ));
        }
        variants
    };
    Plot {
        id: "money".to_owned(),
        title: "Energy, cost and carbon by tenant (MWh, $, kg)".to_owned(),
        about: "What the jobs of a tenant drew in the window, and their part of what the sites pay and emit. The largest \
                sixteen by GPU-hours."
            .to_owned(),
        kind: Kind::Bars,
        variants: views.iter().flat_map(of).collect(),
    }
}
