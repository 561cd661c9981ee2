//! One `[[queue]]` as it is written.

use super::super::platforms::{Amounts, Platforms};
use crate::document::{Document, Placed, Table};
use crate::scenario::quantity::Weight;
use crate::state::quota::Row;
use crate::units::{Gpus, Seconds};
use crate::workload::{JobLimits, PlatformQuota, Queue};

/// A queue as it is written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Placed<String>,
    pub(super) parent: Option<Placed<String>>,
    pub(super) tenants: Vec<Placed<String>>,
    pub(super) partitions: Vec<Placed<String>>,
    pub(super) nominal: Amounts,
    pub(super) borrow: Amounts,
    pub(super) lend: Amounts,
    pub(super) guarantee: Amounts,
    pub(super) limit: Amounts,
    pub(super) weight: Option<Placed<Weight>>,
    pub(super) jobs: Option<Placed<u32>>,
    pub(super) job_gpus: Option<Placed<Gpus>>,
    pub(super) job_time: Option<Placed<Seconds>>,
    pub(super) job_priority: Option<Placed<i32>>,
}

/// Reads one.
pub(super) fn read_one(
    document: &Document,
    mut table: Table<'_>,
    platforms: Platforms<'_>,
) -> Option<Written> {
    let name = table.required::<String>("name");
    let parent = table.optional::<String>("parent");
    let (tenants, partitions) = (table.list::<String>("tenants"), table.list::<String>("partitions"));
    let nominal = platforms.amounts(document, &mut table, "nominal");
    let borrow = platforms.amounts(document, &mut table, "borrow");
    let lend = platforms.amounts(document, &mut table, "lend");
    let guarantee = platforms.amounts(document, &mut table, "guarantee");
    let limit = platforms.amounts(document, &mut table, "limit");
    let weight = table.optional::<Weight>("weight");
    let jobs = table.optional::<u32>("jobs");
    let job_gpus = table.optional::<Gpus>("job_gpus");
    let job_time = table.optional::<Seconds>("job_time");
    let job_priority = table.optional::<i32>("job_priority");
    table.finish();
    Some(Written {
        name: name?,
        parent,
        tenants,
        partitions,
        nominal,
        borrow,
        lend,
        guarantee,
        limit,
        weight,
        jobs,
        job_gpus,
        job_time,
        job_priority,
    })
}

impl Written {
    pub(super) fn has_jobs(&self) -> bool {
        !self.tenants.is_empty() || !self.partitions.is_empty()
    }
    /// What it says of GPUs.
    pub(super) const fn amounts(&self) -> [&Amounts; 5] {
        [&self.nominal, &self.borrow, &self.lend, &self.guarantee, &self.limit]
    }
    /// The platforms of which it says something, in the order of the first amount that names them.
    pub(super) fn platforms(&self) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for (platform, _) in self.amounts().into_iter().flat_map(|amounts| &amounts.by_platform) {
            if !found.contains(platform) {
                found.push(*platform);
            }
        }
        found
    }
    /// What of its own others may not borrow, of a platform or of all together, said as what they may.
    pub(super) fn lend_milli(&self, platform: Option<u32>) -> Option<u32> {
        let nominal = self.nominal.milli(platform).unwrap_or(0);
        let kept = self.guarantee.milli(platform).map(|kept| nominal.saturating_sub(kept));
        self.lend.milli(platform).or(kept)
    }
    /// What it says of a platform, or of all together.
    pub(super) fn row(&self, parent: Option<u32>, platform: Option<u32>) -> Row {
        Row {
            parent,
            nominal_milli: self.nominal.milli(platform),
            borrow_milli: self.borrow.milli(platform),
            lend_milli: self.lend_milli(platform),
            limit_milli: self.limit.milli(platform),
            ..Row::default()
        }
    }
    /// With what is said of amounts, and nobody's jobs.
    pub(super) fn queue(&self, parent: Option<u32>) -> Queue {
        let of = |platform: u32| {
            let Row { nominal_milli, borrow_milli, lend_milli, limit_milli, .. } =
                self.row(parent, Some(platform));
            PlatformQuota { platform, nominal_milli, borrow_milli, lend_milli, limit_milli }
        };
        let Row { nominal_milli, borrow_milli, lend_milli, limit_milli, .. } = self.row(parent, None);
        Queue {
            parent,
            nominal_milli,
            borrow_milli,
            lend_milli,
            limit_milli,
            by_platform: self.platforms().into_iter().map(of).collect(),
            weight_milli: self.weight.as_ref().map(|weight| weight.value.0),
            job_limits: JobLimits {
                running: self.jobs.as_ref().map(|jobs| jobs.value),
                gpus_milli: self.job_gpus.as_ref().map(|gpus| gpus.value.milli()),
                time: self.job_time.as_ref().map(|time| time.value),
                priority: self.job_priority.as_ref().map(|priority| priority.value),
            },
            ..Queue::named(self.name.value.clone())
        }
    }
}
