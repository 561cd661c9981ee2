//! `gigawatt` simulates how an AI cloud schedules the training and inference jobs of its tenants on racks of GPUs:
//! what a policy costs in waiting, throughput, watts and dollars.
//!
//! Two nodes of eight GPUs, three jobs, first come, first served, and every wait by hand:
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind};
//! use gigawatt::history::{Plan, Settings};
//! use gigawatt::simulation::{Control, simulate};
//! use gigawatt::units::{Gpus, Seconds, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request};
//!
//! let mut builder = Builder::default();
//! let behaviour = builder.behaviour(Behaviour::default());
//! for (submit, gpus, work) in [(0, 8, 100), (0, 16, 50), (10, 8, 20)] {
//!     let request = builder.request(Request::gang(Gpus::whole(gpus)));
//!     let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(submit)) };
//!     builder.push(job.requesting(Seconds(work)));
//! }
//! let workload = builder.finish();
//! let cluster = Cluster::uniform(2, NodeKind { gpus: 8, ..NodeKind::default() });
//!
//! let waits = |backfill: &str| -> Vec<u32> {
//!     let settings = Settings::named("fifo", backfill, "first-fit");
//!     let plan = Plan { cluster: cluster.clone(), workload: workload.clone(), settings };
//!     let history = simulate(plan, &mut Control::default());
//!     let mut waits = vec![0; history.jobs.len()];
//!     for segment in &history.segments {
//!         let job = segment.job as usize;
//!         waits[job] = segment.from.since(history.jobs[job].eligible_time).0;
//!     }
//!     waits
//! };
//! // The second job needs both nodes and waits for the first, until 100; the third, submitted at 10, stands behind
//! // it until 150, although a node is free.
//! assert_eq!(waits("none"), [0, 100, 140]);
//! // EASY lets it pass, since it ends before the second job could start.
//! assert_eq!(waits("easy"), [0, 100, 0]);
//! ```
//!
//! # The flow
//!
//! ```text
//! files ──► scenario ──► workload + cluster ──► simulation (policies) ──► history ──► metrics ──► report
//! ```
//!
//! Data flows one way, and the modules are that sentence. [`trace`] turns what others recorded into a [`workload`]:
//! what is asked; [`scenario`] turns a file into that and a [`cluster`]: where it can run, made of platforms from the
//! catalogue in [`hardware`], with the parts that fail in [`failure`]; [`scenario::import`] makes such a file of a scheduler's own configuration. [`simulation`] moves time, brings what happens into the [`state`] and asks a [`policy`] which
//! jobs run where; its decisions are data that the state checks and carries out. The policy asks [`cost`] how good
//! a place is, one function for the processor and for a [`gpu`], and [`power`] what may be drawn there; none of them
//! opens a file or prints anything. Its only output is a [`history`], from which [`metrics`] derives every number (with
//! the formulas of [`power`]: watts, joules, money), [`ensemble`] those of many runs at once, [`experiment`] what follows
//! from them, such as the difference between policies, and [`report`] what is read. [`cli`] is the binary, and [`document`], [`table`], [`error`], [`units`] and [`random`] are the ground that
//! all stand on.
//!
//! # As a library
//!
//! An embedded simulation is at the top of this page. [A policy of one's own](policy#a-policy-of-ones-own) decides in place
//! of the built-in ones, [a format of one's own](trace#a-format-of-ones-own) brings in any trace, and
//! [`metrics::measure`] says what came of it.
//!
//! # What it models, and what it does not
//!
//! Gangs, pods and shares of a GPU; racks as NVLink domains, and levels of them; several generations of GPUs with their speeds;
//! partitions that overlap; licences; tenants with quotas, of all GPUs or by platform, queues that lend to and borrow from each other and take turns, shares by what was
//! used lately; job graphs; estimates that are wrong, jobs that fail or are withdrawn;
//! preemption with restarts and lost work; capacity that comes and goes; parts that fail, are found to have failed and come
//! back, and nodes in reserve for them; what all of it draws, caps on every level of
//! the tree of feeds, what the grid asks for a joule and how clean it is.
//!
//! Packets in a network, kernels on a GPU, heat, and the single requests of an inference service are not modelled.
//! Where their effect matters it enters as a factor with a source, such as the speed of a gang that spans racks.
//!
//! # Determinism
//!
//! The same scenario, seed and version give the same history, byte for byte, on any machine, with any number of threads,
//! and whether a GPU ranks the places or the processor does. Decisions are made of integers alone, time is whole
//! seconds, ties have a rule, and random numbers are addressed by what they are for ([`random`]) instead of drawn in
//! turn.

pub mod cli;
pub mod cluster;
pub mod cost;
pub mod document;
pub mod ensemble;
pub mod error;
pub mod experiment;
pub mod failure;
pub mod gpu;
pub mod hardware;
pub mod history;
pub mod metrics;
pub mod policy;
pub mod power;
pub mod random;
pub mod report;
pub mod scenario;
pub mod simulation;
pub mod state;
pub mod table;
pub mod trace;
pub mod units;
pub mod workload;
