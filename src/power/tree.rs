//! What every domain draws at one instant: node → chassis → rack → feed → site, kept up change by change.

use super::domains::Domains;
use crate::cluster::{Cluster, Site, through};
use crate::hardware::Loss;
use crate::units::Watts;
use std::collections::BinaryHeap;

/// Something that draws power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// All sites together.
    All,
    /// A site, at its grid connection.
    Site(u32),
    /// A feed, its own losses included.
    Feed(u32),
    /// A rack, as its feed sees it.
    Rack(u32),
}

/// What the draw of all sites is made of; the parts add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// What jobs make nodes draw above idle.
    pub busy: Watts,
    /// Nodes that are there, without work.
    pub idle: Watts,
    /// What racks and conversions draw whatever passes.
    pub overhead: Watts,
    /// What conversions lose.
    pub losses: Watts,
    /// What cooling and the building take.
    pub cooling: Watts,
}

/// The draw of every domain of a cluster.
///
/// A node draws its kind's idle power while it is there: up, draining or down, which leaves it plugged in; absent it
/// draws nothing. A rack draws its overhead while one of its nodes is there.
///
/// ```
/// use gigawatt::cluster::{Cluster, NodeKind, NodePower};
/// use gigawatt::power::tree::{Domain, Tree};
/// use gigawatt::units::Watts;
/// let power = NodePower { idle: Watts(600), busy: Watts(2700), rack_overhead: Watts(50), ..NodePower::default() };
/// let cluster = Cluster::racked(3, 4, NodeKind { gpus: 8, power, ..NodeKind::default() });
/// let mut tree = Tree::new(&cluster);
/// for node in 0..8 {
///     tree.set_present(node, true);
/// }
/// tree.add(5, Watts(2100));
/// tree.settle();
/// assert_eq!(tree.draw(Domain::Rack(1)), Watts(4 * 600 + 2100 + 50));
/// assert_eq!(tree.draw(Domain::All), Watts(8 * 600 + 2100 + 2 * 50));
/// tree.remove(5, Watts(2100));
/// tree.settle();
/// assert_eq!(tree.draw(Domain::Site(0)), Watts(8 * 600 + 2 * 50), "the third rack is not there");
/// ```
///
/// # Complexity
/// [`Tree::add`] takes constant time for a node; [`Tree::settle`] O(log feeds) for each rack or feed that changed.
#[derive(Debug)]
pub struct Tree<'a> {
    cluster: &'a Cluster,
    domains: Domains,
    /// By node: what it draws before its own conversions.
    nodes: Vec<u64>,
    present: Vec<bool>,
    /// By chassis, those of a rack together: what its nodes draw.
    chassis: Vec<u64>,
    racks: Vec<Rack>,
    feeds: Vec<Through>,
    sites: Vec<Through>,
    /// By site: outdoor temperature, tenths of a degree.
    outdoor: Vec<i32>,
    parts: Signed,
    all: Watts,
    dirty_racks: Vec<u32>,
    dirty_feeds: BinaryHeap<u32>,
    dirty_sites: Vec<u32>,
    changed: Vec<(Domain, Watts)>,
}

/// What goes into a domain and what it draws for it.
#[derive(Debug, Clone, Copy, Default)]
struct Through {
    below: u64,
    /// What came from below when it was settled last.
    settled: u64,
    /// What its conversions make of that.
    draw: Watts,
    /// What the PUE of a site adds.
    cooling: u64,
    is_dirty: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Rack {
    /// What comes out of its chassis, its overhead included.
    through: Through,
    present: u32,
}

/// Parts that may be negative on the way: a draw at its limit loses less than nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Signed {
    busy: i64,
    idle: i64,
    overhead: i64,
    losses: i64,
    cooling: i64,
}

fn signed(watts: u64) -> i64 {
    i64::try_from(watts).unwrap_or(i64::MAX)
}

