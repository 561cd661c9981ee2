//! MIT SuperCloud's Slurm log: a dump of the accounting database as CSV, numbers where `sacct` prints words.
//!
//! Columns `id_job,id_user,cpus_req,nodes_alloc,partition,priority,state,timelimit,time_submit,time_eligible,time_start,time_end,`
//! `tres_alloc,tres_req` and more. Times are Unix seconds, the limit is in minutes (4294967295: none), states are Slurm's codes, and
//! resources are `1=20,2=170000,4=1,1002=2`: 1 is CPUs, 2 memory in MB, 4 nodes, 1002 GPUs. What was asked for counts; with
//! `map.gpus_from = "allocated"` what was given. Ids may be rounded and come twice. All else is as in the format `sacct`.
//! (S. Samsi et al., "The MIT Supercloud dataset", HPEC 2021)

use super::slurm::{self, Pushed, Record};
use super::slurm_tres::Tres;
use crate::error::{Place, Problem};
use crate::trace::intake::{Intake, TIME_MAX};
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey, Meaning, field};
use crate::workload::Behaviour;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "supercloud",
    about: "MIT SuperCloud's Slurm log as CSV: id_job,state,time_submit,time_start,time_end,tres_alloc and more",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::Platform, MapKey::GpusFrom, MapKey::ShardsPerGpu],
    detect,
    read,
};

const COLUMNS: [&str; 7] =
    ["id_job", "state", "time_submit", "time_start", "time_end", "tres_req", "tres_alloc"];

/// The highest code of a state.
const STATE_MAX: u32 = 11;

/// What Slurm's codes for states mean, from 0.
const STATES: [Meaning; STATE_MAX as usize + 1] = [
    Meaning::Pending,
    Meaning::Running,
    Meaning::Stopped,
    Meaning::Completed,
    Meaning::Cancelled,
    Meaning::Failed,
    Meaning::Stopped,
    Meaning::Failed,
    Meaning::Stopped,
    Meaning::Failed,
    Meaning::Failed,
    Meaning::Failed,
];

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

/// The columns that may be missing.
struct Optional {
    eligible: Option<usize>,
    limit: Option<usize>,
    nodes: Option<usize>,
    cpus: Option<usize>,
    user: Option<usize>,
    partition: Option<usize>,
    priority: Option<usize>,
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &COLUMNS, intake) else { return };
    let Some(columns) = table.require(COLUMNS, intake) else { return };
    let optional = Optional {
        eligible: table.column("time_eligible"),
        limit: table.column("timelimit"),
        nodes: table.column("nodes_alloc"),
        cpus: table.column("cpus_req"),
        user: table.column("id_user"),
        partition: table.column("partition"),
        priority: table.column("priority"),
    };
    intake.unix = true;
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let mut arrays = 0;
    while table.next(intake) {
        let Some(record) = record(&table, columns, &optional, intake) else { continue };
        if slurm::push(&record, behaviour, &mut arrays, intake) == Pushed::TooMany {
            let (number, line) = table.place();
            intake.bad_line(number, |file| {
                Problem::new("arrays of too many jobs").at(Place::line(file, number, line))
            });
        }
    }
}

fn record<'t>(
    table: &'t Table<'_>,
    columns: [usize; 7],
    optional: &Optional,
    intake: &mut Intake<'_>,
) -> Option<Record<'t>> {
    let [id, state, submit, start, end, asked, held] = columns;
    let code = table.whole(state, STATE_MAX, intake);
    let submit = table.instant(submit, intake);
    // 0 stands for "not yet".
    let mut time = |column| Some(table.told_instant(column, intake)?.filter(|time| *time > 0));
    let (start, end, eligible) = (time(Some(start)), time(Some(end)), time(optional.eligible));
    let (asked, given) = (resources(table, asked, true, intake), resources(table, held, false, intake));
    let id = table.text(id, "", intake);
    let count = |column| field::count(table.optional(column)).unwrap_or(0).min(1_000_000);
    let limit = field::count(table.optional(optional.limit)).and_then(|minutes| minutes.checked_mul(60));
    let priority = field::count(table.optional(optional.priority)).unwrap_or(0);
    let text = |column| std::str::from_utf8(table.optional(column)).unwrap_or_default();
    let (start, end) = (start?, end?);
    Some(Record {
        id: id?,
        state: STATES[code? as usize],
        submit: submit?,
        eligible: eligible?,
        start,
        end,
        elapsed: start.zip(end).and_then(|(start, end)| end.checked_sub(start)).unwrap_or(0),
        limit: limit.filter(|limit| *limit <= TIME_MAX).unwrap_or(0),
        allocated: !table.optional(Some(held)).is_empty(),
        asked: asked?,
        held: given?,
        nodes: count(optional.nodes),
        cpus: count(optional.cpus),
        tenant: text(optional.user),
        partition: text(optional.partition),
        priority: i32::try_from(priority).unwrap_or(i32::MAX),
    })
}

/// Resources by number as those that `sacct` names.
fn resources(table: &Table<'_>, column: usize, requested: bool, intake: &mut Intake<'_>) -> Option<Tres> {
    let value = table.optional(Some(column));
    let named: Option<Vec<String>> = std::str::from_utf8(value).ok().and_then(|text| {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(|item| item.split_once('=').map(|(number, count)| named(number, count))).collect()
    });
    let shards = intake.options.map.shards_per_gpu;
    let tres = named.and_then(|named| Tres::read(named.join(",").as_bytes(), requested, shards));
    if tres.is_none() {
        table.wrong(column, "resources like `1=20,2=170000,4=1,1002=2`", intake);
    }
    tres
}

fn named(number: &str, count: &str) -> String {
    match number {
        "1" => format!("cpu={count}"),
        "2" => format!("mem={count}M"),
        "4" => format!("node={count}"),
        "1002" => format!("gres/gpu={count}"),
        // Energy, billing, disk, memory pages: nothing that is asked for here.
        "3" | "5" | "6" | "7" | "8" => String::new(),
        other => format!("gres/{other}={count}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::{Gpus, Time};

    #[test]
    fn numbers_stand_for_states_and_resources() {
        let text = include_bytes!("../../../workloads/sample-supercloud.csv");
        let trace = read_bytes("m.csv", text, None, &Options::default()).unwrap();
        let workload = &trace.workload;
        let times: Vec<_> = workload
            .jobs
            .iter()
            .map(|job| (job.submit_time.0, job.work_time.0, job.requested_time.0))
            .collect();
        assert_eq!(
            times,
            [(0, 307, 307), (60, 3600, 7200), (120, 86_400, 86_400), (180, 30, 600), (348, 60, 60)],
            "{}",
            trace.notes
        );
        let gpus: Vec<_> = (0..5).map(|job| workload.request_of(job).gpus()).collect();
        assert_eq!(gpus, [0, 2, 4, 1, 8].map(Gpus::whole), "{}", trace.notes);
        assert_eq!(workload.request_of(1).memory_mib, 170_000, "of its one node");
        assert_eq!(
            (workload.jobs[2].cancel_time, workload.jobs[3].fails),
            (Time(420), true),
            "withdrawn; failed"
        );
    }
}
