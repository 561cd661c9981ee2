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
//! | `gres/gpu` in `ReqTRES`, else `AllocTRES`, `ReqGRES` (of each node), `AllocGRES` | GPUs; a type (`gres/gpu:h100`) is the platform, MIG slices, MPS and shards are shares of a GPU |
//! | `NNodes`, else `ReqNodes` | pods, where GPUs divide evenly among several nodes |
//! | `cpu`, `mem` in the TRES | CPU and memory, split evenly among nodes |
//! | `Account`, else `User` | the tenant |
//! | `Partition` | the partition; of several the first |
//! | `Priority` | `priority` |
//!
//! Evidence comes before words: a job has started if it ran for some time, had something allocated (`AllocTRES`,
//! `AllocNodes`, `NodeList` ...) or ended after it started, whatever its state and its `Start` say. Then FAILED, NODE_FAIL,
//! OUT_OF_MEMORY, BOOT_FAIL, DEADLINE fail at the end of their work; TIMEOUT, PREEMPTED, REVOKED and CANCELLED run the
//! time recorded. One that never started is withdrawn at its `End`; should it start before, it works as long as it asked
//! for. Jobs still pending are dropped; jobs still running run what they have run so far. Components of a heterogeneous
//! job (`12+0`, `12+1`) are jobs of their own, as are those of an array in one line (`9_[1-10]`). Naive times are read as
//! UTC.
//!
//! Columns may be divided by `|`, commas, tabs or `;`, or padded with a line of dashes below the header, as `sacct` prints
//! them on a terminal. A header that comes again where dumps were joined is passed over. Between `|` a quote is a character.
//! Free text (`JobName`, `Comment`, `SubmitLine` ...) that holds a `|` or a line end is put together again where the other
//! columns leave one way to do it. Without a header, `--columns` names the columns; where the first line leaves no doubt
//! they are guessed, and said.

use super::ending;
use super::sacct_fields as fields;
use super::sacct_table;
use super::slurm::{self, Pushed, Record};
use super::slurm_tres::{self, GpuAsk, Tres};
use crate::trace::intake::Intake;
use crate::trace::table::Table;
use crate::trace::{Format, field};
use crate::units::Gpus;
use crate::workload::Behaviour;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "sacct",
    about: "Slurm accounting, `sacct --parsable2`; columns in any order, of any delimiter or padded",
    detect: sacct_table::detect,
    read,
};

/// What is said of a table that tells of no GPUs.
const NO_GPUS: &str = "no GPUs are asked for anywhere: print ReqTRES and AllocTRES, or name a column of GPUs with \
                       `map = { gpus = \"COLUMN\" }`";

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
    /// Lists of resources, and whether they are of a request.
    tres: [(Option<usize>, bool); 4],
    /// A column of GPUs that the user named.
    gpus: Option<usize>,
    /// Columns that say something only of jobs that were given something.
    given: [Option<usize>; 5],
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
            tres: [
                (column(&["ReqTRES"]), true),
                (column(&["AllocTRES"]), false),
                (column(&["ReqGRES", "TresPerNode"]), true),
                (column(&["AllocGRES"]), false),
            ],
            gpus: intake.options.map.field("gpus").and_then(|name| table.column(name)),
            given: ["AllocTRES", "AllocGRES", "AllocNodes", "AllocCPUS", "NodeList"]
                .map(|name| table.column(name)),
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
        if columns.gpus.is_none() && columns.tres.iter().all(|(column, _)| column.is_none()) {
            intake.notes.say(NO_GPUS);
        }
        Some(columns)
    }
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = sacct_table::open(text, intake) else { return };
    let Some(columns) = Columns::find(&table, intake) else { return };
    intake.unix = true;
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let mut arrays = 0;
    while table.next(intake) {
        if table.get(columns.id).contains(&b'.') {
            intake.notes.count("job step", "dropped: the job itself is read", 1);
            continue;
        }
        let Some(record) = record(&table, &columns, intake) else { continue };
        if slurm::push(&record, behaviour, &mut arrays, intake) == Pushed::TooMany {
            table.wrong(columns.id, "arrays of at most 1,000,000 jobs in all", intake);
        }
    }
}

