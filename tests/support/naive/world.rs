//! What never changes in a run: which nodes a job may use, which belong to which partition, which partitions are linked.
//!
//! **Links.** Two partitions that jobs of the workload ask for are linked if they share a node, if a tenant with a
//! quota has jobs in both, if jobs in both that ask for GPUs stand in queues of one tree, if jobs in both hold the same licence, or if nodes of both lie below a domain with a cap, a curtailment or a limit of its rise
//! (where the power rule heeds caps at all); and if both are linked with a third. Partitions that nobody asks for link
//! nothing: the default one holds every node.

use super::free::Free;
use super::power::{Domain, Draws};
use gigawatt::cluster::{Cluster, Partition};
use gigawatt::history::Plan;
use gigawatt::random::{Purpose, Stream};
use gigawatt::workload::{PlatformSet, Shape};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a placement reads that never changes.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) plan: &'a Plan,
    pub(super) stream: Stream,
    /// Nodes of every partition of the workload, ascending.
    partitions: Vec<Vec<u32>>,
    /// How many partitions have jobs that may use each node.
    asking: Vec<usize>,
    /// The group of linked partitions that each is of.
    groups: Vec<usize>,
    /// Nodes of the scope of every distinct request, ascending.
    scopes: Vec<Vec<u32>>,
    /// By request: the distinct kinds of those nodes.
    kinds: Vec<Vec<u32>>,
    /// The region of every node: nodes of one region belong to the same scopes; numbered by their lowest node.
    pub(super) regions: Vec<usize>,
    /// Whether some rack has several nodes.
    pub(super) racks_matter: bool,
    /// What the placement weighs.
    pub(super) weights: BTreeMap<String, u64>,
    /// The pods that `fgd` expects.
    pub(super) typical: Vec<(u64, (u32, u32, u32, PlatformSet))>,
    /// The domains whose caps refused something, since they were last asked for.
    pub(super) refused: RefCell<BTreeSet<Domain>>,
    /// How things stood when the pass began.
    pub(super) frozen: Option<super::weigh::Frozen>,
}

