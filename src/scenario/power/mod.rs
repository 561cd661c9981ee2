//! `[power]`: what the grid gives, when, and what it costs.

mod curtailment;
mod file;
mod grid;
mod quantity;
mod ramp;
mod weather;

use super::files::Files;
use crate::cluster::Cluster;
use crate::document::{Document, Table};
pub(super) use file::SeriesFile;
pub(super) use grid::Span;
pub(super) use weather::weather;

/// Reads `[power]`; what concerns feeds and sites goes to the cluster, if there is one.
pub(super) fn read(
    document: &Document,
    root: &mut Table<'_>,
    mut cluster: Option<&mut Cluster>,
    span: Span,
    files: &mut Files,
) {
    let Some(mut power) = root.table("power") else { return };
    curtailment::read(document, &mut power, cluster.as_deref_mut(), span, files);
    ramp::read(document, &mut power, cluster.as_deref_mut());
    grid::read(document, &mut power, cluster, span, files);
    power.finish();
}
