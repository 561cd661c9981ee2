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
pub mod expression;
mod f1;
mod fair_sharing;
pub mod fair_tree;
mod fifo;
mod largest_first;
mod las;
mod ljf;
pub mod multifactor;
mod priority;
pub mod proportion;
mod qssf;
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
use qssf::Learned;
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
        matches!(self.rule, OrderKey::Ranking(_))
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
        Some(OrderKey::Varying(_) | OrderKey::Turns(_)) => true,
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
    smallest_first::ENTRY,
    largest_first::ENTRY,
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
    expression::ENTRY,
];

/// How an order ranks.
#[derive(Debug, Clone, Copy)]
pub(super) enum OrderKey {
    /// A key that does not change.
    Static(fn(&State, u32) -> u64),
    /// A key that changes while a job runs, and when it will next change by itself.
    Ranking(Ranking),
    /// A key that changes while a job waits.
    Varying(Varying),
    /// A key that is told of a job when it becomes eligible, from how those went that have ended.
    Learned,
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

/// Why the chosen order can let no queues of a plan take turns, if it cannot: what to say, and a hint.
#[must_use]
pub fn idle(settings: &Settings, plan: &Plan) -> Option<(String, &'static str)> {
    let is_idle = takes_turns(settings) && !plan.workload.queues.iter().any(Queue::has_jobs);
    let said = || format!("order `{}` lets queues take turns, and no job stands in a queue", settings.order);
    is_idle.then(|| (said(), "`[[queue]]` makes queues"))
}

/// Whether an order reads the weights of tenants and queues.
#[must_use]
pub fn reads_weights(settings: &Settings) -> bool {
    match named(&settings.order).map(|entry| entry.rule) {
        Some(OrderKey::Varying(varying)) => (varying.reads_shares)(settings),
        _ => false,
    }
}

/// An order at work: its rule, what jobs have received where that counts, and keys that vary as they were last renewed.
#[derive(Debug)]
pub(super) struct Order {
    rule: OrderKey,
    attained: Attained,
    /// By job, where keys vary or are told once.
    kept: Vec<u64>,
    /// Whether those that are kept vary.
    varies: bool,
    expression: Option<Expression>,
    facts: Facts,
    /// How long jobs took, where the order reads that.
    learned: Option<Learned>,
    /// Where the order reads them.
    shares: Option<Shares>,
    /// Where queues take turns.
    books: Option<Books>,
}

impl Order {
    /// The order that a plan names.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let rule = named(&plan.settings.order)?.rule;
        let jobs = plan.workload.jobs.len();
        let counts = matches!(rule, OrderKey::Ranking(_));
        let varies = varies(&plan.settings.order) && !matches!(rule, OrderKey::Turns(_));
        let expression = Expression::read(&plan.settings.order).ok();
        let expression = expression.filter(|_| matches!(rule, OrderKey::Expression));
        let of_all = |wanted: bool| vec![0; if wanted { jobs } else { 0 }];
        let facts = if varies { Facts::of(plan) } else { Facts::default() };
        let shares = reads_weights(&plan.settings).then(|| Shares::new(plan));
        let learned = matches!(rule, OrderKey::Learned).then(Learned::default);
        let kept = of_all(varies || learned.is_some() || expression.is_some());
        let attained = Attained(of_all(counts));
        let books = match rule {
            OrderKey::Turns(turns) => Some(Books::new(turns, plan)),
            _ => None,
        };
        Some(Self { rule, attained, kept, varies, expression, facts, learned, shares, books })
    }
    /// Whether queues take turns.
    pub(super) const fn takes_turns(&self) -> bool {
        self.books.is_some()
    }
    /// Which of some heads of queues goes next, where queues take turns.
    pub(super) fn next(&mut self, state: &State, heads: &[Head]) -> usize {
        self.books.as_mut().map_or(0, |books| books.next(state, heads))
    }
    /// The key of a job now; lower goes first. It does not change while the job waits, unless it is renewed.
    #[inline]
    pub(super) fn key(&self, state: &State, job: u32) -> u64 {
        match self.rule {
            OrderKey::Static(key) => key(state, job),
            OrderKey::Ranking(_) => self.course(state, job).key(state.now()),
            OrderKey::Varying(_) | OrderKey::Learned | OrderKey::Expression => self.kept[job as usize],
            OrderKey::Turns(_) => u64::from(i32::MAX.abs_diff(state.job(job).priority)),
        }
    }
    /// As of when keys hold that are renewed now; none: they do not vary.
    pub(super) fn ranked(&self, state: &State) -> Option<Time> {
        let period = rank_period(&state.plan().settings);
        self.varies.then(|| Time(state.now().0 - state.now().0 % period))
    }
    /// Renews the key of a job, where keys vary.
    pub(super) fn renew(&mut self, state: &State, job: u32) {
        let Some(instant) = self.ranked(state) else { return };
        self.shares.iter_mut().for_each(|shares| shares.rank(state, instant));
        self.kept[job as usize] = self.key_as_of(state, instant, job);
    }
    /// A key that is kept, as of an instant.
    fn key_as_of(&self, state: &State, instant: Time, job: u32) -> u64 {
        let as_of = AsOf { state, instant, facts: &self.facts, shares: self.shares.as_ref() };
        match (self.rule, &self.learned, &self.expression) {
            (OrderKey::Varying(varying), ..) => (varying.key)(&as_of, job),
            (_, Some(learned), _) => learned.key(state, job),
            (_, _, Some(expression)) => expression.key(&as_of, job),
            _ => 0,
        }
    }
    /// How the key of a job goes on, as long as it waits, or runs as it does.
    pub(super) fn course(&self, state: &State, job: u32) -> Course {
        match self.rule {
            OrderKey::Ranking(ranking) => (ranking.course)(state, &self.attained, job),
            _ => Course::Stays(self.key(state, job)),
        }
    }
    /// When the key of a running job will next change by itself in a way that matters; [`Time::NEVER`]: never.
    pub(super) fn changes(&self, state: &State, job: u32) -> Time {
        match self.rule {
            OrderKey::Ranking(ranking) => (ranking.changes)(state, &self.attained, job),
            _ => Time::NEVER,
        }
    }
    /// Takes note of what has happened.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        self.shares.iter_mut().for_each(|shares| shares.observe(event, state));
        self.books.iter_mut().for_each(|books| books.observe(event, state));
        self.learned.iter_mut().for_each(|learned| learned.observe(event, state));
        if let Event::Eligible { job } = *event
            && !self.kept.is_empty()
            && !self.varies
        {
            self.kept[job as usize] = self.key_as_of(state, state.now(), job);
        }
        if let Event::Eligible { job } | Event::Released { job } | Event::Ended { job, .. } = *event {
            self.renew(state, job);
        }
        let segment = match *event {
            Event::Ended { segment, .. } => segment,
            Event::Changed { before, segment, .. } if before != segment => before,
            _ => return,
        };
        if !self.attained.0.is_empty() {
            let segment = &state.history().segments[segment as usize];
            let held = state.resources().occupancy.milli_of(state.history().pieces_of(segment));
            let pace = Attained::pace(state, held);
            self.attained.0[segment.job as usize] += u64::from(segment.to.since(segment.from).0) * pace;
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
    let is_expression = || expression::is_meant(name) && Expression::read(name).is_ok();
    listed.or_else(|| is_expression().then_some(&expression::ENTRY))
}
