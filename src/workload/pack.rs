//! What is asked for in all, and every job offered once, to see how full a cluster gets.

use super::{Behaviour, Builder, Job, Workload};
use crate::random::{Purpose, Stream};
use crate::units::{Seconds, Time};
use std::collections::BTreeMap;

/// Draws: the order of the jobs that are there, which come again, and the order of all.
const ORDER: u32 = 0;
const AGAIN: u32 = 1;
const MIXED: u32 = 2;

impl Workload {
    /// How many jobs ask for each request: as the mix says, else as its jobs do.
    ///
    /// ```
    /// use gigawatt::units::{Gpus, Time};
    /// use gigawatt::workload::{Behaviour, Builder, Job, Request};
    /// let mut builder = Builder::default();
    /// let request = builder.request(Request::gang(Gpus::whole(8)));
    /// builder.push(Job { request, ..Job::at(Time(0)) });
    /// let mut workload = builder.finish();
    /// assert_eq!(workload.asked(), [(request, 1)]);
    /// workload.mix = vec![(request, 5)];
    /// assert_eq!(workload.asked(), [(request, 5)]);
    /// ```
    #[must_use]
    pub fn asked(&self) -> Vec<(u32, u64)> {
        if !self.mix.is_empty() {
            return self.mix.iter().map(|(request, jobs)| (*request, u64::from(*jobs))).collect();
        }
        let mut counts = vec![0; self.requests.len()];
        self.jobs.iter().for_each(|job| counts[job.request as usize] += 1);
        (0..).zip(counts).filter(|(_, jobs)| *jobs > 0).collect()
    }
    /// These jobs offered once, one a second in random order, until what they ask for reaches `gpus_milli` thousandths of
    /// GPUs: each once in random order as far as they go, then some of them again, drawn at random, called `name+1`.
    ///
    /// A job that does not start at once is withdrawn; what starts stays until all have been offered, and as long again.
    /// Speeds of platforms do not count. What is expected is the mix of the jobs that were there.
    ///
    /// # Errors
    /// No job asks for a GPU, or more than `most` jobs would come, at most [`super::MAX_JOBS`] / 2.
    ///
    /// ```
    /// use gigawatt::units::{Gpus, Time};
    /// use gigawatt::workload::{Behaviour, Builder, Job, Request};
    /// let mut builder = Builder::default();
    /// let request = builder.request(Request::gang(Gpus::whole(2)));
    /// let behaviour = builder.behaviour(Behaviour::default());
    /// builder.push_named(Job { request, behaviour, ..Job::at(Time(900)) }, "pod");
    /// let packed = builder.finish().packed(5000, 7, 100)?;
    /// let names: Vec<_> = (0..3).map(|job| packed.names.get(job).into_owned()).collect();
    /// assert_eq!(names, ["pod", "pod+1", "pod+2"], "six GPUs are the first to reach five");
    /// assert_eq!(packed.jobs[1].submit_time, Time(1));
    /// assert_eq!(packed.jobs[1].cancel_time, Time(2));
    /// # Ok::<(), gigawatt::workload::PackError>(())
    /// ```
    pub fn packed(self, gpus_milli: u64, seed: u64, most: u32) -> Result<Self, PackError> {
        let asks = |job: u32| u64::from(self.request_of(job).gpus().milli());
        if (0..self.len()).all(|job| asks(job) == 0) {
            return Err(PackError::NoGpus);
        }
        let stream = Stream::new(seed, Purpose::Packing);
        let first = shuffled((0..self.len()).collect(), &stream, ORDER);
        let again = (0..).map(|draw| stream.below(draw, AGAIN, self.len()));
        let mut asked = 0;
        let until = |job: &u32| {
            let wanted = asked < gpus_milli;
            asked += asks(*job);
            wanted
        };
        let most = most.min(super::MAX_JOBS / 2) as usize;
        let offered: Vec<u32> = first.into_iter().chain(again).take_while(until).take(most + 1).collect();
        if offered.len() > most {
            return Err(PackError::TooMany(most));
        }
        let offered = shuffled(offered, &stream, MIXED);
        let mix = self.asked();
        let mut packed = Builder::from(Self {
            jobs: Vec::new(),
            names: super::Names::default(),
            behaviours: Vec::new(),
            recorded_starts: Vec::new(),
            ..self.clone()
        });
        let last = u32::try_from(offered.len()).expect("no more jobs than can be counted");
        let mut times: BTreeMap<u32, u32> = BTreeMap::new();
        for (second, job) in (0..).zip(offered) {
            let (old, name) = (self.jobs[job as usize], self.names.get(job as usize));
            let behaviour =
                packed.behaviour(Behaviour { speeds: Vec::new(), ..self.behaviour_of(job).clone() });
            let stays = Seconds(2 * last - second);
            let new = Job {
                submit_time: Time(second),
                cancel_time: Time(second + 1),
                work_time: stays,
                requested_time: stays,
                behaviour,
                fails: false,
                ..old
            };
            let time = times.entry(job).and_modify(|time| *time += 1).or_default();
            match time {
                0 => packed.push_named(new, &name),
                time => packed.push_named(new, &format!("{name}+{time}")),
            };
        }
        let narrow = |jobs: u64| u32::try_from(jobs).expect("jobs are counted in 32 bits");
        let mut packed = packed.finish();
        packed.mix = mix.into_iter().map(|(request, jobs)| (request, narrow(jobs))).collect();
        Ok(packed)
    }
}

