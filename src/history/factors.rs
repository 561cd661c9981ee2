use serde::{Deserialize, Serialize};

/// Order `multifactor`: what each factor of a job is worth, in points, and how it is counted.
///
/// ```
/// use gigawatt::history::Factors;
/// assert_eq!(Factors::default().weight_share, 10_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Factors {
    /// What waiting for `max_age` is worth.
    pub weight_age: u32,
    /// What asking for all GPUs is worth.
    pub weight_size: u32,
    /// What ranking first by what was used is worth.
    pub weight_share: u32,
    /// What the highest priority of all jobs is worth.
    pub weight_priority: u32,
    /// Seconds beyond which waiting counts no more, at least 1.
    pub max_age: u32,
    /// Whether asking for no GPU is worth the weight of the size, and asking for all nothing.
    pub favor_small: bool,
}

impl Default for Factors {
    fn default() -> Self {
        Self {
            weight_age: 1000,
            weight_size: 1000,
            weight_share: 10_000,
            weight_priority: 1000,
            max_age: 604_800,
            favor_small: false,
        }
    }
}

impl Factors {
    pub(super) fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}
