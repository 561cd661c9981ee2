//! Request classes: jobs that a start decision cannot tell apart.

use super::power::CapRule;
use super::power::level::{Draws, level_of};
use super::quota::Tree;
use crate::cluster::{Cluster, Host, NodeKind};
use crate::history::Plan;
use crate::units::Factor;
use crate::workload::{PlatformSet, Profile, Request, Shape, Topology, Workload};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the pods of a class lie on nodes, as far as its scope decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Holds nothing.
    Nothing,
    /// One pod of that many whole GPUs; 0: CPU and memory only.
    Pod {
        /// Whole GPUs.
        gpus: u32,
    },
    /// One pod with a share of one GPU.
    Share {
        /// Thousandths, 1..=999.
        milli: u32,
    },
    /// Whole nodes and one remainder pod, for what is larger than any node.
    Gang {
        /// Whole GPUs in all.
        gpus: u32,
    },
    /// Equal pods.
    Pods {
        /// At least 2.
        count: u32,
        /// Thousandths of each: 0, a share below 1,000, else whole GPUs.
        milli: u32,
    },
    /// No node could ever hold it.
    Impossible,
}

/// Everything a start decision reads of a job.
#[derive(Debug, Clone)]
pub struct Class {
    /// Its place in [`Classes::table`].
    pub index: u32,
    /// Which nodes it may use: an index into [`Classes::scopes`].
    pub scope: u32,
    /// Its pods.
    pub form: Form,
    /// GPUs in all, thousandths.
    pub gpus_milli: u32,
    /// How many wholly free GPUs it needs at least: none for shares, which may lie beside others.
    pub whole_gpus: u32,
    /// CPU and memory of each pod.
    pub host: Host,
    /// What it wishes of racks and levels.
    pub topology: Topology,
    /// Of a gang that names a level: the levels of the cluster of which one domain is to hold it where no rack does, in the
    /// order in which they are tried.
    pub(crate) levels: Vec<u32>,
    /// Pods that must share a rack, in groups of this many; at least 1.
    pub segment: u32,
    /// The row in [`Classes::quotas`] of its tenant's quota, if it has one.
    pub quota: Option<u32>,
    /// The queue that its jobs stand in, if there is one.
    pub queue: Option<u32>,
    /// The row of that: its own, where platforms are told apart.
    pub(crate) row: Option<u32>,
    /// Where quotas tell platforms apart and it may run on several: what it is on each, in the order in which they are
    /// tried; of the class itself the rows are those of the first.
    pub(crate) alternatives: Vec<Self>,
    /// The row there of its partition's limit, if it has one.
    pub(crate) limit: Option<u32>,
    /// The rows there of its licences, and how many of each its jobs hold.
    pub(crate) licences: Vec<(u32, u32)>,
    /// The partition it stands in.
    pub partition: u32,
    /// The tier of that: a higher one is tried first.
    pub tier: u32,
    /// The priority of its jobs where running jobs stop for them; else 0.
    pub(crate) priority: i32,
    /// The kinds of nodes in its scope, ascending.
    pub kinds: Vec<u32>,
    /// True if a job that does not fit now cannot fit once less is free: not so where a greedy choice of racks decides.
    pub monotone: bool,
    /// Of a gang of whole nodes on any kind, no remainder and no segments: how many, by kind in [`Class::kinds`]; else
    /// empty.
    pub whole_nodes: Vec<u32>,
    /// Speed by kind of node.
    pub speeds: Vec<Factor>,
    /// What it draws, where there are caps to heed.
    pub(crate) draws: Option<Draws>,
    /// Whether its priority is above 0, where power asks for it.
    pub(crate) high: bool,
    /// Its rate at full power wherever it runs, if that does not depend on where.
    pub rate: Option<Factor>,
    /// The highest rate that it might get anywhere, at full power.
    pub(crate) fastest: Factor,
}

/// The classes of a workload on a cluster, and the sets of nodes they may use.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    /// The distinct classes.
    pub table: Vec<Class>,
    /// The class of each job.
    pub of_job: Vec<u32>,
    /// The nodes of each scope, 64 a word.
    pub scopes: Vec<Vec<u64>>,
    /// What their jobs may hold together.
    pub quotas: Arc<Tree>,
}

/// What tells classes of one request apart: the behaviour, the rows of quota and queue if there are any, whether the
/// priority is high where power asks for it, and the priority itself where running jobs stop for it.
type Variant = (u32, [Option<u32>; 2], bool, Option<i32>);

