//! Which job goes next: the order in which a pass tries pending jobs.
//!
//! An order gives each job a key; lower goes first, ties go to the earlier eligible time, then to the lower index. There are
//! three kinds of keys, and orders that let queues take [`turns`]:
//!
//! - those that never change, which may be told of a job only when it becomes eligible;
//! - those that change while a job runs, which matters where running and pending jobs are ranked together (preemption
//!   `ranked`);
//! - those that vary while a job waits, such as with how long it has. They hold as of the last whole number of periods
//!   (`rank_period`) since the start: a pass that comes later renews them for all that wait in what it concerns, in
//!   O(waiting · log waiting) time. What became eligible since then has not waited yet.

mod drf;
mod edf;
pub mod expression;
mod f1;
mod fair_sharing;
pub mod fair_tree;
mod fifo;
pub mod gittins;
mod largest_first;
mod las;
mod ljf;
pub mod multifactor;
mod priority;
pub mod proportion;
mod qssf;
mod qssf_lucid;
mod ranking;
pub mod saturation;
mod share;
mod sjf;
mod smallest_area_first;
mod smallest_first;
mod srsf;
mod srtf;
pub mod turns;
mod unicef;
mod varying;
mod wfp3;

use super::part::{Kind, Part, PartOption};
use crate::error::Problem;
use crate::history::{Plan, Settings};
use crate::state::{Event, State};
use crate::units::Time;
use crate::workload::Queue;
use expression::Expression;
use gittins::Lengths;
use qssf::Learned;
use qssf_lucid::Newcomers;
use ranking::{Attained, Ranking};
use share::Shares;
use turns::{Books, Turns};
use varying::{AsOf, Facts, HALF_LIFE, RANK_PERIOD, Varying, rank_period};

pub(super) use ranking::Course;
pub(super) use turns::Head;

/// One order: its name, what it does, and its key.
#[derive(Debug)]
pub struct ListedOrder {
    /// Unique among orders.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    rule: OrderKey,
}

