//! What `summary.json` looks like.

use crate::history::{Outcome, WaitReason};
use crate::metrics::LossCause;
use crate::report::answer::each;
use serde_json::{Map, Value, json};

/// A distribution of numbers that are whole, or not.
fn distribution(kind: &str) -> Value {
    let ranks = each(["p50", "p90", "p95", "p99", "max"], &json!(kind));
    with(ranks, &[("count", "integer"), ("unfinished", "integer"), ("mean", "number")])
}

/// The same with more keys.
fn with(mut shape: Value, more: &[(&str, &str)]) -> Value {
    let own: &mut Map<String, Value> = shape.as_object_mut().expect("an object is given");
    own.extend(more.iter().map(|(key, kind)| ((*key).to_owned(), json!(kind))));
    shape
}

fn reasons(kind: &str) -> Value {
    each(WaitReason::ALL.map(WaitReason::name), &json!(kind))
}

/// One template for everything in the file.
pub(in crate::report) fn shape() -> Value {
    let mut shape = json!({
        "window": { "from": "integer", "to": "integer" },
        "outcomes": each(Outcome::ALL.map(Outcome::name), &json!("integer")),
        "recorded_waits": { "?": {
            "recorded": distribution("integer"),
            "simulated": distribution("integer"),
            "not_started": "integer",
        } },
        "deadlines": { "?": {
            "met": "integer",
            "missed": "integer",
            "open": "integer",
            "tardiness": distribution("integer"),
        } },
        "bounded_slowdown": distribution("number"),
        "jain_index": "number?",
        "packed": "number?",
        "block_fragmentation": "number?",
        "goodput": {
            "share": "number",
            "useful_gpu_hours": "number",
            "lost_gpu_hours": each(LossCause::ALL.map(LossCause::name), &json!("number")),
        },
        "platforms": [{
            "name": "string",
            "gpus": "integer",
            "gpu_hours": "number",
            "available_gpu_hours": "number",
            "utilization": "number",
        }],
        "waiting_seconds": reasons("integer"),
        "tenants": [tenant()],
        "graphs": { "?": graphs() },
        "power": { "?": power() },
        "cost": { "?": cost() },
        "failures": { "?": failures() },
        "series": {
            "bucket": "integer",
            "utilization": ["number"],
            "fragmentation": ["number"],
            "waiting_jobs": ["number"],
            "block_fragmentation": ["number"],
        },
        "details": details(),
        "queues": [crate::report::explain::one_usage()],
    });
    for key in ["wait_time", "run_time", "turnaround_time"] {
        shape[key] = distribution("integer");
    }
    let whole = ["jobs", "not_submitted", "slowdown_bound", "makespan", "preemptions", "node_failures"];
    let real = [
        "utilization",
        "fragmentation",
        "rack_fragmentation",
        "capacity_loss",
        "gpu_hours",
        "available_gpu_hours",
        "lost_gpu_hours",
        "restart_gpu_hours",
    ];
    let shape = with(shape, &whole.map(|key| (key, "integer")));
    with(shape, &real.map(|key| (key, "number")))
}

fn tenant() -> Value {
    json!({
        "name": "string",
        "jobs": "integer",
        "finished": "integer",
        "gpu_hours": "number",
        "share": "number",
        "entitlement": "number",
        "contended_gpus": "number?",
        "energy_j": "integer?",
        "cost_usd": "number?",
        "carbon_g": "integer?",
        "wait_time": distribution("integer"),
    })
}

fn graphs() -> Value {
    json!({
        "count": "integer",
        "completed": "integer",
        "turnaround_time": distribution("integer"),
        "stretch": distribution("number"),
        "slowest": { "?": {
            "name": "string",
            "jobs": "integer",
            "turnaround_time": "integer",
            "critical_path_time": "integer",
            "stretch": "number",
            "critical_path": ["string"],
        } },
    })
}

/// What a site, a feed or all sites drew.
fn domain() -> Value {
    let whole = ["energy_j", "peak_w", "ramp_w", "rise_w", "over_cap_ws"];
    let known = ["rise_limit_w", "cap_w", "stranded_w"];
    let shape = with(json!({ "name": "string", "mean_w": "number" }), &whole.map(|key| (key, "integer")));
    with(with(shape, &known.map(|key| (key, "integer?"))), &[("load_factor", "number")])
}

