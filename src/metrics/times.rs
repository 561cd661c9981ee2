use super::distribution::Distribution;
use crate::history::{History, Outcome, WaitReason};
use crate::units::{Seconds, Time};
use serde::Serialize;
use std::collections::BTreeMap;

/// Seconds by [`WaitReason`], in the order of [`WaitReason::ALL`].
pub type SecondsByReason = [u32; WaitReason::ALL.len()];

/// What one job went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct JobTimes {
    /// Its first start; [`Time::NEVER`] if it never started.
    pub start_time: Time,
    /// `wait_time` = Σ intervals in which it is eligible and not running, up to its outcome or the end of the run.
    pub wait_time: Seconds,
    /// `run_time` = Σ seconds holding its domains, lost work and restarts included, up to the end of the run.
    pub run_time: Seconds,
    /// How often it was started.
    pub attempts: u32,
    /// Why it waited; all but `dependency`, which is the time before it was eligible, add up to `wait_time`.
    pub reasons: SecondsByReason,
    /// What it waited for when the run ended; none if it did not wait then.
    pub waits_for: Option<WaitReason>,
}

impl JobTimes {
    /// `bounded_slowdown` = max(1, (wait + run) / max(run, 10 s)).
    #[must_use]
    pub fn bounded_slowdown(&self) -> f64 {
        let run = self.run_time.0.max(super::SLOWDOWN_BOUND.0);
        ((f64::from(self.wait_time.0) + f64::from(self.run_time.0)) / f64::from(run)).max(1.0)
    }
    /// The reason it waited longest for; the first of equals; none if it never waited.
    #[must_use]
    pub fn main_reason(&self) -> Option<WaitReason> {
        let longest = self.reasons.iter().copied().max().filter(|seconds| *seconds > 0)?;
        let index = self.reasons.iter().position(|seconds| *seconds == longest)?;
        Some(WaitReason::ALL[index])
    }
}

/// The wait of some jobs, those still waiting or running with the wait so far, and how many of them those are.
pub(super) fn wait_time(history: &History, times: &[JobTimes], jobs: &[u32]) -> Distribution<u32> {
    let waits = jobs.iter().map(|job| times[*job as usize].wait_time.0);
    let is_unfinished = |job: &&u32| history.jobs[**job as usize].outcome == Outcome::Unfinished;
    let unfinished = u64::try_from(jobs.iter().filter(is_unfinished).count());
    let unfinished = unfinished.expect("jobs are counted in 32 bits");
    Distribution { unfinished, ..Distribution::of_seconds(waits.collect()) }
}

/// Whether a job became eligible before the run ended, whatever became of it.
pub(super) fn was_eligible(history: &History, job: u32) -> bool {
    let record = &history.jobs[job as usize];
    record.eligible_time <= record.finish_time.min(history.end)
}

/// A stretch of time in which a job is eligible, does not run and is not held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) job: u32,
    pub(super) from: Time,
    pub(super) to: Time,
}

