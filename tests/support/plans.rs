//! Random plans: small clusters and workloads that reach every corner, and shrink to the few jobs that matter.

use super::choices::{PolicySpec, policy};
use super::queues::{QueueSpec, queues};
use gigawatt::cluster::{CapacityChange, Cluster, Level, Licence, NodeKind, NodeState, Partition};
use gigawatt::history::Plan;
use gigawatt::units::{Factor, Seconds, Time};
use gigawatt::workload::{
    Behaviour, Builder, Job, Overrun, PlatformSet, Request, Running, Shape, Tenant, Topology, Workload,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a plan is made of; indices are taken modulo what there is.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) cluster: ClusterSpec,
    pub(crate) jobs: Vec<JobSpec>,
    pub(crate) policy: PolicySpec,
    /// Thousandths that each tenant may hold.
    pub(crate) quotas: [Option<u32>; 3],
    pub(crate) queues: Option<QueueSpec>,
    /// How many there are of each licence; without any no job asks for one.
    pub(crate) licences: Vec<u32>,
    /// What tenants weigh, and queues in turn, thousandths.
    weights: [Option<u32>; 3],
    /// How many of the first jobs run at time 0; and from which node on, if they say.
    pub(crate) running: (usize, Option<u32>),
}

/// A cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterSpec {
    kinds: Vec<KindSpec>,
    /// Kind and nodes.
    racks: Vec<(usize, u32)>,
    /// How many racks in a row make a domain of each level, from the highest down: of the level above, or of all.
    levels: Vec<u32>,
    /// First node and how many, of each partition but the first.
    pub(crate) partitions: Vec<(u32, u32)>,
    /// The tiers of the partitions, the first one's first.
    tiers: [u32; 3],
    /// Thousandths that the jobs of each partition may hold together, the first one's first.
    limits: [Option<u32>; 3],
    /// When, first node and how many, state, how long before it is known.
    changes: Vec<(u32, u32, u32, NodeState, Option<u32>)>,
    /// When all nodes are up for good.
    repaired: Option<u32>,
    /// How long before that is known.
    repair_notice: Option<u32>,
}

/// A kind of node: GPUs, platform, CPU and memory where they are counted, span factor.
type KindSpec = (u32, u32, Option<(u32, u32)>, Factor);

/// One job.
#[derive(Debug, Clone)]
pub(crate) struct JobSpec {
    submit: u32,
    work: u32,
    /// The estimate, relative to the work.
    estimate: i32,
    shape: Shape,
    host: (u32, u32),
    platforms: PlatformSet,
    partition: usize,
    topology: Topology,
    segment: u32,
    tenant: usize,
    priority: i32,
    cancel: Option<u32>,
    deadline: Option<u32>,
    fails: bool,
    kill: bool,
    preemptible: bool,
    restart: u32,
    checkpoint: u32,
    speeds: Vec<Factor>,
    /// How many jobs back the predecessors are, and the delays.
    after: Vec<(u32, u32)>,
    /// How many more jobs like it follow.
    twins: u32,
    /// Which licences it holds, and how many of each.
    licences: Vec<(u32, u32)>,
}

/// No gang is faster across racks than in one.
fn across_racks() -> impl Strategy<Value = Factor> {
    prop_oneof![3 => Just(Factor::ONE), 1 => Just(Factor(1 << 15)), 1 => Just(Factor(50_001))]
}

fn factor() -> impl Strategy<Value = Factor> {
    prop_oneof![3 => Just(Factor::ONE), 1 => Just(Factor(1 << 15)), 1 => Just(Factor(100_000)), 1 => Just(Factor(50_001))]
}

