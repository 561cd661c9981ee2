//! What is left over a window of time beside claims that come and go in it: of every GPU, CPU and memory the least at any
//! instant of it; quotas and watts are asked for at each of these instants.
//!
//! A running job may end as a claim begins, so that the least is of what is left at each instant by itself.

use super::Resources;
use super::class::{Class, Form};
use super::power::ledger::Ledger;
use super::power::level::level_of;
use super::quota::Usage;
use crate::cluster::{Host, Piece};
use crate::units::{Factor, Time};
use std::collections::BTreeMap;

/// Pieces that a job of a class would hold for a stretch of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) class: &'a Class,
    pub(crate) pieces: &'a [Piece],
    pub(crate) cap: Factor,
    pub(crate) from: Time,
    pub(crate) to: Time,
}

/// The least of what is left at instants of a window.
#[derive(Debug, Default)]
pub(crate) struct Least {
    /// By counter that a claim touches.
    counters: BTreeMap<usize, i64>,
    /// What is held of quotas at instants after the first, where a claim counts against one.
    usages: Vec<Usage>,
    /// How the watts stand at instants after the first.
    watts: Vec<Ledger>,
}

/// What was taken, to be given back.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// By claim: what was free of it.
    pieces: Vec<Vec<Piece>>,
    /// Counters that were lowered, and what was left of them before.
    lowered: Vec<(usize, i64)>,
}

impl Resources {
    /// Takes note of what claims leave at an instant after the beginning of a window; this is what is free then beside
    /// them.
    pub(crate) fn note(&mut self, least: &mut Least, claims: &[Claim<'_>], instant: Time) {
        self.note_counts(least, claims, instant);
        self.hold_claims(claims, instant, true);
        // What runs only ends, so that no claim means no more than is held at the first instant.
        let counts = |claim: &Claim<'_>| claim.is_active(instant) && claim.class.has_ceiling();
        least.usages.extend(claims.iter().any(counts).then(|| self.usage().clone()));
        least.watts.extend(self.power().cloned());
        self.hold_claims(claims, instant, false);
    }

    fn note_counts(&self, least: &mut Least, claims: &[Claim<'_>], instant: Time) {
        let mut counters: BTreeMap<usize, i64> = BTreeMap::new();
        let counts = !claims.iter().all(Claim::is_whole);
        for claim in claims.iter().filter(|claim| claim.is_active(instant)) {
            if counts {
                self.occupancy.for_each_counter(claim.pieces, claim.class.host, |counter, amount| {
                    *counters.entry(counter).or_default() += amount;
                });
            }
        }
        for (counter, amount) in counters {
            let left = self.occupancy.left(counter) - amount;
            let least = least.counters.entry(counter).or_insert(left);
            *least = left.min(*least);
        }
    }

    /// Takes what claims leave at least over a window that begins at an instant, that of this; later ones are noted.
    pub(crate) fn overlay(&mut self, mut least: Least, claims: &[Claim<'_>], from: Time) -> Overlay {
        self.note_counts(&mut least, claims, from);
        let mut overlay = Overlay::default();
        self.hold_claims(claims, from, true);
        self.ask_also(least.usages, least.watts);
        // Of whole GPUs alone the least is what none of them takes.
        if claims.iter().all(Claim::is_whole) {
            overlay.pieces =
                claims.iter().map(|claim| self.occupancy.claim_free_gpus(claim.pieces)).collect();
            if self.occupancy.has_split_gpus() {
                let pieces = claims.iter().flat_map(|claim| claim.pieces);
                let take_all = |piece| {
                    self.occupancy.for_each_counter(
                        std::slice::from_ref(piece),
                        Host::default(),
                        |counter, _| {
                            least.counters.insert(counter, 0);
                        },
                    );
                };
                pieces.for_each(take_all);
            }
        }
        for (counter, least) in least.counters {
            let left = self.occupancy.left(counter);
            if least < left && left > 0 {
                self.occupancy.limit(counter, least);
                overlay.lowered.push((counter, left));
            }
        }
        overlay
    }

    /// Gives back what an overlay of these claims took.
    pub(crate) fn lift(&mut self, overlay: Overlay, claims: &[Claim<'_>], from: Time) {
        for (counter, left) in overlay.lowered {
            self.occupancy.limit(counter, left);
        }
        for pieces in overlay.pieces {
            self.occupancy.release(&pieces, Host::default());
        }
        self.ask_also(Vec::new(), Vec::new());
        self.hold_claims(claims, from, false);
    }

    /// The watts as they stand with those of the claims of an instant held.
    pub(crate) fn power_beside(&self, claims: &[Claim<'_>], instant: Time) -> Option<Ledger> {
        let mut power = self.power()?.clone();
        for claim in claims.iter().filter(|claim| claim.is_active(instant)) {
            if let Some(draws) = &claim.class.draws {
                power.hold(draws, level_of(claim.cap), claim.pieces, true);
            }
        }
        Some(power)
    }

    /// What the claims of an instant count against quotas, and their watts, are held, or given back.
    pub(crate) fn hold_claims(&mut self, claims: &[Claim<'_>], instant: Time, take: bool) {
        for claim in claims.iter().filter(|claim| claim.is_active(instant)) {
            self.hold_quotas(claim.class, claim.pieces, take);
            self.hold_power(claim.class, claim.pieces, claim.cap, take);
        }
    }
}

impl Claim<'_> {
    fn is_active(&self, instant: Time) -> bool {
        self.from <= instant && instant < self.to
    }
    /// Whether it takes whole GPUs and nothing else.
    fn is_whole(&self) -> bool {
        let shares = match self.class.form {
            Form::Share { .. } => true,
            Form::Pods { milli, .. } => milli % 1000 != 0,
            _ => false,
        };
        !shares && self.class.host.is_none()
    }
}
