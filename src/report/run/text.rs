use super::churn::churn;
use super::further::further;
use super::{Run, failures, power};
use crate::ensemble::{By, waits_by};
use crate::history::{Outcome, WaitReason};
use crate::metrics::{
    DeadlineMetrics, Distribution, Goodput, GraphMetrics, LossCause, Metrics, PlatformMetrics, RecordedWaits,
    TenantMetrics,
};
use crate::report::lines::{columns, cut, fitted, glued, hung, visible};
use crate::report::number::{counted, grouped};
use crate::report::table;
use crate::units::Seconds;

/// Columns that a summary is made for.
pub(super) const USUAL: usize = 80;
/// Tenants that are shown; of more, the ones with the most GPU-hours.
const TENANTS: usize = 7;
/// As many where power takes its lines.
const TENANTS_WITH_POWER: usize = 4;
/// Most jobs that are named one by one.
const NAMED_MAX: usize = 5;

/// What people have to know beside the summary: the jobs that nothing left to happen can start, and why, the first few and
/// how many more; how many jobs no number is about, since the run was over before they were submitted; and whether jobs were stopped
/// too often or too soon.
#[must_use]
pub fn remarks(run: &Run<'_>) -> Vec<String> {
    let names = &run.history.plan.workload.names;
    let line = |(job, reason): (u32, WaitReason)| {
        format!("nothing left to happen can start `{}`: {}", names.get(job as usize), reason.name())
    };
    let mut jobs = run.measured.stuck(run.history);
    let mut lines: Vec<String> = jobs.by_ref().take(NAMED_MAX).map(line).collect();
    let more = jobs.count();
    if more > 0 {
        lines.push(format!("nor {more} more"));
    }
    let later = run.measured.metrics.not_submitted;
    if later > 0 {
        let (jobs, verb) = (counted(u64::from(later), "job"), if later == 1 { "is" } else { "are" });
        lines.push(format!("{jobs} of the workload {verb} submitted after the end, and not counted"));
    }
    lines.extend(churn(run.history));
    lines
}

/// Width of the labels on the left.
pub(super) const LABEL: usize = 15;

/// How a run is told.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The directory that keeps it, if one does.
    pub kept_in: Option<&'a str>,
    /// Groups of jobs whose waits are told, if any.
    pub by: Option<By>,
    /// Columns that it may take, at least 40.
    pub width: u16,
}

impl Look<'_> {
    fn columns(&self) -> usize {
        usize::from(self.width)
    }
}

/// The summary of a run for a person: jobs done and left, waiting by tenant, utilization, the reasons for waiting, the
/// slowest graph, and how to look further.
#[must_use]
pub fn summary(run: &Run<'_>, look: &Look<'_>) -> String {
    let mut text = fitted(&(lines(run, look).join("\n") + "\n"), look.width);
    if let Some(by) = look.by {
        text.push_str(&format!("\n{}", groups(run, by, look.width)));
    }
    text
}

/// The lines of a summary.
fn lines(run: &Run<'_>, look: &Look<'_>) -> Vec<String> {
    let (metrics, width) = (&run.measured.metrics, look.columns());
    let mut lines = head(run);
    lines.push(String::new());
    lines.extend(figures(metrics, is_whole(run), width));
    lines.extend(churn(run.history).into_iter().flat_map(|text| labelled("", &text, width)));
    if let Some(own) = &metrics.failures {
        lines.push(String::new());
        let told = failures::lines(own).into_iter();
        lines.extend(told.flat_map(|(label, text)| labelled(label, &text, width)));
    }
    if !metrics.tenants.is_empty() {
        lines.push(String::new());
        lines.extend(tenants(metrics, look.width));
    }
    let reasons = reasons(metrics, width);
    if !reasons.is_empty() {
        lines.push(String::new());
        lines.extend(reasons);
    }
    if let Some(graphs) = &metrics.graphs {
        lines.push(String::new());
        lines.extend(slowest(graphs, width));
    }
    lines.push(String::new());
    lines.extend(further(run, look.kept_in, width));
    lines
}

/// How long the jobs of each group waited, as a table.
fn groups(run: &Run<'_>, by: By, width: u16) -> String {
    let name = match by {
        By::Gpus => "GPUs",
        By::Tenant => "Tenant",
        By::Kind => "Kind",
        By::Platform => "Platform",
    };
    let header = [name, "Jobs", "Wait mean", "p50", "p95", "p99", "max"];
    let groups = waits_by(by, run.history, run.measured);
    if groups.is_empty() {
        return fitted("No job counts, and there is nothing to tell by any group of them.\n", width);
    }
    let mut table = table::new(width, header);
    for group in groups {
        let waits = group.values.iter().map(|wait| Seconds(whole_seconds(*wait)).to_string());
        table.add_row([cut(&group.name, 24), grouped(group.jobs)].into_iter().chain(waits));
    }
    table::right(&mut table, 1..header.len());
    table::rigid(&mut table, 0..header.len());
    table::text(&mut table)
}

