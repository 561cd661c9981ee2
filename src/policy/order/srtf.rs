//! Shortest remaining time first, preemptive: by the reference seconds of work a job really has left.

use super::{Attained, Course, ListedOrder, OrderKey, Ranking};
use crate::state::State;
use crate::units::Time;

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "srtf",
    about: "least work left first; implies preemption",
    source: "Schrage, A proof of the optimality of the shortest remaining processing time discipline, 1968",
    options: &[],
    rule: OrderKey::Ranking(Ranking { course, changes: |_, _, _| Time::NEVER }),
};

fn course(state: &State, _: &Attained, job: u32) -> Course {
    let (left, from, rate) = state.course_with_restarts(job);
    Course::Falls { left, from, rate, times: 1 }
}
