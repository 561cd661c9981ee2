#[cfg(test)]
mod tests;

use super::cost::{CostMetrics, JobCosts, cost};
use super::deadlines::{DeadlineMetrics, deadlines};
use super::distribution::{Distribution, real};
use super::failures::{FailureMetrics, failures};
use super::graphs::{GraphMetrics, graphs};
use super::losses::{Goodput, LossCause, losses};
use super::platforms::{PlatformMetrics, platforms};
use super::power::{PowerMetrics, power};
use super::recorded::{RecordedWaits, recorded_waits};
use super::replay::replay;
use super::schedule::Stretches;
use super::series::Series;
use super::tenants::{TenantMetrics, is_finished, tenants};
use super::times::{JobTimes, times, wait_time, was_eligible};
use super::waiting::add_reasons;
use super::{MILLI_SECONDS_AN_HOUR, SLOWDOWN_BOUND};
use crate::history::{History, Outcome, WaitReason};
use crate::power::energy::of_jobs;
use crate::units::{Seconds, Time};
use serde::{Serialize, Serializer};

/// The stretch of time that numbers are about: jobs submitted in it, GPU-seconds in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first second.
    pub from: Time,
    /// The first second after it.
    pub to: Time,
}

/// What a run comes to. Statistics over jobs are about those submitted in the window: waiting about all of them that
/// were eligible before the run ended, run time, turnaround and slowdown about those that ran to an end: completed,
/// failed or timed out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// `settings.warm_up` to `settings.drain`, else to the end of the run; both at most the end.
    pub window: Window,
    /// Jobs submitted in the window.
    pub jobs: u32,
    /// Jobs of the workload that would have been submitted after the end of the run; no number is about them.
    pub not_submitted: u32,
    /// Those jobs by [`Outcome`], in the order of [`Outcome::ALL`].
    #[serde(serialize_with = "by_outcome")]
    pub outcomes: [u32; Outcome::ALL.len()],
    /// `wait_time` = Σ intervals in which a job is eligible and not running, seconds; of every job that was eligible,
    /// those still waiting or running at the end, and those withdrawn meanwhile, with the wait so far.
    pub wait_time: Distribution<u32>,
    /// Recorded and simulated waits of the same jobs; none where the input tells of no job when it started.
    pub recorded_waits: Option<RecordedWaits>,
    /// What became of deadlines; none where no job has one.
    pub deadlines: Option<DeadlineMetrics>,
    /// `run_time` = Σ seconds in which a job holds its domains.
    pub run_time: Distribution<u32>,
    /// `turnaround_time` = finish − submit, seconds.
    pub turnaround_time: Distribution<u32>,
    /// `bounded_slowdown` = max(1, (wait + run) ÷ max(run, [`SLOWDOWN_BOUND`])).
    pub bounded_slowdown: Distribution<f64>,
    /// The bound τ of it.
    pub slowdown_bound: Seconds,
    /// `makespan` = last finish − first submit of those jobs.
    pub makespan: Seconds,
    /// `utilization` = ∫ allocated GPUs dt ÷ ∫ available GPUs dt; available are those of nodes up or draining.
    pub utilization: f64,
    /// `packed` = the most GPUs allocated at any instant of the run ÷ available ones then; told where jobs are offered once
    /// ([`Workload::packed`](crate::workload::Workload::packed)).
    pub packed: Option<f64>,
    /// `fragmentation` = ∫ free GPUs on partly used nodes dt ÷ ∫ free GPUs dt, over nodes that are up: the share of
    /// free GPUs that no request for a whole node can use.
    pub fragmentation: f64,
    /// The same of racks: the share of free GPUs in racks of which a part is in use.
    pub rack_fragmentation: f64,
    /// `block_fragmentation` = ∫ [`Blocks::fragmentation`](super::Blocks::fragmentation) dt ÷ the window, nodes, racks
    /// taken as blocks as Slurm's topology has them: all of as many nodes, two of them a block of the next size, and so
    /// on; none where they are not.
    pub block_fragmentation: Option<f64>,
    /// `capacity_loss` = ∫ min(GPUs that waiting jobs ask for, free GPUs) dt ÷ ∫ available GPUs dt: idle though wanted.
    pub capacity_loss: f64,
    /// ∫ allocated GPUs dt, hours.
    pub gpu_hours: f64,
    /// ∫ available GPUs dt, hours.
    pub available_gpu_hours: f64,
    /// Times that a policy stopped a job.
    pub preemptions: u32,
    /// Times that a broken node stopped a job.
    pub node_failures: u32,
    /// GPU-hours of work that was done and that no checkpoint kept.
    pub lost_gpu_hours: f64,
    /// GPU-hours that were held for restarts.
    pub restart_gpu_hours: f64,
    /// What of the GPU-hours held did work that counts, and what was lost by which cause.
    pub goodput: Goodput,
    /// Every platform of the cluster.
    pub platforms: Vec<PlatformMetrics>,
    /// Jain's index over tenants of GPUs held ÷ entitlement while they contend, (Σx)² ÷ (n · Σx²), see
    /// [`super::jain_index`]; none if they never do.
    pub jain_index: Option<f64>,
    /// Job-seconds by [`WaitReason`], in the order of [`WaitReason::ALL`], of all jobs of the window, ended or not;
    /// all but `dependency` are waiting.
    #[serde(serialize_with = "by_reason")]
    pub waiting_seconds: [u64; WaitReason::ALL.len()],
    /// Tenants that submitted a job in the window.
    pub tenants: Vec<TenantMetrics>,
    /// Job graphs, if the workload has any.
    pub graphs: Option<GraphMetrics>,
    /// What was drawn, where power is counted.
    pub power: Option<PowerMetrics>,
    /// What it costs and emits in the window; none where no power is counted or nothing is known of the grid.
    pub cost: Option<CostMetrics>,
    /// What fails, whom that stops and what it takes; none where nothing can fail.
    pub failures: Option<FailureMetrics>,
    /// The run over time, window or not.
    pub series: Series,
}

