//! What several pods share: parts of GPUs, and the CPU and memory of a node.

use super::{Host, Occupancy};
use crate::cluster::Piece;

impl Occupancy {
    /// Changes, in every scope of a node, what is left of shared GPUs by what is left of those of the node.
    pub(super) fn count_split(&mut self, node: usize, change: impl Fn(u64, u64) -> u64) {
        let own = u64::from(self.free_milli[node]) - u64::from(self.free[node].count_ones()) * 1000;
        if own == 0 {
            return;
        }
        for &scope in &self.layout.scopes_of_word[node >> 6] {
            if self.layout.members[scope as usize][node >> 6] >> (node & 63) & 1 == 1 {
                let split = &mut self.indexes[scope as usize].split_milli;
                *split = change(*split, own);
            }
        }
    }

    /// A share of a GPU of a node is taken or given back: what is left of its shared GPUs changes.
    fn set_share(&mut self, node: usize, free: u64, milli: u16, more: bool) {
        let up = self.is_up(node);
        if up {
            self.count_split(node, |split, own| split - own);
        }
        self.set_free(node, free, u32::from(milli), more);
        if up {
            self.count_split(node, |split, own| split + own);
        }
    }

    pub(super) fn claim_share(&mut self, node: usize, gpu: u16, milli: u16) {
        let place = self.layout.gpu_offset[node] as usize + usize::from(gpu);
        let old = self.shared[place];
        let bit = 1 << gpu;
        assert!(old > 0 || self.free_mask(node) & bit != 0, "GPU {gpu} of node {node} is held whole");
        assert!(u32::from(old) + u32::from(milli) <= 1000, "GPU {gpu} of node {node} has too little left");
        self.shared[place] = old + milli;
        self.split_gpus += u32::from(old == 0);
        self.split_gpus -= u32::from(old + milli == 1000);
        self.set_share(node, self.free[node] & !bit, milli, false);
    }

    pub(super) fn release_share(&mut self, node: usize, gpu: u16, milli: u16) {
        let place = self.layout.gpu_offset[node] as usize + usize::from(gpu);
        let old = self.shared[place];
        assert!(old >= milli && milli > 0, "GPU {gpu} of node {node} is not shared by so much");
        self.shared[place] = old - milli;
        self.split_gpus += u32::from(old == 1000);
        self.split_gpus -= u32::from(old == milli);
        let bit = u64::from(old == milli) << gpu;
        self.set_share(node, self.free[node] | bit, milli, true);
    }

    pub(super) fn claim_host(&mut self, piece: Piece, host: Host) {
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

    pub(super) fn release_host(&mut self, piece: Piece, host: Host) {
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
