//! Fragmentation gradient descent: the node, and for a share the GPU, of which the start strands least for typical pods.
//!
//! *Typical pods* are the kinds of pod, by CPU, share, GPUs and platforms, that are most frequent among those which the
//! workload asks for, the most frequent first, as many as make up 95 % of all pods; p of each is its part of these.
//!
//! *Stranded* on a node is Σ p · x, x in thousandths of GPUs: all that is left there of every GPU for a pod that asks for
//! no GPU, or may not run there, or does not fit; for one that fits, what is left of GPUs too small for it. Points:
//! ⌊100 · σ((stranded before − stranded after) ÷ 1000)⌋, σ the logistic function. A share has those of its best GPU, and
//! goes there; the lowest of equals.
//!
//! Weng et al., "Beware of fragmentation: scheduling GPU-sharing workloads with fragmentation gradient descent", ATC 2023.
//! Sums are integers, and where the points change is known to 10⁻⁶ of a thousandth: no rounding decides. O(nodes · GPUs of
//! a node · typical pods) for a pod, at most.

use super::own::{Bid, Node, Own, Pod, Reads, Scale};
use super::{Choosing, ListedPlacement};
use crate::cluster::Cluster;
use crate::history::Plan;
use crate::workload::{PlatformSet, Request, Shape};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(super) const ENTRY: ListedPlacement = ListedPlacement {
    name: "fgd",
    about: "one pod: the node and GPU where it strands the least GPU for typical pods, shares counted",
    source: "Weng et al., FGD, ATC 2023",
    options: &[],
    rule: Choosing::Own(Own { rule: bid, reads: Reads::Typical }),
};

/// What part of all pods the typical ones make up at least, percent.
const TYPICAL_PERCENT: u64 = 95;

fn bid(scale: &Scale, pod: &Pod, node: &Node) -> Bid {
    let typical = &scale.typical;
    let before = typical.stranded(node.kind, node.cpu, &node.left);
    let cpu = node.cpu.map(|cpu| cpu.saturating_sub(pod.cpu));
    let mut left = node.left.clone();
    let mut points_with = |taken: &[usize]| {
        taken.iter().for_each(|gpu| left[*gpu] -= pod.each);
        let after = typical.stranded(node.kind, cpu, &left);
        taken.iter().for_each(|gpu| left[*gpu] += pod.each);
        typical.points(before, after)
    };
    if !pod.is_share() {
        let free = (0..node.left.len()).filter(|gpu| node.left[*gpu] == 1000);
        let taken: Vec<usize> = free.take(pod.gpus as usize).collect();
        return Bid::of_points(points_with(&taken));
    }
    let mut best: Option<(u32, usize)> = None;
    for gpu in (0..node.left.len()).filter(|gpu| node.left[*gpu] >= pod.each) {
        // GPUs with as much left are alike.
        if node.left[..gpu].contains(&node.left[gpu]) {
            continue;
        }
        let points = points_with(&[gpu]);
        if best.is_none_or(|(most, _)| points > most) {
            best = Some((points, gpu));
        }
    }
    let (points, gpu) = best.expect("the node fits the share");
    Bid { gpu: u32::try_from(gpu).ok(), ..Bid::of_points(points) }
}

/// The pods that a workload expects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typical {
    /// How many pods they stand for.
    all: u64,
    /// By kind of nodes.
    kinds: Vec<Expected>,
}

/// What may come to nodes of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Expected {
    /// How many pods never use a GPU there.
    never: u64,
    sizes: Vec<Size>,
}

/// Pods that ask for as many GPUs of which they need as much.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Size {
    gpus: u32,
    /// Thousandths of each.
    each: u32,
    /// CPU, ascending, and how many pods ask for no more.
    upto: Vec<(u32, u64)>,
}

/// What tells one kind of pod from another: CPU, thousandths of each GPU, GPUs, platforms.
type Sort = (u32, u32, u32, PlatformSet);