impl Metrics {
    /// How many jobs ended in this way.
    #[must_use]
    pub const fn outcome(&self, outcome: Outcome) -> u32 {
        self.outcomes[outcome as usize]
    }
    /// Job-seconds spent for this reason.
    #[must_use]
    pub const fn waited_for(&self, reason: WaitReason) -> u64 {
        self.waiting_seconds[reason as usize]
    }
}

/// A run measured: its numbers, and what every job went through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The numbers.
    pub metrics: Metrics,
    /// In input order.
    pub jobs: Vec<JobTimes>,
    /// Joules of every job, window or not, in input order; none where no power is counted. See
    /// [`of_jobs`](crate::power::energy::of_jobs).
    pub energy: Option<Vec<u128>>,
    /// What every job pays and emits from its start to its end, window or not, as its joules are; none where no power is
    /// counted or nothing is known of the grid.
    pub costs: Option<JobCosts>,
}

impl Measured {
    /// The jobs that other statistics are about, ascending: submitted in the window, and run to an end.
    pub fn finished<'a>(&self, history: &'a History) -> impl Iterator<Item = u32> + use<'a> {
        let submitted = submitted(history);
        let counts = move |job: &u32| {
            submitted.contains(&history.plan.workload.jobs[*job as usize].submit_time)
                && is_finished(history.jobs[*job as usize].outcome)
        };
        (0..history.plan.workload.len()).filter(counts)
    }
    /// The jobs that nothing left to happen can start, ascending, and what each waits for.
    pub fn stuck<'a>(&'a self, history: &History) -> impl Iterator<Item = (u32, WaitReason)> + use<'a> {
        let jobs = if history.exhausted { &self.jobs[..] } else { &[] };
        (0u32..).zip(jobs).filter_map(|(job, times)| times.waits_for.map(|reason| (job, reason)))
    }
    /// The jobs that statistics of waiting are about, ascending: submitted in the window, and eligible in the run.
    pub fn eligible<'a>(&self, history: &'a History) -> impl Iterator<Item = u32> + use<'a> {
        let submitted = submitted(history);
        let counts = move |job: &u32| {
            submitted.contains(&history.plan.workload.jobs[*job as usize].submit_time)
                && was_eligible(history, *job)
        };
        (0..history.plan.workload.len()).filter(counts)
    }
}

