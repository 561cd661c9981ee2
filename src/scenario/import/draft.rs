use crate::hardware::{Catalogue, Platform};
use std::ops::Range;

/// A key of a table, its value as TOML has it, and where that comes from.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) key: &'static str,
    pub(super) value: String,
    pub(super) from: String,
}

impl Key {
    pub(super) fn new(key: &'static str, value: impl ToString, from: impl Into<String>) -> Self {
        Self { key, value: value.to_string(), from: from.into() }
    }
    /// With a text as its value.
    pub(super) fn text(key: &'static str, value: &str, from: impl Into<String>) -> Self {
        Self::new(key, crate::scenario::text::quoted(value), from)
    }
}

/// Equal racks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Racks {
    pub(super) name: String,
    pub(super) kind: NodeKind,
    pub(super) count: u32,
    /// Of each rack.
    pub(super) nodes: u32,
    /// Where that is told.
    pub(super) from: String,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeKind {
    pub(super) platform: String,
    pub(super) gpus: u32,
    pub(super) cpu: Option<u32>,
    pub(super) memory_mib: Option<u32>,
}

/// Nodes under a name.
#[derive(Debug, Clone)]
pub(super) struct Partition {
    pub(super) name: String,
    pub(super) nodes: Vec<Range<u32>>,
    pub(super) tier: u32,
    pub(super) from: String,
}

/// What nodes are from the start on, if not up.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) state: &'static str,
    pub(super) nodes: Vec<Range<u32>>,
    pub(super) from: String,
}

/// An entry of `[[licence]]`.
#[derive(Debug, Clone)]
pub(super) struct Licence {
    pub(super) name: String,
    pub(super) count: u32,
    pub(super) from: String,
}

#[derive(Debug, Clone)]
pub(super) struct Tenant {
    pub(super) name: String,
    pub(super) partition: Option<String>,
    /// Thousandths.
    pub(super) weight: Option<u32>,
    pub(super) from: String,
}

/// What a queue has of a platform, thousandths of GPUs.
#[derive(Debug, Clone, Default)]
pub(super) struct OnPlatform {
    pub(super) platform: String,
    pub(super) nominal: Option<u32>,
    pub(super) borrow: Option<u32>,
    pub(super) lend: Option<u32>,
    pub(super) limit: Option<u32>,
}

/// An entry of `[[queue]]`; amounts in thousandths of GPUs.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) parent: Option<String>,
    pub(super) tenants: Vec<String>,
    pub(super) nominal: Option<u32>,
    pub(super) borrow: Option<u32>,
    pub(super) lend: Option<u32>,
    pub(super) guarantee: Option<u32>,
    pub(super) limit: Option<u32>,
    /// The same by platform, where those are told apart; the others are sums then.
    pub(super) by_platform: Vec<OnPlatform>,
    pub(super) weight: Option<u32>,
    pub(super) from: String,
}

/// A scenario that is not written yet.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// In place of racks: nodes x GPUs [x platform].
    pub(super) cluster: Option<String>,
    pub(super) run: Vec<Key>,
    pub(super) policy: Vec<Key>,
    pub(super) racks: Vec<Racks>,
    pub(super) partitions: Vec<Partition>,
    pub(super) changes: Vec<Change>,
    pub(super) licences: Vec<Licence>,
    pub(super) tenants: Vec<Tenant>,
    pub(super) queues: Vec<Queue>,
}

impl Draft {
    /// Adds racks, joined with those before them where they are equal but for the number.
    pub(super) fn add_racks(&mut self, racks: Racks) {
        match self.racks.last_mut() {
            Some(last) if last.kind == racks.kind && last.nodes == racks.nodes && last.from == racks.from => {
                last.count = last.count.saturating_add(racks.count);
            }
            _ => self.racks.push(racks),
        }
    }
    /// Adds nodes of a kind in racks as its platform has them, the last one partly filled.
    pub(super) fn add_nodes(&mut self, name: &str, kind: &NodeKind, nodes: u32, from: &str) {
        let each = Catalogue::embedded().get(&kind.platform).map_or(1, Platform::nodes_per_rack).max(1);
        for (count, nodes) in [(nodes / each, each), (1, nodes % each)] {
            if count > 0 && nodes > 0 {
                let (name, kind, from) = (name.to_owned(), kind.clone(), from.to_owned());
                self.racks.push(Racks { name, kind, count, nodes, from });
            }
        }
    }
    /// How many GPUs there are.
    pub(super) fn gpus(&self) -> u64 {
        if let Some(cluster) = &self.cluster {
            let mut numbers = cluster.splitn(3, 'x').map(|piece| piece.trim().parse::<u32>().unwrap_or(0));
            return u64::from(numbers.next().unwrap_or(0)) * u64::from(numbers.next().unwrap_or(0));
        }
        let gpus =
            |racks: &Racks| u64::from(racks.count) * u64::from(racks.nodes) * u64::from(racks.kind.gpus);
        self.racks.iter().map(gpus).sum()
    }
    /// GPUs of the nodes in ranges, and how many a node of them has at most.
    pub(super) fn gpus_in(&self, ranges: &[Range<u32>]) -> (u64, u32) {
        let (mut first, mut gpus, mut most) = (0_u64, 0_u64, 0_u32);
        for racks in &self.racks {
            let end = first + u64::from(racks.count) * u64::from(racks.nodes);
            for range in ranges {
                let (from, to) = (u64::from(range.start).max(first), u64::from(range.end).min(end));
                if from < to {
                    gpus += (to - from) * u64::from(racks.kind.gpus);
                    most = most.max(racks.kind.gpus);
                }
            }
            first = end;
        }
        (gpus, most)
    }
}

/// The platform whose name stands in a text such as `NVIDIA-H100-80GB-HBM3`; the longest, of several.
///
/// A name stands there where no letter or digit is beside it, or where only letters that tell a board follow.
pub(super) fn platform_in(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let catalogue = Catalogue::embedded();
    let mut names: Vec<&str> = catalogue.names().filter(|name| *name != "generic").collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let is_word = |name: &str| {
        text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(|c| c.is_ascii_digit())
        })
    };
    names.into_iter().find(|name| is_word(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_known_by_what_vendors_call_them() {
        for (text, expected) in [
            ("NVIDIA-H100-80GB-HBM3", Some("h100")),
            ("nvidia_gb200", Some("gb200")),
            ("a100-sxm4-80gb", Some("a100")),
            ("a100_1g.5gb", Some("a100")),
            ("NVIDIA-B200", Some("b200")),
            ("gpu", None),
            ("h1000", None),
            ("generic", None),
            ("", None),
        ] {
            assert_eq!(platform_in(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn gpus_of_ranges_are_those_of_their_nodes() {
        let kind = |gpus| NodeKind { platform: "generic".to_owned(), gpus, cpu: None, memory_mib: None };
        let racks = |count, nodes, gpus| Racks {
            name: String::new(),
            kind: kind(gpus),
            count,
            nodes,
            from: gpus.to_string(),
        };
        let draft = Draft { racks: vec![racks(2, 3, 8), racks(1, 4, 4)], ..Draft::default() };
        assert_eq!(draft.gpus(), 64, "all");
        assert_eq!(draft.gpus_in(&[5..6, 6..8]), (16, 8), "one of 8, two of 4");
        assert_eq!(draft.gpus_in(&[6..7, 9..20]), (8, 4), "no more than there are");
    }
}
