//! Made workloads: arrivals, a mix of jobs and how long they take, from a seed.
//!
//! ```
//! use gigawatt::units::{Gpus, Time};
//! use gigawatt::workload::generate::{Arrivals, Generator, Quantiles, Variety};
//! use gigawatt::workload::{Builder, Job, Request};
//!
//! // M/M/c: Poisson arrivals every ten minutes, exponential service of an hour.
//! let mut builder = Builder::default();
//! let request = builder.request(Request::gang(Gpus::ONE));
//! let generator = Generator {
//!     count: Some(1000),
//!     ..Generator::of(
//!         Arrivals::poisson(600.0).expect("in range"),
//!         Variety::of(Job { request, ..Job::at(Time::ZERO) }, Quantiles::exponential(3600.0).expect("in range")),
//!     )
//! };
//! builder.behaviour(Default::default());
//! generator.generate(7, 0, "", &mut builder);
//! let workload = builder.finish();
//! assert_eq!(workload.jobs.len(), 1000);
//! ```

mod arrivals;
mod estimates;
mod like;
mod quantiles;

pub use arrivals::{Arrivals, Clock};
pub use estimates::{Estimates, Factors};
pub use like::Like;
pub use quantiles::Quantiles;

use super::{Builder, Job};
use crate::random::{Purpose, Stream};
use crate::units::{Seconds, Time};

/// How the user's estimate of a job follows from its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Estimate {
    /// It is the work.
    Exact,
    /// It is always the same.
    Fixed(Seconds),
    /// It is the work times a factor, in thousandths, drawn for each job; rounded up.
    Times(Quantiles),
}

impl Estimate {
    /// The estimate for that much work; at least 1 s.
    #[must_use]
    pub fn of(&self, work: Seconds, random: u32) -> Seconds {
        match self {
            Self::Exact => work,
            Self::Fixed(estimate) => *estimate,
            Self::Times(factors) => times(work, u64::from(factors.at(random))),
        }
    }
}

/// Work times a factor in thousandths, rounded up; at least 1 s.
fn times(work: Seconds, milli: u64) -> Seconds {
    let product = u64::from(work.0).saturating_mul(milli);
    let estimate = product.div_ceil(1000).clamp(1, u64::from(u32::MAX - 1));
    Seconds(u32::try_from(estimate).expect("clamped to 32 bits"))
}

/// One sort of job in a mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variety {
    /// How often it comes, relative to the others.
    pub weight: u32,
    /// What it is; its times are replaced, a `cancel_time` counts from its submission.
    pub job: Job,
    /// Seconds of work.
    pub work: Quantiles,
    /// What its user says of them.
    pub estimate: Estimate,
    /// How long after its submission it has to be done, of that work; none: it has no deadline.
    pub deadline: Option<Estimate>,
    /// What its checkpoints add to its work; none: they are part of it.
    pub stalls: Option<Stalls>,
}

/// What checkpoints add to the work of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalls {
    /// Work from one to the next, at least a second.
    pub interval: Seconds,
    /// What each adds.
    pub each: Seconds,
}

impl Stalls {
    /// So much work and its checkpoints, saturating: one after every interval, but none where the work is done.
    ///
    /// ```
    /// use gigawatt::units::Seconds;
    /// use gigawatt::workload::generate::Stalls;
    /// let stalls = Stalls { interval: Seconds(600), each: Seconds(30) };
    /// assert_eq!([1, 600, 601, 1800].map(|work| stalls.with(Seconds(work)).0), [1, 600, 631, 1860]);
    /// ```
    #[must_use]
    pub fn with(&self, work: Seconds) -> Seconds {
        let count = u64::from(work.0.saturating_sub(1) / self.interval.0.max(1));
        let all = u64::from(work.0) + count * u64::from(self.each.0);
        Seconds(u32::try_from(all).unwrap_or(u32::MAX).min(u32::MAX - 1))
    }
}

impl Variety {
    /// A sort of job with exact estimates.
    #[must_use]
    pub const fn of(job: Job, work: Quantiles) -> Self {
        Self { weight: 1, job, work, estimate: Estimate::Exact, deadline: None, stalls: None }
    }

    /// The job of number `entity` of a seed, submitted at `time`.
    #[must_use]
    pub fn draw(&self, seed: u64, entity: u64, time: Time) -> Job {
        let work = self.work.at(Stream::new(seed, Purpose::Durations).draw(entity, 0));
        let work = Seconds(work.clamp(1, u32::MAX - 1));
        let work = self.stalls.map_or(work, |stalls| stalls.with(work));
        let estimate = self.estimate.of(work, Stream::new(seed, Purpose::Estimates).draw(entity, 0));
        let deadline = self.deadline.as_ref().map_or(Seconds::FOREVER, |deadline| {
            deadline.of(work, Stream::new(seed, Purpose::Deadlines).draw(entity, 0))
        });
        let cancel_time = match self.job.cancel_time {
            Time::NEVER => Time::NEVER,
            patience => time + patience.since(Time::ZERO),
        };
        let requested_time = estimate;
        Job { submit_time: time, work_time: work, requested_time, cancel_time, deadline, ..self.job }
    }
}

/// A stream of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generator {
    /// When they come.
    pub arrivals: Arrivals,
    /// The instant from which arrivals are counted; the day of a profile begins at time 0.
    pub start: Time,
    /// No job comes from here on.
    pub stop: Time,
    /// The most jobs.
    pub count: Option<u32>,
    /// At least one, their weights not all 0.
    pub mix: Vec<Variety>,
}

impl Generator {
    /// A stream of one sort of job, without end.
    #[must_use]
    pub fn of(arrivals: Arrivals, variety: Variety) -> Self {
        Self { arrivals, start: Time::ZERO, stop: Time::NEVER, count: None, mix: vec![variety] }
    }