/// When jobs that count were submitted: in the window, and before the run was over.
pub(super) fn submitted(history: &History) -> std::ops::Range<Time> {
    let settings = &history.plan.settings;
    Time(settings.warm_up)..settings.drain.map_or(Time::NEVER, Time).min(history.end + Seconds(1))
}

/// Measures a run over the window that its settings name.
///
/// ```
/// use gigawatt::cluster::{Cluster, NodeKind};
/// use gigawatt::history::{Plan, Settings};
/// use gigawatt::metrics::measure;
/// use gigawatt::simulation::{Control, simulate};
/// use gigawatt::units::{Gpus, Seconds, Time};
/// use gigawatt::workload::{Behaviour, Builder, Job, Request};
/// let mut builder = Builder::default();
/// let request = builder.request(Request::gang(Gpus::whole(8)));
/// let behaviour = builder.behaviour(Behaviour::default());
/// for submit in [0, 10] {
///     builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(submit)) });
/// }
/// let plan = Plan {
///     cluster: Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() }),
///     workload: builder.finish(),
///     settings: Settings::named("fifo", "none", "first-fit"),
/// };
/// let metrics = measure(&simulate(plan, &mut Control::default())).metrics;
/// assert_eq!(metrics.wait_time.mean, 45.0, "nothing, and 90 seconds");
/// assert_eq!(metrics.turnaround_time.max, 190);
/// assert_eq!(metrics.utilization, 1.0);
/// ```
///
/// # Complexity
/// O(n log n) in segments, pieces and waits.
#[must_use]
pub fn measure(history: &History) -> Measured {
    let settings = &history.plan.settings;
    let from = Time(settings.warm_up).min(history.end);
    // Jobs count up to the drain, time only as far as the run went.
    let submitted = submitted(history);
    let to = submitted.end.min(history.end).max(from);
    let (mut jobs, waits) = times(history);
    let stretches = Stretches::new(waits);
    add_reasons(history, &stretches, &mut jobs, &mut ());
    let mut replay = replay(history, &stretches, from..to);
    for hold in &history.holds {
        let since = history.jobs[hold.job as usize].eligible_time;
        let held = jobs[hold.job as usize].reasons[WaitReason::Held as usize];
        replay.recorder.add_waiting(since, since + Seconds(held));
    }
    let total = &replay.recorder.total;
    let losses = losses(history, &submitted);
    let gpu_hours = real(total.allocated) / MILLI_SECONDS_AN_HOUR;
    let (power, joules) = power(history, from..to, gpu_hours, work_hours(history, from..to)).unzip();
    let held = (&replay.held[..], &replay.contended[..]);
    let (tenants, jain_index) = tenants(history, &jobs, held, joules.as_deref(), &submitted);
    let mut metrics = Metrics {
        window: Window { from, to },
        slowdown_bound: SLOWDOWN_BOUND,
        utilization: total.utilization(),
        packed: (!history.plan.workload.mix.is_empty()).then(|| replay.recorder.packed()),
        fragmentation: total.fragmentation(),
        rack_fragmentation: total.rack_fragmentation(),
        block_fragmentation: replay.has_blocks.then(|| total.broken_up()),
        capacity_loss: total.capacity_loss(),
        gpu_hours,
        available_gpu_hours: real(total.available) / MILLI_SECONDS_AN_HOUR,
        preemptions: losses.preemptions,
        node_failures: losses.node_failures,
        lost_gpu_hours: real(losses.work()) / MILLI_SECONDS_AN_HOUR,
        restart_gpu_hours: real(losses.of(LossCause::Restart)) / MILLI_SECONDS_AN_HOUR,
        goodput: Goodput::of(&losses, total.allocated, total.available),
        platforms: platforms(history, &(from..to)),
        jain_index,
        tenants,
        power,
        graphs: graphs(history, &submitted),
        series: replay.recorder.series(replay.has_blocks),
        ..Metrics::default()
    };
    let in_window = |job: &u32| submitted.contains(&history.plan.workload.jobs[*job as usize].submit_time);
    let counted: Vec<u32> = (0..history.plan.workload.len()).filter(in_window).collect();
    let later = history.plan.workload.jobs.iter().filter(|job| job.submit_time > history.end);
    metrics.not_submitted = u32::try_from(later.count()).expect("jobs are counted in 32 bits");
    add_job_statistics(&mut metrics, history, &jobs, &counted);
    metrics.failures = failures(history, &jobs, &counted, (metrics.window, &submitted), &replay.recorder);
    let costs = add_costs(&mut metrics, history);
    Measured { metrics, jobs, energy: of_jobs(history), costs }
}

