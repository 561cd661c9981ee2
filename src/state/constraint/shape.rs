//! Enough GPUs are free, but no node, rack or set of nodes takes the job's pods.

use super::Constraint;
use crate::history::WaitReason;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Shape,
    is_about_places: true,
    may_refuse: |_| true,
    allows: |question| {
        question.any(|class| question.places.has_room(class, question.job, question.resources))
    },
};
