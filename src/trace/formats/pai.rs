//! Alibaba's PAI 2020 (cluster-trace-gpu-v2020): the table of tasks, which is published without a header.
//!
//! `job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_type`, with or without a line of these
//! names. A task is a job of `inst_num` pods; CPUs and GPUs of each are in percent, memory in GB. The table tells starts, not
//! submits: a task comes when it started, and has no wait; one that never started is dropped. Tasks of one job have its
//! name, the later ones with `#2`, `#3` ... behind it. Users are in the table of jobs (`job_name,inst_id,user,status,start_time,end_time`), which has no GPUs and is refused. Times are seconds.
//! (Q. Weng et al., "MLaaS in the wild: workload analysis and scheduling in large-scale heterogeneous GPU clusters",
//! NSDI 2022)

use super::schema::{self, Schema, Unsubmitted};
use crate::error::{Place, Problem};
use crate::trace::intake::Intake;
use crate::trace::layout::Layout;
use crate::trace::table::Table;
use crate::trace::{Format, Head, Key, MapKey, Meaning, field};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "pai",
    about: "Alibaba PAI 2020, pai_task_table with or without a header: a task is a job of inst_num pods",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::States, MapKey::Platform],
    detect,
    read,
};

const TASKS: [&str; 10] = [
    "job_name",
    "task_name",
    "inst_num",
    "status",
    "start_time",
    "end_time",
    "plan_cpu",
    "plan_mem",
    "plan_gpu",
    "gpu_type",
];

const JOBS: [&str; 6] = ["job_name", "inst_id", "user", "status", "start_time", "end_time"];

const STATES: &[(&str, Meaning)] = &[
    ("Terminated", Meaning::Completed),
    ("Failed", Meaning::Failed),
    ("Running", Meaning::Running),
    ("Waiting", Meaning::Pending),
];

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "job_name"),
        (Key::Pods, "inst_num"),
        (Key::State, "status"),
        (Key::SubmitTime, "start_time"),
        (Key::StartTime, "start_time"),
        (Key::EndTime, "end_time"),
        (Key::Cpu, "plan_cpu"),
        (Key::Memory, "plan_mem"),
        (Key::PodGpus, "plan_gpu"),
        (Key::Platforms, "gpu_type"),
    ],
    states: STATES,
    percent: true,
    mebibytes: 1024,
    unsubmitted: Unsubmitted::Dropped,
    says: &["pai_task_table tells no submits: submit_time = start_time"],
    ..Schema::PLAIN
};

/// Whether a line without a header is one of the table with these columns: a status and numbers where they must be.
fn is_line(line: &[u8], names: &[&str]) -> bool {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
    let at =
        |name: &str| names.iter().position(|known| *known == name).and_then(|at| fields.get(at).copied());
    let number =
        |name: &str| at(name).is_none_or(|field| field.is_empty() || field::decimal(field).is_some());
    let status = at("status").unwrap_or_default();
    fields.len() == names.len()
        && STATES.iter().any(|(word, _)| word.as_bytes() == status)
        && ["start_time", "end_time", "inst_num", "plan_gpu"].into_iter().all(number)
}

fn is_job_table(head: &Head<'_>) -> bool {
    head.is_table(&JOBS) || head.lines().next().is_some_and(|line| is_line(line, &JOBS))
}

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&["job_name", "task_name", "inst_num", "plan_gpu"])
        || head.lines().next().is_some_and(|line| is_line(line, &TASKS))
        || is_job_table(head)
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let head = Head { map: intake.options.map, ..Head::new(text) };
    let (number, line) = head.first_line();
    if is_job_table(&head) {
        intake.problem(|file| {
            Problem::new("pai_job_table does not tell GPUs: its tasks do")
                .at(Place::line(file, number, line))
                .hint("read pai_task_table.csv")
        });
    } else if is_line(line, &TASKS) {
        intake.notes.say("no header: columns are those of pai_task_table");
        let columns = TASKS.iter().map(|name| name.as_bytes().to_vec()).collect();
        schema::read_table(&mut Table::with_columns(text, Layout::Delimited(b','), columns), &SCHEMA, intake);
    } else {
        schema::read(text, &SCHEMA, intake);
    }
}
