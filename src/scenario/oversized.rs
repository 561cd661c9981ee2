use super::run::Oversized;
use crate::error::{Place, Problem, Problems};
use crate::hardware::Catalogue;
use crate::history::Plan;
use crate::policy::placement::takes_whole_segments;
use crate::policy::{oversized, too_large};
use crate::units::Gpus;
use crate::workload::{JobLimit, Request, Shape, Topology};
use std::collections::BTreeMap;

/// Why nothing but power keeps a job from starting, and what may help.
const POWER: &str = "a cap, or the limit of a ramp, leaves less than it would draw beside idle nodes; `power` in \
                     `[policy]` says what is done then; `--set run.oversized=reject` runs the rest";

/// Reports the jobs that no empty cluster could hold, one problem for those that ask alike; or says that they will be
/// rejected.
pub(super) fn check(
    plan: &Plan,
    catalogue: &Catalogue,
    wish: Oversized,
    places: &BTreeMap<u32, Place>,
    notes: &mut Vec<String>,
    problems: &mut Problems,
) {
    let jobs = oversized(plan);
    if jobs.is_empty() {
        return;
    }
    let beyond = plan.workload.beyond_queues();
    if wish == Oversized::Reject {
        notes.extend(rejected_by_queues(&beyond));
    } else {
        by_queues(plan, &beyond, places, problems);
    }
    let jobs: Vec<u32> = jobs.into_iter().filter(|job| beyond.binary_search(job).is_err()).collect();
    if jobs.is_empty() {
        return;
    }
    if wish == Oversized::Reject {
        let noun = if jobs.len() == 1 { "job" } else { "jobs" };
        notes.push(format!(
            "{} {noun} could never start, not on the empty cluster either: rejected",
            jobs.len()
        ));
        return;
    }
    let too_large = too_large(plan);
    let mut alike: BTreeMap<u32, (u32, usize)> = BTreeMap::new();
    for job in jobs {
        alike.entry(plan.workload.jobs[job as usize].request).or_insert((job, 0)).1 += 1;
    }
    let mut alike: Vec<(u32, (u32, usize))> = alike.into_iter().collect();
    alike.sort_by_key(|(_, (first, _))| *first);
    for (request, (first, count)) in alike {
        let name = plan.workload.names.get(first as usize);
        let others = if count > 1 { format!(" (and {} like it)", count - 1) } else { String::new() };
        let asked = &plan.workload.requests[request as usize];
        let absent = absent(plan, asked, catalogue);
        let wanted = wanted(plan, asked, &absent);
        let mut message = format!("job `{name}`{others} asks for {wanted} and could never start");
        let mut hint = hint(plan, first);
        if let Some(name) = absent.first() {
            hint = elsewhere(plan, name);
        }
        if let Some(own) = plan.beyond_licence(first) {
            let licence = &plan.cluster.licences[own as usize];
            let count = asked.licences.iter().find(|(known, _)| *known == own).map_or(0, |(_, count)| *count);
            message = format!(
                "job `{name}`{others} asks for {count} of licence `{}` and could never start",
                licence.name
            );
            hint = format!("there are {}; `--set run.oversized=reject` runs the rest", licence.count);
        } else if too_large.binary_search(&first).is_err() {
            message.push_str(" for want of power");
            POWER.clone_into(&mut hint);
        }
        if let Some(segment) = undivided(plan, asked) {
            let placement = &plan.settings.placement;
            message.push_str(&format!(
                ": segments of {segment} do not divide its pods, as `{placement}` needs it"
            ));
            "another `segment`, or another placement".clone_into(&mut hint);
        }
        let problem = Problem::new(message).hint(hint);
        problems.push(match places.get(&request) {
            Some(place) => problem.at(place.clone()),
            None => problem,
        });
    }
}

/// What to say of jobs that their queues keep out for good.
fn rejected_by_queues(beyond: &[u32]) -> Option<String> {
    let told = match beyond.len() {
        1 => "1 job is beyond what its queue allows a job: rejected".to_owned(),
        many => format!("{many} jobs are beyond what their queues allow a job: rejected"),
    };
    (!beyond.is_empty()).then_some(told)
}

/// Reports the jobs that their queues keep out for good, one problem for each limit.
fn by_queues(plan: &Plan, beyond: &[u32], places: &BTreeMap<u32, Place>, problems: &mut Problems) {
    let mut alike: BTreeMap<(u32, JobLimit), (u32, usize)> = BTreeMap::new();
    for job in beyond {
        let limit = plan.workload.beyond_queue(*job);
        limit.into_iter().for_each(|limit| alike.entry(limit).or_insert((*job, 0)).1 += 1);
    }
    for ((queue, limit), (first, count)) in alike {
        let own = &plan.workload.jobs[first as usize];
        let asked = match limit {
            JobLimit::Gpus => format!("asks for {} GPUs", plan.workload.request_of(first).gpus()),
            JobLimit::Time => format!("requests {}", own.requested_time),
            JobLimit::Priority => format!("has priority {}", own.priority),
        };
        let name = plan.workload.names.get(first as usize);
        let others = if count > 1 { format!(" (and {} others)", count - 1) } else { String::new() };
        let told = format!("job `{name}`{others} {asked} and could never start");
        let queue = &plan.workload.queues[queue as usize];
        let most = crate::report::fit::most_of_a_job(queue.job_limits, limit);
        let hint = format!(
            "a job of queue `{}` may have at most {most}; `--set run.oversized=reject` runs the rest",
            queue.name
        );
        let problem = Problem::new(told).hint(hint);
        problems.push(match places.get(&own.request) {
            Some(place) => problem.at(place.clone()),
            None => problem,
        });
    }
}

