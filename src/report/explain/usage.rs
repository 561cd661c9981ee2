use super::words::gpus;
use crate::history::{History, WaitReason};
use crate::metrics::{JobTimes, PlatformUsage, Usage, held_by_platform, usage_of_queues};
use crate::report::answer;
use crate::report::lines::fitted;
use crate::report::number::{counted, grouped, significant};
use crate::report::table;
use crate::state::quota::Tree;
use crate::units::Seconds;
use crate::workload::JobLimits;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What every queue that has jobs may hold and held, given what was measured of each job.
#[must_use]
pub fn queues(history: &History, measured: &[JobTimes]) -> Vec<Usage> {
    let count = history.plan.workload.queues.len();
    if count == 0 {
        return Vec::new();
    }
    let tree = Tree::of(&history.plan);
    let most = |queue: u32| {
        // Of platforms that are told apart the sum.
        let own = tree.pools(queue).map(|row| tree.most_within(row)).sum::<Option<u64>>();
        own.into_iter().chain(tree.most_within(queue)).min()
    };
    let most: Vec<Option<u64>> = (0..).take(count).map(most).collect();
    let mut found = usage_of_queues(history, measured, &most);
    let held = if history.plan.workload.queues.iter().any(|queue| !queue.by_platform.is_empty()) {
        held_by_platform(history)
    } else {
        BTreeMap::new()
    };
    for own in &mut found {
        let index = history.plan.workload.queues.iter().position(|queue| queue.name == own.name);
        let index = index.and_then(|index| u32::try_from(index).ok());
        let index = index.filter(|index| tree.goes_by_platform(*index));
        own.by_platform = index.map(|queue| by_platform(history, (&tree, queue), &held)).unwrap_or_default();
    }
    found
}

/// What a queue may hold and held of each platform of the cluster.
fn by_platform(
    history: &History,
    (tree, queue): (&Tree, u32),
    held: &BTreeMap<(u32, u32), (f64, f64)>,
) -> Vec<PlatformUsage> {
    let (cluster, workload) = (&history.plan.cluster, &history.plan.workload);
    let names: BTreeMap<u32, &str> =
        cluster.kinds.iter().map(|kind| (kind.platform, kind.platform_name.as_str())).collect();
    let gpus = |milli: u64| real(milli) / 1000.0;
    let one = |platform: u32| {
        let row = tree.on(queue, platform);
        let below =
            (0..).zip(&workload.queues).filter(|(own, _)| tree.is_within(tree.on(*own, platform), row));
        let nominal = below.map(|(own, _)| tree.nominal_milli(tree.on(own, platform))).sum();
        let (held, peak) = held.get(&(queue, platform)).copied().unwrap_or_default();
        PlatformUsage {
            name: names.get(&platform).copied().unwrap_or_default().to_owned(),
            ceiling: tree.most_within(row).map(gpus),
            entitled: gpus(nominal),
            held,
            peak,
        }
    };
    tree.in_order(Some(queue), names.keys().copied().collect()).into_iter().map(one).collect()
}

/// What a tenant, a queue or a partition may hold, and held, beside the others: a sentence or two, and a table.
#[must_use]
pub fn usage_text(title: &str, what: &str, own: &Usage, all: &[Usage], width: u16) -> String {
    let mut table =
        table::new(width, [what, "jobs", "may hold", "entitled", "held", "peak", "borrowed", "lent"]);
    let hours = |hours: f64| format!("{} h", significant(hours));
    for usage in all {
        let mark = if usage.name == own.name { "▸ " } else { "" };
        table.add_row([
            format!("{mark}{}", usage.name),
            grouped(usage.jobs.into()),
            usage.ceiling.map_or_else(|| "all".to_owned(), significant),
            significant(usage.entitled),
            significant(usage.held),
            significant(usage.peak),
            hours(usage.borrowed_gpu_hours),
            hours(usage.lent_gpu_hours),
        ]);
    }
    table::right(&mut table, 1..8);
    let notes = "GPUs, means over the run; borrowed and lent in GPU-hours.\n";
    let said = sentences(what, own).join("\n");
    let apart = by_platform_text(own, width);
    fitted(&format!("{title}\n{said}\n\n{apart}{}{notes}", table::text(&mut table)), width)
}

/// A table with a row for each platform; nothing where quotas tell none apart.
fn by_platform_text(own: &Usage, width: u16) -> String {
    if own.by_platform.is_empty() {
        return String::new();
    }
    let mut table = table::new(width, ["on", "may hold", "entitled", "held", "peak"]);
    for on in &own.by_platform {
        table.add_row([
            on.name.clone(),
            on.ceiling.map_or_else(|| "all".to_owned(), significant),
            significant(on.entitled),
            significant(on.held),
            significant(on.peak),
        ]);
    }
    table::right(&mut table, 1..5);
    table::text(&mut table) + "\n"
}

