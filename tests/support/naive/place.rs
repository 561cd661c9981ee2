//! Which nodes and GPUs a job gets.
//!
//! **Scope.** The nodes of the request's partition whose platform is allowed. Nodes that are not up take nothing.
//!
//! **One pod or a gang.** `Any` of at most as many GPUs as the largest node of the scope has, up or not, used or not,
//! CPU and memory not looked at, is one pod; a larger one is, on each kind of node, whole nodes and one remainder
//! pod. CPU and memory are asked for by every pod, whole nodes and the remainder pod alike. `Pods` of count 1 is one
//! pod. A request for no GPU, no CPU and no memory holds nothing.
//!
//! **One pod** goes to the node that fits with the least (cost, index); random: the draw (job, node) of the stream
//! `Placement` is the cost, else `weigh.rs` tells it; under `fgd` and its rivals `own.rs`, and the GPU of a share where that
//! says.
//!
//! What is free in a rack counts all its nodes that are up, those outside the scope as well.
//! Inside the node whole GPUs are the lowest fully free ones; a share comes from the fitting GPU with least left,
//! ties to the lowest.
//!
//! **A gang** lands on nodes of one kind (an index of the cluster's kinds). Where racks matter:
//! 1. of the racks that hold all of it, of whatever kind, the one with the least (cost, index), a rack's free
//!    thousandths being those of the pods it has room for (random: draw number 2³¹ + rack);
//! 2. else, unless one rack is required, kind by kind in order, the first that works: again and again, if racks not
//!    used yet hold all that remains, the least (cost, index) of them ends it; else the unused rack with the
//!    most room in whole pods (ties: cost, index) gives all its room; with a segment, room and gift are
//!    rounded down to whole segments. No room left anywhere: the kind does not work.
//!
//! In a rack, nodes in the order of what a pod cost there before the gang (its rack aside) take as many pods as they
//! have room for; the remainder pod then takes the one where it costs least of the rack's nodes that the gang has not
//! touched and that fits it.
//!
//! Racks do not matter if the topology wish is to ignore them, or if every rack of the cluster has one node: then
//! the nodes of one kind in the scope are one rack, and segments mean nothing.
//!
//! **Power.** Under `admit` a node that would make any of the domains above it (or itself) draw more than its cap does
//! not fit one pod, a rack likewise does not hold a gang, or what remains of it, and gives nothing. Where racks do not
//! matter the gang waits. See `power.rs`.
//!
//! A gang that names a level of the cluster: see `level.rs`. Everything under `tas`: see `tas.rs`.
//!
//! **consolidate** never looks at racks: nodes of a kind with room for the CPU and memory of a pod and a free GPU (if
//! the pods have GPUs), by most free GPUs, then index. For `Any` the first whole-node many must be entirely free and
//! the next must have room for the remainder. For `Pods` each node in that order takes as many as it has room for.

use super::free::{Free, Holding, Pod};
use super::own::is_own;
use super::world::World;
use gigawatt::workload::{Shape, Topology};

/// What one pod needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) milli: u32,
    pub(super) cpu: u32,
    memory: u32,
}

/// A gang on one kind of node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gang {
    pub(super) each: Need,
    pub(super) count: u32,
    pub(super) remainder: Option<Need>,
}

/// Least goes first: the cost, then the index of node or rack.
type Preference = (u64, u32);

