//! WfFormat of WfCommons: a scientific workflow and its execution as one document, read as a job graph.
//!
//! Versions 1.5 and 1.6 have `workflow.specification.tasks` (`id`, `parents`, `children`) and `workflow.execution.tasks` (`id`,
//! `runtimeInSeconds`, `coreCount`, `memoryInBytes`); up to 1.4 both are in `workflow.tasks`, whose `parents` are names. All tasks are
//! submitted at time 0, each after its parents. There are no GPUs: a core is read as a GPU, or as many as `map.procs_per_gpu` says,
//! and one where `coreCount` is not told. Tasks without a run time are dropped. (T. Coleman et al., "WfCommons: a framework
//! for enabling scientific workflow research and development", FGCS 2022)

use super::json;
use crate::error::{Place, Problem};
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::lookup::Lookup;
use crate::trace::{Format, Head, MapKey};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Graph, Request};
use memchr::memmem;
use serde::Deserialize;
use std::borrow::Cow;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "wfformat",
    about: "WfCommons WfFormat: a workflow as JSON, read as a job graph; a core is read as a GPU",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu],
    detect,
    read,
};

fn detect(head: &Head<'_>) -> bool {
    let has = |key: &str| memmem::find(head.bytes, key.as_bytes()).is_some();
    head.bytes.trim_ascii_start().starts_with(b"{") && has("\"workflow\"") && has("\"parents\"")
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(default, borrow)]
    name: Cow<'t, str>,
    #[serde(borrow)]
    workflow: Workflow<'t>,
}

#[derive(Deserialize)]
struct Workflow<'t> {
    #[serde(borrow)]
    specification: Option<Tasks<'t>>,
    #[serde(borrow)]
    execution: Option<Tasks<'t>>,
    #[serde(default, alias = "jobs", borrow)]
    tasks: Vec<Task<'t>>,
}

#[derive(Deserialize)]
struct Tasks<'t> {
    #[serde(default, borrow)]
    tasks: Vec<Task<'t>>,
}

/// A name, of which no copy is made if it can be helped.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

#[derive(Deserialize)]
struct Task<'t> {
    #[serde(borrow)]
    id: Option<Name<'t>>,
    #[serde(borrow)]
    name: Option<Name<'t>>,
    #[serde(default, borrow)]
    parents: Vec<Name<'t>>,
    #[serde(default, borrow)]
    children: Vec<Name<'t>>,
    #[serde(rename = "runtimeInSeconds", alias = "runtime")]
    run_time: Option<f64>,
    #[serde(rename = "coreCount", alias = "cores")]
    cores: Option<f64>,
    #[serde(rename = "memoryInBytes")]
    memory: Option<f64>,
}

impl Task<'_> {
    fn id(&self) -> &str {
        self.id.as_ref().or(self.name.as_ref()).map_or("", |name| &name.0)
    }
    fn is_called(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.0 == name)
    }
}

/// Tasks, to be found by their ids, or by their names where no id is meant.
struct Known<'d> {
    tasks: &'d [Task<'d>],
    ids: Lookup,
    names: Lookup,
}

impl<'d> Known<'d> {
    fn of(tasks: &'d [Task<'d>]) -> Self {
        let (mut ids, mut names) = (Lookup::with_room(tasks.len()), Lookup::default());
        for (place, task) in (0..).zip(tasks) {
            ids.add(task.id(), place, |other| tasks[other as usize].id() == task.id());
            if let Some(Name(name)) = task.name.as_ref().filter(|name| name.0 != task.id()) {
                names.add(name, place, |other| tasks[other as usize].is_called(name));
            }
        }
        Self { tasks, ids, names }
    }
    /// The place of a task.
    fn find(&self, name: &str) -> Option<usize> {
        let by_id = self.ids.find(name, |place| self.tasks[place as usize].id() == name);
        let by_name = || self.names.find(name, |place| self.tasks[place as usize].is_called(name));
        by_id.or_else(by_name).map(|place| place as usize)
    }
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(document) = json::document::<Document<'_>>(text, "a workflow of WfCommons", intake) else {
        return;
    };
    let workflow = &document.workflow;
    let tasks = workflow.specification.as_ref().map_or(&workflow.tasks, |specification| &specification.tasks);
    let execution = workflow.execution.as_ref().map(|execution| Known::of(&execution.tasks));
    intake.processors_are_gpus("cores");
    intake.notes.say("all tasks of a workflow come at time 0, each after its parents");
    let mut jobs = Vec::with_capacity(tasks.len());
    for task in tasks {
        let run = match &execution {
            None => Some(task),
            Some(known) => known.find(task.id()).map(|place| &known.tasks[place]),
        };
        jobs.push(job(task, run, intake).unwrap_or_else(|message| {
            intake.problem(|file| {
                Problem::new(format!("task `{}`: {message}", task.id())).at(Place::file(file))
            });
            None
        }));
    }
    connect(tasks, &jobs, intake);
    let jobs: Vec<u32> = jobs.into_iter().flatten().collect();
    if !jobs.is_empty() {
        let name = if document.name.is_empty() { "workflow" } else { &document.name };
        intake.builder.add_graph(Graph { name: name.to_owned(), jobs });
    }
}

