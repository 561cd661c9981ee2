//! The pass of orders that stop no job: one walk through the waiting jobs of linked partitions, as the backfill says.
//!
//! Partitions that share nodes, a tree of quotas, a licence or a cap are one [`group::Group`]: one queue over shared nodes. A pass at an
//! event concerns the groups in which something happened, one of a cycle all.

mod finder;
mod group;
mod links;
mod lookahead;
mod pending;
mod reservations;

pub(super) use links::groups;
pub(super) use pending::{Key, job_of, key_of};

use super::PolicyError;
use super::backfill::Backfill;
use super::order::Order;
use super::pipeline::{Bus, Part, Pass};
use super::placement::Placement;
use super::placement::ranked::Ranked;
use super::preemption::yielding::Yielding;
use crate::history::{Plan, SegmentEnd};
use crate::state::class::{Class, Form};
use crate::state::{Event, State};
use crate::units::{Factor, Time};
use finder::Finder;
use group::{Group, Parts};
use pending::Candidate;

/// How a pass orders and treats jobs.
#[derive(Debug, Clone, Copy)]
struct Rules {
    backfill: Backfill,
    /// How many blocked jobs of a partition hold a reservation.
    reservations: u32,
    /// Whether how long a job is expected to run decides whether it may start.
    lengths_count: bool,
    /// Whether running jobs may stop for a blocked one.
    yields: bool,
    /// Whether a start may give a job that was blocked before it a claim on running ones.
    starts_give_claims: bool,
    /// Whether queues take turns.
    takes_turns: bool,
    /// Whether more running jobs may yield as time alone goes on.
    time_tells: bool,
}

impl Rules {
    /// A job as its backfill sees it.
    fn candidate(self, state: &State, key: Key) -> Candidate {
        let job = job_of(key);
        let class = state.classes().of_job[job as usize];
        let work = match state.class(job).rate {
            _ if !self.lengths_count => 0,
            Some(rate) => state.expected_work(job, rate),
            // Alike are those with as much left, and the same restart: only then do they end together at every rate.
            None => state.expected_work(job, Factor(0)) << 1 | u64::from(state.owes_restart(job)),
        };
        Candidate { key, class, work }
    }
    /// The work of a candidate of a class that may be done with `work` at the highest rate, at the most.
    fn most_work(class: &Class, work: u64) -> u64 {
        if class.rate.is_some() { work } else { work << 1 | 1 }
    }
}

/// What all groups use in a pass.
#[derive(Debug)]
struct Desk {
    order: Order,
    finder: Finder,
    /// By job: its expected end while it runs, where groups look ahead.
    expected: Vec<Time>,
    /// Which jobs yield to a blocked one, if any do.
    yielding: Option<Yielding>,
}

impl Desk {
    /// A job has started.
    fn begins(&mut self, state: &State, job: u32) {
        self.yielding.iter_mut().for_each(|yielding| yielding.begins(state, job));
    }
    /// A running job goes on at another rate, or elsewhere.
    fn goes_on(&mut self, state: &State, job: u32) {
        self.yielding.iter_mut().for_each(|yielding| yielding.goes_on(state, job));
    }
    /// A job has let go of what it held.
    fn ends(&mut self, job: u32) {
        self.yielding.iter_mut().for_each(|yielding| yielding.ends(job));
    }
}

/// The pass of orders that stop no job.
#[derive(Debug)]
pub(super) struct Walk {
    rules: Rules,
    desk: Desk,
    groups: Vec<Group>,
    /// By partition of the plan: its group.
    group_of: Vec<usize>,
    /// Whether what does not fit now cannot fit later with less free, in every group.
    monotone: bool,
}

impl Walk {
    pub(super) fn new(
        state: &State,
        order: Order,
        (backfill, yielding): (Backfill, Option<Yielding>),
        places: (Placement, Option<Ranked>),
    ) -> Self {
        let (plan, table) = (state.plan(), &state.classes().table);
        let most = plan.settings.reservations.filter(|_| backfill != Backfill::EasyFrozen);
        let reservations = most.unwrap_or(1).max(1);
        let noticed = plan.cluster.changes.iter().any(|change| change.notice.is_some());
        let drains = state.caps().is_some_and(|caps| caps.drains) && !plan.cluster.curtailments.is_empty();
        let lengths_count = noticed || drains || backfill.reserves();
        let (yields, takes_turns) = (yielding.is_some(), order.takes_turns() && backfill == Backfill::Skip);
        let starts_give_claims = yielding.as_ref().is_some_and(Yielding::starts_give_claims);
        let time_tells = order.ranks_running() && yielding.as_ref().is_some_and(Yielding::reads_order);
        let rules = Rules {
            backfill,
            reservations,
            lengths_count,
            yields,
            starts_give_claims,
            takes_turns,
            time_tells,
        };
        let group_of = groups(state);
        let moves = yielding.as_ref().is_some_and(Yielding::moves);
        let mut groups = Vec::new();
        let mut all_monotone = true;
        for number in 0..group_of.iter().max().map_or(0, |last| last + 1) {
            let partitions: Vec<u32> = (0..)
                .zip(&group_of)
                .filter(|(_, of)| **of == number)
                .map(|(partition, _)| partition)
                .collect();
            let own = || table.iter().filter(|class| partitions.contains(&class.partition));
            let counts = counts_tell(plan, own, partitions.len());
            let monotone = counts || backfill == Backfill::Skip && own().all(|class| class.monotone);
            // Which jobs would have to move depends on where others start.
            let monotone = monotone && !moves;
            let counted = counts && plan.cluster.kinds.len() == 1;
            all_monotone &= monotone;
            groups.push(Group::new(Parts { rules, state, partitions, monotone, counted }));
        }
        let looks_ahead = groups.iter_mut().any(|group| group.ahead().is_some());
        let expected = vec![Time::ZERO; if looks_ahead { plan.workload.jobs.len() } else { 0 }];
        let desk = Desk { order, finder: Finder::new(places), expected, yielding };
        Self { rules, desk, groups, group_of, monotone: all_monotone }
    }