impl<'a> World<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let members = |(index, name): (usize, &String)| {
            let partition = match index {
                0 => plan.cluster.partitions.first(),
                _ => plan.cluster.partition(name),
            };
            partition.iter().flat_map(|partition| partition.nodes.iter().cloned().flatten()).collect()
        };
        let partitions: Vec<Vec<u32>> = plan.workload.partitions.iter().enumerate().map(members).collect();
        let scope = |request: &gigawatt::workload::Request| {
            let allowed =
                |node: &u32| request.platforms.contains(plan.cluster.kind_of(*node).platform as usize);
            partitions[request.partition as usize].iter().copied().filter(allowed).collect()
        };
        let scopes: Vec<Vec<u32>> = plan.workload.requests.iter().map(scope).collect();
        let kinds_of = |nodes: &Vec<u32>| {
            let kind = |node: &u32| plan.cluster.racks[plan.cluster.rack_of(*node) as usize].kind;
            let mut kinds: Vec<u32> = nodes.iter().map(kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        let mut known: Vec<Vec<bool>> = Vec::new();
        let region_of = |node: u32| {
            let membership: Vec<bool> = scopes.iter().map(|scope| scope.contains(&node)).collect();
            known.iter().position(|other| *other == membership).unwrap_or_else(|| {
                known.push(membership);
                known.len() - 1
            })
        };
        let asking = |node: u32| {
            let may = plan.workload.requests.iter().zip(&scopes).filter(|(_, scope)| scope.contains(&node));
            may.map(|(request, _)| request.partition).collect::<BTreeSet<u32>>().len()
        };
        Self {
            plan,
            asking: (0..plan.cluster.nodes()).map(asking).collect(),
            stream: Stream::new(plan.settings.seed, Purpose::Placement),
            regions: (0..plan.cluster.nodes()).map(region_of).collect(),
            kinds: scopes.iter().map(kinds_of).collect(),
            weights: super::weigh::weights_of(&plan.settings.placement),
            frozen: None,
            typical: super::own::typical_pods(plan),
            refused: RefCell::default(),
            groups: groups(plan, &partitions),
            partitions,
            scopes,
            racks_matter: plan.cluster.racks.iter().any(|rack| rack.nodes > 1),
        }
    }
    pub(super) fn cluster(&self) -> &'a Cluster {
        &self.plan.cluster
    }
    /// The nodes that a job may use, ascending.
    pub(crate) fn scope(&self, job: u32) -> &[u32] {
        &self.scopes[self.plan.workload.jobs[job as usize].request as usize]
    }
    /// Whether the job is several pods.
    pub(crate) fn is_gang(&self, job: u32) -> bool {
        match self.plan.workload.request_of(job).shape {
            Shape::Any { gpus_milli } => gpus_milli > self.largest_node(job) * 1000,
            Shape::Pods { count, .. } => count > 1,
        }
    }
    /// Whether the job might lie on several racks.
    pub(super) fn may_span(&self, job: u32) -> bool {
        self.racks_matter && self.is_gang(job)
    }
    /// Whether the job holds nothing wherever it runs.
    pub(super) fn asks_for_nothing(&self, job: u32) -> bool {
        let request = self.plan.workload.request_of(job);
        request.gpus().milli() == 0 && request.cpu_milli == 0 && request.memory_mib == 0
    }
    /// The kinds of nodes that a job may use.
    pub(super) fn kinds(&self, job: u32) -> impl Iterator<Item = &'a gigawatt::cluster::NodeKind> {
        let kinds = &self.kinds[self.plan.workload.jobs[job as usize].request as usize];
        kinds.iter().map(|kind| &self.plan.cluster.kinds[*kind as usize])
    }
    pub(super) fn largest_node(&self, job: u32) -> u32 {
        self.kinds(job).map(|kind| kind.gpus).max().unwrap_or_default()
    }
    /// Whether the tenant may hold this job too, of all platforms together and of one.
    pub(super) fn quota_allows(&self, free: &Free, job: u32, option: Option<u32>) -> bool {
        self.tenant_allows(free, job, None) && self.tenant_allows(free, job, option)
    }
    /// The same of a platform, or of all together.
    pub(super) fn tenant_allows(&self, free: &Free, job: u32, platform: Option<u32>) -> bool {
        let tenant = self.plan.workload.jobs[job as usize].tenant;
        let gpus = u64::from(self.plan.workload.request_of(job).gpus().milli());
        let own = &self.plan.workload.tenants[tenant as usize];
        let fits = |held: u64, quota: Option<u32>| quota.is_none_or(|quota| held + gpus <= u64::from(quota));
        let on = |platform: u32| {
            let quota =
                own.quota_by_platform.iter().find(|(own, _)| *own == platform).map(|(_, milli)| *milli);
            fits(free.tenants_on.get(&(tenant, platform)).copied().unwrap_or(0), quota)
        };
        gpus == 0 || platform.map_or_else(|| fits(free.tenants[tenant as usize], own.quota_milli), on)
    }
    /// GPU thousandths that the jobs of this job's partition may hold together.
    pub(crate) fn limit(&self, job: u32) -> Option<u64> {
        self.partition(job).and_then(|partition| partition.limit_milli).map(u64::from)
    }
    /// What goes before every order: the tier, then the priority where jobs stop for it.
    pub(crate) fn height(&self, job: u32) -> (u32, i32) {
        let priority = self.plan.workload.jobs[job as usize].priority;
        (self.tier(job), if self.plan.settings.priorities_stop_jobs() { priority } else { 0 })
    }
    /// Whether the partition may hold this job too.
    pub(crate) fn limit_allows(&self, free: &Free, job: u32) -> bool {
        let gpus = u64::from(self.plan.workload.request_of(job).gpus().milli());
        let held = free.partitions[self.partition_of(job) as usize];
        gpus == 0 || self.limit(job).is_none_or(|limit| held + gpus <= limit)
    }
    /// The licences of which too few are left for this job.
    pub(super) fn lacking_licences(&self, free: &Free, job: u32) -> Vec<u32> {
        let asked = &self.plan.workload.request_of(job).licences;
        let there = |licence: u32| self.plan.cluster.licences[licence as usize].count;
        let lacks = |(own, count): &&(u32, u32)| free.licences[*own as usize] + count > there(*own);
        asked.iter().filter(lacks).map(|(own, _)| *own).collect()
    }
    /// The first of them.
    pub(super) fn licence_refuses(&self, free: &Free, job: u32) -> Option<u32> {
        self.lacking_licences(free, job).first().copied()
    }
    /// Whether tenant, queue and partition may hold this job too, and enough is left of its licences.
    pub(super) fn ceilings_allow(&self, free: &Free, job: u32) -> bool {
        self.refuses(free, job).is_none()
    }
    /// Whether the job could start if nothing else did: on the empty cluster, every node up, within its quota.
    pub(crate) fn could_ever_start(&self, job: u32) -> bool {
        let mut empty = Free::empty(self.plan);
        for ramp in &self.plan.cluster.ramps {
            let idle = Draws { cluster: &self.plan.cluster, free: &empty }.feed(ramp.feed);
            empty.risen.insert(ramp.feed, idle + ramp.rise.0);
        }
        let reads = ["energy", "carbon", "pressure"].iter().any(|term| self.weights.contains_key(*term));
        // Before anything has happened nothing is frozen.
        let anew = (self.frozen.is_some() && reads).then(|| World::new(self.plan));
        self.ceilings_allow(&empty, job) && anew.as_ref().unwrap_or(self).place(&empty, job).is_some()
    }

    /// The nodes of a partition of the workload, ascending.
    pub(super) fn nodes_of_partition(&self, partition: u32) -> &[u32] {
        &self.partitions[partition as usize]
    }
    /// The partition of a job.
    pub(super) fn partition_of(&self, job: u32) -> u32 {
        self.plan.workload.request_of(job).partition
    }
    /// The group of linked partitions that a partition is of.
    pub(super) fn group(&self, partition: u32) -> usize {
        self.groups[partition as usize]
    }
    /// The group of linked partitions that a job is of.
    pub(super) fn group_of(&self, job: u32) -> usize {
        self.group(self.partition_of(job))
    }
    /// The groups of all partitions with one of these nodes that jobs ask for.
    pub(super) fn groups_with(&self, nodes: &std::ops::Range<u32>) -> BTreeSet<usize> {
        let asked = asked(self.plan).into_iter();
        let with = asked
            .filter(|partition| self.nodes_of_partition(*partition).iter().any(|node| nodes.contains(node)));
        with.map(|partition| self.group(partition)).collect()
    }
    /// How many partitions have jobs that may use a node.
    pub(super) fn partitions_with(&self, node: u32) -> usize {
        self.asking[node as usize]
    }
    /// The tier of a job's partition.
    pub(super) fn tier(&self, job: u32) -> u32 {
        self.partition(job).map_or(0, |partition| partition.tier)
    }
    fn partition(&self, job: u32) -> Option<&'a Partition> {
        match self.partition_of(job) {
            0 => self.plan.cluster.partitions.first(),
            named => self.plan.cluster.partition(&self.plan.workload.partitions[named as usize]),
        }
    }
}

