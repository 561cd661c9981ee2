use super::super::quantity::{Cores, Mebibytes};
use super::Jobs;
use super::amount::{amount, estimate};
use super::checkpoints::Written;
use super::layered::Layered;
use super::licences;
use crate::document::{Document, Item, Placed, Table};
use crate::error::Problem;
use crate::hardware::{Catalogue, Family, levels, shares};
use crate::units::{Factor, Gpus, Seconds, Time};
use crate::workload::generate::{Estimate, Variety};
use crate::workload::{Behaviour, Job, JobKind, Overrun, PlatformSet, Profile, Request, Shape, Topology};

const OVERRUNS: [(&str, Overrun); 2] = [("extend", Overrun::Extend), ("kill", Overrun::Kill)];

/// Reads everything of a job but when it comes and what it waits for; none if something is wrong.
///
/// `tenant` is what the graph or generator around it says. A template alone is checked with `whole` false: it may
/// leave out what its jobs have to say.
pub(super) fn job(
    jobs: &mut Jobs<'_>,
    document: &Document,
    table: &mut Layered<'_>,
    tenant: Option<&Placed<String>>,
    whole: bool,
) -> Option<Variety> {
    let own_tenant = table.optional::<String>("tenant");
    let tenant_name = own_tenant.as_ref().or(tenant);
    let tenant = if whole { jobs.tenant(document, &table.own, tenant_name) } else { Some(0) };
    let request = request(jobs, document, table, tenant_name, whole);
    let (behaviour, written) = behaviour(jobs.catalogue, document, table);
    let speeds = behaviour.as_ref().map_or(&[][..], |behaviour| &behaviour.speeds[..]);
    let asked = request.as_ref().filter(|_| whole);
    let checkpoints = asked.and_then(|request| written.resolve(jobs, document, request, speeds));
    let work = table.item("work");
    if work.is_none() && whole {
        table.own.complain(Problem::new("missing `work`"));
    }
    let work = work.and_then(|item| amount(document, item));
    let deadline = match table.item("deadline") {
        None => Some(None),
        Some(item) => estimate(document, item).map(Some),
    };
    let estimate = match table.item("requested") {
        None => Some(Estimate::Exact),
        Some(item) => estimate(document, item),
    };
    let priority = table.value_or("priority", 0);
    let patience =
        table.optional::<Seconds>("cancel").map_or(Time::NEVER, |patience| Time::ZERO + patience.value);
    let fails = table.value_or("fails", false);
    if !whole {
        return None;
    }
    let checkpoints = checkpoints?;
    let gpus = request.as_ref().map_or(0, |request| request.gpus().milli());
    let job = Job {
        request: jobs.builder.request(request?),
        behaviour: jobs.builder.behaviour(Behaviour {
            gpus_min_milli: gpus,
            gpus_max_milli: gpus,
            checkpoint_interval: checkpoints.interval,
            checkpoint_cost: checkpoints.cost,
            ..behaviour?
        }),
        tenant: tenant?,
        priority,
        fails,
        cancel_time: patience,
        ..Job::at(Time::ZERO)
    };
    Some(Variety {
        estimate: estimate?,
        deadline: deadline?,
        stalls: checkpoints.stalls,
        ..Variety::of(job, work?)
    })
}

fn request(
    jobs: &mut Jobs<'_>,
    document: &Document,
    table: &mut Layered<'_>,
    tenant: Option<&Placed<String>>,
    whole: bool,
) -> Option<Request> {
    let cpu = table.optional::<Cores>("cpu").map_or(0, |cpu| cpu.value.0);
    let memory = table.optional::<Mebibytes>("memory").map_or(0, |memory| memory.value.0);
    let shape = table.group(&["gpus", "pods", "pod_gpus"], |table| shape(document, table, whole));
    let platforms = match table.item("platforms") {
        None => Some(PlatformSet::ALL),
        Some(item) => platforms(document, item, jobs.catalogue),
    };
    let partition = match table.optional::<String>("partition") {
        Some(name) => jobs.partition(document, &name),
        None => Some(jobs.partition_of_tenant(tenant)),
    };
    let topology = match table.item("topology") {
        None => Some(Topology::default()),
        Some(item) => topology(jobs, document, &item),
    };
    let segment = table.value_or("segment", 0);
    let licences = match table.item("licences") {
        None => Some(Vec::new()),
        Some(item) => licences::of_job(jobs, document, item),
    };
    Some(Request {
        shape: shape?,
        cpu_milli: cpu,
        memory_mib: memory,
        platforms: platforms?,
        partition: partition?,
        topology: topology?,
        segment,
        licences: licences?,
    })
}

