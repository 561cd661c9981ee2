//! SenseTime's Helios traces: Slurm jobs of GPU clusters as CSV, and what simulators make of them.
//!
//! Columns `job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue`, of which
//! `job_id`, `vc`, `gpu_num`, `submit_time` and `duration` must be there, in any order.
//! (Q. Hu et al., "Characterization and prediction of deep learning workloads in large-scale GPU datacenters", SC 2021)
//!
//! The VC becomes tenant and partition. CPUs are split evenly over the nodes the job had. A job without GPUs is one pod
//! a node. States are those of Slurm, in either case. A job has started if it ran for some time or ended after it
//! started, whatever its state says: then FAILED, NODE_FAIL, OUT_OF_MEMORY, BOOT_FAIL and DEADLINE fail at the end of their
//! work; TIMEOUT and CANCELLED run the time recorded. One that never started is withdrawn at its `end_time`, and works 1 s
//! should it start before; without an `end_time` it is dropped.

use super::ending::{self, Ending, Evidence};
use crate::trace::Meaning;
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::Table;
use crate::trace::{Format, Head, MapKey};
use crate::units::Gpus;
use crate::workload::{Behaviour, Request, Shape};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "helios",
    about: "Helios jobs as CSV: job_id,vc,gpu_num,submit_time,duration and more; VC = tenant and partition",
    keys: &[],
    map_keys: &[MapKey::Columns, MapKey::States],
    detect,
    read,
};

const COLUMNS: [&str; 5] = ["job_id", "vc", "gpu_num", "submit_time", "duration"];

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

/// The columns that may be missing.
struct Optional {
    cpu_num: Option<usize>,
    node_num: Option<usize>,
    state: Option<usize>,
    start_time: Option<usize>,
    end_time: Option<usize>,
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &COLUMNS, intake) else { return };
    let Some([job_id, vc, gpu_num, submit_time, duration]) = table.require(COLUMNS, intake) else { return };
    intake.unix = true;
    let optional = Optional {
        cpu_num: table.column("cpu_num"),
        node_num: table.column("node_num"),
        state: table.column("state"),
        start_time: table.column("start_time"),
        end_time: table.column("end_time"),
    };
    let behaviour = intake.builder.behaviour(Behaviour::default());
    while table.next(intake) {
        let submit = table.instant(submit_time, intake);
        let work = table.told_length(Some(duration), intake).map(Option::unwrap_or_default);
        let gpus = table.gpus(gpu_num, intake);
        let name = table.text(vc, "default", intake);
        let id = table.text(job_id, "", intake);
        let host = host(&table, &optional, intake);
        let (Some(submit), Some(work), Some(gpus), Some(name), Some(id), Some(host)) =
            (submit, work, gpus, name, id, host)
        else {
            continue;
        };
        let Some((work, wait, ending)) = ending(&table, &optional, (submit, work), intake) else { continue };
        let (fails, patience) = match ending {
            Ending::Ran { fails } => (fails, None),
            Ending::Left(patience) => (false, Some(patience)),
        };
        let request = request(gpus, host, intake.builder.partition(name));
        let draft = Draft {
            submit,
            work,
            patience,
            wait,
            request: intake.builder.request(request),
            behaviour,
            tenant: intake.builder.tenant(name),
            fails,
            ..Draft::default()
        };
        intake.push(draft, if id.is_empty() { Id::Row } else { Id::Text(id) });
    }
}

/// CPUs and nodes of a job; 0 where they are not told.
struct Host {
    cpus: u32,
    nodes: u32,
}

fn host(table: &Table<'_>, columns: &Optional, intake: &mut Intake<'_>) -> Option<Host> {
    let mut count = |column| table.told_whole(column, 1_000_000, intake);
    let (cpus, nodes) = (count(columns.cpu_num), count(columns.node_num));
    Some(Host { cpus: cpus?, nodes: nodes? })
}

fn request(gpus: Gpus, host: Host, partition: u32) -> Request {
    let nodes = host.nodes.max(1);
    let mut request =
        Request { partition, cpu_milli: host.cpus.div_ceil(nodes) * 1000, ..Request::gang(gpus) };
    if gpus == Gpus::ZERO {
        request.shape = Shape::Pods { count: nodes, gpus_milli_each: 0 };
    }
    request
}