/// The partitions that jobs of the workload ask for.
fn asked(plan: &Plan) -> BTreeSet<u32> {
    (0..plan.workload.len()).map(|job| plan.workload.request_of(job).partition).collect()
}

/// The group of every partition: the lowest partition it is linked with.
fn groups(plan: &Plan, partitions: &[Vec<u32>]) -> Vec<usize> {
    let mut shared: Vec<BTreeSet<u32>> = Vec::new();
    for node in 0..plan.cluster.nodes() {
        shared.push(
            (0..)
                .zip(partitions)
                .filter(|(_, nodes)| nodes.contains(&node))
                .map(|(index, _)| index)
                .collect(),
        );
    }
    for domain in super::power::limited(plan) {
        let below = |nodes: &&Vec<u32>| nodes.iter().any(|node| domain.is_above(&plan.cluster, *node));
        shared
            .push((0..).zip(partitions).filter(|(_, nodes)| below(nodes)).map(|(index, _)| index).collect());
    }
    for (tenant, _) in (0..)
        .zip(&plan.workload.tenants)
        .filter(|(_, tenant)| tenant.quota_milli.is_some() || !tenant.quota_by_platform.is_empty())
    {
        let own = (0..plan.workload.len()).filter(|job| plan.workload.jobs[*job as usize].tenant == tenant);
        shared.push(own.map(|job| plan.workload.request_of(job).partition).collect());
    }
    for (licence, _) in (0..).zip(&plan.cluster.licences) {
        let holds =
            |request: &&gigawatt::workload::Request| request.licences.iter().any(|(own, _)| *own == licence);
        let asking = (0..plan.workload.len()).map(|job| plan.workload.request_of(job)).filter(holds);
        shared.push(asking.map(|request| request.partition).collect());
    }
    let queues = &plan.workload.queues;
    for (tree, _) in (0..).zip(queues).filter(|(_, queue)| queue.parent.is_none()) {
        let counts = |job: &u32| {
            let root = super::quota::queue_of(plan, *job).map(|queue| super::quota::root(queues, queue));
            root == Some(tree) && plan.workload.request_of(*job).gpus().milli() > 0
        };
        let own = (0..plan.workload.len()).filter(counts);
        shared.push(own.map(|job| plan.workload.request_of(job).partition).collect());
    }
    let asked = asked(plan);
    let mut groups: Vec<usize> = (0..partitions.len()).collect();
    for together in shared {
        let linked: Vec<usize> =
            together.intersection(&asked).map(|partition| groups[*partition as usize]).collect();
        let Some(lowest) = linked.iter().min().copied() else { continue };
        groups.iter_mut().filter(|group| linked.contains(group)).for_each(|group| *group = lowest);
    }
    groups
}
