//! The Grid Workload Format of the Grid Workloads Archive: 29 words a line, `#` before comments, −1 for what is not known.
//!
//! Fields are those of SWF up to the 16th, then sites, the structure of a job and what it asks of a network. Read are the id,
//! submit, wait and run time, processors asked for (else given), the estimate, the status and the user. A processor is
//! read as a GPU, or as many as `map.procs_per_gpu` says; status 2 to 4 is about parts of a job, which are left out. Submits in
//! Unix seconds make the first one time 0. (A. Iosup et al., "The Grid Workloads Archive", FGCS 2008)

use super::schema::{self, Schema};
use crate::trace::intake::Intake;
use crate::trace::layout::Layout;
use crate::trace::table::Table;
use crate::trace::{Format, Head, Key, MapKey, Meaning, field};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "gwf",
    about: "Grid Workload Format of the Grid Workloads Archive; a processor is read as a GPU",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu, MapKey::States],
    detect,
    read,
};

const NAMES: [&str; 29] = [
    "JobID",
    "SubmitTime",
    "WaitTime",
    "RunTime",
    "NProcs",
    "AverageCPUTimeUsed",
    "UsedMemory",
    "ReqNProcs",
    "ReqTime",
    "ReqMemory",
    "Status",
    "UserID",
    "GroupID",
    "ExecutableID",
    "QueueID",
    "PartitionID",
    "OrigSiteID",
    "LastRunSiteID",
    "JobStructure",
    "JobStructureParams",
    "UsedNetwork",
    "UsedLocalDiskSpace",
    "UsedResources",
    "ReqPlatform",
    "ReqNetwork",
    "ReqLocalDiskSpace",
    "ReqResources",
    "VOID",
    "ProjectID",
];

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "JobID"),
        (Key::SubmitTime, "SubmitTime"),
        (Key::WaitTime, "WaitTime"),
        (Key::WorkTime, "RunTime"),
        (Key::Gpus, "ReqNProcs"),
        (Key::Gpus, "NProcs"),
        (Key::RequestedTime, "ReqTime"),
        (Key::State, "Status"),
        (Key::Tenant, "UserID"),
    ],
    states: &[
        ("0", Meaning::Failed),
        ("1", Meaning::Completed),
        ("2", Meaning::Drop),
        ("3", Meaning::Drop),
        ("4", Meaning::Drop),
        ("5", Meaning::Cancelled),
    ],
    processors: Some("processors"),
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    let jobs = head.lines().find(|line| !line.starts_with(b"#"));
    jobs.is_some_and(is_job)
        || jobs.is_none() && head.lines().any(|line| line.windows(8).any(|word| word == b"WaitTime"))
}

/// Whether a line is one of a job: as many words as there are fields, and numbers where there must be.
pub(super) fn is_job(line: &[u8]) -> bool {
    let words: Vec<&[u8]> =
        line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(30).collect();
    let number = |word: &&[u8]| field::decimal(word.strip_prefix(b"-").unwrap_or(word)).is_some();
    words.len() == NAMES.len() && words[1..5].iter().all(number)
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let columns = NAMES.iter().map(|name| name.as_bytes().to_vec()).collect();
    schema::read_table(&mut Table::with_columns(text, Layout::Words, columns), &SCHEMA, intake);
}
