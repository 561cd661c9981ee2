//! Alibaba's requests to image models (cluster-trace-v2026-GenAI): one line a request, each a job on one GPU.
//!
//! Columns `gmt_create,predict_status,exec_time_seconds,groupId,checkpoint_model_version_id` and more; dates and seconds. The group is
//! the tenant. The trace tells no GPUs: the containers that serve it are taken to have one each, and a request to have it for
//! itself. Prompts, images, steps and models are not read.

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey, Meaning};
use crate::workload::JobKind;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "genai",
    about: "Alibaba's requests to image models 2026 as CSV: gmt_create,predict_status,exec_time_seconds; one GPU each",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::States],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::SubmitTime, "gmt_create"),
        (Key::WorkTime, "exec_time_seconds"),
        (Key::State, "predict_status"),
        (Key::Tenant, "groupId"),
    ],
    states: &[("succeed", Meaning::Completed), ("processing", Meaning::Running)],
    kind: JobKind::BatchInference,
    gpus_each: Some(1),
    says: &[
        "no GPUs in this format: each request is a job on one; prompts, images, steps and models are not read",
    ],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["gmt_create", "predict_status", "exec_time_seconds", "groupId"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