impl ListedOrder {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> Part {
        Part {
            kind: Kind::Order,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
    /// Whether its keys change while jobs run, so that it implies preemption unless that is said to be `none`.
    #[must_use]
    pub const fn ranks_running(&self) -> bool {
        matches!(self.rule, OrderKey::Ranking(_) | OrderKey::Gittins)
    }
    /// Whether it lets queues take turns.
    #[must_use]
    pub const fn takes_turns(&self) -> bool {
        matches!(self.rule, OrderKey::Turns(_))
    }
}

/// Whether which job goes first changes while jobs wait, so that running jobs cannot be ranked by it too.
#[must_use]
pub fn varies(name: &str) -> bool {
    match named(name).map(|entry| entry.rule) {
        Some(OrderKey::Varying(_) | OrderKey::Turns(_) | OrderKey::Lucid) => true,
        Some(OrderKey::Expression) => Expression::read(name).is_ok_and(|expression| expression.varies()),
        _ => false,
    }
}

/// Every order.
pub const ORDERS: &[ListedOrder] = &[
    fifo::ENTRY,
    sjf::ENTRY,
    ljf::ENTRY,
    smallest_area_first::ENTRY,
    qssf::ENTRY,
    qssf_lucid::ENTRY,
    smallest_first::ENTRY,
    largest_first::ENTRY,
    edf::ENTRY,
    f1::ENTRY,
    wfp3::ENTRY,
    unicef::ENTRY,
    multifactor::ENTRY,
    fair_tree::ENTRY,
    priority::ENTRY,
    drf::ENTRY,
    fair_sharing::ENTRY,
    saturation::ENTRY,
    proportion::ENTRY,
    srtf::ENTRY,
    srsf::ENTRY,
    las::ENTRY,
    gittins::ENTRY,
    expression::ENTRY,
];

/// How an order ranks.
#[derive(Debug, Clone, Copy)]
pub(super) enum OrderKey {
    /// A key that does not change.
    Static(fn(&State, u32) -> u64),
    /// A key that does not change, by deadlines.
    Due(fn(&State, u32) -> u64),
    /// A key that changes while a job runs, and when it will next change by itself.
    Ranking(Ranking),
    /// The same, by how long jobs take.
    Gittins,
    /// A key that changes while a job waits.
    Varying(Varying),
    /// A key that is told of a job when it becomes eligible, from how those went that have ended.
    Learned,
    /// A key that depends on whether others waited when a job came.
    Lucid,
    /// What an expression says, which stands in the place of a name.
    Expression,
    /// Queues take turns; in a queue the highest priority goes first.
    Turns(Turns),
}

/// Whether an order lets queues take turns, so that it reads their weights.
#[must_use]
pub fn takes_turns(settings: &Settings) -> bool {
    named(&settings.order).is_some_and(ListedOrder::takes_turns)
}

/// Why the chosen order and backfill do not go together, if they do not.
#[must_use]
pub fn misfit(settings: &Settings) -> Option<Box<Problem>> {
    (takes_turns(settings) && settings.backfill != "skip").then(|| {
        let Settings { order, backfill, .. } = settings;
        let said = format!(
            "order `{order}` lets queues take turns, and under backfill `{backfill}` a job that waits would bind other queues"
        );
        Box::new(Problem::new(said).hint("`skip` goes with it"))
    })
}

/// Why the chosen order has nothing in a plan to go by, if it has not: what to say, and a hint.
#[must_use]
pub fn idle(settings: &Settings, plan: &Plan) -> Option<(String, &'static str)> {
    let workload = &plan.workload;
    let (has_nothing, said, hint) = match named(&settings.order)?.rule {
        OrderKey::Turns(_) => (
            !workload.queues.iter().any(Queue::has_jobs),
            "lets queues take turns, and no job stands in a queue",
            "`[[queue]]` makes queues",
        ),
        OrderKey::Due(_) => (
            !workload.jobs.iter().any(|job| job.due_time().is_some()),
            "goes by deadlines, and no job has one",
            "`deadline` of a job or a template sets one, such as `deadline = { times = 3 }`",
        ),
        _ => return None,
    };
    has_nothing.then(|| (format!("order `{}` {said}", settings.order), hint))
}

/// Whether an order reads the weights of tenants and queues.
#[must_use]
pub fn reads_weights(settings: &Settings) -> bool {
    match named(&settings.order).map(|entry| entry.rule) {
        Some(OrderKey::Varying(varying)) => (varying.reads_shares)(settings),
        _ => false,
    }
}

/// A rule at work, with what it reads.
#[derive(Debug)]
enum Rule {
    Static(fn(&State, u32) -> u64),
    Ranking(Ranking, Attained),
    Gittins(Attained, Lengths),
    Varying(Varying, Facts, Option<Shares>),
    Learned(Learned),
    Lucid(Newcomers),
    Expression(Expression, Facts),
    Turns(Books),
}

impl Rule {
    /// Whether keys are kept that vary.
    fn varies(&self) -> bool {
        match self {
            Self::Varying(..) | Self::Lucid(_) => true,
            Self::Expression(expression, _) => expression.varies(),
            _ => false,
        }
    }
    /// Whether keys are kept: they vary, or are told once.
    const fn keeps_keys(&self) -> bool {
        matches!(self, Self::Varying(..) | Self::Learned(_) | Self::Lucid(_) | Self::Expression(..))
    }
}

/// An order at work.
#[derive(Debug)]
pub(super) struct Order {
    rule: Rule,
    /// By job, where they are kept: keys as they were told, or last renewed.
    kept: Vec<u64>,
    varies: bool,
}

impl Order {
    /// The order that a plan names.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let jobs = plan.workload.jobs.len();
        let settings = &plan.settings;
        let rule = match named(&settings.order)?.rule {
            OrderKey::Static(key) | OrderKey::Due(key) => Rule::Static(key),
            OrderKey::Ranking(ranking) => Rule::Ranking(ranking, Attained(vec![0; jobs])),
            OrderKey::Gittins => Rule::Gittins(Attained(vec![0; jobs]), Lengths::of(plan)),
            OrderKey::Varying(varying) => {
                let shares = (varying.reads_shares)(settings).then(|| Shares::new(plan));
                Rule::Varying(varying, Facts::of(plan), shares)
            }
            OrderKey::Learned => Rule::Learned(Learned::default()),
            OrderKey::Lucid => Rule::Lucid(Newcomers::new(plan.workload.partitions.len())),
            OrderKey::Expression => {
                Rule::Expression(Expression::read(&settings.order).ok()?, Facts::of(plan))
            }
            OrderKey::Turns(turns) => Rule::Turns(Books::new(turns, plan)),
        };
        let (kept, varies) = (vec![0; if rule.keeps_keys() { jobs } else { 0 }], rule.varies());
        Some(Self { rule, kept, varies })
    }
    /// Whether queues take turns.
    pub(super) const fn takes_turns(&self) -> bool {
        matches!(self.rule, Rule::Turns(_))
    }
    /// Whether the keys of running jobs change.
    pub(super) const fn ranks_running(&self) -> bool {
        matches!(self.rule, Rule::Ranking(..) | Rule::Gittins(..))
    }
    /// Which of some heads of queues goes next, where queues take turns; else the first.
    pub(super) fn next(&mut self, state: &State, heads: &[Head]) -> usize {
        if let Rule::Turns(books) = &mut self.rule { books.next(state, heads) } else { 0 }
    }
    /// The key of a job now; lower goes first. It does not change while the job waits, unless it is renewed.
    #[inline]
    pub(super) fn key(&self, state: &State, job: u32) -> u64 {
        match &self.rule {
            Rule::Static(key) => key(state, job),
            Rule::Ranking(..) | Rule::Gittins(..) => self.key_along(self.course(state, job), state.now()),
            Rule::Varying(..) | Rule::Learned(_) | Rule::Lucid(_) | Rule::Expression(..) => {
                self.kept[job as usize]
            }
            Rule::Turns(_) => u64::from(i32::MAX.abs_diff(state.job(job).priority)),
        }
    }
    /// As of when keys hold that are renewed now; none: they do not vary.
    pub(super) fn ranked(&self, state: &State) -> Option<Time> {
        if let Rule::Lucid(newcomers) = &self.rule {
            return Some(newcomers.ranked(state.now()));
        }
        let period = rank_period(&state.plan().settings);
        self.varies.then(|| Time(state.now().0 - state.now().0 % period))
    }
    /// Renews the key of a job, where keys vary.
    pub(super) fn renew(&mut self, state: &State, job: u32) {
        if let Some(instant) = self.ranked(state) {
            self.keep(state, instant, job);
        }
    }
    /// The key of a job as of an instant is kept.
    fn keep(&mut self, state: &State, instant: Time, job: u32) {
        self.kept[job as usize] = match &mut self.rule {
            Rule::Varying(varying, facts, shares) => {
                shares.iter_mut().for_each(|shares| shares.rank(state, instant));
                (varying.key)(&AsOf { state, instant, facts, shares: shares.as_ref() }, job)
            }
            Rule::Learned(learned) => learned.key(state, job),
            Rule::Lucid(newcomers) => newcomers.key(state, job),
            Rule::Expression(expression, facts) => {
                expression.key(&AsOf { state, instant, facts, shares: None }, job)
            }
            // Theirs are not kept.
            Rule::Static(_) | Rule::Ranking(..) | Rule::Gittins(..) | Rule::Turns(_) => return,
        };
    }
    /// How the key of a job goes on, as long as it waits, or runs as it does.
    pub(super) fn course(&self, state: &State, job: u32) -> Course {
        match &self.rule {
            Rule::Ranking(ranking, attained) => (ranking.course)(state, attained, job),
            Rule::Gittins(attained, _) => Lengths::course(state, attained, job),
            _ => Course::Stays(self.key(state, job)),
        }
    }
    /// The key at an instant of a job whose key goes on so.
    #[inline]
    pub(super) fn key_along(&self, course: Course, now: Time) -> u64 {
        course.key(now, |service| match &self.rule {
            Rule::Gittins(_, lengths) => lengths.key(service),
            _ => service,
        })
    }
    /// When the key of a running job will next change by itself in a way that matters; [`Time::NEVER`]: never.
    pub(super) fn changes(&self, state: &State, job: u32) -> Time {
        match &self.rule {
            Rule::Ranking(ranking, attained) => (ranking.changes)(state, attained, job),
            Rule::Gittins(attained, lengths) => lengths.changes(state, attained, job),
            _ => Time::NEVER,
        }
    }
    /// Takes note of what has happened.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        match &mut self.rule {
            Rule::Static(_) => return,
            Rule::Ranking(_, attained) | Rule::Gittins(attained, _) => {
                return attained.observe(event, state);
            }
            Rule::Turns(books) => return books.observe(event, state),
            Rule::Varying(_, _, shares) => {
                shares.iter_mut().for_each(|shares| shares.observe(event, state));
            }
            Rule::Learned(learned) => learned.observe(event, state),
            Rule::Lucid(newcomers) => newcomers.observe(event, state),
            Rule::Expression(..) => {}
        }
        match *event {
            Event::Eligible { job } if !self.varies => self.keep(state, state.now(), job),
            Event::Eligible { job } | Event::Released { job } | Event::Ended { job, .. } => {
                self.renew(state, job);
            }
            _ => {}
        }
    }
}

/// A key that puts jobs in the order of numbers of 0 or more: their bits are in that order too.
fn least(value: f64) -> u64 {
    debug_assert!(value >= 0.0, "{value} is below 0");
    value.to_bits()
}

/// The same for the greatest first.
fn greatest(value: f64) -> u64 {
    u64::MAX - least(value)
}

/// The entry of that name, or that of expressions where it is one.
pub(super) fn named(name: &str) -> Option<&'static ListedOrder> {
    let listed =
        ORDERS.iter().find(|entry| entry.name == name && !matches!(entry.rule, OrderKey::Expression));
    listed.or_else(|| Expression::read(name).is_ok().then_some(&expression::ENTRY))
}
