//! Every number that is about the whole run, run beside run.

use super::View;
use super::tables::{DOLLARS, GRAMS, JOBS, JOULES, RATIO, SHARE, TIME, WATTS, table};
use super::text::{Form, escaped, number, real};

/// A row of numbers: one a run.
struct Figure {
    name: &'static str,
    /// JSON pointer into `summary.json`.
    key: &'static str,
    form: Form,
    about: &'static str,
    /// Whether it matters enough to stand above all else beside other runs.
    key_figure: bool,
}

const fn figure(name: &'static str, key: &'static str, form: Form, about: &'static str) -> Figure {
    Figure { name, key, form, about, key_figure: false }
}
const fn key_figure(name: &'static str, key: &'static str, form: Form, about: &'static str) -> Figure {
    Figure { name, key, form, about, key_figure: true }
}

const WAIT: &str = "all time in which a job is eligible and not running";
const TURNAROUND: &str = "finish − submit, of jobs that completed, failed or timed out";
const SLOWDOWN: &str = "max(1, (wait + run) ÷ max(run, 10 s))";

/// Every number of a run; what a run has not has no row.
const FIGURES: &[Figure] = &[
    key_figure("Jobs", "/jobs", JOBS, "submitted in the window that counts"),
    key_figure("Completed", "/outcomes/completed", JOBS, "all their work was done"),
    key_figure("Unfinished", "/outcomes/unfinished", JOBS, "neither ended nor given up when the run ended"),
    figure("Failed", "/outcomes/failed", JOBS, "failed at the end of their work"),
    figure("Timeout", "/outcomes/timeout", JOBS, "stopped at their requested time"),
    figure("Cancelled", "/outcomes/cancelled", JOBS, "withdrawn before they started"),
    figure("Rejected", "/outcomes/rejected", JOBS, "no empty cluster could hold them"),
    figure("Dependency failed", "/outcomes/dependency-failed", JOBS, "a job they depend on did not succeed"),
    key_figure("Wait, mean", "/wait_time/mean", TIME, WAIT),
    key_figure("Wait, p50", "/wait_time/p50", TIME, WAIT),
    figure("Wait, p90", "/wait_time/p90", TIME, WAIT),
    key_figure("Wait, p95", "/wait_time/p95", TIME, WAIT),
    figure("Wait, p99", "/wait_time/p99", TIME, WAIT),
    figure("Wait, max", "/wait_time/max", TIME, WAIT),
    key_figure("Turnaround, mean", "/turnaround_time/mean", TIME, TURNAROUND),
    figure("Turnaround, p50", "/turnaround_time/p50", TIME, TURNAROUND),
    figure("Turnaround, p95", "/turnaround_time/p95", TIME, TURNAROUND),
    figure("Turnaround, p99", "/turnaround_time/p99", TIME, TURNAROUND),
    figure("Turnaround, max", "/turnaround_time/max", TIME, TURNAROUND),
    figure("Slowdown, mean", "/bounded_slowdown/mean", RATIO, SLOWDOWN),
    figure("Slowdown, p50", "/bounded_slowdown/p50", RATIO, SLOWDOWN),
    figure("Slowdown, p95", "/bounded_slowdown/p95", RATIO, SLOWDOWN),
    figure("Slowdown, p99", "/bounded_slowdown/p99", RATIO, SLOWDOWN),
    figure("Slowdown, max", "/bounded_slowdown/max", RATIO, SLOWDOWN),
    figure("Makespan", "/makespan", TIME, "last finish − first submit"),
    key_figure(
        "Utilization",
        "/utilization",
        SHARE,
        "GPU-seconds held ÷ GPU-seconds of nodes up or draining",
    ),
    figure(
        "Goodput",
        "/goodput/share",
        SHARE,
        "GPU-hours that did work which counts ÷ GPU-hours of nodes up or draining",
    ),
    figure("GPU-hours useful", "/goodput/useful_gpu_hours", Form::Hours, "held, less all that was lost"),
    figure(
        "Lost: preempted",
        "/goodput/lost_gpu_hours/preempted",
        Form::Hours,
        "work stopped by a policy that no checkpoint kept",
    ),
    figure(
        "Lost: node down",
        "/goodput/lost_gpu_hours/node-down",
        Form::Hours,
        "work stopped by a broken node that no checkpoint kept",
    ),
    figure(
        "Lost: restart",
        "/goodput/lost_gpu_hours/restart",
        Form::Hours,
        "held while jobs came back from a stop",
    ),
    figure(
        "Lost: detection",
        "/goodput/lost_gpu_hours/detection",
        Form::Hours,
        "held after something had failed, until that was seen",
    ),
    figure(
        "Lost: checkpoints",
        "/goodput/lost_gpu_hours/checkpoint",
        Form::Hours,
        "held while checkpoints were written, of work that was kept",
    ),
    figure(
        "Lost: failed",
        "/goodput/lost_gpu_hours/failed",
        Form::Hours,
        "held by jobs that failed, but for what is lost above",
    ),
    figure(
        "Lost: timeout",
        "/goodput/lost_gpu_hours/timeout",
        Form::Hours,
        "held by jobs stopped at their requested time, but for what is lost above",
    ),
    figure("Fragmentation", "/fragmentation", SHARE, "free GPUs on partly used nodes ÷ free GPUs"),
    figure("Rack fragmentation", "/rack_fragmentation", SHARE, "free GPUs in partly used racks ÷ free GPUs"),
    figure(
        "Capacity loss",
        "/capacity_loss",
        SHARE,
        "GPU-seconds idle though waiting jobs asked for them ÷ available",
    ),
    figure("GPU-hours held", "/gpu_hours", Form::Hours, "by jobs"),
    figure("GPU-hours available", "/available_gpu_hours", Form::Hours, "of nodes up or draining"),
    figure("Stops by policy", "/preemptions", JOBS, "times that a policy stopped a job"),
    figure("Stops by broken nodes", "/node_failures", JOBS, "times that a broken node stopped a job"),
    figure("GPU-hours lost", "/lost_gpu_hours", Form::Hours, "of work that no checkpoint kept"),
    figure("GPU-hours of restarts", "/restart_gpu_hours", Form::Hours, "held while no work was done"),
    figure("Failures", "/failures/failures", JOBS, "parts that failed"),
    figure("Interruptions", "/failures/interruptions", JOBS, "times that a failure stopped a job"),
    figure("Time between failures", "/failures/mean_time_between_s", TIME, "the window ÷ failures"),
    figure(
        "Time to repair",
        "/failures/mean_time_to_repair_s",
        TIME,
        "from when a failure was seen until its nodes were back, mean",
    ),
    key_figure(
        "Effective time",
        "/failures/ettr",
        SHARE,
        "seconds of work that was kept ÷ seconds from first start to end, of all jobs, by GPUs asked for",
    ),
    figure(
        "Availability of nodes",
        "/failures/availability",
        SHARE,
        "node-seconds up or draining ÷ those of nodes not absent as planned",
    ),
    figure(
        "Scheduling goodput",
        "/failures/scheduling_goodput",
        SHARE,
        "GPU-seconds held ÷ (held + free though waiting jobs asked for as many)",
    ),
    figure("Runtime goodput", "/failures/runtime_goodput", SHARE, "GPU-seconds useful ÷ held"),
    figure(
        "Jain index",
        "/jain_index",
        RATIO,
        "(Σx)² ÷ nΣx², x = GPUs held ÷ entitlement while n tenants contend",
    ),
    key_figure("Energy", "/power/energy_j", JOULES, "at the grid connections of all sites"),
    figure(
        "Site draw, mean",
        "/power/mean_w",
        WATTS,
        "at the grid connections of all sites, losses and cooling included",
    ),
    key_figure("Site draw, peak", "/power/peak_w", WATTS, "the highest draw of all sites together"),
    figure(
        "IT draw, mean",
        "/power/it_mean_w",
        WATTS,
        "of all racks, without losses of conversion and cooling",
    ),
    figure("IT draw, peak", "/power/it_peak_w", WATTS, "the highest draw of all racks together"),
    figure("Load factor", "/power/load_factor", SHARE, "mean ÷ peak"),
    figure("Ramp", "/power/ramp_w", WATTS, "largest change of the mean draw from one minute to the next"),
    figure(
        "Over caps",
        "/power/all_over_cap_ws",
        JOULES,
        "drawn above the caps of sites, feeds, racks and nodes",
    ),
    figure("GPU-hours held a MWh", "/power/gpu_hours_per_mwh", Form::Rate, "GPU-hours held ÷ energy"),
    figure(
        "Work a MWh",
        "/power/work_gpu_hours_per_mwh",
        Form::Rate,
        "GPU-hours of work on reference GPUs, of jobs completed ÷ energy",
    ),
    key_figure("Cost", "/cost/total_usd", DOLLARS, "of energy, and of the highest readings"),
    figure("Cost of energy", "/cost/energy_usd", DOLLARS, "∫ price × draw from the grid"),
    figure(
        "Cost of peaks",
        "/cost/demand_usd",
        DOLLARS,
        "the highest reading of each month × the demand price",
    ),
    figure(
        "Price paid ($/MWh)",
        "/cost/dollars_per_mwh",
        Form::Price,
        "cost of energy ÷ energy from the grid",
    ),
    key_figure("Carbon", "/cost/carbon_g", GRAMS, "CO₂ equivalent of the energy from the grid"),
    figure("Carbon intensity (g/kWh)", "/cost/grams_per_kwh", Form::Rate, "carbon ÷ energy from the grid"),
];

