//! Why one job waited, from when to when.

use super::times::times;
use super::waiting::first_pass;
use crate::history::{History, WaitReason, Why};
use crate::units::{Seconds, Time};
use serde::Serialize;

/// A stretch of time in which a job waited for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Waited {
    /// When it began to.
    pub from: Time,
    /// When it started, or went on to wait for something else.
    pub to: Time,
    /// For what; `dependency` is before it was eligible, and no part of its wait.
    pub reason: WaitReason,
}

impl Waited {
    /// How long.
    #[must_use]
    pub fn seconds(&self) -> Seconds {
        self.to.since(self.from)
    }
}

/// Why a job waited, in order of time: from its submission to its first start, and wherever it waited again.
///
/// The seconds of each reason add up to those of [`JobTimes::reasons`](super::JobTimes::reasons).
///
/// # Complexity
/// O(records + segments + jobs) time.
///
/// # Panics
/// Without such a job.
#[must_use]
pub fn waited(history: &History, job: u32) -> Vec<Waited> {
    let (times, waits) = times(history);
    let (own, record) = (&times[job as usize], &history.jobs[job as usize]);
    let submit = history.plan.workload.jobs[job as usize].submit_time;
    let mut found = Vec::new();
    let mut push = |from: Time, to: Time, reason: WaitReason| {
        let last = found.last_mut().filter(|last: &&mut Waited| last.to == from && last.reason == reason);
        match last {
            _ if to <= from => {}
            Some(last) => last.to = to,
            None => found.push(Waited { from, to, reason }),
        }
    };
    push(submit, submit + Seconds(own.reasons[WaitReason::Dependency as usize]), WaitReason::Dependency);
    let held = own.reasons[WaitReason::Held as usize];
    if held > 0 {
        push(record.eligible_time, record.eligible_time + Seconds(held), WaitReason::Held);
    }
    let reasons = reasons(history, job);
    for wait in waits.iter().filter(|wait| wait.job == job) {
        let seen = first_pass(&history.plan.settings, wait.from).min(wait.to);
        push(wait.from, seen, WaitReason::Held);
        let begun = reasons.partition_point(|(time, _)| *time <= seen);
        let (mut from, mut reason) =
            (seen, begun.checked_sub(1).map_or(WaitReason::Order, |last| reasons[last].1));
        for (time, next) in reasons[begun..].iter().take_while(|(time, _)| *time < wait.to) {
            push(from, *time, reason);
            (from, reason) = (*time, *next);
        }
        push(from, wait.to, reason);
    }
    found
}

/// What a job would wait for, if it waited, from each instant on; before the first, for its turn.
fn reasons(history: &History, job: u32) -> Vec<(Time, WaitReason)> {
    let class = history.wait_classes.get(job as usize).copied();
    let (mut of_class, mut of_its_own) = (WaitReason::Order, None);
    let mut found: Vec<(Time, WaitReason)> = Vec::new();
    for record in &history.waits {
        match record.why {
            Why::Class { class: other, reason } if Some(other) == class => of_class = reason,
            Why::Job { job: other, reason } if other == job => of_its_own = Some(reason),
            Why::AsClass { job: other } if other == job => of_its_own = None,
            _ => continue,
        }
        found.push((record.time, of_its_own.unwrap_or(of_class)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;
    use crate::metrics::times::SecondsByReason;

    #[test]
    fn the_reasons_of_every_waiting_second_sum_to_the_wait() {
        let mut seen = [0; WaitReason::ALL.len()];
        for seed in 0..200 {
            let history = sample::random(seed);
            let measured = measure(&history);
            for (job, times) in (0..).zip(&measured.jobs) {
                let found = waited(&history, job);
                let mut sums = SecondsByReason::default();
                found.iter().for_each(|own| sums[own.reason as usize] += own.seconds().0);
                assert_eq!(sums, times.reasons, "seed {seed}, job {job}: {found:?}");
                let whole: u32 = sums.iter().sum();
                let dependency = sums[WaitReason::Dependency as usize];
                assert_eq!(whole - dependency, times.wait_time.0, "seed {seed}, job {job}");
                let apart = found.windows(2).all(|two| {
                    two[0].to < two[1].from || two[0].to == two[1].from && two[0].reason != two[1].reason
                });
                assert!(apart, "seed {seed}, job {job}: in order, and no two that are one: {found:?}");
                for own in &found {
                    seen[own.reason as usize] += 1;
                }
            }
        }
        assert!(seen.iter().filter(|count| **count > 3).count() >= 6, "most reasons occur: {seen:?}");
    }
}