/// Adds what the window costs; what jobs pay over the whole run is left.
fn add_costs(metrics: &mut Metrics, history: &History) -> Option<JobCosts> {
    let (window, run) = (metrics.window.from..metrics.window.to, Time::ZERO..history.end);
    let (found, costs) = cost(history, &window)?;
    metrics.cost = Some(found);
    let by_name: Vec<_> = history.plan.workload.tenants.iter().zip(costs.by_tenant(history)).collect();
    for tenant in &mut metrics.tenants {
        let own = by_name.iter().find(|(other, _)| other.name == tenant.name);
        (tenant.cost, tenant.carbon_g) = own.map(|(_, sum)| *sum).unzip();
    }
    if window == run { Some(costs) } else { cost(history, &run).map(|(_, costs)| costs) }
}

/// GPU-hours of work, on reference GPUs, of the jobs that completed in the window.
fn work_hours(history: &History, window: std::ops::Range<Time>) -> f64 {
    let jobs = history.plan.workload.jobs.iter().zip(&history.jobs);
    let completed = jobs.filter(|(_, record)| {
        record.outcome == Outcome::Completed
            && window.start <= record.finish_time
            && record.finish_time <= window.end
    });
    let work = completed.map(|(job, _)| {
        let gpus = history.plan.workload.requests[job.request as usize].gpus().milli();
        u128::from(gpus) * u128::from(job.work_time.0)
    });
    real(work.sum()) / MILLI_SECONDS_AN_HOUR
}

fn add_job_statistics(metrics: &mut Metrics, history: &History, jobs: &[JobTimes], counted: &[u32]) {
    metrics.jobs = u32::try_from(counted.len()).expect("jobs are counted in 32 bits");
    for job in counted {
        metrics.outcomes[history.jobs[*job as usize].outcome as usize] += 1;
        for (sum, seconds) in metrics.waiting_seconds.iter_mut().zip(jobs[*job as usize].reasons) {
            *sum += u64::from(seconds);
        }
    }
    let finished = |job: &u32| is_finished(history.jobs[*job as usize].outcome);
    let finished: Vec<u32> = counted.iter().copied().filter(finished).collect();
    let submit = |job: u32| history.plan.workload.jobs[job as usize].submit_time;
    let finish = |job: u32| history.jobs[job as usize].finish_time;
    let seconds = |value: &dyn Fn(u32) -> Seconds| {
        Distribution::of_seconds(finished.iter().map(|job| value(*job).0).collect())
    };
    let eligible: Vec<u32> = counted.iter().copied().filter(|job| was_eligible(history, *job)).collect();
    metrics.wait_time = wait_time(history, jobs, &eligible);
    metrics.recorded_waits = recorded_waits(history, jobs, counted);
    metrics.deadlines = deadlines(history, counted);
    metrics.run_time = seconds(&|job| jobs[job as usize].run_time);
    metrics.turnaround_time = seconds(&|job| finish(job).since(submit(job)));
    let slowdowns = finished.iter().map(|job| jobs[*job as usize].bounded_slowdown());
    metrics.bounded_slowdown = Distribution::of_ratios(slowdowns.collect());
    let last = finished.iter().map(|job| finish(*job)).max();
    let first = finished.iter().map(|job| submit(*job)).min();
    metrics.makespan = last.zip(first).map_or(Seconds::ZERO, |(last, first)| last.since(first));
}

fn by_outcome<S: Serializer>(counts: &[u32; Outcome::ALL.len()], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(Outcome::ALL.iter().map(|outcome| outcome.name()).zip(counts))
}

pub(super) fn by_reason<T: Serialize, S: Serializer>(
    seconds: &[T; WaitReason::ALL.len()],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(WaitReason::ALL.iter().map(|reason| reason.name()).zip(seconds))
}
