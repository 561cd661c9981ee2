//! The jobs that wait under conservative backfill: those with a reservation, and by partition those without, in line.

use super::Place;
use super::profile::Held;
use crate::state::place::Choice;
use crate::units::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// A stretch of time, and what a job holds in it.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) choice: Choice,
    /// When it was last found, by the changes of the profile.
    pub(super) found: u64,
}

impl Window {
    pub(super) fn held(&self) -> Held<'_> {
        Held { start: self.start, end: self.end, pieces: &self.choice.pieces }
    }
}

/// Before every place.
const FIRST: Place = (0, Reverse(u32::MAX), 0);

/// Waiting jobs by their place in line.
#[derive(Debug)]
pub(super) struct Waiting {
    reserved: BTreeMap<Place, Window>,
    /// When the reservations begin.
    begins: BTreeSet<(Time, Place)>,
    /// By partition: those without a reservation.
    unreserved: Vec<BTreeSet<Place>>,
}

impl Waiting {
    pub(super) fn new(partitions: usize) -> Self {
        let unreserved = vec![BTreeSet::new(); partitions];
        Self { reserved: BTreeMap::new(), begins: BTreeSet::new(), unreserved }
    }
    /// A job of a partition waits, without a reservation.
    pub(super) fn insert(&mut self, place: Place, partition: u32) {
        self.unreserved[partition as usize].insert(place);
    }
    /// A job stands at another place, with the reservation that it has.
    pub(super) fn put(&mut self, old: Place, new: Place, partition: u32) {
        match self.reserved.remove(&old) {
            Some(window) => {
                if self.begins.remove(&(window.start, old)) {
                    self.begins.insert((window.start, new));
                }
                self.reserved.insert(new, window);
            }
            None => {
                self.unreserved[partition as usize].remove(&old);
                self.unreserved[partition as usize].insert(new);
            }
        }
    }
    /// A job waits no longer; returns its reservation.
    pub(super) fn remove(&mut self, place: Place, partition: u32) -> Option<Window> {
        let window = self.take(place, partition);
        self.unreserved[partition as usize].remove(&place);
        window
    }
    /// The beginning of a reservation, kept by a job or not, is no longer noted.
    pub(super) fn forget_begin(&mut self, start: Time, place: Place) {
        self.begins.remove(&(start, place));
    }
    /// A job has no reservation any more; returns the one it had.
    pub(super) fn take(&mut self, place: Place, partition: u32) -> Option<Window> {
        let window = self.reserved.remove(&place)?;
        self.begins.remove(&(window.start, place));
        self.unreserved[partition as usize].insert(place);
        Some(window)
    }
    /// A job has a reservation.
    pub(super) fn reserve(&mut self, place: Place, partition: u32, window: Window) {
        self.unreserved[partition as usize].remove(&place);
        self.begins.insert((window.start, place));
        self.reserved.insert(place, window);
    }
    /// A reservation was looked for again, and is the same.
    pub(super) fn found_again(&mut self, place: Place, stamp: u64) {
        if let Some(window) = self.reserved.get_mut(&place) {
            window.found = stamp;
        }
    }
    /// The reservation of a job.
    pub(super) fn window(&self, place: Place) -> Option<&Window> {
        self.reserved.get(&place)
    }
    /// Whether a job of a group has a reservation.
    pub(super) fn has_reserved(&self, group: usize) -> bool {
        let first = self.reserved.range((group, FIRST.1, FIRST.2)..).next();
        first.is_some_and(|(place, _)| place.0 == group)
    }
    /// Every reservation, in line.
    pub(super) fn reserved(&self) -> impl Iterator<Item = (&Place, &Window)> {
        self.reserved.iter()
    }
    /// All that wait, in no order.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.reserved.keys().chain(self.unreserved.iter().flatten()).copied()
    }
    /// The reservations that begin at an instant, in line.
    pub(super) fn beginning(&self, now: Time) -> impl Iterator<Item = Place> {
        let from = self.begins.range((now, FIRST)..);
        from.take_while(move |(start, _)| *start == now).map(|(_, place)| *place)
    }
    /// The reservations that began before an instant.
    pub(super) fn begun_before(&self, now: Time) -> impl Iterator<Item = Place> {
        self.begins.iter().take_while(move |(start, _)| *start < now).map(|(_, place)| *place)
    }
    /// The reservations of the groups marked, in line.
    pub(super) fn reserved_in(&self, groups: &[bool]) -> Vec<Place> {
        self.reserved.keys().copied().filter(|place| groups[place.0]).collect()
    }
    /// Those of the groups marked that have no reservation, in line.
    pub(super) fn unreserved_in(&self, groups: &[bool]) -> Vec<Place> {
        let all = self.unreserved.iter().flatten().copied();
        let mut places: Vec<Place> = all.filter(|place| groups[place.0]).collect();
        places.sort_unstable();
        places
    }
    /// The first without a reservation of every partition of the groups marked, and the partition.
    pub(super) fn first_unreserved(&self, groups: &[bool]) -> impl Iterator<Item = (Place, u32)> {
        let firsts =
            (0..).zip(&self.unreserved).filter_map(|(partition, places)| Some((*places.first()?, partition)));
        firsts.filter(|(place, _)| groups[place.0])
    }
    /// The next without a reservation of a partition.
    pub(super) fn next_unreserved(&self, partition: u32, after: Place) -> Option<Place> {
        self.unreserved[partition as usize].range((Excluded(after), Unbounded)).next().copied()
    }
    /// The next without a reservation of a partition that is among some.
    pub(super) fn next_unreserved_of(
        &self,
        partition: u32,
        after: Place,
        some: &BTreeSet<Place>,
    ) -> Option<Place> {
        let unreserved = &self.unreserved[partition as usize];
        some.range((Excluded(after), Unbounded)).find(|place| unreserved.contains(place)).copied()
    }
}
