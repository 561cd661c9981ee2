use super::cost::{CostMetrics, JobCosts, cost};
use super::distribution::{Distribution, real};
use super::graphs::{GraphMetrics, graphs};
use super::losses::losses;
use super::power::{PowerMetrics, power};
use super::replay::replay;
use super::schedule::Stretches;
use super::series::Series;
use super::tenants::{TenantMetrics, is_finished, tenants};
use super::times::{JobTimes, times, wait_time, was_eligible};
use super::waiting::add_reasons;
use super::{MILLI_SECONDS_AN_HOUR, SLOWDOWN_BOUND};
use crate::history::{History, Outcome, Settings, WaitReason};
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
    /// Those jobs by [`Outcome`], in the order of [`Outcome::ALL`].
    #[serde(serialize_with = "by_outcome")]
    pub outcomes: [u32; Outcome::ALL.len()],
    /// `wait_time` = Σ intervals in which a job is eligible and not running, seconds; of every job that was eligible,
    /// those still waiting or running at the end, and those withdrawn meanwhile, with the wait so far.
    pub wait_time: Distribution<u32>,
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
    /// `fragmentation` = ∫ free GPUs on partly used nodes dt ÷ ∫ free GPUs dt, over nodes that are up: the share of
    /// free GPUs that no request for a whole node can use.
    pub fragmentation: f64,
    /// The same of racks: the share of free GPUs in racks of which a part is in use.
    pub rack_fragmentation: f64,
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
        let submitted = submitted(&history.plan.settings);
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
        let submitted = submitted(&history.plan.settings);
        let counts = move |job: &u32| {
            submitted.contains(&history.plan.workload.jobs[*job as usize].submit_time)
                && was_eligible(history, *job)
        };
        (0..history.plan.workload.len()).filter(counts)
    }
}

/// When jobs that count were submitted.
fn submitted(settings: &Settings) -> std::ops::Range<Time> {
    Time(settings.warm_up)..settings.drain.map_or(Time::NEVER, Time)
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
    let submitted = submitted(settings);
    let to = submitted.end.min(history.end).max(from);
    let (mut jobs, waits) = times(history);
    let stretches = Stretches::new(waits);
    add_reasons(history, &stretches, &mut jobs);
    let replay = replay(history, &stretches, from..to);
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
        fragmentation: total.fragmentation(),
        rack_fragmentation: total.rack_fragmentation(),
        capacity_loss: total.capacity_loss(),
        gpu_hours,
        available_gpu_hours: real(total.available) / MILLI_SECONDS_AN_HOUR,
        preemptions: losses.preemptions,
        node_failures: losses.node_failures,
        lost_gpu_hours: real(losses.lost) / MILLI_SECONDS_AN_HOUR,
        restart_gpu_hours: real(losses.restarts) / MILLI_SECONDS_AN_HOUR,
        jain_index,
        tenants,
        power,
        graphs: graphs(history, &submitted),
        series: replay.recorder.series(),
        ..Metrics::default()
    };
    let in_window = |job: &u32| submitted.contains(&history.plan.workload.jobs[*job as usize].submit_time);
    let counted: Vec<u32> = (0..history.plan.workload.len()).filter(in_window).collect();
    add_job_statistics(&mut metrics, history, &jobs, &counted);
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

