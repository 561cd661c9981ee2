//! `[power]`: what the grid gives, and when.

mod curtailment;

use crate::cluster::Cluster;
use crate::document::{Document, Table};

/// Reads `[power]`; what concerns feeds goes to the cluster, if there is one.
pub(super) fn read(document: &Document, root: &mut Table<'_>, cluster: Option<&mut Cluster>) {
    let Some(mut power) = root.table("power") else { return };
    curtailment::read(document, &mut power, cluster);
    power.finish();
}
