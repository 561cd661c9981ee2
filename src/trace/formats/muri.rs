//! Muri's traces: jobs of four virtual clusters of Philly with models put on them, times in **milliseconds**.
//!
//! Columns `job_id,num_gpu,submit_time,duration,iteration_time` and more; `duration` is iterations times `iteration_time`. What a
//! stage of an iteration takes of GPU, CPU and disk (`resource_time_0` ...) and `priority`, whose meaning is not documented, are not
//! read. Made for 8 nodes of 8 GPUs. (Y. Zhao et al., "Multi-resource interleaving for deep learning training",
//! SIGCOMM 2022)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey, TimeUnit};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "muri",
    about: "Muri jobs as CSV: as Tiresias, in milliseconds, with iteration_time",
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
    ],
    unit: TimeUnit::Millisecond,
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["job_id", "num_gpu", "submit_time", "duration", "iteration_time"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
