//! Whether a key that jumps calls for a pass.
//!
//! While nothing else happens, keys of running jobs fall and those of waiting ones stay. After a pass that decided nothing, and in
//! which every waiting job was refused for lack of GPUs or quota, not of a place, a waiting job could start only because a running
//! one no longer goes before it: one whose key has jumped over that of the job since that pass. All others go before no fewer jobs
//! than then, so that no more is left for these.

use super::Preemptive;
use crate::state::State;

impl Preemptive {
    /// Of the running jobs whose keys have changed by themselves, those that call for a pass touch their groups; when the keys of
    /// the others change next is found out in this pass.
    pub(super) fn touch_by_jumps(&mut self, state: &State) {
        let due: Vec<u32> = self.due(state.now()).collect();
        for job in due {
            let group = self.group(state, job);
            self.touched[group] = self.touched[group] || !self.quiet[group] || self.jumps(state, job);
        }
    }

    /// True if the key of a running job has passed that of the first waiting job of a class of its group since its rank was told.
    fn jumps(&mut self, state: &State, job: u32) -> bool {
        let course = self.order.course(state, job);
        let Some(runner) = self.running.get_mut(job) else { return true };
        runner.course = course;
        let (before, group) = (runner.rank, runner.group as usize);
        let now = before.with_key(self.order.key_along(course, state.now()));
        let linked =
            |class: u32| self.group_of[state.classes().table[class as usize].partition as usize] == group;
        let mut passed = self.pending.fronts().filter(|(_, first)| before < *first && *first < now);
        passed.any(|(class, _)| linked(class))
    }
}
