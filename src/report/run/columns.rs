//! The columns of `jobs.csv`: the table that the writer, `list columns` and the tests share.

use super::ranges::{Ranges, write_ranges};
use crate::history::{History, JobRecord, Outcome, Segment, WaitReason};
use crate::metrics::{JobCosts, JobTimes, SLOWDOWN_BOUND};
use crate::units::Time;
use crate::workload::Job;

/// One column of `jobs.csv`.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// As the first line of the file calls it.
    pub name: &'static str,
    /// What it is counted in; empty for names and lists.
    pub unit: &'static str,
    /// What it says, in the words of the field.
    pub about: &'static str,
    pub(super) write: fn(&mut Row<'_>),
}

/// One job on its way to the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) history: &'a History,
    pub(super) index: usize,
    pub(super) job: &'a Job,
    pub(super) record: &'a JobRecord,
    pub(super) times: &'a JobTimes,
    pub(super) energy: Option<u128>,
    pub(super) costs: Option<&'a JobCosts>,
    /// What it held last.
    pub(super) segment: Option<&'a Segment>,
    pub(super) ranges: &'a mut Ranges,
    pub(super) out: &'a mut Vec<u8>,
}

impl Row<'_> {
    fn number(&mut self, number: u64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }
    fn seconds(&mut self, seconds: u32) {
        self.number(u64::from(seconds));
    }
    /// An instant, or nothing if it never came.
    fn time(&mut self, time: Time) {
        if time != Time::NEVER {
            self.seconds(time.0);
        }
    }
    /// Thousandths as a decimal number without needless zeros.
    fn thousandths(&mut self, number: u64) {
        self.number(number / 1000);
        let rest = number % 1000;
        if rest > 0 {
            // The leading 1 keeps the zeros behind the point: 1046 for 0.046.
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(1000 + rest).trim_end_matches('0');
            self.out.push(b'.');
            self.out.extend_from_slice(&digits.as_bytes()[1..]);
        }
    }
    /// A name, between quotes if it could be taken for something else.
    fn text(&mut self, text: &str) {
        if !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            self.out.extend_from_slice(text.as_bytes());
            return;
        }
        self.out.push(b'"');
        for byte in text.bytes() {
            self.out.extend(std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
        }
        self.out.push(b'"');
    }
    fn has_started(&self) -> bool {
        self.times.attempts > 0
    }
    /// Whether it was ever eligible: only then does it have a wait.
    fn was_eligible(&self) -> bool {
        self.record.eligible_time <= self.history.end
    }
    fn reason(&mut self, reason: WaitReason) {
        self.seconds(self.times.reasons[reason as usize]);
    }
}

macro_rules! reason {
    ($name:literal, $reason:ident, $about:literal) => {
        Column { name: $name, unit: "s", about: $about, write: |row| row.reason(WaitReason::$reason) }
    };
}

