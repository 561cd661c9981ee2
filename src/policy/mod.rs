//! Which job goes next, where, and which yield.
//!
//! The simulation tells a [`Policy`] what happened and asks it, once all events of an instant are applied, to decide.
//! What it decides it applies on a [`Trial`] of the state, which checks it; whatever was applied is told to every part.
//! The parts (order, backfill, placement, preemption, hold, power) joined by `pipeline` are one policy; another one
//! implements the trait.
//!
//! # A policy of one's own
//!
//! The job with the least GPU-time first, on the node with the fewest free GPUs that holds it, and nobody waits for
//! a job that does not fit:
//!
//! ```
//! use gigawatt::cluster::{Cluster, NodeKind, Piece};
//! use gigawatt::history::{Plan, Settings};
//! use gigawatt::policy::{Policy, PolicyError};
//! use gigawatt::simulation::{Control, simulate_with};
//! use gigawatt::state::{Decision, Event, State, Trial};
//! use gigawatt::units::{Factor, Gpus, Seconds, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request};
//!
//! #[derive(Debug, Default)]
//! struct LeastFirst {
//!     waiting: Vec<u32>,
//! }
//!
//! impl Policy for LeastFirst {
//!     fn observe(&mut self, event: &Event, state: &State) {
//!         match *event {
//!             Event::Eligible { job } => self.waiting.push(job),
//!             Event::Ended { job, .. } if state.waits(job) => self.waiting.push(job),
//!             Event::Started { job, .. } | Event::Withdrawn { job } => self.waiting.retain(|own| *own != job),
//!             _ => {}
//!         }
//!     }
//!     fn decide(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError> {
//!         let workload = &trial.plan().workload;
//!         let gpus = |job: u32| workload.request_of(job).gpus().ceil();
//!         let area = |job: u32| u64::from(gpus(job)) * u64::from(workload.jobs[job as usize].requested_time.0);
//!         self.waiting.sort_by_key(|job| (area(*job), *job));
//!         let wanted: Vec<(u32, u32)> = self.waiting.iter().map(|job| (*job, gpus(*job))).collect();
//!         for (job, gpus) in wanted {
//!             let occupancy = &trial.resources().occupancy;
//!             let free = |node: &u32| occupancy.free_mask(*node as usize).count_ones();
//!             let nodes = 0..trial.plan().cluster.nodes();
//!             let Some(node) = nodes.filter(|node| free(node) >= gpus).min_by_key(|node| (free(node), *node)) else {
//!                 continue;
//!             };
//!             let mut mask = occupancy.free_mask(node as usize);
//!             while mask.count_ones() > gpus {
//!                 mask &= mask - 1;
//!             }
//!             // Whatever breaks a law, such as a quota, is refused with the law that it breaks.
//!             trial.apply(Decision::Start { job, domains: &[Piece::Gpus { node, mask }], cap: Factor::ONE })?;
//!             // What is applied is told to the policy after the pass.
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let mut builder = Builder::default();
//! let behaviour = builder.behaviour(Behaviour::default());
//! for (gpus, work) in [(8, 100), (4, 100), (2, 10)] {
//!     let request = builder.request(Request::gang(Gpus::whole(gpus)));
//!     let job = Job { request, behaviour, work_time: Seconds(work), ..Job::at(Time(0)) };
//!     builder.push(job.requesting(Seconds(work)));
//! }
//! let plan = Plan {
//!     cluster: Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() }),
//!     workload: builder.finish(),
//!     settings: Settings::named("fifo", "none", "first-fit"),
//! };
//! let history = simulate_with(plan, Box::new(LeastFirst::default()), &mut Control::default())?;
//! let start = |job: u32| history.segments.iter().find(|own| own.job == job).map(|own| own.from.0);
//! // The two small ones share the node; the large one waits for both.
//! assert_eq!([start(0), start(1), start(2)], [Some(100), Some(0), Some(0)]);
//! # Ok::<(), PolicyError>(())
//! ```

pub mod backfill;
pub mod expression;
pub mod hold;
pub mod order;
pub mod part;
mod pipeline;
pub mod placement;
pub mod power;
pub mod preemption;
mod reasons;
pub mod text;
mod walk;

