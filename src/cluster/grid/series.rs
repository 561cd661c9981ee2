use crate::units::{Seconds, Time};
use serde::{Deserialize, Serialize};

/// One value a step, without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Seconds from the beginning of the first step to time 0.
    pub offset: u64,
    /// How long each value holds, at least a second.
    pub step: Seconds,
    /// At least one.
    pub values: Vec<i64>,
    /// Whether the first value follows the last; else the last stays.
    pub repeats: bool,
}

impl Series {
    /// Which value holds.
    fn index(&self, time: Time) -> usize {
        let step = (self.offset + u64::from(time.0)) / u64::from(self.step.0);
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        if self.repeats { step % self.values.len() } else { step.min(self.values.len() - 1) }
    }
    pub(super) fn at(&self, time: Time) -> i64 {
        self.values[self.index(time)]
    }
    pub(super) fn until(&self, time: Time) -> Time {
        if !self.repeats && self.index(time) == self.values.len() - 1 {
            return Time::NEVER;
        }
        let step = u64::from(self.step.0);
        let rest = step - (self.offset + u64::from(time.0)) % step;
        time + Seconds(u32::try_from(rest).unwrap_or(u32::MAX))
    }
    pub(super) fn known_until(&self) -> Time {
        let length = (self.values.len() as u64).saturating_mul(u64::from(self.step.0));
        let known = length.saturating_sub(self.offset);
        if self.repeats { Time::NEVER } else { Time(u32::try_from(known).unwrap_or(u32::MAX)) }
    }
    pub(super) const fn is_sound(&self) -> bool {
        // Centuries either way, and no sum of them overflows.
        self.step.0 > 0 && !self.values.is_empty() && self.offset < 1 << 40
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_begins_where_its_offset_says_and_ends_with_its_last_value() {
        let series = Series { offset: 5, step: Seconds(10), values: vec![1, 2, 3], repeats: false };
        let at: Vec<i64> = [0, 4, 5, 14, 15, 24, 25, 1000].map(|time| series.at(Time(time))).into();
        assert_eq!(at, [1, 1, 2, 2, 3, 3, 3, 3], "the last stays");
        let until: Vec<u32> = [0, 4, 5, 14, 15, 25].map(|time| series.until(Time(time)).0).into();
        assert_eq!(until, [5, 5, 15, 15, u32::MAX, u32::MAX], "no change after the last");
        assert_eq!(series.known_until(), Time(25), "three steps less the offset");
    }

    #[test]
    fn a_series_that_repeats_never_ends() {
        let series = Series { offset: 25, step: Seconds(10), values: vec![1, 2, 3], repeats: true };
        let at: Vec<i64> = [0, 4, 5, 15, 25, 35].map(|time| series.at(Time(time))).into();
        assert_eq!(at, [3, 3, 1, 2, 3, 1], "the first follows the last");
        assert_eq!(series.until(Time(0)), Time(5), "also after the last value");
        assert_eq!(series.until(Time(u32::MAX - 1)), Time::NEVER, "time ends first");
        assert_eq!(series.known_until(), Time::NEVER, "always known");
    }
}
