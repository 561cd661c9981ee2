//! Quasi-shortest service first as the simulator of Lucid has it: by predicted GPU-time, the prediction being what a job
//! requests; but jobs that come while none of their partition waits go by GPUs alone in the pass of that instant, since
//! predictions are only looked at where jobs are left from before.

use super::{ListedOrder, OrderKey};
use crate::state::{Event, State};
use crate::units::{Seconds, Time};
use std::collections::BTreeSet;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "qssf-lucid",
    about: "least GPUs × requested time first, of jobs that come to an empty queue the fewest GPUs; for comparisons with Lucid",
    source: "Hu et al., Lucid, ASPLOS 2023: its simulator, policy qssf",
    options: &[],
    rule: OrderKey::Lucid,
};

/// Which jobs came to an empty queue.
#[derive(Debug)]
pub(super) struct Newcomers {
    /// Jobs that waited when they were last looked at, behind their partitions.
    waiting: BTreeSet<(u32, u32)>,
    /// By partition: when a job last came while none waited; never: [`Time::NEVER`].
    came: Vec<Time>,
    /// The latest of these.
    last: Option<Time>,
}

impl Newcomers {
    pub(super) fn new(partitions: usize) -> Self {
        Self { waiting: BTreeSet::new(), came: vec![Time::NEVER; partitions], last: None }
    }

    /// Takes note of which jobs wait.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        let own = |job: u32| (state.class(job).partition, job);
        match *event {
            Event::Eligible { job } | Event::Released { job } => self.come(own(job), state),
            Event::Ended { job, .. } if state.waits(job) => self.come(own(job), state),
            _ => {}
        }
    }

    fn come(&mut self, (partition, job): (u32, u32), state: &State) {
        // What a pass starts is told to others alone.
        let first = loop {
            let first = self.waiting.range((partition, 0)..=(partition, u32::MAX)).next().copied();
            match first {
                Some(gone) if !state.waits(gone.1) => self.waiting.remove(&gone),
                first => break first,
            };
        };
        if first.is_none() {
            self.came[partition as usize] = state.now();
            self.last = Some(state.now());
        }
        self.waiting.insert((partition, job));
    }

    /// The key of a job now: thousandths of GPUs, times the seconds that it requests unless it came to an empty queue.
    pub(super) fn key(&self, state: &State, job: u32) -> u64 {
        let (now, class) = (state.now(), state.class(job));
        let is_new = state.eligible_time(job) == now && self.came[class.partition as usize] == now;
        let seconds = if is_new { 1 } else { state.job(job).requested_time.0 };
        u64::from(class.gpus_milli) * u64::from(seconds)
    }

    /// As of when keys hold: those of newcomers are others from the next instant on.
    pub(super) fn ranked(&self, now: Time) -> Time {
        self.last.map_or(Time::ZERO, |last| if now > last { last + Seconds(1) } else { last })
    }
}
