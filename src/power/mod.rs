//! Draw, caps and energy: what nodes, racks, feeds and sites draw, second by second, and what of it is whose.
//!
//! [`draw`] is the one definition of what a job draws on a node; everything is whole watts and joules.

pub mod battery;
pub mod bill;
pub mod draw;
pub mod share;
