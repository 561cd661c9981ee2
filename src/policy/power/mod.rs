//! What is done about caps on power, and who yields when the grid takes some away.
//!
//! A start is *admitted* if the reserved draw of everything below each level of the tree (node, rack, feed, the feeds
//! above) stays within that level's cap, the new job's included. A domain whose chain lacks headroom does not fit:
//! the next cheapest is taken; a gang over several racks that would break a cap waits, as nothing else is searched.
//! This is Slurm's hierarchical resource in mode 3.

mod admit;
mod cap;
pub(super) mod curtail;
mod none;
mod polca;
mod steer;

/// One way to treat caps: its name and what it does.
#[derive(Debug)]
pub struct Entry {
    /// Unique among them.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    rule: Rule,
}

/// Every way to treat caps.
pub const POWERS: &[Entry] = &[none::ENTRY, admit::ENTRY, cap::ENTRY, steer::ENTRY, polca::ENTRY];

/// Every rule of who yields to a curtailment.
pub const CURTAILS: &[curtail::Entry] = curtail::ENTRIES;

/// Percentage points that a draw has to fall below a threshold of `polca` before what it slowed is set free.
pub const HYSTERESIS: u32 = 5;

/// What starts are allowed to do, and what is done about running jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    None,
    Admit,
    Cap,
    Steer,
    Polca,
}

impl Rule {
    /// The rule of that name; no name is no rule.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::None);
        }
        POWERS.iter().find(|entry| entry.name == name).map(|entry| entry.rule)
    }
}
