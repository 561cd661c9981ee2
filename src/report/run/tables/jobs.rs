use super::{Run, column, ranges, time, utc, write_rows};
use crate::history::{History, JobRecord, Outcome, Segment, WaitReason};
use crate::metrics::{JobCosts, JobTimes, SLOWDOWN_BOUND, tardiness};
use crate::table::Kind::{Indices, Instant, Integer, Name, Real, Text};
use crate::table::{Cells, Column, Encoding, Writer};
use crate::units::Time;
use crate::workload::Job;
use std::io::{self, Write};

/// One job on its way to the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    history: &'a History,
    index: usize,
    job: &'a Job,
    record: &'a JobRecord,
    times: &'a JobTimes,
    energy: Option<u128>,
    costs: Option<&'a JobCosts>,
    /// What it held last.
    segment: Option<&'a Segment>,
}

/// Writes `jobs`: a line a job, in input order.
pub(super) fn write(run: &Run<'_>, encoding: Encoding, out: &mut dyn Write) -> io::Result<()> {
    let (history, measured) = (run.history, run.measured);
    let mut last = vec![u32::MAX; history.jobs.len()];
    for (index, segment) in (0u32..).zip(&history.segments) {
        last[segment.job as usize] = index;
    }
    let row = |index: usize| Row {
        history,
        index,
        job: &history.plan.workload.jobs[index],
        record: &history.jobs[index],
        times: &measured.jobs[index],
        energy: measured.energy.as_ref().map(|joules| joules[index]),
        costs: measured.costs.as_ref(),
        segment: history.segments.get(last[index] as usize),
    };
    write_rows(last.len(), row, Writer::new(encoding, Row::COLUMNS, out)?)
}

/// A job as the input calls it.
pub(super) fn job_id(history: &History, index: usize, cells: &mut Cells) {
    let names = &history.plan.workload.names;
    if names.are_numbers() {
        cells.text(itoa::Buffer::new().format(index + 1));
    } else {
        cells.text(&names.get(index));
    }
}

/// The platform that a segment is on.
pub(super) fn platform(history: &History, segment: &Segment, cells: &mut Cells) {
    let piece = history.pieces_of(segment).first();
    if let Some(node) = piece.and_then(|piece| piece.nodes().next()) {
        cells.text(&history.plan.cluster.kind_of(node).platform_name);
    }
}

impl Row<'_> {
    const fn has_started(&self) -> bool {
        self.times.attempts > 0
    }
    /// When it became eligible; only then does it have a wait.
    fn eligible_time(&self) -> Time {
        let eligible = self.record.eligible_time;
        if eligible <= self.history.end { eligible } else { Time::NEVER }
    }
    const fn epoch(&self) -> Option<i64> {
        self.history.plan.workload.epoch
    }
    fn reason(&self, reason: WaitReason, cells: &mut Cells) {
        cells.integer(self.times.reasons[reason as usize].into());
    }
}

