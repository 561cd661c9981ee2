//! `gigawatt` simulates how an AI cloud schedules the jobs of its tenants on racks of GPUs.

pub mod cli;
pub mod cluster;
pub mod document;
pub mod error;
pub mod experiment;
pub mod hardware;
pub mod history;
pub mod metrics;
pub mod policy;
pub mod random;
pub mod report;
pub mod scenario;
pub mod simulation;
pub mod trace;
pub mod units;
pub mod workload;
