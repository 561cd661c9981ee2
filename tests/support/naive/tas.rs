//! Kueue's topology-aware scheduling, written down by itself: `tas` and `tas-least-free`.
//!
//! The tree: the levels of the cluster from above down, racks, nodes. A node has room for so many of the job's pods, what
//! lies above it for the sum; slices (`segment`) lie in one rack each, which has room for as many as whole ones go into its
//! room, what lies above it for the sum. A remainder is one more pod of a whole node. The kinds of nodes are tried in order.
//!
//! Which domains: required, the smallest of the level named that holds all (ties: less room in pods, then the lower
//! index); preferred, that or the smallest of the next higher level that does, and above the highest as many of its
//! domains as it takes; ignored, as many of the lowest as it takes (slices: of racks). Several are taken from a line, those
//! with most room first; as soon as one of those left holds the rest, the smallest such ends it. For `ignore`, and always
//! under `tas-least-free`, the line has the least room first and none ends it early, but one that holds all is taken alone.
//! Down from there: what was chosen of a level above the slices' is dealt to all children of all of it together; at and
//! below that level each domain deals out its own, by pods.

use super::free::{Free, Holding};
use super::place::{Gang, take_gpus};
use super::world::World;
use gigawatt::workload::Topology;
use std::cmp::Reverse;

/// The nodes of each domain of a level.
type Level = Vec<Vec<u32>>;

/// What is dealt to some domains of a level.
type Dealt = Vec<(usize, u64)>;

/// Room by domain: in what is dealt, and in pods.
type Rooms = Vec<(u64, u64)>;

/// Whether a placement is one of these.
pub(super) fn is_tas(placement: &str) -> bool {
    ["tas", "tas-least-free"].contains(&placement)
}

