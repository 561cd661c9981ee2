use super::buckets::Buckets;
use crate::history::{History, WaitReason};
use crate::metrics::schedule::Stretches;
use crate::metrics::times::times;
use crate::metrics::waiting::{Observer, add_reasons};
use crate::units::{Seconds, Time};
use serde::Serialize;

/// The jobs that waited for one reason, over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReasonSeries {
    /// Which, see [`WaitReason`].
    pub reason: &'static str,
    /// The mean number of such jobs in each bucket.
    pub jobs: Vec<f64>,
    /// The mean number of GPUs that such jobs asked for in each bucket.
    pub gpus: Vec<f64>,
}

/// What waited, reason by reason.
pub(super) struct Queue {
    /// By reason: jobs, and thousandths of GPUs.
    levels: Vec<[Buckets; 2]>,
}

impl Observer for Queue {
    fn waited(&mut self, reason: WaitReason, from: Time, to: Time, jobs: u64, milli: u64) {
        let [own, asked] = &mut self.levels[reason as usize];
        own.add(from, to, jobs);
        asked.add(from, to, milli);
    }
}

/// Why jobs waited over time; of reasons that never held nothing is said.
///
/// # Complexity
/// That of [`add_reasons`].
pub(super) fn queue(history: &History) -> Vec<ReasonSeries> {
    let levels = Queue::of(history).levels;
    let series = |(reason, [jobs, gpus]): (WaitReason, [Buckets; 2])| ReasonSeries {
        reason: reason.name(),
        jobs: jobs.means(1.0),
        gpus: gpus.means(1000.0),
    };
    let all = WaitReason::ALL.into_iter().zip(levels).map(series);
    all.filter(|series| series.jobs.iter().any(|jobs| *jobs > 0.0)).collect()
}

impl Queue {
    fn of(history: &History) -> Self {
        let levels = WaitReason::ALL.map(|_| [Buckets::new(history.end), Buckets::new(history.end)]);
        let mut queue = Self { levels: levels.to_vec() };
        let (mut jobs, waits) = times(history);
        let workload = &history.plan.workload;
        let milli = |job: u32| u64::from(workload.request_of(job).gpus().milli());
        for (job, own) in (0u32..).zip(&jobs) {
            let submit = workload.jobs[job as usize].submit_time;
            let until = submit + Seconds(own.reasons[WaitReason::Dependency as usize]);
            queue.waited(WaitReason::Dependency, submit, until, 1, milli(job));
        }
        for hold in &history.holds {
            // What a policy holds back on purpose is no stretch of waiting.
            let from = history.jobs[hold.job as usize].eligible_time;
            let seconds = jobs[hold.job as usize].reasons[WaitReason::Held as usize];
            queue.waited(WaitReason::Held, from, from + Seconds(seconds), 1, milli(hold.job));
        }
        add_reasons(history, &Stretches::new(waits), &mut jobs, &mut queue);
        queue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn over_time_jobs_wait_as_long_for_each_reason_as_one_by_one() {
        let mut reasons = [0; WaitReason::ALL.len()];
        for seed in 0..200 {
            let history = sample::random(seed);
            let jobs = measure(&history).jobs;
            let queue = Queue::of(&history);
            for reason in WaitReason::ALL {
                let [own, asked] = &queue.levels[reason as usize];
                let seconds: u128 = jobs.iter().map(|job| u128::from(job.reasons[reason as usize])).sum();
                assert_eq!(own.sums().iter().sum::<u128>(), seconds, "seed {seed}: {}", reason.name());
                let milli = |(job, times): (u32, &crate::metrics::JobTimes)| {
                    let gpus = history.plan.workload.request_of(job).gpus().milli();
                    u128::from(gpus) * u128::from(times.reasons[reason as usize])
                };
                let expected: u128 = (0u32..).zip(&jobs).map(milli).sum();
                assert_eq!(asked.sums().iter().sum::<u128>(), expected, "seed {seed}: {}", reason.name());
                reasons[reason as usize] += usize::from(seconds > 0);
            }
        }
        assert!(reasons.iter().filter(|runs| **runs > 3).count() >= 6, "most reasons occur: {reasons:?}");
    }
}
