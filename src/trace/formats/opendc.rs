//! OpenDC's tasks, or the fragments of which they consist, as Parquet (or the CSV that it could be).
//!
//! Tasks are rows of `id,submission_time,duration,cpu_count,cpu_capacity` and more: Unix milliseconds, or a point of time, and
//! milliseconds. A task runs as long as its `duration`; its cores are read as GPUs, or as many as `map.procs_per_gpu` says, and
//! its `mem_capacity` is MB. `gpu_count`, where any task has one, counts instead of the cores. How fast a core is, and how busy,
//! is not read.
//!
//! Fragments are rows of `id,duration,cpu_usage` and more: what the task of that id did one after the other. They tell no
//! submits: all tasks come at time 0, and each runs as long as its fragments together. (F. Mastenbroek et al., "OpenDC 2.0:
//! convenient modeling and simulation of emerging technologies in cloud datacenters", CCGrid 2021)

use super::schema::{self, Schema};
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::Table;
use crate::trace::{Format, Head, Key, MapKey, TimeUnit, field};
use crate::units::Gpus;
use crate::workload::{Behaviour, Request};
use std::collections::BTreeMap;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "opendc",
    about: "OpenDC's tasks, or their fragments, as Parquet: id,submission_time,duration,cpu_count; a core is read as a GPU",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu, MapKey::Columns],
    detect,
    read,
};

const TASKS: [&str; 4] = ["id", "submission_time", "duration", "cpu_count"];
const FRAGMENTS: [&str; 3] = ["id", "duration", "cpu_usage"];

const SCHEMA: Schema<'static> = Schema {
    columns: &[
        (Key::JobId, "id"),
        (Key::SubmitTime, "submission_time"),
        (Key::WorkTime, "duration"),
        (Key::Gpus, "cpu_count"),
        (Key::Memory, "mem_capacity"),
    ],
    unit: TimeUnit::Millisecond,
    processors: Some("CPU cores"),
    says: &["how fast cores are, and how busy, is not read"],
    ..Schema::PLAIN
};

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&TASKS) || head.is_table(&FRAGMENTS)
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let head = Head { map: intake.options.map, ..Head::new(text) };
    if head.is_table(&FRAGMENTS) && !head.is_table(&TASKS) {
        read_fragments(text, intake);
    } else {
        schema::read(text, &SCHEMA, intake);
    }
}

/// A task as its fragments tell it.
#[derive(Debug, Default)]
struct Task {
    milliseconds: u64,
    cores: u32,
}

/// Tells the tasks of fragments, in the order in which they first come.
fn read_fragments(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &FRAGMENTS, intake) else { return };
    let Some([id, duration, _]) = table.require(FRAGMENTS, intake) else { return };
    let cores = table.column("cpu_count");
    intake.processors_are_gpus("CPU cores");
    intake.notes.say(
        "fragments tell no submits: every task comes at time 0; what its cores did meanwhile is not read",
    );
    if cores.is_none() {
        intake.notes.say("fragments tell no `cpu_count`: one core each");
    }
    let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut tasks: Vec<(String, Task)> = Vec::new();
    let mut fragments = 0;
    while table.next(intake) {
        let length = field::decimal(table.get(duration)).map(field::Decimal::ceil);
        if length.is_none() {
            table.wrong(duration, "milliseconds", intake);
        }
        let count = match cores {
            Some(column) => table.whole(column, Gpus::MAX_WHOLE, intake),
            None => Some(1),
        };
        let name = table.text(id, "", intake).map(str::to_owned);
        let (Some(length), Some(count), Some(name)) = (length, count, name) else { continue };
        fragments += 1;
        let place = *places.entry(name.clone().into_bytes()).or_insert_with(|| {
            tasks.push((name, Task::default()));
            tasks.len() - 1
        });
        let task = &mut tasks[place].1;
        task.milliseconds = task.milliseconds.saturating_add(length);
        task.cores = task.cores.max(count);
    }
    intake.notes.count("fragment", "put together to tasks", fragments);
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let tenant = intake.builder.tenant("default");
    for (name, task) in tasks {
        let milliseconds = task.milliseconds.to_string();
        let Some(work) = intake.length_in(milliseconds.as_bytes(), TimeUnit::Millisecond) else {
            intake.notes.count("task", "that runs for more than 136 years: dropped", 1);
            continue;
        };
        let gpus = task.cores.div_ceil(intake.options.procs_per_gpu);
        let request = intake.builder.request(Request::gang(Gpus::whole(gpus)));
        let draft = Draft { work, request, behaviour, tenant, ..Draft::default() };
        intake.push(draft, if name.is_empty() { Id::Row } else { Id::Text(&name) });
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::Gpus;

    #[test]
    fn fragments_make_up_tasks() {
        let text = b"id,duration,cpu_count,cpu_usage\n7,1500,4,10.5\n9,60000,1,0\n7,600,2,3.25\n";
        let trace = read_bytes("f.csv", text, None, &Options::default()).unwrap();
        assert_eq!(trace.format, "opendc");
        let workload = &trace.workload;
        let told: Vec<_> = (0..2)
            .map(|job| (workload.jobs[job as usize].work_time.0, workload.request_of(job).gpus()))
            .collect();
        assert_eq!(
            told,
            [(3, Gpus::whole(4)), (60, Gpus::whole(1))],
            "2.1 s on at most 4 cores:\n{}",
            trace.notes
        );
        assert_eq!(trace.notes.counted("fragment", "put together to tasks"), 3, "{}", trace.notes);
    }
}
