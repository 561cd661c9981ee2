//! Nodes that are taken out of the indexes for a question, and put back after it, 64 at a time.

use super::{Occupancy, ones};

impl Occupancy {
    /// Those of some nodes, 64 a word, that take new pods take none any more; returns which.
    pub fn withhold(&mut self, nodes: &[u64]) -> Vec<u64> {
        let withheld: Vec<u64> = nodes.iter().zip(&self.up).map(|(nodes, up)| nodes & up).collect();
        self.move_withheld::<false>(&withheld);
        withheld
    }

    /// Nodes that were withheld take new pods again.
    pub fn give_back(&mut self, withheld: &[u64]) {
        self.move_withheld::<true>(withheld);
    }

    fn move_withheld<const ENTER: bool>(&mut self, nodes: &[u64]) {
        for (word, nodes) in nodes.iter().enumerate().filter(|(_, nodes)| **nodes != 0) {
            self.index_idle::<ENTER>(word, nodes & self.untouched[word]);
            self.index_parts::<ENTER>(word, nodes & !self.untouched[word] & !self.taken[word]);
            if self.split_gpus > 0 {
                for node in ones(*nodes, word) {
                    self.count_split(node, |split, own| if ENTER { split + own } else { split - own });
                }
            }
            self.up[word] ^= nodes;
            self.withheld[word] ^= nodes;
        }
    }

    /// Whole nodes of one kind that are withheld enter or leave what their racks have free.
    pub(super) fn count_withheld<const ENTER: bool>(&mut self, word: usize, mask: u64) {
        let mask = mask & self.withheld[word];
        if mask == 0 || self.layout.flat {
            return;
        }
        let layout = &*self.layout;
        let gpus = layout.kind_gpus[layout.kind[word << 6 | mask.trailing_zeros() as usize] as usize];
        layout.each_rack(word, mask, |rack, nodes| {
            let milli = nodes.count_ones() * gpus * 1000;
            let rack = &mut self.rack_free_milli[rack];
            *rack = if ENTER { *rack + milli } else { *rack - milli };
        });
    }

    /// Idle nodes enter or leave the indexes.
    fn index_idle<const ENTER: bool>(&mut self, word: usize, mut mask: u64) {
        while mask != 0 {
            let kinds = &self.layout.kind;
            let kind = kinds[word << 6 | mask.trailing_zeros() as usize];
            let alike = |node: &usize| kinds[*node] == kind;
            let of_kind = match self.layout.kind_gpus.len() {
                1 => mask,
                _ => ones(mask, word).filter(alike).map(|node| 1 << (node & 63)).sum(),
            };
            self.index_kind::<ENTER>(kind as usize, word, of_kind);
            mask &= !of_kind;
        }
    }

    /// Nodes that are used in part enter or leave the indexes.
    fn index_parts<const ENTER: bool>(&mut self, word: usize, mask: u64) {
        let (mut by_free, mut counts) = ([0; 65], 0_u128);
        for node in ones(mask, word) {
            let free = self.free[node].count_ones();
            by_free[free as usize] |= 1 << (node & 63);
            counts |= 1 << free;
        }
        for &scope in &self.layout.scopes_of_word[word] {
            let members = self.layout.members[scope as usize][word];
            for free in (1..=64).filter(|free| counts >> free & 1 == 1) {
                let nodes = by_free[free as usize] & members;
                if nodes != 0 {
                    self.indexes[scope as usize].move_part::<ENTER>(free, word, nodes);
                }
            }
        }
    }
}
