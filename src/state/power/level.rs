//! The levels at which GPUs can be capped, and what a class of jobs draws and does at each.

use super::CapRule;
use crate::cluster::{NodeKind, Piece};
use crate::power::draw::{Draw, part};
use crate::units::{Factor, Watts};
use crate::workload::Profile;

/// How many levels there are: the TGP, and down to half of it in steps of 5 %.
pub(crate) const LEVELS: usize = 11;
/// The index of the lowest level.
pub(crate) const LOWEST: usize = LEVELS - 1;

/// The cap of a level, as a fraction of the TGP.
#[expect(clippy::cast_possible_truncation, reason = "a percentage of 2^16")]
pub(crate) const fn cap_of(level: usize) -> Factor {
    Factor(((100 - 5 * level as u64) * Factor::ONE.0 as u64 / 100) as u32)
}

/// The level of a cap that [`cap_of`] made.
pub(crate) fn level_of(cap: Factor) -> usize {
    (0..LOWEST).find(|level| cap_of(*level) <= cap).unwrap_or(LOWEST)
}

/// What jobs of one class draw by level and kind of node, and the levels at which they may start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draws {
    kinds: usize,
    by_level: Vec<Draw>,
    starts: Vec<usize>,
}

impl Draws {
    pub(crate) fn new(profile: &Profile, kinds: &[NodeKind], rule: &CapRule, high: bool) -> Self {
        let by_level = (0..LEVELS)
            .flat_map(|level| kinds.iter().map(move |kind| Draw::new(profile, &kind.power, cap_of(level))));
        let mut draws = Self { kinds: kinds.len(), by_level: by_level.collect(), starts: Vec::new() };
        draws.starts = rule.starts(high).to_vec();
        // Where a level draws no less than the one above, nothing new fits.
        let at = |level: usize| draws.by_level[level * kinds.len()..(level + 1) * kinds.len()].iter();
        let peaks = |level: usize| at(level).map(|draw| draw.peak).collect::<Vec<_>>();
        let same = |a: usize, b: usize| peaks(a) == peaks(b);
        draws.starts.dedup_by(|level, before| same(*level, *before));
        draws
    }
    /// The levels at which a job may start, the highest first.
    pub(crate) fn starts(&self) -> &[usize] {
        &self.starts
    }
    fn at(&self, level: usize, kind: u32) -> &Draw {
        &self.by_level[level * self.kinds + kind as usize]
    }
    /// How much slower the job is at a level.
    pub(crate) fn speed(&self, level: usize, kind: u32) -> Factor {
        self.at(level, kind).speed
    }
    /// The watts above idle that thousandths of the GPUs of a node reserve.
    pub(crate) fn of_pod(&self, level: usize, kind: u32, milli: u32, gpus: u32) -> Watts {
        part(self.at(level, kind).peak, milli, gpus)
    }
}

/// Thousandths of GPUs that a piece holds of each of its nodes; none: all.
pub(crate) const fn milli_of(piece: &Piece) -> Option<u32> {
    match *piece {
        Piece::Nodes { .. } => None,
        Piece::Gpus { mask, .. } => Some(mask.count_ones() * 1000),
        Piece::Share { milli, .. } => Some(milli as u32),
    }
}
