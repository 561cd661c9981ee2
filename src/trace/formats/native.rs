//! The columns of gigawatt's own formats, `csv` and `jsonl`, and what they mean.

#[cfg(test)]
mod tests;
pub(in crate::trace) mod write;

use super::cells::Cells;
use crate::error::{Place, Problem};
use crate::history::Outcome;
use crate::trace::field;
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::table::{INSTANT, LENGTH, whole};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Graph, JobKind, Overrun, Request, Running, Shape, Topology};
use std::collections::BTreeMap;
use std::ops::Range;

/// A column of the native formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NativeColumn {
    /// As the header, or the key of a JSON object, calls it.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
}

macro_rules! columns {
    ($($variant:ident $name:literal $about:literal)*) => {
        /// Where a column stands in [`COLUMNS`].
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Column { $($variant,)* }
        /// Every column that is read; only `submit_time`, `gpus` and `work_time` must be there.
        pub const COLUMNS: &[NativeColumn] = &[$(NativeColumn { name: $name, about: $about },)*];
        /// How many there are.
        pub(super) const COUNT: usize = COLUMNS.len();
    };
}

columns! {
    JobId "job_id" "name of the job; without it, the number of its row"
    Tenant "tenant" "who asks for it"
    Kind "kind" "pretrain, finetune, rl, eval, batch-inference, inference-service, data, other"
    Gpus "gpus" "GPUs in all pods together: whole, or a share of one (0.5)"
    PodGpus "pod_gpus" "GPUs of each pod, or `any`: as nodes have room"
    Pods "pods" "how many pods the GPUs are in, evenly"
    Cpu "cpu" "CPU cores of each pod, three decimals"
    MemoryMib "memory_mib" "memory of each pod, MiB"
    SubmitTime "submit_time" "seconds from the start, Unix seconds, or a date"
    WorkTime "work_time" "seconds of work on the reference platform; without the column, `run_time`"
    RunTime "run_time" "seconds it ran, where `work_time` is not told"
    RequestedTime "requested_time" "the user's estimate of `work_time`, seconds"
    Deadline "deadline" "seconds after `submit_time` in which it has to be done"
    Overrun "overrun" "past `requested_time`: extend (default) or kill"
    Priority "priority" "a whole number, higher goes first"
    Partition "partition" "name of the set of nodes it may use"
    Platforms "platforms" "platforms it may run on, names with `;`"
    Topology "topology" "rack: required, preferred (default) or none; or require-LEVEL, prefer-LEVEL"
    Segment "segment" "pods that must share a rack, in groups of this many"
    Preemptible "preemptible" "whether a policy may stop and restart it: true (default, but of an inference-service) or false"
    CheckpointInterval "checkpoint_interval" "seconds of work from one checkpoint to the next"
    CheckpointCost "checkpoint_cost" "seconds that writing one stalls it"
    RestartTime "restart_time" "seconds a start after a stop takes before work goes on"
    After "after" "ids of jobs that must succeed first, with `;`"
    AfterDelay "after_delay" "seconds it waits after the last of them"
    Graph "graph" "name of the job graph it belongs to"
    Outcome "outcome" "failed: its work ends in failure; cancelled: withdrawn at `cancel_time`"
    CancelTime "cancel_time" "when it is withdrawn if it has not started, like `submit_time`"
    FinishTime "finish_time" "of a cancelled job without a `cancel_time`: when it was withdrawn"
    ElapsedTime "elapsed_time" "it is running at time 0 and has worked for this many seconds"
    Nodes "nodes" "indices of the nodes it then holds: `n3-5;n9`"
    RecordedStartTime "recorded_start_time" "when it started where the jobs come from, like `submit_time`"
    Epoch "epoch" "Unix seconds of second 0, once in the file, where times are seconds from the start"
}

/// The place in [`COLUMNS`] of the column of that name.
pub(super) fn column(name: &[u8]) -> Option<usize> {
    COLUMNS.iter().position(|column| column.name.as_bytes() == name)
}

