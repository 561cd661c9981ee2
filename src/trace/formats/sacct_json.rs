//! Slurm's accounting as `sacct --json` prints it: one document, an object a job.
//!
//! Its fields become what the columns of `sacct --parsable2` do (see the format `sacct`): `time`, `state`,
//! `tres.requested` and `tres.allocated`, `allocation_nodes`, `required`, `account`, `partition`, `priority`. Numbers
//! may be plain or `{"set": true, "infinite": false, "number": 60}`, as versions of Slurm differ.

use super::ending;
use super::json::{self, Lines};
use super::slurm::{self, Record};
use super::slurm_tres::{self, Tres};
use crate::trace::intake::{Intake, TIME_MAX};
use crate::trace::{Format, Head, MapKey};
use crate::workload::Behaviour;
use memchr::memmem;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "sacct-json",
    about: "Slurm accounting, `sacct --json`",
    keys: &[],
    map_keys: &[MapKey::States, MapKey::Platform, MapKey::GpusFrom, MapKey::ShardsPerGpu],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let has = |key: &[u8]| memmem::find(head.bytes, key).is_some();
    head.bytes.trim_ascii_start().starts_with(b"{")
        && has(b"\"jobs\"")
        && has(b"\"state\"")
        && has(b"\"time\"")
}

#[derive(Deserialize)]
struct Dump<'a> {
    #[serde(borrow)]
    jobs: Vec<&'a RawValue>,
}

/// A number as one version of Slurm or another writes it, at least 0; none where there is no limit or nothing is set.
#[derive(Debug, Clone, Copy, Default)]
struct Number(Option<u64>);

impl Number {
    fn small(self) -> u32 {
        u32::try_from(self.0.unwrap_or(0)).unwrap_or(u32::MAX)
    }
    /// A point of time; none for 0, which stands for "not yet".
    fn instant(self) -> Option<u32> {
        self.0.and_then(|time| u32::try_from(time).ok()).filter(|time| (1..=TIME_MAX).contains(time))
    }
}

// What a value is shows in its first byte. An untagged enumeration copies each value until it knows, at half the speed.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Set {
            set: bool,
            infinite: bool,
            number: f64,
        }
        let text = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match text.as_bytes() {
            [b'{', ..] => {
                let known = serde_json::from_str::<Set>(text).unwrap_or_default();
                whole(known.number).filter(|_| known.set && !known.infinite)
            }
            _ => match text.parse::<i64>() {
                Ok(number) => u64::try_from(number).ok(),
                Err(_) => text.parse().ok().and_then(whole),
            },
        }))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn whole(number: f64) -> Option<u64> {
    (0.0..9e15).contains(&number).then_some(number as u64)
}

