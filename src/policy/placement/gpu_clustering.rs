//! GPU clustering: pods beside pods of their own size, shares of GPUs being one size.
//!
//! Points of a pod with GPUs: ⌊25 · (G − left) ÷ G⌋, G being the GPUs of the largest node, and 75 where the node hosts pods
//! of that size alone, 50 where it hosts some among others, 25 where it hosts no pod with GPUs. A pod without GPUs has
//! none anywhere. It knows the pods of now, not those of times to come: backfills that reserve do not go with it.

use super::own::{Bid, Node, Own, Pod, Reads, Scale};
use super::{Choosing, ListedPlacement};

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "gpu-clustering",
    about: "one pod: beside pods of its own size, shares of GPUs being one size; reserves nothing",
    source: "`GpuClustering` of Weng et al., FGD, ATC 2023; after Xiao et al., Gandiva, OSDI 2018",
    options: &[],
    rule: Choosing::Own(Own { rule: bid, reads: Reads::Pods }),
};

fn bid(scale: &Scale, pod: &Pod, node: &Node) -> Bid {
    if pod.gpus == 0 {
        return Bid::of_points(0);
    }
    let used = 25 * (scale.gpus - u64::from(node.milli())) / scale.gpus;
    let size = if pod.is_share() { 0 } else { pod.gpus as usize };
    let like = node.pods.get(size).is_some_and(|pods| *pods > 0);
    let unlike = node.pods.iter().enumerate().any(|(other, pods)| other != size && *pods > 0);
    let beside = match (like, unlike) {
        (true, false) => 75,
        (true, true) => 50,
        (false, false) => 25,
        (false, true) => 0,
    };
    Bid::of_points(u32::try_from(used).expect("at most 25") + beside)
}

#[cfg(test)]
mod tests {
    use super::super::own::Node;
    use super::super::own::tests::{node, pod, points};
    use super::bid;

    #[test]
    fn pods_go_beside_pods_of_their_size() {
        let with = |left: &[u32], pods: &[u16]| Node { pods: pods.to_vec(), ..node(0, left) };
        assert_eq!(points(bid, pod(0, 1, 500), &with(&[500, 1000], &[1, 0, 0])), 95, "shares alone: 20 + 75");
        assert_eq!(points(bid, pod(0, 1, 500), &with(&[500, 0], &[1, 1, 0])), 73, "among others: 23 + 50");
        assert_eq!(points(bid, pod(0, 1, 1000), &with(&[1000; 8], &[0; 9])), 25, "an empty one");
        assert_eq!(
            points(bid, pod(0, 2, 1000), &with(&[500, 1000, 1000], &[1, 0, 0, 0])),
            17,
            "beside shares"
        );
        assert_eq!(points(bid, pod(1, 0, 1000), &with(&[1000; 8], &[0; 9])), 0, "no GPU is asked for");
    }
}
