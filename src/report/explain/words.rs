//! Instants, jobs and what they ask for, as people read them.

use crate::history::History;
use crate::report::number::counted;
use crate::units::{Gpus, Time};
use crate::workload::{PlatformSet, Request, Shape, Topology};

/// An instant: a date where the input has dates, else days and the time of day since the start.
pub(in crate::report) fn clock(history: &History, time: Time) -> String {
    if time == Time::NEVER {
        return "never".to_owned();
    }
    let epoch = history.plan.workload.epoch;
    let date =
        epoch.and_then(|epoch| jiff::Timestamp::from_second(epoch.saturating_add(i64::from(time.0))).ok());
    if let Some(date) = date {
        return date.strftime("%Y-%m-%d %H:%M:%S").to_string();
    }
    let (day, rest) = (time.0 / 86_400, time.0 % 86_400);
    let day = if day > 0 { format!("{day}d ") } else { String::new() };
    format!("{day}{:02}:{:02}:{:02}", rest / 3600, rest % 3600 / 60, rest % 60)
}

/// A number of GPUs and the word for them.
pub(in crate::report) fn gpus(milli: u64) -> String {
    let gpus = Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX));
    if milli == 1000 { "1 GPU".to_owned() } else { format!("{gpus} GPUs") }
}

/// What a job asks for: `96 GPUs in 24 pods of 4, in one rack`.
pub(in crate::report) fn asks(history: &History, request: &Request) -> String {
    let whole = gpus(u64::from(request.gpus().milli()));
    let mut text = match request.shape {
        Shape::Pods { count, gpus_milli_each } if count > 1 => {
            format!("{whole} in {count} pods of {}", Gpus::from_milli(gpus_milli_each))
        }
        _ => whole,
    };
    if request.segment > 0 {
        text.push_str(&format!(", {} to a rack", counted(request.segment.into(), "pod")));
    }
    let level = |index: u32| history.plan.workload.levels[index as usize].as_str();
    match request.topology {
        Topology::RequireRack => text.push_str(", in one rack"),
        Topology::RequireLevel(index) => text.push_str(&format!(", in one {}", level(index))),
        Topology::PreferLevel(index) => text.push_str(&format!(", in one {} if it can be", level(index))),
        Topology::Ignore => text.push_str(", on any racks"),
        Topology::PreferRack => {}
    }
    if request.platforms != PlatformSet::ALL {
        let kinds = history.plan.cluster.kinds.iter();
        let mut names: Vec<&str> = kinds
            .filter(|kind| request.platforms.contains(kind.platform as usize))
            .map(|kind| kind.platform_name.as_str())
            .collect();
        names.dedup();
        text.push_str(&format!(
            ", on {}",
            if names.is_empty() { "no platform here".to_owned() } else { names.join(" or ") }
        ));
    }
    if request.partition > 0 {
        let partition = &history.plan.workload.partitions[request.partition as usize];
        text.push_str(&format!(", partition {partition}"));
    }
    text
}

/// What a job is called.
pub(super) fn name(history: &History, job: u32) -> String {
    history.plan.workload.names.get(job as usize).into_owned()
}

/// A job with its tenant and what it asks for.
pub(super) fn described(history: &History, job: u32) -> String {
    let workload = &history.plan.workload;
    let own = &workload.jobs[job as usize];
    let tenant = &workload.tenants[own.tenant as usize].name;
    format!(
        "{} of {tenant} ({})",
        name(history, job),
        gpus(u64::from(workload.request_of(job).gpus().milli()))
    )
}
