use super::MILLI_SECONDS_AN_HOUR;
use super::distribution::{ratio, real};
use crate::history::{History, Outcome, Piece, Segment, SegmentEnd};
use crate::units::Time;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
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
    /// The job failed at the end of its work: all that it held but what is counted above.
    Failed,
    /// The job was stopped at its requested time: all that it held but what is counted above.
    Timeout,
}

impl LossCause {
    /// Every cause.
    pub const ALL: [Self; 5] = [Self::Preempted, Self::NodeDown, Self::Restart, Self::Failed, Self::Timeout];
    /// As files and people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preempted => "preempted",
            Self::NodeDown => "node-down",
            Self::Restart => "restart",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
        }
    }
    /// Of a job that came to nothing in the end.
    const fn of(outcome: Outcome) -> Option<Self> {
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
    /// GPU-hours lost by [`LossCause`], in the order of [`LossCause::ALL`]; of a stop all that it lost, the work done
    /// before the window included.
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

fn by_cause<S: Serializer>(hours: &[f64; LossCause::ALL.len()], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(LossCause::ALL.iter().map(|cause| cause.name()).zip(hours))
}

/// What stops cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) preemptions: u32,
    pub(super) node_failures: u32,
    /// Thousandths of a GPU-second in which work was done that no checkpoint kept.
    pub(super) lost: u128,
    /// Thousandths of a GPU-second in which domains were held for a restart.
    pub(super) restarts: u128,
    /// All that came to nothing, by [`LossCause`]: those two, and what jobs held that failed or ran out of time.
    pub(super) by_cause: [u128; LossCause::ALL.len()],
}

impl Losses {
    /// Counts what was lost of a job for one of the first causes, and not once more for how the job ended.
    fn add(&mut self, cause: LossCause, outcome: Outcome, lost: u128) {
        self.by_cause[cause as usize] += lost;
        if let Some(end) = LossCause::of(outcome) {
            let rest = &mut self.by_cause[end as usize];
            *rest = rest.saturating_sub(lost);
        }
    }
}

/// How the job of a segment ended.
fn outcome_of(history: &History, segment: &Segment) -> Outcome {
    history.jobs[segment.job as usize].outcome
}

/// Thousandths of a GPU-second that jobs held in the window which came to nothing, by cause.
fn in_vain(history: &History, window: &Range<Time>) -> [u128; LossCause::ALL.len()] {
    let mut by_cause = [0; LossCause::ALL.len()];
    for segment in &history.segments {
        let Some(cause) = LossCause::of(outcome_of(history, segment)) else { continue };
        let to = segment.to.min(history.end).min(window.end);
        let seconds = to.since(segment.from.max(window.start)).0;
        by_cause[cause as usize] += u128::from(history.gpus_of(segment)) * u128::from(seconds);
    }
    by_cause
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
    let mut losses = Losses { by_cause: in_vain(history, window), ..Losses::default() };
    // Of jobs that stopped or changed.
    let mut reached: BTreeMap<u32, Reached<'_>> = BTreeMap::new();
    for segment in &history.segments {
        let length = segment.to.min(history.end).since(segment.from).0;
        let gpus = || history.gpus_of(segment);
        let outcome = outcome_of(history, segment);
        if segment.restart > 0 && window.contains(&segment.from) {
            let held = u128::from(gpus()) * u128::from(segment.restart.min(length));
            losses.restarts += held;
            losses.add(LossCause::Restart, outcome, held);
        }
        let stopped = segment.end.is_stop();
        if !stopped && !segment.end.goes_on() {
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
                let lost = job.time_of(job.done - saved);
                losses.lost += lost;
                let is_policy = segment.end == SegmentEnd::Preempted;
                losses.add(if is_policy { LossCause::Preempted } else { LossCause::NodeDown }, outcome, lost);
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
    use crate::history::{JobRecord, Plan, Segment};
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
            assert_eq!(found.by_cause, [10_000, 6000, 28_000, rest[0], rest[1]], "{outcome:?}");
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
