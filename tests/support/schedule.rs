//! A schedule in a form that two simulators share, and the laws that every schedule obeys.

use super::naive::{Fate, Run};
use gigawatt::cluster::{Cluster, NodeState};
use gigawatt::history::{History, Outcome, Piece, Plan, Segment, SegmentEnd};
use gigawatt::workload::{Queue, Shape};
use std::collections::BTreeMap;

/// The instant of what never happens.
pub(crate) const NEVER: u32 = u32::MAX;
/// Stands for the GPU of a pod that has none.
const NO_GPU: u32 = u32::MAX;

/// What became of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) eligible: u32,
    pub(crate) finish: u32,
    pub(crate) outcome: Outcome,
    pub(crate) attempts: Vec<Stretch>,
}

/// One stretch of running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) end: SegmentEnd,
    pub(crate) rate: u32,
    pub(crate) restart: u32,
    /// (node, GPU within it, thousandths), sorted.
    pub(crate) held: Vec<(u32, u32, u32)>,
}

/// The schedule of the naive reference.
pub(crate) fn of_run(run: &Run) -> Vec<Line> {
    let line = |fate: &Fate| Line {
        eligible: fate.eligible,
        finish: fate.finish,
        outcome: fate.outcome,
        attempts: fate.attempts.iter().map(stretch).collect(),
    };
    run.jobs.iter().map(line).collect()
}

fn stretch(attempt: &super::naive::Attempt) -> Stretch {
    let mut held = Vec::new();
    for pod in &attempt.holding.pods {
        held.extend(pod.gpus.iter().map(|(gpu, milli)| (pod.node, *gpu, *milli)));
        if pod.gpus.is_empty() {
            held.push((pod.node, NO_GPU, 0));
        }
    }
    held.sort_unstable();
    let super::naive::Attempt { from, to, end, rate, restart, .. } = *attempt;
    Stretch { from, to, end, rate, restart, held }
}

/// The schedule of a history.
pub(crate) fn of_history(history: &History) -> Vec<Line> {
    let mut lines: Vec<Line> = history
        .jobs
        .iter()
        .map(|job| Line {
            eligible: job.eligible_time.0,
            finish: job.finish_time.0,
            outcome: job.outcome,
            attempts: Vec::new(),
        })
        .collect();
    for segment in &history.segments {
        let Segment { job, from, to, rate, restart, end, .. } = *segment;
        let held = held(&history.plan.cluster, history.pieces_of(segment));
        let stretch = Stretch { from: from.0, to: to.0, end, rate: rate.0, restart, held };
        lines[job as usize].attempts.push(stretch);
    }
    lines
}

fn held(cluster: &Cluster, pieces: &[Piece]) -> Vec<(u32, u32, u32)> {
    let mut held = Vec::new();
    for piece in pieces {
        match *piece {
            Piece::Nodes { .. } => {
                for node in piece.nodes() {
                    held.extend((0..cluster.kind_of(node).gpus).map(|gpu| (node, gpu, 1000)));
                }
            }
            Piece::Gpus { node, mask: 0 } => held.push((node, NO_GPU, 0)),
            Piece::Gpus { node, mask } => {
                held.extend((0..64).filter(|gpu| mask >> gpu & 1 == 1).map(|gpu| (node, gpu, 1000)));
            }
            Piece::Share { node, gpu, milli } => held.push((node, u32::from(gpu), u32::from(milli))),
        }
    }
    held.sort_unstable();
    held
}

/// Every job whose lines differ, both sides.
pub(crate) fn differences(expected: &[Line], got: &[Line]) -> Vec<String> {
    let mut differences = Vec::new();
    if expected.len() != got.len() {
        differences.push(format!("{} jobs expected, {} came out", expected.len(), got.len()));
    }
    for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
        if expected != got {
            differences.push(format!("job {index}\nexpected {expected:?}\n     got {got:?}"));
        }
    }
    differences
}

/// Every law that a schedule breaks.
pub(crate) fn broken_laws(plan: &Plan, lines: &[Line]) -> Vec<String> {
    let mut broken = Vec::new();
    for (job, line) in (0..).zip(lines) {
        lifetime(plan, job, line, &mut broken);
    }
    let mut starts: Vec<u32> =
        lines.iter().flat_map(|line| &line.attempts).map(|attempt| attempt.from).collect();
    starts.sort_unstable();
    starts.dedup();
    for instant in starts {
        conservation(plan, lines, instant, &mut broken);
    }
    broken
}

