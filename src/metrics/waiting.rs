//! Why jobs waited: the recorded reasons of their classes, added up over the stretches in which they waited.

use super::schedule::{Cursor, Stretches};
use super::times::{JobTimes, SecondsByReason, Wait};
use crate::history::{History, Settings, WaitReason, Why};
use crate::units::Time;
use std::collections::BTreeMap;

/// Whoever wants to know when how many jobs waited for what.
pub(super) trait Observer {
    /// From `from` until `to` so many jobs waited for a reason, which ask for so many thousandths of a GPU together.
    fn waited(&mut self, reason: WaitReason, from: Time, to: Time, jobs: u64, milli: u64);
}

/// Nobody does.
impl Observer for () {
    fn waited(&mut self, _: WaitReason, _: Time, _: Time, _: u64, _: u64) {}
}

/// What the jobs of a class wait for, and for how long that has been what.
#[derive(Debug, Clone, Copy)]
struct Class {
    reason: WaitReason,
    since: Time,
    seconds: SecondsByReason,
    /// Jobs that wait for it, those with a reason of their own aside, what they ask for, and until when that is told.
    jobs: u64,
    milli: u64,
    told: Time,
}

impl Class {
    /// Seconds by reason from the start of the run until now, whether a job waited or not.
    fn read(&self, now: Time) -> SecondsByReason {
        let mut seconds = self.seconds;
        seconds[self.reason as usize] += now.since(self.since).0;
        seconds
    }
    fn set(&mut self, reason: WaitReason, now: Time) {
        self.seconds = self.read(now);
        (self.reason, self.since) = (reason, now);
    }
    /// Tells of the jobs that have waited until now.
    fn tell(&mut self, now: Time, observer: &mut impl Observer) {
        let since = std::mem::replace(&mut self.told, now);
        if self.jobs > 0 && since < now {
            observer.waited(self.reason, since, now, self.jobs, self.milli);
        }
    }
}

/// The reason of its own of a job that waits, and what its class says meanwhile.
#[derive(Debug, Clone, Copy)]
struct Own {
    reason: WaitReason,
    since: Time,
    class: SecondsByReason,
}

struct Waiting<'a, O> {
    observer: &'a mut O,
    history: &'a History,
    stretches: &'a Stretches,
    times: &'a mut [JobTimes],
    classes: Vec<Class>,
    own: BTreeMap<u32, Own>,
    /// By job: whether it waits and a pass has seen it.
    waits: Vec<bool>,
}

/// Adds to the times of every job why it waited, and what those that wait at the end of the run wait for; tells of every
/// stretch of waiting that it adds.
///
/// # Complexity
/// O(records + stretches) time.
pub(super) fn add_reasons(
    history: &History,
    stretches: &Stretches,
    times: &mut [JobTimes],
    observer: &mut impl Observer,
) {
    let start = Class {
        reason: WaitReason::Order,
        since: Time::ZERO,
        seconds: SecondsByReason::default(),
        jobs: 0,
        milli: 0,
        told: Time::ZERO,
    };
    let classes = history.wait_classes.iter().max().map_or(0, |last| *last as usize + 1);
    let waits = vec![false; times.len()];
    let (classes, own) = (vec![start; classes], BTreeMap::new());
    let mut waiting = Waiting { observer, history, stretches, times, classes, own, waits };
    let (mut starts, mut ends) = (stretches.starts.cursor(), stretches.ends.cursor());
    let mut records = history.waits.iter().peekable();
    loop {
        let start = starts.time().map(|from| first_pass(&history.plan.settings, from));
        let record = records.peek().map(|record| record.time);
        let Some(now) = [start, ends.time(), record].into_iter().flatten().min() else { break };
        waiting.instant(now, &mut starts, &mut ends);
        while let Some(record) = records.next_if(|record| record.time == now) {
            waiting.record(record.why, now);
        }
    }
    waiting.at_the_end();
}

/// The first pass that sees a job which begins to wait: until then it is held.
pub(super) fn first_pass(settings: &Settings, from: Time) -> Time {
    match settings.cycle {
        Some(cycle) if cycle > 0 && !settings.has_event_passes() => {
            Time(from.0.checked_next_multiple_of(cycle).unwrap_or(u32::MAX))
        }
        _ => from,
    }
}

