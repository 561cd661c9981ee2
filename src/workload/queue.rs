use super::Workload;
use crate::units::Seconds;
use std::collections::BTreeSet;

/// An entitlement to GPUs that jobs of some tenants, or in some partitions, share; queues stand above one another.
///
/// Amounts are thousandths of GPUs; what they mean together is told in [`state::quota`](crate::state::quota).
///
/// ```
/// use gigawatt::workload::Queue;
/// let cloud = Queue { nominal_milli: Some(256_000), ..Queue::named("cloud") };
/// let research = Queue { parent: Some(0), tenants: vec![0, 2], ..Queue::named("research") };
/// assert!(research.takes(2, 5) && !research.takes(1, 5));
/// assert!(!cloud.takes(0, 0), "it has queues below it");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Unique among queues and partitions.
    pub name: String,
    /// The queue above it, which comes before it; none: it is a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// The tenants whose jobs it takes, ascending; empty: those of any tenant, in its partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<u32>,
    /// The partitions whose jobs it takes, ascending; empty: those of its tenants in any partition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<u32>,
    /// What is its own; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal_milli: Option<u32>,
    /// What it may hold beyond its own; none: whatever others leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrow_milli: Option<u32>,
    /// What others may borrow of its own; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lend_milli: Option<u32>,
    /// The most that it and the queues below it may hold together; none: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_milli: Option<u32>,
    /// The same by platform, in the order in which a job that may run on several is tried on them; empty: amounts are those of
    /// all platforms together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_platform: Vec<PlatformQuota>,
    /// What it is to get, relative to those beside it, thousandths, where the order heeds that; none: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_milli: Option<u32>,
    /// What its jobs, and those of the queues below it, have to keep to one by one.
    #[serde(default, skip_serializing_if = "JobLimits::is_empty")]
    pub job_limits: JobLimits,
}

/// What a queue has, borrows and lends of one platform, thousandths of GPUs; none where nothing is said, as of a [`Queue`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformQuota {
    /// Index in the catalogue.
    pub platform: u32,
    /// What is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal_milli: Option<u32>,
    /// What it may hold beyond its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrow_milli: Option<u32>,
    /// What others may borrow of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lend_milli: Option<u32>,
    /// The most that it and the queues below it may hold together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_milli: Option<u32>,
}

/// What jobs of a queue have to keep to one by one, whatever they hold together; none: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobLimits {
    /// How many of those that ask for GPUs may run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u32>,
    /// The most that one may ask for, thousandths of a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus_milli: Option<u32>,
    /// The longest that one may request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Seconds>,
    /// The highest priority that one may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
}

/// What of a job no queue that it stands in or below allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobLimit {
    /// The GPUs that it asks for.
    Gpus,
    /// The time that it requests.
    Time,
    /// Its priority.
    Priority,
}

impl JobLimits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    /// The tighter of each of two limits.
    ///
    /// ```
    /// use gigawatt::workload::JobLimits;
    /// let few = JobLimits { running: Some(4), ..JobLimits::default() };
    /// let fewer = JobLimits { running: Some(2), priority: Some(0), ..JobLimits::default() };
    /// assert_eq!(few.and(fewer), fewer);
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.into_iter().chain(other).min()
        }
        Self {
            running: least(self.running, other.running),
            gpus_milli: least(self.gpus_milli, other.gpus_milli),
            time: least(self.time, other.time),
            priority: least(self.priority, other.priority),
        }
    }
}

impl Queue {
    /// The most queues that stand above one another.
    pub const DEPTH_MAX: usize = 16;