/// Why jobs cannot be offered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// They would never fill anything.
    #[error("no job asks for a GPU")]
    NoGpus,
    /// More than so many would come.
    #[error("more than {0} jobs would come")]
    TooMany(usize),
}

/// In random order (Fisher and Yates).
fn shuffled(mut jobs: Vec<u32>, stream: &Stream, draw: u32) -> Vec<u32> {
    for place in (1..jobs.len()).rev() {
        let bound = u32::try_from(place + 1).expect("jobs are counted in 32 bits");
        jobs.swap(place, stream.below(place as u64, draw, bound) as usize);
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Gpus;
    use crate::workload::Request;

    /// Jobs of one, two, … GPUs.
    fn jobs(count: u32) -> Workload {
        let mut builder = Builder::default();
        builder.behaviour(Behaviour::default());
        for gpus in 1..=count {
            let request = builder.request(Request::gang(Gpus::whole(gpus)));
            builder.push(Job { request, fails: true, ..Job::at(Time(500)) });
        }
        builder.finish()
    }
    fn gpus(workload: &Workload) -> Vec<u32> {
        (0..workload.len()).map(|job| workload.request_of(job).gpus().milli() / 1000).collect()
    }

    #[test]
    fn fewer_gpus_than_the_jobs_ask_for_take_some_of_them_once() {
        let all = jobs(100);
        let some = all.clone().packed(2_000_000, 3, 1000).unwrap();
        let asked = gpus(&some);
        let mut once = asked.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), asked.len(), "none comes twice");
        assert!((2000..2100).contains(&asked.iter().sum::<u32>()), "until the GPUs are asked for");
        assert_eq!(some.asked(), all.asked(), "all are expected");
        assert_ne!(asked, gpus(&all.packed(2_000_000, 4, 1000).unwrap()), "another seed, another order");
    }

    #[test]
    fn more_gpus_bring_some_jobs_again_and_none_ends_before_the_last_comes() {
        let packed = jobs(20).packed(420_000, 5, 1000).unwrap();
        let mut asked = gpus(&packed);
        assert!((420..441).contains(&asked.iter().sum::<u32>()), "twice what all ask for");
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), 20, "every one is there");
        let end = 2 * packed.len();
        let stays = |job: &Job| job.submit_time.0 + job.work_time.0 == end && !job.fails;
        assert!(packed.jobs.iter().all(stays), "all stay until the same instant");
        let mut names: Vec<_> = (0..packed.jobs.len()).map(|job| packed.names.get(job)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), packed.jobs.len(), "no two are called the same");
    }

    #[test]
    fn what_would_never_end_is_refused() {
        assert_eq!(jobs(2).packed(1_000_000, 0, 100), Err(PackError::TooMany(100)));
        let mut builder = Builder::default();
        builder.request(Request::gang(Gpus::ZERO));
        builder.push(Job::at(Time(0)));
        assert_eq!(builder.finish().packed(1000, 0, 100), Err(PackError::NoGpus));
    }
}