impl Classes {
    /// The classes of a plan's jobs, where starts heed caps as `caps` says.
    ///
    /// # Complexity
    /// O(|jobs| log |classes| + |scopes| · |nodes|) time.
    #[must_use]
    pub fn of(plan: &Plan, caps: Option<&CapRule>) -> Self {
        let (cluster, workload) = (&plan.cluster, &plan.workload);
        let mut classes = Self { quotas: Arc::new(Tree::of(plan)), ..Self::default() };
        let mut scopes: BTreeMap<(u32, PlatformSet), u32> = BTreeMap::new();
        // By request: the behaviours and limited tenants it has come with, and their classes; rarely more than a few.
        let mut known: Vec<Vec<(Variant, u32)>> = vec![Vec::new(); workload.requests.len()];
        let stops_jobs = plan.settings.priorities_stop_jobs();
        classes.of_job.reserve_exact(workload.jobs.len());
        for job in &workload.jobs {
            let request = &workload.requests[job.request as usize];
            // What asks for no GPU counts against no quota and no limit.
            let asks = request.gpus().milli() > 0;
            let (tenant, partition) = (job.tenant, request.partition);
            let rows = [classes.quotas.quota_of(tenant), classes.quotas.queue_of(tenant, partition)];
            let rows = rows.map(|row| row.filter(|_| asks));
            let high = caps.is_some_and(CapRule::tells_priorities) && job.priority > 0;
            let key = (job.behaviour, rows, high, stops_jobs.then_some(job.priority));
            let of_request = &mut known[job.request as usize];
            if let Some((_, class)) = of_request.iter().find(|(other, _)| *other == key) {
                classes.of_job.push(*class);
                continue;
            }
            let class = index(classes.table.len());
            let limit = classes.quotas.limit_of(request.partition).filter(|_| asks);
            let row = |(own, count): &(u32, u32)| (classes.quotas.licence(*own), *count);
            let licences: Vec<(u32, u32)> = request.licences.iter().map(row).collect();
            let mut make = |platforms: PlatformSet, form: Option<Form>| {
                let scope = *scopes.entry((request.partition, platforms)).or_insert_with(|| {
                    classes.scopes.push(scope_nodes(cluster, workload, (request.partition, platforms)));
                    index(classes.scopes.len() - 1)
                });
                let nodes = &classes.scopes[scope as usize];
                let mut made = Class::new(cluster, workload, (request, key), (scope, nodes), form);
                (made.index, made.limit) = (class, limit);
                made.licences.clone_from(&licences);
                made.limit(caps, &workload.behaviours[job.behaviour as usize].profile(), &cluster.kinds);
                made
            };
            let mut made = make(request.platforms, None);
            made.tell_platforms_apart(&classes.quotas, &cluster.kinds, |platform, form| {
                make(PlatformSet::NONE.with(platform as usize), Some(form))
            });
            classes.table.push(made);
            of_request.push((key, class));
            classes.of_job.push(class);
        }
        classes
    }

    /// The class of a job.
    #[must_use]
    #[inline]
    pub fn of_job(&self, job: u32) -> &Class {
        &self.table[self.of_job[job as usize] as usize]
    }
}

