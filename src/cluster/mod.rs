//! WHERE jobs can run: site → feed → rack → node → GPU, in flat arrays with contiguous domains.
//!
//! [`Cluster`] is the description, fixed before a run: every domain that will ever exist has its index from the
//! start. What is held at one instant is kept elsewhere, by one owner.
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind};
//! let cluster = Cluster::uniform(4, NodeKind { gpus: 8, ..NodeKind::default() });
//! assert_eq!((cluster.nodes(), cluster.gpus()), (4, 32));
//! assert_eq!(cluster.rack_of(3), 3, "one rack a node unless a platform says more");
//! ```

mod bits;
mod curtailment;
mod exposed;
pub mod grid;
mod level;
mod licence;
mod occupancy;
mod piece;
mod power;
mod ramp;

pub use curtailment::Curtailment;
pub use exposed::Footprint;
pub use level::Level;
pub use licence::Licence;
pub use occupancy::{Host, Occupancy};
pub use piece::Piece;
pub use power::{NodePower, Pue, through};
pub use ramp::Ramp;

use crate::failure::Failures;
use crate::hardware::Loss;
use crate::units::{Factor, Seconds, Time, Watts};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A place with its own grid connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Unique in the cluster.
    pub name: String,
    /// The most it may draw from the grid.
    pub cap: Option<Watts>,
    /// Conversions between the grid and its feeds, from the feeds up; they come before the PUE.
    pub losses: Vec<Loss>,
    /// What cooling and the rest of the building take; none: nothing.
    pub pue: Option<Pue>,
    /// Outdoor temperature in tenths of a degree Celsius from each instant on, ascending; 0 before the first.
    pub outdoor: Vec<(Time, i32)>,
}

impl Site {
    /// What the site draws for a kilowatt of its machines at full load and the temperature of an instant, watts.
    ///
    /// ```
    /// use gigawatt::cluster::{Pue, Site};
    /// use gigawatt::units::{Time, Watts};
    /// let pue = Pue { loads: vec![Watts(1), Watts(2)], temperatures: vec![0, 200], milli: vec![1400, 1100, 1600, 1300] };
    /// let site = Site { pue: Some(pue), outdoor: vec![(Time(60), 250)], ..Site::default() };
    /// assert_eq!([0, 60].map(|now| site.pue_milli(Time(now))), [1100, 1300]);
    /// assert_eq!(site.pue_range(), (1100, 1300));
    /// assert_eq!(Site::default().pue_milli(Time(0)), 1000, "nothing on top");
    /// ```
    #[must_use]
    pub fn pue_milli(&self, now: Time) -> u32 {
        let known = self.outdoor.partition_point(|(from, _)| *from <= now);
        self.pue_at(known.checked_sub(1).map_or(0, |last| self.outdoor[last].1))
    }
    /// The least and the most that [`Site::pue_milli`] can ever be.
    #[must_use]
    pub fn pue_range(&self) -> (u32, u32) {
        let known = self.outdoor.iter().map(|(_, temperature)| self.pue_at(*temperature));
        known.fold((self.pue_at(0), self.pue_at(0)), |(least, most), milli| {
            (least.min(milli), most.max(milli))
        })
    }
    fn pue_at(&self, temperature: i32) -> u32 {
        self.pue.as_ref().map_or(1000, |pue| pue.milli_at_full_load(temperature))
    }
}

/// A power domain: substation, hall, row; feeds form a tree within a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Unique in the cluster.
    pub name: String,
    /// Index into [`Cluster::sites`].
    pub site: u32,
    /// The feed that feeds this one: a lower index; none: the grid does.
    pub parent: Option<u32>,
    /// The most it may draw, its own losses included.
    pub cap: Option<Watts>,
    /// What it loses on the way, from what hangs below it up.
    pub losses: Vec<Loss>,
}

