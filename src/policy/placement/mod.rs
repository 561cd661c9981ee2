//! WHERE: which domains a class of jobs gets, of those that are free.
//!
//! A [`Placement`] answers a request class with a choice. The stateless ones are weights of the one cost function
//! ([`crate::cost`]; [`model`] tells what it reads of a cluster): the cheapest domain, ties to the lowest index.
//! `random` draws instead, and `consolidate` has a rule of its own. What "fits" means is the same for all and lives in `gang` and `pod`:
//!
//! - A pod never leaves its node. An *any* gang no larger than the largest allowed node is one pod.
//! - A gang of several pods runs on nodes of one kind.
//! - *Prefer rack*: one rack of any kind that holds it all, the cheapest; else, kind by kind in their order, racks by
//!   capacity in whole pods (or segments), most first, each giving all it can, until one holds what is left: of those
//!   the cheapest. *Require rack*: the first or wait. *Ignore*, and on a flat cluster: all nodes of a kind are one rack.
//! - A rack's cost for a gang is what it has free for it: the thousandths of the pods it has room for. Within a rack, nodes go by (cost, index) as they were
//!   before the gang, each taking as many pods as fit; then the remainder pod takes the preferred of the others.

mod assembly;
mod best_fit;
mod cheapest_energy;
mod consolidate;
mod fgd;
mod first_fit;
pub(crate) mod gang;
pub mod model;
mod pack;
pub(crate) mod pod;
mod random;
pub mod ranked;
mod spread;
mod worst_fit;

use super::class::{Class, Classes, Form};
use super::power::ledger::Ledger;
use super::power::level::{Draws, cap_of};
use super::room::Room;
use super::view::View;
use crate::cluster::{Occupancy, Piece};
use crate::cost::{TERMS, Weights};
use crate::history::Plan;
use crate::random::{Purpose, Stream};
use crate::units::Factor;
use crate::workload::{Request, Shape};
use model::Model;

/// One placement: its name, what it does, and its rule.
#[derive(Debug)]
pub struct Entry {
    /// Unique among placements.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    rule: Rule,
}

/// Every placement.
pub const PLACEMENTS: &[Entry] = &[
    first_fit::ENTRY,
    best_fit::ENTRY,
    worst_fit::ENTRY,
    random::ENTRY,
    pack::ENTRY,
    spread::ENTRY,
    cheapest_energy::ENTRY,
    fgd::ENTRY,
    consolidate::ENTRY,
];

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The cheapest by the cost function.
    Weigh(Weights),
    /// The least random draw.
    Draw,
    Consolidate,
}

impl Entry {
    /// Its weights, if it is a preset of the cost function.
    #[must_use]
    pub const fn weights(&self) -> Option<Weights> {
        match self.rule {
            Rule::Weigh(weights) => Some(weights),
            Rule::Draw | Rule::Consolidate => None,
        }
    }
}

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
    fn of(weights: Weights) -> Self {
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
    fn clear(&mut self) {
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
    fn push_nodes(&mut self, word: u32, nodes: u64) {
        match self.pieces.last_mut() {
            Some(Piece::Nodes { word: last, mask }) if *last == word => *mask |= nodes,
            _ => self.pieces.push(Piece::Nodes { word, mask: nodes }),
        }
    }
    /// Adds the pieces of a part.
    fn append(&mut self, part: &Self) {
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

/// A placement ready to choose.
#[derive(Debug)]
pub struct Placement {
    rule: Rule,
    preference: Preference,
    model: Model,
    stream: Stream,
    scratch: Choice,
}

impl Placement {
    /// The placement that a plan's settings name, by its name or by weights; `None` if there is none.
    #[must_use]
    pub fn of(plan: &Plan, classes: &Classes) -> Option<Self> {
        rule_of(&plan.settings.placement).map(|rule| Self::new(plan, classes, rule))
    }
    /// The lowest node or rack that fits, whatever the settings say.
    pub(super) fn first_fit(plan: &Plan, classes: &Classes) -> Self {
        Self::new(plan, classes, first_fit::ENTRY.rule)
    }

    fn new(plan: &Plan, classes: &Classes, rule: Rule) -> Self {
        let weights = match rule {
            Rule::Weigh(weights) => weights,
            Rule::Draw => Weights::ZERO,
            // What is one pod goes where it fits best.
            Rule::Consolidate => best_fit::ENTRY.weights().unwrap_or(Weights::ZERO),
        };
        Self {
            rule,
            preference: Preference::of(weights),
            model: Model::new(plan, classes, weights),
            stream: Stream::new(plan.settings.seed, Purpose::Placement),
            scratch: Choice::default(),
        }
    }

    /// A pass begins: what holds for all of it is read. Returns whether a place may cost more or less than in the last.
    pub(super) fn freeze(&mut self, view: &View) -> bool {
        self.model.freeze_at(view.plan(), view.classes(), view.now(), view.room())
    }

    /// Where a job of `class` would go now; false if nothing fits, and `choice` is then meaningless.
    ///
    /// # Complexity
    /// O(1) for pods and O(racks used) for gangs where the capacity index answers; else O(nodes of the scope).
    #[inline]
    pub fn choose(&self, class: &Class, job: u32, occupancy: &Occupancy, choice: &mut Choice) -> bool {
        self.find(&self.picker(class, job, occupancy, None), choice)
    }

    /// As [`Placement::choose`], within every cap on power: at the highest level at which there is such a place.
    #[inline]
    pub(super) fn choose_in(&self, class: &Class, job: u32, room: &Room, choice: &mut Choice) -> bool {
        self.at_levels(class, job, room, choice, |picker, choice| self.find(picker, choice))
    }

    /// What `find` finds within every cap on power: at the highest level at which it does.
    #[inline]
    fn at_levels(
        &self,
        class: &Class,
        job: u32,
        room: &Room,
        choice: &mut Choice,
        mut find: impl FnMut(&Picker<'_>, &mut Choice) -> bool,
    ) -> bool {
        let (Some(ledger), Some(draws)) = (room.power(), &class.draws) else {
            return find(&self.picker(class, job, &room.occupancy, None), choice);
        };
        draws.starts().iter().any(|&level| {
            let admission = Admission { ledger, draws, level };
            let found = find(&self.picker(class, job, &room.occupancy, Some(admission)), choice)
                && ledger.admits(draws, level, &choice.pieces);
            choice.cap = cap_of(level);
            found
        })
    }

    const fn picker<'a>(
        &'a self,
        class: &'a Class,
        job: u32,
        occupancy: &'a Occupancy,
        admission: Option<Admission<'a>>,
    ) -> Picker<'a> {
        let stream = if self.draws() { Some(&self.stream) } else { None };
        Picker { class, job, occupancy, model: &self.model, preference: self.preference, stream, admission }
    }

    #[inline]
    fn find(&self, picker: &Picker<'_>, choice: &mut Choice) -> bool {
        choice.clear();
        match (picker.class.form, self.rule) {
            (Form::Nothing, _) => {
                choice.racks = 0;
                true
            }
            (Form::Impossible, _) => false,
            (_, Rule::Consolidate) => consolidate::choose(picker, choice),
            (Form::Pod { .. } | Form::Share { .. }, _) => pod::choose(picker, choice),
            (Form::Gang { .. } | Form::Pods { .. }, _) => gang::choose(picker, choice),
        }
    }

    /// Whether costs are random draws, so that two jobs of one class may go different ways.
    pub(super) const fn draws(&self) -> bool {
        matches!(self.rule, Rule::Draw)
    }

    /// Whether a job of `class` would find a place in `room`, by looking for one.
    pub fn fits(&mut self, class: &Class, job: u32, room: &Room) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch);
        let fits = self.choose_in(class, job, room, &mut scratch);
        self.scratch = scratch;
        fits
    }
}

