//! When a job would start: as text and JSON.

use super::answer;
use super::explain::{apart, asks, clock, evidence_of, gpus, others};
use super::lines::fitted as in_lines;
use super::number::counted;
use super::table;
use crate::experiment::{Barrier, Fit, first_start};
use crate::history::{History, WaitReason};
use crate::units::{Seconds, Time};
use crate::workload::{JobLimit, JobLimits};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What was asked, and what came of it.
#[derive(Debug)]
pub struct Fitted<'a> {
    /// The scenario and its policy.
    pub title: String,
    /// The seeds that it met.
    pub seeds: &'a [u64],
    /// When it starts.
    pub fit: &'a Fit,
    /// What happened in the first of the seeds.
    pub first: &'a crate::experiment::First,
    /// What else it might ask for; none: that was not asked.
    pub others: Option<&'a [Variation]>,
}

/// Something else that a job might ask for, the least to give up first.
#[derive(Debug)]
pub struct Variation {
    /// What it is, as the options that say it.
    pub what: String,
    /// What came of it, or why it cannot be.
    pub fit: Result<Fit, String>,
    /// What it adds to the wait of another job in the first seed, seconds, in the mean.
    pub others_wait: f64,
}

impl Fitted<'_> {
    /// The least that has to be given up for it to start sooner.
    fn cheapest(&self) -> Option<&Variation> {
        let sooner = |other: &&Variation| other.fit.as_ref().is_ok_and(|fit| fit.is_sooner_than(self.fit));
        self.others?.iter().find(sooner)
    }
    fn history(&self) -> &History {
        &self.first.history
    }
}

/// When it would start, what stands in its way, and what would have it start sooner.
#[must_use]
pub fn text(fitted: &Fitted<'_>, width: u16) -> String {
    let (history, fit) = (fitted.history(), fitted.fit);
    let request = history.plan.workload.request_of(fitted.first.explained.job);
    let said = format!("{} at {}: {}", asks(history, request), clock(history, fit.submit), answer(fitted));
    let mut text = format!("{}\n{}\n", fitted.title, said);
    if let Some(place) = placed(fitted) {
        text.push_str(&place);
        text.push('\n');
    }
    let way = in_the_way(fitted);
    if !way.is_empty() {
        text.push_str(&format!("\n{way}"));
    }
    if let Some(others) = fitted.others.filter(|others| !others.is_empty()) {
        text.push_str(&format!("\n{}", variations(fitted, others, width)));
    }
    text.push_str("\nA simulation of what is known is no promise.\n");
    in_lines(&text, width)
}

/// When it starts, in a line or two.
fn answer(fitted: &Fitted<'_>) -> String {
    let (fit, seeds) = (fitted.fit, fitted.seeds.len());
    if fit.rejected == seeds {
        return format!("it never starts: {}.", barred(fitted));
    }
    if !fit.is_feasible() {
        let under = if seeds == 1 { String::new() } else { format!(", under none of {seeds} seeds") };
        return format!("it never starts{under}.");
    }
    let told = |wait: Option<Seconds>| wait.map_or_else(|| "never".to_owned(), |wait| wait.to_string());
    let start = |wait: Option<Seconds>| wait.map_or(Time::NEVER, |wait| fit.submit + wait);
    if seeds == 1 {
        let wait = fit.wait(100);
        return format!("it starts at {}, after {}.", clock(fitted.history(), start(wait)), told(wait));
    }
    let some = match fit.started() {
        all if all == seeds => String::new(),
        some => format!(" Under {} of {seeds} seeds it never starts.", seeds - some),
    };
    format!(
        "it starts after {} (p50 of {seeds} seeds), {} at the earliest and {} at the latest.{some}",
        told(fit.wait(50)),
        told(fit.wait(1)),
        told(fit.wait(100)),
    )
}

