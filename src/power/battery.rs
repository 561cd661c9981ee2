//! A battery between a site and the grid, second by second, exactly.

use crate::cluster::grid::Battery;
use crate::units::{Time, Watts};

/// What is drawn from each instant until the next, ascending; the last until the end of the run.
pub type Steps = Vec<(Time, Watts)>;

/// What a battery did, joules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatteryUse {
    /// What it took from the grid.
    pub charged: u64,
    /// What it gave to the site.
    pub discharged: u64,
    /// What it held at the end, rounded down.
    pub left: u64,
}

const MILLION: u128 = 1_000_000;

/// The draw of a site as the grid sees it behind a battery.
///
/// Above the threshold the battery gives what is above it, up to its power, while it has anything; below, it takes up
/// to its power, but never so much that the draw passes the threshold, while it has room. In the second in which it
/// becomes empty, or full, it gives or takes what is left, rounded down to a watt. What it holds is kept in millionths
/// of a joule, so that nothing is lost but what its efficiency says.
///
/// ```
/// use gigawatt::cluster::grid::Battery;
/// use gigawatt::power::battery::shave;
/// use gigawatt::units::{Time, Watts};
/// let battery =
///     Battery { capacity: 1000, charge: 1000, power: Watts(30), efficiency_ppm: 500_000, threshold: Watts(100) };
/// let (grid, used) = shave(&battery, &[(Time(0), Watts(120)), (Time(60), Watts(90))], Time(400));
/// // 1000 J last 50 s at 20 W. Of the 10 W it then takes half is lost, so that it needs 200 s to be full.
/// let expected = [(0, 100), (50, 120), (60, 100), (260, 90)].map(|(time, watts)| (Time(time), Watts(watts)));
/// assert_eq!(grid, expected);
/// assert_eq!((used.discharged, used.charged, used.left), (1000, 2000, 1000));
/// ```
///
/// # Complexity
/// O(steps): a stretch of constant draw becomes three at most.
#[must_use]
pub fn shave(battery: &Battery, draw: &[(Time, Watts)], end: Time) -> (Steps, BatteryUse) {
    let mut dispatch =
        Dispatch { battery, held: u128::from(battery.charge) * MILLION, used: BatteryUse::default() };
    let mut steps = Steps::new();
    for (index, (from, watts)) in draw.iter().enumerate() {
        let until = draw.get(index + 1).map_or(end, |next| next.0).min(end);
        let mut now = *from;
        while now < until {
            let (seen, seconds) = dispatch.step(watts.0, until.0 - now.0);
            if steps.last().is_none_or(|last| last.1.0 != seen) {
                steps.push((now, Watts(seen)));
            }
            now = Time(now.0 + seconds);
        }
    }
    let mut used = dispatch.used;
    used.left = narrow(dispatch.held / MILLION);
    (steps, used)
}

struct Dispatch<'a> {
    battery: &'a Battery,
    /// Millionths of a joule.
    held: u128,
    used: BatteryUse,
}

fn narrow(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

impl Dispatch<'_> {
    /// What the grid sees of a draw, and for how many of `seconds`, at least 1.
    fn step(&mut self, watts: u64, seconds: u32) -> (u64, u32) {
        let (threshold, most) = (self.battery.threshold.0, self.battery.power.0);
        let gives = watts.saturating_sub(threshold).min(most);
        if gives > 0 && self.held >= MILLION {
            let (gives, lasts) = pace(self.held, gives, MILLION, seconds);
            let joules = u128::from(gives) * u128::from(lasts);
            self.held -= joules * MILLION;
            self.used.discharged = self.used.discharged.saturating_add(narrow(joules));
            return (watts - gives, lasts);
        }
        let takes = threshold.saturating_sub(watts).min(most);
        let kept = u128::from(self.battery.efficiency_ppm).max(1);
        let room = (u128::from(self.battery.capacity) * MILLION).saturating_sub(self.held);
        if takes > 0 && room >= kept {
            let (takes, lasts) = pace(room, takes, kept, seconds);
            let joules = u128::from(takes) * u128::from(lasts);
            self.held += joules * kept;
            self.used.charged = self.used.charged.saturating_add(narrow(joules));
            return (watts + takes, lasts);
        }
        (watts, seconds)
    }
}

