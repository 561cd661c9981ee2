//! Runs in the forms of other tools: written only if asked for.

mod evalys;
mod messages;
mod perfetto;
mod swf;

pub(super) use evalys::write as evalys;
pub(super) use perfetto::write as perfetto;
pub(super) use swf::write as swf;

use crate::history::{History, JobRecord, Outcome};
use crate::metrics::JobTimes;
use crate::units::{Seconds, Time};

/// How long a job ran, as far as it did; none if it never started.
fn run_time(times: &JobTimes) -> Option<Seconds> {
    (times.attempts > 0).then_some(times.run_time)
}

/// From submission to the first start, or to the end of a job that never started; none if it still waits.
fn first_wait(submit: Time, record: &JobRecord, times: &JobTimes) -> Option<Seconds> {
    let until = if times.attempts > 0 { times.start_time } else { record.finish_time };
    (until != Time::NEVER).then(|| until.since(submit))
}

/// GPUs as whole ones, a part counting as one.
fn whole_gpus(history: &History, job: u32) -> u32 {
    history.plan.workload.request_of(job).gpus().milli().div_ceil(1000)
}

/// Whether the work of a job was done to its end.
const fn is_success(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Completed)
}