pub use placement::ranked::{Ranks, When};
pub use reasons::Reasons;

use crate::history::{Plan, Settings};
use crate::state::class::{Class, Classes, Form};
use crate::state::place::{Choice, on_nodes};
use crate::state::power::CapRule;
use crate::state::{Event, Refusal, Resources, State, Trial};
use crate::units::Time;
use crate::workload::Running;

/// Why a policy cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It decided what cannot be.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// It says so itself.
    #[error("{0}")]
    Failed(String),
}

/// Decides which jobs run. Asked once an instant, after all of its events are applied.
pub trait Policy: std::fmt::Debug {
    /// Takes note of something that has happened, its own decisions included.
    fn observe(&mut self, event: &Event, state: &State);
    /// Makes way at once: asked when caps or nodes have changed, before the pass of that instant, if it has one.
    ///
    /// # Errors
    /// It cannot go on.
    fn make_way(&mut self, _trial: &mut Trial<'_>) -> Result<(), PolicyError> {
        Ok(())
    }
    /// Decides what to do now.
    ///
    /// # Errors
    /// It cannot go on.
    fn decide(&mut self, trial: &mut Trial<'_>) -> Result<(), PolicyError>;
}

/// A ready-made combination of order and backfill, or a whole system with its placement, preemption and options.
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
    /// What else it is, of presets that are a whole system; none: what was named before stays.
    pub system: Option<System>,
}

/// What makes a preset a whole system.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Name of the placement.
    pub placement: &'static str,
    /// Name of the preemption; none: what the order implies.
    pub preemption: Option<&'static str>,
    /// Options of its parts, as they are written.
    pub options: &'static [(&'static str, &'static str)],
    /// Which version it was checked against, and where that is described.
    pub source: &'static str,
    /// What the system does that the preset does not.
    pub leaves_out: &'static str,
}

