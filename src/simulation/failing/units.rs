//! What fails as one: nodes, then racks, feeds and sites, with the parts that each has.

use super::clock::Clock;
use crate::cluster::Cluster;
use crate::failure::{Component, Part, Per};
use crate::units::Time;
use std::collections::BTreeMap;
use std::ops::Range;

/// The scopes of units, in the order of their indices.
const SCOPES: usize = 4;

fn scope_of(per: Per) -> Option<usize> {
    match per {
        Per::Gpu | Per::Node => Some(0),
        Per::Rack => Some(1),
        Per::Feed => Some(2),
        Per::Site => Some(3),
        Per::JobGpu => None,
    }
}

/// Every unit of a cluster, the clock of each, and when each of its parts fails next.
#[derive(Debug)]
pub(super) struct Units {
    seed: u64,
    clocks: Vec<Clock>,
    /// By scope: the first unit; and how many there are in all.
    first: [u32; SCOPES + 1],
    /// By scope: its components.
    components: [Vec<u32>; SCOPES],
    /// By scope: unit by unit, the age at which the part of each of the components fails next.
    dues: [Vec<u64>; SCOPES],
    /// How often parts have failed that have.
    failed: BTreeMap<Part, u32>,
    /// The nodes below feeds and sites.
    below: Vec<Vec<Range<u32>>>,
}

impl Units {
    pub(super) fn new(cluster: &Cluster, components: &[Component], seed: u64) -> Self {
        let index = |count: usize| u32::try_from(count).expect("domains are no more than nodes");
        let counts = [
            cluster.nodes(),
            index(cluster.racks.len()),
            index(cluster.feeds.len()),
            index(cluster.sites.len()),
        ];
        let mut first = [0; SCOPES + 1];
        for (scope, count) in counts.iter().enumerate() {
            first[scope + 1] = first[scope] + count;
        }
        let of_scope = |scope: usize| {
            let own = (0..).zip(components).filter(|(_, own)| scope_of(own.per) == Some(scope));
            own.map(|(component, _)| component).collect()
        };
        let mut units = Self {
            seed,
            clocks: vec![Clock::standing(1000, u64::MAX); first[SCOPES] as usize],
            first,
            components: std::array::from_fn(of_scope),
            dues: Default::default(),
            failed: BTreeMap::new(),
            below: if components.iter().any(|own| matches!(own.per, Per::Feed | Per::Site)) {
                below(cluster)
            } else {
                Vec::new()
            },
        };
        for scope in 0..SCOPES {
            for own in 0..if units.components[scope].is_empty() { 0 } else { counts[scope] } {
                for component in units.components[scope].clone() {
                    let life = units.life(cluster, components, Part { component, unit: own }, 0);
                    units.dues[scope].push(life);
                }
                units.renew(first[scope] + own);
            }
        }
        units
    }
    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.first[SCOPES]
    }
    pub(super) fn clock(&mut self, unit: u32) -> &mut Clock {
        &mut self.clocks[unit as usize]
    }
    pub(super) fn instant(&self, unit: u32) -> Time {
        self.clocks[unit as usize].instant()
    }
    fn scope(&self, unit: u32) -> usize {
        (1..SCOPES).rev().find(|scope| unit >= self.first[*scope]).unwrap_or(0)
    }
    /// The unit of a part.
    pub(super) fn unit_of(&self, components: &[Component], part: Part) -> Option<u32> {
        scope_of(components[part.component as usize].per).map(|scope| self.first[scope] + part.unit)
    }
    /// Those above nodes that have a part.
    pub(super) fn above_nodes(&self) -> Vec<u32> {
        (self.first[1]..self.len()).filter(|unit| self.clocks[*unit as usize].due() < u64::MAX).collect()
    }
    /// Whether a unit is a node.
    pub(super) fn is_node(&self, unit: u32) -> bool {
        unit < self.first[1]
    }
    /// The nodes of a unit, ascending.
    pub(super) fn nodes(&self, cluster: &Cluster, unit: u32) -> Vec<Range<u32>> {
        match self.scope(unit) {
            0 => std::iter::once(unit..unit + 1).collect(),
            1 => std::iter::once(cluster.nodes_of_rack(unit - self.first[1])).collect(),
            _ => self.below[(unit - self.first[2]) as usize].clone(),
        }
    }
    /// How often a part has failed and been replaced.
    pub(super) fn failed(&self, part: Part) -> u32 {
        self.failed.get(&part).copied().unwrap_or(0)
    }
    /// The part of a unit that fails next, and how often it has failed before.
    pub(super) fn next(&self, unit: u32) -> (Part, u32) {
        let scope = self.scope(unit);
        let own = unit - self.first[scope];
        let dues = self.dues_of(scope, own);
        let least = (0..dues.len()).min_by_key(|place| dues[*place]).unwrap_or(0);
        let part = Part { component: self.components[scope][least], unit: own };
        (part, self.failed(part))
    }
    /// A part has failed and is new: its next lifetime begins at the age of its unit's clock, which stood meanwhile.
    pub(super) fn replace(&mut self, cluster: &Cluster, components: &[Component], part: Part) {
        let Some(scope) = scope_of(components[part.component as usize].per) else { return };
        let count = self.failed.entry(part).or_default();
        *count += 1;
        let n = *count;
        let life = self.life(cluster, components, part, n);
        let own = self.components[scope].iter().position(|own| *own == part.component).expect("it is of it");
        let place = part.unit as usize * self.components[scope].len() + own;
        // What has failed late, because its clock had not begun to run again, is no older for it.
        self.dues[scope][place] = self.dues[scope][place].saturating_add(life);
        self.renew(self.first[scope] + part.unit);
    }

    fn dues_of(&self, scope: usize, own: u32) -> &[u64] {
        let width = self.components[scope].len();
        &self.dues[scope][own as usize * width..(own as usize + 1) * width]
    }
    /// The clock of a unit is due when the first of its parts is.
    fn renew(&mut self, unit: u32) {
        let scope = self.scope(unit);
        let due = self.dues_of(scope, unit - self.first[scope]).iter().min().copied().unwrap_or(u64::MAX);
        self.clocks[unit as usize].set_due(due);
    }
    /// The n-th lifetime of a part; for ever where its unit has none.
    fn life(&self, cluster: &Cluster, components: &[Component], part: Part, n: u32) -> u64 {
        let component = &components[part.component as usize];
        let rack = match component.per {
            Per::Gpu | Per::Node => Some(cluster.rack_of(part.unit)),
            Per::Rack => Some(part.unit),
            Per::Feed | Per::Site | Per::JobGpu => None,
        };
        let kind = rack.map(|rack| cluster.racks[rack as usize].kind);
        if kind.is_some_and(|kind| !component.is_in(kind)) {
            return u64::MAX;
        }
        let count = match (component.per, kind) {
            (Per::Gpu, Some(kind)) => cluster.kinds[kind as usize].gpus,
            _ => 1,
        };
        component.life.nth(self.seed, part, n, count)
    }
}

