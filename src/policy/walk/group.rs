//! One queue over linked partitions: which of its jobs start in a pass.
//!
//! The walk goes through the waiting jobs in one order. A stream that no blocked job has stopped is taken from its front;
//! behind enough blocked jobs of a partition, the rest of it is tried class by class, each class once. Both are merged by
//! key, so that every job is tried at its place in the order.

use super::finder::Finder;
use super::lookahead::Lookahead;
use super::pending::{Candidate, Key, Pending, job_of};
use super::reservations::{self, Reservations};
use super::{Desk, Rules};
use crate::policy::PolicyError;
use crate::policy::backfill::Backfill;
use crate::policy::pipeline::Bus;
use crate::state::class::Class;
use crate::state::{Decision, State};
use crate::units::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How a stream stands in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It is taken from its front.
    Open,
    /// It is tried class by class.
    ByClass,
    /// None of it is tried any more.
    Closed,
}

/// Jobs that close together: of one partition, counting against one quota or none.
#[derive(Debug)]
struct Stream {
    partition: u32,
    quota_tenant: Option<u32>,
    tier: usize,
    /// Its place among the lines of its tier.
    line: usize,
    mode: Mode,
    /// The first job as the last pass left it blocked, and whether its quota was why.
    blocked: Option<(Key, bool)>,
}

/// A partition in a pass.
#[derive(Debug, Clone, Copy, Default)]
struct Front {
    /// How many of its jobs hold a reservation.
    reserved: u32,
    /// The blocked job that closed it.
    head: Option<Key>,
}

/// What became of a job that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Started,
    /// Its tenant's quota says no.
    Quota,
    /// There is no place, or it would delay a reservation.
    Blocked,
}

/// The waiting jobs of linked partitions.
#[derive(Debug)]
pub(super) struct Group {
    rules: Rules,
    /// The highest first.
    tiers: Vec<Pending>,
    streams: Vec<Stream>,
    /// By class of the plan: its stream; meaningless for classes of other groups.
    stream_of: Vec<u32>,
    /// By partition of the plan.
    fronts: Vec<Front>,
    /// The heads that closed partitions in the last pass, where that is told.
    told: Vec<Option<Key>>,
    /// Whether anything happened since the last pass, and whether anything but arrivals.
    touched: bool,
    changed: bool,
    /// Whether blocked jobs are known as the last pass left them, the last of them, and its tier.
    last_blocked: Option<(usize, Key)>,
    ahead: Lookahead,
    /// Whether it is looked ahead at all.
    looks_ahead: bool,
    reservations: Reservations,
    /// Counts states of free capacity in which what was refused may be tried again: one more at each pass, and at each
    /// start that might let in what did not fit.
    version: u64,
    /// True if what does not fit now cannot fit later with less free, whatever started meanwhile and where.
    monotone: bool,
    /// True if GPUs are alike and alone on their nodes, so that counts tell what leaves room for a reservation.
    counted: bool,
    /// In a pass: the next job of each class, the first on top.
    tries: BinaryHeap<Reverse<Candidate>>,
    /// By class: the version at which no place was found, and at which a reservation would have been delayed.
    refused: Vec<(u64, u64)>,
    /// Jobs at the front of a stream that were passed over, with the stream.
    passed: Vec<(usize, Key)>,
    /// Whether a job started behind a blocked one.
    overtaken: bool,
}

/// What a group is made of.
pub(super) struct Parts<'a> {
    pub(super) rules: Rules,
    pub(super) state: &'a State,
    /// The partitions of the plan that belong to it.
    pub(super) partitions: Vec<u32>,
    pub(super) monotone: bool,
    pub(super) counted: bool,
}

