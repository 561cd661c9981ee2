//! How far queues are above what they have, so that they can be compared: the share of Kueue's fair sharing.

use super::{Tree, Usage};
use std::cmp::Ordering;

/// What a row borrows, relative to what it could borrow, by its weight: compared exactly, never rounded.
///
/// ```
/// use gigawatt::state::quota::{Row, Share, Tree, Usage};
/// let cloud = Row { nominal_milli: Some(5_000), ..Row::default() };
/// let tree = Tree::new(vec![cloud, Row { parent: Some(0), ..cloud }]);
/// let mut usage = Usage::of(&tree);
/// usage.add(&tree, 1, 7_000);
/// // It borrows 2 of 10, and counts half with a weight of 2.
/// let share = |weight_milli| Share::of(&[&[(&tree, &usage)]], 1, weight_milli);
/// assert_eq!([1_000, 2_000, 0].map(|weight| share(weight).reported()), [Some(200), Some(100), None]);
/// assert!(share(0) > share(500) && share(500) > share(1_000), "what weighs less is ahead sooner");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Share {
    over: u64,
    /// Above 0.
    lendable: u64,
    weight_milli: u32,
}

impl Share {
    /// Of what borrows nothing.
    pub const NONE: Self = Self { over: 0, lendable: 1, weight_milli: 1000 };

    /// The share of a row, of weight thousandths, in the resource of which it borrows the greatest part. A resource is the
    /// pools in which it is counted, each a tree of the same rows; of all its pools together what the row borrows is compared
    /// with what the row above it could hold, were there no others. A root borrows nothing.
    ///
    /// # Complexity
    /// O(|pools| · depth) time.
    #[must_use]
    pub fn of(resources: &[&[(&Tree, &Usage)]], row: u32, weight_milli: u32) -> Self {
        let part = |pools: &&[(&Tree, &Usage)]| {
            let own =
                || pools.iter().flat_map(|(tree, usage)| tree.pools(row).map(move |row| (tree, usage, row)));
            let over: u64 = own().map(|(tree, usage, row)| tree.over(usage, row)).sum();
            // Of what has no end no part is borrowed.
            let lendable = own().map(|(tree, _, row)| tree.most_above(row)).sum::<Option<u64>>()?;
            (over > 0 && lendable > 0).then_some(Self { over, lendable, weight_milli })
        };
        // Of equal parts that of the first resource.
        resources
            .iter()
            .filter_map(part)
            .reduce(|first, other| first.max_by_part(other))
            .unwrap_or(Self::NONE)
    }
    /// That of a row of a tree of one resource, of weight thousandths, where so many thousandths more are drawn of it, or of
    /// the row of one platform `at` which they count.
    pub(crate) fn with(
        tree: &Tree,
        usage: &Usage,
        (row, at): (u32, u32),
        (weight_milli, more): (u32, u64),
    ) -> Self {
        let over = |own: u32| tree.over_with(usage, own, if own == at { more } else { 0 });
        let over = tree.pools(row).map(over).sum();
        let lendable = tree.pools(row).map(|own| tree.most_above(own)).sum::<Option<u64>>();
        let share = |lendable| Self { over, lendable, weight_milli };
        lendable.filter(|lendable| over > 0 && *lendable > 0).map_or(Self::NONE, share)
    }
    /// So much of a whole; of nothing anything is beyond all others.
    pub(crate) const fn of_whole(of: u64, whole: u64, weight_milli: u32) -> Self {
        match whole {
            0 => Self { over: of, lendable: 1, weight_milli: 0 },
            _ => Self { over: of, lendable: whole, weight_milli },
        }
    }
    fn max_by_part(self, other: Self) -> Self {
        if other.part(&self).is_gt() { other } else { self }
    }
    /// Compares what is borrowed, whatever the weights.
    fn part(&self, other: &Self) -> Ordering {
        let products = |one: &Self, two: &Self| u128::from(one.over) * u128::from(two.lendable);
        products(self, other).cmp(&products(other, self))
    }
    /// As Kueue reports it: thousandths, rounded up; none: it borrows, and weighs nothing.
    #[must_use]
    pub fn reported(&self) -> Option<u128> {
        let weighted = u128::from(self.lendable) * u128::from(self.weight_milli);
        match self.over {
            0 => Some(0),
            over => (weighted > 0).then(|| (u128::from(over) * 1_000_000).div_ceil(weighted)),
        }
    }
    /// Whether anything is borrowed that somebody lends.
    pub(crate) const fn borrows(&self) -> bool {
        self.over > 0
    }
    /// Whether it borrows and weighs nothing: it is ahead of all that weigh something.
    const fn is_weightless(&self) -> bool {
        self.over > 0 && self.weight_milli == 0
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_weightless(), other.is_weightless()) {
            (true, true) => self.part(other),
            (false, false) => {
                // Less than 46, 46 and 32 bits.
                let weighted = |one: &Self, two: &Self| {
                    u128::from(one.over) * u128::from(two.lendable) * u128::from(two.weight_milli)
                };
                let (own, others) = (weighted(self, other), weighted(other, self));
                if self.over == 0 || other.over == 0 {
                    self.over.min(1).cmp(&other.over.min(1))
                } else {
                    own.cmp(&others)
                }
            }
            (own, others) => own.cmp(&others),
        }
    }
}
impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Share {}

