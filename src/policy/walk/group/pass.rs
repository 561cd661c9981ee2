//! The walk through the waiting jobs of a group.

use super::{Blocked, Front, Group, Mode, Stream, Tried};
use crate::policy::PolicyError;
use crate::policy::backfill::Backfill;
use crate::policy::pipeline::Bus;
use crate::policy::walk::pending::{Candidate, Key, job_of};
use crate::policy::walk::{Desk, Rules};
use crate::state::State;
use crate::units::Time;
use std::cmp::Reverse;

/// The pass.
impl Group {
    /// Starts what may start.
    pub(in crate::policy::walk) fn pass(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
    ) -> Result<(), PolicyError> {
        self.version += 1;
        (self.touched, self.joined, self.overtaken) = (false, false, false);
        let mut arrivals = std::mem::take(&mut self.arrivals);
        self.tiers.iter_mut().zip(&mut arrivals).for_each(|(pending, empty)| pending.take_arrivals(empty));
        self.changed |= self.wake <= bus.now();
        if self.changed {
            self.wake = Time::NEVER;
        }
        let only_arrivals = self.only_arrivals_matter(bus, &arrivals);
        let mut from = if only_arrivals {
            self.try_arrivals(desk, bus, &arrivals)?
        } else {
            self.begin();
            Some((0, None))
        };
        self.tiers
            .iter_mut()
            .zip(&mut arrivals)
            .for_each(|(pending, arrivals)| pending.settle(arrivals, bus));
        self.arrivals = arrivals;
        loop {
            if self.lines_up_stopped(desk, bus) {
                from = Some((0, None));
            }
            let Some((tier, after)) = from.filter(|(tier, _)| *tier < self.tiers.len()) else { break };
            from = if self.rules.takes_turns {
                Some((self.walk_in_turns(desk, bus, tier)?, None))
            } else {
                self.walk(desk, bus, (tier, after))?;
                Some((tier + 1, None))
            };
        }
        self.tell_closed(bus);
        self.changed = self.overtaken && self.starts_matter();
        Ok(())
    }

    /// Whether a start may let in a job that was blocked before it.
    const fn starts_matter(&self) -> bool {
        !self.monotone || self.rules.starts_give_claims
    }

    /// Whether what was refused before would be refused again: nothing has happened but arrivals that stand behind every
    /// blocked job.
    pub(super) fn only_arrivals_matter(&self, state: &State, arrivals: &[Vec<Candidate>]) -> bool {
        // What is pinned or frozen is so as of a pass over everything.
        let by_all = [Backfill::None, Backfill::EasyPinned, Backfill::EasyFrozen];
        if self.changed || by_all.contains(&self.rules.backfill) || self.tiers.len() > 1 {
            return false;
        }
        if self.rules.backfill.reserves()
            && !self.reservations.is_empty()
            && (self.ahead.is_stale(state.now()) || self.reservations.earliest() <= state.now())
        {
            return false;
        }
        let Some(last) = self.last_blocked else { return false };
        let mut all =
            arrivals.iter().enumerate().flat_map(|(tier, jobs)| jobs.iter().map(move |job| (tier, job)));
        all.all(|(tier, job)| {
            let stream = &self.streams[self.stream(job.class)];
            stream.mode == Mode::ByClass && (tier, job.key) > last
        })
    }

    /// A pass over everything: no stream is stopped yet, and nothing is reserved.
    pub(super) fn begin(&mut self) {
        for stream in &mut self.streams {
            stream.mode = Mode::Open;
            // What blocked its first job is known while nothing but arrivals has happened.
            stream.blocked = stream.blocked.filter(|_| !self.changed);
        }
        self.fronts.iter_mut().for_each(|front| *front = Front::default());
        self.reservations.clear(self.rules.backfill);
        self.spent.clear();
        self.failed.clear();
        self.last_blocked = None;
    }

    /// Tries the arrivals alone; returns where the first that started stands: what is behind it has to be tried.
    pub(super) fn try_arrivals(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        arrivals: &[Vec<Candidate>],
    ) -> Result<Option<(usize, Option<Key>)>, PolicyError> {
        let mut alike: Vec<(u32, u64)> = Vec::new();
        for (tier, arrivals) in arrivals.iter().enumerate() {
            for candidate in arrivals.iter().copied() {
                let (kind, stream) = (self.kind(bus, candidate), self.stream(candidate.class));
                // An arrival before this one may have closed a quota or the limit.
                let closed = self.streams[stream].mode == Mode::Closed;
                if closed || alike.contains(&kind) || !self.tiers[tier].is_first(candidate) {
                    continue;
                }
                match self.consider(desk, bus, candidate)? {
                    Tried::Started => {
                        self.overtaken = true;
                        return Ok(Some((tier, Some(candidate.key))));
                    }
                    Tried::Ceiling(row) if self.closes_ceiling(bus, row) => self.close_ceiling(row),
                    Tried::Ceiling(_) | Tried::Blocked | Tried::Delays => alike.push(kind),
                }
            }
        }
        Ok(None)
    }

