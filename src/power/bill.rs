//! What a site pays for what it draws, and what that emits.

use super::battery::{BatteryUse, shave};
use super::share::rounded;
use crate::cluster::grid::{Demand, Grid, Zone};
use crate::units::{Money, Seconds, Time, Watts};
use std::ops::Range;

/// Joules in a MWh: what prices and intensities count by.
pub const JOULES_A_MWH: i128 = 3_600_000_000;

/// The bill of a site over a window of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// What the site drew, joules.
    pub drawn: u128,
    /// What it took from the grid, joules: more or less than it drew where there is a battery.
    pub metered: u128,
    /// The highest power it took from the grid.
    pub peak: Watts,
    /// What the energy costs: Σ joules × price, divided once.
    pub energy: Money,
    /// What the highest reading of each month within the window costs.
    pub demand: Money,
    /// Grams that the energy stands for.
    pub carbon: i64,
    /// The readings that the demand charge is for, one a month.
    pub months: Vec<Reading>,
    /// What the battery did.
    pub battery: Option<BatteryUse>,
    /// How much of the window is after the last recorded price or intensity, which then stood.
    pub beyond: Seconds,
}

impl Bill {
    /// Everything there is to pay.
    #[must_use]
    pub const fn total(&self) -> Money {
        Money(self.energy.0.saturating_add(self.demand.0))
    }
}

/// The highest reading of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When its interval began, or the window.
    pub from: Time,
    /// Joules of that interval, within the window.
    pub joules: u128,
    /// How long an interval is.
    pub interval: Seconds,
    /// The charge for it.
    pub charge: Money,
}

/// The bill for what is drawn in `window`, where the draw is constant from one step to the next, the first at second 0.
///
/// It is as though the meter were read for the window alone: an interval of the demand charge that the window cuts counts
/// with what was drawn within. A battery works from second 0 on.
///
/// ```
/// use gigawatt::cluster::grid::{Demand, Grid, Signal, Zone};
/// use gigawatt::power::bill::bill;
/// use gigawatt::units::{Money, Seconds, Time, Watts};
/// let grid = Grid {
///     price: Some(Signal::Constant(40_000_000)),
///     carbon: Some(Signal::Constant(369_000)),
///     demand: Some(Demand { price: 12_000_000, interval: Seconds(900) }),
///     clock: Some(Zone::utc(0)),
///     ..Grid::default()
/// };
/// // Two hours at 1 MW and one at 3 MW: 5 MWh.
/// let draw = [(Time(0), Watts(1_000_000)), (Time(7200), Watts(3_000_000))];
/// let bill = bill(&grid, &draw, Time(0)..Time(10_800));
/// assert_eq!(bill.energy, Money(200_000_000), "5 MWh at 40 $/MWh");
/// assert_eq!(bill.demand, Money(36_000_000_000), "3,000 kW at 12 $/kW");
/// assert_eq!(bill.carbon, 1_845_000, "5,000 kWh at 369 g/kWh");
/// ```
///
/// # Complexity
/// O(steps + changes of price + metering intervals).
#[must_use]
pub fn bill(grid: &Grid, draw: &[(Time, Watts)], window: Range<Time>) -> Bill {
    let shaved = grid.battery.as_ref().map(|battery| {
        let before = shave(battery, draw, window.start).1;
        let (steps, used) = shave(battery, draw, window.end);
        let (charged, discharged) = (used.charged - before.charged, used.discharged - before.discharged);
        (steps, BatteryUse { charged, discharged, left: used.left })
    });
    let (steps, battery): (&[_], _) = match &shaved {
        Some((steps, used)) => (steps, Some(*used)),
        None => (draw, None),
    };
    let signals = [&grid.price, &grid.carbon].map(|signal| signal.as_ref());
    let [energy, carbon] = signals.map(|signal| {
        let mut integral = signal?.integral();
        let products =
            stretches(steps, &window).map(|(from, to, watts)| i128::from(watts) * integral.over(from, to));
        Some(products.fold(0_i128, i128::saturating_add))
    });
    let months =
        grid.demand.map(|demand| readings(demand, grid.clock.as_ref(), steps, &window)).unwrap_or_default();
    let known = signals.into_iter().flatten().map(|signal| signal.known_until()).min();
    let joules = |steps| {
        stretches(steps, &window).map(|(from, to, watts)| u128::from(watts) * u128::from(to.0 - from.0))
    };
    Bill {
        drawn: joules(draw).sum(),
        metered: joules(steps).sum(),
        peak: stretches(steps, &window).map(|stretch| Watts(stretch.2)).max().unwrap_or_default(),
        energy: Money(rounded(energy.unwrap_or_default(), JOULES_A_MWH)),
        demand: Money(months.iter().fold(0, |sum, month| sum.saturating_add(month.charge.0))),
        carbon: rounded(carbon.unwrap_or_default(), JOULES_A_MWH),
        months,
        battery,
        beyond: known.map_or(Seconds::ZERO, |known| window.end.since(known.max(window.start))),
    }
}

/// The stretches of constant draw within a window: from, to, watts.
fn stretches<'a>(
    steps: &'a [(Time, Watts)],
    window: &Range<Time>,
) -> impl Iterator<Item = (Time, Time, u64)> + use<'a> {
    let (start, end) = (window.start, window.end);
    let ends = steps.iter().skip(1).map(|step| step.0).chain([end]);
    let stretches = steps.iter().zip(ends).map(move |(step, to)| (step.0.max(start), to.min(end), step.1.0));
    stretches.filter(|(from, to, _)| from < to)
}

/// The highest reading of each month.
fn readings(
    demand: Demand,
    clock: Option<&Zone>,
    steps: &[(Time, Watts)],
    window: &Range<Time>,
) -> Vec<Reading> {
    let utc = Zone::utc(0);
    let clock = clock.unwrap_or(&utc);
    let mut months: Vec<((i16, i8), Reading)> = Vec::new();
    let mut stretches = stretches(steps, window).peekable();
    let mut from = window.start;
    while from < window.end {
        let to = clock.next(from, demand.interval).min(window.end);
        let mut joules = 0_u128;
        while let Some((begin, stop, watts)) = stretches.peek().copied() {
            let seconds = stop.min(to).since(begin.max(from)).0;
            joules += u128::from(watts) * u128::from(seconds);
            if stop > to {
                break;
            }
            stretches.next();
        }
        let date = clock.civil(from);
        let reading = Reading { from, joules, interval: demand.interval, charge: Money(0) };
        match months.last_mut() {
            Some((month, highest)) if *month == (date.year(), date.month()) => {
                if joules > highest.joules {
                    *highest = reading;
                }
            }
            _ => months.push(((date.year(), date.month()), reading)),
        }
        from = to;
    }
    let charge = |joules: u128| {
        let product = i128::try_from(joules).unwrap_or(i128::MAX).saturating_mul(i128::from(demand.price));
        Money(rounded(product, i128::from(demand.interval.0) * 1000))
    };
    months.into_iter().map(|(_, month)| Reading { charge: charge(month.joules), ..month }).collect()
}

#[cfg(test)]
mod tests;
