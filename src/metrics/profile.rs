//! What a workload asks for, before anything is simulated.
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind};
//! use gigawatt::metrics::profile::Profile;
//! use gigawatt::units::{Gpus, Seconds, Time};
//! use gigawatt::workload::{Builder, Job, Request};
//! let mut builder = Builder::default();
//! builder.request(Request::gang(Gpus::whole(4)));
//! builder.push(Job { work_time: Seconds(1800), ..Job::at(Time(0)) });
//! builder.push(Job { work_time: Seconds(1800), ..Job::at(Time(3600)) });
//! let workload = builder.finish();
//! let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
//! let profile = Profile::of(&workload, Some(&cluster), None, 2);
//! assert_eq!(profile.gpu_hours(), 4.0);
//! assert_eq!(profile.offered_load, Some(0.5), "4 GPU-hours asked of 8 GPUs within one hour");
//! ```

use super::distribution::Distribution;
use crate::cluster::Cluster;
use crate::units::{Gpus, Seconds, Time};
use crate::workload::{Job, Workload};
use std::collections::BTreeMap;

/// Jobs of one kind and what they ask for together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Share {
    /// What they have in common.
    pub label: String,
    /// How many there are.
    pub jobs: u64,
    /// Σ GPUs · work_time, in thousandths of a GPU-second.
    pub gpu_milli_seconds: u128,
}

impl Share {
    fn labelled(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }
    fn add(&mut self, milli: u32, work: Seconds) {
        self.jobs += 1;
        self.gpu_milli_seconds += u128::from(milli) * u128::from(work.0);
    }
    /// Σ GPUs · work_time in hours.
    #[must_use]
    pub fn gpu_hours(&self) -> f64 {
        real(self.gpu_milli_seconds) / 3.6e6
    }
}

/// Work times at some ranks, and their mean.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Durations {
    /// Half of the jobs work no longer.
    pub p50: Seconds,
    /// Nine tenths of the jobs work no longer.
    pub p90: Seconds,
    /// Of a hundred jobs, 99 work no longer.
    pub p99: Seconds,
    /// The longest.
    pub max: Seconds,
    /// The mean, seconds.
    pub mean: f64,
}

/// How requested times relate to work times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimates {
    /// Jobs whose request is exactly their work: a perfect estimate, or none at all.
    pub equal: u64,
    /// Jobs that work longer than requested.
    pub overrun: u64,
    /// Jobs that request more than they work.
    pub padded: u64,
    /// Half of the padded jobs request no more than this many times their work, in thousandths.
    pub median_padding_milli: u64,
}

/// A workload in numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// All jobs together.
    pub total: Share,
    /// When the first job is submitted.
    pub first_submit: Time,
    /// When the last job is submitted.
    pub last_submit: Time,
    /// By GPUs of the gang, ascending: none, a share of one, 1, 2, 3–4, 5–8 and so on; empty ones in between stay.
    pub gangs: Vec<Share>,
    /// By work time, ascending; empty ones at both ends are left out.
    pub lengths: Vec<Share>,
    /// By tenant, most GPU time first.
    pub tenants: Vec<Share>,
    /// By kind of job, most GPU time first; kinds that do not occur are left out.
    pub kinds: Vec<Share>,
    /// Work times.
    pub durations: Durations,
    /// Requested times.
    pub estimates: Estimates,
    /// How long jobs waited where they come from, seconds, of those of which that is told.
    pub recorded_waits: Distribution<u32>,
    /// Jobs that fail at their end.
    pub failing: u64,
    /// Jobs withdrawn if they have not started by some time.
    pub cancelled: u64,
    /// Jobs already running at time 0.
    pub running: u64,
    /// Edges "after success".
    pub dependencies: u64,
    /// Named job graphs.
    pub graphs: u64,
    /// Jobs submitted in each of equal buckets from the first to the last submit.
    pub arrivals: Vec<u64>,
    /// GPUs in use in the same buckets, on average, if every job could start at its submit; at the speed of the
    /// cluster, if there is one.
    pub demand: Vec<f64>,
    /// The most GPUs in use at any instant, if every job could start at its submit: the peak within the buckets.
    pub peak_demand: f64,
    /// Σ GPUs · work_time ÷ speed / (GPUs of the cluster · time from first to last submit); none without a cluster or
    /// if all jobs are submitted at once. A job's speed is the mean over the GPUs it may use. Where the run is cut off,
    /// neither work nor submits after that count; [`endless`](Self::endless) services do not count at all.
    pub offered_load: Option<f64>,
    /// Inference services that are not done when the run is cut off, or when the last job is submitted: nobody knows
    /// how much work they are.
    pub endless: u64,
    /// Length of a bucket, seconds.
    pub bucket: f64,
    /// Unix seconds of time 0, where the input has dates.
    pub epoch: Option<i64>,
}

