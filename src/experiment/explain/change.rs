use crate::history::{History, Plan};
use crate::metrics::measure;
use crate::policy::order::takes_turns;
use crate::simulation::{Control, simulate};
use crate::state::quota::Tree;
use crate::units::{Seconds, Time};
use crate::workload::{Builder, JobGraph, PlatformQuota, PlatformSet, Request, Shape, Topology};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;

/// One thing that might have been otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No cap on power anywhere, and nothing taken away by the grid.
    NoCaps,
    /// The tenant of the job may hold as much as there is, and so may its queue and those above it, with any number of jobs.
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
                let own = &mut changed.workload.tenants[tenant as usize];
                own.quota_milli = None;
                own.quota_by_platform.clear();
                without_bounds(&mut changed, job);
            }
            Self::NoLimit => {
                let partition = changed.workload.request_of(job).partition;
                let name = &changed.workload.partitions[partition as usize];
                let own = changed.cluster.partitions.iter_mut().find(|own| own.name == *name);
                own.into_iter().for_each(|own| own.limit_milli = None);
            }
            Self::HighestPriority => {
                if plan.settings.order != "priority" && !takes_turns(&plan.settings) {
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

/// The queue of a job, and those above it, may hold as much as there is.
fn without_bounds(plan: &mut Plan, job: u32) {
    let all = u32::try_from(plan.cluster.gpus().saturating_mul(1000)).unwrap_or(u32::MAX);
    let tree = Tree::of(plan);
    let mut next = plan.workload.queue_of(job);
    let queues = &mut plan.workload.queues;
    while let Some(queue) = next {
        let own = &mut queues[queue as usize];
        (own.borrow_milli, own.limit_milli, own.job_limits.running) = (None, None, None);
        for on in &mut own.by_platform {
            (on.borrow_milli, on.limit_milli) = (None, None);
        }
        next = own.parent;
        if next.is_none() && tree.is_divided(queue) {
            let everywhere = plan.cluster.kinds.iter().map(|kind| kind.platform);
            let all =
                |platform| PlatformQuota { platform, nominal_milli: Some(all), ..PlatformQuota::default() };
            own.by_platform = everywhere.map(all).collect();
        }
        if next.is_none() {
            // Where nothing is nominal there is no end anyway.
            let is_bounded = tree.own_milli(queue).is_some();
            own.nominal_milli = own.nominal_milli.max(is_bounded.then_some(all));
        }
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
    /// What that adds to the wait of another job, seconds: the mean over those that are eligible both ways; below 0 they
    /// wait less.
    pub others_wait: f64,
}

/// When a job first started; none if it never did.
#[must_use]
pub fn first_start(history: &History, job: u32) -> Option<Time> {
    history.segments.iter().filter(|segment| segment.job == job).map(|segment| segment.from).min()
}

/// When a job would have started with each change that changes anything: each is simulated, on all cores, up to where
/// the run was interrupted, if it was.
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
    let before = waits(history);
    // What came after the interruption is known of neither.
    let until = if history.complete { history.plan.settings.until } else { Some(history.end.0) };
    let changed: Vec<(Change, Plan)> = Change::ALL
        .into_iter()
        .filter_map(|change| Some((change, change.apply(&history.plan, job)?)))
        .collect();
    let simulated = |(change, mut plan): (Change, Plan)| {
        plan.settings.until = until;
        let found = simulate(plan, &mut Control { interrupted, ..Control::default() });
        found.complete.then(|| Otherwise {
            change,
            start: first_start(&found, job),
            others_wait: longer_wait(&before, &waits(&found), job),
        })
    };
    changed.into_par_iter().map(simulated).collect()
}

/// How long every job waited, up to the end of the run; none of one that was not eligible by then.
#[must_use]
pub fn waits(history: &History) -> Vec<Option<Seconds>> {
    let was_eligible =
        |job: &crate::history::JobRecord| job.eligible_time <= job.finish_time.min(history.end);
    let jobs = history.jobs.iter().zip(measure(history).jobs);
    jobs.map(|(record, times)| was_eligible(record).then_some(times.wait_time)).collect()
}

/// How much longer other jobs than `job` wait, seconds: the mean over those of which both waits are known, each against
/// itself.
///
/// ```
/// use gigawatt::experiment::longer_wait;
/// use gigawatt::units::Seconds;
/// let before = [Some(Seconds(10)), Some(Seconds(50)), None, Some(Seconds(0))];
/// let after = [Some(Seconds(30)), Some(Seconds(0)), Some(Seconds(900)), Some(Seconds(10))];
/// // The job itself is job 1, and job 2 was eligible only once.
/// assert_eq!(longer_wait(&before, &after, 1), 15.0);
/// ```
#[must_use]
pub fn longer_wait(before: &[Option<Seconds>], after: &[Option<Seconds>], job: u32) -> f64 {
    let known = (0_u32..).zip(before.iter().zip(after)).filter(|(other, _)| *other != job);
    let apart = known.filter_map(|(_, (before, after))| {
        let (before, after) = before.zip(*after)?;
        Some(f64::from(after.0) - f64::from(before.0))
    });
    let (count, sum) = apart.fold((0.0_f64, 0.0), |(count, sum), apart| (count + 1.0, sum + apart));
    sum / count.max(1.0)
}
