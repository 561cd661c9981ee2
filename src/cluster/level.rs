//! Domains between the racks and the whole cluster: halls, rows, blocks.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A level of domains: each is so many racks in a row, and every rack lies in one.
///
/// ```
/// use gigawatt::cluster::Level;
/// let blocks = Level { name: "block".to_owned(), first_racks: vec![0, 4, 8] };
/// assert_eq!(blocks.domains(10), [0..4, 4..8, 8..10]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// What one of its domains is called; unique in the cluster, and not `rack`.
    pub name: String,
    /// The first rack of each domain, ascending from rack 0.
    pub first_racks: Vec<u32>,
}

impl Level {
    /// What no level may be called: it is one already.
    pub const RACK: &'static str = "rack";

    /// The racks of each domain, on a cluster of so many.
    #[must_use]
    pub fn domains(&self, racks: u32) -> Vec<Range<u32>> {
        let ends = self.first_racks.iter().skip(1).copied().chain([racks]);
        self.first_racks.iter().copied().zip(ends).map(|(first, end)| first..end).collect()
    }
    /// Whether its domains are those of a cluster of so many racks.
    fn is_sound(&self, racks: usize) -> bool {
        self.first_racks.first() == Some(&0)
            && self.first_racks.is_sorted_by(|one, next| one < next)
            && self.first_racks.last().is_some_and(|last| (*last as usize) < racks)
    }
    /// Where a domain of the level above begins and none of this one does: each of its own has to lie in one of those.
    ///
    /// ```
    /// use gigawatt::cluster::Level;
    /// let level = |first_racks| Level { first_racks, ..Level::default() };
    /// assert_eq!(level(vec![0, 2, 4]).crossed(&level(vec![0, 4])), None);
    /// assert_eq!(level(vec![0, 3]).crossed(&level(vec![0, 4])), Some(4));
    /// ```
    #[must_use]
    pub fn crossed(&self, above: &Self) -> Option<u32> {
        let begins_here = |first: &&u32| self.first_racks.binary_search(first).is_ok();
        above.first_racks.iter().find(|first| !begins_here(first)).copied()
    }
}

/// Whether levels, from the highest down, divide so many racks: each domain in one of the level above.
pub(super) fn are_sound(levels: &[Level], racks: usize) -> bool {
    let named = |(index, level): (usize, &Level)| {
        let again = levels[..index].iter().any(|other| other.name == level.name);
        !again && !level.name.is_empty() && level.name != Level::RACK
    };
    levels.iter().all(|level| level.is_sound(racks))
        && levels.windows(2).all(|two| two[1].crossed(&two[0]).is_none())
        && levels.iter().enumerate().all(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, first_racks: &[u32]) -> Level {
        Level { name: name.to_owned(), first_racks: first_racks.to_vec() }
    }

    #[test]
    fn levels_divide_all_racks_and_nest() {
        let (row, block) = (level("row", &[0, 4]), level("block", &[0, 2, 4, 7]));
        assert!(are_sound(&[row.clone(), block.clone()], 8), "blocks in rows");
        assert!(!are_sound(&[block.clone(), row.clone()], 8), "rows are no part of blocks");
        assert!(!are_sound(&[row.clone(), block], 7), "the last block has no rack");
        assert!(!are_sound(&[row.clone(), row], 8), "two of one name");
        for (name, first_racks) in
            [("row", &[1, 4][..]), ("row", &[]), ("row", &[0, 0]), ("rack", &[0]), ("", &[0])]
        {
            assert!(!are_sound(&[level(name, first_racks)], 8), "`{name}` of {first_racks:?}");
        }
        assert!(are_sound(&[], 0), "none at all");
    }
}
