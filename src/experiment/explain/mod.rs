//! Why a job waited: what stood in its way from when to when, with evidence, and when it would have started otherwise.
//!
//! The reasons are those of the run. What is otherwise is not guessed: the plan is changed in one thing and simulated
//! again.

mod change;
mod evidence;
mod outlook;
#[cfg(test)]
mod tests;

pub use change::{Change, Otherwise, first_start, longer_wait, otherwise, waits};
pub use evidence::{Evidence, Holder, Passer, Refusing, Stretch};
pub use outlook::{Outlook, Outlooks, Surprise, known_at, outlooks};

use crate::history::History;
use crate::metrics::waited;

/// What there is to say of how long a job waited.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Its index.
    pub job: u32,
    /// Why it waited, in order of time.
    pub stretches: Vec<Stretch>,
}

/// Why a job waited, with evidence.
///
/// ```
/// use gigawatt::cluster::{Cluster, NodeKind};
/// use gigawatt::experiment::{Evidence, explain};
/// use gigawatt::history::{Plan, Settings, WaitReason};
/// use gigawatt::simulation::{Control, simulate};
/// use gigawatt::units::{Gpus, Seconds, Time};
/// use gigawatt::workload::{Behaviour, Builder, Job, Request};
/// let mut builder = Builder::default();
/// let behaviour = builder.behaviour(Behaviour::default());
/// for gpus in [6, 8] {
///     let request = builder.request(Request::gang(Gpus::whole(gpus)));
///     builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(0)) });
/// }
/// let cluster = Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() });
/// let plan = Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", "none", "first-fit") };
/// let history = simulate(plan, &mut Control::default());
/// let explained = explain(&history, 1);
/// let [stretch] = &explained.stretches[..] else { panic!("one reason") };
/// assert_eq!(stretch.waited.reason, WaitReason::Capacity);
/// let Evidence::Room { room, holders, .. } = &stretch.evidence else { panic!("of what was free") };
/// assert_eq!((room.gpus, room.free().milli(), holders[0].job), (8, 2000, 0));
/// ```
///
/// # Complexity
/// O(n log n) in segments, pieces and nodes.
///
/// # Panics
/// Without such a job.
#[must_use]
pub fn explain(history: &History, job: u32) -> Explained {
    Explained { job, stretches: evidence::stretches(history, job, &waited(history, job)) }
}