fn by_reason<S: Serializer>(
    seconds: &[u64; WaitReason::ALL.len()],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(WaitReason::ALL.iter().map(|reason| reason.name()).zip(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{CapacityChange, Cluster, NodeKind, NodeState};
    use crate::history::{JobRecord, Piece, Plan, Segment, SegmentEnd, WaitRecord, Why, sample};
    use crate::simulation::{Control, simulate};
    use crate::units::{Factor, Gpus};
    use crate::workload::{Behaviour, Builder, Job, Request, Shape, Tenant};

    /// One rack of two nodes of four GPUs; tenant `a` may hold six GPUs, `b` two.
    ///
    /// ```text
    ///         0        100       150       200       300       400
    /// node 0  |  job 0 (a, 4)            |         |  job 2 (a, 4)  |
    /// node 1  |  job 1 (b, 2)  |  job 3 (b, 2)     |  (goes down)
    /// ```
    /// Job 2 is submitted at 50, job 3 at 20, job 4 at 390: it never starts.
    fn history() -> History {
        let mut builder = Builder::default();
        for (name, quota) in [("a", 6000), ("b", 2000)] {
            builder.add_tenant(Tenant { quota_milli: Some(quota), ..Tenant::named(name) });
        }
        let requests = [4, 2, 4, 2, 4].map(|gpus| builder.request(Request::gang(Gpus::whole(gpus))));
        builder.behaviour(Behaviour::default());
        for ((submit, tenant), request) in
            [(0, 0), (0, 1), (50, 0), (20, 1), (390, 0)].into_iter().zip(requests)
        {
            builder.push(Job { tenant, request, ..Job::at(Time(submit)) });
        }
        let mut cluster = Cluster::racked(1, 2, NodeKind { gpus: 4, ..NodeKind::default() });
        cluster.changes.push(CapacityChange::surprise(Time(300), 1..2, NodeState::Down));
        let settings = Settings { drain: Some(395), ..Settings::default() };
        let plan = Plan { cluster, workload: builder.finish(), settings };
        let segment = |job, from, to, first_piece| Segment {
            job,
            from: Time(from),
            to: Time(to),
            first_piece,
            pieces: 1,
            rate: Factor::ONE,
            cap: Factor::ONE,
            restart: 0,
            end: SegmentEnd::Completed,
        };
        let record = |eligible, finish, outcome| JobRecord {
            eligible_time: Time(eligible),
            finish_time: Time(finish),
            outcome,
        };
        let done = Outcome::Completed;
        History {
            holds: vec![],
            plan,
            segments: vec![
                segment(0, 0, 200, 0),
                segment(1, 0, 100, 1),
                segment(3, 100, 200, 2),
                segment(2, 300, 400, 3),
            ],
            pieces: vec![
                Piece::Nodes { word: 0, mask: 1 },
                Piece::Gpus { node: 1, mask: 0b0011 },
                Piece::Gpus { node: 1, mask: 0b0110 },
                Piece::Nodes { word: 0, mask: 1 },
            ],
            jobs: vec![
                record(0, 200, done),
                record(0, 100, done),
                record(50, 400, done),
                record(20, 200, Outcome::Failed),
                record(390, u32::MAX, Outcome::Unfinished),
            ],
            // `b` holds the two it may hold, `a` four of six; from 200 on nobody starts job 2.
            waits: [(20, 1, WaitReason::Quota), (50, 0, WaitReason::Quota), (200, 0, WaitReason::Order)]
                .into_iter()
                .chain([(390, 0, WaitReason::Quota)])
                .map(|(time, class, reason)| WaitRecord {
                    time: Time(time),
                    why: Why::Class { class, reason },
                })
                .collect(),
            wait_classes: vec![0, 1, 0, 1, 0],
            end: Time(400),
            complete: true,
            exhausted: true,
        }
    }

    fn near(found: f64, expected: f64, what: &str) {
        assert!((found - expected).abs() < 1e-9, "{what}: {found} instead of {expected}");
    }

    #[test]
    fn a_small_history_gives_the_numbers_computed_by_hand() {
        let Measured { metrics, jobs, .. } = measure(&history());
        let waits: Vec<u32> = jobs.iter().map(|job| job.wait_time.0).collect();
        assert_eq!(waits, [0, 0, 250, 80, 10], "eligible and not running");
        let wait = &metrics.wait_time;
        assert_eq!((metrics.jobs, wait.count, wait.unfinished), (5, 5, 1), "one is unfinished");
        assert_eq!(metrics.turnaround_time.count, 4, "and has no turnaround yet");
        assert_eq!(
            (metrics.outcome(Outcome::Failed), metrics.outcome(Outcome::Completed)),
            (1, 3),
            "outcomes"
        );
        near(wait.mean, 340.0 / 5.0, "mean wait");
        assert_eq!((wait.p50, wait.p90), (10, 250), "ranks 3 and 5 of 5");
        near(metrics.turnaround_time.mean, f64::from(200 + 100 + 350 + 180) / 4.0, "mean turnaround");
        near(metrics.bounded_slowdown.mean, (1.0 + 1.0 + 3.5 + 1.8) / 4.0, "mean bounded slowdown");
        assert_eq!(metrics.makespan, Seconds(400), "from 0 to 400");
        // Up to second 395: 4 · 200 + 2 · 200 + 4 · 95 GPU-seconds of 8 · 300 + 4 · 95.
        near(metrics.utilization, 1580.0 / 2780.0, "utilization");
        near(metrics.gpu_hours, 1580.0 / 3600.0, "GPU-hours");
        // Free: 2 until 200, 8 until 300, 0 until 395; on partly used nodes only the 2.
        near(metrics.fragmentation, 400.0 / 1200.0, "fragmentation");
        near(metrics.rack_fragmentation, 400.0 / 1200.0, "of racks");
        // Waiting for 2 from 20 to 50, for 6 to 100, for 4 to 300; 2 free until 200, then 8; none after 300.
        near(metrics.capacity_loss, f64::from(2 * 180 + 4 * 100) / 2780.0, "idle though wanted");
        let waited = [
            (WaitReason::Quota, 80 + 150 + 10),
            (WaitReason::Capacity, 0),
            (WaitReason::Order, 100),
            (WaitReason::Shape, 0),
        ];
        for (reason, seconds) in waited {
            assert_eq!(metrics.waited_for(reason), seconds, "{}", reason.name());
        }
        let [a, b] = &metrics.tenants[..] else { panic!("two tenants") };
        near(a.share, 1180.0 / 1580.0, "a held 4 · 200 + 4 · 95");
        near(b.entitlement, 0.25, "two of eight");
        // From 20 to 200 a job waits and both have jobs: `a` holds four and `b` two. Later `a` is alone.
        assert_eq!((a.contended_gpus, b.contended_gpus), (Some(4.0), Some(2.0)), "while they contend");
        near(metrics.jain_index.unwrap(), jain(&[4.0 / 0.75, 2.0 / 0.25]), "fairness");
        assert_eq!((a.jobs, a.finished, b.wait_time.p95), (3, 2, 80), "their jobs");
        assert_eq!((a.wait_time.count, a.wait_time.unfinished), (3, 1), "the one that waits is of `a`");
        assert_eq!(metrics.series.utilization.len(), 80, "a bucket every five seconds");
    }

    fn waits(metrics: &Metrics) -> u64 {
        metrics.waiting_seconds.iter().sum()
    }

    fn jain(x: &[f64]) -> f64 {
        x.iter().sum::<f64>().powi(2)
            / (f64::from(u32::try_from(x.len()).unwrap()) * x.iter().map(|x| x * x).sum::<f64>())
    }

    #[test]
    fn a_window_leaves_out_jobs_and_time_outside() {
        let mut history = history();
        history.plan.settings.warm_up = 10;
        history.plan.settings.drain = Some(100);
        let metrics = measure(&history).metrics;
        assert_eq!(metrics.window, Window { from: Time(10), to: Time(100) }, "as set");
        assert_eq!((metrics.jobs, waits(&metrics)), (2, 330), "jobs 2 and 3");
        near(metrics.utilization, 6.0 / 8.0, "six of eight all the time");
        history.plan.settings.warm_up = 5000;
        history.plan.settings.drain = None;
        let metrics = measure(&history).metrics;
        assert_eq!((metrics.jobs, metrics.makespan), (0, Seconds(0)), "after the end there is nothing");
        near(metrics.utilization, 0.0, "nothing of nothing");
    }

    #[test]
    fn more_nodes_do_not_look_worse() {
        // Jobs of a whole node: 100 s at 0, 1000 s at 1, 10 s at 2; cut off at 150. On one node the second starts at
        // 100 and the third waits; on two the second starts at 1, the third at 100. Of those that ended alone, the
        // mean wait would be 0 on one node and (0 + 98) ÷ 2 on two.
        let run = |nodes| {
            let mut builder = Builder::default();
            let request = builder.request(Request::gang(Gpus::whole(4)));
            let behaviour = builder.behaviour(Behaviour::default());
            for (submit, work) in [(0, 100), (1, 1000), (2, 10)] {
                let work_time = Seconds(work);
                builder.push(Job { request, behaviour, work_time, ..Job::at(Time(submit)) });
            }
            let cluster = Cluster::uniform(nodes, NodeKind { gpus: 4, ..NodeKind::default() });
            let settings = Settings { until: Some(150), ..Settings::named("fifo", "none", "first-fit") };
            let plan = Plan { cluster, workload: builder.finish(), settings };
            measure(&simulate(plan, &mut Control::default())).metrics.wait_time
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(
            (one.count, one.unfinished, two.count, two.unfinished),
            (3, 2, 3, 1),
            "all, and who is left"
        );
        near(one.mean, f64::from(99 + 148) / 3.0, "on one node");
        near(two.mean, 98.0 / 3.0, "on two");
    }

    #[test]
    fn the_parts_of_random_histories_add_up() {
        for seed in 0..100 {
            let history = sample::random(seed);
            let Measured { metrics, jobs, .. } = measure(&history);
            for (job, times) in jobs.iter().enumerate() {
                let waited: u32 = times.reasons[1..].iter().sum();
                assert_eq!(waited, times.wait_time.0, "seed {seed}, job {job}: reasons");
            }
            assert_eq!(metrics.outcomes.iter().sum::<u32>(), metrics.jobs, "seed {seed}: outcomes");
            let shares: f64 = metrics.tenants.iter().map(|tenant| tenant.share).sum();
            let idle = metrics.gpu_hours <= 0.0;
            assert!(idle || (shares - 1.0).abs() < 1e-9, "seed {seed}: shares add up to {shares}");
            assert!((0.0..=1.0).contains(&metrics.utilization), "seed {seed}: utilization");
            assert!(
                metrics.fragmentation <= metrics.rack_fragmentation + 1e-12,
                "seed {seed}: racks hold nodes"
            );
            assert!(metrics.bounded_slowdown.p50 <= metrics.bounded_slowdown.p99, "seed {seed}: percentiles");
        }
    }

    /// Changes one number of a history to another that a file might hold.
    fn spoil(history: &mut History, dice: &mut sample::Dice) {
        let numbers = [0, 1, 2, 63, 64, 500, 1000, u32::MAX - 1, u32::MAX];
        let number = numbers[dice.below(9) as usize];
        let near = dice.below(history.end.0.saturating_add(10));
        let mut index = |length: usize| dice.below(u32::try_from(length).unwrap()) as usize;
        let jobs = history.jobs.len();
        let segments = history.segments.len().max(1);
        let pieces = history.pieces.len().max(1);
        let (job, segment, piece) = (index(jobs), index(segments), index(pieces));
        match dice.below(12) {
            0 => history.jobs[job].eligible_time = Time(near),
            1 => history.jobs[job].finish_time = Time(near),
            2 => history.plan.workload.jobs[job].submit_time = Time(near),
            3 => history.plan.workload.jobs[job].tenant = near % 3,
            4 => history.plan.workload.jobs[job].request = near % 4,
            5 => history.plan.settings.cycle = Some(number),
            6 => history.end = Time(number.max(history.end.0)),
            7 => history.plan.workload.requests[0].shape = Shape::Pods { count: 1, gpus_milli_each: number },
            8 => history.plan.settings.warm_up = number,
            9 => history.segments.iter_mut().skip(segment).take(1).for_each(|s| s.to = Time(near)),
            10 => history.segments.iter_mut().skip(segment).take(1).for_each(|s| s.restart = number),
            _ => history.pieces.iter_mut().skip(piece).take(1).for_each(|p| {
                *p = Piece::Share { node: near % 5, gpu: u16::try_from(near % 4).unwrap(), milli: 700 };
            }),
        }
    }

    #[test]
    fn whatever_passes_the_check_is_measured_without_a_panic() {
        let samples: Vec<History> = (0..50).map(sample::random).collect();
        let mut sound = 0;
        for (seed, history) in (0..1500).zip(samples.iter().cycle()) {
            let mut history = history.clone();
            let mut dice = sample::Dice::new(seed);
            for _ in 0..=dice.below(3) {
                spoil(&mut history, &mut dice);
            }
            if history.check().is_ok() {
                sound += 1;
                let measured = measure(&history);
                assert_eq!(measured.jobs.len(), history.jobs.len(), "seed {seed}");
            }
        }
        assert!(sound > 300, "only {sound} spoilt histories are still sound");
    }
}
