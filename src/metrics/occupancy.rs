//! Who holds what at one instant of a replay, summed up so that "does it fit now?" needs no walk over the nodes.

use super::scope::{Scope, Scopes};
use crate::cluster::{Cluster, NodeState};
use crate::history::Piece;
use crate::workload::{Request, Workload};
use std::collections::BTreeMap;
use std::ops::Range;

/// Free GPUs of the whole cluster, in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Levels {
    /// On nodes that are up or draining, held or not.
    pub(super) available: u64,
    /// Free on nodes that are up.
    pub(super) free: u64,
    /// The part of `free` on nodes that are wholly free.
    pub(super) free_on_whole_nodes: u64,
    /// The part of `free` in racks whose nodes, as far as they are up, are wholly free.
    pub(super) free_on_whole_racks: u64,
}

#[derive(Debug, Clone)]
struct Node {
    /// Bit `g`: GPU `g` is wholly free.
    free: u64,
    full: u64,
    /// Free on GPUs that are shared, thousandths.
    shared: u32,
    cpu_milli: u32,
    memory_mib: u32,
    zone: u32,
    rack: u32,
    state: NodeState,
}

impl Node {
    const fn free_milli(&self) -> u64 {
        self.free.count_ones() as u64 * 1000 + self.shared as u64
    }
    /// Whether no GPU is in use; a node without GPUs has none to give.
    const fn is_whole(&self) -> bool {
        self.free == self.full && self.full != 0
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct RackLevel {
    up: u32,
    whole: u32,
    free: u64,
    reach: u32,
}

/// Nodes that no request tells apart: of one kind, in the same partitions.
#[derive(Debug, Clone)]
struct ZoneLevel {
    gpus: u32,
    /// When its scopes last heard of a change.
    stamp: u32,
    free: u64,
    /// How many nodes that are up have so many wholly free GPUs.
    nodes_by_free: [u32; 65],
    /// Bit `n`: some node has `n`.
    some: u128,
    /// How many racks could give a gang so many GPUs, if anything requires one rack.
    racks_by_reach: BTreeMap<u32, u32>,
}

impl ZoneLevel {
    fn most_free(&self) -> u32 {
        127 - self.some.leading_zeros().min(127)
    }
    fn whole_nodes(&self) -> u32 {
        if self.gpus == 0 { 0 } else { self.nodes_by_free[self.gpus as usize] }
    }
    /// The most free GPUs on a node that is not wholly free.
    fn most_partly_free(&self) -> u32 {
        let partly = self.some & ((1 << self.gpus) - 1);
        127 - partly.leading_zeros().min(127)
    }
    /// So many nodes go from wholly free to wholly used, or back.
    fn move_whole(&mut self, count: u32, take: bool) {
        let (from, to) = if take { (self.gpus, 0) } else { (0, self.gpus) };
        self.nodes_by_free[from as usize] -= count;
        if self.nodes_by_free[from as usize] == 0 {
            self.some &= !(1 << from);
        }
        self.nodes_by_free[to as usize] += count;
        self.some |= 1 << to;
    }
    fn enter(&mut self, node: &Node) {
        let free = node.free.count_ones();
        self.nodes_by_free[free as usize] += 1;
        self.some |= 1 << free;
        self.free += node.free_milli();
    }
    fn leave(&mut self, node: &Node) {
        let free = node.free.count_ones();
        self.nodes_by_free[free as usize] -= 1;
        if self.nodes_by_free[free as usize] == 0 {
            self.some &= !(1 << free);
        }
        self.free -= node.free_milli();
    }
}

/// The state of every node.
#[derive(Debug)]
pub(super) struct Occupancy<'a> {
    cluster: &'a Cluster,
    pub(super) scopes: Scopes,
    nodes: Vec<Node>,
    /// Thousandths in use of GPUs that are shared.
    shares: BTreeMap<(u32, u16), u32>,
    zones: Vec<ZoneLevel>,
    racks: Vec<RackLevel>,
    racks_matter: bool,
    pub(super) levels: Levels,
    /// Nodes on which something may have become free at this instant.
    pub(super) freed: Vec<u32>,
}

impl<'a> Occupancy<'a> {
    /// The empty cluster, every node up.
    pub(super) fn new(cluster: &'a Cluster, workload: &Workload) -> Self {
        let scopes = Scopes::new(cluster, workload);
        let node = |index| {
            let kind = cluster.kind_of(index);
            let full = u64::MAX.checked_shr(64 - kind.gpus).unwrap_or(0);
            Node {
                free: full,
                full,
                shared: 0,
                cpu_milli: kind.cpu_milli,
                memory_mib: kind.memory_mib,
                zone: scopes.zone_of[index as usize],
                rack: cluster.rack_of(index),
                state: NodeState::Absent,
            }
        };
        let zone = |gpus: &u32| ZoneLevel {
            gpus: *gpus,
            stamp: 0,
            free: 0,
            nodes_by_free: [0; 65],
            some: 0,
            racks_by_reach: BTreeMap::new(),
        };
        let mut occupancy = Self {
            cluster,
            nodes: (0..cluster.nodes()).map(node).collect(),
            shares: BTreeMap::new(),
            zones: scopes.zone_gpus.iter().map(zone).collect(),
            racks: vec![RackLevel::default(); cluster.racks.len()],
            racks_matter: scopes.racks_matter,
            levels: Levels::default(),
            freed: Vec::new(),
            scopes,
        };
        occupancy.set_state(0..cluster.nodes(), NodeState::Up, 0);
        occupancy
    }

