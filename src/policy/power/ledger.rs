//! The reserved draw of every node, chassis, rack, feed and site.

use super::level::{Draws, milli_of};
use super::rise::Rise;
use crate::cluster::{Cluster, NodeState, Piece, Pue, through};
use crate::hardware::{Level, Loss, WATTS_MAX};
use crate::units::{Time, Watts};
use std::collections::BTreeMap;
use std::sync::Arc;

const NONE: u32 = u32::MAX;
const UNLIMITED: u64 = u64::MAX;

/// What never changes: who hangs below whom, and what each domain draws for what hangs below it.
///
/// Nodes come first, then chassis, racks, feeds (each before the one above it) and sites, so that whatever is above has
/// a higher index.
#[derive(Debug)]
struct Tree {
    parent: Vec<u32>,
    /// By domain: an index into `converters`.
    converter: Vec<u32>,
    converters: Vec<Converter>,
    /// By node: its kind.
    kind: Vec<u32>,
    /// By kind: GPUs of a node, and what it draws idle.
    kinds: Vec<(u32, u64)>,
    first_rack: u32,
    first_feed: u32,
    feeds: u32,
}

/// What a domain adds to what hangs below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Converter {
    overhead: u64,
    losses: Vec<Loss>,
    /// A PUE, at the temperature of the series at which it is worst.
    pue: Option<(Pue, Vec<i32>)>,
}

impl Converter {
    fn of(&self, below: u64) -> u64 {
        let watts = through(&self.losses, Watts(below + self.overhead));
        let Some((pue, temperatures)) = &self.pue else { return watts.0 };
        temperatures.iter().map(|temperature| pue.of(watts, *temperature).0).max().unwrap_or(watts.0)
    }
}

/// What each domain may draw.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Caps {
    /// What counts now.
    actual: Vec<u64>,
    /// What counts for starts: lower where a curtailment to come is drained for.
    admitted: Vec<u64>,
}

/// Who reserves what, level by level, and what is left.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Ledger {
    tree: Arc<Tree>,
    caps: Arc<Caps>,
    /// By domain: what hangs below it draws; of a node, its idle draw and its jobs'.
    below: Vec<u64>,
    /// By domain: what it draws itself.
    drawn: Vec<u64>,
    /// By domain up to the racks: how many of its nodes are there at all.
    present: Vec<u32>,
    /// Feeds whose rise is limited.
    rises: Vec<Rise>,
}

impl Tree {
    fn new(cluster: &Cluster) -> Self {
        let mut tree = Self {
            parent: Vec::new(),
            converter: Vec::new(),
            converters: Vec::new(),
            kind: Vec::new(),
            kinds: cluster.kinds.iter().map(|kind| (kind.gpus, kind.power.idle.0)).collect(),
            first_rack: 0,
            first_feed: 0,
            feeds: index(cluster.feeds.len()),
        };
        let nodes = cluster.nodes();
        let chassis_of = |rack: &crate::cluster::Rack| {
            let size = cluster.kinds[rack.kind as usize].power.chassis_nodes;
            rack.nodes
                .checked_div(size)
                .map_or(0, |whole| whole + u32::from(!rack.nodes.is_multiple_of(size)))
        };
        let first_rack = nodes + cluster.racks.iter().map(chassis_of).sum::<u32>();
        tree.first_rack = first_rack;
        tree.first_feed = first_rack + index(cluster.racks.len());
        let feed = |feed: u32| tree.first_feed + tree.feeds - 1 - feed;
        let (mut parents, mut rack_parents) = (Vec::new(), Vec::new());
        let mut converters = Vec::new();
        let mut next_chassis = nodes;
        let mut chassis_kinds = Vec::new();
        for (rack_index, rack) in (first_rack..).zip(&cluster.racks) {
            let size = cluster.kinds[rack.kind as usize].power.chassis_nodes;
            let chassis = chassis_of(rack);
            for node in 0..rack.nodes {
                let above = node.checked_div(size).map_or(rack_index, |chassis| next_chassis + chassis);
                parents.push(above);
                converters.push((rack.kind, Level::Node));
            }
            chassis_kinds.extend((0..chassis).map(|_| (rack.kind, rack_index)));
            next_chassis += chassis;
            rack_parents.push(feed(rack.feed));
        }
        tree.kind = cluster.racks.iter().flat_map(|rack| (0..rack.nodes).map(|_| rack.kind)).collect();
        parents.extend(chassis_kinds.iter().map(|(_, rack)| *rack));
        converters.extend(chassis_kinds.iter().map(|(kind, _)| (*kind, Level::Chassis)));
        parents.extend(rack_parents);
        converters.extend(cluster.racks.iter().map(|rack| (rack.kind, Level::Rack)));
        let first_site = tree.first_feed + tree.feeds;
        parents.extend(cluster.feeds.iter().rev().map(|own| own.parent.map_or(first_site + own.site, feed)));
        parents.extend(cluster.sites.iter().map(|_| NONE));
        tree.parent = parents;
        tree.convert(cluster, &converters);
        tree
    }

