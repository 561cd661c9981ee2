//! A naive reference simulator: every rule written down once, as plainly as possible, and slow.
//!
//! It shares no code with the engine but the types of its input, [`Plan`], and the random numbers. The engine must
//! give the same starts, finishes, nodes and GPUs. Where the field leaves a choice, the doc comment here is the rule:
//!
//! - `time.rs`: the order of events of one instant, when a pass takes place;
//! - `work.rs`: how long a job runs, what a stop costs, when it is expected to end;
//! - `pass.rs`: which partitions a pass concerns, the order of its queue, request classes, and every decision where the
//!   design leaves room;
//! - `share.rs`: what tenants used lately, orders by it;
//! - `turns.rs`: queues that take turns;
//! - `varying.rs`: keys that vary while a job waits;
//! - `learned.rs`: keys that those that have ended tell;
//! - `walk.rs`: backfill none, skip, easy, easy-strict;
//! - `easy.rs`: reservations of easy;
//! - `conservative.rs`: reservations of conservative;
//! - `preempt.rs`: ranked preemption, srtf, srsf and las;
//! - `yielding.rs`: jobs that stop for one that is blocked, by priority;
//! - `fair.rs`: the same, by the shares of queues;
//! - `moving.rs`: jobs that move so that a blocked one has a place;
//! - `future.rs`: what is expected and known, shadows;
//! - `quota.rs`: what queues may hold;
//! - `world.rs`: which nodes a job may use, linked partitions;
//! - `place.rs`: which nodes and GPUs a job gets;
//! - `weigh.rs`: what a place costs;
//! - `power.rs`: what that draws, and whether caps allow it;
//! - `failing.rs`: what fails by itself, is detected and comes back;
//! - `standing.rs`: which nodes may be used then, and which parts age;
//! - `laws.rs`: what follows for a run;
//! - `free.rs`: what is free, and at what rate a job works.

mod classical;
mod conservative;
mod easy;
mod failing;
mod fair;
mod free;
mod future;
pub(crate) mod laws;
mod learned;
mod level;
mod moving;
mod own;
mod pass;
mod place;
mod power;
mod preempt;
mod quota;
mod share;
mod standing;
mod tas;
mod time;
mod turns;
mod varying;
mod walk;
mod weigh;
mod work;
mod world;
mod yielding;

pub(crate) use free::Holding;

use gigawatt::history::{Outcome, Plan, SegmentEnd};

/// What became of every job, and how often the interesting things happened.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// One a job, in input order.
    pub(crate) jobs: Vec<Fate>,
    /// What happened how often.
    pub(crate) counts: Counts,
    /// Whenever a partition is closed by another job than before: the instant, the partition, the job.
    pub(crate) heads: Vec<(u32, u32, Option<u32>)>,
    /// Of every reservation in every pass of easy or easy-strict that started something behind a blocked job: the
    /// instant, the shadow as it was made, and after the pass.
    pub(crate) shadows: Vec<(u32, u32, u32)>,
}

/// What became of one job; instants that never come are `u32::MAX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    /// When it could first have started.
    pub(crate) eligible: u32,
    /// When its outcome was settled.
    pub(crate) finish: u32,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Every stretch of running, in time order.
    pub(crate) attempts: Vec<Attempt>,
}

/// One stretch of running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// When it begins to hold.
    pub(crate) from: u32,
    /// When it lets go; `u32::MAX` while open.
    pub(crate) to: u32,
    /// Why it ended.
    pub(crate) end: SegmentEnd,
    /// What it holds.
    pub(crate) holding: Holding,
    /// Work a second, Q16.16.
    pub(crate) rate: u32,
    /// Seconds at its beginning without work.
    pub(crate) restart: u32,
}

/// How often the interesting things happened; a suite in which one never does proves nothing about it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) passes: u64,
    /// Passes at events between those of a cycle.
    pub(crate) between: u64,
    /// Passes that left a queue blocked.
    pub(crate) blocked: u64,
    /// Starts of a job while one before it in its queue was blocked.
    pub(crate) backfilled: u64,
    /// Of these, on a place of the second try.
    pub(crate) second_tries: u64,
    pub(crate) preempted: u64,
    /// Of preemption by priority, stops for a blocked job.
    pub(crate) yielded: u64,
    /// Jobs that moved so that a blocked one had a place.
    pub(crate) moved: u64,
    /// Of preemption by the shares of queues, stops in another queue and in the same, and searches that came to the second
    /// rule.
    pub(crate) reclaimed: [u64; 3],
    /// Of preemption by priority and what queues nominally have, stops in another queue and in the same.
    pub(crate) classical: [u64; 2],
    /// Walks of a preemptive order made anew, as a job that was taken found no place.
    pub(crate) struck: u64,
    /// Starts of gangs over several racks.
    pub(crate) spanned: u64,
    pub(crate) node_down: u64,
    pub(crate) restarted: u64,
    /// Jobs that stalled, failures of nodes and more that were detected, nodes given up, spares called.
    pub(crate) stalled: u64,
    pub(crate) failed: u64,
    pub(crate) retired: u64,
    pub(crate) spares: u64,
    /// Reservations made later than now.
    pub(crate) reserved: u64,
    /// Jobs not tried because their class had failed in that pass.
    pub(crate) class_skipped: u64,
    /// Starts refused by a quota.
    pub(crate) quota_refused: u64,
    /// Starts refused by the limit of a queue, by how many of its jobs may run, by what it may borrow, and by a queue above it.
    pub(crate) queue_refused: [u64; 4],
    /// Jobs that ask for more, request longer or have a higher priority than their queue, or one above it, allows.
    pub(crate) beyond_queue: u64,
    /// Starts in a queue that then holds more than is nominally its own.
    pub(crate) borrowed: u64,
    /// Starts of jobs that are tried on several platforms: on the first of them, and on another.
    pub(crate) on_platforms: [u64; 2],
    /// Starts refused by the limit of a partition.
    pub(crate) limit_refused: u64,
    /// Starts refused for want of a licence.
    pub(crate) licence_refused: u64,
    pub(crate) shared: u64,
}

/// Runs a plan to its end.
pub(crate) fn simulate(plan: &Plan) -> Run {
    time::Simulation::new(plan).run()
}
