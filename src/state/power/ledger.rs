//! The reserved draw of every node, chassis, rack, feed and site.

mod asked;
mod rises;
#[cfg(test)]
mod tests;
mod upwards;

pub(crate) use asked::Added;

use super::level::{Draws, milli_of};
use super::rise::Rise;
use crate::cluster::{Cluster, Curtailment, NodeState, Piece};
use crate::hardware::WATTS_MAX;
use crate::power::domains::{Domains, NONE};
use crate::units::{Time, Watts};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use upwards::Upwards;

const UNLIMITED: u64 = u64::MAX;

/// What each domain may draw.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Caps {
    /// What counts now.
    actual: Vec<u64>,
    /// What counts for starts: lower where a curtailment to come is drained for.
    admitted: Vec<u64>,
}

/// What is reserved, level by level, and what is left.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    tree: Arc<Domains>,
    caps: Arc<Caps>,
    /// By domain: what hangs below it draws; of a node, its idle draw and its jobs'.
    below: Vec<u64>,
    /// By domain: what it draws itself.
    drawn: Vec<u64>,
    /// How many domains draw more than they may now.
    exceeded: u32,
    /// By domain up to the racks: how many of its nodes are there at all.
    present: Vec<u32>,
    /// Feeds whose rise is limited.
    rises: Vec<Rise>,
    /// Whether only what counts now does, and no curtailment to come.
    eased: bool,
    /// What is asked must be admitted at other instants too, as things stand then.
    others: Vec<Self>,
    /// Domains that may not draw a watt more.
    withdrawn: Vec<u32>,
    /// The domains that refuse what is asked, where they are asked for: no question ends at the first of them then.
    refusing: Option<RefCell<BTreeSet<u32>>>,
}