/// One job: nothing before it is eligible or after its end, and as long as its work takes.
fn lifetime(plan: &Plan, job: u32, line: &Line, broken: &mut Vec<String>) {
    let mut law = |holds: bool, text: &str| {
        if !holds {
            broken.push(format!("job {job}: {text}: {line:?}"));
        }
    };
    let given = &plan.workload.jobs[job as usize];
    law(line.eligible >= given.submit_time.0, "eligible before it is submitted");
    let mut free_from = line.eligible;
    for attempt in &line.attempts {
        law(attempt.from >= free_from, "starts before it is eligible, or before its last attempt ended");
        // What ran before time 0 may be stopped at time 0.
        let at_once =
            attempt.from == 0 && matches!(attempt.end, SegmentEnd::Preempted | SegmentEnd::NodeDown);
        law(attempt.to > attempt.from || at_once, "holds its nodes for no time");
        free_from = attempt.to;
    }
    let first = line.attempts.first().map_or(NEVER, |attempt| attempt.from);
    law(first == NEVER || first < given.cancel_time.0, "starts after it was withdrawn");
    law(line.attempts.iter().all(|attempt| requested(plan, job, attempt)), "holds what it did not ask for");
    let ended_by = line.attempts.last().map(|attempt| (attempt.end, attempt.to));
    let ending = match line.outcome {
        Outcome::Completed => Some(SegmentEnd::Completed),
        Outcome::Failed => Some(SegmentEnd::Failed),
        Outcome::Timeout => Some(SegmentEnd::Timeout),
        _ => None,
    };
    match ending {
        Some(end) => law(ended_by == Some((end, line.finish)), "its last attempt does not end as it did"),
        None => law(
            line.attempts.is_empty() || line.outcome == Outcome::Unfinished,
            "ran, but did not end by itself",
        ),
    }
    law((line.outcome == Outcome::Unfinished) == (line.finish == NEVER), "an outcome has an instant");
    if line.outcome == Outcome::Completed && plan.workload.behaviour_of(job).checkpoint_interval.0 == 0 {
        // Without checkpoints a stop loses nothing, and a node that fails the whole attempt: the work done in all others
        // covers the work asked for, and would not have without the last second.
        let work = |attempt: &Stretch, less: u32| {
            let seconds = (attempt.to - attempt.from).saturating_sub(attempt.restart + less);
            let kept = attempt.end != SegmentEnd::NodeDown;
            u64::from(seconds) * u64::from(attempt.rate) * u64::from(kept)
        };
        let done: u64 = line.attempts.iter().map(|attempt| work(attempt, 0)).sum();
        let last = line.attempts.last().expect("a completed job has run");
        let before = done - work(last, 0) + work(last, 1);
        let asked = u64::from(given.work_time.0) << 16;
        law(done >= asked && before < asked, "did more or less work than asked for");
    }
}

/// Whether an attempt holds as many GPUs as the job asks for, pods on one node each.
fn requested(plan: &Plan, job: u32, attempt: &Stretch) -> bool {
    let request = plan.workload.request_of(job);
    let total: u32 = attempt.held.iter().map(|(_, _, milli)| milli).sum();
    let nodes = by_node(attempt);
    let allowed = |node: &u32| request.platforms.contains(plan.cluster.kind_of(*node).platform as usize);
    let partition = plan.cluster.partition(&plan.workload.partitions[request.partition as usize]);
    let inside = |node: &u32| {
        request.partition == 0
            || partition.is_some_and(|partition| partition.nodes.iter().any(|range| range.contains(node)))
    };
    let whole_pods = match request.shape {
        Shape::Pods { gpus_milli_each: each, .. } if each > 0 => {
            nodes.values().all(|milli| milli % each == 0)
        }
        _ => true,
    };
    total == request.gpus().milli() && whole_pods && nodes.keys().all(|node| allowed(node) && inside(node))
}

fn by_node(attempt: &Stretch) -> BTreeMap<u32, u32> {
    let mut nodes = BTreeMap::new();
    for (node, _, milli) in &attempt.held {
        *nodes.entry(*node).or_insert(0) += milli;
    }
    nodes
}

