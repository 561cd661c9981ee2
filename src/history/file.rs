//! A history as a file, and back.
//!
//! ```text
//! magic     8 bytes   "gigawatt"
//! version   4 bytes   little-endian, as everything
//! section   tag 4 bytes, length 8 bytes, contents, BLAKE3 of the contents 32 bytes
//!   TABL    JSON: settings, cluster and the small tables of the workload, end, complete
//!   JOBS NAME DEPS SEGM PIEC RECO WAIT WCLA HOLD
//!           number of rows 8 bytes, then the columns one after the other
//!   STRT    as they; only where the input tells of any job when it started
//!   YIEL    as they; only where a job stopped for another
//!   DEAD    as they; only where a job has a deadline
//!   FAIL CAPA  as they; only where something failed
//! DONE      4 bytes, then BLAKE3 over all but the contents, whose own digests stand for them: the history's digest
//! ```
//!
//! ```
//! use gigawatt::history::{History, file};
//! let history = History::default();
//! let mut bytes = Vec::new();
//! let digest = file::write(&history, &mut bytes).unwrap();
//! assert_eq!(digest, history.digest());
//! assert_eq!(file::read(&bytes, "run/history").unwrap(), history);
//! bytes[100] ^= 1;
//! assert!(file::read(&bytes, "run/history").is_err());
//! ```

mod tables;
#[cfg(test)]
mod tests;

use super::columns::Fault;
use super::{Digest, History, Plan, Settings};
use crate::cluster::Cluster;
use crate::error::{Error, Place, Problem};
use crate::units::Time;
use crate::workload::{Behaviour, Graph, Queue, Request, Running, Tenant, Workload};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, Write};
use tables::{
    read_capacity, read_deadlines, read_dependencies, read_failures, read_holds, read_jobs, read_names,
    read_pieces, read_records, read_segments, read_starts, read_wait_classes, read_waits, read_yields,
    write_capacity, write_deadlines, write_dependencies, write_failures, write_holds, write_jobs,
    write_names, write_pieces, write_records, write_segments, write_starts, write_wait_classes, write_waits,
    write_yields,
};

/// The first bytes of every history.
pub const MAGIC: [u8; 8] = *b"gigawatt";
/// Version of the file format that is written and read.
pub const VERSION: u32 = 3;

const DONE: [u8; 4] = *b"DONE";

/// Everything that is small enough for JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables<'a> {
    settings: Cow<'a, Settings>,
    end: Time,
    complete: bool,
    exhausted: bool,
    cluster: Cow<'a, Cluster>,
    tenants: Cow<'a, [Tenant]>,
    partitions: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    levels: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    queues: Cow<'a, [Queue]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    mix: Cow<'a, [(u32, u32)]>,
    requests: Cow<'a, [Request]>,
    behaviours: Cow<'a, [Behaviour]>,
    graphs: Cow<'a, [Graph]>,
    running: Cow<'a, [Running]>,
    epoch: Option<i64>,
}

/// Writes a history and returns its digest.
///
/// # Errors
/// Whatever `out` says.
///
/// # Complexity
/// O(size of the history) time; the largest table is held in memory once more.
pub fn write(history: &History, mut out: impl Write) -> io::Result<Digest> {
    let mut whole = blake3::Hasher::new();
    let mut put = |bytes: &[u8], digested: bool| {
        if digested {
            whole.update(bytes);
        }
        out.write_all(bytes)
    };
    put(&MAGIC, true)?;
    put(&VERSION.to_le_bytes(), true)?;
    for (tag, contents) in SECTIONS {
        let contents = contents(history)?;
        if contents.is_empty() {
            continue;
        }
        let length = u64::try_from(contents.len()).expect("a section in memory is shorter than 64 bits");
        put(tag, true)?;
        put(&length.to_le_bytes(), true)?;
        put(&contents, false)?;
        put(blake3::hash(&contents).as_bytes(), true)?;
    }
    put(&DONE, true)?;
    let digest = Digest::from(whole.finalize());
    out.write_all(digest.as_bytes())?;
    out.flush()?;
    Ok(digest)
}

/// What a section holds; nothing at all: there is no such section.
type Contents = fn(&History) -> io::Result<Vec<u8>>;

const SECTIONS: [(&[u8; 4], Contents); 15] = [
    (b"TABL", write_tables),
    (b"JOBS", |history| Ok(write_jobs(&history.plan.workload.jobs))),
    (b"NAME", |history| Ok(write_names(&history.plan.workload.names))),
    (b"DEPS", |history| Ok(write_dependencies(&history.plan.workload.dependencies))),
    (b"SEGM", |history| Ok(write_segments(&history.segments))),
    (b"PIEC", |history| Ok(write_pieces(&history.pieces))),
    (b"RECO", |history| Ok(write_records(&history.jobs))),
    (b"WAIT", |history| Ok(write_waits(&history.waits))),
    (b"WCLA", |history| Ok(write_wait_classes(&history.wait_classes))),
    (b"HOLD", |history| Ok(write_holds(&history.holds))),
    (b"STRT", |history| Ok(write_starts(&history.plan.workload.recorded_starts))),
    (b"YIEL", |history| Ok(write_yields(&history.yields))),
    (b"DEAD", |history| Ok(write_deadlines(&history.plan.workload.jobs))),
    (b"FAIL", |history| Ok(write_failures(&history.failures))),
    (b"CAPA", |history| Ok(write_capacity(&history.capacity))),
];

/// Reads a history; `name` is what an error calls the file.
///
/// # Errors
/// [`Error::Input`] if a byte differs from what was written, or if the history contradicts itself.
pub fn read(bytes: &[u8], name: &str) -> Result<History, Error> {
    read_sections(bytes).map_err(|fault| {
        Problem::new(format!("this is no history that can be read: {fault}"))
            .at(Place::file(name))
            .hint("`gigawatt simulate --out DIR` writes one as `DIR/history`")
            .into()
    })
}

