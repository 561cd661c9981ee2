//! Events to come, in the one order there is.

use crate::units::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The order of events of one instant; capacity changes and submits, which come sorted, stand between
/// [`Rank::Finish`] and [`Rank::Eligible`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Rank {
    /// A running job ends.
    Finish,
    /// A job whose submit time or delay has come becomes eligible.
    Eligible,
    /// A user withdraws a job.
    Cancel,
    /// A job that was held back may start.
    Release,
    /// A policy asked to be woken.
    Timer,
}

/// Events by (instant, rank, job): finishes on their own, as they are nearly all there is.
#[derive(Debug, Default)]
pub(super) struct Queue {
    finishes: BinaryHeap<Reverse<u64>>,
    others: BinaryHeap<Reverse<(Time, Rank, u32)>>,
}

impl Queue {
    pub(super) fn push(&mut self, time: Time, rank: Rank, job: u32) {
        if rank == Rank::Finish {
            self.finishes.push(Reverse(u64::from(time.0) << 32 | u64::from(job)));
        } else {
            self.others.push(Reverse((time, rank, job)));
        }
    }

    /// The instant of the next event; [`Time::NEVER`] if there is none.
    pub(super) fn next_time(&self) -> Time {
        let finish = self.finishes.peek().map_or(Time::NEVER, |Reverse(packed)| Time((packed >> 32) as u32));
        let other = self.others.peek().map_or(Time::NEVER, |Reverse((time, ..))| *time);
        finish.min(other)
    }

    /// Forgets events at the front that no longer mean anything, so that they make no instant.
    #[expect(clippy::cast_possible_truncation, reason = "the halves hold the instant and the job")]
    pub(super) fn prune(&mut self, stale: impl Fn(Time, Rank, u32) -> bool) {
        while let Some(Reverse(packed)) = self.finishes.peek()
            && stale(Time((packed >> 32) as u32), Rank::Finish, *packed as u32)
        {
            self.finishes.pop();
        }
        while let Some(Reverse((time, rank, job))) = self.others.peek()
            && stale(*time, *rank, *job)
        {
            self.others.pop();
        }
    }

    /// The job of the next event of this instant and rank.
    #[expect(clippy::cast_possible_truncation, reason = "the halves hold the instant and the job")]
    pub(super) fn pop(&mut self, now: Time, rank: Rank) -> Option<u32> {
        if rank == Rank::Finish {
            let Reverse(packed) = *self.finishes.peek()?;
            return ((packed >> 32) as u32 == now.0).then(|| {
                self.finishes.pop();
                packed as u32
            });
        }
        let Reverse((time, next, job)) = *self.others.peek()?;
        (time == now && next == rank).then(|| {
            self.others.pop();
            job
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_instant_come_by_rank_then_by_job() {
        let mut queue = Queue::default();
        let events = [
            (Rank::Timer, 0),
            (Rank::Release, 4),
            (Rank::Cancel, 3),
            (Rank::Eligible, 9),
            (Rank::Eligible, 2),
            (Rank::Finish, 7),
            (Rank::Finish, 1),
        ];
        for (rank, job) in events {
            queue.push(Time(5), rank, job);
        }
        queue.push(Time(4), Rank::Timer, 0);
        assert_eq!(queue.next_time(), Time(4), "the earlier instant first");
        assert_eq!(queue.pop(Time(4), Rank::Timer), Some(0), "its event");
        let mut seen = Vec::new();
        for rank in [Rank::Finish, Rank::Eligible, Rank::Cancel, Rank::Release, Rank::Timer] {
            while let Some(job) = queue.pop(Time(5), rank) {
                seen.push((rank, job));
            }
        }
        let expected = [
            (Rank::Finish, 1),
            (Rank::Finish, 7),
            (Rank::Eligible, 2),
            (Rank::Eligible, 9),
            (Rank::Cancel, 3),
            (Rank::Release, 4),
            (Rank::Timer, 0),
        ];
        assert_eq!(seen, expected, "ties in order");
        assert_eq!(queue.next_time(), Time::NEVER, "nothing is left");
    }
}
