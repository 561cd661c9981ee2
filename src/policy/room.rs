//! What a start can run out of.

use super::class::{Class, Classes, Form};
use super::power::Rule;
use super::power::ledger::Ledger;
use super::power::level::level_of;
use crate::cluster::{NodeState, Occupancy, Piece};
use crate::history::Plan;
use crate::units::{Factor, Time};
use crate::workload::{Tenant, Topology};

/// Free capacity and what tenants hold: everything a start can run out of. A copy answers "what if".
#[derive(Debug, Clone)]
pub struct Room {
    /// Who could hold what.
    pub occupancy: Occupancy,
    quota: Quota,
    power: Option<Ledger>,
    /// How often something became free.
    freed: u64,
}

/// What tenants hold, and may hold, in GPU-thousandths.
#[derive(Debug, Clone)]
pub(super) struct Quota {
    held_milli: Vec<u64>,
    most_milli: Vec<u64>,
}

impl Quota {
    fn new(plan: &Plan) -> Self {
        let most = |tenant: &Tenant| tenant.quota().map_or(u64::MAX, |quota| u64::from(quota.milli()));
        let tenants = &plan.workload.tenants;
        Self { held_milli: vec![0; tenants.len()], most_milli: tenants.iter().map(most).collect() }
    }
    #[inline]
    pub(super) fn within_quota(&self, class: &Class) -> bool {
        class.quota_tenant.is_none_or(|tenant| {
            let tenant = tenant as usize;
            self.held_milli[tenant] + u64::from(class.gpus_milli) <= self.most_milli[tenant]
        })
    }
    #[inline]
    pub(super) fn hold(&mut self, class: &Class) {
        if let Some(tenant) = class.quota_tenant {
            self.held_milli[tenant as usize] += u64::from(class.gpus_milli);
        }
    }
    #[inline]
    pub(super) fn unhold(&mut self, class: &Class) {
        if let Some(tenant) = class.quota_tenant {
            self.held_milli[tenant as usize] -= u64::from(class.gpus_milli);
        }
    }
}

impl Room {
    /// An empty cluster.
    #[must_use]
    pub fn new(plan: &Plan, classes: &Classes) -> Self {
        let power = Rule::of(plan).map(|_| Ledger::new(&plan.cluster));
        Self {
            occupancy: Occupancy::new(&plan.cluster, &classes.scopes),
            quota: Quota::new(plan),
            power,
            freed: 0,
        }
    }
    /// The reserved draw, where there are caps to heed.
    #[inline]
    pub(super) const fn power(&self) -> Option<&Ledger> {
        self.power.as_ref()
    }
    /// Counts how often something became free: what was known of places holds only as long as nothing did.
    pub(super) const fn freed(&self) -> u64 {
        self.freed
    }
    /// The caps of an instant hold.
    pub(super) fn set_caps(&mut self, plan: &Plan, now: Time) {
        self.freed += 1;
        if let Some(power) = &mut self.power {
            power.set_caps(&plan.cluster, now, Rule::drains(plan));
        }
    }
    /// Time goes on to this instant, before anything of it happens.
    #[inline]
    pub(super) fn set_now(&mut self, now: Time) {
        if let Some(power) = &mut self.power {
            power.set_now(now);
        }
    }
    /// A node changes its state.
    pub(super) fn set_state(&mut self, node: u32, state: NodeState) {
        self.freed += 1;
        self.occupancy.set_up(node, state == NodeState::Up);
        if let Some(power) = &mut self.power {
            power.set_state(node, state);
        }
    }
    /// Whether one more job of the class stays within its tenant's quota.
    #[must_use]
    #[inline]
    pub fn within_quota(&self, class: &Class) -> bool {
        self.quota.within_quota(class)
    }
    pub(super) fn clone_quota(&self) -> Quota {
        self.quota.clone()
    }
    /// Whether a job of the class finds a place, where counts of free GPUs and nodes tell; `None` where they do not.
    #[must_use]
    #[inline]
    pub fn holds(&self, class: &Class) -> Option<bool> {
        if self.occupancy.free_gpus(class.scope as usize) < class.whole_gpus {
            return Some(false);
        }
        self.holds_form(class)
    }
    /// As [`Room::holds`], where enough GPUs are free.
    fn holds_form(&self, class: &Class) -> Option<bool> {
        let (occupancy, scope) = (&self.occupancy, class.scope as usize);
        let certain = class.host.is_none();
        let enough = match class.form {
            Form::Nothing => return Some(true),
            Form::Impossible => false,
            Form::Pod { gpus } if gpus > 0 => occupancy.free_counts(scope, gpus) != 0,
            Form::Gang { .. } if !class.whole_nodes.is_empty() && class.topology != Topology::RequireRack => {
                let mut kinds = class.kinds.iter().zip(&class.whole_nodes);
                kinds.any(|(kind, nodes)| *nodes <= occupancy.idle(scope, *kind as usize))
            }
            _ => return None,
        };
        let certain = certain && self.power.is_none();
        (certain || !enough).then_some(enough)
    }
    /// Whether a job of the class, which finds a place, would still find one without `pieces`, which are free; where
    /// counts of idle nodes tell, else `None`.
    #[must_use]
    #[inline]
    pub fn holds_without(&self, class: &Class, pieces: &[Piece]) -> Option<bool> {
        let (occupancy, scope) = (&self.occupancy, class.scope as usize);
        let limited = self.power.is_some() || class.quota_tenant.is_some() || !class.host.is_none();
        if limited || class.topology == Topology::RequireRack {
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
    /// A job of the class takes these pieces, their GPUs capped to `cap` of their TGP.
    #[inline]
    pub fn claim(&mut self, class: &Class, pieces: &[Piece], cap: Factor) {
        self.occupancy.claim(pieces, class.host);
        self.quota.hold(class);
        self.hold_power(class, pieces, cap, true);
    }
    /// As [`Room::claim`], if all of it is free; if not, some of it may have been taken.
    pub(super) fn try_claim(&mut self, class: &Class, pieces: &[Piece], cap: Factor) -> bool {
        for piece in pieces {
            if !self.occupancy.is_free(&[*piece], class.host) {
                return false;
            }
            self.occupancy.claim(&[*piece], class.host);
        }
        self.quota.hold(class);
        self.hold_power(class, pieces, cap, true);
        true
    }
    /// A job of the class lets go of these pieces.
    #[inline]
    pub fn release(&mut self, class: &Class, pieces: &[Piece], cap: Factor) {
        self.freed += 1;
        self.occupancy.release(pieces, class.host);
        self.quota.unhold(class);
        self.hold_power(class, pieces, cap, false);
    }
    /// Takes the power of these pieces, or gives it back.
    #[inline]
    pub(super) fn hold_power(&mut self, class: &Class, pieces: &[Piece], cap: Factor, take: bool) {
        self.freed += u64::from(!take);
        if let (Some(power), Some(draws)) = (&mut self.power, &class.draws) {
            power.hold(draws, level_of(cap), pieces, take);
        }
    }
}