/// The nodes below each feed, then of each site.
fn below(cluster: &Cluster) -> Vec<Vec<Range<u32>>> {
    let feeds = (0..).zip(&cluster.feeds).map(|(feed, _)| cluster.nodes_below_feed(feed));
    feeds.chain((0..).zip(&cluster.sites).map(|(site, _)| cluster.nodes_of_site(site))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Feed, NodeKind};
    use crate::failure::Life;

    fn lasting(per: Per, mean: f64) -> Component {
        Component { life: Life::of_mean(mean, 1.0).unwrap(), ..Component::new(Per::name(per), per) }
    }

    #[test]
    fn the_first_part_of_a_unit_to_fail_is_the_one_that_lasts_least() {
        let cluster = Cluster::racked(3, 2, NodeKind { gpus: 8, ..NodeKind::default() });
        let components = [lasting(Per::Gpu, 1e6), lasting(Per::Rack, 1e5), lasting(Per::Node, 1e6)];
        let mut units = Units::new(&cluster, &components, 1);
        assert_eq!(units.len(), 6 + 3 + 1 + 1, "nodes, racks, a feed and a site");
        for node in 0..6 {
            let lives = [0, 2].map(|component| {
                let part = Part { component, unit: node };
                components[component as usize].life.nth(1, part, 0, if component == 0 { 8 } else { 1 })
            });
            let (part, n) = units.next(node);
            assert_eq!(
                (part.unit, n, units.clock(node).due()),
                (node, 0, lives[0].min(lives[1])),
                "node {node}"
            );
            units.replace(&cluster, &components, part);
            let again = components[part.component as usize].life;
            let second = again.nth(1, part, 1, if part.component == 0 { 8 } else { 1 });
            let failed = usize::from(part.component == 2);
            let expected = (lives[failed] + second).min(lives[1 - failed]);
            assert_eq!(units.clock(node).due(), expected, "its next lifetime");
        }
        assert_eq!(
            units.nodes(&cluster, 7).into_iter().flatten().collect::<Vec<_>>(),
            [2, 3],
            "the second rack"
        );
        assert_eq!(units.clock(9).due(), u64::MAX, "the feed has no part");
    }

    #[test]
    fn the_nodes_of_feeds_are_those_that_hang_below() {
        let mut cluster = Cluster::single_feed();
        cluster.feeds =
            [None, Some(0), Some(0)].map(|parent| Feed { parent, ..Feed::default() }).into_iter().collect();
        let kind = cluster.add_kind(NodeKind { gpus: 8, ..NodeKind::default() });
        for feed in [1, 1, 2] {
            cluster.add_rack(feed, kind, 2);
        }
        let units = Units::new(&cluster, &[lasting(Per::Feed, 1e5)], 1);
        let nodes = |feed: u32| units.nodes(&cluster, 6 + 3 + feed);
        assert_eq!(
            [nodes(0), nodes(1), nodes(2), nodes(3)].concat(),
            [0..6, 0..4, 4..6, 0..6],
            "and the site's"
        );
    }
}
