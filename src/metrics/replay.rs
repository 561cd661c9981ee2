//! Replays a history once, instant by instant: what was free, and what tenants held while they contended for it.

use super::contention::{Contended, Contention};
use super::levels::Meter;
use super::schedule::{Cursor, Schedule, Stretches};
use super::series::{Rates, Recorder};
use crate::history::{History, Segment};
use crate::units::Time;
use std::ops::Range;

/// What a replay tells beyond the times of each job.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) recorder: Recorder,
    /// GPU-seconds that each tenant held in the window, in thousandths.
    pub(super) held: Vec<u128>,
    /// What each tenant held in the window while there was contention.
    pub(super) contended: Vec<Contended>,
    /// Whether racks are blocks.
    pub(super) has_blocks: bool,
}

/// What a tenant holds now, in thousandths of a GPU, since when, and what it has held in the window until then.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    milli: u64,
    since: Time,
    milli_seconds: u128,
}

struct Sweep<'a> {
    history: &'a History,
    stretches: &'a Stretches,
    meter: Meter,
    contention: Contention,
    recorder: Recorder,
    rates: Rates,
    held: Vec<Held>,
    segment_starts: Cursor<'a>,
    segment_ends: Cursor<'a>,
    wait_starts: Cursor<'a>,
    wait_ends: Cursor<'a>,
    changes: Cursor<'a>,
}

/// Replays the history.
///
/// # Complexity
/// O(n log n) in segments, pieces and waits.
pub(super) fn replay(history: &History, stretches: &Stretches, window: Range<Time>) -> Replay {
    let (cluster, tenants) = (&history.plan.cluster, history.plan.workload.tenants.len());
    // What is let go at the instant it is taken was never held.
    let lasts = |(_, segment): &(usize, &Segment)| segment.from < segment.to;
    let segments = || history.segments.iter().enumerate().filter(lasts);
    let starts = Schedule::new(segments().map(|(index, segment)| (segment.from, index)));
    let ends = Schedule::new(segments().map(|(index, segment)| (segment.to, index)));
    let changes =
        Schedule::new(history.changes().iter().enumerate().map(|(index, change)| (change.time, index)));
    let meter = Meter::new(cluster);
    let mut sweep = Sweep {
        history,
        stretches,
        contention: Contention::new(window.clone(), tenants),
        recorder: Recorder::new(window, history.end),
        rates: Rates { levels: meter.levels, ..Rates::default() },
        meter,
        held: vec![Held::default(); tenants],
        segment_starts: starts.cursor(),
        segment_ends: ends.cursor(),
        wait_starts: stretches.starts.cursor(),
        wait_ends: stretches.ends.cursor(),
        changes: changes.cursor(),
    };
    sweep.run();
    (0..tenants).for_each(|tenant| sweep.count_held(tenant, history.end));
    let contended = sweep.contention.finish(history.end);
    let held = sweep.held.iter().map(|held| held.milli_seconds).collect();
    let has_blocks = sweep.meter.has_blocks();
    Replay { recorder: sweep.recorder, held, contended, has_blocks }
}

impl Sweep<'_> {
    fn run(&mut self) {
        while let Some(now) = self.next().filter(|now| *now <= self.history.end) {
            self.instant(now);
        }
        self.recorder.run_to(self.history.end, &self.rates);
    }

    /// When something happens next.
    fn next(&self) -> Option<Time> {
        let cursors =
            [&self.segment_starts, &self.segment_ends, &self.wait_starts, &self.wait_ends, &self.changes];
        cursors.into_iter().filter_map(Cursor::time).min()
    }

    fn instant(&mut self, now: Time) {
        self.recorder.run_to(now, &self.rates);
        let due = |time: Time| time <= now;
        while let Some(wait) = self.wait_starts.next_if(due) {
            self.wait(self.stretches.waits[wait].job, true, now);
        }
        while let Some(wait) = self.wait_ends.next_if(due) {
            self.wait(self.stretches.waits[wait].job, false, now);
        }
        while let Some(change) = self.changes.next_if(due) {
            let change = &self.history.changes()[change];
            self.meter.set_state(change.nodes.clone(), change.state);
        }
        while let Some(segment) = self.segment_ends.next_if(due) {
            self.hold(&self.history.segments[segment], false, now);
        }
        while let Some(segment) = self.segment_starts.next_if(due) {
            self.hold(&self.history.segments[segment], true, now);
        }
        self.rates.levels = self.meter.levels;
    }

    /// A job begins to wait, or no longer waits.
    fn wait(&mut self, job: u32, begins: bool, now: Time) {
        let workload = &self.history.plan.workload;
        self.contention.wait(workload.jobs[job as usize].tenant, begins, now);
        let wanted = u64::from(workload.request_of(job).gpus().milli());
        for (level, amount) in [(&mut self.rates.waiting, 1), (&mut self.rates.wanted, wanted)] {
            *level = if begins { *level + amount } else { *level - amount };
        }
    }

    /// A job begins to hold its domains, or lets go.
    fn hold(&mut self, segment: &Segment, take: bool, now: Time) {
        for piece in self.history.pieces_of(segment) {
            self.meter.hold(*piece, take);
        }
        let milli = self.history.gpus_of(segment);
        let tenant = self.history.plan.workload.jobs[segment.job as usize].tenant;
        self.contention.hold(tenant, take, milli, now);
        self.count_held(tenant as usize, now);
        for level in [&mut self.held[tenant as usize].milli, &mut self.rates.allocated] {
            *level = if take { *level + milli } else { *level - milli };
        }
    }

    fn count_held(&mut self, tenant: usize, now: Time) {
        let held = &mut self.held[tenant];
        let seconds = self.recorder.in_window(std::mem::replace(&mut held.since, now), now);
        held.milli_seconds += u128::from(held.milli) * u128::from(seconds);
    }
}
