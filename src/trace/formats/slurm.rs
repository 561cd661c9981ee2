//! A job of Slurm's accounting, whichever way it was printed.

use super::ending::{self, Ending, Evidence, note_backwards};
use super::slurm_tres::{GpuAsk, Tres};
use crate::trace::field;
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::{GpusFrom, Meaning};
use crate::units::Gpus;
use crate::workload::{Request, Shape};
use memchr::memchr;

/// What a line or an object says of a job.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub id: &'a str,
    pub state: Meaning,
    pub submit: u32,
    pub eligible: Option<u32>,
    pub start: Option<u32>,
    pub end: Option<u32>,
    pub elapsed: u32,
    /// The limit of its time, seconds; 0: none.
    pub limit: u32,
    /// Whether anything was allocated to it.
    pub allocated: bool,
    /// What it asked for.
    pub asked: Tres,
    /// What it was given.
    pub held: Tres,
    pub nodes: u32,
    pub cpus: u32,
    pub tenant: &'a str,
    pub partition: &'a str,
    pub priority: i32,
}

/// The most jobs that lines of arrays may stand for in a file.
const ARRAY_MAX: u64 = 1_000_000;

/// What came of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    Done,
    /// More jobs in arrays than are read.
    TooMany,
    /// The tasks of an array that cannot be counted.
    Unreadable,
}

impl Pushed {
    /// What an id should have been instead.
    pub(super) const fn expected(self) -> Option<&'static str> {
        match self {
            Self::Done => None,
            Self::TooMany => Some("arrays of at most 1,000,000 jobs in all"),
            Self::Unreadable => Some("an array such as `9_[1-10%4]` or `9_[1,3,5-7]`"),
        }
    }
}

/// Whether an id is that of a step of a job: a dot, but for those of a list of tasks that Slurm has cut off.
pub(super) fn is_step(id: &[u8]) -> bool {
    let outside = |part: &[u8]| memchr(b'.', part).is_some();
    if !outside(id) {
        return false;
    }
    match (memchr(b'[', id), memchr(b']', id)) {
        (Some(open), Some(close)) if open < close => outside(&id[..open]) || outside(&id[close..]),
        (Some(open), None) => outside(&id[..open]),
        _ => outside(id),
    }
}

/// Adds the job of a record, or the jobs of an array; `arrays` counts the latter over the file.
pub(super) fn push(record: &Record<'_>, behaviour: u32, arrays: &mut u64, intake: &mut Intake<'_>) -> Pushed {
    let array = match Array::of(record.id) {
        Ok(array) => array,
        Err(pushed) => return pushed,
    };
    let many = array.as_ref().map_or(1, |array| array.tasks.len() as u64);
    if array.is_some() {
        *arrays = arrays.saturating_add(many);
        if *arrays > ARRAY_MAX {
            return Pushed::TooMany;
        }
    }
    for _ in 1..many {
        // Whatever is noted of a line is true of each of its jobs.
        let _ = draft(record, behaviour, intake);
    }
    let Some(draft) = draft(record, behaviour, intake) else { return Pushed::Done };
    if memchr(b'+', record.id.as_bytes()).is_some() {
        intake.notes.count("component", "of heterogeneous jobs: jobs of their own", 1);
    }
    let Some(array) = array else {
        intake.push(draft, if record.id.is_empty() { Id::Row } else { Id::Text(record.id) });
        return Pushed::Done;
    };
    intake.notes.count("job", "of arrays that are told in one line", many);
    if array.throttled {
        intake.notes.count("array", "with a limit to how many run at once (`%`): not kept", 1);
    }
    if array.cut {
        intake.notes.count("array", "whose list of tasks is cut off (`...`): those told are read", 1);
    }
    for task in array.tasks {
        intake.push(draft, Id::Text(&format!("{}_{task}", array.base)));
    }
    Pushed::Done
}

/// An array in one line: `9_[1-10%4]`, `9_[1,3,5-7]`, `9_[0-8:2]`.
#[derive(Debug, PartialEq, Eq)]
struct Array<'a> {
    base: &'a str,
    tasks: Vec<u32>,
    throttled: bool,
    /// Whether Slurm has left tasks out of the list.
    cut: bool,
}