/// What nodes of one rack are like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKind {
    /// Name of the platform, as in the catalogue.
    pub platform_name: String,
    /// Index of the platform in the catalogue in use.
    pub platform: u32,
    /// GPUs a node, 0..=64.
    pub gpus: u32,
    /// CPU a node, thousandths of a core; [`u32::MAX`] where it is not counted.
    pub cpu_milli: u32,
    /// Memory a node, MiB; [`u32::MAX`] where it is not counted.
    pub memory_mib: u32,
    /// Speed of a gang that spans racks, relative to one inside a rack.
    pub across_racks: Factor,
    /// What such nodes and their racks draw.
    pub power: NodePower,
}

impl NodeKind {
    /// The most GPUs a node can have: their free ones are a 64-bit mask.
    pub const MAX_GPUS: u32 = 64;
}

/// A node without GPUs of the platform `generic`, host resources not counted.
impl Default for NodeKind {
    fn default() -> Self {
        Self {
            platform_name: "generic".to_owned(),
            platform: 0,
            gpus: 0,
            cpu_milli: u32::MAX,
            memory_mib: u32::MAX,
            across_racks: Factor::ONE,
            power: NodePower::default(),
        }
    }
}

/// Nodes behind one NVLink switch or in one cabinet: contiguous, all of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rack {
    /// Index into [`Cluster::feeds`].
    pub feed: u32,
    /// Index into [`Cluster::kinds`].
    pub kind: u32,
    /// Index of its first node.
    pub first_node: u32,
    /// How many nodes it has, at least 1.
    pub nodes: u32,
    /// The most it may draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Watts>,
}

/// A set of nodes that some tenants or queues own; partitions may overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Unique in the cluster.
    pub name: String,
    /// Ascending, not touching.
    pub nodes: Vec<Range<u32>>,
    /// Jobs of a higher tier are tried before those of a lower one, whatever the order says; 0 unless it is set.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tier: u32,
    /// GPU-thousandths that its running jobs may hold together; none: as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_milli: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(tier: &u32) -> bool {
    *tier == 0
}

impl Partition {
    /// A partition of the lowest tier, without a limit.
    #[must_use]
    pub const fn new(name: String, nodes: Vec<Range<u32>>) -> Self {
        Self { name, nodes, tier: 0, limit_milli: None }
    }
}

/// Whether a node can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// Not delivered yet, or taken away.
    Absent,
    /// In use.
    Up,
    /// Takes no new job; what runs there goes on.
    Draining,
    /// Broken: what runs there is stopped.
    Down,
    /// In reserve for one that is down: takes no job.
    Spare,
}

impl NodeState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 5] = [Self::Absent, Self::Up, Self::Draining, Self::Down, Self::Spare];
    /// Whether the GPUs of such a node are counted as available.
    #[must_use]
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Up | Self::Draining | Self::Spare)
    }
}

/// Nodes that change their state at some instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityChange {
    /// When; time 0 is before the first job.
    pub time: Time,
    /// Which nodes.
    pub nodes: Range<u32>,
    /// Their state from then on; they are [`NodeState::Up`] before the first change.
    pub state: NodeState,
    /// How long before it comes the change is known; none: it comes as a surprise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Seconds>,
}

impl CapacityChange {
    /// A change that comes as a surprise.
    #[must_use]
    pub const fn surprise(time: Time, nodes: Range<u32>, state: NodeState) -> Self {
        Self { time, nodes, state, notice: None }
    }
    /// When it becomes known: at the latest when it comes.
    ///
    /// ```
    /// use gigawatt::cluster::{CapacityChange, NodeState};
    /// use gigawatt::units::{Seconds, Time};
    /// let surprise = CapacityChange::surprise(Time(100), 0..4, NodeState::Down);
    /// assert_eq!(surprise.announced(), Time(100));
    /// let planned = CapacityChange { notice: Some(Seconds(30)), ..surprise };
    /// assert_eq!(planned.announced(), Time(70));
    /// ```
    #[must_use]
    pub fn announced(&self) -> Time {
        Time(self.time.0.saturating_sub(self.notice.map_or(0, |notice| notice.0)))
    }
}

