//! The rows of a plan: whose they are, and of which platform.

use super::tree::{Row, Tree, narrow};
use crate::history::Plan;
use crate::workload::Queue;
use std::collections::{BTreeMap, BTreeSet};

/// Whose rows they are.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// Rows from here on are limits of partitions; none where rows are nobody's.
    limits: Option<u32>,
    /// Rows from here on are licences, in the order of the cluster's.
    licences: u32,
    /// By tenant of the plan: the row of its own quota.
    of_tenant: Vec<Option<u32>>,
    /// By tenant of the plan: the queues that name it, and in which partition, where that decides.
    queues_of_tenant: Vec<Vec<(Option<u32>, u32)>>,
    /// By partition of the plan's workload: the queue that names it and no tenant.
    queue_of_partition: Vec<Option<u32>>,
    /// By partition of the plan's workload: the row of its limit.
    of_partition: Vec<Option<u32>>,
    /// By a row of all platforms together and a platform: the row of that alone.
    on: BTreeMap<(u32, u32), u32>,
    /// The queues of trees in which some has what it has by platform.
    divided: BTreeSet<u32>,
    /// By row of all platforms together, where jobs are tried on platforms: which come first.
    first: BTreeMap<u32, Vec<u32>>,
}

impl Tree {
    /// The quotas and limits of a plan: a row each queue, in their order, then one each tenant that has a quota, then one
    /// each platform of those that tell them apart, then one each partition that has a limit, then one each licence.
    ///
    /// ```
    /// use gigawatt::cluster::{Cluster, NodeKind};
    /// use gigawatt::history::Plan;
    /// use gigawatt::state::quota::{Tree, Usage};
    /// use gigawatt::workload::{PlatformQuota, Queue, Workload};
    /// let own = PlatformQuota { platform: 3, nominal_milli: Some(8_000), ..PlatformQuota::default() };
    /// let queue = Queue { by_platform: vec![own], partitions: vec![0], ..Queue::named("research") };
    /// let cluster = Cluster::uniform(2, NodeKind { platform: 3, gpus: 8, ..NodeKind::default() });
    /// let workload = Workload { queues: vec![queue], partitions: vec!["all".to_owned()], ..Workload::default() };
    /// let tree = Tree::of(&Plan { cluster, workload, ..Plan::default() });
    /// assert_eq!((tree.most(0), tree.most(tree.on(0, 3))), (None, Some(8_000)));
    /// ```
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let workload = &plan.workload;
        let mut rows: Vec<Row> = workload.queues.iter().map(Row::from).collect();
        let mut of_tenant = Vec::with_capacity(workload.tenants.len());
        for tenant in &workload.tenants {
            let has_quota = tenant.quota_milli.is_some() || !tenant.quota_by_platform.is_empty();
            of_tenant.push(has_quota.then(|| narrow(rows.len())));
            rows.extend(has_quota.then(|| Row { limit_milli: tenant.quota_milli, ..Row::default() }));
        }
        let mut pools = Pools { of_tenant, ..Pools::default() };
        pools.add_platforms(plan, &mut rows);
        pools.limits = Some(narrow(rows.len()));
        let limit = |name: &String| plan.cluster.partition(name).and_then(|partition| partition.limit_milli);
        for name in &workload.partitions {
            let limit_milli = limit(name);
            pools.of_partition.push(limit_milli.is_some().then(|| narrow(rows.len())));
            rows.extend(limit_milli.is_some().then(|| Row { limit_milli, ..Row::default() }));
        }
        pools.licences = narrow(rows.len());
        let licences = plan.cluster.licences.iter();
        rows.extend(licences.map(|own| Row { limit_milli: Some(own.count), ..Row::default() }));
        pools.place_queues(plan);
        let mut tree = Self::new(rows);
        tree.pools = pools;
        tree
    }
    /// The row of the quota that a tenant of the plan has by itself; none: no quota.
    #[must_use]
    pub fn quota_of(&self, tenant: u32) -> Option<u32> {
        self.pools.of_tenant.get(tenant as usize).copied().flatten()
    }
    /// The row of the queue in which jobs of a tenant in a partition stand, which is its index among the queues of the plan;
    /// none: no queue takes them.
    #[must_use]
    pub fn queue_of(&self, tenant: u32, partition: u32) -> Option<u32> {
        let named = self.pools.queues_of_tenant.get(tenant as usize)?.iter();
        let mut here = named.filter(|(only, _)| only.is_none_or(|only| only == partition));
        here.next().map_or_else(|| self.pools.queue_of_partition[partition as usize], |(_, row)| Some(*row))
    }
    /// The row of the limit of a partition of the plan; none: it has no limit.
    #[must_use]
    pub fn limit_of(&self, partition: u32) -> Option<u32> {
        self.pools.of_partition.get(partition as usize).copied().flatten()
    }
    pub(super) fn is_limit_of_partition(&self, row: u32) -> bool {
        self.pools.limits.is_some_and(|limits| row >= limits) && !self.is_licence(row)
    }
    /// The row of a licence of the plan's cluster: what is held there are licences, not thousandths of GPUs.
    #[must_use]
    pub const fn licence(&self, index: u32) -> u32 {
        self.pools.licences + index
    }
    /// Whether a row is a licence's.
    #[must_use]
    pub fn is_licence(&self, row: u32) -> bool {
        self.pools.limits.is_some() && row >= self.pools.licences
    }
    /// The row against which counts on a platform what counts against a row: its own, where platforms are told apart.
    #[must_use]
    pub fn on(&self, row: u32, platform: u32) -> u32 {
        self.pools.on.get(&(row, platform)).copied().unwrap_or(row)
    }
    /// The rows that tell what a queue has: its own, or those of each platform where it has it by platform.
    pub(crate) fn pools(&self, queue: u32) -> impl Iterator<Item = u32> {
        let is_divided = self.is_divided(queue);
        let own = is_divided.then(|| self.pools.on.range((queue, 0)..=(queue, u32::MAX)));
        let own = own.into_iter().flatten().map(|(_, own)| *own);
        (!is_divided).then_some(queue).into_iter().chain(own)
    }
    /// Of a row that of its queue which tells what that has: itself, or that of all platforms together.
    pub(crate) fn pool(&self, row: u32) -> u32 {
        self.whole(row).filter(|whole| !self.pools.divided.contains(whole)).unwrap_or(row)
    }
    /// Whether what counts against two rows is of one tree of what queues have.
    pub(crate) fn meet(&self, one: u32, other: u32) -> bool {
        self.root(self.pool(one)) == self.root(self.pool(other))
    }
    /// Whether some queue of the tree that a queue is in has what it has by platform.
    pub(crate) fn is_divided(&self, queue: u32) -> bool {
        self.pools.divided.contains(&queue)
    }
    /// Whether it matters to a row on which platform jobs run.
    pub(crate) fn goes_by_platform(&self, row: u32) -> bool {
        self.pools.on.range((row, 0)..=(row, u32::MAX)).next().is_some()
    }
    /// Some platforms in the order in which jobs that count against a row are tried on them: as it names them, then the
    /// others as they come.
    pub(crate) fn in_order(&self, row: Option<u32>, mut platforms: Vec<u32>) -> Vec<u32> {
        let first = row.and_then(|row| self.pools.first.get(&row)).map_or(&[][..], Vec::as_slice);
        let place = |platform: &u32| first.iter().position(|own| own == platform).unwrap_or(first.len());
        platforms.sort_by_key(place);
        platforms
    }
    /// The row of all platforms together of a row, and the platform of which alone that is; none: of all.
    ///
    /// # Complexity
    /// O(|rows|) time where it is one platform's.
    #[must_use]
    pub fn owner(&self, row: u32) -> (u32, Option<u32>) {
        let of = |(_, own): &(&(u32, u32), &u32)| **own == row;
        let found = self.whole(row).and_then(|_| self.pools.on.iter().find(of));
        found.map_or((row, None), |((whole, platform), _)| (*whole, Some(*platform)))
    }
}

