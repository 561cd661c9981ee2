use crate::history::{History, WaitReason};
use crate::metrics::Measured;
use crate::metrics::measure::by_reason;
use crate::metrics::times::SecondsByReason;
use crate::units::{Seconds, Time};
use serde::Serialize;

/// A job that waited longer than most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LongWait {
    /// As the input calls it.
    pub job: String,
    /// Who submitted it.
    pub tenant: String,
    /// What it is for.
    pub kind: &'static str,
    /// GPUs it asks for.
    pub gpus: f64,
    /// When it was submitted.
    pub submit_time: Time,
    /// Its first start; none if it never started.
    pub start_time: Option<Time>,
    /// How it ended.
    pub outcome: &'static str,
    /// See [`JobTimes`](crate::metrics::JobTimes).
    pub wait_time: Seconds,
    /// Seconds by reason, `dependency` beside those that are waiting.
    #[serde(serialize_with = "by_reason")]
    pub reasons: SecondsByReason,
}

/// Jobs that are named.
const JOBS: usize = 20;

/// The jobs of the window that waited longest, the longest first; of equals, those earlier in the input.
pub(super) fn longest(history: &History, measured: &Measured) -> Vec<LongWait> {
    let wait = |job: u32| measured.jobs[job as usize].wait_time.0;
    let key = |job: &u32| (std::cmp::Reverse(wait(*job)), *job);
    let mut jobs: Vec<u32> = measured.eligible(history).filter(|job| wait(*job) > 0).collect();
    if jobs.len() > JOBS {
        jobs.select_nth_unstable_by_key(JOBS, key);
        jobs.truncate(JOBS);
    }
    jobs.sort_unstable_by_key(key);
    let workload = &history.plan.workload;
    let described = |job: u32| {
        let (own, times) = (&workload.jobs[job as usize], &measured.jobs[job as usize]);
        LongWait {
            job: workload.names.get(job as usize).into_owned(),
            tenant: workload.tenants[own.tenant as usize].name.clone(),
            kind: workload.behaviour_of(job).kind.name(),
            gpus: workload.request_of(job).gpus().as_f64(),
            submit_time: own.submit_time,
            start_time: Some(times.start_time).filter(|time| *time != Time::NEVER),
            outcome: history.jobs[job as usize].outcome.name(),
            wait_time: times.wait_time,
            reasons: times.reasons,
        }
    };
    jobs.into_iter().map(described).collect()
}

/// Σ GPUs asked for × seconds of waiting, by reason, of the jobs of the window, hours.
pub(super) fn gpu_hours(history: &History, measured: &Measured) -> [f64; WaitReason::ALL.len()] {
    let workload = &history.plan.workload;
    let window = crate::metrics::measure::submitted(history);
    let mut sums = [0_u128; WaitReason::ALL.len()];
    for ((index, job), times) in (0u32..).zip(&workload.jobs).zip(&measured.jobs) {
        if window.contains(&job.submit_time) {
            let milli = u128::from(workload.request_of(index).gpus().milli());
            for (sum, seconds) in sums.iter_mut().zip(times.reasons) {
                *sum += milli * u128::from(seconds);
            }
        }
    }
    sums.map(|sum| crate::metrics::distribution::real(sum) / crate::metrics::MILLI_SECONDS_AN_HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn the_longest_waits_are_the_longest_of_all() {
        for seed in 0..40 {
            let history = sample::random(seed);
            let measured = measure(&history);
            let found = longest(&history, &measured);
            let mut waits: Vec<u32> =
                measured.eligible(&history).map(|job| measured.jobs[job as usize].wait_time.0).collect();
            waits.sort_unstable_by_key(|wait| std::cmp::Reverse(*wait));
            waits.retain(|wait| *wait > 0);
            waits.truncate(JOBS);
            assert_eq!(found.iter().map(|job| job.wait_time.0).collect::<Vec<_>>(), waits, "seed {seed}");
        }
    }

    #[test]
    fn gpu_hours_weigh_jobs_by_what_they_ask_for() {
        let history = sample::random(5);
        let mut measured = measure(&history);
        for times in &mut measured.jobs {
            times.reasons = SecondsByReason::default();
        }
        let job = measured.eligible(&history).next().unwrap();
        measured.jobs[job as usize].reasons[WaitReason::Shape as usize] = 7200;
        let gpus = history.plan.workload.request_of(job).gpus().as_f64();
        let found = gpu_hours(&history, &measured);
        assert!((found[WaitReason::Shape as usize] - 2.0 * gpus).abs() < 1e-9, "two hours of its GPUs");
        assert!(found[WaitReason::Quota as usize] < 1e-9, "and nothing else");
    }
}
