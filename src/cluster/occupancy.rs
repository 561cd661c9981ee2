mod index;
mod ledger;
mod query;
mod shares;
#[cfg(test)]
mod tests;
mod withheld;

use super::bits::ones;
use super::{Cluster, Piece};
use index::Index;
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
    /// By level, the racks of each domain.
    levels: Vec<Vec<Range<u32>>>,
    /// Whether every rack has one node, so that racks mean nothing.
    flat: bool,
    /// Where a node's GPUs begin in a list of all GPUs.
    gpu_offset: Vec<u32>,
    /// How many sizes pods that hold a part of a node may have: a share, and up to the GPUs of the largest node.
    pod_sizes: usize,
    /// The nodes of each scope, 64 a word.
    members: Vec<Vec<u64>>,
    /// The scopes that have a node in these 64.
    scopes_of_word: Vec<Vec<u32>>,
}

impl Layout {
    /// The nodes of a word that have a GPU.
    fn with_gpus(&self, word: usize) -> u64 {
        let nodes = self.full[word << 6..].iter().take(64).enumerate();
        nodes.map(|(bit, full)| u64::from(*full != 0) << bit).sum()
    }

    /// Calls `each` with every rack of which `mask` has nodes, and these.
    #[inline]
    fn each_rack(&self, word: usize, mut mask: u64, mut each: impl FnMut(usize, u64)) {
        while mask != 0 {
            let rack = self.rack[word << 6 | mask.trailing_zeros() as usize] as usize;
            let end = self.rack_nodes[rack].end as usize - (word << 6);
            let here = mask & low_bits(end);
            each(rack, here);
            mask &= !here;
        }
    }
}

/// The one owner of free and used: what jobs could hold now.
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
    /// Nodes of which nothing is held, those without a GPU aside; 64 a word.
    untouched: Vec<u64>,
    /// Nodes held as a whole, 64 a word: so that a gang is claimed 64 nodes at a time.
    taken: Vec<u64>,
    /// Wholly free GPUs of each node, as if no node were held as a whole.
    free: Vec<u64>,
    /// Free thousandths of each node, of whole and shared GPUs, as if no node were held as a whole.
    free_milli: Vec<u32>,
    /// Free thousandths of each rack's nodes that take new pods; on a flat cluster not kept.
    rack_free_milli: Vec<u32>,
    /// Thousandths that shares hold of each GPU.
    shared: Vec<u16>,
    /// GPUs of which shares hold some, but not all.
    split_gpus: u32,
    cpu_milli: Vec<u32>,
    memory_mib: Vec<u32>,
    /// How many pods each node hosts that hold a part of it, by their GPUs: shares first. See [`Occupancy::pods_on`].
    pods: Vec<u16>,
    /// Nodes that take new pods.
    up: Vec<u64>,
    /// Nodes that would take new pods, were they not withheld: to what costs they count as if they did.
    withheld: Vec<u64>,
    indexes: Vec<Index>,
}