/// Why no empty cluster could hold it.
fn barred(fitted: &Fitted<'_>) -> String {
    let (plan, job) = (&fitted.history().plan, fitted.first.explained.job);
    let workload = &plan.workload;
    match Barrier::of(plan, job) {
        Some(Barrier::Quota(milli)) => {
            let tenant = &workload.tenants[workload.jobs[job as usize].tenant as usize].name;
            format!("{tenant} may hold {}", gpus(milli))
        }
        Some(Barrier::Queue(milli)) => {
            let queue = workload.queue_of(job).map_or("", |queue| &workload.queues[queue as usize].name);
            format!("the most that queue {queue} could hold is {}", gpus(milli))
        }
        Some(Barrier::Limit(milli)) => {
            let partition = &workload.partitions[workload.request_of(job).partition as usize];
            format!("the jobs of partition {partition} may hold {} together", gpus(milli))
        }
        Some(Barrier::Job(queue, limit)) => {
            let queue = &workload.queues[queue as usize];
            let most = most_of_a_job(queue.job_limits, limit);
            format!("a job of queue {} may have at most {most}", queue.name)
        }
        Some(Barrier::Licence(own, count)) => {
            format!("there are {count} of licence {}", plan.cluster.licences[own as usize].name)
        }
        Some(Barrier::Power) => "caps leave less power than it would draw on the empty cluster".to_owned(),
        _ => "no empty cluster could hold it".to_owned(),
    }
}

