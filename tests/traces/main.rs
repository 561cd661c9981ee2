//! Every reader of traces and of node lists: what all must do alike, what they do with broken input, and what they
//! make of real archives.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test may panic and talk, and its numbers are small"
)]

mod archives;
mod clock;
mod commands;
mod conformance;
mod import;
mod mutation;
mod parquet;
mod requests;
mod samples;

use gigawatt::error::Error;
use gigawatt::trace::{CLUSTER_FORMATS, FORMATS, NodeList, Options, Trace, read_bytes, read_cluster_bytes};
use gigawatt::units::Time;
use gigawatt::workload::Workload;
use std::collections::BTreeSet;
use std::io::Write;

/// A hand-written file of a format.
struct Sample {
    format: &'static str,
    bytes: Vec<u8>,
    /// A list of nodes, not of jobs.
    nodes: bool,
}

/// What reading a sample gives, whichever it is of.
#[derive(Debug)]
enum Read {
    Jobs(Trace),
    Nodes(NodeList),
}

impl Sample {
    /// One of every format; a format without one fails here.
    fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let sample = |format: &'static str, stem: &str, nodes| {
            let named = |path: &&std::path::PathBuf| {
                let name = path.file_name().unwrap().to_str().unwrap();
                name == format!("{stem}.{format}") || name.starts_with(&format!("{stem}-{format}."))
            };
            let path = files.iter().find(named).unwrap_or_else(|| panic!("no sample {stem} of {format}"));
            Self { format, bytes: std::fs::read(path).unwrap(), nodes }
        };
        let traces = FORMATS.iter().map(|format| sample(format.name, "sample", false));
        traces.chain(CLUSTER_FORMATS.iter().map(|format| sample(format.name, "nodes", true))).collect()
    }

    /// Whether it is one document, not lines of jobs.
    fn is_document(&self) -> bool {
        self.format == "kubernetes"
            || self.format != "jsonl" && matches!(self.bytes.first(), Some(b'{' | b'['))
    }

    /// What it says as text; none of what is packed.
    fn text(&self) -> Option<String> {
        String::from_utf8(self.bytes.clone()).ok().filter(|_| !self.bytes.starts_with(b"PAR1"))
    }

    fn read(&self, bytes: &[u8], format: Option<&str>, options: &Options<'_>) -> Result<Read, Error> {
        if self.nodes {
            read_cluster_bytes(NAME, bytes, format, options).map(Read::Nodes)
        } else {
            read_bytes(NAME, bytes, format, options).map(Read::Jobs)
        }
    }
}

/// What messages call the input.
const NAME: &str = "input.txt";

/// Whatever was read keeps its promises; whatever was not is told with the name of the file.
fn check(result: &Result<Read, Error>) -> Result<(), String> {
    match result {
        Ok(Read::Jobs(trace)) => check_workload(&trace.workload),
        Ok(Read::Nodes(list)) => {
            let nodes: u32 = list.cluster.racks.iter().map(|rack| rack.nodes).sum();
            let named = list.cluster.node_names.len();
            let right = nodes > 0 && nodes == list.cluster.nodes() && (named == 0 || named == nodes as usize);
            right.then_some(()).ok_or_else(|| format!("{nodes} nodes, {named} names"))
        }
        Err(error) => {
            let text = error.to_string();
            text.contains(NAME).then_some(()).ok_or_else(|| format!("no name in {text}"))
        }
    }
}

fn check_workload(workload: &Workload) -> Result<(), String> {
    let names: BTreeSet<_> =
        (0..workload.jobs.len()).map(|job| workload.names.get(job).into_owned()).collect();
    if workload.jobs.is_empty() || names.len() != workload.jobs.len() {
        return Err(format!("{} jobs have {} names", workload.jobs.len(), names.len()));
    }
    for (index, job) in workload.jobs.iter().enumerate() {
        let tables = (job.request as usize) < workload.requests.len()
            && (job.behaviour as usize) < workload.behaviours.len()
            && (job.tenant as usize) < workload.tenants.len();
        let times = job.submit_time < Time::NEVER
            && (1..u32::MAX).contains(&job.work_time.0)
            && (1..u32::MAX).contains(&job.requested_time.0)
            && job.cancel_time >= job.submit_time;
        if !tables || !times {
            return Err(format!("job {index}: {job:?}"));
        }
    }
    let partitions =
        workload.requests.iter().all(|request| (request.partition as usize) < workload.partitions.len());
    let running = workload.running.iter().all(|running| {
        workload.jobs.get(running.job as usize).is_some_and(|job| job.submit_time == Time::ZERO)
    });
    let edges = workload.dependencies.edges().all(|(before, after, _)| before.max(after) < workload.len());
    if partitions && running && edges { Ok(()) } else { Err(format!("{partitions} {running} {edges}")) }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
