//! Failures, detections and repairs to come.

use crate::units::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where a part fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// In a unit.
    Unit(u32),
    /// In a job.
    Job(u32),
    /// In a node that a segment holds, whose parts age while it does.
    Segment(u32),
}

/// What follows a failure, which is told by the index of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mending {
    /// Its repair is over.
    Back(u32),
    /// It is detected.
    Seen(u32),
    /// A node in reserve is ready: its index.
    Ready(u32),
}

/// Those to come, in the one order there is.
#[derive(Debug)]
pub(super) struct Events {
    /// What comes later is not kept.
    last: Time,
    /// Some of them no longer mean anything.
    failures: BinaryHeap<Reverse<(Time, Due)>>,
    mendings: BinaryHeap<Reverse<(Time, Mending)>>,
}

impl Events {
    pub(super) const fn until(last: Time) -> Self {
        Self { last, failures: BinaryHeap::new(), mendings: BinaryHeap::new() }
    }
    pub(super) fn fails(&mut self, time: Time, due: Due) {
        if time <= self.last && time != Time::NEVER {
            self.failures.push(Reverse((time, due)));
        }
    }
    pub(super) fn mends(&mut self, time: Time, mending: Mending) {
        if time != Time::NEVER {
            self.mendings.push(Reverse((time, mending)));
        }
    }
    pub(super) fn next_mending(&self) -> Time {
        self.mendings.peek().map_or(Time::NEVER, |Reverse((time, _))| *time)
    }
    pub(super) fn next_failure(&self) -> Option<(Time, Due)> {
        self.failures.peek().map(|Reverse(next)| *next)
    }
    pub(super) fn forget_failure(&mut self) {
        self.failures.pop();
    }
    pub(super) fn take_failure(&mut self) -> Option<Due> {
        self.failures.pop().map(|Reverse((_, due))| due)
    }
    pub(super) fn take_mending(&mut self, now: Time) -> Option<Mending> {
        (self.next_mending() == now).then(|| self.mendings.pop())?.map(|Reverse((_, mending))| mending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_instant_repairs_end_before_failures_are_detected() {
        let mut events = Events::until(Time(100));
        events.mends(Time(5), Mending::Seen(1));
        events.mends(Time(5), Mending::Back(3));
        events.mends(Time(9), Mending::Back(0));
        assert_eq!(events.take_mending(Time(4)), None, "not yet");
        assert_eq!(events.take_mending(Time(5)), Some(Mending::Back(3)), "first");
        assert_eq!(events.take_mending(Time(5)), Some(Mending::Seen(1)), "then");
        assert_eq!(events.next_mending(), Time(9), "is left");
    }

    #[test]
    fn failures_after_the_end_of_the_run_are_not_kept() {
        let mut events = Events::until(Time(100));
        events.fails(Time(101), Due::Unit(0));
        events.fails(Time::NEVER, Due::Unit(1));
        events.fails(Time(100), Due::Job(2));
        assert_eq!(events.next_failure(), Some((Time(100), Due::Job(2))), "at the end itself");
        assert_eq!(events.take_failure(), Some(Due::Job(2)), "it is taken");
        assert_eq!(events.take_failure(), None, "and no other");
    }
}
