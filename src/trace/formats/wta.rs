//! Tasks of the Workflow Trace Archive as Parquet (or the CSV that it could be): workflows as job graphs.
//!
//! Rows are `workflow_id,id,ts_submit,runtime,resource_amount_requested,parents,children,user_id,wait_time` and more, of which `id`,
//! `ts_submit` and `runtime` must be there: milliseconds, −1 for what is not known. A task is called by its workflow and its id, as
//! `7-12`, and comes after its `parents`; where these are not told, after the tasks that have it among their `children`. The
//! resources it asks for are read as GPUs, or as many as `map.procs_per_gpu` says. (L. Versluis et al., "The Workflow Trace
//! Archive: open-access data from public and private computing infrastructures", TPDS 2020)

use crate::trace::field;
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::key::TimeUnit;
use crate::trace::table::{INSTANT, LENGTH, Table};
use crate::trace::{Format, Head, MapKey};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Graph, Request};
use std::collections::BTreeMap;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "wta",
    about: "tasks of the Workflow Trace Archive as Parquet, read as job graphs; a resource is read as a GPU",
    keys: &[],
    map_keys: &[MapKey::ProcsPerGpu, MapKey::Columns],
    detect,
    read,
};

const COLUMNS: [&str; 3] = ["id", "ts_submit", "runtime"];

fn detect(head: &Head<'_>) -> bool {
    head.is_table(&COLUMNS)
}

/// The columns that may be missing.
struct Optional {
    workflow: Option<usize>,
    amount: Option<usize>,
    parents: Option<usize>,
    children: Option<usize>,
    user: Option<usize>,
    wait: Option<usize>,
}

/// A task of a workflow that others are tied to.
struct Tied {
    job: u32,
    name: String,
    workflow: String,
    parents: Vec<String>,
    children: Vec<String>,
    line: usize,
}

fn read(text: &[u8], intake: &mut Intake<'_>) {
    let Some(mut table) = Table::open_any(text, &COLUMNS, intake) else { return };
    let Some(columns) = table.require(COLUMNS, intake) else { return };
    let optional = Optional {
        workflow: table.column("workflow_id"),
        amount: table.column("resource_amount_requested"),
        parents: table.column("parents"),
        children: table.column("children"),
        user: table.column("user_id"),
        wait: table.column("wait_time"),
    };
    intake.processors_are_gpus("resources");
    let behaviour = intake.builder.behaviour(Behaviour::default());
    let mut tied = Vec::new();
    while table.next(intake) {
        tied.extend(task(&table, columns, &optional, behaviour, intake));
    }
    connect(&tied, optional.parents.is_some(), intake);
    let mut graphs: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for task in tied.into_iter().filter(|task| !task.workflow.is_empty()) {
        graphs.entry(task.workflow).or_default().push(task.job);
    }
    for (name, jobs) in graphs {
        intake.builder.add_graph(Graph { name, jobs });
    }
}

