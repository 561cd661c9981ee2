//! Draw, energy, cost and carbon of many feeds in buckets of time, from plain arrays, on the CPU or a GPU.
//!
//! What is added up is told once, in `shaders/meter.wgsl`: a GPU runs that text, the CPU the same text translated when
//! this crate is compiled. All sums are exact integers, so that both give the same and no total depends on a bucket.
//!
//! ```
//! use gigawatt::power::meter::{Cpu, Load, Metering, FeedDraw, PriceStep, Usage, Window};
//! // A job draws 2 MW for an hour and a half; a MWh costs 40 $ in the first hour, and one is paid 10 $ in the second.
//! let job = FeedDraw { feed: 0, from: 0, to: 5400, watts: 2_000_000 };
//! let prices = vec![
//!     PriceStep { from: 0, price: 40_000_000, intensity: 369_000 },
//!     PriceStep { from: 3600, price: -10_000_000, intensity: 369_000 },
//! ];
//! let load = Load::new(&[job], &[0], &[prices]);
//! let mut usage = Usage::default();
//! Cpu::default().meter(&load, Window { begin: 0, end: 7200, bucket: 3600 }, &mut usage);
//! assert_eq!(usage.of(0, 0).energy, 7_200_000_000, "2 MWh in the first hour");
//! assert_eq!((usage.of(1, 0).energy, usage.of(1, 0).peak), (3_600_000_000, 2_000_000));
//! // Joules times micro-dollars a MWh: 2 MWh at 40 $ less 1 MWh at 10 $ are 70 $.
//! assert_eq!(usage.totals[0].cost, 70_000_000 * 3_600_000_000);
//! ```

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
mod shader;
#[cfg(test)]
mod tests;

pub use cpu::Cpu;
#[cfg(feature = "gpu")]
pub use gpu::{Chunks, Meters, POWER_SOURCE};

use crate::hardware::WATTS_MAX;
use crate::units::{Time, Watts};
use bytemuck::{Pod, Zeroable};
use shader::Wide;

/// A stretch of time in which a feed draws so much more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedDraw {
    /// Index of the feed.
    pub feed: u32,
    /// From this second on.
    pub from: u32,
    /// Until before this one.
    pub to: u32,
    /// Watts.
    pub watts: u64,
}

/// What energy costs and emits from some second on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceStep {
    /// From this second on.
    pub from: u32,
    /// Any price by the joule's measure that the caller likes, such as micro-dollars a MWh; may be negative.
    pub price: i64,
    /// Any intensity, likewise.
    pub intensity: i64,
}

/// `Change` of the shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Change {
    time: u32,
    low: u32,
    high: u32,
}

/// `Price` of the shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Price {
    time: u32,
    price: Wide,
    intensity: Wide,
}

/// `Feed` of the shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Feed {
    first: u32,
    last: u32,
    price_first: u32,
    price_last: u32,
}

/// What every feed draws when, and what it pays: the changes of draw of each in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    feeds: Vec<Feed>,
    changes: Vec<Change>,
    prices: Vec<Price>,
}

