//! Which racks have power left for what a gang would hold there.

use super::Need;
use crate::cluster::{Occupancy, Piece};
use crate::policy::placement::{Admission, Picker};
use crate::policy::power::ledger::Trial;
use std::collections::BTreeSet;

/// Racks that have been used or refused.
pub(in super::super) type Passed = BTreeSet<usize>;

/// A gang that is put together rack by rack within the caps on power, if any are heeded.
#[derive(Debug)]
pub(in super::super) struct Assembly<'a> {
    occupancy: &'a Occupancy,
    admission: Option<Admission<'a>>,
    trial: Trial,
}

impl<'a> Assembly<'a> {
    /// Of the picker's class; nothing yet.
    pub(in super::super) fn of(picker: &Picker<'a>) -> Self {
        Self { occupancy: picker.occupancy, admission: picker.admission, trial: Trial::default() }
    }
    /// Whether no caps are heeded.
    pub(super) const fn is_free(&self) -> bool {
        self.admission.is_none()
    }
    /// Whether a rack might have power left for `pods` of the gang, and the remainder pod if `rest`; where not, it
    /// certainly has not.
    pub(in super::super) fn may(&self, need: Need, rack: usize, pods: u32, rest: bool) -> bool {
        self.admission.is_none_or(|admission| {
            let each = admission.watts(need.kind, need.milli);
            let rest = if rest { admission.watts(need.kind, need.rest * 1000) } else { 0 };
            let node = self.occupancy.rack_nodes(rack).start;
            let on_nodes = !need.whole_nodes || pods == 0 || !admission.idle_node_lacks(node, each);
            on_nodes && !admission.lacks(&self.trial, rack, each * u64::from(pods) + rest)
        })
    }
    /// Takes more pieces, unless they would break a cap.
    pub(super) fn takes(&mut self, pieces: &[Piece]) -> bool {
        let trial = &mut self.trial;
        self.admission.is_none_or(|admission| admission.admits_besides(trial, pieces))
    }
}