/// Adds the job of a line; none if it is wrong, or the sample leaves it out.
fn task(
    table: &Table<'_>,
    [id, submit, run_time]: [usize; 3],
    optional: &Optional,
    behaviour: u32,
    intake: &mut Intake<'_>,
) -> Option<Tied> {
    let instant = intake.instant_in(table.get(submit), TimeUnit::Millisecond);
    if instant.is_none() {
        table.wrong(submit, INSTANT, intake);
    }
    let known = |column: Option<usize>| {
        column.filter(|column| !matches!(table.get(*column), b"" | b"-1" | b"-1.0" | b"NaN"))
    };
    let mut length = |column: Option<usize>| match known(column) {
        None => Some(None),
        Some(column) => {
            let length = intake.length_in(table.get(column), TimeUnit::Millisecond);
            if length.is_none() {
                table.wrong(column, LENGTH, intake);
            }
            length.map(Some)
        }
    };
    let (work, wait) = (length(Some(run_time)), length(optional.wait));
    let amount = match known(optional.amount) {
        None => Some(1),
        Some(column) => {
            let amount = field::decimal(table.get(column)).map(field::Decimal::ceil);
            let amount = amount
                .and_then(|amount| u32::try_from(amount).ok())
                .filter(|amount| *amount <= Gpus::MAX_WHOLE);
            if amount.is_none() {
                table.wrong(column, "a number of resources", intake);
            }
            amount
        }
    };
    let mut text = |column: Option<usize>| column.map_or(Some(""), |column| table.text(column, "", intake));
    let (id, workflow) = (text(Some(id)), text(optional.workflow));
    let (user, parents, children) =
        (text(known(optional.user)), text(optional.parents), text(optional.children));
    let (submit, work, wait, amount) = (instant?, work?, wait?, amount?);
    let (id, workflow, user) = (id?, workflow?, user?);
    if work.is_none() {
        intake.notes.count("task", "whose run time is not told: 1 s", 1);
    }
    let named = |id: &str| if workflow.is_empty() { id.to_owned() } else { format!("{workflow}-{id}") };
    let list = |ids: &str| ids.split(';').map(str::trim).filter(|id| !id.is_empty()).map(named).collect();
    let tenant = if user.is_empty() {
        intake.builder.tenant("default")
    } else {
        intake.builder.tenant(&format!("user{user}"))
    };
    let gpus = amount.div_ceil(intake.options.procs_per_gpu);
    let request = intake.builder.request(Request::gang(Gpus::whole(gpus)));
    let draft =
        Draft { submit, work: work.unwrap_or(1), wait, request, behaviour, tenant, ..Draft::default() };
    let name = named(id);
    let job = intake.push(draft, if id.is_empty() { Id::Row } else { Id::Text(&name) })?;
    let workflow = workflow.to_owned();
    let (parents, children) = (list(parents?), list(children?));
    Some(Tied { job, name, workflow, parents, children, line: table.place().0 })
}

/// Makes every task come after its parents.
fn connect(tied: &[Tied], parents_told: bool, intake: &mut Intake<'_>) {
    if parents_told {
        for task in tied {
            for parent in &task.parents {
                intake.depends(task.job, parent, Seconds(0), task.line);
            }
        }
        return;
    }
    let jobs: BTreeMap<&str, u32> = tied.iter().map(|task| (task.name.as_str(), task.job)).collect();
    for task in tied {
        for child in task.children.iter().filter_map(|child| jobs.get(child.as_str())) {
            intake.depends(*child, &task.name, Seconds(0), task.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{Options, Trace, read_bytes};

    fn read(text: &str) -> Trace {
        read_bytes("w.csv", text.as_bytes(), None, &Options::default()).unwrap()
    }

    #[test]
    fn workflows_are_job_graphs() {
        let trace = read(
            "workflow_id,id,ts_submit,runtime,resource_amount_requested,parents,user_id,wait_time\n\
             1,10,0,1500,2.0,,4,500\n1,11,0,60000,-1.0,10,4,-1\n2,10,2500,1000,8,9,-1,0\n",
        );
        let workload = &trace.workload;
        assert_eq!(trace.format, "wta", "known by its columns");
        let names: Vec<_> = (0..3).map(|job| workload.names.get(job).into_owned()).collect();
        assert_eq!(names, ["1-10", "1-11", "2-10"], "ids are those of a workflow");
        let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(times, [(0, 2), (0, 60), (2, 1)], "milliseconds:\n{}", trace.notes);
        assert_eq!(
            workload.dependencies.edges().map(|edge| (edge.0, edge.1)).collect::<Vec<_>>(),
            [(0, 1)],
            "one"
        );
        assert_eq!(
            trace.notes.counted("dependency", "on a job that is not read: left out"),
            1,
            "{}",
            trace.notes
        );
        let graphs: Vec<_> =
            workload.graphs.iter().map(|graph| (graph.name.as_str(), graph.jobs.len())).collect();
        assert_eq!(graphs, [("1", 2), ("2", 1)], "a graph each");
        assert_eq!(workload.recorded_wait(0).map(|wait| wait.0), Some(1), "half a second");
    }

    #[test]
    fn children_tell_what_parents_do_not() {
        let trace = read("id,ts_submit,runtime,children\na,0,1000,b;c\nb,0,1000,\nc,0,1000,\n");
        let edges: Vec<_> = trace.workload.dependencies.edges().map(|edge| (edge.0, edge.1)).collect();
        assert_eq!(edges, [(0, 1), (0, 2)], "both");
    }
}
