//! WHERE a class of jobs fits: the pods of a job on nodes, its gang over racks, within every cap on power.
//!
//! What "fits" means is the same for every placement: the least (cost, index) of the domains that hold it.

pub(crate) mod assembly;
pub(crate) mod gang;
pub mod model;
mod named;
pub(crate) mod pod;
pub mod tas;

pub(crate) use named::on_nodes;

use super::class::{Class, Form};
use super::power::ledger::Ledger;
use super::power::level::Draws;
use crate::cluster::{Occupancy, Piece};
use crate::cost::{TERMS, Weights};
use crate::random::Stream;
use crate::units::Factor;
use model::Model;

/// Which of several domains that fit is the cheapest, as far as an index of free capacity can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cheapest {
    /// All cost the same: the lowest index.
    Lowest,
    /// The one with the least free.
    Fullest,
    /// The one with the most free.
    Emptiest,
}

impl Cheapest {
    const fn of(leftover: u32, spread: u32) -> Self {
        if leftover > spread {
            Self::Fullest
        } else if leftover < spread {
            Self::Emptiest
        } else {
            Self::Lowest
        }
    }
}

/// The order in which weights put domains, where free capacity alone decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preference {
    pub(crate) node: Cheapest,
    pub(crate) rack: Cheapest,
    /// Whether what is free around a node counts for one pod.
    pub(crate) rack_first: bool,
    /// Whether free capacity alone decides.
    pub(crate) plain: bool,
}

impl Preference {
    pub(crate) fn of(weights: Weights) -> Self {
        let capacity = ["leftover", "spread", "rack_leftover", "rack_spread", "span"];
        // Of racks that hold a whole gang, or equally much of it, the span is the same.
        let others = TERMS.iter().filter(|term| !capacity.contains(&term.name));
        let (leftover, spread) = (weights.leftover, weights.spread);
        Self {
            node: Cheapest::of(leftover, spread),
            rack: Cheapest::of(leftover + weights.rack_leftover, spread + weights.rack_spread),
            rack_first: weights.rack_leftover != weights.rack_spread,
            plain: others.fold(0, |sum, term| sum | term.weight(weights)) == 0,
        }
    }
}

/// Where a job would go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What it would hold.
    pub pieces: Vec<Piece>,
    /// The kind of its nodes.
    pub kind: u32,
    /// How many racks it would span.
    pub racks: u32,
    /// The most its GPUs would draw, as a fraction of their TGP.
    pub cap: Factor,
}

impl Choice {
    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
        self.kind = 0;
        self.racks = 1;
        self.cap = Factor::ONE;
    }
    /// Adds a whole node.
    pub(crate) fn push_node(&mut self, node: usize) {
        self.push_nodes(narrow(node >> 6), 1 << (node & 63));
    }
    /// Adds whole nodes of a word of 64.
    pub(crate) fn push_nodes(&mut self, word: u32, nodes: u64) {
        match self.pieces.last_mut() {
            Some(Piece::Nodes { word: last, mask }) if *last == word => *mask |= nodes,
            _ => self.pieces.push(Piece::Nodes { word, mask: nodes }),
        }
    }
    /// Adds the pieces of a part.
    pub(crate) fn append(&mut self, part: &Self) {
        for piece in &part.pieces {
            match *piece {
                Piece::Nodes { word, mask } => self.push_nodes(word, mask),
                piece => self.pieces.push(piece),
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "nodes, racks and GPUs are counted in 32 bits")]
pub(crate) const fn narrow(index: usize) -> u32 {
    index as u32
}

/// One question to a placement.
#[derive(Debug)]
pub(crate) struct Picker<'a> {
    pub(crate) class: &'a Class,
    pub(crate) job: u32,
    pub(crate) occupancy: &'a Occupancy,
    pub(crate) model: &'a Model,
    /// The order of the model's weights.
    pub(crate) preference: Preference,
    /// Where costs are random draws.
    pub(crate) stream: Option<&'a Stream>,
    /// Where caps on power are heeded, what decides about them.
    pub(crate) admission: Option<Admission<'a>>,
}

