//! One job tried: does it fit now, and does it delay a reservation?

use super::{Front, Group, Tried};
use crate::policy::PolicyError;
use crate::policy::backfill::Backfill;
use crate::policy::pipeline::Bus;
use crate::policy::walk::Desk;
use crate::policy::walk::finder::Finder;
use crate::policy::walk::pending::{Candidate, job_of};
use crate::policy::walk::reservations;
use crate::state::class::Class;
use crate::state::{Decision, State, Supposed, Trial};
use crate::units::Time;

impl Group {
    pub(super) fn is_below_ceilings(&self, state: &State, class: u32) -> bool {
        state.resources().below_ceilings(&state.classes().table[class as usize])
    }

    /// Whether no later job that counts against a row starts in a pass in which that says no: a licence is known to be
    /// given back, so that where jobs reserve the one that waits for it does.
    pub(super) fn closes_ceiling(&self, state: &State, row: u32) -> bool {
        let reserves = self.rules.backfill.reserves() && state.classes().quotas.is_licence(row);
        self.rules.backfill != Backfill::Skip && !reserves
    }

    /// Whether a class is refused by a row that then closes.
    pub(super) fn is_closing(&self, state: &State, class: u32) -> bool {
        let row = state.resources().ceiling_of(&state.classes().table[class as usize]);
        row.is_some_and(|row| self.closes_ceiling(state, row))
    }

    /// Whether a class has not been refused in this state, nor do counts say that it would be.
    pub(super) fn may_fit(&self, state: &State, class: u32) -> bool {
        let holds = || state.resources().holds(&state.classes().table[class as usize]) != Some(false);
        !self.is_refused(class) && (self.rules.yields || holds())
    }

    /// Whether a class has found no place in this state, nor would if jobs stopped for it.
    pub(super) fn is_refused(&self, class: u32) -> bool {
        self.refused[class as usize].0 == self.version
    }

    /// Starts a job if it fits now and delays no reservation, or if jobs that stop for it make room.
    pub(super) fn consider(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        candidate: Candidate,
    ) -> Result<Tried, PolicyError> {
        let yields = desk.yielding.is_some();
        let known = yields && self.is_refused(candidate.class);
        let tried = self.consider_as_it_is(desk, bus, candidate)?;
        let row = match tried {
            Tried::Started | Tried::Delays => return Ok(tried),
            _ if !yields || known => return Ok(tried),
            Tried::Ceiling(row) => Some(row),
            Tried::Blocked => None,
        };
        Ok(if self.makes_room(desk, bus, (job_of(candidate.key), row))? { Tried::Started } else { tried })
    }

    /// Starts a job if it fits now and delays no reservation.
    fn consider_as_it_is(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        candidate: Candidate,
    ) -> Result<Tried, PolicyError> {
        let state: &State = bus;
        let job = job_of(candidate.key);
        let class = state.class(job);
        if let Some(row) = state.resources().ceiling_of(class) {
            self.refused[candidate.class as usize].0 = self.version;
            return Ok(Tried::Ceiling(row));
        }
        if !self.may_fit(state, candidate.class) {
            return Ok(Tried::Blocked);
        }
        let (reserved, shadow) = (!self.reservations.is_empty(), self.reservations.earliest());
        // Then it ends so late wherever it goes.
        let ends_later = reserved && state.expected_end(job, class.fastest) > shadow;
        if ends_later && !self.rules.yields && !self.may_leave_room(state, class) {
            self.refused[candidate.class as usize].1 = self.version;
            return Ok(Tried::Delays);
        }
        if !self.finds_place(desk, bus, job) {
            self.finds_none(bus, candidate.class);
            return Ok(Tried::Blocked);
        }
        if reserved && !self.delays_nothing(&mut desk.finder, bus.trial(), job) {
            // What would delay the only reservation would so at any length beyond it.
            let certain = ends_later && bus.ends_tell_all();
            if certain && self.reservations.only().is_some() {
                self.refused[candidate.class as usize].1 = self.version;
            }
            return Ok(Tried::Delays);
        }
        let choice = desk.finder.choice();
        bus.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?;
        self.started(desk, bus, job);
        self.version += u64::from(!self.monotone);
        Ok(Tried::Started)
    }

