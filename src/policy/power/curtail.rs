//! Which jobs yield when a curtailment leaves less power than is drawn.

use super::super::part::{Kind, Part, PartOption};

/// One rule: its name and what it does.
#[derive(Debug)]
pub struct ListedCurtail {
    /// Unique among them.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    pub(in crate::policy) rule: Curtail,
}

impl ListedCurtail {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> Part {
        Part {
            kind: Kind::Curtail,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
}

/// Which jobs yield.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Curtail {
    Cap,
    Preempt,
    Drain,
}

pub(super) const ENTRIES: &[ListedCurtail] = &[
    ListedCurtail {
        name: "cap",
        about: "all below the feed slow to the highest common level that fits; if none does, as preempt",
        source: "NVIDIA DPS with NvGrid; demand response by power capping",
        options: &[],
        rule: Curtail::Cap,
    },
    ListedCurtail {
        name: "preempt",
        about: "preemptible jobs stop, lowest priority first, then largest draw, until the rest fits",
        source: "interruptible load; Slurm preemption by priority",
        options: &[],
        rule: Curtail::Preempt,
    },
    ListedCurtail {
        name: "drain",
        about: "from the notice on no job starts that would not fit later; what runs goes on",
        source: "advance notice of demand response",
        options: &[],
        rule: Curtail::Drain,
    },
];

impl Curtail {
    /// The rule of that name; no name is `cap`.
    pub(in crate::policy) fn named(name: &str) -> Option<Self> {
        let name = if name.is_empty() { "cap" } else { name };
        ENTRIES.iter().find(|entry| entry.name == name).map(|entry| entry.rule)
    }
}
