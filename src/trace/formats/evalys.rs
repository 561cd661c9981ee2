//! `jobs.csv` as Batsim writes it and evalys reads it: what a simulated schedule did to its jobs.
//!
//! Columns `job_id,submission_time,requested_number_of_resources,requested_time,starting_time,execution_time,finish_time`, with
//! `success` or `final_state`, and more; seconds. The workload's name is the tenant. Batsim knows resources, not GPUs: one is
//! read as a GPU, or as many as `map.procs_per_gpu` says. Rejected jobs never started.

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey, Meaning};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "batsim-jobs",
    about: "jobs.csv of Batsim and evalys: submission_time,requested_number_of_resources,execution_time and more",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu, MapKey::Columns, MapKey::States],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "job_id"),
        (Key::Tenant, "workload_name"),
        (Key::SubmitTime, "submission_time"),
        (Key::Gpus, "requested_number_of_resources"),
        (Key::RequestedTime, "requested_time"),
        (Key::State, "final_state"),
        (Key::State, "success"),
        (Key::StartTime, "starting_time"),
        (Key::WorkTime, "execution_time"),
        (Key::EndTime, "finish_time"),
    ],
    states: &[
        ("COMPLETED_SUCCESSFULLY", Meaning::Completed),
        ("COMPLETED_FAILED", Meaning::Failed),
        ("COMPLETED_WALLTIME_REACHED", Meaning::Stopped),
        ("COMPLETED_KILLED", Meaning::Cancelled),
        ("REJECTED", Meaning::Cancelled),
        ("1", Meaning::Completed),
        ("0", Meaning::Failed),
    ],
    processors: Some("resources of Batsim"),
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["job_id", "submission_time", "requested_number_of_resources", "starting_time"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