/// What a job wishes of racks, or of a level of the cluster.
fn topology(jobs: &mut Jobs<'_>, document: &Document, item: &Item<'_>) -> Option<Topology> {
    let words = || Topology::WORDS.iter().map(|(word, _)| (*word).to_owned());
    let word = item.name(Topology::WORDS.iter().map(|(word, _)| *word))?;
    let levels: Vec<&str> =
        jobs.cluster.iter().flat_map(|cluster| &cluster.levels).map(|level| level.name.as_str()).collect();
    // Where the cluster is wrong no level is unknown.
    let is_known = |name: &str| jobs.cluster.is_none() || levels.contains(&name);
    let builder = &mut jobs.builder;
    let topology = Topology::of_word(&word, |name| is_known(name).then(|| builder.level(name)));
    if topology.is_none() {
        let of_levels = levels.iter().flat_map(|name| [format!("prefer-{name}"), format!("require-{name}")]);
        let known: Vec<String> = words().chain(of_levels).collect();
        let problem = Problem::new(format!("unknown topology `{}`", word.value));
        document.complain(word.mark, problem.hint_nearest(&word, known.iter().map(String::as_str)));
    }
    topology
}

/// The pods of a job from any of `gpus`, `pods` and `pod_gpus`.
fn shape(document: &Document, table: &mut Table<'_>, whole: bool) -> Option<Shape> {
    let wrong_before = ["gpus", "pods", "pod_gpus"].map(|key| table.has(key));
    let gpus = table.optional::<Gpus>("gpus");
    let pods = table.optional::<u32>("pods");
    let each = table.optional::<Gpus>("pod_gpus");
    if wrong_before != [gpus.is_some(), pods.is_some(), each.is_some()] {
        return None;
    }
    let whole_above_one = |gpus: &Placed<Gpus>| {
        let fits = gpus.value < Gpus::ONE || gpus.is_whole();
        if !fits {
            let problem =
                Problem::new(format!("`{}` GPUs: expected a share of one GPU, or whole ones", gpus.value));
            document.complain(gpus.mark, problem);
        }
        fits
    };
    if let Some(pods) = pods.as_ref().filter(|pods| pods.value == 0) {
        document.complain(pods.mark, Problem::new("`pods`: expected at least 1, found `0`"));
        return None;
    }
    let divided = |gpus: &Placed<Gpus>, pods: u32| {
        let milli = gpus.milli();
        if !milli.is_multiple_of(pods) {
            let message = format!("{} GPUs do not divide into {pods} equal pods", gpus.value);
            document.complain(gpus.mark, Problem::new(message));
            return None;
        }
        let each = Placed { value: Gpus::from_milli(milli / pods), mark: gpus.mark };
        whole_above_one(&each).then_some(Shape::Pods { count: pods, gpus_milli_each: milli / pods })
    };
    match (gpus, pods, each) {
        (Some(gpus), None, None) => whole_above_one(&gpus).then_some(Shape::Any { gpus_milli: gpus.milli() }),
        (Some(gpus), Some(pods), None) => divided(&gpus, pods.value),
        (None, pods, Some(each)) => {
            let count = pods.as_ref().map_or(1, |pods| pods.value);
            if u64::from(count) * u64::from(each.milli()) > u64::from(u32::MAX) {
                let mark = pods.map_or(each.mark, |pods| pods.mark);
                let message = format!("more than {} GPUs in all pods together", Gpus::MAX_WHOLE);
                document.complain(mark, Problem::new(message));
                return None;
            }
            whole_above_one(&each).then_some(Shape::Pods { count, gpus_milli_each: each.milli() })
        }
        (Some(_), _, Some(each)) if each.value == Gpus::ZERO => {
            document.complain(each.mark, Problem::new("`pod_gpus`: expected more than 0 beside `gpus`"));
            None
        }
        (Some(gpus), pods, Some(each)) => {
            let count = pods.map_or_else(|| gpus.milli() / each.milli().max(1), |pods| pods.value);
            if u64::from(count) * u64::from(each.milli()) != u64::from(gpus.milli()) || count == 0 {
                let message = format!("{} GPUs are not {count} pods of {}", gpus.value, each.value);
                document.complain(gpus.mark, Problem::new(message));
                return None;
            }
            whole_above_one(&each).then_some(Shape::Pods { count, gpus_milli_each: each.milli() })
        }
        (None, Some(pods), None) => Some(Shape::Pods { count: pods.value, gpus_milli_each: 0 }),
        (None, None, None) => {
            if whole {
                table.complain(Problem::new("missing `gpus`").hint("0 for a job that needs none"));
                return None;
            }
            Some(Shape::Any { gpus_milli: 0 })
        }
    }
}

