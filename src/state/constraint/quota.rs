//! The tenant would hold more than its quota.

use super::Constraint;
use crate::history::WaitReason;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Quota,
    is_about_places: false,
    allows: |question| question.resources.within_quota(question.class),
};
