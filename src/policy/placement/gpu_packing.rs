//! GPU packing: shares beside shares first, then on nodes that are used, idle nodes last.
//!
//! Points of a pod with GPUs, taken from the GPUs with the least left that fit: none of them wholly free: 100 less a tenth
//! of the percent left of them, at least 50; else, k of them wholly free, 50 − k, at least 33; on an idle node of n GPUs
//! the greater of 33 − n and n. A pod without GPUs has none anywhere.

use super::own::{Bid, Node, Own, Pod, Reads, Scale};
use super::{Choosing, ListedPlacement};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "gpu-packing",
    about: "one pod: on GPUs that are shared already, else on nodes that are used, idle ones last",
    source: "`GpuPacking` of Weng et al., FGD, ATC 2023; after Xiao et al., AntMan, OSDI 2020",
    options: &[],
    rule: Choosing::Own(Own { rule: bid, reads: Reads::Nothing }),
};

fn bid(_: &Scale, pod: &Pod, node: &Node) -> Bid {
    if pod.gpus == 0 {
        return Bid::of_points(0);
    }
    if node.is_idle() {
        let gpus = u32::try_from(node.left.len()).expect("a node has few GPUs");
        return Bid::of_points(33_u32.saturating_sub(gpus).max(gpus));
    }
    // Whole GPUs are wholly free; a share has the least left that fits.
    let shared = node.left.iter().copied().filter(|left| *left >= pod.each).min();
    Bid::of_points(match shared.filter(|left| pod.is_share() && *left < 1000) {
        Some(left) => 100_u32.saturating_sub(left / 10 / 10).max(50),
        None => 50_u32.saturating_sub(pod.gpus).max(33),
    })
}

#[cfg(test)]
mod tests {
    use super::super::own::tests::{node, pod, points};
    use super::bid;

    #[test]
    fn shared_gpus_come_first_and_idle_nodes_last() {
        assert_eq!(points(bid, pod(0, 1, 300), &node(0, &[1000, 460, 310])), 97, "31 % left: 100 - 3");
        assert_eq!(points(bid, pod(0, 1, 500), &node(0, &[1000, 460])), 49, "opens a GPU of a used node");
        assert_eq!(points(bid, pod(0, 2, 1000), &node(0, &[1000, 1000, 0])), 48, "opens two");
        assert_eq!(points(bid, pod(0, 1, 500), &node(0, &[1000; 8])), 25, "33 - 8");
        assert_eq!(points(bid, pod(0, 1, 500), &node(0, &[1000; 24])), 24, "n of large nodes");
        assert_eq!(points(bid, pod(1, 0, 1000), &node(1, &[0])), 0, "no GPU is asked for");
    }
}