pub(super) fn labelled(label: &str, text: &str, width: usize) -> Vec<String> {
    hung(&format!("{label:LABEL$}"), text, width)
}

pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).expect("what is in memory is counted in 64 bits")
}

/// Whether all of the run counts, and all of its jobs.
const fn is_whole(run: &Run<'_>) -> bool {
    let settings = &run.history.plan.settings;
    settings.warm_up == 0 && settings.drain.is_none()
}

fn head(run: &Run<'_>) -> Vec<String> {
    let history = run.history;
    let (settings, cluster) = (&history.plan.settings, &history.plan.cluster);
    let mut head = vec![
        format!("{}: {}, seed {}", cut(&run.provenance.title, 50), settings.policy(), settings.seed),
        format!(
            "{} over {} on {}: {} in {}",
            jobs(run),
            Seconds(history.end.0),
            counted(cluster.gpus(), "GPU"),
            counted(u64::from(cluster.nodes()), "node"),
            counted(count(cluster.racks.len()), "rack"),
        ),
    ];
    let window = run.measured.metrics.window;
    if !is_whole(run) {
        let (from, to) = (Seconds(window.from.0), Seconds(window.to.0));
        head.push(format!(
            "Counted from {from} to {to} only: {}.",
            counted(u64::from(run.measured.metrics.jobs), "job")
        ));
    }
    if !history.complete {
        head.push("Interrupted: what follows is about the part that was simulated.".to_owned());
    }
    head
}

/// How many jobs there are, and how many of them came before the end.
fn jobs(run: &Run<'_>) -> String {
    let (all, later) = (count(run.history.jobs.len()), u64::from(run.measured.metrics.not_submitted));
    let of = if later > 0 { format!("{} of ", grouped(all.saturating_sub(later))) } else { String::new() };
    format!("{of}{}", counted(all, "job"))
}

fn figures(metrics: &Metrics, is_whole: bool, width: usize) -> Vec<String> {
    let outcomes = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Unfinished);
    let told = |count: u32, what: &str| glued(&format!("{} {what}", grouped(u64::from(count))));
    let mut done: Vec<String> = outcomes
        .filter(|outcome| metrics.outcome(*outcome) > 0)
        .map(|outcome| told(metrics.outcome(outcome), outcome.name()))
        .collect();
    done.push(told(metrics.outcome(Outcome::Unfinished), "left"));
    let (wait, turnaround) = (&metrics.wait_time, &metrics.turnaround_time);
    let labelled = |label: &str, text: &str| labelled(label, text, width);
    let mut lines = labelled("Jobs", &done.join(", "));
    // How long jobs that are left will have waited, nobody knows.
    let so_far = match wait.unfinished {
        0 => String::new(),
        count => format!(" ({} unfinished, so far)", grouped(count)),
    };
    if wait.count > 0 {
        lines.extend(labelled("Wait", &format!("{}{so_far}", seconds(wait))));
    }
    for (label, text) in metrics.recorded_waits.iter().flat_map(recorded_waits) {
        lines.extend(labelled(label, &text));
    }
    if turnaround.count > 0 {
        lines.extend(labelled("Turnaround", &seconds(turnaround)));
        lines.extend(labelled("Slowdown", &ratios(&metrics.bounded_slowdown)));
    }
    if let Some(own) = &metrics.deadlines {
        lines.extend(labelled("Deadlines", &deadlines(own)));
    }
    let over_time = sparkline(&metrics.series.utilization, width.saturating_sub(LABEL + 9));
    lines.push(format!("{:LABEL$}{:8} {over_time}", "Utilization", percent(metrics.utilization)));
    if let Some(packed) = metrics.packed {
        lines.extend(labelled("Packed", &format!("{} of the GPUs when it was fullest", percent(packed))));
    }
    if metrics.platforms.len() > 1 {
        lines.extend(labelled("Platforms", &platforms(&metrics.platforms)));
    }
    if metrics.goodput.lost() > 0.0 {
        lines.extend(labelled("Goodput", &goodput(&metrics.goodput)));
    }
    lines.extend(labelled(
        "Free GPUs",
        &format!(
            "{} of them on partly used nodes, {} in partly used racks",
            glued(&percent(metrics.fragmentation)),
            glued(&percent(metrics.rack_fragmentation))
        ),
    ));
    let power = metrics.power.iter().flat_map(|power| power::lines(power, metrics.cost.as_ref(), is_whole));
    lines.extend(power.flat_map(|(label, text)| labelled(label, &text)));
    if metrics.preemptions + metrics.node_failures > 0 {
        let [by_policy, by_nodes] = [metrics.preemptions, metrics.node_failures].map(u64::from).map(grouped);
        lines.extend(labelled("Stops", &format!("{by_policy} by policy, {by_nodes} by broken nodes")));
    }
    lines
}

