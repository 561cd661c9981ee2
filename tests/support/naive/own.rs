//! What a place costs one pod under `fgd` and its rivals, each written down by itself: 100 less the points below.
//!
//! C and G are the CPU and the GPU thousandths of the largest node; CPU that is not counted is 0.
//!
//! | placement | points, rounded down |
//! |---|---|
//! | best-fit-pods | 100 · (1 − CPU left after ÷ 2C − GPUs left after ÷ 2G) |
//! | dot-product | 100 · (1 − (CPU left · CPU asked ÷ C² + GPUs left · GPUs asked ÷ G²) ÷ 2) |
//! | gpu-packing | no GPUs asked: 0; n GPUs, all free: the greater of 33 − n and n; none of the GPUs it would get wholly free: 100 − ⌊percent left of it ÷ 10⌋, at least 50; else 50 − how many are, at least 33 |
//! | gpu-clustering | no GPUs asked: 0; 25 · (G − left) ÷ G, and 75 beside its own size alone, 50 beside its own and others, 25 beside none |
//! | fgd | 100 · σ((stranded before − after) ÷ 1000); of a share with the best GPU, the lowest of these |
//!
//! *Stranded* is Σ p · x over the typical pods, x = all GPUs left; for a pod with GPUs that may run there and fits: the GPUs
//! left that are too small for it. *Typical* are the most frequent sorts of pod (CPU, GPUs, thousandths of each,
//! platforms) up to 95 % of all. An *any* gang larger than the largest node on its platforms is pods of that size and a
//! remainder.

use super::free::Free;
use super::place::Need;
use super::world::World;
use gigawatt::history::Plan;
use gigawatt::workload::{PlatformSet, Shape};
use std::collections::BTreeMap;

/// CPU, thousandths of each GPU, GPUs, platforms.
type Sort = (u32, u32, u32, PlatformSet);

/// Whether one pod goes by these costs.
pub(super) fn is_own(placement: &str) -> bool {
    ["fgd", "best-fit-pods", "dot-product", "gpu-packing", "gpu-clustering"].contains(&placement)
}

/// The typical pods of a plan, with how many there are of each.
pub(super) fn typical_pods(plan: &Plan) -> Vec<(u64, Sort)> {
    let mut counts: BTreeMap<Sort, u64> = BTreeMap::new();
    let mut count = |request: u32, jobs: u64| {
        let request = &plan.workload.requests[request as usize];
        let mut add = |milli: u32, pods: u64| {
            let (each, gpus) =
                if milli < 1000 { (milli, u32::from(milli > 0)) } else { (1000, milli / 1000) };
            *counts.entry((request.cpu_milli, each, gpus, request.platforms)).or_default() += pods * jobs;
        };
        let kinds = plan.cluster.kinds.iter();
        let largest = kinds
            .filter(|kind| request.platforms.contains(kind.platform as usize))
            .map(|kind| kind.gpus * 1000)
            .max()
            .unwrap_or(0);
        match request.shape {
            Shape::Pods { count, gpus_milli_each } => add(gpus_milli_each, count.into()),
            Shape::Any { gpus_milli } if largest == 0 || gpus_milli <= largest => add(gpus_milli, 1),
            Shape::Any { gpus_milli } => {
                add(largest, (gpus_milli / largest).into());
                if gpus_milli % largest > 0 {
                    add(gpus_milli % largest, 1);
                }
            }
        }
    };
    if plan.workload.mix.is_empty() {
        plan.workload.jobs.iter().for_each(|job| count(job.request, 1));
    } else {
        plan.workload.mix.iter().for_each(|(request, jobs)| count(*request, (*jobs).into()));
    }
    let total: u64 = counts.values().sum();
    let mut sorts: Vec<(u64, Sort)> = counts.into_iter().map(|(sort, pods)| (pods, sort)).collect();
    sorts.sort_unstable();
    sorts.reverse();
    let mut kept = Vec::new();
    while kept.iter().map(|(pods, _)| pods).sum::<u64>() * 100 < total * 95 {
        kept.push(sorts[kept.len()]);
    }
    kept
}

/// A pod that wants a place.
struct Asked {
    cpu: u32,
    gpus: usize,
    each: u32,
}

