use super::bits::{BitTree, ones};
use super::{Cluster, Piece};
use std::ops::Range;
use std::sync::Arc;

/// CPU and memory of one pod; 0 where it does not ask for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Host {
    /// Thousandths of a core.
    pub cpu_milli: u32,
    /// MiB.
    pub memory_mib: u32,
}

impl Host {
    /// Whether the pod asks for neither.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.cpu_milli == 0 && self.memory_mib == 0
    }
}

/// What a cluster's domains are, in the flat arrays that every copy of an [`Occupancy`] shares.
#[derive(Debug)]
struct Layout {
    /// Every GPU of a node, as a mask.
    full: Vec<u64>,
    kind: Vec<u32>,
    /// GPUs a node, by kind.
    kind_gpus: Vec<u32>,
    rack: Vec<u32>,
    rack_nodes: Vec<Range<u32>>,
    /// Whether every rack has one node, so that racks mean nothing.
    flat: bool,
    /// Where a node's GPUs begin in a list of all GPUs.
    gpu_offset: Vec<u32>,
    /// The nodes of each scope, 64 a word.
    members: Vec<Vec<u64>>,
    /// The scopes that have a node in these 64.
    scopes_of_word: Vec<Vec<u32>>,
}

/// The free capacity of one scope, indexed for the questions placements ask.
#[derive(Debug, Clone)]
struct Index {
    /// By number of wholly free GPUs: the nodes that have exactly so many.
    by_free: Vec<BitTree>,
    /// For which numbers there is such a node, as a mask.
    some_free: u128,
    /// By kind: the nodes whose GPUs are all free.
    idle: Vec<BitTree>,
    /// By kind: how many those are.
    idle_count: Vec<u32>,
    /// By rack: how many those are.
    rack_idle: Vec<u32>,
    /// By kind and number of idle nodes: the racks that have exactly so many.
    racks_by_idle: Vec<Vec<BitTree>>,
    /// By kind: for which numbers there is such a rack, 64 a word.
    some_idle: Vec<Vec<u64>>,
    free_gpus: u32,
}

/// The one owner of free and used: who could hold what, now.
///
/// Jobs are placed within *scopes*: sets of nodes (a partition's nodes of some platforms) named when it is made.
/// Claiming what is not free, or releasing what is not held, is a bug of the caller and panics.
///
/// ```
/// use gigawatt::cluster::{Cluster, Host, NodeKind, Occupancy, Piece};
/// let cluster = Cluster::uniform(2, NodeKind { gpus: 8, ..NodeKind::default() });
/// let mut occupancy = Occupancy::new(&cluster, &[vec![0b11]]);
/// let piece = [Piece::Gpus { node: 1, mask: 0b111 }];
/// occupancy.claim(&piece, Host::default());
/// assert_eq!(occupancy.free_gpus(0), 13);
/// occupancy.release(&piece, Host::default());
/// assert_eq!(occupancy.free_gpus(0), 16);
/// ```
#[derive(Debug, Clone)]
pub struct Occupancy {
    layout: Arc<Layout>,
    /// Wholly free GPUs of each node.
    free: Vec<u64>,
    /// Free thousandths of each node, of whole and shared GPUs.
    free_milli: Vec<u32>,
    /// Free thousandths of each rack's nodes that take new pods.
    rack_free_milli: Vec<u32>,
    /// Thousandths that shares hold of each GPU.
    shared: Vec<u16>,
    /// GPUs of which shares hold some, but not all.
    split_gpus: u32,
    cpu_milli: Vec<u32>,
    memory_mib: Vec<u32>,
    /// Nodes that take new pods.
    up: Vec<u64>,
    indexes: Vec<Index>,
}

