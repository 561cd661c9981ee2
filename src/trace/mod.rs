//! Bytes to workload: one format, one file, and a table of formats.
