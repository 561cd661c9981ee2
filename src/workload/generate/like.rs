//! Workloads of the shape of another one.

use crate::random::{Purpose, Stream};
use crate::units::{Seconds, Time};
use crate::workload::{Builder, Job, Workload};

/// The shape of a workload, to make others of it: of any length, and of any rate.
///
/// What is kept is measured, not modelled. Jobs that a tenant submits shortly after each other (at most
/// [`Like::PAUSE`] apart, for at most an hour) are a *batch* and stay together as they are: gangs, work, estimates,
/// failures and patience jointly, by tenant. How many batches of which tenant begin in each hour is that of a day drawn
/// from the source; where that is two weeks long or more, of a day of the same weekday. Of a source shorter than two
/// days, a part of 24 takes the place of a day. Which batch of the tenant comes, and when within the hour, is drawn; no
/// batch comes again before each of its tenant has come, and no day before each of its weekday has. Where more jobs come at
/// the very first instant than at any later one, they are a *standing load*: what was there when the trace began. They come at
/// time 0, once, `rate` times as many. What ties jobs together (dependencies, graphs), what was running at the start and
/// recorded starts are left out.
///
/// ```
/// use gigawatt::units::{Seconds, Time};
/// use gigawatt::workload::generate::Like;
/// use gigawatt::workload::{Behaviour, Builder, Job, Request};
/// let mut builder = Builder::default();
/// builder.request(Request::gang(gigawatt::units::Gpus::ONE));
/// builder.behaviour(Behaviour::default());
/// builder.tenant("meta");
/// for hour in 0..24 * 21 {
///     builder.push(Job { work_time: Seconds(60 + hour), ..Job::at(Time(hour * 3600)) });
/// }
/// let source = builder.finish();
/// let like = Like::of(&source).expect("it has jobs");
/// let twice = like.generate(2.0, None, 7);
/// assert_eq!(twice.jobs.len(), 2 * source.jobs.len());
/// assert_eq!(like.generate(1.0, Some(10), 7).jobs.len(), 10);
/// ```
#[derive(Debug)]
pub struct Like<'a> {
    source: &'a Workload,
    /// Jobs of the source that come at its very first instant, if they are a standing load.
    standing: Vec<u32>,
    /// The other jobs of the source; those of a batch follow each other.
    order: Vec<u32>,
    batches: Vec<Batch>,
    /// By tenant: the indices of its batches.
    decks: Vec<Vec<u32>>,
    calendar: Calendar,
    /// Blocks of time that the source covers, in order: the batches that begin in each of their parts.
    blocks: Vec<Block>,
}

/// Jobs that a tenant submitted shortly after each other.
#[derive(Debug, Clone, Copy)]
struct Batch {
    tenant: u32,
    /// When the first of them was submitted.
    begin: Time,
    /// Where they stand in `order`.
    from: u32,
    to: u32,
}

/// A stretch of time, and how many batches of which tenant begin in each of its parts.
#[derive(Debug)]
struct Block {
    /// Its number in the calendar.
    number: i64,
    /// By part: the tenants of the batches that begin in it.
    parts: Vec<Vec<u32>>,
}

/// How time is cut into blocks, and these into parts.
#[derive(Debug, Clone, Copy)]
struct Calendar {
    /// The second at which block 0 begins, relative to the source's time 0.
    origin: i64,
    /// Seconds of a block, and of a part.
    block: u32,
    part: u32,
    /// Blocks after which the same comes again: days of a week, or 1.
    cycle: i64,
}

const DAY: u32 = 86_400;
/// Parts of a block; the hours of a day.
const PARTS: u32 = 24;

impl Calendar {
    /// For jobs submitted from `first` to `last`; civil days if the source tells its date.
    fn of(first: Time, last: Time, epoch: Option<i64>) -> Self {
        let span = last.since(first).0;
        if span < 2 * DAY {
            let block = span / PARTS + 1;
            return Self { origin: first.0.into(), block, part: (block / PARTS).max(1), cycle: 1 };
        }
        let cycle = if span < 14 * DAY { 1 } else { 7 };
        Self { origin: -epoch.unwrap_or(0), block: DAY, part: DAY / PARTS, cycle }
    }
    /// The block that a second is in, and the part of that.
    fn place(&self, time: Time) -> (i64, usize) {
        let second = i64::from(time.0) - self.origin;
        let part = second.rem_euclid(self.block.into()) / i64::from(self.part);
        (second.div_euclid(self.block.into()), usize::try_from(part).unwrap_or(0))
    }
    /// The second at which a block begins.
    fn begin(&self, number: i64) -> i64 {
        self.origin + number * i64::from(self.block)
    }
    const fn parts(&self) -> usize {
        self.block.div_ceil(self.part) as usize
    }
}

