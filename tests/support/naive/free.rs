//! What is free, what a job holds, and at what rate it works.

use super::power::Domain;
use super::quota::queue_of;
use gigawatt::cluster::{Cluster, NodeState};
use gigawatt::history::Plan;
use gigawatt::units::{Factor, Watts};
use gigawatt::workload::Behaviour;
use std::collections::{BTreeMap, BTreeSet};

/// What one pod holds: GPUs of one node, CPU and memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) node: u32,
    /// (index within the node, thousandths), ascending; empty for a pod of CPU and memory only.
    pub(crate) gpus: Vec<(u32, u32)>,
    pub(crate) cpu: u32,
    pub(crate) memory: u32,
}

/// What a job holds; no pod for a job that asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) pods: Vec<Pod>,
}

impl Holding {
    /// The racks it touches, ascending.
    fn racks(&self, cluster: &Cluster) -> Vec<u32> {
        let mut racks: Vec<u32> = self.pods.iter().map(|pod| cluster.rack_of(pod.node)).collect();
        racks.sort_unstable();
        racks.dedup();
        racks
    }

    /// Whether it lies in several racks, on a cluster where racks mean something: some rack has several nodes.
    pub(crate) fn spans(&self, cluster: &Cluster) -> bool {
        cluster.racks.iter().any(|rack| rack.nodes > 1) && self.racks(cluster).len() > 1
    }

    /// Work a second: the speed on the platform it landed on, times the span factor if it spans racks; 1 for a job
    /// that holds nothing.
    pub(crate) fn rate(&self, cluster: &Cluster, behaviour: &Behaviour) -> Factor {
        let Some(first) = self.pods.first() else { return Factor::ONE };
        let kind = cluster.kind_of(first.node);
        let speed = behaviour.speed(kind.platform as usize);
        let factor = if self.spans(cluster) { kind.across_racks } else { Factor::ONE };
        speed.times(factor)
    }
}

/// GPU thousandths that the jobs of every queue hold, and of those the ones of each platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Own {
    all: Vec<u64>,
    by_platform: BTreeMap<(u32, u32), u64>,
}

impl Own {
    /// Of one platform, or of all.
    pub(crate) fn of(&self, queue: u32, platform: Option<u32>) -> u64 {
        match platform {
            None => self.all[queue as usize],
            Some(platform) => self.by_platform.get(&(queue, platform)).copied().unwrap_or(0),
        }
    }
    pub(super) fn add(&mut self, queue: u32, platform: u32, milli: u64) {
        self.all[queue as usize] += milli;
        *self.by_platform.entry((queue, platform)).or_default() += milli;
    }
    pub(super) fn subtract(&mut self, queue: u32, platform: u32, milli: u64) {
        self.all[queue as usize] -= milli;
        *self.by_platform.entry((queue, platform)).or_default() -= milli;
    }
}

/// What is left of every GPU, node and quota at one instant, or at its least over a window.
#[derive(Debug, Clone)]
pub(crate) struct Free {
    /// What state every node is in.
    pub(crate) state: Vec<NodeState>,
    /// First GPU of every node in `gpus`, and one more entry.
    first: Vec<usize>,
    /// Thousandths left of every GPU.
    gpus: Vec<u32>,
    /// By node: the pods with GPUs that jobs hold there, by size: 0 for a share, else how many GPUs.
    sizes: Vec<BTreeMap<usize, u32>>,
    /// CPU left of every node; `u32::MAX` where it is not counted.
    pub(crate) cpu: Vec<u32>,
    /// Memory left of every node; `u32::MAX` where it is not counted.
    pub(crate) memory: Vec<u32>,
    /// GPU thousandths that the jobs of every tenant hold.
    pub(crate) tenants: Vec<u64>,
    /// GPU thousandths that the jobs of every partition hold.
    pub(crate) partitions: Vec<u64>,
    /// GPU thousandths that the jobs of every queue hold.
    pub(crate) queues: Own,
    /// GPU thousandths that the jobs of a tenant hold of a platform.
    pub(super) tenants_on: BTreeMap<(u32, u32), u64>,
    /// By node: its platform.
    platforms: Vec<u32>,
    /// The only platform whose nodes the job in question may go to; none: any.
    pub(super) only: Option<u32>,
    /// How many jobs with GPUs every queue runs.
    pub(crate) jobs: Vec<u32>,
    /// How many of every licence of the cluster jobs hold.
    pub(super) licences: Vec<u32>,
    /// Both at later instants of a window.
    pub(super) queues_later: Vec<(Own, Vec<u32>)>,
    /// Nodes that the job in question may not go to.
    pub(super) barred: BTreeSet<u32>,
    /// Domains that may not draw a watt more.
    pub(super) spent: BTreeSet<Domain>,
    /// Whether no cap is looked at.
    pub(super) unlimited: bool,
    /// Feeds that may deliver less, and what.
    pub(super) curtailed: BTreeMap<u32, Watts>,
    /// Feeds whose rise is limited, and the most that they may draw, where that is looked at.
    pub(super) risen: BTreeMap<u32, u64>,
    /// Of a window: what is free at its beginning and whenever less is from then on.
    pub(super) instants: Vec<Self>,
}

