//! Draw, caps and energy: what nodes, racks, feeds and sites draw, second by second, and what of it is whose.
//!
//! [`draw`] is the one definition of what a job draws on a node, [`tree`] of what domains draw for their nodes, and
//! [`energy`] follows both through a run; [`bill`] says what a site pays for it, and [`battery`] what stands between;
//! [`meter`] puts many feeds over months into buckets, on a GPU where there is one.
//! Everything is whole watts and joules: nothing is lost between the parts and the whole.

pub mod battery;
pub mod bill;
pub mod draw;
pub mod energy;
mod limit;
pub mod meter;
pub mod share;
pub mod tree;
pub mod window;

pub use limit::limits;
pub use tree::{Domain, Parts};
