//! The formats of traces, one file each.

mod cells;
pub(super) mod csv;
pub(super) mod helios;
pub(super) mod jsonl;
pub(super) mod native;
pub(super) mod openb;
pub(super) mod philly;
pub(super) mod sacct;
mod sacct_fields;
pub(super) mod swf;