impl World<'_> {
    /// What the job gets if it starts now; none if it does not fit. Quotas are not looked at.
    ///
    /// Where it may run on several platforms whose quotas are told apart: on the first whose quota lets it.
    pub(crate) fn place(&self, free: &Free, job: u32) -> Option<Holding> {
        let options = self.options(job);
        if options.len() < 2 {
            return self.place_anywhere(free, job);
        }
        let allowed = options.into_iter().filter(|option| self.refuses_on(free, job, *option).is_none());
        let mut places = allowed.map(|only| {
            let mut there = free.clone();
            there.only = only;
            self.place_anywhere(&there, job)
        });
        places.find_map(|place| place)
    }

    /// What it gets whatever the quotas.
    pub(super) fn place_anywhere(&self, free: &Free, job: u32) -> Option<Holding> {
        self.place_somewhere(free, job).filter(|holding| self.has_power(free, holding))
    }

    fn place_somewhere(&self, free: &Free, job: u32) -> Option<Holding> {
        let request = self.plan.workload.request_of(job);
        let need = |milli| self.need(job, milli);
        if self.asks_for_nothing(job) {
            return Some(Holding::default());
        }
        let by_levels = super::tas::is_tas(self.placement());
        if !self.is_gang(job) {
            let milli = match request.shape {
                Shape::Any { gpus_milli } => gpus_milli,
                Shape::Pods { gpus_milli_each, .. } => gpus_milli_each,
            };
            let alone = |_| Some(Gang { each: need(milli), count: 1, remainder: None });
            let levels = || self.by_levels(free, job, &alone);
            return if by_levels { levels() } else { self.place_one(free, job, need(milli)) };
        }
        let gang_on = |kind: u32| match request.shape {
            Shape::Any { gpus_milli } => {
                let node = self.cluster().kinds[kind as usize].gpus * 1000;
                let remainder = gpus_milli.checked_rem(node).filter(|rest| *rest > 0).map(need);
                let count = gpus_milli.checked_div(node).unwrap_or_default();
                (node > 0).then_some(Gang { each: need(node), count, remainder })
            }
            Shape::Pods { count, gpus_milli_each } => {
                Some(Gang { each: need(gpus_milli_each), count, remainder: None })
            }
        };
        if by_levels {
            return self.by_levels(free, job, &gang_on);
        }
        let kinds = 0..u32::try_from(self.cluster().kinds.len()).expect("kinds are few");
        if self.placement() == "consolidate" {
            let on_nodes = |nodes: &[u32], gang: Gang| {
                let held = self.consolidate(free, job, nodes.to_vec(), gang)?;
                self.has_power(free, &held).then_some(held.pods)
            };
            let inside = self.in_one_domain(free, job, &gang_on, &on_nodes);
            let on_kind = |kind| self.consolidate(free, job, self.nodes_of_kind(job, kind), gang_on(kind)?);
            let anywhere = || kinds.filter_map(on_kind).next().filter(|_| self.may_leave_level(job));
            return inside.or_else(anywhere);
        }
        let powered = |pods: &[Pod]| self.has_power(free, &Holding { pods: pods.to_vec() });
        if request.topology == Topology::Ignore || !self.racks_matter {
            let on_kind = |kind| self.fill(free, job, &self.nodes_of_kind(job, kind), gang_on(kind)?);
            let inside = self.in_one_domain(free, job, &gang_on, &|nodes, gang| {
                self.fill(free, job, nodes, gang).filter(|pods| powered(pods))
            });
            let anywhere = || kinds.filter_map(on_kind).next().map(|pods| Holding { pods });
            return inside.or_else(|| anywhere().filter(|_| self.may_leave_level(job)));
        }
        if let Some(pods) = self.in_one_rack(free, job, &self.racks(job), &gang_on, &powered) {
            return Some(Holding { pods });
        }
        let inside = self.in_one_domain(free, job, &gang_on, &|nodes, gang| {
            let mut racks: Vec<u32> = nodes.iter().map(|node| self.cluster().rack_of(*node)).collect();
            racks.dedup();
            Some(self.across_racks(free, job, racks, gang)?.pods)
        });
        if inside.is_some() || request.topology == Topology::RequireRack || !self.may_leave_level(job) {
            return inside;
        }
        kinds
            .filter_map(|kind| self.across_racks(free, job, self.racks_of_kind(job, kind), gang_on(kind)?))
            .next()
    }

    /// What one pod of the job needs if it has so many thousandths of GPUs.
    pub(super) fn need(&self, job: u32, milli: u32) -> Need {
        let request = self.plan.workload.request_of(job);
        Need { milli, cpu: request.cpu_milli, memory: request.memory_mib }
    }

    pub(super) fn placement(&self) -> &str {
        &self.plan.settings.placement
    }

    fn place_one(&self, free: &Free, job: u32, need: Need) -> Option<Holding> {
        let pod = |node: u32| Holding { pods: vec![take_gpus(&mut free.clone(), node, need)] };
        let fits = |node: &u32| self.room(free, *node, need, 1) > 0 && self.has_power(free, &pod(*node));
        let fitting = self.scope(job).iter().copied().filter(fits);
        if is_own(self.placement()) {
            let node = fitting.min_by_key(|node| (self.own_cost(free, need, *node).0, *node))?;
            let (_, gpu) = self.own_cost(free, need, node);
            let own = gpu.map(|gpu| take(&mut free.clone(), node, vec![(gpu, need.milli)], need));
            return Some(Holding { pods: vec![own.unwrap_or_else(|| pod(node).pods[0].clone())] });
        }
        let node = fitting.min_by_key(|node| self.node_preference(free, job, need, *node, false))?;
        Some(Holding { pods: vec![take_gpus(&mut free.clone(), node, need)] })
    }

    /// How many such pods a node takes, at most `most`.
    pub(super) fn room(&self, free: &Free, node: u32, need: Need, most: u32) -> u32 {
        if !free.takes_pods(node) {
            return 0;
        }
        let by_gpus = match need.milli {
            0 => most,
            share @ 1..1000 => free.gpus(node).iter().map(|left| left / share).sum(),
            whole => {
                let fully_free = free.gpus(node).iter().filter(|left| **left == 1000).count();
                u32::try_from(fully_free).expect("a node has at most 64 GPUs") / (whole / 1000)
            }
        };
        let host = |left: u32, each: u32| {
            if left == u32::MAX { most } else { left.checked_div(each).unwrap_or(most) }
        };
        let by_cpu = host(free.cpu[node as usize], need.cpu);
        let by_memory = host(free.memory[node as usize], need.memory);
        by_gpus.min(by_cpu).min(by_memory).min(most)
    }

    fn node_preference(&self, free: &Free, job: u32, need: Need, node: u32, inside: bool) -> Preference {
        let cost = || self.pod_cost(free, job, need, node, inside);
        (self.drawn(job, node).unwrap_or_else(cost), node)
    }

    /// A rack's cost for a gang: its free thousandths are those of the pods it has room for, pods without GPUs
    /// counting one each.
    fn rack_preference(&self, free: &Free, job: u32, rack: u32, each: Need) -> Preference {
        let nodes = self.nodes_of_rack(job, rack);
        let room: u32 = nodes.iter().map(|node| self.room(free, *node, each, self.most_pods(job))).sum();
        let (pods, whole) = match self.plan.workload.request_of(job).shape {
            Shape::Any { gpus_milli } => (gpus_milli.checked_div(each.milli).unwrap_or_default(), true),
            Shape::Pods { count, .. } => (count, false),
        };
        let cost = || self.rack_cost(job, rack, each, (pods, whole), room);
        (self.drawn(job, 0x8000_0000 + rack).unwrap_or_else(cost), rack)
    }

    /// The cost under the placement that draws.
    fn drawn(&self, job: u32, number: u32) -> Option<u64> {
        let random = self.placement() == "random";
        random.then(|| u64::from(self.stream.draw(u64::from(job), number)))
    }

    /// No node is asked for more pods than the whole gang has.
    fn most_pods(&self, job: u32) -> u32 {
        match self.plan.workload.request_of(job).shape {
            Shape::Any { .. } => u32::MAX,
            Shape::Pods { count, .. } => count,
        }
    }

    pub(super) fn nodes_of_kind(&self, job: u32, kind: u32) -> Vec<u32> {
        let rack = |node: u32| &self.cluster().racks[self.cluster().rack_of(node) as usize];
        self.scope(job).iter().copied().filter(|node| rack(*node).kind == kind).collect()
    }
    /// The racks that the scope touches, ascending.
    fn racks(&self, job: u32) -> Vec<u32> {
        let mut racks: Vec<u32> = self.scope(job).iter().map(|node| self.cluster().rack_of(*node)).collect();
        racks.dedup();
        racks
    }
    /// Those of a kind of nodes.
    fn racks_of_kind(&self, job: u32, kind: u32) -> Vec<u32> {
        let mut racks = self.racks(job);
        racks.retain(|rack| self.cluster().racks[*rack as usize].kind == kind);
        racks
    }
    /// The nodes of a rack that are in the scope.
    fn nodes_of_rack(&self, job: u32, rack: u32) -> Vec<u32> {
        self.scope(job).iter().copied().filter(|node| self.cluster().rack_of(*node) == rack).collect()
    }

    /// All of the gang on these nodes, all of one kind and taken as one rack.
    fn fill(&self, free: &Free, job: u32, nodes: &[u32], gang: Gang) -> Option<Vec<Pod>> {
        let mut nodes = nodes.to_vec();
        nodes.retain(|node| self.room(free, *node, Need { milli: 0, ..gang.each }, 1) > 0);
        let fits = |need: Need, node: &u32| self.room(free, *node, need, 1) > 0;
        let cost = |need: Need, node: &u32| {
            let cost = || self.node_preference(free, job, need, *node, true);
            if fits(need, node) { cost() } else { (u64::MAX, *node) }
        };
        nodes.sort_by_cached_key(|node| cost(gang.each, node));
        let mut scratch = free.clone();
        let mut pods: Vec<Pod> = Vec::new();
        let mut remaining = gang.count;
        for node in &nodes {
            let here = self.room(free, *node, gang.each, remaining);
            pods.extend((0..here).map(|_| take_gpus(&mut scratch, *node, gang.each)));
            remaining -= here;
        }
        if remaining > 0 {
            return None;
        }
        if let Some(need) = gang.remainder {
            let untouched = |node: &u32| pods.iter().all(|pod| pod.node != *node);
            let nodes = nodes.iter().copied().filter(|node| untouched(node) && fits(need, node));
            let node = nodes.min_by_key(|node| cost(need, node))?;
            pods.push(take_gpus(&mut scratch, node, need));
        }
        Some(pods)
    }

    /// All of the gang in the preferred of those of `racks` that hold it.
    fn in_one_rack(
        &self,
        free: &Free,
        job: u32,
        racks: &[u32],
        gang_on: &dyn Fn(u32) -> Option<Gang>,
        may: &dyn Fn(&[Pod]) -> bool,
    ) -> Option<Vec<Pod>> {
        let filled = racks.iter().filter_map(|rack| {
            let gang = gang_on(self.cluster().racks[*rack as usize].kind)?;
            Some((*rack, gang.each, self.fill(free, job, &self.nodes_of_rack(job, *rack), gang)?))
        });
        filled
            .filter(|(.., pods)| may(pods))
            .min_by_key(|(rack, each, _)| self.rack_preference(free, job, *rack, *each))
            .map(|(.., pods)| pods)
    }

    /// The gang over several of some racks of one kind.
    fn across_racks(&self, free: &Free, job: u32, mut unused: Vec<u32>, gang: Gang) -> Option<Holding> {
        let segment = self.plan.workload.request_of(job).segment.max(1);
        let whole_segments = |pods: u32| pods - pods % segment;
        let mut remaining = gang.count;
        let mut pods = Vec::new();
        loop {
            let rest = Gang { count: remaining, ..gang };
            let besides = |part: &[Pod]| Holding { pods: [&pods, part].concat() };
            let powered = |part: &[Pod]| self.has_power(free, &besides(part));
            if let Some(last) = self.in_one_rack(free, job, &unused, &|_| Some(rest), &powered) {
                pods.extend(last);
                return Some(Holding { pods });
            }
            let room = |rack: u32| {
                let nodes = self.nodes_of_rack(job, rack);
                whole_segments(nodes.iter().map(|node| self.room(free, *node, gang.each, gang.count)).sum())
            };
            let first =
                |rack: &u32| (u32::MAX - room(*rack), self.rack_preference(free, job, *rack, gang.each));
            let part = |rack: &u32| {
                let gift = room(*rack).min(whole_segments(remaining));
                let part = Gang { count: gift, remainder: None, ..gang };
                let part = self.fill(free, job, &self.nodes_of_rack(job, *rack), part)?;
                powered(&part).then_some((*rack, gift, part))
            };
            let mut order = unused.clone();
            order.sort_by_cached_key(first);
            let (rack, gift, part) = order.iter().find_map(part)?;
            pods.extend(part);
            remaining -= (gift > 0).then_some(gift)?;
            unused.retain(|other| *other != rack);
        }
    }

    /// Helios' rule; see above.
    fn consolidate(&self, free: &Free, job: u32, mut nodes: Vec<u32>, gang: Gang) -> Option<Holding> {
        let host = Need { milli: 0, ..gang.each };
        nodes.retain(|node| {
            self.room(free, *node, host, 1) > 0 && (gang.each.milli == 0 || free.node_total(*node) > 0)
        });
        nodes.sort_by_key(|node| (u64::MAX - free.node_total(*node), *node));
        let any = matches!(self.plan.workload.request_of(job).shape, Shape::Any { .. });
        let mut scratch = free.clone();
        let mut pods = Vec::new();
        let mut remaining = gang.count;
        let mut order = nodes.iter().copied();
        while remaining > 0 {
            let node = order.next()?;
            let here = self.room(free, node, gang.each, remaining);
            if any && here == 0 {
                return None;
            }
            pods.extend((0..here).map(|_| take_gpus(&mut scratch, node, gang.each)));
            remaining -= here;
        }
        if let Some(need) = gang.remainder {
            let node = order.next().filter(|node| self.room(free, *node, need, 1) > 0)?;
            pods.push(take_gpus(&mut scratch, node, need));
        }
        Some(Holding { pods })
    }
}

/// Takes one pod's GPUs of a node that has room for it.
pub(super) fn take_gpus(free: &mut Free, node: u32, need: Need) -> Pod {
    let left: Vec<(u32, u32)> = (0..).zip(free.gpus(node).iter().copied()).collect();
    let gpus = match need.milli {
        0 => Vec::new(),
        share @ 1..1000 => {
            let fitting = left.iter().filter(|(_, left)| *left >= share);
            let (gpu, _) =
                fitting.min_by_key(|(gpu, left)| (*left, *gpu)).expect("the node has room for the pod");
            vec![(*gpu, share)]
        }
        whole => {
            let fully_free = left.iter().filter(|(_, left)| *left == 1000);
            fully_free.take(whole as usize / 1000).map(|(gpu, _)| (*gpu, 1000)).collect()
        }
    };
    take(free, node, gpus, need)
}

/// Takes these GPUs for one pod.
fn take(free: &mut Free, node: u32, gpus: Vec<(u32, u32)>, need: Need) -> Pod {
    let pod = Pod { node, gpus, cpu: need.cpu, memory: need.memory };
    free.take_pod(&pod);
    pod
}
