use super::evidence::{evidence_json, evidence_of, evidence_shape};
use super::fate::{fate, waited, without_wait};
use super::outlook;
use super::stops;
use super::words::{asks, clock, described, gpus, name};
use crate::experiment::{Change, Explained, Otherwise, Outlooks, Passer, Stretch, first_start};
use crate::history::{History, WaitReason};
use crate::metrics::tardiness;
use crate::report::answer;
use crate::report::lines::fitted;
use crate::report::number::{counted, grouped};
use crate::report::table;
use crate::units::{Seconds, Time};
use serde_json::{Value, json};

/// What there is to tell of how long a job waited.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The run, as a title.
    pub title: &'a str,
    /// What happened.
    pub history: &'a History,
    /// Why it waited.
    pub explained: &'a Explained,
    /// What would have come of something else; none: that was not asked.
    pub otherwise: Option<&'a [Otherwise]>,
    /// When it could expect to start; none: that was not asked.
    pub outlooks: Option<&'a Outlooks>,
}

/// Stretches that a table shows; of more, the longest.
const STRETCHES: usize = 16;
/// Jobs that are named one by one.
const NAMED: usize = 5;

/// Why a job waited, in at most `width` columns.
#[must_use]
pub fn job_text(told: &Told<'_>, width: u16) -> String {
    let mut text = format!("{}\n{}\n", told.title, head(told));
    let stretches = &told.explained.stretches;
    if stretches.is_empty() {
        text.push_str(&format!("\n{}\n", without_wait(told)));
    } else {
        text.push_str(&format!("\n{}", timeline(told, width)));
        text.push_str(&meanwhile(told));
    }
    if let Some(outlooks) = told.outlooks.filter(|outlooks| !outlooks.all.is_empty()) {
        text.push_str(&format!("\n{}", outlook::text(told.history, outlooks, width)));
    }
    if let Some(otherwise) = told.otherwise {
        text.push_str(&format!("\n{}", alternatives(told, otherwise, width)));
    }
    fitted(&text, width)
}

/// Which job it is, what it asks for, and what became of it.
fn head(told: &Told<'_>) -> String {
    let (history, job) = (told.history, told.explained.job);
    let workload = &history.plan.workload;
    let (own, record) = (&workload.jobs[job as usize], &history.jobs[job as usize]);
    let tenant = &workload.tenants[own.tenant as usize].name;
    let kind = workload.behaviour_of(job).kind.name();
    let mut text = format!(
        "{} of {tenant}: {kind}, {}; requests {} for {} of work\n",
        name(history, job),
        asks(history, workload.request_of(job)),
        own.requested_time,
        own.work_time
    );
    text.push_str(&format!("submitted {}", clock(history, own.submit_time)));
    if record.eligible_time == Time::NEVER {
        text.push_str(", never eligible");
    } else if record.eligible_time != own.submit_time {
        text.push_str(&format!(", eligible {}", clock(history, record.eligible_time)));
    }
    text.push_str(&fate(told));
    text.push_str(&stops::text(history, job));
    text
}

/// The stretches that are waiting: dependencies are not.
pub(super) fn waits<'a>(told: &Told<'a>) -> impl Iterator<Item = &'a Stretch> {
    told.explained.stretches.iter().filter(|stretch| stretch.waited.reason != WaitReason::Dependency)
}

fn timeline(told: &Told<'_>, width: u16) -> String {
    let stretches = &told.explained.stretches;
    let mut longest: Vec<usize> = (0..stretches.len()).collect();
    longest.sort_by_key(|place| (std::cmp::Reverse(stretches[*place].waited.seconds()), *place));
    let (shown, rest) = longest.split_at(longest.len().min(STRETCHES));
    let mut shown = shown.to_vec();
    shown.sort_unstable();
    let mut table = table::new(width, ["from", "to", "for", "reason", "what there is to show for it"]);
    for place in shown {
        let Stretch { waited, .. } = &stretches[place];
        let mut evidence = evidence_of(told.history, told.explained.job, &stretches[place]).into_iter();
        table.add_row([
            clock(told.history, waited.from),
            clock(told.history, waited.to),
            waited.seconds().to_string(),
            waited.reason.name().to_owned(),
            evidence.next().unwrap_or_default(),
        ]);
        let nothing = || [(); 4].map(|()| String::new());
        evidence.for_each(|why| {
            table.add_row(nothing().into_iter().chain([why]));
        });
    }
    table::right(&mut table, [2]);
    table::rigid(&mut table, 0..4);
    let mut text = table::text(&mut table);
    if !rest.is_empty() {
        let seconds: u32 = rest.iter().map(|place| stretches[*place].waited.seconds().0).sum();
        let count = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        let all = Seconds(seconds);
        text.push_str(&format!("and {} shorter ones, {all} in all (`--json` has them)\n", grouped(count)));
    }
    text
}

