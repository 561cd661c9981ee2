//! One pod by a cost of a placement's own, which reads each GPU of a node, its CPU and the pods on it.
//!
//! The cost is an integer from 0 to 100: the systems that these placements are from give every node that fits a score,
//! and the cost is what it lacks of 100. The least (cost, index) takes the pod; whole GPUs are the lowest free ones, a
//! share goes to the GPU that the placement says, else to the one with the least left that fits. What is several pods
//! goes as `best-fit` puts it.
//!
//! O(nodes) for a pod: no index of free capacity tells such costs, and they are not evaluated on a device.

use super::fgd::Typical;
use crate::cluster::Occupancy;
use crate::history::Plan;
use crate::state::class::Form;
use crate::state::place::{Choice, Picker, pod};

/// What a placement asks for a pod on a node that fits it.
pub(super) type Rule = fn(&Scale, &Pod, &Node) -> Bid;

/// A cost of a placement's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub(super) rule: Rule,
    pub(super) reads: Reads,
}

/// What it reads besides what is left of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    Nothing,
    /// The pods that a workload expects.
    Typical,
    /// The pods on the node, which only of now are known.
    Pods,
}

/// Of a node and a pod: the cost, at most 100, and the GPU for a share, if the placement chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bid {
    pub(super) cost: u32,
    pub(super) gpu: Option<u32>,
}

impl Bid {
    /// That of a node with so many points of 100, the GPU being left open.
    pub(super) fn of_points(points: u32) -> Self {
        Self { cost: 100 - points.min(100), gpu: None }
    }
}

/// What costs are relative to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scale {
    /// The most that a node has: thousandths of a core, where they are counted, and of GPUs; at least 1.
    pub(super) cpu: u64,
    pub(super) gpus: u64,
    /// The pods that a workload expects, where that counts.
    pub(super) typical: Typical,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pod {
    /// Thousandths of a core.
    pub(super) cpu: u32,
    /// How many GPUs; a share is of one.
    pub(super) gpus: u32,
    /// Thousandths of each.
    pub(super) each: u32,
}

impl Pod {
    fn of(picker: &Picker<'_>) -> Self {
        let (gpus, each) = match picker.class.form {
            Form::Share { milli } => (1, milli),
            Form::Pod { gpus } => (gpus, 1000),
            form => unreachable!("{form:?} is not one pod"),
        };
        Self { cpu: picker.class.host.cpu_milli, gpus, each }
    }
    pub(super) const fn milli(self) -> u32 {
        self.gpus * self.each
    }
    pub(super) const fn is_share(self) -> bool {
        self.each < 1000
    }
}

/// What is left of a node, and what shares it.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: u32,
    /// Thousandths of a core; `None`: not counted.
    pub(super) cpu: Option<u32>,
    /// Thousandths of each GPU.
    pub(super) left: Vec<u32>,
    /// Pods with a share, then those of 1, 2, … GPUs; without those that hold all of it.
    pub(super) pods: Vec<u16>,
}

impl Node {
    fn read(&mut self, occupancy: &Occupancy, node: usize) {
        let (cpu, _) = occupancy.host_left(node);
        self.kind = occupancy.kind(node);
        self.cpu = (cpu != u32::MAX).then_some(cpu);
        self.left.clear();
        self.left.extend(occupancy.gpu_left(node));
        self.pods.clear();
        self.pods.extend_from_slice(occupancy.pods_on(node));
    }
    /// Thousandths left of all GPUs.
    pub(super) fn milli(&self) -> u32 {
        self.left.iter().sum()
    }
    /// Thousandths of a core left, none where they are not counted; and with the pod in place.
    pub(super) fn cpu_left(&self) -> u64 {
        self.cpu.map_or(0, u64::from)
    }
    pub(super) fn cpu_after(&self, pod: &Pod) -> u64 {
        self.cpu_left().saturating_sub(pod.cpu.into())
    }
    /// Whether every GPU is wholly free.
    pub(super) fn is_idle(&self) -> bool {
        self.left.iter().all(|left| *left == 1000)
    }
}

impl Scale {
    /// That of a plan's cluster, with its typical pods if they count.
    pub(super) fn of(plan: &Plan, own: Own) -> Self {
        let kinds = &plan.cluster.kinds;
        let cpu = kinds.iter().map(|kind| kind.cpu_milli).filter(|cpu| *cpu != u32::MAX).max();
        let gpus = kinds.iter().map(|kind| kind.gpus).max().unwrap_or(0);
        Self {
            cpu: cpu.unwrap_or(0).max(1).into(),
            gpus: u64::from(gpus.max(1)) * 1000,
            typical: if own.reads == Reads::Typical { Typical::of(plan) } else { Typical::default() },
        }
    }
}

/// Where one pod of the picker's class goes.
pub(super) fn choose(own: Own, scale: &Scale, picker: &Picker<'_>, choice: &mut Choice) -> bool {
    let (pod, occupancy) = (Pod::of(picker), picker.occupancy);
    let (mut node, mut idle) = (Node::default(), Vec::new());
    let mut best: Option<(Bid, usize)> = None;
    for index in occupancy.nodes_of(picker.scope()).filter(|node| pod::fits(picker, *node)) {
        node.read(occupancy, index);
        // Idle nodes of a kind are alike, and the lowest is taken.
        if node.is_idle() && !node.left.is_empty() {
            let alike = (node.kind, node.cpu);
            if idle.contains(&alike) {
                continue;
            }
            idle.push(alike);
        }
        let bid = (own.rule)(scale, &pod, &node);
        if best.is_none_or(|(best, _)| bid.cost < best.cost) {
            best = Some((bid, index));
        }
    }
    let Some((bid, index)) = best else { return false };
    match bid.gpu.filter(|_| pod.is_share()) {
        Some(gpu) => pod::put_share(picker, index, gpu, choice),
        None => pod::put(picker, index, choice),
    }
    true
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A node of kind 0 with so much left.
    pub(in crate::policy::placement) fn node(cpu: u32, left: &[u32]) -> Node {
        Node { kind: 0, cpu: Some(cpu), left: left.to_vec(), pods: vec![0; left.len() + 1] }
    }
    /// The scale of nodes of 128 cores and 8 GPUs at most.
    pub(in crate::policy::placement) fn scale() -> Scale {
        Scale { cpu: 128_000, gpus: 8000, typical: Typical::default() }
    }
    /// A pod of `cpu` thousandths of a core and `gpus` times `each` thousandths of a GPU.
    pub(in crate::policy::placement) const fn pod(cpu: u32, gpus: u32, each: u32) -> Pod {
        Pod { cpu, gpus, each }
    }
    /// Points of 100 that a rule gives a node.
    pub(in crate::policy::placement) fn points(rule: Rule, pod: Pod, node: &Node) -> u32 {
        100 - rule(&scale(), &pod, node).cost
    }
}
