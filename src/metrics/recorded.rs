use super::distribution::Distribution;
use super::times::JobTimes;
use crate::history::History;
use crate::units::Time;
use serde::Serialize;

/// How long jobs waited where the trace comes from, beside how long the same jobs waited here.
///
/// Both are first start − submit, so that they can be compared; where nothing stops a job and none depends on another
/// that is `wait_time`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RecordedWaits {
    /// Recorded start − submit, of the jobs that have a recorded start and started here, in seconds.
    pub recorded: Distribution<u32>,
    /// Start − submit of the same jobs.
    pub simulated: Distribution<u32>,
    /// Jobs that have a recorded start and did not start here: they are in neither.
    pub not_started: u64,
}

/// The waits of those of `jobs` that have a recorded start; none if none has.
pub(super) fn recorded_waits(history: &History, times: &[JobTimes], jobs: &[u32]) -> Option<RecordedWaits> {
    let workload = &history.plan.workload;
    let (mut recorded, mut simulated, mut not_started) = (Vec::new(), Vec::new(), 0);
    for job in jobs {
        let Some(wait) = workload.recorded_wait(*job) else { continue };
        let index = *job as usize;
        match times[index].start_time {
            Time::NEVER => not_started += 1,
            start => {
                recorded.push(wait.0);
                simulated.push(start.since(workload.jobs[index].submit_time).0);
            }
        }
    }
    let told = not_started > 0 || !recorded.is_empty();
    told.then(|| RecordedWaits {
        recorded: Distribution::of_seconds(recorded),
        simulated: Distribution::of_seconds(simulated),
        not_started,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, Settings};
    use crate::metrics::{Metrics, measure};
    use crate::simulation::{Control, simulate};
    use crate::trace::{Options, read_bytes};

    fn measured(text: &str, settings: Settings) -> Metrics {
        let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
        let workload = read_bytes("t.csv", text.as_bytes(), None, &Options::default()).unwrap().workload;
        measure(&simulate(Plan { cluster, workload, settings }, &mut Control::default())).metrics
    }

    const JOBS: &str = "gpus,submit_time,work_time,recorded_start_time,outcome,cancel_time\n\
        8,0,100,10,,\n8,10,50,30,,\n8,20,50,,,\n8,30,50,,cancelled,40\n8,40,50,1040,,\n";

    #[test]
    fn recorded_waits_stand_beside_those_of_the_same_jobs() {
        let fifo = || Settings::named("fifo", "none", "first-fit");
        // Recorded 10, 20 and 1000; here they start at 0, 100 and 200.
        let waits = measured(JOBS, fifo()).recorded_waits.unwrap();
        let numbers = |times: &Distribution<u32>| (times.count, times.p50, times.p95, times.mean);
        assert_eq!(numbers(&waits.recorded), (3, 20, 1000, 1030.0 / 3.0), "as the trace tells");
        assert_eq!(numbers(&waits.simulated), (3, 90, 160, 250.0 / 3.0), "0, 90 and 160");
        let cut_off = Settings { until: Some(150), ..fifo() };
        let waits = measured(JOBS, cut_off).recorded_waits.unwrap();
        assert_eq!((waits.recorded.count, waits.not_started), (2, 1), "the last one did not start");
        let warm = Settings { warm_up: 5, drain: Some(40), ..fifo() };
        let waits = measured(JOBS, warm).recorded_waits.unwrap();
        assert_eq!((waits.recorded.count, waits.recorded.p50), (1, 20), "of the jobs that count");
        let silent = "gpus,submit_time,work_time\n8,0,100\n";
        assert_eq!(measured(silent, fifo()).recorded_waits, None, "nothing is told");
    }
}