impl Typical {
    /// Those of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut counts: BTreeMap<Sort, u64> = BTreeMap::new();
        for (request, jobs) in plan.workload.asked() {
            for (sort, pods) in pods_of(&plan.cluster, &plan.workload.requests[request as usize]) {
                *counts.entry(sort).or_default() += pods * jobs;
            }
        }
        let total: u64 = counts.values().sum();
        let mut sorts: Vec<(u64, Sort)> = counts.into_iter().map(|(sort, pods)| (pods, sort)).collect();
        sorts.sort_unstable_by_key(|sort| Reverse(*sort));
        let mut all = 0;
        sorts.retain(|(pods, _)| {
            let wanted = all * 100 < total * TYPICAL_PERCENT;
            all += if wanted { *pods } else { 0 };
            wanted
        });
        let of_kind = |platform: u32| Expected::of(&sorts, platform as usize);
        Self { all, kinds: plan.cluster.kinds.iter().map(|kind| of_kind(kind.platform)).collect() }
    }

    /// What is stranded on a node with so much left: thousandths of GPUs, times the pods that all stand for.
    fn stranded(&self, kind: u32, cpu: Option<u32>, left: &[u32]) -> u64 {
        let expected = &self.kinds[kind as usize];
        let milli: u64 = left.iter().copied().map(u64::from).sum();
        let of_size = |size: &Size| {
            let all = size.upto.last().map_or(0, |(_, pods)| *pods);
            let (mut fitting, mut too_small) = (0, 0);
            for left in left {
                let fits = *left >= size.each;
                fitting += u32::from(fits);
                too_small += if fits { 0 } else { u64::from(*left) };
            }
            if fitting < size.gpus {
                return all * milli;
            }
            let within = size.upto.partition_point(|(asked, _)| cpu.is_none_or(|cpu| *asked <= cpu));
            let fits = within.checked_sub(1).map_or(0, |last| size.upto[last].1);
            fits * too_small + (all - fits) * milli
        };
        expected.never * milli + expected.sizes.iter().map(of_size).sum::<u64>()
    }

    /// Points of 100 for what is stranded before and after a start.
    fn points(&self, before: u64, after: u64) -> u32 {
        // As a multiple of what one pod counts, in millionths of a thousandth.
        let change = (i128::from(before) - i128::from(after)) * 1_000_000;
        let reached = |step: &i64| i128::from(*step) * i128::from(self.all) <= change;
        u32::try_from(STEPS.partition_point(reached)).expect("at most 99")
    }
}

impl Expected {
    fn of(sorts: &[(u64, Sort)], platform: usize) -> Self {
        let mut expected = Self::default();
        let mut by_size: BTreeMap<(u32, u32), BTreeMap<u32, u64>> = BTreeMap::new();
        for (pods, (cpu, each, gpus, platforms)) in sorts {
            if *gpus == 0 || !platforms.contains(platform) {
                expected.never += pods;
            } else {
                *by_size.entry((*gpus, *each)).or_default().entry(*cpu).or_default() += pods;
            }
        }
        expected.sizes = by_size.into_iter().map(|((gpus, each), pods)| Size::of(gpus, each, pods)).collect();
        expected
    }
}

impl Size {
    fn of(gpus: u32, each: u32, pods: BTreeMap<u32, u64>) -> Self {
        let sums = pods.into_iter().scan(0, |sum, (cpu, pods)| {
            *sum += pods;
            Some((cpu, *sum))
        });
        Self { gpus, each, upto: sums.collect() }
    }
}

