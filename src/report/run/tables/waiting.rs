use super::series::stretch;
use super::{Run, column, utc, write_rows};
use crate::table::Kind::{Instant, Integer, Real, Text};
use crate::table::{Column, Encoding, Writer};
use crate::units::{Seconds, Time};
use std::io::{self, Write};

/// What waited for one reason in a stretch of time, on its way to the file.
#[derive(Debug)]
pub(super) struct Row {
    time: Time,
    step: Seconds,
    epoch: Option<i64>,
    reason: &'static str,
    jobs: f64,
    gpus: f64,
}

/// Writes `waiting`: a line for each stretch of the series and each reason that ever held.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let details = run.details();
    let (queue, end, epoch) = (&details.queue, run.history.end, run.history.plan.workload.epoch);
    let steps = queue.first().map_or(0, |series| series.jobs.len());
    let row = |index: usize| {
        let (time, step) = stretch(index / queue.len(), details.bucket, end);
        let series = &queue[index % queue.len()];
        let [jobs, gpus] = [&series.jobs, &series.gpus].map(|values| values[index / queue.len()]);
        Row { time, step, epoch, reason: series.reason, jobs, gpus }
    };
    write_rows(steps * queue.len(), row, Writer::new(encoding, Row::COLUMNS, out)?)
}

impl Row {
    /// Every column of `waiting`, in its order.
    pub(super) const COLUMNS: &'static [Column<Self>] = &[
        column("time", "s", Integer, "when the stretch of time begins", |row, cells| {
            cells.integer(row.time.0.into());
        }),
        column("step", "s", Integer, "how long it is", |row, cells| cells.integer(row.step.0.into())),
        column(
            "reason",
            "",
            Text,
            "why they waited: dependency (not eligible yet), quota, limit, licence, capacity, shape, power, order or held",
            |row, cells| cells.text(row.reason),
        ),
        column("jobs", "jobs", Real, "mean number of jobs that waited for it", |row, cells| {
            cells.real(row.jobs);
        }),
        column("gpus", "GPUs", Real, "mean number of GPUs that those asked for", |row, cells| {
            cells.real(row.gpus);
        }),
        column(
            "time_utc",
            "",
            Instant,
            "time as a date, where run.start or the trace tells one",
            |row, cells| {
                utc(row.epoch, row.time, cells);
            },
        ),
    ];
}
