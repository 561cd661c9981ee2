//! When a job was stopped, by what or for which other, what that took, and when it ran again.

use super::words::{clock, described, name};
use crate::history::{FailureRecord, History, SegmentEnd};
use crate::metrics::{Stop, stops_of};
use crate::report::places::{component_name, place};
use crate::units::{Seconds, Time};
use serde_json::{Value, json};

/// Stops that are told one by one; of more, the first.
const NAMED: usize = 5;

/// When it stopped.
fn time(history: &History, stop: &Stop) -> Time {
    history.segments[stop.segment as usize].to
}

fn failure<'a>(history: &'a History, stop: &Stop) -> Option<&'a FailureRecord> {
    stop.failure.map(|failure| &history.failures[failure as usize])
}

/// A line for each stop; nothing where there was none.
pub(super) fn text(history: &History, job: u32) -> String {
    let stops = stops_of(history, job);
    let priority = |job: u32| history.plan.workload.jobs[job as usize].priority;
    let told = |stop: &Stop| {
        let at = clock(history, time(history, stop));
        match history.yielded_to(stop.segment) {
            Some(to) if went_on(history, stop) => {
                format!("\nmoved {at} for {}, and went on elsewhere at once", described(history, to))
            }
            Some(to) if priority(to) != priority(job) => {
                let (higher, lower) = (priority(to), priority(job));
                format!("\nstopped {at} for {}, of priority {higher} over {lower}", described(history, to))
            }
            Some(to) => format!("\nstopped {at} for {}", described(history, to)),
            None if is_broken(history, stop) => {
                format!("\nstopped {at} {}{}", broken(history, stop), toll(history, stop))
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

/// Whether it went on elsewhere at the same instant: it was moved.
fn went_on(history: &History, stop: &Stop) -> bool {
    stop.again == Some(time(history, stop))
}

fn is_broken(history: &History, stop: &Stop) -> bool {
    history.segments[stop.segment as usize].end == SegmentEnd::NodeDown
}

/// What failed, and how soon that was seen.
fn broken(history: &History, stop: &Stop) -> String {
    let Some(failure) = failure(history, stop) else { return "as its nodes went down".to_owned() };
    let seen = failure.detected.since(failure.time);
    let seen = if seen > Seconds::ZERO { format!(", seen {seen} later") } else { String::new() };
    let (name, place) = (component_name(history, failure), place(history, failure));
    format!("as {name} of {place} failed {}{seen}", clock(history, failure.time))
}

/// What was lost, and when it ran again.
fn toll(history: &History, stop: &Stop) -> String {
    let lost = match stop.lost {
        Seconds::ZERO => "no work lost".to_owned(),
        lost => format!("{lost} of work lost"),
    };
    let again = stop.again.map_or_else(
        || "never ran again".to_owned(),
        |again| format!("ran again {} later", again.since(time(history, stop))),
    );
    format!("; {lost}; {again}")
}

pub(super) fn json(history: &History, job: u32) -> Vec<Value> {
    let failed = |failure: &FailureRecord| {
        json!({
            "time": failure.time.0,
            "detected": failure.detected.0,
            "component": component_name(history, failure),
            "place": place(history, failure),
        })
    };
    let told = |stop: &Stop| {
        json!({
            "time": time(history, stop).0,
            "reason": history.segments[stop.segment as usize].end.name(),
            "for": history.yielded_to(stop.segment).map(|to| name(history, to)),
            "went_on": went_on(history, stop),
            "failure": failure(history, stop).map(failed),
            "lost_s": stop.lost.0,
            "again": stop.again.map(|again| again.0),
        })
    };
    stops_of(history, job).iter().map(told).collect()
}

pub(super) fn shape() -> Value {
    json!([{
        "time": "integer",
        "reason": "string",
        "for": "string?",
        "went_on": "boolean",
        "failure": { "?": {
            "time": "integer",
            "detected": "integer",
            "component": "string",
            "place": "string",
        } },
        "lost_s": "integer",
        "again": "integer?",
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;

    #[test]
    fn an_interruption_tells_what_failed_and_what_that_took() {
        let mut history = sample::failing();
        let expected = "\nstopped 00:02:00 as gpu of node 1 failed 00:01:40, seen 20s later; 20s of work lost; ran again 10s later";
        assert_eq!(text(&history, 0), expected);
        let told = &json(&history, 0)[0];
        assert_eq!(
            (&told["failure"]["place"], &told["lost_s"], &told["again"]),
            (&json!("node 1"), &json!(20), &json!(130))
        );
        history.failures.clear();
        history.segments.truncate(2);
        history.pieces.truncate(2);
        let expected = "\nstopped 00:02:00 as its nodes went down; 20s of work lost; never ran again";
        assert_eq!(text(&history, 0), expected);
    }
}
