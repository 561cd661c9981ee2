//! What is left over a window of time beside claims that come and go in it: of every GPU, CPU, memory and quota the
//! least at any instant; of watts what all of them together leave.

use super::Resources;
use super::class::{Class, Form};
use crate::cluster::Piece;
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

/// What was taken, to be given back.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// By claim: what was free of it.
    pieces: Vec<Vec<Piece>>,
    /// Counters of the ledger that were lowered, and what was left of them before.
    lowered: Vec<(usize, i64)>,
    /// Thousandths by tenant.
    quota: BTreeMap<u32, u64>,
}

impl Resources {
    /// Takes what claims hold within a window at most.
    pub(crate) fn overlay(&mut self, claims: &[Claim<'_>], from: Time) -> Overlay {
        let mut overlay = Overlay::default();
        let begins = claims.iter().map(|claim| claim.from.max(from));
        let mut instants: Vec<Time> = begins.chain([from]).collect();
        instants.sort_unstable();
        instants.dedup();
        for instant in &instants {
            let mut at_once: BTreeMap<u32, u64> = BTreeMap::new();
            for claim in claims.iter().filter(|claim| claim.is_active(*instant)) {
                if let Some(tenant) = claim.class.quota_tenant {
                    *at_once.entry(tenant).or_default() += self.occupancy.milli_of(claim.pieces);
                }
            }
            for (tenant, milli) in at_once {
                let most = overlay.quota.entry(tenant).or_default();
                *most = milli.max(*most);
            }
        }
        for (tenant, milli) in &overlay.quota {
            self.add_quota(*tenant, *milli, true);
        }
        for claim in claims {
            self.hold_power(claim.class, claim.pieces, claim.cap, true);
        }
        // Of whole GPUs alone the least is what none of them takes.
        if claims.iter().all(Claim::is_whole) {
            overlay.pieces =
                claims.iter().map(|claim| self.occupancy.claim_free_gpus(claim.pieces)).collect();
        } else {
            overlay.lowered = self.lower(claims, &instants);
        }
        overlay
    }

    /// Every counter that claims touch is lowered by the most that they hold of it at once.
    fn lower(&mut self, claims: &[Claim<'_>], instants: &[Time]) -> Vec<(usize, i64)> {
        let mut most: BTreeMap<usize, i64> = BTreeMap::new();
        for instant in instants {
            let mut at_once: BTreeMap<usize, i64> = BTreeMap::new();
            for claim in claims.iter().filter(|claim| claim.is_active(*instant)) {
                self.occupancy.for_each_counter(claim.pieces, claim.class.host, |counter, amount| {
                    *at_once.entry(counter).or_default() += amount;
                });
            }
            for (counter, amount) in at_once {
                let most = most.entry(counter).or_default();
                *most = amount.max(*most);
            }
        }
        let mut lowered = Vec::new();
        for (counter, amount) in most {
            let left = self.occupancy.left(counter);
            if left > 0 {
                self.occupancy.limit(counter, left - amount);
                lowered.push((counter, left));
            }
        }
        lowered
    }

    /// Gives back what an overlay of these claims took.
    pub(crate) fn lift(&mut self, overlay: Overlay, claims: &[Claim<'_>]) {
        for (counter, left) in overlay.lowered {
            self.occupancy.limit(counter, left);
        }
        for pieces in overlay.pieces {
            self.occupancy.release(&pieces, crate::cluster::Host::default());
        }
        for claim in claims {
            self.hold_power(claim.class, claim.pieces, claim.cap, false);
        }
        for (tenant, milli) in overlay.quota {
            self.add_quota(tenant, milli, false);
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