    /// Goes through a tier behind a job, or from its front.
    pub(super) fn walk(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        (tier, after): (usize, Option<Key>),
    ) -> Result<(), PolicyError> {
        self.line_up(bus, tier, after);
        while !self.made_room {
            let front = self.first_front(bus, tier, after);
            let candidate = self.tries.peek().map(|Reverse(candidate)| candidate.key);
            match (front, candidate) {
                (Some((stream, key)), candidate) if candidate.is_none_or(|candidate| key < candidate) => {
                    self.try_front(desk, bus, (stream, key))?;
                }
                (_, Some(_)) => self.try_next_of_class(desk, bus)?,
                _ => break,
            }
        }
        while let Some((stream, key)) = self.passed.pop() {
            let line = self.streams[stream].line;
            self.tiers[tier].put_back(line, key);
        }
        Ok(())
    }

    /// The first job of the open streams of a tier.
    pub(super) fn first_front(
        &mut self,
        state: &State,
        tier: usize,
        after: Option<Key>,
    ) -> Option<(usize, Key)> {
        let mut first: Option<(usize, Key)> = None;
        for index in 0..self.streams.len() {
            let stream = &self.streams[index];
            if stream.tier != tier || stream.mode != Mode::Open {
                continue;
            }
            let line = stream.line;
            while let Some(key) = self.tiers[tier].first(line, state) {
                if Some(key) <= after {
                    self.tiers[tier].pass_over(line, key);
                    self.passed.push((index, key));
                    continue;
                }
                if first.is_none_or(|(_, other)| key < other) {
                    first = Some((index, key));
                }
                break;
            }
        }
        first
    }

    /// Tries the first job of an open stream; where it is blocked, the stream is no longer open, or it is passed over.
    pub(super) fn try_front(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        (stream, key): (usize, Key),
    ) -> Result<(), PolicyError> {
        let candidate = self.candidate(bus, key);
        let alike = self.kind(bus, candidate);
        let place = self.failed.binary_search(&alike);
        let failed = place.is_ok();
        let known = self.streams[stream].blocked.filter(|blocked| !self.changed && blocked.key == key);
        let beside_withdrawn = !self.spent.is_empty() || self.fronts.iter().any(|front| front.head.is_some());
        let tried = match known {
            // Where changes are known to come, time alone may reopen what a job closed that was blocked before.
            Some(Blocked { ceiling: None, beside_withdrawn: false, .. })
                if !self.rules.backfill.reserves() && bus.ends_tell_all() =>
            {
                Tried::Blocked
            }
            // Quotas and limits alone are asked of a job like one that has failed in this pass, or that one of them blocked before:
            // meanwhile another may have come to say no first.
            blocked if failed || blocked.is_some_and(|blocked| blocked.ceiling.is_some()) => {
                bus.resources().ceiling_of(bus.class(job_of(key))).map_or(Tried::Blocked, Tried::Ceiling)
            }
            _ => self.consider(desk, bus, candidate)?,
        };
        if tried == Tried::Started {
            // What was blocked may find another place once less is free.
            self.changed |= self.starts_matter();
            self.overtaken |= self.last_blocked.is_some();
            let tier = self.streams[stream].tier;
            self.tiers[tier].remove(candidate);
            self.line_up_after_start(bus, stream, key);
            return Ok(());
        }
        if let Err(place) = place {
            self.failed.insert(place, alike);
        }
        let tier = self.streams[stream].tier;
        self.last_blocked = self.last_blocked.max(Some((tier, key)));
        let ceiling = if let Tried::Ceiling(row) = tried { Some(row) } else { None };
        self.streams[stream].blocked = Some(Blocked { key, ceiling, beside_withdrawn });
        match ceiling {
            Some(row) if self.closes_ceiling(bus, row) => self.close_ceiling(row),
            // The one before it knew no time for its start either, else the partition would be closed.
            _ if failed && self.rules.backfill == Backfill::None => self.pass_over(stream, key),
            _ => self.block(desk, bus, (stream, key)),
        }
        Ok(())
    }

    /// The job at the front of a stream is blocked, and the next one is tried all the same.
    fn pass_over(&mut self, stream: usize, key: Key) {
        let Stream { tier, line, partition, .. } = self.streams[stream];
        if self.rules.backfill == Backfill::None {
            self.fronts[partition as usize].passed.push(job_of(key));
        }
        self.tiers[tier].pass_over(line, key);
        self.passed.push((stream, key));
    }