impl<'a> Array<'a> {
    /// None if the id is not one of an array.
    ///
    /// # Errors
    /// Its tasks cannot be counted, or are too many.
    fn of(id: &'a str) -> Result<Option<Self>, Pushed> {
        // Most ids have no bracket.
        let bracket = memchr(b'[', id.as_bytes());
        let Some((base, rest)) = bracket.and_then(|_| id.split_once("_[")) else { return Ok(None) };
        let inside = rest.split(']').next().unwrap_or_default();
        let (list, limit) =
            inside.split_once('%').map_or((inside, None), |(list, limit)| (list, Some(limit)));
        let mut tasks = Vec::new();
        let cut = list.ends_with("...");
        let list = list.strip_suffix("...").unwrap_or(list).trim_end_matches(['-', ',']);
        for part in list.split(',').filter(|part| !part.is_empty()) {
            let (first, last, step) = range(part).ok_or(Pushed::Unreadable)?;
            let more = u64::from((last - first) / step) + 1;
            if tasks.len() as u64 + more > ARRAY_MAX {
                return Err(Pushed::TooMany);
            }
            tasks.extend((first..=last).step_by(step as usize));
        }
        if tasks.is_empty() {
            return Err(Pushed::Unreadable);
        }
        Ok(Some(Self { base, tasks, throttled: limit.is_some(), cut }))
    }
}

/// The first and the last task of a range such as `3`, `5-7` or `0-8:2`, and the step.
fn range(part: &str) -> Option<(u32, u32, u32)> {
    let number = |text: &str| field::count(text.as_bytes());
    let (range, step) = part.split_once(':').unwrap_or((part, "1"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last, step) = (number(first)?, number(last)?, number(step)?.max(1));
    (first <= last).then_some((first, last, step))
}

/// The job of a record; `None` if it is dropped.
fn draft(record: &Record<'_>, behaviour: u32, intake: &mut Intake<'_>) -> Option<Draft> {
    note_backwards(record.submit, record.start, record.end, intake);
    let held = record.eligible.filter(|eligible| *eligible > record.submit);
    let submit = held.unwrap_or(record.submit);
    let between = record.start.zip(record.end).and_then(|(start, end)| end.checked_sub(start)).unwrap_or(0);
    let elapsed = if record.elapsed > 0 { record.elapsed } else { between };
    let evidence = Evidence { submit, end: record.end, started: elapsed > 0 || record.allocated };
    let ending = ending::ending(record.state, evidence, intake)?;
    if held.is_some() {
        intake.notes.count(
            "job",
            "eligible later than submitted (held, or after another job): submit_time = Eligible",
            1,
        );
    }
    let tenant = intake.builder.tenant(if record.tenant.is_empty() { "default" } else { record.tenant });
    let request = request(record, intake);
    let mut draft = Draft {
        submit,
        work: elapsed,
        requested: record.limit,
        wait: record.start.and_then(|start| start.checked_sub(submit)),
        request: intake.builder.request(request),
        behaviour,
        tenant,
        priority: record.priority,
        ..Draft::default()
    };
    match ending {
        Ending::Ran { fails } => draft.fails = fails,
        Ending::Left(patience) => {
            draft.patience = Some(patience);
            draft.work = draft.requested.max(1);
        }
    }
    Some(draft)
}

fn request(record: &Record<'_>, intake: &mut Intake<'_>) -> Request {
    let (asked, held) = (&record.asked, &record.held);
    // What the first does not tell, the second does.
    let (first, second) = match intake.options.map.gpus_from {
        GpusFrom::Requested => (asked, held),
        GpusFrom::Allocated => (held, asked),
    };
    let nodes = record.nodes.max(first.nodes.or(second.nodes).unwrap_or(0)).max(1);
    if let (Some(asked), Some(held)) = (&asked.gpus, &held.gpus) {
        intake.compare(milli(asked, nodes), milli(held, nodes));
    }
    let cpus = first.cpus.or(second.cpus).unwrap_or(record.cpus);
    let none = GpuAsk::default();
    let gpus = first.gpus.as_ref().or(second.gpus.as_ref()).unwrap_or(&none);
    note(gpus, first.others.iter().chain(&second.others), intake);
    let (shape, parts) = shape(gpus, nodes);
    let name = record.partition.split(',').next().unwrap_or_default().trim();
    let partition = if name.is_empty() { 0 } else { intake.builder.partition(name) };
    let platforms = intake.platforms(gpus.kinds.iter().map(String::as_str));
    Request {
        shape,
        cpu_milli: cpus.div_ceil(parts).saturating_mul(1000),
        memory_mib: first.memory_mib.or(second.memory_mib).unwrap_or(0).div_ceil(parts),
        platforms,
        partition,
        ..Request::gang(Gpus::ZERO)
    }
}

/// Says what was assumed of the GPUs asked for, and what was not read.
fn note<'o>(asked: &GpuAsk, others: impl Iterator<Item = &'o String>, intake: &mut Intake<'_>) {
    if let Some(assumed) = asked.assumed {
        intake.notes.count("request", assumed, 1);
    }
    if asked.kinds.len() > 1 {
        intake.notes.count("request", "for GPUs of several types at once: any of them will do", 1);
    }
    let mut said: Vec<&str> = Vec::new();
    for other in others.map(|other| other.split(':').next().unwrap_or_default()) {
        if !said.contains(&other) {
            said.push(other);
            intake.notes.count("request", &format!("for `gres/{other}`: not read"), 1);
        }
    }
}