/// What is remembered from line to line.
#[derive(Default)]
pub(super) struct Reader {
    behaviour: Option<(Behaviour, u32)>,
    graphs: BTreeMap<String, Vec<u32>>,
}

impl Reader {
    /// Sets the intake up for what a format of one's own means.
    pub(super) fn new(intake: &mut Intake<'_>) -> Self {
        intake.strict_dependencies = true;
        Self::default()
    }

    /// Adds the job of a line.
    pub(super) fn row(&mut self, cells: &Cells<'_>, intake: &mut Intake<'_>) {
        let running = !cells.silent(Column::ElapsedTime, Column::ElapsedTime);
        epoch(cells, intake);
        let times = times(cells, running, intake);
        let request = request(cells, intake);
        let behaviour = behaviour(cells, intake);
        let tenant = cells.text(Column::Tenant, "default", intake);
        let id = cells.text(Column::JobId, "", intake);
        let ties = ties(cells, running, intake);
        let whole = "a whole number from -2147483648 to 2147483647";
        let priority = cells.read(Column::Priority, 0, whole, intake, |value, _| {
            field::signed(value).and_then(|value| i32::try_from(value).ok())
        });
        let (Some(times), Some(request), Some(behaviour)) = (times, request, behaviour) else { return };
        let (Some(tenant), Some(id), Some(ties), Some(priority)) = (tenant, id, ties, priority) else {
            return;
        };
        let Some(times) = times else { return };
        let draft = Draft {
            request: intake.builder.request(request),
            behaviour: self.behaviour(behaviour, intake),
            tenant: intake.builder.tenant(tenant),
            priority,
            ..times
        };
        let Some(job) = intake.push(draft, if id.is_empty() { Id::Row } else { Id::Text(id) }) else {
            return;
        };
        let Some(ties) = ties else { return };
        for before in ties.after.split(';').map(str::trim).filter(|before| !before.is_empty()) {
            intake.depends(job, before, ties.delay, cells.number);
        }
        if !ties.graph.is_empty() {
            self.graphs.entry(ties.graph.to_owned()).or_default().push(job);
        }
        if running {
            intake.builder.add_running(Running { job, nodes: ties.nodes });
        }
    }

    fn behaviour(&mut self, behaviour: Behaviour, intake: &mut Intake<'_>) -> u32 {
        match &self.behaviour {
            Some((known, index)) if *known == behaviour => *index,
            _ => {
                let index = intake.builder.behaviour(behaviour.clone());
                self.behaviour = Some((behaviour, index));
                index
            }
        }
    }

    /// Hands over what only the whole file tells.
    pub(super) fn finish(self, intake: &mut Intake<'_>) {
        for (name, jobs) in self.graphs {
            intake.builder.add_graph(Graph { name, jobs });
        }
    }
}

/// Takes over the date of second 0, which one line may tell for all.
fn epoch(cells: &Cells<'_>, intake: &mut Intake<'_>) {
    let told =
        cells.read(Column::Epoch, None, "Unix seconds", intake, |value, _| field::signed(value).map(Some));
    let Some(Some(told)) = told else { return };
    if intake.epoch.is_some_and(|known| known != told) {
        cells.wrong(Column::Epoch, "the same in every line that tells it", intake);
    }
    intake.epoch = Some(told);
}

/// What ties a job to others and to nodes; few lines say any of it.
struct Ties<'a> {
    after: &'a str,
    delay: Seconds,
    graph: &'a str,
    nodes: Vec<u32>,
}

fn ties<'a>(cells: &Cells<'a>, running: bool, intake: &mut Intake<'_>) -> Option<Option<Ties<'a>>> {
    if cells.silent(Column::After, Column::Graph) && cells.silent(Column::ElapsedTime, Column::Nodes) {
        return Some(None);
    }
    let after = cells.text(Column::After, "", intake);
    let graph = cells.text(Column::Graph, "", intake);
    let delay = cells.length(Column::AfterDelay, intake);
    let nodes =
        cells.read(Column::Nodes, Vec::new(), "indices of nodes like `n3-5;n9`", intake, |value, _| {
            node_indices(value)
        });
    let (after, graph, delay, nodes) = (after?, graph?, Seconds(delay?), nodes?);
    if !nodes.is_empty() && !running {
        cells.wrong(Column::Nodes, "`elapsed_time` beside it: only running jobs hold nodes", intake);
        return None;
    }
    Some(Some(Ties { after, delay, graph, nodes }))
}

