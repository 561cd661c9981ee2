//! Slurm's accounting: what `sacct --parsable2` prints, columns in any order.
//!
//! A command that prints all that is read here, and one line a job:
//!
//! ```text
//! sacct -a -X -P --noconvert -S 2026-01-01 -o JobIDRaw,User,Account,Partition,Submit,Eligible,Start,End,\
//!     ElapsedRaw,TimelimitRaw,State,NNodes,ReqTRES,AllocTRES,Priority
//! ```
//!
//! | column | becomes |
//! |---|---|
//! | `JobIDRaw`, else `JobID` | the name; steps (`123.batch`) are dropped |
//! | `Submit`, later `Eligible` | `submit_time`: what was held or waited for another job comes when it could start |
//! | `ElapsedRaw`, else `Elapsed`, else `End` − `Start` | `work_time` |
//! | `TimelimitRaw` (minutes), else `Timelimit` | `requested_time`; UNLIMITED or none: `work_time` |
//! | `gres/gpu` in `ReqTRES`, else `AllocTRES` | GPUs; a type (`gres/gpu:h100`) is the platform |
//! | `NNodes`, else `ReqNodes` | pods, where GPUs divide evenly among several nodes |
//! | `cpu`, `mem` in the TRES | CPU and memory, split evenly among nodes |
//! | `Account`, else `User` | the tenant |
//! | `Partition` | the partition; of several the first |
//! | `Priority` | `priority` |
//!
//! States: COMPLETED; FAILED, NODE_FAIL, OUT_OF_MEMORY, BOOT_FAIL, DEADLINE fail at the end of their work; TIMEOUT and PREEMPTED run
//! the time recorded, as does CANCELLED after its start. CANCELLED while pending: withdrawn at its `End`; should it
//! start before, it works as long as it asked for. Jobs still pending are dropped; jobs still running run what they
//! have run so far. Components of a heterogeneous job (`12+0`, `12+1`) are jobs of their own. Naive times are read
//! as UTC.

use super::sacct_fields::{self as fields, State, Tres};
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::{Table, header_has};
use crate::trace::{Format, Head, field};
use crate::units::Gpus;
use crate::workload::{Behaviour, Request, Shape};

pub(in crate::trace) const FORMAT: Format = Format {
    name: "sacct",
    about: "Slurm accounting, `sacct --parsable2` with a header; columns in any order",
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let Some(line) = head.lines().next() else { return false };
    let has = |name: &str| header_has(line, b'|', &[name]);
    line.contains(&b'|') && (has("JobIDRaw") || has("JobID")) && (has("Submit") || has("State"))
}

struct Columns {
    id: usize,
    submit: usize,
    state: usize,
    eligible: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    elapsed_raw: Option<usize>,
    elapsed: Option<usize>,
    limit_raw: Option<usize>,
    limit: Option<usize>,
    tres: [Option<usize>; 2],
    gres: [Option<usize>; 2],
    nodes: Option<usize>,
    cpus: Option<usize>,
    tenant: Option<usize>,
    partition: Option<usize>,
    priority: Option<usize>,
}

