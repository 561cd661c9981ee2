use super::distribution::Distribution;
use crate::history::{History, Outcome};
use crate::units::{Seconds, Time};
use crate::workload::Graph;
use serde::Serialize;
use std::ops::Range;

/// One job graph, all of whose jobs completed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphTimes {
    /// As the user calls it.
    pub name: String,
    /// How many jobs it has.
    pub jobs: usize,
    /// Last finish − first submit.
    pub turnaround_time: Seconds,
    /// The longest chain of ideal run times and delays: what no schedule can beat.
    pub critical_path_time: Seconds,
    /// turnaround ÷ critical path.
    pub stretch: f64,
    /// The jobs of that chain, first to last.
    pub critical_path: Vec<String>,
}

/// The job graphs whose first job was submitted within the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GraphMetrics {
    /// How many there are.
    pub count: usize,
    /// How many of them had all their jobs completed; what follows is about those.
    pub completed: usize,
    /// Last finish − first submit.
    pub turnaround_time: Distribution<u32>,
    /// Turnaround ÷ critical path, at least about 1.
    pub stretch: Distribution<f64>,
    /// The one of longest turnaround, the first of equals.
    pub slowest: Option<GraphTimes>,
}

/// Seconds that a job takes on the fastest platform it may use, if the cluster has one.
pub(super) fn ideal_run_time(history: &History, job: u32) -> u32 {
    let workload = &history.plan.workload;
    let (request, behaviour) = (workload.request_of(job), workload.behaviour_of(job));
    let platforms = history.plan.cluster.kinds.iter().map(|kind| kind.platform as usize);
    let speed = platforms.filter(|p| request.platforms.contains(*p)).map(|p| behaviour.speed(p)).max();
    let work = u64::from(workload.jobs[job as usize].work_time.0) << 16;
    let ideal = work.div_ceil(u64::from(speed.unwrap_or_default().0.max(1)));
    u32::try_from(ideal).unwrap_or(u32::MAX).max(1)
}

/// The longest chain of each graph, in one sweep over all edges.
fn critical_paths(history: &History, graphs: &[Graph], ideal: &[u32]) -> Vec<u64> {
    let mut graph_of = vec![u32::MAX; ideal.len()];
    for (index, graph) in (0u32..).zip(graphs) {
        for job in &graph.jobs {
            graph_of[*job as usize] = index;
        }
    }
    let mut longest: Vec<u64> = ideal.iter().map(|seconds| u64::from(*seconds)).collect();
    let dependencies = &history.plan.workload.dependencies;
    for job in dependencies.topological_order() {
        let here = longest[*job as usize];
        for edge in dependencies.successors(*job) {
            let there = edge.job as usize;
            if graph_of[there] == graph_of[*job as usize] {
                let through = here + u64::from(edge.delay.0) + u64::from(ideal[there]);
                longest[there] = longest[there].max(through);
            }
        }
    }
    let longest_of = |graph: &Graph| graph.jobs.iter().map(|job| longest[*job as usize]).max().unwrap_or(0);
    graphs.iter().map(longest_of).collect()
}

pub(super) fn stretch(turnaround: u32, critical_path: u64) -> f64 {
    super::distribution::ratio(u128::from(turnaround), u128::from(critical_path))
}

