//! A workload as gigawatt's own CSV, JSON lines or Parquet: everything that a trace can say of it.

mod columns;

use super::{COLUMNS, Column};
use crate::error::{Error, Place, Problem};
use crate::trace::{Options, read_bytes};
use crate::units::{Gpus, Seconds, Time};
use crate::workload::{
    Behaviour, Job, JobKind, Overrun, PlatformSet, Request, Running, Shape, Topology, Workload,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// Which of its own formats gigawatt writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativeForm {
    /// Rows under a header.
    Csv,
    /// An object of JSON a line.
    JsonLines,
    /// The columns of the CSV, typed and packed.
    Parquet,
}

impl NativeForm {
    /// The format that the ending of a file's name asks for.
    ///
    /// ```
    /// use gigawatt::trace::NativeForm;
    /// assert_eq!(NativeForm::of("jobs.jsonl".as_ref())?, NativeForm::JsonLines);
    /// assert!(NativeForm::of("jobs.xlsx".as_ref()).is_err());
    /// # Ok::<(), gigawatt::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// None does.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::JsonLines),
            "parquet" => Ok(Self::Parquet),
            other => {
                let message = format!("no format that can be written ends in `.{other}`");
                let problem = Problem::new(message).at(Place::file(path.display().to_string()));
                Err(problem.hint("`.csv`, `.jsonl` and `.parquet` can").into())
            }
        }
    }
    /// The name of the format that reads it back; Parquet is read as the CSV that it holds.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv | Self::Parquet => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Writes a workload; `platforms` are the names of those that its requests mean. Columns that say nothing of any job are
/// left out.
///
/// ```
/// use gigawatt::trace::{NativeForm, Options, read_bytes, write_native};
/// let log = b"1 0 7 222 80 -1 -1 80 14400 -1 1 1 1 -1 1 -1 -1 -1\n";
/// let workload = read_bytes("one.swf", log, None, &Options::default())?.workload;
/// let mut text = Vec::new();
/// write_native(&workload, &[], NativeForm::Csv, &mut text).unwrap();
/// assert_eq!(
///     String::from_utf8_lossy(&text),
///     "job_id,tenant,gpus,submit_time,work_time,requested_time,recorded_start_time\n1,user1,80,0,222,14400,7\n"
/// );
/// # Ok::<(), gigawatt::error::Error>(())
/// ```
///
/// # Errors
/// Whatever `out` says.
pub fn write_native(
    workload: &Workload,
    platforms: &[String],
    form: NativeForm,
    out: &mut dyn Write,
) -> io::Result<()> {
    let ties = Ties::of(workload);
    let lines = || (0..workload.len()).map(|job| Line::of(workload, platforms, &ties, job));
    let says = |(column, cell): &&(Column, Told)| {
        is_required(*column) || lines().any(|line| !matches!(cell(&line), Cell::Nothing))
    };
    let told: Vec<(Column, Told)> = TOLD.iter().filter(says).copied().collect();
    let columns: Vec<(&str, Told)> =
        told.iter().map(|(column, cell)| (COLUMNS[*column as usize].name, *cell)).collect();
    match form {
        NativeForm::Parquet => columns::write(&told, &lines().collect::<Vec<_>>(), out),
        NativeForm::Csv => {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(columns.iter().map(|(name, _)| name))?;
            let mut row = csv::ByteRecord::new();
            for line in lines() {
                row.clear();
                for (_, cell) in &columns {
                    row.push_field(cell(&line).text().as_bytes());
                }
                table.write_byte_record(&row)?;
            }
            table.flush()
        }
        NativeForm::JsonLines => {
            for line in lines() {
                serde_json::to_writer(&mut *out, &Object { line: &line, columns: &columns })?;
                out.write_all(b"\n")?;
            }
            Ok(())
        }
    }
}

