//! WHAT is asked: jobs, what each requests, the tenants that ask, and what must run before what.
//!
//! A [`Workload`] is flat and finished: jobs in input order, the distinct requests and behaviours they share in
//! tables beside them. Readers and generators fill one through a [`Builder`].
//!
//! ```
//! use gigawatt::units::{Gpus, Seconds, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request};
//! let mut builder = Builder::default();
//! let request = builder.request(Request::gang(Gpus::whole(16)));
//! let behaviour = builder.behaviour(Behaviour::default());
//! let job = Job { request, behaviour, work_time: Seconds(600), ..Job::at(Time(30)) };
//! builder.push(job.requesting(Seconds(900)));
//! let workload = builder.finish();
//! assert_eq!(workload.jobs.len(), 1);
//! assert_eq!(workload.request_of(0).gpus(), Gpus::whole(16));
//! ```

mod behaviour;
mod claims;
mod demand;
pub mod generate;
mod graph;
mod job;
mod names;
mod pack;
mod profile;
mod queue;
mod request;

pub use behaviour::{Behaviour, JobKind, Overrun};
pub use demand::{Demand, Tokens};
pub use graph::{Cycle, Dependencies, Edge, JobGraph};
pub use job::Job;
pub use names::Names;
pub use pack::PackError;
pub use profile::Profile;
pub use queue::{JobLimit, JobLimits, PlatformQuota, Queue};
pub use request::{PlatformSet, Request, Shape, Topology};

use crate::units::{Gpus, Seconds, Time};
use hashbrown::HashMap;

/// A customer that asks for GPUs and pays for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tenant {
    /// Unique in the workload.
    pub name: String,
    /// The most GPUs its jobs may hold at once; none: no limit.
    #[serde(default)]
    pub quota_milli: Option<u32>,
    /// By platform, its index in the catalogue: the most of its GPUs that its jobs may hold at once; no limit on others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quota_by_platform: Vec<(u32, u32)>,
    /// How long a policy may hold back those of its jobs that do not say so themselves; none: as the run says.
    #[serde(default)]
    pub max_delay: Option<Seconds>,
    /// What it is to get, relative to those beside it, thousandths, where the order heeds that; none: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_milli: Option<u32>,
}

impl Tenant {
    /// A tenant without a quota.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
    /// What is its own, of all platforms that its quota names: thousandths of GPUs; none: it has no quota.
    ///
    /// ```
    /// use gigawatt::workload::Tenant;
    /// let lab = Tenant { quota_by_platform: vec![(1, 12_000), (3, 4_000)], ..Tenant::named("lab") };
    /// assert_eq!((lab.own_milli(), Tenant::named("shop").own_milli()), (Some(16_000), None));
    /// ```
    #[must_use]
    pub fn own_milli(&self) -> Option<u64> {
        let of_platforms = self.quota_by_platform.iter().map(|(_, milli)| *milli);
        of_platforms.chain(self.quota_milli).map(u64::from).reduce(|sum, more| sum + more)
    }
    /// What it is to get, relative to those beside it, thousandths.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight_milli.unwrap_or(1000)
    }
    /// The most GPUs its jobs may hold at once.
    #[must_use]
    pub fn quota(&self) -> Option<Gpus> {
        self.quota_milli.map(Gpus::from_milli)
    }
}

/// A named job graph: jobs that belong together, their dependencies among [`Workload::dependencies`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Graph {
    /// As the user calls it.
    pub name: String,
    /// Indices of its jobs, ascending.
    pub jobs: Vec<u32>,
}

/// A job that is already running at time 0.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Running {
    /// Index of the job; its `submit_time` is 0 and its `work_time` what is left at time 0.
    pub job: u32,
    /// The nodes it holds; empty: wherever the placement puts it.
    pub nodes: Vec<u32>,
}

/// Everything that is asked of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// In input order; that order breaks ties.
    pub jobs: Vec<Job>,
    /// What jobs are called in the input.
    pub names: Names,
    /// The distinct resource requests.
    pub requests: Vec<Request>,
    /// The distinct behaviours.
    pub behaviours: Vec<Behaviour>,
    /// At least one.
    pub tenants: Vec<Tenant>,
    /// Names of the partitions that requests refer to; 0 is the default one.
    pub partitions: Vec<String>,
    /// Names of the levels between racks and cluster that requests refer to.
    pub levels: Vec<String>,
    /// What tenants may hold together; a queue comes after the one above it, and no two take the same jobs.
    pub queues: Vec<Queue>,
    /// What is expected to be asked for, where that is another mix than that of its jobs: requests, and how many jobs.
    pub mix: Vec<(u32, u32)>,
    /// What must succeed before what.
    pub dependencies: Dependencies,
    /// Named job graphs.
    pub graphs: Vec<Graph>,
    /// Jobs running at time 0, ascending by job.
    pub running: Vec<Running>,
    /// By job, when it started as the input tells, [`Time::NEVER`] where that is not told; empty where it tells of none.
    pub recorded_starts: Vec<Time>,
    /// Unix seconds of time 0, where the input has dates.
    pub epoch: Option<i64>,
}

