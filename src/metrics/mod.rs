//! History to numbers: one definition each, with its formula.
//!
//! [`measure`] replays a [`History`](crate::history::History) once. [`Metrics`] says of each number what it is;
//! [`JobTimes`] of each number of a job. Sums are exact integers; a real number is formed once, at the end.
//!
//! Why a job waits is derived from what was free and who held what, instant by instant, so that a simulation need not
//! record it. After everything of an instant has happened, the first of these that holds counts until the next:
//!
//! | reason | a pending job waits for it while |
//! |---|---|
//! | `order` | its queue's passes stop at another job (backfill `none`) |
//! | `quota` | what its tenant holds and what it asks for exceed the tenant's quota |
//! | `limit` | what the jobs of its partition hold and what it asks for exceed the partition's limit |
//! | `capacity` | fewer GPUs are free than it asks for, in its partition and on its platforms |
//! | `shape` | enough are free, but no node, rack or set of nodes takes its pods |
//! | `held` | a policy holds it back on purpose; or it fits, and no pass of the cycle has seen that yet |
//! | `order` | it fits, and a pass chose not to start it: others come first, or it would delay a reservation |
//!
//! Who is held back on purpose waits for nothing else meanwhile, and wants no GPU.
//!
//! `dependency` is the time from submission until it is eligible, and no part of `wait_time`. A wish for segments is
//! not looked at.

mod contention;
mod cost;
mod distribution;
mod fit;
mod graphs;
mod ladder;
mod losses;
mod measure;
mod occupancy;
mod power;
pub mod profile;
mod replay;
mod scope;
mod series;
mod tenants;
mod times;
mod waiting;

pub use cost::{CostMetrics, JobCosts, SiteCost};
pub use distribution::{Distribution, percentile};
pub use graphs::{GraphMetrics, GraphTimes};
pub use measure::{Measured, Metrics, Window, measure};
pub use power::{DomainPower, JOULES_A_MWH, PowerMetrics};
pub use series::Series;
pub use tenants::{TenantMetrics, jain_index};
pub use times::{JobTimes, SecondsByReason};

use crate::units::Seconds;

/// τ of the bounded slowdown: runs shorter than this count as this long.
pub const SLOWDOWN_BOUND: Seconds = Seconds(10);

/// Thousandths of a GPU-second in a GPU-hour.
const MILLI_SECONDS_AN_HOUR: f64 = 3.6e6;
