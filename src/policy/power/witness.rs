//! Follows a history and tells who could not have started for want of power alone.

use super::Rule;
use crate::cluster::NodeState;
use crate::history::{History, Plan, Segment};
use crate::policy::placement::Placement;
use crate::state::Resources;
use crate::state::class::{Classes, Form};
use crate::state::place::Choice;
use crate::state::power::CapRule;
use crate::units::Time;

/// What was free and what was reserved at one instant of a run whose starts heeded caps.
#[derive(Debug)]
pub struct Witness {
    room: Resources,
    caps: CapRule,
    classes: Classes,
    placement: Placement,
    /// Where anything that fits one pod will do.
    anywhere: Placement,
}

impl Witness {
    /// Before anything has happened; none if nobody heeds caps in such a run.
    #[must_use]
    pub fn new(plan: &Plan) -> Option<Self> {
        let caps = Rule::of(plan)?.caps(Rule::drains(plan));
        let classes = Classes::of(plan, Some(&caps));
        let placement = Placement::of(plan, &classes)?;
        let anywhere = Placement::first_fit(plan, &classes);
        Some(Self { room: Resources::new(plan, &classes, Some(&caps)), caps, classes, placement, anywhere })
    }
    /// The request class of a job: jobs of one class fit or do not alike.
    #[must_use]
    pub fn class_of(&self, job: u32) -> u32 {
        self.classes.of_job[job as usize]
    }
    /// Time goes on to this instant, before anything of it happens.
    pub fn set_now(&mut self, now: Time) {
        self.room.set_now(now);
    }
    /// The caps of an instant hold.
    pub fn set_caps(&mut self, plan: &Plan, now: Time) {
        self.room.set_caps(plan, now, self.caps.drains);
    }
    /// A node changes its state.
    pub fn set_state(&mut self, node: u32, state: NodeState) {
        self.room.set_state(node, state);
    }
    /// A segment begins to hold its pieces. Returns whether they are free: a history from a file may say anything, and
    /// this witness is of no use after that.
    #[must_use]
    pub fn begins(&mut self, history: &History, segment: &Segment) -> bool {
        let class = self.classes.of_job(segment.job);
        self.room.claim_if_free(class, history.pieces_of(segment), segment.cap).is_ok()
    }
    /// A segment that began lets go of its pieces.
    pub fn ends(&mut self, history: &History, segment: &Segment) {
        self.room.release(self.classes.of_job(segment.job), history.pieces_of(segment), segment.cap);
    }
    /// Whether a job would find a place were it not for caps.
    #[must_use]
    pub fn lacks_power(&mut self, job: u32) -> bool {
        let class = self.classes.of_job(job);
        // Whether a gang over several racks fits may depend on which are taken.
        let is_gang = matches!(class.form, Form::Gang { .. } | Form::Pods { .. });
        let placement = if is_gang { &mut self.placement } else { &mut self.anywhere };
        placement.choose(class, job, &self.room.occupancy, &mut Choice::default())
            && !placement.fits(class, job, &self.room)
    }
}
