//! Acme: jobs of two clusters of Shanghai AI Laboratory, Seren and Kalos, that develop large language models.
//!
//! Columns `job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time`; Kalos has
//! memory, `fail_time` and `stop_time` too, which are not read, nor are CPUs. Dates name their zone. The `type` is what a job is
//! for; states are those of Slurm. A job has as many GPUs as `gpu_num` says, wherever nodes have room. There are no estimates.
//! (Q. Hu et al., "Characterization of large language model development in the datacenter", NSDI 2024)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey};
use crate::workload::JobKind;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "acme",
    about: "Acme jobs (Seren, Kalos) as CSV: job_id,user,gpu_num,type,state,submit_time,duration,gpu_time and more",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::States],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "job_id"),
        (Key::Tenant, "user"),
        (Key::Gpus, "gpu_num"),
        (Key::Kind, "type"),
        (Key::State, "state"),
        (Key::SubmitTime, "submit_time"),
        (Key::StartTime, "start_time"),
        (Key::EndTime, "end_time"),
        (Key::WorkTime, "duration"),
    ],
    kinds: &[
        ("Pretrain", JobKind::Pretrain),
        ("Pretraining", JobKind::Pretrain),
        ("MLLM", JobKind::Pretrain),
        ("SFT", JobKind::Finetune),
        ("RLHF", JobKind::Rl),
        ("Eval", JobKind::Eval),
        ("Evaluation", JobKind::Eval),
        ("Debug", JobKind::Other),
        ("Other", JobKind::Other),
    ],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["job_id", "user", "gpu_num", "type", "submit_time", "duration", "gpu_time"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