    /// Whether a job finds a place now; it is the choice then.
    pub(super) fn finds_place(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>, job: u32) -> bool {
        let withdrawn = self.withdrawn(bus, job);
        if withdrawn.is_none() && self.spent.is_empty() && !bus.lengths_decide() {
            let state: &State = bus;
            return desk.finder.finds_place(state, job, || self.jobs(state));
        }
        let supposed = self.supposed(bus, job, withdrawn);
        bus.supposing(supposed, |state| desk.finder.finds_place_now(state, job))
    }

    /// What is supposed when a place for a job is looked for: these nodes are none, nor are those that are known to go
    /// while it would run, and it takes no watts that are withdrawn or go while it would hold them.
    pub(super) fn supposed(&mut self, state: &State, job: u32, nodes: Option<Vec<u64>>) -> Supposed {
        let watts = drained_for(state, job)
            .map(|begins| begins.into_iter().filter_map(|begin| self.ahead.watts_at(state, begin)).collect());
        Supposed { watts, ..self.supposed_now(state, job, nodes) }
    }

    /// The same, whatever watts go while it would hold them.
    pub(super) fn supposed_now(&self, state: &State, job: u32, nodes: Option<Vec<u64>>) -> Supposed {
        let nodes = either(nodes, state.going(job));
        Supposed { nodes, withdrawn: self.spent.clone(), ..Supposed::default() }
    }

    /// No job of a class finds a place in this state.
    pub(super) fn finds_none(&mut self, state: &State, class: u32) {
        // A shorter one may end before nodes or watts go.
        if !state.lengths_decide() {
            self.refused[class as usize].0 = self.version;
        }
    }

    /// Whether a job at the place found last ends before every reservation begins or leaves room for all of them; if
    /// not there, then at its cheapest place outside of what they take.
    pub(super) fn delays_nothing(&mut self, finder: &mut Finder, trial: &mut Trial<'_>, job: u32) -> bool {
        if self.harmless(finder, trial, job) {
            return true;
        }
        let is_pinned = self.rules.backfill == Backfill::EasyPinned;
        if self.rules.backfill.is_strict() || self.counted && !is_pinned && trial.ends_tell_all() {
            return false;
        }
        let taken = self.reservations.nodes_before(trial, (&mut self.ahead, &mut *finder), job);
        // Taking nodes out of the index and back costs more than counting what is free outside of them.
        if !trial.resources().may_hold_outside(trial.class(job), &taken) {
            return false;
        }
        let supposed = self.supposed(trial, job, Some(taken));
        trial.supposing(supposed, |state| finder.finds_place_now(state, job))
            && (is_pinned || self.harmless(finder, trial, job))
    }

    pub(super) fn harmless(&mut self, finder: &mut Finder, state: &State, job: u32) -> bool {
        let end = expected_end(state, job, finder);
        if end <= self.reservations.earliest() {
            return true;
        }
        if self.rules.backfill.is_strict() || self.rules.backfill == Backfill::EasyPinned {
            return false;
        }
        let choice = finder.take_choice();
        let (pieces, cap) = (&choice.pieces[..], choice.cap);
        let candidate = reservations::Candidate { job, end, pieces, cap };
        let harmless = self.reservations.still_fit(state, (&mut self.ahead, &mut *finder), candidate);
        finder.put_back(choice);
        harmless
    }

    /// Whether a job that ends after the only reservation begins might leave it its room, wherever it goes.
    pub(super) fn may_leave_room(&self, state: &State, class: &Class) -> bool {
        if self.rules.backfill.is_strict() {
            return false;
        }
        if self.rules.backfill == Backfill::EasyPinned {
            return true;
        }
        let only = self.reservations.only().filter(|_| state.ends_tell_all());
        only.is_none_or(|only| !self.ahead.lacks_room_beside(state.class(only), class))
    }

    /// A job of the group has started.
    pub(super) fn started(&mut self, desk: &mut Desk, state: &State, job: u32) {
        desk.begins(state, job);
        self.expect(desk, state, job);
        desk.finder.started(state);
    }

