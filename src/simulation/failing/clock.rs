//! How far parts have aged, and when the next of them fails.

use crate::units::{Seconds, Time};

/// The clock of all parts of a unit: a node, rack, feed or site, or what a job holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// How far it has come when it last stopped, milliseconds of life.
    age: u64,
    /// Since when it runs; [`Time::NEVER`]: it stands.
    since: Time,
    /// Milliseconds of life that a second takes; 1000 for parts that age as fast as time goes by.
    speed: u64,
    /// The age at which the first of its parts fails.
    due: u64,
}

impl Clock {
    /// One that stands at 0.
    pub(super) const fn standing(speed: u64, due: u64) -> Self {
        Self { age: 0, since: Time::NEVER, speed, due }
    }
    pub(super) fn runs(&self) -> bool {
        self.since != Time::NEVER
    }
    /// It runs from an instant on, which may be to come; one that runs already does so from the earlier of both.
    /// Returns whether that changes when it is due.
    pub(super) fn start(&mut self, from: Time) -> bool {
        let earlier = from < self.since;
        self.since = self.since.min(from);
        earlier
    }
    /// It stands from now on.
    pub(super) fn stop(&mut self, now: Time) {
        self.age = self.age_at(now);
        self.since = Time::NEVER;
    }
    /// From now on a second takes that much of its life.
    pub(super) fn set_speed(&mut self, speed: u64, now: Time) {
        let from = self.since;
        self.stop(now);
        self.speed = speed;
        if from != Time::NEVER {
            self.since = from.max(now);
        }
    }
    /// The age at which its next part fails is another.
    pub(super) const fn set_due(&mut self, due: u64) {
        self.due = due;
    }
    /// The age at which its next part fails; [`u64::MAX`] where it has none.
    pub(super) const fn due(&self) -> u64 {
        self.due
    }
    fn age_at(&self, now: Time) -> u64 {
        self.age.saturating_add(u64::from(now.since(self.since).0).saturating_mul(self.speed))
    }
    /// When its next part fails, at least a second after it began to run; [`Time::NEVER`] while it stands.
    pub(super) fn instant(&self) -> Time {
        if !self.runs() || self.due == u64::MAX || self.speed == 0 {
            return Time::NEVER;
        }
        let left = self.due.saturating_sub(self.age).div_ceil(self.speed).max(1);
        u32::try_from(left).map_or(Time::NEVER, |seconds| self.since + Seconds(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fail_once_they_are_as_old_as_they_get() {
        let mut clock = Clock::standing(1000, 10_500);
        assert_eq!(clock.instant(), Time::NEVER, "it stands");
        assert!(clock.start(Time(100)), "it runs");
        assert_eq!(clock.instant(), Time(111), "10.5 s later, in whole seconds");
        clock.stop(Time(104));
        clock.start(Time(200));
        assert_eq!(clock.instant(), Time(207), "6.5 s are left");
        clock.set_speed(6000, Time(202));
        assert_eq!(clock.instant(), Time(203), "4.5 s at six times the speed");
    }

    #[test]
    fn a_clock_may_begin_to_run_later() {
        let mut clock = Clock::standing(1000, 5000);
        clock.start(Time(50));
        assert!(clock.start(Time(20)), "the earlier counts");
        assert!(!clock.start(Time(30)), "and a later one changes nothing");
        assert_eq!(clock.instant(), Time(25), "from then on");
        clock.stop(Time(10));
        clock.start(Time(10));
        assert_eq!(clock.instant(), Time(15), "before it began it did not age");
        clock.set_due(0);
        assert_eq!(clock.instant(), Time(11), "never at once");
    }
}
