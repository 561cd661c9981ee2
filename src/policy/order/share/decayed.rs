//! Means over time in which the past counts half as much every half-life, in integers alone.

use crate::units::Time;

/// What is used is counted in so many bits below a thousandth of a GPU.
const FRACTION: u32 = 28;
/// One, as a part that is kept.
const ONE: u128 = 1 << 64;

/// One of those whose use is counted.
#[derive(Debug, Clone, Copy, Default)]
struct Member {
    /// Thousandths of GPUs that are held.
    held: u64,
    /// Thousandths times seconds in the period that has begun, up to an instant.
    held_seconds: u128,
    until: u64,
    /// What was used as of the end of the last whole period: thousandths of GPUs, with [`FRACTION`] bits below.
    used: u64,
}

impl Member {
    fn hold_until(&mut self, now: u64) {
        self.held_seconds += u128::from(self.held) * u128::from(now - self.until);
        self.until = now;
    }
}

/// What was used, by member, as of the end of the last whole period.
#[derive(Debug)]
pub(super) struct Decayed {
    members: Vec<Member>,
    period: u64,
    /// The part of what was used that a period leaves of it, out of [`ONE`].
    kept: u128,
    /// When the period began that has not ended.
    begun: u64,
    now: u64,
}

impl Decayed {
    pub(super) fn new(members: usize, (period, half_life): (u32, u32)) -> Self {
        let members = vec![Member::default(); members];
        Self { members, period: period.into(), kept: kept(period, half_life), begun: 0, now: 0 }
    }
    /// From now on a member holds so many thousandths more.
    pub(super) fn hold(&mut self, member: u32, milli: u64) {
        self.member(member).held += milli;
    }
    /// From now on a member holds so many thousandths less.
    pub(super) fn give_back(&mut self, member: u32, milli: u64) {
        let member = self.member(member);
        debug_assert!(milli <= member.held, "no more is given back than is held");
        member.held = member.held.saturating_sub(milli);
    }
    fn member(&mut self, member: u32) -> &mut Member {
        let member = &mut self.members[member as usize];
        member.hold_until(self.now);
        member
    }
    /// By member: what was used as of the end of the last whole period, in the same unit for all.
    pub(super) fn used(&self) -> impl Iterator<Item = u64> {
        self.members.iter().map(|member| member.used)
    }
    /// Time goes on; O(periods · members).
    pub(super) fn advance(&mut self, to: Time) {
        let to = u64::from(to.0);
        while to - self.begun >= self.period {
            if self.is_idle() {
                // Nothing comes of nothing, however many periods it takes.
                self.begun = to - to % self.period;
                self.members.iter_mut().for_each(|member| member.until = self.begun);
            } else {
                self.begun += self.period;
                self.end_period();
            }
        }
        self.now = to;
    }
    /// Whether nothing is used, and nothing held.
    fn is_idle(&self) -> bool {
        self.members.iter().all(|member| member.used == 0 && member.held == 0 && member.held_seconds == 0)
    }
    fn end_period(&mut self) {
        for member in &mut self.members {
            member.hold_until(self.begun);
            let mean = (std::mem::take(&mut member.held_seconds) << FRACTION) / u128::from(self.period);
            let sum = u128::from(member.used) * self.kept + mean * (ONE - self.kept);
            member.used = u64::try_from(sum >> 64).unwrap_or(u64::MAX);
        }
    }
}

/// The part of what was used that a period leaves of it, out of [`ONE`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1, of which 53 bits are known"
)]
fn kept(period: u32, half_life: u32) -> u128 {
    (libm::exp2(-f64::from(period) / f64::from(half_life)) * 18_446_744_073_709_551_616.0) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
    fn gpus(decayed: &Decayed, member: usize) -> f64 {
        decayed.members[member].used as f64 / (1000.0 * f64::from(1 << FRACTION))
    }

    #[test]
    fn what_is_held_all_the_time_is_reached_by_halves() {
        let mut decayed = Decayed::new(1, (300, 604_800));
        decayed.hold(0, 2_000);
        for (half_lives, expected) in [(1, 1.0), (2, 1.5), (3, 1.75)] {
            decayed.advance(Time(half_lives * 604_800));
            assert!((gpus(&decayed, 0) - expected).abs() < 0.001, "{half_lives}: {}", gpus(&decayed, 0));
        }
        decayed.give_back(0, 2_000);
        decayed.advance(Time(4 * 604_800));
        assert!((gpus(&decayed, 0) - 0.875).abs() < 0.001, "what is given back is forgotten as slowly");
    }

    #[test]
    fn it_makes_no_difference_at_which_instants_it_is_asked() {
        let changes = [(10, 0, 1500), (59, 1, 8000), (60, 0, 500), (301, 1, 1000)];
        let used = |step: u32| {
            let mut decayed = Decayed::new(2, (60, 3600));
            for instant in (0..=7_777).filter(|instant| instant % step == 0 || *instant == 7_777) {
                decayed.advance(Time(instant));
                for (_, member, milli) in changes.iter().filter(|(at, _, _)| *at == instant) {
                    decayed.hold(*member, *milli);
                }
            }
            decayed.used().collect::<Vec<_>>()
        };
        let often = used(1);
        let mut once = Decayed::new(2, (60, 3600));
        for (at, member, milli) in changes {
            once.advance(Time(at));
            once.hold(member, milli);
        }
        once.advance(Time(7_777));
        assert_eq!(once.used().collect::<Vec<_>>(), often);
        assert!(often[0] > 0 && often[1] > often[0]);
        assert_ne!(used(7), often, "what is held from another instant on is noticed");
    }

    #[test]
    fn what_nobody_holds_any_more_is_forgotten_in_the_end() {
        let mut decayed = Decayed::new(1, (1, 1));
        decayed.hold(0, 1_000);
        decayed.advance(Time(10));
        decayed.give_back(0, 1_000);
        decayed.advance(Time(u32::MAX));
        assert_eq!((decayed.used().next(), decayed.is_idle()), (Some(0), true));
    }
}
