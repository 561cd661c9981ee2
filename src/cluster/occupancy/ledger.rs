//! Free capacity as a list of counters, for what will be free over a window of time.

use super::{Host, Occupancy, ones};
use crate::cluster::Piece;

impl Occupancy {
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
}
