/// A piece of what a job holds. Sixteen bytes; a gang of whole nodes takes one a 64 nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Whole nodes, a pod on each: bit `b` of `mask` is node `64 · word + b`.
    Nodes {
        /// Which 64 nodes.
        word: u32,
        /// Which of them; never 0.
        mask: u64,
    },
    /// Whole GPUs of one node, for one pod that need not fill it.
    Gpus {
        /// The node.
        node: u32,
        /// Bit `g` is GPU `g`; 0 for a pod that holds CPU and memory only.
        mask: u64,
    },
    /// A share of one GPU, for one pod.
    Share {
        /// The node.
        node: u32,
        /// The GPU within the node.
        gpu: u16,
        /// Thousandths of it, 1..=999.
        milli: u16,
    },
}

impl Piece {
    /// The nodes it touches, ascending.
    pub fn nodes(self) -> impl Iterator<Item = u32> {
        let (base, mut mask) = match self {
            Self::Nodes { word, mask } => (word * 64, mask),
            Self::Gpus { node, .. } | Self::Share { node, .. } => (node, 1),
        };
        std::iter::from_fn(move || {
            if mask == 0 {
                return None;
            }
            let bit = mask.trailing_zeros();
            mask &= mask - 1;
            Some(base + bit)
        })
    }
}
