//! What fails, which jobs that stops, and what it takes of the cluster's time.

mod interruptions;
mod standing;
#[cfg(test)]
mod tests;
mod waterfall;

pub use interruptions::{Interruption, Stop, interruptions, stops_of};
pub use waterfall::Waterfall;

use super::distribution::{ratio, real};
use super::profile::{gang_class, gang_name};
use super::series::Recorder;
use super::spent::spent;
use super::times::JobTimes;
use super::{MILLI_SECONDS_AN_HOUR, Window};
use crate::history::{FailureRecord, History};
use crate::units::Time;
use serde::Serialize;
use standing::Standing;
use std::collections::BTreeMap;
use std::ops::Range;
use waterfall::Ledger;

/// What failures come to, where something can fail. Failures, stops and GPU-seconds are those of the window; `ettr` and
/// `sizes` are about the jobs submitted in it, from their first start to their end.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FailureMetrics {
    /// Parts that failed.
    pub failures: u32,
    /// The window ÷ failures, seconds; none where nothing failed.
    pub mean_time_between_s: Option<f64>,
    /// From when a failure was detected until its nodes were back, waiting for a crew included: the mean of those that
    /// came back in the run, seconds; none where none did.
    pub mean_time_to_repair_s: Option<f64>,
    /// Times that a failure stopped a job.
    pub interruptions: u32,
    /// Times that a job stopped as nodes went down or away as planned.
    pub planned_interruptions: u32,
    /// Effective training time ratio: Σ useful seconds ÷ Σ seconds from first start to end (or the end of the run), each
    /// as often as the job asks for GPUs. Useful are seconds of work that was not lost and not a checkpoint being
    /// written, in the end in vain or not; waiting between attempts counts below the line (Meta, arXiv 2410.21680).
    pub ettr: Option<f64>,
    /// Node-seconds up or draining ÷ node-seconds of nodes not absent as planned.
    pub availability: f64,
    /// Rack-seconds with at most 0, 1 and 2 nodes down ÷ rack-seconds, nodes absent as planned aside: how often n, n − 1
    /// and n − 2 of n were there.
    pub rack_availability: [f64; DOWN_MOST],
    /// GPU-seconds held ÷ (held + free though waiting jobs asked for as many): the scheduling part of Google's goodput
    /// (arXiv 2502.06982), of what was wanted and there.
    pub scheduling_goodput: f64,
    /// GPU-seconds useful ÷ held: the runtime part of it. The program part, how well a program uses its chips, is an
    /// input here: the rate of a job.
    pub runtime_goodput: f64,
    /// Every component.
    pub components: Vec<ComponentFailures>,
    /// Jobs by how many GPUs they ask for, those that started.
    pub sizes: Vec<SizeFailures>,
    /// What became of all GPU-seconds.
    pub waterfall: Waterfall,
    /// The same over time, in the buckets of [`Series`](super::Series).
    pub over_time: OverTime,
}

/// Of how many nodes that are down availability is told, from none on.
const DOWN_MOST: usize = 3;

/// What the failures of a component came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ComponentFailures {
    /// As the user calls it.
    pub name: String,
    /// How many of its parts failed.
    pub failures: u32,
    /// The window ÷ failures, seconds.
    pub mean_time_between_s: Option<f64>,
    /// From when a failure was detected until its nodes were back, mean, seconds.
    pub mean_time_to_repair_s: Option<f64>,
    /// Node-hours in which nodes were down for it; those down for several count for each.
    pub node_hours_down: f64,
    /// Times that it stopped a job: of several that are seen at once, the one that failed first.
    pub interruptions: u32,
    /// GPU-hours of work that those stops lost.
    pub lost_gpu_hours: f64,
}

/// What failures came to for jobs of about as many GPUs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SizeFailures {
    /// How many GPUs they ask for.
    pub name: String,
    /// Jobs that started.
    pub jobs: u32,
    /// Times that a failure stopped one.
    pub interruptions: u32,
    /// Seconds in which they held their domains ÷ interruptions; none where there were none.
    pub mean_time_to_failure_s: Option<f64>,
    /// As [`FailureMetrics::ettr`].
    pub ettr: Option<f64>,
}

/// Parts of all GPU-seconds of each bucket that were not absent as planned; they add up to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OverTime {
    /// Work that counts.
    pub useful: Vec<f64>,
    /// Held, and lost for whatever cause.
    pub lost: Vec<f64>,
    /// Free.
    pub idle: Vec<f64>,
    /// On nodes that were down.
    pub down: Vec<f64>,
}

/// What failed, and for how long.
#[derive(Debug, Default)]
struct Repairs {
    failures: u32,
    back: u64,
    repair_seconds: u64,
    down_node_seconds: u64,
    interruptions: u32,
    lost: u128,
}

impl Repairs {
    /// A failure of the component, on so many nodes.
    fn add(&mut self, failure: &FailureRecord, nodes: u64, is_counted: bool, window: &Range<Time>) {
        if is_counted {
            self.failures += 1;
            if nodes > 0 && failure.back != Time::NEVER {
                self.back += 1;
                self.repair_seconds += u64::from(failure.back.since(failure.detected).0);
            }
        }
        let down = failure.back.min(window.end).since(failure.detected.max(window.start));
        self.down_node_seconds += nodes * u64::from(down.0);
    }
    fn between(&self, seconds: u32) -> Option<f64> {
        (self.failures > 0).then(|| f64::from(seconds) / f64::from(self.failures))
    }
    fn to_repair(&self) -> Option<f64> {
        (self.back > 0).then(|| ratio(self.repair_seconds.into(), self.back.into()))
    }
}