/// The description of everything jobs can run on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// At least one.
    pub sites: Vec<Site>,
    /// At least one; parents before children.
    pub feeds: Vec<Feed>,
    /// Ordered by feed, and so by site; their nodes are contiguous and in order.
    pub racks: Vec<Rack>,
    /// The distinct kinds of nodes.
    pub kinds: Vec<NodeKind>,
    /// Index 0 holds every node; a workload's partitions are matched by name.
    pub partitions: Vec<Partition>,
    /// Ascending by time.
    pub changes: Vec<CapacityChange>,
    /// The grid connection of each site, or none at all: energy then costs nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grids: Vec<grid::Grid>,
    /// When feeds may deliver less; they may overlap.
    #[serde(default)]
    pub curtailments: Vec<Curtailment>,
    /// How fast the draw of feeds may rise, a feed at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ramps: Vec<Ramp>,
    /// What jobs hold beside nodes, wherever they run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licences: Vec<Licence>,
    /// Domains between the racks and the whole, from the highest level down; each lies in one of the level above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// What fails of it; none: nothing does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Box<Failures>>,
    /// Names of the nodes where the input has them; else empty.
    pub node_names: Vec<String>,
    node_rack: Vec<u32>,
}

impl Cluster {
    /// A cluster with one site and one feed and no rack yet.
    #[must_use]
    pub fn single_feed() -> Self {
        Self {
            sites: vec![Site { name: "site".to_owned(), ..Site::default() }],
            feeds: vec![Feed { name: "feed".to_owned(), ..Feed::default() }],
            partitions: vec![Partition::new("all".to_owned(), Vec::new())],
            ..Self::default()
        }
    }
    /// `nodes` nodes of one kind on one feed, one rack a node.
    #[must_use]
    pub fn uniform(nodes: u32, kind: NodeKind) -> Self {
        Self::racked(nodes, 1, kind)
    }
    /// `racks` racks of `nodes` nodes of one kind on one feed.
    #[must_use]
    pub fn racked(racks: u32, nodes: u32, kind: NodeKind) -> Self {
        let mut cluster = Self::single_feed();
        let kind = cluster.add_kind(kind);
        for _ in 0..racks {
            cluster.add_rack(0, kind, nodes);
        }
        cluster
    }
    /// The index of this kind of node, added if new.
    pub fn add_kind(&mut self, kind: NodeKind) -> u32 {
        assert!(kind.gpus <= NodeKind::MAX_GPUS, "free GPUs of a node are a 64-bit mask");
        let known = self.kinds.iter().position(|known| *known == kind);
        let index = known.unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        });
        u32::try_from(index).expect("kinds are few")
    }
    /// Adds a rack after the others and its nodes to partition 0; returns its index.
    ///
    /// # Panics
    /// If it has no node, or more nodes than 32 bits can count.
    pub fn add_rack(&mut self, feed: u32, kind: u32, nodes: u32) -> u32 {
        assert!(nodes > 0, "a rack has at least one node");
        let first_node = self.nodes();
        let end = first_node.checked_add(nodes).expect("nodes are counted in 32 bits");
        let rack = u32::try_from(self.racks.len()).expect("racks are no more than nodes");
        self.racks.push(Rack { feed, kind, first_node, nodes, cap: None });
        self.node_rack.resize(end as usize, rack);
        self.partitions[0].nodes = std::iter::once(0..end).collect();
        rack
    }
    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        u32::try_from(self.node_rack.len()).expect("nodes are counted in 32 bits")
    }
    /// How many GPUs there are.
    #[must_use]
    pub fn gpus(&self) -> u64 {
        self.racks
            .iter()
            .map(|rack| u64::from(rack.nodes) * u64::from(self.kinds[rack.kind as usize].gpus))
            .sum()
    }
    /// The rack of a node.
    #[must_use]
    pub fn rack_of(&self, node: u32) -> u32 {
        self.node_rack[node as usize]
    }
    /// The nodes of a rack.
    #[must_use]
    pub fn nodes_of_rack(&self, rack: u32) -> Range<u32> {
        let rack = &self.racks[rack as usize];
        rack.first_node..rack.first_node + rack.nodes
    }
    /// The nodes that a feed feeds, ascending and not touching.
    ///
    /// # Complexity
    /// O(racks · depth of the tree of feeds).
    #[must_use]
    pub fn nodes_below_feed(&self, feed: u32) -> Vec<Range<u32>> {
        let above = |feed: &u32| self.feeds[*feed as usize].parent;
        self.nodes_of_racks(|rack| std::iter::successors(Some(rack.feed), above).any(|own| own == feed))
    }
    /// The nodes of a site, ascending and not touching.
    #[must_use]
    pub fn nodes_of_site(&self, site: u32) -> Vec<Range<u32>> {
        self.nodes_of_racks(|rack| self.feeds[rack.feed as usize].site == site)
    }
    fn nodes_of_racks(&self, is_one: impl Fn(&Rack) -> bool) -> Vec<Range<u32>> {
        let mut found: Vec<Range<u32>> = Vec::new();
        for rack in self.racks.iter().filter(|rack| is_one(rack)) {
            let nodes = rack.first_node..rack.first_node + rack.nodes;
            match found.last_mut() {
                Some(last) if last.end == nodes.start => last.end = nodes.end,
                _ => found.push(nodes),
            }
        }
        found
    }
    /// The kind of a node.
    #[must_use]
    pub fn kind_of(&self, node: u32) -> &NodeKind {
        &self.kinds[self.racks[self.rack_of(node) as usize].kind as usize]
    }
    /// Whether its nodes are exactly those of its racks and can be counted, as [`Cluster::add_rack`] leaves them, its
    /// levels divide all racks, and what fails is of its kinds; a description read from a file may not be so.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut next = 0_u32;
        for (index, rack) in (0u32..).zip(&self.racks) {
            let Some(end) = rack.first_node.checked_add(rack.nodes) else { return false };
            let nodes = self.node_rack.get(rack.first_node as usize..end as usize);
            let own = nodes.is_some_and(|nodes| nodes.iter().all(|of| *of == index));
            let known = (rack.kind as usize) < self.kinds.len() && (rack.feed as usize) < self.feeds.len();
            if rack.first_node != next || rack.nodes == 0 || !own || !known {
                return false;
            }
            next = end;
        }
        let grids = self.grids.is_empty() || self.grids.len() == self.sites.len();
        next as usize == self.node_rack.len()
            && grids
            && self.grids.iter().all(grid::Grid::is_sound)
            && level::are_sound(&self.levels, self.racks.len())
            && self.failures.as_ref().is_none_or(|failures| failures.is_sound(self.kinds.len(), self.nodes()))
    }
    /// The grid connection of a site, where it is known.
    #[must_use]
    pub fn grid(&self, site: u32) -> Option<&grid::Grid> {
        self.grids.get(site as usize)
    }
    /// The level of that name, by its index.
    #[must_use]
    pub fn level(&self, name: &str) -> Option<usize> {
        self.levels.iter().position(|level| level.name == name)
    }
    /// The partition of that name.
    #[must_use]
    pub fn partition(&self, name: &str) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.name == name)
    }
    /// What a node is called: its name, else its index.
    #[must_use]
    pub fn node_name(&self, node: u32) -> String {
        self.node_names.get(node as usize).cloned().unwrap_or_else(|| node.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn racks_are_contiguous_and_in_order() {
        let mut cluster = Cluster::single_feed();
        let small = cluster.add_kind(NodeKind { gpus: 4, ..NodeKind::default() });
        let large = cluster.add_kind(NodeKind { gpus: 8, ..NodeKind::default() });
        assert_eq!(
            cluster.add_kind(NodeKind { gpus: 4, ..NodeKind::default() }),
            small,
            "equal kinds are one"
        );
        cluster.add_rack(0, small, 3);
        cluster.add_rack(0, large, 2);
        assert_eq!((cluster.nodes(), cluster.gpus()), (5, 28), "3 × 4 and 2 × 8");
        assert_eq!(cluster.racks[1].first_node, 3, "after the first rack");
        assert_eq!(cluster.kind_of(4).gpus, 8, "the last node is a large one");
        assert!(cluster.partitions[0].nodes.iter().eq([&(0..5)]), "the default partition holds every node");
    }
}
