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
use crate::trace::{Format, Head, MapKey};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Graph, Request};
use memchr::memmem;
use serde::Deserialize;
use std::collections::BTreeMap;

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
struct Document {
    #[serde(default)]
    name: String,
    workflow: Workflow,
}

#[derive(Deserialize)]
struct Workflow {
    specification: Option<Tasks>,
    execution: Option<Tasks>,
    #[serde(default, alias = "jobs")]
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Tasks {
    #[serde(default)]
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    children: Vec<String>,
    #[serde(rename = "runtimeInSeconds", alias = "runtime")]
    run_time: Option<f64>,
    #[serde(rename = "coreCount", alias = "cores")]
    cores: Option<f64>,
    #[serde(rename = "memoryInBytes")]
    memory: Option<f64>,
}

impl Task {
    fn id(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(document) = json::document::<Document>(text, "a workflow of WfCommons", intake) else { return };
    let workflow = &document.workflow;
    let tasks = workflow.specification.as_ref().map_or(&workflow.tasks, |specification| &specification.tasks);
    let run = workflow.execution.as_ref().map_or(&workflow.tasks, |execution| &execution.tasks);
    let run: BTreeMap<&str, &Task> = run.iter().map(|task| (task.id(), task)).collect();
    intake.processors_are_gpus("cores");
    intake.notes.say("all tasks of a workflow come at time 0, each after its parents");
    let mut jobs = BTreeMap::new();
    for task in tasks {
        match job(task, run.get(task.id()).copied(), intake) {
            Ok(Some(job)) => drop(jobs.insert(task.id(), job)),
            Ok(None) => {}
            Err(message) => intake.problem(|file| {
                Problem::new(format!("task `{}`: {message}", task.id())).at(Place::file(file))
            }),
        }
    }
    connect(tasks, &jobs, intake);
    let jobs: Vec<u32> = jobs.into_values().collect();
    if !jobs.is_empty() {
        let name = if document.name.is_empty() { "workflow" } else { document.name.as_str() };
        intake.builder.add_graph(Graph { name: name.to_owned(), jobs });
    }
}

/// Adds the job of a task; none if it is dropped.
fn job(task: &Task, run: Option<&Task>, intake: &mut Intake<'_>) -> Result<Option<u32>, String> {
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
        request: intake.request(request),
        behaviour: intake.builder.behaviour(Behaviour::default()),
        tenant: intake.tenant("default"),
        ..Draft::default()
    };
    Ok(intake.push(draft, if task.id().is_empty() { Id::Row } else { Id::Text(task.id()) }))
}

/// Makes every task come after its parents, by id or by name, from whichever side that is told.
fn connect(tasks: &[Task], jobs: &BTreeMap<&str, u32>, intake: &mut Intake<'_>) {
    let ids: BTreeMap<&str, &str> =
        tasks.iter().filter_map(|task| Some((task.name.as_deref()?, task.id()))).collect();
    let id = |name: &str| {
        if jobs.contains_key(name) { name.to_owned() } else { (*ids.get(name).unwrap_or(&"")).to_owned() }
    };
    for task in tasks {
        let Some(this) = jobs.get(task.id()) else { continue };
        for parent in &task.parents {
            let parent =
                Some(id(parent)).filter(|parent| !parent.is_empty()).unwrap_or_else(|| parent.clone());
            intake.depends(*this, &parent, Seconds(0), 1);
        }
        for child in &task.children {
            if let Some(child) = jobs.get(id(child).as_str()) {
                intake.depends(*child, task.id(), Seconds(0), 1);
            }
        }
    }
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