    /// Changes one node and every sum it is part of. `stamp` marks who has to look again.
    fn change(&mut self, index: u32, stamp: u32, change: impl FnOnce(&mut Node)) {
        self.touch(self.nodes[index as usize].zone, stamp);
        let node = &mut self.nodes[index as usize];
        let rack = &mut self.racks[node.rack as usize];
        let zone = &mut self.zones[node.zone as usize];
        if rack.whole == rack.up {
            self.levels.free_on_whole_racks -= rack.free;
        }
        if matches!(node.state, NodeState::Up | NodeState::Draining) {
            self.levels.available -= u64::from(node.full.count_ones()) * 1000;
        }
        if node.state == NodeState::Up {
            zone.leave(node);
            rack.up -= 1;
            rack.free -= node.free_milli();
            self.levels.free -= node.free_milli();
            if node.is_whole() {
                rack.whole -= 1;
                self.levels.free_on_whole_nodes -= node.free_milli();
            }
        }
        change(node);
        if node.state == NodeState::Up {
            zone.enter(node);
            rack.up += 1;
            rack.free += node.free_milli();
            self.levels.free += node.free_milli();
            if node.is_whole() {
                rack.whole += 1;
                self.levels.free_on_whole_nodes += node.free_milli();
            }
        }
        if matches!(node.state, NodeState::Up | NodeState::Draining) {
            self.levels.available += u64::from(node.full.count_ones()) * 1000;
        }
        if rack.whole == rack.up {
            self.levels.free_on_whole_racks += rack.free;
        }
        if self.racks_matter {
            self.measure_rack(self.nodes[index as usize].rack);
        }
    }

    /// How many GPUs a gang that may not leave this rack could get: its whole nodes and the rest of one more.
    fn measure_rack(&mut self, rack: u32) {
        let place = self.cluster.racks[rack as usize];
        let nodes = &self.nodes[place.first_node as usize..(place.first_node + place.nodes) as usize];
        let partly = nodes.iter().filter(|node| node.state == NodeState::Up && !node.is_whole());
        let partly = partly.map(|node| node.free.count_ones()).max().unwrap_or(0);
        let gpus = self.cluster.kinds[place.kind as usize].gpus;
        let level = &mut self.racks[rack as usize];
        let before = std::mem::replace(&mut level.reach, level.whole * gpus + partly);
        let reaches = &mut self.zones[nodes[0].zone as usize].racks_by_reach;
        if let Some(racks) = reaches.get_mut(&before) {
            *racks -= 1;
            if *racks == 0 {
                reaches.remove(&before);
            }
        }
        if level.reach > 0 {
            *reaches.entry(level.reach).or_default() += 1;
        }
    }

