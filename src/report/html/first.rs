//! The first screen: what happened, what limited the run, what to try.

use super::advice::advice;
use super::text::{Form, escaped, number, prose, real};
use super::{View, figures};
use crate::ensemble::Unit;
use crate::history::WaitReason;
use crate::report::number::counted;
use crate::report::run::text::phrase;
use crate::units::Seconds;

/// Reasons that are shown.
const REASONS: usize = 4;

/// The first screen of one run, or of several below a table of what matters most.
pub(super) fn screen(views: &[View<'_>]) -> String {
    let beside = if views.len() > 1 { figures::key_figures(views) } else { String::new() };
    let one = |view: &View<'_>| {
        let heading = if views.len() > 1 {
            format!("<h3 class=\"run\">{}</h3>", escaped(&view.label))
        } else {
            String::new()
        };
        format!(
            "<article class=\"first\">{heading}{}<div class=\"cards\">{}{}{}</div></article>\n",
            lead(view),
            happened(view),
            limited(view),
            to_try(view)
        )
    };
    beside + &views.iter().map(one).collect::<String>()
}

fn lead(view: &View<'_>) -> String {
    let history = view.history;
    let (cluster, settings) = (&history.plan.cluster, &history.plan.settings);
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let mut text = format!(
        "Policy <code>{}</code>, seed {}. {} over {} on {}: {} in {}.",
        escaped(&settings.policy()),
        settings.seed,
        counted(count(history.jobs.len()), "job"),
        Seconds(history.end.0),
        counted(cluster.gpus(), "GPU"),
        counted(u64::from(cluster.nodes()), "node"),
        counted(count(cluster.racks.len()), "rack"),
    );
    let window = view.measured.metrics.window;
    if settings.warm_up > 0 || settings.drain.is_some() {
        let (from, to) = (Seconds(window.from.0), Seconds(window.to.0));
        text.push_str(&format!(" Numbers are about {from} to {to}; plots over time show all of the run."));
    }
    if !history.complete {
        text.push_str(" <strong>Interrupted: all of this is about the part that was simulated.</strong>");
    }
    if let Some(epoch) =
        history.plan.workload.epoch.and_then(|epoch| jiff::Timestamp::from_second(epoch).ok())
    {
        text.push_str(&format!(" It starts at {epoch} (UTC)."));
    }
    format!("<p class=\"lead\">{text}</p>")
}

/// A figure in a card: its name, its value, and what else there is to say.
fn tile(name: &str, value: &str, more: &str) -> String {
    format!("<div class=\"tile\"><dt>{name}</dt><dd><b>{value}</b><span>{more}</span></dd></div>")
}

fn happened(view: &View<'_>) -> String {
    let summary = &view.summary;
    let of = |key: &str, form: Form| number(summary, key, form);
    let time = |key: &str| of(key, Form::Of(Unit::Seconds));
    let jobs = |key: &str| of(key, Form::Of(Unit::Jobs));
    let mut ends = vec![format!("of {} jobs", jobs("/jobs"))];
    for outcome in ["unfinished", "failed", "timeout", "cancelled", "rejected", "dependency-failed"] {
        let key = format!("/outcomes/{outcome}");
        if real(summary, &key) > 0.0 {
            ends.push(format!("{} {outcome}", jobs(&key)));
        }
    }
    let so_far = if real(summary, "/wait_time/unfinished") > 0.0 { ", so far" } else { "" };
    let mut tiles = vec![
        tile("Completed", &jobs("/outcomes/completed"), &ends.join(", ")),
        tile(
            "Wait, half of the jobs",
            &format!("≤ {}", time("/wait_time/p50")),
            &format!("95 %: ≤ {}, mean {}{so_far}", time("/wait_time/p95"), time("/wait_time/mean")),
        ),
        tile(
            "Turnaround, half of the jobs",
            &format!("≤ {}", time("/turnaround_time/p50")),
            &format!("95 %: ≤ {}, mean {}", time("/turnaround_time/p95"), time("/turnaround_time/mean")),
        ),
        tile(
            "Utilization",
            &of("/utilization", Form::Of(Unit::Share)),
            &format!(
                "{} of {} GPU-hours",
                of("/gpu_hours", Form::Hours),
                of("/available_gpu_hours", Form::Hours)
            ),
        ),
    ];
    if view.measured.metrics.power.is_some() {
        let watts = |key: &str| of(key, Form::Of(Unit::Watts));
        tiles.push(tile(
            "Energy",
            &of("/power/energy_j", Form::Of(Unit::Joules)),
            &format!("mean {}, peak {}", watts("/power/mean_w"), watts("/power/peak_w")),
        ));
    }
    if view.measured.metrics.cost.is_some() {
        tiles.push(tile(
            "Cost of energy",
            &of("/cost/total_usd", Form::Of(Unit::Dollars)),
            &format!("{} CO₂ equivalent", of("/cost/carbon_g", Form::Of(Unit::Grams))),
        ));
    }
    if view.measured.metrics.failures.is_some() {
        tiles.push(tile(
            "Effective time",
            &of("/failures/ettr", Form::Of(Unit::Share)),
            &format!(
                "{} failures, {} stops; {} of node-hours there",
                jobs("/failures/failures"),
                jobs("/failures/interruptions"),
                of("/failures/availability", Form::Of(Unit::Share))
            ),
        ));
    }
    if real(summary, "/preemptions") + real(summary, "/node_failures") > 0.0 {
        tiles.push(tile(
            "Stops",
            &jobs("/preemptions"),
            &format!(
                "by policy, {} by broken nodes; {} GPU-hours lost",
                jobs("/node_failures"),
                of("/lost_gpu_hours", Form::Hours)
            ),
        ));
    }
    format!("<section class=\"card\"><h3>What happened</h3><dl>{}</dl></section>", tiles.concat())
}

