//! Objects of Kubernetes: manifests in YAML, or what `kubectl get -o json` (or `-o yaml`) prints, lists and all.
//!
//! | kind | pods |
//! |---|---|
//! | Job | `parallelism`, no more than `completions` |
//! | JobSet | of each replicated job: replicas × parallelism |
//! | PyTorchJob, TFJob, MPIJob ... of Kubeflow | of each role: replicas |
//! | RayJob, RayCluster | the head, and workers × hosts |
//! | LeaderWorkerSet | `replicas` services, each a leader and `size` − 1 workers |
//! | Job of Volcano, Workload of Kueue, Pod | tasks, pod sets, one |
//!
//! Pods with as many GPUs each are one gang; those without any beside them are left out, and counted. The queue (of Kueue, Volcano
//! or KAI), else the namespace, is the tenant; priorities are those of the priority classes in the file. Kueue's and KAI's
//! annotations about topology are kept: required, preferred, and slices as segments.
//!
//! A job comes at its `creationTimestamp`, starts and ends as its `status` says (start, completion, conditions, terminated
//! containers), and is estimated to run for `activeDeadlineSeconds`. Manifests say none of that: submits are then 0, and
//! `map = { work_time = "NAME" }` names the annotation or label that tells how long a job works (`3600`, `1h30m`); submits,
//! estimates and tenants can be named likewise. Suspended jobs and those without a start are still pending.

use super::ending::{self, Ending, Evidence};
use super::pod_sets::{self, PodSet, Wants};
use crate::error::{Place, Problem};
use crate::trace::intake::{Draft, Id, Intake, TIME_MAX};
use crate::trace::{Format, Head, Key, Meaning, TimeUnit};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, JobKind, Request, Shape, Topology};
use serde_json::Value;
use std::collections::BTreeMap;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "kubernetes",
    about: "jobs of Kubernetes, Kueue, Volcano, Kubeflow and Ray as YAML or JSON: pods x GPUs, queue, topology",
    keys: &[Key::SubmitTime, Key::WorkTime, Key::RequestedTime, Key::Tenant],
    map_keys: &[],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let has = |key: &str| memchr::memmem::find(head.bytes, key.as_bytes()).is_some();
    let is_json = matches!(head.bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    let begins = |key: &str| head.lines().any(|line| line.starts_with(key.as_bytes()));
    if is_json { has("\"apiVersion\"") && has("\"kind\"") } else { begins("apiVersion:") && begins("kind:") }
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(objects) = objects(text, intake) else { return };
    let mut flat = Vec::new();
    for object in &objects {
        flatten(object, &mut flat);
    }
    let priorities: BTreeMap<&str, i64> = flat
        .iter()
        .filter(|object| word(object, "/kind").ends_with("PriorityClass"))
        .filter_map(|object| Some((word(object, "/metadata/name"), object.pointer("/value")?.as_i64()?)))
        .collect();
    intake.unix = true;
    intake.takes_units = true;
    let mut copies = 0;
    for (number, object) in (1..).zip(&flat) {
        let kind = word(object, "/kind");
        if kind.ends_with("PriorityClass") {
            continue;
        }
        let job = Object { object, kind, priorities: &priorities };
        if let Err(message) = job.push(&mut copies, intake) {
            intake.bad_line(number, |file| {
                Problem::new(format!("{kind} `{}`: {message}", job.name())).at(Place::file(file))
            });
        }
    }
}

/// The documents of a text, in YAML or JSON.
fn objects(text: &[u8], intake: &mut Intake<'_>) -> Option<Vec<Value>> {
    if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return super::json::document::<Value>(text, "objects of Kubernetes", intake)
            .map(|object| vec![object]);
    }
    let wrong = |number: usize, message: String, intake: &mut Intake<'_>| {
        let line = text.split(|byte| *byte == b'\n').nth(number - 1).unwrap_or_default();
        intake.problem(|file| Problem::new(message).at(Place::line(file, number, line)));
        None
    };
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let number = text[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            return wrong(number, "not text in UTF-8".to_owned(), intake);
        }
    };
    // Whatever aliases make of a text is bounded; a larger dump is better printed as JSON.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_documents: 100_000, max_events: 20_000_000, max_nodes: 10_000_000 },
        with_snippet: false,
    };
    match serde_saphyr::from_multiple_with_options::<Value>(text, options) {
        Ok(objects) => Some(objects),
        Err(error) => {
            let number = error.location().and_then(|place| usize::try_from(place.line()).ok()).unwrap_or(1);
            wrong(number.max(1), format!("not YAML of Kubernetes: {error}"), intake)
        }
    }
}

