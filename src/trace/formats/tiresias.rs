//! The traces of Tiresias and of the simulators made after it: one line a job, times in seconds.
//!
//! Columns `job_id,num_gpu,submit_time,duration`; `iterations`, `model_name` and `interval` beside them say nothing a
//! scheduler sees. Where there is a `user` or a `vc`, it is the tenant. Submits count from the start of the trace; there are no
//! estimates. (J. Gu et al., "Tiresias: a GPU cluster manager for distributed deep learning", NSDI 2019)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "tiresias",
    about: "Tiresias and its family as CSV: job_id,num_gpu,submit_time,duration in seconds",
    keys: &[],
    map_keys: &[MapKey::Columns],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "job_id"),
        (Key::Gpus, "num_gpu"),
        (Key::SubmitTime, "submit_time"),
        (Key::WorkTime, "duration"),
        (Key::Tenant, "user"),
        (Key::Tenant, "vc"),
    ],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    let kin = head.is_table(&["iteration_time"]) || head.is_table(&["expect_time_list"]);
    head.is_table(&["job_id", "num_gpu", "submit_time", "duration"]) && !kin
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