impl Profile {
    /// The numbers of `workload`, its time cut into `buckets` (at least 1), and what they mean for a cluster, on which a
    /// run is cut off at `until`.
    ///
    /// # Complexity
    /// O(|jobs| log |jobs| + buckets) time, O(|jobs| + buckets) space.
    #[must_use]
    pub fn of(workload: &Workload, cluster: Option<&Cluster>, until: Option<u32>, buckets: usize) -> Self {
        let mut profile = Self {
            tenants: workload.tenants.iter().map(|tenant| Share::labelled(&*tenant.name)).collect(),
            kinds: crate::workload::JobKind::ALL.iter().map(|kind| Share::labelled(kind.name())).collect(),
            gangs: vec![Share::labelled(gang_label(0)), Share::labelled(gang_label(1))],
            lengths: LENGTHS.iter().map(|(_, label)| Share::labelled(*label)).collect(),
            total: Share::labelled("all"),
            running: count(workload.running.len()),
            dependencies: count(workload.dependencies.edges().count()),
            graphs: count(workload.graphs.len()),
            epoch: workload.epoch,
            ..Self::default()
        };
        profile.first_submit = workload.jobs.iter().map(|job| job.submit_time).min().unwrap_or_default();
        profile.last_submit = workload.jobs.iter().map(|job| job.submit_time).max().unwrap_or_default();
        for job in &workload.jobs {
            let milli = workload.requests[job.request as usize].gpus().milli();
            profile.add(job, milli);
            let kind = workload.behaviours.get(job.behaviour as usize).map(|behaviour| behaviour.kind);
            profile.kinds[kind.unwrap_or_default() as usize].add(milli, job.work_time);
        }
        profile.durations = durations(&workload.jobs);
        profile.estimates = estimates(&workload.jobs);
        let waits = (0..workload.len()).filter_map(|job| workload.recorded_wait(job));
        profile.recorded_waits = Distribution::of_seconds(waits.map(|wait| wait.0).collect());
        let speeds = Speeds::new(workload, cluster);
        profile.over_time(workload, &speeds, buckets.max(1));
        profile.peak_demand = peak(workload, &speeds);
        if let Some(cluster) = cluster {
            profile.offer(workload, cluster.gpus(), &speeds, until.map(Time));
        }
        for shares in [&mut profile.tenants, &mut profile.kinds] {
            shares.retain(|share| share.jobs > 0);
            shares.sort_by_key(|share| std::cmp::Reverse((share.gpu_milli_seconds, share.jobs)));
        }
        trim(&mut profile.gangs);
        trim(&mut profile.lengths);
        profile
    }

