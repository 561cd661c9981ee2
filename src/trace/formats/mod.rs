//! The formats of traces, one file each.

mod cells;
pub(super) mod csv;
mod ending;
pub(super) mod helios;
pub(super) mod jsonl;
pub(super) mod native;
pub(super) mod openb;
pub(super) mod philly;
pub(super) mod sacct;
mod sacct_fields;
pub(super) mod sacct_json;
mod sacct_table;
mod schema;
mod slurm;
mod slurm_tres;
pub(super) mod swf;
mod swf_header;
pub(super) mod table;