impl<'a> Like<'a> {
    /// The longest pause between two jobs of a batch.
    pub const PAUSE: Seconds = Seconds(60);
    /// The highest rate.
    pub const RATE_MAX: f64 = 1e6;
    /// The longest that a batch lasts.
    const LONGEST: Seconds = Seconds(3600);

    /// The shape of `source`; none if it has no job but those running at its start.
    ///
    /// # Complexity
    /// O(|jobs| log |jobs|).
    #[must_use]
    pub fn of(source: &'a Workload) -> Option<Self> {
        let mut order: Vec<u32> = (0..source.len()).collect();
        order.retain(|job| source.running.binary_search_by_key(job, |running| running.job).is_err());
        let standing = standing(source, &mut order);
        let key =
            |job: &u32| (source.jobs[*job as usize].tenant, source.jobs[*job as usize].submit_time, *job);
        order.sort_unstable_by_key(key);
        let batches = batches(source, &order);
        let submits = || standing.iter().chain(&order).map(|job| source.jobs[*job as usize].submit_time);
        let (first, last) = (submits().min()?, submits().max()?);
        let mut decks = vec![Vec::new(); source.tenants.len()];
        for (index, batch) in (0..).zip(&batches) {
            decks[batch.tenant as usize].push(index);
        }
        let calendar = Calendar::of(first, last, source.epoch);
        let blocks = blocks(&batches, calendar, first, last);
        Some(Self { source, standing, order, batches, decks, calendar, blocks })
    }

