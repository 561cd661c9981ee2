//! `ranked`: orders that rank running and pending jobs together stop those that rank too low.
//!
//! A pass walks all preemptible running and all pending jobs in order, with a pool that counts every preemptible
//! running job's GPUs as free: a job that fits is taken. Running jobs not taken are stopped, then the taken pending ones
//! are placed in order. Kept jobs stay where they are.
//!
//! The pool counts GPUs, not nodes, so that a job that is taken may find no place. No job is stopped in favour of such a one:
//! it and the jobs of its class behind it are out, and the walk is made anew without them, until every job that is
//! taken has a place. A job that is stopped thus yields to one that starts with a lower key and that only a still lower
//! one can stop, so that no two jobs stop each other for ever.
//!
//! The pool is counted by region: nodes that belong to the same scopes. Jobs of one class ask for the same, and the
//! pool only shrinks, so that a walk looks at no job of a class behind one that does not fit: it takes O(running jobs +
//! classes that wait + jobs that start) time, and where everything that waits fits beside what runs, no running job is
//! looked at. Places are looked for on the state itself, with the stops on trial; nothing is copied.

mod jumps;
mod line;
mod out;
mod pool;
mod regions;

use super::{ListedPreemption, stops_in_vain};
use crate::policy::PolicyError;
use crate::policy::order::Order;
use crate::policy::pipeline::{Bus, Part, Pass};
use crate::policy::placement::Placement;
use crate::policy::placement::ranked::Ranked;
use crate::policy::walk;
use crate::state::{Concern, Decision, Event, State, Status};
use crate::units::Time;
use line::{Pending, Rank, Runner, Running};
use out::Out;
use pool::{Pool, Taken, carry_out};
use regions::{ByRegion, Regions};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Its line in the table.
pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "ranked",
    about: "running and pending jobs are ranked together, and those that rank too low stop",
    source: "Gu et al., Tiresias, NSDI 2019",
    options: &[],
    yields: None,
};

/// The preemptive policy.
#[derive(Debug)]
pub(in crate::policy) struct Preemptive {
    order: Order,
    placement: Placement,
    /// Where the places of all jobs that start are ranked at once.
    ranked: Option<Ranked>,
    running: Running,
    pending: Pending,
    /// When the keys of running jobs will next change by themselves, as of the last pass.
    changes: BTreeSet<(Time, u32)>,
    /// By job: that instant, while it is among the changes.
    change_of: BTreeMap<u32, Time>,
    /// Jobs of which that instant has to be found in this pass: they started, or go on otherwise.
    unknown: Vec<u32>,
    regions: Regions,
    /// Whether any class counts against a quota or a limit.
    has_ceilings: bool,
    /// Where jobs stop in vain, by job: when it began to run, or to wait.
    since: Option<Vec<Time>>,
    /// Where jobs stop in vain, of those that wait: where each stands, which its restart may tell otherwise once it runs.
    standing: BTreeMap<u32, Rank>,
    /// By partition: its group of linked ones.
    group_of: Vec<usize>,
    /// By group: whether anything but timers happened in it since the last pass.
    touched: Vec<bool>,
    /// By group: whether its last pass decided nothing, and why is told by ranks that are known.
    quiet: Vec<bool>,
}

impl Preemptive {
    pub(in crate::policy) fn new(
        state: &State,
        order: Order,
        (placement, ranked): (Placement, Option<Ranked>),
    ) -> Self {
        let group_of = walk::groups(state);
        let groups = group_of.iter().max().map_or(0, |last| last + 1);
        Self {
            order,
            placement,
            ranked,
            running: Running::new(state.plan().workload.jobs.len()),
            pending: Pending::default(),
            changes: BTreeSet::new(),
            change_of: BTreeMap::new(),
            unknown: Vec::new(),
            regions: Regions::new(state),
            since: stops_in_vain(&state.plan().settings)
                .then(|| vec![Time::ZERO; state.plan().workload.jobs.len()]),
            standing: BTreeMap::new(),
            has_ceilings: state.classes().table.iter().any(|class| class.has_ceiling()),
            group_of,
            touched: vec![false; groups],
            quiet: vec![false; groups],
        }
    }