    fn group(&self, state: &State, job: u32) -> usize {
        self.group_of[state.class(job).partition as usize]
    }
    fn candidate(&self, state: &State, job: u32) -> Candidate {
        self.rules.candidate(state, key_of(self.desk.order.key(state, job), state, job))
    }
    fn push(&mut self, state: &State, job: u32) {
        let candidate = self.candidate(state, job);
        let (group, ranked) = (self.group(state, job), self.desk.order.ranked(state));
        self.groups[group].push(candidate);
        self.groups[group].touch_unless(ranked);
    }
    fn forget(&mut self, state: &State, job: u32) {
        let candidate = self.candidate(state, job);
        let group = self.group(state, job);
        self.groups[group].forget(candidate);
        self.groups[group].change();
    }
    /// A job has let go of what it held.
    fn end(&mut self, state: &State, job: u32, segment: u32) {
        self.desk.ends(job);
        let group = self.group(state, job);
        let (history, class) = (state.history(), state.class(job));
        let segment = &history.segments[segment as usize];
        if let Some(ahead) = self.groups[group].ahead() {
            let end = self.desk.expected[job as usize];
            ahead.end(class, job, end, (history.pieces_of(segment), segment.cap));
        }
        self.groups[group].change();
    }
    /// A running job goes on at another rate, or elsewhere.
    fn changed(&mut self, state: &State, job: u32) {
        self.desk.goes_on(state, job);
        let group = self.group(state, job);
        if let Some(ahead) = self.groups[group].ahead()
            && let Some(end) =
                state.expected_end_now(job).map(|end| end.min(state.departure(state.domains(job))))
        {
            let before = std::mem::replace(&mut self.desk.expected[job as usize], end);
            ahead.change(job, before, end);
        }
        self.groups[group].change();
    }
}

/// Whether counts of equal GPUs, one a node, say what fits, so that less free capacity never lets in what was refused;
/// where a reservation meets a choice of nodes it may.
fn counts_tell<'a, I: Iterator<Item = &'a Class>>(
    plan: &Plan,
    classes: impl Fn() -> I,
    partitions: usize,
) -> bool {
    let one_gpu = |kind: u32| plan.cluster.kinds[kind as usize].gpus <= 1;
    let counts = plan.cluster.racks.iter().all(|rack| rack.nodes == 1 && one_gpu(rack.kind));
    let is_simple = |class: &Class| {
        class.host.is_none()
            && class.draws.is_none()
            && class.levels.is_empty()
            && class.segment == 1
            && !matches!(class.form, Form::Share { .. })
    };
    let first = classes().next().map(|class| class.scope);
    let one_scope = classes().all(|class| Some(class.scope) == first);
    counts && classes().all(is_simple) && one_scope && partitions == 1
}

impl Part for Walk {
    fn observe(&mut self, event: &Event, state: &State) {
        self.desk.order.observe(event, state);
        match *event {
            Event::Eligible { job } | Event::Released { job } => self.push(state, job),
            Event::Started { job, .. } => {
                self.desk.begins(state, job);
                let group = self.group(state, job);
                self.groups[group].expect(&mut self.desk, state, job);
                self.forget(state, job);
            }
            Event::Ended { job, segment, end } => {
                self.end(state, job, segment);
                if matches!(end, SegmentEnd::NodeDown | SegmentEnd::Preempted) {
                    let (group, candidate) = (self.group(state, job), self.candidate(state, job));
                    self.groups[group].push_again(candidate);
                }
            }
            Event::Changed { job, .. } => self.changed(state, job),
            Event::Withdrawn { job } | Event::Held { job, .. } => self.forget(state, job),
            Event::Notice => {
                for job in state.running().to_vec() {
                    self.changed(state, job);
                }
                for group in &mut self.groups {
                    group.ahead().into_iter().for_each(|ahead| ahead.forget());
                    group.change();
                }
            }
            Event::Capacity | Event::Power => {
                for group in &mut self.groups {
                    if let Some(ahead) = group.ahead() {
                        ahead.forget();
                    }
                    group.change();
                }
            }
            Event::Settled { job } => {
                let group = self.group(state, job);
                self.groups[group].touch();
            }
            Event::Rejected { .. } | Event::Closed { .. } | Event::WakeAt { .. } | Event::Timer => {}
        }
    }
}

impl Pass for Walk {
    fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        // Where costs decide which nodes a gang tries, other costs may let it in.
        let costs_differ = self.desk.finder.begin(bus) && !self.monotone;
        let concerns_all = bus.plan().settings.cycle.is_some() && bus.plan().settings.is_full_pass(bus.now());
        let ranked = self.desk.order.ranked(bus);
        for group in &mut self.groups {
            if concerns_all || group.is_due(bus.now(), costs_differ) {
                if costs_differ || self.rules.time_tells {
                    group.change();
                }
                group.rank(bus, &mut self.desk.order, ranked);
                group.pass(&mut self.desk, bus)?;
                group.ask_to_wake(bus)?;
            }
        }
        Ok(())
    }

    fn stand_down(&mut self) {
        self.groups.iter_mut().for_each(Group::stand_down);
    }
}