/// Which jobs ran in its place, and why they went first.
fn meanwhile(told: &Told<'_>) -> String {
    let history = told.history;
    let all: Vec<&Passer> = waits(told).flat_map(|stretch| &stretch.started).collect();
    let mut later: Vec<&&Passer> = all.iter().filter(|passer| !passer.came_first).collect();
    if all.is_empty() {
        return "\nNo other job started meanwhile where it may run.\n".to_owned();
    }
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let policy = history.plan.settings.policy();
    let sentence = format!(
        "Meanwhile {} started where it may run: {} had been eligible longer, {} came later and went first under {policy}.",
        counted(count(all.len()), "job"),
        grouped(count(all.len() - later.len())),
        grouped(count(later.len())),
    );
    let mut text = format!("\n{sentence}\n");
    let workload = &history.plan.workload;
    let milli = |job: u32| workload.request_of(job).gpus().milli();
    later.sort_by_key(|passer| (std::cmp::Reverse(milli(passer.job)), passer.start, passer.job));
    for passer in later.iter().take(NAMED) {
        let line = format!(
            "  {} at {}: {}",
            described(history, passer.job),
            clock(history, passer.start),
            why_first(history, passer.job, told.explained.job)
        );
        text.push_str(&format!("{line}\n"));
    }
    if later.len() > NAMED {
        text.push_str(&format!("  and {} more\n", grouped(count(later.len() - NAMED))));
    }
    text
}

/// What a job that went first has in its favour.
fn why_first(history: &History, first: u32, job: u32) -> String {
    let workload = &history.plan.workload;
    let (own, other) = (&workload.jobs[first as usize], &workload.jobs[job as usize]);
    let (few, many) = (workload.request_of(first).gpus(), workload.request_of(job).gpus());
    let mut facts = Vec::new();
    if own.priority > other.priority {
        facts.push(format!("priority {} against {}", own.priority, other.priority));
    }
    if few < many {
        facts.push(format!("{} against {many}", gpus(few.milli().into())));
    }
    if own.requested_time < other.requested_time {
        facts.push(format!("requests {} against {}", own.requested_time, other.requested_time));
    }
    if own.tenant != other.tenant {
        facts.push("another tenant".to_owned());
    }
    if facts.is_empty() { "as long and as large".to_owned() } else { facts.join(", ") }
}

/// What is otherwise, as a line of a table.
fn change_told(history: &History, job: u32, change: Change) -> String {
    let workload = &history.plan.workload;
    let own = &workload.jobs[job as usize];
    match change {
        Change::NoCaps => "no cap on power".to_owned(),
        Change::NoQuota => {
            let tenant = &workload.tenants[own.tenant as usize].name;
            let queue = workload.queue_of(job).map(|queue| &workload.queues[queue as usize].name);
            queue.map_or_else(
                || format!("no quota of {tenant}"),
                |queue| format!("no quota of {tenant} or queue {queue}"),
            )
        }
        Change::NoLimit => {
            format!("no limit of {}", workload.partitions[workload.request_of(job).partition as usize])
        }
        Change::HighestPriority => "the highest priority of all".to_owned(),
        Change::AnyShape => "pods of any size on any racks".to_owned(),
        Change::AnyPlatform => "any platform".to_owned(),
        Change::NoDependencies => "no dependencies".to_owned(),
        Change::ExactEstimate => format!("a request of its work, {}", own.work_time),
    }
}

fn alternatives(told: &Told<'_>, otherwise: &[Otherwise], width: u16) -> String {
    let (history, job) = (told.history, told.explained.job);
    if otherwise.is_empty() {
        return "Nothing of what it asks for and may use could be otherwise.\n".to_owned();
    }
    let before = first_start(history, job);
    let mut table = table::new(width, ["had it had", "it starts", "", "others wait"]);
    for own in otherwise {
        let start = own.start.map_or_else(|| "never".to_owned(), |start| clock(history, start));
        table.add_row([
            change_told(history, job, own.change),
            start,
            apart(before, own.start),
            others(own.others_wait),
        ]);
    }
    table::right(&mut table, [3]);
    table::text(&mut table)
        + &format!(
            "Each is a simulation of its own{}; others: what another job waits more or less.\n",
            if history.complete { "" } else { ", up to where the run was interrupted" }
        )
}