impl Free {
    /// An empty cluster, every node up.
    pub(crate) fn empty(plan: &Plan) -> Self {
        let cluster = &plan.cluster;
        let nodes = 0..cluster.nodes();
        let mut first = vec![0];
        for node in nodes.clone() {
            first.push(first[node as usize] + cluster.kind_of(node).gpus as usize);
        }
        Self {
            state: vec![NodeState::Up; cluster.nodes() as usize],
            gpus: vec![1000; first[cluster.nodes() as usize]],
            first,
            sizes: vec![BTreeMap::new(); cluster.nodes() as usize],
            cpu: nodes.clone().map(|node| cluster.kind_of(node).cpu_milli).collect(),
            memory: nodes.map(|node| cluster.kind_of(node).memory_mib).collect(),
            tenants: vec![0; plan.workload.tenants.len()],
            partitions: vec![0; plan.workload.partitions.len()],
            queues: Own { all: vec![0; plan.workload.queues.len()], by_platform: BTreeMap::new() },
            tenants_on: BTreeMap::new(),
            platforms: (0..cluster.nodes()).map(|node| cluster.kind_of(node).platform).collect(),
            only: None,
            jobs: vec![0; plan.workload.queues.len()],
            licences: vec![0; cluster.licences.len()],
            queues_later: Vec::new(),
            barred: BTreeSet::new(),
            spent: BTreeSet::new(),
            unlimited: false,
            curtailed: BTreeMap::new(),
            risen: BTreeMap::new(),
            instants: Vec::new(),
        }
    }
    /// Thousandths left of every GPU of a node.
    pub(crate) fn gpus(&self, node: u32) -> &[u32] {
        &self.gpus[self.first[node as usize]..self.first[node as usize + 1]]
    }
    /// The sizes of the pods with GPUs that jobs hold on a node: 0 for shares, else how many GPUs.
    pub(super) fn sizes_on(&self, node: u32) -> impl Iterator<Item = usize> {
        let sizes = self.sizes[node as usize].iter().filter(|(_, pods)| **pods > 0);
        sizes.map(|(size, _)| *size).filter(|size| *size != NO_GPUS)
    }
    /// Whether new pods of the job in question may go to a node.
    pub(super) fn takes_pods(&self, node: u32) -> bool {
        let is_allowed = self.only.is_none_or(|only| self.platform(node) == only);
        self.is_up(node) && is_allowed && !self.barred.contains(&node)
    }
    /// The platform of a node.
    pub(super) fn platform(&self, node: u32) -> u32 {
        self.platforms[node as usize]
    }
    /// The platform of a holding: that of its first pod. Only what runs at time 0 may lie on several.
    pub(super) fn platform_of(&self, holding: &Holding) -> u32 {
        holding.pods.first().map_or(u32::MAX, |pod| self.platform(pod.node))
    }
    /// Counts so many thousandths of a platform, whoever's node they are on.
    pub(super) fn count(&mut self, owner: Owner<'_>, platform: u32, milli: u64) {
        self.tenants[owner.tenant as usize] += milli;
        *self.tenants_on.entry((owner.tenant, platform)).or_default() += milli;
        self.partitions[owner.partition as usize] += milli;
        owner.queue.into_iter().for_each(|queue| self.queues.add(queue, platform, milli));
    }
    /// Counts them no longer.
    pub(super) fn discount(&mut self, owner: Owner<'_>, platform: u32, milli: u64) {
        self.tenants[owner.tenant as usize] -= milli;
        *self.tenants_on.entry((owner.tenant, platform)).or_default() -= milli;
        self.partitions[owner.partition as usize] -= milli;
        owner.queue.into_iter().for_each(|queue| self.queues.subtract(queue, platform, milli));
    }
    /// Whether a node is up.
    pub(crate) fn is_up(&self, node: u32) -> bool {
        self.state[node as usize] == NodeState::Up
    }
    /// Thousandths left of all GPUs of a node.
    pub(crate) fn node_total(&self, node: u32) -> u64 {
        self.gpus(node).iter().map(|left| u64::from(*left)).sum()
    }
    /// Thousandths left of all GPUs of the nodes of a rack that are up, whoever may use them.
    pub(crate) fn rack_total(&self, cluster: &Cluster, rack: u32) -> u64 {
        let rack = &cluster.racks[rack as usize];
        let nodes = rack.first_node..rack.first_node + rack.nodes;
        nodes.filter(|node| self.is_up(*node)).map(|node| self.node_total(node)).sum()
    }
    /// Takes what a job holds. What is overdrawn (only reservations that have to be made anew can) is 0.
    pub(crate) fn take(&mut self, holding: &Holding, owner: Owner<'_>) {
        self.take_licences(owner);
        if holding.pods.iter().any(|pod| total(pod) > 0) {
            owner.queue.into_iter().for_each(|queue| self.jobs[queue as usize] += 1);
        }
        for pod in &holding.pods {
            self.take_pod(pod);
            *self.sizes[pod.node as usize].entry(size(pod)).or_default() += 1;
            self.count(owner, self.platform_of(holding), total(pod));
        }
    }
    /// Takes the licences that a job holds.
    pub(super) fn take_licences(&mut self, owner: Owner<'_>) {
        owner.licences.iter().for_each(|(own, count)| self.licences[*own as usize] += count);
    }
    /// Gives them back.
    pub(super) fn give_licences(&mut self, owner: Owner<'_>) {
        owner.licences.iter().for_each(|(own, count)| self.licences[*own as usize] -= count);
    }
    /// Takes what one pod holds, whoever's it is.
    pub(crate) fn take_pod(&mut self, pod: &Pod) {
        let node = pod.node as usize;
        for (gpu, milli) in &pod.gpus {
            let left = &mut self.gpus[self.first[node] + *gpu as usize];
            *left = left.saturating_sub(*milli);
        }
        for (left, used) in [(&mut self.cpu[node], pod.cpu), (&mut self.memory[node], pod.memory)] {
            if *left != u32::MAX {
                *left = left.saturating_sub(used);
            }
        }
    }
    /// Gives back what a job held.
    pub(crate) fn give(&mut self, holding: &Holding, owner: Owner<'_>) {
        self.give_licences(owner);
        if holding.pods.iter().any(|pod| total(pod) > 0) {
            owner.queue.into_iter().for_each(|queue| self.jobs[queue as usize] -= 1);
        }
        for pod in &holding.pods {
            let node = pod.node as usize;
            for (gpu, milli) in &pod.gpus {
                self.gpus[self.first[node] + *gpu as usize] += milli;
            }
            for (left, used) in [(&mut self.cpu[node], pod.cpu), (&mut self.memory[node], pod.memory)] {
                if *left != u32::MAX {
                    *left += used;
                }
            }
            *self.sizes[node].get_mut(&size(pod)).expect("it was taken") -= 1;
            self.discount(owner, self.platform_of(holding), total(pod));
        }
    }
    /// Keeps of everything the lesser, so that what is left is free at both instants; of queues what both hold, since they
    /// matter together.
    pub(crate) fn least(&mut self, other: &Self) {
        let lesser = |mine: &mut Vec<u32>, theirs: &Vec<u32>| {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = (*mine).min(*theirs);
            }
        };
        lesser(&mut self.gpus, &other.gpus);
        lesser(&mut self.cpu, &other.cpu);
        lesser(&mut self.memory, &other.memory);
        self.queues_later.push((other.queues.clone(), other.jobs.clone()));
        for (mine, theirs) in self.licences.iter_mut().zip(&other.licences) {
            *mine = (*mine).max(*theirs);
        }
        for (key, theirs) in &other.tenants_on {
            let mine = self.tenants_on.entry(*key).or_default();
            *mine = (*mine).max(*theirs);
        }
        let theirs = other.tenants.iter().chain(&other.partitions);
        for (mine, theirs) in self.tenants.iter_mut().chain(&mut self.partitions).zip(theirs) {
            *mine = (*mine).max(*theirs);
        }
    }
}

/// Whose job holds something, of which partition of the workload, in which queue, and beside which licences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) tenant: u32,
    pub(crate) partition: u32,
    pub(crate) queue: Option<u32>,
    pub(crate) licences: &'a [(u32, u32)],
}

impl<'a> Owner<'a> {
    pub(crate) fn of(plan: &'a Plan, job: u32) -> Self {
        let tenant = plan.workload.jobs[job as usize].tenant;
        let request = plan.workload.request_of(job);
        let (partition, licences) = (request.partition, &request.licences[..]);
        Self { tenant, partition, queue: queue_of(plan, job), licences }
    }
}

/// The size of a pod without GPUs.
const NO_GPUS: usize = usize::MAX;

/// 0 for a share, else how many GPUs a pod holds.
fn size(pod: &Pod) -> usize {
    match pod.gpus[..] {
        [] => NO_GPUS,
        [(_, 1..1000)] => 0,
        _ => pod.gpus.len(),
    }
}

/// Thousandths of GPUs that a pod holds.
pub(crate) fn total(pod: &Pod) -> u64 {
    pod.gpus.iter().map(|(_, milli)| u64::from(*milli)).sum()
}