impl Occupancy {
    /// An empty cluster with every node up; `scopes` holds the nodes of each scope, 64 a word.
    #[must_use]
    pub fn new(cluster: &Cluster, scopes: &[Vec<u64>]) -> Self {
        let nodes = cluster.nodes();
        let words = (nodes as usize).div_ceil(64);
        let gpus = |node: u32| cluster.kind_of(node).gpus;
        let mut gpu_offset = Vec::with_capacity(nodes as usize + 1);
        let mut offset = 0;
        for node in 0..nodes {
            gpu_offset.push(offset);
            offset += gpus(node);
        }
        let layout = Layout {
            full: (0..nodes).map(|node| low_bits(gpus(node))).collect(),
            kind: (0..nodes).map(|node| cluster.racks[cluster.rack_of(node) as usize].kind).collect(),
            kind_gpus: cluster.kinds.iter().map(|kind| kind.gpus).collect(),
            rack: (0..nodes).map(|node| cluster.rack_of(node)).collect(),
            rack_nodes: cluster.racks.iter().map(|r| r.first_node..r.first_node + r.nodes).collect(),
            flat: cluster.racks.iter().all(|rack| rack.nodes == 1),
            gpu_offset,
            members: scopes.to_vec(),
            scopes_of_word: (0..words)
                .map(|word| (0u32..).zip(scopes).filter(|(_, s)| s[word] != 0).map(|(i, _)| i).collect())
                .collect(),
        };
        let full_milli = |node: u32| gpus(node) * 1000;
        let mut occupancy = Self {
            free: layout.full.clone(),
            free_milli: (0..nodes).map(full_milli).collect(),
            rack_free_milli: vec![0; cluster.racks.len()],
            shared: vec![0; offset as usize],
            split_gpus: 0,
            cpu_milli: (0..nodes).map(|node| cluster.kind_of(node).cpu_milli).collect(),
            memory_mib: (0..nodes).map(|node| cluster.kind_of(node).memory_mib).collect(),
            up: vec![0; words],
            indexes: scopes.iter().map(|_| Index::new(cluster, layout.flat)).collect(),
            layout: Arc::new(layout),
        };
        for node in 0..nodes {
            occupancy.set_up(node, true);
        }
        occupancy
    }

    /// Holds `pieces`, each pod of them with its `host` share.
    ///
    /// # Panics
    /// If any of it is not free.
    pub fn claim(&mut self, pieces: &[Piece], host: Host) {
        for piece in pieces {
            match *piece {
                Piece::Nodes { word, mask } => self.claim_nodes(word as usize, mask),
                Piece::Gpus { node, mask } => {
                    let free = self.free[node as usize];
                    assert!(mask & !free == 0, "a claimed GPU of node {node} is not free");
                    self.set_free(node as usize, free & !mask, mask.count_ones() * 1000, false);
                }
                Piece::Share { node, gpu, milli } => self.claim_share(node as usize, gpu, milli),
            }
            self.claim_host(*piece, host);
        }
    }

    /// Lets go of `pieces`.
    ///
    /// # Panics
    /// If any of it is not held.
    pub fn release(&mut self, pieces: &[Piece], host: Host) {
        for piece in pieces {
            match *piece {
                Piece::Nodes { word, mask } => self.release_nodes(word as usize, mask),
                Piece::Gpus { node, mask } => {
                    let free = self.free[node as usize];
                    let full = self.layout.full[node as usize];
                    assert!(
                        mask & free == 0 && mask & !full == 0,
                        "a released GPU of node {node} is not held"
                    );
                    self.set_free(node as usize, free | mask, mask.count_ones() * 1000, true);
                }
                Piece::Share { node, gpu, milli } => self.release_share(node as usize, gpu, milli),
            }
            self.release_host(*piece, host);
        }
    }

    /// Whether `pieces`, each pod with its `host` share, are free on nodes that take new pods.
    #[must_use]
    pub fn is_free(&self, pieces: &[Piece], host: Host) -> bool {
        let free = |piece: &Piece| match *piece {
            Piece::Nodes { word, mask } => {
                ones(mask, word as usize).all(|node| self.free[node] == self.layout.full[node])
            }
            Piece::Gpus { node, mask } => mask & !self.free[node as usize] == 0,
            Piece::Share { node, gpu, milli } => self
                .gpu_left(node as usize)
                .nth(usize::from(gpu))
                .is_some_and(|left| left >= u32::from(milli)),
        };
        let host_fits = |piece: &Piece| {
            piece.nodes().all(|node| self.is_up(node as usize) && self.host_pods(node as usize, host) > 0)
        };
        pieces.iter().all(|piece| free(piece) && host_fits(piece))
    }

