//! Fewer GPUs are free than the job asks for, in its partition and on its platforms.

use super::Constraint;
use crate::history::WaitReason;
use crate::state::class::Class;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Capacity,
    is_about_places: true,
    may_refuse: |_| true,
    allows: |question| {
        let free = |class: &Class| question.resources.occupancy.free_milli_in(class.scope as usize);
        question.any(|class| u64::from(class.gpus_milli) <= free(class))
    },
};
