//! What every domain draws, from nothing but what is free, and whether caps allow more.
//!
//! Every thousandth of a GPU held draws its part of the way from idle to busy. Under `admit` a place is refused if a
//! node of it, or a rack, feed or site above, would draw more than its cap, at any instant of the window asked about;
//! or if it would draw more than before where all that is left has been withdrawn. A curtailment lowers the cap of its
//! feed for a while; only `drain` is told here, where what runs goes on: a start is asked at every instant of its expected
//! run at which a curtailment known by now begins.
//!
//! Where the rise of a feed is limited, no start leaves it more than so much above the least that it drew, second by
//! second, in the minute before; before anything has happened it drew what idles. What is to come is expected as
//! `future.rs` tells; only the instant at which a job would start is asked.

use super::free::{Free, Holding};
use super::world::World;
use gigawatt::cluster::{Cluster, NodeState, through};
use gigawatt::history::Plan;
use gigawatt::units::Watts;
use std::collections::BTreeSet;

/// A domain that may have a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Domain {
    Node(u32),
    Rack(u32),
    Feed(u32),
    Site(u32),
}

impl Domain {
    /// A node and everything above it.
    fn all_above(cluster: &Cluster, node: u32) -> Vec<Self> {
        let rack = cluster.rack_of(node);
        let mut domains = vec![Self::Node(node), Self::Rack(rack)];
        let mut next = Some(cluster.racks[rack as usize].feed);
        while let Some(feed) = next {
            domains.push(Self::Feed(feed));
            next = cluster.feeds[feed as usize].parent;
        }
        let feed = cluster.racks[rack as usize].feed;
        domains.push(Self::Site(cluster.feeds[feed as usize].site));
        domains
    }
    /// Whether a node is, or lies below, this domain.
    pub(super) fn is_above(self, cluster: &Cluster, node: u32) -> bool {
        Self::all_above(cluster, node).contains(&self)
    }
    fn cap(self, cluster: &Cluster) -> Option<Watts> {
        match self {
            Self::Node(node) => cluster.kind_of(node).power.cap,
            Self::Rack(rack) => cluster.racks[rack as usize].cap,
            Self::Feed(feed) => cluster.feeds[feed as usize].cap,
            Self::Site(site) => cluster.sites[site as usize].cap,
        }
    }
}

/// The domains above nodes that could refuse somebody; none where the power rule heeds no cap.
pub(super) fn limited(plan: &Plan) -> BTreeSet<Domain> {
    let cluster = &plan.cluster;
    if ["", "none"].contains(&plan.settings.power.as_str()) {
        return BTreeSet::new();
    }
    let mut domains: BTreeSet<Domain> = BTreeSet::new();
    for node in 0..cluster.nodes() {
        domains.extend(
            Domain::all_above(cluster, node).into_iter().filter(|domain| domain.cap(cluster).is_some()),
        );
    }
    domains.extend(cluster.curtailments.iter().map(|curtailment| Domain::Feed(curtailment.feed)));
    domains.extend(cluster.ramps.iter().map(|ramp| Domain::Feed(ramp.feed)));
    domains
}

impl World<'_> {
    /// Whether every cap allows this too; those that do not are remembered.
    pub(super) fn has_power(&self, free: &Free, more: &Holding) -> bool {
        if self.plan.settings.power != "admit" || free.unlimited {
            return true;
        }
        let single = std::slice::from_ref(free);
        let instants = if free.instants.is_empty() { single } else { &free.instants };
        let refusing: BTreeSet<Domain> =
            instants.iter().flat_map(|then| self.refusing(then, &free.spent, more, true)).collect();
        self.refused.borrow_mut().extend(&refusing);
        refusing.is_empty()
    }

    /// The domains above a place that draw more than they may, or than before where they are spent, with what it holds
    /// taken, now or before.
    pub(super) fn refusing(
        &self,
        free: &Free,
        spent: &BTreeSet<Domain>,
        more: &Holding,
        take: bool,
    ) -> BTreeSet<Domain> {
        let mut after = free.clone();
        more.pods.iter().filter(|_| take).for_each(|pod| after.take_pod(pod));
        let hungry = more.pods.iter().filter(|pod| super::free::total(pod) > 0);
        let domains: BTreeSet<Domain> =
            hungry.flat_map(|pod| Domain::all_above(self.cluster(), pod.node)).collect();
        let before = Draws { cluster: self.cluster(), free };
        let draws = Draws { cluster: self.cluster(), free: &after };
        let refuses = |domain: &Domain| {
            let drawn = draws.of(*domain);
            let curtailed = match domain {
                Domain::Feed(feed) => free.curtailed.get(feed).copied(),
                _ => None,
            };
            let risen = match domain {
                Domain::Feed(feed) => free.risen.get(feed).copied().map(Watts),
                _ => None,
            };
            let mut caps = domain.cap(self.cluster()).into_iter().chain(curtailed).chain(risen);
            caps.any(|cap| drawn > cap.0) || spent.contains(domain) && drawn > before.of(*domain)
        };
        domains.into_iter().filter(refuses).collect()
    }
}