    /// The converters of every domain, `inside` being those of nodes, chassis and racks.
    fn convert(&mut self, cluster: &Cluster, inside: &[(u32, Level)]) {
        for kind in &cluster.kinds {
            for level in Level::ALL {
                let stages = kind.power.stages.iter().filter(|stage| stage.level == level);
                let overhead = if level == Level::Rack { kind.power.rack_overhead.0 } else { 0 };
                let losses = stages.map(|stage| stage.loss).collect();
                self.converters.push(Converter { overhead, losses, pue: None });
            }
        }
        self.converter = inside.iter().map(|(kind, level)| kind * 3 + *level as u32).collect();
        for feed in cluster.feeds.iter().rev() {
            self.push(Converter { overhead: 0, losses: feed.losses.clone(), pue: None });
        }
        for site in &cluster.sites {
            let mut temperatures: Vec<i32> =
                site.outdoor.iter().map(|(_, temperature)| *temperature).collect();
            temperatures.push(0);
            temperatures.sort_unstable();
            temperatures.dedup();
            let pue = site.pue.clone().map(|pue| (pue, temperatures));
            self.push(Converter { overhead: 0, losses: site.losses.clone(), pue });
        }
    }

    fn push(&mut self, converter: Converter) {
        self.converter.push(index(self.converters.len()));
        self.converters.push(converter);
    }

    fn of(&self, domain: u32, below: u64) -> u64 {
        self.converters[self.converter[domain as usize] as usize].of(below)
    }
}

impl Ledger {
    /// Nothing runs, every node is there.
    pub(in crate::policy) fn new(cluster: &Cluster) -> Self {
        let tree = Tree::new(cluster);
        let domains = tree.parent.len();
        let caps = Arc::new(Caps { actual: vec![UNLIMITED; domains], admitted: vec![UNLIMITED; domains] });
        let mut below = vec![0_u64; domains];
        let mut drawn = vec![0_u64; domains];
        let mut present = vec![0_u32; tree.first_feed as usize];
        for (node, kind) in tree.kind.iter().enumerate() {
            below[node] = tree.kinds[*kind as usize].1;
            present[node] = 1;
        }
        for domain in 0..domains {
            let own = tree.of(index(domain), below[domain]);
            drawn[domain] = own;
            if let Some(above) = below.get_mut(tree.parent[domain] as usize) {
                *above += own;
            }
            let above = tree.parent[domain] as usize;
            if above < present.len() && domain < present.len() {
                present[above] += present[domain];
            }
        }
        let feed = |feed: u32| tree.first_feed + tree.feeds - 1 - feed;
        let rises = cluster.ramps.iter().map(|ramp| Rise::new(feed(ramp.feed), ramp)).collect();
        let mut ledger = Self { tree: Arc::new(tree), caps, below, drawn, present, rises };
        ledger.set_caps(cluster, Time::ZERO, false);
        ledger
    }

    /// The caps of an instant; whether starts heed those that are announced.
    pub(in crate::policy) fn set_caps(&mut self, cluster: &Cluster, now: Time, drains: bool) {
        let tree = &self.tree;
        let watts = |cap: Option<Watts>| cap.map_or(UNLIMITED, |cap| cap.0);
        let mut actual = vec![UNLIMITED; tree.parent.len()];
        for (node, kind) in tree.kind.iter().enumerate() {
            actual[node] = watts(cluster.kinds[*kind as usize].power.cap);
        }
        let first_rack = tree.first_feed as usize - cluster.racks.len();
        for (own, rack) in actual[first_rack..].iter_mut().zip(&cluster.racks) {
            *own = watts(rack.cap);
        }
        let above =
            cluster.feeds.iter().rev().map(|feed| feed.cap).chain(cluster.sites.iter().map(|site| site.cap));
        for (own, cap) in actual[tree.first_feed as usize..].iter_mut().zip(above) {
            *own = watts(cap);
        }
        let mut admitted = actual.clone();
        for curtailment in &cluster.curtailments {
            let feed = (tree.first_feed + tree.feeds - 1 - curtailment.feed) as usize;
            if curtailment.is_active(now) {
                actual[feed] = actual[feed].min(curtailment.cap.0);
            }
            if curtailment.is_active(now) || drains && curtailment.is_known(now) {
                admitted[feed] = admitted[feed].min(curtailment.cap.0);
            }
        }
        self.caps = Arc::new(Caps { actual, admitted });
    }

