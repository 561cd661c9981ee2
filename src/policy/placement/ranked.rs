//! Places for every class that waits, ranked at once and kept true while a pass starts jobs.
//!
//! A pass over thousands of classes asks for each where it costs least, on every node or rack of its scope. Here all
//! of them are one question to an [`Evaluator`], which answers with the cheapest few of each; a start changes what is
//! known of the domains it touches, and of those alone ([`Board`]). The answer is the one that [`Placement`] gives
//! class by class, whatever evaluates it. One pod goes by nodes, a gang of whole nodes by racks; over several racks,
//! and where random draws or the rule of `consolidate` decide, it is class by class anyway.
//!
//! Terms of places (price, carbon, pressure) hold for the pass; room and caps on power are looked at as they are. What
//! frees anything in between, a stop or a node that comes back, makes everything be ranked anew.

use super::{Choosing, Placement, rule_of};
use crate::cluster::{Occupancy, Piece};
use crate::cost::{Answer, Board, Candidate, Cpu, Domain, Evaluator, Query, Tables};
use crate::history::Settings;
use crate::policy::backfill::Backfill;
use crate::policy::preemption;
use crate::state::Resources;
use crate::state::class::{Class, Classes, Form};
use crate::state::place::assembly::{Assembly, Passed};
use crate::state::place::gang::{self, Need};
use crate::state::place::{Choice, Picker, pod};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// How places are ranked in a pass; no part of a plan, since the schedule does not depend on it.
#[derive(Debug, Clone)]
pub struct Ranks {
    /// What evaluates; shared, so that the caller can ask it what it did.
    pub evaluator: Arc<Mutex<dyn Evaluator + Send>>,
    /// How many candidates of each class are listed at first, 1 or more.
    pub longest: usize,
    /// When they are ranked.
    pub when: When,
}

/// When the places of all classes that wait are ranked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In every pass, whatever an index of free capacity knows.
    Always,
    /// In passes of a cycle, for what the index of free capacity does not know.
    Rounds,
    /// Never: class by class.
    Never,
}

/// On the processor, in passes of a cycle, eight candidates each.
impl Default for Ranks {
    fn default() -> Self {
        Self { evaluator: Arc::new(Mutex::new(Cpu::default())), longest: 8, when: When::Rounds }
    }
}

impl Ranks {
    /// Whether passes under such settings ask an evaluator, if they are to whenever they can: not where random draws or
    /// reservations of conservative backfill decide.
    #[must_use]
    pub fn apply_to(settings: &Settings) -> bool {
        let reserves = !preemption::is_ranked(settings)
            && Backfill::named(&settings.backfill) == Some(Backfill::Conservative);
        let weighs = matches!(rule_of(&settings.placement), Some(Choosing::Weigh(_) | Choosing::Consolidate));
        weighs && (!reserves || settings.has_event_passes())
    }
}

/// What is ranked in the present state.
#[derive(Debug)]
pub(in crate::policy) struct Ranked {
    ranks: Ranks,
    /// How often something had become free when it was ranked; `None`: nothing is.
    as_of: Option<u64>,
    /// By class: what was asked for it.
    asked: Vec<Asked>,
    /// By so many scopes as a board tells apart, where it is of use: their nodes.
    nodes: Vec<Nodes>,
    /// By scope, where it is of use: every rack.
    racks: Vec<(usize, Board)>,
    /// By node; empty where no caps are heeded.
    headrooms: Vec<u32>,
    /// By rack, likewise.
    rack_headrooms: Vec<u32>,
}

/// The nodes of some scopes.
#[derive(Debug)]
struct Nodes {
    /// The first of the scopes.
    first: u32,
    /// By node: the scopes it belongs to, a bit each, or one for each kind of nodes.
    scopes: Vec<u32>,
    board: Board,
    /// Whether anything is asked of it in this state.
    is_asked: bool,
}

/// What was asked for a class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Asked {
    /// Nothing: it is placed by itself.
    #[default]
    Nothing,
    /// Queries among nodes: the index of the board; a query for all kinds of nodes on which it draws alike.
    Nodes(usize, Vec<usize>),
    /// Queries among racks: the index of the board; the kind of nodes and the query.
    Racks(usize, Vec<(u32, usize)>),
}

/// How many kinds of nodes have bits of their own in each scope: where there are caps to heed, since a job draws more
/// on some than on others; so few that a board has bits for several scopes.
fn kinds_apart(room: &Resources) -> u32 {
    let kinds = room.occupancy.kinds();
    if room.power().is_some() && kinds <= u32::BITS / 2 { kinds.max(1) } else { 1 }
}