/// What a line says; `None` if it is wrong.
fn record<'t>(table: &'t Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<Record<'t>> {
    let state = ending::meaning(table.get(columns.state), &intake.options.map.states);
    if state.is_none() {
        table.wrong_with(columns.state, ending::EXPECTED, ending::HINT, intake);
    }
    let id = table.text(columns.id, "", intake);
    let submit = table.instant(columns.submit, intake);
    let times = times(table, columns, intake);
    let resources = resources(table, columns, intake);
    let mut count = |column: Option<usize>| match column {
        Some(column) if !table.optional(Some(column)).is_empty() => table.whole(column, 1_000_000, intake),
        _ => Some(0),
    };
    let (nodes, cpus) = (count(columns.nodes), count(columns.cpus));
    let mut text = |column: Option<usize>| column.map_or(Some(""), |column| table.text(column, "", intake));
    let (tenant, partition) = (text(columns.tenant), text(columns.partition));
    let priority = priority(table, columns, intake);
    let times = times?;
    let [asked, held] = resources?;
    Some(Record {
        id: id?,
        state: state?,
        submit: submit?,
        eligible: times.eligible,
        start: times.start,
        end: times.end,
        elapsed: times.elapsed,
        limit: times.limit,
        allocated: allocated(table, columns),
        asked,
        held,
        nodes: nodes?,
        cpus: cpus?,
        tenant: tenant?,
        partition: partition?,
        priority: priority?,
    })
}

/// Whether the line tells of anything that the job was given.
fn allocated(table: &Table<'_>, columns: &Columns) -> bool {
    let told = |column: Option<usize>| {
        let value = table.optional(column);
        !value.is_empty() && value != b"0" && value != b"None assigned" && value != b"(null)"
    };
    columns.given.iter().any(|column| told(*column))
}

struct Times {
    eligible: Option<u32>,
    start: Option<u32>,
    end: Option<u32>,
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
        .or_else(|| length(columns.elapsed, fields::clock, "[days-]hours:minutes:seconds"));
    let limit = length(columns.limit_raw, fields::minutes, "minutes, or UNLIMITED")
        .or_else(|| length(columns.limit, fields::limit, "[days-]hours:minutes:seconds, or UNLIMITED"));
    let (elapsed, limit) = (elapsed.unwrap_or(0), limit.unwrap_or(0));
    right.then_some(Times { eligible, start, end, elapsed, limit })
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

/// What was asked for, and what was given.
fn resources(table: &Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<[Tres; 2]> {
    let [mut asked, mut held] = [Tres::default(), Tres::default()];
    for (column, requested) in columns.tres {
        let Some(column) = column else { continue };
        match Tres::read(table.optional(Some(column)), requested, intake.options.map.shards_per_gpu) {
            Some(more) if requested => asked = asked.or(more),
            Some(more) => held = held.or(more),
            None => {
                table.wrong(column, slurm_tres::EXPECTED, intake);
                return None;
            }
        }
    }
    if let Some(column) = columns.gpus.filter(|_| !table.optional(columns.gpus).is_empty()) {
        let count = table.whole(column, Gpus::MAX_WHOLE, intake)?;
        asked.gpus = Some(GpuAsk { count, each_milli: 1000, ..GpuAsk::default() });
    }
    Some([asked, held])
}

#[cfg(test)]
mod tests {
    use crate::trace::{GpusFrom, Mapping, Meaning, Options, StateWord, Trace, read_bytes};
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
            "1 job that never started, and left as they came or when is not told: dropped",
        ] {
            assert!(notes.lines().iter().any(|note| note == line), "{line} is missing in:\n{notes}");
        }
    }

    const HEAD: &str = "JobID|State|Submit|Start|End|ElapsedRaw|ReqTRES|AllocTRES|NNodes|ReqGRES\n";

