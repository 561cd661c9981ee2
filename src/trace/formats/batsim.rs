//! Batsim's workloads: one document of jobs, which say what users ask for, and profiles, which say what happens.
//!
//! `{nb_res, jobs: [{id, subtime, walltime, res, profile}], profiles: {NAME: {type, ...}}}`; seconds. A profile of type `delay` lasts
//! that long; a `composed` one (`seq`, `repeat` or `nb`) lasts as long as its parts. What others last (`parallel`,
//! `parallel_homogeneous`, `smpi` ...) depends on machines and networks that the file does not describe: such a job works as
//! long as its `walltime`, and is dropped where it has none. A job is stopped at its `walltime`; a profile with a return code
//! (`ret`) other than 0 fails. A resource is read as a GPU, or as many as `map.procs_per_gpu` says.
//! (P.-F. Dutot et al., "Batsim: a realistic language-independent resources and jobs management systems simulator", JSSPP 2016)

use super::json::{self, Lines};
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::{Format, Head, MapKey};
use crate::units::Gpus;
use crate::workload::{Behaviour, Overrun, Request};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "batsim",
    about: "Batsim workloads: JSON of jobs and profiles; a resource is read as a GPU",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let has = |key: &str| memmem::find(head.bytes, key.as_bytes()).is_some();
    head.bytes.trim_ascii_start().starts_with(b"{")
        && ["\"jobs\"", "\"subtime\"", "\"profile"].into_iter().all(has)
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow)]
    jobs: Vec<&'t RawValue>,
    profiles: BTreeMap<String, Profile>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(default, deserialize_with = "json::word")]
    id: String,
    subtime: f64,
    walltime: Option<f64>,
    res: u32,
    #[serde(deserialize_with = "json::word")]
    profile: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Profile {
    #[serde(rename = "type")]
    kind: String,
    delay: Option<f64>,
    seq: Vec<String>,
    #[serde(alias = "nb")]
    repeat: Option<f64>,
    ret: Option<i64>,
}

/// Profiles within profiles are not followed further than this.
const DEEPEST: u32 = 16;

/// How many profiles are looked at for one job.
const MOST: u32 = 10_000;

/// How long a profile lasts, seconds; none where machines decide.
fn lasts(name: &str, profiles: &BTreeMap<String, Profile>, depth: u32, seen: &mut u32) -> Option<f64> {
    *seen += 1;
    let profile = profiles.get(name).filter(|_| depth <= DEEPEST && *seen <= MOST)?;
    if profile.kind == "delay" {
        return profile.delay;
    }
    if profile.seq.is_empty() {
        return None;
    }
    let parts = profile.seq.iter().map(|part| lasts(part, profiles, depth + 1, seen));
    parts.sum::<Option<f64>>().map(|sum| sum * profile.repeat.unwrap_or(1.0))
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(document) = json::document::<Document<'_>>(text, "a workload of Batsim", intake) else { return };
    intake.processors_are_gpus("resources of Batsim");
    let limited = intake.builder.behaviour(Behaviour { overrun: Overrun::Kill, ..Behaviour::default() });
    let free = intake.builder.behaviour(Behaviour::default());
    let mut lines = Lines::new(text);
    for raw in document.jobs {
        let Some((_, job)) = lines.read::<Job>(raw, intake) else { continue };
        if let Err(message) = push(&job, &document.profiles, (limited, free), intake) {
            lines.wrong(raw, message, None, intake);
        }
    }
}

fn push(
    job: &Job,
    profiles: &BTreeMap<String, Profile>,
    (limited, free): (u32, u32),
    intake: &mut Intake<'_>,
) -> Result<(), String> {
    let submit = json::instant(job.subtime, intake)
        .ok_or_else(|| format!("subtime `{}`: expected seconds from the start", job.subtime))?;
    let limit = match job.walltime.filter(|limit| *limit > 0.0) {
        None => 0,
        Some(limit) => {
            json::length(limit, intake).ok_or_else(|| format!("walltime `{limit}`: expected seconds"))?
        }
    };
    let profile = profiles.get(&job.profile).ok_or_else(|| format!("no profile `{}`", job.profile))?;
    let work = match lasts(&job.profile, profiles, 0, &mut 0) {
        Some(work) => json::length(work, intake)
            .ok_or_else(|| format!("profile `{}`: no length of time", job.profile))?,
        None if limit > 0 => {
            intake.notes.count(
                "job",
                "whose profile lasts as long as machines decide: work_time = walltime",
                1,
            );
            limit
        }
        None => {
            let what = "whose profile lasts as long as machines decide, without a walltime: dropped";
            intake.notes.count("job", what, 1);
            return Ok(());
        }
    };
    let gpus = job.res.div_ceil(intake.options.procs_per_gpu);
    if gpus == 0 || gpus > Gpus::MAX_WHOLE {
        return Err(format!("res `{}`: expected from 1 to {}", job.res, Gpus::MAX_WHOLE));
    }
    let fails = profile.ret.is_some_and(|code| code != 0);
    if fails {
        intake.notes.count("job", "whose work ends in failure", 1);
    }
    let draft = Draft {
        submit,
        work,
        requested: limit,
        request: intake.builder.request(Request::gang(Gpus::whole(gpus))),
        behaviour: if limit > 0 { limited } else { free },
        tenant: intake.builder.tenant("default"),
        fails,
        ..Draft::default()
    };
    intake.push(draft, if job.id.is_empty() { Id::Row } else { Id::Text(&job.id) });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::Gpus;
    use crate::workload::Overrun;

    #[test]
    fn profiles_say_how_long_jobs_last() {
        let text = include_bytes!("../../../workloads/sample-batsim.json");
        let trace = read_bytes("b.json", text, None, &Options::default()).unwrap();
        let workload = &trace.workload;
        let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(times, [(0, 600), (10, 1801), (25, 3600), (60, 600)], "{}", trace.notes);
        assert_eq!(
            workload.behaviours[workload.jobs[0].behaviour as usize].overrun,
            Overrun::Kill,
            "at its walltime"
        );
        assert!(workload.jobs[3].fails, "a return code");
        assert_eq!(workload.request_of(2).gpus(), Gpus::whole(16), "resources");
        let what = "whose profile lasts as long as machines decide, without a walltime: dropped";
        assert_eq!(trace.notes.counted("job", what), 1, "{}", trace.notes);
    }

    #[test]
    fn profiles_that_hold_each_other_end() {
        let text =
            br#"{"jobs": [{"id": 1, "subtime": 0, "res": 1, "walltime": 9, "profile": "a"}], "nb_res": 1,
            "profiles": {"a": {"type": "composed", "repeat": 2, "seq": ["a", "a"]}}}"#;
        let workload = read_bytes("b.json", text, None, &Options::default()).unwrap().workload;
        assert_eq!(workload.jobs[0].work_time.0, 9, "as long as its walltime");
    }
}