/// How much sooner or later.
pub(in crate::report) fn apart(before: Option<Time>, after: Option<Time>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if after < before => format!("{} sooner", before.since(after)),
        (Some(before), Some(after)) if after > before => format!("{} later", after.since(before)),
        (Some(_), Some(_)) | (None, None) => "the same".to_owned(),
        (None, Some(_)) => "at all".to_owned(),
        (Some(_), None) => "not at all".to_owned(),
    }
}

/// What that does to the mean wait of others.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for display, and small")]
pub(in crate::report) fn others(seconds: f64) -> String {
    let size = Seconds(seconds.abs().round() as u32);
    match seconds {
        _ if size.0 == 0 => "the same".to_owned(),
        less if less < 0.0 => format!("−{size}"),
        _ => format!("+{size}"),
    }
}

/// Why a job waited, for machines: times in seconds since the start, GPUs in GPUs.
#[must_use]
pub fn job_json(told: &Told<'_>) -> String {
    let (history, job) = (told.history, told.explained.job);
    let workload = &history.plan.workload;
    let (own, record) = (&workload.jobs[job as usize], &history.jobs[job as usize]);
    let known = |time: Time| Some(time.0).filter(|_| time != Time::NEVER);
    let stretches: Vec<Value> =
        told.explained.stretches.iter().map(|stretch| stretch_json(told, stretch)).collect();
    let otherwise = |otherwise: &[Otherwise]| -> Vec<Value> {
        let one = |own: &Otherwise| {
            json!({
                "change": own.change.name(),
                "what": change_told(history, job, own.change),
                "start_time": own.start.map(|start| start.0),
                "others_wait_s": own.others_wait,
            })
        };
        otherwise.iter().map(one).collect()
    };
    let all = json!({
        "run": told.title,
        "job": name(history, job),
        "tenant": workload.tenants[own.tenant as usize].name,
        "kind": workload.behaviour_of(job).kind.name(),
        "gpus": workload.request_of(job).gpus().as_f64(),
        "asks": asks(history, workload.request_of(job)),
        "submit_time": own.submit_time.0,
        "eligible_time": known(record.eligible_time),
        "start_time": first_start(history, job).map(|start| start.0),
        "finish_time": known(record.finish_time),
        "outcome": record.outcome.name(),
        "due_time": own.due_time().map(|due| due.0),
        "tardiness": tardiness(history, job).map(|late| late.0),
        "wait_time": waited(told).map(|waited| waited.0),
        "waited": stretches,
        "stopped": stops::json(history, job),
        "outlook": told.outlooks.map(|outlooks| outlook::json(history, outlooks)),
        "otherwise": told.otherwise.map(otherwise),
    });
    answer::text("explain", all)
}

fn stretch_json(told: &Told<'_>, stretch: &Stretch) -> Value {
    let history = told.history;
    let started: Vec<Value> = stretch
        .started
        .iter()
        .map(|own| json!({ "job": name(history, own.job), "start_time": own.start.0, "came_first": own.came_first }))
        .collect();
    json!({
        "from": stretch.waited.from.0,
        "to": stretch.waited.to.0,
        "seconds": stretch.waited.seconds().0,
        "reason": stretch.waited.reason.name(),
        "why": evidence_of(history, told.explained.job, stretch).join("; also, "),
        "evidence": evidence_json(history, &stretch.evidence),
        "elsewhere": stretch.elsewhere.iter().map(|other| evidence_json(history, other)).collect::<Vec<_>>(),
        "started": started,
    })
}

/// What an answer about a job looks like.
pub(in crate::report) fn job_shape() -> Value {
    json!({
        "run": "string",
        "job": "string",
        "tenant": "string",
        "kind": "string",
        "gpus": "number",
        "asks": "string",
        "submit_time": "integer",
        "eligible_time": "integer?",
        "start_time": "integer?",
        "finish_time": "integer?",
        "outcome": "string",
        "due_time": "integer?",
        "tardiness": "integer?",
        "wait_time": "integer?",
        "waited": [{
            "from": "integer",
            "to": "integer",
            "seconds": "integer",
            "reason": "string",
            "why": "string",
            "evidence": evidence_shape(),
            "elsewhere": [evidence_shape()],
            "started": [{ "job": "string", "start_time": "integer", "came_first": "boolean" }],
        }],
        "stopped": stops::shape(),
        "outlook": outlook::shape(),
        "otherwise": { "?": [{
            "change": "string",
            "what": "string",
            "start_time": "integer?",
            "others_wait_s": "number?",
        }] },
    })
}