/// What is lost when a workload is written and read again, one phrase each; nothing, as a rule.
///
/// # Errors
/// What was written cannot be read.
pub fn lost_in_native(
    workload: &Workload,
    written: &[u8],
    options: &Options<'_>,
) -> Result<Vec<String>, Error> {
    let back = read_bytes("what was written", written, None, options)?.workload;
    let jobs = workload.jobs.iter().zip(&back.jobs).filter(|(job, other)| job != other).count();
    let parts = [
        (workload.jobs.len() != back.jobs.len(), "the number of jobs"),
        (workload.names != back.names, "what jobs are called"),
        (workload.tenants != back.tenants, "tenants"),
        (workload.partitions != back.partitions, "partitions"),
        (workload.levels != back.levels, "levels"),
        (workload.requests != back.requests, "what jobs ask for"),
        (workload.behaviours != back.behaviours, "how jobs behave"),
        (workload.dependencies != back.dependencies, "dependencies"),
        (workload.graphs != back.graphs, "job graphs"),
        (workload.running != back.running, "jobs that are running at the start"),
        (workload.recorded_starts != back.recorded_starts, "recorded starts"),
        (workload.epoch != back.epoch, "the date of the start"),
    ];
    let mut lost: Vec<String> = parts.iter().filter(|part| part.0).map(|part| part.1.to_owned()).collect();
    if jobs > 0 {
        lost.push(format!("something about {jobs} of {} jobs", workload.jobs.len()));
    }
    Ok(lost)
}

/// What jobs say of other jobs and of nodes.
struct Ties<'a> {
    /// (after, before, delay), ascending.
    edges: Vec<(u32, u32, Seconds)>,
    /// By job: its graph, where there are any.
    graphs: Vec<Option<&'a str>>,
    /// Whether jobs are called by their row numbers, since a name is needed that no list can hold.
    numbered: bool,
}

impl<'a> Ties<'a> {
    fn of(workload: &'a Workload) -> Self {
        let edges = workload.dependencies.edges().map(|(before, after, delay)| (after, before, delay));
        let mut edges: Vec<_> = edges.collect();
        edges.sort_unstable();
        let mut graphs = vec![None; if workload.graphs.is_empty() { 0 } else { workload.jobs.len() }];
        for graph in &workload.graphs {
            for job in &graph.jobs {
                graphs[*job as usize] = Some(graph.name.as_str());
            }
        }
        let numbered = edges.iter().any(|(_, before, _)| {
            let name = workload.names.get(*before as usize);
            name.contains(';') || name.trim() != name
        });
        Self { edges, graphs, numbered }
    }
    /// What comes before a job.
    fn before(&self, job: u32) -> &[(u32, u32, Seconds)] {
        let start = self.edges.partition_point(|edge| edge.0 < job);
        let own = self.edges[start..].partition_point(|edge| edge.0 == job);
        &self.edges[start..start + own]
    }
}

/// One job on its way to the file.
struct Line<'a> {
    workload: &'a Workload,
    platforms: &'a [String],
    ties: &'a Ties<'a>,
    index: u32,
    job: &'a Job,
    request: &'a Request,
    behaviour: &'a Behaviour,
    running: Option<&'a Running>,
}

impl<'a> Line<'a> {
    fn of(workload: &'a Workload, platforms: &'a [String], ties: &'a Ties<'a>, index: u32) -> Self {
        let job = &workload.jobs[index as usize];
        let running = workload.running.binary_search_by_key(&index, |running| running.job).ok();
        Self {
            workload,
            platforms,
            ties,
            index,
            job,
            request: workload.request_of(index),
            behaviour: workload.behaviour_of(index),
            running: running.map(|at| &workload.running[at]),
        }
    }
    fn name(&self, job: u32) -> Cow<'a, str> {
        if self.ties.numbered { (job + 1).to_string().into() } else { self.workload.names.get(job as usize) }
    }
}

/// What a job says in a column.
enum Cell<'a> {
    Nothing,
    Number(i64),
    /// Thousandths.
    Milli(u32),
    Text(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
    /// Ascending.
    Indices(&'a [u32]),
}

impl Cell<'_> {
    /// As a cell of a table.
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Nothing => "".into(),
            Self::Number(number) => itoa::Buffer::new().format(*number).to_owned().into(),
            Self::Milli(milli) => Gpus::from_milli(*milli).to_string().into(),
            Self::Text(text) => text.as_ref().into(),
            Self::List(items) => items.join(";").into(),
            Self::Indices(indices) => ranges(indices).into(),
        }
    }
}

