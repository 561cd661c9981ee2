//! Other estimates for the jobs of a workload than those it tells of.

use super::{Job, times};
use crate::random::{Purpose, Stream};
use crate::units::Seconds;
use crate::workload::Workload;

/// What users are taken to request.
///
/// ```
/// use gigawatt::units::{Seconds, Time};
/// use gigawatt::workload::generate::Estimates;
/// use gigawatt::workload::Job;
/// let mut jobs = [Job { work_time: Seconds(100), ..Job::at(Time(0)) }];
/// Estimates::Factor(2500).apply(&mut jobs, 0);
/// assert_eq!(jobs[0].requested_time, Seconds(250));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Estimates {
    /// The work itself.
    Exact,
    /// The work times a factor, in thousandths.
    Factor(u32),
    /// The work times a factor drawn from those of another workload.
    Like(Factors),
}

impl Estimates {
    /// Gives every job its estimate; returns how many had told of another one before.
    pub fn apply(&self, jobs: &mut [Job], seed: u64) -> u64 {
        let stream = Stream::new(seed, Purpose::Estimates);
        let mut replaced = 0;
        for (entity, job) in (0..).zip(jobs) {
            let told = job.requested_time != job.work_time;
            let estimate = match self {
                Self::Exact => job.work_time,
                Self::Factor(milli) => times(job.work_time, u64::from(*milli)),
                Self::Like(factors) => times(job.work_time, factors.draw(job.work_time, stream, entity)),
            };
            replaced += u64::from(told && estimate != job.requested_time);
            job.requested_time = estimate;
        }
        replaced
    }
}

/// How many times their work the jobs of a workload request: short jobs are overestimated more than long ones, so by
/// powers of two of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factors {
    /// By class of work: factors in thousandths. Not all are empty.
    classes: Vec<Vec<u64>>,
}

impl Factors {
    /// Those of `workload`; none where every job requests its very work, as it does where nothing is told.
    #[must_use]
    pub fn of(workload: &Workload) -> Option<Self> {
        if workload.jobs.iter().all(|job| job.requested_time == job.work_time) {
            return None;
        }
        let mut classes = vec![Vec::new(); 32];
        for job in &workload.jobs {
            let factor = u64::from(job.requested_time.0) * 1000 / u64::from(job.work_time.0.max(1));
            classes[class(job.work_time)].push(factor);
        }
        Some(Self { classes })
    }

    /// A factor for that much work: one of its class, or of the nearest that has any.
    fn draw(&self, work: Seconds, stream: Stream, entity: u64) -> u64 {
        let own = class(work);
        let near = (0..self.classes.len()).filter(|class| !self.classes[*class].is_empty());
        let near = near.min_by_key(|class| class.abs_diff(own));
        let factors = near.map_or(&[][..], |class| &self.classes[class]);
        let bound = u32::try_from(factors.len()).unwrap_or(u32::MAX);
        factors.get(stream.below(entity, 1, bound) as usize).copied().unwrap_or(1000)
    }
}

/// The power of two that work is in.
const fn class(work: Seconds) -> usize {
    match work.0.checked_ilog2() {
        Some(class) => class as usize,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;
    use crate::workload::{Builder, Request};

    fn jobs(times: &[(u32, u32)]) -> Vec<Job> {
        let job = |&(work, requested): &(u32, u32)| {
            Job { work_time: Seconds(work), ..Job::at(Time(0)) }.requesting(Seconds(requested))
        };
        times.iter().map(job).collect()
    }
    fn requested(jobs: &[Job]) -> Vec<u32> {
        jobs.iter().map(|job| job.requested_time.0).collect()
    }

    #[test]
    fn estimates_are_given_and_those_replaced_are_counted() {
        let told = jobs(&[(100, 100), (100, 300), (7, 5)]);
        for (estimates, expected, replaced) in [
            (Estimates::Exact, [100, 100, 7], 2),
            (Estimates::Factor(3000), [300, 300, 21], 1),
            (Estimates::Factor(1), [1, 1, 1], 2),
        ] {
            let mut jobs = told.clone();
            assert_eq!(estimates.apply(&mut jobs, 0), replaced, "{estimates:?}");
            assert_eq!(requested(&jobs), expected, "{estimates:?}");
        }
    }

    #[test]
    fn factors_are_those_of_jobs_as_long() {
        let mut builder = Builder::default();
        builder.request(Request::gang(crate::units::Gpus::ONE));
        // Short jobs request ten or twenty times their work, long ones twice.
        for job in jobs(&[(10, 100), (12, 240), (5000, 10_000)]) {
            builder.push(job);
        }
        let like = Estimates::Like(Factors::of(&builder.finish()).unwrap());
        let mut short = jobs(&[(8, 8); 200]);
        like.apply(&mut short, 1);
        let tens = requested(&short).iter().filter(|requested| **requested == 80).count();
        assert!((70..130).contains(&tens), "{tens} of 200 request ten times their work");
        assert!(requested(&short).iter().all(|requested| [80, 160].contains(requested)), "the others twenty");
        let mut others = jobs(&[(4096, 4096), (1_000_000, 1_000_000), (40, 40)]);
        like.apply(&mut others, 1);
        assert_eq!(requested(&others)[..2], [8192, 2_000_000], "their class, and the nearest");
        let mut silent = Builder::default();
        silent.push(Job::at(Time(0)));
        assert_eq!(Factors::of(&silent.finish()), None, "no estimates to be like");
    }
}