    /// Adds the jobs to `builder` and returns their number; at most `limit`.
    ///
    /// `index` tells several generators of one seed apart. Jobs are called `name-1`, `name-2` and so on; by their row
    /// number if `name` is empty.
    ///
    /// # Complexity
    /// O(jobs · (parts of the profile + varieties)).
    pub fn generate(&self, seed: u64, index: u32, name: &str, builder: &mut Builder) -> u32 {
        let arrivals = Stream::new(seed, Purpose::Arrivals);
        let requests = Stream::new(seed, Purpose::Requests);
        let weights: u64 = self.mix.iter().map(|variety| u64::from(variety.weight)).sum();
        let mut clock = self.arrivals.clock();
        let mut count = 0;
        let room = super::MAX_JOBS - u32::try_from(builder.len()).unwrap_or(super::MAX_JOBS);
        while count < self.count.unwrap_or(u32::MAX).min(room) {
            let entity = u64::from(index) << 32 | u64::from(count);
            let Some(time) = clock.next(arrivals.draw(entity, 0)) else { break };
            let time = time + self.start.since(Time::ZERO);
            if time >= self.stop {
                break;
            }
            let mut choice = (weights * u64::from(requests.draw(entity, 0))) >> 32;
            let Some(variety) = self.mix.iter().find(|variety| {
                let weight = u64::from(variety.weight);
                let found = choice < weight;
                choice = choice.saturating_sub(weight);
                found
            }) else {
                break;
            };
            let job = variety.draw(seed, entity, time);
            count += 1;
            if name.is_empty() {
                builder.push(job);
            } else {
                builder.push_named(job, &format!("{name}-{count}"));
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn variety(priority: i32, weight: u32, work: Quantiles) -> Variety {
        Variety { weight, ..Variety::of(Job { priority, ..Job::at(Time::ZERO) }, work) }
    }
    fn generate(generator: &Generator, seed: u64, name: &str) -> Workload {
        let mut builder = Builder::default();
        generator.generate(seed, 0, name, &mut builder);
        builder.finish()
    }

    #[test]
    fn a_mix_comes_in_proportion_to_its_weights() {
        let mix = vec![
            variety(0, 1, Quantiles::fixed(60)),
            variety(1, 0, Quantiles::fixed(60)),
            variety(2, 3, Quantiles::fixed(60)),
        ];
        let generator = Generator {
            count: Some(8000),
            mix,
            ..Generator::of(Arrivals::fixed(1, Seconds(1)).unwrap(), variety(0, 1, Quantiles::fixed(1)))
        };
        let workload = generate(&generator, 1, "");
        let mut counts = [0_u32; 3];
        for job in &workload.jobs {
            counts[usize::try_from(job.priority).unwrap()] += 1;
        }
        assert_eq!(counts[1], 0, "weight 0 never comes");
        assert!((1880..2120).contains(&counts[0]), "a quarter: {counts:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_jobs_and_a_longer_run_begins_the_same() {
        let work = Quantiles::lognormal(600.0, 1.5).unwrap();
        let short = Generator {
            count: Some(100),
            ..Generator::of(Arrivals::poisson(10.0).unwrap(), variety(0, 1, work))
        };
        let long = Generator { count: Some(300), ..short.clone() };
        assert_eq!(generate(&short, 5, "").jobs[..], generate(&long, 5, "").jobs[..100], "a prefix");
        assert_ne!(generate(&short, 5, "").jobs, generate(&short, 6, "").jobs, "another seed");
    }

    #[test]
    fn a_deterministic_queue_is_exact() {
        let d = Generator {
            stop: Time(1000),
            ..Generator::of(Arrivals::fixed(1, Seconds(300)).unwrap(), variety(0, 1, Quantiles::fixed(240)))
        };
        let workload = generate(&d, 0, "d");
        let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
        assert_eq!(times, [(0, 240), (300, 240), (600, 240), (900, 240)], "D/D/1");
        assert_eq!(workload.names.get(3), "d-4", "named");
    }

    #[test]
    fn estimates_are_at_least_a_second_and_never_overflow() {
        let double = Estimate::Times(Quantiles::fixed(1500));
        assert_eq!(double.of(Seconds(3), 0), Seconds(5), "4.5 rounded up");
        assert_eq!(double.of(Seconds(u32::MAX - 1), 0), Seconds(u32::MAX - 1), "saturates");
        assert_eq!(Estimate::Times(Quantiles::fixed(0)).of(Seconds(9), 0), Seconds(1), "at least 1 s");
        assert_eq!(Estimate::Fixed(Seconds(7)).of(Seconds(9), 0), Seconds(7), "always the same");
    }

    #[test]
    fn patience_counts_from_the_submission() {
        let job = Job { cancel_time: Time(60), ..Job::at(Time::ZERO) };
        let drawn = Variety::of(job, Quantiles::fixed(5)).draw(0, 0, Time(1000));
        assert_eq!(drawn.cancel_time, Time(1060), "a minute after");
    }

    #[test]
    fn deadlines_are_of_the_work_or_always_the_same() {
        let due = |deadline: Option<Estimate>| {
            let sort = Variety { deadline, ..variety(0, 1, Quantiles::fixed(50)) };
            sort.draw(0, 0, Time(1000)).due_time()
        };
        assert_eq!(due(None), None, "none is told");
        assert_eq!(due(Some(Estimate::Fixed(Seconds(7)))), Some(Time(1007)), "after its submission");
        assert_eq!(due(Some(Estimate::Times(Quantiles::fixed(2500)))), Some(Time(1125)), "of its work");
    }
}
