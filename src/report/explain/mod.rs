//! Why a job waited, what there was at an instant, and what tenants, queues and partitions held: as text and JSON.

mod at;
mod evidence;
mod fate;
mod job;
mod outlook;
mod stops;
mod usage;
mod words;

pub(in crate::report) use at::at_shape;
pub use at::{at_json, at_text};
pub(in crate::report) use evidence::evidence_of;
pub use job::{Told, job_json, job_text};
pub(in crate::report) use job::{apart, job_shape, others};
pub(in crate::report) use usage::{one_usage, usage_shape};
pub use usage::{queues, usage_json, usage_text};
pub(in crate::report) use words::{asks, clock, gpus};