    /// Jobs of the source that are a standing load.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.standing.len()
    }

    /// Jobs that the source does not share with what is made of it: those running at its start.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.source.jobs.len() - self.order.len() - self.standing.len()
    }

    /// A workload of that shape, `rate` times as many jobs an hour as in the source; `count` jobs, else as long as the
    /// source. It has fewer than `count` if they do not fit into 136 years. The rate is at most [`Like::RATE_MAX`].
    #[must_use]
    pub fn generate(&self, rate: f64, count: Option<u32>, seed: u64) -> Workload {
        let jobs = self.jobs(rate, count, seed);
        let epoch = self.source.epoch.map(|epoch| epoch.saturating_add(self.begin()));
        let mut builder = Builder::from(Workload {
            requests: self.source.requests.clone(),
            behaviours: self.source.behaviours.clone(),
            tenants: self.source.tenants.clone(),
            partitions: self.source.partitions.clone(),
            epoch,
            ..Workload::default()
        });
        for job in jobs {
            builder.push(job);
        }
        builder.finish()
    }

    /// The second of the source that becomes time 0.
    fn begin(&self) -> i64 {
        self.calendar.begin(self.blocks[0].number)
    }

    fn jobs(&self, rate: f64, count: Option<u32>, seed: u64) -> Vec<Job> {
        let stream = Stream::new(seed, Purpose::Resampling);
        let rate = rate.min(Self::RATE_MAX);
        let mut days: Vec<Deck> = (0..).zip(self.days()).map(|(id, deck)| Deck::new(id, deck)).collect();
        let mut batches: Vec<Deck> =
            (Deck::SECOND..).zip(self.decks.clone()).map(|(id, deck)| Deck::new(id, deck)).collect();
        // How many batches of each tenant are due; fractions are carried on, the first of them drawn.
        let first = |tenant: u64| f64::from(stream.below(tenant, Deck::OTHERS, 1 << 24)) / f64::from(1 << 24);
        let mut owed: Vec<f64> = (0..).map(first).take(self.decks.len()).collect();
        let mut placed = self.decks.len() as u64;
        let most = count.map_or(usize::MAX, |count| count as usize);
        let mut jobs = self.standing_jobs(rate, stream, most);
        let mut made = 0_u32;
        while !self.batches.is_empty()
            && jobs.len() < most
            && (count.is_some() || (made as usize) < self.blocks.len())
        {
            let longest = self.calendar.block + Self::LONGEST.0;
            let begin = made.checked_mul(self.calendar.block).filter(|begin| *begin < u32::MAX - longest);
            let Some(begin) = begin else { break };
            let phase = self.phase(self.blocks[0].number + i64::from(made));
            let block = &self.blocks[days[phase].card(stream) as usize];
            for (part, tenants) in (0_u32..).zip(&block.parts) {
                for tenant in tenants {
                    let owed = &mut owed[*tenant as usize];
                    *owed += rate;
                    while *owed >= 1.0 {
                        *owed -= 1.0;
                        placed += 1;
                        let within = stream.below(placed, Deck::OTHERS, self.calendar.part);
                        let at = Time(begin + part * self.calendar.part + within);
                        let batch = batches[*tenant as usize].card(stream);
                        self.add(self.batches[batch as usize], at, &mut jobs);
                    }
                }
            }
            made += 1;
        }
        // Equal submits stay in the order in which they were drawn.
        jobs.sort_by_key(|job: &Job| job.submit_time);
        jobs.truncate(most);
        jobs
    }

    /// The standing load at time 0: each of its jobs `rate` times, where a fraction is left by chance.
    fn standing_jobs(&self, rate: f64, stream: Stream, most: usize) -> Vec<Job> {
        let mut owed = f64::from(stream.below(0, Deck::STANDING, 1 << 24)) / f64::from(1 << 24);
        let mut jobs = Vec::new();
        for job in &self.standing {
            owed += rate;
            while owed >= 1.0 && jobs.len() < most {
                owed -= 1.0;
                Self::add_one(self.source.jobs[*job as usize], Time::ZERO, &mut jobs);
            }
        }
        jobs
    }

    /// By phase of the calendar: the indices of the blocks that come then.
    fn days(&self) -> Vec<Vec<u32>> {
        let mut days = vec![Vec::new(); usize::try_from(self.calendar.cycle).unwrap_or(1)];
        for (index, block) in (0..).zip(&self.blocks) {
            days[self.phase(block.number)].push(index);
        }
        // Where none comes in a phase, any will do.
        let all: Vec<u32> = days.concat();
        days.iter_mut().filter(|deck| deck.is_empty()).for_each(|deck| deck.clone_from(&all));
        days
    }

    /// Where in the cycle of the calendar a block is.
    fn phase(&self, number: i64) -> usize {
        usize::try_from(number.rem_euclid(self.calendar.cycle)).expect("within a cycle")
    }

    /// Adds the jobs of a batch, the first of them at `at`.
    fn add(&self, batch: Batch, at: Time, jobs: &mut Vec<Job>) {
        for job in &self.order[batch.from as usize..batch.to as usize] {
            let job = self.source.jobs[*job as usize];
            Self::add_one(job, at + job.submit_time.since(batch.begin), jobs);
        }
    }

    /// Adds a job like one of the source, as patient as it.
    fn add_one(job: Job, submit_time: Time, jobs: &mut Vec<Job>) {
        let cancel_time = match job.cancel_time {
            Time::NEVER => Time::NEVER,
            time => submit_time + time.since(job.submit_time),
        };
        jobs.push(Job { submit_time, cancel_time, ..job });
    }
}

/// Takes the jobs of the very first instant out of `order` if no later one has as many, and there are several.
fn standing(source: &Workload, order: &mut Vec<u32>) -> Vec<u32> {
    let mut submits: Vec<Time> = order.iter().map(|job| source.jobs[*job as usize].submit_time).collect();
    submits.sort_unstable();
    let mut counts = submits.chunk_by(|a, b| a == b).map(<[Time]>::len);
    let first = counts.next().unwrap_or(0);
    let is_standing = counts.max().is_some_and(|later| later < first && first > 1);
    if !is_standing {
        return Vec::new();
    }
    let is_first = |job: &mut u32| source.jobs[*job as usize].submit_time == submits[0];
    order.extract_if(.., is_first).collect()
}

/// Cuts jobs in the order of tenant and time into batches.
fn batches(source: &Workload, order: &[u32]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut before = Time::ZERO;
    for (place, job) in (0..).zip(order) {
        let job = &source.jobs[*job as usize];
        let now = job.submit_time;
        match batches.last_mut() {
            Some(batch)
                if batch.tenant == job.tenant
                    && now.since(before) <= Like::PAUSE
                    && now.since(batch.begin) <= Like::LONGEST =>
            {
                batch.to = place + 1;
            }
            _ => batches.push(Batch { tenant: job.tenant, begin: now, from: place, to: place + 1 }),
        }
        before = now;
    }
    batches
}