impl Ranked {
    /// Nothing is ranked yet; `None` where it never is, rounds or not.
    pub(in crate::policy) fn new(ranks: &Ranks, placement: &Placement, in_rounds: bool) -> Option<Self> {
        let ranks_now = match ranks.when {
            When::Always => true,
            When::Rounds => in_rounds,
            When::Never => false,
        };
        (ranks_now && placement.is_ranked()).then(|| Self {
            ranks: ranks.clone(),
            as_of: None,
            asked: Vec::new(),
            nodes: Vec::new(),
            racks: Vec::new(),
            headrooms: Vec::new(),
            rack_headrooms: Vec::new(),
        })
    }

    /// A pass begins: nothing is known.
    pub(in crate::policy) const fn begin(&mut self) {
        self.as_of = None;
    }

    /// As [`Placement::choose_in`]; `waiting` tells the jobs that wait, if it has to be known.
    pub(in crate::policy) fn choose<I: Iterator<Item = u32>>(
        &mut self,
        placement: &Placement,
        (classes, waiting): (&Classes, impl FnOnce() -> I),
        job: u32,
        room: &Resources,
        choice: &mut Choice,
    ) -> bool {
        let class = classes.of_job(job);
        let picker = placement.picker(class, job, &room.occupancy, None);
        if !self.is_ranked(placement, &picker) {
            return placement.choose_in(class, job, room, choice);
        }
        if self.as_of != Some(room.freed()) {
            let wait: BTreeSet<u32> = waiting().map(|job| classes.of_job[job as usize]).collect();
            let wait = wait.into_iter().chain([class.index]).map(|class| &classes.table[class as usize]);
            self.rank(placement, room, wait, classes.table.len());
        }
        placement.at_levels(class, job, room, choice, |picker, choice| self.find(placement, picker, choice))
    }

    /// A job has started in the room that was ranked.
    pub(in crate::policy) fn started(&mut self, placement: &Placement, room: &Resources, pieces: &[Piece]) {
        if self.as_of.is_none() {
            return;
        }
        let (occupancy, model) = (&room.occupancy, &placement.model);
        let touched: BTreeSet<u32> = pieces.iter().flat_map(|piece| piece.nodes()).collect();
        let racks: BTreeSet<u32> = touched.iter().map(|node| occupancy.rack(*node as usize)).collect();
        let around = || racks.iter().flat_map(|rack| occupancy.rack_nodes(*rack as usize));
        let spreads = model.minds_racks() && !occupancy.is_flat();
        let nodes: Vec<u32> = if spreads { around().collect() } else { touched.into_iter().collect() };
        for known in self.nodes.iter_mut().filter(|known| known.is_asked) {
            for &node in &nodes {
                let domain = model.node(occupancy, node as usize, known.scopes[node as usize], false);
                let headroom = left(&self.headrooms, node as usize);
                known.board.change(node, if_up(occupancy, node, Domain { headroom, ..domain }));
            }
        }
        for (scope, board) in &mut self.racks {
            for &rack in &racks {
                let headroom = left(&self.rack_headrooms, rack as usize);
                board.change(rack, rack_domain(placement, occupancy, (*scope, rack as usize), headroom));
            }
        }
    }

    /// Whether a picker's class is placed by what is ranked.
    fn is_ranked(&self, placement: &Placement, picker: &Picker<'_>) -> bool {
        let everything = self.ranks.when == When::Always;
        if !picker.class.alternatives.is_empty() {
            // Each platform is looked at by itself, if it comes to it.
            return false;
        }
        match picker.class.form {
            Form::Pod { .. } | Form::Share { .. } => everything || !pod::indexed(picker),
            Form::Gang { .. } => {
                let weighed = matches!(placement.rule, Choosing::Weigh(_));
                let by_index = picker.is_plain() && !everything;
                let kinds = picker.class.kinds.iter().all(|kind| *kind < u32::BITS);
                let simple = || gang::needs(picker).all(|need| need.indexed);
                weighed && !by_index && kinds && !gang::ignores_racks(picker) && simple()
            }
            Form::Nothing | Form::Pods { .. } | Form::Impossible => false,
        }
    }