    /// How many counters a ledger of this cluster has: see [`Occupancy::limited_to`].
    #[must_use]
    pub fn ledger_len(&self) -> usize {
        self.shared.len() + 2 * self.free.len()
    }

    /// A copy of an empty cluster in which only so much is left: a ledger of thousandths of each GPU, then of CPU
    /// thousandths and of MiB of each node; nothing is left below zero.
    ///
    /// # Panics
    /// If it is not empty, or `left` is not [`Occupancy::ledger_len`] long.
    #[must_use]
    pub fn limited_to(&self, left: &[i64]) -> Self {
        let mut limited = self.clone();
        let (gpus, host) = left.split_at(self.shared.len());
        let (cpu, memory) = host.split_at(self.free.len());
        for node in 0..self.free.len() {
            let range = self.gpu_range(node);
            let mut taken = 0_u64;
            for (gpu, left) in (0_u16..).zip(&gpus[range]) {
                match left {
                    ..=0 => taken |= 1 << gpu,
                    1..1000 => {
                        let held = 1000 - u16::try_from(*left).expect("below 1000");
                        limited.claim_share(node, gpu, held);
                    }
                    _ => {}
                }
            }
            if taken != 0 {
                let free = limited.free[node];
                limited.set_free(node, free & !taken, taken.count_ones() * 1000, false);
            }
            let least = |have: u32, left: i64| {
                if have == u32::MAX { have } else { u32::try_from(left.max(0)).unwrap_or(have).min(have) }
            };
            limited.cpu_milli[node] = least(self.cpu_milli[node], cpu[node]);
            limited.memory_mib[node] = least(self.memory_mib[node], memory[node]);
        }
        limited
    }

    /// The ledger of what is left in this occupancy on nodes that take new pods, nothing on the others.
    #[must_use]
    pub fn ledger(&self) -> Vec<i64> {
        let nodes = 0..self.free.len();
        let up = |node: usize, left: u32| if self.is_up(node) { i64::from(left) } else { 0 };
        let gpus = nodes.clone().flat_map(|node| self.gpu_left(node).map(move |left| up(node, left)));
        let cpu = nodes.clone().map(|node| up(node, self.cpu_milli[node]));
        gpus.chain(cpu).chain(nodes.map(|node| up(node, self.memory_mib[node]))).collect()
    }

    /// Calls `each` with every counter of a ledger that `pieces` touch, and by how much.
    pub fn for_each_counter(&self, pieces: &[Piece], host: Host, mut each: impl FnMut(usize, i64)) {
        for piece in pieces {
            match *piece {
                Piece::Nodes { word, mask } => {
                    ones(mask, word as usize)
                        .flat_map(|node| self.gpu_range(node))
                        .for_each(|gpu| each(gpu, 1000));
                }
                Piece::Gpus { node, mask } => {
                    let offset = self.layout.gpu_offset[node as usize] as usize;
                    ones(mask, 0).for_each(|gpu| each(offset + gpu, 1000));
                }
                Piece::Share { node, gpu, milli } => {
                    each(self.layout.gpu_offset[node as usize] as usize + usize::from(gpu), i64::from(milli));
                }
            }
            if !host.is_none() {
                for node in piece.nodes() {
                    let cpu = self.shared.len() + node as usize;
                    each(cpu, i64::from(host.cpu_milli));
                    each(cpu + self.free.len(), i64::from(host.memory_mib));
                }
            }
        }
    }

    fn gpu_range(&self, node: usize) -> Range<usize> {
        let offset = self.layout.gpu_offset[node] as usize;
        offset..offset + self.layout.full[node].count_ones() as usize
    }

    /// Lets a node take new pods, or no longer; what it holds is kept.
    pub fn set_up(&mut self, node: u32, up: bool) {
        let node = node as usize;
        if self.is_up(node) == up {
            return;
        }
        let (old, new) = if up { (None, Some(self.free[node])) } else { (Some(self.free[node]), None) };
        self.reindex(node, old, new);
        self.up[node >> 6] ^= 1 << (node & 63);
        let rack = &mut self.rack_free_milli[self.layout.rack[node] as usize];
        *rack = if up { *rack + self.free_milli[node] } else { *rack - self.free_milli[node] };
    }

