use super::*;
use crate::history::Outcome;
use crate::simulation::{Control, simulate};

#[test]
fn the_quickstart_runs_to_its_end_and_many_of_its_jobs_wait() {
    let loaded =
        Scenario::embedded_quickstart(&Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    let history = simulate(loaded.plan, &mut Control::default());
    let mut started = vec![u32::MAX; history.jobs.len()];
    for segment in &history.segments {
        let start = &mut started[segment.job as usize];
        *start = segment.from.0.min(*start);
    }
    assert!(history.jobs.iter().all(|job| job.outcome == Outcome::Completed), "nothing is left");
    let waited =
        history.jobs.iter().zip(&started).filter(|(job, start)| job.eligible_time.0 < **start).count();
    assert!(waited * 5 >= history.jobs.len(), "{waited} of {} wait: at least a fifth", history.jobs.len());
}
