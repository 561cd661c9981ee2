//! The free capacity of one scope, in sets that answer what placements ask.

use crate::cluster::Cluster;
use crate::cluster::bits::BitTree;

/// The free capacity of one scope, indexed for the questions placements ask.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// By number of wholly free GPUs: the nodes, idle ones aside, that have exactly so many.
    pub(super) part_by_free: Vec<BitTree>,
    /// For which numbers there is such a node, as a mask.
    pub(super) some_part: u128,
    /// By kind: the nodes whose GPUs are all free.
    pub(super) idle: Vec<BitTree>,
    /// By kind: how many those are.
    pub(super) idle_count: Vec<u32>,
    /// With how many GPUs there is such a node, as a mask.
    pub(super) some_idle: u128,
    /// By rack: how many those are.
    pub(super) rack_idle: Vec<u32>,
    /// By kind and number of idle nodes: the racks that have exactly so many.
    pub(super) racks_by_idle: Vec<Vec<BitTree>>,
    /// By kind: for which numbers there is such a rack, 64 a word.
    pub(super) some_racks: Vec<Vec<u64>>,
    pub(super) free_gpus: u32,
    /// Thousandths left of GPUs that shares hold a part of.
    pub(super) split_milli: u64,
    kind_gpus: Vec<u32>,
}

impl Index {
    pub(super) fn new(cluster: &Cluster, flat: bool) -> Self {
        let nodes = cluster.nodes() as usize;
        let most_gpus = cluster.kinds.iter().map(|kind| kind.gpus).max().unwrap_or_default();
        let most_nodes = |kind: usize| {
            let of_kind = cluster.racks.iter().filter(|rack| rack.kind as usize == kind);
            of_kind.map(|rack| rack.nodes as usize).max().unwrap_or_default()
        };
        let racks = if flat { 0 } else { cluster.racks.len() };
        let mut racks_by_idle: Vec<Vec<BitTree>> = Vec::new();
        for kind in 0..cluster.kinds.len() {
            let counts = if flat { 0 } else { most_nodes(kind) + 1 };
            racks_by_idle.push(vec![BitTree::new(racks); counts]);
        }
        for (index, rack) in cluster.racks.iter().enumerate().take(racks) {
            racks_by_idle[rack.kind as usize][0].insert(index);
        }
        let some_racks = |counts: &Vec<BitTree>| {
            let mut words = vec![0; counts.len() / 64 + 1];
            words[0] = u64::from(counts.first().is_some_and(|racks| !racks.is_empty()));
            words
        };
        Self {
            part_by_free: vec![BitTree::new(nodes); most_gpus as usize + 1],
            some_part: 0,
            some_idle: 0,
            kind_gpus: cluster.kinds.iter().map(|kind| kind.gpus).collect(),
            some_racks: racks_by_idle.iter().map(some_racks).collect(),
            idle: vec![BitTree::new(nodes); cluster.kinds.len()],
            idle_count: vec![0; cluster.kinds.len()],
            rack_idle: vec![0; cluster.racks.len()],
            racks_by_idle,
            free_gpus: 0,
            split_milli: 0,
        }
    }

    /// Idle nodes of one kind, with `gpus` GPUs each, leave or enter.
    #[inline]
    pub(super) fn move_nodes<const ENTER: bool>(&mut self, kind: usize, gpus: u32, word: usize, mask: u64) {
        let count = mask.count_ones();
        if ENTER {
            self.idle[kind].insert_mask(word, mask);
            self.idle_count[kind] += count;
            self.free_gpus += count * gpus;
            self.some_idle |= u128::from(mask != 0) << gpus;
        } else {
            self.idle[kind].remove_mask(word, mask);
            self.idle_count[kind] -= count;
            self.free_gpus -= count * gpus;
            if self.idle_count[kind] == 0 {
                let idle = self.kind_gpus.iter().zip(&self.idle_count).filter(|(_, idle)| **idle > 0);
                self.some_idle = idle.fold(0, |some, (gpus, _)| some | 1 << gpus);
            }
        }
    }

    /// One idle node leaves or enters, in a rack unless the cluster is flat.
    pub(super) fn move_node<const ENTER: bool>(
        &mut self,
        kind: usize,
        gpus: u32,
        word: usize,
        bit: u64,
        rack: Option<usize>,
    ) {
        self.move_nodes::<ENTER>(kind, gpus, word, bit);
        if let Some(rack) = rack {
            self.move_rack::<ENTER>(kind, rack, 1);
        }
    }

    /// Nodes that are not idle, with `gpus` free GPUs each, leave or enter; those without one are in no set.
    #[inline]
    pub(super) fn move_part<const ENTER: bool>(&mut self, gpus: u32, word: usize, mask: u64) {
        if gpus == 0 {
            return;
        }
        let nodes = &mut self.part_by_free[gpus as usize];
        if ENTER {
            nodes.insert_mask(word, mask);
            self.some_part |= 1 << gpus;
            self.free_gpus += mask.count_ones() * gpus;
        } else {
            nodes.remove_mask(word, mask);
            if nodes.is_empty() {
                self.some_part &= !(1 << gpus);
            }
            self.free_gpus -= mask.count_ones() * gpus;
        }
    }

    /// A rack's idle nodes become more or fewer by `count`.
    #[inline]
    pub(super) fn move_rack<const MORE: bool>(&mut self, kind: usize, rack: usize, count: u32) {
        let old = self.rack_idle[rack];
        let new = if MORE { old + count } else { old - count };
        self.rack_idle[rack] = new;
        let (old, new) = (old as usize, new as usize);
        let racks = &mut self.racks_by_idle[kind];
        racks[old].remove(rack);
        racks[new].insert(rack);
        let some = &mut self.some_racks[kind];
        if racks[old].is_empty() {
            some[old >> 6] &= !(1 << (old & 63));
        }
        some[new >> 6] |= 1 << (new & 63);
    }
}
