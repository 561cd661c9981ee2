//! Shortest remaining service first, preemptive: by the reference seconds of work a job really has left times its GPUs.

use super::{Attained, Course, ListedOrder, OrderKey, Ranking};
use crate::state::State;
use crate::units::Time;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "srsf",
    about: "least GPUs × work left first; implies preemption",
    source: "Gu et al., Tiresias, NSDI 2019 (as the best that is known of, were run times known)",
    options: &[],
    rule: OrderKey::Ranking(Ranking { course, changes: |_, _, _| Time::NEVER }),
};

fn course(state: &State, _: &Attained, job: u32) -> Course {
    let (left, from, rate) = state.course_with_restarts(job);
    Course::Falls { left, from, rate, times: state.class(job).gpus_milli }
}