    /// Ranks the places of all classes that wait and might have one.
    fn rank<'a>(
        &mut self,
        placement: &Placement,
        room: &Resources,
        waiting: impl Iterator<Item = &'a Class>,
        classes: usize,
    ) {
        self.as_of = Some(room.freed());
        self.headrooms = room.power().map(|ledger| ledger.headrooms()).unwrap_or_default();
        self.rack_headrooms = room.power().map(|ledger| ledger.rack_headrooms()).unwrap_or_default();
        self.asked.clear();
        self.asked.resize(classes, Asked::Nothing);
        self.racks.clear();
        self.nodes.iter_mut().for_each(|known| known.is_asked = false);
        for class in waiting {
            let picker = placement.picker(class, 0, &room.occupancy, None);
            // A job that has no place now has none for as long as nothing becomes free.
            let may_fit = room.below_ceilings(class) && room.holds(class) != Some(false);
            if may_fit
                && self.is_ranked(placement, &picker)
                && self.asked[class.index as usize] == Asked::Nothing
            {
                self.asked[class.index as usize] = match class.form {
                    Form::Gang { .. } => self.ask_racks(placement, room, &picker),
                    _ => self.ask_nodes(placement, room, class),
                };
            }
        }
        let mut evaluator = self.ranks.evaluator.lock().unwrap_or_else(PoisonError::into_inner);
        for known in self.nodes.iter_mut().filter(|known| known.is_asked) {
            known.board.rank(&placement.model.tables, self.ranks.longest, &mut *evaluator);
        }
        for (_, board) in &mut self.racks {
            board.rank(&placement.model.rack_tables, self.ranks.longest, &mut *evaluator);
        }
    }

    fn ask_nodes(&mut self, placement: &Placement, room: &Resources, class: &Class) -> Asked {
        let (apart, occupancy) = (kinds_apart(room), &room.occupancy);
        let scopes = u32::BITS / apart;
        let first = class.scope / scopes * scopes;
        let known = self.nodes.iter().position(|known| known.first == first).unwrap_or_else(|| {
            self.nodes.push(Nodes::of(first, apart, occupancy));
            self.nodes.len() - 1
        });
        let nodes = &mut self.nodes[known];
        if !std::mem::replace(&mut nodes.is_asked, true) {
            nodes.fill(placement, occupancy, &self.headrooms);
        }
        let milli = pod::milli(class);
        let draw = |kind: u32| match (room.power(), &class.draws) {
            (Some(ledger), Some(draws)) => ledger.least_watts(draws, &[kind], milli),
            _ => 0,
        };
        let mut alike: BTreeMap<u32, u32> = BTreeMap::new();
        for kind in &class.kinds {
            *alike.entry(draw(*kind)).or_default() |= 1 << ((class.scope - first) * apart + kind % apart);
        }
        let query = placement.model.pod(class, class.index, milli);
        let ask = |(draw, scopes)| nodes.board.ask(Query { scopes, draw, ..query });
        Asked::Nodes(known, alike.into_iter().map(ask).collect())
    }

    fn ask_racks(&mut self, placement: &Placement, room: &Resources, picker: &Picker<'_>) -> Asked {
        let (scope, occupancy) = (picker.scope(), picker.occupancy);
        let known = self.racks.iter().position(|(other, _)| *other == scope).unwrap_or_else(|| {
            let mut board = Board::default();
            board.begin();
            for rack in 0..occupancy.racks() {
                let headroom = left(&self.rack_headrooms, rack);
                let domain = rack_domain(placement, occupancy, (scope, rack), headroom);
                board.push(domain, placement.model.rack_group(rack));
            }
            self.racks.push((scope, board));
            self.racks.len() - 1
        });
        let board = &mut self.racks[known].1;
        let all = picker.class.kinds.iter().filter_map(|kind| gang::need_on(picker, *kind));
        let least = |kind: u32, milli: u32| match (room.power(), &picker.class.draws) {
            (Some(ledger), Some(draws)) => ledger.least_watts(draws, &[kind], milli),
            _ => 0,
        };
        let ask = |need: Need| {
            let draw = least(need.kind, need.milli).saturating_mul(need.pods);
            let draw = draw.saturating_add(least(need.kind, need.rest * 1000));
            let query = placement.model.gang(picker.class, need.pods, 1 << need.kind);
            (need.kind, board.ask(Query { draw, ..query }))
        };
        Asked::Racks(known, all.map(ask).collect())
    }

    /// Where a picker's class goes, by what was ranked for it.
    fn find(&mut self, placement: &Placement, picker: &Picker<'_>, choice: &mut Choice) -> bool {
        match &self.asked[picker.class.index as usize] {
            Asked::Nothing => placement.find(picker, choice),
            Asked::Nodes(known, queries) => {
                let board = &mut self.nodes[*known].board;
                let powered = |node: u32| pod::has_power(picker, node as usize);
                let mut limit = |board: &mut Board| {
                    if let Some(admission) = picker.admission {
                        self.headrooms = admission.ledger.headrooms();
                        board.limit(&self.headrooms);
                    }
                };
                let tables = &placement.model.tables;
                let found =
                    queries.iter().filter_map(|query| cheapest(board, *query, tables, &mut limit, powered));
                let found = found.min();
                if let Some(node) = found {
                    choice.clear();
                    pod::put(picker, node.index as usize, choice);
                }
                found.is_some()
            }
            Asked::Racks(known, queries) => {
                let (board, queries) = (&mut self.racks[*known].1, queries.clone());
                let headrooms = &mut self.rack_headrooms;
                let mut one_rack = |need: Need, refused: &Passed| {
                    let (_, query) = queries.iter().find(|(kind, _)| *kind == need.kind)?;
                    let usable = |rack: u32| {
                        let rack = rack as usize;
                        !refused.contains(rack) && gang::holds_rest(picker, need, rack, need.pods)
                    };
                    let limit = |board: &mut Board| {
                        if let Some(admission) = picker.admission {
                            *headrooms = admission.ledger.rack_headrooms();
                            board.limit(headrooms);
                        }
                    };
                    cheapest(board, *query, &placement.model.rack_tables, limit, usable)
                };
                let of_all = |_: &Assembly<'_>, refused: &Passed| {
                    let racks = gang::needs(picker)
                        .filter_map(|need| one_rack(need, refused).map(|candidate| (candidate, need)));
                    let cheapest = racks.min_by_key(|(candidate, _)| *candidate);
                    cheapest.map(|(candidate, need)| (need, candidate.index as usize))
                };
                gang::in_one_rack(picker, choice, of_all) || gang::across_racks(picker, choice)
            }
        }
    }
}