    /// Fills `offered_load` and `endless`.
    fn offer(&mut self, workload: &Workload, gpus: u64, speeds: &Speeds, until: Option<Time>) {
        let last = self.last_submit.min(until.unwrap_or(Time::NEVER));
        let end = until.unwrap_or(self.last_submit);
        let capacity = real(gpus.into()) * f64::from(last.since(self.first_submit).0);
        let mut asked = 0.0;
        for job in &workload.jobs {
            let left = until.map_or(f64::INFINITY, |until| f64::from(until.since(job.submit_time).0));
            let run_time = speeds.run_time(job);
            let kind = workload.behaviours.get(job.behaviour as usize).map(|behaviour| behaviour.kind);
            let is_service = kind == Some(crate::workload::JobKind::InferenceService);
            if is_service && run_time > f64::from(end.since(job.submit_time).0) {
                self.endless += 1;
                continue;
            }
            asked += workload.requests[job.request as usize].gpus().as_f64() * run_time.min(left);
        }
        self.offered_load = (capacity > 0.0).then(|| asked / capacity);
    }

    fn add(&mut self, job: &Job, milli: u32) {
        let work = job.work_time;
        self.total.add(milli, work);
        self.tenants[job.tenant as usize].add(milli, work);
        let gang = gang_class(milli);
        while self.gangs.len() <= gang {
            self.gangs.push(Share::labelled(gang_label(self.gangs.len())));
        }
        self.gangs[gang].add(milli, work);
        let length = LENGTHS.partition_point(|(below, _)| *below <= work.0).min(LENGTHS.len() - 1);
        self.lengths[length].add(milli, work);
        self.failing += u64::from(job.fails);
        self.cancelled += u64::from(job.cancel_time != Time::NEVER);
    }

    /// Fills `arrivals` and `demand`: the part of every job that lies within each bucket.
    fn over_time(&mut self, workload: &Workload, speeds: &Speeds, buckets: usize) {
        let span = f64::from(self.last_submit.since(self.first_submit).0.max(1));
        self.bucket = span / real(buckets as u128);
        self.arrivals = vec![0; buckets];
        // GPUs at every bucket's left edge change by `steps`; `parts` is what the partly covered buckets add.
        let (mut steps, mut parts) = (vec![0.0; buckets + 1], vec![0.0; buckets]);
        for job in &workload.jobs {
            let gpus = workload.requests[job.request as usize].gpus().as_f64();
            let from = f64::from(job.submit_time.since(self.first_submit).0) / self.bucket;
            let to = (from + speeds.run_time(job) / self.bucket).min(real(buckets as u128));
            let (first, last) = (floor_index(from, buckets - 1), floor_index(to, buckets));
            self.arrivals[first] += 1;
            if first == last {
                parts[first] += gpus * (to - from);
                continue;
            }
            parts[first] += gpus * (real(first as u128) + 1.0 - from);
            steps[first + 1] += gpus;
            steps[last] -= gpus;
            if last < buckets {
                parts[last] += gpus * (to - real(last as u128));
            }
        }
        let mut running = 0.0;
        self.demand = parts
            .iter()
            .zip(&steps)
            .map(|(part, step)| {
                running += step;
                f64::max(running + part, 0.0)
            })
            .collect();
    }

    /// Σ GPUs · work_time of all jobs, hours.
    #[must_use]
    pub fn gpu_hours(&self) -> f64 {
        self.total.gpu_hours()
    }
    /// The same, to the nearest hour.
    #[must_use]
    pub fn gpu_hours_rounded(&self) -> u64 {
        const HOUR: u128 = 3_600_000;
        u64::try_from((self.total.gpu_milli_seconds + HOUR / 2) / HOUR).unwrap_or(u64::MAX)
    }
    /// From the first to the last submit.
    #[must_use]
    pub fn span(&self) -> Seconds {
        self.last_submit.since(self.first_submit)
    }
}

/// The most GPUs in use at any instant from the first to the last submit, if every job could start at its submit. What
/// ends at an instant is gone before what starts then.
fn peak(workload: &Workload, speeds: &Speeds) -> f64 {
    let mut changes: Vec<(f64, i64)> = Vec::with_capacity(2 * workload.jobs.len());
    for job in &workload.jobs {
        let milli = i64::from(workload.requests[job.request as usize].gpus().milli());
        let from = f64::from(job.submit_time.0);
        changes.extend([(from, milli), (from + speeds.run_time(job), -milli)]);
    }
    changes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut used, mut most) = (0_i64, 0_i64);
    for (_, change) in changes {
        used += change;
        most = most.max(used);
    }
    real(u128::try_from(most).unwrap_or(0)) / 1000.0
}

