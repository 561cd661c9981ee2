//! Why requests of many sizes wait, all at once.
//!
//! Requests that differ only in their number of GPUs stand on one ladder, smallest first. At any instant five limits
//! cut it: up to the first the tenant's quota allows, up to the second enough GPUs are free, up to the third a domain
//! fits, up to the fourth it has the power too, up to the fifth that was so already at the last pass. As time passes, each clock adds it to every rung above
//! its limit, in O(log rungs); what a rung waited for is the difference of two clocks. So a job costs two readings,
//! however often the limits moved while it waited.

use super::times::SecondsByReason;
use crate::history::WaitReason;
use crate::units::Time;

/// Seconds by rung, as a Fenwick tree of differences: O(log n) to add to every rung from one on, and to read one.
#[derive(Debug, Clone, Default)]
struct Clock(Vec<u32>);

impl Clock {
    fn add_from(&mut self, rung: usize, seconds: u32) {
        let mut index = rung;
        while let Some(sum) = self.0.get_mut(index) {
            *sum = sum.wrapping_add(seconds);
            index |= index + 1;
        }
    }
    fn read(&self, rung: usize) -> u32 {
        let (mut sum, mut index) = (0_u32, rung + 1);
        while index > 0 {
            sum = sum.wrapping_add(self.0[index - 1]);
            index &= index - 1;
        }
        sum
    }
}

/// How many rungs, from the lowest, are below each limit; none is above the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) quota: usize,
    pub(super) capacity: usize,
    pub(super) fit: usize,
    pub(super) power: usize,
    /// Of those that fit, the ones that fitted at the last pass: a pass chose not to start them.
    pub(super) passed: usize,
}

impl Limits {
    /// The reason at one rung.
    pub(super) const fn reason(&self, rung: usize) -> WaitReason {
        match rung {
            _ if rung >= self.quota => WaitReason::Quota,
            _ if rung >= self.capacity => WaitReason::Capacity,
            _ if rung >= self.fit => WaitReason::Shape,
            _ if rung >= self.power => WaitReason::Power,
            _ if rung >= self.passed => WaitReason::Held,
            _ => WaitReason::Order,
        }
    }
}

/// Seconds by reason at one rung, with those behind a blocked job apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) by_reason: SecondsByReason,
    /// The part of `order` in which the queue's pass did not stop before the job.
    pub(super) fitting: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Ladder {
    clocks: [Clock; 5],
    rungs: usize,
    limits: Limits,
    /// The queue's pass stops at its first job: whatever the limits, all others wait for order.
    pub(super) blocked: bool,
    seconds: u32,
    seconds_blocked: u32,
    since: Time,
}

impl Ladder {
    pub(super) fn new(rungs: usize) -> Self {
        let clock = || Clock(vec![0; rungs]);
        Self {
            clocks: [clock(), clock(), clock(), clock(), clock()],
            rungs,
            limits: Limits::default(),
            blocked: false,
            seconds: 0,
            seconds_blocked: 0,
            since: Time::ZERO,
        }
    }
    /// Nothing was waiting until now: that time counts for nobody.
    pub(super) const fn skip_to(&mut self, now: Time) {
        self.since = now;
    }
    /// Lets the clocks run until now.
    pub(super) fn run_to(&mut self, now: Time) {
        let passed = now.since(self.since).0;
        self.since = now;
        if passed == 0 {
            return;
        }
        if self.blocked {
            self.seconds_blocked = self.seconds_blocked.wrapping_add(passed);
            return;
        }
        self.seconds = self.seconds.wrapping_add(passed);
        let Limits { quota, capacity, fit, power, passed: before } = self.limits;
        for (clock, limit) in self.clocks.iter_mut().zip([quota, capacity, fit, power, before]) {
            clock.add_from(limit, passed);
        }
    }
    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }
    /// From now on other limits hold.
    pub(super) fn set_limits(&mut self, limits: Limits, now: Time) {
        debug_assert!(limits.passed <= limits.power && limits.power <= limits.fit, "limits are nested");
        debug_assert!(limits.fit <= limits.capacity, "limits are nested");
        debug_assert!(limits.capacity <= limits.quota && limits.quota <= self.rungs, "limits are nested");
        if limits != self.limits {
            self.run_to(now);
            self.limits = limits;
        }
    }
    /// From now on the queue is blocked, or no longer.
    pub(super) fn set_blocked(&mut self, blocked: bool, now: Time) {
        if blocked != self.blocked {
            self.run_to(now);
            self.blocked = blocked;
        }
    }
    /// What the clocks show at one rung now; only differences of two readings mean something.
    pub(super) fn read(&mut self, rung: usize, now: Time) -> Reading {
        self.run_to(now);
        let [quota, capacity, fit, power, before] =
            [0, 1, 2, 3, 4].map(|clock: usize| self.clocks[clock].read(rung));
        let fitting = self.seconds.wrapping_sub(before);
        let mut by_reason = SecondsByReason::default();
        by_reason[WaitReason::Quota as usize] = quota;
        by_reason[WaitReason::Capacity as usize] = capacity.wrapping_sub(quota);
        by_reason[WaitReason::Shape as usize] = fit.wrapping_sub(capacity);
        by_reason[WaitReason::Power as usize] = power.wrapping_sub(fit);
        by_reason[WaitReason::Held as usize] = before.wrapping_sub(power);
        by_reason[WaitReason::Order as usize] = fitting.wrapping_add(self.seconds_blocked);
        Reading { by_reason, fitting }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample::Dice;

    #[test]
    fn the_clocks_equal_a_count_second_by_second() {
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let rungs = 1 + dice.below(40);
            let mut ladder = Ladder::new(rungs as usize);
            let mut counted = vec![SecondsByReason::default(); rungs as usize];
            let mut now = Time(0);
            for _ in 0..200 {
                let quota = dice.below(rungs + 1);
                let capacity = dice.below(quota + 1);
                let fit = dice.below(capacity + 1);
                let power = dice.below(fit + 1);
                let passed = dice.below(power + 1);
                let [quota, capacity, fit, power, passed] =
                    [quota, capacity, fit, power, passed].map(|n| n as usize);
                let limits = Limits { quota, capacity, fit, power, passed };
                let blocked = dice.one_in(4);
                ladder.set_limits(limits, now);
                ladder.set_blocked(blocked, now);
                let seconds = dice.below(9);
                for (rung, counts) in counted.iter_mut().enumerate() {
                    let reason = if blocked { WaitReason::Order } else { limits.reason(rung) };
                    counts[reason as usize] += seconds;
                }
                now = Time(now.0 + seconds);
            }
            for (rung, counts) in counted.iter().enumerate() {
                assert_eq!(ladder.read(rung, now).by_reason, *counts, "seed {seed}, rung {rung}");
            }
            counted[0][1] += 1;
            assert_ne!(ladder.read(0, now).by_reason, counted[0], "a planted second is noticed");
        }
    }
}