fn power() -> Value {
    let joules = ["jobs_j", "idle_j", "overhead_j", "losses_j", "cooling_j", "all_over_cap_ws", "it_peak_w"];
    let real = ["it_mean_w", "gpu_hours_per_mwh", "work_gpu_hours_per_mwh"];
    let mut shape =
        with(with(domain(), &joules.map(|key| (key, "integer"))), &real.map(|key| (key, "number")));
    shape["sites"] = json!([domain()]);
    shape["feeds"] = json!([domain()]);
    shape
}

fn cost() -> Value {
    json!({
        "total_usd": "number",
        "energy_usd": "number",
        "demand_usd": "number",
        "nobody_usd": "number",
        "carbon_g": "integer",
        "dollars_per_mwh": "number",
        "grams_per_kwh": "number",
        "sites": [{
            "name": "string",
            "energy_usd": "number",
            "demand_usd": "number",
            "carbon_g": "integer",
            "grid_j": "integer",
            "grid_peak_w": "integer",
            "demand_w": ["number"],
            "charged_j": "integer",
            "discharged_j": "integer",
            "beyond_s": "integer",
        }],
    })
}

fn failures() -> Value {
    let parts = ["capacity", "failed", "planned", "reserve", "draining", "wanted", "idle", "useful"];
    let mut waterfall = each(parts, &json!("integer"));
    waterfall["lost"] = each(LossCause::ALL.map(LossCause::name), &json!("integer"));
    json!({
        "failures": "integer",
        "mean_time_between_s": "number?",
        "mean_time_to_repair_s": "number?",
        "interruptions": "integer",
        "planned_interruptions": "integer",
        "ettr": "number?",
        "availability": "number",
        "rack_availability": ["number"],
        "scheduling_goodput": "number",
        "runtime_goodput": "number",
        "components": [{
            "name": "string",
            "failures": "integer",
            "mean_time_between_s": "number?",
            "mean_time_to_repair_s": "number?",
            "node_hours_down": "number",
            "interruptions": "integer",
            "lost_gpu_hours": "number",
        }],
        "sizes": [{
            "name": "string",
            "jobs": "integer",
            "interruptions": "integer",
            "mean_time_to_failure_s": "number?",
            "ettr": "number?",
        }],
        "waterfall": waterfall,
        "over_time": each(["useful", "lost", "idle", "down"], &json!(["number"])),
    })
}

fn details() -> Value {
    let group = json!([{
        "name": "string",
        "wait_time": distribution("integer"),
        "turnaround_time": distribution("integer"),
        "wait_percentiles": ["integer"],
        "turnaround_percentiles": ["integer"],
    }]);
    let mut shape = each(["all", "by_size", "by_kind", "by_tenant", "by_platform"], &group);
    let more = json!({
        "waiting_gpu_hours": reasons("number"),
        "bucket": "integer",
        "queue": [{ "reason": "string", "jobs": ["number"], "gpus": ["number"] }],
        "tenants": [{ "name": "string?", "gpus": ["number"] }],
        "available_gpus": ["number"],
        "racks": { "rows": ["integer"], "shares": [["number"]] },
        "draw": [{
            "name": "string",
            "level": "string",
            "mean_w": ["number"],
            "peak_w": ["integer"],
            "cap_w": ["integer?"],
            "usd_mwh": ["number?"],
            "g_kwh": ["number?"],
        }],
        "percents": ["integer"],
        "longest_waits": [{
            "job": "string",
            "tenant": "string",
            "kind": "string",
            "gpus": "number",
            "submit_time": "integer",
            "start_time": "integer?",
            "outcome": "string",
            "wait_time": "integer",
            "reasons": reasons("integer"),
        }],
        "graphs": [{
            "name": "string",
            "jobs": "integer",
            "completed": "integer",
            "submit_time": "integer",
            "turnaround_time": "integer?",
            "critical_path_time": "integer",
            "stretch": "number?",
            "steps": [{
                "job": "string",
                "eligible_time": "integer?",
                "start_time": "integer?",
                "finish_time": "integer?",
                "outcome": "string",
            }],
        }],
    });
    if let (Some(own), Value::Object(more)) = (shape.as_object_mut(), more) {
        own.extend(more);
    }
    shape
}