/// The numbers that a distribution is told by, in this order everywhere.
fn statistics(mean: &str, [p50, p95, p99, max]: [String; 4]) -> String {
    let told = [("mean", mean), ("p50", &p50), ("p95", &p95), ("p99", &p99), ("max", &max)];
    told.map(|(name, value)| glued(&format!("{name} {value}"))).join(", ")
}

fn seconds(times: &Distribution<u32>) -> String {
    let ranks = [times.p50, times.p95, times.p99, times.max].map(|time| Seconds(time).to_string());
    statistics(&Seconds(whole_seconds(times.mean)).to_string(), ranks)
}

fn ratios(ratios: &Distribution<f64>) -> String {
    let ranks = [ratios.p50, ratios.p95, ratios.p99, ratios.max].map(|ratio| format!("{ratio:.1}"));
    statistics(&format!("{:.2}", ratios.mean), ranks)
}

/// How busy the GPUs of each platform are.
fn platforms(platforms: &[PlatformMetrics]) -> String {
    let told = |own: &PlatformMetrics| {
        let name = cut(&own.name, 24);
        glued(&format!("{name} {} of {}", percent(own.utilization), counted(own.gpus, "GPU")))
    };
    platforms.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// What of the GPU-hours did work that counts, and what became of the rest.
fn goodput(goodput: &Goodput) -> String {
    let causes = LossCause::ALL.iter().zip(goodput.lost_gpu_hours).filter(|(_, hours)| *hours > 0.0);
    let causes: Vec<String> =
        causes.map(|(cause, hours)| glued(&format!("{} {hours:.1}", cause.name()))).collect();
    let [share, lost] = [percent(goodput.share), format!("{:.1} GPU-hours", goodput.lost())];
    format!("{}; lost {}: {}", glued(&share), glued(&lost), causes.join(", "))
}

/// How many deadlines were met, and by how much others were not.
fn deadlines(own: &DeadlineMetrics) -> String {
    let share = own.share().map_or(String::new(), |share| format!(" ({})", percent(share)));
    let told = |count: u32, what: &str| glued(&format!("{} {what}", grouped(u64::from(count))));
    let mut text = format!("{}{}, {}", told(own.met, "met"), glued(&share), told(own.missed, "missed"));
    if own.open > 0 {
        text.push_str(&format!(", {}", told(own.open, "open")));
    }
    if own.tardiness.max > 0 {
        text.push_str(&format!("; late by {}", seconds(&own.tardiness)));
    }
    text
}

/// How long jobs waited where the trace comes from, and how long the same ones waited here.
fn recorded_waits(waits: &RecordedWaits) -> Vec<(&'static str, String)> {
    let not_started = match waits.not_started {
        0 => String::new(),
        count => format!("; {} not started", grouped(count)),
    };
    if waits.recorded.count == 0 {
        return vec![("Recorded wait", format!("of no job that started{not_started}"))];
    }
    let (jobs, recorded) = (counted(waits.recorded.count, "job"), seconds(&waits.recorded));
    vec![
        ("Recorded wait", format!("{recorded}, of {jobs}{not_started}")),
        ("Simulated wait", format!("{}, of the same", seconds(&waits.simulated))),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of 32-bit numbers, rounded"
)]
fn whole_seconds(seconds: f64) -> u32 {
    seconds.round() as u32
}

/// Shares 0..=1 as bars of eight heights, the mean of several where there are more than fit.
fn sparkline(shares: &[f64], room: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = shares.len().div_ceil(room.max(1)).max(1);
    let bar = |group: &[f64]| {
        let mean = group.iter().sum::<f64>() / f64::from(u32::try_from(group.len()).unwrap_or(1).max(1));
        BARS[usize::try_from(whole_seconds(mean * 7.0)).map_or(0, |height| height.min(7))]
    };
    shares.chunks(width).map(bar).collect()
}

fn tenants(metrics: &Metrics, width: u16) -> Vec<String> {
    let (tenants, with_power, with_cost) =
        (&metrics.tenants, metrics.power.is_some(), metrics.cost.is_some());
    let mut shown: Vec<&TenantMetrics> = tenants.iter().collect();
    let most = if with_power { TENANTS_WITH_POWER } else { TENANTS };
    if shown.len() > most {
        shown.sort_by(|a, b| b.gpu_hours.total_cmp(&a.gpu_hours));
        shown.truncate(most - 1);
    }
    let mut header = vec!["Tenant", "Jobs", "Ended", "GPU-hours", "Share", "Wait p50", "Wait p95"];
    header.extend(with_power.then_some("MWh"));
    header.extend(with_cost.then_some("Cost"));
    // How many jobs ended takes the place of what was paid.
    let without_ended = with_cost && usize::from(width) <= USUAL;
    if without_ended {
        header.remove(2);
    }
    let mut table = table::new(width, header.iter().copied());
    for tenant in &shown {
        let nobody = tenant.wait_time.count == 0;
        let waited = |time: u32| if nobody { "–".to_owned() } else { Seconds(time).to_string() };
        let mut row = vec![
            cut(&tenant.name, if with_power && usize::from(width) <= USUAL { 12 } else { 20 }),
            grouped(u64::from(tenant.jobs)),
            grouped(u64::from(tenant.finished)),
            format!("{:.1}", tenant.gpu_hours),
            percent(tenant.share),
            waited(tenant.wait_time.p50),
            waited(tenant.wait_time.p95),
        ];
        row.extend(with_power.then(|| power::megawatt_hours(tenant.energy_j.unwrap_or(0))));
        row.extend(with_cost.then(|| tenant.cost.unwrap_or_default().to_string()));
        if without_ended {
            row.remove(2);
        }
        table.add_row(row);
    }
    table::right(&mut table, 1..header.len());
    table::rigid(&mut table, 0..header.len());
    let mut lines: Vec<String> = table::text(&mut table).lines().map(str::to_owned).collect();
    if tenants.len() > shown.len() {
        lines.push(format!("and {}", counted(count(tenants.len() - shown.len()), "tenant more")));
    }
    lines
}

/// What a job waits for, in a few words.
pub(in crate::report) const fn phrase(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Dependency => "jobs it depends on are not done",
        WaitReason::Quota => "tenant or queue holds what it may",
        WaitReason::Limit => "the partition's jobs hold what they may",
        WaitReason::Capacity => "not enough GPUs are free",
        WaitReason::Shape => "enough are free, but not together",
        WaitReason::Power => "a feed has no headroom",
        WaitReason::Order => "others come first",
        WaitReason::Held => "held on purpose, or until a pass",
        WaitReason::Licence => "too few of a licence are left",
    }
}

