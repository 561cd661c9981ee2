//! How broken up the nodes of a cluster are, as Slurm's block topology measures it.
//!
//! Nodes come in blocks of the lowest size, these in blocks of the next, and so on. A block is *unavailable* if a node of it
//! is not idle. The measure is Σ sizes of the unavailable blocks of every size that divides all nodes evenly, and the
//! nodes that are not idle: what is used counts at every size that it breaks up.
//! SchedMD, Slurm 26.11-master, `topology_p_get_fragmentation` of `topology/block`.

use crate::cluster::Cluster;

/// The blocks of a cluster, and which nodes are busy.
///
/// ```
/// use gigawatt::metrics::Blocks;
/// let mut blocks = Blocks::new(8, &[2, 4, 8]);
/// blocks.set(3, true);
/// assert_eq!(blocks.fragmentation(), 1 + 2 + 4 + 8, "a node breaks up a block of each size");
/// blocks.set(2, true);
/// assert_eq!(blocks.fragmentation(), 2 + 2 + 4 + 8, "the same blocks");
/// blocks.set(3, false);
/// blocks.set(2, false);
/// assert_eq!(blocks.fragmentation(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Blocks {
    busy: Vec<bool>,
    /// By size: nodes a block, and how many of each are busy.
    sizes: Vec<(u32, Vec<u32>)>,
    fragmentation: u64,
}

impl Blocks {
    /// So many idle nodes in blocks of these sizes; one that does not divide them evenly counts nothing.
    #[must_use]
    pub fn new(nodes: u32, sizes: &[u32]) -> Self {
        let even = sizes.iter().filter(|size| nodes.checked_rem(**size) == Some(0));
        let blocks = |size: &u32| (*size, vec![0; (nodes / size) as usize]);
        Self { busy: vec![false; nodes as usize], sizes: even.map(blocks).collect(), fragmentation: 0 }
    }

    /// Those of a cluster whose racks are blocks: all of as many nodes, more than one; two of them are a block of the next
    /// size, and so on. `None` where they are not.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Option<Self> {
        let nodes = cluster.racks.first()?.nodes;
        let equal = cluster.racks.iter().all(|rack| rack.nodes == nodes);
        let sizes: Vec<u32> = std::iter::successors(Some(nodes), |size| {
            size.checked_mul(2).filter(|size| *size <= cluster.nodes())
        })
        .collect();
        (equal && nodes > 1 && cluster.racks.len() > 1).then(|| Self::new(cluster.nodes(), &sizes))
    }

    /// A node is busy, or idle again. O(sizes).
    ///
    /// # Panics
    /// If there is no such node.
    pub fn set(&mut self, node: u32, busy: bool) {
        if std::mem::replace(&mut self.busy[node as usize], busy) == busy {
            return;
        }
        let change = |sum: &mut u64, size: u32| {
            *sum = if busy { *sum + u64::from(size) } else { *sum - u64::from(size) }
        };
        change(&mut self.fragmentation, 1);
        for (size, busy_nodes) in &mut self.sizes {
            let nodes = &mut busy_nodes[(node / *size) as usize];
            let was = *nodes > 0;
            *nodes = if busy { *nodes + 1 } else { *nodes - 1 };
            if was != (*nodes > 0) {
                change(&mut self.fragmentation, *size);
            }
        }
    }

    /// Nodes, each counted once for itself if busy and once for each size of which its block is unavailable.
    #[must_use]
    pub const fn fragmentation(&self) -> u64 {
        self.fragmentation
    }
}
