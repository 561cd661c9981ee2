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

/// Of the stops and restarts within the window.
pub(super) fn losses(history: &History, window: &Range<Time>) -> Losses {
    let mut losses = Losses::default();
    // Work done that a later start goes on from, in reference seconds Q16, of jobs that stopped or changed; the part of
    // it that a stop would not lose; and what they then held.
    let mut kept: BTreeMap<u32, (u64, u64, &[Piece])> = BTreeMap::new();
    for segment in &history.segments {
        let length = segment.to.min(history.end).since(segment.from).0;
        let gpus = || u128::from(history.gpus_of(segment));
        if segment.restart > 0 && window.contains(&segment.from) {
            losses.restarts += gpus() * u128::from(segment.restart.min(length));
        }
        let stopped = matches!(segment.end, SegmentEnd::Preempted | SegmentEnd::NodeDown);
        if !stopped && segment.end != SegmentEnd::Changed {
            continue;
        }
        let total = u64::from(history.plan.workload.jobs[segment.job as usize].work_time.0) << 16;
        let pieces = history.pieces_of(segment);
        let (before, safe, held) = kept.get(&segment.job).copied().unwrap_or((0, 0, &[]));
        // Who goes on where it is has only changed its rate: no state was written.
        let safe = if held == pieces { safe } else { before };
        let worked = u64::from(length.saturating_sub(segment.restart)) * u64::from(segment.rate.0);
        let done = before.saturating_add(worked).min(total);
        let behaviour = history.plan.workload.behaviour_of(segment.job);
        let period = u64::from((behaviour.checkpoint_interval + behaviour.checkpoint_cost).0) << 16;
        let saved = if !stopped || behaviour.checkpoint_interval.0 == 0 {
            done
        } else {
            done.checked_div(period).map_or(done, |checkpoints| (checkpoints * period).max(safe))
        };
        let entry = if stopped { (saved, saved, &[][..]) } else { (done, safe, pieces) };
        kept.insert(segment.job, entry);
        if stopped && window.contains(&segment.to) {
            losses.preemptions += u32::from(segment.end == SegmentEnd::Preempted);
            losses.node_failures += u32::from(segment.end == SegmentEnd::NodeDown);
            losses.lost += gpus() * u128::from((done - saved).div_ceil(u64::from(segment.rate.0)));
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
            (0, &stops[..], (1, 1, 0, 2000 * 14)),
            (1000, &stops[..], (1, 1, 2000 * (45 + 23), 2000 * 14)),
            (40, &[(0, 45, 0, Changed), (45, 60, 5, Completed)][..], (0, 0, 0, 2000 * 5)),
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
