//! How far starts may raise the draw of feeds whose rise is limited.

use crate::cluster::Ramp;
use crate::units::Time;
use std::collections::VecDeque;

/// What a feed drew within the last window, as far as it decides how much it may draw now.
#[derive(Debug, Clone)]
pub(crate) struct Rise {
    /// Index of the domain.
    pub(crate) domain: u32,
    most: u64,
    /// Draws, ascending, each with the instant at which it ended, ascending: whatever a later, lower one hides is gone.
    lows: VecDeque<(Time, u64)>,
}

impl Rise {
    pub(crate) const fn new(domain: u32, ramp: &Ramp) -> Self {
        Self { domain, most: ramp.rise.0, lows: VecDeque::new() }
    }
    /// Time goes on to `now`; until then the feed drew `drawn`.
    pub(crate) fn pass(&mut self, now: Time, drawn: u64) {
        while self.lows.back().is_some_and(|(_, low)| *low >= drawn) {
            self.lows.pop_back();
        }
        self.lows.push_back((now, drawn));
        let gone = |until: Time| until.0.saturating_add(Ramp::WINDOW.0) <= now.0;
        while self.lows.len() > 1 && self.lows.front().is_some_and(|(until, _)| gone(*until)) {
            self.lows.pop_front();
        }
    }
    /// The most it may draw now, were it to draw `drawn` without another start.
    pub(crate) fn ceiling(&self, drawn: u64) -> u64 {
        self.lows.front().map_or(drawn, |(_, low)| *low).saturating_add(self.most)
    }
    /// When draws that may keep it low until then no longer count.
    pub(crate) fn returns(&self) -> impl Iterator<Item = Time> {
        self.lows.iter().map(|(until, _)| *until + Ramp::WINDOW)
    }
    /// When it may draw more, if it may by itself, while it draws `drawn`.
    pub(crate) fn next(&self, drawn: u64) -> Option<Time> {
        self.lows.front().filter(|(_, low)| *low < drawn).map(|(until, _)| *until + Ramp::WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};
    use crate::units::Watts;

    #[test]
    fn the_ceiling_is_the_rise_above_the_least_draw_of_the_last_minute() {
        let stream = Stream::new(9, Purpose::Sampling);
        let mut moved = 0;
        for case in 0..100 {
            let mut rise = Rise::new(0, &Ramp { feed: 0, rise: Watts(5) });
            // By second: what was drawn in it.
            let mut drawn: Vec<u64> = Vec::new();
            let mut level = u64::from(stream.below(case, 0, 50));
            for step in 0..30 {
                let seconds = stream.below(case, 2 * step + 1, 50) as usize + 1;
                drawn.extend(std::iter::repeat_n(level, seconds));
                let now = u32::try_from(drawn.len()).unwrap();
                rise.pass(Time(now), level);
                let before = level;
                level = u64::from(stream.below(case, 2 * step + 2, 50));
                let least = drawn.iter().rev().take(60).min().unwrap();
                assert_eq!(rise.ceiling(level), least + 5, "case {case}, second {now}");
                moved += u32::from(*least != before);
            }
        }
        assert!(moved > 500, "{moved} times an earlier draw decides");
    }

    #[test]
    fn a_higher_ceiling_comes_a_minute_after_the_lowest_draw_ended() {
        let mut rise = Rise::new(0, &Ramp { feed: 0, rise: Watts(5) });
        assert_eq!((rise.ceiling(7), rise.next(7)), (12, None), "nothing is known of before");
        rise.pass(Time(10), 7);
        assert_eq!(rise.next(7), None, "it stays as it is");
        assert_eq!(rise.next(12), Some(Time(70)), "the minute in which it still drew 7 is over");
        rise.pass(Time(70), 12);
        assert_eq!((rise.ceiling(12), rise.next(12)), (17, None), "and then it may rise again");
    }
}