/// The times and the end of a job; `Some(None)` if it is dropped.
fn times(cells: &Cells<'_>, running: bool, intake: &mut Intake<'_>) -> Option<Option<Draft>> {
    let submit = if running {
        Some(0) // The intake puts it at time 0.
    } else {
        cells.require(Column::SubmitTime, INSTANT, intake, |value, intake| intake.instant(value))
    };
    let work = if cells.get(Column::WorkTime).is_empty() { Column::RunTime } else { Column::WorkTime };
    let outcome = outcome(cells, intake);
    let never_ran =
        cells.get(work).is_empty() && outcome.is_some_and(|outcome| outcome != Outcome::Completed);
    let work = if never_ran {
        Some(0)
    } else {
        let named = if cells.get(work).is_empty() { Column::WorkTime } else { work };
        cells.require(named, LENGTH, intake, |value, intake| intake.length(value))
    };
    let requested = cells.length(Column::RequestedTime, intake);
    let deadline = cells.length(Column::Deadline, intake);
    intake.note_deadline(cells.get(Column::Deadline).is_empty(), deadline);
    let elapsed = cells.length(Column::ElapsedTime, intake);
    let (submit, outcome) = (submit?, outcome?);
    let patience = patience(cells, submit, outcome, intake)?;
    let wait = recorded_wait(cells, submit, running, intake)?;
    let (work, requested, deadline, elapsed) = (work?, requested?, deadline?, elapsed?);
    if never_ran && patience.is_none() {
        intake.notes.count("job", "that never ran, of unknown work: dropped", 1);
        return Some(None);
    }
    if outcome == Outcome::Timeout {
        intake.notes.count("job", "stopped at their requested time: run the time recorded", 1);
    }
    let left = |time: u32| if time == 0 { 0 } else { time.saturating_sub(elapsed).max(1) };
    let work = if never_ran { requested.max(1) } else { work };
    let draft = Draft {
        submit,
        work: if running { left(work).max(1) } else { work },
        requested: left(requested),
        deadline,
        patience,
        wait,
        fails: outcome == Outcome::Failed,
        running,
        ..Draft::default()
    };
    Some(Some(draft))
}

fn outcome(cells: &Cells<'_>, intake: &mut Intake<'_>) -> Option<Outcome> {
    const EXPECTED: &str =
        "an outcome: completed, failed, cancelled, timeout, unfinished, rejected, dependency-failed";
    cells.read(Column::Outcome, Outcome::Completed, EXPECTED, intake, |value, _| {
        Outcome::ALL.into_iter().find(|outcome| outcome.name().as_bytes() == value)
    })
}

/// After how many seconds a job is withdrawn, if it is.
fn patience(
    cells: &Cells<'_>,
    submit: u32,
    outcome: Outcome,
    intake: &mut Intake<'_>,
) -> Option<Option<u32>> {
    let column = match cells.get(Column::CancelTime) {
        b"" if outcome == Outcome::Cancelled => Column::FinishTime,
        b"" => return Some(None),
        _ => Column::CancelTime,
    };
    let time = cells.require(column, INSTANT, intake, |value, intake| intake.instant(value))?;
    let patience = time.checked_sub(submit);
    if patience.is_none() {
        cells.wrong(column, "a time not before `submit_time`", intake);
    }
    Some(Some(patience?))
}

/// How many seconds a job waited where it comes from, if that is told.
fn recorded_wait(
    cells: &Cells<'_>,
    submit: u32,
    running: bool,
    intake: &mut Intake<'_>,
) -> Option<Option<u32>> {
    const COLUMN: Column = Column::RecordedStartTime;
    if cells.silent(COLUMN, COLUMN) {
        return Some(None);
    }
    let start = cells.require(COLUMN, INSTANT, intake, |value, intake| intake.instant(value))?;
    let wait = start.checked_sub(submit).filter(|_| !running);
    if wait.is_none() {
        cells.wrong(COLUMN, "a time not before `submit_time`, and none beside `elapsed_time`", intake);
    }
    wait.map(Some)
}