/// The objects of a document: itself, or the items of a list.
fn flatten<'v>(object: &'v Value, flat: &mut Vec<&'v Value>) {
    match object.get("items").or(Some(object)).and_then(Value::as_array) {
        Some(items) => flat.extend(items),
        None if object.is_object() => flat.push(object),
        None => {}
    }
}

/// A text in an object; empty where there is none.
fn word<'v>(object: &'v Value, path: &str) -> &'v str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// The most gangs that are read of a file: a few bytes may ask for any number.
const COPIES_MAX: u64 = 1_000_000;

struct Object<'v> {
    object: &'v Value,
    kind: &'v str,
    priorities: &'v BTreeMap<&'v str, i64>,
}

/// When a job came, started and ended.
struct Life {
    submit: u32,
    start: Option<u32>,
    end: Option<u32>,
    work: Option<u32>,
    requested: u32,
    state: Meaning,
}

impl<'v> Object<'v> {
    fn name(&self) -> &'v str {
        word(self.object, "/metadata/name")
    }

    fn push(&self, copies: &mut u64, intake: &mut Intake<'_>) -> Result<(), String> {
        let Some(gangs) = pod_sets::gangs(self.kind, self.object) else {
            let kind = if self.kind.is_empty() { "no kind" } else { self.kind };
            intake.notes.count(
                "object",
                &format!("of {kind}: it starts no pods that are a job, not read"),
                1,
            );
            return Ok(());
        };
        *copies = copies.saturating_add(gangs.copies);
        if *copies > COPIES_MAX {
            return Err(format!("more than {COPIES_MAX} gangs in the file"));
        }
        let template = gangs.sets[0].template;
        let request = self.request(&gangs.sets, intake)?;
        let life = self.life(template, gangs.kind, intake)?;
        let tenant = self.tenant(template, intake);
        let priority = self.priority(template, intake);
        let behaviour = intake.builder.behaviour(Behaviour::of(gangs.kind));
        let request = intake.builder.request(request);
        for copy in 0..gangs.copies {
            let Some((draft, alive_since)) = draft(&life, intake) else { continue };
            let draft = Draft { request, behaviour, tenant, priority, ..draft };
            let name = self.name();
            let name = if gangs.copies > 1 { format!("{name}-{copy}") } else { name.to_owned() };
            let job = intake.push(draft, if name.is_empty() { Id::Row } else { Id::Text(&name) });
            if let (Some(job), Some(start)) = (job, alive_since) {
                intake.alive.push((job, start));
            }
        }
        Ok(())
    }

    /// An annotation or label of the object or its pods.
    fn told(&self, template: &'v Value, name: &str) -> Option<&'v str> {
        let places = [self.object, template].map(|place| place.get("metadata"));
        let lists =
            places.into_iter().flatten().flat_map(|meta| [meta.get("annotations"), meta.get("labels")]);
        lists
            .flatten()
            .find_map(|list| list.get(name))
            .and_then(Value::as_str)
            .filter(|value| !value.is_empty())
    }
    /// What the annotation or label says that the user named for a key.
    fn mapped(&self, key: Key, template: &'v Value, intake: &Intake<'_>) -> Option<&'v str> {
        self.told(template, intake.options.map.field(key)?)
    }

    fn tenant(&self, template: &'v Value, intake: &mut Intake<'_>) -> u32 {
        let queues = ["kueue.x-k8s.io/queue-name", "kai.scheduler/queue", "volcano.sh/queue-name"];
        let queue = || queues.into_iter().find_map(|name| self.told(template, name));
        let fields = ["/spec/queueName", "/spec/queue", "/metadata/namespace"];
        let field = || fields.into_iter().map(|path| word(self.object, path)).find(|name| !name.is_empty());
        let name = self.mapped(Key::Tenant, template, intake).or_else(queue).or_else(field);
        intake.builder.tenant(name.unwrap_or("default"))
    }

    fn priority(&self, template: &'v Value, intake: &mut Intake<'_>) -> i32 {
        let number = |object: &Value, path: &str| object.pointer(path).and_then(Value::as_i64);
        let told = number(self.object, "/spec/priority").or_else(|| number(template, "/spec/priority"));
        let class = self.told(template, "kueue.x-k8s.io/priority-class").unwrap_or_else(|| {
            let classes =
                [word(self.object, "/spec/priorityClassName"), word(template, "/spec/priorityClassName")];
            classes.into_iter().find(|class| !class.is_empty()).unwrap_or_default()
        });
        let known = told.or_else(|| self.priorities.get(class).copied());
        if known.is_none() && !class.is_empty() {
            let what = format!("of priority class `{class}`, whose value the file does not tell: priority 0");
            intake.notes.count("job", &what, 1);
        }
        let known = known.unwrap_or(0).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        i32::try_from(known).unwrap_or(0)
    }

    /// The gang of an object: pods with as many GPUs each, or its GPUs wherever nodes have room.
    fn request(&self, sets: &[PodSet<'v>], intake: &mut Intake<'_>) -> Result<Request, String> {
        let mut pods: Vec<(u64, Wants)> = Vec::new();
        for set in sets {
            pods.push((set.count, pod_sets::wants(set.template)?));
        }
        let mut others: Vec<&String> = pods.iter().flat_map(|(_, wants)| &wants.others).collect();
        others.dedup();
        for other in others {
            intake.notes.count("request", &format!("for `{other}`: not read"), 1);
        }
        if pods.iter().any(|(_, wants)| wants.shares) {
            let what = "for shares of GPUs: MIG slices are sevenths of one, other shares whole GPUs";
            intake.notes.count("request", what, 1);
        }
        let with: Vec<&(u64, Wants)> = pods.iter().filter(|(_, wants)| wants.gpu_milli > 0).collect();
        let without: u64 =
            pods.iter().filter(|(_, wants)| wants.gpu_milli == 0).map(|(count, _)| *count).sum();
        if with.is_empty() {
            intake.notes.count("job", "without GPUs", 1);
        } else if without > 0 {
            intake.notes.count("pod", "without GPUs beside pods with GPUs: left out", without);
        }
        let all = if with.is_empty() { pods.iter().collect() } else { with };
        let count = all.iter().map(|(count, _)| *count).fold(0, u64::saturating_add);
        let total = all
            .iter()
            .map(|(count, wants)| count.saturating_mul(wants.gpu_milli))
            .fold(0, u64::saturating_add);
        let small =
            |number: u64| u32::try_from(number).ok().filter(|number| *number <= Gpus::MAX_WHOLE * 1000);
        let (count, total) = small(count).zip(small(total)).ok_or("more pods or GPUs than can be counted")?;
        let most = |of: fn(&Wants) -> u64| all.iter().map(|(_, wants)| of(wants)).max().unwrap_or(0);
        let host = |number: u64| u32::try_from(number).ok().filter(|number| *number < u32::MAX);
        let cpu_milli = host(most(|wants| wants.cpu_milli)).ok_or("more CPUs than can be counted")?;
        let memory_mib = host(most(|wants| wants.memory_mib)).ok_or("more memory than can be counted")?;
        let same = all.iter().all(|(_, wants)| wants.gpu_milli == all[0].1.gpu_milli);
        let each = small(all[0].1.gpu_milli).unwrap_or(0);
        let each = if each < 1000 { each } else { each.div_ceil(1000) * 1000 };
        let shape = if same {
            Shape::Pods { count, gpus_milli_each: each }
        } else {
            intake.notes.count("job", "with pods of several sizes: its GPUs as nodes have room", 1);
            Shape::Any { gpus_milli: total.div_ceil(1000) * 1000 }
        };
        let (topology, segment) = self.topology(sets[0].template);
        Ok(Request { shape, cpu_milli, memory_mib, topology, segment, ..Request::gang(Gpus::ZERO) })
    }

    /// What annotations say of racks, and of groups of pods that must share one.
    fn topology(&self, template: &'v Value) -> (Topology, u32) {
        let has = |names: [String; 2]| names.iter().any(|name| self.told(template, name).is_some());
        let slice = self.told(template, "kueue.x-k8s.io/podset-slice-size");
        let slice = slice.or_else(|| self.told(template, "kai.scheduler/segment-size"));
        let segment = slice.and_then(|size| size.parse().ok()).unwrap_or(0);
        let wish = |kueue: &str, kai: &str| {
            has([format!("kueue.x-k8s.io/podset-{kueue}"), format!("kai.scheduler/topology-{kai}-placement")])
        };
        let topology = if wish("required-topology", "required") || wish("slice-required-topology", "required")
        {
            Topology::RequireRack
        } else if wish("preferred-topology", "preferred") {
            Topology::PreferRack
        } else if wish("unconstrained-topology", "unconstrained") {
            Topology::Ignore
        } else {
            Topology::default()
        };
        (topology, segment)
    }

    fn life(&self, template: &'v Value, kind: JobKind, intake: &mut Intake<'_>) -> Result<Life, String> {
        let at = |path: &str| word(self.object, path);
        let conditions = self.object.pointer("/status/conditions").and_then(Value::as_array);
        let condition = |types: &[&str]| {
            let is = |condition: &&Value| {
                types.contains(&word(condition, "/type")) && word(condition, "/status") == "True"
            };
            conditions.into_iter().flatten().find(is).map(|condition| word(condition, "/lastTransitionTime"))
        };
        let done = condition(&["Complete", "Completed", "Succeeded", "Finished"]);
        let failed = condition(&["Failed", "JobFailed"]);
        let started = condition(&["Admitted", "QuotaReserved", "Running"]);
        let terminated = self.object.pointer("/status/containerStatuses").and_then(Value::as_array);
        let finished =
            terminated.into_iter().flatten().map(|status| word(status, "/state/terminated/finishedAt")).max();
        let first = |texts: &[Option<&'v str>]| texts.iter().copied().flatten().find(|text| !text.is_empty());
        let submit =
            first(&[self.mapped(Key::SubmitTime, template, intake), Some(at("/metadata/creationTimestamp"))]);
        let start = first(&[Some(at("/status/startTime")), started]);
        let end =
            first(&[Some(at("/status/completionTime")), Some(at("/status/endTime")), done, failed, finished]);
        let unit = |key: Key, intake: &Intake<'_>| intake.options.map.unit_of(key).unwrap_or_default();
        let instant = |text: Option<&str>, intake: &mut Intake<'_>| match text {
            None => Ok(None),
            Some(text) => {
                let time = intake.instant_in(text.as_bytes(), unit(Key::SubmitTime, intake));
                time.map(Some).ok_or_else(|| format!("`{text}`: expected a date or seconds"))
            }
        };
        let told = instant(submit, intake)?;
        if told.is_none() {
            intake.notes.count("job", "without a creationTimestamp: submitted at time 0", 1);
        }
        let (submit, start, end) = (told.unwrap_or(0), instant(start, intake)?, instant(end, intake)?);
        let work = length(self.mapped(Key::WorkTime, template, intake), unit(Key::WorkTime, intake), intake)?;
        let estimate = self.mapped(Key::RequestedTime, template, intake);
        let estimate = length(estimate, unit(Key::RequestedTime, intake), intake)?;
        let deadline = pod_sets::count(self.object, "/spec/activeDeadlineSeconds", 0);
        let requested =
            estimate.or_else(|| u32::try_from(deadline).ok().filter(|time| *time <= TIME_MAX)).unwrap_or(0);
        let phase = [at("/status/jobStatus"), at("/status/phase")].concat();
        let state = match phase.to_ascii_lowercase().as_str() {
            "failed" => Meaning::Failed,
            "stopped" => Meaning::Cancelled,
            _ if failed.is_some() && done.is_none() => Meaning::Failed,
            _ if end.is_some() || work.is_some() => Meaning::Completed,
            _ if start.is_some() => Meaning::Running,
            _ if told.is_some() => Meaning::Pending,
            _ => return Err(unknown_length(kind)),
        };
        Ok(Life { submit, start, end, work, requested, state })
    }
}

