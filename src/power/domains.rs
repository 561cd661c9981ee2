//! The domains of power: what hangs below what, and what each draws for what hangs below it.
//!
//! One description, used by what measures draws ([`super::tree`]) and by the ledger that admits starts.

use crate::cluster::{Cluster, Pue, Rack, through};
use crate::hardware::{Level, Loss};
use crate::units::Watts;

/// No domain: what is above a site.
pub(crate) const NONE: u32 = u32::MAX;

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("domains are counted in 32 bits")
}

/// What never changes: what hangs below what, and what each domain draws for what hangs below it.
///
/// Nodes come first, then chassis, racks, feeds (each before the one above it) and sites, so that whatever is above has
/// a higher index.
#[derive(Debug)]
pub(crate) struct Domains {
    pub(crate) parent: Vec<u32>,
    /// By domain: an index into `converters`.
    converter: Vec<u32>,
    converters: Vec<Converter>,
    /// By node: its kind.
    pub(crate) kind: Vec<u32>,
    /// By kind: GPUs of a node, and what it draws idle.
    pub(crate) kinds: Vec<(u32, u64)>,
    pub(crate) first_rack: u32,
    pub(crate) first_feed: u32,
    pub(crate) feeds: u32,
    /// The lowest domain that every node hangs below; none where they hang below different sites.
    pub(crate) common: u32,
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
    /// The most that may hang below it for it to draw `most`, less than anybody can, at any load.
    fn below(&self, most: u64) -> u64 {
        let kilowatt = |(pue, temperatures): &(Pue, Vec<i32>)| {
            temperatures.iter().map(|temperature| pue.of(Watts(1000), *temperature).0).max()
        };
        let inside = most * 1000 / self.pue.as_ref().and_then(kilowatt).unwrap_or(1000);
        let below = self.losses.iter().rev().fold(inside, |watts, loss| loss.below(Watts(watts)).0);
        below.saturating_sub(self.overhead)
    }
}

impl Domains {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let mut tree = Self {
            parent: Vec::new(),
            converter: Vec::new(),
            converters: Vec::new(),
            kind: Vec::new(),
            kinds: cluster.kinds.iter().map(|kind| (kind.gpus, kind.power.idle.0)).collect(),
            first_rack: 0,
            first_feed: 0,
            feeds: index(cluster.feeds.len()),
            common: NONE,
        };
        let nodes = cluster.nodes();
        let chassis_of = |rack: &Rack| {
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
        tree.common = tree.common_to_all();
        tree
    }

    fn common_to_all(&self) -> u32 {
        let above = |domain: u32| {
            let parent = |at: &u32| Some(self.parent[*at as usize]).filter(|above| *above != NONE);
            std::iter::successors(Some(domain), parent)
        };
        let first = (!self.kind.is_empty()).then(|| above(0));
        let mut common: Vec<u32> = first.into_iter().flatten().collect();
        // Neighbours hang below the same rack.
        let mut parents: Vec<u32> = self.parent[..self.kind.len()].to_vec();
        parents.dedup();
        for parent in parents {
            common.retain(|domain| above(parent).any(|other| other == *domain));
        }
        common.first().copied().unwrap_or(NONE)
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

    /// A rack, a feed and a site as domains.
    pub(crate) const fn rack(&self, rack: u32) -> u32 {
        self.first_rack + rack
    }
    pub(crate) const fn feed(&self, feed: u32) -> u32 {
        self.first_feed + self.feeds - 1 - feed
    }
    pub(crate) const fn site(&self, site: u32) -> u32 {
        self.first_feed + self.feeds + site
    }
    /// The chassis of a node among all chassis, if it is in one.
    pub(crate) fn chassis_of(&self, node: u32) -> Option<usize> {
        let above = self.parent[node as usize];
        (above < self.first_rack).then(|| above as usize - self.kind.len())
    }
    /// How many chassis there are.
    pub(crate) fn chassis(&self) -> usize {
        self.first_rack as usize - self.kind.len()
    }
    /// What the conversions of a domain lose, the first that is passed first.
    pub(crate) fn losses(&self, domain: u32) -> &[Loss] {
        &self.converters[self.converter[domain as usize] as usize].losses
    }
    /// What a domain draws at most for so much below it: at the temperature at which its PUE is worst.
    pub(crate) fn of(&self, domain: u32, below: u64) -> u64 {
        self.converters[self.converter[domain as usize] as usize].of(below)
    }
    /// The most that may hang below a domain for it to draw `most`, less than anybody can.
    pub(crate) fn below(&self, domain: u32, most: u64) -> u64 {
        self.converters[self.converter[domain as usize] as usize].below(most)
    }
    /// Whether a domain draws what hangs below it.
    pub(crate) fn passes(&self, domain: u32) -> bool {
        let converter = &self.converters[self.converter[domain as usize] as usize];
        converter.overhead == 0 && converter.losses.is_empty() && converter.pue.is_none()
    }
    /// Whether a domain draws more by at least what is added below it: what a PUE adds may fall while the load rises.
    pub(crate) fn rises(&self, domain: u32) -> bool {
        let converter = &self.converters[self.converter[domain as usize] as usize];
        converter.pue.as_ref().is_none_or(|(pue, _)| pue.loads.len() == 1)
    }
}
