//! What domains gain, followed from the nodes to the sites.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Amounts by domain, taken from the lowest index to the highest, while what is above is added to.
#[derive(Debug)]
pub(super) struct Upwards<T> {
    /// Where it begins: the highest index first.
    own: Vec<(u32, T)>,
    /// What was last added to: neighbours hang below the same.
    last: Option<(u32, T)>,
    above: BTreeMap<u32, T>,
}

impl<T: Copy + AddAssign> Upwards<T> {
    /// From domains in ascending order.
    pub(super) fn new(mut own: Vec<(u32, T)>) -> Self {
        own.reverse();
        Self { own, last: None, above: BTreeMap::new() }
    }
    /// A domain above the last one taken gains more.
    pub(super) fn add(&mut self, domain: u32, more: T) {
        match &mut self.last {
            Some((last, amount)) if *last == domain => *amount += more,
            last => {
                if let Some((before, amount)) = last.replace((domain, more)) {
                    self.keep(before, amount);
                }
            }
        }
    }
    fn keep(&mut self, domain: u32, amount: T) {
        self.above.entry(domain).and_modify(|kept| *kept += amount).or_insert(amount);
    }
    /// The lowest domain that gains, and what.
    pub(super) fn pop(&mut self) -> Option<(u32, T)> {
        let own = self.own.last().map(|(domain, _)| *domain);
        let above = self.above.first_key_value().map(|(domain, _)| *domain);
        let last = self.last.map(|(domain, _)| domain);
        let lowest = own.into_iter().chain(above).chain(last).min()?;
        let mut amounts = [
            self.own.pop_if(|(domain, _)| *domain == lowest).map(|(_, amount)| amount),
            self.above.remove(&lowest),
            self.last.take_if(|(domain, _)| *domain == lowest).map(|(_, amount)| amount),
        ]
        .into_iter()
        .flatten();
        let mut sum = amounts.next()?;
        amounts.for_each(|amount| sum += amount);
        Some((lowest, sum))
    }
}