/// The days that jobs from `first` to `last` cover, but for an hour at both ends; of what is shorter, all of it.
fn blocks(batches: &[Batch], calendar: Calendar, first: Time, last: Time) -> Vec<Block> {
    let (from, to) = (calendar.place(first).0, calendar.place(last).0);
    let mut blocks: Vec<Block> =
        (from..=to).map(|number| Block { number, parts: vec![Vec::new(); calendar.parts()] }).collect();
    for batch in batches {
        let (number, part) = calendar.place(batch.begin);
        let index = usize::try_from(number - from).expect("no batch begins before the first");
        blocks[index].parts[part].push(batch.tenant);
    }
    let part = i64::from(calendar.part);
    let is_covered = |block: &Block| {
        let (begin, end) = (calendar.begin(block.number), calendar.begin(block.number + 1));
        begin + part > i64::from(first.0) && end - part <= i64::from(last.0)
    };
    if calendar.block == DAY && blocks.iter().any(is_covered) {
        blocks.retain(is_covered);
    }
    blocks
}

/// Cards that are drawn without putting any back, and shuffled anew when none is left.
struct Deck {
    /// Tells its random numbers from those of others.
    id: u32,
    cards: Vec<u32>,
    left: usize,
    drawn: u64,
}

impl Deck {
    /// The ids of days are below, those of tenants from here on.
    const SECOND: u32 = 1 << 16;
    /// An id that no deck has, for what else is drawn.
    const OTHERS: u32 = u32::MAX;
    /// The same, for the standing load.
    const STANDING: u32 = u32::MAX - 1;

