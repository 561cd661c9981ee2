//! How far a job has come, and when it is expected to end: rate = speed · span · cap, work left −= rate · elapsed.

use super::State;
use crate::cluster::Piece;
use crate::history::Segment;
use crate::units::{Factor, Seconds, Time};
use crate::workload::Overrun;

/// How far a job had come when it last stopped, moved or changed its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Reference seconds of work left, Q16.
    pub(super) left: u64,
    /// The same as of the last state that was kept: what a stop goes back to if no checkpoint was written since.
    pub(super) kept: u64,
    /// Seconds that its next restart takes beyond its own: what stops cut short, where that adds up.
    pub(super) owed: u32,
    /// It stalls, and nobody knows: the seconds of a restart that were left when that began.
    pub(super) stalled: Option<u32>,
}

impl Progress {
    /// So much work is left, and a stop would keep it so.
    pub(super) const fn kept(left: u64) -> Self {
        Self { left, kept: left, owed: 0, stalled: None }
    }
}

/// Seconds of work in Q16.
pub(super) const fn work(seconds: Seconds) -> u64 {
    (seconds.0 as u64) << 16
}

/// Whole seconds that `work` (Q16) takes at a rate, rounded up.
#[inline]
pub(crate) fn ticks(work: u64, rate: Factor) -> Seconds {
    let seconds = if rate == Factor::ONE { work.div_ceil(1 << 16) } else { work.div_ceil(u64::from(rate.0)) };
    Seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
}

