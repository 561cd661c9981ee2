use super::{first_wait, is_success, run_time, whole_gpus};
use crate::history::{History, JobRecord, Outcome, Piece, Segment};
use crate::metrics::JobTimes;
use crate::report::run::Run;
use crate::table::Kind::{Integer, Real, Text};
use crate::table::{Cells, Column, Encoding, Head, Kind, Writer};
use crate::units::Time;
use crate::workload::Job;
use std::io::{self, Write};

/// One job on its way to the file.
#[derive(Debug)]
struct Row<'a> {
    history: &'a History,
    index: u32,
    job: &'a Job,
    record: &'a JobRecord,
    times: &'a JobTimes,
    energy: Option<u128>,
    segment: Option<&'a Segment>,
    /// By node: the number of its first GPU among all.
    first_gpu: &'a [u32],
}

const fn column<R>(name: &'static str, kind: Kind, write: fn(&R, &mut Cells)) -> Column<R> {
    Column { head: Head { name, unit: "", kind, about: "", since: "0.1.0" }, write }
}

/// Writes the jobs as Batsim does, for evalys and the like: a GPU is a resource, numbered node by node.
pub(in crate::report::run) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (history, measured) = (run.history, run.measured);
    let cluster = &history.plan.cluster;
    let mut next = 0;
    let first = |node: u32| {
        let first = next;
        next += cluster.kind_of(node).gpus;
        first
    };
    let first_gpu: Vec<u32> = (0..cluster.nodes()).map(first).collect();
    let mut last = vec![None; history.jobs.len()];
    for segment in &history.segments {
        last[segment.job as usize] = Some(segment);
    }
    let row = |index: u32| Row {
        history,
        index,
        job: &history.plan.workload.jobs[index as usize],
        record: &history.jobs[index as usize],
        times: &measured.jobs[index as usize],
        energy: measured.energy.as_ref().map(|joules| joules[index as usize]),
        segment: last[index as usize],
        first_gpu: &first_gpu,
    };
    let mut writer = Writer::new(Encoding::Csv, Row::COLUMNS, out)?;
    let rows: Vec<Row<'_>> = (0..history.plan.workload.len()).map(row).collect();
    rows.chunks(Writer::<Row<'_>>::BATCH).try_for_each(|rows| writer.rows(rows))?;
    writer.finish()
}

impl<'a> Row<'a> {
    const COLUMNS: &'a [Column<Self>] = &[
        column("job_id", Text, |row, cells| {
            cells.text(&row.history.plan.workload.names.get(row.index as usize));
        }),
        column("workload_name", Text, |row, cells| {
            cells.text(&row.history.plan.workload.tenants[row.job.tenant as usize].name);
        }),
        column("profile", Text, |row, cells| {
            cells.text(row.history.plan.workload.behaviour_of(row.index).kind.name());
        }),
        column("submission_time", Integer, |row, cells| cells.integer(row.job.submit_time.0.into())),
        column("requested_number_of_resources", Integer, |row, cells| {
            cells.integer(whole_gpus(row.history, row.index).into());
        }),
        column("requested_time", Integer, |row, cells| cells.integer(row.job.requested_time.0.into())),
        column("success", Integer, |row, cells| cells.integer(is_success(row.record.outcome).into())),
        column("final_state", Text, |row, cells| cells.text(final_state(row))),
        column("starting_time", Integer, |row, cells| {
            if row.times.attempts > 0 {
                cells.integer(row.times.start_time.0.into());
            }
        }),
        column("execution_time", Integer, |row, cells| {
            run_time(row.times).into_iter().for_each(|time| cells.integer(time.0.into()));
        }),
        column("finish_time", Integer, |row, cells| {
            if row.record.finish_time != Time::NEVER {
                cells.integer(row.record.finish_time.0.into());
            }
        }),
        column("waiting_time", Integer, |row, cells| {
            let wait = first_wait(row.job.submit_time, row.record, row.times);
            wait.into_iter().for_each(|wait| cells.integer(wait.0.into()));
        }),
        column("turnaround_time", Integer, |row, cells| {
            if row.record.finish_time != Time::NEVER {
                cells.integer(row.record.finish_time.since(row.job.submit_time).0.into());
            }
        }),
        column("stretch", Real, |row, cells| {
            if let Some(run) = run_time(row.times).filter(|_| row.record.finish_time != Time::NEVER) {
                let turnaround = row.record.finish_time.since(row.job.submit_time);
                cells.real(f64::from(turnaround.0) / f64::from(run.0.max(1)));
            }
        }),
        column("allocated_resources", Text, |row, cells| {
            if let Some(segment) = row.segment {
                cells.text(&resources(row.history, segment, row.first_gpu));
            }
        }),
        column("consumed_energy", Integer, |row, cells| {
            let joules = row.energy.and_then(|joules| i128::try_from(joules).ok());
            joules.into_iter().for_each(|joules| cells.whole(joules));
        }),
    ];
}

/// The state of a job as Batsim calls it.
fn final_state(row: &Row<'_>) -> &'static str {
    let runs = row.times.start_time != Time::NEVER && row.times.waits_for.is_none();
    match row.record.outcome {
        Outcome::Completed => "COMPLETED_SUCCESSFULLY",
        Outcome::Failed => "COMPLETED_FAILED",
        Outcome::Timeout => "COMPLETED_WALLTIME_REACHED",
        Outcome::Cancelled => "COMPLETED_KILLED",
        Outcome::Rejected | Outcome::DependencyFailed => "REJECTED",
        Outcome::Unfinished if runs => "RUNNING",
        Outcome::Unfinished if row.job.submit_time > row.history.end => "NOT_SUBMITTED",
        Outcome::Unfinished => "SUBMITTED",
    }
}

/// The GPUs of a segment as `0-3 8`.
fn resources(history: &History, segment: &Segment, first_gpu: &[u32]) -> String {
    let mut gpus: Vec<u32> = Vec::new();
    for piece in history.pieces_of(segment) {
        match *piece {
            Piece::Nodes { .. } => {
                for node in piece.nodes() {
                    let first = first_gpu[node as usize];
                    gpus.extend(first..first + history.plan.cluster.kind_of(node).gpus);
                }
            }
            Piece::Gpus { node, mask } => {
                let held = (0..64).filter(|gpu| mask >> gpu & 1 == 1);
                gpus.extend(held.map(|gpu| first_gpu[node as usize] + gpu));
            }
            Piece::Share { node, gpu, .. } => gpus.push(first_gpu[node as usize] + u32::from(gpu)),
        }
    }
    gpus.sort_unstable();
    gpus.dedup();
    let run = |run: &[u32]| match run {
        [only] => only.to_string(),
        run => format!("{}-{}", run[0], run[run.len() - 1]),
    };
    gpus.chunk_by(|a, b| a + 1 == *b).map(run).collect::<Vec<_>>().join(" ")
}
