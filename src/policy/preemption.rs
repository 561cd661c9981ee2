//! WHO yields: orders that rank running and pending jobs together and stop who ranks too low.
//!
//! A pass walks all preemptible running and all pending jobs in order, with a pool that counts every preemptible
//! running job's GPUs as free: who fits is taken. Running jobs not taken are stopped, then the taken pending ones
//! are placed in order. Kept jobs stay where they are.
//!
//! The pool counts GPUs, not nodes, so that who is taken may find no place. Nobody is stopped in favour of such a job:
//! it and whoever of its class comes behind it are out, and the walk is made anew without them, until everybody who is
//! taken has a place. Whoever is stopped thus yields to one that starts with a lower key and that only a still lower
//! one can stop, so that no two jobs stop each other for ever.
//!
//! The pool is counted by region: nodes that belong to the same scopes. A walk takes O(jobs · log jobs) time, and a
//! pass seldom more than a few.

use super::PolicyError;
use super::order::{self, Order};
use super::pipeline::{Bus, Part, Pass};
use super::placement::Placement;
use super::placement::ranked::Ranked;
use crate::cluster::Piece;
use crate::history::{Segment, Settings};
use crate::state::class::Class;
use crate::state::place::Choice;
use crate::state::{Concern, Decision, Event, State, Status};
use crate::units::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What is done to running jobs so that others start: by name, and what it does.
#[derive(Debug)]
pub struct Entry {
    /// Unique among them.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [super::part::PartOption],
}

impl Entry {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> super::part::Part {
        super::part::Part {
            kind: super::part::Kind::Preemption,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
}

/// Every way to preempt.
pub const PREEMPTIONS: &[Entry] = &[
    Entry {
        name: NONE,
        about: "a running job is never stopped for another",
        source: "run to completion",
        options: &[],
    },
    Entry {
        name: RANKED,
        about: "running and pending jobs are ranked together, and those that rank too low stop",
        source: "Gu et al., Tiresias, NSDI 2019",
        options: &[],
    },
];
const NONE: &str = "none";
const RANKED: &str = "ranked";

/// Whether running and pending jobs are ranked together: where it is said, else where the order implies it.
#[must_use]
pub fn is_ranked(settings: &Settings) -> bool {
    match &settings.preemption {
        Some(name) => name == RANKED,
        None => order::named(&settings.order).is_some_and(order::Entry::ranks_running),
    }
}

/// The preemptive policy.
#[derive(Debug)]
pub(super) struct Preemptive {
    order: Order,
    placement: Placement,
    /// Where the places of all jobs that start are ranked at once.
    ranked: Option<Ranked>,
    running: BTreeSet<u32>,
    pending: BTreeSet<u32>,
    /// When the keys of running jobs will next change by themselves, as of the last pass.
    changes: BTreeMap<u32, Time>,
    /// By node: its region.
    region_of: Vec<usize>,
    /// By region: the scopes that contain it.
    regions: Vec<Vec<bool>>,
    /// The regions, those that jobs of the fewest partitions may use first.
    least_shared: Vec<usize>,
    /// By partition: its group of linked ones.
    group_of: Vec<usize>,
    /// By group: whether anything but timers happened in it since the last pass.
    touched: Vec<bool>,
}

impl Preemptive {
    pub(super) fn new(state: &State, order: Order, (placement, ranked): (Placement, Option<Ranked>)) -> Self {
        let (plan, scopes) = (state.plan(), &state.classes().scopes);
        let mut known: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
        let mut regions = Vec::new();
        let region_of = (0..plan.cluster.nodes() as usize)
            .map(|node| {
                let inside: Vec<bool> =
                    scopes.iter().map(|scope| scope[node >> 6] >> (node & 63) & 1 == 1).collect();
                *known.entry(inside.clone()).or_insert_with(|| {
                    regions.push(inside);
                    regions.len() - 1
                })
            })
            .collect();
        let table = &state.classes().table;
        let partitions_of = |region: &usize| {
            let inside: &Vec<bool> = &regions[*region];
            let uses = |class: &&Class| inside[class.scope as usize];
            table.iter().filter(uses).map(|class| class.queue).collect::<BTreeSet<u32>>().len()
        };
        let mut least_shared: Vec<usize> = (0..regions.len()).collect();
        least_shared.sort_by_key(partitions_of);
        let group_of = super::walk::groups(state);
        let groups = group_of.iter().max().map_or(0, |last| last + 1);
        Self {
            order,
            placement,
            ranked,
            running: BTreeSet::new(),
            pending: BTreeSet::new(),
            changes: BTreeMap::new(),
            region_of,
            regions,
            least_shared,
            group_of,
            touched: vec![false; groups],
        }
    }