impl<'a> Row<'a> {
    /// Every column of `jobs`, in its order.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        column("job_id", "", Name, "the job, as the input calls it", |row, cells| {
            job_id(row.history, row.index, cells);
        }),
        column("tenant", "", Text, "who submitted it", |row, cells| {
            cells.text(&row.history.plan.workload.tenants[row.job.tenant as usize].name);
        }),
        column("kind", "", Text, "what it is for", |row, cells| {
            cells.text(row.history.plan.workload.behaviours[row.job.behaviour as usize].kind.name());
        }),
        column("gpus", "GPUs", Real, "GPUs it asks for, all pods together", |row, cells| {
            let request = &row.history.plan.workload.requests[row.job.request as usize];
            cells.decimal(request.gpus().milli().into(), 3);
        }),
        column("submit_time", "s", Integer, "when it was submitted", |row, cells| {
            time(row.job.submit_time, cells);
        }),
        column(
            "eligible_time",
            "s",
            Integer,
            "when it could first have started: submitted, and every predecessor done",
            |row, cells| time(row.eligible_time(), cells),
        ),
        column("start_time", "s", Integer, "when it first started", |row, cells| {
            time(row.times.start_time, cells);
        }),
        column("finish_time", "s", Integer, "when its outcome was settled", |row, cells| {
            time(row.record.finish_time, cells);
        }),
        column(
            "wait_time",
            "s",
            Integer,
            "all time in which it was eligible and not running",
            |row, cells| {
                if row.eligible_time() != Time::NEVER {
                    cells.integer(row.times.wait_time.0.into());
                }
            },
        ),
        column(
            "run_time",
            "s",
            Integer,
            "all time in which it held its domains, lost work and restarts included",
            |row, cells| {
                if row.has_started() {
                    cells.integer(row.times.run_time.0.into());
                }
            },
        ),
        column("attempts", "", Integer, "how often it was started", |row, cells| {
            cells.integer(row.times.attempts.into());
        }),
        column("platform", "", Text, "the GPU generation it ran on last", |row, cells| {
            row.segment.into_iter().for_each(|segment| platform(row.history, segment, cells));
        }),
        column(
            "racks",
            "",
            Indices,
            "indices of the racks it ran on last: in CSV as ranges, r3-5;r9",
            |row, cells| {
                if let Some(segment) = row.segment {
                    cells.indices("r", |found| ranges::racks(row.history, segment, found));
                }
            },
        ),
        column(
            "nodes",
            "",
            Indices,
            "indices of the nodes it ran on last: in CSV as ranges, n3-5;n9",
            |row, cells| {
                if let Some(segment) = row.segment {
                    cells.indices("n", |found| ranges::nodes(row.history, segment, found));
                }
            },
        ),
        column(
            "energy_j",
            "J",
            Integer,
            "energy it drew, the idle draw of its GPUs included; empty where power is not counted",
            |row, cells| {
                row.energy
                    .into_iter()
                    .for_each(|joules| cells.whole(i128::try_from(joules).unwrap_or(i128::MAX)));
            },
        ),
        column(
            "outcome",
            "",
            Text,
            "completed, timeout, failed, cancelled, rejected, dependency-failed or unfinished",
            |row, cells| cells.text(row.record.outcome.name()),
        ),
        column("work_time", "s", Integer, "its work on the reference platform", |row, cells| {
            cells.integer(row.job.work_time.0.into());
        }),
        column("requested_time", "s", Integer, "the user's estimate of that", |row, cells| {
            cells.integer(row.job.requested_time.0.into());
        }),
        column("turnaround_time", "s", Integer, "finish_time - submit_time (JCT)", |row, cells| {
            if row.record.finish_time != Time::NEVER {
                cells.integer(row.record.finish_time.since(row.job.submit_time).0.into());
            }
        }),
        column(
            "bounded_slowdown",
            "",
            Real,
            "max(1, (wait + run) / max(run, 10 s)), to the nearest thousandth",
            |row, cells| {
                if matches!(row.record.outcome, Outcome::Completed | Outcome::Failed | Outcome::Timeout) {
                    let run = i64::from(row.times.run_time.0);
                    let bound = run.max(SLOWDOWN_BOUND.0.into());
                    let whole = (i64::from(row.times.wait_time.0) + run) * 1000;
                    cells.decimal(((whole + bound / 2) / bound).max(1000), 3);
                }
            },
        ),
        column("main_reason", "", Text, "what kept it from running longest", |row, cells| {
            cells.text(row.times.main_reason().map_or("", WaitReason::name));
        }),
        column("dependency_time", "s", Integer, "from submission until it was eligible", |row, cells| {
            row.reason(WaitReason::Dependency, cells);
        }),
        column(
            "wait_quota",
            "s",
            Integer,
            "part of wait_time: its tenant or its queue held as much as it may",
            |row, cells| row.reason(WaitReason::Quota, cells),
        ),
        column(
            "wait_limit",
            "s",
            Integer,
            "part of wait_time: the jobs of its partition held as much as they may",
            |row, cells| row.reason(WaitReason::Limit, cells),
        ),
        column(
            "wait_capacity",
            "s",
            Integer,
            "part of wait_time: not enough GPUs were free",
            |row, cells| row.reason(WaitReason::Capacity, cells),
        ),
        column(
            "wait_shape",
            "s",
            Integer,
            "part of wait_time: enough were free, but no node or rack had them together",
            |row, cells| row.reason(WaitReason::Shape, cells),
        ),
        column("wait_power", "s", Integer, "part of wait_time: a feed had no headroom", |row, cells| {
            row.reason(WaitReason::Power, cells);
        }),
        column(
            "wait_order",
            "s",
            Integer,
            "part of wait_time: it fitted, but others came first",
            |row, cells| row.reason(WaitReason::Order, cells),
        ),
        column(
            "wait_held",
            "s",
            Integer,
            "part of wait_time: it was held for cheap or clean hours, or no pass had seen it yet",
            |row, cells| row.reason(WaitReason::Held, cells),
        ),
        column(
            "wait_licence",
            "s",
            Integer,
            "part of wait_time: too few were left of a licence that it holds",
            |row, cells| row.reason(WaitReason::Licence, cells),
        ),
        column(
            "cost_usd",
            "$",
            Real,
            "its part of the electricity bill of the run; empty where nothing is known of the grid",
            |row, cells| {
                row.costs.into_iter().for_each(|costs| cells.decimal(costs.cost[row.index].0, 6));
            },
        ),
        column(
            "carbon_g",
            "g",
            Integer,
            "its part of the CO2 equivalent that the energy of the run stands for; empty where nothing is known of the grid",
            |row, cells| {
                row.costs.into_iter().for_each(|costs| cells.whole(costs.carbon_g[row.index].into()));
            },
        ),
        column(
            "waits_for",
            "",
            Text,
            "what it waited for when the run ended; empty if it did not wait then",
            |row, cells| cells.text(row.times.waits_for.map_or("", WaitReason::name)),
        ),
        column(
            "recorded_start_time",
            "s",
            Integer,
            "when it started where the trace comes from; empty where that is not told, or the load is scaled",
            |row, cells| {
                let start = row.history.plan.workload.recorded_starts.get(row.index);
                time(start.copied().unwrap_or(Time::NEVER), cells);
            },
        ),
        column(
            "submit_utc",
            "",
            Instant,
            "submit_time as a date, where run.start or the trace tells one",
            |row, cells| {
                utc(row.epoch(), row.job.submit_time, cells);
            },
        ),
        column("eligible_utc", "", Instant, "eligible_time as a date", |row, cells| {
            utc(row.epoch(), row.eligible_time(), cells);
        }),
        column("start_utc", "", Instant, "start_time as a date", |row, cells| {
            utc(row.epoch(), row.times.start_time, cells);
        }),
        column("finish_utc", "", Instant, "finish_time as a date", |row, cells| {
            utc(row.epoch(), row.record.finish_time, cells);
        }),
        column(
            "deadline",
            "s",
            Integer,
            "seconds after submit_time in which it had to be done; empty where it has no deadline",
            |row, cells| {
                if row.job.due_time().is_some() {
                    cells.integer(row.job.deadline.0.into());
                }
            },
        ),
        column(
            "tardiness",
            "s",
            Integer,
            "by how much it completed after its deadline, 0 where before it; empty where it has none or did not complete",
            |row, cells| {
                let job = u32::try_from(row.index).expect("jobs are counted in 32 bits");
                tardiness(row.history, job).into_iter().for_each(|late| cells.integer(late.0.into()));
            },
        ),
    ];
}
