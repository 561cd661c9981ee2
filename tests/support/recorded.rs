//! Schedules that other simulators recorded, and the plans they belong to.

use gigawatt::cluster::{Cluster, NodeKind};
use gigawatt::history::{Plan, Settings};
use gigawatt::units::{Gpus, Seconds, Time};
use gigawatt::workload::{Behaviour, Builder, Job, Request, Workload};
use std::path::PathBuf;

/// Start and end of a job; its nodes as `node:gpu-gpu;…` where the recording tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) nodes: Option<String>,
}

/// The folder of recordings; none, said aloud, where `GIGAWATT_SHARED` is not set.
#[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("GIGAWATT_SHARED").map(|shared| PathBuf::from(shared).join("oracles"));
    if folder.is_none() {
        eprintln!("skipped: GIGAWATT_SHARED is not set, so there is nothing to compare with");
    }
    folder
}

/// A file of the folder as text, decompressed if its name ends in `.zst`.
pub(crate) fn text(name: &str) -> String {
    let path = folder().expect("asked for before").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let bytes =
        if name.ends_with(".zst") { zstd::decode_all(&*bytes).expect("a whole zstd file") } else { bytes };
    String::from_utf8(bytes).expect("recordings are text")
}

/// The columns of that name of every row of a CSV file without quotes.
pub(crate) fn columns<const N: usize>(name: &str, wanted: [&str; N]) -> Vec<[String; N]> {
    let text = text(name);
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let places = wanted.map(|column| {
        header
            .iter()
            .position(|name| *name == column)
            .unwrap_or_else(|| panic!("{name} has no column {column}"))
    });
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        places.map(|place| fields[place].to_owned())
    };
    lines.map(row).collect()
}

/// The rows of a recorded schedule.
pub(crate) fn rows(name: &str) -> Vec<Row> {
    let times = columns(name, ["job_id", "start", "end"]);
    let row =
        |[id, start, end]: [String; 3]| Row { id, start: number(&start), end: number(&end), nodes: None };
    times.into_iter().map(row).collect()
}

/// A whole number.
pub(crate) fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no whole number"))
}

/// Jobs of an SWF file, one GPU a processor.
pub(crate) fn swf(name: &str) -> Workload {
    let jobs = text(name);
    let jobs = jobs.lines().filter(|line| !line.starts_with(';') && !line.trim().is_empty());
    let job = |line: &str| {
        let field: Vec<&str> = line.split_whitespace().collect();
        let estimate = number(field[8]);
        (field[0].to_owned(), number(field[7]), number(field[1]), number(field[3]), estimate)
    };
    workload(jobs.map(job))
}

/// Jobs of any GPUs from (name, GPUs, submit, work, estimate).
pub(crate) fn workload(jobs: impl Iterator<Item = (String, u32, u32, u32, u32)>) -> Workload {
    let mut builder = Builder::default();
    let behaviour = builder.behaviour(Behaviour::default());
    let tenant = builder.tenant("somebody");
    builder.partition(Workload::DEFAULT_PARTITION);
    for (name, gpus, submit, work, estimate) in jobs {
        let request = builder.request(Request::gang(Gpus::whole(gpus)));
        let job = Job { request, behaviour, tenant, work_time: Seconds(work), ..Job::at(Time(submit)) };
        builder.push_named(job.requesting(Seconds(estimate)), &name);
    }
    builder.finish()
}

/// A cluster of equal nodes, and how it is scheduled.
pub(crate) fn plan(workload: Workload, nodes: u32, gpus: u32, policy: [&str; 3]) -> Plan {
    let [order, backfill, placement] = policy.map(str::to_owned);
    Plan {
        cluster: Cluster::uniform(nodes, NodeKind { gpus, ..NodeKind::default() }),
        workload,
        settings: Settings { seed: 1, order, backfill, placement, ..Settings::default() },
    }
}

/// Every row that differs, both sides side by side; nodes only where the recording tells them.
pub(crate) fn differences(recorded: &[Row], got: &[Row]) -> Vec<String> {
    let mut differences = Vec::new();
    if recorded.len() != got.len() {
        differences.push(format!("{} jobs were recorded, {} came out", recorded.len(), got.len()));
    }
    for (recorded, got) in recorded.iter().zip(got) {
        let nodes_differ = recorded.nodes.is_some() && recorded.nodes != got.nodes;
        if (&recorded.id, recorded.start, recorded.end) != (&got.id, got.start, got.end) || nodes_differ {
            differences.push(format!("recorded {recorded:?}\n     got {got:?}"));
        }
    }
    differences
}