/// The most that limits allow a job.
pub(crate) fn most_of_a_job(limits: JobLimits, limit: JobLimit) -> String {
    match limit {
        JobLimit::Gpus => gpus(limits.gpus_milli.unwrap_or_default().into()),
        JobLimit::Time => limits.time.unwrap_or_default().to_string(),
        JobLimit::Priority => format!("priority {}", limits.priority.unwrap_or_default()),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The nodes that it starts on in the first of the seeds, by rack; none: it does not.
fn placement(fitted: &Fitted<'_>) -> BTreeMap<u32, BTreeSet<u32>> {
    let (history, job) = (fitted.history(), fitted.first.explained.job);
    let mut found: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let first = history.segments.iter().find(|segment| segment.job == job);
    let pieces = first.map_or(&[][..], |segment| history.pieces_of(segment));
    for node in pieces.iter().flat_map(|piece| piece.nodes()) {
        found.entry(history.plan.cluster.rack_of(node)).or_default().insert(node);
    }
    found
}

/// Where it starts, in a sentence.
fn placed(fitted: &Fitted<'_>) -> Option<String> {
    let history = fitted.history();
    let start = first_start(history, fitted.first.explained.job)?;
    let told = |(rack, nodes): (&u32, &BTreeSet<u32>)| {
        format!("{} of rack {rack}", counted(count(nodes.len()), "node"))
    };
    let racks = placement(fitted);
    // A job without GPUs may be on no node.
    if racks.is_empty() {
        return None;
    }
    let mut places: Vec<String> = racks.iter().take(RACKS).map(told).collect();
    if racks.len() > RACKS {
        places.push(format!("{} more", counted(count(racks.len() - RACKS), "rack")));
    }
    let seed = fitted.seeds[0];
    Some(format!("Under seed {seed} it starts at {} on {}.", clock(history, start), places.join(", ")))
}

/// Racks that are named one by one.
const RACKS: usize = 6;

/// What it waits for, over all seeds, and what there is to show for it in the first.
fn in_the_way(fitted: &Fitted<'_>) -> String {
    let fit = fitted.fit;
    let total: u64 = fit.reasons.iter().sum();
    if total == 0 {
        return String::new();
    }
    let mut reasons: Vec<(u64, WaitReason)> =
        fit.reasons.iter().copied().zip(WaitReason::ALL).filter(|(seconds, _)| *seconds > 0).collect();
    reasons.sort_by_key(|(seconds, _)| std::cmp::Reverse(*seconds));
    let told: Vec<String> = reasons
        .iter()
        .map(|(seconds, reason)| format!("{} {} %", reason.name(), seconds * 100 / total))
        .collect();
    let mut lines = vec![format!("In its way: {}.", told.join(", "))];
    let first = fitted.first.explained.stretches.iter().max_by_key(|stretch| stretch.waited.seconds());
    if let Some(stretch) = first {
        let mut all = evidence_of(fitted.history(), fitted.first.explained.job, stretch).into_iter();
        let shown = all.next().unwrap_or_default();
        let seed = fitted.seeds[0];
        let (from, to) = (stretch.waited.from, stretch.waited.to);
        let sentence = format!(
            "Longest under seed {seed}: {} from {} to {}: {shown}.",
            stretch.waited.reason.name(),
            clock(fitted.history(), from),
            clock(fitted.history(), to)
        );
        lines.push(sentence);
        lines.extend(all.map(|other| format!("Also {other}.")));
    }
    lines.join("\n") + "\n"
}

fn variations(fitted: &Fitted<'_>, others_asked: &[Variation], width: u16) -> String {
    let mut table = table::new(width, ["with", "starts after", "", "others wait"]);
    let usual = fitted.fit.wait(50);
    let after = |wait: Option<Seconds>| wait.map(|wait| Time::ZERO + wait);
    for other in others_asked {
        match &other.fit {
            Ok(fit) => {
                let wait = fit.wait(50);
                let told = wait.map_or_else(|| "never".to_owned(), |wait| wait.to_string());
                table.add_row([
                    other.what.clone(),
                    told,
                    apart(after(usual), after(wait)),
                    others(other.others_wait),
                ]);
            }
            Err(problem) => {
                table.add_row([other.what.clone(), "–".to_owned(), problem.clone(), String::new()]);
            }
        }
    }
    table::right(&mut table, [1, 3]);
    let best = match fitted.cheapest() {
        Some(best) => format!("The least to give up for an earlier start: {}.\n", best.what),
        None => "None of these has it start sooner.\n".to_owned(),
    };
    format!("{}{best}", table::text(&mut table))
}

/// The same for machines: times in seconds since the start.
#[must_use]
pub fn json(fitted: &Fitted<'_>) -> String {
    let (history, fit) = (fitted.history(), fitted.fit);
    let own = &fitted.first.explained;
    let waits = |fit: &Fit| {
        json!({
            "start_times": fit.starts.iter().map(|start| start.map(|start| start.0)).collect::<Vec<_>>(),
            "started": fit.started(),
            "rejected": fit.rejected,
            "wait_s": {
                "min": fit.wait(1).map(|wait| wait.0),
                "p50": fit.wait(50).map(|wait| wait.0),
                "p95": fit.wait(95).map(|wait| wait.0),
                "max": fit.wait(100).map(|wait| wait.0),
            },
        })
    };
    let reasons: serde_json::Map<String, Value> = WaitReason::ALL
        .iter()
        .zip(fit.reasons)
        .map(|(reason, seconds)| (reason.name().to_owned(), json!(seconds)))
        .collect();
    let stretch = |stretch: &crate::experiment::Stretch| {
        json!({
            "from": stretch.waited.from.0,
            "to": stretch.waited.to.0,
            "reason": stretch.waited.reason.name(),
            "why": evidence_of(history, own.job, stretch).join("; also, "),
        })
    };
    let other = |other: &Variation| match &other.fit {
        Ok(fit) => json!({ "with": other.what, "fit": waits(fit), "others_wait_s": other.others_wait }),
        Err(problem) => json!({ "with": other.what, "problem": problem }),
    };
    let all = json!({
        "scenario": fitted.title,
        "asks": asks(history, history.plan.workload.request_of(own.job)),
        "at": fit.submit.0,
        "seeds": fitted.seeds,
        "feasible": fit.is_feasible(),
        "fit": waits(fit),
        "barred_by": Barrier::of(&history.plan, own.job).map(Barrier::name),
        "reasons_s": reasons,
        "first": {
            "start_time": first_start(history, own.job).map(|start| start.0),
            "placement": placement(fitted)
                .into_iter()
                .map(|(rack, nodes)| json!({ "rack": rack, "nodes": nodes }))
                .collect::<Vec<_>>(),
            "waited": own.stretches.iter().map(stretch).collect::<Vec<_>>(),
        },
        "otherwise": fitted.others.map(|others| others.iter().map(other).collect::<Vec<_>>()),
        "cheapest": fitted.cheapest().map(|other| other.what.as_str()),
        "note": "a simulation of what is known is no promise",
    });
    answer::text("fit", all)
}

/// What an answer looks like.
pub(super) fn shape() -> Value {
    let fit = json!({
        "start_times": ["integer?"],
        "started": "integer",
        "rejected": "integer",
        "wait_s": { "min": "integer?", "p50": "integer?", "p95": "integer?", "max": "integer?" },
    });
    json!({
        "scenario": "string",
        "asks": "string",
        "at": "integer",
        "seeds": ["integer"],
        "feasible": "boolean",
        "fit": fit.clone(),
        "barred_by": "string?",
        "reasons_s": answer::each(WaitReason::ALL.map(WaitReason::name), &json!("integer")),
        "first": {
            "start_time": "integer?",
            "placement": [{ "rack": "integer", "nodes": ["integer"] }],
            "waited": [{ "from": "integer", "to": "integer", "reason": "string", "why": "string" }],
        },
        "otherwise": { "?": [{ "|": [
            { "with": "string", "fit": fit, "others_wait_s": "number?" },
            { "with": "string", "problem": "string" },
        ] }] },
        "cheapest": "string?",
        "note": "string",
    })
}
