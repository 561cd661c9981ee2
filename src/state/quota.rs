//! What tenants hold, and may hold.

use super::class::Class;
use crate::history::Plan;
use crate::workload::Tenant;

/// What tenants hold, and may hold, in GPU-thousandths.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    held_milli: Vec<u64>,
    most_milli: Vec<u64>,
}

impl Quota {
    pub(super) fn new(plan: &Plan) -> Self {
        let most = |tenant: &Tenant| tenant.quota().map_or(u64::MAX, |quota| u64::from(quota.milli()));
        let tenants = &plan.workload.tenants;
        Self { held_milli: vec![0; tenants.len()], most_milli: tenants.iter().map(most).collect() }
    }
    /// Whether one more job of the class, with all that it asks for, stays within its tenant's quota.
    #[inline]
    pub(crate) fn within_quota(&self, class: &Class) -> bool {
        self.allows(class, u64::from(class.gpus_milli))
    }
    /// Whether a job of the class may hold so many thousandths more.
    #[inline]
    pub(super) fn allows(&self, class: &Class, milli: u64) -> bool {
        class.quota_tenant.is_none_or(|tenant| {
            let tenant = tenant as usize;
            self.held_milli[tenant] + milli <= self.most_milli[tenant]
        })
    }
    /// A job of the class holds so many thousandths more.
    #[inline]
    pub(super) fn add(&mut self, class: &Class, milli: u64) {
        if let Some(tenant) = class.quota_tenant {
            self.held_milli[tenant as usize] += milli;
        }
    }
    /// A job of the class holds so many thousandths less.
    #[inline]
    pub(super) fn subtract(&mut self, class: &Class, milli: u64) {
        if let Some(tenant) = class.quota_tenant {
            self.held_milli[tenant as usize] -= milli;
        }
    }
    /// How many thousandths a tenant holds.
    pub(super) fn held(&self, tenant: u32) -> u64 {
        self.held_milli[tenant as usize]
    }
    /// A tenant holds so many thousandths, in what is looked ahead at.
    pub(super) fn set_held(&mut self, tenant: u32, milli: u64) {
        self.held_milli[tenant as usize] = milli;
    }
    /// A job of the class holds all that it asks for.
    #[inline]
    pub(crate) fn hold(&mut self, class: &Class) {
        self.add(class, u64::from(class.gpus_milli));
    }
    /// A job of the class holds nothing any more.
    #[inline]
    pub(crate) fn unhold(&mut self, class: &Class) {
        self.subtract(class, u64::from(class.gpus_milli));
    }
}