/// What a placement is called by: one of [`PLACEMENTS`], or weights.
fn rule_of(name: &str) -> Option<Rule> {
    let entry = PLACEMENTS.iter().find(|entry| entry.name == name);
    entry.map(|entry| entry.rule).or_else(|| name.parse().ok().map(Rule::Weigh))
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
    ledger: &'a Ledger,
    draws: &'a Draws,
    level: usize,
}

impl Admission<'_> {
    /// For a pod of so many thousandths on a node.
    pub(crate) fn admits_pod(&self, node: usize, milli: u32) -> bool {
        self.ledger.admits_pod(self.draws, self.level, narrow(node), milli)
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

/// The choice that puts a class on the nodes named: equal pods in rounds, one on each in their order that still has room,
/// of any gang one pod a node, of all that is wholly free there. `None` if they have too little room.
pub(crate) fn on_nodes(
    class: &Class,
    request: &Request,
    nodes: &[u32],
    occupancy: &Occupancy,
) -> Option<Choice> {
    let known = |node: &usize| *node < occupancy.nodes() && occupancy.in_scope(class.scope as usize, *node);
    let nodes: Vec<usize> = nodes.iter().map(|node| *node as usize).filter(known).collect();
    let mut left = occupancy.clone();
    let held = match request.shape {
        Shape::Any { gpus_milli } => gang_on(class, gpus_milli, &nodes, &mut left)?,
        Shape::Pods { count, gpus_milli_each } => pods_on(class, count, gpus_milli_each, &nodes, &mut left)?,
    };
    let racks: std::collections::BTreeSet<_> = held.iter().map(|(node, _)| occupancy.rack(*node)).collect();
    let mut choice = Choice { kind: occupancy.kind(held.first()?.0), ..Choice::default() };
    choice.racks = if occupancy.is_flat() { 1 } else { narrow(racks.len()) };
    choice.pieces.extend(held.into_iter().map(|(_, piece)| piece));
    Some(choice)
}

/// What is held on which nodes.
type Held = Vec<(usize, Piece)>;

/// What equal pods of so many thousandths hold on the nodes named, node by node.
fn pods_on(class: &Class, count: u32, milli: u32, nodes: &[usize], left: &mut Occupancy) -> Option<Held> {
    let (mut held, mut open): (Held, Vec<usize>) = (Vec::new(), (0..nodes.len()).collect());
    while held.len() < count as usize && !open.is_empty() {
        open.retain(|index| {
            let wanted = held.len() < count as usize;
            let piece = wanted.then(|| pod::piece_of(left, class.host, nodes[*index], milli)).flatten();
            held.extend(piece.map(|piece| (*index, piece)));
            left.claim(piece.as_slice(), class.host);
            piece.is_some()
        });
    }
    held.sort_by_key(|(index, _)| *index);
    let by_node = held.into_iter().map(|(index, piece)| (nodes[index], piece)).collect::<Held>();
    (by_node.len() == count as usize).then_some(by_node)
}

/// What a gang of so many thousandths holds on the nodes named: on each all that is wholly free there, until it has
/// enough.
fn gang_on(class: &Class, mut wanted: u32, nodes: &[usize], left: &mut Occupancy) -> Option<Held> {
    let mut held = Vec::new();
    for node in nodes {
        let whole = left.free_mask(*node).count_ones() * 1000;
        let milli = if wanted < 1000 { wanted } else { wanted.min(whole) };
        if milli > 0 || wanted == 0 {
            let piece = pod::piece_of(left, class.host, *node, milli)?;
            left.claim(&[piece], class.host);
            held.push((*node, piece));
            wanted -= milli;
        }
        if wanted == 0 {
            return Some(held);
        }
    }
    None
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
