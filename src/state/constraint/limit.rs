//! The jobs of the partition would hold more than its limit.

use super::Constraint;
use crate::history::WaitReason;
use crate::state::Law;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Limit,
    is_about_places: false,
    may_refuse: |class| class.limit.is_some(),
    allows: |question| question.below_ceilings() != Err(Law::Limit),
};