/// The graphs of a history; none if the workload has none.
///
/// # Complexity
/// O(|jobs| + |edges|) time and space.
pub(super) fn graphs(history: &History, window: &Range<Time>) -> Option<GraphMetrics> {
    let workload = &history.plan.workload;
    if workload.graphs.is_empty() {
        return None;
    }
    let ideal: Vec<u32> = (0..workload.len()).map(|job| ideal_run_time(history, job)).collect();
    let critical_paths = critical_paths(history, &workload.graphs, &ideal);
    let mut found = GraphMetrics::default();
    let mut turnarounds = Vec::new();
    let mut stretches = Vec::new();
    let mut slowest: Option<(u32, usize)> = None;
    for (index, graph) in workload.graphs.iter().enumerate() {
        let submit = graph.jobs.iter().map(|job| workload.jobs[*job as usize].submit_time).min();
        let Some(submit) = submit.filter(|submit| window.contains(submit)) else { continue };
        found.count += 1;
        let records = || graph.jobs.iter().map(|job| &history.jobs[*job as usize]);
        if !records().all(|record| record.outcome == Outcome::Completed) {
            continue;
        }
        let finish = records().map(|record| record.finish_time).max().unwrap_or(submit);
        let turnaround = finish.since(submit).0;
        turnarounds.push(turnaround);
        stretches.push(stretch(turnaround, critical_paths[index]));
        if slowest.is_none_or(|(longest, _)| turnaround > longest) {
            slowest = Some((turnaround, index));
        }
    }
    found.completed = turnarounds.len();
    found.turnaround_time = Distribution::of_seconds(turnarounds);
    found.stretch = Distribution::of_ratios(stretches);
    found.slowest = slowest.map(|(turnaround, index)| {
        let graph = &workload.graphs[index];
        let length = |job: u32| u64::from(ideal[job as usize]);
        let (seconds, chain) = workload.dependencies.critical_path(&graph.jobs, length);
        GraphTimes {
            name: graph.name.clone(),
            jobs: graph.jobs.len(),
            turnaround_time: Seconds(turnaround),
            critical_path_time: Seconds(u32::try_from(seconds).unwrap_or(u32::MAX)),
            stretch: stretch(turnaround, seconds),
            critical_path: chain.iter().map(|job| workload.names.get(*job as usize).into_owned()).collect(),
        }
    });
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{JobRecord, Plan};
    use crate::units::{Factor, Gpus};
    use crate::workload::{Behaviour, Builder, Job, Request};

    /// Two graphs: a diamond of 10 → (30 | 5 after a minute) → 7 seconds, and a pair; on a platform of speed 2.
    fn history() -> History {
        let mut builder = Builder::default();
        builder.request(Request::gang(Gpus::ONE));
        builder.behaviour(Behaviour { speeds: vec![Factor::from_f64(2.0).unwrap()], ..Behaviour::default() });
        for (submit, work) in [(0, 10), (0, 30), (0, 5), (0, 7), (100, 40), (120, 20)] {
            let job = Job { work_time: Seconds(work), ..Job::at(Time(submit)) };
            builder.push_named(job, &format!("j{submit}-{work}"));
        }
        for (before, after, delay) in [(0, 1, 0), (0, 2, 60), (1, 3, 0), (2, 3, 0), (4, 5, 0)] {
            builder.graph().add(before, after, Seconds(delay));
        }
        for (name, jobs) in [("diamond", vec![0, 1, 2, 3]), ("pair", vec![4, 5])] {
            builder.add_graph(Graph { name: name.to_owned(), jobs });
        }
        let finish = [5, 20, 80, 84, 160, 180].map(|time| JobRecord {
            eligible_time: Time(0),
            finish_time: Time(time),
            outcome: Outcome::Completed,
        });
        let cluster = Cluster::uniform(1, NodeKind { gpus: 1, ..NodeKind::default() });
        let plan = Plan { cluster, workload: builder.try_finish().unwrap(), ..Plan::default() };
        History { plan, jobs: finish.to_vec(), end: Time(180), ..History::default() }
    }

    #[test]
    fn the_slowest_graph_is_held_against_its_critical_path() {
        let found = graphs(&history(), &(Time(0)..Time::NEVER)).unwrap();
        assert_eq!((found.count, found.completed), (2, 2), "both are done");
        let slowest = found.slowest.unwrap();
        assert_eq!((slowest.name.as_str(), slowest.turnaround_time), ("diamond", Seconds(84)), "84 > 80");
        // At speed 2: 5 + 60 + 3 + 4 seconds along the delay, against 5 + 15 + 4 along the other side.
        assert_eq!(slowest.critical_path_time, Seconds(72), "through the delay");
        assert_eq!(slowest.critical_path, ["j0-10", "j0-5", "j0-7"], "first to last");
        assert!((slowest.stretch - 84.0 / 72.0).abs() < 1e-12, "turnaround over critical path");
        assert!((found.stretch.max - 80.0 / 30.0).abs() < 1e-12, "the pair: 80 s for 20 + 10");
    }

    #[test]
    fn a_graph_with_a_failure_or_outside_the_window_is_left_out() {
        let mut history = history();
        history.jobs[2].outcome = Outcome::Failed;
        let found = graphs(&history, &(Time(0)..Time::NEVER)).unwrap();
        assert_eq!((found.count, found.completed), (2, 1), "one failed");
        assert_eq!(found.slowest.unwrap().name, "pair", "the other is the slowest");
        let found = graphs(&history, &(Time(0)..Time(50))).unwrap();
        assert_eq!((found.count, found.completed, found.slowest), (1, 0, None), "nothing left");
        history.plan.workload.graphs.clear();
        assert_eq!(graphs(&history, &(Time(0)..Time(50))), None, "no graphs at all");
    }
}
