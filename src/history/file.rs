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

#[cfg(test)]
mod tests;

use super::columns::{ColumnReader, ColumnWriter, Fault};
use super::{
    Digest, History, HoldRecord, JobRecord, Outcome, Piece, Plan, Segment, SegmentEnd, Settings, WaitReason,
    WaitRecord, Why,
};
use crate::cluster::Cluster;
use crate::error::{Error, Place, Problem};
use crate::units::{Factor, Seconds, Time};
use crate::workload::{Behaviour, Dependencies, Edge, Graph, Job, Names, Request, Running, Tenant, Workload};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, Write};

/// The first bytes of every history.
pub const MAGIC: [u8; 8] = *b"gigawatt";
/// Version of the file format that is written and read.
pub const VERSION: u32 = 3;

const DONE: [u8; 4] = *b"DONE";

/// Everything that is small enough for JSON.
#[derive(Serialize, Deserialize)]
struct Tables<'a> {
    settings: Cow<'a, Settings>,
    end: Time,
    complete: bool,
    exhausted: bool,
    cluster: Cow<'a, Cluster>,
    tenants: Cow<'a, [Tenant]>,
    partitions: Cow<'a, [String]>,
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

const SECTIONS: [(&[u8; 4], Contents); 11] = [
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
    let jobs = read_jobs(reader.section(*b"JOBS")?)?;
    let names = read_names(reader.section(*b"NAME")?)?;
    let dependencies = read_dependencies(reader.section(*b"DEPS")?)?;
    let segments = read_segments(reader.section(*b"SEGM")?)?;
    let pieces = read_pieces(reader.section(*b"PIEC")?)?;
    let records = read_records(reader.section(*b"RECO")?)?;
    let waits = read_waits(reader.section(*b"WAIT")?)?;
    let wait_classes = read_wait_classes(reader.section(*b"WCLA")?)?;
    let holds = read_holds(reader.section(*b"HOLD")?)?;
    let starts = if reader.is_next(*b"STRT") { read_starts(reader.section(*b"STRT")?)? } else { Vec::new() };
    reader.finish()?;
    let workload = Workload {
        jobs,
        names,
        requests: tables.requests.into_owned(),
        behaviours: tables.behaviours.into_owned(),
        tenants: tables.tenants.into_owned(),
        partitions: tables.partitions.into_owned(),
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
        requests: Cow::Borrowed(&workload.requests),
        behaviours: Cow::Borrowed(&workload.behaviours),
        graphs: Cow::Borrowed(&workload.graphs),
        running: Cow::Borrowed(&workload.running),
        epoch: workload.epoch,
    };
    Ok(serde_json::to_vec(&tables)?)
}

fn write_jobs(jobs: &[Job]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(jobs.len());
    columns.u32s(jobs.iter().map(|job| job.submit_time.0));
    columns.u32s(jobs.iter().map(|job| job.work_time.0));
    columns.u32s(jobs.iter().map(|job| job.requested_time.0));
    columns.u32s(jobs.iter().map(|job| job.cancel_time.0));
    columns.u32s(jobs.iter().map(|job| job.request));
    columns.u32s(jobs.iter().map(|job| job.behaviour));
    columns.u32s(jobs.iter().map(|job| job.tenant));
    columns.u32s(jobs.iter().map(|job| job.priority.cast_unsigned()));
    columns.u8s(jobs.iter().map(|job| u8::from(job.fails)));
    columns.finish()
}

fn read_jobs(bytes: &[u8]) -> Result<Vec<Job>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (mut submit, mut work, mut requested) = (columns.u32s()?, columns.u32s()?, columns.u32s()?);
    let (mut cancel, mut request, mut behaviour) = (columns.u32s()?, columns.u32s()?, columns.u32s()?);
    let (mut tenant, mut priority, fails) = (columns.u32s()?, columns.u32s()?, columns.u8s()?);
    let next = |column: &mut dyn Iterator<Item = u32>| column.next().unwrap_or_default();
    let jobs = fails.map(|fails| {
        Ok(Job {
            submit_time: Time(next(&mut submit)),
            work_time: Seconds(next(&mut work)),
            requested_time: Seconds(next(&mut requested)),
            cancel_time: Time(next(&mut cancel)),
            request: next(&mut request),
            behaviour: next(&mut behaviour),
            tenant: next(&mut tenant),
            priority: next(&mut priority).cast_signed(),
            fails: match fails {
                0 => false,
                1 => true,
                other => return Err(format!("a job's flag is {other}")),
            },
        })
    });
    let jobs = jobs.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(jobs)
}

