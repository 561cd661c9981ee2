//! What can say no to a start, and for which reason: the one answer to "does it fit; if not, why?".
//!
//! A constraint is one file and one line in [`CONSTRAINTS`]; the first that says no is why a job waits. A job that is
//! held back asks none of them. What a pass asks first, since it is quicker to tell, is asked here again: the free counts
//! of [`Resources::holds`], the quota, and the places that the placement finds.
//!
//! ```
//! use gigawatt::state::constraint::CONSTRAINTS;
//! let reasons: Vec<_> = CONSTRAINTS.iter().map(|constraint| constraint.reason.name()).collect();
//! assert_eq!(reasons, ["quota", "limit", "licence", "capacity", "shape", "power"]);
//! ```

mod capacity;
mod licence;
mod limit;
mod power;
mod quota;
mod shape;

use super::class::Class;
use super::{Law, Resources};
use crate::history::WaitReason;

/// Finds out whether there is a place, as the placement of a run looks for one.
pub trait Places: std::fmt::Debug {
    /// Whether a job of a class would find a place in what is free, whatever the caps on power.
    fn has_room(&self, class: &Class, job: u32, resources: &Resources) -> bool;
    /// Whether it would find one within every cap on power.
    fn has_power(&self, class: &Class, job: u32, resources: &Resources) -> bool;
}

/// Whether a job could start now.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is free.
    pub resources: &'a Resources,
    /// The class of the job.
    pub class: &'a Class,
    /// The job: where costs are drawn at random, jobs of one class may go different ways.
    pub job: u32,
    /// How places are found.
    pub places: &'a dyn Places,
}

impl Question<'_> {
    /// Whether anything allows the job, of what it is on the platforms whose quota does.
    fn any(&self, allows: impl FnMut(&Class) -> bool) -> bool {
        self.resources.allowed(self.class).any(allows)
    }
    /// Whether a ceiling keeps the job out: that of its tenant, that of its partition, or a licence, in this order.
    fn below_ceilings(&self) -> Result<(), Law> {
        self.resources.must_be_below_ceilings(self.class, u64::from(self.class.gpus_milli))
    }
}

/// One thing that can say no.
#[derive(Debug, Clone, Copy)]
pub struct Constraint {
    /// What a job waits for while this says no.
    pub reason: WaitReason,
    /// Whether it is about places: those behind a closed partition are not looked for.
    pub is_about_places: bool,
    /// Whether it can say no to jobs of a class at all.
    pub may_refuse: fn(&Class) -> bool,
    /// Whether it lets the job start; asked only once all before it have said yes.
    pub allows: fn(&Question<'_>) -> bool,
}

/// Every constraint, in the order in which they are asked.
pub const CONSTRAINTS: &[Constraint] = &[
    quota::CONSTRAINT,
    limit::CONSTRAINT,
    licence::CONSTRAINT,
    capacity::CONSTRAINT,
    shape::CONSTRAINT,
    power::CONSTRAINT,
];

/// What keeps a job from starting now: the reason of the first constraint that says no; none if it could start.
#[must_use]
pub fn why(question: &Question<'_>) -> Option<WaitReason> {
    first_no(CONSTRAINTS.iter(), question)
}

/// As [`why`], of a job for which no place is looked for, since its partition is closed.
#[must_use]
pub fn why_behind(question: &Question<'_>) -> Option<WaitReason> {
    first_no(CONSTRAINTS.iter().filter(|constraint| !constraint.is_about_places), question)
}

/// Whether [`why_behind`] may ever have a reason for jobs of a class.
#[must_use]
pub fn may_refuse_behind(class: &Class) -> bool {
    CONSTRAINTS.iter().any(|constraint| !constraint.is_about_places && (constraint.may_refuse)(class))
}

fn first_no(
    mut constraints: impl Iterator<Item = &'static Constraint>,
    question: &Question<'_>,
) -> Option<WaitReason> {
    constraints.find(|constraint| !(constraint.allows)(question)).map(|constraint| constraint.reason)
}