impl Columns {
    fn find(table: &Table<'_>, intake: &mut Intake<'_>) -> Option<Self> {
        let id = if table.column("JobIDRaw").is_some() { "JobIDRaw" } else { "JobID" };
        let [id, submit, state] = table.require([id, "Submit", "State"], intake)?;
        let column = |names: &[&str]| names.iter().find_map(|name| table.column(name));
        let columns = Self {
            id,
            submit,
            state,
            eligible: column(&["Eligible"]),
            start: column(&["Start"]),
            end: column(&["End"]),
            elapsed_raw: column(&["ElapsedRaw"]),
            elapsed: column(&["Elapsed"]),
            limit_raw: column(&["TimelimitRaw"]),
            limit: column(&["Timelimit"]),
            tres: [column(&["ReqTRES"]), column(&["AllocTRES"])],
            gres: [column(&["ReqGRES"]), column(&["AllocGRES"])],
            nodes: column(&["NNodes", "ReqNodes", "AllocNodes"]),
            cpus: column(&["ReqCPUS", "NCPUS", "AllocCPUS"]),
            tenant: column(&["Account", "User"]),
            partition: column(&["Partition"]),
            priority: column(&["Priority"]),
        };
        let timed = columns.elapsed_raw.is_some()
            || columns.elapsed.is_some()
            || columns.start.is_some() && columns.end.is_some();
        if !timed {
            table.require(["ElapsedRaw"], intake)?;
        }
        Some(columns)
    }
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open(text, b'|', intake) else { return };
    let Some(columns) = Columns::find(&table, intake) else { return };
    intake.unix = true;
    let behaviour = intake.builder.behaviour(Behaviour::default());
    while table.next(intake) {
        let id = table.get(columns.id);
        if id.contains(&b'.') {
            intake.notes.count("job step", "dropped: the job itself is read", 1);
            continue;
        }
        if let Some(draft) = job(&table, &columns, behaviour, intake)
            && let Some(id) = table.text(columns.id, "", intake)
        {
            if id.contains('+') {
                intake.notes.count("component", "of heterogeneous jobs: jobs of their own", 1);
            }
            intake.push(draft, if id.is_empty() { Id::Row } else { Id::Text(id) });
        }
    }
}

/// The job of a line; `None` if it is dropped, or wrong.
fn job(table: &Table<'_>, columns: &Columns, behaviour: u32, intake: &mut Intake<'_>) -> Option<Draft> {
    let state = State::from_bytes(table.get(columns.state));
    if state.is_none() {
        table.wrong(columns.state, "a state of Slurm, such as COMPLETED or `CANCELLED by 1000`", intake);
    }
    let submit = table.instant(columns.submit, intake);
    let times = times(table, columns, intake);
    let request = request(table, columns, intake);
    let tenant = columns.tenant.map_or(Some("default"), |column| table.text(column, "default", intake));
    let priority = priority(table, columns, intake);
    let (state, submit, times) = (state?, submit?, times?);
    let (request, tenant, priority) = (request?, intake.tenant(tenant?), priority?);
    let held = times.eligible.filter(|eligible| *eligible > submit);
    if held.is_some() {
        intake.notes.count(
            "job",
            "eligible later than submitted (held, or after another job): submit_time = Eligible",
            1,
        );
    }
    let mut draft = Draft {
        submit: held.unwrap_or(submit),
        work: times.elapsed,
        requested: times.limit,
        request: intake.request(request),
        behaviour,
        tenant,
        priority,
        ..Draft::default()
    };
    let started = times.started || times.elapsed > 0;
    let notes = &mut intake.notes;
    match state {
        State::Completed => {}
        State::Failed => {
            notes.count("job", "whose work ends in failure", 1);
            draft.fails = true;
        }
        State::Stopped => notes.count("job", "stopped at a limit or preempted: run the time recorded", 1),
        State::Running => {
            notes.count("job", "still running when the trace was taken: run what they had run", 1);
        }
        State::Pending => {
            notes.count("job", "still pending when the trace was taken: dropped", 1);
            return None;
        }
        State::Cancelled if started => {
            notes.count("job", "cancelled while running: run the time recorded", 1);
        }
        State::Cancelled => match times.end.filter(|end| *end > draft.submit) {
            Some(end) => {
                notes.count("job", "cancelled while pending: withdrawn at their End", 1);
                draft.patience = Some(end - draft.submit);
                draft.work = draft.requested.max(1);
            }
            None => {
                notes.count("job", "cancelled the moment they came, or when is not told: dropped", 1);
                return None;
            }
        },
    }
    Some(draft)
}

struct Times {
    eligible: Option<u32>,
    end: Option<u32>,
    started: bool,
    elapsed: u32,
    limit: u32,
}

