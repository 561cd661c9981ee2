//! The GPUs of a cluster by region: nodes that belong to the same scopes.

use crate::cluster::Piece;
use crate::state::State;
use crate::state::class::Class;
use std::collections::{BTreeMap, BTreeSet};

/// GPU-thousandths of some regions, each at most once.
#[derive(Debug, Clone, Default)]
pub(super) struct ByRegion {
    /// Most jobs lie in one region.
    first: (u32, u64),
    more: Vec<(u32, u64)>,
}

impl ByRegion {
    pub(super) const fn new() -> Self {
        Self { first: (0, 0), more: Vec::new() }
    }
    fn add(&mut self, region: u32, milli: u64) {
        if self.first.0 == region || self.first.1 == 0 {
            self.first = (region, self.first.1 + milli);
        } else if let Some((_, held)) = self.more.iter_mut().find(|(other, _)| *other == region) {
            *held += milli;
        } else {
            self.more.push((region, milli));
        }
    }
    /// Each region, and how much of it.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

/// What is free by region, followed from event to event.
#[derive(Debug)]
pub(super) struct Regions {
    /// By node: its region.
    region_of: Vec<u32>,
    /// By scope: its regions, those that jobs of the fewest partitions may use first.
    of_scope: Vec<Vec<u32>>,
    /// By region: the GPU-thousandths that are free on nodes that take new pods.
    free: Vec<u64>,
    /// By region: the same, were every job stopped that may be.
    pool: Vec<u64>,
    /// Whether both are known: not where nodes came or went since.
    known: bool,
}

impl Regions {
    pub(super) fn new(state: &State) -> Self {
        let scopes = &state.classes().scopes;
        let mut known: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
        let mut regions: Vec<Vec<bool>> = Vec::new();
        let region_of = (0..state.plan().cluster.nodes() as usize)
            .map(|node| {
                let inside: Vec<bool> =
                    scopes.iter().map(|scope| scope[node >> 6] >> (node & 63) & 1 == 1).collect();
                *known.entry(inside.clone()).or_insert_with(|| {
                    regions.push(inside);
                    u32::try_from(regions.len() - 1).expect("regions are no more than nodes")
                })
            })
            .collect();
        let table = &state.classes().table;
        let partitions_of = |region: &u32| {
            let inside: &Vec<bool> = &regions[*region as usize];
            let uses = |class: &&Class| inside[class.scope as usize];
            table.iter().filter(uses).map(|class| class.partition).collect::<BTreeSet<u32>>().len()
        };
        let mut least_shared: Vec<u32> = (0..).take(regions.len()).collect();
        least_shared.sort_by_key(partitions_of);
        let inside = |scope: usize| {
            let among = |region: &u32| regions[*region as usize][scope];
            least_shared.iter().copied().filter(among).collect()
        };
        let of_scope = (0..scopes.len()).map(inside).collect();
        let (free, pool) = (vec![0; regions.len()], vec![0; regions.len()]);
        Self { region_of, of_scope, free, pool, known: false }
    }

    /// Nodes come or go: what is free is counted anew before it is asked for again.
    pub(super) const fn forget(&mut self) {
        self.known = false;
    }
    /// Whether what is free is known.
    pub(super) const fn is_known(&self) -> bool {
        self.known
    }
    /// Counts what is free; running jobs that may be stopped hold `stoppable`.
    pub(super) fn recount<'a>(&mut self, state: &State, stoppable: impl Iterator<Item = &'a ByRegion>) {
        self.free = self.count(state);
        self.pool.clone_from(&self.free);
        for (region, milli) in stoppable.flat_map(ByRegion::iter) {
            self.pool[region as usize] += milli;
        }
        self.known = true;
    }
    fn count(&self, state: &State) -> Vec<u64> {
        let occupancy = &state.resources().occupancy;
        let mut free = vec![0; self.free.len()];
        for (node, region) in self.region_of.iter().enumerate().filter(|(node, _)| occupancy.is_up(*node)) {
            free[*region as usize] += u64::from(occupancy.free_milli(node));
        }
        free
    }
    /// A job takes something, or lets go of it; it may be stopped or not.
    pub(super) fn hold(&mut self, held: &ByRegion, take: bool, stoppable: bool) {
        // Where it is not known, what is counted may be anything.
        let change = |free: &mut u64, milli: u64| {
            *free = if take { free.wrapping_sub(milli) } else { free.wrapping_add(milli) };
        };
        for (region, milli) in held.iter() {
            change(&mut self.free[region as usize], milli);
            if !stoppable {
                change(&mut self.pool[region as usize], milli);
            }
        }
    }
    /// By region: what is free.
    pub(super) fn free(&self) -> &[u64] {
        &self.free
    }
    /// By region: what would be free, were every job stopped that may be.
    pub(super) fn pool(&self) -> &[u64] {
        &self.pool
    }
    /// The regions of a class, those that jobs of the fewest partitions may use first.
    pub(super) fn of(&self, class: &Class) -> &[u32] {
        &self.of_scope[class.scope as usize]
    }

    /// The GPU-thousandths of pieces on nodes that take new pods.
    pub(super) fn held(&self, state: &State, pieces: &[Piece]) -> ByRegion {
        let occupancy = &state.resources().occupancy;
        let mut held = ByRegion::new();
        for piece in pieces {
            for node in piece.nodes().map(|node| node as usize).filter(|node| occupancy.is_up(*node)) {
                let milli = match *piece {
                    Piece::Nodes { .. } => u64::from(occupancy.full_mask(node).count_ones()) * 1000,
                    Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
                    Piece::Share { milli, .. } => u64::from(milli),
                };
                held.add(self.region_of[node], milli);
            }
        }
        held
    }
}
