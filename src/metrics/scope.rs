//! Where requests may run: sets of nodes that no request tells apart, and the scopes made of them.

use crate::cluster::Cluster;
use crate::workload::{Request, Topology, Workload};
use std::collections::BTreeMap;

/// The nodes that requests of one partition and one set of platforms may use.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Zones of nodes of one platform and size: no gang mixes those.
    pub(super) groups: Vec<Vec<u32>>,
    /// GPUs of its largest node.
    pub(super) largest: u32,
    /// When something last changed in it.
    pub(super) stamp: u32,
}

impl Scope {
    pub(super) fn zones(&self) -> impl Iterator<Item = u32> + '_ {
        self.groups.iter().flatten().copied()
    }
}

/// Every scope of a workload.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    pub(super) scopes: Vec<Scope>,
    /// The scope of each request.
    pub(super) of_request: Vec<u32>,
    /// The zone of each node.
    pub(super) zone_of: Vec<u32>,
    /// GPUs of the nodes of each zone.
    pub(super) zone_gpus: Vec<u32>,
    /// The scopes that each zone is part of.
    pub(super) of_zone: Vec<Vec<u32>>,
    /// Whether some request requires one rack.
    pub(super) racks_matter: bool,
    /// Whether a partition that requests use holds a part of a rack.
    pub(super) racks_are_cut: bool,
}

impl Scopes {
    pub(super) fn new(cluster: &Cluster, workload: &Workload) -> Self {
        let mut scopes = Self {
            racks_matter: workload.requests.iter().any(|r| r.topology == Topology::RequireRack),
            ..Self::default()
        };
        let members = scopes.divide(cluster, workload);
        let mut known = BTreeMap::new();
        for request in &workload.requests {
            let key = (request.partition, request.platforms);
            let index = *known.entry(key).or_insert_with(|| {
                scopes.scopes.push(scopes.scope(cluster, request, &members));
                scopes.scopes.len() - 1
            });
            scopes.of_request.push(u32::try_from(index).expect("scopes are no more than requests"));
        }
        scopes.of_zone = vec![Vec::new(); scopes.zone_gpus.len()];
        for (index, scope) in (0u32..).zip(&scopes.scopes) {
            for zone in scope.zones() {
                scopes.of_zone[zone as usize].push(index);
            }
        }
        scopes
    }

    /// Divides the nodes into zones; returns a node of each and the partitions that hold it.
    fn divide(&mut self, cluster: &Cluster, workload: &Workload) -> Vec<(u32, Vec<bool>)> {
        let nodes = 0..cluster.nodes();
        self.zone_of = nodes.map(|node| cluster.racks[cluster.rack_of(node) as usize].kind).collect();
        let mut partitions = Vec::new();
        for name in &workload.partitions {
            let mut inside = vec![false; self.zone_of.len()];
            // Partition 0 and names that the cluster does not know stand for every node.
            let everything = &cluster.partitions[..1.min(cluster.partitions.len())];
            let partition = cluster.partition(name).or(everything.first());
            for range in partition.iter().flat_map(|partition| &partition.nodes) {
                inside[range.start as usize..range.end as usize].fill(true);
            }
            let mut zones = BTreeMap::new();
            for (zone, inside) in self.zone_of.iter_mut().zip(&inside) {
                let next = u32::try_from(zones.len()).expect("zones are no more than nodes");
                *zone = *zones.entry((*zone, *inside)).or_insert(next);
            }
            self.racks_are_cut |= cluster.racks.iter().any(|rack| {
                let first = rack.first_node as usize;
                inside[first..first + rack.nodes as usize].iter().any(|node| *node != inside[first])
            });
            partitions.push(inside);
        }
        let mut members = Vec::new();
        for (node, zone) in (0u32..).zip(&self.zone_of) {
            if *zone as usize >= members.len() {
                members.resize(*zone as usize + 1, None);
            }
            members[*zone as usize].get_or_insert(node);
        }
        // A kind without a rack leaves a zone without a node.
        let members: Vec<Option<u32>> = members;
        let gpus = |node: &Option<u32>| node.map_or(0, |node| cluster.kind_of(node).gpus);
        self.zone_gpus = members.iter().map(gpus).collect();
        let inside = |node: u32| partitions.iter().map(|inside| inside[node as usize]).collect();
        members.iter().map(|node| node.map_or((u32::MAX, Vec::new()), |node| (node, inside(node)))).collect()
    }

    fn scope(&self, cluster: &Cluster, request: &Request, members: &[(u32, Vec<bool>)]) -> Scope {
        let mut groups: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for (zone, (node, inside)) in (0u32..).zip(members) {
            if !inside.get(request.partition as usize).copied().unwrap_or(false) {
                continue;
            }
            let kind = cluster.kind_of(*node);
            if request.platforms.contains(kind.platform as usize) {
                groups.entry((kind.platform, kind.gpus)).or_default().push(zone);
            }
        }
        let largest = groups.keys().map(|(_, gpus)| *gpus).max().unwrap_or(0);
        Scope { groups: groups.into_values().collect(), largest, stamp: 0 }
    }

    /// The nodes of a scope in the sets that a gang may spread over: of one kind and, if asked, of one rack.
    pub(super) fn domains(&self, cluster: &Cluster, scope: &Scope, by_rack: bool) -> Vec<Vec<u32>> {
        let mut domains = Vec::new();
        for group in &scope.groups {
            let mut racks: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (node, zone) in (0u32..).zip(&self.zone_of) {
                if group.contains(zone) {
                    racks.entry(if by_rack { cluster.rack_of(node) } else { 0 }).or_default().push(node);
                }
            }
            domains.extend(racks.into_values());
        }
        domains
    }
}
