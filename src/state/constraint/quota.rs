//! The tenant would hold more than its quota, or its queue more than it has or may borrow.

use super::Constraint;
use crate::history::WaitReason;
use crate::state::Law;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Quota,
    is_about_places: false,
    may_refuse: |class| class.quota.is_some() || class.queue.is_some(),
    allows: |question| question.below_ceilings() != Err(Law::Quota),
};
