use super::JobKind;
use crate::hardware::{Phase, Phases};
use crate::units::Factor;
use serde::{Deserialize, Serialize};

/// How a job spends its time on its GPUs, and so what it draws.
///
/// The default says nothing: the job is then like others of its [`JobKind`](super::JobKind).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Profile {
    /// By [`Phase`]: its part of the run time at full speed, Q16; they add up to 65,536, or all are 0.
    pub shares: [u32; Phase::COUNT],
    /// By [`Phase`]: the fraction of the TGP it draws, Q16, at most 65,536; 0: as the platform says.
    pub levels: [u32; Phase::COUNT],
}

impl Profile {
    /// The profile of jobs of a kind.
    #[must_use]
    pub fn of(kind: JobKind) -> Self {
        let mix = Phases::embedded().mix(kind.name()).map_or([0; Phase::COUNT], |mix| mix.value);
        Self { shares: mix, levels: [0; Phase::COUNT] }
    }
    /// Whether it says anything.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.shares.iter().any(|share| *share > 0)
    }
    /// Whether its numbers are in range.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let one = u64::from(Factor::ONE.0);
        let sum: u64 = self.shares.iter().map(|share| u64::from(*share)).sum();
        (sum == 0 || sum == one) && self.levels.iter().all(|level| u64::from(*level) <= one)
    }
}
