//! How far reservations are looked ahead for, and how fine.

use crate::history::Settings;
use crate::units::{Seconds, Time};

/// How a profile divides the time to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    /// How long a slot takes: whatever is expected to end within one is expected to end with it.
    resolution: u32,
    /// How far after now a reservation may begin; none: whenever.
    window: Option<Seconds>,
}

impl Slots {
    /// As settings say.
    pub(super) fn of(settings: &Settings) -> Self {
        Self { resolution: settings.resolution.unwrap_or(1).max(1), window: settings.window }
    }
    /// The end of the slot in which something is expected to end.
    pub(super) fn end(self, expected: Time) -> Time {
        if self.resolution == 1 || expected == Time::NEVER {
            return expected;
        }
        Time(expected.0.div_ceil(self.resolution).saturating_mul(self.resolution))
    }
    /// The last instant at which a reservation that is made now may begin.
    pub(super) fn last(self, now: Time) -> Time {
        self.window.map_or(Time::NEVER, |window| now + window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_those_of_slots() {
        let slots = Slots { resolution: 60, window: Some(Seconds(600)) };
        let ends = [0, 1, 59, 60, 61].map(|time| slots.end(Time(time)).0);
        assert_eq!(ends, [0, 60, 60, 60, 120]);
        assert_eq!(slots.end(Time::NEVER), Time::NEVER, "what never ends");
        assert_eq!(slots.end(Time(u32::MAX - 1)), Time::NEVER, "nor does what ends beyond all slots");
        assert_eq!(slots.last(Time(5)), Time(605));
        let usual = Slots::of(&Settings::default());
        assert_eq!(
            (usual.end(Time(61)), usual.last(Time(5))),
            (Time(61), Time::NEVER),
            "to the second, for ever"
        );
    }
}
