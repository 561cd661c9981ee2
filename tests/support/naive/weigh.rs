//! What a place costs under a placement that is weights of terms, each written down by itself.
//!
//! cost = Σ weight · term, terms as the documentation of `policy::placement::model` has them. The names stand for
//!
//! | placement | weights |
//! |---|---|
//! | first-fit | none |
//! | best-fit, consolidate, fgd and its rivals for gangs | leftover 1 |
//! | worst-fit | spread 1 |
//! | pack | `rack_leftover` 65,534, leftover 1 |
//! | spread | `rack_spread` 65,534, spread 1 |
//! | cheapest-energy | energy 65,534, leftover 1 |
//! | least-stranded | fragmentation 1, `rack_fragmentation` 18 |

use super::free::Free;
use super::place::Need;
use super::power::Draws;
use super::world::World;
use gigawatt::cluster::grid::{Grid, Signal};
use gigawatt::power::draw::Draw;
use gigawatt::units::{Factor, Time, Watts};
use gigawatt::workload::Shape;
use std::collections::BTreeMap;

/// The middle of a fragmentation term: nothing changes.
const UNCHANGED: u64 = 32_768;

/// The weights of a placement, by term.
pub(super) fn weights_of(placement: &str) -> BTreeMap<String, u64> {
    let text = match placement {
        "first-fit" | "random" => "",
        "best-fit" | "consolidate" => "leftover=1",
        own if super::own::is_own(own) || super::tas::is_tas(own) => "leftover=1",
        "worst-fit" => "spread=1",
        "pack" => "rack_leftover=65534,leftover=1",
        "spread" => "rack_spread=65534,spread=1",
        "cheapest-energy" => "energy=65534,leftover=1",
        "least-stranded" => "fragmentation=1,rack_fragmentation=18",
        weights => weights,
    };
    let parts = text.split(',').filter_map(|part| part.split_once('='));
    parts.map(|(name, weight)| (name.to_owned(), weight.parse().expect("a weight is a number"))).collect()
}

/// How things stood when a pass began.
#[derive(Debug)]
pub(super) struct Frozen {
    pub(super) now: Time,
    pub(super) free: Free,
}