    /// Time goes on to `now`: until then every domain drew what it draws.
    pub(in crate::policy) fn set_now(&mut self, now: Time) {
        for rise in &mut self.rises {
            rise.pass(now, self.drawn[rise.domain as usize]);
        }
    }
    /// When a feed may draw more by itself, if one may.
    pub(super) fn next_rise(&self) -> Option<Time> {
        self.rises.iter().filter_map(|rise| rise.next(self.drawn[rise.domain as usize])).min()
    }
    /// The most that starts may let a domain draw.
    fn admitted(&self, domain: u32) -> u64 {
        let rises = self.rises.iter().filter(|rise| rise.domain == domain);
        let ceilings = rises.map(|rise| rise.ceiling(self.drawn[domain as usize]));
        ceilings.fold(self.caps.admitted[domain as usize], u64::min)
    }

    /// What each node of the pieces reserves more, by node.
    fn watts(&self, draws: &Draws, level: usize, pieces: &[Piece]) -> BTreeMap<u32, u64> {
        let mut watts = BTreeMap::new();
        for piece in pieces {
            for node in piece.nodes() {
                *watts.entry(node).or_default() += self.pod_watts(draws, level, node, milli_of(piece));
            }
        }
        watts
    }

    fn pod_watts(&self, draws: &Draws, level: usize, node: u32, milli: Option<u32>) -> u64 {
        let kind = self.tree.kind[node as usize];
        let gpus = self.tree.kinds[kind as usize].0;
        draws.of_pod(level, kind, milli.unwrap_or(gpus * 1000), gpus).0
    }

    /// Whether a pod of so many thousandths on a node stays within every cap above it.
    pub(in crate::policy) fn admits_pod(&self, draws: &Draws, level: usize, node: u32, milli: u32) -> bool {
        let mut more = self.pod_watts(draws, level, node, Some(milli));
        let mut domain = node;
        while more > 0 && domain != NONE {
            let drawn = self.tree.of(domain, self.below[domain as usize] + more);
            if drawn > self.admitted(domain) {
                return false;
            }
            more = drawn - self.drawn[domain as usize];
            domain = self.tree.parent[domain as usize];
        }
        true
    }

    /// By node: watts that a start may add to it at most, as far as each domain above by itself decides; what a
    /// conversion above adds comes on top.
    pub(in crate::policy) fn headrooms(&self) -> Vec<u32> {
        let mut left = vec![u64::MAX; self.drawn.len()];
        for domain in (0..left.len()).rev() {
            let cap = self.caps.admitted[domain];
            // What a PUE adds may fall while the load rises, and what draws more than anybody can is no longer counted.
            let converter = &self.tree.converters[self.tree.converter[domain] as usize];
            let rises = converter.pue.as_ref().is_none_or(|(pue, _)| pue.loads.len() == 1);
            let counts = rises && cap != UNLIMITED && self.drawn[domain] < WATTS_MAX.0;
            let own = if counts { cap.saturating_sub(self.drawn[domain]) } else { u64::MAX };
            left[domain] = left.get(self.tree.parent[domain] as usize).copied().unwrap_or(u64::MAX).min(own);
        }
        left.truncate(self.tree.kind.len());
        left.into_iter().map(|watts| u32::try_from(watts).unwrap_or(u32::MAX)).collect()
    }

    /// By rack: how far the tightest of itself, its feeds and its site is used, 65,535 being all of its cap.
    pub(in crate::policy) fn pressures(&self) -> Vec<u32> {
        let mut used = vec![0; self.drawn.len()];
        let first = self.tree.first_rack as usize;
        for domain in (first..used.len()).rev() {
            let (drawn, cap) = (u128::from(self.drawn[domain]), u128::from(self.caps.admitted[domain]));
            let own = if self.caps.admitted[domain] == UNLIMITED { 0 } else { drawn * 65_535 / cap.max(1) };
            let above = used.get(self.tree.parent[domain] as usize).copied().unwrap_or(0);
            used[domain] = above.max(u32::try_from(own.min(65_535)).expect("at most 65535"));
        }
        used[first..self.tree.first_feed as usize].to_vec()
    }