    fn group(&self, state: &State, job: u32) -> usize {
        self.group_of[state.class(job).partition as usize]
    }

    /// Where a job ranks. Ties go to a running job, then to the one that came first; where jobs stop in vain to the one that
    /// came first, then to a running one, then to the one that has waited or run longest.
    fn rank(&self, state: &State, job: u32, waits: bool) -> Rank {
        let (eligible, waits) = (state.eligible_time(job).0, u32::from(waits));
        let ties = match &self.since {
            None => [waits, eligible],
            Some(since) => [eligible, waits << 31 | since[job as usize].0.min(u32::MAX >> 1)],
        };
        Rank::new(state.class(job).tier, self.order.key(state, job), ties, job)
    }

    /// A job begins to run, or to wait.
    fn note(&mut self, job: u32, time: Time) {
        self.since.iter_mut().for_each(|since| since[job as usize] = time);
    }

    fn enqueue(&mut self, state: &State, job: u32, since: Time) {
        self.note(job, since);
        let rank = self.rank(state, job, true);
        if self.since.is_some() {
            self.standing.insert(job, rank);
        }
        self.pending.insert(state.class(job).index, rank);
    }

    fn dequeue(&mut self, state: &State, job: u32) {
        let rank = self.standing.remove(&job).unwrap_or_else(|| self.rank(state, job, true));
        self.pending.remove(state.class(job).index, rank);
    }

    /// A job runs: it is ranked if it may be stopped.
    fn begin(&mut self, state: &State, job: u32, held: ByRegion) {
        let stoppable = state.plan().workload.behaviour_of(job).preemptible;
        self.regions.hold(&held, true, stoppable);
        self.note(job, state.now());
        if stoppable {
            let group = u32::try_from(self.group(state, job)).expect("groups are no more than partitions");
            let (rank, course) = (self.rank(state, job, false), self.order.course(state, job));
            self.running.insert(Runner::new(rank, course, held, (state.class(job).index, group)));
            self.unknown.push(job);
        }
    }

    /// Something happened to the partitions linked with a job, or to all.
    fn touch(&mut self, event: &Event, state: &State) {
        match event.concern() {
            Concern::Linked(job) => {
                let group = self.group(state, job);
                self.touched[group] = true;
            }
            Concern::All => self.touched.fill(true),
            Concern::None => {}
        }
    }

    /// Running jobs whose keys have changed by themselves.
    fn due(&self, now: Time) -> impl Iterator<Item = u32> {
        self.changes.iter().take_while(move |(time, _)| *time <= now).map(|(_, job)| *job)
    }

    /// Finds out when keys will next change by themselves, where that is not known.
    fn look_ahead(&mut self, state: &State) {
        let mut unknown = std::mem::take(&mut self.unknown);
        unknown.extend(self.due(state.now()));
        for job in unknown.drain(..) {
            let runs = self.running.contains(job);
            let time = if runs { self.order.changes(state, job) } else { Time::NEVER };
            self.forget_change(job);
            if time != Time::NEVER {
                self.changes.insert((time, job));
                self.change_of.insert(job, time);
            }
        }
        self.unknown = unknown;
    }

    fn forget_change(&mut self, job: u32) {
        if let Some(time) = self.change_of.remove(&job) {
            self.changes.remove(&(time, job));
        }
    }
}

