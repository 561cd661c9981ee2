//! What is only looked at closely: the queue by reason, tenants and racks over time, groups of jobs, longest waits.
//!
//! A comparison of many runs does without it; a saved run has it in `summary.json` under `details`, and the report
//! shows it. All series have the buckets of [`Series`](super::Series).

mod buckets;
mod draw;
mod groups;
mod held;
mod paths;
mod queue;
mod waits;

pub use draw::DrawSeries;
pub use groups::{Group, PERCENTS};
pub use held::{Occupancy, TenantSeries};
pub use paths::{GraphPath, PathStep};
pub use queue::ReasonSeries;
pub use waits::LongWait;

use super::measure::by_reason;
use super::{Measured, series};
use crate::history::{History, WaitReason};
use crate::units::Seconds;
use serde::Serialize;

/// A run looked at closely.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Details {
    /// Σ GPUs asked for × time, hours, that jobs of the window spent for each [`WaitReason`]; all but `dependency` are
    /// waiting.
    #[serde(serialize_with = "by_reason")]
    pub waiting_gpu_hours: [f64; WaitReason::ALL.len()],
    /// Width of a bucket, seconds.
    pub bucket: Seconds,
    /// The jobs that waited, by reason.
    pub queue: Vec<ReasonSeries>,
    /// What tenants held, those that held most one by one.
    pub tenants: Vec<TenantSeries>,
    /// The mean number of GPUs of nodes up or draining in each bucket.
    pub available_gpus: Vec<f64>,
    /// Which part of racks was in use.
    pub racks: Occupancy,
    /// What sites, and feeds with a cap, drew; empty where no power is counted.
    pub draw: Vec<DrawSeries>,
    /// The ranks of what groups tell of their distributions, in hundredths.
    pub percents: Vec<usize>,
    /// All jobs of the window.
    pub all: Vec<Group>,
    /// The same by the GPUs they ask for.
    pub by_size: Vec<Group>,
    /// The same by what they are for.
    pub by_kind: Vec<Group>,
    /// The same by tenant.
    pub by_tenant: Vec<Group>,
    /// The same by the platform that they first ran on.
    pub by_platform: Vec<Group>,
    /// The jobs that waited longest.
    pub longest_waits: Vec<LongWait>,
    /// Job graphs with their critical path: those first that are not done, then those that took longest.
    pub graphs: Vec<GraphPath>,
}

/// Looks closely at a run.
///
/// ```
/// use gigawatt::history::History;
/// use gigawatt::metrics::{details, measure};
/// let history = History::default();
/// let details = details(&history, &measure(&history));
/// assert!(details.queue.is_empty(), "nobody waited");
/// ```
///
/// # Complexity
/// O(n log n) in segments, pieces and waits, O(nodes of all segments).
#[must_use]
pub fn details(history: &History, measured: &Measured) -> Details {
    let [all, by_size, by_kind, by_tenant, by_platform] = groups::groups(history, measured);
    Details {
        waiting_gpu_hours: waits::gpu_hours(history, measured),
        bucket: Seconds(series::width(history.end)),
        queue: queue::queue(history),
        tenants: held::tenants(history),
        available_gpus: held::available(history),
        racks: held::occupancy(history),
        draw: draw::draw(history),
        percents: PERCENTS.to_vec(),
        all,
        by_size,
        by_kind,
        by_tenant,
        by_platform,
        longest_waits: waits::longest(history, measured),
        graphs: paths::paths(history, measured),
    }
}