impl Load {
    /// Feeds that draw for these placements; `tariff_of` says of each feed which of `tariffs` it pays. A tariff begins
    /// at second 0, or nothing is paid before its first step; steps are ascending.
    ///
    /// # Panics
    /// If a placement names a feed, or a feed a tariff, that is not there, if a feed draws above 2⁴⁰ W, or there are
    /// 2³² changes.
    ///
    /// # Complexity
    /// O(n log n) in placements.
    #[must_use]
    pub fn new(placements: &[FeedDraw], tariff_of: &[u32], tariffs: &[Vec<PriceStep>]) -> Self {
        let mut events: Vec<(u32, u32, i128)> = Vec::with_capacity(2 * placements.len());
        for placement in placements.iter().filter(|placement| placement.from < placement.to) {
            let FeedDraw { feed, from, to, watts } = *placement;
            assert!((feed as usize) < tariff_of.len(), "feed {feed} of {}", tariff_of.len());
            events.push((feed, from, i128::from(watts)));
            events.push((feed, to, -i128::from(watts)));
        }
        events.sort_unstable();
        let mut draws: Vec<Vec<(Time, Watts)>> = vec![Vec::new(); tariff_of.len()];
        for instant in events.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let (feed, time, _) = instant[0];
            let steps = &mut draws[feed as usize];
            let before = steps.last().map_or(0, |step| i128::from(step.1.0));
            let draw = before + instant.iter().map(|event| event.2).sum::<i128>();
            steps.push((Time(time), Watts(u64::try_from(draw).unwrap_or(u64::MAX))));
        }
        Self::of_draws(&draws, tariff_of, tariffs)
    }

    /// Feeds whose draw is constant from each of its steps, ascending in time, to the next, and nothing before the
    /// first; tariffs as in [`Load::new`].
    ///
    /// # Panics
    /// If a feed draws above 2⁴⁰ W or names a tariff that is not there, or there are 2³² steps.
    #[must_use]
    pub fn of_draws(draws: &[Vec<(Time, Watts)>], tariff_of: &[u32], tariffs: &[Vec<PriceStep>]) -> Self {
        let mut load = Self::default();
        let rows = load.add_prices(tariffs);
        for ((feed, steps), tariff) in draws.iter().enumerate().zip(tariff_of) {
            let (price_first, price_last) = rows[*tariff as usize];
            let first = index(load.changes.len());
            load.add_changes(feed, steps);
            load.feeds.push(Feed { first, last: index(load.changes.len()), price_first, price_last });
        }
        load
    }

    /// Some of the feeds, with the changes that are inside a window and what they draw when it begins.
    #[cfg(feature = "gpu")]
    fn part(&self, feeds: std::ops::Range<usize>, window: Window) -> Self {
        let mut part = Self { prices: self.prices.clone(), ..Self::default() };
        for feed in &self.feeds[feeds] {
            let changes = &self.changes[feed.first as usize..feed.last as usize];
            let before = changes.partition_point(|change| change.time <= window.begin);
            let inside = changes.partition_point(|change| change.time < window.end).max(before);
            let first = index(part.changes.len());
            let draw = changes[..before].iter().fold(Wide::default(), |sum, change| {
                shader::add_wide(sum, Wide { low: change.low, high: change.high })
            });
            part.changes.push(Change { time: 0, low: draw.low, high: draw.high });
            part.changes.extend_from_slice(&changes[before..inside]);
            part.feeds.push(Feed { first, last: index(part.changes.len()), ..*feed });
        }
        part
    }

    /// The changes of one feed; there is one at second 0.
    fn add_changes(&mut self, feed: usize, steps: &[(Time, Watts)]) {
        if steps.first().is_none_or(|step| step.0.0 > 0) {
            self.changes.push(Change { time: 0, low: 0, high: 0 });
        }
        let mut before = 0_u64;
        for (time, Watts(draw)) in steps {
            assert!(*draw <= WATTS_MAX.0, "feed {feed} draws {draw} W");
            // Less is added as its two's complement.
            let more = Wide::from(draw.wrapping_sub(before));
            self.changes.push(Change { time: time.0, low: more.low, high: more.high });
            before = *draw;
        }
    }

    fn add_prices(&mut self, tariffs: &[Vec<PriceStep>]) -> Vec<(u32, u32)> {
        let word = |value: i64| Wide::from(u64::from_le_bytes(value.to_le_bytes()));
        let mut rows = Vec::new();
        for tariff in tariffs {
            let first = index(self.prices.len());
            if tariff.first().is_none_or(|step| step.from > 0) {
                self.prices.push(Price { time: 0, price: word(0), intensity: word(0) });
            }
            let price = |step: &PriceStep| Price {
                time: step.from,
                price: word(step.price),
                intensity: word(step.intensity),
            };
            self.prices.extend(tariff.iter().map(price));
            rows.push((first, index(self.prices.len())));
        }
        rows
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2^32 changes")
}

/// The time that is looked at, and how finely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first second.
    pub begin: u32,
    /// The first second after it.
    pub end: u32,
    /// Seconds of a bucket, 1 to 2²¹; the last bucket may be cut short by the end.
    pub bucket: u32,
}

impl Window {
    /// The most seconds of a bucket.
    pub const BUCKET_MAX: u32 = 1 << 21;

    /// How many buckets it has.
    ///
    /// # Panics
    /// If a bucket has no second, or more than [`Self::BUCKET_MAX`].
    #[must_use]
    pub fn buckets(&self) -> u32 {
        assert!((1..=Self::BUCKET_MAX).contains(&self.bucket), "buckets of {} s", self.bucket);
        self.end.saturating_sub(self.begin).div_ceil(self.bucket)
    }
}

/// What a feed drew in a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Joules; divided by the seconds of the bucket: the mean draw.
    pub energy: u64,
    /// The highest draw, watts.
    pub peak: u64,
}

/// What a feed drew in the whole window, and what that stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Joules.
    pub energy: i128,
    /// Σ joules × price.
    pub cost: i128,
    /// Σ joules × intensity.
    pub carbon: i128,
}

/// What comes of a metering.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// By bucket, then feed.
    pub buckets: Vec<Bucket>,
    /// By feed.
    pub totals: Vec<Total>,
}

impl Usage {
    /// What a feed drew in a bucket.
    #[must_use]
    pub fn of(&self, bucket: usize, feed: usize) -> Bucket {
        self.buckets[bucket * self.totals.len() + feed]
    }
    fn reset(&mut self, feeds: usize, window: Window) {
        self.totals.clear();
        self.totals.resize(feeds, Total::default());
        self.buckets.clear();
        self.buckets.resize(feeds * window.buckets() as usize, Bucket::default());
    }
}

/// Whatever meters a load. All give the same, to the joule.
pub trait Metering: std::fmt::Debug {
    /// Puts what the load's feeds drew in the window into `out`.
    fn meter(&mut self, load: &Load, window: Window, out: &mut Usage);
}
