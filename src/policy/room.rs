//! What a start can run out of.

use super::class::{Class, Classes, Form};
use crate::cluster::{Occupancy, Piece};
use crate::history::Plan;
use crate::workload::{Tenant, Topology};

/// Free capacity and what tenants hold: everything a start can run out of. A copy answers "what if".
#[derive(Debug, Clone)]
pub struct Room {
    /// Who could hold what.
    pub occupancy: Occupancy,
    quota: Quota,
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
        Self { occupancy: Occupancy::new(&plan.cluster, &classes.scopes), quota: Quota::new(plan) }
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
        let (occupancy, scope) = (&self.occupancy, class.scope as usize);
        let certain = class.host.is_none();
        let enough = match class.form {
            Form::Nothing => return Some(true),
            Form::Impossible => false,
            Form::Pod { gpus } if gpus > 0 => occupancy.free_counts(scope, gpus) != 0,
            Form::Gang { gpus } if class.whole_nodes && class.topology != Topology::RequireRack => {
                let fits = |kind: &u32| {
                    gpus.checked_div(occupancy.kind_gpus(*kind))
                        .is_some_and(|n| n <= occupancy.idle(scope, *kind as usize))
                };
                class.kinds.iter().any(fits)
            }
            Form::Gang { gpus } => return (occupancy.free_gpus(scope) < gpus).then_some(false),
            Form::Pods { count, milli } if milli >= 1000 => {
                let gpus = u64::from(count) * u64::from(milli / 1000);
                return (u64::from(occupancy.free_gpus(scope)) < gpus).then_some(false);
            }
            _ => return None,
        };
        (certain || !enough).then_some(enough)
    }
    /// A job of the class takes these pieces.
    #[inline]
    pub fn claim(&mut self, class: &Class, pieces: &[Piece]) {
        self.occupancy.claim(pieces, class.host);
        self.quota.hold(class);
    }
    /// A job of the class lets go of these pieces.
    #[inline]
    pub fn release(&mut self, class: &Class, pieces: &[Piece]) {
        self.occupancy.release(pieces, class.host);
        self.quota.unhold(class);
    }
}
