//! Too few are left of a licence that the job holds while it runs.

use super::Constraint;
use crate::history::WaitReason;
use crate::state::Law;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Licence,
    is_about_places: false,
    may_refuse: |class| !class.licences.is_empty(),
    allows: |question| question.below_ceilings() != Err(Law::Licence),
};
