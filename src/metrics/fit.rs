//! Whether a request could start now, given what is free.

use super::occupancy::Occupancy;
use super::scope::Scope;
use crate::cluster::Cluster;
use crate::workload::{Request, Shape, Topology};
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
    /// Only a look at the nodes tells: shares, CPU and memory, several pods, racks cut by partitions.
    Search,
}

impl Fit {
    pub(super) fn of(request: &Request, scope: &Scope, racks_are_cut: bool) -> Self {
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

/// Looks for room node by node, beginning where there was room the last time.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// Sets of nodes that a gang may spread over.
    pub(super) domains: Rc<Vec<Vec<u32>>>,
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