    /// What a blocked job at the front of its stream means for the others.
    pub(super) fn block(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>, (stream, key): (usize, Key)) {
        let (partition, job) = (self.streams[stream].partition, job_of(key));
        let mode = match self.rules.backfill {
            Backfill::Skip => Mode::ByClass,
            Backfill::None => {
                if self.closes(desk, bus, job) {
                    Mode::Closed
                } else {
                    Mode::Open
                }
            }
            _ => {
                let ahead = (&mut self.ahead, &mut desk.finder);
                let known = self.reservations.add(bus, ahead, job, self.rules.backfill);
                let front = &mut self.fronts[partition as usize];
                front.reserved += u32::from(known);
                // What would delay one reservation may delay another at other lengths.
                self.version += u64::from(known && self.reservations.only().is_none());
                if front.reserved == self.rules.reservations { Mode::ByClass } else { Mode::Open }
            }
        };
        if mode == Mode::Closed {
            self.withdraw_watts(desk, bus, job);
            self.fronts[partition as usize].head = Some(key);
        }
        if mode == Mode::Open {
            return self.pass_over(stream, key);
        }
        for index in 0..self.streams.len() {
            if self.streams[index].partition == partition && self.streams[index].mode == Mode::Open {
                self.streams[index].mode = mode;
                // Those of lower tiers are lined up when their turn comes.
                if mode == Mode::ByClass && self.streams[index].tier == self.streams[stream].tier {
                    self.line_up_stream(bus, index, Some(key));
                }
            }
        }
    }

    /// No later job that counts against a quota or a limit starts in this pass.
    pub(super) fn close_ceiling(&mut self, row: u32) {
        for stream in self.streams.iter_mut().filter(|stream| stream.ceilings.contains(&row)) {
            stream.mode = Mode::Closed;
        }
    }

    /// Tries the next job of the streams that are tried class by class.
    pub(super) fn try_next_of_class(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
    ) -> Result<(), PolicyError> {
        let Some(Reverse(candidate)) = self.tries.pop() else { return Ok(()) };
        let stream = self.stream(candidate.class);
        if self.streams[stream].mode == Mode::Closed {
            return Ok(());
        }
        let tier = self.streams[stream].tier;
        match self.consider(desk, bus, candidate)? {
            Tried::Started => {
                self.overtaken = true;
                self.changed |= self.starts_matter();
                self.tiers[tier].remove(candidate);
                if self.line_up_after_start(bus, stream, candidate.key) {
                    return Ok(());
                }
            }
            Tried::Ceiling(row) if self.closes_ceiling(bus, row) => self.close_ceiling(row),
            Tried::Ceiling(_) | Tried::Blocked | Tried::Delays => {}
        }
        self.line_up_class(bus, (tier, candidate.class), Some(candidate.key));
        Ok(())
    }

    /// A job of a stream has started: where that may let in others of its tier, or close a quota before them, the next job
    /// of every class that is tried by class is lined up anew. Returns whether that is so.
    fn line_up_after_start(&mut self, state: &State, stream: usize, after: Key) -> bool {
        let Stream { tier, ref ceilings, .. } = self.streams[stream];
        let matters = !self.monotone || !ceilings.is_empty();
        if matters {
            self.line_up(state, tier, Some(after));
        }
        matters
    }

    /// The next job of every class of a tier that is tried by class, behind a job or from the front.
    fn line_up(&mut self, state: &State, tier: usize, after: Option<Key>) {
        self.tries.clear();
        for stream in 0..self.streams.len() {
            if self.streams[stream].tier == tier && self.streams[stream].mode == Mode::ByClass {
                self.line_up_stream(state, stream, after);
            }
        }
    }

    /// The next job of every class of a stream behind a job.
    pub(super) fn line_up_stream(&mut self, state: &State, stream: usize, after: Option<Key>) {
        let tier = self.streams[stream].tier;
        for index in 0..self.tiers[tier].active().len() {
            let class = self.tiers[tier].active()[index];
            if self.stream(class) == stream {
                self.line_up_class(state, (tier, class), after);
            }
        }
    }

    /// The next job of a class behind a job that might start, unless the class has been refused in this state.
    pub(super) fn line_up_class(&mut self, state: &State, (tier, class): (usize, u32), after: Option<Key>) {
        // What a quota or a limit refuses closes it, whether it fits or not.
        let closes = self.rules.backfill.reserves() && self.is_closing(state, class);
        if !closes && !self.may_fit(state, class) {
            return;
        }
        let pending = &self.tiers[tier];
        let delays = self.refused[class as usize].1 == self.version;
        let next = if !closes && (delays || self.rules.backfill.is_strict()) {
            // What ends later than this would delay a reservation.
            let cut = self.reservations.earliest();
            let class = &state.classes().table[class as usize];
            let until_then = u64::from(cut.since(state.now()).0) * u64::from(class.fastest.0);
            let limit = if cut == Time::NEVER { u64::MAX } else { Rules::most_work(class, until_then) };
            pending.next_within(class.index, after, limit)
        } else {
            pending.next(class, after)
        };
        self.tries.extend(next.map(Reverse));
    }
}