/// The draw of a cluster at one instant.
#[derive(Debug)]
pub(crate) struct Draws<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) free: &'a Free,
}

impl Draws<'_> {
    fn of(&self, domain: Domain) -> u64 {
        match domain {
            Domain::Node(node) => self.node(node),
            Domain::Rack(rack) => self.rack(rack),
            Domain::Feed(feed) => self.feed(feed),
            Domain::Site(site) => self.site(site),
        }
    }
    fn node(&self, node: u32) -> u64 {
        let kind = self.cluster.kind_of(node);
        let all = u64::from(kind.gpus) * 1000;
        let held = all - self.free.node_total(node);
        match self.free.state[node as usize] {
            NodeState::Absent => 0,
            _ => kind.power.idle.0 + (held * (kind.power.busy.0 - kind.power.idle.0)).div_ceil(all.max(1)),
        }
    }
    fn rack(&self, rack: u32) -> u64 {
        let own = &self.cluster.racks[rack as usize];
        let nodes = own.first_node..own.first_node + own.nodes;
        let there = nodes.clone().any(|node| self.free.state[node as usize] != NodeState::Absent);
        let overhead = self.cluster.kinds[own.kind as usize].power.rack_overhead.0;
        nodes.map(|node| self.node(node)).sum::<u64>() + if there { overhead } else { 0 }
    }
    pub(super) fn feed(&self, feed: u32) -> u64 {
        let racks = (0..).zip(&self.cluster.racks).filter(|(_, rack)| rack.feed == feed);
        let below = (0..).zip(&self.cluster.feeds).filter(|(_, below)| below.parent == Some(feed));
        let racks: u64 = racks.map(|(rack, _)| self.rack(rack)).sum();
        let feeds: u64 = below.map(|(feed, _)| self.feed(feed)).sum();
        through(&self.cluster.feeds[feed as usize].losses, Watts(racks + feeds)).0
    }
    fn site(&self, site: u32) -> u64 {
        let tops =
            (0..).zip(&self.cluster.feeds).filter(|(_, feed)| feed.parent.is_none() && feed.site == site);
        tops.map(|(feed, _)| self.feed(feed)).sum()
    }

    /// How far the tightest of a rack, its feeds and its site is used, of 65,535, what is curtailed now being less.
    pub(crate) fn pressure(&self, rack: u32) -> u64 {
        let cluster = self.cluster;
        let own = &cluster.racks[rack as usize];
        let used = |drawn: u64, cap: Option<Watts>| {
            cap.map_or(0, |cap| u128::from(drawn) * 65_535 / u128::from(cap.0.max(1)))
        };
        let mut most = used(self.rack(rack), own.cap);
        let mut next = Some(own.feed);
        while let Some(feed) = next {
            let above = &cluster.feeds[feed as usize];
            let curtailed = self.free.curtailed.get(&feed).copied();
            most = most.max(used(self.feed(feed), above.cap.into_iter().chain(curtailed).min()));
            most = most.max(used(self.site(above.site), cluster.sites[above.site as usize].cap));
            next = above.parent;
        }
        u64::try_from(most.min(65_535)).expect("at most 65535")
    }
}