impl Group {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts { rules, state, partitions, monotone, counted } = parts;
        let (plan, table) = (state.plan(), &state.classes().table);
        let own = || table.iter().filter(|class| partitions.contains(&class.queue));
        let mut tiers: Vec<u32> = own().map(|class| class.tier).collect();
        tiers.sort_unstable_by_key(|tier| Reverse(*tier));
        tiers.dedup();
        let mut streams: Vec<Stream> = Vec::new();
        let mut lines = vec![0; tiers.len()];
        let mut stream_of = vec![u32::MAX; table.len()];
        for class in own() {
            let key = (class.queue, class.quota_tenant);
            let known = streams.iter().position(|stream| (stream.partition, stream.quota_tenant) == key);
            let index = known.unwrap_or_else(|| {
                let tier = tiers.iter().position(|tier| *tier == class.tier).unwrap_or(0);
                let line = lines[tier];
                lines[tier] += 1;
                let (partition, quota_tenant) = key;
                let (mode, blocked) = (Mode::Open, None);
                streams.push(Stream { partition, quota_tenant, tier, line, mode, blocked });
                streams.len() - 1
            });
            stream_of[class.index as usize] = u32::try_from(index).expect("streams are no more than classes");
        }
        let by_class = if rules.backfill == Backfill::None { 0 } else { table.len() };
        let changing = !plan.cluster.changes.is_empty() || !plan.cluster.curtailments.is_empty();
        Self {
            tiers: lines.iter().map(|lines| Pending::new(*lines, by_class)).collect(),
            streams,
            stream_of,
            fronts: vec![Front::default(); plan.workload.partitions.len()],
            told: vec![None; plan.workload.partitions.len()],
            touched: true,
            changed: true,
            last_blocked: None,
            ahead: Lookahead::default(),
            looks_ahead: rules.backfill.reserves() || rules.backfill == Backfill::None && changing,
            reservations: Reservations::default(),
            version: 0,
            monotone,
            counted,
            tries: BinaryHeap::new(),
            refused: vec![(0, 0); table.len()],
            passed: Vec::new(),
            overtaken: false,
            rules,
        }
    }

    /// Something happened that changes nothing for the jobs that wait.
    pub(super) const fn touch(&mut self) {
        self.touched = true;
    }
    /// Something other than an arrival happened.
    pub(super) const fn change(&mut self) {
        self.touched = true;
        self.changed = true;
    }
    /// What is expected of running jobs, where that is looked at.
    pub(super) fn ahead(&mut self) -> Option<&mut Lookahead> {
        self.looks_ahead.then_some(&mut self.ahead)
    }
    /// Whether anything has happened since the last pass.
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }
    fn stream(&self, class: u32) -> usize {
        self.stream_of[class as usize] as usize
    }
    /// A job begins to wait.
    pub(super) fn push(&mut self, candidate: Candidate) {
        self.touched = true;
        let stream = &self.streams[self.stream(candidate.class)];
        self.tiers[stream.tier].push(stream.line, candidate);
    }
    /// A job that has run begins to wait again.
    pub(super) fn push_again(&mut self, candidate: Candidate) {
        let stream = &self.streams[self.stream(candidate.class)];
        self.tiers[stream.tier].purge(stream.line, job_of(candidate.key));
        self.push(candidate);
    }
    /// A job no longer waits.
    pub(super) fn forget(&mut self, candidate: Candidate) {
        let tier = self.streams[self.stream(candidate.class)].tier;
        self.tiers[tier].forget(candidate);
    }
    /// Every job that waits.
    pub(super) fn jobs<'a>(&'a self, state: &'a State) -> impl Iterator<Item = u32> + 'a {
        self.tiers.iter().flat_map(|pending| pending.jobs(state))
    }
    /// A job as its backfill sees it.
    pub(super) fn candidate(&self, state: &State, key: Key) -> Candidate {
        self.rules.candidate(state, key)
    }
}