impl Ledger {
    /// Nothing runs, every node is there.
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let tree = Domains::new(cluster);
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
        let feed = |feed: u32| tree.feed(feed);
        let rises = cluster.ramps.iter().map(|ramp| Rise::new(feed(ramp.feed), ramp)).collect();
        let mut ledger = Self {
            tree: Arc::new(tree),
            caps,
            below,
            drawn,
            exceeded: 0,
            present,
            rises,
            eased: false,
            others: Vec::new(),
            withdrawn: Vec::new(),
            refusing: None,
        };
        ledger.set_caps(cluster, Time::ZERO, false);
        ledger
    }

    /// The caps of an instant; whether starts heed those that are announced.
    pub(crate) fn set_caps(&mut self, cluster: &Cluster, now: Time, drains: bool) {
        let actual = self.caps_with(cluster, |curtailment| curtailment.is_active(now));
        let announced =
            |curtailment: &Curtailment| curtailment.is_active(now) || drains && curtailment.is_known(now);
        let admitted = self.caps_with(cluster, announced);
        self.put_caps(Caps { actual, admitted });
    }
    /// The caps that are known by `now` to hold at an instant.
    pub(crate) fn expect_caps(&mut self, cluster: &Cluster, now: Time, instant: Time) {
        let known = |curtailment: &Curtailment| curtailment.is_known(now) && curtailment.is_active(instant);
        let actual = self.caps_with(cluster, known);
        self.put_caps(Caps { admitted: actual.clone(), actual });
    }
    fn put_caps(&mut self, caps: Caps) {
        self.caps = Arc::new(caps);
        let exceeded = (0..index(self.drawn.len())).filter(|domain| self.exceeds(*domain));
        self.exceeded = index(exceeded.count());
    }
    /// By domain: its cap, and what the curtailments that count leave of it.
    fn caps_with(&self, cluster: &Cluster, counts: impl Fn(&Curtailment) -> bool) -> Vec<u64> {
        let tree = &self.tree;
        let watts = |cap: Option<Watts>| cap.map_or(UNLIMITED, |cap| cap.0);
        let mut caps = vec![UNLIMITED; tree.parent.len()];
        for (node, kind) in tree.kind.iter().enumerate() {
            caps[node] = watts(cluster.kinds[*kind as usize].power.cap);
        }
        let first_rack = tree.first_feed as usize - cluster.racks.len();
        for (own, rack) in caps[first_rack..].iter_mut().zip(&cluster.racks) {
            *own = watts(rack.cap);
        }
        let above =
            cluster.feeds.iter().rev().map(|feed| feed.cap).chain(cluster.sites.iter().map(|site| site.cap));
        for (own, cap) in caps[tree.first_feed as usize..].iter_mut().zip(above) {
            *own = watts(cap);
        }
        for curtailment in cluster.curtailments.iter().filter(|curtailment| counts(curtailment)) {
            let feed = tree.feed(curtailment.feed) as usize;
            caps[feed] = caps[feed].min(curtailment.cap.0);
        }
        caps
    }

    /// The most that starts may let a domain draw.
    fn admitted(&self, domain: u32) -> u64 {
        let cap = self.cap(domain);
        if self.withdrawn.contains(&domain) { cap.min(self.drawn[domain as usize]) } else { cap }
    }
    /// The same where nothing is withdrawn.
    fn cap(&self, domain: u32) -> u64 {
        let rises = self.rises.iter().filter(|rise| rise.domain == domain);
        let ceilings = rises.map(|rise| rise.ceiling(self.drawn[domain as usize]));
        let caps = if self.eased { &self.caps.actual } else { &self.caps.admitted };
        ceilings.fold(caps[domain as usize], u64::min)
    }
    /// Whether starts are asked about as if no curtailment were known to come.
    pub(crate) fn ease(&mut self, eased: bool) {
        self.eased = eased;
    }

    /// What each node of the pieces reserves more, by node.
    fn watts(&self, draws: &Draws, level: usize, pieces: &[Piece]) -> Vec<(u32, u64)> {
        let mut watts: Vec<(u32, u64)> = Vec::new();
        for piece in pieces {
            for node in piece.nodes() {
                watts.push((node, self.pod_watts(draws, level, node, milli_of(piece))));
            }
        }
        watts.sort_unstable_by_key(|(node, _)| *node);
        watts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        watts
    }
    /// The node of pieces that are one pod, and what it reserves more.
    fn one_pod(&self, draws: &Draws, level: usize, pieces: &[Piece]) -> Option<(u32, u64)> {
        let [piece] = pieces else { return None };
        let mut nodes = piece.nodes();
        let node = nodes.next().filter(|_| nodes.next().is_none())?;
        Some((node, self.pod_watts(draws, level, node, milli_of(piece))))
    }

    fn pod_watts(&self, draws: &Draws, level: usize, node: u32, milli: Option<u32>) -> u64 {
        let kind = self.tree.kind[node as usize];
        let whole = || self.tree.kinds[kind as usize].0 * 1000;
        self.watts_of_pod(draws, level, kind, milli.unwrap_or_else(whole))
    }
    /// What a pod of so many thousandths reserves on nodes of a kind.
    pub(crate) fn watts_of_pod(&self, draws: &Draws, level: usize, kind: u32, milli: u32) -> u64 {
        draws.of_pod(level, kind, milli, self.tree.kinds[kind as usize].0).0
    }

    /// Whether a pod of so many thousandths on a node stays within every cap above it.
    pub(crate) fn admits_pod(&self, draws: &Draws, level: usize, node: u32, milli: u32) -> bool {
        self.admits_watts(node, self.pod_watts(draws, level, node, Some(milli)))
    }
    /// Whether a node may draw so many watts more, now and at every other instant that is asked about.
    fn admits_watts(&self, node: u32, watts: u64) -> bool {
        let mut admits = self.admits_now(node, watts);
        for other in &self.others {
            if !admits && !self.tells_refusals() {
                return false;
            }
            admits &= other.admits_now(node, watts);
        }
        admits
    }
    fn admits_now(&self, node: u32, mut more: u64) -> bool {
        let (mut domain, mut admits) = (node, true);
        while more > 0 && domain != NONE && (admits || self.tells_refusals()) {
            let drawn = self.tree.of(domain, self.below[domain as usize] + more);
            admits &= !self.refuses(domain, drawn);
            more = drawn.saturating_sub(self.drawn[domain as usize]);
            domain = self.tree.parent[domain as usize];
        }
        admits
    }

    /// By node: watts that a start may add to it at most, every cap above it and what conversions add looked at.
    pub(crate) fn headrooms(&self) -> Vec<u32> {
        self.room_below(0..self.tree.kind.len())
    }
    /// By rack: watts that all its nodes together may add at most; what a conversion inside the rack adds comes on top.
    pub(crate) fn rack_headrooms(&self) -> Vec<u32> {
        self.room_below(self.tree.first_rack as usize..self.tree.first_feed as usize)
    }
    /// How much more may hang below each of some domains; `u32::MAX` and more, and what nothing limits, are not told apart.
    fn room_below(&self, domains: Range<usize>) -> Vec<u32> {
        let first = domains.start;
        let mut room = vec![u64::MAX; self.drawn.len() - first];
        for at in (0..room.len()).rev() {
            let own = first + at;
            let (domain, cap) = (index(own), self.caps.admitted[own]);
            let parent = (self.tree.parent[own] as usize).wrapping_sub(first);
            let above = room.get(parent).copied().unwrap_or(u64::MAX);
            if cap == UNLIMITED && (above == u64::MAX || self.tree.passes(domain)) {
                room[at] = above;
                continue;
            }
            let most = self.drawn[own].saturating_add(above).min(cap);
            // What draws more than anything can is no longer counted.
            if self.tree.rises(domain) && most < WATTS_MAX.0 {
                room[at] = self.tree.below(domain, most).saturating_sub(self.below[own]);
            }
        }
        room[..domains.len()].iter().map(|watts| u32::try_from(*watts).unwrap_or(u32::MAX)).collect()
    }

    /// By rack: how far the tightest of itself, its feeds and its site is used, 65,535 being all of the cap that holds now.
    pub(crate) fn pressures(&self) -> Vec<u32> {
        let mut used = vec![0; self.drawn.len()];
        let first = self.tree.first_rack as usize;
        for domain in (first..used.len()).rev() {
            let (drawn, cap) = (u128::from(self.drawn[domain]), u128::from(self.caps.actual[domain]));
            let own = if self.caps.actual[domain] == UNLIMITED { 0 } else { drawn * 65_535 / cap.max(1) };
            let above = used.get(self.tree.parent[domain] as usize).copied().unwrap_or(0);
            used[domain] = above.max(u32::try_from(own.min(65_535)).expect("at most 65535"));
        }
        used[first..self.tree.first_feed as usize].to_vec()
    }

    /// The least watts that a pod of so many thousandths reserves, of all levels it may start at and `kinds` of nodes.
    pub(crate) fn least_watts(&self, draws: &Draws, kinds: &[u32], milli: u32) -> u32 {
        let levels = draws.starts().iter();
        let watts =
            levels.flat_map(|level| kinds.iter().map(|kind| self.watts_of_pod(draws, *level, *kind, milli)));
        u32::try_from(watts.min().unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// Whether all the pieces together stay within every cap above them.
    pub(crate) fn admits(&self, draws: &Draws, level: usize, pieces: &[Piece]) -> bool {
        match self.one_pod(draws, level, pieces) {
            Some((node, watts)) => self.admits_watts(node, watts),
            None => self.admits_besides(&mut Added::default(), draws, level, pieces),
        }
    }
    /// What is above a rack, and what the rack draws more there if its nodes draw so many watts more besides what is on
    /// trial; none if that breaks its cap.
    pub(crate) fn rise_above(&self, trial: &Added, rack: u32, watts: u64) -> Option<(u32, u64)> {
        let domain = self.tree.rack(rack);
        let (rise, refuses) = self.rise_of((trial, 0), domain, watts);
        (!refuses).then(|| (self.tree.parent[domain as usize], rise))
    }
    /// Whether so many watts more below a domain besides what is on trial certainly break a cap, there or above.
    pub(crate) fn lacks(&self, trial: &Added, mut domain: u32, mut watts: u64) -> bool {
        while domain != NONE && self.tree.rises(domain) {
            let (rise, refuses) = self.rise_of((trial, 0), domain, watts);
            if refuses {
                return true;
            }
            (domain, watts) = (self.tree.parent[domain as usize], rise);
        }
        false
    }
    /// Whether a job that reserves so many watts, wherever its nodes are, certainly breaks a cap above all of them.
    pub(crate) fn lacks_anywhere(&self, watts: u64) -> bool {
        self.lacks(&Added::default(), self.tree.common, watts)
    }
    /// What a domain draws more, and whether that breaks its cap.
    fn rise_of(&self, (trial, instant): (&Added, usize), domain: u32, more: u64) -> (u64, bool) {
        if more == 0 {
            return (0, false);
        }
        let before = trial.of(instant, domain);
        let drawn = self.drawn_with(domain, before + more);
        (drawn.saturating_sub(self.drawn_with(domain, before)), self.refuses(domain, drawn))
    }
    /// Whether an idle node has too little left by itself for so many watts more.
    pub(crate) fn idle_node_lacks(&self, node: u32, watts: u64) -> bool {
        let (_, idle) = self.tree.kinds[self.tree.kind[node as usize] as usize];
        watts > 0 && self.tree.of(node, idle + watts) > self.cap(node)
    }
    /// What a domain draws if so much more hangs below it.
    fn drawn_with(&self, domain: u32, more: u64) -> u64 {
        let at = domain as usize;
        if more == 0 { self.drawn[at] } else { self.tree.of(domain, self.below[at] + more) }
    }

    /// Takes what the pieces reserve, or gives it back.
    pub(crate) fn hold(&mut self, draws: &Draws, level: usize, pieces: &[Piece], take: bool) {
        let sign = if take { 1 } else { -1 };
        if let Some((node, watts)) = self.one_pod(draws, level, pieces) {
            let mut next = Some((node, sign * i128::from(watts)));
            while let Some((domain, more)) = next {
                next = self.change_one(domain, more);
            }
            return;
        }
        let added = self.watts(draws, level, pieces).into_iter();
        self.change(added.map(|(node, watts)| (node, sign * i128::from(watts))).collect());
    }

    /// What hangs below domains changes; all that follows from it.
    fn change(&mut self, added: Vec<(u32, i128)>) {
        let mut added = Upwards::new(added);
        while let Some((domain, more)) = added.pop() {
            if let Some((above, more)) = self.change_one(domain, more) {
                added.add(above, more);
            }
        }
    }

    /// Whether a node draws at all.
    pub(crate) fn is_there(&self, node: u32) -> bool {
        self.present[node as usize] == 1
    }
    /// What hangs below a domain changes; returns what is above it and how much more hangs below that then, if anything.
    fn change_one(&mut self, domain: u32, more: i128) -> Option<(u32, i128)> {
        let at = domain as usize;
        let below = i128::from(self.below[at]) + more;
        self.below[at] = u64::try_from(below).expect("nobody gives back more than he took");
        let gone = self.present.get(at) == Some(&0);
        let drawn = if gone { 0 } else { self.tree.of(domain, self.below[at]) };
        self.exceeded -= u32::from(self.exceeds(domain));
        let before = std::mem::replace(&mut self.drawn[at], drawn);
        self.exceeded += u32::from(self.exceeds(domain));
        let above = self.tree.parent[at];
        (above != NONE && before != drawn).then(|| (above, i128::from(drawn) - i128::from(before)))
    }

    /// A node comes or goes for good: one that is absent draws nothing.
    pub(crate) fn set_state(&mut self, node: u32, state: NodeState) {
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
        self.change(vec![(node, if there == 1 { idle } else { -idle })]);
        // A domain whose last node goes stops drawing though nothing below it may have changed.
        let mut above = self.tree.parent[own];
        while (above as usize) < self.present.len() {
            self.change(vec![(above, 0)]);
            above = self.tree.parent[above as usize];
        }
    }

    /// The lowest domain, from `from` on, that draws more than it may now.
    pub(crate) fn exceeded(&self, from: u32) -> Option<u32> {
        if self.exceeded == 0 {
            return None;
        }
        let exceeds = |(drawn, cap): (&u64, &u64)| drawn > cap;
        let found = self.drawn.iter().zip(&self.caps.actual).skip(from as usize).position(exceeds);
        found.map(|offset| from + index(offset))
    }
    /// What a domain draws.
    pub(crate) fn drawn(&self, domain: u32) -> u64 {
        self.drawn[domain as usize]
    }
    /// Whether a domain draws more than it may now.
    pub(crate) fn exceeds(&self, domain: u32) -> bool {
        self.drawn[domain as usize] > self.caps.actual[domain as usize]
    }
    /// Every feed and site with a cap: its index, what it draws and what it may.
    pub(crate) fn capped_feeds(&self) -> impl Iterator<Item = (u32, u64, u64)> {
        let both = self.drawn.iter().zip(&self.caps.actual).enumerate().skip(self.tree.first_feed as usize);
        both.filter(|(_, (_, cap))| **cap != UNLIMITED)
            .map(|(domain, (drawn, cap))| (index(domain), *drawn, *cap))
    }
    /// Whether any of the pieces lies below a domain.
    pub(crate) fn touches(&self, domain: u32, pieces: &[Piece]) -> bool {
        pieces.iter().flat_map(|piece| piece.nodes()).any(|node| self.is_below(node, domain))
    }
    /// What the pieces below a domain reserve.
    pub(crate) fn reserved_below(&self, domain: u32, draws: &Draws, level: usize, pieces: &[Piece]) -> u64 {
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