impl Workload {
    /// The name of the partition that every node belongs to.
    pub const DEFAULT_PARTITION: &'static str = "all";

    /// What job `job` asks for.
    #[must_use]
    pub fn request_of(&self, job: u32) -> &Request {
        &self.requests[self.jobs[job as usize].request as usize]
    }
    /// How job `job` behaves.
    #[must_use]
    pub fn behaviour_of(&self, job: u32) -> &Behaviour {
        &self.behaviours[self.jobs[job as usize].behaviour as usize]
    }
    /// When job `job` started as the input tells; none where it does not.
    #[must_use]
    pub fn recorded_start(&self, job: u32) -> Option<Time> {
        self.recorded_starts.get(job as usize).copied().filter(|start| *start != Time::NEVER)
    }
    /// How long job `job` waited as the input tells: recorded start − submit.
    ///
    /// ```
    /// use gigawatt::units::{Seconds, Time};
    /// use gigawatt::workload::{Builder, Job};
    /// let mut builder = Builder::default();
    /// let job = builder.push(Job::at(Time(30)));
    /// builder.record_start(job, Time(90));
    /// builder.push(Job::at(Time(40)));
    /// let workload = builder.finish();
    /// assert_eq!(workload.recorded_wait(0), Some(Seconds(60)));
    /// assert_eq!(workload.recorded_wait(1), None, "nothing is told of it");
    /// ```
    #[must_use]
    pub fn recorded_wait(&self, job: u32) -> Option<Seconds> {
        self.recorded_start(job).map(|start| start.since(self.jobs[job as usize].submit_time))
    }
    /// The number of jobs.
    ///
    /// # Panics
    /// Never: a [`Builder`] takes no more than `u32` can count.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.jobs.len()).expect("the builder counts jobs in 32 bits")
    }
    /// Whether there is no job.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}

/// Fills a [`Workload`] job by job, keeping one copy of equal requests, behaviours and names.
#[derive(Debug, Default)]
pub struct Builder {
    workload: Workload,
    requests: HashMap<Request, u32>,
    behaviours: HashMap<Behaviour, u32>,
    tenants: HashMap<String, u32>,
    partitions: HashMap<String, u32>,
    levels: HashMap<String, u32>,
    graph: JobGraph,
}

/// The most jobs a workload can hold; the largest index stands for "none".
pub const MAX_JOBS: u32 = u32::MAX - 1;

#[expect(
    clippy::cast_possible_truncation,
    reason = "tables are never longer than the jobs that refer to them, and those are counted"
)]
const fn index(length: usize) -> u32 {
    length as u32
}

/// Takes a workload over, to add to it.
impl From<Workload> for Builder {
    fn from(mut workload: Workload) -> Self {
        let mut graph = JobGraph::default();
        for (before, after, delay) in workload.dependencies.edges() {
            graph.add(before, after, delay);
        }
        workload.dependencies = Dependencies::default();
        let mut builder = Self { workload, graph, ..Self::default() };
        let known = &builder.workload;
        // Of equal entries the first is the one to refer to.
        for (request, at) in known.requests.iter().zip(0..) {
            builder.requests.entry(request.clone()).or_insert(at);
        }
        for (behaviour, at) in known.behaviours.iter().zip(0..) {
            builder.behaviours.entry(behaviour.clone()).or_insert(at);
        }
        for (tenant, at) in known.tenants.iter().zip(0..) {
            builder.tenants.entry(tenant.name.clone()).or_insert(at);
        }
        for (partition, at) in known.partitions.iter().zip(0..) {
            builder.partitions.entry(partition.clone()).or_insert(at);
        }
        for (level, at) in known.levels.iter().zip(0..) {
            builder.levels.entry(level.clone()).or_insert(at);
        }
        builder
    }
}

