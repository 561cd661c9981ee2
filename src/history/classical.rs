use serde::{Deserialize, Serialize};

/// Preemption `classical`: which jobs of its own queue stop for a blocked one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithinQueue {
    /// None.
    Never,
    /// Those of lower priority.
    #[default]
    Lower,
    /// Also those as high that became eligible later.
    LowerOrNewer,
}

/// Preemption `classical`: which jobs of queues that borrow stop for a blocked one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReclaimFrom {
    /// None.
    Never,
    /// Those of lower priority.
    Lower,
    /// Any.
    #[default]
    Any,
}

/// Preemption `classical`: which of those stop where the queue of the blocked job borrows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BorrowFrom {
    /// None.
    #[default]
    Never,
    /// Those of lower priority.
    Lower,
    /// Those of lower priority, up to this one.
    UpTo(i32),
}

/// The rules of preemption `classical`.
///
/// ```
/// use gigawatt::history::{Classical, ReclaimFrom, WithinQueue};
/// assert_eq!(WithinQueue::named("lower-or-newer").map(WithinQueue::name), Some("lower-or-newer"));
/// let rules = Classical { reclaim_from: ReclaimFrom::Lower, ..Classical::default() };
/// assert!(!rules.are_usual() && Classical::default().are_usual());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classical {
    /// Which jobs of its own queue stop.
    pub within_queue: WithinQueue,
    /// Which jobs of other queues stop.
    pub reclaim_from: ReclaimFrom,
    /// Which of these stop where its queue borrows.
    pub borrow_from: BorrowFrom,
}

impl Classical {
    /// Whether nothing is said.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl WithinQueue {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Never, "never"), (Self::Lower, "lower"), (Self::LowerOrNewer, "lower-or-newer")];

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        named(&Self::ALL, name)
    }
    /// As a scenario calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

impl ReclaimFrom {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Never, "never"), (Self::Lower, "lower"), (Self::Any, "any")];

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        named(&Self::ALL, name)
    }
    /// As a scenario calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

fn named<T: Copy>(all: &[(T, &str)], name: &str) -> Option<T> {
    all.iter().find(|(_, own)| *own == name).map(|(rule, _)| *rule)
}

fn name_of<T: Copy + PartialEq>(all: &[(T, &'static str)], rule: T) -> &'static str {
    all.iter().find(|(own, _)| *own == rule).map_or("", |(_, name)| *name)
}
