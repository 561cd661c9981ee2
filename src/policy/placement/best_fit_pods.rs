//! Best fit by CPU and GPUs together: the node of which least is left once the pod is in place.
//!
//! Points: ⌊100 · (1 − ½ · CPU left after ÷ that of the largest node − ½ · GPUs left after ÷ those of the largest
//! node)⌋. The original stretches the points of all nodes that fit to 0..100, which leaves their order.

use super::own::{Bid, Node, Own, Pod, Reads, Scale};
use super::{Choosing, ListedPlacement};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "best-fit-pods",
    about: "one pod: the node with the least CPU and GPUs left after it, shares of GPUs counted",
    source: "`BestFit` of Weng et al., FGD, ATC 2023",
    options: &[],
    rule: Choosing::Own(Own { rule: bid, reads: Reads::Nothing }),
};

fn bid(scale: &Scale, pod: &Pod, node: &Node) -> Bid {
    let (cpu, gpus) = (node.cpu_after(pod), u64::from(node.milli() - pod.milli()));
    let whole = 2 * scale.cpu * scale.gpus;
    let left = cpu * scale.gpus + gpus * scale.cpu;
    Bid::of_points(narrow(100 * (whole - left) / whole))
}

fn narrow(points: u64) -> u32 {
    u32::try_from(points).expect("at most 100")
}

#[cfg(test)]
mod tests {
    use super::super::own::tests::{node, pod, points};
    use super::bid;

    #[test]
    fn what_is_left_of_cpu_and_gpus_counts_half_each() {
        assert_eq!(points(bid, pod(0, 0, 1000), &node(128_000, &[1000; 8])), 0, "all is left");
        assert_eq!(points(bid, pod(96_000, 8, 1000), &node(96_000, &[1000; 8])), 100, "nothing is left");
        assert_eq!(points(bid, pod(0, 1, 1000), &node(64_000, &[1000; 1])), 75, "half of the CPU, no GPU");
        assert_eq!(points(bid, pod(0, 1, 500), &node(0, &[520])), 99, "2.5 thousandths, rounded down");
    }
}