prop_compose! {
    fn cluster()(
        kinds in vec((
            prop_oneof![4 => Just(4), 1 => Just(1), 1 => Just(2), 2 => Just(8), 1 => Just(0), 1 => Just(3)],
            0u32..2,
            weighted(0.3, (prop_oneof![Just(4000u32), Just(9000)], prop_oneof![Just(64u32), Just(100)])),
            across_racks(),
        ), 1..3),
        racks in prop_oneof![
            3 => vec((0usize..3, 1u32..5), 1..5),
            1 => vec((0usize..3, Just(1u32)), 1..9),
        ],
        levels in prop_oneof![1 => Just(Vec::new()), 1 => vec(1u32..4, 1), 1 => (2u32..4).prop_map(|each| vec![2 * each, each])],
        partitions in prop_oneof![3 => Just(Vec::new()), 2 => vec((0u32..16, 1u32..9), 1..3)],
        changes in prop_oneof![
            3 => Just(Vec::new()),
            1 => vec((
                0u32..250, 0u32..16, 1u32..6,
                prop_oneof![Just(NodeState::Down), Just(NodeState::Draining), Just(NodeState::Absent), Just(NodeState::Up)],
                weighted(0.5, 0u32..200),
            ), 1..4),
        ],
        repaired in weighted(0.8, 100u32..300),
        repair_notice in weighted(0.3, 0u32..200),
        tiers in prop_oneof![3 => Just([0; 3]), 1 => prop::array::uniform3(0u32..3)],
        limits in prop_oneof![
            3 => Just([None; 3]),
            1 => prop::array::uniform3(weighted(0.5, prop_oneof![4000u32..20_000, (4u32..20).prop_map(|n| n * 1000)])),
        ],
    ) -> ClusterSpec {
        ClusterSpec { kinds, racks, levels, partitions, tiers, limits, changes, repaired, repair_notice }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let each = prop_oneof![Just(1000u32), Just(2000), Just(4000), Just(500), Just(300), Just(0)];
    prop_oneof![
        8 => (1u32..9).prop_map(|gpus| Shape::Any { gpus_milli: gpus * 1000 }),
        6 => (1u32..30).prop_map(|gpus| Shape::Any { gpus_milli: gpus * 1000 }),
        2 => prop_oneof![Just(500u32), Just(250), 1u32..1000].prop_map(|gpus_milli| Shape::Any { gpus_milli }),
        1 => Just(Shape::Any { gpus_milli: 0 }),
        4 => (1u32..7, each).prop_map(|(count, gpus_milli_each)| Shape::Pods { count, gpus_milli_each }),
    ]
}

fn time() -> impl Strategy<Value = u32> {
    prop_oneof![2 => 1u32..20, 3 => 1u32..120, 1 => Just(30u32)]
}

prop_compose! {
    fn what()(
        shape in shape(),
        host in prop_oneof![5 => Just((0, 0)), 1 => (prop_oneof![Just(0u32), Just(1000), Just(2500)], prop_oneof![Just(0u32), Just(10), Just(30)])],
        platforms in prop_oneof![
            5 => Just(PlatformSet::ALL), 1 => Just(PlatformSet::NONE.with(0)), 1 => Just(PlatformSet::NONE.with(1)),
        ],
        partition in prop_oneof![2 => Just(0usize), 2 => 0usize..3],
        topology in prop_oneof![
            4 => Just(Topology::PreferRack), 1 => Just(Topology::Ignore), 1 => Just(Topology::RequireRack),
            1 => (0u32..2).prop_map(Topology::PreferLevel), 1 => (0u32..2).prop_map(Topology::RequireLevel),
        ],
        segment in prop_oneof![5 => Just(0u32), 1 => 1u32..4],
    ) -> (Shape, (u32, u32), PlatformSet, usize, Topology, u32) {
        (shape, host, platforms, partition, topology, segment)
    }
}

prop_compose! {
    fn how()(
        fails in prop::bool::weighted(0.1),
        kill in prop::bool::weighted(0.2),
        preemptible in prop::bool::weighted(0.7),
        restart in prop_oneof![1 => Just(0u32), 1 => 1u32..10],
        checkpoint in prop_oneof![1 => Just(0u32), 1 => 1u32..30],
        speeds in prop_oneof![2 => Just(Vec::new()), 1 => vec(factor(), 2)],
    ) -> (bool, bool, bool, u32, u32, Vec<Factor>) {
        (fails, kill, preemptible, restart, checkpoint, speeds)
    }
}

prop_compose! {
    fn job()(
        submit in prop_oneof![1 => Just(0u32), 2 => 0u32..60, 1 => 0u32..200],
        work in time(),
        estimate in prop_oneof![3 => Just(0i32), 2 => 0i32..100, 2 => -60i32..0],
        (shape, host, platforms, partition, topology, segment) in what(),
        (fails, kill, preemptible, restart, checkpoint, speeds) in how(),
        tenant in 0usize..3,
        priority in -2i32..4,
        cancel in weighted(0.1, 0u32..200),
        deadline in weighted(0.5, 1u32..200),
        after in prop_oneof![4 => Just(Vec::new()), 1 => vec((0u32..5, prop_oneof![Just(0u32), 0u32..40]), 1..3)],
        twins in prop_oneof![4 => Just(0u32), 1 => 1u32..4],
        licences in prop_oneof![1 => Just(Vec::new()), 1 => vec((0u32..2, 1u32..4), 1..3)],
    ) -> JobSpec {
        JobSpec {
            submit, work, estimate, shape, host, platforms, partition, topology, segment, tenant, priority, cancel,
            deadline, fails, kill, preemptible, restart, checkpoint, speeds, after, twins, licences,
        }
    }
}

prop_compose! {
    /// Any plan.
    pub(crate) fn spec()(
        cluster in cluster(),
        jobs in vec(job(), 1..40),
        policy in policy(),
        limited in weighted(0.3, vec(weighted(0.6, 4000u32..20_000), 3)),
        queues in weighted(0.4, queues()),
        licences in prop_oneof![3 => Just(Vec::new()), 1 => vec(1u32..6, 1..3)],
        weights in prop::array::uniform3(weighted(0.5, prop_oneof![Just(0u32), Just(500), Just(2000), 1u32..5000])),
        running in prop_oneof![4 => Just((0, None)), 1 => (1usize..4, weighted(0.5, 0u32..16))],
    ) -> Spec {
        let quotas = limited.map_or([None; 3], |quotas| [quotas[0], quotas[1], quotas[2]]);
        Spec { cluster, jobs, policy, quotas, queues, licences, weights, running }
    }
}

/// Plans in which queues take back what others borrow: jobs by age, what fits passes what does not, both rules of shares.
pub(crate) fn taking_back() -> impl Strategy<Value = Spec> {
    (spec(), queues(), any::<bool>()).prop_map(|(mut spec, queues, classically)| {
        spec.queues = Some(queues);
        let policy = &mut spec.policy;
        let by = if classically { 7 } else { 1 };
        (policy.order, policy.backfill, policy.yields) = (0, 1, Some((0, false, by)));
        (policy.cycle, policy.event) = (None, None);
        spec
    })
}

impl ClusterSpec {
    /// The cluster, its racks `copies` times one after the other, each copy a partition called after its number.
    pub(crate) fn build(&self, copies: u32) -> Cluster {
        let mut cluster = Cluster::single_feed();
        for (gpus, platform, host, across_racks) in &self.kinds {
            let (cpu_milli, memory_mib) = host.unwrap_or((u32::MAX, u32::MAX));
            let platform_name = format!("p{platform}");
            let (gpus, platform, across_racks) = (*gpus, *platform, *across_racks);
            cluster.add_kind(NodeKind {
                platform_name,
                platform,
                gpus,
                cpu_milli,
                memory_mib,
                across_racks,
                ..NodeKind::default()
            });
        }
        let kinds = cluster.kinds.len();
        for copy in 0..copies {
            let first = cluster.nodes();
            let first_rack = rack_count(&cluster);
            for (kind, nodes) in &self.racks {
                cluster.add_rack(0, u32::try_from(kind % kinds).expect("kinds are few"), *nodes);
            }
            add_levels(&self.levels, first_rack..rack_count(&cluster), &mut cluster);
            let all = first..cluster.nodes();
            if copies > 1 {
                let own = Partition::new(format!("copy {copy}"), vec![all.clone()]);
                cluster.partitions.push(Partition { limit_milli: self.limits[0], ..own });
            }
            for (time, start, length, state, notice) in &self.changes {
                let start = all.start + start % (all.end - all.start);
                let nodes = start..(start + length).min(all.end);
                let notice = notice.map(Seconds);
                cluster.changes.push(CapacityChange { time: Time(*time), nodes, state: *state, notice });
            }
            if let Some(time) = self.repaired {
                let time =
                    Time(time.max(self.changes.iter().map(|change| change.0).max().unwrap_or_default()));
                let notice = self.repair_notice.map(Seconds);
                cluster.changes.push(CapacityChange { time, nodes: all, state: NodeState::Up, notice });
            }
        }
        cluster.changes.sort_by_key(|change| change.time);
        let all = cluster.nodes();
        for (number, (start, length)) in self.partitions.iter().enumerate().filter(|_| copies == 1) {
            let start = start % all;
            let nodes = start..(start + length).min(all);
            let name = format!("part {number}");
            cluster.partitions.push(Partition::new(name, Vec::from([nodes])));
        }
        if copies == 1 {
            let own = self.tiers.into_iter().zip(self.limits);
            for (partition, (tier, limit_milli)) in cluster.partitions.iter_mut().zip(own) {
                (partition.tier, partition.limit_milli) = (tier, limit_milli);
            }
        }
        cluster
    }
    /// Whether every node is up in the end, so that every job that could ever start does.
    pub(crate) fn ends_up(&self) -> bool {
        self.changes.is_empty() || self.repaired.is_some()
    }
}

fn rack_count(cluster: &Cluster) -> u32 {
    u32::try_from(cluster.racks.len()).expect("few racks")
}

/// Divides racks into domains of levels; no domain is of these and of others.
fn add_levels(sizes: &[u32], racks: Range<u32>, cluster: &mut Cluster) {
    let mut above = vec![racks];
    for (number, each) in sizes.iter().enumerate() {
        if cluster.levels.len() <= number {
            cluster.levels.push(Level { name: format!("level {number}"), ..Level::default() });
        }
        let split = |whole: Range<u32>| {
            let firsts = whole.clone().step_by(*each as usize);
            firsts.map(move |first| first..(first + each).min(whole.end))
        };
        above = above.into_iter().flat_map(split).collect();
        cluster.levels[number].first_racks.extend(above.iter().map(|domain| domain.start));
    }
}

impl JobSpec {
    fn add(&self, builder: &mut Builder, partition: u32, (tenant, licences): (&str, u32)) -> u32 {
        let known = self.licences.iter().filter(|_| licences > 0);
        let held: BTreeMap<u32, u32> = known.map(|(own, count)| (own % licences, *count)).collect();
        // Of levels that the cluster may lack: what prefers one is then as free as any, what requires one keeps to a rack.
        let topology = self.topology.at_level(|level| builder.level(&format!("level {level}")));
        let request = builder.request(Request {
            shape: self.shape,
            cpu_milli: self.host.0,
            memory_mib: self.host.1,
            platforms: self.platforms,
            partition,
            topology,
            segment: self.segment,
            licences: held.into_iter().collect(),
        });
        let behaviour = builder.behaviour(Behaviour {
            overrun: if self.kill { Overrun::Kill } else { Overrun::Extend },
            preemptible: self.preemptible,
            restart_time: Seconds(self.restart),
            checkpoint_interval: Seconds(self.checkpoint),
            speeds: self.speeds.clone(),
            ..Behaviour::default()
        });
        let tenant = builder.tenant(tenant);
        builder.push(Job {
            work_time: Seconds(self.work),
            requested_time: Seconds(self.work.saturating_add_signed(self.estimate).max(1)),
            cancel_time: self.cancel.map_or(Time::NEVER, Time),
            deadline: self.deadline.map_or(Seconds::FOREVER, Seconds),
            request,
            behaviour,
            tenant,
            priority: self.priority,
            fails: self.fails,
            ..Job::at(Time(self.submit))
        })
    }
}

/// A workload of several lists of jobs, each with its partition and its tenants, where there are so many licences.
pub(crate) fn workload(
    lists: &[(&str, &[JobSpec])],
    parts: &[String],
    (quotas, licences): ([Option<u32>; 3], u32),
) -> Workload {
    let mut builder = Builder::default();
    builder.partition(Workload::DEFAULT_PARTITION);
    for (own, jobs) in lists {
        let mut named = vec![(*own).to_owned()];
        named.extend(parts.iter().cloned());
        let named: Vec<u32> = named.iter().map(|name| builder.partition(name)).collect();
        let tenant = |number: usize| format!("tenant {number} of {own}");
        for (number, quota_milli) in quotas.into_iter().enumerate() {
            // One of an odd number is that of a platform.
            let odd = quota_milli.filter(|milli| milli % 4 == 1);
            let quota_by_platform =
                odd.map(|milli| (u32::from(milli % 8 == 1), milli / 2)).into_iter().collect();
            builder.add_tenant(Tenant { quota_milli, quota_by_platform, ..Tenant::named(tenant(number)) });
        }
        let first = u32::try_from(builder.len()).expect("few jobs");
        for job in jobs.iter().flat_map(|job| std::iter::repeat_n(job, 1 + job.twins as usize)) {
            let own = tenant(job.tenant);
            let new = job.add(&mut builder, named[job.partition % named.len()], (&own, licences));
            for (back, delay) in job.after.iter().filter(|_| new > first) {
                builder.graph().add(new - 1 - back % (new - first), new, Seconds(*delay));
            }
        }
    }
    builder.try_finish().expect("edges only go forward")
}

impl Spec {
    pub(crate) fn plan(&self) -> Plan {
        let mut cluster = self.cluster.build(1);
        let licences = (0..).zip(&self.licences);
        cluster.licences = licences
            .map(|(number, count): (u32, &u32)| Licence { name: format!("licence {number}"), count: *count })
            .collect();
        let licences = u32::try_from(self.licences.len()).expect("few licences");
        let parts: Vec<String> =
            cluster.partitions[1..].iter().map(|partition| partition.name.clone()).collect();
        let mut jobs = self.jobs.clone();
        let running = self.running.0.min(jobs.len());
        for job in &mut jobs[..running] {
            (job.submit, job.after) = (0, Vec::new());
        }
        let mut workload = workload(&[(Workload::DEFAULT_PARTITION, &jobs)], &parts, (self.quotas, licences));
        workload.queues =
            self.queues.as_ref().map_or_else(Vec::new, |queues| queues.build(workload.partitions.len()));
        let weights = || self.weights.into_iter().cycle();
        workload.tenants.iter_mut().zip(weights()).for_each(|(tenant, weight)| tenant.weight_milli = weight);
        workload.queues.iter_mut().zip(weights()).for_each(|(queue, weight)| queue.weight_milli = weight);
        workload.running = (0..u32::try_from(running).expect("few jobs"))
            .map(|job| {
                let from = self.running.1.map(|first| first % cluster.nodes());
                Running { job, nodes: from.map_or_else(Vec::new, |first| (first..cluster.nodes()).collect()) }
            })
            .collect();
        let mut settings = self.policy.settings();
        if !self.policy.tries_platforms() {
            keep_to_one_platform(&mut workload);
        }
        let by_queues = ["reclaim", "classical"].map(Some).contains(&settings.preemption.as_deref());
        if workload.queues.is_empty() && by_queues {
            // Without queues nothing is taken back.
            settings.classical = gigawatt::history::Classical::default();
            (settings.preemption, settings.reclaim_rule) = (Some("priority".to_owned()), None);
        }
        Plan { cluster, workload, settings }
    }
}

/// Where jobs are tried on no platform after another, those that it matters to may run on one alone.
pub(crate) fn keep_to_one_platform(workload: &mut Workload) {
    let is_told = |own: &Tenant| !own.quota_by_platform.is_empty();
    let of_queues = workload.queues.iter().any(|queue| !queue.by_platform.is_empty());
    if of_queues || workload.tenants.iter().any(is_told) {
        for request in workload.requests.iter_mut().filter(|request| request.platforms == PlatformSet::ALL) {
            request.platforms = PlatformSet::NONE.with(0);
        }
    }
}
