//! Slurm's lists of trackable resources (TRES) and of generic ones (GRES), in every notation that logs have.
//!
//! | notation | is read as |
//! |---|---|
//! | `gres/gpu=8` | 8 GPUs in all |
//! | `gres/gpu:h100=8` | 8 GPUs of a type |
//! | `gpu:8`, `gpu:h100:8(S:0-1)`, `gres:gpu:8`, `PER_NODE:gpu:8` | 8 GPUs a node where a request says so; in all of what was allocated |
//! | `gres/gpu:a100_1g.5gb=2` | 2 MIG slices: a seventh of a GPU each, 142 thousandths, so that seven fit |
//! | `gres/mps=50` | half a GPU: MPS counts in percent |
//! | `gres/shard=4` | as many shards as a user says make a GPU; else a whole GPU |
//! | any other `gres/` | not read, and counted |

use super::sacct_fields::memory_mib;
use crate::trace::effect::SHARDED;
use crate::trace::field;
use crate::units::Gpus;
use memchr::{memchr, memchr3};

/// GPUs, or shares of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GpuAsk {
    /// How many, or how many shares.
    pub count: u32,
    /// Thousandths of a GPU each, at most 1,000.
    pub each_milli: u32,
    /// Whether they are of each node.
    pub per_node: bool,
    /// Their types.
    pub kinds: Vec<String>,
    /// What was assumed of them, for a note.
    pub assumed: Option<&'static str>,
}

/// What a job asks for, or was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tres {
    pub gpus: Option<GpuAsk>,
    pub cpus: Option<u32>,
    pub memory_mib: Option<u32>,
    pub nodes: Option<u32>,
    /// Generic resources that are not GPUs.
    pub others: Vec<String>,
}

/// What is expected where a list cannot be read.
pub(super) const EXPECTED: &str = "resources like `cpu=8,mem=64G,gres/gpu:h100=8,node=1`";

/// The whole GPUs of a node and their types, as `Gres` of `slurm.conf` lists them: `gpu:h100:8`; none if it is no such list.
pub(crate) fn node_gpus(gres: &str) -> Option<(u32, Vec<String>)> {
    let asked = Tres::read(gres.as_bytes(), true, None)?.gpus.unwrap_or_default();
    let milli = u64::from(asked.count) * u64::from(asked.each_milli);
    // Slices are a little less than their sevenths.
    Some((u32::try_from(milli.div_ceil(1000)).ok()?, asked.kinds))
}

/// The gres of a list as they are summed up.
#[derive(Default)]
struct Found {
    untyped: Option<u32>,
    typed: Vec<(String, u32)>,
    percent: Option<u32>,
    shards: Option<u32>,
    per_node: bool,
    /// Whether a count is of each task or socket.
    per_part: bool,
}

impl Tres {
    /// Reads a list; `None` if it is none.
    pub(super) fn read(bytes: &[u8], requested: bool, shards_per_gpu: Option<u32>) -> Option<Self> {
        let mut tres = Self::default();
        let mut found = Found::default();
        for item in items(bytes) {
            let (name, value, per_node) = split(item)?;
            match name {
                b"cpu" => tres.cpus = Some(field::count(value)?),
                b"node" => tres.nodes = Some(field::count(value)?.min(1_000_000)),
                b"mem" => tres.memory_mib = Some(memory_mib(value)?),
                _ => {
                    let (generic, name) = match name.strip_prefix(b"gres/").or(name.strip_prefix(b"gres:")) {
                        Some(name) => (true, name),
                        None => (per_node, name),
                    };
                    found.per_node |= per_node && requested;
                    found.per_part |=
                        per_node && (item.starts_with(b"PER_TASK:") || item.starts_with(b"PER_SOCKET:"));
                    if !found.add(name, value)? && generic {
                        tres.others.push(String::from_utf8_lossy(name).into_owned());
                    }
                }
            }
        }
        tres.gpus = found.gpus(shards_per_gpu)?;
        Some(tres)
    }
    /// These, and of the others what these do not say.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.others.extend(other.others);
        Self {
            gpus: self.gpus.or(other.gpus),
            cpus: self.cpus.or(other.cpus),
            memory_mib: self.memory_mib.or(other.memory_mib),
            nodes: self.nodes.or(other.nodes),
            others: self.others,
        }
    }
}

