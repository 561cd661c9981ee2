//! When a job was stopped, and for which other.

use super::words::{clock, described, name};
use crate::history::{History, Segment, SegmentEnd};
use serde_json::{Value, json};

/// Stops that are told one by one; of more, the first.
const NAMED: usize = 5;

/// A stop of a job.
struct Stop<'a> {
    segment: &'a Segment,
    /// The job that started instead, where it was for one.
    to: Option<u32>,
    /// Whether it went on elsewhere at the same instant: it was moved.
    went_on: bool,
}

fn of(history: &History, job: u32) -> Vec<Stop<'_>> {
    let stopped = |segment: &Segment| segment.end.is_stop();
    let own = (0..).zip(&history.segments).filter(|(_, segment)| segment.job == job && stopped(segment));
    let goes_on = |stopped: &Segment| {
        let next = history.segments.iter().find(|own| own.job == job && own.from >= stopped.to);
        next.is_some_and(|next| next.from == stopped.to)
    };
    own.map(|(index, segment)| Stop { segment, to: history.yielded_to(index), went_on: goes_on(segment) })
        .collect()
}

/// A line for each stop; nothing where there was none.
pub(super) fn text(history: &History, job: u32) -> String {
    let stops = of(history, job);
    let priority = |job: u32| history.plan.workload.jobs[job as usize].priority;
    let told = |stop: &Stop<'_>| {
        let at = clock(history, stop.segment.to);
        match stop.to {
            Some(to) if stop.went_on => {
                format!("\nmoved {at} for {}, and went on elsewhere at once", described(history, to))
            }
            Some(to) if priority(to) != priority(job) => {
                let (higher, lower) = (priority(to), priority(job));
                format!("\nstopped {at} for {}, of priority {higher} over {lower}", described(history, to))
            }
            Some(to) => format!("\nstopped {at} for {}", described(history, to)),
            None if stop.segment.end == SegmentEnd::NodeDown => {
                format!("\nstopped {at} as its nodes went down")
            }
            None => format!("\nstopped {at} by the policy"),
        }
    };
    let mut text: String = stops.iter().take(NAMED).map(told).collect();
    if stops.len() > NAMED {
        text.push_str(&format!("\nand {} more times (`--json` has them)", stops.len() - NAMED));
    }
    text
}

pub(super) fn json(history: &History, job: u32) -> Vec<Value> {
    let told = |stop: &Stop<'_>| {
        json!({
            "time": stop.segment.to.0,
            "reason": stop.segment.end.name(),
            "for": stop.to.map(|to| name(history, to)),
            "went_on": stop.went_on,
        })
    };
    of(history, job).iter().map(told).collect()
}

pub(super) fn shape() -> Value {
    json!([{ "time": "integer", "reason": "string", "for": "string?", "went_on": "boolean" }])
}