/// Adds the job of a task; none if it is dropped.
fn job(task: &Task<'_>, run: Option<&Task<'_>>, intake: &mut Intake<'_>) -> Result<Option<u32>, String> {
    let run = run.unwrap_or(task);
    let Some(seconds) = run.run_time.or(task.run_time) else {
        intake.notes.count("task", "whose run time is not told: dropped", 1);
        return Ok(None);
    };
    let work = json::length(seconds, intake).ok_or_else(|| format!("a run time of `{seconds}`"))?;
    let cores = run.cores.unwrap_or(1.0).max(1.0);
    let cores = json::length(cores, intake).ok_or_else(|| format!("`{cores}` cores"))?;
    let gpus = cores.div_ceil(intake.options.procs_per_gpu);
    if gpus > Gpus::MAX_WHOLE {
        return Err(format!("`{cores}` cores"));
    }
    let memory_mib = run.memory.filter(|bytes| *bytes > 0.0).map_or(0.0, |bytes| bytes / f64::from(1 << 20));
    let memory_mib = json::length(memory_mib.ceil(), intake).ok_or("more memory than can be counted")?;
    let request = Request { memory_mib, ..Request::gang(Gpus::whole(gpus)) };
    let draft = Draft {
        work,
        request: intake.builder.request(request),
        behaviour: intake.builder.behaviour(Behaviour::default()),
        tenant: intake.builder.tenant("default"),
        ..Draft::default()
    };
    Ok(intake.push(draft, if task.id().is_empty() { Id::Row } else { Id::Text(task.id()) }))
}

/// Makes every task come after its parents, by id or by name, from whichever side that is told.
fn connect(tasks: &[Task<'_>], jobs: &[Option<u32>], intake: &mut Intake<'_>) {
    let known = Known::of(tasks);
    let job = |name: &Name<'_>| known.find(&name.0).and_then(|place| jobs[place]);
    let mut unknown = 0;
    let mut tie = |before: Option<u32>, after: Option<u32>| match (before, after) {
        (Some(before), Some(after)) => intake.tied.add(before, after, Seconds(0)),
        _ => unknown += 1,
    };
    for (task, this) in tasks.iter().zip(jobs).filter(|(_, job)| job.is_some()) {
        task.parents.iter().for_each(|parent| tie(job(parent), *this));
        task.children.iter().for_each(|child| tie(*this, job(child)));
    }
    intake.notes.count("dependency", "on a job that is not read: left out", unknown);
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, Trace, read_bytes};

    fn edges(trace: &Trace) -> Vec<(u32, u32)> {
        trace.workload.dependencies.edges().map(|(before, after, _)| (before, after)).collect()
    }

    #[test]
    fn a_workflow_is_a_job_graph() {
        let text = include_bytes!("../../../workloads/sample-wfformat.json");
        let trace = read_bytes("w.json", text, None, &Options::default()).unwrap();
        let works: Vec<_> = trace.workload.jobs.iter().map(|job| job.work_time.0).collect();
        assert_eq!(works, [121, 60, 75, 300], "{}", trace.notes);
        assert_eq!(edges(&trace), [(0, 1), (0, 2), (1, 3), (2, 3)], "a diamond");
        assert_eq!(trace.workload.graphs[0].jobs.len(), 4, "one graph");
        assert_eq!(trace.notes.counted("task", "whose run time is not told: dropped"), 1, "{}", trace.notes);
    }

    #[test]
    fn older_versions_have_all_in_one_place() {
        let text = br#"{"name": "old", "schemaVersion": "1.4", "workflow": {"tasks": [
            {"name": "a", "id": "ID1", "runtimeInSeconds": 5, "cores": 2, "parents": [], "children": ["b"]},
            {"name": "b", "id": "ID2", "runtimeInSeconds": 7, "parents": ["a"]}]}}"#;
        let trace = read_bytes("w.json", text, None, &Options::default()).unwrap();
        assert_eq!(
            (edges(&trace), trace.workload.names.get(1).into_owned()),
            (vec![(0, 1)], "ID2".to_owned()),
            "{}",
            trace.notes
        );
    }
}
