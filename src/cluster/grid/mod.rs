//! What a site's grid connection costs: prices, demand charge, carbon intensity and battery.
//!
//! ```
//! use gigawatt::cluster::grid::{Series, Signal};
//! use gigawatt::units::{Seconds, Time};
//! // Two hours at 40 $/MWh and -5 $/MWh, for ever.
//! let price = Series { offset: 0, step: Seconds(3600), values: vec![40_000_000, -5_000_000], repeats: true };
//! let price = Signal::Series(price);
//! assert_eq!((price.at(Time(3599)), price.at(Time(3600))), (40_000_000, -5_000_000));
//! assert_eq!((price.at(Time(7200)), price.until(Time(7200))), (40_000_000, Time(10_800)));
//! // An hour and a half from half past one: half an hour at -5 and an hour at 40.
//! let mut integral = price.integral();
//! assert_eq!(integral.over(Time(5400), Time(10_800)), 1800 * -5_000_000 + 3600 * 40_000_000);
//! ```

mod calendar;
mod integral;
mod series;

pub use calendar::{Calendar, Months, Rule, Weekdays, Zone};
pub use integral::Integral;
pub use series::Series;

use crate::units::{Seconds, Time, Watts};
use serde::{Deserialize, Serialize};

/// The grid connection of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grid {
    /// Price of energy, µ$/MWh; none: not known, nothing is charged.
    pub price: Option<Signal>,
    /// Carbon intensity, g/MWh (1 g/kWh = 1 kg/MWh = 1,000 of them).
    pub carbon: Option<Signal>,
    /// What the highest draw of a month costs.
    pub demand: Option<Demand>,
    /// What stands between the site and the grid.
    pub battery: Option<Battery>,
    /// The clock on the wall: when a month, and a metering interval, begins.
    pub clock: Option<Zone>,
}

/// A charge on the highest draw of each calendar month.
///
/// The meter averages over intervals of the clock on the wall; the highest average of those that begin in a month is
/// paid, once, however little of the month a run covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// µ$ a kilowatt and month, at least 0.
    pub price: i64,
    /// What the meter averages over, 1 second to a day, a divisor of the day.
    pub interval: Seconds,
}

/// A battery that keeps what a site takes from the grid at or below a threshold while it can, and charges again below
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Battery {
    /// What it can give when full, joules, at least 1.
    pub capacity: u64,
    /// What it holds at time 0, joules, at most its capacity.
    pub charge: u64,
    /// The most it takes or gives.
    pub power: Watts,
    /// What it gives of a million joules it took, 1..=1,000,000; all of the loss is in charging.
    pub efficiency_ppm: u32,
    /// Draw above this is taken from the battery; below it, it charges.
    pub threshold: Watts,
}

impl Battery {
    /// The least and most joules of a battery: none above what a hundred dams hold.
    pub const CAPACITY_MAX: u64 = 1 << 60;
}

/// A quantity that is constant from one instant to the next, over all time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// The same at all times.
    Constant(i64),
    /// One value a step, as recorded.
    Series(Series),
    /// By hour of day, weekday and month.
    Calendar(Calendar),
}

impl Signal {
    /// The largest absolute value: a million $/MWh, so that what a run adds up to stays far within 128 bits.
    pub const MAX: i64 = 1_000_000_000_000;

    /// The value at an instant.
    #[must_use]
    pub fn at(&self, time: Time) -> i64 {
        match self {
            Self::Constant(value) => *value,
            Self::Series(series) => series.at(time),
            Self::Calendar(calendar) => calendar.at(time),
        }
    }
    /// The lowest and the highest value that it ever has.
    #[must_use]
    pub fn range(&self) -> (i64, i64) {
        let of = |values: &mut dyn Iterator<Item = i64>| {
            values.fold(None, |range: Option<(i64, i64)>, value| {
                let (least, most) = range.unwrap_or((value, value));
                Some((least.min(value), most.max(value)))
            })
        };
        let range = match self {
            Self::Constant(value) => Some((*value, *value)),
            Self::Series(series) => of(&mut series.values.iter().copied()),
            Self::Calendar(calendar) => of(&mut calendar.values()),
        };
        range.unwrap_or_default()
    }
    /// The first instant after `time` at which it may be another; [`Time::NEVER`]: it stays.
    #[must_use]
    pub fn until(&self, time: Time) -> Time {
        match self {
            Self::Constant(_) => Time::NEVER,
            Self::Series(series) => series.until(time),
            Self::Calendar(calendar) => calendar.until(time),
        }
    }
    /// From when on it is not known, so that the last value stands; [`Time::NEVER`]: it is always known.
    #[must_use]
    pub fn known_until(&self) -> Time {
        if let Self::Series(series) = self { series.known_until() } else { Time::NEVER }
    }
    /// Its sums over time.
    #[must_use]
    pub fn integral(&self) -> Integral<'_> {
        Integral::new(std::borrow::Cow::Borrowed(self))
    }
    /// As [`Signal::integral`], keeping the signal.
    #[must_use]
    pub fn into_integral(self) -> Integral<'static> {
        Integral::new(std::borrow::Cow::Owned(self))
    }
    /// Whether no question about it can go wrong; one read from a file may be otherwise.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let small = |value: &i64| value.unsigned_abs() <= Self::MAX.unsigned_abs();
        match self {
            Self::Constant(value) => small(value),
            Self::Series(series) => series.is_sound() && series.values.iter().all(small),
            Self::Calendar(calendar) => calendar.is_sound() && calendar.values().all(|value| small(&value)),
        }
    }
}

impl Grid {
    /// Whether every number is in its range; one read from a file may be otherwise.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut signals = [&self.price, &self.carbon].into_iter().flatten();
        let demand = self.demand.is_none_or(|demand| {
            let interval = demand.interval.0;
            (0..=Signal::MAX).contains(&demand.price) && interval > 0 && 86_400 % interval == 0
        });
        let battery = self.battery.is_none_or(|battery| {
            battery.capacity > 0
                && battery.capacity <= Battery::CAPACITY_MAX
                && battery.charge <= battery.capacity
                && (1..=1_000_000).contains(&battery.efficiency_ppm)
        });
        let clock = self.clock.as_ref().is_none_or(Zone::is_sound);
        signals.all(Signal::is_sound) && demand && battery && clock
    }
}