/// What decides whether a domain has power left for a class at a level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) draws: &'a Draws,
    pub(crate) level: usize,
}

impl Admission<'_> {
    /// For a pod of so many thousandths on a node.
    pub(crate) fn admits_pod(&self, node: usize, milli: u32) -> bool {
        self.ledger.admits_pod(self.draws, self.level, narrow(node), milli)
    }
    /// Whether caps above all nodes certainly leave no job of a class anywhere.
    pub(crate) fn refuses(&self, class: &Class, occupancy: &Occupancy) -> bool {
        let pods = |kind: u32| {
            let each = occupancy.kind_gpus(kind) * 1000;
            match class.form {
                Form::Nothing | Form::Impossible => 0,
                Form::Pod { gpus } => self.watts(kind, gpus * 1000),
                Form::Share { milli } => self.watts(kind, milli),
                Form::Pods { count, milli } => self.watts(kind, milli) * u64::from(count),
                Form::Gang { gpus } => match (gpus * 1000).checked_div(each) {
                    Some(whole) => {
                        self.watts(kind, each) * u64::from(whole)
                            + self.watts(kind, gpus * 1000 - whole * each)
                    }
                    None => u64::MAX,
                },
            }
        };
        let least = class.kinds.iter().map(|kind| pods(*kind)).filter(|watts| *watts < u64::MAX).min();
        !self.ledger.tells_refusals()
            && least.is_some_and(|watts| watts > 0 && self.ledger.lacks_anywhere(watts))
    }
    /// What a pod of so many thousandths reserves on nodes of a kind.
    pub(crate) fn watts(&self, kind: u32, milli: u32) -> u64 {
        self.ledger.watts_of_pod(self.draws, self.level, kind, milli)
    }
}

/// Draws for racks are told from draws for nodes by this bit.
const RACK_DRAW: u32 = 1 << 31;

impl Picker<'_> {
    pub(crate) const fn scope(&self) -> usize {
        self.class.scope as usize
    }
    /// Whether an index of free capacity knows what is cheapest.
    pub(crate) const fn is_plain(&self) -> bool {
        self.preference.plain && self.stream.is_none()
    }
    /// Whether every place that might be taken has to be asked for power, even where none will do in the end.
    pub(crate) fn tells_refusals(&self) -> bool {
        self.admission.is_some_and(|admission| admission.ledger.tells_refusals())
    }
    fn draw(&self, number: u32) -> Option<u32> {
        self.stream.map(|stream| stream.draw(u64::from(self.job), number))
    }
    /// The cost of a class of one pod on a node.
    pub(crate) fn pod_cost(&self, node: usize) -> u32 {
        let weigh = || self.model.pod_cost(self.occupancy, self.class, node);
        self.draw(narrow(node)).unwrap_or_else(weigh)
    }
    /// The cost of a gang's pod of so many thousandths on a node.
    pub(crate) fn inside_cost(&self, milli: u32, node: usize) -> u32 {
        let weigh = || self.model.inside_cost(self.occupancy, self.class, milli, node);
        self.draw(narrow(node)).unwrap_or_else(weigh)
    }
    /// The cost of a rack that has room for `capacity` of a gang's `pods` pods of `milli` thousandths.
    pub(crate) fn rack_cost(&self, rack: usize, pods: (u32, u32, bool), capacity: u32) -> u32 {
        let weigh = || self.model.rack_cost(self.class, rack, pods, capacity);
        self.draw(RACK_DRAW | narrow(rack)).unwrap_or_else(weigh)
    }
}

/// The `count` lowest set bits of `mask`, which has as many.
pub(crate) fn lowest_bits(mask: u64, count: u32) -> u64 {
    debug_assert!(mask.count_ones() >= count, "{count} bits of {mask:#x}");
    let mut rest = mask;
    for _ in 0..count {
        rest &= rest.wrapping_sub(1);
    }
    mask & !rest
}
