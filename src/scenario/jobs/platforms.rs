//! Amounts of GPUs of a queue or a tenant: in all, or platform by platform.

use super::request::index_of;
use crate::cluster::Cluster;
use crate::document::{Document, Placed, Table};
use crate::error::Problem;
use crate::hardware::Catalogue;
use crate::units::Gpus;

/// What platforms are known, and which are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Platforms<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// None if it is wrong: then any may be there.
    pub(super) cluster: Option<&'a Cluster>,
}

/// An amount as it is written: one number, or one for each of some platforms, in their order.
#[derive(Debug, Default)]
pub(super) struct Amounts {
    pub(super) all: Option<Placed<Gpus>>,
    pub(super) by_platform: Vec<(u32, Placed<Gpus>)>,
}

impl Amounts {
    /// The amount of a platform; none: that of all together.
    pub(super) fn of(&self, platform: Option<u32>) -> Option<&Placed<Gpus>> {
        match platform {
            None => self.all.as_ref(),
            Some(platform) => self.by_platform.iter().find(|(own, _)| *own == platform).map(|(_, gpus)| gpus),
        }
    }
    /// The same in thousandths.
    pub(super) fn milli(&self, platform: Option<u32>) -> Option<u32> {
        self.of(platform).map(|gpus| gpus.value.milli())
    }
}

impl Platforms<'_> {
    /// What stands under a key.
    pub(super) fn amounts(&self, document: &Document, table: &mut Table<'_>, key: &'static str) -> Amounts {
        let mut amounts = Amounts::default();
        let Some(item) = table.item(key) else { return amounts };
        if !item.is_table() {
            amounts.all = item.read();
            return amounts;
        }
        let mark = item.mark();
        let entries = item.table().map(Table::entries).unwrap_or_default();
        if entries.is_empty() {
            document.complain(mark, Problem::new(format!("`{key}` of no platform")));
        }
        for (name, item) in entries {
            let (platform, gpus) = (index_of(document, &name, self.catalogue), item.read::<Gpus>());
            let (Some(platform), Some(gpus)) = (platform, gpus) else { continue };
            let platform = u32::try_from(platform).expect("platforms are few");
            let is_there = |cluster: &Cluster| cluster.kinds.iter().any(|kind| kind.platform == platform);
            if let Some(cluster) = self.cluster.filter(|cluster| !is_there(cluster)) {
                let problem = Problem::new(format!("the cluster has no `{}`", name.value));
                let here: Vec<&str> = cluster.kinds.iter().map(|kind| kind.platform_name.as_str()).collect();
                document.complain(name.mark, problem.hint(format!("it has {}", here.join(", "))));
                continue;
            }
            amounts.by_platform.push((platform, gpus));
        }
        amounts
    }
    /// What a platform is called.
    pub(super) fn name(&self, platform: u32) -> &str {
        self.catalogue.names().nth(platform as usize).unwrap_or("?")
    }
}