    fn claim_nodes(&mut self, word: usize, mask: u64) {
        self.index_nodes(word, mask & self.up[word], false);
        for node in ones(mask, word) {
            let full = self.layout.full[node];
            assert!(self.free[node] == full && full != 0, "claimed node {node} is not wholly free");
            self.free[node] = 0;
            self.free_milli[node] = 0;
            if self.is_up(node) {
                self.rack_free_milli[self.layout.rack[node] as usize] -= full.count_ones() * 1000;
            }
        }
    }

    fn release_nodes(&mut self, word: usize, mask: u64) {
        for node in ones(mask, word) {
            let full = self.layout.full[node];
            assert!(self.free_milli[node] == 0, "released node {node} is not wholly held");
            self.free[node] = full;
            self.free_milli[node] = full.count_ones() * 1000;
            if self.is_up(node) {
                self.rack_free_milli[self.layout.rack[node] as usize] += full.count_ones() * 1000;
            }
        }
        self.index_nodes(word, mask & self.up[word], true);
    }

    /// Whole nodes leave or enter the indexes, 64 at a time.
    fn index_nodes(&mut self, word: usize, mask: u64, free: bool) {
        let layout = &*self.layout;
        for &scope in &layout.scopes_of_word[word] {
            let mut left = mask & layout.members[scope as usize][word];
            if left == 0 {
                continue;
            }
            let node = word << 6 | left.trailing_zeros() as usize;
            let gpus = layout.full[node].count_ones();
            let index = &mut self.indexes[scope as usize];
            index.move_nodes(layout.kind[node] as usize, gpus, word, left, free);
            while !layout.flat && left != 0 {
                let node = word << 6 | left.trailing_zeros() as usize;
                let rack = layout.rack[node];
                let end = layout.rack_nodes[rack as usize].end as usize - (word << 6);
                let here = left & if end < 64 { (1 << end) - 1 } else { u64::MAX };
                index.move_rack(layout.kind[node] as usize, rack as usize, here.count_ones(), free);
                left &= !here;
            }
        }
    }

    fn set_free(&mut self, node: usize, new: u64, milli: u32, more: bool) {
        let old = std::mem::replace(&mut self.free[node], new);
        self.change_milli(node, milli, more);
        if self.is_up(node) && old != new {
            self.reindex(node, Some(old), Some(new));
        }
    }

    fn change_milli(&mut self, node: usize, milli: u32, more: bool) {
        let up = self.is_up(node);
        let rack = &mut self.rack_free_milli[self.layout.rack[node] as usize];
        let in_rack = if up { milli } else { 0 };
        if more {
            self.free_milli[node] += milli;
            *rack += in_rack;
        } else {
            self.free_milli[node] -= milli;
            *rack -= in_rack;
        }
    }

    /// One node's wholly free GPUs change; `None` stands for a node that takes no pods.
    fn reindex(&mut self, node: usize, old: Option<u64>, new: Option<u64>) {
        let layout = &*self.layout;
        let full = layout.full[node];
        let (word, bit) = (node >> 6, 1 << (node & 63));
        let idle = |free: Option<u64>| free == Some(full) && full != 0;
        for &scope in &layout.scopes_of_word[word] {
            if layout.members[scope as usize][word] & bit == 0 {
                continue;
            }
            let index = &mut self.indexes[scope as usize];
            let kind = layout.kind[node] as usize;
            for (free, enters) in [(old, false), (new, true)] {
                let Some(free) = free else { continue };
                if idle(Some(free)) {
                    index.move_nodes(kind, full.count_ones(), word, bit, enters);
                    if !layout.flat {
                        index.move_rack(kind, layout.rack[node] as usize, 1, enters);
                    }
                } else {
                    index.move_free(free.count_ones(), word, bit, enters);
                }
            }
        }
    }

