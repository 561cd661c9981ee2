//! Alibaba's instances of disaggregated recommendation models (cluster-trace-gpu-v2025): services, one line an instance.
//!
//! Columns `instance_sn,role,app_name,cpu_request,gpu_request,memory_request,creation_time,scheduled_time,deletion_time`
//! and more; seconds, GiB. A CPU node (CN) asks for no GPU, a heterogeneous node (HN) for one. The application is the tenant.
//! The trace is cut at both ends: what has no `creation_time` existed before, what has no `deletion_time` outlives it.
//! `max_instance_per_node` (anti-affinity), RDMA and disk are not read. (L. Yang et al., "GPU-disaggregated serving for deep
//! learning recommendation models at scale", NSDI 2025)

use super::schema::{self, Schema, Unsubmitted};
use crate::trace::intake::Intake;
use crate::trace::{Format, Head, Key, MapKey};
use crate::workload::JobKind;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "dlrm",
    about: "Alibaba DLRM 2025 instances as CSV: instance_sn,role,app_name,gpu_request,creation_time and more",
    keys: &[],
    map_keys: &[MapKey::Columns],
    detect,
    read,
};

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "instance_sn"),
        (Key::Tenant, "app_name"),
        (Key::Gpus, "gpu_request"),
        (Key::Cpu, "cpu_request"),
        (Key::Memory, "memory_request"),
        (Key::SubmitTime, "creation_time"),
        (Key::StartTime, "scheduled_time"),
        (Key::EndTime, "deletion_time"),
    ],
    mebibytes: 1024,
    kind: JobKind::InferenceService,
    unsubmitted: Unsubmitted::Existing,
    says: &[
        "instances are services: no policy stops them; max_instance_per_node, RDMA and disk are not read",
    ],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["instance_sn", "app_name", "gpu_request", "creation_time", "deletion_time"])
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    schema::read(text, &SCHEMA, intake);
}