fn write_names(names: &Names) -> Vec<u8> {
    let (count, ends, text) = names.parts();
    let mut columns = ColumnWriter::new(count);
    columns.u32s([u32::from(!ends.is_empty())].into_iter());
    columns.u32s(ends.iter().copied());
    columns.text(text);
    columns.finish()
}

fn read_names(bytes: &[u8]) -> Result<Names, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let count = columns.rows();
    let ends = match columns.u32s_of(1)?.next() {
        Some(0) => Vec::new(),
        Some(1) => columns.u32s()?.collect(),
        _ => return Err("the table of names has an unknown form".to_owned()),
    };
    let text = columns.text()?.to_owned();
    Names::from_parts(count, ends, text).ok_or_else(|| "names and their lengths disagree".to_owned())
}

fn write_dependencies(dependencies: &Dependencies) -> Vec<u8> {
    let (offsets, edges, order) = dependencies.parts();
    let mut columns = ColumnWriter::new(edges.len());
    columns.u32s(edges.iter().map(|edge| edge.job));
    columns.u32s(edges.iter().map(|edge| edge.delay.0));
    let lengths = [offsets.len(), order.len()];
    columns.u64s(lengths.iter().map(|length| u64::try_from(*length).expect("jobs are counted in 32 bits")));
    columns.u32s(offsets.iter().copied());
    columns.u32s(order.iter().copied());
    columns.finish()
}

fn read_dependencies(bytes: &[u8]) -> Result<Dependencies, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (jobs, delays) = (columns.u32s()?, columns.u32s()?);
    let edges = jobs.zip(delays).map(|(job, delay)| Edge { job, delay: Seconds(delay) }).collect();
    let mut lengths = columns
        .column_of::<8>(2)?
        .iter()
        .map(|length| usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX));
    let (offsets, order) = (lengths.next().unwrap_or_default(), lengths.next().unwrap_or_default());
    let offsets = columns.u32s_of(offsets)?.collect();
    let order = columns.u32s_of(order)?.collect();
    columns.finish()?;
    Dependencies::from_parts(offsets, edges, order).ok_or_else(|| "its dependencies are no graph".to_owned())
}

fn write_segments(segments: &[Segment]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(segments.len());
    columns.u32s(segments.iter().map(|segment| segment.job));
    columns.u32s(segments.iter().map(|segment| segment.from.0));
    columns.u32s(segments.iter().map(|segment| segment.to.0));
    columns.u32s(segments.iter().map(|segment| segment.pieces));
    columns.u32s(segments.iter().map(|segment| segment.rate.0));
    columns.u32s(segments.iter().map(|segment| segment.cap.0));
    columns.u32s(segments.iter().map(|segment| segment.restart));
    columns.u8s(segments.iter().map(|segment| segment.end as u8));
    columns.finish()
}

fn read_segments(bytes: &[u8]) -> Result<Vec<Segment>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (mut job, mut from, mut to) = (columns.u32s()?, columns.u32s()?, columns.u32s()?);
    let (mut pieces, mut rate) = (columns.u32s()?, columns.u32s()?);
    let (mut cap, mut restart) = (columns.u32s()?, columns.u32s()?);
    let ends = columns.u8s()?;
    let next = |column: &mut dyn Iterator<Item = u32>| column.next().unwrap_or_default();
    let mut first_piece = 0_u32;
    let segments = ends.map(|end| {
        let pieces = next(&mut pieces);
        let segment = Segment {
            job: next(&mut job),
            from: Time(next(&mut from)),
            to: Time(next(&mut to)),
            first_piece,
            pieces,
            rate: Factor(next(&mut rate)),
            cap: Factor(next(&mut cap)),
            restart: next(&mut restart),
            end: *SegmentEnd::ALL.get(usize::from(end)).ok_or("a segment ends in an unknown way")?,
        };
        first_piece = first_piece.checked_add(pieces).ok_or("segments have too many pieces")?;
        Ok::<_, Fault>(segment)
    });
    let segments = segments.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(segments)
}

fn write_pieces(pieces: &[Piece]) -> Vec<u8> {
    let flat = |piece: &Piece| match *piece {
        Piece::Nodes { word, mask } => (0, word, mask),
        Piece::Gpus { node, mask } => (1, node, mask),
        Piece::Share { node, gpu, milli } => (2, node, u64::from(gpu) << 16 | u64::from(milli)),
    };
    let mut columns = ColumnWriter::new(pieces.len());
    columns.u8s(pieces.iter().map(|piece| flat(piece).0));
    columns.u32s(pieces.iter().map(|piece| flat(piece).1));
    columns.u64s(pieces.iter().map(|piece| flat(piece).2));
    columns.finish()
}

