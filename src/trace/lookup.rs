//! Indices by text, of texts that are kept elsewhere. They are only looked up: the order of a hash is never seen.

use super::intake::hash;
use crate::workload::Names;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Finds the index of a text.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// The hash of a text, and its index.
    table: HashTable<(u64, u32)>,
}

impl Lookup {
    /// An empty one that takes so many texts without growing.
    pub(super) fn with_room(count: usize) -> Self {
        Self { table: HashTable::with_capacity(count) }
    }
    /// Adds the index of a text, unless the text has one; `is` tells whether that of an index is this one.
    pub(super) fn add(&mut self, text: &str, index: u32, is: impl Fn(u32) -> bool) {
        let hash = spread(text);
        let same = |known: &(u64, u32)| known.0 == hash && is(known.1);
        if let Entry::Vacant(place) = self.table.entry(hash, same, |known| known.0) {
            place.insert((hash, index));
        }
    }
    /// The index of a text; `is` tells whether that of an index is this one.
    pub(super) fn find(&self, text: &str, is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = spread(text);
        self.table.find(hash, |known| known.0 == hash && is(known.1)).map(|known| known.1)
    }
}

/// Finds jobs by their names.
#[derive(Debug)]
pub(super) struct Jobs<'n> {
    names: &'n Names,
    /// Of names that are not kept, being row numbers, none is needed.
    lookup: Option<Lookup>,
}

impl<'n> Jobs<'n> {
    /// Those jobs that may be found; where two have a name, the first.
    pub(super) fn of(names: &'n Names, may: impl Fn(u32) -> bool) -> Self {
        if names.are_numbers() {
            return Self { names, lookup: None };
        }
        let mut lookup = Lookup::default();
        let count = u32::try_from(names.len()).expect("jobs are counted in 32 bits");
        for job in (0..count).filter(|job| may(*job)) {
            let name = names.get(job as usize);
            lookup.add(&name, job, |other| names.get(other as usize) == name);
        }
        Self { names, lookup: Some(lookup) }
    }
    /// The job of that name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        let is = |job: u32| self.names.get(job as usize) == name;
        match &self.lookup {
            Some(lookup) => lookup.find(name, is),
            None => {
                let row = name.parse().ok().filter(|row| (1..=self.names.len()).contains(row))?;
                u32::try_from(row - 1).ok().filter(|job| is(*job))
            }
        }
    }
}

/// A hash in which every byte of a text reaches the lowest bits and the highest.
fn spread(text: &str) -> u64 {
    let mixed = hash(text.as_bytes()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_index_it_was_added_with_first() {
        let texts: Vec<String> = (0..1000).map(|number| format!("task_{}", number % 900)).collect();
        let mut lookup = Lookup::with_room(0);
        for (index, text) in (0..).zip(&texts) {
            lookup.add(text, index, |known| texts[known as usize] == *text);
        }
        let find = |text: &str| lookup.find(text, |known| texts[known as usize] == text);
        assert!((0..900).all(|number| find(&format!("task_{number}")) == Some(number)), "the first of each");
        assert_eq!(find("task_900"), None, "never added");
    }
    #[test]
    fn jobs_are_found_by_their_names_or_their_rows() {
        let mut names = Names::default();
        (0..3).for_each(|_| names.push_number());
        let found =
            |names: &Names, texts: [&str; 5]| texts.map(|text| Jobs::of(names, |job| job != 4).find(text));
        assert_eq!(found(&names, ["1", "3", "4", "03", "x"]), [Some(0), Some(2), None, None, None], "rows");
        ["a", "b", "a"].iter().for_each(|name| names.push(name));
        assert_eq!(found(&names, ["1", "a", "b", "03", ""]), [Some(0), Some(3), None, None, None], "names");
    }
}
