use super::MILLI_SECONDS_AN_HOUR;
use super::distribution::{ratio, real};
use super::spent::spent;
use crate::history::{History, Outcome, SegmentEnd};
use crate::units::Time;
use serde::{Serialize, Serializer};
use std::ops::Range;

/// Why GPU-hours that were held came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossCause {
    /// A policy stopped the job, and no checkpoint had kept the work.
    Preempted,
    /// A node broke, and no checkpoint had kept the work.
    NodeDown,
    /// Domains were held while the job came back from a stop.
    Restart,
    /// Something that the job needs had failed, and nobody had seen it.
    Detection,
    /// The job wrote a checkpoint: the `checkpoint_cost` of each whole period of interval and cost that it did and kept,
    /// which is part of its work.
    Checkpoint,
    /// The job failed at the end of its work: all that it held but what is counted above.
    Failed,
    /// The job was stopped at its requested time: all that it held but what is counted above.
    Timeout,
}

impl LossCause {
    /// Every cause.
    pub const ALL: [Self; 7] = [
        Self::Preempted,
        Self::NodeDown,
        Self::Restart,
        Self::Detection,
        Self::Checkpoint,
        Self::Failed,
        Self::Timeout,
    ];
    /// As files and people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preempted => "preempted",
            Self::NodeDown => "node-down",
            Self::Restart => "restart",
            Self::Detection => "detection",
            Self::Checkpoint => "checkpoint",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
        }
    }
    /// Of a job that came to nothing in the end.
    pub(super) const fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Failed => Some(Self::Failed),
            Outcome::Timeout => Some(Self::Timeout),
            _ => None,
        }
    }
}

/// What of the GPU-hours held in the window did work that counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Goodput {
    /// GPU-hours useful ÷ available: the part of utilization that came to something.
    pub share: f64,
    /// GPU-hours held less those lost; of jobs that have not ended, those so far.
    pub useful_gpu_hours: f64,
    /// GPU-hours lost by [`LossCause`], in the order of [`LossCause::ALL`]: those of the window.
    #[serde(serialize_with = "by_cause")]
    pub lost_gpu_hours: [f64; LossCause::ALL.len()],
}

impl Goodput {
    /// GPU-hours lost, whatever the cause.
    #[must_use]
    pub fn lost(&self) -> f64 {
        self.lost_gpu_hours.iter().sum()
    }
    /// Of these losses, and thousandths of GPU-seconds held and available.
    pub(super) fn of(losses: &Losses, held: u128, available: u128) -> Self {
        let useful = held.saturating_sub(losses.by_cause.iter().sum());
        Self {
            share: ratio(useful, available),
            useful_gpu_hours: real(useful) / MILLI_SECONDS_AN_HOUR,
            lost_gpu_hours: losses.by_cause.map(|lost| real(lost) / MILLI_SECONDS_AN_HOUR),
        }
    }
}

pub(super) fn by_cause<T: Serialize, S: Serializer>(
    lost: &[T; LossCause::ALL.len()],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(LossCause::ALL.iter().map(|cause| cause.name()).zip(lost))
}

/// What came to nothing in the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) preemptions: u32,
    pub(super) node_failures: u32,
    /// Thousandths of a GPU-second, by [`LossCause`].
    pub(super) by_cause: [u128; LossCause::ALL.len()],
}

impl Losses {
    pub(super) const fn of(&self, cause: LossCause) -> u128 {
        self.by_cause[cause as usize]
    }
    /// Thousandths of a GPU-second in which work was done that no checkpoint kept.
    pub(super) const fn work(&self) -> u128 {
        self.of(LossCause::Preempted) + self.of(LossCause::NodeDown)
    }
}