fn request(cells: &Cells<'_>, intake: &mut Intake<'_>) -> Option<Request> {
    const SHARE: &str = "whole GPUs, or a share of one with three decimals";
    let right = |milli: &u32| *milli < 1000 || milli.is_multiple_of(1000);
    let gpus = cells
        .require(Column::Gpus, "GPUs, with at most three decimals", intake, |value, _| thousandths(value));
    if cells.silent(Column::PodGpus, Column::MemoryMib) && cells.silent(Column::Partition, Column::Segment) {
        let Some(Shape::Any { gpus_milli }) = shape(cells, gpus?, None, None, intake) else { return None };
        return Some(Request::gang(Gpus::from_milli(gpus_milli)));
    }
    let each = cells.read(Column::PodGpus, None, SHARE, intake, |value, _| {
        if value == b"any" { Some(None) } else { thousandths(value).filter(right).map(Some) }
    });
    let pods = cells.read(Column::Pods, None, "a whole number from 1", intake, |value, _| {
        whole(value).filter(|pods| *pods > 0).map(Some)
    });
    let cpu = cells
        .read(Column::Cpu, 0, "cores, with at most three decimals", intake, |value, _| thousandths(value));
    let memory = cells.read(Column::MemoryMib, 0, "a whole number of MiB", intake, |value, _| whole(value));
    let segment = cells.read(Column::Segment, 0, "a whole number of pods", intake, |value, _| whole(value));
    let wish = cells.read(Column::Topology, Topology::default(), TOPOLOGIES, intake, topology);
    let platforms = cells.text(Column::Platforms, "", intake);
    let partition = cells.text(Column::Partition, "", intake);
    let shape = shape(cells, gpus?, each?, pods?, intake)?;
    let platforms = platforms?.split(';').map(str::trim).filter(|name| !name.is_empty());
    Some(Request {
        shape,
        cpu_milli: cpu?,
        memory_mib: memory?,
        platforms: intake.platforms(platforms),
        partition: partition.map(|name| if name.is_empty() { 0 } else { intake.builder.partition(name) })?,
        topology: wish?,
        segment: segment?,
        licences: Vec::new(),
    })
}

const TOPOLOGIES: &str = "`required`, `preferred`, `none`, or `require-` or `prefer-` and a level";

fn topology(value: &[u8], intake: &mut Intake<'_>) -> Option<Topology> {
    match value {
        b"required" => Some(Topology::RequireRack),
        b"preferred" => Some(Topology::PreferRack),
        b"none" => Some(Topology::Ignore),
        word => Topology::of_word(str::from_utf8(word).ok()?, |name| Some(intake.builder.level(name))),
    }
}

/// GPUs, their pods and how many each has must agree.
fn shape(
    cells: &Cells<'_>,
    gpus: u32,
    each: Option<u32>,
    pods: Option<u32>,
    intake: &mut Intake<'_>,
) -> Option<Shape> {
    let right = |milli: u32| milli < 1000 || milli.is_multiple_of(1000);
    let wrong = |column: Column, expected: String, intake: &mut Intake<'_>| {
        cells.wrong(column, &expected, intake);
        None
    };
    let total = Gpus::from_milli(gpus);
    match (each, pods) {
        (None, None) if right(gpus) => Some(Shape::Any { gpus_milli: gpus }),
        (None, None) => wrong(Column::Gpus, "whole GPUs above one, or `pods` to share them".into(), intake),
        (None, Some(count)) => {
            let gpus_milli_each = gpus / count;
            if gpus_milli_each * count != gpus || !right(gpus_milli_each) {
                return wrong(Column::Pods, format!("a number that divides {total} GPUs"), intake);
            }
            Some(Shape::Pods { count, gpus_milli_each })
        }
        (Some(0), pods) if gpus == 0 => Some(Shape::Pods { count: pods.unwrap_or(1), gpus_milli_each: 0 }),
        (Some(gpus_milli_each), pods) => {
            let count = gpus.checked_div(gpus_milli_each).unwrap_or(0);
            let agree = count > 0 && gpus_milli_each.checked_mul(count) == Some(gpus);
            if !agree || pods.is_some_and(|pods| pods != count) {
                let beside = pods.map_or(String::new(), |pods| format!(" in {pods} pods"));
                return wrong(Column::PodGpus, format!("GPUs that make up {total}{beside}"), intake);
            }
            Some(Shape::Pods { count, gpus_milli_each })
        }
    }
}

