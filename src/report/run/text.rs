use super::{Run, power};
use crate::history::{Outcome, WaitReason};
use crate::metrics::{Distribution, GraphMetrics, Metrics, RecordedWaits, TenantMetrics};
use crate::report::number::{counted, grouped};
use crate::report::table;
use crate::units::Seconds;
use ratatui::text::Span;

/// Columns of the summary.
const WIDTH: usize = 80;
/// Lines of it.
const HEIGHT: usize = 40;
/// Tenants that are shown; of more, the ones with the most GPU-hours.
const TENANTS: usize = 7;
/// As many where power takes its lines.
const TENANTS_WITH_POWER: usize = 4;
/// Reasons that are shown.
const REASONS: usize = 5;
/// Most jobs that are named one by one.
const NAMED_MAX: usize = 5;

/// What people have to know beside the summary: the jobs that nothing left to happen can start, and why, the first few and
/// how many more; and how many jobs no number is about, since the run was over before they were submitted.
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
    lines
}

/// Width of the labels on the left.
const LABEL: usize = 15;
/// Columns of the sparkline.
const SPARKS: usize = 40;

/// The summary of a run for a person, at most 40 lines of 80 columns: jobs done and left, waiting by tenant,
/// utilization, the reasons for waiting, the slowest graph, and how to look further.
#[must_use]
pub fn summary(run: &Run<'_>, kept_in: Option<&str>) -> String {
    // Tenants and reasons give way to what there is to say about power and its cost.
    let shorter = |fewer: usize| lines(run, kept_in, fewer);
    let lines = (0..REASONS).map(shorter).find(|lines| lines.len() <= HEIGHT);
    let mut text = String::new();
    for line in lines.unwrap_or_else(|| shorter(REASONS)) {
        text.push_str(cut(line.trim_end(), WIDTH).as_str());
        text.push('\n');
    }
    text
}

/// The lines of a summary, with so many tenants and reasons fewer than might be shown.
fn lines(run: &Run<'_>, kept_in: Option<&str>, fewer: usize) -> Vec<String> {
    let metrics = &run.measured.metrics;
    let mut lines = head(run);
    lines.push(String::new());
    lines.extend(figures(metrics, is_whole(run)));
    lines.push(String::new());
    lines.extend(tenants(metrics, fewer));
    let reasons = reasons(metrics, fewer);
    if !reasons.is_empty() {
        lines.push(String::new());
        lines.extend(reasons);
    }
    if let Some(graphs) = &metrics.graphs {
        lines.push(String::new());
        lines.extend(slowest(graphs));
    }
    lines.push(String::new());
    lines.extend(further(run, kept_in));
    lines
}

/// The text, or its beginning and an ellipsis if it takes more than `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    let mut text = visible(text);
    if columns(&text) <= width {
        return text;
    }
    while columns(&text) > width.saturating_sub(1) {
        text.pop();
    }
    text + "…"
}

/// Columns that a text takes in a terminal; some signs take two, some none.
fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

/// A name as it may stand in a terminal: nothing in it ends a line, moves the cursor or turns the direction of writing.
fn visible(text: &str) -> String {
    let acts = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if acts(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:LABEL$}{text}")
}