fn unknown_length(kind: JobKind) -> String {
    let what = if kind == JobKind::InferenceService { "service is there" } else { "job works" };
    format!(
        "how long the {what} is not told: `--map work_time=NAME` names an annotation or label that tells it"
    )
}

/// A length of time as a number of some unit, or as `1h30m`.
fn length(text: Option<&str>, unit: TimeUnit, intake: &mut Intake<'_>) -> Result<Option<u32>, String> {
    let Some(text) = text else { return Ok(None) };
    let number = intake.length_in(text.as_bytes(), unit);
    let span = || text.parse::<Seconds>().ok().map(|span| span.0).filter(|span| *span <= TIME_MAX);
    number
        .or_else(span)
        .map(Some)
        .ok_or_else(|| format!("`{text}`: expected a length of time like `3600` or `1h30m`"))
}

/// The times of a job; none if it is dropped. Of one that runs, when it started.
fn draft(life: &Life, intake: &mut Intake<'_>) -> Option<(Draft, Option<u32>)> {
    let Life { submit, start, end, work, requested, state } = *life;
    let between = start.zip(end).and_then(|(start, end)| end.checked_sub(start));
    let length = work.or(between);
    let started = length.is_some_and(|length| length > 0);
    let wait = start.and_then(|start| start.checked_sub(submit));
    let draft = Draft { submit, work: length.unwrap_or(0), requested, wait, ..Draft::default() };
    if let Some(start) = start.filter(|_| state == Meaning::Running && length.is_none()) {
        return Some((Draft { work: 1, ..draft }, Some(start)));
    }
    match ending::ending(state, Evidence { submit, end, started }, intake)? {
        Ending::Ran { fails } => Some((Draft { fails, ..draft }, None)),
        Ending::Left(patience) => {
            Some((Draft { patience: Some(patience), work: requested.max(1), wait: None, ..draft }, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Key, Mapping, Options, read_bytes};
    use crate::workload::{Shape, Topology};

    const SAMPLE: &[u8] = include_bytes!("../../../workloads/sample-kubernetes.yaml");

    #[test]
    fn objects_become_gangs_with_the_times_of_their_status() {
        let trace = read_bytes("k.yaml", SAMPLE, None, &Options::default()).unwrap();
        let workload = &trace.workload;
        assert_eq!(trace.format, "kubernetes", "recognised");
        let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(times, [(0, 3600), (60, 7080), (120, 600)], "{}", trace.notes);
        let shapes: Vec<_> = (0..3).map(|job| workload.request_of(job).shape).collect();
        let pods = |count: u32, gpus: u32| Shape::Pods { count, gpus_milli_each: gpus * 1000 };
        assert_eq!(shapes, [pods(4, 8), pods(8, 4), pods(1, 1)], "{}", trace.notes);
        assert_eq!(workload.request_of(0).topology, Topology::RequireRack, "required");
        assert_eq!(workload.request_of(1).segment, 4, "slices of four pods");
        assert_eq!(
            (workload.jobs[0].priority, workload.jobs[0].requested_time.0),
            (1000, 7200),
            "class and deadline"
        );
        assert!(workload.jobs[2].fails, "it failed");
        assert_eq!(workload.tenants[0].name, "research", "the queue");
    }

    #[test]
    fn manifests_tell_their_work_in_annotations() {
        let text = "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\nmetadata: {name: serve, annotations: {work: 1h30m}}\n\
            spec: {replicas: 2, leaderWorkerTemplate: {size: 2, workerTemplate: {spec: {containers: [{resources: {limits: {nvidia.com/gpu: 8}}}]}}}}\n";
        let told = read_bytes("k.yaml", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("--map work_time=NAME") && told.contains("`serve`"), "{told}");
        let map = Mapping { fields: vec![(Key::WorkTime, "work".to_owned())], ..Mapping::default() };
        let options = Options { map: &map, ..Options::default() };
        let workload = read_bytes("k.yaml", text.as_bytes(), None, &options).unwrap().workload;
        let works: Vec<_> = workload.jobs.iter().map(|job| job.work_time.0).collect();
        assert_eq!(
            (works, workload.names.get(1).into_owned()),
            (vec![5400, 5400], "serve-1".to_owned()),
            "a job a replica"
        );
    }

    #[test]
    fn a_billion_laughs_are_refused() {
        let mut text =
            "apiVersion: v1\nkind: List\na0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol,lol]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let told = read_bytes("k.yaml", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("k.yaml:"), "{told}");
    }
}
