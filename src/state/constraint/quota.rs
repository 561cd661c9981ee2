//! The tenant, or the queue that it is in, would hold more than its quota.

use super::Constraint;
use crate::history::WaitReason;
use crate::state::Law;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Quota,
    is_about_places: false,
    may_refuse: |class| class.quota.is_some(),
    allows: |question| question.below_ceilings() != Err(Law::Quota),
};
