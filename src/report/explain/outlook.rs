//! When a job could expect to start, and what moved that: as text and JSON.

use super::job::apart;
use super::words::{clock, name};
use crate::experiment::{Outlook, Outlooks, Surprise};
use crate::history::History;
use crate::report::number::{counted, grouped};
use crate::report::table;
use crate::units::Time;
use serde_json::{Value, json};

/// Lines of the table; of more, the first and the last.
const ROWS: usize = 12;
/// Events that are told one by one.
const NAMED: usize = 3;

/// Its outlook, instant by instant; nothing of a job that did not wait to start.
pub(super) fn text(history: &History, outlooks: &Outlooks, width: u16) -> String {
    let all = &outlooks.all;
    if all.is_empty() {
        return String::new();
    }
    let mut table = table::new(width, ["known at", "it would start", "", "since then"]);
    let left_out = all.len().saturating_sub(ROWS);
    for (place, own) in all.iter().enumerate() {
        if left_out > 0 && place == ROWS / 2 {
            table.add_row([
                "…".to_owned(),
                format!("{} more", grouped(left_out as u64)),
                String::new(),
                String::new(),
            ]);
        }
        if left_out > 0 && (ROWS / 2..ROWS / 2 + left_out).contains(&place) {
            continue;
        }
        let before = place.checked_sub(1).map(|before| all[before].start);
        let start = own.start.map_or_else(|| unknown(history), |start| clock(history, start));
        let moved = before.map_or_else(String::new, |before| apart(before, own.start));
        table.add_row([clock(history, own.at), start, moved, happened(history, own)]);
    }
    table::rigid(&mut table, 0..3);
    let looked = match outlooks.of - outlooks.looked {
        0 => "every instant at which something happened that nobody could know before".to_owned(),
        _ => format!(
            "{} of {} at which something happened that nobody could know before",
            grouped(outlooks.looked as u64),
            counted(outlooks.of as u64, "instant")
        ),
    };
    format!(
        "{}Each is a simulation of what was known then: the jobs that had come, each as long as it requested, and what had \
         been announced; {looked}.\n",
        table::text(&mut table)
    )
}

/// Of a job that does not start as far as is known.
fn unknown(history: &History) -> String {
    match history.plan.settings.until {
        Some(until) => format!("not by {}", clock(history, Time(until))),
        None => "never".to_owned(),
    }
}

/// What moved it.
fn happened(history: &History, outlook: &Outlook) -> String {
    let told: Vec<String> = outlook.since.iter().take(NAMED).map(|own| surprise(history, *own)).collect();
    let more = match outlook.since.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; {} more", grouped(more as u64)),
    };
    told.join("; ") + &more
}

fn surprise(history: &History, surprise: Surprise) -> String {
    match surprise {
        Surprise::EndedSooner { job, by } => {
            format!("{} ended {by} of work before its request", name(history, job))
        }
        Surprise::Overran { job } => format!("{} took longer than it requested", name(history, job)),
        Surprise::Withdrawn { job } => format!("{} was withdrawn", name(history, job)),
        Surprise::Broke { job } => format!("a node broke under {}", name(history, job)),
        Surprise::Capacity => "nodes changed, or were announced to".to_owned(),
        Surprise::Power => "power was curtailed, or was announced to be".to_owned(),
        Surprise::Came { job } => format!("{} came", name(history, job)),
    }
}

/// The same for machines.
pub(super) fn json(history: &History, outlooks: &Outlooks) -> Value {
    let since = |own: &Surprise| {
        let (what, job) = match *own {
            Surprise::EndedSooner { job, .. } => ("ended-sooner", Some(job)),
            Surprise::Overran { job } => ("overran", Some(job)),
            Surprise::Withdrawn { job } => ("withdrawn", Some(job)),
            Surprise::Broke { job } => ("node-broke", Some(job)),
            Surprise::Capacity => ("capacity", None),
            Surprise::Power => ("power", None),
            Surprise::Came { job } => ("came", Some(job)),
        };
        json!({ "what": what, "job": job.map(|job| name(history, job)), "why": surprise(history, *own) })
    };
    let one = |own: &Outlook| {
        json!({
            "at": own.at.0,
            "start_time": own.start.map(|start| start.0),
            "since": own.since.iter().map(since).collect::<Vec<_>>(),
        })
    };
    json!({
        "all": outlooks.all.iter().map(one).collect::<Vec<_>>(),
        "looked": outlooks.looked,
        "of": outlooks.of,
    })
}

/// What an answer looks like.
pub(super) fn shape() -> Value {
    json!({ "?": {
        "all": [{
            "at": "integer",
            "start_time": "integer?",
            "since": [{ "what": "string", "job": "string?", "why": "string" }],
        }],
        "looked": "integer",
        "of": "integer",
    } })
}
