//! The traces of Chronus: jobs of Philly with deadlines, of users that are virtual clusters.
//!
//! Columns `job_id,user,num_gpu,submit_time,duration,expect_time_list` and more. What their times count in is not documented:
//! they are read as seconds, which `--map unit=m` changes. `expect_time_list` has how long after its submission a job has
//! to be done: one time where `job_type` is `strict`, those by which it is worth less and less where it is `soft`, of which
//! the first is read; where `best_effort` is 1 the job has no deadline. What a job is worth (`expect_value_list`) is not read.
//! (W. Gao et al., "Chronus: a novel deadline-aware scheduler for deep learning training jobs", SoCC 2021)

use super::schema::{self, Deadlines, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "chronus",
    about: "Chronus jobs as CSV: job_id,user,num_gpu,submit_time,duration,expect_time_list (deadlines)",
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
        (Key::Deadline, "expect_time_list"),
    ],
    deadlines: Deadlines::Steps("best_effort"),
    says: &[
        "times of Chronus are read as seconds: what they count in is not documented (`--map unit=m`: minutes)",
        "what jobs are worth (expect_value_list) is not read",
    ],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["job_id", "user", "num_gpu", "submit_time", "duration", "expect_time_list"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
