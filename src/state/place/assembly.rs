//! Which racks have power left for what a job would hold there.

use super::{Admission, Picker, narrow};
use crate::cluster::{Occupancy, Piece};
use crate::state::power::ledger::Added;
use std::cell::Cell;

/// Racks that have been used or refused: mostly so few that a sorted list is quickest.
#[derive(Debug, Default)]
pub(crate) struct Passed(Vec<usize>);

impl Passed {
    pub(crate) fn contains(&self, rack: usize) -> bool {
        self.0.binary_search(&rack).is_ok()
    }
    pub(crate) fn insert(&mut self, rack: usize) {
        if let Err(place) = self.0.binary_search(&rack) {
            self.0.insert(place, rack);
        }
    }
    pub(crate) fn remove(&mut self, rack: usize) {
        if let Ok(place) = self.0.binary_search(&rack) {
            self.0.remove(place);
        }
    }
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// A job whose place is put together rack by rack within the caps on power, if any are heeded.
#[derive(Debug)]
pub(crate) struct Assembly<'a> {
    occupancy: &'a Occupancy,
    admission: Option<Admission<'a>>,
    trial: Added,
    /// What was last asked of a feed, and whether it lacks that: neighbouring racks ask the same.
    last: Cell<Option<((u32, u64), bool)>>,
}

impl<'a> Assembly<'a> {
    /// Of the picker's class; nothing yet.
    pub(crate) fn of(picker: &Picker<'a>) -> Self {
        let (occupancy, admission) = (picker.occupancy, picker.admission);
        Self { occupancy, admission, trial: Added::default(), last: Cell::default() }
    }
    /// Whether no caps are heeded.
    pub(crate) const fn is_free(&self) -> bool {
        self.admission.is_none()
    }
    /// Whether a rack of a kind of nodes might have power left for so many pods of so many thousandths, whole nodes or
    /// not, and the thousandths of one more; where not, it certainly has not.
    pub(crate) fn may_hold(
        &self,
        (rack, kind): (usize, u32),
        (pods, milli, whole_nodes): (u32, u32, bool),
        rest: u32,
    ) -> bool {
        let Some(admission) = self.admission.filter(|admission| !admission.ledger.tells_refusals()) else {
            return true;
        };
        let each = admission.watts(kind, milli);
        let node = self.occupancy.rack_nodes(rack).start;
        let alone = whole_nodes && pods > 0;
        !(alone && admission.ledger.idle_node_lacks(node, each))
            && self.may_draw(rack, each * u64::from(pods) + admission.watts(kind, rest))
    }
    /// Whether a rack might have power left for so many watts of its nodes; where not, it certainly has not.
    pub(crate) fn may_draw(&self, rack: usize, watts: u64) -> bool {
        let Some(Admission { ledger, .. }) = self.admission else { return true };
        if ledger.tells_refusals() {
            return true;
        }
        let Some(asked) = ledger.rise_above(&self.trial, narrow(rack), watts) else { return false };
        let lacks = match self.last.get() {
            Some((last, lacks)) if last == asked => lacks,
            _ => ledger.lacks(&self.trial, asked.0, asked.1),
        };
        self.last.set(Some((asked, lacks)));
        !lacks
    }
    /// Takes more pieces, unless they would break a cap.
    pub(crate) fn takes(&mut self, pieces: &[Piece]) -> bool {
        let Some(admission) = self.admission else { return true };
        self.last.take();
        admission.ledger.admits_besides(&mut self.trial, admission.draws, admission.level, pieces)
    }
}