/// As a value of JSON.
impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Milli(milli) if milli.is_multiple_of(1000) => serializer.serialize_u32(milli / 1000),
            Self::Milli(milli) => serializer.serialize_f64(f64::from(*milli) / 1000.0),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Indices(indices) => serializer.serialize_str(&ranges(indices)),
        }
    }
}

struct Object<'a> {
    line: &'a Line<'a>,
    columns: &'a [(&'static str, Told)],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, cell) in self.columns {
            let cell = cell(self.line);
            if !matches!(cell, Cell::Nothing) {
                map.serialize_entry(name, &cell)?;
            }
        }
        map.end()
    }
}

type Told = for<'a> fn(&Line<'a>) -> Cell<'a>;

const fn is_required(column: Column) -> bool {
    matches!(column, Column::JobId | Column::Tenant | Column::Gpus | Column::SubmitTime | Column::WorkTime)
}

fn seconds<'a>(seconds: Seconds) -> Cell<'a> {
    Cell::Number(seconds.0.into())
}
/// Nothing where it is what readers take for nothing.
fn unless_zero<'a>(number: u32) -> Cell<'a> {
    if number == 0 { Cell::Nothing } else { Cell::Number(number.into()) }
}
fn instant<'a>(time: Time) -> Cell<'a> {
    if time == Time::NEVER { Cell::Nothing } else { Cell::Number(time.0.into()) }
}
fn word<'a>(word: &'static str, tells: bool) -> Cell<'a> {
    if tells { Cell::Text(word.into()) } else { Cell::Nothing }
}

/// What is told in which column, in the order of the columns; all of them but those that stand for another.
const TOLD: &[(Column, Told)] = &[
    (Column::JobId, |line| Cell::Text(line.name(line.index))),
    (Column::Tenant, |line| Cell::Text(line.workload.tenants[line.job.tenant as usize].name.as_str().into())),
    (Column::Kind, |line| word(line.behaviour.kind.name(), line.behaviour.kind != JobKind::default())),
    (Column::Gpus, |line| Cell::Milli(line.request.gpus().milli())),
    (Column::PodGpus, |line| match line.request.shape {
        Shape::Any { .. } => Cell::Nothing,
        Shape::Pods { gpus_milli_each, .. } => Cell::Milli(gpus_milli_each),
    }),
    (Column::Pods, |line| match line.request.shape {
        Shape::Any { .. } => Cell::Nothing,
        Shape::Pods { count, .. } => Cell::Number(count.into()),
    }),
    (Column::Cpu, |line| match line.request.cpu_milli {
        0 => Cell::Nothing,
        milli => Cell::Milli(milli),
    }),
    (Column::MemoryMib, |line| unless_zero(line.request.memory_mib)),
    (Column::SubmitTime, |line| instant(line.job.submit_time)),
    (Column::WorkTime, |line| seconds(line.job.work_time)),
    (Column::RequestedTime, |line| seconds(line.job.requested_time)),
    (Column::Deadline, |line| match line.job.deadline {
        Seconds::FOREVER => Cell::Nothing,
        deadline => seconds(deadline),
    }),
    (Column::Overrun, |line| word("kill", line.behaviour.overrun == Overrun::Kill)),
    (Column::Priority, |line| match line.job.priority {
        0 => Cell::Nothing,
        priority => Cell::Number(priority.into()),
    }),
    (Column::Partition, |line| match line.request.partition {
        0 => Cell::Nothing,
        index => Cell::Text(line.workload.partitions[index as usize].as_str().into()),
    }),
    (Column::Platforms, platforms),
    (Column::Topology, |line| match line.request.topology {
        Topology::PreferRack => Cell::Nothing,
        Topology::Ignore => Cell::Text("none".into()),
        Topology::RequireRack => Cell::Text("required".into()),
        level => Cell::Text(level.word(&line.workload.levels).into()),
    }),
    (Column::Segment, |line| unless_zero(line.request.segment)),
    (Column::Preemptible, |line| {
        let own = line.behaviour.preemptible;
        word(if own { "true" } else { "false" }, own != line.behaviour.kind.is_preemptible())
    }),
    (Column::CheckpointInterval, |line| unless_zero(line.behaviour.checkpoint_interval.0)),
    (Column::CheckpointCost, |line| unless_zero(line.behaviour.checkpoint_cost.0)),
    (Column::RestartTime, |line| unless_zero(line.behaviour.restart_time.0)),
    (Column::After, |line| match line.ties.before(line.index) {
        [] => Cell::Nothing,
        edges => Cell::List(edges.iter().map(|edge| line.name(edge.1)).collect()),
    }),
    (Column::AfterDelay, |line| {
        // A reader gives every edge of a job the same delay.
        unless_zero(line.ties.before(line.index).iter().map(|edge| edge.2.0).max().unwrap_or(0))
    }),
    (Column::Graph, |line| match line.ties.graphs.get(line.index as usize) {
        Some(Some(name)) => Cell::Text((*name).into()),
        _ => Cell::Nothing,
    }),
    (Column::Outcome, |line| word("failed", line.job.fails)),
    (Column::CancelTime, |line| instant(line.job.cancel_time)),
    (Column::ElapsedTime, |line| line.running.map_or(Cell::Nothing, |_| Cell::Number(0))),
    (Column::Nodes, |line| match line.running {
        Some(running) if !running.nodes.is_empty() => Cell::Indices(&running.nodes),
        _ => Cell::Nothing,
    }),
    (Column::RecordedStartTime, |line| {
        line.workload.recorded_start(line.index).map_or(Cell::Nothing, instant)
    }),
    (Column::Epoch, |line| match line.workload.epoch {
        Some(epoch) if line.index == 0 => Cell::Number(epoch),
        _ => Cell::Nothing,
    }),
];

