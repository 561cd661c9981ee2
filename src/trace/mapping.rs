//! What a user says about a trace that the trace does not say itself.

use super::effect::MapKey;
use super::key::{Key, TimeUnit};

/// What a trace leaves open, or says in words of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// What words of a site's own mean where a state is told.
    pub states: Vec<StateWord>,
    /// What becomes of wishes for platforms.
    pub platforms: PlatformMap,
    /// Which of two numbers of GPUs counts, where a trace tells both.
    pub gpus_from: GpusFrom,
    /// How many shards make a GPU (`gres/shard` of Slurm); where it is not said, a shard takes all of one.
    pub shards_per_gpu: Option<u32>,
    /// Names of the columns of a table without a header.
    pub columns: Vec<String>,
    /// Which column tells what, by the key of a job, such as [`Key::Gpus`] in `num_gpu`.
    pub fields: Vec<(Key, String)>,
    /// What numbers of time count in, where no key has a unit of its own.
    pub unit: Option<TimeUnit>,
    /// What numbers of time count in for one key.
    pub units: Vec<(Key, TimeUnit)>,
    /// Keys that the user wrote, also where what they say is what holds without them.
    pub given: Vec<MapKey>,
}

impl Mapping {
    /// Nothing is said.
    pub const NONE: &'static Self = &Self {
        states: Vec::new(),
        platforms: PlatformMap::AsNamed,
        gpus_from: GpusFrom::Requested,
        shards_per_gpu: None,
        columns: Vec::new(),
        fields: Vec::new(),
        unit: None,
        units: Vec::new(),
        given: Vec::new(),
    };

    /// The column that the user named for a key.
    #[must_use]
    pub fn field(&self, key: Key) -> Option<&str> {
        self.fields.iter().find(|(known, _)| *known == key).map(|(_, column)| column.as_str())
    }
    /// The unit that the user gave numbers of a key.
    #[must_use]
    pub fn unit_of(&self, key: Key) -> Option<TimeUnit> {
        self.units.iter().find(|(known, _)| *known == key).map(|(_, unit)| *unit).or(self.unit)
    }
}

/// Which of two numbers of GPUs counts, where a trace tells both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GpusFrom {
    /// What was asked for; what was allocated where that is not told.
    #[default]
    Requested,
    /// What was allocated; what was asked for where that is not told.
    Allocated,
}

/// What a word for a state means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWord {
    /// The word, in any case.
    pub word: String,
    /// What it means.
    pub meaning: Meaning,
}

/// What a state means for a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It did its work.
    Completed,
    /// Its work ended in failure.
    Failed,
    /// It was ended by a limit or a preemption, not of itself.
    Stopped,
    /// It was ended by its user.
    Cancelled,
    /// It was running when the trace was taken.
    Running,
    /// It was waiting when the trace was taken.
    Pending,
    /// Its line is left out.
    Drop,
}

impl Meaning {
    /// Every meaning by its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("completed", Self::Completed),
        ("failed", Self::Failed),
        ("stopped", Self::Stopped),
        ("cancelled", Self::Cancelled),
        ("running", Self::Running),
        ("pending", Self::Pending),
        ("drop", Self::Drop),
    ];
}

/// What becomes of wishes for platforms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PlatformMap {
    /// They are kept.
    #[default]
    AsNamed,
    /// Every job may run on any platform.
    Ignore,
    /// One name stands for another, in lower case; others are kept.
    Renamed(Vec<(String, String)>),
}

impl PlatformMap {
    /// What a platform is called on the cluster; `None` if wishes are left out.
    #[must_use]
    pub fn apply<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        match self {
            Self::AsNamed => Some(name),
            Self::Ignore => None,
            Self::Renamed(pairs) => {
                Some(pairs.iter().find(|(from, _)| from == name).map_or(name, |(_, to)| to.as_str()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_kept_left_out_or_renamed() {
        let renamed = PlatformMap::Renamed(vec![("a100".to_owned(), "h100".to_owned())]);
        assert_eq!(PlatformMap::AsNamed.apply("a100"), Some("a100"), "kept");
        assert_eq!(PlatformMap::Ignore.apply("a100"), None, "left out");
        assert_eq!((renamed.apply("a100"), renamed.apply("v100")), (Some("h100"), Some("v100")), "renamed");
        assert_eq!(*Mapping::NONE, Mapping::default(), "nothing is said");
    }
}
