//! What became of a job, in a line.

use super::job::{Told, waits};
use super::words::clock;
use crate::experiment::{Stretch, first_start};
use crate::history::{History, Outcome, SegmentEnd};
use crate::metrics::{deadline_is_open, tardiness};
use crate::units::{Seconds, Time};

/// What became of it: how long it waited before it started and later, and how it ended, or how it stood in the end.
pub(super) fn fate(told: &Told<'_>) -> String {
    let (history, job) = (told.history, told.explained.job);
    let (record, end) = (&history.jobs[job as usize], clock(history, history.end));
    let start = first_start(history, job);
    let seconds = |is_meant: &dyn Fn(&Stretch) -> bool| {
        Seconds(
            waits(told).filter(|stretch| is_meant(stretch)).map(|stretch| stretch.waited.seconds().0).sum(),
        )
    };
    let is_before = |stretch: &Stretch| start.is_none_or(|start| stretch.waited.from < start);
    let mut text = match (start, waited(told)) {
        (Some(start), _) => {
            format!(", started {} after waiting {}", clock(history, start), seconds(&is_before))
        }
        (None, Some(_)) => format!(", never started after waiting {}", seconds(&is_before)),
        (None, None) => ", never started".to_owned(),
    };
    let later = seconds(&|stretch| !is_before(stretch));
    if later > Seconds::ZERO {
        text.push_str(&format!(", waited {later} more after it had been stopped"));
    }
    let running = history.segments.iter().rev().find(|segment| segment.job == job);
    text.push_str(&match running {
        _ if record.finish_time != Time::NEVER => {
            format!(", {} at {}", became(record.outcome), clock(history, record.finish_time))
        }
        Some(segment) if segment.end == SegmentEnd::Open => format!(", still running at {end}"),
        _ if waited(told).is_some() => format!(", still waiting at {end}"),
        _ => format!(", not eligible by {end}"),
    });
    if !history.complete {
        text.push_str(", where the run was interrupted");
    }
    text.push_str(&deadline(history, job));
    text
}

/// How it stands with its deadline, as a line of its own; nothing where it has none.
fn deadline(history: &History, job: u32) -> String {
    let Some(due) = history.plan.workload.jobs[job as usize].due_time() else { return String::new() };
    let finish = history.jobs[job as usize].finish_time;
    let kept = match tardiness(history, job) {
        Some(Seconds::ZERO) if finish == due => "met to the second".to_owned(),
        Some(Seconds::ZERO) => format!("met with {} to spare", due.since(finish)),
        Some(late) => format!("missed by {late}"),
        None if deadline_is_open(history, job) => "still open".to_owned(),
        None => "missed".to_owned(),
    };
    format!("\ndeadline {}: {kept}", clock(history, due))
}

/// Of a job that waited for no second: why not.
pub(super) fn without_wait(told: &Told<'_>) -> String {
    let (history, job) = (told.history, told.explained.job);
    let (record, end) = (&history.jobs[job as usize], clock(history, history.end));
    let last = history.segments.iter().rev().find(|segment| segment.job == job).map(|segment| segment.end);
    let stopped = |by: &str| {
        format!("It was stopped by {by} at {end}, the last instant of the run, and waits from then on.")
    };
    match (record.outcome, last) {
        (Outcome::Unfinished, Some(SegmentEnd::Preempted)) => stopped("the policy"),
        (Outcome::Unfinished, Some(SegmentEnd::NodeDown)) => stopped("nodes that went down"),
        (Outcome::Unfinished, None) if record.eligible_time == history.end => {
            format!("It came at {end}, the last instant of the run, and waits from then on.")
        }
        (Outcome::Unfinished, None) if waited(told).is_none() => {
            "It was not eligible within the run.".to_owned()
        }
        (Outcome::Rejected, _) => "It was refused, and waited for nothing.".to_owned(),
        (Outcome::DependencyFailed, _) => {
            "It was never eligible: a job that it depends on did not succeed.".to_owned()
        }
        _ => "It waited for nothing.".to_owned(),
    }
}

/// How long it waited in all; none where it was never eligible.
pub(super) fn waited(told: &Told<'_>) -> Option<Seconds> {
    let record = &told.history.jobs[told.explained.job as usize];
    let was_eligible = record.eligible_time <= record.finish_time.min(told.history.end);
    was_eligible.then(|| Seconds(waits(told).map(|stretch| stretch.waited.seconds().0).sum()))
}

/// What an outcome says of a job.
const fn became(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Timeout => "stopped at its requested time",
        Outcome::DependencyFailed => "given up, since a job that it depends on did not succeed,",
        other => other.name(),
    }
}