impl State {
    /// The rate that a job would have on some domains: of its class where that does not depend on them, else of the kind
    /// of nodes and whether they span racks.
    #[must_use]
    #[inline]
    pub fn rate_on(&self, job: u32, domains: &[Piece], cap: Factor) -> Factor {
        let class = self.class(job);
        let one_node = match domains {
            [] => true,
            [Piece::Nodes { mask, .. }] => mask.is_power_of_two(),
            domains => domains.len() == 1,
        };
        // One pod may be on several nodes too: once it is resized, and where it has been running since before time 0.
        if let Some(rate) = class.rate
            && cap == Factor::ONE
            && (one_node || class.is_gang())
        {
            return rate;
        }
        let occupancy = &self.resources.occupancy;
        let mut nodes = domains.iter().flat_map(|piece| piece.nodes()).map(|node| node as usize);
        let first = nodes.next();
        let kind = first.map_or(0, |node| occupancy.kind(node));
        let spans = !occupancy.is_flat()
            && first.is_some_and(|first| nodes.any(|node| occupancy.rack(node) != occupancy.rack(first)));
        let racks = if spans { 2 } else { 1 };
        class.rate_under(&self.history.plan.cluster.kinds, kind, racks, cap)
    }
    /// The lowest rate that a job might get at full power: on the slowest kind of nodes, over several racks where it may
    /// span them.
    #[must_use]
    pub fn slowest_rate(&self, job: u32) -> Factor {
        let class = self.class(job);
        if let Some(rate) = class.rate {
            return rate;
        }
        let kinds = &self.history.plan.cluster.kinds;
        let racks = if class.is_gang() && !self.resources.occupancy.is_flat() { 2 } else { 1 };
        let rates = |kind: &u32| class.rate_on(kinds, *kind, 1).min(class.rate_on(kinds, *kind, racks));
        class.kinds.iter().map(rates).min().unwrap_or_default()
    }
    /// Reference seconds of work a job has left at the present instant, Q16.
    #[must_use]
    pub fn work_left(&self, job: u32) -> u64 {
        let (left, from, rate) = self.work_course(job);
        left.saturating_sub(u64::from(self.now.0.saturating_sub(from.0)) * u64::from(rate.0))
    }
    /// How the work that a job has left goes down: so many reference seconds, Q16, and from when on at which rate.
    pub(crate) fn work_course(&self, job: u32) -> (u64, Time, Factor) {
        let before = self.left_before(job);
        let Some(segment) = self.segment(job) else { return (before, Time::NEVER, Factor::ONE) };
        (before, segment.from + Seconds(segment.restart), segment.rate)
    }
    /// The same, with the restart where that counts as work.
    pub(crate) fn course_with_restarts(&self, job: u32) -> (u64, Time, Factor) {
        let (left, from, rate) = self.work_course(job);
        if !self.plan().settings.restarts_add_up() {
            return (left, from, rate);
        }
        match self.segment(job) {
            Some(segment) => (left + u64::from(segment.restart) * u64::from(rate.0), segment.from, rate),
            None => (left + work(Seconds(self.restart(job))), from, rate),
        }
    }
    /// The same when it last stopped, moved or changed its rate.
    fn left_before(&self, job: u32) -> u64 {
        self.book.progress(job).map_or_else(|| work(self.job(job).work_time), |progress| progress.left)
    }
    /// Reference seconds that a job, started now, is expected to hold its domains, times its rate, Q16:
    /// its request less what is done, and its restart.
    #[must_use]
    #[inline]
    pub fn expected_work(&self, job: u32, rate: Factor) -> u64 {
        match self.book.progress(job) {
            None => work(self.job(job).requested_time),
            Some(progress) => self.requested_left(job, progress.left, self.restart(job), rate),
        }
    }
    /// When a job, started now at a rate, is expected to end.
    #[must_use]
    #[inline]
    pub fn expected_end(&self, job: u32, rate: Factor) -> Time {
        self.now + ticks(self.expected_work(job, rate), rate)
    }
    /// When a running job is expected to end, at its present rate.
    pub(crate) fn expected_end_now(&self, job: u32) -> Option<Time> {
        let segment = self.segment(job)?;
        if let Some(Progress { left, stalled: Some(restart), .. }) = self.book.progress(job) {
            // As if it worked, for all that is known.
            let left = self.requested_left(job, left, restart, segment.rate);
            return Some((segment.from + ticks(left, segment.rate)).max(self.now + Seconds(1)));
        }
        let left = self.requested_left(job, self.work_left(job), self.restart_left(segment), segment.rate);
        Some(self.now + ticks(left, segment.rate))
    }
    /// Whether a job, started now, would first hold its domains for its restart time.
    pub(crate) fn owes_restart(&self, job: u32) -> bool {
        self.restart(job) > 0
    }
    /// Seconds that a job, started now, would first hold its domains for.
    pub(crate) fn restart(&self, job: u32) -> u32 {
        let own = || self.history.plan.workload.behaviour_of(job).restart_time.0;
        self.book.progress(job).map_or(0, |progress| own().saturating_add(progress.owed))
    }
    /// Seconds of its restart that are still to come.
    pub(super) fn restart_left(&self, segment: &Segment) -> u32 {
        segment.restart.saturating_sub(self.now.since(segment.from).0)
    }
    /// When the job lets go by itself: its work is done, or its requested time over and it is killed then.
    pub(super) fn planned_end(&self, job: u32, rate: Factor, restart: u32) -> Time {
        let left = self.left_before(job);
        let end = self.now + Seconds(restart) + ticks(left, rate);
        let behaviour = self.history.plan.workload.behaviour_of(job);
        if behaviour.overrun == Overrun::Extend {
            return end;
        }
        end.min(self.now + ticks(self.requested_left(job, left, restart, rate), rate))
    }
    /// Reference seconds that are left of its request, Q16, once so much of its work is left, and what its restart takes.
    fn requested_left(&self, job: u32, left: u64, restart: u32, rate: Factor) -> u64 {
        let done = work(self.job(job).work_time) - left;
        let requested = work(self.job(job).requested_time);
        // What has used up its request is expected to end as soon as its restart is over, and never at once.
        (requested.saturating_sub(done) + u64::from(restart) * u64::from(rate.0)).max(1)
    }
    /// The instant from which on a running job, stopped by a policy, keeps work that it has done since it started;
    /// [`Time::NEVER`] if it never does.
    pub(crate) fn keeps_work_from(&self, job: u32) -> Time {
        let behaviour = self.history.plan.workload.behaviour_of(job);
        let (left, from, rate) = self.work_course(job);
        if behaviour.checkpoint_interval.0 == 0 || rate == Factor(0) {
            return from + Seconds(1);
        }
        let total = work(self.job(job).work_time);
        let kept = total - self.book.progress(job).map_or(total, |progress| progress.kept);
        let period = work(behaviour.checkpoint_interval + behaviour.checkpoint_cost);
        let next = (kept / period + 1) * period;
        if next > total { Time::NEVER } else { from + ticks(next.saturating_sub(total - left), rate) }
    }
    /// Reference seconds, Q16, that a job would have to run once more were it stopped now: the work since its last
    /// checkpoint, and its restart.
    pub(crate) fn lost_if_stopped(&self, job: u32) -> u64 {
        let lost = self.left_once_stopped(job, false) - self.work_left(job);
        lost + work(self.history.plan.workload.behaviour_of(job).restart_time)
    }
    /// What a job has left once it stops now: it goes back to its last checkpoint. One that writes none is suspended by
    /// a policy with all it has done, while a failure takes everything since it started or moved.
    pub(super) fn left_once_stopped(&self, job: u32, fails: bool) -> u64 {
        let behaviour = self.history.plan.workload.behaviour_of(job);
        let left = self.work_left(job);
        let total = work(self.job(job).work_time);
        let before = self.book.progress(job).map_or(total, |progress| progress.kept);
        if behaviour.checkpoint_interval.0 == 0 {
            return if fails { before } else { left };
        }
        let period = work(behaviour.checkpoint_interval + behaviour.checkpoint_cost);
        total - ((total - left) / period * period).max(total - before)
    }
}
