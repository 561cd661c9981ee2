//! What a job is predicted to take, told by those that have ended (qssf).

use super::time::Simulation;
use gigawatt::history::Outcome;
use gigawatt::workload::Overrun;

impl Simulation<'_> {
    /// What it asks for, thousandths of GPUs times seconds (qssf-lucid); where it becomes eligible now and no job of its
    /// partition waits that came before now, the thousandths alone.
    pub(super) fn service_unless_new(&self, job: u32) -> i64 {
        let milli = i64::from(self.plan.workload.request_of(job).gpus().milli());
        let is_new = |job: &u32| self.eligible(*job) == self.now && !self.has_started(*job);
        let mut beside = self.pending.iter();
        let came_first = |other: &u32| {
            self.world.partition_of(*other) == self.world.partition_of(job) && !is_new(other)
        };
        if is_new(&job) && !beside.any(came_first) {
            return milli;
        }
        milli * i64::from(self.job(job).requested_time.0)
    }

    /// Thousandths of GPUs times twice the predicted seconds: what the last two jobs took that had ended, by themselves, by
    /// the instant at which this one became eligible, with as many GPUs; of the same tenant if it has had two, else of any
    /// tenant; where there are no two, what it asks for. Of an instant the job of the higher index ends last.
    pub(super) fn predicted_service(&self, job: u32) -> i64 {
        let milli = |job: u32| self.plan.workload.request_of(job).gpus().milli();
        let by_itself = [Outcome::Completed, Outcome::Failed, Outcome::Timeout];
        let mut ended: Vec<u32> = (0..self.plan.workload.len())
            .filter(|other| milli(*other) == milli(job))
            .filter(|other| by_itself.contains(&self.result.jobs[*other as usize].outcome))
            .filter(|other| self.result.jobs[*other as usize].finish <= self.eligible(job))
            .collect();
        ended.sort_by_key(|other| (self.result.jobs[*other as usize].finish, *other));
        let took = |other: &u32| {
            let job = self.job(*other);
            let killed = self.behaviour(*other).overrun == Overrun::Kill;
            i64::from(if killed { job.work_time.min(job.requested_time).0 } else { job.work_time.0 })
        };
        let last_two = |of: Vec<u32>| match of[..] {
            [.., one, other] => Some(took(&one) + took(&other)),
            _ => None,
        };
        let same_tenant = |other: &u32| self.job(*other).tenant == self.job(job).tenant;
        let of_tenant = last_two(ended.iter().copied().filter(same_tenant).collect());
        let predicted = of_tenant.or_else(|| last_two(ended));
        let asked = 2 * i64::from(self.job(job).requested_time.0);
        predicted.unwrap_or(asked) * i64::from(milli(job))
    }
}