    /// GPU-thousandths that would be free by region, were every preemptible job stopped; and what tenants would hold.
    fn pool(&self, state: &State, preemptible: &[u32]) -> Pool {
        let occupancy = &state.resources().occupancy;
        let mut free = vec![0_u64; self.regions.len()];
        for (node, region) in self.region_of.iter().enumerate().filter(|(node, _)| occupancy.is_up(*node)) {
            free[*region] += u64::from(occupancy.free_milli(node));
        }
        let mut ceilings = state.resources().clone_ceilings();
        let mut held = Vec::new();
        for &job in preemptible {
            self.held_by_region(state, state.segment(job).expect("it runs"), &mut held);
            free.iter_mut().zip(&held).for_each(|(free, held)| *free += held);
            ceilings.unhold(state.class(job));
        }
        Pool { free, ceilings }
    }

    /// The GPU-thousandths of a piece on nodes that take new pods, by region.
    fn each_node(&self, state: &State, piece: Piece, mut add: impl FnMut(usize, u64)) {
        let occupancy = &state.resources().occupancy;
        for node in piece.nodes().map(|node| node as usize).filter(|node| occupancy.is_up(*node)) {
            let milli = match piece {
                Piece::Nodes { .. } => u64::from(occupancy.full_mask(node).count_ones()) * 1000,
                Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
                Piece::Share { milli, .. } => u64::from(milli),
            };
            add(self.region_of[node], milli);
        }
    }

    /// Who is taken, of the ranked jobs: a running one if its regions still have what it holds of each, a pending one
    /// if those of its scope together have what it asks for.
    fn walk(&self, state: &State, ranked: &[u32], mut pool: Pool) -> BTreeSet<u32> {
        let (mut taken, mut wanted) = (BTreeSet::new(), Vec::new());
        for &job in ranked {
            let class = state.class(job);
            match state.segment(job) {
                Some(segment) => self.held_by_region(state, segment, &mut wanted),
                None => self.least_shared_regions(class, &pool.free, &mut wanted),
            }
            let fits = wanted.iter().zip(&pool.free).all(|(wanted, free)| wanted <= free)
                && (state.segment(job).is_some()
                    || wanted.iter().sum::<u64>() == u64::from(class.gpus_milli));
            if fits && pool.ceilings.allows(class) {
                wanted.iter().zip(&mut pool.free).for_each(|(wanted, free)| *free -= wanted);
                pool.ceilings.hold(class);
                taken.insert(job);
            }
        }
        taken
    }

    /// Where jobs go once others are stopped; or the first of each class that finds no place.
    fn places(
        &mut self,
        state: &State,
        stopped: &[u32],
        starting: impl Iterator<Item = u32> + Clone,
    ) -> Result<Vec<(u32, Choice)>, Vec<u32>> {
        // In most passes every job that is taken runs already.
        if starting.clone().next().is_none() {
            return Ok(Vec::new());
        }
        let mut room = state.resources().clone();
        for job in stopped {
            let segment = state.segment(*job).expect("it runs");
            room.release(state.class(*job), state.history().pieces_of(segment), segment.cap);
        }
        self.ranked.iter_mut().for_each(Ranked::begin);
        let (mut places, mut failed, mut out) = (Vec::new(), Vec::new(), BTreeSet::new());
        for job in starting.clone() {
            let (index, class) = (state.classes().of_job[job as usize], state.class(job));
            if out.contains(&index) {
                continue;
            }
            let mut choice = Choice::default();
            let going = state.going(job).map(|nodes| room.occupancy.withhold(&nodes));
            let placement = &self.placement;
            let mut finds = || match &mut self.ranked {
                Some(ranked) if going.is_none() => {
                    ranked.choose(placement, (state.classes(), || starting.clone()), job, &room, &mut choice)
                }
                _ => placement.choose_in(class, job, &room, &mut choice),
            };
            let found = room.below_ceilings(class) && finds();
            room.occupancy.give_back(&going.unwrap_or_default());
            if found {
                room.claim(class, &choice.pieces, choice.cap);
                if let Some(ranked) = &mut self.ranked {
                    ranked.started(placement, &room, &choice.pieces);
                }
                places.push((job, choice));
            } else {
                out.insert(index);
                failed.push(job);
            }
        }
        if failed.is_empty() { Ok(places) } else { Err(failed) }
    }

    /// As much of what a class asks for as its regions have, those that fewest partitions share first, then the lowest;
    /// by region, in `wanted`.
    fn least_shared_regions(&self, class: &Class, free: &[u64], wanted: &mut Vec<u64>) {
        let mut left = u64::from(class.gpus_milli);
        wanted.clear();
        wanted.resize(self.regions.len(), 0);
        for region in &self.least_shared {
            if self.regions[*region][class.scope as usize] {
                wanted[*region] = left.min(free[*region]);
                left -= wanted[*region];
            }
        }
    }