/// The word for a state: it alone, the first of a list, or either as `current`.
#[derive(Debug, Default)]
struct State(String);

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Current {
            current: State,
        }
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let word = match text.as_bytes() {
            [b'{', ..] => serde_json::from_str::<Current>(text).map(|state| state.current.0),
            [b'[', ..] => serde_json::from_str::<Vec<String>>(text)
                .map(|words| words.into_iter().next().unwrap_or_default()),
            [b'"', ..] => serde_json::from_str(text),
            _ => Ok(String::new()),
        };
        Ok(Self(word.unwrap_or_default()))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Times {
    submission: Number,
    eligible: Number,
    start: Number,
    end: Number,
    elapsed: Number,
    limit: Number,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resource {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    count: Number,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resources {
    requested: Vec<Resource>,
    allocated: Vec<Resource>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Required {
    #[serde(rename = "CPUs")]
    cpus: Number,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Job {
    job_id: Number,
    state: State,
    time: Times,
    tres: Resources,
    required: Required,
    allocation_nodes: Number,
    account: Option<String>,
    user: Option<String>,
    partition: Option<String>,
    priority: Number,
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(dump) = json::document::<Dump<'_>>(text, "what `sacct --json` prints", intake) else { return };
    intake.unix = true;
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let mut lines = Lines::new(text);
    let mut arrays = 0;
    for raw in dump.jobs {
        let Some((_, job)) = lines.read::<Job>(raw, intake) else { continue };
        if let Err((message, hint)) = push(&job, behaviour, &mut arrays, intake) {
            lines.wrong(raw, message, hint, intake);
        }
    }
}

type Wrong = (String, Option<&'static str>);

fn push(job: &Job, behaviour: u32, arrays: &mut u64, intake: &mut Intake<'_>) -> Result<(), Wrong> {
    let word = job.state.0.as_str();
    let state = ending::state(word.as_bytes(), intake)
        .ok_or_else(|| (format!("state `{word}`: expected {}", ending::EXPECTED), Some(ending::HINT)))?;
    let wrong = |what: &str| (format!("no {what}"), None);
    let submit = job.time.submission.instant().ok_or_else(|| wrong("time.submission"))?;
    let shards = intake.options.map.shards_per_gpu;
    let list = |resources: &[Resource], requested| {
        let text = listed(resources);
        Tres::read(text.as_bytes(), requested, shards)
            .ok_or_else(|| (format!("tres `{text}`: expected {}", slurm_tres::EXPECTED), None))
    };
    let (asked, held) = (list(&job.tres.requested, true)?, list(&job.tres.allocated, false)?);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = job.job_id.0.map(|id| id.to_string()).unwrap_or_default();
    let (account, user, partition) = (text(&job.account), text(&job.user), text(&job.partition));
    let limit = job.time.limit.0.and_then(|minutes| u32::try_from(minutes.checked_mul(60)?).ok());
    let record = Record {
        id: &id,
        state,
        submit,
        eligible: job.time.eligible.instant(),
        start: job.time.start.instant(),
        end: job.time.end.instant(),
        elapsed: job.time.elapsed.small().min(TIME_MAX),
        limit: limit.filter(|limit| *limit <= TIME_MAX).unwrap_or(0),
        allocated: !job.tres.allocated.is_empty(),
        asked,
        held,
        nodes: job.allocation_nodes.small().min(1_000_000),
        cpus: job.required.cpus.small().min(1_000_000),
        tenant: if account.is_empty() { &user } else { &account },
        partition: &partition,
        priority: i32::try_from(job.priority.0.unwrap_or(0)).unwrap_or(i32::MAX),
    };
    match slurm::push(&record, behaviour, arrays, intake).expected() {
        None => Ok(()),
        Some(expected) => Err((format!("job `{}`: expected {expected}", record.id), None)),
    }
}

/// Resources as the columns of `sacct` list them; memory is in MiB.
fn listed(resources: &[Resource]) -> String {
    let item = |resource: &Resource| {
        let name = match resource.name.as_deref() {
            Some(name) if !name.is_empty() => format!("{}/{name}", resource.kind),
            _ => resource.kind.clone(),
        };
        format!("{name}={}", resource.count.0.unwrap_or(0))
    };
    resources.iter().map(item).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{Number, State};
    use crate::trace::{Options, Trace, read_bytes};
    use crate::units::{Gpus, Time};

    const SAMPLE: &[u8] = include_bytes!("../../../workloads/sample-sacct-json.json");

    #[test]
    fn a_document_of_jobs_is_read_as_its_columns_would_be() {
        let Trace { workload, notes, format } =
            read_bytes("s.json", SAMPLE, None, &Options::default()).unwrap();
        assert_eq!(format, "sacct-json", "recognised");
        let times: Vec<_> = workload
            .jobs
            .iter()
            .map(|job| (job.submit_time.0, job.work_time.0, job.requested_time.0))
            .collect();
        assert_eq!(times, [(0, 3600, 7200), (60, 86_400, 86_400), (120, 30, 30)], "{notes}");
        assert_eq!(workload.jobs[1].cancel_time, Time(18_000), "withdrawn 17,940 s after its submission");
        assert!(workload.jobs[2].fails, "OUT_OF_MEMORY");
        let gpus: Vec<_> = (0..3).map(|job| workload.request_of(job).gpus()).collect();
        assert_eq!(gpus, [16, 64, 1].map(Gpus::whole), "{notes}");
        assert_eq!(workload.request_of(0).memory_mib, 1_048_576, "2 TiB on two nodes");
    }

    #[test]
    fn numbers_and_states_are_read_as_any_version_writes_them() {
        for (text, number) in [
            ("60", Some(60)),
            ("60.9", Some(60)),
            ("-1", None),
            ("1e3", Some(1000)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            (r#"{"set": true, "infinite": false, "number": 60}"#, Some(60)),
            (r#"{"set": true, "infinite": true, "number": 60}"#, None),
            (r#"{"set": false, "number": 60}"#, None),
            (r#"{"set": true, "number": null}"#, None),
            ("null", None),
            ("true", None),
            (r#""60""#, None),
            ("[60]", None),
        ] {
            assert_eq!(serde_json::from_str::<Number>(text).unwrap().0, number, "{text}");
        }
        for (text, word) in [
            (r#""FAILED""#, "FAILED"),
            (r#"["FAILED", "REQUEUED"]"#, "FAILED"),
            (r#"{"current": ["FAILED"], "reason": "None"}"#, "FAILED"),
            (r#"{"current": "FAI\u004cED"}"#, "FAILED"),
            ("[]", ""),
            ("null", ""),
            ("7", ""),
        ] {
            assert_eq!(serde_json::from_str::<State>(text).unwrap().0, word, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let text = String::from_utf8_lossy(SAMPLE).replace("OUT_OF_MEMORY", "OUT_OF_MIND");
        let told = read_bytes("s.json", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("state `OUT_OF_MIND`") && told.contains("s.json:4"), "{told}");
        let options = Options { skip_bad_lines: true, ..Options::default() };
        let trace = read_bytes("s.json", text.as_bytes(), None, &options).unwrap();
        assert_eq!(trace.workload.len(), 2, "{}", trace.notes);
    }
}
