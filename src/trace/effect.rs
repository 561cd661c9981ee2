//! Which keys of a user's map change something in which format: one that changes nothing is an error.

use super::intake::Intake;
use super::{FORMATS, Format, GpusFrom, Options, PlatformMap};
use crate::error::{Place, Problem, Problems};

/// A key of [`Mapping`](super::Mapping) or [`Options`] that works on some formats only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKey {
    /// [`Options::procs_per_gpu`]: the format counts processors.
    ProcsPerGpu,
    /// [`Options::think_time`]: the format tells which job comes before.
    ThinkTime,
    /// [`Mapping::states`](super::Mapping::states): the format tells how jobs ended, in words.
    States,
    /// [`Mapping::platforms`](super::Mapping::platforms): the format tells types of GPUs.
    Platform,
    /// [`Mapping::gpus_from`](super::Mapping::gpus_from): the format tells GPUs asked for and given.
    GpusFrom,
    /// [`Mapping::shards_per_gpu`](super::Mapping::shards_per_gpu): the format may count shards.
    ShardsPerGpu,
    /// [`Mapping::columns`](super::Mapping::columns): the format is a table with a header.
    Columns,
}

impl MapKey {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::ProcsPerGpu,
        Self::ThinkTime,
        Self::States,
        Self::Platform,
        Self::GpusFrom,
        Self::ShardsPerGpu,
        Self::Columns,
    ];

    /// As `map` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProcsPerGpu => "procs_per_gpu",
            Self::ThinkTime => "think_time",
            Self::States => "states",
            Self::Platform => "platform",
            Self::GpusFrom => "gpus_from",
            Self::ShardsPerGpu => "shards_per_gpu",
            Self::Columns => "columns",
        }
    }
    /// What a format lacks on which it does nothing.
    const fn lacking(self) -> &'static str {
        match self {
            Self::ProcsPerGpu => "counts no processors",
            Self::ThinkTime => "tells no job that comes before another",
            Self::States => "has no words for how jobs ended",
            Self::Platform => "tells no types of GPUs",
            Self::GpusFrom => "does not tell both GPUs asked for and GPUs given",
            Self::ShardsPerGpu => "counts no shards of GPUs",
            Self::Columns => "is no table with a header",
        }
    }
    /// Whether the options say anything by it, be it what holds anyway.
    fn is_given(self, options: &Options<'_>) -> bool {
        let map = options.map;
        map.given.contains(&self)
            || match self {
                Self::ProcsPerGpu => options.procs_per_gpu != 1,
                Self::ThinkTime => options.think_time,
                Self::States => !map.states.is_empty(),
                Self::Platform => map.platforms != PlatformMap::AsNamed,
                Self::GpusFrom => map.gpus_from != GpusFrom::Requested,
                Self::ShardsPerGpu => map.shards_per_gpu.is_some(),
                Self::Columns => !map.columns.is_empty(),
            }
    }
}

/// The keys that are given and change nothing in a format.
pub(super) fn idle(file: &str, format: &Format, options: &Options<'_>) -> Problems {
    let mut problems = Problems::default();
    let given = MapKey::ALL.into_iter().filter(|key| key.is_given(options));
    for key in given.filter(|key| !format.map_keys.contains(key)) {
        let (name, lacking) = (key.name(), key.lacking());
        let message = format!("`{name}` does nothing: format {} {lacking}", format.name);
        let takes = FORMATS.iter().filter(|other| other.map_keys.contains(&key)).map(|other| other.name);
        let hint = format!("it works on {}", takes.collect::<Vec<_>>().join(", "));
        problems.push(Problem::new(message).at(Place::file(file)).hint(hint));
    }
    problems
}

/// What is said of a request on another platform than the one named.
pub(super) fn renamed(from: &str, to: &str) -> String {
    format!("for `{from}`: on `{to}`, as `map.platform` says")
}
/// What is said of a request whose platform does not matter.
pub(super) const IGNORED: &str = "for a platform: any will do, as `map.platform` says";
/// What is said of a request for shards of which is told how many make a GPU.
pub(super) const SHARDED: &str =
    "for shards of a GPU (`gres/shard`), as many to one as `map.shards_per_gpu` says";

impl Intake<'_> {
    /// Says which keys of the map met nothing that they could change, though the format may hold it.
    pub(super) fn note_idle(&mut self) {
        let map = self.options.map;
        let mut idle: Vec<String> = Vec::new();
        let pairs: &[(String, String)] = match &map.platforms {
            PlatformMap::AsNamed => &[],
            PlatformMap::Ignore => {
                if self.notes.counted("request", IGNORED) == 0 {
                    idle.push("`map.platform` changes nothing: no request is for a type of GPU".to_owned());
                }
                &[]
            }
            PlatformMap::Renamed(pairs) => pairs,
        };
        let unasked =
            pairs.iter().filter(|(from, to)| self.notes.counted("request", &renamed(from, to)) == 0);
        idle.extend(unasked.map(|(from, _)| {
            format!("`map.platform.{from}` changes nothing: no request is for that type of GPU")
        }));
        let unmet = map.states.iter().zip(0_u32..).filter(|(_, at)| self.words_met >> at.min(&63) & 1 == 0);
        idle.extend(
            unmet.map(|(own, _)| format!("`map.states.{0}` changes nothing: no `{0}` is told", own.word)),
        );
        if map.shards_per_gpu.is_some() && self.notes.counted("request", SHARDED) == 0 {
            idle.push("`map.shards_per_gpu` changes nothing: no request is for shards of a GPU".to_owned());
        }
        if map.gpus_from == GpusFrom::Allocated && self.both.differ == 0 {
            idle.push(
                "`map.gpus_from` changes nothing: no job was given other GPUs than it asked for".to_owned(),
            );
        }
        if self.options.think_time && self.wanted.is_empty() {
            idle.push("`map.think_time` changes nothing: no job tells which one comes before it".to_owned());
        }
        idle.into_iter().for_each(|line| self.notes.say(line));
    }
}
