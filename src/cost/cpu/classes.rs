//! Domains that are equal in everything the cost function reads, evaluated once.
//!
//! Verma et al., "Large-scale cluster management at Google with Borg", EuroSys 2015, section 3.4.

use super::{Candidate, insert, narrow};
use crate::cost::domains::{COLUMNS, Domains};

/// The distinct domains, each with those that are like it.
#[derive(Debug)]
pub(super) struct Classes {
    /// One of each.
    distinct: Domains,
    /// Where the members of a class begin; one more at the end.
    begin: Vec<u32>,
    /// Indices of domains, ascending within a class; classes are in the order of their first member.
    members: Vec<u32>,
}

/// No class in this slot of the table.
const EMPTY: u32 = u32::MAX;

impl Classes {
    /// The classes of some domains; `None` if there are more than `most`.
    ///
    /// # Complexity
    /// O(domains) expected time.
    pub(super) fn of(domains: &Domains, most: usize) -> Option<Self> {
        let columns = domains.columns();
        let row = |index: usize| columns.map(|column| column[index]);
        let mut firsts: Vec<usize> = Vec::new();
        let mut slots = vec![EMPTY; 64];
        let mut class_of: Vec<u32> = Vec::with_capacity(domains.len());
        for index in 0..domains.len() {
            let wanted = row(index);
            // Neighbours are often alike.
            if index > 0 && row(index - 1) == wanted {
                class_of.push(class_of[index - 1]);
                continue;
            }
            let slot = find(&slots, &wanted, |class| row(firsts[class]));
            if slots[slot] == EMPTY {
                if firsts.len() >= most {
                    return None;
                }
                slots[slot] = narrow(firsts.len());
                firsts.push(index);
                if firsts.len() * 2 > slots.len() {
                    slots = grown(&slots, |class| row(firsts[class]));
                }
                class_of.push(narrow(firsts.len() - 1));
            } else {
                class_of.push(slots[slot]);
            }
        }
        let mut distinct = Domains::default();
        for first in &firsts {
            distinct.push(domains.get(*first), domains.group[*first]);
        }
        let (begin, members) = grouped(&class_of, firsts.len());
        Some(Self { distinct, begin, members })
    }

    /// One domain of each class.
    pub(super) const fn domains(&self) -> &Domains {
        &self.distinct
    }

    /// Turns a list of the cheapest classes into one of the cheapest domains: from each the lowest, merged.
    pub(super) fn expand(&self, list: &mut [Candidate]) {
        let mut cheapest = vec![Candidate::NONE; list.len()];
        for class in list.iter().filter(|class| class.is_some()) {
            let range =
                self.begin[class.index as usize] as usize..self.begin[class.index as usize + 1] as usize;
            let last = *cheapest.last().expect("it is as long as the list");
            // A class of many adds no more than the list holds, and stops where the list ends.
            for member in self.members[range].iter().take(list.len()) {
                let candidate = Candidate { cost: class.cost, index: *member };
                if candidate > last {
                    break;
                }
                insert(&mut cheapest, candidate);
            }
        }
        list.copy_from_slice(&cheapest);
    }
}

/// Where a row is in the table, or would be.
fn find(slots: &[u32], wanted: &[u32; COLUMNS], row: impl Fn(usize) -> [u32; COLUMNS]) -> usize {
    let mask = slots.len() - 1;
    let mut slot = hash(wanted) & mask;
    while slots[slot] != EMPTY && row(slots[slot] as usize) != *wanted {
        slot = (slot + 1) & mask;
    }
    slot
}

/// The same table with twice as many slots.
fn grown(slots: &[u32], row: impl Fn(usize) -> [u32; COLUMNS]) -> Vec<u32> {
    let mut larger = vec![EMPTY; slots.len() * 2];
    for class in slots.iter().filter(|class| **class != EMPTY) {
        let slot = find(&larger, &row(*class as usize), &row);
        larger[slot] = *class;
    }
    larger
}

/// A number that differs between most rows: multiply and rotate, as in `FxHash`.
fn hash(row: &[u32; COLUMNS]) -> usize {
    let mix = |hash: u64, value: &u32| {
        (hash.rotate_left(5) ^ u64::from(*value)).wrapping_mul(0x517c_c1b7_2722_0a95)
    };
    (row.iter().fold(0, mix) >> 20) as usize
}

/// The members of each class, ascending, and where each class begins.
fn grouped(class_of: &[u32], classes: usize) -> (Vec<u32>, Vec<u32>) {
    let mut begin = vec![0_u32; classes + 1];
    for class in class_of {
        begin[*class as usize + 1] += 1;
    }
    for class in 0..classes {
        begin[class + 1] += begin[class];
    }
    let mut next = begin.clone();
    let mut members = vec![0; class_of.len()];
    for (index, class) in class_of.iter().enumerate() {
        let place = &mut next[*class as usize];
        members[*place as usize] = narrow(index);
        *place += 1;
    }
    (begin, members)
}
