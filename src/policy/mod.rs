//! WHO goes next, WHERE, and WHO yields.
//!
//! The simulation tells a [`Policy`] what happened and asks it, once all events of an instant are applied, to decide.
//! What it decides it does on the [`View`], which checks it and applies it at once. The parts (order, backfill,
//! placement) joined by `pipeline` are one policy; whoever needs another writes the trait.

pub mod backfill;
pub mod class;
mod decision;
pub mod hold;
pub mod order;
mod pending;
mod pipeline;
pub mod placement;
pub mod power;
mod preemption;
mod room;
mod view;

pub use decision::Decision;
pub use placement::ranked::{Ranks, When};
pub use room::Room;
pub(crate) use view::ticks;
pub use view::{Status, View};

use crate::history::{Plan, SegmentEnd};
use crate::units::Time;
use crate::workload::Running;
use placement::Choice;

/// What happened since the last pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A job became eligible.
    Eligible {
        /// Its index.
        job: u32,
    },
    /// A job runs without the policy's doing: since before time 0, or as passes of another kind started it.
    Running {
        /// Its index.
        job: u32,
        /// Index of its segment.
        segment: u32,
    },
    /// A running job let go of what it held.
    Ended {
        /// Its index.
        job: u32,
        /// Index of the segment.
        segment: u32,
        /// Why; [`SegmentEnd::NodeDown`] and [`SegmentEnd::Preempted`]: it is pending again.
        end: SegmentEnd,
    },
    /// A running job goes on at another rate.
    Rerated {
        /// Its index.
        job: u32,
        /// Index of the segment before, which may be the one it still is in.
        before: u32,
    },
    /// Caps on power changed, or something else that frees power without freeing anything else.
    Power,
    /// The outcome of a job that does not run became known: rejected, cancelled, dependency-failed.
    Settled {
        /// Its index.
        job: u32,
    },
    /// A pending job is withdrawn.
    Cancelled {
        /// Its index.
        job: u32,
    },
    /// Nodes came, went or broke.
    Capacity,
    /// The instant a policy asked for has come.
    Timer,
}

/// Decides who runs. Asked once an instant, after all of its events are applied.
pub trait Policy: std::fmt::Debug {
    /// Takes note of something that happened.
    fn observe(&mut self, event: Event, view: &View);
    /// Makes way at once: asked when caps or nodes have changed, before the pass of that instant, if it has one.
    fn make_way(&mut self, _view: &mut View) {}
    /// Decides what to do now.
    fn decide(&mut self, view: &mut View);
}

/// A ready-made combination of order and backfill, or a whole system with its placement.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Unique among presets.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Name of the order.
    pub order: &'static str,
    /// Name of the backfill.
    pub backfill: &'static str,
    /// Name of the placement, of presets that are a whole system; none: what was named before stays.
    pub placement: Option<&'static str>,
}

impl Preset {
    /// Its parts as they are named: `fifo/easy`, or `las/skip/consolidate` of a whole system.
    #[must_use]
    pub fn parts(&self) -> String {
        let placement = self.placement.map(|placement| format!("/{placement}")).unwrap_or_default();
        format!("{}/{}{placement}", self.order, self.backfill)
    }
}

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "fcfs",
        about: "strict first come, first served",
        order: "fifo",
        backfill: "none",
        placement: None,
    },
    Preset {
        name: "easy",
        about: "first come, first served with EASY backfill",
        order: "fifo",
        backfill: "easy",
        placement: None,
    },
    Preset {
        name: "greedy",
        about: "anything that fits, oldest first",
        order: "fifo",
        backfill: "skip",
        placement: None,
    },
    Preset {
        name: "short-first",
        about: "shortest first with EASY backfill",
        order: "sjf",
        backfill: "easy",
        placement: None,
    },
    Preset {
        name: "helios",
        about: "Helios: first come, first served on the fewest nodes",
        order: "fifo",
        backfill: "none",
        placement: Some("consolidate"),
    },
    Preset {
        name: "tiresias",
        about: "Tiresias: least attained service first, preemptive",
        order: "las",
        backfill: "skip",
        placement: Some("consolidate"),
    },
];

/// The policy that a plan's settings name, its places ranked as `ranks` says; `None` if they name a part that does not exist.
#[must_use]
pub fn build(view: &View, ranks: &Ranks) -> Option<Box<dyn Policy>> {
    let settings = &view.plan().settings;
    power::Rule::named(&settings.power)?;
    let curtail = power::curtail::Curtail::named(&settings.curtail)?;
    let policy = pipeline::build(view, ranks)?;
    let policy = match power::Rule::of(view.plan()) {
        None => policy,
        Some(rule) => Box::new(power::control::Controlled::new(policy, rule, curtail, view)),
    };
    hold::wrap(view, policy)
}

/// What a job that is running at time 0 holds, whatever its tenant's quota: its nodes if they are told, else where the placement puts it;
/// `None` if that is not free, so that it has to queue.
#[must_use]
pub fn choose_initial(view: &View, running: &Running) -> Option<Choice> {
    let class = view.class(running.job);
    let mut choice = Choice::default();
    if running.nodes.is_empty() || class.form == class::Form::Nothing {
        let placement = placement::Placement::of(view.plan(), view.classes())?;
        return placement.choose(class, running.job, &view.room().occupancy, &mut choice).then_some(choice);
    }
    let request = view.plan().workload.request_of(running.job);
    placement::on_nodes(class, request, &running.nodes, &view.room().occupancy)
}

/// Jobs that no cluster with all its nodes up and empty could hold, whatever the grid takes away when, ascending.
#[must_use]
pub fn oversized(plan: &Plan) -> Vec<u32> {
    oversized_of(plan, &class::Classes::of(plan))
}

pub(crate) fn oversized_of(plan: &Plan, classes: &class::Classes) -> Vec<u32> {
    let mut room = Room::new(plan, classes);
    let Some(mut placement) = placement::Placement::of(plan, classes) else {
        return Vec::new();
    };
    let mut jobs = (0..plan.workload.len()).collect();
    retain_oversized(&mut jobs, &room, &mut placement, classes);
    // There is more power only where a curtailment ends.
    for curtailment in &plan.cluster.curtailments {
        if !jobs.is_empty() && curtailment.until != Time::NEVER {
            room.set_caps(plan, curtailment.until);
            retain_oversized(&mut jobs, &room, &mut placement, classes);
        }
    }
    jobs
}

/// Keeps the jobs that an empty room cannot hold.
fn retain_oversized(
    jobs: &mut Vec<u32>,
    room: &Room,
    placement: &mut placement::Placement,
    classes: &class::Classes,
) {
    let mut fit = |class: &class::Class, job| room.within_quota(class) && placement.fits(class, job, room);
    let fits: Vec<bool> = classes.table.iter().map(|class| fit(class, 0)).collect();
    let draws = placement.draws();
    jobs.retain(|job| {
        let index = classes.of_job[*job as usize] as usize;
        let class = &classes.table[index];
        // Where draws decide a greedy choice of racks, one job of a class may never find a place though others do.
        if !draws || class.monotone {
            return !fits[index];
        }
        !(room.within_quota(class) && placement.fits(class, *job, room))
    });
}
