//! The GPUs of a cluster as bits, the nodes side by side, and what certainly does not fit on those that are free.

use crate::cluster::{Occupancy, Piece};
use crate::state::class::{Class, Form};
use std::ops::Range;

/// Where each node's GPUs stand among the bits; a node never straddles two words.
#[derive(Debug)]
pub(super) struct Gpus {
    /// By node: its word and the place of its first GPU there.
    place: Vec<(u32, u32)>,
    /// By node: as many low bits as it has GPUs.
    full: Vec<u64>,
    /// By node: where its GPUs begin in a ledger.
    offset: Vec<u32>,
    kind: Vec<u32>,
    /// By word: its nodes.
    nodes: Vec<Range<u32>>,
    /// Every GPU there is.
    every: Vec<u64>,
    /// Those of the nodes that take new pods, by scope.
    usable: Vec<Vec<u64>>,
    /// Those of all nodes, by scope.
    members: Vec<Vec<u64>>,
}

impl Gpus {
    pub(super) fn new(occupancy: &Occupancy, scopes: &[Vec<u64>]) -> Self {
        let mut gpus = Self {
            place: Vec::new(),
            full: Vec::new(),
            offset: Vec::new(),
            kind: Vec::new(),
            nodes: Vec::new(),
            every: Vec::new(),
            usable: Vec::new(),
            members: Vec::new(),
        };
        // The first node opens the first word.
        let (mut used, mut offset) = (65, 0);
        for node in 0..occupancy.nodes() {
            let full = occupancy.full_mask(node);
            let count = full.count_ones();
            if used + count > 64 {
                gpus.every.push(0);
                let index = narrow(node);
                gpus.nodes.push(index..index);
                used = 0;
            }
            let word = gpus.every.len() - 1;
            gpus.place.push((narrow(word), used));
            gpus.full.push(full);
            gpus.offset.push(offset);
            gpus.kind.push(occupancy.kind(node));
            gpus.every[word] |= full.checked_shl(used).unwrap_or(0);
            gpus.nodes[word].end += 1;
            used += count;
            offset += count;
        }
        let inside = |scope: &Vec<u64>, node: usize| scope[node >> 6] >> (node & 63) & 1 == 1;
        gpus.members = scopes.iter().map(|scope| gpus.bits_where(|node| inside(scope, node))).collect();
        gpus.usable.clone_from(&gpus.members);
        gpus
    }

    fn bits_where(&self, wanted: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut bits = vec![0; self.every.len()];
        for node in (0..self.full.len()).filter(|node| wanted(*node)) {
            let (word, shift) = self.place[node];
            bits[word as usize] |= self.full[node].checked_shl(shift).unwrap_or(0);
        }
        bits
    }

    /// Which nodes take new pods; all, where others may at instants to come.
    pub(super) fn set_up(&mut self, occupancy: &Occupancy, all: bool) {
        let up = self.bits_where(|node| all || occupancy.is_up(node));
        for (usable, members) in self.usable.iter_mut().zip(&self.members) {
            usable.clear();
            usable.extend(members.iter().zip(&up).map(|(member, up)| member & up));
        }
    }

    /// Every GPU there is.
    pub(super) fn every(&self) -> &[u64] {
        &self.every
    }

    fn on(&self, node: usize, word: u64) -> u64 {
        word.checked_shr(self.place[node].1).unwrap_or(0) & self.full[node]
    }

    /// Adds the words and bits of the GPUs that a piece holds whole.
    pub(super) fn bits_of(&self, piece: Piece, bits: &mut Vec<(u32, u64)>) {
        for node in piece.nodes().map(|node| node as usize) {
            let mask = match piece {
                Piece::Nodes { .. } => self.full[node],
                Piece::Gpus { mask, .. } => mask,
                Piece::Share { .. } => 0,
            };
            let (word, shift) = self.place[node];
            let mask = mask.checked_shl(shift).unwrap_or(0);
            match bits.last_mut() {
                Some((last, bits)) if *last == word => *bits |= mask,
                _ => bits.push((word, mask)),
            }
        }
    }