/// How fast jobs run on a cluster, by request and behaviour.
#[derive(Debug)]
struct Speeds {
    by_pair: BTreeMap<(u32, u32), f64>,
}

impl Speeds {
    fn new(workload: &Workload, cluster: Option<&Cluster>) -> Self {
        let mut by_pair = BTreeMap::new();
        let Some(cluster) = cluster else { return Self { by_pair } };
        let mut gpus = vec![0.0; cluster.kinds.len()];
        for rack in &cluster.racks {
            let kind = rack.kind as usize;
            gpus[kind] += f64::from(rack.nodes) * f64::from(cluster.kinds[kind].gpus);
        }
        for job in &workload.jobs {
            by_pair.entry((job.request, job.behaviour)).or_insert_with(|| {
                let request = &workload.requests[job.request as usize];
                let behaviour = workload.behaviours.get(job.behaviour as usize);
                let (mut sum, mut weight) = (0.0, 0.0);
                for (kind, gpus) in cluster.kinds.iter().zip(&gpus) {
                    let platform = kind.platform as usize;
                    if request.platforms.contains(platform) {
                        sum += gpus * behaviour.map_or(1.0, |behaviour| behaviour.speed(platform).as_f64());
                        weight += gpus;
                    }
                }
                if weight > 0.0 { sum / weight } else { 1.0 }
            });
        }
        Self { by_pair }
    }
    /// Seconds that a job takes.
    fn run_time(&self, job: &Job) -> f64 {
        let speed = self.by_pair.get(&(job.request, job.behaviour)).copied().unwrap_or(1.0);
        f64::from(job.work_time.0) / speed
    }
}

/// Upper ends (exclusive, seconds) and names of the classes of work time.
const LENGTHS: [(u32, &str); 10] = [
    (60, "below 1 min"),
    (600, "1–10 min"),
    (3600, "10–60 min"),
    (4 * 3600, "1–4 h"),
    (12 * 3600, "4–12 h"),
    (86_400, "12–24 h"),
    (3 * 86_400, "1–3 d"),
    (7 * 86_400, "3–7 d"),
    (30 * 86_400, "7–30 d"),
    (u32::MAX, "above 30 d"),
];

/// 0: no GPU, 1: a share of one, 2: one, then one class a power of two.
pub(crate) fn gang_class(milli: u32) -> usize {
    match milli {
        0 => 0,
        1..1000 => 1,
        _ => 2 + Gpus::from_milli(milli).ceil().next_power_of_two().trailing_zeros() as usize,
    }
}

/// What a class is called.
pub(super) fn gang_label(class: usize) -> String {
    match class {
        0 => "none".to_owned(),
        1 => "below 1".to_owned(),
        2 => "1".to_owned(),
        3 => "2".to_owned(),
        _ => format!("{}–{}", (1_u64 << (class - 3)) + 1, 1_u64 << (class - 2)),
    }
}

/// What jobs of a class are called: `no GPU`, `1 GPU`, `9–16 GPUs`.
pub(crate) fn gang_name(class: usize) -> String {
    match class {
        0 => "no GPU".to_owned(),
        1 | 2 => format!("{} GPU", gang_label(class)),
        _ => format!("{} GPUs", gang_label(class)),
    }
}

/// Drops empty classes before the first and after the last that has a job.
fn trim(shares: &mut Vec<Share>) {
    while shares.last().is_some_and(|share| share.jobs == 0) {
        shares.pop();
    }
    let empty = shares.iter().take_while(|share| share.jobs == 0).count();
    shares.drain(..empty);
}