    /// The least watts that a pod of so many thousandths reserves, of all levels it may start at and `kinds` of nodes.
    pub(in crate::policy) fn least_watts(&self, draws: &Draws, kinds: &[u32], milli: u32) -> u32 {
        let of_kind = |level: usize, kind: u32| {
            let gpus = self.tree.kinds[kind as usize].0;
            draws.of_pod(level, kind, milli, gpus).0
        };
        let levels = draws.starts().iter();
        let watts = levels.flat_map(|level| kinds.iter().map(|kind| of_kind(*level, *kind)));
        u32::try_from(watts.min().unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// Whether all the pieces together stay within every cap above them.
    pub(in crate::policy) fn admits(&self, draws: &Draws, level: usize, pieces: &[Piece]) -> bool {
        let mut added = self.watts(draws, level, pieces);
        while let Some((domain, more)) = added.pop_first() {
            let drawn = self.tree.of(domain, self.below[domain as usize] + more);
            if more > 0 && drawn > self.admitted(domain) {
                return false;
            }
            let above = self.tree.parent[domain as usize];
            if more > 0 && above != NONE {
                *added.entry(above).or_default() += drawn - self.drawn[domain as usize];
            }
        }
        true
    }

    /// Takes what the pieces reserve, or gives it back.
    pub(in crate::policy) fn hold(&mut self, draws: &Draws, level: usize, pieces: &[Piece], take: bool) {
        let added = self.watts(draws, level, pieces);
        self.change(added.into_iter().map(|(node, watts)| (node, i128::from(watts))).collect(), take);
    }

    /// What hangs below domains changes; all that follows from it.
    fn change(&mut self, mut added: BTreeMap<u32, i128>, take: bool) {
        let sign = if take { 1 } else { -1 };
        added.values_mut().for_each(|watts| *watts *= sign);
        while let Some((domain, more)) = added.pop_first() {
            let at = domain as usize;
            let below = i128::from(self.below[at]) + more;
            self.below[at] = u64::try_from(below).expect("nobody gives back more than he took");
            let gone = self.present.get(at) == Some(&0);
            let drawn = if gone { 0 } else { self.tree.of(domain, self.below[at]) };
            let before = std::mem::replace(&mut self.drawn[at], drawn);
            let above = self.tree.parent[at];
            if above != NONE && before != drawn {
                *added.entry(above).or_default() += i128::from(drawn) - i128::from(before);
            }
        }
    }

    /// A node comes or goes for good: one that is absent draws nothing.
    pub(in crate::policy) fn set_state(&mut self, node: u32, state: NodeState) {
        let there = u32::from(state != NodeState::Absent);
        let own = node as usize;
        if self.present[own] == there {
            return;
        }
        let mut domain = own;
        while let Some(present) = self.present.get_mut(domain) {
            *present = if there == 1 { *present + 1 } else { *present - 1 };
            domain = self.tree.parent[domain] as usize;
        }
        let idle = i128::from(self.tree.kinds[self.tree.kind[own] as usize].1);
        self.change(BTreeMap::from([(node, idle)]), there == 1);
        // A domain whose last node goes stops drawing though nothing below it may have changed.
        let mut above = self.tree.parent[own];
        while (above as usize) < self.present.len() {
            self.change(BTreeMap::from([(above, 0)]), true);
            above = self.tree.parent[above as usize];
        }
    }

    /// The lowest domain, from `from` on, that draws more than it may now.
    pub(super) fn exceeded(&self, from: u32) -> Option<u32> {
        let exceeds = |(drawn, cap): (&u64, &u64)| drawn > cap;
        let found = self.drawn.iter().zip(&self.caps.actual).skip(from as usize).position(exceeds);
        found.map(|offset| from + index(offset))
    }
    /// What a domain draws.
    pub(super) fn drawn(&self, domain: u32) -> u64 {
        self.drawn[domain as usize]
    }
    /// Whether a domain draws more than it may now.
    pub(super) fn exceeds(&self, domain: u32) -> bool {
        self.drawn[domain as usize] > self.caps.actual[domain as usize]
    }
    /// Every feed and site with a cap: its index, what it draws and what it may.
    pub(super) fn capped_feeds(&self) -> impl Iterator<Item = (u32, u64, u64)> {
        let both = self.drawn.iter().zip(&self.caps.actual).enumerate().skip(self.tree.first_feed as usize);
        both.filter(|(_, (_, cap))| **cap != UNLIMITED)
            .map(|(domain, (drawn, cap))| (index(domain), *drawn, *cap))
    }
    /// Whether any of the pieces lies below a domain.
    pub(super) fn touches(&self, domain: u32, pieces: &[Piece]) -> bool {
        pieces.iter().flat_map(|piece| piece.nodes()).any(|node| self.is_below(node, domain))
    }
    /// What the pieces below a domain reserve.
    pub(super) fn reserved_below(&self, domain: u32, draws: &Draws, level: usize, pieces: &[Piece]) -> u64 {
        let watts = self.watts(draws, level, pieces);
        watts.into_iter().filter(|(node, _)| self.is_below(*node, domain)).map(|(_, watts)| watts).sum()
    }
    fn is_below(&self, node: u32, domain: u32) -> bool {
        std::iter::successors(Some(node), |at| {
            Some(self.tree.parent[*at as usize]).filter(|above| *above != NONE)
        })
        .any(|at| at == domain)
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("domains are counted in 32 bits")
}
