//! Whether a request could start now, given what is free.

use super::occupancy::Occupancy;
use super::scope::Scope;
use crate::cluster::Cluster;
use crate::workload::{Request, Shape, Topology};
use std::cmp::Reverse;
use std::rc::Rc;

/// What decides whether a request fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The most wholly free GPUs of one node.
    Pod,
    /// Whole nodes and a remainder pod, anywhere.
    Gang,
    /// Whole nodes and a remainder pod in one rack.
    Rack,
    /// Only a look at the nodes tells: shares, CPU and memory, several pods, segments, racks cut by partitions.
    Search,
}

impl Fit {
    pub(super) fn of(request: &Request, scope: &Scope, racks_are_cut: bool, cluster: &Cluster) -> Self {
        let hosts = request.cpu_milli > 0 || request.memory_mib > 0;
        let (pods, each) = pods(request);
        if request.gpus().milli() == 0 && !hosts {
            return Self::Pod;
        }
        if hosts || pods > 1 || !each.is_multiple_of(1000) {
            return Self::Search;
        }
        let one_pod = matches!(request.shape, Shape::Pods { .. }) || each <= scope.largest * 1000;
        match request.topology {
            _ if one_pod => Self::Pod,
            _ if in_segments(request, cluster) => Self::Search,
            Topology::RequireRack if racks_are_cut => Self::Search,
            Topology::RequireRack => Self::Rack,
            Topology::Ignore | Topology::PreferRack => Self::Gang,
        }
    }
}

/// How many pods a request names, and the thousandths of a GPU of each.
const fn pods(request: &Request) -> (u32, u32) {
    match request.shape {
        Shape::Any { gpus_milli } => (1, gpus_milli),
        Shape::Pods { count, gpus_milli_each } => (count, gpus_milli_each),
    }
}

/// Whether a request that finds no rack for all of it may spread over racks by segments alone.
pub(super) fn in_segments(request: &Request, cluster: &Cluster) -> bool {
    request.segment > 1
        && request.topology == Topology::PreferRack
        && cluster.racks.iter().any(|rack| rack.nodes > 1)
}

/// Looks for room node by node, beginning where there was room the last time.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// Sets of nodes that a gang may spread over.
    pub(super) domains: Rc<Vec<Vec<u32>>>,
    /// Whether those are racks and a gang may take several, whole segments in each.
    pub(super) in_segments: bool,
    found: Option<u32>,
    /// At the last look no node had room: only one that was freed since then can have.
    exhausted: bool,
}

impl Search {
    /// Unless it was asked at every change so far, it has to look at every node again.
    pub(super) const fn forget_unless(&mut self, followed: bool) {
        self.exhausted &= followed;
    }
    pub(super) fn fits(
        &mut self,
        request: &Request,
        scope: &Scope,
        cluster: &Cluster,
        now: &Occupancy<'_>,
    ) -> bool {
        let (count, each) = pods(request);
        let one_node =
            count == 1 && (each <= scope.largest * 1000 || matches!(request.shape, Shape::Pods { .. }));
        if one_node {
            let room = |node: &u32| now.pods_on(*node, request, each, 1) > 0;
            if !self.found.as_ref().is_some_and(room) {
                self.found = if self.exhausted {
                    now.freed.iter().copied().find(|node| now.is_in(*node, scope) && room(node))
                } else {
                    self.domains.iter().flatten().copied().find(room)
                };
            }
            self.exhausted = self.found.is_none();
            return self.found.is_some();
        }
        if self.in_segments {
            let kind =
                |nodes: &[u32]| nodes.first().map(|node| cluster.racks[cluster.rack_of(*node) as usize].kind);
            let mut kinds = self.domains.chunk_by(|one, other| kind(one) == kind(other));
            return kinds.any(|racks| segments_fit(racks, request, cluster, now));
        }
        self.domains.iter().any(|nodes| match request.shape {
            Shape::Pods { .. } => {
                let room = |left: u32, node: &u32| left - now.pods_on(*node, request, each, left);
                nodes
                    .iter()
                    .try_fold(count, |left, node| Some(room(left, node)).filter(|left| *left > 0))
                    .is_none()
            }
            Shape::Any { .. } => gang_fits(nodes, request, each / 1000, cluster, now),
        })
    }
}

/// Whether racks of one kind hold a gang, each but the last as many whole segments as it can, most first.
fn segments_fit(racks: &[Vec<u32>], request: &Request, cluster: &Cluster, now: &Occupancy<'_>) -> bool {
    let size = racks.iter().flatten().next().map_or(0, |node| cluster.kind_of(*node).gpus);
    let (mut left, each, rest) = match request.shape {
        Shape::Pods { count, gpus_milli_each } => (count, gpus_milli_each, 0),
        Shape::Any { gpus_milli } => {
            let gpus = gpus_milli / 1000;
            let (Some(pods), Some(rest)) = (gpus.checked_div(size), gpus.checked_rem(size)) else {
                return false;
            };
            (pods, size * 1000, rest)
        }
    };
    let room = |nodes: &Vec<u32>| -> u32 {
        let pods = nodes.iter().map(|node| now.pods_on(*node, request, each, left));
        pods.fold(0, u32::saturating_add)
    };
    let mut rooms: Vec<(u32, &Vec<u32>)> = racks.iter().map(|nodes| (room(nodes), nodes)).collect();
    loop {
        let holds_rest =
            |nodes: &[u32]| rest == 0 || gang_fits(nodes, request, left * size + rest, cluster, now);
        if rooms.iter().any(|(room, nodes)| *room >= left && holds_rest(nodes)) {
            return true;
        }
        // Of racks that give as much, the one that could not be the last.
        let most = (0..rooms.len()).max_by_key(|at| (rooms[*at].0 / request.segment, Reverse(rooms[*at].0)));
        let Some(at) = most else { return false };
        let gives = (rooms[at].0 / request.segment).min(left / request.segment) * request.segment;
        if gives == 0 {
            return false;
        }
        left -= gives;
        rooms.swap_remove(at);
    }
}

fn gang_fits(nodes: &[u32], request: &Request, gpus: u32, cluster: &Cluster, now: &Occupancy<'_>) -> bool {
    let size = nodes.first().map_or(0, |node| cluster.kind_of(*node).gpus);
    let (Some(wanted), Some(rest)) = (gpus.checked_div(size), gpus.checked_rem(size)) else { return false };
    let whole = |node: &&u32| now.pods_on(**node, request, size * 1000, 1) > 0;
    let free = nodes.iter().filter(whole).take(wanted as usize + 1).count();
    let partly = || {
        nodes.iter().filter(|node| !whole(node)).any(|node| now.pods_on(*node, request, rest * 1000, 1) > 0)
    };
    free > wanted as usize || free == wanted as usize && (rest == 0 || partly())
}