    /// The counter of a GPU in a ledger, its word and its bit.
    pub(super) fn share(&self, node: usize, gpu: u16) -> (usize, u32, u64) {
        let (word, shift) = self.place[node];
        (self.offset[node] as usize + usize::from(gpu), word, 1 << (shift + u32::from(gpu)))
    }

    /// The word and the bit of the GPU that a counter of a ledger counts; `None` if it counts CPU or memory.
    pub(super) fn place_of(&self, counter: usize) -> Option<(usize, u64)> {
        let node = self.offset.partition_point(|offset| *offset as usize <= counter).checked_sub(1)?;
        let gpu = narrow(counter) - self.offset[node];
        let (word, shift) = self.place[node];
        (gpu < self.full[node].count_ones()).then(|| (word as usize, 1 << (shift + gpu)))
    }

    /// Whether so many wholly free GPUs, wherever they are, might do.
    pub(super) fn enough(&self, class: &Class, free_gpus: u32) -> bool {
        match class.form {
            Form::Pod { gpus } | Form::Gang { gpus } => free_gpus >= gpus,
            Form::Pods { count, milli } if milli >= 1000 => {
                u64::from(free_gpus) >= u64::from(count) * u64::from(milli / 1000)
            }
            _ => true,
        }
    }

    /// Whether a class might find room on the GPUs wholly free and those `partly` so, as (counter, thousandths): false
    /// only if it certainly does not, nor would with less free.
    pub(super) fn may_fit(
        &self,
        class: &Class,
        free: &[u64],
        mut partly: impl Iterator<Item = (usize, i64)>,
    ) -> bool {
        match class.form {
            Form::Impossible => false,
            Form::Pod { gpus } if gpus > 0 => {
                self.free_in(class, free).any(|(_, free)| free.count_ones() >= gpus)
            }
            Form::Share { milli } => {
                let usable = &self.usable[class.scope as usize];
                let has_some = |(counter, left): (usize, i64)| {
                    let place = self.place_of(counter);
                    left >= i64::from(milli) && place.is_some_and(|(word, bit)| usable[word] & bit != 0)
                };
                self.free_in(class, free).next().is_some() || partly.any(has_some)
            }
            Form::Gang { gpus } => self.has_pods(class, free, |each| (each, gpus.checked_div(each))),
            Form::Pods { count, milli } if milli >= 1000 => {
                self.has_pods(class, free, |_| (milli / 1000, Some(count)))
            }
            _ => true,
        }
    }

    /// The nodes of a class that take pods and have a GPU free, ascending; which GPUs of each.
    fn free_in<'a>(&'a self, class: &Class, free: &'a [u64]) -> impl Iterator<Item = (usize, u64)> + 'a {
        let usable = &self.usable[class.scope as usize];
        let words = free.iter().zip(usable).map(|(free, usable)| free & usable).enumerate();
        words.filter(|(_, free)| *free != 0).flat_map(move |(word, free)| {
            let nodes = self.nodes[word].clone().map(|node| node as usize);
            nodes.map(move |node| (node, self.on(node, free))).filter(|(_, free)| *free != 0)
        })
    }

    /// Whether the nodes of some kind have room for enough equal pods; `need` tells the GPUs of a pod and how many pods,
    /// given the GPUs of a node. Racks are not looked at, as not every placement does.
    fn has_pods(&self, class: &Class, free: &[u64], need: impl Fn(u32) -> (u32, Option<u32>)) -> bool {
        class.kinds.iter().any(|kind| {
            let mut pods = 0;
            self.free_in(class, free).filter(|(node, _)| self.kind[*node] == *kind).any(|(node, free)| {
                let (each, wanted) = need(self.full[node].count_ones());
                pods += free.count_ones() / each;
                wanted.is_some_and(|wanted| pods >= wanted)
            })
        })
    }
}

/// The nodes of a word, and their GPUs among two sets of bits.
pub(super) fn each_node(
    gpus: &Gpus,
    word: usize,
    old: u64,
    new: u64,
) -> impl Iterator<Item = (usize, u64, u64)> + '_ {
    let nodes = gpus.nodes[word].clone().map(|node| node as usize);
    nodes.map(move |node| (node, gpus.on(node, old), gpus.on(node, new)))
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("nodes are counted in 32 bits")
}