#[cfg(test)]
mod tests {
    use super::super::Row;
    use super::*;

    #[test]
    fn what_weighs_nothing_is_ahead_of_all_others_and_nothing_borrowed_behind_them() {
        let of = |over, weight_milli| Share { over, lendable: 10_000, weight_milli };
        let idle =
            |weight_milli| if weight_milli > 0 { Share::NONE } else { Share { weight_milli, ..Share::NONE } };
        let ascending = [
            vec![idle(1000), idle(0)],
            vec![of(1, 2000)],
            vec![of(1, 1000), of(2, 2000)],
            vec![of(9_000, 1)],
            vec![of(1, 0)],
            vec![of(2, 0)],
        ];
        for (low, shares) in ascending.iter().enumerate() {
            for (high, others) in ascending.iter().enumerate() {
                for (share, other) in
                    shares.iter().flat_map(|share| others.iter().map(move |other| (share, other)))
                {
                    assert_eq!(share.cmp(other), low.cmp(&high), "{share:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn with_more_a_share_is_as_if_that_were_held() {
        let cloud = Row { nominal_milli: Some(6_000), ..Row::default() };
        let kept = Row { parent: Some(0), lend_milli: Some(1_000), nominal_milli: Some(3_000), ..cloud };
        let tree = Tree::new(vec![cloud, kept, Row { parent: Some(1), nominal_milli: None, ..kept }, kept]);
        for (row, more) in [(2, 500), (2, 1_500), (2, 4_000), (3, 3_000)] {
            let mut usage = Usage::of(&tree);
            usage.add(&tree, 2, 1_000);
            let mut then = usage.clone();
            then.add(&tree, row, more);
            let (mut at, mut drawn) = (Some(row), more);
            while let Some(own) = at {
                let expected = Share::of(&[&[(&tree, &then)]], own, 2_000);
                assert_eq!(
                    Share::with(&tree, &usage, (own, own), (2_000, drawn)),
                    expected,
                    "{more} of {row}: {own}"
                );
                (at, drawn) = (tree.parent(own), tree.draws_more(&usage, own, drawn));
            }
        }
    }

    #[test]
    fn of_what_has_no_end_no_part_is_borrowed() {
        let tree = Tree::new(vec![Row::default(), Row { parent: Some(0), ..Row::default() }]);
        let mut usage = Usage::of(&tree);
        usage.add(&tree, 1, 7_000);
        assert_eq!(Share::of(&[&[(&tree, &usage)]], 1, 1000), Share::NONE);
    }
}
