use super::{first_wait, run_time, whole_gpus};
use crate::history::{History, Outcome};
use crate::report::run::Run;
use crate::units::{Seconds, Time};
use std::io::{self, BufWriter, Write};

/// Writes the jobs as a log of the Standard Workload Format (version 2.2): a GPU is a processor.
///
/// A run on the log is a run of the same jobs: the run times are those that came of this run, restarts included, and a
/// job that never started has none.
pub(in crate::report::run) fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let history = run.history;
    header(run, &mut out)?;
    let before = only_predecessors(history);
    let workload = &history.plan.workload;
    for ((job, own), record) in (0u32..).zip(&workload.jobs).zip(&history.jobs) {
        let times = &run.measured.jobs[job as usize];
        let known = |seconds: Option<Seconds>| seconds.map_or(-1, |seconds| i64::from(seconds.0));
        let (wait, run_time) = (known(first_wait(own.submit_time, record, times)), known(run_time(times)));
        let gpus = whole_gpus(history, job);
        let allocated = if times.attempts > 0 { i64::from(gpus) } else { -1 };
        let (before, think) = before[job as usize]
            .map_or((-1, -1), |(before, delay)| (i64::from(before) + 1, i64::from(delay.0)));
        writeln!(
            out,
            "{} {} {wait} {run_time} {allocated} -1 -1 {gpus} {} -1 {} {} -1 -1 {} -1 {before} {think}",
            job + 1,
            own.submit_time.0,
            own.requested_time.0,
            status(record.outcome),
            own.tenant + 1,
            workload.request_of(job).partition,
        )?;
    }
    out.flush()
}

/// Field 11: 1 completed, 0 failed, 5 stopped or withdrawn, -1 not known.
const fn status(outcome: Outcome) -> i8 {
    match outcome {
        Outcome::Completed => 1,
        Outcome::Failed => 0,
        Outcome::Timeout | Outcome::Cancelled | Outcome::Rejected | Outcome::DependencyFailed => 5,
        Outcome::Unfinished => -1,
    }
}

/// By job: the only one it depends on, and the delay; the format has room for one.
fn only_predecessors(history: &History) -> Vec<Option<(u32, Seconds)>> {
    let dependencies = &history.plan.workload.dependencies;
    let mut found = vec![None; history.jobs.len()];
    for (before, after, delay) in dependencies.edges() {
        if dependencies.predecessor_count(after) == 1 {
            found[after as usize] = Some((before, delay));
        }
    }
    found
}

fn header(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let history = run.history;
    let (cluster, workload) = (&history.plan.cluster, &history.plan.workload);
    writeln!(out, "; Version: 2.2")?;
    writeln!(out, "; Computer: {}", run.provenance.title.replace(['\n', '\r'], " "))?;
    writeln!(out, "; Installation: simulated by gigawatt {}", history.plan.settings.version)?;
    writeln!(out, "; MaxJobs: {}", history.jobs.len())?;
    writeln!(out, "; MaxRecords: {}", history.jobs.len())?;
    if let Some(epoch) = workload.epoch {
        writeln!(out, "; UnixStartTime: {epoch}")?;
        writeln!(out, "; TimeZoneString: UTC")?;
    }
    writeln!(out, "; MaxNodes: {}", cluster.nodes())?;
    writeln!(out, "; MaxProcs: {}", cluster.gpus())?;
    writeln!(out, "; Note: a processor is a GPU; jobs are numbered as in the input")?;
    for (count, what) in lost(history) {
        writeln!(out, "; Note: {count} {what}")?;
    }
    for (index, tenant) in workload.tenants.iter().enumerate() {
        writeln!(out, "; Note: user {} is {}", index + 1, tenant.name.replace(['\n', '\r'], " "))?;
    }
    Ok(())
}

/// What the format has no room for, and how often.
fn lost(history: &History) -> Vec<(usize, &'static str)> {
    let workload = &history.plan.workload;
    let jobs = || 0..workload.len();
    let parts = jobs().filter(|job| !workload.request_of(*job).gpus().milli().is_multiple_of(1000)).count();
    let many = jobs().filter(|job| workload.dependencies.predecessor_count(*job) > 1).count();
    let left = history.jobs.iter().filter(|record| record.finish_time == Time::NEVER).count();
    let all = [
        (parts, "jobs ask for parts of GPUs: rounded up"),
        (many, "jobs depend on several others: none of them is told"),
        (left, "jobs had not ended when the run did: their status is -1"),
    ];
    all.into_iter().filter(|(count, _)| *count > 0).collect()
}