/// The pass.
impl Group {
    /// Starts what may start.
    pub(super) fn pass(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        self.version += 1;
        self.touched = false;
        self.overtaken = false;
        let arrivals: Vec<Vec<Candidate>> = self.tiers.iter_mut().map(Pending::take_arrivals).collect();
        let only_arrivals = self.only_arrivals_matter(bus, &arrivals);
        let mut from = if only_arrivals {
            self.try_arrivals(desk, bus, &arrivals)?
        } else {
            self.begin();
            Some((0, 0))
        };
        for (pending, arrivals) in self.tiers.iter_mut().zip(arrivals) {
            pending.settle(arrivals, bus);
        }
        while let Some((tier, after)) = from.filter(|(tier, _)| *tier < self.tiers.len()) {
            self.walk(desk, bus, (tier, after))?;
            from = Some((tier + 1, 0));
        }
        self.tell_closed(bus);
        self.changed = self.overtaken && !self.monotone;
        Ok(())
    }

    /// Whether what was refused before would be refused again: nothing has happened but arrivals that stand behind every
    /// blocked job.
    fn only_arrivals_matter(&self, state: &State, arrivals: &[Vec<Candidate>]) -> bool {
        if self.changed || self.rules.backfill == Backfill::None || self.tiers.len() > 1 {
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
    fn begin(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.mode = Mode::Open);
        self.fronts.iter_mut().for_each(|front| *front = Front::default());
        self.reservations.clear();
        self.last_blocked = None;
    }

    /// Tries the arrivals alone; returns where the first that started stands: what is behind it has to be tried.
    fn try_arrivals(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        arrivals: &[Vec<Candidate>],
    ) -> Result<Option<(usize, Key)>, PolicyError> {
        let mut alike: Vec<(u32, u64)> = Vec::new();
        for (tier, arrivals) in arrivals.iter().enumerate() {
            for candidate in arrivals.iter().copied() {
                let kind = (candidate.class, candidate.work);
                if alike.contains(&kind) || !self.tiers[tier].is_first(candidate) {
                    continue;
                }
                if self.consider(desk, bus, candidate)? == Tried::Started {
                    self.overtaken = true;
                    return Ok(Some((tier, candidate.key)));
                }
                alike.push(kind);
            }
        }
        Ok(None)
    }

    /// Goes through a tier behind a job, or from its front.
    fn walk(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        (tier, after): (usize, Key),
    ) -> Result<(), PolicyError> {
        self.tries.clear();
        for stream in 0..self.streams.len() {
            if self.streams[stream].tier == tier && self.streams[stream].mode == Mode::ByClass {
                self.line_up_stream(bus, stream, after);
            }
        }
        loop {
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
        for (stream, key) in std::mem::take(&mut self.passed).into_iter().rev() {
            let line = self.streams[stream].line;
            self.tiers[tier].put_back(line, key);
        }
        Ok(())
    }

    /// The first job of the open streams of a tier.
    fn first_front(&mut self, state: &State, tier: usize, after: Key) -> Option<(usize, Key)> {
        let mut first: Option<(usize, Key)> = None;
        for index in 0..self.streams.len() {
            let stream = &self.streams[index];
            if stream.tier != tier || stream.mode != Mode::Open {
                continue;
            }
            let line = stream.line;
            loop {
                let Some(key) = self.tiers[tier].first(line, state) else { break };
                if key <= after && after > 0 {
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
    fn try_front(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        (stream, key): (usize, Key),
    ) -> Result<(), PolicyError> {
        let candidate = self.candidate(bus, key);
        let known = self.streams[stream].blocked.filter(|(blocked, _)| !self.changed && *blocked == key);
        let tried = match known {
            Some((_, true)) => Tried::Quota,
            Some((_, false)) if !self.rules.backfill.reserves() => Tried::Blocked,
            _ => self.consider(desk, bus, candidate)?,
        };
        if tried == Tried::Started {
            // What was blocked may find another place once less is free.
            self.changed |= !self.monotone;
            self.overtaken |= self.last_blocked.is_some();
            let tier = self.streams[stream].tier;
            self.tiers[tier].remove(candidate);
            return Ok(());
        }
        let tier = self.streams[stream].tier;
        self.last_blocked = self.last_blocked.max(Some((tier, key)));
        self.streams[stream].blocked = Some((key, tried == Tried::Quota));
        if tried == Tried::Quota && self.rules.backfill != Backfill::Skip {
            self.close_quota(stream);
        } else {
            self.block(desk, bus, (stream, key));
        }
        Ok(())
    }

    /// What a blocked job at the front of its stream means for the others.
    fn block(&mut self, desk: &mut Desk, state: &State, (stream, key): (usize, Key)) {
        let partition = self.streams[stream].partition;
        let front = &mut self.fronts[partition as usize];
        let mode = match self.rules.backfill {
            Backfill::Skip => Mode::ByClass,
            Backfill::None if !self.looks_ahead => Mode::Closed,
            Backfill::None => {
                let shadow = self.ahead.reserve(state, &mut desk.finder, job_of(key));
                if shadow == Time::NEVER { Mode::Open } else { Mode::Closed }
            }
            _ => {
                let ahead = (&mut self.ahead, &mut desk.finder);
                let known = self.reservations.add(state, ahead, job_of(key));
                front.reserved += u32::from(known);
                // What would delay one reservation may delay another at other lengths.
                self.version += u64::from(known && self.reservations.only().is_none());
                if front.reserved == self.rules.reservations { Mode::ByClass } else { Mode::Open }
            }
        };
        if mode == Mode::Closed {
            front.head = Some(key);
        }
        if mode == Mode::Open {
            let Stream { tier, line, .. } = self.streams[stream];
            self.tiers[tier].pass_over(line, key);
            self.passed.push((stream, key));
            return;
        }
        for index in 0..self.streams.len() {
            if self.streams[index].partition == partition && self.streams[index].mode == Mode::Open {
                self.streams[index].mode = mode;
                if mode == Mode::ByClass {
                    self.line_up_stream(state, index, key);
                }
            }
        }
    }

    /// No later job that counts against the quota of a stream starts in this pass.
    fn close_quota(&mut self, stream: usize) {
        let Some(tenant) = self.streams[stream].quota_tenant else { return };
        for stream in self.streams.iter_mut().filter(|stream| stream.quota_tenant == Some(tenant)) {
            stream.mode = Mode::Closed;
        }
    }

    /// Tries the next job of the streams that are tried class by class.
    fn try_next_of_class(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        let Some(Reverse(candidate)) = self.tries.pop() else { return Ok(()) };
        let stream = self.stream(candidate.class);
        if self.streams[stream].mode == Mode::Closed {
            return Ok(());
        }
        let tier = self.streams[stream].tier;
        match self.consider(desk, bus, candidate)? {
            Tried::Started => {
                self.overtaken = true;
                self.tiers[tier].remove(candidate);
                if !self.monotone || self.streams[stream].quota_tenant.is_some() {
                    self.line_up(bus, tier, candidate.key);
                    return Ok(());
                }
            }
            Tried::Quota if self.rules.backfill != Backfill::Skip => self.close_quota(stream),
            Tried::Quota => {}
            Tried::Blocked => {}
        }
        self.line_up_class(bus, (tier, candidate.class), candidate.key);
        Ok(())
    }

    /// The next job of every class of a tier that is tried by class.
    fn line_up(&mut self, state: &State, tier: usize, after: Key) {
        self.tries.clear();
        for stream in 0..self.streams.len() {
            if self.streams[stream].tier == tier && self.streams[stream].mode == Mode::ByClass {
                self.line_up_stream(state, stream, after);
            }
        }
    }

    /// The next job of every class of a stream behind a job.
    fn line_up_stream(&mut self, state: &State, stream: usize, after: Key) {
        let tier = self.streams[stream].tier;
        for index in 0..self.tiers[tier].active().len() {
            let class = self.tiers[tier].active()[index];
            if self.stream(class) == stream {
                self.line_up_class(state, (tier, class), after);
            }
        }
    }

    /// The next job of a class behind a job that might start, unless the class has been refused in this state.
    fn line_up_class(&mut self, state: &State, (tier, class): (usize, u32), after: Key) {
        // What a quota refuses closes it, whether it fits or not.
        let closes = self.rules.backfill.reserves() && !self.is_within_quota(state, class);
        if !closes && !self.may_fit(state, class) {
            return;
        }
        let pending = &self.tiers[tier];
        let delays = self.refused[class as usize].1 == self.version;
        let next = if !closes && (delays || self.rules.backfill == Backfill::EasyStrict) {
            // What ends later than this would delay a reservation.
            let cut = self.reservations.earliest();
            let limit = match state.classes().table[class as usize].rate {
                Some(rate) if cut != Time::NEVER => u64::from(cut.since(state.now()).0) * u64::from(rate.0),
                _ => u64::MAX,
            };
            pending.next_within(class, after, limit)
        } else {
            pending.next(class, after)
        };
        self.tries.extend(next.map(Reverse));
    }

    fn is_within_quota(&self, state: &State, class: u32) -> bool {
        state.resources().within_quota(&state.classes().table[class as usize])
    }

    /// Whether a class has not been refused in this state, nor do counts say that it would be.
    fn may_fit(&self, state: &State, class: u32) -> bool {
        let no_place = self.refused[class as usize].0 == self.version;
        !no_place && state.resources().holds(&state.classes().table[class as usize]) != Some(false)
    }

    /// Starts a job if it fits now and delays no reservation.
    fn consider(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        candidate: Candidate,
    ) -> Result<Tried, PolicyError> {
        let state: &State = bus;
        let job = job_of(candidate.key);
        let class = state.class(job);
        if !state.resources().within_quota(class) {
            self.refused[candidate.class as usize].0 = self.version;
            return Ok(Tried::Quota);
        }
        if !self.may_fit(state, candidate.class) {
            return Ok(Tried::Blocked);
        }
        let (reserved, shadow) = (!self.reservations.is_empty(), self.reservations.earliest());
        if reserved
            && let Some(rate) = class.rate
            && state.expected_end(job, rate) > shadow
            && !self.may_leave_room(state, class)
        {
            self.refused[candidate.class as usize].1 = self.version;
            return Ok(Tried::Blocked);
        }
        if !self.finds_place(desk, bus, job) {
            // A shorter job of the class may end before nodes go.
            if bus.known_changes().is_empty() {
                self.refused[candidate.class as usize].0 = self.version;
            }
            return Ok(Tried::Blocked);
        }
        if reserved && !self.delays_nothing(desk, bus, job) {
            // What would delay the only reservation would so at any length beyond it.
            let certain = bus.class(job).rate.is_some() && bus.known_changes().is_empty();
            if certain && self.reservations.only().is_some() {
                self.refused[candidate.class as usize].1 = self.version;
            }
            return Ok(Tried::Blocked);
        }
        let choice = desk.finder.choice();
        bus.apply(Decision::Start { job, domains: &choice.pieces, cap: choice.cap })?;
        self.started(desk, bus, job);
        self.version += u64::from(!self.monotone);
        Ok(Tried::Started)
    }

    fn finds_place(&self, desk: &mut Desk, bus: &mut Bus<'_, '_>, job: u32) -> bool {
        let finder = &mut desk.finder;
        match either(self.withdrawn(bus, job), bus.going(job)) {
            None => {
                let state: &State = bus;
                finder.finds_place(state, job, || self.jobs(state))
            }
            Some(nodes) => bus.without(&nodes, |state| finder.finds_place_now(state, job)),
        }
    }

    /// Whether a job at the place found last ends before every reservation begins or leaves room for all of them; if
    /// not there, then at its cheapest place outside of what they take.
    fn delays_nothing(&mut self, desk: &mut Desk, bus: &mut Bus<'_, '_>, job: u32) -> bool {
        let finder = &mut desk.finder;
        if self.harmless(finder, bus, job) {
            return true;
        }
        if self.rules.backfill == Backfill::EasyStrict || self.counted && bus.known_changes().is_empty() {
            return false;
        }
        let end = expected_end(bus, job, finder);
        let taken = self.reservations.nodes_before(bus, (&mut self.ahead, &mut *finder), end);
        let nodes = either(Some(taken), bus.going(job)).unwrap_or_default();
        bus.without(&nodes, |state| finder.finds_place_now(state, job)) && self.harmless(finder, bus, job)
    }

    fn harmless(&mut self, finder: &mut Finder, state: &State, job: u32) -> bool {
        let end = expected_end(state, job, finder);
        if end <= self.reservations.earliest() {
            return true;
        }
        if self.rules.backfill == Backfill::EasyStrict {
            return false;
        }
        let choice = finder.choice().clone();
        let (pieces, cap) = (&choice.pieces[..], choice.cap);
        let candidate = reservations::Candidate { job, end, pieces, cap };
        self.reservations.still_fit(state, (&mut self.ahead, finder), candidate)
    }

    /// Whether a job that ends after the only reservation begins might leave it its room, wherever it goes.
    fn may_leave_room(&self, state: &State, class: &Class) -> bool {
        if self.rules.backfill == Backfill::EasyStrict {
            return false;
        }
        let only = self.reservations.only().filter(|_| self.counted && state.known_changes().is_empty());
        only.is_none_or(|only| !self.ahead.lacks_gpus(state.class(only), class.gpus_milli))
    }

    /// A job of the group has started.
    fn started(&mut self, desk: &mut Desk, state: &State, job: u32) {
        self.expect(desk, state, job);
        desk.finder.started(state);
    }

    /// A running job is expected to end.
    pub(super) fn expect(&mut self, desk: &mut Desk, state: &State, job: u32) {
        if self.looks_ahead
            && let Some(segment) = state.segment(job)
        {
            let end = state.expected_end(job, segment.rate).min(state.departure(state.domains(job)));
            desk.expected[job as usize] = end;
            self.ahead.begin(state.class(job), job, end, (state.domains(job), segment.cap));
        }
    }

    /// The nodes that closed partitions have withdrawn, where a job might use some of them.
    fn withdrawn(&self, state: &State, job: u32) -> Option<Vec<u64>> {
        if self.rules.backfill != Backfill::None {
            return None;
        }
        let closed = self.fronts.iter().enumerate().filter(|(_, front)| front.head.is_some());
        let own = &state.classes().scopes[state.class(job).scope as usize];
        let mut nodes = vec![0; own.len()];
        for (partition, _) in closed {
            let name = &state.plan().workload.partitions[partition];
            let of = state.plan().cluster.partition(name);
            for node in of.iter().flat_map(|of| &of.nodes).cloned().flatten() {
                nodes[node as usize >> 6] |= 1 << (node & 63);
            }
        }
        let meets = nodes.iter().zip(own).any(|(closed, own)| closed & own != 0);
        meets.then_some(nodes)
    }

    /// Says where the passes over a partition stop, where no other passes go on behind it.
    fn tell_closed(&mut self, bus: &mut Bus<'_, '_>) {
        if self.rules.backfill != Backfill::None || bus.plan().settings.has_event_passes() {
            return;
        }
        for partition in 0..self.fronts.len() {
            let head = self.fronts[partition].head;
            if self.told[partition] != head {
                self.told[partition] = head;
                let index = u32::try_from(partition).expect("partitions are few");
                bus.close_partition(index, head.map(job_of));
            }
        }
    }
}

/// When a job at the place found last is expected to end.
fn expected_end(state: &State, job: u32, finder: &Finder) -> Time {
    let choice = finder.choice();
    state.expected_end(job, state.rate_on(job, &choice.pieces, choice.cap))
}

/// The nodes of two sets, 64 a word.
fn either(one: Option<Vec<u64>>, other: Option<Vec<u64>>) -> Option<Vec<u64>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.iter().zip(&other).map(|(one, other)| one | other).collect()),
        (one, other) => one.or(other),
    }
}