fn behaviour(cells: &Cells<'_>, intake: &mut Intake<'_>) -> Option<Behaviour> {
    let kind = cells.get(Column::Kind);
    let found = if kind.is_empty() {
        Some(JobKind::default())
    } else {
        JobKind::ALL.into_iter().find(|known| known.name().as_bytes() == kind)
    };
    if found.is_none() {
        let given = String::from_utf8_lossy(&kind[..kind.len().min(80)]).into_owned();
        let (number, line) = (cells.number, cells.line);
        intake.bad_line(number, |file| {
            Problem::new(format!("unknown kind `{given}`"))
                .at(Place::part(file, number, line, kind))
                .hint_nearest(&given, JobKind::ALL.map(JobKind::name))
        });
    }
    if cells.silent(Column::Overrun, Column::Overrun)
        && cells.silent(Column::Preemptible, Column::RestartTime)
    {
        return Some(Behaviour::of(found?));
    }
    let overrun =
        cells.read(Column::Overrun, Overrun::Extend, "`extend` or `kill`", intake, |value, _| match value {
            b"extend" => Some(Overrun::Extend),
            b"kill" => Some(Overrun::Kill),
            _ => None,
        });
    let usual = found.is_none_or(JobKind::is_preemptible);
    let preemptible =
        cells.read(Column::Preemptible, usual, "`true` or `false`", intake, |value, _| match value {
            b"true" | b"True" | b"1" | b"yes" => Some(true),
            b"false" | b"False" | b"0" | b"no" => Some(false),
            _ => None,
        });
    let interval = cells.length(Column::CheckpointInterval, intake);
    let cost = cells.length(Column::CheckpointCost, intake);
    let restart = cells.length(Column::RestartTime, intake);
    Some(Behaviour {
        kind: found?,
        overrun: overrun?,
        preemptible: preemptible?,
        checkpoint_interval: Seconds(interval?),
        checkpoint_cost: Seconds(cost?),
        restart_time: Seconds(restart?),
        ..Behaviour::default()
    })
}

/// A number with at most three decimals, in thousandths.
pub(in crate::trace) fn thousandths(bytes: &[u8]) -> Option<u32> {
    match field::count(bytes) {
        Some(count) => count.checked_mul(1000),
        None => std::str::from_utf8(bytes).ok()?.parse::<Gpus>().ok().map(Gpus::milli),
    }
}

/// `n3-5;n9`, or `3-5;9`: the indices it stands for, ascending, none twice.
fn node_indices(bytes: &[u8]) -> Option<Vec<u32>> {
    /// More nodes than any cluster has that a job could hold.
    const MOST: u32 = 1 << 24;
    let mut nodes = Vec::new();
    for part in bytes.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty()) {
        let part = part.strip_prefix(b"n").unwrap_or(part);
        let range: Range<u32> = match part.iter().position(|byte| *byte == b'-') {
            Some(dash) => field::count(&part[..dash])?..field::count(&part[dash + 1..])?.checked_add(1)?,
            None => field::count(part)?..field::count(part)?.checked_add(1)?,
        };
        if range.is_empty() || range.end > MOST {
            return None;
        }
        nodes.extend(range);
        if nodes.len() > MOST as usize {
            return None;
        }
    }
    nodes.sort_unstable();
    let count = nodes.len();
    nodes.dedup();
    (nodes.len() == count).then_some(nodes)
}