    /// The nodes change their state.
    pub(super) fn set_state(&mut self, nodes: Range<u32>, state: NodeState, stamp: u32) {
        for index in nodes {
            self.freed.push(index);
            self.change(index, stamp, |node| node.state = state);
        }
    }

    /// A pod takes a piece, or gives it back; `request` tells what else a pod holds.
    pub(super) fn apply(&mut self, piece: Piece, request: &Request, take: bool, stamp: u32) {
        let host = |free: &mut u32, amount: u32| {
            if *free != u32::MAX {
                *free = if take { free.saturating_sub(amount) } else { free.saturating_add(amount) };
            }
        };
        let shared = match piece {
            Piece::Share { node, gpu, milli } => Some((gpu, self.share(node, gpu, u32::from(milli), take))),
            _ => None,
        };
        if !take {
            self.freed.extend(piece.nodes());
        }
        if let Piece::Nodes { word, mask } = piece
            && request.cpu_milli == 0
            && request.memory_mib == 0
        {
            return self.apply_whole(word, mask, take, stamp);
        }
        for index in piece.nodes() {
            self.change(index, stamp, |node| {
                host(&mut node.cpu_milli, request.cpu_milli);
                host(&mut node.memory_mib, request.memory_mib);
                let held = match (piece, shared) {
                    (Piece::Gpus { mask, .. }, _) => mask,
                    (_, Some((gpu, (before, after)))) => {
                        node.shared = node.shared + after.unwrap_or(0) - before.unwrap_or(0);
                        let bit = 1 << gpu;
                        node.free = if after.is_some() { node.free & !bit } else { node.free | bit };
                        return;
                    }
                    _ => node.full,
                };
                node.free = if take { node.free & !held } else { node.free | held };
            });
        }
    }

    /// Whole nodes are taken, or given back: all at once where they are what they should be.
    fn apply_whole(&mut self, word: u32, mask: u64, take: bool, stamp: u32) {
        let members = || (Piece::Nodes { word, mask }).nodes();
        let Some(first) = members().next() else { return };
        let zone = self.nodes[first as usize].zone;
        let plain = |index: u32| {
            let node = &self.nodes[index as usize];
            let before = if take { node.is_whole() } else { node.free == 0 && node.shared == 0 };
            before && node.full != 0 && node.state == NodeState::Up && node.zone == zone
        };
        if !self.racks_matter && members().all(plain) {
            return self.apply_plain(zone, members(), mask.count_ones(), (take, stamp));
        }
        for index in members() {
            self.change(index, stamp, |node| node.free = if take { 0 } else { node.full });
        }
    }

    /// So many nodes of one zone that are up go from wholly free to wholly used, or back.
    fn apply_plain(
        &mut self,
        zone: u32,
        members: impl Iterator<Item = u32>,
        count: u32,
        (take, stamp): (bool, u32),
    ) {
        self.touch(zone, stamp);
        let zone = &mut self.zones[zone as usize];
        let each = u64::from(zone.gpus) * 1000;
        let milli = u64::from(count) * each;
        zone.move_whole(count, take);
        for sum in [&mut zone.free, &mut self.levels.free, &mut self.levels.free_on_whole_nodes] {
            *sum = if take { *sum - milli } else { *sum + milli };
        }
        for index in members {
            let node = &mut self.nodes[index as usize];
            let rack = &mut self.racks[node.rack as usize];
            if rack.whole == rack.up {
                self.levels.free_on_whole_racks -= rack.free;
            }
            (node.free, rack.whole, rack.free) = if take {
                (0, rack.whole - 1, rack.free - each)
            } else {
                (node.full, rack.whole + 1, rack.free + each)
            };
            if rack.whole == rack.up {
                self.levels.free_on_whole_racks += rack.free;
            }
        }
    }

