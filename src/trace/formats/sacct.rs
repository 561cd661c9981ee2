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

#[cfg(test)]
mod tests;

use super::ending;
use super::sacct_fields as fields;
use super::sacct_table;
use super::slurm::{self, Record};
use super::slurm_tres::{self, GpuAsk, Tres};
use crate::trace::intake::Intake;
use crate::trace::table::Table;
use crate::trace::{Format, Key, MapKey, field};
use crate::units::Gpus;
use crate::workload::Behaviour;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "sacct",
    about: "Slurm accounting, `sacct --parsable2`; columns in any order, of any delimiter or padded",
    keys: &[Key::Gpus],
    map_keys: &[MapKey::Columns, MapKey::States, MapKey::Platform, MapKey::GpusFrom, MapKey::ShardsPerGpu],
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
            gpus: intake.options.map.field(Key::Gpus).and_then(|name| table.column(name)),
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
        if let Some(name) = intake.options.map.field(Key::Gpus).filter(|_| columns.gpus.is_none()) {
            table.no_columns(&[name], intake);
            return None;
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
        if slurm::is_step(table.get(columns.id)) {
            intake.notes.count("job step", "dropped: the job itself is read", 1);
            continue;
        }
        let Some(record) = record(&table, &columns, intake) else { continue };
        if let Some(expected) = slurm::push(&record, behaviour, &mut arrays, intake).expected() {
            table.wrong(columns.id, expected, intake);
        }
    }
}

/// What a line says; `None` if it is wrong.
fn record<'t>(table: &'t Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<Record<'t>> {
    let state = ending::state(table.get(columns.state), intake);
    if state.is_none() {
        table.wrong_with(columns.state, ending::EXPECTED, ending::HINT, intake);
    }
    let id = table.text(columns.id, "", intake).filter(|_| !table.is_cut(columns.id));
    if id.is_none() {
        table.wrong(columns.id, "the whole id of a job", intake);
    }
    for column in
        [columns.tenant, columns.partition].into_iter().flatten().filter(|column| table.is_cut(*column))
    {
        let name = String::from_utf8_lossy(&table.columns[column]).into_owned();
        intake.notes.count(
            "job",
            &format!("whose {name} a narrow column cut off: those that begin alike are one"),
            1,
        );
    }
    let submit = table.instant(columns.submit, intake);
    let times = times(table, columns, intake);
    let resources = resources(table, columns, intake);
    let mut count = |column| table.told_whole(column, 1_000_000, intake);
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
    let mut instant = |column| table.told_instant(column, intake);
    let [eligible, start, end] = [columns.eligible, columns.start, columns.end].map(&mut instant);
    let mut length = |column, expected, parse: fn(&[u8]) -> Option<u32>| {
        table.told(column, expected, intake, |_, value| parse(value))
    };
    // The second of two columns counts where the first tells nothing.
    let elapsed = match length(columns.elapsed_raw, "seconds", fields::seconds) {
        Some(None) => length(columns.elapsed, "[days-]hours:minutes:seconds", fields::clock),
        told => told,
    };
    let limit = match length(columns.limit_raw, "minutes, or UNLIMITED", fields::minutes) {
        Some(None) => length(columns.limit, "[days-]hours:minutes:seconds, or UNLIMITED", fields::limit),
        told => told,
    };
    let (elapsed, limit) = (elapsed?.unwrap_or(0), limit?.unwrap_or(0));
    Some(Times { eligible: eligible?, start: start?, end: end?, elapsed, limit })
}

fn priority(table: &Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<i32> {
    let told = table.told(columns.priority, "a whole number", intake, |_, value| field::signed(value))?;
    Some(i32::try_from(told.unwrap_or(0)).unwrap_or(i32::MAX))
}

/// What was asked for, and what was given.
fn resources(table: &Table<'_>, columns: &Columns, intake: &mut Intake<'_>) -> Option<[Tres; 2]> {
    let [mut asked, mut held] = [Tres::default(), Tres::default()];
    for (column, requested) in columns.tres {
        let Some(column) = column else { continue };
        if table.is_cut(column) {
            table.wrong(column, slurm_tres::EXPECTED, intake);
            return None;
        }
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
