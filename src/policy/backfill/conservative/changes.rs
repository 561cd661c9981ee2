//! What has changed in a profile since a reservation was last found: enough to tell that it would be found again.
//!
//! A job whose chance only shrinks as less is free finds no earlier start unless something was given back before the end
//! of its window: a new candidate start is where a window that was taken since ends, and had the job fitted there, it would
//! have fitted at the candidate before. At the same start it chooses the same nodes from what is left, unless that differs.

use crate::units::Time;

/// Windows given back and taken, as far as questions about all since some stamp need them.
#[derive(Debug, Default)]
pub(super) struct Changes {
    stamp: u64,
    /// Nothing is known of before.
    forgotten: u64,
    /// Starts of windows given back, with their stamps, both ascending: whatever a later, earlier one hides is gone.
    given: Vec<(u64, Time)>,
    /// The same of windows taken.
    taken: Vec<(u64, Time)>,
    /// Ends of windows taken, descending.
    taken_until: Vec<(u64, Time)>,
}

impl Changes {
    /// The present: what changes from now on has changed since.
    pub(super) const fn stamp(&self) -> u64 {
        self.stamp
    }
    /// Everything may have changed.
    pub(super) fn forget(&mut self) {
        self.stamp += 1;
        self.forgotten = self.stamp;
        self.given.clear();
        self.taken.clear();
        self.taken_until.clear();
    }
    /// Something is free again from an instant on.
    pub(super) fn give(&mut self, from: Time) {
        self.stamp += 1;
        push(&mut self.given, self.stamp, from, |last, from| last >= from);
    }
    /// Something is held in a window.
    pub(super) fn take(&mut self, from: Time, until: Time) {
        self.stamp += 1;
        push(&mut self.taken, self.stamp, from, |last, from| last >= from);
        push(&mut self.taken_until, self.stamp, until, |last, until| last <= until);
    }
    /// Whether nothing was given back before an instant since a stamp.
    pub(super) fn none_given(&self, since: u64, before: Time) -> bool {
        since >= self.forgotten && first(&self.given, since).is_none_or(|from| from >= before)
    }
    /// Whether certainly nothing was taken in a window since a stamp.
    pub(super) fn none_taken(&self, since: u64, (start, end): (Time, Time)) -> bool {
        since >= self.forgotten
            && (first(&self.taken, since).is_none_or(|from| from >= end)
                || first(&self.taken_until, since).is_none_or(|until| until <= start))
    }
}

fn push(kept: &mut Vec<(u64, Time)>, stamp: u64, time: Time, hides: impl Fn(Time, Time) -> bool) {
    while kept.last().is_some_and(|(_, last)| hides(*last, time)) {
        kept.pop();
    }
    kept.push((stamp, time));
}

/// The most extreme of what is kept since a stamp.
fn first(kept: &[(u64, Time)], since: u64) -> Option<Time> {
    kept.get(kept.partition_point(|(stamp, _)| *stamp <= since)).map(|(_, time)| *time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_or_taken_since_a_stamp_is_known() {
        let mut changes = Changes::default();
        let first = changes.stamp();
        changes.give(Time(50));
        let second = changes.stamp();
        changes.give(Time(80));
        assert!(
            changes.none_given(first, Time(50)) && !changes.none_given(first, Time(51)),
            "50 since the first"
        );
        assert!(
            changes.none_given(second, Time(80)) && !changes.none_given(second, Time(81)),
            "80 since the second"
        );
        changes.take(Time(20), Time(30));
        assert!(!changes.none_taken(second, (Time(25), Time(40))), "they meet");
        assert!(changes.none_taken(second, (Time(30), Time(40))), "the window begins when that ends");
        assert!(changes.none_taken(second, (Time(10), Time(20))), "the window ends when that begins");
        assert!(changes.none_taken(changes.stamp(), (Time(25), Time(40))), "nothing since");
        changes.forget();
        assert!(!changes.none_given(second, Time(1)), "nothing is known of before");
    }
}
