//! What a site pays for what it draws, and what that emits.

use super::battery::{BatteryUse, shave};
use super::share::rounded;
use crate::cluster::grid::{Demand, Grid, Zone};
use crate::units::{Money, Seconds, Time, Watts};

/// Joules in a MWh: what prices and intensities count by.
pub const JOULES_A_MWH: i128 = 3_600_000_000;

/// The bill of a site over a run.
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
    /// What the highest draw of each month costs.
    pub demand: Money,
    /// Grams that the energy stands for.
    pub carbon: i64,
    /// The readings that the demand charge is for, one a month.
    pub months: Vec<Reading>,
    /// What the battery did.
    pub battery: Option<BatteryUse>,
    /// How long the run went on after the last recorded price or intensity, which then stood.
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
    /// When its interval began, or the run.
    pub from: Time,
    /// Joules of that interval.
    pub joules: u128,
    /// How long an interval is.
    pub interval: Seconds,
    /// The charge for it.
    pub charge: Money,
}

/// The bill for a draw that is constant from one step to the next, from second 0 to `end`.
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
/// let bill = bill(&grid, &draw, Time(10_800));
/// assert_eq!(bill.energy, Money(200_000_000), "5 MWh at 40 $/MWh");
/// assert_eq!(bill.demand, Money(36_000_000_000), "3,000 kW at 12 $/kW");
/// assert_eq!(bill.carbon, 1_845_000, "5,000 kWh at 369 g/kWh");
/// ```
///
/// # Complexity
/// O(steps + changes of price + metering intervals).
#[must_use]
pub fn bill(grid: &Grid, draw: &[(Time, Watts)], end: Time) -> Bill {
    let shaved = grid.battery.as_ref().map(|battery| shave(battery, draw, end));
    let (steps, battery): (&[_], _) = match &shaved {
        Some((steps, used)) => (steps, Some(*used)),
        None => (draw, None),
    };
    let signals = [&grid.price, &grid.carbon].map(|signal| signal.as_ref());
    let [energy, carbon] = signals.map(|signal| {
        let mut integral = signal?.integral();
        let products =
            stretches(steps, end).map(|(from, to, watts)| i128::from(watts) * integral.over(from, to));
        Some(products.fold(0_i128, i128::saturating_add))
    });
    let months =
        grid.demand.map(|demand| readings(demand, grid.clock.as_ref(), steps, end)).unwrap_or_default();
    let known = signals.into_iter().flatten().map(|signal| signal.known_until()).min();
    let joules =
        |steps| stretches(steps, end).map(|(from, to, watts)| u128::from(watts) * u128::from(to.0 - from.0));
    Bill {
        drawn: joules(draw).sum(),
        metered: joules(steps).sum(),
        peak: stretches(steps, end).map(|stretch| Watts(stretch.2)).max().unwrap_or_default(),
        energy: Money(rounded(energy.unwrap_or_default(), JOULES_A_MWH)),
        demand: Money(months.iter().fold(0, |sum, month| sum.saturating_add(month.charge.0))),
        carbon: rounded(carbon.unwrap_or_default(), JOULES_A_MWH),
        months,
        battery,
        beyond: known.map_or(Seconds::ZERO, |known| end.since(known)),
    }
}

/// The stretches of constant draw: from, to, watts.
fn stretches(steps: &[(Time, Watts)], end: Time) -> impl Iterator<Item = (Time, Time, u64)> + '_ {
    let ends = steps.iter().skip(1).map(|step| step.0).chain([end]);
    let stretches = steps.iter().zip(ends).map(move |(step, to)| (step.0, to.min(end), step.1.0));
    stretches.filter(|(from, to, _)| from < to)
}

/// The highest reading of each month.
fn readings(demand: Demand, clock: Option<&Zone>, steps: &[(Time, Watts)], end: Time) -> Vec<Reading> {
    let utc = Zone::utc(0);
    let clock = clock.unwrap_or(&utc);
    let mut months: Vec<((i16, i8), Reading)> = Vec::new();
    let mut stretches = stretches(steps, end).peekable();
    let mut from = Time::ZERO;
    while from < end {
        let to = clock.next(from, demand.interval).min(end);
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
