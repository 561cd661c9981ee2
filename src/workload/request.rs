use crate::hardware::Catalogue;
use crate::units::Gpus;
use serde::{Deserialize, Serialize};

/// A set of platforms, by their index in the catalogue in use (at most 64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlatformSet(u64);

impl PlatformSet {
    /// The most platforms a catalogue can have.
    pub const MAX: usize = Catalogue::MAX;
    /// Every platform.
    pub const ALL: Self = Self(u64::MAX);
    /// None yet.
    pub const NONE: Self = Self(0);

    /// This set and platform `index` (below [`PlatformSet::MAX`]).
    #[must_use]
    pub const fn with(self, index: usize) -> Self {
        Self(self.0 | 1 << (index & 63))
    }
    /// Whether platform `index` is in it.
    #[must_use]
    pub const fn contains(self, index: usize) -> bool {
        index < Self::MAX && self.0 >> index & 1 == 1
    }
    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// How a job's GPUs come in pods; a pod never leaves its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Shape {
    /// *Any*: one pod if one allowed node is large enough when empty, else whole nodes and one remainder pod.
    Any {
        /// GPUs in all, in thousandths; whole if above one.
        gpus_milli: u32,
    },
    /// `count` equal pods.
    Pods {
        /// At least 1.
        count: u32,
        /// GPUs of each pod, in thousandths: 0, a share of one below 1,000, whole above.
        gpus_milli_each: u32,
    },
}

/// What a gang wishes of the racks it lands on, and of the levels above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Racks are ignored.
    Ignore,
    /// One rack if one has room now, else the fewest racks now.
    #[default]
    PreferRack,
    /// One rack, however long that takes.
    RequireRack,
    /// One rack, else one domain of this level, an index into the workload's levels, else of those above it, else the
    /// fewest racks now.
    PreferLevel(u32),
    /// One rack, else one domain of this level, an index into the workload's levels, however long that takes.
    RequireLevel(u32),
}

impl Topology {
    /// The wishes that have nothing to do with levels, as they are written.
    pub const WORDS: [(&'static str, Self); 3] =
        [("ignore", Self::Ignore), ("prefer-rack", Self::PreferRack), ("require-rack", Self::RequireRack)];

    /// What a word means: one of [`Topology::WORDS`], or `prefer-` or `require-` before the name of a level, of which
    /// `level` tells the index.
    ///
    /// ```
    /// use gigawatt::workload::Topology;
    /// let of = |word| Topology::of_word(word, |name| (name == "block").then_some(0));
    /// assert_eq!(of("require-rack"), Some(Topology::RequireRack));
    /// assert_eq!(of("prefer-block"), Some(Topology::PreferLevel(0)));
    /// assert_eq!(of("require-row"), None);
    /// assert_eq!(Topology::PreferLevel(0).word(&["block".to_owned()]), "prefer-block");
    /// ```
    #[must_use]
    pub fn of_word(word: &str, level: impl FnOnce(&str) -> Option<u32>) -> Option<Self> {
        if let Some((_, known)) = Self::WORDS.iter().find(|(known, _)| *known == word) {
            return Some(*known);
        }
        let (wish, name) = word.split_once('-').filter(|(_, name)| !name.is_empty())?;
        match wish {
            "prefer" => level(name).map(Self::PreferLevel),
            "require" => level(name).map(Self::RequireLevel),
            _ => None,
        }
    }
    /// It as a word, by the names of the workload's levels.
    #[must_use]
    pub fn word(self, levels: &[String]) -> String {
        let name = |level: u32| levels.get(level as usize).map_or("?", String::as_str);
        match self {
            Self::Ignore => "ignore".to_owned(),
            Self::PreferRack => "prefer-rack".to_owned(),
            Self::RequireRack => "require-rack".to_owned(),
            Self::PreferLevel(level) => format!("prefer-{}", name(level)),
            Self::RequireLevel(level) => format!("require-{}", name(level)),
        }
    }
    /// The level it names, if it names one.
    #[must_use]
    pub const fn level(self) -> Option<u32> {
        match self {
            Self::PreferLevel(level) | Self::RequireLevel(level) => Some(level),
            _ => None,
        }
    }
    /// The same of another level, where it names one.
    #[must_use]
    pub fn at_level(self, of: impl FnOnce(u32) -> u32) -> Self {
        match self {
            Self::PreferLevel(level) => Self::PreferLevel(of(level)),
            Self::RequireLevel(level) => Self::RequireLevel(of(level)),
            other => other,
        }
    }
    /// Whether a gang waits rather than lie otherwise.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::RequireRack | Self::RequireLevel(_))
    }
}

/// What a job needs in order to start: everything a placement reads but the tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    /// GPUs and pods.
    pub shape: Shape,
    /// CPU of each pod in thousandths of a core; 0: not asked for.
    pub cpu_milli: u32,
    /// Memory of each pod in MiB; 0: not asked for.
    pub memory_mib: u32,
    /// Platforms it may run on; the whole gang runs on one of them.
    pub platforms: PlatformSet,
    /// Index into the workload's partitions.
    pub partition: u32,
    /// What it wishes of racks and levels.
    pub topology: Topology,
    /// Pods that must share a rack, in groups of this many; 0: no such wish.
    pub segment: u32,
    /// Licences of the cluster by their index, ascending, and how many it holds of each, at least 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licences: Vec<(u32, u32)>,
}

impl Request {
    /// A gang of `gpus` GPUs in pods of any size, anywhere, preferring one rack.
    #[must_use]
    pub const fn gang(gpus: Gpus) -> Self {
        Self {
            shape: Shape::Any { gpus_milli: gpus.milli() },
            cpu_milli: 0,
            memory_mib: 0,
            platforms: PlatformSet::ALL,
            partition: 0,
            topology: Topology::PreferRack,
            segment: 0,
            licences: Vec::new(),
        }
    }
    /// GPUs in all pods together, saturating.
    #[must_use]
    pub const fn gpus(&self) -> Gpus {
        match self.shape {
            Shape::Any { gpus_milli } => Gpus::from_milli(gpus_milli),
            Shape::Pods { count, gpus_milli_each } => Gpus::from_milli(count.saturating_mul(gpus_milli_each)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_set_holds_what_was_put_in() {
        let set = PlatformSet::NONE.with(3).with(63);
        assert!(set.contains(3) && set.contains(63), "both are in");
        assert!(!set.contains(4) && !set.contains(64) && !PlatformSet::NONE.contains(0), "nothing else is");
        assert!(PlatformSet::ALL.contains(0) && PlatformSet::NONE.is_empty(), "all and none");
    }

    #[test]
    fn the_gpus_of_a_request_are_those_of_all_its_pods() {
        let pods =
            Request { shape: Shape::Pods { count: 3, gpus_milli_each: 500 }, ..Request::gang(Gpus::ZERO) };
        assert_eq!(pods.gpus(), Gpus::from_milli(1500), "three halves");
    }
}
