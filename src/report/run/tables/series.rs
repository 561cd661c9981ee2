use super::{Run, column, utc, write_rows};
use crate::history::WaitReason;
use crate::table::Kind::{Instant, Integer, Real};
use crate::table::{Column, Encoding, Writer};
use crate::units::{Seconds, Time};
use std::io::{self, Write};

/// One stretch of time on its way to the file.
#[derive(Debug)]
pub(super) struct Row {
    time: Time,
    step: Seconds,
    epoch: Option<i64>,
    utilization: f64,
    fragmentation: f64,
    block_fragmentation: f64,
    waiting_jobs: f64,
    waiting_gpus: f64,
    available_gpus: f64,
}

/// A stretch of the series of a run: when it begins and how long it is, the last one cut off at the end.
pub(super) fn stretch(index: usize, width: Seconds, end: Time) -> (Time, Seconds) {
    let begin = u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(width.0).min(end.0);
    (Time(begin), Seconds(width.0.min(end.0 - begin)))
}

/// Writes `series`: a line for each of some hundred stretches of equal length.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let (series, details) = (&run.measured.metrics.series, run.details());
    let (end, epoch) = (run.history.end, run.history.plan.workload.epoch);
    let of = |values: &[f64], index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let row = |index: usize| {
        let (time, step) = stretch(index, series.bucket, end);
        let waiting = details.queue.iter().filter(|queue| queue.reason != WaitReason::Dependency.name());
        Row {
            time,
            step,
            epoch,
            utilization: of(&series.utilization, index),
            fragmentation: of(&series.fragmentation, index),
            block_fragmentation: of(&series.block_fragmentation, index),
            waiting_jobs: of(&series.waiting_jobs, index),
            // Adding zero makes the sum of nothing positive.
            waiting_gpus: waiting.map(|queue| of(&queue.gpus, index)).sum::<f64>() + 0.0,
            available_gpus: of(&details.available_gpus, index),
        }
    };
    write_rows(series.utilization.len(), row, Writer::new(encoding, Row::COLUMNS, out)?)
}

impl Row {
    /// Every column of `series`, in its order.
    pub(super) const COLUMNS: &'static [Column<Self>] = &[
        column("time", "s", Integer, "when the stretch of time begins", |row, cells| {
            cells.integer(row.time.0.into());
        }),
        column("step", "s", Integer, "how long it is", |row, cells| cells.integer(row.step.0.into())),
        column("utilization", "", Real, "allocated / available GPU-seconds, 0 to 1", |row, cells| {
            cells.real(row.utilization);
        }),
        column(
            "fragmentation",
            "",
            Real,
            "free GPU-seconds on partly used nodes / all free ones, 0 to 1",
            |row, cells| cells.real(row.fragmentation),
        ),
        column(
            "waiting_jobs",
            "jobs",
            Real,
            "mean number of jobs that are eligible and do not run",
            |row, cells| cells.real(row.waiting_jobs),
        ),
        column("waiting_gpus", "GPUs", Real, "mean number of GPUs that those ask for", |row, cells| {
            cells.real(row.waiting_gpus);
        }),
        column(
            "available_gpus",
            "GPUs",
            Real,
            "mean number of GPUs of nodes that are up or draining",
            |row, cells| cells.real(row.available_gpus),
        ),
        column(
            "time_utc",
            "",
            Instant,
            "time as a date, where run.start or the trace tells one",
            |row, cells| {
                utc(row.epoch, row.time, cells);
            },
        ),
        column(
            "block_fragmentation",
            "nodes",
            Real,
            "nodes in use, and of the blocks of every size that they break up, racks being blocks (Slurm); empty where they are none",
            |row, cells| cells.real(row.block_fragmentation),
        ),
    ];
}