    /// A running job is expected to end.
    pub(in crate::policy::walk) fn expect(&mut self, desk: &mut Desk, state: &State, job: u32) {
        if self.rules.backfill == Backfill::EasyFrozen {
            self.reservations.starts(job);
        }
        if self.looks_ahead
            && let Some(segment) = state.segment(job)
        {
            let end = state.expected_end(job, segment.rate).min(state.departure(state.domains(job)));
            desk.expected[job as usize] = end;
            self.ahead.begin(state.class(job), job, end, (state.domains(job), segment.cap));
        }
    }

    /// The nodes that closed partitions have withdrawn, where a job might use some of them.
    pub(super) fn withdrawn(&self, state: &State, job: u32) -> Option<Vec<u64>> {
        // Other backfills close no partition.
        let mut closed = self.nodes_of.iter().zip(&self.fronts).filter(|(_, front)| front.head.is_some());
        let mut nodes = closed.next()?.0.clone();
        for (of, _) in closed {
            nodes.iter_mut().zip(of).for_each(|(nodes, of)| *nodes |= of);
        }
        let own = &state.classes().scopes[state.class(job).scope as usize];
        let meets = nodes.iter().zip(own).any(|(closed, own)| closed & own != 0);
        meets.then_some(nodes)
    }

    /// Whether a blocked job closes its partition: it is known when it would have a place, or it has one now on what is
    /// withdrawn.
    pub(super) fn closes(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>, job: u32) -> bool {
        if !self.looks_ahead {
            return true;
        }
        let nodes = self.withdrawn(bus, job);
        if nodes.is_some() || !self.spent.is_empty() {
            let supposed = Supposed { withdrawn: Vec::new(), ..self.supposed(bus, job, None) };
            if bus.supposing(supposed, |state| desk.finder.finds_place_now(state, job)) {
                return true;
            }
        }
        self.ahead.reserve(bus, &mut desk.finder, job) != Time::NEVER
    }

    /// A blocked job that would find a place if no cap were looked at withdraws what is left under every cap that refuses
    /// it: no later job of this pass draws a watt more there.
    pub(super) fn withdraw_watts(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>, job: u32) {
        if bus.class(job).draws.is_none() {
            return;
        }
        let finder = &mut desk.finder;
        let supposed = self.supposed(bus, job, self.withdrawn(bus, job));
        let supposed = Supposed { tells_refusals: true, ..supposed };
        let refusing = bus.supposing(supposed, |state| finder.refusing(state, job));
        self.spent.extend(refusing.unwrap_or_default());
        self.spent.sort_unstable();
        self.spent.dedup();
    }

    /// Says where the passes over a partition stop, where no other passes go on behind it.
    pub(super) fn tell_closed(&mut self, bus: &mut Bus<'_, '_>) {
        if self.rules.backfill != Backfill::None || bus.plan().settings.has_event_passes() {
            return;
        }
        for partition in 0..self.fronts.len() {
            let index = u32::try_from(partition).expect("partitions are few");
            let Front { head, passed, .. } = &mut self.fronts[partition];
            // Without a head no job stands behind another.
            let passed = if head.is_some() { std::mem::take(passed) } else { Vec::new() };
            if bus.passed_over(index) != passed {
                bus.pass_over(index, passed);
            }
            let head = head.map(job_of);
            if self.told[partition] != head {
                self.told[partition] = head;
                bus.close_partition(index, head);
            }
        }
    }
}

/// When the curtailments begin that are drained for and that a job, started now, would still run at; none: it is not asked.
pub(super) fn drained_for(state: &State, job: u32) -> Option<Vec<Time>> {
    let begins = state.drained_for();
    (!begins.is_empty() && state.class(job).draws.is_some()).then(|| {
        let end = state.expected_end(job, state.slowest_rate(job));
        begins.into_iter().filter(|begin| *begin < end).collect()
    })
}

/// When a job at the place found last is expected to end.
fn expected_end(state: &State, job: u32, finder: &Finder) -> Time {
    let choice = finder.choice();
    state.expected_end(job, state.rate_on(job, &choice.pieces, choice.cap))
}

/// The nodes of two sets, 64 a word.
fn either(one: Option<Vec<u64>>, other: Option<Vec<u64>>) -> Option<Vec<u64>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.iter().zip(&other).map(|(one, other)| one | other).collect()),
        (one, other) => one.or(other),
    }
}
