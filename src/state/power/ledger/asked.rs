//! What is asked of the ledger beyond one start now: a start put together part by part, other instants of a window, watts
//! that are withdrawn, and which domains refuse.

use super::Ledger;
use super::upwards::Upwards;
use crate::cluster::Piece;
use crate::power::domains::NONE;
use crate::state::power::level::Draws;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a start that is put together part by part adds to what hangs below domains: now, and at each of the other
/// instants that are asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Added(Vec<BTreeMap<u32, u64>>);

impl Added {
    pub(super) fn of(&self, instant: usize, domain: u32) -> u64 {
        self.0.get(instant).and_then(|added| added.get(&domain)).copied().unwrap_or_default()
    }
}

impl Ledger {
    /// What is asked from now on must be admitted as things stand at these instants too.
    pub(crate) fn ask_also(&mut self, others: Vec<Self>) {
        self.others = others;
    }
    /// Whether a domain refuses to draw so much.
    pub(super) fn refuses(&self, domain: u32, drawn: u64) -> bool {
        let refuses = drawn > self.admitted(domain);
        if let Some(refusing) = self.refusing.as_ref().filter(|_| refuses) {
            refusing.borrow_mut().insert(domain);
        }
        refuses
    }
    /// Whether the domains that refuse something are asked for, so that no place is passed over unasked.
    pub(crate) const fn tells_refusals(&self) -> bool {
        self.refusing.is_some()
    }
    /// From now on the domains that refuse something are told by [`Ledger::refusing`], or not any more.
    pub(crate) fn tell_refusals(&mut self, tell: bool) {
        self.refusing = tell.then(RefCell::default);
        self.others.iter_mut().for_each(|other| other.tell_refusals(tell));
    }
    /// The domains that have refused something.
    pub(crate) fn refusing(&self) -> BTreeSet<u32> {
        let all = std::iter::once(self).chain(&self.others).filter_map(|ledger| ledger.refusing.as_ref());
        all.flat_map(|refusing| refusing.borrow().clone()).collect()
    }
    /// These domains, and no others, may not draw a watt more than they do.
    pub(crate) fn withdraw(&mut self, domains: &[u32]) {
        self.withdrawn = domains.to_vec();
        self.others.iter_mut().for_each(|other| other.withdraw(domains));
    }
    /// Whether all the pieces together stay within every cap above them besides what is on trial; if so they are on
    /// trial too.
    pub(crate) fn admits_besides(
        &self,
        trial: &mut Added,
        draws: &Draws,
        level: usize,
        pieces: &[Piece],
    ) -> bool {
        let added = self.watts(draws, level, pieces);
        let mut parts = Vec::new();
        for (instant, then) in std::iter::once(self).chain(&self.others).enumerate() {
            parts.push(then.raised((&*trial, instant), added.clone()));
            if parts.last() == Some(&None) && !self.tells_refusals() {
                return false;
            }
        }
        let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else { return false };
        trial.0.resize_with(parts.len(), BTreeMap::new);
        trial.0.iter_mut().zip(parts).for_each(|(trial, part)| trial.extend(part));
        true
    }
    /// What hangs below each domain more if so much is added to nodes besides what is on trial at an instant; none if that
    /// breaks a cap.
    fn raised(&self, (trial, instant): (&Added, usize), added: Vec<(u32, u64)>) -> Option<Vec<(u32, u64)>> {
        let (mut added, mut on_trial, mut admits) = (Upwards::new(added), Vec::new(), true);
        while let Some((domain, more)) = added.pop() {
            let (rise, refuses) = self.rise_of((trial, instant), domain, more);
            admits &= !refuses;
            if !admits && !self.tells_refusals() {
                return None;
            }
            on_trial.push((domain, trial.of(instant, domain) + more));
            let above = self.tree.parent[domain as usize];
            if above != NONE && rise > 0 {
                added.add(above, rise);
            }
        }
        admits.then_some(on_trial)
    }
}