fn percent(part: f64) -> String {
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
            counted(count(history.jobs.len()), "job"),
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

fn figures(metrics: &Metrics, is_whole: bool) -> Vec<String> {
    let outcomes = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Unfinished);
    let mut done: Vec<String> = outcomes
        .filter(|outcome| metrics.outcome(*outcome) > 0)
        .map(|outcome| format!("{} {}", grouped(u64::from(metrics.outcome(outcome))), outcome.name()))
        .collect();
    done.push(format!("{} left", grouped(u64::from(metrics.outcome(Outcome::Unfinished)))));
    let (wait, turnaround) = (&metrics.wait_time, &metrics.turnaround_time);
    let slowdown = &metrics.bounded_slowdown;
    let mut lines = vec![labelled("Jobs", &done.join(", "))];
    // How long jobs that are left will have waited, nobody knows.
    let (so_far, ended) = match wait.unfinished {
        0 => (String::new(), ""),
        count => (format!(" ({} unfinished, so far)", grouped(count)), ", of those that ended"),
    };
    if wait.count > 0 {
        lines.push(labelled("Wait", &format!("{}{so_far}", seconds(wait))));
    }
    lines.extend(metrics.recorded_waits.iter().flat_map(recorded_waits));
    if turnaround.count > 0 {
        lines.extend([
            labelled("Turnaround", &format!("{}{ended}", seconds(turnaround))),
            labelled(
                "Slowdown",
                &format!(
                    "p50 {:.1}, p95 {:.1}, mean {:.2}{ended}",
                    slowdown.p50, slowdown.p95, slowdown.mean
                ),
            ),
        ]);
    }
    lines.extend([
        labelled(
            "Utilization",
            &format!("{:8} {}", percent(metrics.utilization), sparkline(&metrics.series.utilization)),
        ),
        labelled(
            "Free GPUs",
            &format!(
                "{} of them on partly used nodes, {} in partly used racks",
                percent(metrics.fragmentation),
                percent(metrics.rack_fragmentation)
            ),
        ),
    ]);
    let cost = metrics.cost.as_ref();
    let power = metrics.power.iter().flat_map(|power| power::lines(power, cost, is_whole));
    lines.extend(power.map(|(label, text)| labelled(label, &text)));
    if metrics.preemptions + metrics.node_failures > 0 {
        let stops = format!(
            "{} by policy, {} by broken nodes; lost {:.1} GPU-hours, restarts {:.1}",
            grouped(u64::from(metrics.preemptions)),
            grouped(u64::from(metrics.node_failures)),
            metrics.lost_gpu_hours,
            metrics.restart_gpu_hours
        );
        lines.push(labelled("Stops", &stops));
    }
    lines
}

/// The three numbers that a distribution of times is told by.
fn seconds(times: &Distribution<u32>) -> String {
    let mean = Seconds(whole_seconds(times.mean));
    format!("p50 {}, p95 {}, mean {mean}", Seconds(times.p50), Seconds(times.p95))
}