    /// A queue that takes no jobs and has nothing of its own.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
    /// What it is to get, relative to those beside it, thousandths.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight_milli.unwrap_or(1000)
    }
    /// What it has of a platform, where that is said by platform.
    ///
    /// ```
    /// use gigawatt::workload::{PlatformQuota, Queue};
    /// let own = PlatformQuota { platform: 3, nominal_milli: Some(64_000), ..PlatformQuota::default() };
    /// let queue = Queue { by_platform: vec![own], ..Queue::named("research") };
    /// assert_eq!((queue.on(3), queue.on(1)), (Some(&own), None));
    /// ```
    #[must_use]
    pub fn on(&self, platform: u32) -> Option<&PlatformQuota> {
        self.by_platform.iter().find(|own| own.platform == platform)
    }
    /// What is its own of all platforms together, thousandths; none: nothing is said.
    ///
    /// ```
    /// use gigawatt::workload::{PlatformQuota, Queue};
    /// let on = |platform, milli| PlatformQuota { platform, nominal_milli: Some(milli), ..PlatformQuota::default() };
    /// let queue = Queue { by_platform: vec![on(1, 8_000), on(3, 64_000)], ..Queue::named("research") };
    /// assert_eq!((queue.own_milli(), Queue::named("idle").own_milli()), (Some(72_000), None));
    /// ```
    #[must_use]
    pub fn own_milli(&self) -> Option<u64> {
        let of_platforms = self.by_platform.iter().filter_map(|own| own.nominal_milli);
        of_platforms.chain(self.nominal_milli).map(u64::from).reduce(|sum, more| sum + more)
    }
    /// The most that its jobs may hold together where there are these platforms, thousandths: its limit, or those of all of these
    /// together; none: no end.
    ///
    /// ```
    /// use gigawatt::workload::{PlatformQuota, Queue};
    /// let limited = PlatformQuota { platform: 1, limit_milli: Some(8_000), ..PlatformQuota::default() };
    /// let queue = Queue { by_platform: vec![limited], ..Queue::named("research") };
    /// assert_eq!(queue.limit_over(&[1].into()), Some(8_000));
    /// assert_eq!(queue.limit_over(&[1, 3].into()), None, "of the other it may hold any");
    /// ```
    #[must_use]
    pub fn limit_over(&self, platforms: &BTreeSet<u32>) -> Option<u64> {
        let on = |platform: &u32| self.on(*platform).and_then(|own| own.limit_milli).map(u64::from);
        let of_each = platforms.iter().map(on).sum::<Option<u64>>().filter(|_| !platforms.is_empty());
        self.limit_milli.map(u64::from).into_iter().chain(of_each).min()
    }
    /// Whether it takes jobs itself; else there are queues below it.
    #[must_use]
    pub const fn has_jobs(&self) -> bool {
        !self.tenants.is_empty() || !self.partitions.is_empty()
    }
    /// Whether it takes the jobs of a tenant in a partition.
    #[must_use]
    pub fn takes(&self, tenant: u32, partition: u32) -> bool {
        let names = |all: &[u32], one: u32| all.is_empty() || all.binary_search(&one).is_ok();
        self.has_jobs() && names(&self.tenants, tenant) && names(&self.partitions, partition)
    }
    /// A tenant and a partition, none: any, whose jobs both this and another queue take.
    ///
    /// ```
    /// use gigawatt::workload::Queue;
    /// let train = Queue { partitions: vec![1], ..Queue::named("train") };
    /// let meta = Queue { tenants: vec![4], ..Queue::named("meta") };
    /// assert_eq!(train.meets(&meta), Some((Some(4), Some(1))));
    /// assert_eq!(train.meets(&Queue { partitions: vec![2], ..meta }), None);
    /// ```
    #[must_use]
    pub fn meets(&self, other: &Self) -> Option<(Option<u32>, Option<u32>)> {
        let common = |own: &[u32], theirs: &[u32]| match (own, theirs) {
            ([], []) => Some(None),
            ([one, ..], []) | ([], [one, ..]) => Some(Some(*one)),
            _ => own.iter().find(|one| theirs.binary_search(one).is_ok()).map(|one| Some(*one)),
        };
        let both = self.has_jobs() && other.has_jobs();
        let tenant = common(&self.tenants, &other.tenants).filter(|_| both)?;
        Some((tenant, common(&self.partitions, &other.partitions)?))
    }
}