fn durations(jobs: &[Job]) -> Durations {
    let mut times: Vec<Seconds> = jobs.iter().map(|job| job.work_time).collect();
    times.sort_unstable();
    let Some(max) = times.last().copied() else { return Durations::default() };
    let rank = |hundredths: usize| times[(times.len() * hundredths).div_ceil(100).max(1) - 1];
    let sum: u128 = times.iter().map(|time| u128::from(time.0)).sum();
    Durations {
        p50: rank(50),
        p90: rank(90),
        p99: rank(99),
        max,
        mean: real(sum) / real(times.len() as u128),
    }
}

fn estimates(jobs: &[Job]) -> Estimates {
    let mut found = Estimates::default();
    let mut paddings = Vec::new();
    for job in jobs {
        match job.requested_time.cmp(&job.work_time) {
            std::cmp::Ordering::Equal => found.equal += 1,
            std::cmp::Ordering::Less => found.overrun += 1,
            std::cmp::Ordering::Greater => {
                paddings.push(u64::from(job.requested_time.0) * 1000 / u64::from(job.work_time.0.max(1)));
            }
        }
    }
    found.padded = count(paddings.len());
    if !paddings.is_empty() {
        let middle = (paddings.len() - 1) / 2;
        found.median_padding_milli = *paddings.select_nth_unstable(middle).1;
    }
    found
}

fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a length has at most 64 bits")
}