/// The times of every job, reasons but `dependency` still missing, and every stretch of waiting, in no order.
pub(super) fn times(history: &History) -> (Vec<JobTimes>, Vec<Wait>) {
    let end = history.end;
    let mut waits = Vec::new();
    let mut idle_since: Vec<Time> = history.jobs.iter().map(|record| record.eligible_time).collect();
    let mut times: Vec<JobTimes> = history
        .jobs
        .iter()
        .zip(&history.plan.workload.jobs)
        .map(|(record, job)| {
            let known = record.eligible_time.min(record.finish_time).min(end);
            let mut reasons = SecondsByReason::default();
            reasons[WaitReason::Dependency as usize] = known.since(job.submit_time).0;
            let none = Seconds::ZERO;
            JobTimes {
                start_time: Time::NEVER,
                wait_time: none,
                run_time: none,
                attempts: 0,
                reasons,
                waits_for: None,
            }
        })
        .collect();
    let held: BTreeMap<u32, Time> = history.holds.iter().map(|hold| (hold.job, hold.until)).collect();
    let mut wait = |times: &mut JobTimes, job: u32, from: Time, to: Time| {
        times.wait_time = times.wait_time + to.since(from);
        // A job is held back from when it became eligible, and never again once it has run.
        let held = held.get(&job).filter(|_| times.attempts == 0);
        let until = held.map_or(from, |until| from.max(*until)).min(to);
        times.reasons[WaitReason::Held as usize] += until.since(from).0;
        if to > until || from == end {
            waits.push(Wait { job, from: until, to });
        }
    };
    let mut goes_on = vec![false; times.len()];
    for segment in &history.segments {
        let index = segment.job as usize;
        let own = &mut times[index];
        let since = idle_since[index];
        wait(own, segment.job, since, segment.from);
        own.start_time = own.start_time.min(segment.from);
        own.run_time = own.run_time + segment.to.min(end).since(segment.from);
        // A job that was moved or resized goes on without a new start.
        own.attempts += u32::from(!goes_on[index]);
        goes_on[index] = segment.end.goes_on();
        idle_since[index] = segment.to;
    }
    for (job, record) in (0u32..).zip(&history.jobs) {
        let since = idle_since[job as usize];
        let waits = record.outcome == Outcome::Unfinished && since <= end;
        times[job as usize].waits_for = waits.then_some(WaitReason::Held);
        wait(&mut times[job as usize], job, since, record.finish_time.min(end));
    }
    (times, waits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{HoldRecord, JobRecord, Plan, Segment, SegmentEnd};
    use crate::units::Factor;
    use crate::workload::{Builder, Job};

    fn segment(from: u32, to: u32, end: SegmentEnd) -> Segment {
        let (from, to) = (Time(from), Time(to));
        Segment {
            job: 0,
            from,
            to,
            first_piece: 0,
            pieces: 0,
            rate: Factor::ONE,
            cap: Factor::ONE,
            restart: 0,
            end,
        }
    }

    fn history(eligible: u32, finish: u32, segments: Vec<Segment>) -> History {
        let mut builder = Builder::default();
        builder.push(Job::at(Time(10)));
        let outcome = if finish == u32::MAX { Outcome::Unfinished } else { Outcome::Completed };
        let record = JobRecord { eligible_time: Time(eligible), finish_time: Time(finish), outcome };
        let plan = Plan { workload: builder.finish(), ..Plan::default() };
        History { plan, segments, jobs: vec![record], end: Time(1000), ..History::default() }
    }

    #[test]
    fn a_job_waits_while_it_is_eligible_and_does_not_run() {
        let stopped = [segment(50, 80, SegmentEnd::Preempted), segment(100, 140, SegmentEnd::Completed)];
        let moved = [segment(50, 80, SegmentEnd::Changed), segment(80, 140, SegmentEnd::Completed)];
        let cut_off = [segment(50, 80, SegmentEnd::NodeDown), segment(950, u32::MAX, SegmentEnd::Open)];
        // (eligible, finish, segments), (dependency, wait, run, attempts)
        let cases = [
            ((30, 140, stopped.to_vec()), (20, 20 + 20, 30 + 40, 2)),
            ((10, 140, moved.to_vec()), (0, 40, 90, 1)),
            ((10, u32::MAX, cut_off.to_vec()), (0, 40 + 870, 30 + 50, 2)),
            ((10, u32::MAX, vec![]), (0, 990, 0, 0)),
            ((u32::MAX, 600, vec![]), (590, 0, 0, 0)),
            ((u32::MAX, u32::MAX, vec![]), (990, 0, 0, 0)),
            ((2000, u32::MAX, vec![]), (990, 0, 0, 0)),
            ((400, 600, vec![]), (390, 200, 0, 0)),
        ];
        for ((eligible, finish, segments), expected) in cases {
            let (times, waits) = times(&history(eligible, finish, segments));
            let own = times[0];
            let found = (own.reasons[0], own.wait_time.0, own.run_time.0, own.attempts);
            assert_eq!(found, expected, "eligible at {eligible}, finished at {finish}");
            let sum: u32 = waits.iter().map(|wait| wait.to.since(wait.from).0).sum();
            assert_eq!(sum, own.wait_time.0, "the stretches add up");
        }
    }

    #[test]
    fn a_job_that_is_held_back_waits_for_nothing_else() {
        let ran = vec![segment(50, 80, SegmentEnd::Preempted), segment(100, 140, SegmentEnd::Completed)];
        // (finish, segments, held until), (held, other waiting)
        let cases = [
            ((140, ran.clone(), 45), (15, 5 + 20)),
            ((140, ran.clone(), 50), (20, 20)),
            ((140, ran, 30), (0, 20 + 20)),
            ((u32::MAX, vec![], 2000), (970, 0)),
            ((100, vec![], 2000), (70, 0)),
            ((100, vec![], 60), (30, 40)),
        ];
        for ((finish, segments, until), expected) in cases {
            let mut history = history(30, finish, segments);
            history.holds.push(HoldRecord { job: 0, until: Time(until) });
            let (times, waits) = times(&history);
            let held = times[0].reasons[WaitReason::Held as usize];
            let others: u32 = waits.iter().map(|wait| wait.to.since(wait.from).0).sum();
            assert_eq!((held, others), expected, "held until {until}, finished at {finish}");
            assert_eq!(held + others, times[0].wait_time.0, "all of it is waiting");
        }
    }

    #[test]
    fn bounded_slowdown_does_not_punish_short_jobs() {
        // (wait, run), (wait + run) / max(run, 10), at least 1
        for ((wait, run), expected) in [((0, 5), 1.0), ((5, 1), 1.0), ((95, 5), 10.0), ((300, 100), 4.0)] {
            let none = SecondsByReason::default();
            let (wait_time, run_time) = (Seconds(wait), Seconds(run));
            let times = JobTimes {
                start_time: Time(0),
                wait_time,
                run_time,
                attempts: 1,
                reasons: none,
                waits_for: None,
            };
            assert!((times.bounded_slowdown() - expected).abs() < 1e-12, "{wait} s and {run} s");
        }
    }
}
