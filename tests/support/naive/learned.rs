//! What a job is predicted to take, told by those that have ended (qssf).

use super::time::Simulation;
use gigawatt::history::Outcome;
use gigawatt::workload::Overrun;

impl Simulation<'_> {
    /// What jobs take: stated, or of all jobs; thousandths of service, those that take something; of more than 32, so many.
    pub(super) fn lengths(&self) -> Vec<u64> {
        let settings = &self.plan.settings;
        let mut lengths: Vec<u64> = settings.lengths.iter().map(|length| length * 1000).collect();
        if lengths.is_empty() {
            let length = |job: u32| u64::from(self.job(job).work_time.0) * self.service(job);
            lengths = (0..self.plan.workload.len()).map(length).collect();
        }
        lengths.retain(|length| *length > 0);
        lengths.sort_unstable();
        let all = lengths.len();
        if all <= 32 {
            return lengths;
        }
        // The middle one of every thirty-second part.
        (0..32).map(|part| lengths[(2 * part + 1) * all / 64]).collect()
    }

    /// The inverse of the Gittins index of a job that has received so much: the least, over all Δ that end at a length S, of
    /// E[min(S − a, Δ) | S > a] ÷ P(S ≤ a + Δ | S > a), rounded down; of a job longer than any the greatest number (gittins).
    pub(super) fn spent_for_each_done(&self, attained: u64) -> i64 {
        let longer: Vec<u64> = self.lengths().into_iter().filter(|length| *length > attained).collect();
        let spent = |end: &u64| {
            let expected: u64 = longer.iter().map(|length| length.min(end) - attained).sum();
            let done = longer.iter().filter(|length| *length <= end).count() as u64;
            i64::try_from(expected / done).expect("lengths are short")
        };
        longer.iter().map(spent).min().unwrap_or(i64::MAX)
    }

    /// What it asks for, thousandths of GPUs times seconds (qssf-lucid); where it becomes eligible now and no job of its
    /// partition waits that came before now, the thousandths alone.
    pub(super) fn service_unless_new(&self, job: u32) -> i64 {
        let milli = i64::from(self.plan.workload.request_of(job).gpus().milli());
        let is_new = |job: &u32| self.eligible(*job) == self.now && !self.has_started(*job);
        let mut beside = self.pending.iter();
        let came_first =
            |other: &u32| self.world.partition_of(*other) == self.world.partition_of(job) && !is_new(other);
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