impl Class {
    /// The rows of its queue against which its jobs count on one platform after another: one, where queues tell none apart.
    pub(crate) fn rows_tried<'a>(&'a self, tree: &'a Tree) -> impl Iterator<Item = u32> + 'a {
        let several = self.alternatives.iter().filter_map(|own| own.row);
        let divided = several.clone().any(|row| self.row.is_some_and(|own| tree.pool(row) != tree.pool(own)));
        self.row.into_iter().chain(several.filter(move |row| divided && Some(*row) != self.row))
    }
    /// On some nodes; its pods come as `form` tells, or else as the nodes themselves do.
    fn new(
        cluster: &Cluster,
        workload: &Workload,
        (request, variant): (&Request, Variant),
        (scope, nodes): (u32, &[u64]),
        form: Option<Form>,
    ) -> Self {
        let (behaviour, [quota, queue], high, priority) = variant;
        let behaviour = &workload.behaviours[behaviour as usize];
        let kinds = kinds_in(cluster, nodes);
        let speeds: Vec<Factor> =
            cluster.kinds.iter().map(|kind| behaviour.speed(kind.platform as usize)).collect();
        let largest = || kinds.iter().map(|kind| cluster.kinds[*kind].gpus).max().unwrap_or_default();
        let form = form.unwrap_or_else(|| form_of(request, largest()));
        let flat = cluster.racks.iter().all(|rack| rack.nodes == 1);
        let spans = matches!(form, Form::Gang { .. } | Form::Pods { .. }) && !flat;
        let span_free = |kind: &usize| !spans || cluster.kinds[*kind].across_racks == Factor::ONE;
        let rate = match form {
            Form::Nothing => Some(Factor::ONE),
            _ if kinds.iter().all(span_free)
                && kinds.windows(2).all(|two| speeds[two[0]] == speeds[two[1]]) =>
            {
                kinds.first().map(|kind| speeds[*kind])
            }
            _ => None,
        };
        let over_racks = |kind: usize| if spans { cluster.kinds[kind].across_racks } else { Factor::ONE };
        let best = |kind: &usize| speeds[*kind].max(speeds[*kind].times(over_racks(*kind)));
        let fastest = rate.or_else(|| kinds.iter().map(best).max()).unwrap_or_default();
        let divides = |kind: &usize, gpus: u32| {
            gpus.checked_rem(cluster.kinds[*kind].gpus).is_none_or(|rest| rest == 0)
        };
        // Nodes without a GPU never hold one.
        let pods = |kind: &usize, gpus: u32| gpus.checked_div(cluster.kinds[*kind].gpus).unwrap_or(u32::MAX);
        let whole = |gpus| kinds.iter().all(|kind| divides(kind, gpus)) && request.segment <= 1;
        let racks_matter = !flat && request.topology != Topology::Ignore;
        let monotone = match form {
            Form::Gang { gpus } => !racks_matter || whole(gpus),
            Form::Pods { .. } => !racks_matter || request.segment <= 1,
            _ => true,
        };
        let partition = cluster.partition(&workload.partitions[request.partition as usize]);
        Self {
            index: 0,
            scope,
            kinds: kinds.iter().map(|kind| index(*kind)).collect(),
            monotone,
            whole_nodes: match form {
                Form::Gang { gpus } if whole(gpus) => kinds.iter().map(|kind| pods(kind, gpus)).collect(),
                _ => Vec::new(),
            },
            form,
            gpus_milli: request.gpus().milli(),
            whole_gpus: match form {
                Form::Pod { gpus } | Form::Gang { gpus } => gpus,
                Form::Pods { count, milli } => count.saturating_mul(milli / 1000),
                Form::Nothing | Form::Share { .. } | Form::Impossible => 0,
            },
            host: Host { cpu_milli: request.cpu_milli, memory_mib: request.memory_mib },
            topology: request.topology,
            levels: levels_of(cluster, workload, request.topology),
            segment: request.segment.max(1),
            quota,
            queue,
            row: queue,
            alternatives: Vec::new(),
            limit: None,
            licences: Vec::new(),
            partition: request.partition,
            tier: partition.map_or(0, |partition| partition.tier),
            priority: priority.unwrap_or_default(),
            speeds,
            draws: None,
            high,
            rate,
            fastest,
        }
    }

    /// Where its quota or queue tells platforms apart, it counts against the rows of the one that it runs on: `on` makes what it is
    /// on one of several.
    fn tell_platforms_apart(
        &mut self,
        quotas: &Tree,
        kinds: &[NodeKind],
        mut on: impl FnMut(u32, Form) -> Self,
    ) {
        let mut rows = [self.quota, self.queue].into_iter().flatten();
        if !rows.any(|row| quotas.goes_by_platform(row)) {
            return;
        }
        let mut platforms: Vec<u32> = self.kinds.iter().map(|kind| kinds[*kind as usize].platform).collect();
        platforms.sort_unstable();
        platforms.dedup();
        let at = |own: &mut Self, platform: u32| {
            own.quota = own.quota.map(|row| quotas.on(row, platform));
            own.row = own.queue.map(|row| quotas.on(row, platform));
        };
        match quotas.in_order(self.queue, platforms)[..] {
            [] => {}
            [only] => at(self, only),
            ref several => {
                let one = |platform: &u32| {
                    let mut own = on(*platform, self.form);
                    at(&mut own, *platform);
                    own
                };
                self.alternatives = several.iter().map(one).collect();
                at(self, several[0]);
            }
        }
    }

    /// What it is on nodes of a kind.
    pub(crate) fn on(&self, kind: u32) -> &Self {
        let here = |own: &&Self| own.kinds.contains(&kind);
        self.alternatives.iter().find(here).unwrap_or(self)
    }

    /// Where there are caps to heed, what it draws counts; a gang that breaks one may find another place once less is free.
    fn limit(&mut self, caps: Option<&CapRule>, profile: &Profile, kinds: &[NodeKind]) {
        if let Some(rule) = caps {
            self.draws = Some(Draws::new(profile, kinds, rule, self.high));
            self.monotone &= !matches!(self.form, Form::Gang { .. } | Form::Pods { .. });
        }
    }

    /// What goes before every order: the tier, then the priority where running jobs stop for it.
    pub(crate) const fn height(&self) -> (u32, i32) {
        (self.tier, self.priority)
    }

    /// The rows that what it holds of GPUs counts against, in the order in which they are asked: its tenant's quota, its queue
    /// and its partition's limit.
    #[inline]
    pub(crate) fn of_gpus(&self) -> impl Iterator<Item = u32> + use<> {
        [self.quota, self.row, self.limit].into_iter().flatten()
    }