/// At how many watts, up to `watts`, and for how many seconds, up to `seconds`, `amount` lasts when a joule uses `each`
/// of it.
fn pace(amount: u128, watts: u64, each: u128, seconds: u32) -> (u64, u32) {
    match amount / (u128::from(watts) * each) {
        0 => (narrow(amount / each).max(1), 1),
        whole => (watts, u32::try_from(whole).unwrap_or(u32::MAX).min(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn joules(steps: &[(Time, Watts)], end: Time) -> u64 {
        let ends = steps.iter().skip(1).map(|step| step.0).chain([end]);
        steps.iter().zip(ends).map(|(step, to)| step.1.0 * u64::from(to.0 - step.0.0)).sum()
    }

    /// A second at a time, from the description alone.
    fn by_second(battery: &Battery, draw: &[(Time, Watts)], end: Time) -> (Vec<u64>, u128) {
        let (mut held, kept) = (u128::from(battery.charge) * MILLION, u128::from(battery.efficiency_ppm));
        let full = u128::from(battery.capacity) * MILLION;
        let mut seen = Vec::new();
        for second in 0..end.0 {
            let watts = draw.iter().rev().find(|step| step.0.0 <= second).map_or(0, |step| step.1.0);
            let above = watts.saturating_sub(battery.threshold.0).min(battery.power.0);
            let below = battery.threshold.0.saturating_sub(watts).min(battery.power.0);
            let gives = u128::from(above).min(held / MILLION);
            let takes = if gives > 0 { 0 } else { u128::from(below).min((full - held) / kept) };
            held = held - gives * MILLION + takes * kept;
            assert!(held <= full, "never above what it can hold");
            seen.push(watts - u64::try_from(gives).unwrap() + u64::try_from(takes).unwrap());
        }
        (seen, held)
    }

    #[test]
    fn a_battery_does_every_second_what_its_description_says() {
        let stream = Stream::new(3, Purpose::Sampling);
        let (mut empty, mut full) = (0, 0);
        for case in 0..300 {
            let below = |draw, bound| u64::from(stream.below(case, draw, bound));
            let capacity = below(0, 3000) + 1;
            let battery = Battery {
                capacity,
                charge: below(1, 3000).min(capacity),
                power: Watts(below(2, 40)),
                efficiency_ppm: stream.below(case, 3, 1_000_000) + 1,
                threshold: Watts(below(4, 100)),
            };
            let mut time = 0;
            let draw: Steps = (0..8)
                .map(|n| {
                    let step = (Time(time), Watts(below(10 + 2 * n, 120)));
                    time += stream.below(case, 11 + 2 * n, 60) + 1;
                    step
                })
                .collect();
            let end = Time(time);
            let (steps, used) = shave(&battery, &draw, end);
            let (seen, held) = by_second(&battery, &draw, end);
            let of_steps =
                |second: u32| steps.iter().rev().find(|step| step.0.0 <= second).map(|step| step.1.0);
            let seen_in_steps: Vec<u64> = (0..end.0).filter_map(of_steps).collect();
            assert_eq!(seen_in_steps, seen, "case {case}: {battery:?} {draw:?}");
            assert_eq!(u128::from(used.left), held / MILLION, "case {case}: what is left");
            let (site, grid) = (joules(&draw, end), joules(&steps, end));
            assert_eq!(
                grid + used.discharged,
                site + used.charged,
                "case {case}: nothing comes from nowhere"
            );
            empty += u32::from(held < MILLION);
            full += u32::from(u128::from(capacity) * MILLION - held < u128::from(battery.efficiency_ppm));
        }
        assert!(empty > 10 && full > 10, "{empty} end empty and {full} full: both limits are met");
    }

    #[test]
    fn a_battery_that_leaks_is_told_from_one_that_does_not() {
        let battery = Battery {
            capacity: 10_000,
            charge: 0,
            power: Watts(50),
            efficiency_ppm: 900_000,
            threshold: Watts(100),
        };
        let draw = [(Time(0), Watts(60))];
        let lossless = Battery { efficiency_ppm: 1_000_000, ..battery };
        let (one, other) = (shave(&battery, &draw, Time(100)), shave(&lossless, &draw, Time(100)));
        assert_eq!((one.1.charged, one.1.left), (4000, 3600), "a tenth is lost");
        assert_eq!((other.1.charged, other.1.left), (4000, 4000), "nothing is");
        assert_eq!(one.0, other.0, "neither is full yet");
    }
}