/// What failures come to; none where nothing can fail. `submitted`: what is counted in the window, `jobs` those of it.
pub(super) fn failures(
    history: &History,
    times: &[JobTimes],
    jobs: &[u32],
    (window, submitted): (Window, &Range<Time>),
    recorder: &Recorder,
) -> Option<FailureMetrics> {
    let rules = history.plan.cluster.failures.as_ref()?;
    let window = window.from..window.to;
    let seconds = window.end.since(window.start).0;
    let stops = interruptions(history);
    let component_of = |stop: &Interruption| {
        stop.failure.map(|failure| history.failures[failure as usize].component as usize)
    };
    let by_segment: BTreeMap<u32, usize> =
        stops.iter().filter_map(|stop| Some((stop.segment, component_of(stop)?))).collect();
    let mut ledger = Ledger::new(history, window.clone(), recorder.split);
    let mut lost = vec![0; rules.components.len()];
    spent(history, |own| {
        let component = own.stopped.and_then(|stop| by_segment.get(&stop));
        ledger.add(own, component.map(|component| &mut lost[*component]));
    });
    let mut by_component: Vec<Repairs> =
        lost.into_iter().map(|lost| Repairs { lost, ..Repairs::default() }).collect();
    for failure in &history.failures {
        let nodes = failure.nodes(history).iter().map(|nodes| u64::from(nodes.end - nodes.start)).sum();
        let is_counted = submitted.contains(&failure.time);
        by_component[failure.component as usize].add(failure, nodes, is_counted, &window);
    }
    let mut planned = 0;
    for stop in stops.iter().filter(|stop| submitted.contains(&history.segments[stop.segment as usize].to)) {
        match component_of(stop) {
            Some(component) => by_component[component].interruptions += 1,
            None => planned += 1,
        }
    }
    let told = |(own, found): (&crate::failure::Component, &Repairs)| ComponentFailures {
        name: own.name.clone(),
        failures: found.failures,
        mean_time_between_s: found.between(seconds),
        mean_time_to_repair_s: found.to_repair(),
        node_hours_down: real(found.down_node_seconds.into()) / 3600.0,
        interruptions: found.interruptions,
        lost_gpu_hours: real(found.lost) / MILLI_SECONDS_AN_HOUR,
    };
    let components = rules.components.iter().zip(&by_component).map(told).collect();
    let all = by_component.iter().fold(Repairs::default(), |sum, own| Repairs {
        failures: sum.failures + own.failures,
        back: sum.back + own.back,
        repair_seconds: sum.repair_seconds + own.repair_seconds,
        interruptions: sum.interruptions + own.interruptions,
        ..sum
    });
    let standing = Standing::of(history, &window, recorder);
    let waterfall = ledger.waterfall(&standing, recorder);
    let (ettr, sizes) = sizes(history, times, jobs, &ledger.useful_seconds, &stops);
    Some(FailureMetrics {
        failures: all.failures,
        mean_time_between_s: all.between(seconds),
        mean_time_to_repair_s: all.to_repair(),
        interruptions: all.interruptions,
        planned_interruptions: planned,
        ettr,
        availability: standing.availability(),
        rack_availability: standing.rack_availability(),
        scheduling_goodput: ratio(waterfall.held(), waterfall.held() + waterfall.wanted),
        runtime_goodput: ratio(waterfall.useful, waterfall.held()),
        components,
        sizes,
        over_time: ledger.over_time(&standing, recorder),
        waterfall,
    })
}

/// What jobs of a size went through.
#[derive(Debug, Default)]
struct Size {
    jobs: u32,
    interruptions: u32,
    run_seconds: u64,
    /// Times thousandths of GPUs.
    useful: u128,
    wall: u128,
}

/// The ratio of all jobs, and by how many GPUs they ask for.
fn sizes(
    history: &History,
    times: &[JobTimes],
    jobs: &[u32],
    useful_seconds: &[u32],
    stops: &[Interruption],
) -> (Option<f64>, Vec<SizeFailures>) {
    let mut stopped: BTreeMap<u32, u32> = BTreeMap::new();
    for stop in stops.iter().filter(|stop| stop.failure.is_some()) {
        *stopped.entry(history.segments[stop.segment as usize].job).or_default() += 1;
    }
    let mut sizes: BTreeMap<usize, Size> = BTreeMap::new();
    for job in jobs {
        let (index, own) = (*job as usize, &times[*job as usize]);
        if own.start_time == Time::NEVER {
            continue;
        }
        let milli = history.plan.workload.request_of(*job).gpus().milli();
        let size = sizes.entry(gang_class(milli)).or_default();
        let end = history.jobs[index].finish_time.min(history.end);
        let weighed = |seconds: u32| u128::from(milli) * u128::from(seconds);
        size.jobs += 1;
        size.interruptions += stopped.get(job).copied().unwrap_or(0);
        size.run_seconds += u64::from(own.run_time.0);
        size.useful += weighed(useful_seconds[index]);
        size.wall += weighed(end.since(own.start_time).0);
    }
    let part = |useful: u128, wall: u128| (wall > 0).then(|| ratio(useful, wall));
    let (useful, wall) =
        sizes.values().fold((0, 0), |(useful, wall), own| (useful + own.useful, wall + own.wall));
    let told = |(class, own): (&usize, &Size)| SizeFailures {
        name: gang_name(*class),
        jobs: own.jobs,
        interruptions: own.interruptions,
        mean_time_to_failure_s: (own.interruptions > 0)
            .then(|| ratio(own.run_seconds.into(), own.interruptions.into())),
        ettr: part(own.useful, own.wall),
    };
    (part(useful, wall), sizes.iter().map(told).collect())
}
