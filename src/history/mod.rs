//! What happened: the only output of a simulation, and all that metrics see.
//!
//! A [`History`] is the resolved plan and, of every attempt of every job, one [`Segment`]: what it held from when to
//! when. Waiting, energy, shares and outcomes derive from it.

mod check;
mod classical;
mod columns;
mod digest;
mod factors;
mod failures;
pub mod file;
mod licences;
#[cfg(test)]
pub(crate) mod sample;
mod yields;

pub use crate::cluster::Piece;
pub use classical::{BorrowFrom, Classical, ReclaimFrom, WithinQueue};
pub use digest::Digest;
pub use factors::Factors;
pub use failures::FailureRecord;
pub use yields::{ReclaimRule, Victims, YieldRecord};

use crate::cluster::{CapacityChange, Cluster};
use crate::units::{Factor, Seconds, Time};
use crate::workload::{JobKind, Workload};
use serde::{Deserialize, Serialize};

/// Why a segment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum SegmentEnd {
    /// It has not ended: the run was cut off first.
    Open,
    /// The job's work was done.
    Completed,
    /// The job failed at the end of its work.
    Failed,
    /// The job was stopped at its requested time.
    Timeout,
    /// A policy stopped the job; it waits again.
    Preempted,
    /// A node broke; the job waits again.
    NodeDown,
    /// A policy moved or resized the job: the next segment follows at the same instant.
    Changed,
    /// Something that the job needs failed, and nobody has seen it: the next segment follows at the same instant, and no
    /// work is done in it until that is detected.
    Stalled,
}

impl SegmentEnd {
    /// Every way, in the order of the declaration.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Completed,
        Self::Failed,
        Self::Timeout,
        Self::Preempted,
        Self::NodeDown,
        Self::Changed,
        Self::Stalled,
    ];
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Preempted => "preempted",
            Self::NodeDown => "node-down",
            Self::Changed => "changed",
            Self::Stalled => "stalled",
        }
    }
    /// Whether the next segment of the job follows at the same instant.
    #[must_use]
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::Changed | Self::Stalled)
    }
    /// Whether the job was stopped and waits again.
    #[must_use]
    pub const fn is_stop(self) -> bool {
        matches!(self, Self::Preempted | Self::NodeDown)
    }
}

/// A stretch of time in which a job holds the same domains at the same rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Index of the job.
    pub job: u32,
    /// When it begins to hold them.
    pub from: Time,
    /// When it lets go; [`Time::NEVER`] while open.
    pub to: Time,
    /// Index of its first piece in [`History::pieces`].
    pub first_piece: u32,
    /// How many pieces it has; 0 for a job that holds nothing.
    pub pieces: u32,
    /// Work done a second, relative to the reference platform; what the cap takes away is taken away.
    pub rate: Factor,
    /// The most its GPUs draw, as a fraction of their TGP, at most 1: not capped.
    pub cap: Factor,
    /// Seconds at its beginning in which no work is done: the restart after a stop.
    pub restart: u32,
    /// Why it ended.
    pub end: SegmentEnd,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Outcome {
    /// Neither ended nor given up when the run ended.
    Unfinished,
    /// All its work was done.
    Completed,
    /// Stopped at its requested time.
    Timeout,
    /// Failed at the end of its work.
    Failed,
    /// Withdrawn before it started.
    Cancelled,
    /// Refused: no empty cluster could hold it, or a policy said no.
    Rejected,
    /// A job it depends on did not succeed.
    DependencyFailed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Unfinished,
        Self::Completed,
        Self::Timeout,
        Self::Failed,
        Self::Cancelled,
        Self::Rejected,
        Self::DependencyFailed,
    ];
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Completed => "completed",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::DependencyFailed => "dependency-failed",
        }
    }
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRecord {
    /// When it could first have started; [`Time::NEVER`] if it never could.
    pub eligible_time: Time,
    /// When its outcome was settled; [`Time::NEVER`] while unfinished.
    pub finish_time: Time,
    /// How it ended.
    pub outcome: Outcome,
}

