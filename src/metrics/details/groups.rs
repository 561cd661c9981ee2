use crate::history::History;
use crate::metrics::times::wait_time;
use crate::metrics::{By, Classes, Distribution, Measured, percentile};
use serde::Serialize;

/// Jobs of the window that have something in common: how long they waited and took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What they have in common: a tenant, a kind, a number of GPUs, a platform.
    pub name: String,
    /// Their wait, seconds; as [`Metrics::wait_time`](crate::metrics::Metrics::wait_time).
    pub wait_time: Distribution<u32>,
    /// Their turnaround, seconds; as [`Metrics::turnaround_time`](crate::metrics::Metrics::turnaround_time).
    pub turnaround_time: Distribution<u32>,
    /// The wait at each of [`PERCENTS`], seconds; empty where no job counts.
    pub wait_percentiles: Vec<u32>,
    /// The turnaround at each of [`PERCENTS`], seconds; empty where no job counts.
    pub turnaround_percentiles: Vec<u32>,
}

/// Ranks at which the distribution of a group is told, in hundredths.
pub const PERCENTS: [usize; 23] =
    [1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 98, 99, 100];

/// Jobs that wait, and jobs that ended, by what they have in common.
struct Jobs<'a> {
    history: &'a History,
    measured: &'a Measured,
    /// The shortest wait first.
    eligible: Vec<u32>,
    /// The shortest turnaround first.
    finished: Vec<u32>,
}

/// By size class, kind, tenant and platform: most groups of each, those with the most jobs.
pub(super) const GROUPS: usize = 12;

/// All jobs of the window; the same by size, by kind, by tenant and by platform.
pub(super) fn groups(history: &History, measured: &Measured) -> [Vec<Group>; 5] {
    let jobs = Jobs::of(history, measured);
    let by = |by: By| {
        let classes = Classes::of(by, history);
        jobs.by(|job| classes.class(job), |class| classes.name(class))
    };
    let all = jobs.by(|_| 0, |_| "all jobs".to_owned());
    [all, by(By::Gpus), by(By::Kind), by(By::Tenant), by(By::Platform)]
}

impl<'a> Jobs<'a> {
    fn of(history: &'a History, measured: &'a Measured) -> Self {
        let mut jobs = Self { history, measured, eligible: Vec::new(), finished: Vec::new() };
        jobs.eligible = ascending(measured.eligible(history), |job| jobs.wait(job));
        jobs.finished = ascending(measured.finished(history), |job| jobs.turnaround(job));
        jobs
    }
    fn wait(&self, job: u32) -> u32 {
        self.measured.jobs[job as usize].wait_time.0
    }
    fn turnaround(&self, job: u32) -> u32 {
        let finish = self.history.jobs[job as usize].finish_time;
        finish.since(self.history.plan.workload.jobs[job as usize].submit_time).0
    }
    fn by(&self, class: impl Fn(u32) -> usize, name: impl Fn(usize) -> String) -> Vec<Group> {
        let split = |jobs: &[u32]| {
            let mut classes: Vec<Vec<u32>> = Vec::new();
            for job in jobs {
                let own = class(*job);
                if classes.len() <= own {
                    classes.resize(own + 1, Vec::new());
                }
                classes[own].push(*job);
            }
            classes
        };
        let (mut eligible, mut finished) = (split(&self.eligible), split(&self.finished));
        let count = eligible.len().max(finished.len());
        eligible.resize(count, Vec::new());
        finished.resize(count, Vec::new());
        let jobs = |index: usize| eligible[index].len().max(finished[index].len());
        let mut order: Vec<usize> = (0..count).filter(|index| jobs(*index) > 0).collect();
        if order.len() > GROUPS {
            order.sort_by_key(|index| (std::cmp::Reverse(jobs(*index)), *index));
            order.truncate(GROUPS);
            order.sort_unstable();
        }
        let group = |index: usize| self.group(name(index), &eligible[index], &finished[index]);
        order.into_iter().map(group).collect()
    }
    fn group(&self, name: String, eligible: &[u32], finished: &[u32]) -> Group {
        let turnarounds: Vec<u32> = finished.iter().map(|job| self.turnaround(*job)).collect();
        let waits: Vec<u32> = eligible.iter().map(|job| self.wait(*job)).collect();
        Group {
            name,
            wait_time: wait_time(self.history, &self.measured.jobs, eligible),
            wait_percentiles: percentiles(&waits),
            turnaround_percentiles: percentiles(&turnarounds),
            turnaround_time: Distribution::of_seconds(turnarounds),
        }
    }
}

/// Jobs in the order of a number of theirs.
fn ascending(jobs: impl Iterator<Item = u32>, number: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut keyed: Vec<(u32, u32)> = jobs.map(|job| (number(job), job)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, job)| job).collect()
}

fn percentiles(ascending: &[u32]) -> Vec<u32> {
    let all = || PERCENTS.map(|percent| percentile(ascending, percent)).to_vec();
    if ascending.is_empty() { Vec::new() } else { all() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;

    #[test]
    fn groups_hold_every_job_once_and_all_jobs_are_those_of_the_run() {
        for seed in 0..60 {
            let history = sample::random(seed);
            let measured = measure(&history);
            let [all, by_size, by_kind, by_tenant, by_platform] = groups(&history, &measured);
            let count = |groups: &[Group]| -> (u64, u64) {
                let waits = groups.iter().map(|group| group.wait_time.count).sum();
                (waits, groups.iter().map(|group| group.turnaround_time.count).sum())
            };
            let metrics = &measured.metrics;
            let expected = (metrics.wait_time.count, metrics.turnaround_time.count);
            for groups in [&all, &by_size, &by_kind, &by_tenant, &by_platform] {
                assert_eq!(count(groups), expected, "seed {seed}");
            }
            for own in &all {
                assert_eq!(
                    (own.wait_time, own.turnaround_time),
                    (metrics.wait_time, metrics.turnaround_time)
                );
                let median = own.wait_percentiles.get(10).copied().unwrap_or_default();
                assert_eq!((PERCENTS[10], median), (50, own.wait_time.p50), "seed {seed}");
            }
            for own in &by_tenant {
                let same = metrics.tenants.iter().find(|tenant| tenant.name == own.name);
                assert_eq!(same.map(|tenant| tenant.wait_time), Some(own.wait_time), "seed {seed}");
            }
        }
    }

    #[test]
    fn of_many_groups_those_with_the_most_jobs_are_told() {
        let history = sample::random(3);
        let measured = measure(&history);
        let jobs = Jobs { finished: Vec::new(), ..Jobs::of(&history, &measured) };
        // Job 0 is alone in the first class, and so is every job but those of the last.
        let most = jobs.by(|job| (job as usize).min(20), |class| class.to_string());
        assert_eq!(most.len(), GROUPS, "so many");
        assert!(most.iter().any(|group| group.name == "20"), "the largest is among them");
    }
}
