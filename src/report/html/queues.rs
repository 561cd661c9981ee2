//! Queues that lend to and borrow from each other.

use super::tables::table;
use super::text::{Form, escaped, number};
use super::{View, label_of};
use crate::ensemble::Unit;
use crate::metrics::Usage;

/// Queues that have a row.
const QUEUES: usize = 60;

/// What each queue may hold and held, each above those below it, which are set in.
pub(super) fn queues(views: &[View<'_>], view: &View<'_>) -> String {
    let all = view.queues;
    if all.is_empty() {
        return String::new();
    }
    let mut order: Vec<(Vec<u32>, usize)> =
        (0..all.len()).map(|index| (path(view, &all[index]), index)).collect();
    order.sort_unstable();
    order.truncate(QUEUES);
    let row = |(path, index): &(Vec<u32>, usize)| row(view, *index, path.len().saturating_sub(1));
    let rows: Vec<Vec<String>> = order.iter().map(row).collect();
    let header = [
        "Queue",
        "Jobs",
        "Nominal",
        "May hold",
        "Held",
        "Peak",
        "Borrowed",
        "Lent",
        "Starved",
        "Stopped",
        "Waits for",
    ];
    let left = all.len() - rows.len();
    let more = if left > 0 { format!("; {left} more are in summary.json") } else { String::new() };
    let caption = format!(
        "{}Queues: GPUs, held in the mean and at most; borrowed and lent, GPU-hours; stopped: by a policy{more}",
        label_of(views, view)
    );
    table(&caption, 1, &header, &rows)
}

/// The queues from the topmost one down to this.
fn path(view: &View<'_>, own: &Usage) -> Vec<u32> {
    let workload = &view.history.plan.workload;
    let place = (0..).zip(&workload.queues).find(|(_, queue)| queue.name == own.name);
    let mut path: Vec<u32> =
        place.map(|(queue, _)| workload.queues_above(queue).collect()).unwrap_or_default();
    path.reverse();
    path
}

fn row(view: &View<'_>, index: usize, depth: usize) -> Vec<String> {
    let own = &view.queues[index];
    let of = |key: &str, form| number(&view.summary, &format!("/queues/{index}/{key}"), form);
    let jobs = Form::Of(Unit::Jobs);
    let may_hold = if own.ceiling.is_none() { "all".to_owned() } else { of("ceiling", Form::Rate) };
    let longest = crate::history::WaitReason::ALL.into_iter().zip(own.waiting_seconds);
    let longest = longest.filter(|(_, seconds)| *seconds > 0).max_by_key(|(_, seconds)| *seconds);
    vec![
        format!("{}{}", "\u{a0}".repeat(4 * depth), escaped(&own.name)),
        of("jobs", jobs),
        of("entitled", Form::Rate),
        may_hold,
        of("held", Form::Rate),
        of("peak", Form::Rate),
        of("borrowed_gpu_hours", Form::Hours),
        of("lent_gpu_hours", Form::Hours),
        of("starved_seconds", Form::Of(Unit::Seconds)),
        of("preemptions", jobs),
        longest.map_or("–", |(reason, _)| reason.name()).to_owned(),
    ]
}
