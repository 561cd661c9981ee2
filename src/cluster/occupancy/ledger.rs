//! Free capacity as a list of counters, for what will be free over a window of time.

use super::{Host, Occupancy};
use crate::cluster::Piece;

impl Occupancy {
    /// Of one counter of a ledger so much is left, and nothing where that is below zero. CPU and memory that are not
    /// counted stay so.
    ///
    /// # Panics
    /// If the counter is not one of [`Occupancy::ledger`].
    pub fn limit(&mut self, counter: usize, left: i64) {
        if let Some(host) = counter.checked_sub(self.shared.len()) {
            let nodes = self.free.len();
            let counter =
                if host < nodes { &mut self.cpu_milli[host] } else { &mut self.memory_mib[host - nodes] };
            if *counter != u32::MAX {
                *counter = u32::try_from(left.max(0)).expect("no more is left than there is");
            }
            return;
        }
        let offsets = &self.layout.gpu_offset;
        let node = offsets.partition_point(|offset| *offset as usize <= counter) - 1;
        let gpu = u16::try_from(counter - offsets[node] as usize).expect("a node has few GPUs");
        self.limit_gpu(node, gpu, u16::try_from(left.clamp(0, 1000)).expect("within 0..=1000"));
    }

    /// Of one GPU so many thousandths are left.
    fn limit_gpu(&mut self, node: usize, gpu: u16, left: u16) {
        let shared = self.shared[self.layout.gpu_offset[node] as usize + usize::from(gpu)];
        let (free, bit) = (self.free[node], 1 << gpu);
        let now_left = if shared > 0 || free & bit != 0 { 1000 - shared } else { 0 };
        if now_left == left {
            return;
        }
        if shared > 0 {
            self.release_share(node, gpu, shared);
        } else if free & bit == 0 {
            self.set_free(node, free | bit, 1000, true);
        }
        match left {
            0 => self.set_free(node, self.free[node] & !bit, 1000, false),
            1000.. => {}
            _ => self.claim_share(node, gpu, 1000 - left),
        }
    }

    /// Some wholly free GPUs of a node are taken, and others, taken whole, given back; CPU and memory aside.
    ///
    /// # Panics
    /// If any is not free, or not taken.
    pub fn limit_gpus(&mut self, node: usize, take: u64, give: u64) {
        let free = self.free[node];
        assert!(
            take & !free == 0 && give & free == 0,
            "the GPUs of node {node} are not as they were thought"
        );
        if take != 0 {
            self.set_free(node, free & !take, take.count_ones() * 1000, false);
        }
        if give != 0 {
            self.set_free(node, self.free[node] | give, give.count_ones() * 1000, true);
        }
    }

    /// What is left of one counter of a ledger, of a node that takes new pods or not.
    ///
    /// # Panics
    /// If the counter is not one of [`Occupancy::ledger`].
    #[must_use]
    pub fn left(&self, counter: usize) -> i64 {
        if let Some(host) = counter.checked_sub(self.shared.len()) {
            let nodes = self.free.len();
            return i64::from(if host < nodes {
                self.cpu_milli[host]
            } else {
                self.memory_mib[host - nodes]
            });
        }
        let node = self.layout.gpu_offset.partition_point(|offset| *offset as usize <= counter) - 1;
        let gpu = counter - self.layout.gpu_offset[node] as usize;
        match self.shared[counter] {
            0 => (self.free_mask(node) >> gpu & 1) as i64 * 1000,
            shared => 1000 - i64::from(shared),
        }
    }

    /// Calls `each` with every counter that `pieces` touch, each pod of them with its `host` share, and by how much.
    pub fn for_each_counter(&self, pieces: &[Piece], host: Host, mut each: impl FnMut(usize, i64)) {
        for piece in pieces {
            for node in piece.nodes().map(|node| node as usize) {
                let offset = self.layout.gpu_offset[node] as usize;
                let (mask, milli) = match *piece {
                    Piece::Nodes { .. } => (self.layout.full[node], 1000),
                    Piece::Gpus { mask, .. } => (mask, 1000),
                    Piece::Share { gpu, milli, .. } => (1 << gpu, i64::from(milli)),
                };
                super::ones(mask, 0).for_each(|gpu| each(offset + gpu, milli));
            }
        }
        self.for_each_host_counter(pieces, host, each);
    }

    /// Takes what is free of some whole GPUs, CPU and memory aside; returns what was.
    pub fn claim_free_gpus(&mut self, pieces: &[Piece]) -> Vec<Piece> {
        let mut taken = Vec::new();
        for piece in pieces {
            let first = taken.len();
            match *piece {
                Piece::Nodes { word, mask } => {
                    let idle = mask & self.untouched[word as usize];
                    taken.extend((idle != 0).then_some(Piece::Nodes { word, mask: idle }));
                    let in_part = super::ones(mask & !idle, word as usize);
                    taken.extend(in_part.filter_map(|node| self.free_of(node, u64::MAX)));
                }
                Piece::Gpus { node, mask } => taken.extend(self.free_of(node as usize, mask)),
                Piece::Share { .. } => {}
            }
            self.claim(&taken[first..], Host::default());
        }
        taken
    }

    /// What is wholly free of some GPUs of a node that is held in part, if anything.
    fn free_of(&self, node: usize, mask: u64) -> Option<Piece> {
        let mask = mask & self.free_mask(node);
        let node = u32::try_from(node).expect("nodes are counted in 32 bits");
        (mask != 0).then_some(Piece::Gpus { node, mask })
    }

    /// What is left on nodes that take new pods, and nothing on the others: thousandths of each GPU, then of CPU, and
    /// MiB, of each node.
    #[must_use]
    pub fn ledger(&self) -> Vec<i64> {
        let nodes = 0..self.free.len();
        let up = |node: usize, left: u32| if self.is_up(node) { i64::from(left) } else { 0 };
        let gpus = nodes.clone().flat_map(|node| self.gpu_left(node).map(move |left| up(node, left)));
        let cpu = nodes.clone().map(|node| up(node, self.cpu_milli[node]));
        gpus.chain(cpu).chain(nodes.map(|node| up(node, self.memory_mib[node]))).collect()
    }

    /// Calls `each` with every counter of CPU and memory that `pieces` touch, each pod of them with its `host` share,
    /// and by how much; without those that are not counted.
    pub fn for_each_host_counter(&self, pieces: &[Piece], host: Host, mut each: impl FnMut(usize, i64)) {
        let nodes = self.free.len();
        for node in pieces.iter().flat_map(|piece| piece.nodes()).map(|node| node as usize) {
            let counters = [(&self.cpu_milli, host.cpu_milli, 0), (&self.memory_mib, host.memory_mib, nodes)];
            for (left, amount, offset) in counters {
                if left[node] != u32::MAX && amount > 0 {
                    each(self.shared.len() + offset + node, i64::from(amount));
                }
            }
        }
    }
}
