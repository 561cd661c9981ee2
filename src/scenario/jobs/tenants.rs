use super::Jobs;
use super::platforms::Platforms;
use crate::document::{Document, Mark, Placed, Table};
use crate::error::Problem;
use crate::scenario::quantity::Weight;
use crate::units::{Gpus, Seconds};
use crate::workload::Tenant;

/// A tenant of `[[tenant]]`.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) tenant: Tenant,
    /// Where its jobs go that say nothing.
    partition: Option<Placed<String>>,
    /// Where its weight stands.
    pub(super) weight: Option<Mark>,
}

/// The tenants that a scenario declares; with any, jobs may name no other.
#[derive(Debug, Default)]
pub(super) struct Tenants {
    pub(super) declared: Vec<Declared>,
    strict: bool,
}

/// Reads `[[tenant]]`.
pub(super) fn read(document: &Document, root: &mut Table<'_>, platforms: Platforms<'_>) -> Tenants {
    let mut tenants = Tenants { declared: Vec::new(), strict: root.has("tenant") };
    for mut table in root.tables("tenant") {
        let name = table.required::<String>("name");
        let quota = platforms.amounts(document, &mut table, "quota");
        let max_delay = table.optional::<Seconds>("max_delay").map(|delay| delay.value);
        let partition = table.optional::<String>("partition");
        let weight = table.optional::<Weight>("weight");
        table.finish();
        if let (Some(partition), Some(cluster)) = (&partition, platforms.cluster)
            && cluster.partition(partition).is_none()
        {
            let problem = Problem::new(format!("unknown partition `{}`", partition.value));
            let known = cluster.partitions.iter().map(|partition| partition.name.as_str());
            document.complain(partition.mark, problem.hint_nearest(partition, known));
        }
        let Some(name) = name else { continue };
        if tenants.declared.iter().any(|known| known.tenant.name == name.value) {
            document.complain(name.mark, Problem::new(format!("tenant `{}` is described twice", name.value)));
            continue;
        }
        let of_platform = |(platform, gpus): &(u32, Placed<Gpus>)| (*platform, gpus.value.milli());
        let tenant = Tenant {
            name: name.value,
            quota_milli: quota.milli(None),
            quota_by_platform: quota.by_platform.iter().map(of_platform).collect(),
            max_delay,
            weight_milli: weight.as_ref().map(|weight| weight.value.0),
        };
        tenants.declared.push(Declared { tenant, partition, weight: weight.map(|weight| weight.mark) });
    }
    tenants
}

impl Tenants {
    /// Whether jobs may name no tenant but those that are declared.
    pub(super) const fn are_declared(&self) -> bool {
        self.strict
    }
}

impl Jobs<'_> {
    /// The index of a job's tenant; none if it names one that is not declared, or none where some are.
    pub(super) fn tenant(
        &mut self,
        document: &Document,
        table: &Table<'_>,
        name: Option<&Placed<String>>,
    ) -> Option<u32> {
        let Some(name) = name else {
            if self.tenants.strict {
                table.complain(Problem::new("missing `tenant`").hint("this scenario declares its tenants"));
                return None;
            }
            return Some(self.builder.tenant("default"));
        };
        let known = || self.tenants.declared.iter().map(|declared| declared.tenant.name.as_str());
        if self.tenants.strict && !known().any(|other| other == name.value) {
            let problem = Problem::new(format!("unknown tenant `{}`", name.value));
            document.complain(name.mark, problem.hint_nearest(name, known()));
            return None;
        }
        Some(self.builder.tenant(name))
    }

    /// Where the jobs of a tenant go that say nothing.
    pub(super) fn partition_of_tenant(&mut self, name: Option<&Placed<String>>) -> u32 {
        let declared = self
            .tenants
            .declared
            .iter()
            .find(|declared| Some(&declared.tenant.name) == name.map(|n| &n.value));
        match declared.and_then(|declared| declared.partition.as_ref()) {
            Some(partition) => self.builder.partition(partition),
            None => 0,
        }
    }
}