impl World<'_> {
    /// What a node that fits one pod costs it, and the GPU that a share of it goes to, where the placement says.
    pub(super) fn own_cost(&self, free: &Free, need: Need, node: u32) -> (u32, Option<u32>) {
        let (gpus, each) = match need.milli {
            share @ 1..1000 => (1, share),
            whole => (whole as usize / 1000, 1000),
        };
        let asked = Asked { cpu: need.cpu, gpus, each };
        let (points, gpu) = match self.placement() {
            "fgd" => self.fgd_points(free, &asked, node),
            "best-fit-pods" => (self.best_fit_points(free, &asked, node), None),
            "dot-product" => (self.dot_product_points(free, &asked, node), None),
            _ if asked.gpus == 0 => (0, None),
            "gpu-packing" => (packing_points(free.gpus(node), &asked), None),
            "gpu-clustering" => (self.clustering_points(free, &asked, node), None),
            other => panic!("`{other}` goes by no cost of its own"),
        };
        (100 - points, gpu)
    }

    /// CPU of the largest node, and GPU thousandths.
    fn largest(&self) -> (u128, u128) {
        let kinds = &self.cluster().kinds;
        let cpu = kinds.iter().map(|kind| kind.cpu_milli).filter(|cpu| *cpu < u32::MAX).max();
        let gpus = kinds.iter().map(|kind| kind.gpus * 1000).max();
        (cpu.unwrap_or(0).max(1).into(), gpus.unwrap_or(0).max(1000).into())
    }

    fn best_fit_points(&self, free: &Free, asked: &Asked, node: u32) -> u32 {
        let (most_cpu, most_gpus) = self.largest();
        let cpu = u128::from(cpu_left(free, node).saturating_sub(asked.cpu));
        let gpus = u128::from(free.node_total(node)) - u128::from(asked.each) * asked.gpus as u128;
        // Over the common denominator 2 · C · G.
        let whole = 2 * most_cpu * most_gpus;
        points_of(100 * (whole - cpu * most_gpus - gpus * most_cpu) / whole)
    }

    fn dot_product_points(&self, free: &Free, asked: &Asked, node: u32) -> u32 {
        let (most_cpu, most_gpus) = self.largest();
        let cpu = u128::from(cpu_left(free, node)) * u128::from(asked.cpu);
        let gpus = u128::from(free.node_total(node)) * u128::from(asked.each) * asked.gpus as u128;
        // Over the common denominator 2 · C² · G².
        let whole = 2 * most_cpu.pow(2) * most_gpus.pow(2);
        let product = cpu * most_gpus.pow(2) + gpus * most_cpu.pow(2);
        points_of(100 * whole.saturating_sub(product) / whole)
    }

    fn clustering_points(&self, free: &Free, asked: &Asked, node: u32) -> u32 {
        let most = self.largest().1;
        let used = points_of(25 * (most - u128::from(free.node_total(node))) / most);
        let own = if asked.each < 1000 { 0 } else { asked.gpus };
        let there: Vec<usize> = free.sizes_on(node).collect();
        let beside = match (there.contains(&own), there.iter().any(|size| *size != own)) {
            (true, false) => 75,
            (true, true) => 50,
            (false, false) => 25,
            (false, true) => 0,
        };
        used + beside
    }

    fn fgd_points(&self, free: &Free, asked: &Asked, node: u32) -> (u32, Option<u32>) {
        let cpu = free.cpu[node as usize];
        let cpu_after = if cpu == u32::MAX { cpu } else { cpu - asked.cpu };
        let before = self.stranded_for_typical(free.gpus(node), cpu, node);
        let with = |taken: &[usize]| {
            let mut left = free.gpus(node).to_vec();
            taken.iter().for_each(|gpu| left[*gpu] -= asked.each);
            points_of_change(before - self.stranded_for_typical(&left, cpu_after, node))
        };
        let fitting = (0..free.gpus(node).len()).filter(|gpu| free.gpus(node)[*gpu] >= asked.each);
        if asked.each == 1000 {
            return (with(&fitting.take(asked.gpus).collect::<Vec<_>>()), None);
        }
        let each = fitting.map(|gpu| (with(&[gpu]), std::cmp::Reverse(gpu)));
        let (points, std::cmp::Reverse(gpu)) = each.max().expect("the node fits the share");
        (points, u32::try_from(gpu).ok())
    }

    /// Σ p · x, in thousandths of GPUs.
    fn stranded_for_typical(&self, left: &[u32], cpu: u32, node: u32) -> f64 {
        let platform = self.cluster().kind_of(node).platform as usize;
        let sum = |of: &mut dyn Iterator<Item = &u32>| of.map(|left| u64::from(*left)).sum::<u64>();
        let stranded = |(pods, (asked, each, gpus, platforms)): &(u64, Sort)| {
            let fits = *gpus > 0
                && platforms.contains(platform)
                && left.iter().filter(|left| *left >= each).count() >= *gpus as usize
                && *asked <= cpu;
            let all = sum(&mut left.iter());
            pods * if fits { sum(&mut left.iter().filter(|left| *left < each)) } else { all }
        };
        let weights: u64 = self.typical.iter().map(|(pods, _)| pods).sum();
        real(self.typical.iter().map(stranded).sum()) / real(weights.max(1))
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of few small pods")]
fn real(sum: u64) -> f64 {
    sum as f64
}

/// ⌊100 · σ(change ÷ 1000)⌋.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 99")]
fn points_of_change(change: f64) -> u32 {
    (100.0 / (1.0 + (-change / 1000.0).exp())).floor() as u32
}

fn points_of(points: u128) -> u32 {
    u32::try_from(points).expect("at most 100")
}

fn cpu_left(free: &Free, node: u32) -> u32 {
    Some(free.cpu[node as usize]).filter(|left| *left < u32::MAX).unwrap_or(0)
}

fn packing_points(left: &[u32], asked: &Asked) -> u32 {
    let gpus = u32::try_from(left.len()).expect("a node has few GPUs");
    if left.iter().all(|left| *left == 1000) {
        return 33_u32.saturating_sub(gpus).max(gpus);
    }
    let mut fitting: Vec<u32> = left.iter().copied().filter(|left| *left >= asked.each).collect();
    fitting.sort_unstable();
    let taken = &fitting[..asked.gpus];
    let opened = u32::try_from(taken.iter().filter(|left| **left == 1000).count()).expect("few");
    if opened > 0 {
        return 50_u32.saturating_sub(opened).max(33);
    }
    let percent: u32 = taken.iter().map(|left| left * 100 / 1000).sum();
    100_u32.saturating_sub(percent / 10).max(50)
}