impl Builder {
    /// The index of this request, added if new.
    pub fn request(&mut self, request: Request) -> u32 {
        let table = &mut self.workload.requests;
        *self.requests.entry(request).or_insert_with_key(|new| {
            table.push(new.clone());
            index(table.len() - 1)
        })
    }
    /// The request of that index.
    ///
    /// # Panics
    /// If [`Builder::request`] never gave it.
    #[must_use]
    pub fn request_at(&self, index: u32) -> &Request {
        &self.workload.requests[index as usize]
    }
    /// The index of this behaviour, added if new.
    pub fn behaviour(&mut self, behaviour: Behaviour) -> u32 {
        let table = &mut self.workload.behaviours;
        *self.behaviours.entry(behaviour).or_insert_with_key(|new| {
            table.push(new.clone());
            index(table.len() - 1)
        })
    }
    /// The index of the tenant called `name`, added without a quota if new.
    pub fn tenant(&mut self, name: &str) -> u32 {
        if let Some(found) = self.tenants.get(name) {
            return *found;
        }
        self.add_tenant(Tenant::named(name))
    }
    /// Adds a tenant, or replaces the one of the same name.
    pub fn add_tenant(&mut self, tenant: Tenant) -> u32 {
        if let Some(found) = self.tenants.get(&tenant.name) {
            self.workload.tenants[*found as usize] = tenant;
            return *found;
        }
        let new = index(self.workload.tenants.len());
        self.tenants.insert(tenant.name.clone(), new);
        self.workload.tenants.push(tenant);
        new
    }
    /// The tenants so far.
    #[must_use]
    pub fn tenants(&self) -> &[Tenant] {
        &self.workload.tenants
    }
    /// The partitions so far that requests and queues name; empty before the first.
    #[must_use]
    pub fn partitions(&self) -> &[String] {
        &self.workload.partitions
    }
    /// The jobs so far.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.workload.jobs
    }
    /// Adds a queue, after the one above it.
    pub fn add_queue(&mut self, queue: Queue) -> u32 {
        self.workload.queues.push(queue);
        index(self.workload.queues.len() - 1)
    }
    /// The index of the partition called `name`, added if new; 0 is [`Workload::DEFAULT_PARTITION`].
    pub fn partition(&mut self, name: &str) -> u32 {
        if self.workload.partitions.is_empty() {
            self.partitions.insert(Workload::DEFAULT_PARTITION.to_owned(), 0);
            self.workload.partitions.push(Workload::DEFAULT_PARTITION.to_owned());
        }
        if let Some(found) = self.partitions.get(name) {
            return *found;
        }
        let new = index(self.workload.partitions.len());
        self.partitions.insert(name.to_owned(), new);
        self.workload.partitions.push(name.to_owned());
        new
    }
    /// The index of the level called `name`, added if new.
    pub fn level(&mut self, name: &str) -> u32 {
        if let Some(found) = self.levels.get(name) {
            return *found;
        }
        let new = index(self.workload.levels.len());
        self.levels.insert(name.to_owned(), new);
        self.workload.levels.push(name.to_owned());
        new
    }
    /// Adds a job called by its row number, from 1.
    ///
    /// # Panics
    /// Beyond [`MAX_JOBS`] jobs, which no input of 32-bit length reaches.
    pub fn push(&mut self, job: Job) -> u32 {
        let new = self.next_job();
        self.workload.jobs.push(job);
        self.workload.names.push_number();
        new
    }
    /// Adds a job called `name`.
    ///
    /// # Panics
    /// As [`Builder::push`].
    pub fn push_named(&mut self, job: Job, name: &str) -> u32 {
        let new = self.next_job();
        self.workload.jobs.push(job);
        self.workload.names.push(name);
        new
    }
    fn next_job(&self) -> u32 {
        let new = index(self.workload.jobs.len());
        assert!(new < MAX_JOBS, "job indices have 32 bits");
        new
    }
    /// The jobs so far, to adjust what only the whole input tells (the first submit, say).
    pub fn jobs_mut(&mut self) -> &mut [Job] {
        &mut self.workload.jobs
    }
    /// The number of jobs so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.workload.jobs.len()
    }
    /// Whether there is no job yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.workload.jobs.is_empty()
    }
    /// The dependencies so far; an edge is "after success".
    pub const fn graph(&mut self) -> &mut JobGraph {
        &mut self.graph
    }
    /// Names a set of jobs, in any order.
    pub fn add_graph(&mut self, mut graph: Graph) {
        graph.jobs.sort_unstable();
        self.workload.graphs.push(graph);
    }
    /// Says that a job is already running at time 0.
    pub fn add_running(&mut self, running: Running) {
        self.workload.running.push(running);
    }
    /// Says when a job started where the input comes from.
    pub fn record_start(&mut self, job: u32, start: Time) {
        let starts = &mut self.workload.recorded_starts;
        if starts.len() <= job as usize {
            starts.resize(job as usize + 1, Time::NEVER);
        }
        starts[job as usize] = start;
    }
    /// Unix seconds of time 0.
    pub const fn set_epoch(&mut self, epoch: i64) {
        self.workload.epoch = Some(epoch);
    }
    /// The workload.
    ///
    /// # Errors
    /// A [`Cycle`] among the dependencies.
    pub fn try_finish(mut self) -> Result<Workload, Cycle> {
        self.workload.dependencies = self.graph.compile(self.workload.jobs.len())?;
        Ok(self.finish_tables())
    }
    /// The workload of jobs without dependencies.
    ///
    /// # Panics
    /// If dependencies were added: [`Builder::try_finish`] checks those.
    #[must_use]
    pub fn finish(self) -> Workload {
        assert!(self.graph.is_empty(), "dependencies need `try_finish`");
        self.finish_tables()
    }
    fn finish_tables(mut self) -> Workload {
        self.partition(Workload::DEFAULT_PARTITION);
        if self.workload.tenants.is_empty() {
            self.tenant("default");
        }
        self.workload.running.sort_by_key(|running| running.job);
        let starts = &mut self.workload.recorded_starts;
        if starts.iter().all(|start| *start == Time::NEVER) {
            starts.clear();
        } else {
            starts.resize(self.workload.jobs.len(), Time::NEVER);
        }
        self.workload
    }
}
