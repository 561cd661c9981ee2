//! What a start can run out of.

use super::class::{Class, Classes, Form};
use super::power::CapRule;
use super::power::ledger::Ledger;
use super::power::level::level_of;
use super::power::rise::Rise;
use super::quota::{Quotas, Usage};
use super::{Law, State};
use crate::cluster::{NodeState, Occupancy, Piece};
use crate::history::Plan;
use crate::units::{Factor, Time};
use std::collections::BTreeSet;

/// Free capacity and what tenants hold: everything a start can run out of. A copy answers "what if".
#[derive(Debug, Clone)]
pub struct Resources {
    /// What jobs could hold.
    pub occupancy: Occupancy,
    quotas: Quotas,
    power: Option<Ledger>,
    /// How often something became free, and how often something was taken.
    freed: u64,
    taken: u64,
}

impl Resources {
    /// An empty cluster.
    #[must_use]
    pub fn new(plan: &Plan, classes: &Classes, caps: Option<&CapRule>) -> Self {
        let power = caps.map(|_| Ledger::new(&plan.cluster));
        Self {
            occupancy: Occupancy::new(&plan.cluster, &classes.scopes),
            quotas: Quotas::new(&classes.quotas),
            power,
            freed: 0,
            taken: 0,
        }
    }
    /// The reserved draw, where there are caps to heed.
    #[inline]
    pub(crate) const fn power(&self) -> Option<&Ledger> {
        self.power.as_ref()
    }
    /// Whether starts are asked about as if no curtailment were known to come.
    pub(super) fn ease(&mut self, eased: bool) {
        if let Some(power) = &mut self.power {
            power.ease(eased);
        }
    }
    /// The reserved draw, to be asked about as if things were otherwise.
    pub(super) const fn power_mut(&mut self) -> Option<&mut Ledger> {
        self.power.as_mut()
    }
    /// Counts how often something became free: what was known of places holds only as long as nothing did.
    pub(crate) const fn freed(&self) -> u64 {
        self.freed
    }
    /// Counts how often something was taken.
    pub(crate) const fn taken(&self) -> u64 {
        self.taken
    }
    /// The caps of an instant hold.
    pub(crate) fn set_caps(&mut self, plan: &Plan, now: Time, drains: bool) {
        self.freed += 1;
        if let Some(power) = &mut self.power {
            power.set_caps(&plan.cluster, now, drains);
        }
    }
    /// Time goes on to this instant, before anything of it happens.
    #[inline]
    pub(crate) fn set_now(&mut self, now: Time) {
        if let Some(power) = &mut self.power {
            power.set_now(now);
        }
    }
    /// A node changes its state.
    pub(crate) fn set_state(&mut self, node: u32, state: NodeState) {
        self.freed += 1;
        self.occupancy.set_up(node, state == NodeState::Up);
        if let Some(power) = &mut self.power {
            power.set_state(node, state);
        }
    }
    /// A node would begin to draw, or not draw any more, in what is looked ahead at. Returns whether that is another
    /// state of it.
    pub(super) fn set_drawing(&mut self, node: u32, draws: bool) -> bool {
        let state = if draws { NodeState::Up } else { NodeState::Absent };
        self.power.as_mut().is_some_and(|power| {
            let before = power.is_there(node);
            power.set_state(node, state);
            before != draws
        })
    }
    /// The caps that are known by now to hold at an instant, in what is looked ahead at.
    pub(crate) fn expect_caps(&mut self, plan: &Plan, now: Time, instant: Time) {
        if let Some(power) = &mut self.power {
            power.expect_caps(&plan.cluster, now, instant);
        }
    }
    /// How far the draw of feeds may rise in what is looked ahead at; none: that is not looked at.
    pub(crate) fn expect_rises(&mut self, rises: Vec<Rise>) {
        if let Some(power) = &mut self.power {
            power.expect_rises(rises);
        }
    }
    /// The caps that are known to hold over a window to come, in what is looked ahead at: at its beginning, and, where
    /// starts heed curtailments to come, at every change of them within it.
    pub(crate) fn expect_window(&mut self, state: &State, from: Time, to: Time) {
        let Some(power) = &mut self.power else { return };
        let (cluster, now) = (&state.plan().cluster, state.now());
        let drains = state.caps().is_some_and(|caps| caps.drains);
        let within = state.cap_changes().filter(|time| drains && from < *time && *time < to);
        let at = |instant: Time| {
            let mut then = power.clone();
            then.expect_caps(cluster, now, instant);
            then
        };
        let others = within.map(at).collect();
        power.expect_caps(cluster, now, from);
        power.ask_also(others);
    }
    /// The caps of now hold again.
    pub(crate) fn expect_none(&mut self, state: &State) {
        if let Some(power) = &mut self.power {
            power.ask_also(Vec::new());
            power.set_caps(&state.plan().cluster, state.now(), state.caps().is_some_and(|caps| caps.drains));
        }
    }
    /// True if counts tell that no place of a class leaves room for a job of another: both take from the same nodes, of
    /// which too few GPUs are free, or too few nodes idle, for the two.
    pub(crate) fn lacks_room_for_both(&self, one: &Class, other: &Class) -> bool {
        let (occupancy, scope) = (&self.occupancy, one.scope as usize);
        if one.scope != other.scope {
            return false;
        }
        if occupancy.free_gpus(scope) < one.whole_gpus.saturating_add(other.whole_gpus) {
            return true;
        }
        let ([kind], [_]) = (&one.kinds[..], &other.kinds[..]) else { return false };
        // Wherever it goes, it takes so many idle nodes.
        let nodes = |class: &Class| match class.form {
            Form::Pod { gpus } => u32::from(gpus == occupancy.kind_gpus(*kind)),
            _ => class.whole_nodes.first().copied().unwrap_or(0),
        };
        let (one, other) = (nodes(one), nodes(other));
        one > 0 && other > 0 && occupancy.idle(scope, *kind as usize) < one.saturating_add(other)
    }
    /// Whether one more job of the class stays within its quota and its partition's limit.
    #[must_use]
    #[inline]
    pub fn below_ceilings(&self, class: &Class) -> bool {
        self.quotas.allows(class)
    }
    /// The row that the class counts against which keeps one more job of it out, the quota first.
    #[inline]
    pub(crate) fn ceiling_of(&self, class: &Class) -> Option<u32> {
        self.quotas.refusing(class, u64::from(class.gpus_milli))
    }
    /// The trees of rows, by their roots, that keep one more job of the class out, on any platform.
    pub(crate) fn refusing_trees(&self, class: &Class) -> BTreeSet<u32> {
        self.quotas.refusing_trees(class)
    }
    pub(crate) fn clone_quotas(&self) -> Quotas {
        self.quotas.clone()
    }
    /// Whether a job of the class finds a place, where counts of free GPUs and nodes tell; `None` where they do not.
    #[must_use]
    #[inline]
    pub fn holds(&self, class: &Class) -> Option<bool> {
        self.has_room(class).filter(|has_room| !has_room || self.power.is_none())
    }
    /// As [`Resources::holds`], whatever the caps on power.
    #[must_use]
    #[inline]
    pub fn has_room(&self, class: &Class) -> Option<bool> {
        if self.occupancy.free_gpus(class.scope as usize) < class.whole_gpus {
            return Some(false);
        }
        // Counts do not tell on which platform there is both room and quota.
        self.has_room_for_form(class).filter(|has_room| !has_room || class.alternatives.is_empty())
    }
    /// As [`Resources::has_room`], where enough GPUs are free.
    fn has_room_for_form(&self, class: &Class) -> Option<bool> {
        let (occupancy, scope) = (&self.occupancy, class.scope as usize);
        let enough = match class.form {
            Form::Nothing => return Some(true),
            Form::Impossible => false,
            Form::Pod { gpus } if gpus > 0 => occupancy.free_counts(scope, gpus) != 0,
            Form::Gang { .. } if !class.whole_nodes.is_empty() && !class.topology.is_required() => {
                let mut kinds = class.kinds.iter().zip(&class.whole_nodes);
                kinds.any(|(kind, nodes)| *nodes <= occupancy.idle(scope, *kind as usize))
            }
            _ => return None,
        };
        (class.host.is_none() || !enough).then_some(enough)
    }
    /// False if a job of the class certainly finds no place outside of some nodes, 64 a word, as counts of free GPUs tell.
    #[must_use]
    pub(crate) fn may_hold_outside(&self, class: &Class, nodes: &[u64]) -> bool {
        let (occupancy, scope) = (&self.occupancy, class.scope as usize);
        match class.form {
            Form::Pod { gpus } if gpus > 0 => occupancy.has_free_outside(scope, gpus, nodes),
            Form::Gang { .. } if !class.whole_nodes.is_empty() => {
                let mut kinds = class.kinds.iter().zip(&class.whole_nodes);
                kinds.any(|(kind, most)| *most <= occupancy.idle_outside(scope, *kind as usize, nodes))
            }
            _ => true,
        }
    }
    /// Whether a job of the class, which finds a place, would still find one without `pieces`, which are free; where
    /// counts of idle nodes tell, else `None`.
    #[must_use]
    #[inline]
    pub fn holds_without(&self, class: &Class, pieces: &[Piece]) -> Option<bool> {
        let (occupancy, scope) = (&self.occupancy, class.scope as usize);
        let limited = self.power.is_some() || class.has_ceiling() || !class.host.is_none();
        if limited || class.topology.is_required() {
            return None;
        }
        let left = |kind: u32| {
            let idle = occupancy.idle(scope, kind as usize);
            idle.saturating_sub(occupancy.idle_among(scope, kind as usize, pieces))
        };
        let enough = match class.form {
            Form::Nothing => return Some(true),
            Form::Pod { gpus } if gpus > 0 => {
                class.kinds.iter().any(|kind| occupancy.kind_gpus(*kind) >= gpus && left(*kind) > 0)
            }
            Form::Gang { .. } if !class.whole_nodes.is_empty() => {
                let mut kinds = class.kinds.iter().zip(&class.whole_nodes);
                kinds.any(|(kind, nodes)| *nodes <= left(*kind))
            }
            _ => return None,
        };
        // A pod may find a node that is used in part; several pods of a job may be on one node that was idle.
        let whole = || pieces.iter().all(|piece| matches!(piece, Piece::Nodes { .. }));
        let certain = enough || matches!(class.form, Form::Gang { .. }) && whole();
        certain.then_some(enough)
    }
    /// Whether a job of the class may hold so many thousandths more below every ceiling.
    ///
    /// # Errors
    /// The law that it would break.
    #[inline]
    pub(super) fn must_be_below_ceilings(&self, class: &Class, milli: u64) -> Result<(), Law> {
        self.quotas.refusing(class, milli).map_or(Ok(()), |row| Err(self.quotas.law(row)))
    }
    /// As [`Resources::must_be_below_ceilings`], where it would hold `pieces`: on their platform.
    ///
    /// # Errors
    /// The law that it would break.
    #[inline]
    pub(super) fn must_be_below_ceilings_on(
        &self,
        class: &Class,
        pieces: &[Piece],
        milli: u64,
    ) -> Result<(), Law> {
        self.must_be_below_ceilings(self.held_as(class, pieces), milli)
    }
    /// What a class is on the platform of some pieces.
    #[inline]
    pub(super) fn held_as<'c>(&self, class: &'c Class, pieces: &[Piece]) -> &'c Class {
        if class.alternatives.is_empty() {
            return class;
        }
        let first = pieces.iter().flat_map(|piece| piece.nodes()).next();
        first.map_or(class, |node| class.on(self.occupancy.kind(node as usize)))
    }
    /// What a job of the class counts against while it holds `pieces`, and how much: what it holds.
    #[inline]
    fn counted<'c>(&self, class: &'c Class, pieces: &[Piece]) -> (&'c Class, u64) {
        let milli = if class.has_ceiling() { self.occupancy.milli_of(pieces) } else { 0 };
        (self.held_as(class, pieces), milli)
    }
    /// A class itself; or where it may run on several platforms whose quotas are told apart, what it is on those of which the
    /// quota lets one more job of it in.
    pub(crate) fn allowed<'c>(&'c self, class: &'c Class) -> impl Iterator<Item = &'c Class> {
        let alone = class.alternatives.is_empty().then_some(class);
        let several = class.alternatives.iter().filter(|own| self.quotas.allows(own));
        alone.into_iter().chain(several)
    }
    /// A job of the class takes these pieces, their GPUs capped to `cap` of their TGP.
    ///
    /// # Panics
    /// If any of it is not free.
    #[inline]
    pub fn claim(&mut self, class: &Class, pieces: &[Piece], cap: Factor) {
        self.occupancy.claim(pieces, class.host);
        let (held, milli) = self.counted(class, pieces);
        self.quotas.add(held, milli);
        self.hold_power(class, pieces, cap, true);
    }
    /// As [`Resources::claim`], if all of it is free and within every cap.
    ///
    /// # Errors
    /// What it lacks; nothing has been taken then.
    #[inline]
    pub(crate) fn try_claim(&mut self, class: &Class, pieces: &[Piece], cap: Factor) -> Result<(), Law> {
        if let (Some(power), Some(draws)) = (&self.power, &class.draws)
            && !power.admits(draws, level_of(cap), pieces)
        {
            return Err(Law::Power);
        }
        self.claim_if_free(class, pieces, cap)
    }
    /// As [`Resources::claim`], if all of it is free, whatever the caps.
    ///
    /// # Errors
    /// A node that is not; nothing has been taken then.
    #[inline]
    pub(crate) fn claim_if_free(&mut self, class: &Class, pieces: &[Piece], cap: Factor) -> Result<(), Law> {
        for (at, piece) in pieces.iter().enumerate() {
            if !self.occupancy.is_free(std::slice::from_ref(piece), class.host) {
                self.occupancy.release(&pieces[..at], class.host);
                return Err(Law::NotFree(piece.nodes().next().unwrap_or(u32::MAX)));
            }
            self.occupancy.claim(std::slice::from_ref(piece), class.host);
        }
        let (held, milli) = self.counted(class, pieces);
        self.quotas.add(held, milli);
        self.hold_power(class, pieces, cap, true);
        Ok(())
    }
    /// What is held of quotas and limits.
    pub(crate) const fn usage(&self) -> &Usage {
        self.quotas.usage()
    }
    /// Besides how it stands now, a job is asked for as quotas and watts stand at other instants; none: now alone.
    pub(super) fn ask_also(&mut self, usages: Vec<Usage>, watts: Vec<Ledger>) {
        self.quotas.ask_also(usages);
        if let Some(power) = &mut self.power {
            power.ask_also(watts);
        }
    }
    /// What the claim of a job of the class counts against quotas is held, or given back, in what is looked ahead at.
    pub(super) fn hold_quotas(&mut self, class: &Class, pieces: &[Piece], take: bool) {
        let (held, milli) = self.counted(class, pieces);
        if take { self.quotas.add(held, milli) } else { self.quotas.subtract(held, milli) }
    }
    /// A job of the class lets go of these pieces.
    ///
    /// # Panics
    /// If any of it is not held.
    #[inline]
    pub fn release(&mut self, class: &Class, pieces: &[Piece], cap: Factor) {
        self.freed += 1;
        self.occupancy.release(pieces, class.host);
        let (held, milli) = self.counted(class, pieces);
        self.quotas.subtract(held, milli);
        self.hold_power(class, pieces, cap, false);
    }
    /// Whether what a job of the class holds may be capped otherwise: to no more, or within every cap.
    pub(crate) fn may_recap(&mut self, class: &Class, pieces: &[Piece], from: Factor, to: Factor) -> bool {
        let (Some(power), Some(draws)) = (&mut self.power, &class.draws) else { return true };
        if to <= from {
            return true;
        }
        power.hold(draws, level_of(from), pieces, false);
        let admits = power.admits(draws, level_of(to), pieces);
        power.hold(draws, level_of(from), pieces, true);
        admits
    }
    /// Takes the power of these pieces, or gives it back.
    #[inline]
    pub(crate) fn hold_power(&mut self, class: &Class, pieces: &[Piece], cap: Factor, take: bool) {
        self.freed += u64::from(!take);
        self.taken += u64::from(take);
        if let (Some(power), Some(draws)) = (&mut self.power, &class.draws) {
            power.hold(draws, level_of(cap), pieces, take);
        }
    }
}