impl Preset {
    /// Its parts as they are named: `fifo/easy`, or `las/skip/consolidate` of a whole system.
    ///
    /// ```
    /// let kueue = gigawatt::policy::PRESETS.iter().find(|preset| preset.name == "kueue").unwrap();
    /// assert_eq!(kueue.parts(), "fair-sharing/skip/best-fit/preemption=reclaim");
    /// ```
    #[must_use]
    pub fn parts(&self) -> String {
        let mut text = format!("{}/{}", self.order, self.backfill);
        if let Some(System { placement, preemption, options, .. }) = self.system {
            text.push_str(&format!("/{placement}"));
            let named = preemption.map(|preemption| ("preemption", preemption));
            let others = named.into_iter().chain(options.iter().copied());
            others.for_each(|(name, value)| text.push_str(&format!("/{name}={value}")));
        }
        text
    }
}

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "fcfs",
        about: "strict first come, first served",
        order: "fifo",
        backfill: "none",
        system: None,
    },
    Preset {
        name: "easy",
        about: "first come, first served with EASY backfill",
        order: "fifo",
        backfill: "easy",
        system: None,
    },
    Preset {
        name: "greedy",
        about: "anything that fits, oldest first",
        order: "fifo",
        backfill: "skip",
        system: None,
    },
    Preset {
        name: "short-first",
        about: "shortest first with EASY backfill",
        order: "sjf",
        backfill: "easy",
        system: None,
    },
    Preset {
        name: "helios",
        about: "Helios: first come, first served on the fewest nodes",
        order: "fifo",
        backfill: "none",
        system: Some(System {
            placement: "consolidate",
            preemption: None,
            options: &[],
            source: "Hu et al., Characterization and prediction of deep learning workloads, SC 2021",
            leaves_out: "its predictions (QSSF) and what it does about energy",
        }),
    },
    Preset {
        name: "tiresias",
        about: "Tiresias: least attained service first, preemptive",
        order: "las",
        backfill: "skip",
        system: Some(System {
            placement: "consolidate",
            preemption: None,
            options: &[],
            source: "Gu et al., Tiresias, NSDI 2019",
            leaves_out: "the Gittins index; a job that falls to a lower queue stands there by when it came",
        }),
    },
    Preset {
        name: "kueue",
        about: "Kueue: queues by what they borrow, jobs by priority; what fits passes what does not; queues take back what others borrow",
        order: "fair-sharing",
        backfill: "skip",
        system: Some(System {
            placement: "best-fit",
            preemption: Some("reclaim"),
            options: &[],
            source: "Kueue 0.20-devel, BestEffortFIFO and fair sharing; rows of its tests: `list conformance`",
            leaves_out: "flavours that are not of a platform each, topology, admission checks, and nodes as another scheduler fills them",
        }),
    },
    Preset {
        name: "kai",
        about: "KAI: queues by what they hold of their fair share, jobs by priority; what fits passes what does not; queues take back \
                what others hold beyond their own",
        order: "saturation",
        backfill: "skip",
        system: Some(System {
            placement: "best-fit",
            preemption: Some("reclaim"),
            options: &[],
            source: "KAI Scheduler 0.17+ (d5bc503a), allocate, reclaim and preempt with binpack; rows of its tests: `list conformance`",
            leaves_out: "consolidation, priorities of queues, shares by time, its own test of who yields (Kueue's stands in its place), \
                GPU sharing by memory, topology, stale gangs",
        }),
    },
    Preset {
        name: "volcano",
        about: "Volcano: queues by what they hold of what they deserve, jobs by priority; what fits passes what does not; queues take \
                back what others hold beyond their own",
        order: "proportion",
        backfill: "skip",
        system: Some(System {
            placement: "best-fit",
            preemption: Some("reclaim"),
            options: &[],
            source: "Volcano 1.16-alpha, allocate, preempt and reclaim with gang, priority, proportion and binpack; rows by its formula: \
                `list conformance`",
            leaves_out: "priorities of queues, dominant shares of jobs, its own test of who yields (Kueue's stands in its place), minimum \
                members below a gang, hypernodes, the session's period",
        }),
    },
    Preset {
        name: "slurm",
        about: "Slurm: by the multifactor priority; a job passes others if it delays none of the first 500",
        order: "multifactor",
        backfill: "conservative",
        system: Some(System {
            placement: "best-fit",
            preemption: None,
            options: &[("max_jobs", "500")],
            source: "Slurm 26.11-master, priority/multifactor and sched/backfill with bf_max_job_test=500; licences as with bf_licenses; \
                rows: `list conformance`",
            leaves_out: "bf_window and bf_resolution, which make a run several times slower (`slurm/window=1d/resolution=60s` has them), its \
                rounds (`--cycle 30s` and `event_backfill = \"none\"` make such), quality of service, advance reservations, topology plugins",
        }),
    },
];

/// How starts heed the caps of a plan; none where it has none or its policy looks at none.
#[must_use]
pub fn caps_of(plan: &Plan) -> Option<CapRule> {
    power::Treatment::of(plan).map(|rule| rule.caps(power::Treatment::drains(plan)))
}

/// Why a policy tries no job on one platform after another, though quotas of a plan tell platforms apart and some job may run on
/// several: which of its parts, what to say, and a hint; none: it does, or need not.
#[must_use]
pub fn keeps_to_one_platform(settings: &Settings, plan: &Plan) -> Option<(part::Kind, String, &'static str)> {
    let of_queues = plan.workload.queues.iter().any(|queue| !queue.by_platform.is_empty());
    let are_told = of_queues || plan.workload.tenants.iter().any(|own| !own.quota_by_platform.is_empty());
    let backfills = [Some(&settings.backfill), settings.event_backfill.as_ref()];
    let (kind, said, hint) = match &settings.preemption {
        _ if !preemption::is_ranked(settings) => {
            let name = backfills.into_iter().flatten().find(|name| !backfill::tries_platforms(name))?;
            let hint = "`platforms = [\"h100\"]` of a job names one; backfills `none`, `skip` and `easy` try one after another";
            (part::Kind::Backfill, format!("backfill `{name}`"), hint)
        }
        Some(name) => {
            let hint = "`platforms = [\"h100\"]` of a job names one; the other preemptions, and `none`, try one after another";
            (part::Kind::Preemption, format!("preemption `{name}`"), hint)
        }
        None => {
            let (order, name) = (&settings.order, preemption::implied(&settings.order));
            let hint = "`platforms = [\"h100\"]` of a job names one; with `preemption = \"none\"` it tries one after another";
            (part::Kind::Order, format!("order `{order}`, which implies preemption `{name}`,"), hint)
        }
    };
    let several = || Classes::of(plan, None).table.iter().any(|class| !class.alternatives.is_empty());
    (are_told && several()).then(|| {
        let said = format!("{said} beside quotas by platform, and a job may run on several platforms");
        (kind, said, hint)
    })
}

