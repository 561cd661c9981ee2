use crate::history::{History, Piece, SegmentEnd};
use crate::units::Time;
use std::collections::BTreeMap;
use std::ops::Range;

/// What stops cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) preemptions: u32,
    pub(super) node_failures: u32,
    /// Thousandths of a GPU-second in which work was done that no checkpoint kept.
    pub(super) lost: u128,
    /// Thousandths of a GPU-second in which domains were held for a restart.
    pub(super) restarts: u128,
}

/// How far a job has come in the segments that are over, in reference seconds Q16.
#[derive(Debug, Default)]
struct Reached<'a> {
    /// Work that a later segment goes on from.
    done: u64,
    /// The part of it that a stop would not lose.
    safe: u64,
    /// What it held last, in an attempt that goes on.
    held: &'a [Piece],
    /// Segments of which a stop would lose the work: how much that is, a second of each, and thousandths of GPUs.
    unsafe_work: Vec<(u64, u32, u64)>,
}

impl Reached<'_> {
    /// Thousandths of a GPU-second that the last `lost` of the work took.
    fn time_of(&self, mut lost: u64) -> u128 {
        let mut time = 0;
        for (worked, rate, gpus) in self.unsafe_work.iter().rev() {
            let of_it = lost.min(*worked);
            time += u128::from(*gpus) * u128::from(of_it.div_ceil(u64::from(*rate).max(1)));
            lost -= of_it;
        }
        time
    }
}

/// Work that a stopped job goes on from, once it has done so much: that of its last checkpoint. Where it writes none, a
/// policy suspends it, and a node that fails takes all that is not safe.
fn saved(history: &History, job: u32, end: SegmentEnd, (done, safe): (u64, u64)) -> u64 {
    let behaviour = history.plan.workload.behaviour_of(job);
    if behaviour.checkpoint_interval.0 == 0 {
        return if end == SegmentEnd::NodeDown { safe } else { done };
    }
    let period = u64::from((behaviour.checkpoint_interval + behaviour.checkpoint_cost).0) << 16;
    (done / period * period).max(safe)
}

/// Of the stops and restarts within the window.
pub(super) fn losses(history: &History, window: &Range<Time>) -> Losses {
    let mut losses = Losses::default();
    // Of jobs that stopped or changed.
    let mut reached: BTreeMap<u32, Reached<'_>> = BTreeMap::new();
    for segment in &history.segments {
        let length = segment.to.min(history.end).since(segment.from).0;
        let gpus = || history.gpus_of(segment);
        if segment.restart > 0 && window.contains(&segment.from) {
            losses.restarts += u128::from(gpus()) * u128::from(segment.restart.min(length));
        }
        let stopped = matches!(segment.end, SegmentEnd::Preempted | SegmentEnd::NodeDown);
        if !stopped && segment.end != SegmentEnd::Changed {
            continue;
        }
        let total = u64::from(history.plan.workload.jobs[segment.job as usize].work_time.0) << 16;
        let pieces = history.pieces_of(segment);
        let job = reached.entry(segment.job).or_default();
        // A job that goes on where it is has only changed its rate: no state was written.
        if job.held != pieces {
            job.safe = job.done;
            job.unsafe_work.clear();
        }
        let worked = u64::from(length.saturating_sub(segment.restart)) * u64::from(segment.rate.0);
        let worked = worked.min(total.saturating_sub(job.done));
        job.done += worked;
        job.unsafe_work.push((worked, segment.rate.0, gpus()));
        job.held = pieces;
        if stopped {
            let saved = saved(history, segment.job, segment.end, (job.done, job.safe));
            if window.contains(&segment.to) {
                losses.preemptions += u32::from(segment.end == SegmentEnd::Preempted);
                losses.node_failures += u32::from(segment.end == SegmentEnd::NodeDown);
                losses.lost += job.time_of(job.done - saved);
            }
            *job = Reached { done: saved, safe: saved, ..Reached::default() };
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, Segment};
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
        History { plan, segments, pieces, end: Time(9999), ..History::default() }
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
            let found = (found.preemptions, found.node_failures, found.lost, found.restarts);
            assert_eq!(found, expected, "a checkpoint every {interval} s");
        }
        let late = losses(&history(40, &stops), &(Time(60)..Time(85)));
        assert_eq!(
            (late.preemptions, late.node_failures, late.restarts),
            (0, 1, 0),
            "only what the window holds"
        );
    }
}