fn reasons(metrics: &Metrics, width: usize) -> Vec<String> {
    let mut waited: Vec<(u64, WaitReason)> =
        WaitReason::ALL.map(|reason| (metrics.waited_for(reason), reason)).to_vec();
    let total: u64 = waited.iter().map(|(seconds, _)| *seconds).sum();
    waited.retain(|(seconds, _)| *seconds > 0);
    waited.sort_by_key(|(seconds, reason)| (std::cmp::Reverse(*seconds), *reason));
    let line = |(seconds, reason): &(u64, WaitReason)| {
        let part = share(*seconds, total);
        if width < USUAL {
            return hung(&format!("  {:11}{:>7}  ", reason.name(), percent(part)), phrase(*reason), width);
        }
        let whole = (width - 68).min(40);
        let bar = "█".repeat(usize::try_from(whole_seconds(part * real(whole))).unwrap_or(0));
        vec![format!("  {:LABEL$}{:>7}  {bar:whole$}  {}", reason.name(), percent(part), phrase(*reason))]
    };
    let mut lines: Vec<String> = waited.iter().flat_map(line).collect();
    if !lines.is_empty() {
        lines.insert(0, "Reasons for waiting, of all job-seconds between submission and running".to_owned());
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A small number.
fn real(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn slowest(graphs: &GraphMetrics, width: usize) -> Vec<String> {
    let of_all = format!(
        "{} of {} completed",
        grouped(count(graphs.completed)),
        counted(count(graphs.count), "job graph")
    );
    let Some(graph) = &graphs.slowest else { return labelled("Job graphs", &of_all, width) };
    let (turnaround, ideal) = (graph.turnaround_time, graph.critical_path_time);
    let text = format!("{}, {} in {turnaround}", cut(&graph.name, 30), counted(count(graph.jobs), "job"));
    let path = format!("{ideal}; {:.2} times that in the end", graph.stretch);
    let steps = chain(&graph.critical_path, width.max(USUAL) - LABEL);
    let told = [("Job graphs", &of_all), ("Slowest", &text), ("Critical path", &path), ("", &steps)];
    told.into_iter().flat_map(|(label, text)| labelled(label, text, width)).collect()
}

/// The names joined by arrows, those in the middle left out where there is no room.
fn chain(names: &[String], width: usize) -> String {
    let whole = visible(&names.join(" → "));
    let [first, .., last] = names else { return whole };
    if columns(&whole) <= width {
        return whole;
    }
    let left_out = names.len() - 2;
    format!("{} → ({left_out} more) → {}", cut(first, 20), cut(last, 20))
}