impl Found {
    /// Adds a resource if it is of GPUs; `None` if its count is none.
    fn add(&mut self, name: &[u8], value: &[u8]) -> Option<bool> {
        let sum = |known: Option<u32>| known.unwrap_or(0).checked_add(count(value)?);
        match name {
            b"gpu" => self.untyped = Some(sum(self.untyped)?),
            b"mps" => self.percent = Some(sum(self.percent)?),
            b"shard" => self.shards = Some(sum(self.shards)?),
            [b'g', b'p', b'u', b':', kind @ ..] => {
                let kind = std::str::from_utf8(kind).ok()?.to_ascii_lowercase();
                self.typed.push((kind, count(value)?));
            }
            [b'm', b'p', b's', b':', ..] => self.percent = Some(sum(self.percent)?),
            [b's', b'h', b'a', b'r', b'd', b':', ..] => self.shards = Some(sum(self.shards)?),
            _ => return Some(false),
        }
        Some(true)
    }

    /// The GPUs that all this comes to; `None` if no cluster has so many.
    fn gpus(self, shards_per_gpu: Option<u32>) -> Option<Option<GpuAsk>> {
        let typed = self.typed.iter().try_fold(0_u32, |sum, (_, count)| sum.checked_add(*count))?;
        let slices: Vec<(u32, u32)> =
            self.typed.iter().filter_map(|(kind, count)| Some((slice(kind)?.0, *count))).collect();
        let mut kinds: Vec<String> = Vec::new();
        for (kind, _) in &self.typed {
            let kind = slice(kind).map_or(kind.as_str(), |(_, kind)| kind);
            if !kind.is_empty() && !kinds.iter().any(|known| known == kind) {
                kinds.push(kind.to_owned());
            }
        }
        let whole = self.untyped.unwrap_or(0).max(typed);
        let ask = if !slices.is_empty() {
            sliced(whole, &slices)
        } else if whole > 0 || self.untyped.is_some() || !self.typed.is_empty() {
            GpuAsk { count: whole, each_milli: 1000, ..GpuAsk::default() }
        } else if let Some(percent) = self.percent {
            GpuAsk { assumed: Some(MPS), ..share(u64::from(percent) * 10) }
        } else if let Some(shards) = self.shards {
            match shards_per_gpu {
                Some(each) => {
                    let milli = u64::from(shards) * 1000 / u64::from(each.max(1));
                    GpuAsk { assumed: Some(SHARDED), ..share(milli) }
                }
                None => GpuAsk { count: 1, each_milli: 1000, assumed: Some(SHARD), ..GpuAsk::default() },
            }
        } else {
            return Some(None);
        };
        let assumed = ask.assumed.or(self.per_part.then_some(PER_PART));
        let ask = GpuAsk { kinds, per_node: self.per_node, assumed, ..ask };
        (ask.count <= Gpus::MAX_WHOLE).then_some(Some(ask))
    }
}

const PER_PART: &str =
    "for GPUs by task or socket (`PER_TASK`, `PER_SOCKET`), whose number is not told: read as one a node";
const MPS: &str = "for a share of a GPU (`gres/mps`): read as percent of one";
const SHARD: &str = "for shards of a GPU (`gres/shard`), how many make one is not told: a whole GPU each; \
                     `map.shards_per_gpu` says it";
const SLICE: &str =
    "for MIG slices: read as their sevenths of a GPU's compute, rounded down, whatever memory they have";
const SLICES: &str = "for MIG slices of several sizes, or whole GPUs beside: rounded up to whole GPUs";