fn platforms<'a>(line: &Line<'a>) -> Cell<'a> {
    let set = line.request.platforms;
    if set == PlatformSet::ALL {
        return Cell::Nothing;
    }
    let named = line.platforms.iter().enumerate().filter(|(index, _)| set.contains(*index));
    Cell::List(named.map(|(_, name)| name.as_str().into()).collect())
}

/// Ascending indices as `n3-5;n9`, which no reader takes for a number.
fn ranges(indices: &[u32]) -> String {
    let mut text = String::new();
    for run in indices.chunk_by(|a, b| a + 1 == *b) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let part = if first == last { format!("n{first}") } else { format!("n{first}-{last}") };
        text.push_str(if text.is_empty() { "" } else { ";" });
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_is_read_is_written() {
        let written: Vec<&str> = TOLD.iter().map(|(column, _)| COLUMNS[*column as usize].name).collect();
        let stands_for_another = ["run_time", "finish_time"];
        let read = COLUMNS.iter().map(|column| column.name).filter(|name| !stands_for_another.contains(name));
        assert_eq!(written, read.collect::<Vec<_>>(), "in the same order");
    }

    #[test]
    fn indices_become_ranges() {
        for (indices, text) in [(vec![], ""), (vec![7], "n7"), (vec![0, 1, 2, 5, 7, 8], "n0-2;n5;n7-8")] {
            assert_eq!(ranges(&indices), text, "{indices:?}");
        }
    }

    #[test]
    fn what_a_list_cannot_hold_is_told() {
        let text = b"{\"job_id\":\"a;b\",\"gpus\":1,\"submit_time\":0,\"work_time\":5}\n\
            {\"job_id\":\"c\",\"gpus\":1,\"submit_time\":0,\"work_time\":5}\n";
        let mut workload = read_bytes("t.jsonl", text, None, &Options::default()).unwrap().workload;
        let lost = |workload: &Workload| {
            let mut written = Vec::new();
            write_native(workload, &[], NativeForm::Csv, &mut written).unwrap();
            lost_in_native(workload, &written, &Options::default()).unwrap()
        };
        assert!(lost(&workload).is_empty(), "a name may hold anything");
        let mut graph = crate::workload::JobGraph::default();
        graph.add(0, 1, Seconds(5));
        workload.dependencies = graph.compile(2).unwrap();
        assert_eq!(lost(&workload), ["what jobs are called"], "but not in a list");
        workload.behaviours[0].max_delay = Some(Seconds(60));
        workload.epoch = Some(7);
        assert_eq!(lost(&workload), ["what jobs are called", "how jobs behave"], "no column for that");
    }
}
