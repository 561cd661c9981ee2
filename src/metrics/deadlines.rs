use super::distribution::Distribution;
use crate::history::{History, Outcome};
use crate::units::Seconds;
use serde::Serialize;

/// What became of the jobs that have a deadline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct DeadlineMetrics {
    /// Those that completed by it.
    pub met: u32,
    /// Those that did not: done later, or not at all, or not yet when the run was over after it.
    pub missed: u32,
    /// Those that still could when the run was over.
    pub open: u32,
    /// `tardiness` = max(0, finish − deadline), seconds, of those that completed.
    pub tardiness: Distribution<u32>,
}

impl DeadlineMetrics {
    /// Of those of which it is known, the share that met it; none: it is known of none.
    ///
    /// ```
    /// use gigawatt::metrics::DeadlineMetrics;
    /// let metrics = DeadlineMetrics { met: 3, missed: 1, open: 9, ..DeadlineMetrics::default() };
    /// assert_eq!(metrics.share(), Some(0.75));
    /// ```
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let known = f64::from(self.met) + f64::from(self.missed);
        (known > 0.0).then(|| f64::from(self.met) / known)
    }
}

/// How much later than its deadline a job completed; none: it has none, or did not complete.
#[must_use]
pub fn tardiness(history: &History, job: u32) -> Option<Seconds> {
    let due = history.plan.workload.jobs[job as usize].due_time()?;
    let record = &history.jobs[job as usize];
    (record.outcome == Outcome::Completed).then(|| record.finish_time.since(due))
}

/// Whether a job has a deadline that it still could meet when the run was over.
#[must_use]
pub fn deadline_is_open(history: &History, job: u32) -> bool {
    let due = history.plan.workload.jobs[job as usize].due_time();
    due.is_some_and(|due| history.jobs[job as usize].outcome == Outcome::Unfinished && history.end < due)
}

/// What became of those of `jobs` that have a deadline; none if none has.
pub(super) fn deadlines(history: &History, jobs: &[u32]) -> Option<DeadlineMetrics> {
    let mut metrics = DeadlineMetrics::default();
    let mut late = Vec::new();
    for job in jobs {
        if history.plan.workload.jobs[*job as usize].due_time().is_none() {
            continue;
        }
        let tardiness = tardiness(history, *job);
        late.extend(tardiness.map(|late| late.0));
        match tardiness {
            Some(Seconds::ZERO) => metrics.met += 1,
            None if deadline_is_open(history, *job) => metrics.open += 1,
            _ => metrics.missed += 1,
        }
    }
    metrics.tardiness = Distribution::of_seconds(late);
    (metrics.met + metrics.missed + metrics.open > 0).then_some(metrics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, Settings};
    use crate::metrics::measure;
    use crate::simulation::{Control, simulate};
    use crate::trace::{Options, read_bytes};

    /// Five jobs one after the other, done at 100, 150, 200, 250 and 300.
    const JOBS: &str = "gpus,submit_time,work_time,deadline,outcome\n\
        8,0,100,100,\n8,10,50,120,\n8,20,50,300,failed\n8,30,50,,\n8,40,50,400,\n";

    fn measured(text: &str, until: Option<u32>) -> Option<DeadlineMetrics> {
        let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
        let workload = read_bytes("t.csv", text.as_bytes(), None, &Options::default()).unwrap().workload;
        let settings = Settings { until, ..Settings::named("fifo", "none", "first-fit") };
        measure(&simulate(Plan { cluster, workload, settings }, &mut Control::default())).metrics.deadlines
    }

    #[test]
    fn a_deadline_is_met_missed_or_open() {
        let all = measured(JOBS, None).unwrap();
        assert_eq!((all.met, all.missed, all.open), (2, 2, 0), "one is late, one fails in time");
        assert_eq!((all.tardiness.count, all.tardiness.max), (3, 20), "done at 150, due at 130");
        assert_eq!(all.share(), Some(0.5));
        let cut_off = measured(JOBS, Some(140)).unwrap();
        assert_eq!(
            (cut_off.met, cut_off.missed, cut_off.open),
            (1, 1, 2),
            "130 is over, 320 and 440 are not"
        );
        assert_eq!(measured("gpus,submit_time,work_time\n8,0,100\n", None), None, "no job has one");
    }
}