    fn claim_share(&mut self, node: usize, gpu: u16, milli: u16) {
        let place = self.layout.gpu_offset[node] as usize + usize::from(gpu);
        let old = self.shared[place];
        let bit = 1 << gpu;
        assert!(old > 0 || self.free[node] & bit != 0, "GPU {gpu} of node {node} is held whole");
        assert!(u32::from(old) + u32::from(milli) <= 1000, "GPU {gpu} of node {node} has too little left");
        self.shared[place] = old + milli;
        self.split_gpus += u32::from(old == 0);
        self.split_gpus -= u32::from(old + milli == 1000);
        self.set_free(node, self.free[node] & !bit, u32::from(milli), false);
    }

    fn release_share(&mut self, node: usize, gpu: u16, milli: u16) {
        let place = self.layout.gpu_offset[node] as usize + usize::from(gpu);
        let old = self.shared[place];
        assert!(old >= milli && milli > 0, "GPU {gpu} of node {node} is not shared by so much");
        self.shared[place] = old - milli;
        self.split_gpus += u32::from(old == 1000);
        self.split_gpus -= u32::from(old == milli);
        let bit = u64::from(old == milli) << gpu;
        self.set_free(node, self.free[node] | bit, u32::from(milli), true);
    }

    fn claim_host(&mut self, piece: Piece, host: Host) {
        if host.is_none() {
            return;
        }
        for node in piece.nodes() {
            assert!(self.host_pods(node as usize, host) > 0, "node {node} lacks CPU or memory");
            for (left, used) in [
                (&mut self.cpu_milli[node as usize], host.cpu_milli),
                (&mut self.memory_mib[node as usize], host.memory_mib),
            ] {
                if *left != u32::MAX {
                    *left -= used;
                }
            }
        }
    }

    fn release_host(&mut self, piece: Piece, host: Host) {
        if host.is_none() {
            return;
        }
        for node in piece.nodes() {
            for (left, used) in [
                (&mut self.cpu_milli[node as usize], host.cpu_milli),
                (&mut self.memory_mib[node as usize], host.memory_mib),
            ] {
                if *left != u32::MAX {
                    *left += used;
                }
            }
        }
    }
}

