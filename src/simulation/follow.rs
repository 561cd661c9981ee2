//! What decisions mean for events to come.

use super::queue::Rank;
use super::{Control, Simulation};
use crate::history::{Outcome, SegmentEnd};
use crate::policy;
use crate::state::{Event, Status};
use crate::units::Time;

impl Simulation {
    /// What was decided is shown, told to a policy that does not know it yet, and followed.
    pub(super) fn follow_all(&mut self, now: Time, control: &mut Control<'_>) {
        let (log, heard) = self.state.take_log();
        for (index, event) in log.iter().enumerate() {
            if let Some(trace) = &mut control.trace {
                trace(&event.describe(&self.state));
            }
            if index >= heard {
                self.policy.observe(event, &self.state);
            }
            self.follow(*event, now);
        }
        self.state.give_back(log);
    }

    /// What something that was decided means for events to come.
    pub(super) fn follow(&mut self, event: Event, now: Time) {
        match event {
            Event::Started { segment, .. } => {
                self.pending -= 1;
                self.queue_finish(segment);
                self.holds(segment);
            }
            Event::Changed { before, segment, .. } => {
                self.queue_finish(segment);
                if before != segment {
                    self.lets_go(before);
                    self.holds(segment);
                }
            }
            Event::Ended { segment, .. } => {
                self.pending += 1;
                self.lets_go(segment);
            }
            Event::Rejected { job } => {
                self.pending -= 1;
                self.settle(job, Outcome::Rejected);
            }
            Event::Held { job, until } => self.queue.push(until, Rank::Release, job),
            Event::WakeAt { time } if time > now && time != Time::NEVER => {
                self.queue.push(time, Rank::Timer, 0);
            }
            _ => {}
        }
    }

    /// What a job holds in a segment ages for it, where it has not let go already.
    fn holds(&mut self, segment: u32) {
        if let Some(failing) = &mut self.failing {
            failing.begins(&self.state, segment);
        }
    }

    fn queue_finish(&mut self, segment: u32) {
        let segment = &self.state.history().segments[segment as usize];
        if segment.end == SegmentEnd::Open && segment.to != Time::NEVER {
            self.queue.push(segment.to, Rank::Finish, segment.job);
        }
    }

    /// Jobs that are running at time 0 take their nodes before the first pass.
    pub(super) fn start_running(&mut self) {
        let running = self.state.plan().workload.running.clone();
        for running in &running {
            let job = running.job;
            if self.state.status(job) != Status::Pending {
                continue;
            }
            if let Some(choice) = policy::choose_initial(&self.state, running) {
                let event = self.state.begin_running(job, &choice.pieces);
                self.tell(event);
                self.follow(event, Time::ZERO);
            }
        }
        self.state.take_log();
    }
}
