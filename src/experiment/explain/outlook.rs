//! When a waiting job could expect to start, as far as was known instant by instant, and what moved that.
//!
//! What is known at an instant is a plan of its own: the jobs that have come, each taking as long as it requests unless it
//! is done, and the changes that have been announced. What was decided up to then is the same, since nobody could know
//! more; what comes of it after that is what the job could expect. Under conservative backfill its reservation is no earlier:
//! whoever comes later may take a gap into which it would have been moved up, and puts it off by no more than that.

use super::change::first_start;
use crate::history::{History, Outcome, Plan, SegmentEnd};
use crate::simulation::{Control, simulate};
use crate::units::{Seconds, Time};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Something that nobody could know before it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surprise {
    /// A job ended sooner than it had requested.
    EndedSooner {
        /// Its index.
        job: u32,
        /// What was left of its request, on the reference platform.
        by: Seconds,
    },
    /// A job did not end when it had requested to.
    Overran {
        /// Its index.
        job: u32,
    },
    /// A job was withdrawn.
    Withdrawn {
        /// Its index.
        job: u32,
    },
    /// A node broke under a job.
    Broke {
        /// Its index.
        job: u32,
    },
    /// Nodes came, went, or were announced to.
    Capacity,
    /// Power was taken away, or was announced to be.
    Power,
    /// A job came.
    Came {
        /// Its index.
        job: u32,
    },
}

/// What a job could expect from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The first instant looked at that has it.
    pub at: Time,
    /// When it starts as far as is known then; none: never, or not before a run that is cut off ends.
    pub start: Option<Time>,
    /// What happened since the instant looked at before, those first that are likelier to move it.
    pub since: Vec<Surprise>,
}

/// What a job could expect, instant by instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlooks {
    /// Each one that differs from the one before.
    pub all: Vec<Outlook>,
    /// How many instants were looked at.
    pub looked: usize,
    /// Of how many at which something happened that nobody could know before.
    pub of: usize,
}

/// Instants that are looked at: a simulation each.
const LOOKS: usize = 48;

/// What a job could expect while it waited for its first start, and what moved that, by simulating what was known, on all
/// cores; nothing of a job that did not wait. Between two instants with the same outlook none is looked at.
///
/// None if it was interrupted.
///
/// # Complexity
/// At most some 48 simulations.
///
/// # Panics
/// Without such a job.
#[must_use]
pub fn outlooks(history: &History, job: u32, interrupted: Option<&AtomicBool>) -> Option<Outlooks> {
    let record = &history.jobs[job as usize];
    let begin = record.eligible_time;
    let end = first_start(history, job).unwrap_or(history.end.min(record.finish_time));
    if begin >= end {
        return Some(Outlooks::default());
    }
    let surprises = surprises(history, job, (begin, end));
    let instants: Vec<Time> = std::iter::once(begin).chain(surprises.keys().copied()).collect();
    let found = looks(history, job, &instants, interrupted)?;
    let mut all: Vec<Outlook> = Vec::new();
    let mut before: Option<usize> = None;
    for (place, start) in &found {
        if all.last().is_none_or(|last| last.start != *start) {
            let between = before.map_or(&[][..], |before| &instants[before + 1..=*place]);
            let mut since: Vec<Surprise> =
                between.iter().filter_map(|at| surprises.get(at)).flatten().copied().collect();
            since.sort_unstable();
            all.push(Outlook { at: instants[*place], start: *start, since });
        }
        before = Some(*place);
    }
    Some(Outlooks { all, looked: found.len(), of: instants.len() })
}

/// When a job starts as far as is known at some of these instants, by their places: the first, the last, and those between two
/// that differ, halving.
fn looks(
    history: &History,
    job: u32,
    instants: &[Time],
    interrupted: Option<&AtomicBool>,
) -> Option<BTreeMap<usize, Option<Time>>> {
    let look = |place: &usize| -> Option<(usize, Option<Time>)> {
        let mut control = Control { interrupted, ..Control::default() };
        let found = simulate(known_at(history, instants[*place]), &mut control);
        found.complete.then(|| (*place, first_start(&found, job)))
    };
    let mut found: BTreeMap<usize, Option<Time>> = BTreeMap::new();
    let mut next = vec![0, instants.len() - 1];
    next.dedup();
    while !next.is_empty() && found.len() < LOOKS {
        next.truncate(LOOKS - found.len());
        found.extend(next.par_iter().map(look).collect::<Option<Vec<_>>>()?);
        let known: Vec<(usize, Option<Time>)> = found.iter().map(|(place, start)| (*place, *start)).collect();
        let differ = |pair: &&[(usize, Option<Time>)]| pair[0].1 != pair[1].1 && pair[1].0 - pair[0].0 > 1;
        next = known.windows(2).filter(differ).map(|pair| pair[0].0.midpoint(pair[1].0)).collect();
    }
    Some(found)
}

