//! How far the draw of feeds may rise, as time goes on.

use super::Ledger;
use crate::state::power::rise::Rise;
use crate::units::Time;

impl Ledger {
    /// Time goes on to `now`: until then every domain drew what it draws.
    pub(crate) fn set_now(&mut self, now: Time) {
        let mut rises = std::mem::take(&mut self.rises);
        self.pass(&mut rises, now);
        self.rises = rises;
    }
    /// How far the draw of feeds may rise, where that is limited.
    pub(crate) fn rises(&self) -> &[Rise] {
        &self.rises
    }
    /// How far it may rise in what is looked ahead at; none: that is not looked at.
    pub(crate) fn expect_rises(&mut self, rises: Vec<Rise>) {
        self.rises = rises;
    }
    /// Time goes on to an instant in what is looked ahead at: until then feeds draw what they draw here.
    pub(crate) fn pass(&self, rises: &mut [Rise], instant: Time) {
        for rise in rises {
            rise.pass(instant, self.drawn[rise.domain as usize]);
        }
    }
    /// When a feed may draw more by itself, if one may.
    pub(crate) fn next_rise(&self) -> Option<Time> {
        self.rises.iter().filter_map(|rise| rise.next(self.drawn[rise.domain as usize])).min()
    }
}