/// Which trees of queues tell platforms apart, by their roots.
struct Trees {
    /// By queue: the one at the top of its tree.
    roots: Vec<u32>,
    told_apart: BTreeSet<u32>,
    /// Those of which some queue says what it has of a platform.
    with_nominal: BTreeSet<u32>,
}

impl Trees {
    fn of(queues: &[Queue]) -> Self {
        let (mut roots, mut told_apart, mut with_nominal) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (own, queue) in (0..).zip(queues) {
            // The one above comes first.
            let root = queue.parent.map_or(own, |parent| roots[parent as usize]);
            roots.push(root);
            told_apart.extend((!queue.by_platform.is_empty()).then_some(root));
            let has_nominal = queue.by_platform.iter().any(|own| own.nominal_milli.is_some());
            with_nominal.extend(has_nominal.then_some(root));
        }
        Self { roots, told_apart, with_nominal }
    }
}

impl Pools {
    /// Rows of each platform of the cluster, for tenants and trees of queues that tell platforms apart.
    fn add_platforms(&mut self, plan: &Plan, rows: &mut Vec<Row>) {
        let (queues, tenants) = (&plan.workload.queues, &plan.workload.tenants);
        if queues.iter().all(|queue| queue.by_platform.is_empty())
            && tenants.iter().all(|tenant| tenant.quota_by_platform.is_empty())
        {
            return;
        }
        let platforms: BTreeSet<u32> = plan.cluster.kinds.iter().map(|kind| kind.platform).collect();
        let trees = Trees::of(queues);
        for (own, queue) in (0..).zip(queues) {
            let root = trees.roots[own as usize];
            if !trees.told_apart.contains(&root) {
                continue;
            }
            self.first.insert(own, queue.by_platform.iter().map(|own| own.platform).collect());
            let is_divided = trees.with_nominal.contains(&root);
            self.divided.extend(is_divided.then_some(own));
            for platform in &platforms {
                let said = queue.on(*platform).map_or_else(Row::default, Row::from);
                let parent = queue.parent.and_then(|parent| self.on.get(&(parent, *platform)).copied());
                // Of a platform that no queue of the tree has, there is nothing.
                let nominal_milli = said.nominal_milli.or((is_divided && own == root).then_some(0));
                self.on.insert((own, *platform), narrow(rows.len()));
                rows.push(Row { parent, nominal_milli, whole: Some(own), ..said });
            }
        }
        for (tenant, row) in tenants.iter().zip(&self.of_tenant) {
            let Some(whole) = row.filter(|_| !tenant.quota_by_platform.is_empty()) else { continue };
            for platform in &platforms {
                let said = tenant.quota_by_platform.iter().find(|(own, _)| own == platform);
                let limit_milli = said.map(|(_, milli)| *milli);
                self.on.insert((whole, *platform), narrow(rows.len()));
                rows.push(Row { limit_milli, whole: Some(whole), ..Row::default() });
            }
        }
    }
    /// Whose jobs stand in which queue.
    fn place_queues(&mut self, plan: &Plan) {
        let workload = &plan.workload;
        self.queues_of_tenant = vec![Vec::new(); workload.tenants.len()];
        self.queue_of_partition = vec![None; workload.partitions.len()];
        for (row, queue) in (0..).zip(&workload.queues) {
            for tenant in &queue.tenants {
                let of_tenant = &mut self.queues_of_tenant[*tenant as usize];
                match &queue.partitions[..] {
                    [] => of_tenant.push((None, row)),
                    some => of_tenant.extend(some.iter().map(|partition| (Some(*partition), row))),
                }
            }
            let alone = queue.partitions.iter().filter(|_| queue.tenants.is_empty());
            alone.for_each(|partition| self.queue_of_partition[*partition as usize] = Some(row));
        }
    }
}
