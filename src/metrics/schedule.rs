//! What happens when: indices by time, gone through in order.

use super::times::Wait;
use crate::units::Time;

/// Indices by time.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Time in the high half, index in the low one, ascending.
    items: Vec<u64>,
}

impl Schedule {
    pub(super) fn new(items: impl Iterator<Item = (Time, usize)>) -> Self {
        let pack = |(time, index): (Time, usize)| {
            u64::from(time.0) << 32 | u64::from(u32::try_from(index).expect("indices have 32 bits"))
        };
        let mut items: Vec<u64> = items.map(pack).collect();
        items.sort_unstable();
        Self { items }
    }
    /// From its beginning.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { rest: &self.items }
    }
}

/// What is left of a schedule.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u64],
}

impl Cursor<'_> {
    /// When the next happens; none if nothing is left.
    pub(super) fn time(&self) -> Option<Time> {
        self.rest.first().map(|item| Time(u32::try_from(item >> 32).expect("a time has 32 bits")))
    }
    /// The next index, if its time is one of these.
    pub(super) fn next_if(&mut self, is_due: impl FnOnce(Time) -> bool) -> Option<usize> {
        self.time().filter(|time| is_due(*time))?;
        let (item, rest) = self.rest.split_first()?;
        self.rest = rest;
        usize::try_from(item & u64::from(u32::MAX)).ok()
    }
}

/// Stretches of waiting, by when they begin and by when they end.
#[derive(Debug)]
pub(super) struct Stretches {
    pub(super) waits: Vec<Wait>,
    pub(super) starts: Schedule,
    pub(super) ends: Schedule,
}

impl Stretches {
    pub(super) fn new(waits: Vec<Wait>) -> Self {
        let starts = Schedule::new(waits.iter().enumerate().map(|(index, wait)| (wait.from, index)));
        let ends = Schedule::new(waits.iter().enumerate().map(|(index, wait)| (wait.to, index)));
        Self { waits, starts, ends }
    }
}