/// The stops within the window, and what of its GPU-seconds came to nothing.
pub(super) fn losses(history: &History, window: &Range<Time>) -> Losses {
    let mut losses = Losses::default();
    for segment in history.segments.iter().filter(|segment| window.contains(&segment.to)) {
        losses.preemptions += u32::from(segment.end == SegmentEnd::Preempted);
        losses.node_failures += u32::from(segment.end == SegmentEnd::NodeDown);
    }
    spent(history, |own| {
        if own.is_useful() {
            return;
        }
        let (written, other) = own.seconds(window);
        let gpus = u128::from(history.gpus_of(&history.segments[own.segment as usize]));
        losses.by_cause[LossCause::Checkpoint as usize] += gpus * u128::from(written);
        if let Some(cause) = own.lost_to {
            losses.by_cause[cause as usize] += gpus * u128::from(other);
        }
    });
    losses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{JobRecord, Piece, Plan, Segment};
    use crate::units::{Factor, Seconds};
    use crate::workload::{Behaviour, Builder, Job};

    fn history(interval: u32, segments: &[(u32, u32, u32, SegmentEnd)]) -> History {
        let mut builder = Builder::default();
        let checkpoint_interval = Seconds(interval);
        builder.behaviour(Behaviour { checkpoint_interval, ..Behaviour::default() });
        builder.push(Job { work_time: Seconds(1000), ..Job::at(Time(0)) });
        let cluster = Cluster::uniform(1, NodeKind { gpus: 4, ..NodeKind::default() });
        let plan = Plan { cluster, workload: builder.finish(), ..Plan::default() };
        let segment =
            |(first_piece, &(from, to, restart, end)): (u32, &(u32, u32, u32, SegmentEnd))| Segment {
                job: 0,
                from: Time(from),
                to: Time(to),
                first_piece,
                pieces: 1,
                rate: Factor::from_f64(2.0).unwrap(),
                cap: Factor::ONE,
                restart,
                end,
            };
        let pieces = vec![Piece::Gpus { node: 0, mask: 0b11 }; segments.len()];
        let segments = (0..).zip(segments).map(segment).collect();
        let (eligible_time, finish_time) = (Time(0), Time(500));
        let jobs = vec![JobRecord { eligible_time, finish_time, outcome: Outcome::Completed }];
        History { plan, segments, pieces, jobs, end: Time(9999), ..History::default() }
    }

    #[test]
    fn a_stop_loses_what_was_done_since_the_last_checkpoint() {
        use SegmentEnd::{Changed, Completed, NodeDown, Preempted};
        // 45 s at twice the speed are 90 s of work; with a checkpoint every 40 s of work, 10 s of work are lost,
        // which took 5 s on two GPUs. The second attempt begins at 80 and reaches 80 + 2 · (30 − 7) = 126: 6 lost.
        let stops = [(0, 45, 0, Preempted), (50, 80, 7, NodeDown), (90, 500, 7, Completed)];
        let cases = [
            (40, &stops[..], (1, 1, 2000 * (5 + 3), 2000 * 14)),
            // The policy suspended it; the node that failed took the 23 s of the second attempt.
            (0, &stops[..], (1, 1, 2000 * 23, 2000 * 14)),
            (1000, &stops[..], (1, 1, 2000 * (45 + 23), 2000 * 14)),
            (40, &[(0, 45, 0, Changed), (45, 60, 5, Completed)][..], (0, 0, 0, 2000 * 5)),
            // It stayed where it was at the change, so that no state was written then.
            (0, &[(0, 45, 0, Changed), (45, 60, 0, NodeDown)][..], (0, 1, 2000 * 60, 0)),
        ];
        for (interval, segments, expected) in cases {
            let found = losses(&history(interval, segments), &(Time(0)..Time::NEVER));
            let restarts = found.of(LossCause::Restart);
            let found = (found.preemptions, found.node_failures, found.work(), restarts);
            assert_eq!(found, expected, "a checkpoint every {interval} s");
        }
        let late = losses(&history(40, &stops), &(Time(60)..Time(85)));
        assert_eq!(
            (late.preemptions, late.node_failures, late.of(LossCause::Restart), late.work()),
            (0, 1, 0, 2000 * 3),
            "only what the window holds"
        );
        let within = losses(&history(40, &stops), &(Time(42)..Time(78)));
        assert_eq!((within.preemptions, within.work()), (1, 2000 * (3 + 1)), "3 of 5 s, and 1 of 3 s");
    }

    #[test]
    fn nobody_works_until_a_failure_is_seen() {
        use SegmentEnd::{Changed, Completed, NodeDown, Stalled};
        let lost = |found: &Losses| {
            [LossCause::NodeDown, LossCause::Restart, LossCause::Detection].map(|own| found.of(own))
        };
        // Work 90 at 45, of which the checkpoint at 80 is kept: 5 s. It is seen 20 s later, and it restarts for 7 s.
        let seen = [(0, 45, 0, Stalled), (45, 65, 20, NodeDown), (70, 500, 7, Completed)];
        // A cap comes meanwhile; the job goes on stalled.
        let capped =
            [(0, 45, 0, Stalled), (45, 55, 20, Changed), (55, 65, 10, NodeDown), (70, 500, 7, Completed)];
        for segments in [&seen[..], &capped] {
            let found = losses(&history(40, segments), &(Time(0)..Time::NEVER));
            assert_eq!(lost(&found), [2000 * 5, 2000 * 7, 2000 * 20], "{segments:?}");
            assert_eq!((found.node_failures, found.preemptions), (1, 0), "one stop");
        }
        // What fails during a restart cuts it short; the run ends before anybody sees it.
        let twice = [(0, 45, 0, NodeDown), (50, 54, 7, Stalled), (54, u32::MAX, 20_000, SegmentEnd::Open)];
        let found = losses(&history(40, &twice), &(Time(0)..Time(1000)));
        assert_eq!(lost(&found), [2000 * 5, 2000 * 4, 2000 * (1000 - 54)], "up to the end");
        // A job that moves away is not stalled any more.
        let mut moved = history(40, &capped);
        (2..4).for_each(|place| moved.pieces[place] = Piece::Gpus { node: 0, mask: 0b1100 });
        assert_eq!(
            lost(&losses(&moved, &(Time(0)..Time::NEVER))),
            [0, 2000 * (10 + 7), 2000 * 10],
            "it moved with 90 done"
        );
    }

    #[test]
    fn writing_checkpoints_is_work_that_does_not_count() {
        use SegmentEnd::{Changed, Completed, NodeDown};
        // At twice the speed a period of 40 + 10 takes 25 s, of which 5 s are spent writing.
        type Segments<'a> = &'a [(u32, u32, u32, SegmentEnd)];
        let cases: [(Segments<'_>, _, _); 4] = [
            // 1000 of work: twenty checkpoints.
            (&[(0, 500, 0, Completed)], (0..9999), 20 * 5),
            // The last one is not whole.
            (&[(0, 499, 0, Completed)], (0..9999), 19 * 5),
            // 60 s are 120 of work, two checkpoints; the 20 after them are lost, and done again.
            (&[(0, 60, 0, NodeDown), (70, 520, 0, Completed)], (0..9999), 20 * 5),
            // In the window those from 20 s to 25 s, from 45 s, and a part of that from 70 s to 75 s.
            (&[(0, 47, 0, Changed), (47, 500, 0, Completed)], (10..72), 5 + 5 + 2),
        ];
        for (segments, window, expected) in cases {
            let mut history = history(40, segments);
            history.plan.workload.behaviours.iter_mut().for_each(|own| own.checkpoint_cost = Seconds(10));
            let found = losses(&history, &(Time(window.start)..Time(window.end)));
            assert_eq!(found.of(LossCause::Checkpoint), 2000 * expected, "{segments:?} in {window:?}");
        }
    }

    #[test]
    fn what_comes_to_nothing_is_counted_once_and_by_its_cause() {
        use SegmentEnd::{Completed, NodeDown, Preempted};
        let stops = [(0, 45, 0, Preempted), (50, 80, 7, NodeDown), (90, 500, 7, Completed)];
        let held = 2000 * (45 + 30 + 410);
        for (outcome, rest) in [
            (Outcome::Completed, [0, 0]),
            (Outcome::Failed, [held - 2000 * (5 + 3 + 14), 0]),
            (Outcome::Timeout, [0, held - 2000 * (5 + 3 + 14)]),
        ] {
            let mut history = history(40, &stops);
            history.jobs[0].outcome = outcome;
            let found = losses(&history, &(Time(0)..Time::NEVER));
            assert_eq!(found.by_cause, [10_000, 6000, 28_000, 0, 0, rest[0], rest[1]], "{outcome:?}");
            let goodput = Goodput::of(&found, held, 2 * held);
            let is_vain = outcome != Outcome::Completed;
            assert_eq!(goodput.useful_gpu_hours < 1e-12, is_vain, "{outcome:?}: {goodput:?}");
            let sum = goodput.useful_gpu_hours + goodput.lost();
            assert!((sum - real(held) / MILLI_SECONDS_AN_HOUR).abs() < 1e-9, "they add up: {goodput:?}");
            let expected = if is_vain { 0.0 } else { 0.5 - 0.5 * 44_000.0 / real(held) };
            assert!((goodput.share - expected).abs() < 1e-12, "of what there was: {goodput:?}");
        }
    }
}
