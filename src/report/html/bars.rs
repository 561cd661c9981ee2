//! Amounts beside each other.

use super::plot::{Kind, Plot, Series, Variant, rounded};
use super::text::{Form, real};
use super::{View, label_of};
use crate::ensemble::Unit;
use crate::history::WaitReason;
use crate::metrics::JOULES_A_MWH;

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

/// What jobs waited for.
pub(super) fn reasons(views: &[View<'_>]) -> Plot {
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

/// Tenants that have bars.
const TENANTS: usize = 16;

/// Who holds how much against what it is entitled to.
pub(super) fn entitlement(views: &[View<'_>]) -> Plot {
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
        about: "Entitled is a tenant to what is its own (its quota, or its part of what is nominal of its queues) ÷ that \
                of all, or to an equal part where not every tenant has a quota or a queue. \
                Tenants contend while a job waits and two of them have jobs: each one's mean GPUs then ÷ the sum of these \
                means. The largest sixteen by GPU-hours."
            .to_owned(),
        kind: Kind::Bars,
        variants: views.iter().map(of).collect(),
    }
}

/// Where the energy went.
pub(super) fn energy(views: &[View<'_>]) -> Plot {
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

/// Whose energy it was, and what it cost and emitted.
pub(super) fn money(views: &[View<'_>]) -> Plot {
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