/// The pods of a request, and how many of each sort: a gang of any size is pods that fill the largest node it may use, and
/// what remains.
fn pods_of(cluster: &Cluster, request: &Request) -> Vec<(Sort, u64)> {
    let sort = |milli: u32| {
        let (each, gpus) = match milli {
            0 => (0, 0),
            1..1000 => (milli, 1),
            _ => (1000, milli / 1000),
        };
        (request.cpu_milli, each, gpus, request.platforms)
    };
    match request.shape {
        Shape::Pods { count, gpus_milli_each } => vec![(sort(gpus_milli_each), count.into())],
        Shape::Any { gpus_milli } => {
            let may_use =
                cluster.kinds.iter().filter(|kind| request.platforms.contains(kind.platform as usize));
            let largest = may_use.map(|kind| kind.gpus * 1000).max().unwrap_or(0);
            if gpus_milli <= largest || largest == 0 {
                return vec![(sort(gpus_milli), 1)];
            }
            let whole = (sort(largest), u64::from(gpus_milli / largest));
            let rest = Some((sort(gpus_milli % largest), 1)).filter(|_| gpus_milli % largest > 0);
            std::iter::once(whole).chain(rest).collect()
        }
    }
}

/// Where points change: as many as there are points are at most 1000 · σ⁻¹(points ÷ 100), in millionths.
static STEPS: LazyLock<[i64; 99]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let points = f64::from(u32::try_from(index + 1).expect("at most 99"));
        #[expect(clippy::cast_possible_truncation, reason = "at most 4.6 · 10⁹")]
        let step = libm::round(libm::log(points / (100.0 - points)) * 1e9) as i64;
        step
    })
});

#[cfg(test)]
mod tests {
    use super::super::own::tests::{node, pod, scale};
    use super::*;

    /// Sixteen pods of half a GPU and four of two, on platform 0.
    fn typical() -> Typical {
        let on_0 = PlatformSet::NONE.with(0);
        let sorts = [(16, (4000, 500, 1, on_0)), (4, (8000, 1000, 2, on_0))];
        Typical { all: 20, kinds: vec![Expected::of(&sorts, 0), Expected::of(&sorts, 1)] }
    }

    #[test]
    fn what_is_left_is_stranded_for_pods_that_do_not_fit() {
        let typical = typical();
        let stranded = |cpu: u32, left: &[u32]| typical.stranded(0, Some(cpu), left);
        assert_eq!(stranded(8000, &[1000, 1000]), 0, "all fit");
        assert_eq!(stranded(8000, &[1000, 400]), 16 * 400 + 4 * 1400, "two GPUs do not fit");
        assert_eq!(stranded(8000, &[1000, 1000, 400]), 20 * 400, "what is too small for either");
        assert_eq!(stranded(5000, &[1000, 1000]), 4 * 2000, "two GPUs lack the CPU");
        assert_eq!(typical.stranded(0, None, &[1000, 1000]), 0, "CPU that is not counted does not lack");
        assert_eq!(typical.stranded(1, Some(8000), &[1000]), 20_000, "none may run on the other platform");
    }

    #[test]
    fn points_are_the_logistic_function_of_what_a_start_frees() {
        let typical = typical();
        assert_eq!(typical.points(5000, 5000), 50, "nothing changes");
        assert_eq!(typical.points(5000, 5001), 49, "the least that is stranded");
        assert_eq!(typical.points(21_972, 0), 74, "1098.6 thousandths: just below ln 3");
        assert_eq!(typical.points(21_973, 0), 75, "and just above");
        assert_eq!((typical.points(9_999_999, 0), typical.points(0, 9_999_999)), (99, 0), "the ends");
    }

    #[test]
    fn a_share_goes_to_the_gpu_where_it_strands_least() {
        let scale = Scale { typical: typical(), ..scale() };
        let chosen = |pod: Pod, left: &[u32]| bid(&scale, &pod, &node(64_000, left)).gpu;
        assert_eq!(chosen(pod(0, 1, 300), &[1000, 1000, 300]), Some(2), "what is left there is no use");
        assert_eq!(chosen(pod(0, 1, 500), &[1000, 1000, 600]), Some(2), "two GPUs stay whole");
        assert_eq!(chosen(pod(0, 1, 200), &[500, 700]), Some(1), "it leaves room for halves in both");
        assert_eq!(chosen(pod(0, 2, 1000), &[1000, 1000]), None, "whole GPUs are the lowest");
    }
}