/// How long a job ran, how long it waited, and how it ended; `None` if it is to be dropped, or wrong.
fn ending(
    table: &Table<'_>,
    columns: &Optional,
    (submit, work): (u32, u32),
    intake: &mut Intake<'_>,
) -> Option<(u32, Option<u32>, Ending)> {
    let start = table.told_instant(columns.start_time, intake);
    let end = table.told_instant(columns.end_time, intake);
    let word = table.optional(columns.state);
    let known = if word.is_empty() { Some(Meaning::Completed) } else { ending::state(word, intake) };
    let Some(state) = known else {
        let column = columns.state.expect("there is a state");
        table.wrong_with(column, ending::EXPECTED, ending::HINT, intake);
        return None;
    };
    let (start, end) = (start?, end?);
    let between = start.zip(end).and_then(|(start, end)| end.checked_sub(start)).unwrap_or(0);
    let work = if work > 0 { work } else { between };
    let evidence = Evidence { submit, end, started: work > 0 };
    let wait = start.and_then(|start| start.checked_sub(submit));
    Some((work, wait, ending::ending(state, evidence, intake)?))
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, read_bytes};
    use crate::units::Time;

    #[test]
    fn states_become_outcomes() {
        let text = include_bytes!("../../../workloads/sample-helios.csv");
        let trace = read_bytes("h.csv", text, None, &Options::default()).unwrap();
        let workload = trace.workload;
        assert_eq!(trace.format, "helios", "recognised");
        let names: Vec<_> = (0..workload.jobs.len()).map(|i| workload.names.get(i).into_owned()).collect();
        assert_eq!(names, ["101", "102", "103", "104", "105", "107"], "106 was cancelled at once");
        assert_eq!(
            workload.jobs.iter().map(|job| job.fails).collect::<Vec<_>>()[1..4],
            [true, false, true],
            "FAILED, NODE_FAIL"
        );
        assert_eq!(workload.jobs[4].cancel_time, Time(700), "withdrawn after 300 s");
        assert_eq!(workload.request_of(5).cpu_milli, 16_000, "32 CPUs on 2 nodes");
        assert_eq!(workload.partitions, ["all", "vcA", "vcB"], "a partition a VC");
    }

    #[test]
    fn five_columns_are_enough() {
        let text = b"vc,job_id,gpu_num,submit_time,duration\ns1,0,16,2017-10-01 00:00:00,722\ns1,4,4,2017-10-01 00:02:30,3861\n";
        let workload = read_bytes("l.csv", text, None, &Options::default()).unwrap().workload;
        assert_eq!(
            (workload.jobs[1].submit_time, workload.jobs[1].work_time.0),
            (Time(150), 3861),
            "the second"
        );
        assert_eq!(workload.names.get(1), "4", "its id");
    }

    #[test]
    fn what_never_started_is_withdrawn_whatever_its_state() {
        let line = |id: u32, state: &str, start: &str, end: &str| {
            format!("{id},v,8,2020-04-01 00:00:00,{state},{start},{end},0\n")
        };
        let text = [
            "job_id,vc,gpu_num,submit_time,state,start_time,end_time,duration\n".to_owned(),
            line(1, "CANCELLED", "2020-04-01 00:10:00", "2020-04-01 00:10:00"),
            line(2, "failed", "None", "2020-04-01 00:05:00"),
            line(3, "NODE_FAIL", "2020-04-01 00:05:00", "2020-04-01 00:06:00"),
            line(4, "DEADLINE", "None", "2020-04-01 00:00:00"),
        ];
        let workload =
            read_bytes("h.csv", text.concat().as_bytes(), None, &Options::default()).unwrap().workload;
        let cancels: Vec<_> = workload.jobs.iter().map(|job| job.cancel_time).collect();
        assert_eq!(cancels, [Time(600), Time(300), Time::NEVER], "the last one left as it came");
        assert_eq!(
            (workload.jobs[2].work_time.0, workload.jobs[2].fails),
            (60, true),
            "it ended after it started"
        );
    }

    #[test]
    fn an_unknown_state_is_told() {
        let text = b"vc,job_id,gpu_num,submit_time,duration,state\ns1,0,16,2017-10-01 00:00:00,722,DONE\n";
        let told = read_bytes("l.csv", text, None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("state `DONE`") && told.contains("l.csv:2"), "{told}");
    }
}