/// What can be asked of one node, rack or scope.
impl Occupancy {
    /// How many scopes there are.
    #[must_use]
    pub const fn scopes(&self) -> usize {
        self.indexes.len()
    }
    /// Whether every rack has one node, so that racks mean nothing.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.layout.flat
    }
    /// Whether shares hold a part of some GPU: then free thousandths and wholly free GPUs tell different things.
    #[must_use]
    pub const fn has_split_gpus(&self) -> bool {
        self.split_gpus > 0
    }
    /// Whether a node takes new pods.
    #[must_use]
    pub fn is_up(&self, node: usize) -> bool {
        self.up[node >> 6] >> (node & 63) & 1 == 1
    }
    /// The wholly free GPUs of a node, as a mask.
    #[must_use]
    pub fn free_mask(&self, node: usize) -> u64 {
        self.free[node]
    }
    /// The GPUs of a node, as a mask.
    #[must_use]
    pub fn full_mask(&self, node: usize) -> u64 {
        self.layout.full[node]
    }
    /// The free thousandths of a node.
    #[must_use]
    pub fn free_milli(&self, node: usize) -> u32 {
        self.free_milli[node]
    }
    /// The free thousandths of a rack's nodes that take new pods.
    #[must_use]
    pub fn rack_free_milli(&self, rack: usize) -> u32 {
        self.rack_free_milli[rack]
    }
    /// The kind of a node.
    #[must_use]
    pub fn kind(&self, node: usize) -> u32 {
        self.layout.kind[node]
    }
    /// How many kinds of nodes there are.
    #[must_use]
    pub fn kinds(&self) -> u32 {
        u32::try_from(self.layout.kind_gpus.len()).expect("kinds are few")
    }
    /// GPUs a node of a kind.
    #[must_use]
    pub fn kind_gpus(&self, kind: u32) -> u32 {
        self.layout.kind_gpus[kind as usize]
    }
    /// The rack of a node.
    #[must_use]
    pub fn rack(&self, node: usize) -> u32 {
        self.layout.rack[node]
    }
    /// The nodes of a rack.
    #[must_use]
    pub fn rack_nodes(&self, rack: usize) -> Range<u32> {
        self.layout.rack_nodes[rack].clone()
    }
    /// How many nodes there are.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.free.len()
    }
    /// How many racks there are.
    #[must_use]
    pub fn racks(&self) -> usize {
        self.layout.rack_nodes.len()
    }
    /// The GPU of a node that has the least left of those with `milli` thousandths, ties to the lowest.
    #[must_use]
    pub fn share_gpu(&self, node: usize, milli: u32) -> Option<u32> {
        let offset = self.layout.gpu_offset[node] as usize;
        let left = |gpu: u32| match self.shared[offset + gpu as usize] {
            0 => (self.free[node] >> gpu & 1) as u32 * 1000,
            used => 1000 - u32::from(used),
        };
        (0..self.layout.full[node].count_ones())
            .filter(|gpu| left(*gpu) >= milli)
            .min_by_key(|gpu| (left(*gpu), *gpu))
    }
    /// The free thousandths of each GPU of a node, in order.
    pub fn gpu_left(&self, node: usize) -> impl Iterator<Item = u32> + '_ {
        let offset = self.layout.gpu_offset[node] as usize;
        (0..self.layout.full[node].count_ones()).map(move |gpu| match self.shared[offset + gpu as usize] {
            0 => (self.free[node] >> gpu & 1) as u32 * 1000,
            used => 1000 - u32::from(used),
        })
    }
    /// For how many pods of `host` a node has CPU and memory left.
    #[must_use]
    pub fn host_pods(&self, node: usize, host: Host) -> u32 {
        let pods = |left: u32, used: u32| {
            if left == u32::MAX { u32::MAX } else { left.checked_div(used).unwrap_or(u32::MAX) }
        };
        pods(self.cpu_milli[node], host.cpu_milli).min(pods(self.memory_mib[node], host.memory_mib))
    }
    /// The nodes of a scope that take new pods, ascending.
    pub fn nodes_of(&self, scope: usize) -> impl Iterator<Item = usize> + '_ {
        let members = &self.layout.members[scope];
        members.iter().zip(&self.up).enumerate().flat_map(|(word, (member, up))| ones(member & up, word))
    }
    /// Whether a node belongs to a scope.
    #[must_use]
    pub fn in_scope(&self, scope: usize, node: usize) -> bool {
        self.layout.members[scope][node >> 6] >> (node & 63) & 1 == 1
    }
    /// The wholly free GPUs of a scope's nodes that take new pods.
    #[must_use]
    pub fn free_gpus(&self, scope: usize) -> u32 {
        self.indexes[scope].free_gpus
    }
    /// The nodes of a scope with exactly `gpus` wholly free GPUs: the lowest.
    #[must_use]
    #[inline]
    pub fn first_with_free(&self, scope: usize, gpus: u32) -> Option<usize> {
        self.indexes[scope].by_free[gpus as usize].first()
    }
    /// For which numbers, from `least` up, a scope has a node with exactly so many wholly free GPUs; as a mask.
    #[must_use]
    #[inline]
    pub fn free_counts(&self, scope: usize, least: u32) -> u128 {
        if least >= 128 {
            return 0;
        }
        self.indexes[scope].some_free & (u128::MAX << least)
    }
    /// How many nodes of a kind are idle in a scope.
    #[must_use]
    #[inline]
    pub fn idle(&self, scope: usize, kind: usize) -> u32 {
        self.indexes[scope].idle_count[kind]
    }
    /// Which nodes of a kind are idle in a scope, 64 a word.
    #[must_use]
    pub fn idle_words(&self, scope: usize, kind: usize) -> &[u64] {
        self.indexes[scope].idle[kind].words()
    }
    /// The least node of a kind that is idle in a scope.
    #[must_use]
    pub fn first_idle(&self, scope: usize, kind: usize) -> Option<usize> {
        self.indexes[scope].idle[kind].first()
    }
    /// How many nodes of a rack are idle in a scope; 0 on a flat cluster, which keeps no count.
    #[must_use]
    pub fn rack_idle(&self, scope: usize, rack: usize) -> u32 {
        self.indexes[scope].rack_idle[rack]
    }
    /// The most nodes a rack of a kind has.
    #[must_use]
    pub fn most_idle(&self, scope: usize, kind: usize) -> usize {
        self.indexes[scope].racks_by_idle[kind].len().saturating_sub(1)
    }
    /// The least number, from `least` up, for which a scope has a rack of a kind with exactly so many idle nodes.
    #[must_use]
    #[inline]
    pub fn next_idle_count(&self, scope: usize, kind: usize, least: usize) -> Option<usize> {
        let words = &self.indexes[scope].some_idle[kind];
        let mut index = least >> 6;
        let mut word = words.get(index)? & (u64::MAX << (least & 63));
        while word == 0 {
            index += 1;
            word = *words.get(index)?;
        }
        Some(index << 6 | word.trailing_zeros() as usize)
    }
    /// The racks of a kind with exactly `idle` idle nodes in a scope, ascending.
    pub fn racks_with_idle(
        &self,
        scope: usize,
        kind: usize,
        idle: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        self.indexes[scope].racks_by_idle[kind][idle].iter()
    }
    /// The least rack of a kind with exactly `idle` idle nodes in a scope.
    #[must_use]
    #[inline]
    pub fn first_rack_with_idle(&self, scope: usize, kind: usize, idle: usize) -> Option<usize> {
        self.indexes[scope].racks_by_idle[kind][idle].first()
    }
}