fn limited(view: &View<'_>) -> String {
    let key = |reason: WaitReason| format!("/details/waiting_gpu_hours/{}", reason.name());
    let hours = |reason: WaitReason| real(&view.summary, &key(reason));
    // Before a job is eligible it does not wait.
    let mut reasons = WaitReason::ALL.to_vec();
    reasons.retain(|reason| *reason != WaitReason::Dependency && hours(*reason) > 0.0);
    reasons.sort_by(|a, b| hours(*b).total_cmp(&hours(*a)).then(a.cmp(b)));
    let whole: f64 = reasons.iter().map(|reason| hours(*reason)).sum();
    reasons.truncate(REASONS);
    let row = |reason: &WaitReason| {
        let (name, hours) = (reason.name(), number(&view.summary, &key(*reason), Form::Hours));
        let part = hours_share(real(&view.summary, &key(*reason)), whole);
        format!(
            "<li><span class=\"name\"><b>{name}</b> {}</span><span class=\"hours\">{hours}</span>\
             <span class=\"meter\"><i class=\"{name}\" style=\"width:{part:.1}%\"></i></span></li>",
            phrase(*reason)
        )
    };
    let rows: String = reasons.iter().map(row).collect();
    let mut content = if rows.is_empty() {
        "<p>Nothing: no job ever waited.</p>".to_owned()
    } else {
        let lost = number(&view.summary, "/capacity_loss", Form::Of(Unit::Share));
        format!(
            "<p>GPU-hours: GPUs that jobs asked for × the time they waited.</p><ol class=\"reasons\">{rows}</ol>\
             <p>{lost} of all available GPU-hours were idle although waiting jobs asked for them.</p>"
        )
    };
    if hours(WaitReason::Dependency) > 0.0 {
        let before = number(&view.summary, &key(WaitReason::Dependency), Form::Hours);
        content
            .push_str(&format!("<p>Before jobs could wait, those they depend on took another {before}.</p>"));
    }
    format!("<section class=\"card\"><h3>What limited the run</h3>{content}</section>")
}

/// A part in percent.
fn hours_share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { 100.0 * part / whole } else { 0.0 }
}

fn to_try(view: &View<'_>) -> String {
    let row = |advice: super::advice::Advice| {
        format!(
            "<p>{}</p><div class=\"command\"><pre tabindex=\"0\"><code>{}</code></pre>\
             <button type=\"button\" data-copy>Copy</button></div>",
            prose(&advice.why),
            breakable(&advice.command)
        )
    };
    let found: String = advice(view).into_iter().map(row).collect();
    format!("<section class=\"card\"><h3>What to try</h3>{found}</section>")
}

/// A command that breaks between words, and not behind the hyphen of an option.
fn breakable(command: &str) -> String {
    let word = |word: &str| match word.starts_with('-') {
        true => format!("<span>{}</span>", escaped(word)),
        false => escaped(word),
    };
    command.split(' ').map(word).collect::<Vec<String>>().join(" ")
}
