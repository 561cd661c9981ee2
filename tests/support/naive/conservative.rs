//! Conservative backfill: every pending job holds a reservation of the very GPUs it will use.
//!
//! In a pass:
//! 1. If a running job is past its expected end, if a reservation begins before now, or if a pass at an event, which
//!    looks at none, started somebody, all reservations are given up first: those that stay would lie in the way of each
//!    other, and nobody might ever start.
//! 2. Else, if something left since the last pass (a job ended or was stopped, a job with a reservation was cancelled
//!    or can never start, capacity changed), every job with a reservation, queue by queue in order, gives it up and
//!    reserves anew, all others staying where they are at that moment.
//! 3. Every job without a reservation, queue by queue in order, reserves.
//! 4. Every job whose reservation begins now starts, queue by queue in order, on what it reserved.
//!
//! **To reserve**: of now and every later end of a running job's or a reservation's window, the earliest at which the
//! placement finds a place among what is free over the whole window (of every GPU, CPU, memory and quota the least
//! at any instant of it); none if there is none. Running jobs hold until their expected end, nodes that are not up
//! are never free, and the window is as long as the job would be expected to take on the slowest platform of its
//! scope, for a gang over several racks of it where racks matter.
//!
//! Without a cycle, a reservation made to begin later than the next second sets a pass for its beginning. (One that
//! begins in the next second waits for a job that ends then, which is an event, or overruns.)

use super::free::Free;
use super::time::{NEVER, Reservation, Simulation};

impl Simulation<'_> {
    pub(super) fn conservative_pass(&mut self) {
        let queue: Vec<u32> = self.queues().concat();
        let stale = self.reservations.values().any(|reservation| reservation.from < self.now);
        if self.void || stale || self.running.iter().any(|job| self.is_overdue(*job)) {
            self.reservations.clear();
        } else if self.something_left {
            for job in &queue {
                if self.reservations.remove(job).is_some() {
                    self.reserve(*job);
                }
            }
        }
        for job in &queue {
            if !self.reservations.contains_key(job) {
                self.reserve(*job);
            }
        }
        let mut blocked = false;
        for job in queue {
            let now = self.now;
            match self.reservations.get(&job).filter(|reservation| reservation.from == now) {
                Some(reservation) => {
                    let holding = reservation.holding.clone();
                    self.start(job, holding);
                    self.result.counts.backfilled += u64::from(blocked);
                }
                None => blocked = true,
            }
        }
        self.result.counts.blocked += u64::from(blocked);
    }

    fn reserve(&mut self, job: u32) {
        let rate = self.slowest_rate(job);
        let mut starts = vec![self.now];
        starts.extend(self.running.iter().map(|job| self.expected_end(*job)));
        starts
            .extend(self.reservations.values().map(|reservation| reservation.to).filter(|to| *to > self.now));
        starts.sort_unstable();
        starts.dedup();
        for from in starts.into_iter().filter(|from| *from != NEVER) {
            let to = self.would_end(job, from, rate);
            let free = self.free_over(from, to);
            if !self.world.quota_allows(&free, job) {
                continue;
            }
            if let Some(holding) = self.world.place(&free, job) {
                self.reservations.insert(job, Reservation { from, to, holding, alarm: from > self.now + 1 });
                self.result.counts.reserved += u64::from(from > self.now);
                return;
            }
        }
    }

    /// The rate on the slowest platform of the scope, for a gang over several racks.
    fn slowest_rate(&self, job: u32) -> u32 {
        self.rates(job).into_iter().min().unwrap_or(1 << 16)
    }

    /// What is free at every instant of `from..to`.
    fn free_over(&self, from: u32, to: u32) -> Free {
        let begins = self.reservations.values().map(|reservation| reservation.from);
        let mut least = self.free_at(from);
        for instant in begins.filter(|begin| *begin > from && *begin < to) {
            least.least(&self.free_at(instant));
        }
        least
    }

    fn free_at(&self, instant: u32) -> Free {
        let mut free = Free::empty(&self.plan.cluster, self.plan.workload.tenants.len());
        free.state.clone_from(&self.free.state);
        for job in &self.running {
            if self.expected_end(*job) > instant {
                free.take(&self.attempt(*job).holding, self.job(*job).tenant);
            }
        }
        for (job, reservation) in &self.reservations {
            if (reservation.from..reservation.to).contains(&instant) {
                free.take(&reservation.holding, self.job(*job).tenant);
            }
        }
        free
    }
}
