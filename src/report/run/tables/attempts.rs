use super::jobs::{job_id, platform};
use super::{Run, column, ranges, time, utc, write_rows};
use crate::history::{History, Segment, SegmentEnd};
use crate::table::Kind::{Indices, Instant, Integer, Name, Real, Text};
use crate::table::{Column, Encoding, Writer};
use crate::units::Time;
use std::io::{self, Write};

/// One stretch of an attempt on its way to the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    history: &'a History,
    segment: &'a Segment,
    attempt: u32,
    /// The job that it stopped for.
    stopped_for: Option<u32>,
}

/// Writes `attempts`: a line for each stretch in which a job held the same domains at the same rate, in the order they
/// began.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let attempts = attempts(history);
    let row = |index: usize| Row {
        history,
        segment: &history.segments[index],
        attempt: attempts[index],
        stopped_for: history.yielded_to(u32::try_from(index).expect("segments are counted in 32 bits")),
    };
    write_rows(attempts.len(), row, Writer::new(encoding, Row::COLUMNS, out)?)
}

/// By segment: the how manieth attempt of its job it is part of, counted from 1.
fn attempts(history: &History) -> Vec<u32> {
    let mut begun = vec![0; history.jobs.len()];
    let mut goes_on = vec![false; history.jobs.len()];
    let of = |segment: &Segment| {
        let job = segment.job as usize;
        // A job that was moved or resized goes on without a new start.
        begun[job] += u32::from(!goes_on[job]);
        goes_on[job] = segment.end.goes_on();
        begun[job]
    };
    history.segments.iter().map(of).collect()
}

impl Row<'_> {
    const fn epoch(&self) -> Option<i64> {
        self.history.plan.workload.epoch
    }
    /// When it let go; never while it holds on.
    fn to_time(&self) -> Time {
        if self.segment.end == SegmentEnd::Open { Time::NEVER } else { self.segment.to }
    }
}

impl<'a> Row<'a> {
    /// Every column of `attempts`, in its order.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        column("job_id", "", Name, "the job, as the input calls it", |row, cells| {
            job_id(row.history, row.segment.job as usize, cells);
        }),
        column(
            "attempt",
            "",
            Integer,
            "which start of the job it belongs to, counted from 1; what is moved or slowed goes on in another line",
            |row, cells| cells.integer(row.attempt.into()),
        ),
        column("from_time", "s", Integer, "when it began to hold its nodes at this rate", |row, cells| {
            time(row.segment.from, cells);
        }),
        column("to_time", "s", Integer, "when that ended; empty if the run ended first", |row, cells| {
            time(row.to_time(), cells);
        }),
        column("run_time", "s", Integer, "to_time - from_time, up to the end of the run", |row, cells| {
            let to = row.segment.to.min(row.history.end);
            cells.integer(to.since(row.segment.from).0.into());
        }),
        column("gpus", "GPUs", Real, "GPUs it held", |row, cells| {
            cells.decimal(i64::try_from(row.history.gpus_of(row.segment)).unwrap_or(i64::MAX), 3);
        }),
        column("platform", "", Text, "the GPU generation it ran on", |row, cells| {
            platform(row.history, row.segment, cells);
        }),
        column(
            "racks",
            "",
            Indices,
            "indices of the racks it held: in CSV as ranges, r3-5;r9",
            |row, cells| {
                cells.indices("r", |found| ranges::racks(row.history, row.segment, found));
            },
        ),
        column(
            "nodes",
            "",
            Indices,
            "indices of the nodes it held: in CSV as ranges, n3-5;n9",
            |row, cells| {
                cells.indices("n", |found| ranges::nodes(row.history, row.segment, found));
            },
        ),
        column(
            "rate",
            "",
            Real,
            "work done a second, in seconds of the reference platform: speed x span factor x what the cap leaves",
            |row, cells| cells.real(row.segment.rate.as_f64()),
        ),
        column(
            "cap",
            "",
            Real,
            "the most its GPUs draw, as a part of their TGP; 1 where they are not capped",
            |row, cells| cells.real(row.segment.cap.as_f64()),
        ),
        column(
            "restart_time",
            "s",
            Integer,
            "part of run_time, at its beginning, in which no work is done: restarts after a stop, or behind one that ended stalled until that is seen",
            |row, cells| cells.integer(row.segment.restart.into()),
        ),
        column(
            "end_reason",
            "",
            Text,
            "completed, failed, timeout, preempted, node-down, changed (moved, resized or at another rate), stalled (what it needs failed, and nobody has seen it: it goes on without doing work) or open",
            |row, cells| cells.text(row.segment.end.name()),
        ),
        column(
            "stopped_for",
            "",
            Name,
            "the job for which it was preempted; empty where it was for none alone",
            |row, cells| {
                if let Some(job) = row.stopped_for {
                    job_id(row.history, job as usize, cells);
                }
            },
        ),
        column(
            "from_utc",
            "",
            Instant,
            "from_time as a date, where run.start or the trace tells one",
            |row, cells| {
                utc(row.epoch(), row.segment.from, cells);
            },
        ),
        column("to_utc", "", Instant, "to_time as a date", |row, cells| {
            utc(row.epoch(), row.to_time(), cells);
        }),
    ];
}
