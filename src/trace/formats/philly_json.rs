//! Microsoft's Philly trace as it was published: `cluster_job_log`, one document, an object a job with its attempts.
//!
//! `{status, vc, jobid, attempts: [{start_time, end_time, detail: [{ip, gpus: [...]}]}], submitted_time, user}`; times name no zone
//! and are read as UTC. The virtual cluster (VC) is tenant and partition. An attempt has as many GPUs as it was given; one
//! that tells none has those of the job's other attempts.
//!
//! Attempts are kept: each is a job, submitted with the first and eligible when the one before has ended, and together they
//! are a job graph of the job's name. The last one ends as the job did (Pass, Killed, Failed). An attempt without an end was
//! still running. A job without attempts never ran, and how many GPUs it asked for is not told: it is dropped.
//! (M. Jeon et al., "Analysis of large-scale multi-tenant GPU clusters", ATC 2019)

use super::ending::{self, Ending, Evidence};
use super::json::{self, Lines};
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::{Format, Head, MapKey, Meaning, field};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Graph, Request};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "philly-json",
    about: "Philly's own cluster_job_log: JSON, each attempt a job after the one before; VC = tenant and partition",
    keys: &[],
    map_keys: &[MapKey::States],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let has = |key: &str| memmem::find(head.bytes, key.as_bytes()).is_some();
    head.bytes.trim_ascii_start().starts_with(b"[")
        && ["\"vc\"", "\"jobid\"", "\"attempts\"", "\"submitted_time\""].into_iter().all(has)
}

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    status: String,
    #[serde(default)]
    vc: String,
    #[serde(default)]
    jobid: String,
    attempts: Vec<Attempt>,
    submitted_time: String,
}

#[derive(Deserialize)]
struct Attempt {
    start_time: Option<String>,
    end_time: Option<String>,
    #[serde(default)]
    detail: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    gpus: Vec<serde::de::IgnoredAny>,
}

impl Attempt {
    fn gpus(&self) -> usize {
        self.detail.iter().map(|detail| detail.gpus.len()).sum()
    }
}

const STATES: [(&str, Meaning); 3] =
    [("Pass", Meaning::Completed), ("Killed", Meaning::Cancelled), ("Failed", Meaning::Failed)];

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(jobs) = json::document::<Vec<&RawValue>>(text, "a list of Philly's jobs", intake) else {
        return;
    };
    intake.unix = true;
    intake.after_end = true;
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let mut lines = Lines::new(text);
    for raw in jobs {
        let Some((number, job)) = lines.read::<Job>(raw, intake) else { continue };
        if let Err(message) = push(&job, (number, behaviour), intake) {
            lines.wrong(raw, message, None, intake);
        }
    }
}

/// A time of the log; none where it is not told.
fn instant(text: Option<&str>, what: &str, intake: &mut Intake<'_>) -> Result<Option<u32>, String> {
    match text.map(str::trim).filter(|text| !field::missing(text.as_bytes())) {
        None => Ok(None),
        Some(text) => {
            let time = intake.instant(text.as_bytes());
            time.map(Some)
                .ok_or_else(|| format!("{what} `{text}`: expected a date like `2017-10-09 07:01:55`"))
        }
    }
}

