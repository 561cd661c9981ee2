//! What can be asked of one node, rack or scope.

use super::{Host, Occupancy, Piece, ones};
use std::ops::Range;

impl Occupancy {
    /// Thousandths of GPUs that pieces are.
    #[must_use]
    #[inline]
    pub fn milli_of(&self, pieces: &[Piece]) -> u64 {
        let each = |piece: &Piece| match *piece {
            // Nodes of one piece are of one kind.
            Piece::Nodes { word, mask } => {
                let node = (word as usize) << 6 | mask.trailing_zeros() as usize;
                let kind = self.layout.kind.get(node).map_or(0, |kind| self.layout.kind_gpus[*kind as usize]);
                u64::from(mask.count_ones()) * u64::from(kind) * 1000
            }
            Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
            Piece::Share { milli, .. } => u64::from(milli),
        };
        pieces.iter().map(each).sum()
    }
    /// Whether a piece is a node with all of its GPUs.
    #[must_use]
    pub fn is_whole_node(&self, piece: Piece) -> bool {
        match piece {
            Piece::Nodes { mask, .. } => mask.is_power_of_two(),
            Piece::Gpus { node, mask } => self.layout.full.get(node as usize) == Some(&mask),
            Piece::Share { .. } => false,
        }
    }
    /// Whether the nodes of a piece exist, belong to a scope, take new pods and, where it is several nodes, are of one
    /// kind.
    ///
    /// # Errors
    /// A node of which that is not so, and whether that is because it lies outside.
    #[inline]
    pub fn must_be_usable(&self, scope: usize, piece: Piece) -> Result<(), (u32, bool)> {
        let (word, mask) = match piece {
            Piece::Nodes { word, mask } => (word as usize, mask),
            Piece::Gpus { node, .. } | Piece::Share { node, .. } => (node as usize >> 6, 1 << (node & 63)),
        };
        let node = |mask: u64| u32::try_from(word << 6).unwrap_or(u32::MAX) | (mask.trailing_zeros() & 63);
        let inside = self.layout.members[scope].get(word).copied().unwrap_or(0);
        if mask & !inside != 0 || mask == 0 {
            return Err((node(mask & !inside), true));
        }
        if mask & !self.up[word] != 0 {
            return Err((node(mask & !self.up[word]), false));
        }
        let kind = |node: u32| self.layout.kind[node as usize];
        let first = kind(node(mask));
        if mask.count_ones() > 1 && self.layout.kind_gpus.len() > 1 {
            let other = ones(mask, word).find(|node| self.layout.kind[*node] != first);
            return other.map_or(Ok(()), |node| Err((u32::try_from(node).unwrap_or(u32::MAX), true)));
        }
        Ok(())
    }
    /// How many levels there are between the racks and the cluster.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.layout.levels.len()
    }
    /// The racks of each domain of a level; none where there is no such level.
    #[must_use]
    pub fn domains(&self, level: usize) -> &[Range<u32>] {
        self.layout.levels.get(level).map_or(&[], Vec::as_slice)
    }
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
    /// Whether a node counts to what costs: it takes new pods, or would, were it not withheld.
    pub(super) fn counts(&self, node: usize) -> bool {
        (self.up[node >> 6] | self.withheld[node >> 6]) >> (node & 63) & 1 == 1
    }
    /// The wholly free GPUs of a node, as a mask.
    #[must_use]
    #[inline]
    pub fn free_mask(&self, node: usize) -> u64 {
        if self.is_taken(node) { 0 } else { self.free[node] }
    }
    /// Whether a node is held as a whole.
    #[inline]
    pub(super) fn is_taken(&self, node: usize) -> bool {
        self.taken[node >> 6] >> (node & 63) & 1 == 1
    }
    /// The GPUs of a node, as a mask.
    #[must_use]
    pub fn full_mask(&self, node: usize) -> u64 {
        self.layout.full[node]
    }
    /// The free thousandths of a node.
    #[must_use]
    pub fn free_milli(&self, node: usize) -> u32 {
        if self.is_taken(node) { 0 } else { self.free_milli[node] }
    }
    /// The free thousandths of a rack's nodes that take new pods; not to be asked of a flat cluster.
    #[must_use]
    pub fn rack_free_milli(&self, rack: usize) -> u32 {
        debug_assert!(!self.is_flat(), "no rack of a flat cluster is counted");
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
        let (offset, free) = (self.layout.gpu_offset[node] as usize, self.free_mask(node));
        let left = |gpu: u32| match self.shared[offset + gpu as usize] {
            0 => (free >> gpu & 1) as u32 * 1000,
            used => 1000 - u32::from(used),
        };
        (0..self.layout.full[node].count_ones())
            .filter(|gpu| left(*gpu) >= milli)
            .min_by_key(|gpu| (left(*gpu), *gpu))
    }
    /// The free thousandths of each GPU of a node, in order.
    pub fn gpu_left(&self, node: usize) -> impl Iterator<Item = u32> + '_ {
        let (offset, free) = (self.layout.gpu_offset[node] as usize, self.free_mask(node));
        (0..self.layout.full[node].count_ones()).map(move |gpu| match self.shared[offset + gpu as usize] {
            0 => (free >> gpu & 1) as u32 * 1000,
            used => 1000 - u32::from(used),
        })
    }
    /// How many pods a node hosts that hold a part of it: those with a share of a GPU, then those of 1, 2, … GPUs.
    #[must_use]
    pub fn pods_on(&self, node: usize) -> &[u16] {
        let sizes = self.layout.pod_sizes;
        &self.pods[node * sizes..(node + 1) * sizes]
    }
    /// For how many pods of `host` a node has CPU and memory left.
    #[must_use]
    pub fn host_pods(&self, node: usize, host: Host) -> u32 {
        let pods = |left: u32, used: u32| {
            if left == u32::MAX { u32::MAX } else { left.checked_div(used).unwrap_or(u32::MAX) }
        };
        pods(self.cpu_milli[node], host.cpu_milli).min(pods(self.memory_mib[node], host.memory_mib))
    }
    /// CPU and memory a node has left, in the units of [`Host`]; [`u32::MAX`] where they are not counted.
    #[must_use]
    pub fn host_left(&self, node: usize) -> (u32, u32) {
        (self.cpu_milli[node], self.memory_mib[node])
    }
    /// The most thousandths left of a GPU of a node that shares hold a part of; 0 if there is none.
    #[must_use]
    pub fn most_left_of_split(&self, node: usize) -> u32 {
        let offset = self.layout.gpu_offset[node] as usize;
        let gpus = &self.shared[offset..offset + self.layout.full[node].count_ones() as usize];
        gpus.iter().filter(|used| **used > 0).map(|used| 1000 - u32::from(*used)).max().unwrap_or(0)
    }
    /// How many nodes of a rack take new pods and have all of their GPUs free.
    #[must_use]
    pub fn rack_idle_nodes(&self, rack: usize) -> u32 {
        let idle = |node: &usize| {
            let full = self.full_mask(*node);
            self.counts(*node) && full != 0 && self.free_mask(*node) == full
        };
        let nodes = self.rack_nodes(rack).map(|node| node as usize);
        u32::try_from(nodes.filter(idle).count()).expect("nodes are counted in 32 bits")
    }
    /// The nodes of a scope that take new pods, ascending.
    pub fn nodes_of(&self, scope: usize) -> impl Iterator<Item = usize> + '_ {
        let members = &self.layout.members[scope];
        members.iter().zip(&self.up).enumerate().flat_map(|(word, (member, up))| ones(member & up, word))
    }
    /// How many nodes of a scope and a kind have all of their GPUs free and are not among some, 64 a word.
    #[must_use]
    pub fn idle_outside(&self, scope: usize, kind: usize, nodes: &[u64]) -> u32 {
        let outside = |(idle, nodes): (&u64, &u64)| (idle & !nodes).count_ones();
        self.idle_words(scope, kind).iter().zip(nodes).map(outside).sum()
    }
    /// Whether a node of a scope that takes new pods and is not among some, 64 a word, has so many (1 or more) wholly free
    /// GPUs.
    #[must_use]
    pub fn has_free_outside(&self, scope: usize, gpus: u32, nodes: &[u64]) -> bool {
        let index = &self.indexes[scope];
        let any = |of: &[u64]| of.iter().zip(nodes).any(|(of, nodes)| of & !nodes != 0);
        let counts = self.free_counts(scope, gpus);
        let parts = index.part_by_free.iter().enumerate().filter(|(count, _)| counts >> count & 1 == 1);
        let kinds = self.layout.kind_gpus.iter().zip(&index.idle).filter(|(each, _)| **each >= gpus);
        parts.map(|(_, nodes)| nodes).chain(kinds.map(|(_, nodes)| nodes)).any(|nodes| any(nodes.words()))
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
    /// The free thousandths of a scope's nodes that take new pods, those of GPUs that are shared included.
    #[must_use]
    pub fn free_milli_in(&self, scope: usize) -> u64 {
        u64::from(self.indexes[scope].free_gpus) * 1000 + self.indexes[scope].split_milli
    }
    /// The lowest node of a scope with exactly `gpus` (1 or more) wholly free GPUs.
    #[must_use]
    #[inline]
    pub fn first_with_free(&self, scope: usize, gpus: u32) -> Option<usize> {
        let index = &self.indexes[scope];
        let mut first = index.part_by_free[gpus as usize].first().unwrap_or(usize::MAX);
        for (each, idle) in self.layout.kind_gpus.iter().zip(&index.idle) {
            if *each == gpus {
                first = first.min(idle.first().unwrap_or(usize::MAX));
            }
        }
        (first != usize::MAX).then_some(first)
    }
    /// For which numbers, from `least` (1 or more) up, a scope has a node with exactly so many wholly free GPUs; as a mask.
    #[must_use]
    #[inline]
    pub fn free_counts(&self, scope: usize, least: u32) -> u128 {
        if least >= 128 {
            return 0;
        }
        (self.indexes[scope].some_part | self.indexes[scope].some_idle) & (u128::MAX << least)
    }
    /// How many nodes of a kind are idle in a scope.
    #[must_use]
    #[inline]
    pub fn idle(&self, scope: usize, kind: usize) -> u32 {
        self.indexes[scope].idle_count[kind]
    }
    /// How many nodes of a kind that are idle in a scope `pieces` touch, or more where several touch the same.
    #[must_use]
    #[inline]
    pub fn idle_among(&self, scope: usize, kind: usize, pieces: &[Piece]) -> u32 {
        let words = self.idle_words(scope, kind);
        let among = |piece: &Piece| match *piece {
            Piece::Nodes { word, mask } => (words[word as usize] & mask).count_ones(),
            Piece::Gpus { node, .. } | Piece::Share { node, .. } => {
                (words[node as usize >> 6] >> (node & 63) & 1) as u32
            }
        };
        pieces.iter().map(among).sum()
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
        let words = &self.indexes[scope].some_racks[kind];
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
