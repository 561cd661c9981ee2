//! The traces of Chronus: jobs of Philly with deadlines, of users that are virtual clusters.
//!
//! Columns `job_id,user,num_gpu,submit_time,duration,expect_time_list` and more. What their times count in is not documented:
//! they are read as seconds, which `--map unit=m` changes. Deadlines (`expect_time_list`, `expect_value_list`, `job_type`,
//! `best_effort`) are not read. (W. Gao et al., "Chronus: a novel deadline-aware scheduler for deep learning training jobs",
//! SoCC 2021)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "chronus",
    about: "Chronus jobs as CSV: job_id,user,num_gpu,submit_time,duration; deadlines are not read",
    keys: &[],
    map_keys: &[MapKey::Columns],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "job_id"),
        (Key::Tenant, "user"),
        (Key::Gpus, "num_gpu"),
        (Key::SubmitTime, "submit_time"),
        (Key::WorkTime, "duration"),
    ],
    says: &[
        "times of Chronus are read as seconds: what they count in is not documented (`--map unit=m`: minutes)",
        "deadlines (expect_time_list, job_type) are not read",
    ],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["job_id", "user", "num_gpu", "submit_time", "duration", "expect_time_list"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
