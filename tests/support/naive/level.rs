//! A gang that names a level of the cluster.
//!
//! Where one rack holds it, it goes there as any other. Else it is to lie inside one domain of the level it names: kind by
//! kind in order, of the domains that hold all of it the one that has room for the fewest of its equal pods, ties to the
//! lower index, and there as it would lie on a cluster of that domain's nodes alone. Where the level is preferred and no
//! domain of it holds the gang, one of the next higher level is tried, and so on; where none does either, it lies as if it
//! had named none. Where it is required it waits. `consolidate`, which looks at no racks, looks for a domain first.

use super::free::{Free, Holding, Pod};
use super::place::Gang;
use super::world::World;
use gigawatt::workload::Topology;

/// Where a gang lies on some nodes of one kind.
type Inside<'a> = dyn Fn(&[u32], Gang) -> Option<Vec<Pod>> + 'a;

impl World<'_> {
    /// What a gang that names a level gets inside one domain of one.
    pub(super) fn in_one_domain(
        &self,
        free: &Free,
        job: u32,
        gang_on: &dyn Fn(u32) -> Option<Gang>,
        place: &Inside<'_>,
    ) -> Option<Holding> {
        for level in self.levels(job) {
            for kind in (0..).take(self.cluster().kinds.len()) {
                let Some(gang) = gang_on(kind) else { continue };
                let mut domains = Vec::new();
                for domain in 0..self.cluster().levels[level].first_racks.len() {
                    let mut nodes = self.nodes_of_kind(job, kind);
                    nodes.retain(|node| self.domain_of(level, *node) == domain);
                    let room: u64 = nodes
                        .iter()
                        .map(|node| u64::from(self.room(free, *node, gang.each, gang.count)))
                        .sum();
                    if room >= u64::from(gang.count) {
                        domains.push((room, domain, nodes));
                    }
                }
                domains.sort();
                if let Some(pods) = domains.into_iter().find_map(|(_, _, nodes)| place(&nodes, gang)) {
                    return Some(Holding { pods });
                }
            }
        }
        None
    }

    /// Whether a gang may lie in several domains of the level it names.
    pub(super) fn may_leave_level(&self, job: u32) -> bool {
        !matches!(self.plan.workload.request_of(job).topology, Topology::RequireLevel(_))
    }

    /// The cluster's levels of which one domain is to hold it, in the order in which they are tried.
    pub(super) fn levels(&self, job: u32) -> Vec<usize> {
        let named = |index: u32| {
            let name = &self.plan.workload.levels[index as usize];
            self.cluster().levels.iter().position(|level| level.name == *name)
        };
        match self.plan.workload.request_of(job).topology {
            Topology::PreferLevel(index) => {
                named(index).into_iter().flat_map(|level| (0..=level).rev()).collect()
            }
            Topology::RequireLevel(index) => named(index).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The domain of a level that a node lies in.
    pub(super) fn domain_of(&self, level: usize, node: u32) -> usize {
        let rack = self.cluster().rack_of(node);
        let begun = self.cluster().levels[level].first_racks.iter().filter(|first| **first <= rack);
        begun.count() - 1
    }
}