impl<'a> Tree<'a> {
    /// The tree of a cluster of which no node is there yet.
    #[must_use]
    pub fn new(cluster: &'a Cluster) -> Self {
        let domains = Domains::new(cluster);
        let outdoor =
            |site: &Site| site.outdoor.first().filter(|(time, _)| time.0 == 0).map_or(0, |now| now.1);
        Self {
            cluster,
            nodes: vec![0; cluster.nodes() as usize],
            present: vec![false; cluster.nodes() as usize],
            chassis: vec![0; domains.chassis()],
            domains,
            racks: vec![Rack::default(); cluster.racks.len()],
            feeds: vec![Through::default(); cluster.feeds.len()],
            sites: vec![Through::default(); cluster.sites.len()],
            outdoor: cluster.sites.iter().map(outdoor).collect(),
            parts: Signed::default(),
            all: Watts(0),
            dirty_racks: Vec::new(),
            dirty_feeds: BinaryHeap::new(),
            dirty_sites: Vec::new(),
            changed: Vec::new(),
        }
    }
    /// What a domain draws, as of the last [`Tree::settle`].
    #[must_use]
    pub fn draw(&self, domain: Domain) -> Watts {
        match domain {
            Domain::All => self.all,
            Domain::Site(site) => self.sites[site as usize].cooled(),
            Domain::Feed(feed) => self.feeds[feed as usize].draw,
            Domain::Rack(rack) => self.racks[rack as usize].through.draw,
        }
    }
    /// What a node draws, its own conversions included.
    #[must_use]
    pub fn node(&self, node: u32) -> Watts {
        through(self.domains.losses(node), Watts(self.nodes[node as usize]))
    }
    /// What the draw of all sites is made of, as of the last [`Tree::settle`].
    #[must_use]
    pub fn parts(&self) -> Parts {
        let watts = |part: i64| Watts(u64::try_from(part).unwrap_or(0));
        Parts {
            busy: watts(self.parts.busy),
            idle: watts(self.parts.idle),
            overhead: watts(self.parts.overhead),
            losses: watts(self.parts.losses),
            cooling: watts(self.parts.cooling),
        }
    }
    /// Says whether a node is there, and so draws its idle power.
    pub fn set_present(&mut self, node: u32, present: bool) {
        if std::mem::replace(&mut self.present[node as usize], present) == present {
            return;
        }
        let rack = self.cluster.rack_of(node);
        let power = &self.cluster.kinds[self.cluster.racks[rack as usize].kind as usize].power;
        let (idle, overhead) = (signed(power.idle.0), power.rack_overhead.0);
        let own = &mut self.racks[rack as usize];
        let before = own.present > 0;
        own.present = if present { own.present + 1 } else { own.present - 1 };
        let after = own.present > 0;
        if before != after {
            let sign = if after { 1 } else { -1 };
            own.through.below = own.through.below.saturating_add_signed(sign * signed(overhead));
            self.parts.overhead += sign * signed(overhead);
        }
        let change = if present { idle } else { -idle };
        self.parts.idle += change;
        self.change(node, change);
    }
    /// Lets a node draw more.
    pub fn add(&mut self, node: u32, watts: Watts) {
        self.parts.busy += signed(watts.0);
        self.change(node, signed(watts.0));
    }
    /// Lets a node draw less, by what it was let draw more before.
    pub fn remove(&mut self, node: u32, watts: Watts) {
        self.parts.busy -= signed(watts.0);
        self.change(node, -signed(watts.0));
    }
    /// Sets the outdoor temperature of a site, tenths of a degree Celsius.
    pub fn set_outdoor(&mut self, site: u32, temperature: i32) {
        self.outdoor[site as usize] = temperature;
        self.mark_site(site);
    }

    fn change(&mut self, node: u32, change: i64) {
        let (rack, domains) = (self.cluster.rack_of(node), &self.domains);
        let own = &mut self.nodes[node as usize];
        let mut change = pass(domains.losses(node), own, change, &mut self.parts);
        if let Some(chassis) = domains.chassis_of(node) {
            let losses = domains.losses(domains.parent[node as usize]);
            change = pass(losses, &mut self.chassis[chassis], change, &mut self.parts);
        }
        let own = &mut self.racks[rack as usize].through;
        own.below = own.below.saturating_add_signed(change);
        if !std::mem::replace(&mut own.is_dirty, true) {
            self.dirty_racks.push(rack);
        }
    }
    fn mark_site(&mut self, site: u32) {
        if !std::mem::replace(&mut self.sites[site as usize].is_dirty, true) {
            self.dirty_sites.push(site);
        }
    }

