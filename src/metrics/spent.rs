//! What every second came to in which a job held something.

use super::losses::LossCause;
use crate::history::{History, Piece, SegmentEnd};
use crate::units::{Seconds, Time};
use std::collections::BTreeMap;
use std::ops::Range;

/// A stretch of a segment, all of which came to one thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    /// The segment that it is part of.
    pub(super) segment: u32,
    pub(super) from: Time,
    pub(super) to: Time,
    /// What it was lost to; none: its work counts. Of either the seconds in which a checkpoint was written are taken off.
    pub(super) lost_to: Option<LossCause>,
    /// The segment at the end of which the job stopped and lost this.
    pub(super) stopped: Option<u32>,
    writes: Option<Writes>,
}

impl Spent {
    /// Seconds of it within a stretch of time: those in which a checkpoint was written, and the others.
    pub(super) fn seconds(&self, within: &Range<Time>) -> (u32, u32) {
        let (from, to) = (self.from.max(within.start), self.to.min(within.end));
        let all = to.since(from).0;
        let Some(writes) = self.writes.filter(|_| all > 0) else { return (0, all) };
        let until = |time: Time| writes.seconds(time.since(self.from));
        let written = until(to) - until(from);
        (written, all - written)
    }
    /// Whether all of its work counts.
    pub(super) const fn is_useful(&self) -> bool {
        self.lost_to.is_none() && self.writes.is_none()
    }
}

/// How a stretch writes checkpoints: reference seconds of work, Q16.
#[derive(Debug, Clone, Copy)]
struct Writes {
    /// The work done when it begins.
    begun: u64,
    /// What is done in it.
    worked: u64,
    /// A second.
    rate: u64,
    interval: u64,
    cost: u64,
    /// The work done when the last checkpoint was whole.
    whole: u64,
}

impl Writes {
    /// The part of work that checkpoints take of all that is done by then.
    fn part_of(&self, done: u64) -> u64 {
        let (period, done) = (self.interval + self.cost, done.min(self.whole));
        done / period * self.cost + (done % period).saturating_sub(self.interval)
    }
    /// Seconds of writing in the first so many, rounded up.
    fn seconds(&self, passed: Seconds) -> u32 {
        let done = self.worked.min(u64::from(passed.0) * self.rate);
        let written = self.part_of(self.begun + done) - self.part_of(self.begun);
        u32::try_from(written.div_ceil(self.rate)).unwrap_or(u32::MAX).min(passed.0)
    }
}

/// How far a job has come in the segments that are over, in reference seconds Q16.
#[derive(Debug, Default)]
struct Attempt<'a> {
    /// Work that a later segment goes on from.
    done: u64,
    /// The part of it that a stop would not lose.
    safe: u64,
    /// What it held last, in an attempt that goes on.
    held: &'a [Piece],
    /// Whether something that it needs has failed, and nobody has seen it.
    is_stalled: bool,
    /// Since it last stopped.
    worked: Vec<Worked>,
}