/// Why a job waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum WaitReason {
    /// A job it depends on has not succeeded yet.
    Dependency,
    /// Its tenant, or the queue that it stands in, holds as much as it may.
    Quota,
    /// The jobs of its partition hold as much as they may together.
    Limit,
    /// Not enough GPUs are free where it may run.
    Capacity,
    /// Enough are free, but no node or rack has them together.
    Shape,
    /// A feed has no headroom left for it.
    Power,
    /// It stands behind a job that cannot start, or would delay a reservation.
    Order,
    /// A policy holds it back on purpose, or the next pass is yet to come.
    Held,
    /// Too few are left of a licence that it holds while it runs.
    Licence,
}

impl WaitReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Dependency,
        Self::Quota,
        Self::Limit,
        Self::Capacity,
        Self::Shape,
        Self::Power,
        Self::Order,
        Self::Held,
        Self::Licence,
    ];
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::Quota => "quota",
            Self::Limit => "limit",
            Self::Capacity => "capacity",
            Self::Shape => "shape",
            Self::Power => "power",
            Self::Order => "order",
            Self::Held => "held",
            Self::Licence => "licence",
        }
    }
}

/// Whose reason of waiting changes, and to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The jobs of a request class wait for this reason, those with one of their own aside.
    Class {
        /// Its index, see [`History::wait_classes`].
        class: u32,
        /// What they wait for.
        reason: WaitReason,
    },
    /// A job waits for a reason of its own.
    Job {
        /// Its index.
        job: u32,
        /// What it waits for.
        reason: WaitReason,
    },
    /// A job has no reason of its own any more.
    AsClass {
        /// Its index.
        job: u32,
    },
}

/// From `time` on jobs that wait do so for another reason.
///
/// It is what the state answered once a pass was over, recorded when it changed. Of a class of which no job waits
/// nothing is recorded, and what was recorded last still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitRecord {
    /// When the pass took place.
    pub time: Time,
    /// Whose reason, and which.
    pub why: Why,
}

/// A policy held a job back, from when it became eligible until an instant; it then waits for other reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldRecord {
    /// The job; none is held twice.
    pub job: u32,
    /// Until when, after it became eligible.
    pub until: Time,
}

