use crate::units::{Seconds, Time};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// The clock on the wall of a site: what date time 0 is, and how far it is from UTC when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Unix seconds of time 0.
    pub epoch: i64,
    /// From which Unix second on the clock is how many seconds east of UTC, ascending; UTC before the first.
    pub offsets: Vec<(i64, i32)>,
}

impl Zone {
    /// The first and last Unix second that time 0 may be: the years 1900 to 2299.
    pub const EPOCHS: std::ops::RangeInclusive<i64> = -2_208_988_800..=10_413_791_999;

    /// UTC.
    #[must_use]
    pub const fn utc(epoch: i64) -> Self {
        Self { epoch, offsets: Vec::new() }
    }
    /// Seconds east of UTC at a Unix second, and when that next changes.
    fn offset(&self, unix: i64) -> (i32, i64) {
        let next = self.offsets.partition_point(|(from, _)| *from <= unix);
        let offset = next.checked_sub(1).map_or(0, |last| self.offsets[last].1);
        (offset, self.offsets.get(next).map_or(i64::MAX, |(from, _)| *from))
    }
    /// What the clock shows.
    #[must_use]
    pub fn civil(&self, time: Time) -> DateTime {
        let unix = self.epoch.saturating_add(i64::from(time.0));
        let offset = Offset::from_seconds(self.offset(unix).0).unwrap_or(Offset::UTC);
        offset.to_datetime(Timestamp::from_second(unix).unwrap_or(Timestamp::MAX))
    }
    /// The first instant after `time` at which the clock shows a multiple of `interval` since midnight, or is set.
    ///
    /// # Panics
    /// If the interval is 0.
    #[must_use]
    pub fn next(&self, time: Time, interval: Seconds) -> Time {
        let unix = self.epoch.saturating_add(i64::from(time.0));
        let (offset, set) = self.offset(unix);
        let interval = i64::from(interval.0);
        let rest = interval - (unix.saturating_add(i64::from(offset))).rem_euclid(interval);
        let rest = rest.min(set.saturating_sub(unix));
        time + Seconds(u32::try_from(rest).unwrap_or(u32::MAX))
    }
    pub(super) fn is_sound(&self) -> bool {
        let day = |offset: i32| offset.unsigned_abs() < 93_600;
        let ascending = self.offsets.is_sorted_by(|one, other| one.0 < other.0);
        Self::EPOCHS.contains(&self.epoch) && ascending && self.offsets.iter().all(|(_, o)| day(*o))
    }
}

/// Days of the week: bit 0 is Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weekdays(pub u8);

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0x7f);
}

/// Months of the year: bit 0 is January.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Months(pub u16);

impl Months {
    /// All year.
    pub const ALL: Self = Self(0xfff);
}

/// What holds in some hours of some days of some months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The value in these hours.
    pub value: i64,
    /// Bit h: from h:00 to the next hour.
    pub hours: u32,
    /// On these days.
    pub days: Weekdays,
    /// In these months.
    pub months: Months,
}

impl Rule {
    fn holds(&self, clock: DateTime) -> bool {
        let bit = |number: i8| 1_u32 << number.clamp(0, 31);
        self.hours & bit(clock.hour()) != 0
            && u32::from(self.days.0) & bit(clock.weekday().to_monday_zero_offset()) != 0
            && u32::from(self.months.0) & bit(clock.month() - 1) != 0
    }
}

/// Values by hour of day, weekday and month: the first rule that holds, else the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The clock that the rules read.
    pub zone: Zone,
    /// In the order of the scenario.
    pub rules: Vec<Rule>,
    /// Where no rule holds.
    pub base: i64,
}

impl Calendar {
    pub(super) fn at(&self, time: Time) -> i64 {
        let clock = self.zone.civil(time);
        self.rules.iter().find(|rule| rule.holds(clock)).map_or(self.base, |rule| rule.value)
    }
    pub(super) fn until(&self, time: Time) -> Time {
        self.zone.next(time, Seconds(3600))
    }
    pub(super) fn values(&self) -> impl Iterator<Item = i64> + '_ {
        self.rules.iter().map(|rule| rule.value).chain([self.base])
    }
    pub(super) fn is_sound(&self) -> bool {
        self.zone.is_sound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-03-26 00:00 UTC, a Sunday: Berlin sets its clocks at 01:00 UTC.
    const EPOCH: i64 = 1_679_788_800;

    fn berlin() -> Zone {
        Zone { epoch: EPOCH, offsets: vec![(0, 3600), (EPOCH + 3600, 7200)] }
    }

    #[test]
    fn rules_are_read_from_the_clock_on_the_wall() {
        let evening =
            Rule { value: 90, hours: 1 << 3 | 1 << 4, days: Weekdays(0x40), months: Months(1 << 2) };
        let calendar = Calendar { zone: berlin(), rules: vec![evening], base: 10 };
        // 01:00 there is 00:00 UTC; the hour from 2 to 3 does not exist that night.
        let hours: Vec<i64> = (0..5).map(|hour| calendar.at(Time(hour * 3600))).collect();
        assert_eq!(hours, [10, 90, 90, 10, 10], "1, 3, 4, 5 and 6 o'clock");
        assert_eq!(calendar.at(Time(86_400 + 3600)), 10, "not on Mondays");
        assert_eq!(calendar.at(Time(7 * 86_400 + 3600)), 10, "not in April");
        let utc = Calendar { zone: Zone::utc(EPOCH), ..calendar };
        assert_eq!(
            (0..5).map(|hour| utc.at(Time(hour * 3600))).collect::<Vec<_>>(),
            [10, 10, 10, 90, 90],
            "UTC"
        );
    }

    #[test]
    fn the_clock_strikes_on_local_time() {
        let half = Zone { epoch: 0, offsets: vec![(-1, 19_800)] };
        assert_eq!(half.next(Time(0), Seconds(3600)), Time(1800), "India is half an hour off");
        assert_eq!(half.next(Time(1800), Seconds(3600)), Time(5400), "and stays so");
        assert_eq!(berlin().next(Time(0), Seconds(86_400)), Time(3600), "the clock is set");
        assert_eq!(berlin().next(Time(3600), Seconds(86_400)), Time(79_200), "a day of 23 hours");
        assert_eq!(berlin().civil(Time(3600)).hour(), 3, "from 2 to 3");
    }
}
