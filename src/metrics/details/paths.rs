use crate::history::{History, Outcome};
use crate::metrics::graphs::{ideal_run_time, stretch};
use crate::metrics::measure::submitted;
use crate::metrics::{JobTimes, Measured};
use crate::units::{Seconds, Time};
use serde::Serialize;

/// One job of a critical path: when it could start, did, and ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathStep {
    /// The job, as the input calls it.
    pub job: String,
    /// See [`JobRecord`](crate::history::JobRecord); none if it never was.
    pub eligible_time: Option<Time>,
    /// Its first start; none if it never started.
    pub start_time: Option<Time>,
    /// When its outcome was settled; none if it was not.
    pub finish_time: Option<Time>,
    /// How it ended.
    pub outcome: &'static str,
}

/// One job graph of the window, and the longest chain of ideal run times and delays through it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphPath {
    /// As the user calls it.
    pub name: String,
    /// How many jobs it has.
    pub jobs: usize,
    /// How many of them completed.
    pub completed: usize,
    /// When its first job was submitted.
    pub submit_time: Time,
    /// Last finish − first submit; none unless all jobs completed.
    pub turnaround_time: Option<Seconds>,
    /// What no schedule can beat.
    pub critical_path_time: Seconds,
    /// turnaround ÷ critical path; none unless all jobs completed.
    pub stretch: Option<f64>,
    /// The jobs of that chain, first to last.
    pub steps: Vec<PathStep>,
}

/// Most graphs that are told.
const GRAPHS: usize = 12;

/// The graphs of the window: those first that are not done, then those that took longest.
pub(super) fn paths(history: &History, measured: &Measured) -> Vec<GraphPath> {
    let workload = &history.plan.workload;
    let window = submitted(history);
    let mut order: Vec<(Option<u32>, usize)> = Vec::new();
    for (index, graph) in workload.graphs.iter().enumerate() {
        let submit = graph.jobs.iter().map(|job| workload.jobs[*job as usize].submit_time).min();
        let Some(submit) = submit.filter(|submit| window.contains(submit)) else { continue };
        let records = || graph.jobs.iter().map(|job| &history.jobs[*job as usize]);
        let done = records().all(|record| record.outcome == Outcome::Completed);
        let finish = records().map(|record| record.finish_time).max().unwrap_or(submit);
        order.push((done.then(|| finish.since(submit).0), index));
    }
    order.sort_by_key(|(turnaround, index)| (turnaround.is_some(), std::cmp::Reverse(*turnaround), *index));
    order.truncate(GRAPHS);
    order.into_iter().map(|(turnaround, index)| path(history, &measured.jobs, turnaround, index)).collect()
}

fn path(history: &History, times: &[JobTimes], turnaround: Option<u32>, index: usize) -> GraphPath {
    let workload = &history.plan.workload;
    let graph = &workload.graphs[index];
    let length = |job: u32| u64::from(ideal_run_time(history, job));
    let (seconds, chain) = workload.dependencies.critical_path(&graph.jobs, length);
    let known = |time: Time| Some(time).filter(|time| *time <= history.end);
    let step = |job: &u32| {
        let record = &history.jobs[*job as usize];
        PathStep {
            job: workload.names.get(*job as usize).into_owned(),
            eligible_time: known(record.eligible_time),
            start_time: known(times[*job as usize].start_time),
            finish_time: known(record.finish_time),
            outcome: record.outcome.name(),
        }
    };
    let completed = |job: &&u32| history.jobs[**job as usize].outcome == Outcome::Completed;
    let submits = graph.jobs.iter().map(|job| workload.jobs[*job as usize].submit_time);
    GraphPath {
        name: graph.name.clone(),
        jobs: graph.jobs.len(),
        completed: graph.jobs.iter().filter(completed).count(),
        submit_time: submits.min().unwrap_or_default(),
        turnaround_time: turnaround.map(Seconds),
        critical_path_time: Seconds(u32::try_from(seconds).unwrap_or(u32::MAX)),
        stretch: turnaround.map(|turnaround| stretch(turnaround, seconds)),
        steps: chain.iter().map(step).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn the_slowest_graph_is_the_first_that_is_done() {
        let mut compared = 0;
        for seed in 0..200 {
            let history = sample::random(seed);
            let measured = measure(&history);
            let found = paths(&history, &measured);
            let Some(graphs) = &measured.metrics.graphs else {
                assert_eq!(found, [], "seed {seed}: no graphs");
                continue;
            };
            assert_eq!(found.len(), graphs.count.min(GRAPHS), "seed {seed}");
            let first = found.iter().find(|path| path.stretch.is_some());
            if let Some((slowest, first)) = graphs.slowest.as_ref().zip(first) {
                assert_eq!(first.turnaround_time, Some(slowest.turnaround_time), "seed {seed}");
                assert_eq!(first.critical_path_time, slowest.critical_path_time, "seed {seed}");
                let names: Vec<&String> = first.steps.iter().map(|step| &step.job).collect();
                assert_eq!(names, slowest.critical_path.iter().collect::<Vec<_>>(), "seed {seed}");
                compared += 1;
            }
        }
        assert!(compared > 10, "only {compared} runs with a graph that is done");
    }
}