impl Part for Preemptive {
    fn observe(&mut self, event: &Event, state: &State) {
        self.order.observe(event, state);
        self.touch(event, state);
        let held = |segment: u32| {
            let history = state.history();
            self.regions.held(state, history.pieces_of(&history.segments[segment as usize]))
        };
        match *event {
            Event::Eligible { job } | Event::Released { job } => {
                self.enqueue(state, job, state.eligible_time(job));
            }
            Event::Started { job, segment } => {
                let held = held(segment);
                self.dequeue(state, job);
                self.begin(state, job, held);
            }
            Event::Ended { job, segment, .. } => {
                let held = held(segment);
                let stoppable = self.running.remove(job);
                self.regions.hold(&held, false, stoppable);
                self.forget_change(job);
                if state.status(job) == Status::Pending {
                    self.enqueue(state, job, state.now());
                }
            }
            Event::Withdrawn { job } | Event::Held { job, .. } => self.dequeue(state, job),
            Event::Changed { job, .. } => {
                if let Some(runner) = self.running.get_mut(job) {
                    runner.course = self.order.course(state, job);
                    self.unknown.push(job);
                }
                self.regions.forget();
            }
            Event::Capacity => self.regions.forget(),
            Event::Rejected { .. }
            | Event::Settled { .. }
            | Event::Closed { .. }
            | Event::Notice
            | Event::Power
            | Event::WakeAt { .. }
            | Event::Timer => {}
        }
    }
}

/// The walk.
impl Preemptive {
    /// What is known of running jobs becomes true for this instant.
    fn refresh(&mut self, state: &State) {
        if !self.regions.is_known() {
            for runner in self.running.iter_mut() {
                runner.held = self.regions.held(state, state.domains(runner.rank.job()));
            }
            self.regions.recount(state, self.running.iter_mut().map(|runner| &runner.held));
        }
        // Of those that began since the last pass it is not known when their keys change.
        let due: Vec<u32> = self.due(state.now()).chain(self.unknown.iter().copied()).collect();
        for job in due {
            if let Some(runner) = self.running.get_mut(job) {
                runner.course = self.order.course(state, job);
            }
        }
    }

