use super::{Calendar, Series, Signal};
use crate::units::Time;
use std::borrow::Cow;

/// Sums of a signal from time 0, kept so that one over any stretch of time is a difference of two.
///
/// # Complexity
/// O(1) time a question about a constant or a series; one about a calendar takes O(log hours), and O(1) for each hour
/// the first time it goes beyond those before.
#[derive(Debug, Clone)]
pub struct Integral<'a> {
    signal: Cow<'a, Signal>,
    /// Of a series: the sum of the steps before each, and of all. Of a calendar: the sum up to the begin of each
    /// stretch of one value.
    sums: Vec<i128>,
    /// Of a calendar: where each stretch begins, and its value.
    stretches: Vec<(Time, i64)>,
    /// Of a calendar: how far the last stretch is known to reach.
    end: Time,
}

impl<'a> Integral<'a> {
    pub(super) fn new(signal: Cow<'a, Signal>) -> Self {
        let (mut sums, mut stretches, mut end) = (vec![0], Vec::new(), Time::NEVER);
        match &*signal {
            Signal::Constant(_) => {}
            Signal::Series(series) => {
                let mut sum = 0;
                sums.extend(series.values.iter().map(|value| {
                    sum += i128::from(*value) * i128::from(series.step.0);
                    sum
                }));
            }
            Signal::Calendar(calendar) => {
                stretches.push((Time::ZERO, calendar.at(Time::ZERO)));
                end = calendar.until(Time::ZERO);
            }
        }
        Self { signal, sums, stretches, end }
    }

    /// ∫ signal dt from time 0, value times seconds.
    pub fn to(&mut self, time: Time) -> i128 {
        match &*self.signal {
            Signal::Constant(value) => i128::from(*value) * i128::from(time.0),
            Signal::Series(series) => {
                let since_start = |seconds| sum_of_series(series, &self.sums, seconds);
                since_start(series.offset + u64::from(time.0)) - since_start(series.offset)
            }
            Signal::Calendar(calendar) => {
                reach(calendar, time, &mut self.stretches, &mut self.sums, &mut self.end);
                let next = self.stretches.partition_point(|(from, _)| *from <= time);
                let (from, value) = self.stretches[next - 1];
                self.sums[next - 1] + i128::from(value) * i128::from(time.since(from).0)
            }
        }
    }

    /// ∫ signal dt over `from..to`, value times seconds.
    pub fn over(&mut self, from: Time, to: Time) -> i128 {
        self.to(to) - self.to(from)
    }
    /// The signal.
    #[must_use]
    pub fn signal(&self) -> &Signal {
        &self.signal
    }
}

/// Follows a calendar to the stretch of one value that `time` is in.
fn reach(
    calendar: &Calendar,
    time: Time,
    stretches: &mut Vec<(Time, i64)>,
    sums: &mut Vec<i128>,
    end: &mut Time,
) {
    while *end <= time && *end != Time::NEVER {
        let last = stretches.len() - 1;
        let (from, value) = stretches[last];
        let next = calendar.at(*end);
        if next != value {
            sums.push(sums[last] + i128::from(value) * i128::from(end.since(from).0));
            stretches.push((*end, next));
        }
        *end = calendar.until(*end);
    }
}

/// The sum of a series from the beginning of its first step, given the sums before each step.
fn sum_of_series(series: &Series, sums: &[i128], seconds: u64) -> i128 {
    let step = u64::from(series.step.0);
    let length = step * series.values.len() as u64;
    let total = sums[series.values.len()];
    let (whole, seconds) = match seconds {
        _ if series.repeats => (i128::from(seconds / length) * total, seconds % length),
        _ if seconds >= length => {
            let last = i128::from(series.values[series.values.len() - 1]);
            return total + last * i128::from(seconds - length);
        }
        _ => (0, seconds),
    };
    let index = usize::try_from(seconds / step).expect("less than the series is long");
    let part = series.values.get(index).map_or(0, |value| i128::from(*value) * i128::from(seconds % step));
    whole + sums[index] + part
}

#[cfg(test)]
mod tests {
    use super::super::{Calendar, Months, Rule, Series, Weekdays, Zone};
    use super::*;
    use crate::units::Seconds;

    #[test]
    fn a_sum_is_that_of_every_second() {
        let series = Series { offset: 3, step: Seconds(7), values: vec![5, 5, -2, 0], repeats: true };
        let signal = Signal::Series(series);
        let by_second = |from: u32, to: u32| (from..to).map(|t| i128::from(signal.at(Time(t)))).sum::<i128>();
        let mut integral = signal.integral();
        for from in 0..70 {
            for to in from..70 {
                assert_eq!(integral.over(Time(from), Time(to)), by_second(from, to), "{from}..{to}");
            }
        }
        assert_ne!(integral.over(Time(0), Time(12)), by_second(0, 11), "a second less is told apart");
    }

    #[test]
    fn a_sum_over_all_of_time_takes_no_time() {
        for repeats in [false, true] {
            let series = Series { offset: 1, step: Seconds(1), values: vec![3, 5, 7], repeats };
            let signal = Signal::Series(series);
            let by_third = if repeats { 5 } else { 7 };
            let mut integral = signal.integral();
            // Whole rounds of three seconds, however many.
            let whole = Time(3_000_000_000);
            assert_eq!(integral.over(Time(2), whole + Seconds(2)), by_third * 3_000_000_000, "{repeats}");
        }
        let constant = Signal::Constant(7);
        assert_eq!(constant.integral().over(Time(5), Time::NEVER), 7 * i128::from(u32::MAX - 5), "constant");
    }

    #[test]
    fn a_calendar_is_summed_hour_by_hour() {
        let night = Rule { value: -2, hours: 0b111, days: Weekdays::ALL, months: Months::ALL };
        let signal = Signal::Calendar(Calendar { zone: Zone::utc(1800), rules: vec![night], base: 10 });
        let by_second = |from: u32, to: u32| (from..to).map(|t| i128::from(signal.at(Time(t)))).sum::<i128>();
        let mut integral = signal.integral();
        for (from, to) in [(0, 86_400), (1800, 1801), (9000, 9001), (5000, 200_000), (7, 7)] {
            assert_eq!(integral.over(Time(from), Time(to)), by_second(from, to), "{from}..{to}");
        }
    }
}