/// Who stands where.
impl Workload {
    /// The queue that keeps job `job` out for good, and what of the job it does not allow: the lowest queue first; none: the
    /// job may run some day.
    ///
    /// # Complexity
    /// O(|queues|) time.
    ///
    /// ```
    /// use gigawatt::units::{Gpus, Time};
    /// use gigawatt::workload::{Builder, Job, JobLimit, JobLimits, Queue, Request};
    /// let mut builder = Builder::default();
    /// let (request, tenant) = (builder.request(Request::gang(Gpus::whole(8))), builder.tenant("lab"));
    /// builder.push(Job { request, tenant, ..Job::at(Time(0)) });
    /// let job_limits = JobLimits { gpus_milli: Some(4_000), ..JobLimits::default() };
    /// builder.add_queue(Queue { job_limits, ..Queue::named("cloud") });
    /// builder.add_queue(Queue { parent: Some(0), tenants: vec![tenant], ..Queue::named("lab") });
    /// assert_eq!(builder.finish().beyond_queue(0), Some((0, JobLimit::Gpus)));
    /// ```
    #[must_use]
    pub fn beyond_queue(&self, job: u32) -> Option<(u32, JobLimit)> {
        let own = &self.jobs[job as usize];
        let gpus = self.request_of(job).gpus().milli();
        self.queues_above(self.queue_of(job)?).find_map(|queue| {
            let JobLimits { gpus_milli, time, priority, .. } = self.queues[queue as usize].job_limits;
            let broken = [
                (JobLimit::Gpus, gpus_milli.is_some_and(|most| gpus > most)),
                (JobLimit::Time, time.is_some_and(|most| own.requested_time > most)),
                (JobLimit::Priority, priority.is_some_and(|most| own.priority > most)),
            ];
            broken.into_iter().find(|(_, is_broken)| *is_broken).map(|(limit, _)| (queue, limit))
        })
    }
    /// The jobs that their queues keep out for good, ascending.
    ///
    /// # Complexity
    /// O(|jobs| · |queues|) time where a queue limits jobs, else O(|queues|).
    #[must_use]
    pub fn beyond_queues(&self) -> Vec<u32> {
        if self.queues.iter().all(|queue| queue.job_limits.is_empty()) {
            return Vec::new();
        }
        (0..self.len()).filter(|job| self.beyond_queue(*job).is_some()).collect()
    }
    /// What jobs of a queue have to keep to one by one: its limits, and those of the queues above it.
    #[must_use]
    pub fn job_limits(&self, queue: u32) -> JobLimits {
        let own = |queue: u32| self.queues[queue as usize].job_limits;
        self.queues_above(queue).map(own).fold(JobLimits::default(), JobLimits::and)
    }
    /// The queue that job `job` stands in; none: no queue takes it.
    ///
    /// # Complexity
    /// O(|queues|) time.
    #[must_use]
    pub fn queue_of(&self, job: u32) -> Option<u32> {
        let (tenant, partition) = (self.jobs[job as usize].tenant, self.request_of(job).partition);
        (0..).zip(&self.queues).find(|(_, queue)| queue.takes(tenant, partition)).map(|(index, _)| index)
    }
    /// A queue and those above it, the root last.
    ///
    /// ```
    /// use gigawatt::workload::{Queue, Workload};
    /// let below = Queue { parent: Some(0), ..Queue::named("research") };
    /// let workload = Workload { queues: vec![Queue::named("cloud"), below], ..Workload::default() };
    /// assert_eq!(workload.queues_above(1).collect::<Vec<_>>(), [1, 0]);
    /// ```
    pub fn queues_above(&self, queue: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(queue), |queue| self.queues[*queue as usize].parent)
    }
}