/// Rows that say nothing where they are zero in every run.
const SILENT: [&str; 19] = [
    "/outcomes/failed",
    "/outcomes/timeout",
    "/outcomes/cancelled",
    "/outcomes/rejected",
    "/outcomes/dependency-failed",
    "/preemptions",
    "/node_failures",
    "/lost_gpu_hours",
    "/goodput/lost_gpu_hours/preempted",
    "/goodput/lost_gpu_hours/node-down",
    "/goodput/lost_gpu_hours/restart",
    "/goodput/lost_gpu_hours/detection",
    "/goodput/lost_gpu_hours/checkpoint",
    "/goodput/lost_gpu_hours/failed",
    "/goodput/lost_gpu_hours/timeout",
    "/restart_gpu_hours",
    "/power/all_over_cap_ws",
    "/cost/demand_usd",
    "/jain_index",
];

fn rows(views: &[View<'_>], only_key: bool) -> Vec<&'static Figure> {
    let counts = |figure: &&Figure| {
        let is_there =
            |view: &View<'_>| view.summary.pointer(figure.key).is_some_and(serde_json::Value::is_number);
        let says = |view: &View<'_>| real(&view.summary, figure.key) != 0.0;
        let silent = SILENT.contains(&figure.key) && !views.iter().any(says);
        (!only_key || figure.key_figure) && views.iter().any(is_there) && !silent
    };
    FIGURES.iter().filter(counts).collect()
}

/// A cell beside the first run: the number and how much more or less that is.
fn beside(views: &[View<'_>], view: &View<'_>, figure: &Figure) -> String {
    let shown = number(&view.summary, figure.key, figure.form);
    let (own, first) = (real(&view.summary, figure.key), real(&views[0].summary, figure.key));
    if view.index == 0 || first == 0.0 || own - first == 0.0 {
        return shown;
    }
    format!("{shown} <small>{}</small>", crate::report::compare::percent(own / first - 1.0))
}

/// What matters most, run beside run.
pub(super) fn key_figures(views: &[View<'_>]) -> String {
    let header: Vec<&str> =
        std::iter::once("Measure").chain(views.iter().map(|view| view.label.as_str())).collect();
    let row = |figure: &'static Figure| {
        let cells = views.iter().map(|view| beside(views, view, figure));
        std::iter::once(figure.name.to_owned()).chain(cells).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = rows(views, true).into_iter().map(row).collect();
    table("Side by side; changes are against the first run", 1, &header, &rows)
}

/// Every number, run beside run, with its meaning.
pub(super) fn figures(views: &[View<'_>]) -> String {
    let labels = views.iter().map(|view| if views.len() > 1 { view.label.as_str() } else { "Value" });
    let header: Vec<&str> = std::iter::once("Measure").chain(labels).chain(["Meaning"]).collect();
    let row = |figure: &'static Figure| {
        let cells = views.iter().map(|view| beside(views, view, figure));
        let first = std::iter::once(figure.name.to_owned());
        first
            .chain(cells)
            .chain([format!("<span class=\"about\">{}</span>", escaped(figure.about))])
            .collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = rows(views, false).into_iter().map(row).collect();
    table("Every number of `summary.json` that is about the whole run", 1, &header, &rows)
}