/// The part of a segment in which work is done.
#[derive(Debug, Clone, Copy)]
struct Worked {
    segment: u32,
    from: Time,
    to: Time,
    /// The work done when it begins.
    begun: u64,
    /// What is done in it.
    work: u64,
    /// A second.
    rate: u64,
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

/// Visits every second in which a job held something once, as part of a stretch; those of one job in no order.
///
/// # Complexity
/// O(segments · log jobs that stop or change).
pub(super) fn spent(history: &History, mut visit: impl FnMut(&Spent)) {
    let mut attempts: BTreeMap<u32, Attempt<'_>> = BTreeMap::new();
    for (index, segment) in (0u32..).zip(&history.segments) {
        let to = segment.to.min(history.end).max(segment.from);
        let begins = (segment.from + Seconds(segment.restart)).min(to);
        let pieces = history.pieces_of(segment);
        let mut attempt = attempts.remove(&segment.job).unwrap_or_default();
        // A job that goes on where it is has only changed its rate: no state was written.
        if attempt.held != pieces {
            (attempt.safe, attempt.is_stalled) = (attempt.done, false);
        }
        if begins > segment.from {
            let cause = if attempt.is_stalled { LossCause::Detection } else { LossCause::Restart };
            let (from, lost_to) = (segment.from, Some(cause));
            visit(&Spent { segment: index, from, to: begins, lost_to, stopped: None, writes: None });
        }
        let total = u64::from(history.plan.workload.jobs[segment.job as usize].work_time.0) << 16;
        let (begun, rate) = (attempt.done, u64::from(segment.rate.0).max(1));
        let work = (u64::from(to.since(begins).0) * rate).min(total.saturating_sub(begun));
        let own = Worked { segment: index, from: begins, to, begun, work, rate };
        if !segment.end.is_stop() && !segment.end.goes_on() && attempt.worked.is_empty() {
            settle(history, segment.job, &[own], None, &mut visit);
            continue;
        }
        attempt.worked.push(own);
        (attempt.done, attempt.held) = (begun + work, pieces);
        attempt.is_stalled = match segment.end {
            SegmentEnd::Stalled => true,
            end => attempt.is_stalled && end.goes_on(),
        };
        if segment.end.goes_on() {
            attempts.insert(segment.job, attempt);
        } else if segment.end.is_stop() {
            let saved = saved(history, segment.job, segment.end, (attempt.done, attempt.safe));
            settle(history, segment.job, &attempt.worked, Some((saved, segment.end, index)), &mut visit);
            attempts.insert(segment.job, Attempt { done: saved, safe: saved, ..Attempt::default() });
        } else {
            settle(history, segment.job, &attempt.worked, None, &mut visit);
        }
    }
    // What goes on has a segment that it goes on in; a file that says otherwise loses nothing.
    for (job, attempt) in attempts {
        settle(history, job, &attempt.worked, None, &mut visit);
    }
}

/// What an attempt came to that is over, or goes on at the end of the run: where it stopped, the work that it keeps,
/// how it stopped, and in which segment.
fn settle(
    history: &History,
    job: u32,
    all: &[Worked],
    stop: Option<(u64, SegmentEnd, u32)>,
    visit: &mut impl FnMut(&Spent),
) {
    let behaviour = history.plan.workload.behaviour_of(job);
    let kept_to = LossCause::of(history.jobs[job as usize].outcome);
    let kept = stop.map_or(u64::MAX, |(saved, ..)| saved);
    let lost_to = stop.map(|(_, end, _)| match end {
        SegmentEnd::NodeDown => LossCause::NodeDown,
        _ => LossCause::Preempted,
    });
    let [interval, cost] =
        [behaviour.checkpoint_interval, behaviour.checkpoint_cost].map(|seconds| u64::from(seconds.0) << 16);
    let reached = all.last().map_or(0, |last| last.begun + last.work).min(kept);
    let whole = reached.checked_div(interval + cost).map_or(0, |count| count * (interval + cost));
    for own in all {
        let (segment, worked, rate) = (own.segment, own.work, own.rate);
        let lost = (own.begun + own.work).saturating_sub(kept.max(own.begun));
        let lost = u32::try_from(lost.div_ceil(rate)).unwrap_or(u32::MAX).min(own.to.since(own.from).0);
        let until = Time(own.to.0 - lost);
        if until > own.from {
            let has_any = interval > 0 && cost > 0;
            let writes = has_any.then_some(Writes { begun: own.begun, worked, rate, interval, cost, whole });
            let from = own.from;
            visit(&Spent { segment, from, to: until, lost_to: kept_to, stopped: None, writes });
        }
        if own.to > until {
            let stopped = stop.map(|(.., at)| at);
            visit(&Spent { segment, from: until, to: own.to, lost_to, stopped, writes: None });
        }
    }
}
