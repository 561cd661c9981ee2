use super::Profile;
use crate::units::{Factor, Seconds};
use serde::{Deserialize, Serialize};

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Pre-training of a model.
    Pretrain,
    /// Fine-tuning of a model.
    Finetune,
    /// Reinforcement learning: rollouts and learner.
    Rl,
    /// Evaluation of a checkpoint.
    Eval,
    /// Inference over a data set, without anybody waiting.
    BatchInference,
    /// Replicas that answer users.
    InferenceService,
    /// Preparing data.
    Data,
    /// Anything else; what a trace does not tell.
    #[default]
    Other,
}

impl JobKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 8] = [
        Self::Pretrain,
        Self::Finetune,
        Self::Rl,
        Self::Eval,
        Self::BatchInference,
        Self::InferenceService,
        Self::Data,
        Self::Other,
    ];
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pretrain => "pretrain",
            Self::Finetune => "finetune",
            Self::Rl => "rl",
            Self::Eval => "eval",
            Self::BatchInference => "batch-inference",
            Self::InferenceService => "inference-service",
            Self::Data => "data",
            Self::Other => "other",
        }
    }
    /// Whether jobs of the kind that do not say otherwise may be stopped by a policy: all but services, for which
    /// somebody waits.
    #[must_use]
    pub const fn is_preemptible(self) -> bool {
        !matches!(self, Self::InferenceService)
    }
    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What happens to a job that is still running when its requested time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Overrun {
    /// It runs on; its expected end is then always one second ahead.
    #[default]
    Extend,
    /// It is stopped, with outcome timeout.
    Kill,
}

/// How a job behaves once it runs; jobs alike share one. By default it is one of [`JobKind::Other`], and preemptible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Behaviour {
    /// What it is for.
    pub kind: JobKind,
    /// What happens past its requested time.
    pub overrun: Overrun,
    /// Whether a policy may stop it and start it again later; jobs that say nothing, as [`JobKind::is_preemptible`].
    pub preemptible: bool,
    /// Seconds of work from one checkpoint to the next; 0: it writes none, so that a node that fails takes all the work of
    /// the attempt; a policy that stops it suspends it, and nothing is lost.
    pub checkpoint_interval: Seconds,
    /// Seconds that writing a checkpoint stalls it; already part of `work_time`.
    pub checkpoint_cost: Seconds,
    /// Seconds a start after a stop holds its domains before work goes on.
    pub restart_time: Seconds,
    /// How long a policy may hold it back on purpose; none: as its tenant, or the run, says.
    #[serde(default)]
    pub max_delay: Option<Seconds>,
    /// Fewest GPUs it can run with, thousandths; equal to the request unless elastic.
    pub gpus_min_milli: u32,
    /// Most GPUs it can use, thousandths; equal to the request unless elastic.
    pub gpus_max_milli: u32,
    /// Speed on each platform of the catalogue in use; shorter than the catalogue: 1 beyond its end.
    pub speeds: Vec<Factor>,
    /// How it spends its time, and so what it draws.
    pub profile: Profile,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::of(JobKind::default())
    }
}

impl Behaviour {
    /// The behaviour of a job that says of itself what it is for and nothing else.
    ///
    /// ```
    /// use gigawatt::workload::{Behaviour, JobKind};
    /// assert!(Behaviour::of(JobKind::Pretrain).preemptible);
    /// assert!(!Behaviour::of(JobKind::InferenceService).preemptible, "users wait for it");
    /// ```
    #[must_use]
    pub fn of(kind: JobKind) -> Self {
        Self {
            kind,
            overrun: Overrun::default(),
            preemptible: kind.is_preemptible(),
            checkpoint_interval: Seconds::ZERO,
            checkpoint_cost: Seconds::ZERO,
            restart_time: Seconds::ZERO,
            max_delay: None,
            gpus_min_milli: 0,
            gpus_max_milli: 0,
            speeds: Vec::new(),
            profile: Profile::default(),
        }
    }
    /// How it spends its time: its own profile; where that says nothing about shares, those of its kind.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let usual = || Profile { shares: Profile::of(self.kind).shares, ..self.profile };
        if self.profile.is_known() { self.profile } else { usual() }
    }
    /// Its speed on platform `platform`, relative to the reference platform.
    #[must_use]
    pub fn speed(&self, platform: usize) -> Factor {
        self.speeds.get(platform).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::from_name(kind.name()), Some(kind), "{}", kind.name());
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name(), "serde agrees");
        }
        assert_eq!(JobKind::from_name("training"), None, "unknown");
    }

    #[test]
    fn a_job_that_says_nothing_draws_as_others_of_its_kind() {
        for kind in JobKind::ALL {
            let behaviour = Behaviour { kind, ..Behaviour::default() };
            assert!(behaviour.profile().is_known() && behaviour.profile().is_sound(), "{}", kind.name());
        }
        let own = Profile { shares: [65536, 0, 0, 0, 0, 0], levels: [0; 6] };
        assert_eq!(Behaviour { profile: own, ..Behaviour::default() }.profile(), own, "as it says");
    }
}
