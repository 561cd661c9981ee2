//! What every domain draws, from nothing but what is free.

use super::free::Free;
use gigawatt::cluster::{Cluster, NodeState, through};
use gigawatt::units::Watts;

/// The draw of a cluster at one instant.
#[derive(Debug)]
pub(crate) struct Draws<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) free: &'a Free,
}

impl Draws<'_> {
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
    fn feed(&self, feed: u32) -> u64 {
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

    /// How far the tightest of a rack, its feeds and its site is used, of 65,535.
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
            most = most.max(used(self.feed(feed), above.cap));
            most = most.max(used(self.site(above.site), cluster.sites[above.site as usize].cap));
            next = above.parent;
        }
        u64::try_from(most.min(65_535)).expect("at most 65535")
    }

    /// Whether a node and everything above it draw no more than they may.
    pub(crate) fn within_caps(&self, node: u32) -> bool {
        let cluster = self.cluster;
        let rack = cluster.rack_of(node);
        let mut feeds = vec![cluster.racks[rack as usize].feed];
        while let Some(parent) = cluster.feeds[feeds[feeds.len() - 1] as usize].parent {
            feeds.push(parent);
        }
        let site = cluster.feeds[feeds[0] as usize].site;
        let within = |drawn: u64, cap: Option<Watts>| cap.is_none_or(|cap| drawn <= cap.0);
        within(self.node(node), cluster.kind_of(node).power.cap)
            && within(self.rack(rack), cluster.racks[rack as usize].cap)
            && feeds.iter().all(|feed| within(self.feed(*feed), cluster.feeds[*feed as usize].cap))
            && within(self.site(site), cluster.sites[site as usize].cap)
    }
}
