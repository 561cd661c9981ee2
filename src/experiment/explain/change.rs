use crate::history::{History, Plan};
use crate::metrics::measure;
use crate::simulation::{Control, simulate};
use crate::units::Time;
use crate::workload::{Builder, JobGraph, PlatformSet, Request, Shape, Topology};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;

/// One thing that might have been otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No cap on power anywhere, and nothing taken away by the grid.
    NoCaps,
    /// The tenant of the job may hold as much as there is.
    NoQuota,
    /// The jobs of its partition may hold as much as there is.
    NoLimit,
    /// No other job has a higher priority, where the order looks at it.
    HighestPriority,
    /// Its GPUs may come in pods of any size, on any racks.
    AnyShape,
    /// It may run on any platform.
    AnyPlatform,
    /// It depends on no job.
    NoDependencies,
    /// It requests exactly the time that its work takes.
    ExactEstimate,
}

impl Change {
    /// Everything that may be otherwise.
    pub const ALL: [Self; 8] = [
        Self::NoCaps,
        Self::NoQuota,
        Self::NoLimit,
        Self::HighestPriority,
        Self::AnyShape,
        Self::AnyPlatform,
        Self::NoDependencies,
        Self::ExactEstimate,
    ];
    /// As machines call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoCaps => "no-caps",
            Self::NoQuota => "no-quota",
            Self::NoLimit => "no-limit",
            Self::HighestPriority => "highest-priority",
            Self::AnyShape => "any-shape",
            Self::AnyPlatform => "any-platform",
            Self::NoDependencies => "no-dependencies",
            Self::ExactEstimate => "exact-estimate",
        }
    }
    /// The plan with it; none where it would change nothing.
    ///
    /// # Panics
    /// Without such a job.
    #[must_use]
    pub fn apply(self, plan: &Plan, job: u32) -> Option<Plan> {
        let mut changed = plan.clone();
        match self {
            Self::NoCaps => without_caps(&mut changed),
            Self::NoQuota => {
                let tenant = changed.workload.jobs[job as usize].tenant;
                changed.workload.tenants[tenant as usize].quota_milli = None;
            }
            Self::NoLimit => {
                let partition = changed.workload.request_of(job).partition;
                let name = &changed.workload.partitions[partition as usize];
                let own = changed.cluster.partitions.iter_mut().find(|own| own.name == *name);
                own.into_iter().for_each(|own| own.limit_milli = None);
            }
            Self::HighestPriority => {
                if plan.settings.order != "priority" {
                    return None;
                }
                let highest = plan.workload.jobs.iter().map(|job| job.priority).max().unwrap_or_default();
                changed.workload.jobs[job as usize].priority = highest;
            }
            Self::AnyShape => ask(&mut changed, job, |request| Request {
                shape: match request.shape {
                    // Shares of GPUs stay as they are.
                    Shape::Pods { gpus_milli_each: 1000.., .. } => {
                        Shape::Any { gpus_milli: request.gpus().milli() }
                    }
                    shape => shape,
                },
                topology: Topology::Ignore,
                segment: 0,
                ..request
            }),
            Self::AnyPlatform => {
                ask(&mut changed, job, |request| Request { platforms: PlatformSet::ALL, ..request });
            }
            Self::NoDependencies => without_dependencies(&mut changed, job),
            Self::ExactEstimate => {
                let own = &mut changed.workload.jobs[job as usize];
                own.requested_time = own.work_time;
            }
        }
        (changed != *plan).then_some(changed)
    }
}

fn without_caps(plan: &mut Plan) {
    plan.cluster.sites.iter_mut().for_each(|site| site.cap = None);
    plan.cluster.feeds.iter_mut().for_each(|feed| feed.cap = None);
    plan.cluster.racks.iter_mut().for_each(|rack| rack.cap = None);
    plan.cluster.curtailments.clear();
    plan.cluster.ramps.clear();
}

/// Has a job ask for something else, and no other that asks for the same.
fn ask(plan: &mut Plan, job: u32, change: impl FnOnce(Request) -> Request) {
    let request = change(plan.workload.request_of(job).clone());
    if request == *plan.workload.request_of(job) {
        return;
    }
    let dependencies = std::mem::take(&mut plan.workload.dependencies);
    let mut builder = Builder::from(std::mem::take(&mut plan.workload));
    let index = builder.request(request);
    builder.jobs_mut()[job as usize].request = index;
    plan.workload = builder.finish();
    plan.workload.dependencies = dependencies;
}

fn without_dependencies(plan: &mut Plan, job: u32) {
    let workload = &mut plan.workload;
    let mut graph = JobGraph::default();
    for (before, after, delay) in workload.dependencies.edges().filter(|(_, after, _)| *after != job) {
        graph.add(before, after, delay);
    }
    // Fewer edges make no ring.
    if let Ok(dependencies) = graph.compile(workload.jobs.len()) {
        workload.dependencies = dependencies;
    }
}

/// What would have come of something else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Otherwise {
    /// What is otherwise.
    pub change: Change,
    /// When the job starts then; none: it does not.
    pub start: Option<Time>,
    /// What that adds to the mean wait of all other jobs, seconds; below 0 they wait less.
    pub others_wait: f64,
}

/// When a job first started; none if it never did.
#[must_use]
pub fn first_start(history: &History, job: u32) -> Option<Time> {
    history.segments.iter().filter(|segment| segment.job == job).map(|segment| segment.from).min()
}

/// When a job would have started with each change that changes anything: each is simulated, on all cores.
///
/// None if it was interrupted.
///
/// # Complexity
/// A simulation a change.
///
/// # Panics
/// Without such a job.
#[must_use]
pub fn otherwise(history: &History, job: u32, interrupted: Option<&AtomicBool>) -> Option<Vec<Otherwise>> {
    let before = wait_of_others(history, job);
    let changed: Vec<(Change, Plan)> = Change::ALL
        .into_iter()
        .filter_map(|change| Some((change, change.apply(&history.plan, job)?)))
        .collect();
    let simulated = |(change, plan): (Change, Plan)| {
        let found = simulate(plan, &mut Control { interrupted, ..Control::default() });
        found.complete.then(|| Otherwise {
            change,
            start: first_start(&found, job),
            others_wait: wait_of_others(&found, job) - before,
        })
    };
    changed.into_par_iter().map(simulated).collect()
}

/// The mean wait of all jobs but one, seconds.
#[must_use]
pub fn wait_of_others(history: &History, job: u32) -> f64 {
    let measured = measure(history);
    let others = measured.eligible(history).filter(|other| *other != job);
    let (count, sum) = others.fold((0_u32, 0_u64), |(count, sum), other| {
        (count + 1, sum + u64::from(measured.jobs[other as usize].wait_time.0))
    });
    mean(sum, count)
}

#[expect(clippy::cast_precision_loss, reason = "a mean of seconds, for display")]
fn mean(sum: u64, count: u32) -> f64 {
    sum as f64 / f64::from(count.max(1))
}
