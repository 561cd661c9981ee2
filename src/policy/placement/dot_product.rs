//! Dot product: the node whose free capacity, taken as a vector of CPU and GPUs, goes least along with what the pod asks
//! for.
//!
//! Points: ⌊100 · (1 − (CPU left · CPU asked ÷ C² + GPUs left · GPUs asked ÷ G²) ÷ 2)⌋, C and G being the CPU and GPUs of
//! the largest node, what is left counted before the pod is in place.

use super::own::{Bid, Node, Own, Pod, Reads, Scale};
use super::{Choosing, ListedPlacement};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "dot-product",
    about: "one pod: the node with the least dot product of what is left and what is asked for",
    source: "`DotProd` of Weng et al., FGD, ATC 2023; after Grandl et al., Tetris, SIGCOMM 2014",
    options: &[],
    rule: Choosing::Own(Own { rule: bid, reads: Reads::Nothing }),
};

fn bid(scale: &Scale, pod: &Pod, node: &Node) -> Bid {
    let square = |side: u64| u128::from(side) * u128::from(side);
    let (cpu, gpus) = (square(scale.cpu), square(scale.gpus));
    let along = |left: u64, asked: u32| u128::from(left) * u128::from(asked);
    let product = along(node.cpu_left(), pod.cpu) * gpus + along(node.milli().into(), pod.milli()) * cpu;
    let whole = 2 * cpu * gpus;
    Bid::of_points(u32::try_from(100 * whole.saturating_sub(product) / whole).expect("at most 100"))
}

#[cfg(test)]
mod tests {
    use super::super::own::tests::{node, pod, points};
    use super::bid;

    #[test]
    fn what_goes_along_with_the_request_costs() {
        assert_eq!(points(bid, pod(0, 0, 1000), &node(128_000, &[1000; 8])), 100, "nothing is asked for");
        assert_eq!(points(bid, pod(128_000, 8, 1000), &node(128_000, &[1000; 8])), 0, "all, of all");
        assert_eq!(points(bid, pod(0, 4, 1000), &node(0, &[1000; 4])), 87, "an eighth, rounded");
        assert_eq!(points(bid, pod(64_000, 1, 500), &node(64_000, &[500])), 87, "an eighth, and a little");
    }
}