    /// Brings every domain up to date with what was changed; returns those whose draw is another now, and what it was.
    pub fn settle(&mut self) -> &[(Domain, Watts)] {
        self.changed.clear();
        while let Some(rack) = self.dirty_racks.pop() {
            let place = self.cluster.racks[rack as usize];
            let losses = self.domains.losses(self.domains.rack(rack));
            let own = &mut self.racks[rack as usize].through;
            let change = own.settle(losses, &mut self.parts);
            note(&mut self.changed, Domain::Rack(rack), own.draw, change);
            self.feeds[place.feed as usize].feed(change, place.feed, &mut self.dirty_feeds);
        }
        // A feed stands behind the one that feeds it, so that the last one is settled first.
        while let Some(index) = self.dirty_feeds.pop() {
            let feed = &self.cluster.feeds[index as usize];
            let own = &mut self.feeds[index as usize];
            let change = own.settle(self.domains.losses(self.domains.feed(index)), &mut self.parts);
            note(&mut self.changed, Domain::Feed(index), own.draw, change);
            if let Some(parent) = feed.parent {
                self.feeds[parent as usize].feed(change, parent, &mut self.dirty_feeds);
            } else {
                let site = &mut self.sites[feed.site as usize];
                site.below = site.below.saturating_add_signed(change);
                self.mark_site(feed.site);
            }
        }
        let before = self.all;
        while let Some(index) = self.dirty_sites.pop() {
            self.settle_site(index);
        }
        let change = signed(self.all.0) - signed(before.0);
        note(&mut self.changed, Domain::All, self.all, change);
        &self.changed
    }

    fn settle_site(&mut self, index: u32) {
        let site = &self.cluster.sites[index as usize];
        let own = &mut self.sites[index as usize];
        let before = own.cooled();
        own.settle(self.domains.losses(self.domains.site(index)), &mut self.parts);
        let cooled = site.pue.as_ref().map_or(own.draw, |pue| pue.of(own.draw, self.outdoor[index as usize]));
        self.parts.cooling -= signed(own.cooling);
        own.cooling = cooled.0.saturating_sub(own.draw.0);
        self.parts.cooling += signed(own.cooling);
        let change = signed(own.cooled().0) - signed(before.0);
        note(&mut self.changed, Domain::Site(index), own.cooled(), change);
        self.all = Watts(self.all.0.saturating_add_signed(change));
    }
}

/// Notes what a domain drew before, if that is another draw.
fn note(changed: &mut Vec<(Domain, Watts)>, domain: Domain, now: Watts, change: i64) {
    if change != 0 {
        changed.push((domain, Watts(now.0.saturating_add_signed(-change))));
    }
}

impl Through {
    /// What it draws with what its PUE adds.
    const fn cooled(&self) -> Watts {
        Watts(self.draw.0 + self.cooling)
    }
    /// Lets more, or less, come from below; the feed of this index is then to be settled.
    fn feed(&mut self, change: i64, index: u32, dirty: &mut BinaryHeap<u32>) {
        self.below = self.below.saturating_add_signed(change);
        if !std::mem::replace(&mut self.is_dirty, true) {
            dirty.push(index);
        }
    }
    /// Draws for what comes from below now; returns by how much that is more.
    fn settle(&mut self, losses: &[Loss], parts: &mut Signed) -> i64 {
        self.is_dirty = false;
        account(losses, self.settled, parts, -1);
        let draw = account(losses, self.below, parts, 1);
        self.settled = self.below;
        let change = signed(draw.0) - signed(self.draw.0);
        self.draw = draw;
        change
    }
}

/// What a chain draws for `below`; what that adds and loses counts `sign` times.
fn account(losses: &[Loss], below: u64, parts: &mut Signed, sign: i64) -> Watts {
    let draw = through(losses, Watts(below));
    if below > 0 && !losses.is_empty() {
        let added: i64 = losses.iter().map(|loss| signed(loss.add.0)).sum();
        parts.overhead += sign * added;
        parts.losses += sign * (signed(draw.0) - signed(below) - added);
    }
    draw
}

/// Changes what goes into a chain; returns by how much more comes out.
fn pass(losses: &[Loss], below: &mut u64, change: i64, parts: &mut Signed) -> i64 {
    let before = account(losses, *below, parts, -1);
    *below = below.saturating_add_signed(change);
    let after = account(losses, *below, parts, 1);
    signed(after.0) - signed(before.0)
}
