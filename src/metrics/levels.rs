//! How many GPUs are available and free at one instant of a replay, and on what.

use super::blocks::Blocks;
use crate::cluster::{Cluster, NodeState};
use crate::history::Piece;
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
    /// How broken up the racks are, taken as blocks, in nodes; 0 where they are none. See [`Blocks`].
    pub(super) broken_up: u64,
    /// The part of `free` in racks whose nodes, as far as they are up, are wholly free.
    pub(super) free_on_whole_racks: u64,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Bit `g`: GPU `g` is wholly free.
    free: u64,
    full: u64,
    /// Thousandths: free on GPUs that are shared, free on all, and all.
    shared: u32,
    free_milli: u64,
    full_milli: u64,
    rack: u32,
    state: NodeState,
}

impl Node {
    fn new(gpus: u32, rack: u32) -> Self {
        let full = u64::MAX.checked_shr(64 - gpus).unwrap_or(0);
        let milli = u64::from(gpus) * 1000;
        let state = NodeState::Absent;
        Self { free: full, full, shared: 0, free_milli: milli, full_milli: milli, rack, state }
    }
    /// Whether no GPU is in use; a node without GPUs has none to give.
    const fn is_whole(&self) -> bool {
        self.free == self.full && self.full != 0
    }
    const fn is_available(&self) -> bool {
        self.state.is_there()
    }
}

/// The nodes of a rack that are up.
#[derive(Debug, Clone, Copy, Default)]
struct Rack {
    up: u32,
    whole: u32,
    free: u64,
}

/// What every node has free, and its sums.
#[derive(Debug)]
pub(super) struct Meter {
    nodes: Vec<Node>,
    racks: Vec<Rack>,
    /// Thousandths in use of GPUs that are shared.
    shares: BTreeMap<(u32, u16), u32>,
    blocks: Option<Blocks>,
    pub(super) levels: Levels,
}

impl Meter {
    /// The empty cluster, every node up.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let node = |index| Node::new(cluster.kind_of(index).gpus, cluster.rack_of(index));
        let mut meter = Self {
            nodes: (0..cluster.nodes()).map(node).collect(),
            racks: vec![Rack::default(); cluster.racks.len()],
            shares: BTreeMap::new(),
            blocks: Blocks::of(cluster),
            levels: Levels::default(),
        };
        meter.set_state(0..cluster.nodes(), NodeState::Up);
        meter
    }

    /// Whether racks are blocks.
    pub(super) const fn has_blocks(&self) -> bool {
        self.blocks.is_some()
    }

    /// What is free on a node that is up: thousandths of GPUs, and whole ones.
    pub(super) fn free_of(&self, node: u32) -> (u64, u32) {
        let node = &self.nodes[node as usize];
        (node.free_milli, node.free.count_ones())
    }

    /// Changes one node and every sum it is part of.
    fn change(&mut self, index: u32, change: impl FnOnce(&mut Node)) {
        let node = &mut self.nodes[index as usize];
        let rack = &mut self.racks[node.rack as usize];
        let levels = &mut self.levels;
        if rack.whole == rack.up {
            levels.free_on_whole_racks -= rack.free;
        }
        if node.is_available() {
            levels.available -= node.full_milli;
        }
        if node.state == NodeState::Up {
            let (milli, whole) = (node.free_milli, node.is_whole());
            rack.up -= 1;
            rack.free -= milli;
            rack.whole -= u32::from(whole);
            levels.free -= milli;
            levels.free_on_whole_nodes -= if whole { milli } else { 0 };
        }
        change(node);
        node.free_milli = u64::from(node.free.count_ones()) * 1000 + u64::from(node.shared);
        if node.state == NodeState::Up {
            let (milli, whole) = (node.free_milli, node.is_whole());
            rack.up += 1;
            rack.free += milli;
            rack.whole += u32::from(whole);
            levels.free += milli;
            levels.free_on_whole_nodes += if whole { milli } else { 0 };
        }
        if node.is_available() {
            levels.available += node.full_milli;
        }
        if rack.whole == rack.up {
            levels.free_on_whole_racks += rack.free;
        }
        if let Some(blocks) = &mut self.blocks {
            blocks.set(index, node.state != NodeState::Up || node.free != node.full);
            levels.broken_up = blocks.fragmentation();
        }
    }

    /// A node that was wholly free is taken, or one that was wholly taken given back: as [`Meter::change`], with the sums
    /// that stay left alone, since most of what is held are whole nodes.
    fn hold_node(&mut self, index: u32, take: bool) {
        let node = &mut self.nodes[index as usize];
        let is_simple = node.state == NodeState::Up && node.full != 0 && node.shared == 0;
        if !is_simple || take != node.is_whole() {
            return self.change(index, |node| node.free = if take { 0 } else { node.full });
        }
        let (rack, levels, milli) = (&mut self.racks[node.rack as usize], &mut self.levels, node.full_milli);
        if take {
            (node.free, node.free_milli) = (0, 0);
            levels.free_on_whole_racks -= if rack.whole == rack.up { rack.free } else { 0 };
            (rack.free, rack.whole) = (rack.free - milli, rack.whole - 1);
            levels.free -= milli;
            levels.free_on_whole_nodes -= milli;
        } else {
            // What else the node had free, its sums hold already.
            let more = milli - node.free_milli;
            (node.free, node.free_milli) = (node.full, milli);
            (rack.free, rack.whole) = (rack.free + more, rack.whole + 1);
            levels.free_on_whole_racks += if rack.whole == rack.up { rack.free } else { 0 };
            levels.free += more;
            levels.free_on_whole_nodes += milli;
        }
        if let Some(blocks) = &mut self.blocks {
            blocks.set(index, take);
            levels.broken_up = blocks.fragmentation();
        }
    }

    /// The nodes change their state.
    pub(super) fn set_state(&mut self, nodes: Range<u32>, state: NodeState) {
        for index in nodes {
            self.change(index, |node| node.state = state);
        }
    }

    /// A piece is taken, or given back.
    pub(super) fn hold(&mut self, piece: Piece, take: bool) {
        match piece {
            Piece::Nodes { .. } => {
                piece.nodes().for_each(|index| self.hold_node(index, take));
            }
            Piece::Gpus { node, mask } => {
                self.change(node, |node| node.free = if take { node.free & !mask } else { node.free | mask });
            }
            Piece::Share { node, gpu, milli } => {
                let (before, after) = self.share(node, gpu, u32::from(milli), take);
                self.change(node, |node| {
                    node.shared = node.shared + after.unwrap_or(0) - before.unwrap_or(0);
                    let bit = 1 << gpu;
                    node.free = if after.is_some() { node.free & !bit } else { node.free | bit };
                });
            }
        }
    }

    /// What is free of a shared GPU before and after; nothing while nothing of it is held as a share.
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
}