impl World<'_> {
    /// Where it goes; `gang_on` tells what it is on a kind of nodes.
    pub(super) fn by_levels(
        &self,
        free: &Free,
        job: u32,
        gang_on: &dyn Fn(u32) -> Option<Gang>,
    ) -> Option<Holding> {
        let on_kind = |kind: u32| {
            let gang = gang_on(kind)?;
            let pods = u64::from(gang.count) + u64::from(gang.remainder.is_some());
            let assigned = self.assigned(free, job, (&self.nodes_of_kind(job, kind), pods), gang)?;
            let mut scratch = free.clone();
            let mut held = Vec::new();
            for (node, count) in assigned {
                for _ in 0..count {
                    let is_last = held.len() as u64 + 1 == pods;
                    let need = gang.remainder.filter(|_| is_last).unwrap_or(gang.each);
                    held.push(take_gpus(&mut scratch, node, need));
                }
            }
            Some(Holding { pods: held })
        };
        (0..).take(self.cluster().kinds.len()).find_map(on_kind)
    }

    /// How many pods go to which nodes, ascending.
    fn assigned(
        &self,
        free: &Free,
        job: u32,
        (nodes, pods): (&[u32], u64),
        gang: Gang,
    ) -> Option<Vec<(u32, u64)>> {
        let room = |node: u32| {
            let room = u64::from(self.room(free, node, gang.each, 65_535));
            let alone = Holding {
                pods: (room > 0).then(|| take_gpus(&mut free.clone(), node, gang.each)).into_iter().collect(),
            };
            if self.is_gang(job) || self.has_power(free, &alone) { room } else { 0 }
        };
        let room_of: std::collections::BTreeMap<u32, u64> =
            nodes.iter().map(|node| (*node, room(*node))).collect();
        let tree = self.tree(nodes);
        let (racks, lowest) = (tree.len() - 2, tree.len() - 1);
        let segment = self.plan.workload.request_of(job).segment;
        let (each, slice_level) =
            if segment > 1 && self.is_gang(job) { (u64::from(segment), racks) } else { (1, lowest) };
        if pods % each > 0 {
            return None;
        }
        let pods_in = |domain: &Vec<u32>| -> u64 { domain.iter().map(|node| room_of[node]).sum() };
        let units = |level: usize, domain: &Vec<u32>| -> u64 {
            let inside =
                tree[slice_level].iter().filter(|other| other.iter().all(|node| domain.contains(node)));
            if level <= slice_level {
                inside.map(|other| pods_in(other) / each).sum()
            } else {
                pods_in(domain)
            }
        };
        let rooms: Vec<Rooms> = (0..tree.len())
            .map(|level| tree[level].iter().map(|own| (units(level, own), pods_in(own))).collect())
            .collect();
        let wish = self.plan.workload.request_of(job).topology;
        let least_first = wish == Topology::Ignore || self.placement() == "tas-least-free";
        let (mut level, mut dealt) = self.found(job, (&rooms, slice_level), pods / each, least_first)?;
        while level < lowest {
            let below = |domain: usize| -> Vec<usize> {
                let own = &tree[level][domain];
                (0..tree[level + 1].len()).filter(|child| own.contains(&tree[level + 1][*child][0])).collect()
            };
            let by_pods: Rooms = rooms[level + 1].iter().map(|(_, pods)| (*pods, *pods)).collect();
            dealt = if level < slice_level {
                let all: Vec<usize> = dealt.iter().flat_map(|(domain, _)| below(*domain)).collect();
                let sum = dealt.iter().map(|(_, units)| units).sum();
                deal(&all, &rooms[level + 1], sum, least_first)?
            } else {
                let whole = if level == slice_level { each } else { 1 };
                let mut parts = Vec::new();
                for (domain, units) in dealt {
                    parts.extend(deal(&below(domain), &by_pods, units * whole, least_first)?);
                }
                parts
            };
            level += 1;
        }
        let whole = if slice_level == lowest { each } else { 1 };
        let mut found: Vec<(u32, u64)> =
            dealt.into_iter().map(|(node, units)| (tree[lowest][node][0], units * whole)).collect();
        found.sort_unstable();
        Some(found)
    }

    /// The domains from which it goes down, and their level.
    fn found(
        &self,
        job: u32,
        (rooms, slice_level): (&[Rooms], usize),
        wanted: u64,
        least_first: bool,
    ) -> Option<(usize, Dealt)> {
        let all = |level: usize| (0..rooms[level].len()).collect::<Vec<usize>>();
        let racks = rooms.len() - 2;
        let named = self.levels(job).first().copied().unwrap_or(racks);
        let wish = self.plan.workload.request_of(job).topology;
        if wish == Topology::Ignore {
            return Some((slice_level, deal(&all(slice_level), &rooms[slice_level], wanted, true)?));
        }
        let required =
            matches!(wish, Topology::RequireLevel(_)) || wish == Topology::RequireRack && self.racks_matter;
        for level in (0..=named).rev() {
            let holding = all(level).into_iter().filter(|domain| rooms[level][*domain].0 >= wanted);
            if let Some(best) = holding.min_by_key(|domain| (rooms[level][*domain], *domain)) {
                return Some((level, vec![(best, wanted)]));
            }
            if required {
                return None;
            }
        }
        Some((0, deal(&all(0), &rooms[0], wanted, least_first)?))
    }

    /// By level from above down the nodes of each domain that has any of these.
    fn tree(&self, nodes: &[u32]) -> Vec<Level> {
        let divided = |of: &dyn Fn(u32) -> usize| -> Level {
            nodes.chunk_by(|one, next| of(*one) == of(*next)).map(<[u32]>::to_vec).collect()
        };
        let mut tree: Vec<Level> = (0..self.cluster().levels.len())
            .map(|level| divided(&|node| self.domain_of(level, node)))
            .collect();
        tree.push(divided(&|node| self.cluster().rack_of(node) as usize));
        tree.push(divided(&|node| node as usize));
        tree
    }
}

/// Deals so much to a line of domains; none if it has too little.
fn deal(line: &[usize], rooms: &Rooms, mut wanted: u64, least_first: bool) -> Option<Dealt> {
    let mut line: Vec<usize> = line.iter().copied().filter(|domain| rooms[*domain].0 > 0).collect();
    let smallest = |line: &[usize], wanted: u64| {
        let holding = line.iter().copied().filter(|domain| rooms[*domain].0 >= wanted);
        holding.min_by_key(|domain| (rooms[*domain], *domain))
    };
    if least_first {
        line.sort_by_key(|domain| (rooms[*domain], *domain));
        if let Some(alone) = smallest(&line, wanted).filter(|_| wanted > 0) {
            return Some(vec![(alone, wanted)]);
        }
    } else {
        line.sort_by_key(|domain| (Reverse(rooms[*domain].0), rooms[*domain].1, *domain));
    }
    let mut dealt = Vec::new();
    while wanted > 0 {
        let last = smallest(&line, wanted).filter(|_| !least_first);
        let next = last.or_else(|| line.first().copied())?;
        line.retain(|domain| *domain != next);
        let part = wanted.min(rooms[next].0);
        dealt.push((next, part));
        wanted -= part;
    }
    Some(dealt)
}