impl Index {
    fn new(cluster: &Cluster, flat: bool) -> Self {
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
        let some_idle = |counts: &Vec<BitTree>| {
            let mut words = vec![0; counts.len() / 64 + 1];
            words[0] = u64::from(counts.first().is_some_and(|racks| !racks.is_empty()));
            words
        };
        Self {
            by_free: vec![BitTree::new(nodes); most_gpus as usize + 1],
            some_free: 0,
            some_idle: racks_by_idle.iter().map(some_idle).collect(),
            idle: vec![BitTree::new(nodes); cluster.kinds.len()],
            idle_count: vec![0; cluster.kinds.len()],
            rack_idle: vec![0; cluster.racks.len()],
            racks_by_idle,
            free_gpus: 0,
        }
    }

    /// Idle nodes of one kind leave or enter.
    #[inline]
    fn move_nodes(&mut self, kind: usize, gpus: u32, word: usize, mask: u64, enter: bool) {
        let count = mask.count_ones();
        if enter {
            self.idle[kind].insert_mask(word, mask);
            self.idle_count[kind] += count;
        } else {
            self.idle[kind].remove_mask(word, mask);
            self.idle_count[kind] -= count;
        }
        self.move_free(gpus, word, mask, enter);
    }

    /// Nodes with `gpus` free GPUs each leave or enter.
    #[inline]
    fn move_free(&mut self, gpus: u32, word: usize, mask: u64, enter: bool) {
        let nodes = &mut self.by_free[gpus as usize];
        if enter {
            nodes.insert_mask(word, mask);
            self.some_free |= 1 << gpus;
            self.free_gpus += mask.count_ones() * gpus;
        } else {
            nodes.remove_mask(word, mask);
            if nodes.is_empty() {
                self.some_free &= !(1 << gpus);
            }
            self.free_gpus -= mask.count_ones() * gpus;
        }
    }

    /// A rack's idle nodes become more or fewer by `count`.
    #[inline]
    fn move_rack(&mut self, kind: usize, rack: usize, count: u32, more: bool) {
        let old = self.rack_idle[rack];
        let new = if more { old + count } else { old - count };
        self.rack_idle[rack] = new;
        let (old, new) = (old as usize, new as usize);
        let racks = &mut self.racks_by_idle[kind];
        racks[old].remove(rack);
        racks[new].insert(rack);
        let some = &mut self.some_idle[kind];
        if racks[old].is_empty() {
            some[old >> 6] &= !(1 << (old & 63));
        }
        some[new >> 6] |= 1 << (new & 63);
    }
}

/// The `count` lowest bits.
const fn low_bits(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}