fn read_pieces(bytes: &[u8]) -> Result<Vec<Piece>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (kinds, places, masks) = (columns.u8s()?, columns.u32s()?, columns.u64s()?);
    let pieces = kinds.zip(places).zip(masks).map(|((kind, place), mask)| {
        let small = |shifted: u64| u16::try_from(shifted).map_err(|_| "a share of a GPU is out of range");
        Ok(match kind {
            0 => Piece::Nodes { word: place, mask },
            1 => Piece::Gpus { node: place, mask },
            2 => Piece::Share { node: place, gpu: small(mask >> 16)?, milli: small(mask & 0xffff)? },
            other => return Err(format!("a piece is of unknown kind {other}")),
        })
    });
    let pieces = pieces.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(pieces)
}

fn write_records(records: &[JobRecord]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(records.len());
    columns.u32s(records.iter().map(|record| record.eligible_time.0));
    columns.u32s(records.iter().map(|record| record.finish_time.0));
    columns.u8s(records.iter().map(|record| record.outcome as u8));
    columns.finish()
}

fn read_records(bytes: &[u8]) -> Result<Vec<JobRecord>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (eligible, finish, outcomes) = (columns.u32s()?, columns.u32s()?, columns.u8s()?);
    let records = eligible.zip(finish).zip(outcomes).map(|((eligible, finish), outcome)| {
        let outcome = *Outcome::ALL.get(usize::from(outcome)).ok_or("a job has an unknown outcome")?;
        Ok::<_, Fault>(JobRecord { eligible_time: Time(eligible), finish_time: Time(finish), outcome })
    });
    let records = records.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(records)
}

/// How a record of waiting is told in one byte: of a class by its reason alone.
const OF_JOB: u8 = 0x80;
const AS_CLASS: u8 = 0xff;

fn write_waits(waits: &[WaitRecord]) -> Vec<u8> {
    let flat = |wait: &WaitRecord| match wait.why {
        Why::Class { class, reason } => (reason as u8, class),
        Why::Job { job, reason } => (OF_JOB | reason as u8, job),
        Why::AsClass { job } => (AS_CLASS, job),
    };
    let mut columns = ColumnWriter::new(waits.len());
    columns.u32s(waits.iter().map(|wait| wait.time.0));
    columns.u8s(waits.iter().map(|wait| flat(wait).0));
    columns.u32s(waits.iter().map(|wait| flat(wait).1));
    columns.finish()
}

fn read_waits(bytes: &[u8]) -> Result<Vec<WaitRecord>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (times, whys, indices) = (columns.u32s()?, columns.u8s()?, columns.u32s()?);
    let waits = times.zip(whys).zip(indices).map(|((time, why), index)| {
        let reason = |code: u8| WaitReason::ALL.get(usize::from(code)).copied().ok_or("an unknown reason");
        let why = match why {
            AS_CLASS => Why::AsClass { job: index },
            OF_JOB.. => Why::Job { job: index, reason: reason(why & !OF_JOB)? },
            _ => Why::Class { class: index, reason: reason(why)? },
        };
        Ok::<_, Fault>(WaitRecord { time: Time(time), why })
    });
    let waits = waits.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(waits)
}

fn write_wait_classes(classes: &[u32]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(classes.len());
    columns.u32s(classes.iter().copied());
    columns.finish()
}

fn read_wait_classes(bytes: &[u8]) -> Result<Vec<u32>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let classes = columns.u32s()?.collect();
    columns.finish()?;
    Ok(classes)
}

fn write_starts(starts: &[Time]) -> Vec<u8> {
    if starts.is_empty() {
        return Vec::new();
    }
    let mut columns = ColumnWriter::new(starts.len());
    columns.u32s(starts.iter().map(|start| start.0));
    columns.finish()
}

fn read_starts(bytes: &[u8]) -> Result<Vec<Time>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let starts = columns.u32s()?.map(Time).collect();
    columns.finish()?;
    Ok(starts)
}

fn write_holds(holds: &[HoldRecord]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(holds.len());
    columns.u32s(holds.iter().map(|hold| hold.job));
    columns.u32s(holds.iter().map(|hold| hold.until.0));
    columns.finish()
}

fn read_holds(bytes: &[u8]) -> Result<Vec<HoldRecord>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (jobs, untils) = (columns.u32s()?, columns.u32s()?);
    let holds = jobs.zip(untils).map(|(job, until)| HoldRecord { job, until: Time(until) }).collect();
    columns.finish()?;
    Ok(holds)
}