/// All jobs at one instant: nothing is held twice, nothing on a node that is not up, no quota exceeded.
fn conservation(plan: &Plan, lines: &[Line], instant: u32, broken: &mut Vec<String>) {
    let mut gpus: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut hosts: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let mut tenants: BTreeMap<u32, (u64, bool)> = BTreeMap::new();
    let mut partitions: BTreeMap<u32, (u64, bool)> = BTreeMap::new();
    // How many of each licence are held, and whether a job that holds some starts.
    let mut licences = vec![(0_u64, false); plan.cluster.licences.len()];
    // What each holds, whether a job of it starts, and how many run.
    let mut queues = vec![(0_u64, false, 0_u32); plan.workload.queues.len()];
    for (job, line) in (0..).zip(lines) {
        let request = plan.workload.request_of(job);
        for attempt in line.attempts.iter().filter(|attempt| (attempt.from..attempt.to).contains(&instant)) {
            for (node, gpu, milli) in &attempt.held {
                *gpus.entry((*node, *gpu)).or_default() += milli;
            }
            for (node, milli) in by_node(attempt) {
                let pods = match request.shape {
                    Shape::Any { .. } => 1,
                    Shape::Pods { gpus_milli_each: 0, .. } => {
                        attempt.held.iter().filter(|held| held.0 == node).count() as u64
                    }
                    Shape::Pods { gpus_milli_each, .. } => u64::from(milli / gpus_milli_each),
                };
                let host = hosts.entry(node).or_default();
                host.0 += pods * u64::from(request.cpu_milli);
                host.1 += pods * u64::from(request.memory_mib);
                let state = state_at(&plan.cluster, node, instant);
                let starts = attempt.from == instant;
                if !(state == NodeState::Up || (state == NodeState::Draining && !starts)) {
                    broken.push(format!("at {instant} job {job} holds node {node}, which is {state:?}"));
                }
            }
            for (own, count) in &request.licences {
                let held = &mut licences[*own as usize];
                held.0 += u64::from(*count);
                held.1 |= attempt.from == instant && instant > 0;
            }
            let tenant = tenants.entry(plan.workload.jobs[job as usize].tenant).or_default();
            let mut above = plan.workload.queue_of(job);
            while let Some(queue) = above {
                let held = &mut queues[queue as usize];
                held.0 += u64::from(request.gpus().milli());
                held.1 |= attempt.from == instant && instant > 0 && request.gpus().milli() > 0;
                held.2 += u32::from(request.gpus().milli() > 0);
                above = plan.workload.queues[queue as usize].parent;
            }
            for held in [tenant, partitions.entry(request.partition).or_default()] {
                held.0 += u64::from(request.gpus().milli());
                held.1 |= attempt.from == instant && instant > 0 && request.gpus().milli() > 0;
            }
        }
    }
    for ((node, gpu), milli) in gpus {
        if milli > 1000 {
            broken.push(format!("at {instant} {milli} thousandths of GPU {gpu} of node {node} are held"));
        }
    }
    for (node, (cpu, memory)) in hosts {
        let kind = plan.cluster.kind_of(node);
        let over = |used: u64, capacity: u32| capacity != u32::MAX && used > u64::from(capacity);
        if over(cpu, kind.cpu_milli) || over(memory, kind.memory_mib) {
            broken.push(format!("at {instant} node {node} gives {cpu} of CPU, {memory} MiB"));
        }
    }
    for (licence, (held, starts)) in plan.cluster.licences.iter().zip(licences) {
        if starts && held > u64::from(licence.count) {
            let (name, count) = (&licence.name, licence.count);
            broken
                .push(format!("at {instant} {held} of licence {name} are held, of which there are {count}"));
        }
    }
    for (partition, (milli, starts)) in partitions {
        let name = &plan.workload.partitions[partition as usize];
        let limit = plan.cluster.partition(name).and_then(|partition| partition.limit_milli);
        if starts && limit.is_some_and(|limit| milli > u64::from(limit)) {
            broken.push(format!(
                "at {instant} partition {name} holds {milli} thousandths, more than its limit"
            ));
        }
    }
    for (queue, (milli, starts, jobs)) in plan.workload.queues.iter().zip(queues) {
        if starts && queue.job_limits.running.is_some_and(|most| jobs > most) {
            broken.push(format!("at {instant} {} runs {jobs} jobs, more than it may", queue.name));
        }
        if starts && queue.limit_milli.is_some_and(|limit| milli > u64::from(limit)) {
            broken
                .push(format!("at {instant} {} holds {milli} thousandths, more than its limit", queue.name));
        }
        // All together never hold more than all have of their own; but what runs from the beginning may hold more of one
        // platform, beside what starts on another.
        let apart = plan.workload.queues.iter().any(|queue| !queue.by_platform.is_empty());
        let is_sum = queue.parent.is_none() && (!apart || plan.workload.running.is_empty());
        let own = nominal_of_tree(plan, queue).filter(|_| is_sum);
        if starts && own.is_some_and(|own| milli > own) {
            broken.push(format!("at {instant} {} holds {milli} thousandths, more than there is", queue.name));
        }
    }
    for (tenant, (milli, starts)) in tenants {
        // What runs from the beginning may exceed a quota; nothing may start beside it.
        let quota = plan.workload.tenants[tenant as usize].quota_milli;
        if starts && milli > 0 && quota.is_some_and(|quota| milli > u64::from(quota)) {
            broken
                .push(format!("at {instant} tenant {tenant} holds {milli} thousandths, more than its quota"));
        }
    }
}

/// What is nominal of a queue without one above it and of all below it; none: nothing is said.
fn nominal_of_tree(plan: &Plan, root: &Queue) -> Option<u64> {
    let queues = &plan.workload.queues;
    let is_within = |queue: &&Queue| {
        let parent = |queue: &&Queue| queue.parent.map(|parent| &queues[parent as usize]);
        std::iter::successors(Some(*queue), parent).any(|above| above.name == root.name)
    };
    let nominal = |queue: &Queue| {
        let of_platforms = queue.by_platform.iter().filter_map(|own| own.nominal_milli);
        of_platforms.chain(queue.nominal_milli).map(u64::from).reduce(|sum, more| sum + more)
    };
    let own = queues.iter().filter(is_within).filter_map(nominal);
    own.reduce(|sum, more| sum + more)
}

/// The state of a node after all changes of an instant.
pub(crate) fn state_at(cluster: &Cluster, node: u32, instant: u32) -> NodeState {
    let mut past =
        cluster.changes.iter().filter(|change| change.time.0 <= instant && change.nodes.contains(&node));
    past.next_back().map_or(NodeState::Up, |change| change.state)
}
