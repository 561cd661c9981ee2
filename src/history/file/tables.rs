//! The tables of a history as columns of bytes, and back.

use super::super::columns::{ColumnReader, ColumnWriter, Fault};
use super::super::{
    FailureRecord, HoldRecord, JobRecord, Outcome, Piece, Segment, SegmentEnd, WaitReason, WaitRecord, Why,
    YieldRecord,
};
use crate::cluster::{CapacityChange, NodeState};
use crate::units::{Factor, Seconds, Time};
use crate::workload::{Dependencies, Edge, Job, Names};

pub(super) fn write_jobs(jobs: &[Job]) -> Vec<u8> {
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

pub(super) fn read_jobs(bytes: &[u8]) -> Result<Vec<Job>, Fault> {
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
            deadline: Seconds::FOREVER,
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

/// Nothing where no job has one, so that other histories keep their digests.
pub(super) fn write_deadlines(jobs: &[Job]) -> Vec<u8> {
    if jobs.iter().all(|job| job.deadline == Seconds::FOREVER) {
        return Vec::new();
    }
    let mut columns = ColumnWriter::new(jobs.len());
    columns.u32s(jobs.iter().map(|job| job.deadline.0));
    columns.finish()
}

/// Gives the jobs that are read already their deadlines.
pub(super) fn read_deadlines(bytes: &[u8], jobs: &mut [Job]) -> Result<(), Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    if columns.rows() != jobs.len() {
        return Err("jobs and their deadlines disagree".to_owned());
    }
    jobs.iter_mut().zip(columns.u32s()?).for_each(|(job, deadline)| job.deadline = Seconds(deadline));
    columns.finish()
}

pub(super) fn write_names(names: &Names) -> Vec<u8> {
    let (count, ends, text) = names.parts();
    let mut columns = ColumnWriter::new(count);
    columns.u32s([u32::from(!ends.is_empty())].into_iter());
    columns.u32s(ends.iter().copied());
    columns.text(text);
    columns.finish()
}

pub(super) fn read_names(bytes: &[u8]) -> Result<Names, Fault> {
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

pub(super) fn write_dependencies(dependencies: &Dependencies) -> Vec<u8> {
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

pub(super) fn read_dependencies(bytes: &[u8]) -> Result<Dependencies, Fault> {
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

pub(super) fn write_segments(segments: &[Segment]) -> Vec<u8> {
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

pub(super) fn read_segments(bytes: &[u8]) -> Result<Vec<Segment>, Fault> {
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

pub(super) fn write_pieces(pieces: &[Piece]) -> Vec<u8> {
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

pub(super) fn read_pieces(bytes: &[u8]) -> Result<Vec<Piece>, Fault> {
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

pub(super) fn write_records(records: &[JobRecord]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(records.len());
    columns.u32s(records.iter().map(|record| record.eligible_time.0));
    columns.u32s(records.iter().map(|record| record.finish_time.0));
    columns.u8s(records.iter().map(|record| record.outcome as u8));
    columns.finish()
}

pub(super) fn read_records(bytes: &[u8]) -> Result<Vec<JobRecord>, Fault> {
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

pub(super) fn write_waits(waits: &[WaitRecord]) -> Vec<u8> {
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

pub(super) fn read_waits(bytes: &[u8]) -> Result<Vec<WaitRecord>, Fault> {
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

pub(super) fn write_wait_classes(classes: &[u32]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(classes.len());
    columns.u32s(classes.iter().copied());
    columns.finish()
}

pub(super) fn read_wait_classes(bytes: &[u8]) -> Result<Vec<u32>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let classes = columns.u32s()?.collect();
    columns.finish()?;
    Ok(classes)
}

pub(super) fn write_starts(starts: &[Time]) -> Vec<u8> {
    if starts.is_empty() {
        return Vec::new();
    }
    let mut columns = ColumnWriter::new(starts.len());
    columns.u32s(starts.iter().map(|start| start.0));
    columns.finish()
}

pub(super) fn read_starts(bytes: &[u8]) -> Result<Vec<Time>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let starts = columns.u32s()?.map(Time).collect();
    columns.finish()?;
    Ok(starts)
}

pub(super) fn write_failures(failures: &[FailureRecord]) -> Vec<u8> {
    if failures.is_empty() {
        return Vec::new();
    }
    let mut columns = ColumnWriter::new(failures.len());
    columns.u32s(failures.iter().map(|failure| failure.time.0));
    columns.u32s(failures.iter().map(|failure| failure.component));
    columns.u32s(failures.iter().map(|failure| failure.unit));
    columns.u32s(failures.iter().map(|failure| failure.detected.0));
    columns.u32s(failures.iter().map(|failure| failure.back.0));
    columns.u32s(failures.iter().map(|failure| failure.repair));
    columns.u8s(failures.iter().map(|failure| u8::from(failure.helps)));
    columns.finish()
}

pub(super) fn read_failures(bytes: &[u8]) -> Result<Vec<FailureRecord>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (mut time, mut component, mut unit) = (columns.u32s()?, columns.u32s()?, columns.u32s()?);
    let (mut detected, mut back, mut repair) = (columns.u32s()?, columns.u32s()?, columns.u32s()?);
    let helps = columns.u8s()?;
    let next = |column: &mut dyn Iterator<Item = u32>| column.next().unwrap_or_default();
    let failures = helps.map(|helps| {
        let helps = match helps {
            0 => false,
            1 => true,
            other => return Err(format!("a failure's flag is {other}")),
        };
        Ok(FailureRecord {
            time: Time(next(&mut time)),
            component: next(&mut component),
            unit: next(&mut unit),
            detected: Time(next(&mut detected)),
            back: Time(next(&mut back)),
            repair: next(&mut repair),
            helps,
        })
    });
    let failures = failures.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(failures)
}

pub(super) fn write_capacity(changes: &[CapacityChange]) -> Vec<u8> {
    if changes.is_empty() {
        return Vec::new();
    }
    let mut columns = ColumnWriter::new(changes.len());
    columns.u32s(changes.iter().map(|change| change.time.0));
    columns.u32s(changes.iter().map(|change| change.nodes.start));
    columns.u32s(changes.iter().map(|change| change.nodes.end));
    columns.u8s(changes.iter().map(|change| change.state as u8));
    columns.finish()
}

pub(super) fn read_capacity(bytes: &[u8]) -> Result<Vec<CapacityChange>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (mut time, mut start, mut end) = (columns.u32s()?, columns.u32s()?, columns.u32s()?);
    let states = columns.u8s()?;
    let next = |column: &mut dyn Iterator<Item = u32>| column.next().unwrap_or_default();
    let changes = states.map(|state| {
        let state = NodeState::ALL.get(usize::from(state)).ok_or("a node is in an unknown state")?;
        let (time, nodes) = (Time(next(&mut time)), next(&mut start)..next(&mut end));
        Ok::<_, Fault>(CapacityChange::surprise(time, nodes, *state))
    });
    let changes = changes.collect::<Result<_, _>>()?;
    columns.finish()?;
    Ok(changes)
}

pub(super) fn write_holds(holds: &[HoldRecord]) -> Vec<u8> {
    let mut columns = ColumnWriter::new(holds.len());
    columns.u32s(holds.iter().map(|hold| hold.job));
    columns.u32s(holds.iter().map(|hold| hold.until.0));
    columns.finish()
}

pub(super) fn read_holds(bytes: &[u8]) -> Result<Vec<HoldRecord>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (jobs, untils) = (columns.u32s()?, columns.u32s()?);
    let holds = jobs.zip(untils).map(|(job, until)| HoldRecord { job, until: Time(until) }).collect();
    columns.finish()?;
    Ok(holds)
}

/// Nothing where no job stopped for another, so that other histories keep their digests.
pub(super) fn write_yields(yields: &[YieldRecord]) -> Vec<u8> {
    if yields.is_empty() {
        return Vec::new();
    }
    let mut columns = ColumnWriter::new(yields.len());
    columns.u32s(yields.iter().map(|own| own.segment));
    columns.u32s(yields.iter().map(|own| own.to));
    columns.finish()
}

pub(super) fn read_yields(bytes: &[u8]) -> Result<Vec<YieldRecord>, Fault> {
    let mut columns = ColumnReader::new(bytes)?;
    let (segments, jobs) = (columns.u32s()?, columns.u32s()?);
    let yields = segments.zip(jobs).map(|(segment, to)| YieldRecord { segment, to }).collect();
    columns.finish()?;
    Ok(yields)
}
