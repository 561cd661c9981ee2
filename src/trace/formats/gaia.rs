//! Jobs of Alibaba's PAI 2020 as the artifact of GAIA has them: `arrival_time,length,cpus`, times in **hours**.
//!
//! Arrivals are spread over a year. There are no GPUs in this form of the trace: a CPU is read as a GPU, or as many as
//! `map.procs_per_gpu` says. (W. Hanafy et al., "Going green for less green", ASPLOS 2024)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey, TimeUnit};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "gaia",
    about: "GAIA's form of Alibaba PAI 2020 as CSV: arrival_time,length,cpus in hours; a CPU is read as a GPU",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu, MapKey::Columns],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[(Key::SubmitTime, "arrival_time"), (Key::WorkTime, "length"), (Key::Gpus, "cpus")],
    unit: TimeUnit::Hour,
    processors: Some("CPUs"),
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["arrival_time", "length", "cpus"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
