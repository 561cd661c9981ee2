//! History to numbers: one definition each, with its formula.
//!
//! [`measure`] replays a [`History`](crate::history::History) once. [`Metrics`] says of each number what it is;
//! [`JobTimes`] of each number of a job. Sums are exact integers; a real number is formed once, at the end.
//!
//! Why a job waits is what the state answered when the last pass was over, as the history says of its request class or
//! of the job itself:
//!
//! | reason | a pending job waits for it while |
//! |---|---|
//! | `held` | a policy holds it back on purpose, or no pass has seen it yet |
//! | `order` | its partition's passes stop at another job (backfill `none`) |
//! | `quota` | what its tenant holds and what it asks for exceed the tenant's quota, or its queue has too little left |
//! | `limit` | what the jobs of its partition hold and what it asks for exceed the partition's limit |
//! | `capacity` | fewer GPUs are free than it asks for, in its partition and on its platforms |
//! | `shape` | enough are free, but no node, rack or set of nodes takes its pods |
//! | `power` | there is a place, but a cap on power has too little headroom |
//! | `order` | it could start, and a pass chose otherwise: others come first, or it would delay a reservation |
//!
//! A job that is held back on purpose waits for nothing else meanwhile, and wants no GPU.
//!
//! `dependency` is the time from submission until it is eligible, and no part of `wait_time`.

mod blocks;
mod by;
mod contention;
mod cost;
mod deadlines;
mod demand;
mod details;
mod distribution;
mod failures;
mod graphs;
mod instant;
mod levels;
mod losses;
mod measure;
mod platforms;
mod power;
pub mod profile;
mod queue_platforms;
mod recorded;
mod replay;
mod schedule;
mod series;
mod shape;
mod spent;
mod tenants;
#[cfg(test)]
mod tests;
mod timeline;
mod times;
mod usage;
mod waiting;

pub use blocks::Blocks;
pub use by::{By, Classes};
pub use cost::{CostMetrics, JobCosts, SiteCost};
pub use deadlines::{DeadlineMetrics, deadline_is_open, tardiness};
pub use demand::{DemandProfile, TokenCounts};
pub use details::{
    Details, DrawSeries, GraphPath, Group, LongWait, Occupancy, PERCENTS, PathStep, ReasonSeries,
    TenantSeries, details,
};
pub use distribution::{Distribution, percentile};
pub use failures::{
    ComponentFailures, FailureMetrics, Interruption, OverTime, SizeFailures, Stop, Waterfall, interruptions,
    stops_of,
};
pub use graphs::{GraphMetrics, GraphTimes};
pub use instant::{Queued, Room, Walk, nodes_for, queue_at};
pub use losses::{Goodput, LossCause};
pub use measure::{Measured, Metrics, Window, measure};
pub use platforms::PlatformMetrics;
pub use power::{DomainPower, JOULES_A_MWH, PowerMetrics};
pub use queue_platforms::{PlatformUsage, held_by_platform};
pub use recorded::RecordedWaits;
pub use series::Series;
pub use shape::{Ranks, Shape};
pub use tenants::{TenantMetrics, jain_index};
pub use timeline::{Waited, waited};
pub use times::{JobTimes, SecondsByReason};
pub use usage::{Usage, usage_of_partitions, usage_of_queues, usage_of_tenants};

use crate::units::Seconds;

/// τ of the bounded slowdown: runs shorter than this count as this long.
pub const SLOWDOWN_BOUND: Seconds = Seconds(10);

/// Thousandths of a GPU-second in a GPU-hour.
const MILLI_SECONDS_AN_HOUR: f64 = 3.6e6;