    /// The GPU-thousandths that a segment holds on nodes that take new pods, by region, in `held`.
    fn held_by_region(&self, state: &State, segment: &Segment, held: &mut Vec<u64>) {
        held.clear();
        held.resize(self.regions.len(), 0);
        for piece in state.history().pieces_of(segment) {
            self.each_node(state, *piece, |region, milli| held[region] += milli);
        }
    }
}

/// What the walk takes from.
#[derive(Debug, Clone)]
struct Pool {
    free: Vec<u64>,
    ceilings: crate::state::ceilings::Ceilings,
}

impl Part for Preemptive {
    fn observe(&mut self, event: &Event, state: &State) {
        self.order.observe(event, state);
        self.touch(event, state);
        match *event {
            Event::Eligible { job } | Event::Released { job } => {
                self.pending.insert(job);
            }
            Event::Started { job, .. } => {
                self.pending.remove(&job);
                self.running.insert(job);
            }
            Event::Ended { job, .. } => {
                self.running.remove(&job);
                self.changes.remove(&job);
                if state.status(job) == Status::Pending {
                    self.pending.insert(job);
                }
            }
            Event::Withdrawn { job } | Event::Held { job, .. } => {
                self.pending.remove(&job);
            }
            Event::Rejected { .. }
            | Event::Settled { .. }
            | Event::Changed { .. }
            | Event::Closed { .. }
            | Event::Capacity
            | Event::Notice
            | Event::Power
            | Event::WakeAt { .. }
            | Event::Timer => {}
        }
    }
}

impl Preemptive {
    /// Something happened to the partitions linked with a job, or to all.
    fn touch(&mut self, event: &Event, state: &State) {
        match event.concern() {
            Concern::Linked(job) => {
                let group = self.group(state, job);
                self.touched[group] = true;
            }
            Concern::All => self.touched.fill(true),
            Concern::None => {}
        }
    }

    fn group(&self, state: &State, job: u32) -> usize {
        self.group_of[state.class(job).queue as usize]
    }

    /// Pending and preemptible running jobs in order, the running before the pending where keys are equal.
    fn in_order(&self, state: &State, preemptible: &[u32]) -> Vec<u32> {
        let pending = self.pending.iter().filter(|job| self.touched[self.group(state, **job)]);
        let mut ranked: Vec<_> = preemptible
            .iter()
            .chain(pending)
            .map(|&job| {
                let waits = state.status(job) == Status::Pending;
                let tier = Reverse(state.class(job).tier);
                (tier, self.order.key(state, job), waits, state.eligible_time(job), job)
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(.., job)| job).collect()
    }

    /// Which running jobs stop, and which pending ones start where.
    fn choose(&mut self, state: &State, preemptible: &[u32]) -> (Vec<u32>, Vec<(u32, Choice)>) {
        let mut ranked = self.in_order(state, preemptible);
        let pool = self.pool(state, preemptible);
        loop {
            let taken = self.walk(state, &ranked, pool.clone());
            let stopped: Vec<u32> = preemptible.iter().copied().filter(|job| !taken.contains(job)).collect();
            let waits = |job: &u32| state.status(*job) == Status::Pending;
            let starting = ranked.iter().copied().filter(|job| taken.contains(job) && waits(job));
            match self.places(state, &stopped, starting) {
                Ok(started) => return (stopped, started),
                Err(failed) => {
                    let mut out = BTreeSet::new();
                    ranked.retain(|job| {
                        let class = state.classes().of_job[*job as usize];
                        if failed.contains(job) {
                            out.insert(class);
                        }
                        !waits(job) || !out.contains(&class)
                    });
                }
            }
        }
    }
}

impl Pass for Preemptive {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        // A timer of a job that has ended meanwhile is no reason for a pass.
        let due: Vec<u32> =
            self.changes.iter().filter(|(_, time)| **time <= bus.now()).map(|(job, _)| *job).collect();
        // Passes of a cycle come by themselves.
        let by_itself = bus.plan().settings.cycle.is_none();
        for job in due.into_iter().filter(|_| by_itself) {
            let group = self.group(bus, job);
            self.touched[group] = true;
        }
        if bus.plan().settings.cycle.is_some() && bus.plan().settings.is_full_pass(bus.now()) {
            self.touched.fill(true);
        }
        if self.pending.is_empty() || !self.touched.contains(&true) {
            return Ok(());
        }
        self.placement.freeze(bus);
        let may_stop = |state: &State, job: u32| state.plan().workload.behaviour_of(job).preemptible;
        let concerned = |job: &u32| may_stop(bus, *job) && self.touched[self.group(bus, *job)];
        let preemptible: Vec<u32> = self.running.iter().copied().filter(concerned).collect();
        let (stopped, started) = self.choose(bus, &preemptible);
        for job in stopped {
            let event = bus.apply(Decision::Stop { job })?;
            self.observe(&event, bus);
        }
        for (job, choice) in started {
            let event = bus.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?;
            self.observe(&event, bus);
        }
        self.touched.fill(false);
        let running = self.running.iter().filter(|job| may_stop(bus, **job));
        self.changes = running.map(|job| (*job, self.order.changes(bus, *job))).collect();
        let next = self.changes.values().min().copied().filter(|time| *time != Time::NEVER);
        if let Some(time) = next.filter(|time| by_itself && !self.pending.is_empty() && *time > bus.now()) {
            bus.apply(Decision::WakeAt { time })?;
        }
        Ok(())
    }
}
