//! When to run: the window of least price, or least carbon.

use crate::cluster::grid::Integral;
use crate::units::{Seconds, Time};

/// The sum of a signal over the window of `length` seconds that has the least, of those that start at `from` to
/// `latest`, and when that one starts, the earliest of equal ones.
///
/// The sum of a window is piecewise linear in its start, so that the least is where the signal changes at either end of
/// the window, or at `from` or `latest`; no other start is looked at.
///
/// ```
/// use gigawatt::cluster::grid::{Series, Signal};
/// use gigawatt::power::window::lowest;
/// use gigawatt::units::{Seconds, Time};
/// let price = Series { offset: 0, step: Seconds(60), values: vec![50, 40, 10, 20, 40], repeats: true };
/// let mut integral = Signal::Series(price).into_integral();
/// let best = lowest(&mut integral, Time(0), Time(300), Seconds(90));
/// assert_eq!(best, (60 * 10 + 30 * 20, Time(120)), "a minute at 10 and half of one at 20");
/// assert_eq!(lowest(&mut integral, Time(0), Time(0), Seconds(90)).1, Time(0), "no time to wait");
/// ```
///
/// # Complexity
/// O(changes of the signal from `from` to `latest` + `length`), each two differences of sums.
pub fn lowest(integral: &mut Integral<'_>, from: Time, latest: Time, length: Seconds) -> (i128, Time) {
    let mut best = (integral.over(from, from + length), from);
    let mut consider = |start: Time, integral: &mut Integral<'_>| {
        if from < start && start <= latest {
            best = best.min((integral.over(start, start + length), start));
        }
    };
    consider(latest, integral);
    let mut change = integral.signal().until(from);
    while change < latest + length && change != Time::NEVER {
        consider(change, integral);
        consider(Time(change.0.saturating_sub(length.0)), integral);
        change = integral.signal().until(change);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::grid::{Calendar, Months, Rule, Series, Signal, Weekdays, Zone};
    use crate::random::{Purpose, Stream};

    /// Every start is tried, and every second of it added up.
    fn by_trying(signal: &Signal, from: u32, latest: u32, length: u32) -> (i128, Time) {
        let sum = |start: u32| (start..start + length).map(|t| i128::from(signal.at(Time(t)))).sum::<i128>();
        (from..=latest).map(|start| (sum(start), Time(start))).min().unwrap()
    }

    #[test]
    fn the_lowest_window_is_that_of_all_starts() {
        let stream = Stream::new(11, Purpose::Sampling);
        let (mut moved, mut partial) = (0, 0);
        for case in 0..300 {
            let below = |draw, bound| stream.below(case, draw, bound);
            let values = (0..below(0, 9) + 1).map(|n| i64::from(below(n + 1, 9)) - 2).collect();
            let step = Seconds(below(20, 40) + 1);
            let series = Series { offset: u64::from(below(21, 99)), step, values, repeats: case % 3 > 0 };
            let signal = Signal::Series(series);
            let (from, wait, length) = (below(22, 100), below(23, 150), below(24, 120) + 1);
            let expected = by_trying(&signal, from, from + wait, length);
            let mut integral = signal.integral();
            let found = lowest(&mut integral, Time(from), Time(from + wait), Seconds(length));
            assert_eq!(found, expected, "case {case}: {signal:?} from {from} within {wait} for {length}");
            let shorter = lowest(&mut integral, Time(from), Time(from + wait), Seconds(length + 1));
            assert_ne!(shorter.0, expected.0 + 99, "case {case}: another length is another sum");
            moved += u32::from(found.1.0 > from);
            partial += u32::from(found.1.0 > from && signal.until(Time(found.1.0 - 1)) != found.1);
        }
        assert!(moved > 100 && partial > 20, "{moved} windows are later, {partial} begin between changes");
    }

    #[test]
    fn a_night_tariff_is_waited_for() {
        let night = Rule { value: 10, hours: 0b1111, days: Weekdays::ALL, months: Months::ALL };
        let signal = Signal::Calendar(Calendar { zone: Zone::utc(0), rules: vec![night], base: 50 });
        let noon = Time(12 * 3600);
        let day = noon + Seconds(86_400);
        let start = |length| lowest(&mut signal.integral(), noon, day, Seconds(length)).1;
        assert_eq!(start(3600), Time(86_400), "at midnight, the first of equal ones");
        assert_eq!(
            start(6 * 3600),
            Time(82_800 - 3600),
            "two hours before, so that all of the night is used"
        );
        let soon = lowest(&mut signal.integral(), noon, noon + Seconds(3600), Seconds(3600));
        assert_eq!(soon.1, noon, "the night is too far");
    }
}
