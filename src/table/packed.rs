//! Numbers and names in the encodings of Parquet.
//!
//! The crate `parquet` reads them back in the tests and writes the file around them. Its own writer of columns takes about
//! twice the time of CSV for `jobs`: it hashes every word of a column, and looks at every level and step one by one.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Words of which many are the same: each once, and where each cell finds its own.
#[derive(Debug, Default)]
pub(super) struct Words {
    hasher: DefaultHashBuilder,
    /// Places of words; never iterated.
    places: HashTable<u32>,
    /// All words together, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// By cell.
    pub(super) cells: Vec<u32>,
}

impl Words {
    pub(super) const fn count(&self) -> usize {
        self.ends.len()
    }
    /// A cell with that word.
    pub(super) fn push(&mut self, word: &str) {
        let word = word.as_bytes();
        let Self { hasher, places, bytes, ends, cells } = self;
        // Neighbours often say the same.
        if let Some(last) = cells.last().copied()
            && slice(bytes, ends, last) == word
        {
            cells.push(last);
            return;
        }
        let hash = hasher.hash_one(word);
        if let Some(place) = places.find(hash, |place| slice(bytes, ends, *place) == word) {
            cells.push(*place);
            return;
        }
        let place = u32::try_from(ends.len()).expect("words are counted in 32 bits");
        bytes.extend_from_slice(word);
        ends.push(bytes.len());
        places.insert_unique(hash, place, |place| hasher.hash_one(slice(bytes, ends, *place)));
        cells.push(place);
    }
    /// Every word, one after the other, each behind its length: `PLAIN`.
    pub(super) fn plain(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 4 * self.ends.len());
        for word in slices(&self.bytes, &self.ends) {
            out.extend_from_slice(&length(word.len()));
            out.extend_from_slice(word);
        }
        out
    }
    /// What cells say: `RLE_DICTIONARY`.
    pub(super) fn places(&self, out: &mut Vec<u8>) {
        let width = (u64::BITS - (self.ends.len() as u64).saturating_sub(1).leading_zeros()).max(1);
        out.push(width.to_le_bytes()[0]);
        hybrid(&self.cells, width, out);
    }
}

/// One of texts that stand one after the other, given where each ends.
fn slice<'t>(bytes: &'t [u8], ends: &[usize], place: u32) -> &'t [u8] {
    let place = place as usize;
    let start = place.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[place]]
}

/// All of them.
fn slices<'t>(bytes: &'t [u8], ends: &'t [usize]) -> impl Iterator<Item = &'t [u8]> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| &bytes[start..*end])
}

/// Four bytes that say how long something is.
pub(super) fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a page is no longer than 4 GiB").to_le_bytes()
}

/// Seven bits a byte, the least first.
fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Small numbers of either sign as small ones without.
const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The lowest `width` bits of each number, without a gap; the last byte is filled with 0.
fn pack(numbers: impl IntoIterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut held, mut bits) = (0_u64, 0);
    for number in numbers {
        held |= number << bits;
        bits += width;
        if bits >= u64::BITS {
            out.extend_from_slice(&held.to_le_bytes());
            bits -= u64::BITS;
            held = number.checked_shr(width - bits).unwrap_or(0);
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

/// Small numbers as runs of one, and groups of eight where they differ: `RLE`.
pub(super) fn hybrid<T: Copy + PartialEq + Into<u64>>(numbers: &[T], width: u32, out: &mut Vec<u8>) {
    let groups = |numbers: &[T], out: &mut Vec<u8>| {
        if !numbers.is_empty() {
            let groups = numbers.len().div_ceil(8);
            varint((groups as u64) << 1 | 1, out);
            let end = out.len() + groups * width as usize;
            pack(numbers.iter().map(|number| (*number).into()), width, out);
            out.resize(end, 0);
        }
    };
    let (mut written, mut at) = (0, 0);
    while at < numbers.len() {
        let first = numbers[at];
        let end = numbers.len().min(at + 8);
        if numbers[at..end].iter().any(|number| *number != first) {
            at = end;
            continue;
        }
        let rest = &numbers[at..];
        let whole = 8 * rest.chunks_exact(8).take_while(|group| **group == [first; 8]).count();
        let run = whole + rest[whole..].iter().take_while(|number| **number == first).count();
        groups(&numbers[written..at], out);
        varint((run as u64) << 1, out);
        out.extend_from_slice(&first.into().to_le_bytes()[..width.div_ceil(8) as usize]);
        at += run;
        written = at;
    }
    groups(&numbers[written..], out);
}

/// Numbers of a block, and of each part of it that has a width of its own.
const BLOCK: usize = 128;
const PART: usize = 32;

/// Numbers as their steps: `DELTA_BINARY_PACKED`.
pub(super) fn delta(numbers: &[i64], out: &mut Vec<u8>) {
    let first = zigzag(numbers.first().copied().unwrap_or(0));
    for number in [BLOCK as u64, (BLOCK / PART) as u64, numbers.len() as u64, first] {
        varint(number, out);
    }
    let after = numbers.get(1..).unwrap_or_default();
    for (before, block) in numbers.chunks(BLOCK).zip(after.chunks(BLOCK)) {
        if before[..block.len()] == *block {
            // No step, and no width of a step.
            out.extend_from_slice(&[0; 1 + BLOCK / PART]);
            continue;
        }
        let mut steps = [0_i64; BLOCK];
        let steps_of_block = &mut steps[..block.len()];
        for ((step, after), before) in steps_of_block.iter_mut().zip(block).zip(before) {
            *step = after.wrapping_sub(*before);
        }
        let least = steps_of_block.iter().copied().min().unwrap_or(0);
        steps_of_block.iter_mut().for_each(|step| *step = step.wrapping_sub(least));
        varint(zigzag(least), out);
        let width = |part: &[i64]| {
            u64::BITS - part.iter().fold(0, |all, step| all | step.cast_unsigned()).leading_zeros()
        };
        let widths: [u32; BLOCK / PART] =
            std::array::from_fn(|part| width(&steps[part * PART..(part + 1) * PART]));
        out.extend(widths.map(|width| width.to_le_bytes()[0]));
        let parts = steps.chunks(PART).zip(widths).take(block.len().div_ceil(PART));
        for (part, width) in parts.filter(|(_, width)| *width > 0) {
            pack(part.iter().map(|step| step.cast_unsigned()), width, out);
        }
    }
}

/// Texts as what they do not share with the one before: `DELTA_BYTE_ARRAY`.
pub(super) fn delta_texts(bytes: &[u8], ends: &[usize], out: &mut Vec<u8>) {
    let (mut shared, mut rest, mut tails) = (Vec::new(), Vec::new(), Vec::new());
    let mut last: &[u8] = &[];
    for text in slices(bytes, ends) {
        let same = last.iter().zip(text).take_while(|(one, other)| one == other).count();
        shared.push(same as i64);
        rest.push((text.len() - same) as i64);
        tails.extend_from_slice(&text[same..]);
        last = text;
    }
    delta(&shared, out);
    delta(&rest, out);
    out.extend_from_slice(&tails);
}