/// Thousandths of a GPU that are asked for in all.
fn milli(asked: &GpuAsk, nodes: u32) -> u64 {
    let each = u64::from(asked.count) * u64::from(asked.each_milli);
    if asked.per_node { each.saturating_mul(u64::from(nodes)) } else { each }
}

/// The shape of a request, and among how many pods what it has of a host is split.
fn shape(asked: &GpuAsk, nodes: u32) -> (Shape, u32) {
    let total = if asked.per_node { asked.count.saturating_mul(nodes) } else { asked.count };
    let total = total.min(Gpus::MAX_WHOLE);
    if total == 0 {
        return (Shape::Pods { count: nodes, gpus_milli_each: 0 }, nodes);
    }
    if asked.each_milli < 1000 {
        let shape = match total {
            1 => Shape::Any { gpus_milli: asked.each_milli },
            count => Shape::Pods { count, gpus_milli_each: asked.each_milli },
        };
        return (shape, total);
    }
    if nodes > 1 && total.is_multiple_of(nodes) {
        return (Shape::Pods { count: nodes, gpus_milli_each: total / nodes * 1000 }, nodes);
    }
    (Shape::Any { gpus_milli: total * 1000 }, nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_as_many_jobs() {
        let tasks = |id: &'static str| {
            Array::of(id).map(|array| array.map(|array| (array.base, array.tasks, array.throttled)))
        };
        let nine = |tasks: &[u32], throttled| Ok(Some(("9", tasks.to_vec(), throttled)));
        assert_eq!(tasks("9_[1-10%4]"), nine(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], true), "ten of them");
        assert_eq!(tasks("9_[1,3,5-7]"), nine(&[1, 3, 5, 6, 7], false), "a list");
        assert_eq!(tasks("9_[0-8:4]"), nine(&[0, 4, 8], false), "steps");
        assert_eq!(tasks("9_[1-3,5-...]"), nine(&[1, 2, 3, 5], false), "cut off by Slurm");
        assert_eq!(tasks("9_[1,2,...]"), nine(&[1, 2], false), "cut off by Slurm");
        for (id, expected) in [
            ("9", Ok(None)),
            ("9_1", Ok(None)),
            ("9_[]", Err(Pushed::Unreadable)),
            ("9_[x]", Err(Pushed::Unreadable)),
            ("9_[5-1]", Err(Pushed::Unreadable)),
            ("9_[0-4294967295]", Err(Pushed::TooMany)),
        ] {
            assert_eq!(tasks(id), expected, "{id}");
        }
    }

    #[test]
    fn a_list_that_is_cut_off_is_no_step() {
        for (id, step) in [
            ("9.batch", true),
            ("9_3.0", true),
            ("9+1.extern", true),
            ("9_[1-3,5-...]", false),
            ("9_[1-3,...", false),
            ("9_[1-3].0", true),
            ("9", false),
        ] {
            assert_eq!(is_step(id.as_bytes()), step, "{id}");
        }
    }

    #[test]
    fn gpus_of_each_node_add_up() {
        let ask = |count, each_milli, per_node| GpuAsk { count, each_milli, per_node, ..GpuAsk::default() };
        assert_eq!(
            shape(&ask(4, 1000, true), 2).0,
            Shape::Pods { count: 2, gpus_milli_each: 4000 },
            "4 a node"
        );
        assert_eq!(
            shape(&ask(4, 1000, false), 2).0,
            Shape::Pods { count: 2, gpus_milli_each: 2000 },
            "4 in all"
        );
        assert_eq!(shape(&ask(1, 142, false), 1).0, Shape::Any { gpus_milli: 142 }, "a slice");
        assert_eq!(
            shape(&ask(7, 142, false), 1),
            (Shape::Pods { count: 7, gpus_milli_each: 142 }, 7),
            "slices"
        );
        assert_eq!(shape(&ask(5, 1000, false), 2).0, Shape::Any { gpus_milli: 5000 }, "not even");
    }
}
