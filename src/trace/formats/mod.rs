//! The formats of traces, one file each.

pub(super) mod swf;
