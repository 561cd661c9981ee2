//! One pass: what it concerns, reservations in line, then the starts that are due.

use super::super::super::PolicyError;
use super::super::super::pipeline::{Bus, Pass};
use super::super::super::walk::job_of;
use super::power::Power;
use super::profile::Held;
use super::{Conservative, Happened, Place};
use crate::state::place::Choice;
use crate::state::{Decision, State};
use crate::units::{Factor, Seconds};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

impl Conservative {
    /// The groups that a pass concerns: those in which something happened or a reservation begins, at a cycle all.
    fn concerned(&self, state: &State) -> Vec<bool> {
        let (now, settings) = (state.now(), &state.plan().settings);
        let all = settings.cycle.is_some() && settings.is_full_pass(now);
        let mut concerned: Vec<bool> =
            self.happened.iter().map(|happened| all || happened.anything).collect();
        self.waiting.beginning(now).for_each(|place| concerned[place.0] = true);
        concerned
    }

    /// The reservations of the groups marked are given up: those that stay would lie in the way of each other.
    fn give_up(&mut self, state: &State, anew: &[bool]) {
        for place in self.waiting.reserved_in(anew) {
            self.waiting.take(place, state.class(job_of(place.2)).partition);
            self.known = false;
        }
    }

    /// By group: the last place in line that a pass tries, of those marked; none: it tries all.
    fn last_tried(&self, concerned: &[bool], most: Option<u32>) -> Vec<Option<Place>> {
        let mut last = vec![None; concerned.len()];
        let Some(at) = most.and_then(|most| most.checked_sub(1)) else { return last };
        let mut lines: Vec<Vec<Place>> = vec![Vec::new(); concerned.len()];
        self.waiting.places().filter(|place| concerned[place.0]).for_each(|place| lines[place.0].push(place));
        for (last, mut line) in last.iter_mut().zip(lines).filter(|(_, line)| line.len() > at as usize) {
            *last = Some(*line.select_nth_unstable(at as usize).1);
        }
        last
    }

    /// Jobs without a reservation get one: all, or those that are tried before `depth` later ones of their partition and those
    /// that had one as the pass began.
    fn reserve_all(
        &mut self,
        bus: &mut Bus<'_, '_>,
        concerned: &[bool],
        held: &BTreeSet<Place>,
    ) -> Result<(), PolicyError> {
        let (depth, most) = (bus.plan().settings.depth, bus.plan().settings.max_jobs);
        let last = self.last_tried(concerned, most);
        let is_tried = |place: &Place| last[place.0].is_none_or(|last| *place <= last);
        let Some(depth) = depth else {
            let mut places = self.waiting.unreserved_in(concerned);
            places.retain(|place| is_tried(place) || held.contains(place));
            for place in places {
                self.reserve(bus, place)?;
            }
            return Ok(());
        };
        let now = bus.now();
        // By partition: reservations that begin later, of the places in line so far.
        let mut later = vec![0_u32; self.group_of.len()];
        let mut reserved = self.waiting.reserved_in(concerned).into_iter().peekable();
        let mut fronts: BinaryHeap<Reverse<(Place, u32)>> =
            self.waiting.first_unreserved(concerned).map(Reverse).collect();
        while let Some(Reverse((place, partition))) = fronts.pop() {
            while let Some(before) = reserved.next_if(|before| *before < place) {
                let waits = self.waiting.window(before).is_some_and(|window| window.start > now);
                later[bus.class(job_of(before.2)).partition as usize] += u32::from(waits);
            }
            let later = &mut later[partition as usize];
            let may = *later < depth && is_tried(&place);
            if may || held.contains(&place) {
                self.reserve(bus, place)?;
                *later += u32::from(self.waiting.window(place).is_some_and(|window| window.start > now));
            }
            let next = if *later < depth && is_tried(&place) {
                self.waiting.next_unreserved(partition, place)
            } else {
                self.waiting.next_unreserved_of(partition, place, held)
            };
            fronts.extend(next.map(|next| Reverse((next, partition))));
        }
        Ok(())
    }