fn push(job: &Job, (number, behaviour): (usize, u32), intake: &mut Intake<'_>) -> Result<(), String> {
    let submit = instant(Some(&job.submitted_time), "submitted_time", intake)?.ok_or("no submitted_time")?;
    let own = || {
        STATES.iter().find(|(word, _)| word.eq_ignore_ascii_case(&job.status)).map(|(_, meaning)| *meaning)
    };
    let state = own().or_else(|| ending::state(job.status.as_bytes(), intake));
    let state = state.ok_or_else(|| format!("status `{}`: expected Pass, Killed or Failed", job.status))?;
    let most = job.attempts.iter().map(Attempt::gpus).max().unwrap_or(0);
    if most == 0 {
        let what = "without an attempt that tells its GPUs: it never ran, and what it asked for is not told: dropped";
        intake.notes.count("job", what, 1);
        return Ok(());
    }
    let vc = if job.vc.is_empty() { "default" } else { job.vc.as_str() };
    let (tenant, partition) = (intake.builder.tenant(vc), intake.builder.partition(vc));
    let mut pushed: Vec<(u32, String)> = Vec::new();
    for (index, attempt) in job.attempts.iter().enumerate() {
        let start = instant(attempt.start_time.as_deref(), "start_time", intake)?;
        let end = instant(attempt.end_time.as_deref(), "end_time", intake)?;
        let Some(start) = start else {
            intake.notes.count("attempt", "that never started: dropped", 1);
            continue;
        };
        let length = end.map_or(Ok(1), |end| {
            end.checked_sub(start).ok_or_else(|| "an attempt ends before it starts".to_owned())
        })?;
        let last = index + 1 == job.attempts.len();
        // Whoever is tried again did not do its work; what follows comes after its end.
        let state = if last { state } else { Meaning::Failed };
        let evidence = Evidence { submit, end, started: true };
        let ending =
            if last { ending::ending(state, evidence, intake) } else { Some(Ending::Ran { fails: true }) };
        let Some(Ending::Ran { fails }) = ending else { continue };
        let gpus = match attempt.gpus() {
            0 => {
                intake.notes.count("attempt", "that tells no GPUs: those of the job's others", 1);
                most
            }
            gpus => gpus,
        };
        let gpus = u32::try_from(gpus).ok().filter(|gpus| *gpus <= Gpus::MAX_WHOLE).ok_or("too many GPUs")?;
        let request = intake.builder.request(Request { partition, ..Request::gang(Gpus::whole(gpus)) });
        let wait = start.checked_sub(submit).filter(|_| pushed.is_empty());
        let draft =
            Draft { submit, work: length, wait, request, behaviour, tenant, fails, ..Draft::default() };
        let name = if pushed.is_empty() { job.jobid.clone() } else { format!("{}.{}", job.jobid, index + 1) };
        let Some(this) = intake.push(draft, if name.is_empty() { Id::Row } else { Id::Text(&name) }) else {
            continue;
        };
        if end.is_none() {
            intake.alive.push((this, start));
        }
        if let Some((_, before)) = pushed.last() {
            intake.depends(this, before, Seconds(0), number);
        }
        pushed.push((this, name));
    }
    if pushed.len() > 1 {
        intake.notes.count("job", "of several attempts: a job graph each, an attempt after the other", 1);
        let jobs = pushed.into_iter().map(|(job, _)| job).collect();
        intake.builder.add_graph(Graph { name: job.jobid.clone(), jobs });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::Gpus;

    #[test]
    fn attempts_are_kept_one_after_the_other() {
        let text = include_bytes!("../../../workloads/sample-philly-json.json");
        let trace = read_bytes("p.json", text, None, &Options::default()).unwrap();
        let workload = &trace.workload;
        let names: Vec<_> =
            (0..workload.jobs.len()).map(|job| workload.names.get(job).into_owned()).collect();
        assert_eq!(
            names,
            ["application_31", "application_31.2", "application_32", "application_34"],
            "{}",
            trace.notes
        );
        let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(times, [(0, 600), (0, 3000), (30, 86_400), (90, 1680)], "{}", trace.notes);
        assert_eq!(workload.dependencies.successors(0)[0].job, 1, "tried again after its end");
        assert_eq!(
            (workload.graphs[0].name.as_str(), workload.graphs[0].jobs.len()),
            ("application_31", 2),
            "a graph"
        );
        let gpus: Vec<_> = (0..4).map(|job| workload.request_of(job).gpus()).collect();
        assert_eq!(gpus, [8, 8, 1, 16].map(Gpus::whole), "given, on whatever nodes");
        assert!(!workload.jobs[0].fails && workload.jobs[3].fails, "the last one ends as the job did");
        let what = "without an attempt that tells its GPUs: it never ran, and what it asked for is not told: dropped";
        assert_eq!(trace.notes.counted("job", what), 1, "{}", trace.notes);
    }
}