fn read_sections(bytes: &[u8]) -> Result<History, Fault> {
    let mut reader = SectionReader::new(bytes)?;
    let tables: Tables<'_> =
        serde_json::from_slice(reader.section(*b"TABL")?).map_err(|error| format!("its tables: {error}"))?;
    let mut jobs = read_jobs(reader.section(*b"JOBS")?)?;
    let names = read_names(reader.section(*b"NAME")?)?;
    let dependencies = read_dependencies(reader.section(*b"DEPS")?)?;
    let segments = read_segments(reader.section(*b"SEGM")?)?;
    let pieces = read_pieces(reader.section(*b"PIEC")?)?;
    let records = read_records(reader.section(*b"RECO")?)?;
    let waits = read_waits(reader.section(*b"WAIT")?)?;
    let wait_classes = read_wait_classes(reader.section(*b"WCLA")?)?;
    let holds = read_holds(reader.section(*b"HOLD")?)?;
    let starts = if reader.is_next(*b"STRT") { read_starts(reader.section(*b"STRT")?)? } else { Vec::new() };
    let yields = if reader.is_next(*b"YIEL") { read_yields(reader.section(*b"YIEL")?)? } else { Vec::new() };
    if reader.is_next(*b"DEAD") {
        read_deadlines(reader.section(*b"DEAD")?, &mut jobs)?;
    }
    let failures =
        if reader.is_next(*b"FAIL") { read_failures(reader.section(*b"FAIL")?)? } else { Vec::new() };
    let capacity =
        if reader.is_next(*b"CAPA") { read_capacity(reader.section(*b"CAPA")?)? } else { Vec::new() };
    reader.finish()?;
    let workload = Workload {
        jobs,
        names,
        requests: tables.requests.into_owned(),
        behaviours: tables.behaviours.into_owned(),
        tenants: tables.tenants.into_owned(),
        partitions: tables.partitions.into_owned(),
        levels: tables.levels.into_owned(),
        queues: tables.queues.into_owned(),
        mix: tables.mix.into_owned(),
        dependencies,
        graphs: tables.graphs.into_owned(),
        running: tables.running.into_owned(),
        recorded_starts: starts,
        epoch: tables.epoch,
    };
    let plan =
        Plan { cluster: tables.cluster.into_owned(), workload, settings: tables.settings.into_owned() };
    let (end, complete, exhausted) = (tables.end, tables.complete, tables.exhausted);
    let history = History {
        plan,
        segments,
        pieces,
        jobs: records,
        waits,
        wait_classes,
        holds,
        yields,
        failures,
        capacity,
        end,
        complete,
        exhausted,
    };
    super::check::check(&history)?;
    Ok(history)
}

struct SectionReader<'a> {
    rest: &'a [u8],
    whole: blake3::Hasher,
}

impl<'a> SectionReader<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Self { rest: bytes, whole: blake3::Hasher::new() };
        if reader.take::<8>()? != MAGIC {
            return Err(format!("it does not begin with `{}`", MAGIC.escape_ascii()));
        }
        let version = u32::from_le_bytes(reader.take()?);
        if version != VERSION {
            return Err(format!("it has format version {version}, and this program reads {VERSION}"));
        }
        Ok(reader)
    }
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or("it is cut off")?;
        self.rest = rest;
        self.whole.update(taken);
        Ok(*taken)
    }
    /// Whether that section comes next.
    fn is_next(&self, tag: [u8; 4]) -> bool {
        self.rest.starts_with(&tag)
    }
    fn section(&mut self, tag: [u8; 4]) -> Result<&'a [u8], Fault> {
        let found = self.take::<4>()?;
        let label = tag.escape_ascii();
        if found != tag {
            return Err(format!("expected section {label}, found `{}`", found.escape_ascii()));
        }
        let length = usize::try_from(u64::from_le_bytes(self.take()?)).unwrap_or(usize::MAX);
        let (contents, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| format!("it is cut off in section {label}"))?;
        self.rest = rest;
        if self.take()? != *blake3::hash(contents).as_bytes() {
            return Err(format!("section {label} is damaged: its digest differs"));
        }
        Ok(contents)
    }
    fn finish(mut self) -> Result<(), Fault> {
        if self.take()? != DONE {
            return Err("its sections do not end where they should".to_owned());
        }
        let digest = Digest::from(self.whole.finalize());
        match self.rest.split_first_chunk() {
            Some((found, [])) if found == digest.as_bytes() => Ok(()),
            Some((_, [])) => Err("it is damaged: its digest differs".to_owned()),
            Some(_) => Err("something follows its end".to_owned()),
            None => Err("it is cut off".to_owned()),
        }
    }
}

fn write_tables(history: &History) -> io::Result<Vec<u8>> {
    let Plan { cluster, workload, settings } = &history.plan;
    let tables = Tables {
        settings: Cow::Borrowed(settings),
        end: history.end,
        complete: history.complete,
        exhausted: history.exhausted,
        cluster: Cow::Borrowed(cluster),
        tenants: Cow::Borrowed(&workload.tenants),
        partitions: Cow::Borrowed(&workload.partitions),
        levels: Cow::Borrowed(&workload.levels),
        queues: Cow::Borrowed(&workload.queues),
        mix: Cow::Borrowed(&workload.mix),
        requests: Cow::Borrowed(&workload.requests),
        behaviours: Cow::Borrowed(&workload.behaviours),
        graphs: Cow::Borrowed(&workload.graphs),
        running: Cow::Borrowed(&workload.running),
        epoch: workload.epoch,
    };
    Ok(serde_json::to_vec(&tables)?)
}
