//! Many plans in, measures out: every core, and what comes out depends neither on their number nor on who is first.
//!
//! An ensemble is a list of numbered [`World`]s. Plans are built where they run, so that only those of the worlds that
//! run just now are in memory, and worlds of one plan that follow each other share it. What a run must deliver is
//! [`Wanted`]: measures by name, and not what a simulation keeps to know them.
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind};
//! use gigawatt::ensemble::{Wanted, Watch, World, measure, run};
//! use gigawatt::history::{Plan, Settings};
//! use gigawatt::units::{Gpus, Seconds, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request};
//! // Two jobs of a whole node: on one node the second waits, on two it does not.
//! let plan = |index: usize| -> Result<Plan, ()> {
//!     let mut builder = Builder::default();
//!     let request = builder.request(Request::gang(Gpus::whole(8)));
//!     let behaviour = builder.behaviour(Behaviour::default());
//!     for submit in [0, 10] {
//!         builder.push(Job { request, behaviour, work_time: Seconds(100), ..Job::at(Time(submit)) });
//!     }
//!     let nodes = u32::try_from(index).expect("few plans") + 1;
//!     let cluster = Cluster::uniform(nodes, NodeKind { gpus: 8, ..NodeKind::default() });
//!     Ok(Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", "none", "first-fit") })
//! };
//! let wanted = Wanted::of(vec![measure("wait_mean").unwrap()]);
//! let worlds = [World::of(0), World::of(1)];
//! let waits = run(&worlds, plan, &wanted, Watch::default()).unwrap().unwrap();
//! assert_eq!((waits[0].values[0], waits[1].values[0]), (45.0, 0.0));
//! ```

mod by;
mod measure;
mod plans;
pub(crate) mod ranked;
mod run;
mod unit;

pub use crate::metrics::By;
pub use by::{GROUP_MEASURES, GroupWaits, waits_by};
pub use measure::{MEASURES, Measure, Shown, measure};
pub(crate) use measure::{Quantity, Reading};
pub use run::{Delivered, Done, Tracer, Wanted, Watch, World, each, run};
pub use unit::{Better, Unit};