    fn read(lines: &str) -> Trace {
        let text = format!("{HEAD}{lines}");
        read_bytes("s.txt", text.as_bytes(), None, &Options::default())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_start_that_slurm_made_up_is_no_start() {
        for (state, kept) in [
            ("CANCELLED by 7", true),
            ("DEADLINE", true),
            ("FAILED", true),
            ("REVOKED", true),
            ("NODE_FAIL", true),
            ("node_fail", true),
            ("PENDING", false),
        ] {
            let line = format!(
                "1|{state}|2026-01-01T00:01:00|2026-01-01T05:00:00|2026-01-01T05:00:00|0|gres/gpu=64||8|\n\
                 2|COMPLETED|2026-01-01T00:01:00|2026-01-01T05:00:00|2026-01-01T05:00:00|0|gres/gpu=8|gres/gpu=8|1|\n"
            );
            let Trace { workload, notes, .. } = read(&line);
            assert_eq!(workload.len(), 1 + u32::from(kept), "{state}: {notes}");
            let first = workload.jobs[0];
            assert_eq!(first.cancel_time, if kept { Time(17_940) } else { Time::NEVER }, "{state}: {notes}");
            assert!(!first.fails, "{state}: what never ran cannot fail");
        }
        let given = "1|CANCELLED|2026-01-01T00:01:00|2026-01-01T05:00:00|2026-01-01T05:00:00|0|gres/gpu=64|gres/gpu=64|8|\n";
        let workload = read(given).workload;
        assert_eq!(
            (workload.jobs[0].cancel_time, workload.jobs[0].work_time.0),
            (Time::NEVER, 1),
            "it had GPUs"
        );
    }

    /// Two jobs, of which the second was withdrawn after ten minutes.
    fn two(text: &str, options: &Options<'_>) -> Trace {
        let trace =
            read_bytes("s.txt", text.as_bytes(), None, options).unwrap_or_else(|e| panic!("{text}\n{e}"));
        let jobs: Vec<_> =
            trace.workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!((trace.format, jobs), ("sacct", vec![(0, 60), (60, 1)]), "{text}\n{}", trace.notes);
        assert_eq!(trace.workload.jobs[1].cancel_time, Time(660), "{text}");
        trace
    }

    const TABLE: &str = "JobID|JobName|State|Submit|Start|End|ElapsedRaw|ReqTRES|AllocTRES\n\
        1|a|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:01:00|2026-01-01T00:02:00|60|gres/gpu=1|gres/gpu=1\n\
        2|b|CANCELLED by 7|2026-01-01T00:01:00|Unknown|2026-01-01T00:11:00|0|gres/gpu=1|\n";

    #[test]
    fn tables_are_read_as_they_come() {
        let plain = Options::default();
        two(TABLE, &plain);
        for delimiter in [",", "\t", ";"] {
            two(&TABLE.replace('|', delimiter), &plain);
        }
        let lines: Vec<Vec<&str>> = TABLE.lines().map(|line| line.split('|').collect()).collect();
        let padded =
            |cells: &[&str]| cells.iter().map(|cell| format!("{cell:>20} ")).collect::<String>() + "\n";
        let dashes = format!("{} ", "-".repeat(20)).repeat(9) + "\n";
        two(&[padded(&lines[0]), dashes, padded(&lines[1]), padded(&lines[2])].concat(), &plain);
        let (header, rows) = TABLE.split_once('\n').unwrap();
        let trace = two(&format!("{TABLE}{header}\n"), &plain);
        assert_eq!(trace.notes.counted("line", "that repeats the header: passed over"), 1, "joined dumps");
        let guessed = two(rows, &plain).notes.to_string();
        assert!(guessed.contains("JobID,?,State,Submit,Start,End,ElapsedRaw,ReqTRES,AllocTRES"), "{guessed}");
        let columns = header.split('|').map(str::to_owned).collect();
        let map = Mapping { columns, ..Mapping::default() };
        two(rows, &Options { map: &map, ..plain });
        let utf_16: Vec<u8> =
            std::iter::once(0xfeff).chain(TABLE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(read_bytes("s.txt", &utf_16, None, &plain).unwrap().workload.len(), 2, "UTF-16");
        let utf_16: Vec<u8> =
            std::iter::once(0xfeff).chain(TABLE.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(read_bytes("s.txt", &utf_16, None, &plain).unwrap().workload.len(), 2, "the other UTF-16");
    }

    #[test]
    fn free_text_is_put_together_where_that_is_certain() {
        let plain = Options::default();
        for name in ["\"big", "x|y", "x|COMPLETED|y", "x\ny", "x|y\nz|", "|"] {
            two(&TABLE.replace("1|a|", &format!("1|{name}|")), &plain);
        }
        // Two columns of free text side by side leave two ways.
        let twice = TABLE
            .replace("|JobName|", "|JobName|Comment|")
            .replace("1|a|", "1|a|b|c|")
            .replace("2|b|", "2|b||");
        let told = read_bytes("s.txt", twice.as_bytes(), None, &plain).unwrap_err().to_string();
        assert!(told.contains("leave out free-text columns"), "{told}");
        let options = Options { skip_bad_lines: true, ..plain };
        let Trace { workload, notes, .. } = read_bytes("s.txt", twice.as_bytes(), None, &options).unwrap();
        assert_eq!(workload.len(), 1, "{notes}");
        let notes = notes.to_string();
        assert!(
            notes.contains("1 line that cannot be read: left out") && notes.contains("s.txt:2: a line of"),
            "{notes}"
        );
    }

    #[test]
    fn what_was_given_is_told_beside_what_was_asked_for() {
        let line = |id: u32, asked: &str, held: &str| {
            format!(
                "{id}|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:0{id}:00|2026-01-01T01:00:00|60|{asked}|{held}|1|\n"
            )
        };
        let text =
            format!("{HEAD}{}{}", line(1, "gres/gpu=4", "gres/gpu=8"), line(3, "gres/gpu=2", "gres/gpu=2"));
        for (gpus_from, first, word) in
            [(GpusFrom::Requested, 4, "requested"), (GpusFrom::Allocated, 8, "allocated")]
        {
            let map = Mapping { gpus_from, ..Mapping::default() };
            let options = Options { map: &map, ..Options::default() };
            let Trace { workload, notes, .. } = read_bytes("s.txt", text.as_bytes(), None, &options).unwrap();
            assert_eq!([0, 1].map(|job| workload.request_of(job).gpus().ceil()), [first, 2], "{word}");
            let notes = notes.to_string();
            let differ =
                "1 of 2 jobs were given another number of GPUs than they asked for, 10 instead of 6 in all";
            assert!(notes.contains(differ) && notes.contains(word), "{notes}");
            assert!(notes.contains("recorded waits of 2 jobs: p50 1m00s, p95 3m00s, mean 2m00s"), "{notes}");
        }
    }

    #[test]
    fn words_of_a_site_are_mapped() {
        let map = Mapping {
            states: vec![StateWord { word: "Done".to_owned(), meaning: Meaning::Completed }],
            ..Mapping::default()
        };
        let text = b"JobID|State|Submit|ElapsedRaw\n1|DONE|2026-01-01T00:00:00|5\n";
        let told = read_bytes("s.txt", text, None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains("State `DONE`") && told.contains("map = { states ="), "{told}");
        let trace = read_bytes("s.txt", text, None, &Options { map: &map, ..Options::default() }).unwrap();
        assert_eq!(trace.workload.len(), 1, "mapped");
        assert!(trace.notes.to_string().contains("no GPUs are asked for anywhere"), "{}", trace.notes);
    }

    #[test]
    fn what_is_not_understood_is_counted_and_said() {
        let line = |id: &str, requested: &str, gres: &str| {
            format!("{id}|COMPLETED|2026-01-01T00:00:00|||60|{requested}||2|{gres}\n")
        };
        let text = [
            line("1", "cpu=8,gres/gpu:a100_1g.5gb=1", ""),
            line("2", "cpu=8,gres/mps=50", ""),
            line("3", "cpu=8,gres/shard=4", ""),
            line("4", "cpu=8,gres/nvme=1", "gpu:4"),
            line("5", "cpu=8", "PER_NODE:gpu:4"),
            line("6", "", "gres:gpu:8"),
            line("9_[1-3%2]", "gres/gpu=1", ""),
        ];
        let Trace { workload, notes, .. } = read(&text.concat());
        let gpus: Vec<_> = (0..9).map(|job| workload.request_of(job).gpus()).collect();
        let milli = [142, 500, 1000, 8000, 8000, 16_000, 1000, 1000, 1000];
        assert_eq!(gpus, milli.map(Gpus::from_milli), "{notes}");
        assert_eq!(workload.names.get(8), "9_3", "an array in one line");
        for note in [
            "1 request for MIG slices: read as their sevenths",
            "1 request for a share of a GPU (`gres/mps`)",
            "1 request for shards of a GPU (`gres/shard`)",
            "1 request for `gres/nvme`: not read",
            "3 jobs of arrays that are told in one line",
            "1 array with a limit to how many run at once (`%`): not kept",
        ] {
            assert!(
                notes.lines().iter().any(|line| line.starts_with(note)),
                "{note} is missing in:\n{notes}"
            );
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