/// Slices of a GPU; `whole` counts them and the whole GPUs beside them.
fn sliced(whole: u32, slices: &[(u32, u32)]) -> GpuAsk {
    let count: u32 = slices.iter().map(|(_, count)| count).sum();
    let first = slices[0].0;
    if count == whole && slices.iter().all(|(size, _)| *size == first) {
        return GpuAsk { count, each_milli: first * 1000 / 7, assumed: Some(SLICE), ..GpuAsk::default() };
    }
    let sevenths: u64 = slices.iter().map(|(size, count)| u64::from(*size) * u64::from(*count)).sum();
    let beside = whole.saturating_sub(count);
    let gpus = u32::try_from(sevenths.div_ceil(7)).unwrap_or(u32::MAX).saturating_add(beside);
    GpuAsk { count: gpus, each_milli: 1000, assumed: Some(SLICES), ..GpuAsk::default() }
}

/// A share of one GPU, at least a thousandth; more than one is rounded up to whole ones.
fn share(milli: u64) -> GpuAsk {
    match u32::try_from(milli) {
        Ok(milli @ 0..1000) => GpuAsk { count: 1, each_milli: milli.max(1), ..GpuAsk::default() },
        _ => {
            let count = u32::try_from(milli.div_ceil(1000)).unwrap_or(u32::MAX);
            GpuAsk { count, each_milli: 1000, ..GpuAsk::default() }
        }
    }
}

/// The sevenths of a GPU's compute that a MIG type stands for, and the type of the GPU: `a100_1g.5gb`, `3g.20gb`,
/// `nvidia_h100_80gb_hbm3_1g.10gb+me`.
fn slice(kind: &str) -> Option<(u32, &str)> {
    let at = kind.find("g.").filter(|at| *at > 0)?;
    let size = kind.as_bytes()[at - 1].checked_sub(b'0').filter(|size| (1..=7).contains(size))?;
    let memory = &kind[at + 2..];
    let digits = memory.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || !memory[digits..].starts_with("gb") {
        return None;
    }
    let before = kind[..at - 1].trim_end_matches("1c.").trim_end_matches(['_', '-', '.', ':']);
    Some((u32::from(size), before))
}

/// The items of a list; a comma within brackets is part of one.
fn items(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Most lists have no bracket.
    let plain = memchr3(b'(', b'[', b']', bytes).is_none();
    let mut depth = 0_u32;
    let mut outside = move |byte: &u8| {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *byte == b',' && depth == 0
    };
    let mut rest = bytes;
    let items = std::iter::from_fn(move || {
        let comma = if plain { memchr(b',', rest) } else { rest.iter().position(&mut outside) };
        let item = (!rest.is_empty()).then(|| &rest[..comma.unwrap_or(rest.len())]);
        rest = comma.map_or(b"".as_slice(), |comma| &rest[comma + 1..]);
        item
    });
    items.map(<[u8]>::trim_ascii).filter(|item| !item.is_empty() && *item != b"(null)")
}

/// Name, count, and whether the notation is one of counts for each node.
fn split(item: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let (mut prefixed, mut per_job) = (None, None);
    if item.first() == Some(&b'P') {
        let prefixes = [b"PER_NODE:".as_slice(), b"PER_SOCKET:", b"PER_TASK:"];
        prefixed = prefixes.iter().find_map(|prefix| item.strip_prefix(*prefix));
        per_job = item.strip_prefix(b"PER_JOB:");
    }
    let item = prefixed.or(per_job).unwrap_or(item);
    if let Some(equals) = item.iter().position(|byte| *byte == b'=') {
        return Some((&item[..equals], &item[equals + 1..], prefixed.is_some()));
    }
    let item = item.split(|byte| *byte == b'(').next().unwrap_or_default();
    let item = item.strip_prefix(b"gres:").or(item.strip_prefix(b"gres/")).unwrap_or(item);
    let per_node = per_job.is_none();
    match item.iter().rposition(|byte| *byte == b':') {
        Some(colon) if count(&item[colon + 1..]).is_some() => {
            Some((&item[..colon], &item[colon + 1..], per_node))
        }
        _ if item.is_empty() || item.iter().all(u8::is_ascii_digit) => None,
        _ => Some((item, b"1", per_node)),
    }
}

