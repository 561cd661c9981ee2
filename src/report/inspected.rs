//! What a workload asks for, for machines: the numbers that `inspect` draws.

use super::answer::{self, each};
use super::contrast::Side;
use crate::metrics::profile::{Profile, Share};
use crate::metrics::{DemandProfile, Distribution, Ranks, TokenCounts};
use serde_json::{Value, json};

/// A workload, compared with the GPUs of a cluster where there is one. Times are seconds.
#[must_use]
pub fn profile(title: &str, profile: &Profile, notes: &[String], gpus: Option<u64>) -> String {
    let share =
        |share: &Share| json!({ "name": share.label, "jobs": share.jobs, "gpu_hours": share.gpu_hours() });
    let shares = |shares: &[Share]| shares.iter().map(share).collect::<Vec<_>>();
    let (work, estimates) = (&profile.durations, &profile.estimates);
    answer::text(
        "inspect",
        json!({
            "title": title,
            "notes": notes,
            "jobs": profile.total.jobs,
            "gpu_hours": profile.gpu_hours(),
            "first_submit": profile.first_submit.0,
            "last_submit": profile.last_submit.0,
            "epoch": profile.epoch,
            "gpus": gpus,
            "offered_load": profile.offered_load,
            "endless_services": profile.endless,
            "dependencies": profile.dependencies,
            "graphs": profile.graphs,
            "running": profile.running,
            "failing": profile.failing,
            "cancelled": profile.cancelled,
            "by_size": shares(&profile.gangs),
            "by_work_time": shares(&profile.lengths),
            "by_tenant": shares(&profile.tenants),
            "by_kind": shares(&profile.kinds),
            "work_time": {
                "mean": work.mean,
                "p50": work.p50.0,
                "p90": work.p90.0,
                "p99": work.p99.0,
                "max": work.max.0,
            },
            "requested_time": {
                "equal": estimates.equal,
                "above": estimates.padded,
                "below": estimates.overrun,
                "median_above_milli": estimates.median_padding_milli,
            },
            "recorded_waits": (profile.recorded_waits.count > 0).then_some(profile.recorded_waits),
            "bucket": profile.bucket,
            "arrivals": profile.arrivals,
            "demand_gpus": profile.demand,
            "peak_demand_gpus": profile.peak_demand,
        }),
    )
}

/// What such an answer looks like.
pub(super) fn profile_shape() -> Value {
    let shares = json!([{ "name": "string", "jobs": "integer", "gpu_hours": "number" }]);
    let mut shape = each(["by_size", "by_work_time", "by_tenant", "by_kind"], &shares);
    let counts = ["jobs", "first_submit", "last_submit", "endless_services", "dependencies", "graphs"];
    let more = json!({
        "title": "string",
        "notes": ["string"],
        "running": "integer",
        "failing": "integer",
        "cancelled": "integer",
        "gpu_hours": "number",
        "epoch": "integer?",
        "gpus": "integer?",
        "offered_load": "number?",
        "work_time": { "mean": "number", "p50": "integer", "p90": "integer", "p99": "integer", "max": "integer" },
        "requested_time": each(["equal", "above", "below", "median_above_milli"], &json!("integer")),
        "recorded_waits": { "?": distribution() },
        "bucket": "number",
        "arrivals": ["integer"],
        "demand_gpus": ["number"],
        "peak_demand_gpus": "number",
    });
    for part in [each(counts, &json!("integer")), more] {
        if let (Some(own), Value::Object(part)) = (shape.as_object_mut(), part) {
            own.extend(part);
        }
    }
    shape
}

fn distribution() -> Value {
    let mut shape = each(["count", "unfinished", "p50", "p90", "p95", "p99", "max"], &json!("integer"));
    shape["mean"] = json!("number");
    shape
}

/// Requests to models.
#[must_use]
pub fn requests(title: &str, profile: &DemandProfile, notes: &[String]) -> String {
    let tokens = |counts: &TokenCounts| -> Value {
        let each: Distribution<u32> = counts.each;
        json!({ "sum": counts.sum, "each": each })
    };
    answer::text(
        "inspect-requests",
        json!({
            "title": title,
            "notes": notes,
            "requests": profile.requests,
            "span_ms": profile.span_ms,
            "epoch_ms": profile.epoch_ms,
            "requests_a_second": profile.rate(),
            "gap_variation": profile.gap_variation,
            "arrivals": profile.arrivals,
            "input_tokens": tokens(&profile.input),
            "cached_tokens": tokens(&profile.cached),
            "output_tokens": tokens(&profile.output),
        }),
    )
}

/// What such an answer looks like.
pub(super) fn requests_shape() -> Value {
    let tokens = json!({ "sum": "integer", "each": distribution() });
    json!({
        "title": "string",
        "notes": ["string"],
        "requests": "integer",
        "span_ms": "integer",
        "epoch_ms": "integer?",
        "requests_a_second": "number",
        "gap_variation": "number",
        "arrivals": ["integer"],
        "input_tokens": tokens.clone(),
        "cached_tokens": tokens.clone(),
        "output_tokens": tokens,
    })
}

/// Two workloads by quantiles, in their order.
#[must_use]
pub fn two(first: Side<'_>, second: Side<'_>) -> String {
    let ranks = |ranks: &Ranks| -> Value {
        json!({ "p10": ranks.p10, "p50": ranks.p50, "p90": ranks.p90, "p99": ranks.p99, "mean": ranks.mean })
    };
    let side = |side: Side<'_>| -> Value {
        let shape = side.shape;
        json!({
            "title": side.title,
            "jobs": shape.jobs,
            "tenants": shape.tenants,
            "span": shape.span,
            "gpu_milli_seconds": shape.gpu_milli_seconds,
            "gaps": ranks(&shape.gaps),
            "jobs_an_hour": ranks(&shape.hours),
            "gpus_milli": ranks(&shape.gangs),
            "work_time": ranks(&shape.work),
            "requested_of_work_milli": ranks(&shape.estimates),
        })
    };
    answer::text("inspect-two", json!({ "first": side(first), "second": side(second) }))
}

/// What such an answer looks like.
pub(super) fn two_shape() -> Value {
    let mut ranks = each(["p10", "p50", "p90", "p99"], &json!("integer"));
    ranks["mean"] = json!("number");
    let counts = each(["jobs", "tenants", "span", "gpu_milli_seconds"], &json!("integer"));
    let quantities = ["gaps", "jobs_an_hour", "gpus_milli", "work_time", "requested_of_work_milli"];
    let mut side = each(quantities, &ranks);
    if let (Some(own), Value::Object(counts)) = (side.as_object_mut(), counts) {
        own.extend(counts);
    }
    side["title"] = json!("string");
    json!({ "first": side.clone(), "second": side })
}