    /// The scopes of a zone hear that something in it changes.
    fn touch(&mut self, zone: u32, stamp: u32) {
        if std::mem::replace(&mut self.zones[zone as usize].stamp, stamp) != stamp {
            for scope in &self.scopes.of_zone[zone as usize] {
                self.scopes.scopes[*scope as usize].stamp = stamp;
            }
        }
    }

    /// What is free of a shared GPU before and after; nothing while nobody shares it.
    fn share(&mut self, node: u32, gpu: u16, milli: u32, take: bool) -> (Option<u32>, Option<u32>) {
        let free = |used: u32| 1000_u32.saturating_sub(used);
        let before = self.shares.get(&(node, gpu)).copied();
        let used = before.unwrap_or(0);
        let used = if take { used + milli } else { used.saturating_sub(milli) };
        if used == 0 {
            self.shares.remove(&(node, gpu));
            return (before.map(free), None);
        }
        self.shares.insert((node, gpu), used);
        (before.map(free), Some(free(used)))
    }

    /// Whether a node belongs to a scope.
    pub(super) fn is_in(&self, node: u32, scope: &Scope) -> bool {
        let zone = self.nodes[node as usize].zone;
        scope.zones().any(|own| own == zone)
    }
    /// Free GPUs in a scope, thousandths.
    pub(super) fn free(&self, scope: &Scope) -> u64 {
        scope.zones().map(|zone| self.zones[zone as usize].free).sum()
    }
    /// The largest pod of whole GPUs that a node of the scope could take now.
    pub(super) fn pod_limit(&self, scope: &Scope) -> u32 {
        scope.zones().map(|zone| self.zones[zone as usize].most_free()).max().unwrap_or(0)
    }
    /// The largest gang of whole nodes and one remainder pod that could start now, racks ignored.
    pub(super) fn gang_limit(&self, scope: &Scope) -> u32 {
        let limit = |group: &Vec<u32>| {
            let zones = || group.iter().map(|zone| &self.zones[*zone as usize]);
            let whole: u32 = zones().map(ZoneLevel::whole_nodes).sum();
            let partly = zones().map(ZoneLevel::most_partly_free).max().unwrap_or(0);
            zones().next().map_or(0, |zone| whole * zone.gpus) + partly
        };
        scope.groups.iter().map(limit).max().unwrap_or(0)
    }
    /// The largest such gang that could start now inside one rack; racks are not cut by partitions.
    pub(super) fn rack_limit(&self, scope: &Scope) -> u32 {
        let most =
            |zone: u32| self.zones[zone as usize].racks_by_reach.last_key_value().map_or(0, |(n, _)| *n);
        scope.zones().map(most).max().unwrap_or(0)
    }

    /// How many pods of so many thousandths of a GPU a node could take now, up to `most`.
    pub(super) fn pods_on(&self, index: u32, request: &Request, milli: u32, most: u32) -> u32 {
        let node = &self.nodes[index as usize];
        if node.state != NodeState::Up {
            return 0;
        }
        let room = match milli {
            0 => most,
            1..1000 => {
                let shared = self.shares.range((index, 0)..=(index, u16::MAX));
                let shared: u32 = shared.map(|(_, used)| 1000_u32.saturating_sub(*used) / milli).sum();
                node.free.count_ones() * (1000 / milli) + shared
            }
            _ => node.free.count_ones() / milli.div_ceil(1000),
        };
        let host = |free: u32, each: u32| {
            if free == u32::MAX { most } else { free.checked_div(each).unwrap_or(most) }
        };
        let cpu = host(node.cpu_milli, request.cpu_milli);
        let memory = host(node.memory_mib, request.memory_mib);
        most.min(room).min(cpu).min(memory)
    }
}