impl World<'_> {
    /// The weighed sum of those terms that have a weight.
    fn cost(&self, term: &dyn Fn(&str) -> u64) -> u64 {
        self.weights.iter().map(|(name, weight)| weight * term(name)).sum()
    }

    /// One pod of a job on a node: with what is around the node, or inside a gang.
    pub(super) fn pod_cost(&self, free: &Free, job: u32, need: Need, node: u32, inside: bool) -> u64 {
        let rack = self.cluster().rack_of(node);
        let kind = self.cluster().racks[rack as usize].kind;
        let gpus = |node: u32| free.gpus(node).len() as u64;
        let whole = |node: u32| free.gpus(node).iter().filter(|left| **left == 1000).count() as u64;
        let idle = |node: u32| free.is_up(node) && gpus(node) > 0 && whole(node) == gpus(node);
        let own = || free.node_total(node) * 65_000 / self.most_node().max(1);
        let around = || free.rack_total(self.cluster(), rack) * 65_000 / self.most_rack().max(1);
        let strands = |whole: u64| self.stranded(kind, whole);
        let shared = |share: u32| free.gpus(node).iter().any(|left| *left < 1000 && *left >= share);
        let fragmentation = || match need.milli {
            0 => 0,
            share @ 1..1000 if shared(share) => UNCHANGED - self.part(share),
            share @ 1..1000 => {
                UNCHANGED + self.part(1000 - share) + strands(whole(node) - 1) - strands(whole(node))
            }
            milli => UNCHANGED + strands(whole(node) - u64::from(milli / 1000)) - strands(whole(node)),
        };
        let idle_nodes = || {
            let rack = self.cluster().racks[rack as usize];
            (rack.first_node..rack.first_node + rack.nodes).filter(|node| idle(*node)).count() as u64
        };
        self.cost(&|term| match term {
            "leftover" => own(),
            "spread" => 65_535 - own(),
            "run_time" => self.run_time(job, kind),
            "energy" => self.energy(job, rack, |grid| grid.price.as_ref()),
            "carbon" => self.energy(job, rack, |grid| grid.carbon.as_ref()),
            "pressure" => self.pressure(rack),
            "fragmentation" => fragmentation(),
            "rack_leftover" if !inside => around(),
            "rack_spread" if !inside => 65_535 - around(),
            "rack_fragmentation" if !inside && idle(node) => self.gradient(kind, idle_nodes(), 1),
            "rack_fragmentation" if !inside => UNCHANGED,
            _ => 0,
        })
    }

    /// A rack with room for `room` of a gang's pods, of which there are `pods`; whether each is a whole node.
    pub(super) fn rack_cost(
        &self,
        job: u32,
        rack: u32,
        each: Need,
        (pods, whole): (u32, bool),
        room: u32,
    ) -> u64 {
        let kind = self.cluster().racks[rack as usize].kind;
        let milli = u64::from(room) * u64::from(each.milli.max(1));
        let free = || (milli * 65_000 / self.most_rack().max(1)).min(65_535);
        self.cost(&|term| match term {
            "leftover" | "rack_leftover" => free(),
            "spread" | "rack_spread" => 65_535 - free(),
            "span" => u64::from(pods.saturating_sub(room) * 65_535_u32.checked_div(pods).unwrap_or(0)),
            "run_time" => self.run_time(job, kind),
            "energy" => self.energy(job, rack, |grid| grid.price.as_ref()),
            "carbon" => self.energy(job, rack, |grid| grid.carbon.as_ref()),
            "pressure" => self.pressure(rack),
            "rack_fragmentation" if whole => self.gradient(kind, room.into(), pods.into()),
            "rack_fragmentation" => UNCHANGED,
            _ => 0,
        })
    }

    /// GPU thousandths of the largest node.
    fn most_node(&self) -> u64 {
        self.cluster().kinds.iter().map(|kind| u64::from(kind.gpus) * 1000).max().unwrap_or_default()
    }
    /// GPU thousandths of the largest rack.
    fn most_rack(&self) -> u64 {
        let cluster = self.cluster();
        let milli = |rack: &gigawatt::cluster::Rack| {
            u64::from(rack.nodes) * u64::from(cluster.kinds[rack.kind as usize].gpus) * 1000
        };
        cluster.racks.iter().map(milli).max().unwrap_or_default()
    }
    fn run_time(&self, job: u32, kind: u32) -> u64 {
        let behaviour = self.plan.workload.behaviour_of(job);
        let kinds = &self.cluster().kinds;
        let speed = |kind: u32| u64::from(behaviour.speed(kinds[kind as usize].platform as usize).0);
        let slowest = self.kinds_of(job).into_iter().map(speed).min().unwrap_or(1);
        (65_535 * slowest / speed(kind)).min(65_535)
    }
    /// What the energy of a job's GPU costs there, between the least and the most it could ever cost anywhere.
    fn energy(&self, job: u32, rack: u32, signal: fn(&Grid) -> Option<&Signal>) -> u64 {
        let cluster = self.cluster();
        let Some(frozen) = &self.frozen else { return 0 };
        let behaviour = self.plan.workload.behaviour_of(job);
        let joules = |kind: u32| {
            let kind = &cluster.kinds[kind as usize];
            let watts = i128::from(Draw::new(&behaviour.profile(), &kind.power, Factor::ONE).gpu.0);
            watts * (1 << 32) / i128::from(behaviour.speed(kind.platform as usize).0)
        };
        let at = |site: usize| cluster.grids.get(site).and_then(signal);
        // What a gigawatt becomes, in thousandths of it.
        let pue = |site: usize, temperature: i32| {
            let pue = cluster.sites[site].pue.as_ref();
            pue.map_or(1000, |pue| i128::from(pue.of(Watts(1_000_000_000), temperature).0) / 1_000_000)
        };
        let mut all = Vec::new();
        for site in 0..cluster.sites.len() {
            let (least, most) = at(site).map_or((0, 0), Signal::range);
            let outdoor = cluster.sites[site].outdoor.iter().map(|(_, temperature)| *temperature);
            for temperature in outdoor.chain([0]) {
                for (price, kind) in [least, most]
                    .into_iter()
                    .flat_map(|price| self.kinds_of(job).into_iter().map(move |kind| (price, kind)))
                {
                    all.push(i128::from(price) * joules(kind) * pue(site, temperature));
                }
            }
        }
        let (least, most) = (all.iter().min().copied().unwrap_or(0), all.iter().max().copied().unwrap_or(0));
        let rack = &cluster.racks[rack as usize];
        let site = cluster.feeds[rack.feed as usize].site as usize;
        let price = at(site).map_or(0, |signal| signal.at(frozen.now));
        let outdoor = cluster.sites[site].outdoor.iter().rev().find(|(from, _)| *from <= frozen.now);
        let pue = pue(site, outdoor.map_or(0, |(_, temperature)| *temperature));
        let above = i128::from(price) * joules(rack.kind) * pue - least;
        u64::try_from(above * 65_535 / (most - least).max(1)).expect("at least the least")
    }
    /// How far the tightest of the rack, its feeds and its site was used.
    fn pressure(&self, rack: u32) -> u64 {
        match &self.frozen {
            Some(frozen) if self.plan.settings.power == "admit" => {
                Draws { cluster: self.cluster(), free: &frozen.free }.pressure(rack)
            }
            _ => 0,
        }
    }
    /// The kinds of the nodes that a job may use.
    fn kinds_of(&self, job: u32) -> Vec<u32> {
        let cluster = self.cluster();
        let nodes = self.scope(job).iter();
        let mut kinds: Vec<u32> =
            nodes.map(|node| cluster.racks[cluster.rack_of(*node) as usize].kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// The jobs that count for the mix: those that ask for GPUs and that some node or gang of nodes could hold.
    fn mix(&self) -> Vec<u32> {
        let workload = &self.plan.workload;
        let possible = |job: &u32| {
            let largest = self.largest_node(*job);
            match workload.request_of(*job).shape {
                Shape::Any { gpus_milli: 0 } | Shape::Pods { count: 0, .. } => false,
                Shape::Pods { gpus_milli_each: 0, .. } => false,
                Shape::Any { gpus_milli: milli } => milli < 1000 || milli % 1000 == 0 && largest > 0,
                Shape::Pods { count: 1, gpus_milli_each: milli } => {
                    milli < 1000 || milli % 1000 == 0 && milli <= largest * 1000
                }
                Shape::Pods { gpus_milli_each: milli, .. } => milli <= 1000 || milli % 1000 == 0,
            }
        };
        (0..workload.len()).filter(possible).collect()
    }
    /// What `whole` free GPUs of a node of a kind strand, of 32,000.
    fn stranded(&self, kind: u32, whole: u64) -> u64 {
        let each = self.cluster().kinds[kind as usize].gpus;
        let mix = self.mix();
        let wants = |job: &u32| match self.plan.workload.request_of(*job).shape {
            Shape::Any { gpus_milli } if self.is_gang(*job) => each.min(gpus_milli),
            Shape::Any { gpus_milli: milli } | Shape::Pods { gpus_milli_each: milli, .. } => milli / 1000,
        };
        let useless = mix
            .iter()
            .filter(|job| !self.kinds_of(**job).contains(&kind) || whole < u64::from(wants(job)))
            .count() as u64;
        useless * whole * 32_000 / (mix.len() as u64 * self.most_node() / 1000).max(1)
    }
    /// What thousandths of a GPU that shares hold a part of strand, of 32,000.
    fn part(&self, milli: u32) -> u64 {
        u64::from(milli) * 32 / (self.most_node() / 1000).max(1)
    }
    /// The term of a start that takes so many of a rack's idle nodes.
    fn gradient(&self, kind: u32, idle: u64, taken: u64) -> u64 {
        let cluster = self.cluster();
        let nodes =
            |kind: u32| cluster.racks.iter().filter(move |rack| rack.kind == kind).map(|rack| rack.nodes);
        let largest = nodes(kind).max().unwrap_or(1);
        let most = cluster.racks.iter().map(|rack| u64::from(rack.nodes)).max().unwrap_or_default();
        let each = cluster.kinds[kind as usize].gpus;
        let mix = self.mix();
        let together = |job: &u32| {
            let request = self.plan.workload.request_of(*job);
            let lies_on = match request.shape {
                _ if !self.kinds_of(*job).contains(&kind) => 1,
                Shape::Any { gpus_milli } if self.is_gang(*job) => {
                    (gpus_milli / 1000).checked_div(each).unwrap_or(1)
                }
                Shape::Pods { count, gpus_milli_each } if gpus_milli_each == each * 1000 => count,
                _ => 1,
            };
            let lies_on = if lies_on > 1 && request.segment > 1 { request.segment } else { lies_on };
            u64::from(lies_on.min(largest).max(1))
        };
        let stranded = |idle: u64| {
            let sum: u64 = mix.iter().map(|job| idle % together(job)).sum();
            sum * 32_000 / (mix.len() as u64 * most).max(1)
        };
        UNCHANGED + stranded(idle - idle.min(taken)) - stranded(idle)
    }
}