/// How long jobs waited where the trace comes from, and how long the same ones waited here.
fn recorded_waits(waits: &RecordedWaits) -> Vec<String> {
    let not_started = match waits.not_started {
        0 => String::new(),
        count => format!("; {} not started", grouped(count)),
    };
    if waits.recorded.count == 0 {
        return vec![labelled("Recorded wait", &format!("of no job that started{not_started}"))];
    }
    let (jobs, recorded) = (counted(waits.recorded.count, "job"), seconds(&waits.recorded));
    vec![
        labelled("Recorded wait", &format!("{recorded}, of {jobs}{not_started}")),
        labelled("Simulated wait", &format!("{}, of the same", seconds(&waits.simulated))),
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
fn sparkline(shares: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = shares.len().div_ceil(SPARKS).max(1);
    let bar = |group: &[f64]| {
        let mean = group.iter().sum::<f64>() / f64::from(u32::try_from(group.len()).unwrap_or(1).max(1));
        BARS[usize::try_from(whole_seconds(mean * 7.0)).map_or(0, |height| height.min(7))]
    };
    shares.chunks(width).map(bar).collect()
}

fn tenants(metrics: &Metrics, fewer: usize) -> Vec<String> {
    let (tenants, with_power, with_cost) =
        (&metrics.tenants, metrics.power.is_some(), metrics.cost.is_some());
    let mut shown: Vec<&TenantMetrics> = tenants.iter().collect();
    let most = if with_power { TENANTS_WITH_POWER } else { TENANTS }.saturating_sub(fewer).max(2);
    if shown.len() > most {
        shown.sort_by(|a, b| b.gpu_hours.total_cmp(&a.gpu_hours));
        shown.truncate(most - 1);
    }
    let mut header = vec!["Tenant", "Jobs", "Ended", "GPU-hours", "Share", "Wait p50", "Wait p95"];
    header.extend(with_power.then_some("MWh"));
    header.extend(with_cost.then_some("Cost"));
    if with_cost {
        header.remove(2);
    }
    let mut table = table::new(u16::try_from(WIDTH).unwrap_or(u16::MAX), header.iter().copied());
    for tenant in &shown {
        let nobody = tenant.wait_time.count == 0;
        let waited = |time: u32| if nobody { "–".to_owned() } else { Seconds(time).to_string() };
        let mut row = vec![
            cut(&tenant.name, if with_power { 12 } else { 20 }),
            grouped(u64::from(tenant.jobs)),
            grouped(u64::from(tenant.finished)),
            format!("{:.1}", tenant.gpu_hours),
            percent(tenant.share),
            waited(tenant.wait_time.p50),
            waited(tenant.wait_time.p95),
        ];
        row.extend(with_power.then(|| power::megawatt_hours(tenant.energy_j.unwrap_or(0))));
        row.extend(with_cost.then(|| tenant.cost.unwrap_or_default().to_string()));
        if with_cost {
            // How many jobs ended takes the place of what was paid.
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
        WaitReason::Quota => "the tenant holds what it may",
        WaitReason::Limit => "the partition's jobs hold what they may",
        WaitReason::Capacity => "not enough GPUs are free",
        WaitReason::Shape => "enough are free, but not together",
        WaitReason::Power => "a feed has no headroom",
        WaitReason::Order => "others come first",
        WaitReason::Held => "held on purpose, or until a pass",
    }
}

fn reasons(metrics: &Metrics, fewer: usize) -> Vec<String> {
    let mut waited: Vec<(u64, WaitReason)> =
        WaitReason::ALL.map(|reason| (metrics.waited_for(reason), reason)).to_vec();
    let total: u64 = waited.iter().map(|(seconds, _)| *seconds).sum();
    waited.retain(|(seconds, _)| *seconds > 0);
    waited.sort_by_key(|(seconds, reason)| (std::cmp::Reverse(*seconds), *reason));
    waited.truncate(REASONS.saturating_sub(fewer).max(1));
    let line = |(seconds, reason): &(u64, WaitReason)| {
        let part = share(*seconds, total);
        let bar = "█".repeat(usize::try_from(whole_seconds(part * 16.0)).unwrap_or(0));
        format!("  {:LABEL$}{:>7}  {bar:16}  {}", reason.name(), percent(part), phrase(*reason))
    };
    let mut lines: Vec<String> = waited.iter().map(line).collect();
    if !lines.is_empty() {
        lines.insert(0, "Reasons for waiting, of all job-seconds between submission and running".to_owned());
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn slowest(graphs: &GraphMetrics) -> Vec<String> {
    let of_all = format!(
        "{} of {} completed",
        grouped(count(graphs.completed)),
        counted(count(graphs.count), "job graph")
    );
    let Some(graph) = &graphs.slowest else { return vec![labelled("Job graphs", &of_all)] };
    let (turnaround, ideal) = (graph.turnaround_time, graph.critical_path_time);
    let text = format!("{}, {} in {turnaround}", cut(&graph.name, 30), counted(count(graph.jobs), "job"));
    let path = format!("{ideal}; {:.2} times that in the end", graph.stretch);
    vec![
        labelled("Job graphs", &of_all),
        labelled("Slowest", &text),
        labelled("Critical path", &path),
        labelled("", &chain(&graph.critical_path, WIDTH - LABEL)),
    ]
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

fn further(run: &Run<'_>, kept_in: Option<&str>) -> Vec<String> {
    let mut lines = match kept_in {
        Some(directory) => vec![
            labelled(
                "Look further",
                &format!("{directory}/jobs.csv has a line a job, summary.json every number"),
            ),
            labelled("", "gigawatt list columns says what they mean"),
        ],
        None => vec![labelled("Look further", "--out DIR keeps a line a job and every number of this run")],
    };
    lines.extend(compare_command(&run.provenance.scenario).iter().map(|line| format!("  {line}")));
    lines
}

/// How to compare policies on the same scenario: to be copied, so that what takes too much room is left out whole.
fn compare_command(scenario: &[String]) -> Vec<String> {
    const POLICIES: &str = "-p fifo/none -p fifo/easy";
    let mut words = vec!["gigawatt compare".to_owned()];
    words.extend(scenario.iter().map(|word| quoted(word)));
    words.push(POLICIES.to_owned());
    let lines = folded(&words, WIDTH - 4);
    if lines.len() <= 2 && lines.iter().all(|line| line.chars().count() <= WIDTH - 2) {
        return lines;
    }
    vec![format!("gigawatt compare … {POLICIES}   (the same scenario)")]
}

/// A word as a shell takes it.
pub(in crate::report) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A command in lines of about `width` columns, as a shell takes it.
fn folded(words: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            line.push_str(" \\");
            lines.push(format!("  {word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