/// How many of a resource.
fn count(value: &[u8]) -> Option<u32> {
    field::count(value).filter(|count| *count <= Gpus::MAX_WHOLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str, requested: bool) -> Option<Option<(u32, u32, bool, String)>> {
        let tres = Tres::read(text.as_bytes(), requested, None)?;
        Some(tres.gpus.map(|ask| (ask.count, ask.each_milli, ask.per_node, ask.kinds.join(" "))))
    }

    #[test]
    fn gpus_are_read_in_every_notation() {
        for (text, count, each, per_node, kinds) in [
            ("gres/gpu=8", 8, 1000, false, ""),
            ("gres/gpu:h100=8,gres/gpu=8", 8, 1000, false, "h100"),
            ("gres/gpu:h100=4,gres/gpu:h100=4", 8, 1000, false, "h100"),
            ("gres/gpu:h100=4,gres/gpu:a100=2", 6, 1000, false, "h100 a100"),
            ("gpu:8", 8, 1000, true, ""),
            ("gpu:H100:2(S:0-1)", 2, 1000, true, "h100"),
            ("gpu:a100:4(IDX:0-1,3)", 4, 1000, true, "a100"),
            ("gpu", 1, 1000, true, ""),
            ("gpu:a100", 1, 1000, true, "a100"),
            ("PER_NODE:gpu:4", 4, 1000, true, ""),
            ("PER_JOB:gpu:4", 4, 1000, false, ""),
            ("gres:gpu:8", 8, 1000, true, ""),
            ("gres/gpu:8", 8, 1000, true, ""),
            ("gres/gpu=1,gres/gpu:a100_1g.5gb=1", 1, 142, false, "a100"),
            ("gres/gpu:a100_3g.20gb=1", 1, 428, false, "a100"),
            ("gpu:1g.10gb+me:7", 7, 142, true, ""),
            ("gres/gpu:nvidia_h100_80gb_hbm3_7g.80gb=2", 2, 1000, false, "nvidia_h100_80gb_hbm3"),
            ("gres/gpu:a100_1g.5gb=1,gres/gpu:a100_3g.20gb=1", 1, 1000, false, "a100"),
            ("gres/gpu=3,gres/gpu:a100=1,gres/gpu:a100_3g.20gb=2", 2, 1000, false, "a100"),
            ("gres/mps=50", 1, 500, false, ""),
            ("gres/mps=250", 3, 1000, false, ""),
            ("gres/shard=4", 1, 1000, false, ""),
            ("gres/gpu=0", 0, 1000, false, ""),
        ] {
            assert_eq!(ask(text, true), Some(Some((count, each, per_node, kinds.to_owned()))), "{text}");
        }
        assert_eq!(ask("gpu:8", false), Some(Some((8, 1000, false, String::new()))), "allocated in all");
        for text in ["", "cpu=1,node=1", "billing=8,gres/nvme=1", "(null)"] {
            assert_eq!(ask(text, true), Some(None), "{text}");
        }
        for text in ["gres/gpu=-1", "gres/gpu=99999999", "gres/gpu=many", "cpu=x", "7"] {
            assert_eq!(ask(text, true), None, "{text}");
        }
        let shards = Tres::read(b"gres/shard=4", true, Some(8)).unwrap().gpus.unwrap();
        assert_eq!(
            (shards.count, shards.each_milli, shards.assumed),
            (1, 500, Some(SHARDED)),
            "as the user says"
        );
        assert_eq!(Tres::read(b"gres/nvme=1,ic/ofed=1", true, None).unwrap().others, ["nvme"], "told apart");
    }

    #[test]
    fn memory_is_read_in_every_unit() {
        for (text, mib) in [
            ("mem=64G", 65_536),
            ("mem=1.5T", 1_572_864),
            ("mem=500M", 500),
            ("mem=1K", 1),
            ("mem=7", 7),
            ("mem=4Gn", 4096),
        ] {
            assert_eq!(Tres::read(text.as_bytes(), true, None).unwrap().memory_mib, Some(mib), "{text}");
        }
    }
}
