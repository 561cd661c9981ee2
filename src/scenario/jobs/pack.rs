//! Jobs offered once: `pack = 1.3`.

use super::JOBS_MAX;
use crate::cluster::Cluster;
use crate::document::{Document, Mark, Table};
use crate::error::Problem;
use crate::history::Settings;
use crate::workload::Workload;

/// How much is to be asked for, and where that is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pack {
    /// In millionths of the cluster's GPUs.
    millionths: u64,
    mark: Mark,
}

/// The most that `pack` may ask for, of the cluster's GPUs.
const MOST: f64 = 100.0;

/// Reads `pack`, if it is there.
pub(super) fn read(document: &Document, table: &mut Table<'_>) -> Option<Pack> {
    let pack = table.optional::<f64>("pack")?;
    if !(pack.value > 0.0 && pack.value <= MOST) {
        let problem = Problem::new(format!(
            "`pack`: expected a number above 0 and at most 100, found `{}`",
            pack.value
        ));
        document
            .complain(pack.mark, problem.hint("1.3 offers jobs that ask for 1.3 times the GPUs there are"));
        return None;
    }
    if table.has("scale_load") {
        let problem =
            Problem::new("`pack` offers jobs one after the other, so that `scale_load` changes nothing");
        document.complain(pack.mark, problem.hint("one of the two"));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0 and at most 100")]
    let millionths = (pack.value * 1e6).round() as u64;
    Some(Pack { millionths, mark: pack.mark })
}

impl Pack {
    /// The jobs of a workload offered once to a cluster; none, which is then reported, where that means nothing.
    pub(super) fn apply(
        self,
        document: &Document,
        workload: Workload,
        cluster: &Cluster,
        settings: &Settings,
    ) -> Option<Workload> {
        let gpus_milli = u128::from(cluster.gpus()) * 1000 * u128::from(self.millionths) / 1_000_000;
        let gpus_milli = u64::try_from(gpus_milli).unwrap_or(u64::MAX);
        let problem = if settings.cycle.is_some() {
            Problem::new("`pack` withdraws what does not start at once, and a job waits for the next pass of the cycle")
                .hint("without `run.cycle`")
        } else if !workload.dependencies.is_empty() || !workload.graphs.is_empty() {
            Problem::new("`pack` offers every job by itself, and there are job graphs")
                .hint("it is for traces")
        } else if !workload.running.is_empty() {
            Problem::new("`pack` offers every job, and some are already running").hint("without `running`")
        } else {
            let most = u32::try_from(JOBS_MAX).expect("far from 32 bits");
            match workload.packed(gpus_milli, settings.seed, most) {
                Ok(workload) => return Some(workload),
                Err(error) => Problem::new(format!("`pack` fills the GPUs of a cluster: {error}")),
            }
        };
        document.complain(self.mark, problem);
        None
    }
}
