//! What a workload looks like, as quantiles to compare it with another one by.

use super::distribution::{percentile, ratio};
use crate::units::Time;
use crate::workload::Workload;

/// Numbers of nearest rank of one quantity, and its mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ranks {
    /// One in ten is at most this.
    pub p10: u64,
    /// Half are at most this.
    pub p50: u64,
    /// Nine in ten are at most this.
    pub p90: u64,
    /// Ninety-nine in a hundred are at most this.
    pub p99: u64,
    /// The mean.
    pub mean: f64,
}

impl Ranks {
    /// Of these numbers, in any order.
    ///
    /// ```
    /// use gigawatt::metrics::Ranks;
    /// let ranks = Ranks::of(vec![4, 1, 3, 2]);
    /// assert_eq!((ranks.p10, ranks.p50, ranks.p90, ranks.mean), (1, 2, 4, 2.5));
    /// ```
    #[must_use]
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
        Self {
            p10: percentile(&values, 10),
            p50: percentile(&values, 50),
            p90: percentile(&values, 90),
            p99: percentile(&values, 99),
            mean: ratio(sum, values.len() as u128),
        }
    }
}

/// What a workload looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shape {
    /// How many jobs there are.
    pub jobs: u64,
    /// How many tenants submit any.
    pub tenants: u64,
    /// Seconds from the first submit to the last.
    pub span: u32,
    /// Σ GPUs · work_time, thousandths of a GPU-second.
    pub gpu_milli_seconds: u128,
    /// Seconds from one submit to the next.
    pub gaps: Ranks,
    /// Jobs submitted in each hour from the first submit on: how even arrivals are.
    pub hours: Ranks,
    /// Thousandths of a GPU that jobs ask for.
    pub gangs: Ranks,
    /// Seconds of work.
    pub work: Ranks,
    /// Thousandths of `work_time` that jobs request: 1000 is an exact estimate, or none.
    pub estimates: Ranks,
}

impl Shape {
    /// What `workload` looks like.
    ///
    /// # Complexity
    /// O(|jobs| log |jobs|).
    #[must_use]
    pub fn of(workload: &Workload) -> Self {
        let jobs = &workload.jobs;
        let mut submits: Vec<Time> = jobs.iter().map(|job| job.submit_time).collect();
        submits.sort_unstable();
        let span = submits.first().zip(submits.last()).map_or(0, |(first, last)| last.since(*first).0);
        let mut tenants = vec![false; workload.tenants.len()];
        jobs.iter().for_each(|job| tenants[job.tenant as usize] = true);
        let mut hours = vec![0; span as usize / 3600 + 1];
        submits.iter().for_each(|submit| hours[submit.since(submits[0]).0 as usize / 3600] += 1);
        let milli = |request: u32| u64::from(workload.requests[request as usize].gpus().milli());
        let asked = jobs.iter().map(|job| u128::from(milli(job.request)) * u128::from(job.work_time.0));
        let factor = |requested: u32, work: u32| u64::from(requested) * 1000 / u64::from(work.max(1));
        Self {
            jobs: jobs.len() as u64,
            tenants: tenants.iter().filter(|submits| **submits).count() as u64,
            span,
            gpu_milli_seconds: asked.sum(),
            gaps: Ranks::of(submits.windows(2).map(|pair| pair[1].since(pair[0]).0.into()).collect()),
            hours: Ranks::of(hours),
            gangs: Ranks::of(jobs.iter().map(|job| milli(job.request)).collect()),
            work: Ranks::of(jobs.iter().map(|job| job.work_time.0.into()).collect()),
            estimates: Ranks::of(
                jobs.iter().map(|job| factor(job.requested_time.0, job.work_time.0)).collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Gpus, Seconds};
    use crate::workload::{Builder, Job, Request};

    #[test]
    fn a_shape_is_counted_by_hand() {
        let mut builder = Builder::default();
        // (submit, GPUs, work, requested), not in the order of time.
        for (submit, gpus, work, requested) in [(7300, 8, 100, 250), (0, 1, 50, 50), (100, 2, 200, 200)] {
            let request = builder.request(Request::gang(Gpus::whole(gpus)));
            let tenant = builder.tenant(if gpus == 8 { "meta" } else { "acorn" });
            let job = Job { request, tenant, work_time: Seconds(work), ..Job::at(Time(submit)) };
            builder.push(job.requesting(Seconds(requested)));
        }
        builder.tenant("idle");
        let shape = Shape::of(&builder.finish());
        assert_eq!((shape.jobs, shape.tenants, shape.span), (3, 2, 7300), "jobs, tenants, span");
        assert_eq!(shape.gpu_milli_seconds, 1000 * (800 + 50 + 400), "GPU-seconds");
        assert_eq!((shape.gaps.p50, shape.gaps.p90, shape.gaps.mean), (100, 7200, 3650.0), "gaps");
        assert_eq!((shape.hours.p10, shape.hours.p50, shape.hours.p90), (0, 1, 2), "2, 0 and 1 an hour");
        assert_eq!(
            (shape.gangs.p50, shape.work.p50, shape.estimates.p99),
            (2000, 100, 2500),
            "medians, and 2.5"
        );
        assert_eq!(Shape::of(&Builder::default().finish()).jobs, 0, "of nothing");
    }
}