    /// Classes of which jobs wait that are looked at and not out, and the first job of each.
    fn fronts<'a>(&'a self, state: &'a State, out: &'a Out) -> impl Iterator<Item = (u32, Rank)> + 'a {
        let concerned = |class: u32| {
            let partition = state.classes().table[class as usize].partition;
            self.touched[self.group_of[partition as usize]]
        };
        let fronts = self.pending.fronts().filter(move |(class, _)| concerned(*class));
        fronts.filter_map(move |(class, first)| Some((class, self.first_in(state, out, class, first)?)))
    }

    /// The first job of a class from one on that is not out.
    fn first_in(&self, state: &State, out: &Out, class: u32, from: Rank) -> Option<Rank> {
        if !out.has(state, from) {
            return Some(from);
        }
        // Jobs of one class are alike where lengths make no difference: all behind are out too.
        if !out.tells_lengths() {
            return None;
        }
        let mut behind = std::iter::successors(Some(from), |rank| self.pending.next(class, *rank));
        behind.find(|rank| !out.has(state, *rank))
    }

    /// All jobs that wait and are not out, in order, if there is room for them beside everything that runs.
    fn everything(&self, state: &State, out: &Out) -> Option<Vec<Rank>> {
        if self.has_ceilings {
            return None;
        }
        let mut free = self.regions.free().to_vec();
        let mut starting = Vec::new();
        for (index, _) in self.fronts(state, out) {
            let class = &state.classes().table[index as usize];
            let alike = |job: &Rank| out.tells_lengths() || !out.has(state, *job);
            let jobs = self.pending.of_class(index).take_while(alike).filter(|job| !out.has(state, *job));
            let milli = u64::from(class.gpus_milli);
            if milli == 0 {
                starting.extend(jobs);
                continue;
            }
            // Of several regions it would take what is virtually free of the least shared first.
            let [region] = *self.regions.of(class) else { return None };
            for job in jobs {
                let free = &mut free[region as usize];
                *free = free.checked_sub(milli)?;
                starting.push(job);
            }
        }
        starting.sort_unstable();
        Some(starting)
    }

    /// The running jobs that may be stopped and are looked at, in order.
    fn runners(&self) -> impl Iterator<Item = &Runner> {
        self.running.in_line().iter().filter(|runner| self.touched[runner.group as usize])
    }

    /// What there would be, were every job that may stop stopped.
    fn pool(&self, state: &State) -> Pool {
        let mut quotas = self.has_ceilings.then(|| state.resources().clone_quotas());
        if let Some(quotas) = &mut quotas {
            self.runners().for_each(|runner| quotas.unhold(runner.class(state)));
        }
        Pool { free: self.regions.pool().to_vec(), quotas }
    }

    /// Which jobs are taken: a running job if its regions still have what it holds of each, a pending one if those of its scope
    /// together have what it asks for.
    fn walk(&self, state: &State, out: &Out) -> Taken {
        let table = &state.classes().table;
        let mut pool = self.pool(state);
        let fronts = self.fronts(state, out).map(|(class, first)| Reverse((first, class)));
        let mut fronts: BinaryHeap<Reverse<(Rank, u32)>> = fronts.collect();
        let mut running = self.runners().peekable();
        let mut taken = Taken::default();
        loop {
            let front = fronts.peek().map(|Reverse((rank, _))| *rank);
            while let Some(runner) = running.next_if(|runner| front.is_none_or(|front| runner.rank < front)) {
                if !pool.keeps(runner, state) {
                    taken.stopped.push(runner.rank.job());
                }
            }
            let Some(Reverse((rank, index))) = fronts.pop() else { break };
            let class = &table[index as usize];
            if pool.takes(class, self.regions.of(class)) {
                taken.starting.push(rank);
                let next = self.pending.next(index, rank);
                let next = next.and_then(|next| self.first_in(state, out, index, next));
                fronts.extend(next.map(|next| Reverse((next, index))));
            } else if fronts.is_empty() && taken.starting.is_empty() && !self.has_ceilings {
                // All that runs fits as long as no other job is taken.
                break;
            }
        }
        taken.stopped.sort_unstable();
        taken.in_vain = self.since.is_some();
        taken
    }

    /// Stops and starts what a pass decides. A job that is taken and finds no place is out with its class, and the walk made anew.
    /// Groups are quiet then where nothing was decided, and no job was out.
    fn settle(&mut self, bus: &mut Bus<'_, '_>) -> Result<Vec<Event>, PolicyError> {
        let mut out = Out::new(bus);
        let mut lined_up = false;
        loop {
            let taken = match self.everything(bus, &out) {
                Some(starting) => Taken { stopped: Vec::new(), starting, in_vain: self.since.is_some() },
                None => {
                    if !std::mem::replace(&mut lined_up, true) {
                        let (order, now) = (&self.order, bus.now());
                        self.running.line_up(|course| order.key_along(course, now));
                    }
                    self.walk(bus, &out)
                }
            };
            let (placement, ranked) = (&self.placement, &mut self.ranked);
            match bus.attempt(|trial, events| carry_out(trial, events, &taken, (placement, ranked)))? {
                Ok(events) => {
                    let quiet = lined_up && out.is_empty() && events.is_empty();
                    let concerned = self.quiet.iter_mut().zip(&self.touched).filter(|(_, touched)| **touched);
                    concerned.for_each(|(known, _)| *known = quiet);
                    return Ok(events);
                }
                Err(failed) => failed.into_iter().for_each(|rank| out.add(bus, rank)),
            }
        }
    }
}

impl Pass for Preemptive {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        // Passes of a cycle come by themselves; else a timer of a job that has ended meanwhile is no reason for a pass.
        let by_itself = bus.plan().settings.cycle.is_none();
        if by_itself {
            self.touch_by_jumps(bus);
        } else if bus.plan().settings.is_full_pass(bus.now()) {
            self.touched.fill(true);
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.touched.contains(&true) {
            self.placement.freeze(bus);
            self.refresh(bus);
            for event in self.settle(bus)? {
                self.observe(&event, bus);
            }
            self.touched.fill(false);
        }
        self.look_ahead(bus);
        let next = self.changes.first().map(|(time, _)| *time);
        if let Some(time) = next.filter(|time| by_itself && !self.pending.is_empty() && *time > bus.now()) {
            bus.apply(Decision::WakeAt { time })?;
        }
        Ok(())
    }
}