fn sentences(what: &str, own: &Usage) -> Vec<String> {
    let name = &own.name;
    let ceiling = own.ceiling.map_or_else(
        || "as much as there is".to_owned(),
        |ceiling| match significant(ceiling) {
            one if one == "1" => "1 GPU".to_owned(),
            more => format!("{more} GPUs"),
        },
    );
    let mut found = vec![format!(
        "{name} may hold {ceiling}, is entitled to {} and held {} in the mean, {} at most.",
        significant(own.entitled),
        significant(own.held),
        significant(own.peak)
    )];
    found.extend(own.job_limits.map(limits_told));
    let total: u64 = own.waiting_seconds.iter().sum();
    if total > 0 {
        let mut reasons: Vec<(u64, WaitReason)> = own
            .waiting_seconds
            .iter()
            .copied()
            .zip(WaitReason::ALL)
            .filter(|(seconds, _)| *seconds > 0)
            .collect();
        reasons.sort_by_key(|(seconds, _)| std::cmp::Reverse(*seconds));
        let part = |seconds: u64| 100.0 * real(seconds) / real(total);
        let told: Vec<String> = reasons
            .iter()
            .map(|(seconds, reason)| format!("{} {:.0} %", reason.name(), part(*seconds)))
            .collect();
        found.push(format!("Its jobs waited for {}.", told.join(", ")));
    }
    if own.starved_seconds > 0 {
        let time = Seconds(u32::try_from(own.starved_seconds).unwrap_or(u32::MAX));
        let borrowers: Vec<String> = own
            .borrowers
            .iter()
            .take(3)
            .map(|(name, hours)| format!("{name} borrowed {} GPU-hours", significant(*hours)))
            .collect();
        let who = if borrowers.is_empty() { "nobody borrowed".to_owned() } else { borrowers.join(", ") };
        found.push(format!(
            "It was starved for {time}: it held less than its part while a job of it waited; meanwhile {who}."
        ));
    }
    if own.preemptions > 0 {
        let times = if own.preemptions == 1 {
            "once".to_owned()
        } else {
            format!("{} times", grouped(own.preemptions.into()))
        };
        found.push(format!("A policy stopped jobs of it {times}."));
    }
    if let Some(idle) = own.idle_ceiling_gpu_hours.filter(|idle| *idle > 0.0) {
        let ceiling = match what {
            "tenant" => "quota",
            "queue" => "room",
            _ => "limit",
        };
        found.push(format!(
            "Idle {ceiling}: {} GPU-hours of it lay unused while none of its jobs waited.",
            significant(idle)
        ));
    }
    found
}

/// What the jobs of a queue have to keep to one by one.
fn limits_told(limits: JobLimits) -> String {
    let JobLimits { running, gpus_milli, time, priority } = limits;
    let told = [
        running.map(|jobs| format!("{} with GPUs at once", counted(jobs.into(), "job"))),
        gpus_milli.map(|milli| format!("{} a job", gpus(milli.into()))),
        time.map(|time| format!("{time} a job")),
        priority.map(|priority| format!("priority {priority}")),
    ];
    format!("At most: {}.", told.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
const fn real(number: u64) -> f64 {
    number as f64
}

/// The same for machines.
#[must_use]
pub fn usage_json(title: &str, what: &str, own: &Usage, all: &[Usage]) -> String {
    let all = json!({
        "run": title,
        what: own,
        "all": all,
    });
    answer::text("explain-usage", all)
}

/// What an answer about a tenant, a queue or a partition looks like.
pub(in crate::report) fn usage_shape() -> Value {
    let usage = one_usage();
    json!({ "run": "string", "tenant?": usage.clone(), "queue?": usage.clone(), "partition?": usage.clone(), "all": [usage] })
}

/// What is said of one tenant, queue or partition.
pub(in crate::report) fn one_usage() -> Value {
    json!({
        "name": "string",
        "jobs": "integer",
        "ceiling": "number?",
        "job_limits?": {
            "running?": "integer",
            "gpus_milli?": "integer",
            "time?": "integer",
            "priority?": "integer",
        },
        "by_platform?": [{
            "name": "string",
            "ceiling": "number?",
            "entitled": "number",
            "held": "number",
            "peak": "number",
        }],
        "entitled": "number",
        "held": "number",
        "peak": "number",
        "borrowed_gpu_hours": "number",
        "lent_gpu_hours": "number",
        "idle_ceiling_gpu_hours": "number?",
        "starved_seconds": "integer",
        // A name and GPU-hours.
        "borrowers": [[{ "|": ["string", "number"] }]],
        "waiting_seconds": answer::each(WaitReason::ALL.map(WaitReason::name), &json!("integer")),
        "preemptions": "integer",
    })
}