/// The size of segments that do not divide the pods of a request, where the placement wants whole ones.
fn undivided(plan: &Plan, request: &Request) -> Option<u32> {
    let Shape::Pods { count, .. } = request.shape else { return None };
    let rest = count.checked_rem(request.segment).filter(|_| count > 1)?;
    (rest > 0 && takes_whole_segments(&plan.settings.placement)).then_some(request.segment)
}

/// The platforms that a request names, where the cluster has none of them.
fn absent(plan: &Plan, request: &Request, catalogue: &Catalogue) -> Vec<String> {
    if plan.cluster.kinds.iter().any(|kind| request.platforms.contains(kind.platform as usize)) {
        return Vec::new();
    }
    let named = |(index, _): &(usize, _)| request.platforms.contains(*index);
    catalogue
        .platforms()
        .iter()
        .enumerate()
        .filter(named)
        .map(|(_, platform)| platform.name.clone())
        .collect()
}

/// What to do about a platform that the cluster lacks.
fn elsewhere(plan: &Plan, name: &str) -> String {
    let here = plan.cluster.kinds.first().map_or("h100", |kind| kind.platform_name.as_str());
    format!(
        "jobs of a trace run on any platform with `map = {{ platform = \"ignore\" }}` in `[workload]`, or on another \
         with `map = {{ platform = {{ {name} = \"{here}\" }} }}`; `--set run.oversized=reject` runs the rest"
    )
}

fn wanted(plan: &Plan, request: &Request, absent: &[String]) -> String {
    let mut text = match request.shape {
        Shape::Any { .. } if request.gpus() == Gpus::ONE => "1 GPU".to_owned(),
        Shape::Any { .. } => format!("{} GPUs", request.gpus()),
        Shape::Pods { count, gpus_milli_each } => {
            let pods = if count == 1 { "pod" } else { "pods" };
            format!("{count} {pods} of {} GPUs", Gpus::from_milli(gpus_milli_each))
        }
    };
    if request.cpu_milli > 0 {
        text.push_str(&format!(", {} cores a pod", f64::from(request.cpu_milli) / 1000.0));
    }
    if request.memory_mib > 0 {
        text.push_str(&format!(", {} MiB a pod", request.memory_mib));
    }
    match request.topology {
        Topology::RequireRack => text.push_str(" in one rack"),
        Topology::RequireLevel(level) => {
            text.push_str(&format!(" in one {}", plan.workload.levels[level as usize]));
        }
        Topology::Ignore | Topology::PreferRack | Topology::PreferLevel(_) => {}
    }
    if request.partition > 0 {
        text.push_str(&format!(" in partition `{}`", plan.workload.partitions[request.partition as usize]));
    }
    let kinds = &plan.cluster.kinds;
    let allowed: Vec<&str> = (kinds.iter())
        .filter(|kind| request.platforms.contains(kind.platform as usize))
        .map(|kind| kind.platform_name.as_str())
        .collect();
    if let [first, others @ ..] = absent {
        let others = if others.is_empty() { "" } else { " or others" };
        text.push_str(&format!(" of `{first}`{others}, which the cluster does not have,"));
    } else if allowed.is_empty() {
        text.push_str(" of a platform that is not there");
    } else if allowed.len() < kinds.len() {
        text.push_str(&format!(" of {}", allowed.join(" or ")));
    }
    text
}

fn hint(plan: &Plan, job: u32) -> String {
    let cluster = &plan.cluster;
    let largest = cluster.kinds.iter().map(|kind| kind.gpus).max().unwrap_or(0);
    let tenant = &plan.workload.tenants[plan.workload.jobs[job as usize].tenant as usize];
    let quota = tenant.own_milli().map_or_else(String::new, |milli| {
        let (gpus, of) = (Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX)), tenant.quota());
        let of = if of.is_some() { "" } else { " of the platforms that its quota names" };
        format!("; `{}` may hold {gpus}{of}", tenant.name)
    });
    let partition =
        cluster.partition(&plan.workload.partitions[plan.workload.request_of(job).partition as usize]);
    let limit = partition.and_then(|partition| Some((&partition.name, partition.limit_milli?)));
    let limit = limit.map_or_else(String::new, |(name, limit)| {
        format!("; the jobs of partition `{name}` may hold {} together", Gpus::from_milli(limit))
    });
    let [_, most, _] = crate::experiment::ceilings(plan, job);
    let queue = plan.workload.queue_of(job).map(|queue| &plan.workload.queues[queue as usize].name);
    let queue = queue.zip(most).map_or_else(String::new, |(name, most)| {
        format!(
            "; the most that queue `{name}` could hold is {} GPUs",
            Gpus::from_milli(u32::try_from(most).unwrap_or(u32::MAX))
        )
    });
    format!(
        "there are {} GPUs, at most {largest} a node{quota}{queue}{limit}; `--set run.oversized=reject` runs the rest",
        cluster.gpus()
    )
}