    /// Running jobs past their expected end are expected to end a second from now, or with the slot of time; the groups in which there is one have
    /// their reservations made anew.
    fn extend_overdue(&mut self, state: &State, concerned: &[bool]) {
        let now = state.now();
        let overdue: Vec<u32> =
            self.running.due(now).filter(|job| concerned[self.group(state, *job)]).collect();
        // The profile holds them until then no longer.
        self.known &= overdue.is_empty();
        for job in overdue {
            let slot = self.slots.end(now + Seconds(1));
            self.running.expect(job, slot.min(state.departure(state.domains(job))));
            let group = self.group(state, job);
            self.happened[group].void = true;
        }
    }

    fn start_due(&mut self, bus: &mut Bus<'_, '_>, concerned: &[bool]) -> Result<(), PolicyError> {
        let now = bus.now();
        let due: Vec<Place> = self.waiting.beginning(now).filter(|place| concerned[place.0]).collect();
        let mut power = Power::default();
        let mut blocked = Vec::new();
        for place in due {
            let job = job_of(place.2);
            self.waiting.forget_begin(now, place);
            let Some(mut window) = self.waiting.remove(place, bus.class(job).partition) else { continue };
            if !power.admits(bus, job, &mut window.choice) {
                blocked.push((place, window));
                continue;
            }
            let Choice { pieces, cap, .. } = &window.choice;
            bus.apply(Decision::Start { job, domains: pieces, cap: *cap })?;
            self.running.insert(job, window);
            self.started.push(place);
        }
        for (place, window) in blocked {
            self.waiting.reserve(place, bus.class(job_of(place.2)).partition, window);
        }
        Ok(())
    }

    /// The jobs that started in this pass were thought to take longer, or, under a cap, less.
    fn expect_started(&mut self, state: &State) {
        for place in std::mem::take(&mut self.started) {
            let job = job_of(place.2);
            let rate = state.segment(job).map_or(Factor::ONE, |segment| segment.rate);
            let expected = self.slots.end(state.expected_end(job, rate));
            let end = expected.min(state.departure(state.domains(job)));
            let Some(window) = self.running.window(job).filter(|window| window.end != end).cloned() else {
                continue;
            };
            self.happened[place.0].void |= end > window.end;
            self.running.expect(job, end);
            if self.unseen.contains(&job) {
                continue;
            }
            self.give(state, job, &window);
            if self.known {
                self.profile.take(state.class(job), Held { end, ..window.held() });
                self.changes.take(window.start, end);
            }
        }
    }
}

impl Pass for Conservative {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        debug_assert!(
            self.waiting.places().all(|place| bus.waits(job_of(place.2))),
            "only jobs that wait have a place in line"
        );
        let concerned = self.concerned(bus);
        if !concerned.contains(&true) {
            return Ok(());
        }
        self.rank(bus, &concerned);
        let now = bus.now();
        if self.placement.freeze(bus) {
            self.changes.forget();
        }
        self.extend_overdue(bus, &concerned);
        for place in self.waiting.begun_before(now) {
            self.happened[place.0].void = true;
        }
        let mut happened = self.happened.clone();
        for (group, concerned) in concerned.iter().enumerate() {
            if *concerned {
                self.happened[group] = Happened::default();
            } else {
                happened[group] = Happened::default();
            }
        }
        let settings = &bus.plan().settings;
        let held: BTreeSet<Place> = if settings.depth.is_some() || settings.max_jobs.is_some() {
            self.waiting.reserved_in(&concerned).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        self.give_up(bus, &happened.iter().map(|happened| happened.void).collect::<Vec<_>>());
        let ended: Vec<bool> = happened.iter().map(|happened| happened.ended).collect();
        let reserved = self.waiting.reserved_in(&ended);
        if !reserved.is_empty() {
            self.look_ahead(bus);
            for place in reserved {
                if !self.stays(bus, place) {
                    self.reserve(bus, place)?;
                }
            }
        }
        self.reserve_all(bus, &concerned, &held)?;
        self.start_due(bus, &concerned)?;
        self.expect_started(bus);
        Ok(())
    }
}