    fn new(id: u32, cards: Vec<u32>) -> Self {
        Self { id, cards, left: 0, drawn: 0 }
    }
    /// The next card; there is one.
    fn card(&mut self, stream: Stream) -> u32 {
        if self.left == 0 {
            self.left = self.cards.len();
        }
        let among = u32::try_from(self.left).expect("jobs are counted in 32 bits");
        let chosen = stream.below(self.drawn, self.id, among) as usize;
        self.drawn += 1;
        self.left -= 1;
        self.cards.swap(chosen, self.left);
        self.cards[self.left]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Gpus;
    use crate::workload::{Behaviour, Request};

    /// Four weeks: `day` submits a burst of five single GPUs at nine on workdays, `night` a gang of 16 each hour; whose
    /// estimates are three times its work, and those of the others exact.
    fn source() -> Workload {
        let mut builder = Builder::default();
        builder.set_epoch(1_704_067_200); // Monday 2024-01-01
        let requests = [1, 16].map(|gpus| builder.request(Request::gang(Gpus::whole(gpus))));
        builder.behaviour(Behaviour::default());
        let tenants = ["day", "night"].map(|name| builder.tenant(name));
        for hour in 0..24 * 28_u32 {
            let job = |tenant: usize, at: u32, work: u32| Job {
                request: requests[tenant],
                tenant: tenants[tenant],
                work_time: Seconds(work),
                ..Job::at(Time(hour * 3600 + at))
            };
            builder.push(job(1, 1800, 1000 + hour).requesting(Seconds(3 * (1000 + hour))));
            if hour % 24 == 9 && hour / 24 % 7 < 5 {
                for k in 0..5 {
                    builder.push(job(0, k * 10, 60 + hour + k).requesting(Seconds(60 + hour + k)));
                }
            }
        }
        builder.finish()
    }

    fn of_tenant(workload: &Workload, tenant: u32) -> Vec<Job> {
        workload.jobs.iter().filter(|job| job.tenant == tenant).copied().collect()
    }

    #[test]
    fn rates_bursts_and_the_mix_of_each_tenant_stay() {
        let source = source();
        let made = Like::of(&source).unwrap().generate(1.0, None, 3);
        assert!(made.jobs.is_sorted_by_key(|job| job.submit_time), "in the order of time");
        assert_eq!(made.epoch, source.epoch, "it begins on the same Monday");
        for tenant in [0, 1] {
            let work = |workload: &Workload| -> Vec<Seconds> {
                let mut work: Vec<_> = of_tenant(workload, tenant).iter().map(|job| job.work_time).collect();
                work.sort_unstable();
                work
            };
            assert_eq!(work(&made), work(&source), "tenant {tenant}: each batch once");
        }
        let day = of_tenant(&made, 0);
        for burst in day.chunks(5) {
            let gaps = burst.windows(2).map(|pair| pair[1].submit_time.since(pair[0].submit_time).0);
            assert!(gaps.eq([10; 4]), "bursts stay together: {burst:?}");
            let hour = burst[0].submit_time.0 / 3600;
            assert!(hour % 24 == 9 && hour / 24 % 7 < 5, "on workdays at nine: hour {hour}");
        }
        let night = of_tenant(&made, 1);
        assert!(
            night.iter().all(|job| job.requested_time.0 == 3 * job.work_time.0),
            "estimates go with work"
        );
        assert!(
            night.iter().all(|job| made.requests[job.request as usize].gpus() == Gpus::whole(16)),
            "gangs"
        );
    }

    #[test]
    fn the_rate_and_the_length_scale_and_the_shape_stays() {
        let source = source();
        let like = Like::of(&source).unwrap();
        let shares = |workload: &Workload| {
            let day = of_tenant(workload, 0).len();
            (workload.jobs.len(), day * 1000 / workload.jobs.len())
        };
        let (jobs, share) = shares(&source);
        for rate in [0.25, 2.5] {
            let (made, part) = shares(&like.generate(rate, None, 1));
            let ratio = made as f64 / (jobs as f64 * rate);
            assert!((0.95..1.05).contains(&ratio), "{made} jobs at rate {rate}");
            assert!(
                part.abs_diff(share) < 30,
                "{part} thousandths of `day` at rate {rate}, {share} in the source"
            );
        }
        let long = like.generate(1.0, Some(10_000), 1);
        assert_eq!(long.jobs.len(), 10_000, "as many as asked for");
        assert!(long.jobs[9999].submit_time > source.jobs[jobs - 1].submit_time, "over a longer time");
        assert_eq!(like.generate(1.0, Some(500), 1).jobs[..400], long.jobs[..400], "a prefix");
        assert_eq!(like.generate(1.0, None, 9).jobs, like.generate(1.0, None, 9).jobs, "the same seed");
        assert_ne!(like.generate(1.0, None, 9).jobs, like.generate(1.0, None, 8).jobs, "another one");
    }

    #[test]
    fn what_was_there_at_the_start_stands_there_again() {
        let mut builder = Builder::default();
        builder.request(Request::gang(Gpus::ONE));
        builder.behaviour(Behaviour::default());
        for (submits, at) in [(40, 0), (1, 90), (3, 7_000), (1, 200_000)] {
            (0..submits).for_each(|_| {
                builder.push(Job::at(Time(at)));
            });
        }
        let source = builder.finish();
        let like = Like::of(&source).unwrap();
        assert_eq!(like.standing(), 40, "no later instant has as many");
        let at_once =
            |workload: &Workload| workload.jobs.iter().filter(|job| job.submit_time == Time(0)).count();
        for (rate, expected) in [(1.0, 40), (2.0, 80), (0.25, 10)] {
            assert_eq!(at_once(&like.generate(rate, None, 3)), expected, "{rate} times as many");
        }
        assert_eq!(at_once(&like.generate(1.0, Some(500), 3)), 40, "once, however long");
        assert_eq!(at_once(&like.generate(1.0, Some(7), 3)), 7, "or as many as there may be");
    }

    #[test]
    fn short_sources_and_jobs_that_run_already_are_no_trouble() {
        for submits in [&[0][..], &[5, 5, 5], &[0, 100_000], &[7, 8, 90, 3600]] {
            let mut builder = Builder::default();
            builder.request(Request::gang(Gpus::ONE));
            builder.behaviour(Behaviour::default());
            submits.iter().for_each(|submit| {
                builder.push(Job { cancel_time: Time(submit + 60), ..Job::at(Time(*submit)) });
            });
            let source = builder.finish();
            let like = Like::of(&source).unwrap();
            assert_eq!(like.generate(1.0, None, 5).jobs.len(), submits.len(), "{submits:?}: each once");
            let made = like.generate(1.0, Some(20), 5);
            assert_eq!(made.jobs.len(), 20, "{submits:?}");
            let patience = |job: &Job| job.cancel_time.since(job.submit_time).0 == 60;
            assert!(made.jobs.iter().all(patience), "{submits:?}: patience counts from the submission");
        }
        let mut builder = Builder::default();
        builder.request(Request::gang(Gpus::ONE));
        builder.behaviour(Behaviour::default());
        let job = builder.push(Job::at(Time(0)));
        builder.add_running(crate::workload::Running { job, nodes: vec![] });
        assert!(Like::of(&builder.finish()).is_none(), "nothing is submitted");
    }
}