/// What else repeats the run: seed, policy and the like, as resolved from scenario and command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Version of the program.
    pub version: String,
    /// Seed of every stream of random numbers.
    pub seed: u64,
    /// Name of the order.
    pub order: String,
    /// Name of the backfill.
    pub backfill: String,
    /// Name of the placement.
    pub placement: String,
    /// Name of what is done about caps.
    #[serde(default)]
    pub power: String,
    /// Name of the rule of which jobs yield when less power is left than is drawn.
    #[serde(default)]
    pub curtail: String,
    /// Power `steer`: seconds from one look at unused watts to the next, at least 1.
    #[serde(default)]
    pub power_period: u32,
    /// Power `polca`: percent of a cap above which low priorities are slowed, and above which all are.
    #[serde(default)]
    pub power_thresholds: [u32; 2],
    /// Name of how jobs are held back.
    #[serde(default)]
    pub hold: String,
    /// The longest that jobs of a kind may be held back, where neither they nor their tenant say.
    #[serde(default)]
    pub defer: Vec<(JobKind, Seconds)>,
    /// Seconds between passes; none: a pass at every instant with an event.
    pub cycle: Option<u32>,
    /// With a cycle: the name of the backfill of passes at every instant with an event, between those of the cycle;
    /// none: there are no such passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_backfill: Option<String>,
    /// Backfill `easy` and its kin: how many blocked jobs of each partition hold a reservation; none: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservations: Option<u32>,
    /// Backfill `conservative`: how many jobs of each partition hold a reservation; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Backfill `conservative`: how far after now a reservation may begin; none: whenever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Seconds>,
    /// Backfill `conservative`: whatever is expected to end is so at whole numbers of these seconds; none: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<u32>,
    /// Backfill `conservative`: how many of the jobs of linked partitions a pass tries; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_jobs: Option<u32>,
    /// Name of the rule of which jobs yield to others; none: what the order implies, `ranked` for `srtf` and `las`, else `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemption: Option<String>,
    /// Preemption `priority` and `reclaim`: how long a job runs at least before it stops for another; none: no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_run: Option<Seconds>,
    /// Preemption `priority`: which of equally low jobs stop first.
    #[serde(default, skip_serializing_if = "Victims::is_usual")]
    pub victims: Victims,
    /// Preemption `reclaim`: when a job of another queue may stop; none: by either rule, the final share first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reclaim_rule: Option<ReclaimRule>,
    /// Preemption `classical`: its rules.
    #[serde(default, skip_serializing_if = "Classical::are_usual")]
    pub classical: Classical,
    /// Order `priority`: one step of priority is worth this many seconds of waiting.
    pub priority_step: u32,
    /// Orders whose keys vary while jobs wait: they are renewed at whole numbers of these seconds; none: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank_period: Option<u32>,
    /// Order `gittins`: what jobs take, in the units of their service, in order; empty: what those of the workload take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<u64>,
    /// Orders `las` and `gittins`: whether the service that a job has received counts seconds, and not GPU-seconds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_in_seconds: bool,
    /// Orders that read what was used: the seconds after which that counts half; none: a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life: Option<u32>,
    /// Order `multifactor`: what factors are worth.
    #[serde(default, skip_serializing_if = "Factors::are_usual")]
    pub factors: Factors,
    /// Order `las`: attained GPU-seconds at which a job falls to the next queue, ascending.
    pub queue_limits: Vec<u64>,
    /// When the run is cut off; none: when nothing is left to do.
    pub until: Option<u32>,
    /// Metrics leave out jobs submitted before this instant.
    pub warm_up: u32,
    /// Metrics leave out jobs submitted from this instant on.
    pub drain: Option<u32>,
}

impl Settings {
    /// Whether a pass at `now` is one with `backfill`: without a cycle each is, with one those at its multiples.
    ///
    /// ```
    /// use gigawatt::history::Settings;
    /// use gigawatt::units::Time;
    /// let settings = Settings { cycle: Some(30), event_backfill: Some("none".to_owned()), ..Settings::default() };
    /// assert!(settings.is_full_pass(Time(60)));
    /// assert!(!settings.is_full_pass(Time(61)), "an event pass, which goes by `event_backfill`");
    /// ```
    #[must_use]
    pub fn is_full_pass(&self, now: Time) -> bool {
        self.cycle.is_none_or(|cycle| now.0.is_multiple_of(cycle))
    }
    /// Whether an instant that a policy asks for is an event: not beside a cycle, whose passes come by themselves, unless
    /// passes at events go by the same backfill.
    #[must_use]
    pub fn timers_are_events(&self) -> bool {
        self.cycle.is_none() || self.event_backfill.as_ref() == Some(&self.backfill)
    }
    /// Whether it depends on the priority of a job which running jobs stop for it.
    #[must_use]
    pub fn priorities_stop_jobs(&self) -> bool {
        matches!(self.preemption.as_deref(), Some("priority" | "reclaim" | "classical"))
    }
    /// Whether what a stop cuts short of a restart is added to the next one, and counts as work that is left.
    #[must_use]
    pub fn restarts_add_up(&self) -> bool {
        self.preemption.as_deref() == Some("ranked-lucid")
    }
    /// Whether there are passes at events between those of a cycle.
    #[must_use]
    pub const fn has_event_passes(&self) -> bool {
        self.cycle.is_some() && self.event_backfill.is_some()
    }
    /// A policy by the names of its parts, passes at every instant, everything else at its default.
    #[must_use]
    pub fn named(order: &str, backfill: &str, placement: &str) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            order: order.to_owned(),
            backfill: backfill.to_owned(),
            placement: placement.to_owned(),
            hold: "none".to_owned(),
            priority_step: 3600,
            queue_limits: vec![3_250, 7_200],
            power: "admit".to_owned(),
            curtail: "cap".to_owned(),
            power_period: 60,
            power_thresholds: [80, 89],
            ..Self::default()
        }
    }
}