/// The cheapest domain of a query that is `usable`; before every domain is looked at again, those of feeds that have
/// filled up since they were last looked at are put out of the question.
fn cheapest(
    board: &mut Board,
    query: usize,
    tables: &Tables,
    limit: impl FnOnce(&mut Board),
    usable: impl Fn(u32) -> bool,
) -> Option<Candidate> {
    match board.cheapest(query, tables, &usable) {
        Answer::Cheapest(candidate) => Some(candidate),
        Answer::Nothing => None,
        Answer::Unknown => {
            limit(board);
            board.cheapest_of_all(query, tables, usable)
        }
    }
}

impl Nodes {
    fn of(first: u32, apart: u32, occupancy: &Occupancy) -> Self {
        let last = occupancy.scopes().min((first + u32::BITS / apart) as usize);
        let bits = |node: usize| {
            let kind = occupancy.kind(node) % apart;
            let of_kind = (0..).map(|scope| scope * apart + kind).zip(first as usize..last);
            of_kind.fold(0, |bits, (bit, scope)| bits | u32::from(occupancy.in_scope(scope, node)) << bit)
        };
        let scopes = (0..occupancy.nodes()).map(bits).collect();
        Self { first, scopes, board: Board::default(), is_asked: false }
    }

    /// Every node as it is now.
    fn fill(&mut self, placement: &Placement, occupancy: &Occupancy, headrooms: &[u32]) {
        let model = &placement.model;
        self.board.begin();
        for rack in 0..occupancy.racks() {
            let idle = model.idle_nodes(occupancy, rack);
            for node in occupancy.rack_nodes(rack) {
                let at = node as usize;
                let domain = model.node_beside(occupancy, at, self.scopes[at], false, || idle);
                let headroom = left(headrooms, at);
                let domain = if_up(occupancy, node, Domain { headroom, ..domain });
                self.board.push(domain, model.rack_group(rack));
            }
        }
    }
}

/// What takes no new pods belongs to no scope.
fn if_up(occupancy: &Occupancy, node: u32, domain: Domain) -> Domain {
    if occupancy.is_up(node as usize) { domain } else { Domain { scopes: 0, ..domain } }
}

/// Watts left to a node or rack; unlimited where no caps are heeded.
fn left(headrooms: &[u32], index: usize) -> u32 {
    headrooms.get(index).copied().unwrap_or(u32::MAX)
}

/// A rack for gangs of a scope: its idle nodes there. The kind of its nodes is its bit.
fn rack_domain(
    placement: &Placement,
    occupancy: &Occupancy,
    (scope, rack): (usize, usize),
    headroom: u32,
) -> Domain {
    let first = occupancy.rack_nodes(rack).start as usize;
    let kind = occupancy.kind(first);
    let (idle, milli) = (occupancy.rack_idle(scope, rack), occupancy.kind_gpus(kind) * 1000);
    let scopes = if kind < u32::BITS { 1 << kind } else { 0 };
    Domain { headroom, ..placement.model.rack(rack, (idle, milli, true), scopes) }
}