/// The times of a line beside its submit.
fn times(table: &Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<Times> {
    let mut right = true;
    let mut instant = |column: Option<usize>| {
        let column = column.filter(|_| !table.optional(column).is_empty())?;
        let instant = table.instant(column, intake);
        right &= instant.is_some();
        instant
    };
    let [eligible, start, end] = [columns.eligible, columns.start, columns.end].map(&mut instant);
    let mut length = |column: Option<usize>, parse: fn(&[u8]) -> Option<u32>, expected: &str| {
        let column = column.filter(|_| !table.optional(column).is_empty())?;
        let length = parse(table.get(column));
        if length.is_none() {
            table.wrong(column, expected, intake);
            right = false;
        }
        length
    };
    let elapsed = length(columns.elapsed_raw, fields::seconds, "seconds")
        .or_else(|| length(columns.elapsed, fields::clock, "[days-]hours:minutes:seconds"))
        .or_else(|| Some(end?.saturating_sub(start?)));
    let limit = length(columns.limit_raw, fields::minutes, "minutes, or UNLIMITED")
        .or_else(|| length(columns.limit, fields::limit, "[days-]hours:minutes:seconds, or UNLIMITED"));
    right.then_some(Times {
        eligible,
        end,
        started: start.is_some(),
        elapsed: elapsed.unwrap_or(0),
        limit: limit.unwrap_or(0),
    })
}

fn priority(table: &Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<i32> {
    let Some(column) = columns.priority.filter(|_| !table.optional(columns.priority).is_empty()) else {
        return Some(0);
    };
    let value = field::signed(table.get(column));
    if value.is_none() {
        table.wrong(column, "a whole number", intake);
    }
    Some(i32::try_from(value?).unwrap_or(i32::MAX))
}

fn request(table: &Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<Request> {
    let mut tres = Tres::default();
    // What was allocated stands in for what was not said in the request.
    for column in columns.tres.into_iter().chain(columns.gres).flatten() {
        match Tres::from_bytes(table.optional(Some(column))) {
            Some(more) => tres = tres.or(more),
            None => {
                table.wrong(column, "resources like `cpu=8,mem=64G,gres/gpu:h100=8,node=1`", intake);
                return None;
            }
        }
    }
    let count = |column: Option<usize>, intake: &mut Intake<'_>| match column {
        Some(column) if !table.optional(Some(column)).is_empty() => table.whole(column, 1_000_000, intake),
        _ => Some(0),
    };
    let nodes = count(columns.nodes, intake)?.max(tres.nodes.unwrap_or(0)).max(1);
    let cpus = tres.cpus.map_or_else(|| count(columns.cpus, intake), Some)?;
    let gpus = tres.gpus.unwrap_or(0);
    let shape = match gpus {
        0 => Shape::Pods { count: nodes, gpus_milli_each: 0 },
        _ if nodes > 1 && gpus.is_multiple_of(nodes) => {
            Shape::Pods { count: nodes, gpus_milli_each: gpus / nodes * 1000 }
        }
        _ => Shape::Any { gpus_milli: gpus * 1000 },
    };
    let name = table.optional(columns.partition).split(|byte| *byte == b',').next().unwrap_or_default();
    let partition = match std::str::from_utf8(name) {
        Ok("") => 0,
        Ok(name) => intake.partition(name),
        Err(_) => {
            table.wrong(columns.partition.expect("it has a name"), "UTF-8", intake);
            return None;
        }
    };
    let platforms = intake.platforms(tres.gpu_type.iter().map(String::as_str));
    Some(Request {
        shape,
        cpu_milli: cpus.div_ceil(nodes).saturating_mul(1000),
        memory_mib: tres.memory_mib.unwrap_or(0).div_ceil(nodes),
        platforms,
        partition,
        ..Request::gang(Gpus::ZERO)
    })
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, Trace, read_bytes};
    use crate::units::{Gpus, Time};
    use crate::workload::Shape;

    const SAMPLE: &[u8] = include_bytes!("../../../workloads/sample-sacct.txt");

    #[test]
    fn accounting_becomes_jobs() {
        let Trace { workload, notes, format } =
            read_bytes("s.txt", SAMPLE, None, &Options::default()).unwrap();
        assert_eq!(format, "sacct", "recognised");
        let names: Vec<_> = (0..workload.jobs.len()).map(|i| workload.names.get(i).into_owned()).collect();
        assert_eq!(names, ["1001", "1002", "1003_1", "1003_2", "1004", "1006+0", "1008", "1009"], "{notes}");
        let times: Vec<_> = workload
            .jobs
            .iter()
            .map(|job| (job.submit_time.0, job.work_time.0, job.requested_time.0))
            .collect();
        assert_eq!(
            times,
            [
                (0, 3600, 7200),
                (60, 90_061, 90_061),
                (120, 600, 3600),
                (120, 600, 3600),
                (300, 43_200, 43_200),
                (400, 60, 3600),
                (500, 7200, 86_400),
                (700, 30, 600)
            ],
            "submit, work, requested"
        );
        assert_eq!(workload.jobs[4].cancel_time, Time(900), "withdrawn after 600 s");
        assert!(workload.jobs[5].fails, "OUT_OF_MEMORY");
        assert_eq!(
            workload.request_of(0).shape,
            Shape::Pods { count: 2, gpus_milli_each: 8000 },
            "two nodes of 8"
        );
        assert_eq!(workload.request_of(2).gpus(), Gpus::ONE, "gres/gpu=1");
        assert_eq!(workload.request_of(0).memory_mib, 1_048_576, "2 TiB on two nodes");
        assert_eq!(workload.request_of(7).shape, Shape::Pods { count: 4, gpus_milli_each: 0 }, "CPUs only");
        assert_eq!(workload.partitions, ["all", "gpu", "cpu"], "the first of several");
        assert_eq!(workload.tenants[0].name, "meta", "the account");
        for line in [
            "1 job step dropped: the job itself is read",
            "1 job still pending when the trace was taken: dropped",
            "1 job cancelled the moment they came, or when is not told: dropped",
        ] {
            assert!(notes.lines().iter().any(|note| note == line), "{line} is missing in:\n{notes}");
        }
    }

    #[test]
    fn columns_may_come_in_any_order_and_be_few() {
        let text = b"State|Elapsed|Submit|JobID|AllocTRES\nCOMPLETED|1-02:00:01|2026-01-01T00:00:00|7|gres/gpu:h100=4,gres/gpu:a100=2\n";
        let workload = read_bytes("s.txt", text, None, &Options::default()).unwrap().workload;
        assert_eq!(workload.jobs[0].work_time.0, 93_601, "a day, two hours and a second");
        assert_eq!(workload.request_of(0).gpus(), Gpus::whole(6), "types add up");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (line, expected) in [
            ("7|DONE|2026-01-01T00:00:00|5|60|", "State `DONE`"),
            ("7|COMPLETED|Unknown|5|60|", "Submit `Unknown`"),
            ("7|COMPLETED|2026-01-01T00:00:00|five|60|", "ElapsedRaw `five`"),
            ("7|COMPLETED|2026-01-01T00:00:00|4294967295|60|", "ElapsedRaw `4294967295`"),
            ("7|COMPLETED|2026-01-01T00:00:00|5|sixty|", "TimelimitRaw `sixty`"),
            ("7|COMPLETED|2026-01-01T00:00:00|5|60|gres/gpu=many", "ReqTRES `gres/gpu=many`"),
            ("7|COMPLETED", "a line of 2 fields; the header has 6"),
        ] {
            let text = format!("JobIDRaw|State|Submit|ElapsedRaw|TimelimitRaw|ReqTRES\n{line}\n");
            let told =
                read_bytes("s.txt", text.as_bytes(), None, &Options::default()).unwrap_err().to_string();
            assert!(told.contains(expected) && told.contains("s.txt:2"), "{line} gives:\n{told}");
        }
        let told =
            read_bytes("s.txt", b"JobID|Submit|State\n", None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("no column `ElapsedRaw`"), "{told}");
    }
}
