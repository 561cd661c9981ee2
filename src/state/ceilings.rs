//! Ceilings on the GPUs that jobs hold together: those of a tenant, its quota, and those of a partition, its limit.
//!
//! Both are rows of one table, and a job counts against one row, two or none.

use super::Law;
use super::class::Class;
use crate::history::Plan;
use crate::workload::{Tenant, Workload};

/// What jobs hold together, and may hold, in GPU-thousandths: a row each tenant, then one each partition of the workload.
#[derive(Debug, Clone)]
pub(crate) struct Ceilings {
    held_milli: Vec<u64>,
    most_milli: Vec<u64>,
    tenants: u32,
}

impl Ceilings {
    pub(super) fn new(plan: &Plan) -> Self {
        let workload = &plan.workload;
        let most = |milli: Option<u32>| milli.map_or(u64::MAX, u64::from);
        let quotas = workload.tenants.iter().map(|tenant: &Tenant| most(tenant.quota_milli));
        let limit = |name: &String| plan.cluster.partition(name).and_then(|partition| partition.limit_milli);
        let limits = workload.partitions.iter().map(|name| most(limit(name)));
        let most_milli: Vec<u64> = quotas.chain(limits).collect();
        let tenants = Self::row_of_partition(workload, 0);
        Self { held_milli: vec![0; most_milli.len()], most_milli, tenants }
    }
    /// The row of a partition's limit.
    pub(super) fn row_of_partition(workload: &Workload, partition: u32) -> u32 {
        u32::try_from(workload.tenants.len()).expect("tenants are counted in 32 bits") + partition
    }
    /// Whether one more job of the class, with all that it asks for, stays below every ceiling.
    #[inline]
    pub(crate) fn allows(&self, class: &Class) -> bool {
        self.refusing(class, u64::from(class.gpus_milli)).is_none()
    }
    /// The first row that does not let a job of the class hold so many thousandths more.
    #[inline]
    pub(super) fn refusing(&self, class: &Class, milli: u64) -> Option<u32> {
        class.ceilings().find(|row| {
            let row = *row as usize;
            self.held_milli[row] + milli > self.most_milli[row]
        })
    }
    /// What a row that refuses a job stands for.
    pub(super) const fn law(&self, row: u32) -> Law {
        if row < self.tenants { Law::Quota } else { Law::Limit }
    }
    /// A job of the class holds so many thousandths more.
    #[inline]
    pub(super) fn add(&mut self, class: &Class, milli: u64) {
        class.ceilings().for_each(|row| self.held_milli[row as usize] += milli);
    }
    /// A job of the class holds so many thousandths less.
    #[inline]
    pub(super) fn subtract(&mut self, class: &Class, milli: u64) {
        class.ceilings().for_each(|row| self.held_milli[row as usize] -= milli);
    }
    /// How many thousandths are held below a ceiling.
    pub(super) fn held(&self, row: u32) -> u64 {
        self.held_milli[row as usize]
    }
    /// So many thousandths are held below a ceiling, in what is looked ahead at.
    pub(super) fn set_held(&mut self, row: u32, milli: u64) {
        self.held_milli[row as usize] = milli;
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