#[expect(clippy::cast_precision_loss, reason = "for display: 53 bits are enough")]
const fn real(number: u128) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and clamped")]
fn floor_index(place: f64, last: usize) -> usize {
    (place as usize).min(last)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exactly representable results")]
mod tests {
    use super::*;
    use crate::cluster::NodeKind;
    use crate::units::Factor;
    use crate::workload::{Behaviour, Builder, Request};

    /// Jobs of (submit, work, requested, thousandths of a GPU).
    fn profile(jobs: &[(u32, u32, u32, u32)], buckets: usize) -> Profile {
        Profile::of(&workload(jobs), None, None, buckets)
    }

    fn workload(jobs: &[(u32, u32, u32, u32)]) -> Workload {
        let mut builder = Builder::default();
        for &(submit, work, requested, milli) in jobs {
            let request = builder.request(Request::gang(Gpus::from_milli(milli)));
            let job = Job { work_time: Seconds(work), request, ..Job::at(Time(submit)) };
            builder.push(job.requesting(Seconds(requested)));
        }
        builder.finish()
    }

    #[test]
    fn demand_is_what_would_run_without_a_queue() {
        // Two buckets of 100 s. A: 2 GPUs 50..150, B: 1 GPU 0..20, C: at 200, counted in the last bucket.
        let found = profile(&[(50, 100, 100, 2000), (0, 20, 20, 1000), (200, 500, 500, 8000)], 2);
        assert_eq!(found.arrivals, [2, 1], "by submit time");
        assert_eq!(found.demand, [1.2, 1.0], "(2 · 50 + 20) / 100 and 2 · 50 / 100");
        assert_eq!(found.peak_demand, 8.0, "C alone: A ends before it comes, no bucket's mean");
        let apart = profile(&[(0, 10, 10, 3000), (10, 10, 10, 4000), (15, 10, 10, 1000)], 2);
        assert_eq!(apart.peak_demand, 5.0, "what ends at 10 is gone before what starts then");
        assert_eq!(found.gpu_hours(), (200.0 + 20.0 + 4000.0) / 3600.0, "all work counts");
        assert_eq!(found.offered_load, None, "of no cluster");
    }

    #[test]
    fn demand_conserves_gpu_time_within_the_span() {
        let jobs: Vec<_> = (0..500).map(|i| (i * 37 % 9000, 1 + i * 53 % 4000, 1, 1000 * (i % 9))).collect();
        let span = jobs.iter().map(|job| job.0).max().unwrap();
        let expected: f64 = jobs
            .iter()
            .map(|job| f64::from((job.0 + job.1).min(span) - job.0) * f64::from(job.3) / 1000.0)
            .sum();
        let found = profile(&jobs, 41);
        let sum: f64 = found.demand.iter().map(|gpus| gpus * found.bucket).sum();
        assert!((sum / expected - 1.0).abs() < 1e-9, "{sum} of {expected}");
    }

    #[test]
    fn gangs_fall_into_classes_by_powers_of_two() {
        let sizes = [0, 1, 999, 1000, 2000, 3000, 4000, 5000, 8000, 9000, 4_294_967_000];
        let classes = sizes.map(gang_class);
        assert_eq!(classes, [0, 1, 1, 2, 3, 4, 4, 5, 5, 6, 25], "class");
        let found = profile(&[(0, 1, 1, 2000), (0, 1, 1, 2000), (0, 1, 1, 16_000)], 1);
        let shares: Vec<_> = found.gangs.iter().map(|share| (share.label.as_str(), share.jobs)).collect();
        assert_eq!(shares, [("2", 2), ("3–4", 0), ("5–8", 0), ("9–16", 1)], "ends trimmed, middle kept");
    }

    #[test]
    fn estimates_are_told_apart() {
        let found = profile(&[(0, 10, 10, 0), (0, 10, 9, 0), (0, 10, 30, 0), (0, 10, 25, 0)], 1).estimates;
        let expected = Estimates { equal: 1, overrun: 1, padded: 2, median_padding_milli: 2500 };
        assert_eq!(found, expected, "one each, two padded");
    }

    #[test]
    fn durations_are_nearest_ranks() {
        let jobs: Vec<_> = (1..=200).map(|work| (0, work, work, 1000)).collect();
        let found = profile(&jobs, 1).durations;
        assert_eq!((found.p50, found.p90, found.p99), (Seconds(100), Seconds(180), Seconds(198)), "ranks");
        assert_eq!((found.max, found.mean), (Seconds(200), 100.5), "and the rest");
    }

    #[test]
    fn the_offered_load_counts_seconds_on_the_cluster() {
        let mut workload = workload(&[(0, 100, 100, 4000), (100, 400, 400, 1000)]);
        let cluster = |platform| {
            let kind = NodeKind { gpus: 8, platform, ..NodeKind::default() };
            Cluster::uniform(1, kind)
        };
        let load = |workload: &Workload, platform| {
            Profile::of(workload, Some(&cluster(platform)), None, 1).offered_load
        };
        assert_eq!(load(&workload, 0), Some(800.0 / 800.0), "800 GPU-seconds in 100 s on 8 GPUs");
        let fast = Behaviour { speeds: vec![Factor::ONE, Factor(2 << 16)], ..Behaviour::default() };
        workload.behaviours = vec![fast];
        assert_eq!(load(&workload, 1), Some(0.5), "twice as fast there");
        assert_eq!(load(&workload, 0), Some(1.0), "and not here");
        for job in &mut workload.jobs {
            job.submit_time = Time(7);
        }
        assert_eq!(load(&workload, 0), None, "submitted at once");
    }

    #[test]
    fn the_offered_load_is_clipped_where_the_run_is_and_leaves_endless_services_out() {
        use crate::workload::JobKind;
        let mut workload = workload(&[(0, 1000, 1000, 4000), (100, 400, 400, 8000), (300, 50, 50, 8000)]);
        let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
        let load = |workload: &Workload, until| {
            let found = Profile::of(workload, Some(&cluster), until, 1);
            (found.offered_load, found.endless)
        };
        let whole = 1000.0 * 4.0 + 400.0 * 8.0 + 50.0 * 8.0;
        assert_eq!(load(&workload, None), (Some(whole / 2400.0), 0), "within the 300 s of submits");
        // 200 s of four GPUs, 100 s of eight, within 200 s.
        assert_eq!(load(&workload, Some(200)), (Some(1600.0 / 1600.0), 0), "cut off at 200 s");
        workload.behaviours = vec![Behaviour::of(JobKind::InferenceService)];
        assert_eq!(load(&workload, None).1, 3, "none is done when the last one comes");
        assert_eq!(
            load(&workload, Some(450)),
            (Some(50.0 * 8.0 / 2400.0), 2),
            "the last one is a job of 50 s"
        );
    }
}