fn platforms(document: &Document, item: Item<'_>, catalogue: &Catalogue) -> Option<PlatformSet> {
    let mark = item.mark();
    let mut set = PlatformSet::NONE;
    let mut whole = true;
    for name in item.items()? {
        match name.read::<String>().map(|name| index_of(document, &name, catalogue)) {
            Some(Some(index)) => set = set.with(index),
            _ => whole = false,
        }
    }
    if whole && set.is_empty() {
        document
            .complain(mark, Problem::new("expected at least one platform").hint("without `platforms`: any"));
    }
    (whole && !set.is_empty()).then_some(set)
}

pub(super) fn index_of(document: &Document, name: &Placed<String>, catalogue: &Catalogue) -> Option<usize> {
    let index = catalogue.index_of(name);
    if index.is_none() {
        let problem = Problem::new(format!("unknown platform `{}`", name.value));
        document.complain(name.mark, problem.hint_nearest(name, catalogue.names()));
    }
    index
}

/// How a job behaves, and what it says of its checkpoints.
fn behaviour(
    catalogue: &Catalogue,
    document: &Document,
    table: &mut Layered<'_>,
) -> (Option<Behaviour>, Written) {
    let kinds = JobKind::ALL.map(|kind| (kind.name(), kind));
    let kind = table.choice("kind", &kinds).map_or(JobKind::default(), |kind| kind.value);
    let families = Family::ALL.map(|family| (family.name(), family));
    let family = table.choice("family", &families).map(|family| family.value).or_else(|| family_of(kind));
    let overrun = table.choice("overrun", &OVERRUNS).map_or(Overrun::default(), |overrun| overrun.value);
    let preemptible = table.value_or("preemptible", kind.is_preemptible());
    let written = Written::read(table);
    let restart_time = table.value_or("restart", Seconds::ZERO);
    let max_delay = table.optional::<Seconds>("max_delay").map(|delay| delay.value);
    let mut profile = || {
        let speeds = speeds(catalogue, document, table, family)?;
        let shares = match table.item("phases") {
            None => Profile::of(kind).shares,
            Some(item) => shares(item)?,
        };
        let levels = match table.item("draw") {
            None => Profile::default().levels,
            Some(item) => levels(item)?,
        };
        Some((speeds, Profile { shares, levels }))
    };
    let behaviour = profile().map(|(speeds, profile)| Behaviour {
        kind,
        overrun,
        preemptible,
        restart_time,
        max_delay,
        speeds,
        profile,
        ..Behaviour::default()
    });
    (behaviour, written)
}

/// The speed on every platform: of its family, or its own.
fn speeds(
    catalogue: &Catalogue,
    document: &Document,
    table: &mut Layered<'_>,
    family: Option<Family>,
) -> Option<Vec<Factor>> {
    let mut speeds = family.map(|family| catalogue.speeds(family)).unwrap_or_default();
    if let Some(own) = table.item("speed") {
        for (name, item) in own.table()?.entries() {
            let (index, speed) = (index_of(document, &name, catalogue), item.read::<Factor>());
            let (index, speed) = (index?, speed?);
            speeds.resize(speeds.len().max(index + 1), Factor::ONE);
            speeds[index] = speed.value;
        }
    }
    Some(speeds)
}

/// What bounds jobs of a kind; none if they take as long on any platform.
pub(super) const fn family_of(kind: JobKind) -> Option<Family> {
    match kind {
        JobKind::Pretrain | JobKind::Finetune => Some(Family::DenseTraining),
        // Most of the time goes into writing answers: rollouts of the learner, samples of the evaluation.
        JobKind::Rl | JobKind::Eval | JobKind::BatchInference => Some(Family::Decode),
        // A service answers as long as it is wanted.
        JobKind::InferenceService => None,
        JobKind::Data | JobKind::Other => Some(Family::Other),
    }
}
