//! Which racks have power left for what a gang would hold there.

use super::Need;
use crate::cluster::{Occupancy, Piece};
use crate::policy::placement::{Admission, Picker, narrow};
use crate::policy::power::ledger::Trial;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Racks that have been used or refused.
pub(in super::super) type Passed = BTreeSet<usize>;

/// A gang that is put together rack by rack within the caps on power, if any are heeded.
#[derive(Debug)]
pub(in super::super) struct Assembly<'a> {
    occupancy: &'a Occupancy,
    admission: Option<Admission<'a>>,
    trial: Trial,
    /// What was last asked of a feed, and whether it lacks that: neighbouring racks ask the same.
    last: Cell<Option<((u32, u64), bool)>>,
}

impl<'a> Assembly<'a> {
    /// Of the picker's class; nothing yet.
    pub(in super::super) fn of(picker: &Picker<'a>) -> Self {
        let (occupancy, admission) = (picker.occupancy, picker.admission);
        Self { occupancy, admission, trial: Trial::default(), last: Cell::default() }
    }
    /// Whether no caps are heeded.
    pub(super) const fn is_free(&self) -> bool {
        self.admission.is_none()
    }
    /// Whether a rack might have power left for `pods` of the gang, and the remainder pod if `rest`; where not, it
    /// certainly has not.
    pub(super) fn may(&self, need: Need, rack: usize, pods: u32, rest: bool) -> bool {
        let Some(admission) = self.admission else { return true };
        let each = admission.watts(need.kind, need.milli);
        let rest = if rest { admission.watts(need.kind, need.rest * 1000) } else { 0 };
        let watts = each * u64::from(pods) + rest;
        let node = self.occupancy.rack_nodes(rack).start;
        if need.whole_nodes && pods > 0 && admission.ledger.idle_node_lacks(node, each) {
            return false;
        }
        self.may_draw(rack, watts)
    }
    /// Whether a rack might have power left for so many watts of its nodes; where not, it certainly has not.
    pub(in super::super) fn may_draw(&self, rack: usize, watts: u64) -> bool {
        let Some(Admission { ledger, .. }) = self.admission else { return true };
        let Some(asked) = ledger.rise_above(&self.trial, narrow(rack), watts) else { return false };
        let lacks = match self.last.get() {
            Some((last, lacks)) if last == asked => lacks,
            _ => ledger.lacks(&self.trial, asked.0, asked.1),
        };
        self.last.set(Some((asked, lacks)));
        !lacks
    }
    /// Takes more pieces, unless they would break a cap.
    pub(super) fn takes(&mut self, pieces: &[Piece]) -> bool {
        let Some(admission) = self.admission else { return true };
        self.last.take();
        admission.ledger.admits_besides(&mut self.trial, admission.draws, admission.level, pieces)
    }
}
