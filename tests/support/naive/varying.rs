//! Keys that vary while a job waits, each from scratch: the greater, the sooner; of expressions the less.
//!
//! All are read as of the last whole number of periods (`rank_period`, 5 minutes where nothing is said) since the start. A
//! job that became eligible after that has not waited.

use gigawatt::history::Plan;

/// The instant as of which keys are read.
pub(super) fn instant(plan: &Plan, now: u32) -> u32 {
    let period = plan.settings.rank_period.unwrap_or(300);
    now / period * period
}

/// How long a job has waited, how long it asks for, and how many GPUs; no GPU counts as a thousandth of one.
fn features(plan: &Plan, job: u32, eligible: u32, now: u32) -> [f64; 3] {
    let waited = instant(plan, now).saturating_sub(eligible);
    let requested = plan.workload.jobs[job as usize].requested_time.0;
    let milli = plan.workload.request_of(job).gpus().milli().max(1);
    [f64::from(waited), f64::from(requested), f64::from(milli) / 1000.0]
}

/// The bits of a number of 0 or more stand in its order.
fn bits(value: f64) -> i64 {
    i64::try_from(value.to_bits()).expect("the sign is that of 0")
}

/// (waited ÷ requested)³ × GPUs.
pub(super) fn wfp3(plan: &Plan, job: u32, eligible: u32, now: u32) -> i64 {
    let [waited, requested, gpus] = features(plan, job, eligible, now);
    let slowed = waited / requested;
    bits(slowed * slowed * slowed * gpus)
}

/// Waited ÷ (log2(GPUs) × requested), of at least 2 GPUs.
pub(super) fn unicef(plan: &Plan, job: u32, eligible: u32, now: u32) -> i64 {
    let [waited, requested, gpus] = features(plan, job, eligible, now);
    bits(waited / (libm::log2(gpus.max(2.0)) * requested))
}

/// An order as an expression of what a job asks for and how long it has waited.
pub(super) const WAITED: &str = "requested_time / gpus ** 0.5 - 3 * wait";

/// It by hand.
pub(super) fn waited(plan: &Plan, job: u32, eligible: u32, now: u32) -> i64 {
    let [waited, requested, _] = features(plan, job, eligible, now);
    let gpus = f64::from(plan.workload.request_of(job).gpus().milli()) / 1000.0;
    of_any_sign(requested / libm::pow(gpus, 0.5) - 3.0 * waited)
}

/// One that does not change while a job waits.
pub(super) const WEIGHED: &str = "min(requested_time, 60) * (1 - priority / 2) - log2(1 + submit_time)";

/// It by hand.
pub(super) fn weighed(plan: &Plan, job: u32) -> i64 {
    let job = &plan.workload.jobs[job as usize];
    let requested = f64::from(job.requested_time.0.min(60));
    let submitted = libm::log2(1.0 + f64::from(job.submit_time.0));
    of_any_sign(requested * (1.0 - f64::from(job.priority) / 2.0) - submitted)
}

/// The bits of a number of any sign, in its order.
fn of_any_sign(value: f64) -> i64 {
    if value >= 0.0 { bits(value.abs()) } else { -bits(-value) }
}
