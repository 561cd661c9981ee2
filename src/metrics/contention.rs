//! What tenants hold while they contend for GPUs.

use crate::units::Time;
use std::ops::Range;

/// What one tenant held while there was contention and it took part in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Contended {
    /// GPU-seconds, in thousandths.
    pub(super) held: u128,
    /// Seconds.
    pub(super) seconds: u64,
}

/// One tenant on the way.
#[derive(Debug, Clone, Copy, Default)]
struct Tenant {
    /// Jobs that wait or run.
    jobs: u32,
    /// Thousandths of a GPU that they hold.
    milli: u64,
    /// The contended seconds of the run that are counted in `found`.
    counted: u64,
    found: Contended,
}

/// Adds up, in one pass through time, what tenants hold while there is contention: while a job waits, and at least two
/// tenants have jobs that wait or run. A tenant takes part in it while it has one itself.
///
/// A change of one tenant costs O(1): the others catch up with the contended seconds when they change.
#[derive(Debug)]
pub(super) struct Contention {
    window: Range<Time>,
    tenants: Vec<Tenant>,
    waiting: u32,
    /// Tenants that have a job that waits or runs.
    present: u32,
    /// Contended seconds in the window until `since`.
    seconds: u64,
    since: Time,
}

impl Contention {
    pub(super) fn new(window: Range<Time>, tenants: usize) -> Self {
        let tenants = vec![Tenant::default(); tenants];
        Self { window, tenants, waiting: 0, present: 0, seconds: 0, since: Time::ZERO }
    }
    /// A job of a tenant begins to wait, or stops waiting.
    pub(super) fn wait(&mut self, tenant: u32, begins: bool, now: Time) {
        self.change(tenant, begins, 0, now);
        self.waiting = if begins { self.waiting + 1 } else { self.waiting - 1 };
    }
    /// A job of a tenant begins to hold so many thousandths of a GPU, or lets go of them.
    pub(super) fn hold(&mut self, tenant: u32, begins: bool, milli: u64, now: Time) {
        self.change(tenant, begins, milli, now);
    }
    /// What each tenant held.
    pub(super) fn finish(mut self, end: Time) -> Vec<Contended> {
        self.run_to(end);
        (0..self.tenants.len()).map(|tenant| self.catch_up(tenant).found).collect()
    }

    fn change(&mut self, tenant: u32, begins: bool, milli: u64, now: Time) {
        self.run_to(now);
        let own = self.catch_up(tenant as usize);
        let was_present = own.jobs > 0;
        if begins {
            (own.jobs, own.milli) = (own.jobs + 1, own.milli + milli);
        } else {
            (own.jobs, own.milli) = (own.jobs - 1, own.milli - milli);
        }
        match (was_present, own.jobs > 0) {
            (false, true) => self.present += 1,
            (true, false) => self.present -= 1,
            _ => {}
        }
    }
    fn run_to(&mut self, now: Time) {
        let (from, to) = (self.since.max(self.window.start), now.min(self.window.end));
        if self.waiting > 0 && self.present > 1 {
            self.seconds += u64::from(to.since(from).0);
        }
        self.since = now;
    }
    fn catch_up(&mut self, tenant: usize) -> &mut Tenant {
        let own = &mut self.tenants[tenant];
        let seconds = self.seconds - std::mem::replace(&mut own.counted, self.seconds);
        if own.jobs > 0 {
            own.found.seconds += seconds;
            own.found.held += u128::from(own.milli) * u128::from(seconds);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, Segment, sample};
    use crate::metrics::replay::replay;
    use crate::metrics::schedule::Stretches;
    use crate::metrics::times::{Wait, times};

    #[test]
    fn only_those_who_contend_count_and_only_while_they_do() {
        let mut contention = Contention::new(Time(10)..Time(100), 3);
        // Tenant 0 runs alone, and lets jobs of its own wait from 5 on; tenant 1 comes at 20 and waits until 40.
        contention.hold(0, true, 4000, Time(0));
        contention.wait(0, true, Time(5));
        contention.wait(1, true, Time(20));
        contention.wait(1, false, Time(40));
        contention.hold(1, true, 1000, Time(40));
        // Nobody waits any more from 60 on; tenant 2 waits from 90 until after the window, and tenant 1 has left.
        contention.wait(0, false, Time(60));
        contention.hold(1, false, 1000, Time(70));
        contention.wait(2, true, Time(90));
        let found = contention.finish(Time(500));
        let contended = |held, seconds| Contended { held, seconds };
        assert_eq!(found[0], contended(4000 * (40 + 10), 40 + 10), "from 20 to 60, and from 90 to 100");
        assert_eq!(found[1], contended(1000 * 20, 40), "waits for 20 s, holds one for 20 s");
        assert_eq!(found[2], contended(0, 10), "waits in vain");
    }

    /// The same by definition, second by second.
    fn define(history: &History, waits: &[Wait], window: &Range<Time>) -> Vec<Contended> {
        let workload = &history.plan.workload;
        let tenants = workload.tenants.len();
        let tenant = |job: u32| workload.jobs[job as usize].tenant as usize;
        let mut found = vec![Contended::default(); tenants];
        for now in (window.start.0..window.end.0).map(Time) {
            let runs = |segment: &&Segment| segment.from <= now && now < segment.to;
            let waiting = waits.iter().filter(|wait| wait.from <= now && now < wait.to).map(|wait| wait.job);
            let running: Vec<&Segment> = history.segments.iter().filter(runs).collect();
            let mut has_jobs = vec![false; tenants];
            let somebody_waits = waiting.map(|job| has_jobs[tenant(job)] = true).count() > 0;
            running.iter().for_each(|segment| has_jobs[tenant(segment.job)] = true);
            if somebody_waits && has_jobs.iter().filter(|has| **has).count() > 1 {
                for segment in running {
                    found[tenant(segment.job)].held += u128::from(history.gpus_of(segment));
                }
                for own in found.iter_mut().zip(&has_jobs).filter(|(_, has)| **has).map(|(own, _)| own) {
                    own.seconds += 1;
                }
            }
        }
        found
    }

    #[test]
    fn a_pass_through_time_equals_the_definition() {
        let mut contended = 0;
        for seed in 0..200 {
            let history = sample::random(seed);
            let window = Time(history.end.0 / 5)..history.end;
            let stretches = Stretches::new(times(&history).1);
            let found = replay(&history, &stretches, window.clone()).contended;
            assert_eq!(found, define(&history, &stretches.waits, &window), "seed {seed}");
            contended += usize::from(found.iter().filter(|own| own.seconds > 0).count() > 1);
        }
        assert!(contended > 50, "only {contended} runs with contention");
    }
}