/// The policy that a plan's settings name, its places ranked as `ranks` says; `None` if they name a part that does not exist.
#[must_use]
pub fn build(state: &State, ranks: &Ranks) -> Option<Box<dyn Policy>> {
    Some(Box::new(pipeline::Pipeline::of(state, ranks)?))
}

/// What a job that is running at time 0 holds, whatever its tenant's quota: its nodes if they are told, else where the placement puts it;
/// `None` if that is not free, so that it has to queue.
#[must_use]
pub fn choose_initial(state: &State, running: &Running) -> Option<Choice> {
    let class = state.class(running.job);
    let mut choice = Choice::default();
    let occupancy = &state.resources().occupancy;
    if running.nodes.is_empty() || class.form == Form::Nothing {
        let placement = placement::Placement::of(state.plan(), state.classes())?;
        return placement.choose(class, running.job, occupancy, &mut choice).then_some(choice);
    }
    let request = state.plan().workload.request_of(running.job);
    on_nodes(class, request, &running.nodes, occupancy)
}

/// Jobs that no cluster with all its nodes up and empty could hold, whatever the grid takes away when, or that their queue
/// keeps out for good, ascending.
#[must_use]
pub fn oversized(plan: &Plan) -> Vec<u32> {
    let caps = caps_of(plan);
    oversized_of(plan, &Classes::of(plan, caps.as_ref()), caps.as_ref())
}

/// The same where there is power enough for all.
#[must_use]
pub fn too_large(plan: &Plan) -> Vec<u32> {
    let settings = Settings { power: "none".to_owned(), ..plan.settings.clone() };
    oversized(&Plan { settings, ..plan.clone() })
}

pub(crate) fn oversized_of(plan: &Plan, classes: &Classes, caps: Option<&CapRule>) -> Vec<u32> {
    let mut resources = Resources::new(plan, classes, caps);
    let drains = caps.is_some_and(|caps| caps.drains);
    let Some(mut placement) = placement::Placement::of(plan, classes) else {
        return Vec::new();
    };
    let mut jobs = (0..plan.workload.len()).collect();
    retain_oversized(&mut jobs, &resources, &mut placement, classes);
    // There is more power only where a curtailment ends.
    for curtailment in &plan.cluster.curtailments {
        if !jobs.is_empty() && curtailment.until != Time::NEVER {
            resources.set_caps(plan, curtailment.until, drains);
            retain_oversized(&mut jobs, &resources, &mut placement, classes);
        }
    }
    let beyond = plan.workload.beyond_queues();
    if !beyond.is_empty() {
        jobs.extend(beyond);
        jobs.sort_unstable();
        jobs.dedup();
    }
    jobs
}

/// Keeps the jobs that empty resources cannot hold.
fn retain_oversized(
    jobs: &mut Vec<u32>,
    resources: &Resources,
    placement: &mut placement::Placement,
    classes: &Classes,
) {
    let mut fit =
        |class: &Class, job| resources.below_ceilings(class) && placement.fits(class, job, resources);
    let fits: Vec<bool> = classes.table.iter().map(|class| fit(class, 0)).collect();
    let draws = placement.draws();
    jobs.retain(|job| {
        let index = classes.of_job[*job as usize] as usize;
        let class = &classes.table[index];
        // Where draws decide a greedy choice of racks, one job of a class may never find a place though others do.
        if !draws || class.monotone {
            return !fits[index];
        }
        !(resources.below_ceilings(class) && placement.fits(class, *job, resources))
    });
}
