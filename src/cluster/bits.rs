/// A set of small integers whose least member is found in a few instructions: a bitset under its summaries.
///
/// Level 0 has a bit a member; a bit of each level above says whether a word of the level below is not empty.
/// Insert, remove and first take O(log₆₄ size) time; a member costs one bit and 1/63 for the summaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BitTree {
    words: Vec<u64>,
    /// Where levels 1, 2, 3 begin in `words`; equal to its length where there is no such level.
    starts: [usize; 3],
    levels: usize,
}

impl BitTree {
    /// An empty set over `0..size`.
    pub(super) fn new(size: usize) -> Self {
        let mut lengths = vec![size.div_ceil(64).max(1)];
        while lengths[lengths.len() - 1] > 1 {
            lengths.push(lengths[lengths.len() - 1].div_ceil(64));
        }
        assert!(lengths.len() <= 4, "a set of more than 16 million members");
        let total = lengths.iter().sum();
        let mut starts = [total; 3];
        let mut start = 0;
        for (level, length) in lengths.iter().enumerate() {
            if level > 0 {
                starts[level - 1] = start;
            }
            start += length;
        }
        Self { words: vec![0; total], starts, levels: lengths.len() }
    }

    /// The words of level 0.
    #[inline]
    pub(super) fn words(&self) -> &[u64] {
        &self.words[..self.starts[0]]
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.words[self.words.len() - 1] == 0
    }

    #[inline]
    pub(super) fn insert(&mut self, member: usize) {
        self.insert_mask(member >> 6, 1 << (member & 63));
    }

    #[inline]
    pub(super) fn remove(&mut self, member: usize) {
        self.remove_mask(member >> 6, 1 << (member & 63));
    }

    /// Adds the members of `mask` in word `word`.
    #[inline]
    pub(super) fn insert_mask(&mut self, word: usize, mask: u64) {
        self.set_word(word, self.words[word] | mask);
    }

    /// Removes the members of `mask` from word `word`.
    #[inline]
    pub(super) fn remove_mask(&mut self, word: usize, mask: u64) {
        self.set_word(word, self.words[word] & !mask);
    }

    /// Writes every summary, needed or not: a branch that cannot be foretold costs more.
    #[inline]
    fn set_word(&mut self, mut index: usize, new: u64) {
        self.words[index] = new;
        let mut some = u64::from(new != 0);
        for level in 1..self.levels {
            let word = &mut self.words[self.starts[level - 1] + (index >> 6)];
            *word = *word & !(1 << (index & 63)) | some << (index & 63);
            some = u64::from(*word != 0);
            index >>= 6;
        }
    }

    /// The least member.
    #[inline]
    pub(super) fn first(&self) -> Option<usize> {
        let top = self.words[self.words.len() - 1];
        if top == 0 {
            return None;
        }
        let mut index = top.trailing_zeros() as usize;
        for level in (1..self.levels).rev() {
            let start = if level == 1 { 0 } else { self.starts[level - 2] };
            index = index << 6 | self.words[start + index].trailing_zeros() as usize;
        }
        Some(index)
    }

    /// The members, ascending; words without any are passed over 64 at a time.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let summaries = if self.levels > 1 { &self.words[self.starts[0]..self.starts[1]] } else { &[1] };
        let words = summaries.iter().enumerate().flat_map(|(index, summary)| ones(*summary, index));
        words.flat_map(|index| ones(self.words[index], index))
    }
}

/// The set bits of `word`, ascending, as members of word `index` of a bitset.
pub(super) fn ones(mut word: u64, index: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros() as usize;
        word &= word - 1;
        Some(index << 6 | bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_holds_what_an_ordered_set_holds() {
        for size in [1, 63, 64, 65, 4096, 4097, 300_000] {
            let (mut tree, mut model) = (BitTree::new(size), BTreeSet::new());
            let stream = crate::random::Stream::new(1, crate::random::Purpose::Requests);
            for step in 0..3_000 {
                let [choice, member, ..] = stream.block(step, 0);
                let member = member as usize % size;
                if choice % 5 < 2 {
                    tree.insert(member);
                    model.insert(member);
                } else {
                    let member =
                        if choice % 2 == 0 { model.first().copied().unwrap_or(member) } else { member };
                    tree.remove(member);
                    model.remove(&member);
                }
                assert_eq!(tree.first(), model.first().copied(), "least member, size {size}");
                assert_eq!(tree.is_empty(), model.is_empty(), "emptiness, size {size}");
            }
            assert!(tree.iter().eq(model.iter().copied()), "all members, size {size}");
        }
    }
}