    /// Every row that a job counts against: those, then those of its licences.
    #[inline]
    pub(crate) fn ceilings(&self) -> impl Iterator<Item = u32> {
        self.of_gpus().chain(self.licences.iter().map(|(row, _)| *row))
    }

    /// Whether it counts against any.
    #[inline]
    pub(crate) const fn has_ceiling(&self) -> bool {
        self.quota.is_some() || self.queue.is_some() || self.limit.is_some() || !self.licences.is_empty()
    }

    /// Whether it is several pods, which may span racks.
    #[must_use]
    pub const fn is_gang(&self) -> bool {
        matches!(self.form, Form::Gang { .. } | Form::Pods { .. })
    }

    /// The rate on nodes of `kind` over `racks` racks, its GPUs capped to `cap` of their TGP.
    #[must_use]
    pub fn rate_under(&self, kinds: &[NodeKind], kind: u32, racks: u32, cap: Factor) -> Factor {
        let full = self.rate_on(kinds, kind, racks);
        match &self.draws {
            Some(draws) if cap < Factor::ONE => full.times(draws.speed(level_of(cap), kind)),
            _ => full,
        }
    }

    /// The rate at full power on nodes of `kind` over `racks` racks, relative to the reference platform.
    #[must_use]
    pub fn rate_on(&self, kinds: &[NodeKind], kind: u32, racks: u32) -> Factor {
        if racks <= 1
            && let Some(rate) = self.rate
        {
            return rate;
        }
        let speed = self.speeds[kind as usize];
        if racks > 1 { speed.times(kinds[kind as usize].across_racks) } else { speed }
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("classes are no more than jobs")
}

/// The nodes of a partition that are of some platforms, 64 a word.
fn scope_nodes(
    cluster: &Cluster,
    workload: &Workload,
    (partition, platforms): (u32, PlatformSet),
) -> Vec<u64> {
    let mut words = vec![0_u64; (cluster.nodes() as usize).div_ceil(64)];
    let name = &workload.partitions[partition as usize];
    let Some(partition) = cluster.partition(name) else { return words };
    for node in partition.nodes.iter().cloned().flatten() {
        if platforms.contains(cluster.kind_of(node).platform as usize) {
            words[node as usize >> 6] |= 1 << (node & 63);
        }
    }
    words
}

/// The kinds of nodes that a scope has, ascending.
fn kinds_in(cluster: &Cluster, nodes: &[u64]) -> Vec<usize> {
    let has = |kind: usize| {
        cluster.racks.iter().filter(|rack| rack.kind as usize == kind).any(|rack| {
            (rack.first_node..rack.first_node + rack.nodes)
                .any(|n| nodes[n as usize >> 6] >> (n & 63) & 1 == 1)
        })
    };
    (0..cluster.kinds.len()).filter(|kind| has(*kind)).collect()
}

/// The levels to try for a wish: the one it names, and where that is only preferred those above it.
fn levels_of(cluster: &Cluster, workload: &Workload, topology: Topology) -> Vec<u32> {
    let name = topology.level().and_then(|level| workload.levels.get(level as usize));
    let Some(level) = name.and_then(|name| cluster.level(name)) else { return Vec::new() };
    let highest = if topology.is_required() { level } else { 0 };
    (highest..=level).rev().map(index).collect()
}

fn form_of(request: &Request, largest_node: u32) -> Form {
    let host_only = request.cpu_milli > 0 || request.memory_mib > 0;
    match request.shape {
        Shape::Any { gpus_milli: 0 } | Shape::Pods { count: 0 | 1, gpus_milli_each: 0 } => {
            if host_only {
                Form::Pod { gpus: 0 }
            } else {
                Form::Nothing
            }
        }
        Shape::Pods { gpus_milli_each: 0, .. } if !host_only => Form::Nothing,
        Shape::Pods { count: 0, .. } => Form::Nothing,
        Shape::Any { gpus_milli: milli } | Shape::Pods { count: 1, gpus_milli_each: milli } => match milli {
            1..1000 => Form::Share { milli },
            _ if milli % 1000 != 0 => Form::Impossible,
            _ if milli / 1000 <= largest_node => Form::Pod { gpus: milli / 1000 },
            _ if matches!(request.shape, Shape::Any { .. }) && largest_node > 0 => {
                Form::Gang { gpus: milli / 1000 }
            }
            _ => Form::Impossible,
        },
        Shape::Pods { gpus_milli_each: milli, .. } if milli > 1000 && milli % 1000 != 0 => Form::Impossible,
        Shape::Pods { count, gpus_milli_each: milli } => Form::Pods { count, milli },
    }
}