/// Every column of `jobs.csv`, in its order.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "job_id",
        unit: "",
        about: "the job, as the input calls it",
        write: |row| {
            if row.history.plan.workload.names.are_numbers() {
                row.number(u64::try_from(row.index + 1).expect("jobs are counted in 32 bits"));
            } else {
                let history = row.history;
                row.text(&history.plan.workload.names.get(row.index));
            }
        },
    },
    Column {
        name: "tenant",
        unit: "",
        about: "who submitted it",
        write: |row| {
            let history = row.history;
            row.text(&history.plan.workload.tenants[row.job.tenant as usize].name);
        },
    },
    Column {
        name: "kind",
        unit: "",
        about: "what it is for",
        write: |row| {
            let behaviour = &row.history.plan.workload.behaviours[row.job.behaviour as usize];
            row.out.extend_from_slice(behaviour.kind.name().as_bytes());
        },
    },
    Column {
        name: "gpus",
        unit: "GPUs",
        about: "GPUs it asks for, all pods together",
        write: |row| {
            let request = &row.history.plan.workload.requests[row.job.request as usize];
            row.thousandths(u64::from(request.gpus().milli()));
        },
    },
    Column {
        name: "submit_time",
        unit: "s",
        about: "when it was submitted",
        write: |row| row.time(row.job.submit_time),
    },
    Column {
        name: "eligible_time",
        unit: "s",
        about: "when it could first have started: submitted, and every predecessor done",
        write: |row| {
            if row.was_eligible() {
                row.time(row.record.eligible_time);
            }
        },
    },
    Column {
        name: "start_time",
        unit: "s",
        about: "when it first started",
        write: |row| row.time(row.times.start_time),
    },
    Column {
        name: "finish_time",
        unit: "s",
        about: "when its outcome was settled",
        write: |row| row.time(row.record.finish_time),
    },
    Column {
        name: "wait_time",
        unit: "s",
        about: "all time in which it was eligible and not running",
        write: |row| {
            if row.was_eligible() {
                row.seconds(row.times.wait_time.0);
            }
        },
    },
    Column {
        name: "run_time",
        unit: "s",
        about: "all time in which it held its domains, lost work and restarts included",
        write: |row| {
            if row.has_started() {
                row.seconds(row.times.run_time.0);
            }
        },
    },
    Column {
        name: "attempts",
        unit: "",
        about: "how often it was started",
        write: |row| row.seconds(row.times.attempts),
    },
    Column {
        name: "platform",
        unit: "",
        about: "the GPU generation it ran on last",
        write: |row| {
            let history = row.history;
            let piece = row.segment.and_then(|segment| history.pieces_of(segment).first());
            if let Some(node) = piece.and_then(|piece| piece.nodes().next()) {
                row.text(&history.plan.cluster.kind_of(node).platform_name);
            }
        },
    },
    Column {
        name: "racks",
        unit: "",
        about: "indices of the racks it ran on last, as ranges: 3-5;9",
        write: |row| {
            if let Some(segment) = row.segment {
                write_ranges(row.ranges.racks(row.history, segment), row.out);
            }
        },
    },
    Column {
        name: "nodes",
        unit: "",
        about: "indices of the nodes it ran on last, as ranges: 3-5;9",
        write: |row| {
            if let Some(segment) = row.segment {
                write_ranges(row.ranges.nodes(row.history, segment), row.out);
            }
        },
    },
    Column {
        name: "energy_j",
        unit: "J",
        about: "energy it drew, the idle draw of its GPUs included; empty where power is not counted",
        write: |row| {
            if let Some(joules) = row.energy {
                row.out.extend_from_slice(itoa::Buffer::new().format(joules).as_bytes());
            }
        },
    },
    Column {
        name: "outcome",
        unit: "",
        about: "completed, timeout, failed, cancelled, rejected, dependency-failed or unfinished",
        write: |row| row.out.extend_from_slice(row.record.outcome.name().as_bytes()),
    },
    Column {
        name: "work_time",
        unit: "s",
        about: "its work on the reference platform",
        write: |row| row.seconds(row.job.work_time.0),
    },
    Column {
        name: "requested_time",
        unit: "s",
        about: "the user's estimate of that",
        write: |row| row.seconds(row.job.requested_time.0),
    },
    Column {
        name: "turnaround_time",
        unit: "s",
        about: "finish_time - submit_time (JCT)",
        write: |row| {
            if row.record.finish_time != Time::NEVER {
                row.seconds(row.record.finish_time.since(row.job.submit_time).0);
            }
        },
    },
    Column {
        name: "bounded_slowdown",
        unit: "",
        about: "max(1, (wait + run) / max(run, 10 s)), to the nearest thousandth",
        write: |row| {
            let ended = matches!(row.record.outcome, Outcome::Completed | Outcome::Failed | Outcome::Timeout);
            if ended {
                let run = u64::from(row.times.run_time.0);
                let bound = run.max(u64::from(SLOWDOWN_BOUND.0));
                let whole = (u64::from(row.times.wait_time.0) + run) * 1000;
                row.thousandths(((whole + bound / 2) / bound).max(1000));
            }
        },
    },
    Column {
        name: "main_reason",
        unit: "",
        about: "what kept it from running longest",
        write: |row| {
            if let Some(reason) = row.times.main_reason() {
                row.out.extend_from_slice(reason.name().as_bytes());
            }
        },
    },
    reason!("dependency_time", Dependency, "from submission until it was eligible"),
    reason!("wait_quota", Quota, "part of wait_time: its tenant held as much as it may"),
    reason!("wait_limit", Limit, "part of wait_time: the jobs of its partition held as much as they may"),
    reason!("wait_capacity", Capacity, "part of wait_time: not enough GPUs were free"),
    reason!(
        "wait_shape",
        Shape,
        "part of wait_time: enough were free, but no node or rack had them together"
    ),
    reason!("wait_power", Power, "part of wait_time: a feed had no headroom"),
    reason!("wait_order", Order, "part of wait_time: it fitted, but others came first"),
    reason!(
        "wait_held",
        Held,
        "part of wait_time: it was held for cheap or clean hours, or no pass had seen it yet"
    ),
    Column {
        name: "cost_usd",
        unit: "$",
        about: "its part of the electricity bill of the run; empty where nothing is known of the grid",
        write: |row| {
            if let Some(cost) = row.costs.map(|costs| costs.cost[row.index]) {
                row.out.extend_from_slice(cost.exact().as_bytes());
            }
        },
    },
    Column {
        name: "carbon_g",
        unit: "g",
        about: "its part of the CO2 equivalent that the energy of the run stands for; empty where nothing is known of the grid",
        write: |row| {
            if let Some(grams) = row.costs.map(|costs| costs.carbon_g[row.index]) {
                row.out.extend_from_slice(itoa::Buffer::new().format(grams).as_bytes());
            }
        },
    },
    Column {
        name: "waits_for",
        unit: "",
        about: "what it waited for when the run ended; empty if it did not wait then",
        write: |row| {
            if let Some(reason) = row.times.waits_for {
                row.out.extend_from_slice(reason.name().as_bytes());
            }
        },
    },
    Column {
        name: "recorded_start_time",
        unit: "s",
        about: "when it started where the trace comes from; empty where that is not told, or the load is scaled",
        write: |row| {
            let start = row.history.plan.workload.recorded_starts.get(row.index);
            row.time(start.copied().unwrap_or(Time::NEVER));
        },
    },
];
