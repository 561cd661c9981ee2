//! Jobs that stop for others so often, or so soon, that the run is more about stopping than about work.

use crate::history::{History, SegmentEnd, Settings};
use crate::policy::part::options_of;
use crate::report::number::{counted, grouped};
use crate::units::Time;

/// Stops by a policy for each job that ran from which on they are many.
const MANY: u64 = 10;
/// Stops that come sooner after the start than so many seconds come soon.
const SOON: u32 = 60;
/// Fewer that come soon may be chance.
const FEW: u64 = 20;

/// How often a policy stopped jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Churn {
    stops: u64,
    /// Those that came soon after the start.
    soon: u64,
    /// Jobs that ran.
    jobs: u64,
}

impl Churn {
    fn of(history: &History) -> Self {
        let mut churn = Self::default();
        // By job: when its attempt began, and up to when it is known to go on.
        let mut attempts: Vec<Option<(Time, Option<Time>)>> = vec![None; history.jobs.len()];
        for segment in &history.segments {
            let own = &mut attempts[segment.job as usize];
            churn.jobs += u64::from(own.is_none());
            let goes_on = own.filter(|(_, until)| *until == Some(segment.from));
            let began = goes_on.map_or(segment.from, |(began, _)| began);
            *own = Some((began, Some(segment.to).filter(|_| segment.end == SegmentEnd::Changed)));
            if segment.end == SegmentEnd::Preempted {
                churn.stops += 1;
                churn.soon += u64::from(segment.to.since(began).0 < SOON);
            }
        }
        churn
    }

    /// What to say of it, and what helps; nothing where stops are few and late.
    fn told(self, help: &str) -> Option<String> {
        let Self { stops, soon, jobs } = self;
        let are_many = stops > MANY * jobs;
        let are_soon = soon >= FEW && 2 * soon > stops;
        let of = format!("{} of {}", grouped(soon), counted(stops, "stop"));
        match (are_many, are_soon) {
            (false, false) => None,
            (true, false) => {
                let each = grouped(stops / jobs.max(1));
                Some(format!("{} of {}, {each} each: {help}", counted(stops, "stop"), counted(jobs, "job")))
            }
            (false, true) => Some(format!("{of} came within a minute of the start: {help}")),
            (true, true) => Some(format!(
                "{of} came within a minute of the start, and each of {} was stopped {} times: {help}",
                counted(jobs, "job"),
                grouped(stops / jobs.max(1))
            )),
        }
    }
}

/// What to say of a run in which a policy stopped jobs more than ten times for each that ran, or most of them within a minute of their
/// start; nothing of others.
pub(super) fn churn(history: &History) -> Option<String> {
    Churn::of(history).told(help(&history.plan.settings))
}

/// What keeps jobs from stopping so soon.
fn help(settings: &Settings) -> &'static str {
    let has_least = options_of(settings).iter().any(|option| option.name == "min_run");
    if has_least {
        "`min_run=10m` lets a job run so long first"
    } else {
        "`--cycle 10m` decides so often only"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::Plan;
    use crate::simulation::{Control, simulate};
    use crate::units::{Gpus, Seconds};
    use crate::workload::{Behaviour, Builder, Job, Request};

    /// A long job of low priority, and so many short ones of a higher every so many seconds, on one GPU.
    fn interrupted(shorts: u32, every: u32) -> History {
        let mut builder = Builder::default();
        let request = builder.request(Request::gang(Gpus::whole(1)));
        let behaviour = builder.behaviour(Behaviour::default());
        builder.push(Job { request, behaviour, work_time: Seconds(100_000), ..Job::at(Time(0)) });
        for number in 1..=shorts {
            let job = Job {
                request,
                behaviour,
                work_time: Seconds(1),
                priority: 1,
                ..Job::at(Time(number * every))
            };
            builder.push(job);
        }
        let preemption = Some("priority".to_owned());
        let settings = Settings { preemption, ..Settings::named("fifo", "skip", "first-fit") };
        let cluster = Cluster::uniform(1, NodeKind { gpus: 1, ..NodeKind::default() });
        simulate(Plan { cluster, workload: builder.finish(), settings }, &mut Control::default())
    }

    #[test]
    fn stops_that_come_soon_are_told_and_what_helps() {
        let soon = interrupted(30, 20);
        assert_eq!(Churn::of(&soon), Churn { stops: 30, soon: 30, jobs: 31 });
        let told =
            "30 of 30 stops came within a minute of the start: `min_run=10m` lets a job run so long first";
        assert_eq!(churn(&soon).as_deref(), Some(told));
        let late = interrupted(30, 100);
        assert_eq!(Churn::of(&late), Churn { stops: 30, soon: 0, jobs: 31 });
        assert_eq!((churn(&late), churn(&interrupted(19, 20))), (None, None), "late, and few");
    }

    #[test]
    fn stops_are_many_from_ten_for_each_job_on() {
        let told = |stops, soon| Churn { stops, soon, jobs: 10 }.told("less");
        assert_eq!(told(100, 50), None);
        assert_eq!(told(101, 50).as_deref(), Some("101 stops of 10 jobs, 10 each: less"));
        let both = "4,000 of 5,000 stops came within a minute of the start, and each of 10 jobs was stopped 500 times: less";
        assert_eq!(told(5_000, 4_000).as_deref(), Some(both));
        assert_eq!(Churn::default().told("less"), None, "nobody ran");
    }

    #[test]
    fn what_helps_is_what_the_policy_has() {
        let of =
            |preemption: &str| Settings { preemption: Some(preemption.to_owned()), ..Settings::default() };
        assert!(help(&of("reclaim")).contains("min_run"), "{}", help(&of("reclaim")));
        assert!(help(&of("ranked")).contains("--cycle"), "{}", help(&of("ranked")));
    }
}