/// What is known at an instant of a run: jobs that have come by then take as long as they request, unless they are done, and
/// no other comes; changes are those that have been announced.
///
/// ```
/// use gigawatt::cluster::{Cluster, NodeKind};
/// use gigawatt::experiment::{first_start, known_at};
/// use gigawatt::history::{Plan, Settings};
/// use gigawatt::simulation::{Control, simulate};
/// use gigawatt::units::{Gpus, Seconds, Time};
/// use gigawatt::workload::{Behaviour, Builder, Job, Request};
/// let mut builder = Builder::default();
/// let behaviour = builder.behaviour(Behaviour::default());
/// let request = builder.request(Request::gang(Gpus::whole(8)));
/// for (submit, work, requested) in [(0, 40, 100), (10, 50, 50)] {
///     let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) };
///     builder.push(job.requesting(Seconds(requested)));
/// }
/// let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
/// let plan = Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", "conservative", "first-fit") };
/// let history = simulate(plan, &mut Control::default());
/// let starts = [10, 39, 40].map(|now| {
///     first_start(&simulate(known_at(&history, Time(now)), &mut Control::default()), 1).unwrap().0
/// });
/// // The first job requests 100 s and ends at 40, which nobody knows until then.
/// assert_eq!(starts, [100, 100, 40]);
/// ```
#[must_use]
pub fn known_at(history: &History, now: Time) -> Plan {
    let mut plan = history.plan.clone();
    let overdue = overdue(history, now);
    for (job, own) in (0_u32..).zip(&mut plan.workload.jobs) {
        if own.submit_time > now {
            // What comes then does not happen.
            own.submit_time = Time::NEVER;
        }
        if own.cancel_time > now {
            own.cancel_time = Time::NEVER;
        }
        if history.jobs[job as usize].finish_time > now {
            own.fails = false;
            own.work_time = overdue.get(&job).copied().unwrap_or(own.requested_time);
        }
    }
    plan.cluster.changes.retain(|change| change.announced() <= now);
    if let Some(failures) = &mut plan.cluster.failures {
        failures.until = now;
    }
    plan.cluster.curtailments.retain(|curtailment| curtailment.announced() <= now);
    plan
}

/// The work of jobs that have done more of it by an instant than they request: they are expected to be done at once. Of one
/// that is stopped again before it is done, all of its work.
fn overdue(history: &History, now: Time) -> BTreeMap<u32, Seconds> {
    let jobs = &history.plan.workload.jobs;
    let is_longer = |job: u32| jobs[job as usize].requested_time < jobs[job as usize].work_time;
    let mut found = BTreeMap::new();
    // By job: what is done of it after the instant, in the unit of rates, if it is done in one go.
    let mut left: BTreeMap<u32, Option<u64>> = BTreeMap::new();
    for segment in history.segments.iter().rev() {
        if segment.to <= now
            || !is_longer(segment.job)
            || history.jobs[segment.job as usize].finish_time <= now
        {
            continue;
        }
        let goes_on =
            segment.end.goes_on() || matches!(segment.end, SegmentEnd::Completed | SegmentEnd::Failed);
        let from = Time(segment.from.0.saturating_add(segment.restart)).max(now);
        let done = u64::from(segment.to.since(from).0) * u64::from(segment.rate.0);
        let sum = left.entry(segment.job).or_insert(Some(0));
        *sum = sum.filter(|_| goes_on).map(|sum| sum + done);
    }
    for (job, left) in left {
        let own = &jobs[job as usize];
        let left = left.map(|left| Seconds(u32::try_from(left.div_ceil(1 << 16)).unwrap_or(u32::MAX)));
        match left {
            None => {
                found.insert(job, own.work_time);
            }
            Some(left) => {
                let done = own.work_time.0.saturating_sub(left.0);
                if done >= own.requested_time.0 {
                    found.insert(job, Seconds(done + 1));
                }
            }
        }
    }
    found
}

/// What happened after `begin`, up to `end`, that nobody could know before.
fn surprises(history: &History, own: u32, (begin, end): (Time, Time)) -> BTreeMap<Time, Vec<Surprise>> {
    let mut found: BTreeMap<Time, Vec<Surprise>> = BTreeMap::new();
    let mut add = |at: Time, what: Surprise| {
        if begin < at && at <= end {
            found.entry(at).or_default().push(what);
        }
    };
    for (job, (asked, record)) in (0_u32..).zip(history.plan.workload.jobs.iter().zip(&history.jobs)) {
        if job != own {
            add(asked.submit_time, Surprise::Came { job });
        }
        match record.outcome {
            Outcome::Cancelled => add(record.finish_time, Surprise::Withdrawn { job }),
            Outcome::Completed | Outcome::Failed if asked.work_time < asked.requested_time => {
                let by = Seconds(asked.requested_time.0 - asked.work_time.0);
                add(record.finish_time, Surprise::EndedSooner { job, by });
            }
            _ => {}
        }
    }
    for segment in &history.segments {
        let (job, asked) = (segment.job, &history.plan.workload.jobs[segment.job as usize]);
        match segment.end {
            SegmentEnd::NodeDown => add(segment.to, Surprise::Broke { job }),
            SegmentEnd::Completed | SegmentEnd::Failed if asked.requested_time < asked.work_time => {
                let over = u64::from(asked.work_time.0 - asked.requested_time.0) << 16;
                let over = u32::try_from(over / u64::from(segment.rate.0.max(1))).unwrap_or(u32::MAX);
                let due = Time(segment.to.0.saturating_sub(over)).max(segment.from);
                // It is due within the next second from then on, until it ends.
                add(due, Surprise::Overran { job });
                add(segment.to, Surprise::Overran { job });
            }
            _ => {}
        }
    }
    for change in history.changes() {
        add(change.announced(), Surprise::Capacity);
    }
    for curtailment in &history.plan.cluster.curtailments {
        add(curtailment.announced(), Surprise::Power);
    }
    found
}