impl<O: Observer> Waiting<'_, O> {
    /// The class of a job, where any is told.
    fn class(&self, job: u32) -> Option<&Class> {
        let class = self.history.wait_classes.get(job as usize)?;
        self.classes.get(*class as usize)
    }
    fn read(&self, job: u32, now: Time) -> SecondsByReason {
        self.class(job).map_or_else(SecondsByReason::default, |class| class.read(now))
    }

    /// Thousandths of a GPU that a job asks for.
    fn milli(&self, job: u32) -> u64 {
        u64::from(self.history.plan.workload.request_of(job).gpus().milli())
    }
    /// A job waits for what its class waits for from now on, or no longer.
    fn count_in_class(&mut self, job: u32, begins: bool, now: Time) {
        let milli = self.milli(job);
        let class = self.history.wait_classes.get(job as usize);
        if let Some(class) = class.and_then(|class| self.classes.get_mut(*class as usize)) {
            class.tell(now, self.observer);
            for (level, amount) in [(&mut class.jobs, 1), (&mut class.milli, milli)] {
                *level = if begins { *level + amount } else { *level - amount };
            }
        }
    }

    /// Jobs cease and begin to wait.
    fn instant(&mut self, now: Time, starts: &mut Cursor<'_>, ends: &mut Cursor<'_>) {
        while let Some(wait) = ends.next_if(|to| to <= now) {
            let job = self.stretches.waits[wait].job;
            // No pass may have seen it.
            if std::mem::take(&mut self.waits[job as usize]) {
                self.end(job, now);
            }
        }
        let settings = &self.history.plan.settings;
        while let Some(wait) = starts.next_if(|from| first_pass(settings, from) <= now) {
            let Wait { job, from, to } = self.stretches.waits[wait];
            let times = &mut self.times[job as usize];
            let held = &mut times.reasons[WaitReason::Held as usize];
            *held = held.wrapping_add(now.min(to).since(from).0);
            let milli = u64::from(self.history.plan.workload.request_of(job).gpus().milli());
            self.observer.waited(WaitReason::Held, from, now.min(to), 1, milli);
            if now <= to {
                // It is held no longer: what it waits for is told at the end.
                times.waits_for = times.waits_for.and(Some(WaitReason::Order));
            }
            if now < to {
                self.begin(job, now);
            }
        }
    }

    fn begin(&mut self, job: u32, now: Time) {
        self.waits[job as usize] = true;
        let class = self.read(job, now);
        subtract(&mut self.times[job as usize].reasons, &class);
        if let Some(own) = self.own.get_mut(&job) {
            (own.since, own.class) = (now, class);
        } else {
            self.count_in_class(job, true, now);
        }
    }

    fn end(&mut self, job: u32, now: Time) {
        self.count_own(job, now);
        if !self.own.contains_key(&job) {
            self.count_in_class(job, false, now);
        }
        let class = self.read(job, now);
        let times = &mut self.times[job as usize];
        add(&mut times.reasons, &class);
        if now < self.history.end {
            times.waits_for = times.waits_for.and(Some(WaitReason::Held));
        }
    }

    /// A job has waited until now for its own reason in place of that of its class.
    fn count_own(&mut self, job: u32, now: Time) {
        let (class, milli) = (self.read(job, now), self.milli(job));
        let Some(own) = self.own.get_mut(&job) else { return };
        self.observer.waited(own.reason, own.since, now, 1, milli);
        let reasons = &mut self.times[job as usize].reasons;
        subtract(reasons, &class);
        add(reasons, &own.class);
        let seconds = &mut reasons[own.reason as usize];
        *seconds = seconds.wrapping_add(now.since(own.since).0);
        (own.since, own.class) = (now, class);
    }

    fn record(&mut self, why: Why, now: Time) {
        match why {
            Why::Class { class, reason } => {
                if let Some(class) = self.classes.get_mut(class as usize) {
                    class.tell(now, self.observer);
                    class.set(reason, now);
                }
            }
            Why::Job { job, reason } => {
                self.forget_own(job, now);
                if self.waits[job as usize] {
                    self.count_in_class(job, false, now);
                }
                let class = self.read(job, now);
                self.own.insert(job, Own { reason, since: now, class });
            }
            Why::AsClass { job } => self.forget_own(job, now),
        }
    }

    fn forget_own(&mut self, job: u32, now: Time) {
        let waits = self.waits[job as usize];
        if waits {
            self.count_own(job, now);
        }
        if self.own.remove(&job).is_some() && waits {
            self.count_in_class(job, true, now);
        }
    }

    /// The run is over: what the jobs that a pass has seen and that still wait do so for.
    fn at_the_end(self) {
        for job in 0..self.history.plan.workload.len() {
            if self.times[job as usize].waits_for == Some(WaitReason::Order) {
                let own = self.own.get(&job).map(|own| own.reason);
                let reason = own.or_else(|| self.class(job).map(|class| class.reason));
                self.times[job as usize].waits_for = reason.or(Some(WaitReason::Order));
            }
        }
    }
}

/// Adds seconds to seconds, which may be less than nothing meanwhile.
fn add(sum: &mut SecondsByReason, seconds: &SecondsByReason) {
    sum.iter_mut().zip(seconds).for_each(|(sum, seconds)| *sum = sum.wrapping_add(*seconds));
}
fn subtract(sum: &mut SecondsByReason, seconds: &SecondsByReason) {
    sum.iter_mut().zip(seconds).for_each(|(sum, seconds)| *sum = sum.wrapping_sub(*seconds));
}