impl Occupancy {
    /// An empty cluster with every node up; `scopes` holds the nodes of each scope, 64 a word.
    #[must_use]
    pub fn new(cluster: &Cluster, scopes: &[Vec<u64>]) -> Self {
        let nodes = cluster.nodes();
        let racks = u32::try_from(cluster.racks.len()).expect("racks are no more than nodes");
        let words = (nodes as usize).div_ceil(64);
        let gpus = |node: u32| cluster.kind_of(node).gpus;
        let mut gpu_offset = Vec::with_capacity(nodes as usize + 1);
        let mut offset = 0;
        for node in 0..nodes {
            gpu_offset.push(offset);
            offset += gpus(node);
        }
        let layout = Layout {
            full: (0..nodes).map(|node| low_bits(gpus(node) as usize)).collect(),
            kind: (0..nodes).map(|node| cluster.racks[cluster.rack_of(node) as usize].kind).collect(),
            kind_gpus: cluster.kinds.iter().map(|kind| kind.gpus).collect(),
            rack: (0..nodes).map(|node| cluster.rack_of(node)).collect(),
            rack_nodes: cluster.racks.iter().map(|r| r.first_node..r.first_node + r.nodes).collect(),
            levels: cluster.levels.iter().map(|level| level.domains(racks)).collect(),
            flat: cluster.racks.iter().all(|rack| rack.nodes == 1),
            gpu_offset,
            pod_sizes: cluster.kinds.iter().map(|kind| kind.gpus as usize + 1).max().unwrap_or(1),
            members: scopes.to_vec(),
            scopes_of_word: (0..words)
                .map(|word| (0u32..).zip(scopes).filter(|(_, s)| s[word] != 0).map(|(i, _)| i).collect())
                .collect(),
        };
        let full_milli = |node: u32| gpus(node) * 1000;
        let mut occupancy = Self {
            untouched: (0..words).map(|word| layout.with_gpus(word)).collect(),
            taken: vec![0; words],
            free: layout.full.clone(),
            free_milli: (0..nodes).map(full_milli).collect(),
            rack_free_milli: vec![0; cluster.racks.len()],
            shared: vec![0; offset as usize],
            split_gpus: 0,
            cpu_milli: (0..nodes).map(|node| cluster.kind_of(node).cpu_milli).collect(),
            memory_mib: (0..nodes).map(|node| cluster.kind_of(node).memory_mib).collect(),
            pods: vec![0; nodes as usize * layout.pod_sizes],
            up: vec![0; words],
            withheld: vec![0; words],
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
                Piece::Gpus { mask: 0, .. } => {}
                Piece::Gpus { node, mask } => {
                    let free = self.free_mask(node as usize);
                    assert!(mask & !free == 0, "a claimed GPU of node {node} is not free");
                    self.set_free(node as usize, free & !mask, mask.count_ones() * 1000, false);
                    *self.pods_of(node, mask.count_ones()) += 1;
                }
                Piece::Share { node, gpu, milli } => {
                    self.claim_share(node as usize, gpu, milli);
                    *self.pods_of(node, 0) += 1;
                }
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
                Piece::Gpus { mask: 0, .. } => {}
                Piece::Gpus { node, mask } => {
                    let free = self.free[node as usize];
                    let full = self.layout.full[node as usize];
                    let held = mask & free == 0 && mask & !full == 0 && !self.is_taken(node as usize);
                    assert!(held, "a released GPU of node {node} is not held");
                    self.set_free(node as usize, free | mask, mask.count_ones() * 1000, true);
                    *self.pods_of(node, mask.count_ones()) -= 1;
                }
                Piece::Share { node, gpu, milli } => {
                    self.release_share(node as usize, gpu, milli);
                    *self.pods_of(node, 0) -= 1;
                }
            }
            self.release_host(*piece, host);
        }
    }

    /// Whether `pieces`, each pod with its `host` share, are free on nodes that take new pods.
    #[must_use]
    pub fn is_free(&self, pieces: &[Piece], host: Host) -> bool {
        let free = |piece: &Piece| match *piece {
            Piece::Nodes { word, mask } => {
                mask & !self.untouched[word as usize] == 0 && mask & !self.up[word as usize] == 0
            }
            Piece::Gpus { node, mask } => {
                mask & !self.free_mask(node as usize) == 0 && self.is_up(node as usize)
            }
            Piece::Share { node, gpu, milli } => {
                let left = self.gpu_left(node as usize).nth(usize::from(gpu));
                left.is_some_and(|left| left >= u32::from(milli)) && self.is_up(node as usize)
            }
        };
        let host_fits = |piece: &Piece| {
            host.is_none() || piece.nodes().all(|node| self.host_pods(node as usize, host) > 0)
        };
        pieces.iter().all(|piece| free(piece) && host_fits(piece))
    }

    /// Lets a node take new pods, or no longer; what it holds is kept.
    pub fn set_up(&mut self, node: u32, up: bool) {
        let node = node as usize;
        if self.is_up(node) == up {
            return;
        }
        let free = self.free_mask(node);
        let (old, new) = if up { (None, Some(free)) } else { (Some(free), None) };
        self.reindex(node, old, new);
        self.count_split(node, |split, own| if up { split + own } else { split - own });
        self.up[node >> 6] ^= 1 << (node & 63);
        if !self.layout.flat {
            let milli = self.free_milli(node);
            let rack = &mut self.rack_free_milli[self.layout.rack[node] as usize];
            *rack = if up { *rack + milli } else { *rack - milli };
        }
    }

    fn pods_of(&mut self, node: u32, gpus: u32) -> &mut u16 {
        &mut self.pods[node as usize * self.layout.pod_sizes + gpus as usize]
    }

    fn claim_nodes(&mut self, word: usize, mask: u64) {
        let held = mask & !self.untouched[word];
        assert!(held == 0, "claimed node {} is not wholly free", word << 6 | held.trailing_zeros() as usize);
        self.untouched[word] &= !mask;
        self.taken[word] |= mask;
        self.index_nodes::<false>(word, mask & self.up[word]);
        self.count_withheld::<false>(word, mask);
    }

    fn release_nodes(&mut self, word: usize, mask: u64) {
        let free = mask & !self.taken[word];
        assert!(free == 0, "released node {} is not wholly held", word << 6 | free.trailing_zeros() as usize);
        self.taken[word] &= !mask;
        self.untouched[word] |= mask;
        self.index_nodes::<true>(word, mask & self.up[word]);
        self.count_withheld::<true>(word, mask);
    }

    /// Whole nodes of one kind enter or leave the indexes and what their racks have free, 64 at a time.
    #[inline]
    fn index_nodes<const ENTER: bool>(&mut self, word: usize, mask: u64) {
        if mask == 0 {
            return;
        }
        let layout = &*self.layout;
        let kind = layout.kind[word << 6 | mask.trailing_zeros() as usize] as usize;
        if !layout.flat {
            layout.each_rack(word, mask, |rack, nodes| {
                let milli = nodes.count_ones() * layout.kind_gpus[kind] * 1000;
                let rack = &mut self.rack_free_milli[rack];
                *rack = if ENTER { *rack + milli } else { *rack - milli };
            });
        }
        self.index_kind::<ENTER>(kind, word, mask);
    }

    /// Idle nodes of one kind enter or leave the indexes.
    #[inline]
    fn index_kind<const ENTER: bool>(&mut self, kind: usize, word: usize, mask: u64) {
        let layout = &*self.layout;
        let gpus = layout.kind_gpus[kind];
        for &scope in &layout.scopes_of_word[word] {
            let mask = mask & layout.members[scope as usize][word];
            let index = &mut self.indexes[scope as usize];
            index.move_nodes::<ENTER>(kind, gpus, word, mask);
            if !layout.flat {
                layout.each_rack(word, mask, |rack, nodes| {
                    index.move_rack::<ENTER>(kind, rack, nodes.count_ones());
                });
            }
        }
    }

    fn set_free(&mut self, node: usize, new: u64, milli: u32, more: bool) {
        let old = std::mem::replace(&mut self.free[node], new);
        self.change_milli(node, milli, more);
        let untouched = u64::from(new == self.layout.full[node] && new != 0);
        let word = &mut self.untouched[node >> 6];
        *word = *word & !(1 << (node & 63)) | untouched << (node & 63);
        if self.is_up(node) && old != new {
            self.reindex(node, Some(old), Some(new));
        }
    }

    fn change_milli(&mut self, node: usize, milli: u32, more: bool) {
        let up = self.counts(node) && !self.layout.flat;
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
        let idle = |free: u64| free == full && full != 0;
        for &scope in &layout.scopes_of_word[word] {
            if layout.members[scope as usize][word] & bit == 0 {
                continue;
            }
            let index = &mut self.indexes[scope as usize];
            let (kind, rack) = (layout.kind[node] as usize, layout.rack[node] as usize);
            let rack = (!layout.flat).then_some(rack);
            match old {
                Some(free) if idle(free) => {
                    index.move_node::<false>(kind, full.count_ones(), word, bit, rack);
                }
                Some(free) => index.move_part::<false>(free.count_ones(), word, bit),
                None => {}
            }
            match new {
                Some(free) if idle(free) => index.move_node::<true>(kind, full.count_ones(), word, bit, rack),
                Some(free) => index.move_part::<true>(free.count_ones(), word, bit),
                None => {}
            }
        }
    }
}

/// The `count` lowest bits.
const fn low_bits(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}
