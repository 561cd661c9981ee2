//! There is a place, but a cap on power above it has too little headroom left.

use super::Constraint;
use crate::history::WaitReason;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Power,
    is_about_places: true,
    may_refuse: |class| class.draws.is_some(),
    allows: |question| {
        question.resources.power().is_none()
            || question.places.has_power(question.class, question.job, question.resources)
    },
};
