//! Fewer GPUs are free than the job asks for, in its partition and on its platforms.

use super::Constraint;
use crate::history::WaitReason;

pub(super) const CONSTRAINT: Constraint = Constraint {
    reason: WaitReason::Capacity,
    is_about_places: true,
    may_refuse: |_| true,
    allows: |question| {
        let free = question.resources.occupancy.free_milli_in(question.class.scope as usize);
        u64::from(question.class.gpus_milli) <= free
    },
};