/// Everything a run was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Where jobs could run.
    pub cluster: Cluster,
    /// What was asked.
    pub workload: Workload,
    /// How it was decided.
    pub settings: Settings,
}

/// A finished, or cut off, run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Everything the run was given.
    pub plan: Plan,
    /// In the order they began.
    pub segments: Vec<Segment>,
    /// What the segments hold, in their order.
    pub pieces: Vec<Piece>,
    /// One a job, in input order.
    pub jobs: Vec<JobRecord>,
    /// Why jobs wait, ascending by time.
    pub waits: Vec<WaitRecord>,
    /// By job: the request class that `waits` speak of, below the number of jobs; empty where they speak of none.
    pub wait_classes: Vec<u32>,
    /// In the order in which the jobs became eligible.
    pub holds: Vec<HoldRecord>,
    /// For which job others stopped, ascending by segment.
    pub yields: Vec<YieldRecord>,
    /// What failed, in that order.
    pub failures: Vec<FailureRecord>,
    /// Where something can fail: what became of nodes, planned or not, ascending by time; else empty.
    pub capacity: Vec<CapacityChange>,
    /// The last instant simulated.
    pub end: Time,
    /// False if the run was interrupted, so that unfinished jobs might have ended.
    pub complete: bool,
    /// True if nothing was left to happen when it ended: jobs that wait then would do so for ever.
    pub exhausted: bool,
}

impl History {
    /// Whether jobs are left that nothing left to happen could start.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.exhausted && self.jobs.iter().any(|job| job.outcome == Outcome::Unfinished)
    }
    /// The job for which a segment ended; none: it ended otherwise, or for no job alone.
    #[must_use]
    pub fn yielded_to(&self, segment: u32) -> Option<u32> {
        let place = self.yields.binary_search_by_key(&segment, |own| own.segment);
        place.ok().map(|place| self.yields[place].to)
    }
    /// What became of nodes, ascending by time: as planned, or, where something can fail, as it came.
    #[must_use]
    pub fn changes(&self) -> &[CapacityChange] {
        match self.plan.cluster.failures {
            None => &self.plan.cluster.changes,
            Some(_) => &self.capacity,
        }
    }
    /// What a segment holds.
    #[must_use]
    pub fn pieces_of(&self, segment: &Segment) -> &[Piece] {
        &self.pieces[segment.first_piece as usize..(segment.first_piece + segment.pieces) as usize]
    }

    /// GPUs that a segment holds, in thousandths.
    #[must_use]
    pub fn gpus_of(&self, segment: &Segment) -> u64 {
        let kind = |node| u64::from(self.plan.cluster.kind_of(node).gpus);
        let held = |piece: &Piece| match *piece {
            Piece::Nodes { .. } => piece.nodes().map(kind).sum::<u64>() * 1000,
            Piece::Gpus { mask, .. } => u64::from(mask.count_ones()) * 1000,
            Piece::Share { milli, .. } => u64::from(milli),
        };
        self.pieces_of(segment).iter().map(held).sum()
    }
    /// The digest of the file that [`file::write`] makes of it: equal runs have equal digests.
    ///
    /// # Panics
    /// If it contradicts itself so far that it cannot be written.
    #[must_use]
    pub fn digest(&self) -> Digest {
        file::write(self, std::io::sink()).expect("a sink takes every byte")
    }
    /// Checks what every history satisfies: indices in range, tables of equal length, times in order.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), String> {
        check::check(self)
    }
}
