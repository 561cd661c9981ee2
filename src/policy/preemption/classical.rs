//! Queues take back what others borrow by priority and nominal amounts: Kueue's classical preemption.
//!
//! Of a blocked job's own queue jobs stop as `within_queue` says: those of lower priority, or also those as high that are newer:
//! that became eligible later, and stand behind it in the order now, as if they waited. In Kueue age is the order; under one
//! that lets what came later go first, such as `sjf`, that would otherwise start only to stop a second later for what is older.
//! Of other queues of its tree jobs stop as `reclaim_from` says, while their queue, and what holds it below where it meets
//! that of the job, has more than its own. Three lines, each the lowest first, then those that started last, then the lowest
//! index:
//!
//! 1. Jobs of queues over which the job has an *advantage*: what it asks for fits in what is nominally there for a queue that
//!    it stands in or below, and which does not hold theirs.
//! 2. Other jobs of other queues. Where the job's queue would borrow with it, one of these stops only if `borrow_from` says so: none, or those of
//!    lower priority, or only up to a priority.
//! 3. Jobs of its own queue.
//!
//! They stop in this order until the job starts, of queues that no longer have too much none; the job's queue may borrow in
//! this, or may not, whichever comes first is tried first:
//!
//! - Without a job of other queues, and where `borrow_from` is `never` while the queue holds its nominal amount or more: it may.
//! - Where `borrow_from` is `never`, without a job of the first line: it may not, then it may.
//! - Else: it may, then it may not.
//!
//! At last those run on, from the last that stopped to the first, without whose stop the job starts all the same. Where
//! queues have what they have by platform, the job is tried on one after another, and all of this is about that one.

use super::ListedPreemption;
use super::reclaim;
use super::running::{May, Standing};
use super::yielding::{Bench, Blocked, MIN_RUN, Yields};
use crate::history::{BorrowFrom, Plan, ReclaimFrom, WithinQueue};
use crate::policy::part::PartOption;
use crate::state::State;
use crate::state::quota::{Tree, Usage};
use std::sync::Arc;

const WITHIN: PartOption = PartOption {
    name: "within_queue",
    unit: "name",
    default: "lower",
    about: "which jobs of its own queue stop for a blocked one: none, those of lower priority, or also those as high that came later and \
            stand behind it in the order",
    expected: "`never`, `lower` or `lower-or-newer`",
    read: |settings, text| {
        settings.classical.within_queue = WithinQueue::named(text)?;
        Some(())
    },
    show: |settings| settings.classical.within_queue.name().to_owned(),
};

const RECLAIM: PartOption = PartOption {
    name: "reclaim_from",
    unit: "name",
    default: "any",
    about: "which jobs of queues that borrow stop for one that is blocked: none, those of lower priority, or any",
    expected: "`never`, `lower` or `any`",
    read: |settings, text| {
        settings.classical.reclaim_from = ReclaimFrom::named(text)?;
        Some(())
    },
    show: |settings| settings.classical.reclaim_from.name().to_owned(),
};

const BORROW: PartOption = PartOption {
    name: "borrow_from",
    unit: "name or priority",
    default: "never",
    about: "which of those stop where the blocked job\u{2019}s queue borrows: none, those of lower priority, or of these only up to a priority",
    expected: "`never`, `lower` or a priority",
    read: |settings, text| {
        settings.classical.borrow_from = match text {
            "never" => BorrowFrom::Never,
            "lower" => BorrowFrom::Lower,
            number => BorrowFrom::UpTo(number.parse().ok()?),
        };
        Some(())
    },
    show: |settings| match settings.classical.borrow_from {
        BorrowFrom::Never => "never".to_owned(),
        BorrowFrom::Lower => "lower".to_owned(),
        BorrowFrom::UpTo(priority) => priority.to_string(),
    },
};

pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "classical",
    about: "queues take back what is nominally theirs from those that borrow, and in a queue lower priorities stop, by Kueue's rules \
            for each",
    source: "Kueue, preemption without fair sharing (KEP-83, KEP-1337), checked against 0.13",
    options: &[MIN_RUN, WITHIN, RECLAIM, BORROW],
    yields: Some(Yields {
        may,
        is_hopeless: |_, _| false,
        choose,
        idle,
        keeps_work: false,
        by_queues: true,
        moves: false,
        reads_order: true,
    }),
};

fn may(state: &State, running: &Standing, blocked: &Blocked<'_>) -> May {
    let own = state.class(blocked.job);
    let Some(theirs) = running.row else { return May::Never };
    let (rules, tree) = (state.plan().settings.classical, &state.classes().quotas);
    if !own.rows_tried(tree).any(|row| tree.meet(row, theirs)) {
        return May::Never;
    }
    let is_lower = running.height < own.height();
    if own.queue == running.queue {
        match rules.within_queue {
            WithinQueue::Never => May::Never,
            WithinQueue::LowerOrNewer if running.height == own.height() => May::IfNewer,
            WithinQueue::Lower | WithinQueue::LowerOrNewer => May::all_if(is_lower),
        }
    } else {
        match rules.reclaim_from {
            ReclaimFrom::Never => May::Never,
            ReclaimFrom::Lower => May::all_if(is_lower),
            ReclaimFrom::Any => May::Always,
        }
    }
}

/// A running job that may stop.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    job: u32,
    row: u32,
    /// Where its queue and that of the blocked job meet; none: it is that queue.
    meeting: Option<u32>,
    /// Whether it stops though the blocked job's queue borrows.
    even_borrowing: bool,
}

/// Those that may stop, line by line, and how it is tried.
struct Lines {
    all: Vec<Candidate>,
    /// Whether the blocked job's queue may borrow, one try after another.
    tries: &'static [bool],
}

/// What a queue has and holds.
struct Books<'s> {
    tree: &'s Tree,
    usage: &'s Usage,
}

impl Books<'_> {
    fn has_too_much(&self, row: u32) -> bool {
        self.tree.over(self.usage, row) > 0
    }
    /// The rows from one up to another, which is left out.
    fn between(&self, row: u32, above: u32) -> impl Iterator<Item = u32> {
        self.tree.path(row).take_while(move |row| *row != above)
    }
}

fn choose(bench: &mut Bench<'_, '_>, candidates: Vec<u32>, blocked: &Blocked<'_>) -> Option<Vec<u32>> {
    reclaim::each_row(bench, blocked, candidates, |bench, row, candidates| {
        choose_for(bench, row, candidates, blocked)
    })
}

/// For a job that counts against a row.
fn choose_for(
    bench: &mut Bench<'_, '_>,
    row: u32,
    candidates: Vec<u32>,
    blocked: &Blocked<'_>,
) -> Option<Vec<u32>> {
    let milli = u64::from(bench.state().class(blocked.job).gpus_milli);
    let tree = Arc::clone(&bench.state().classes().quotas);
    let row = tree.pool(row);
    let lines = line_up(bench.state(), (row, milli), candidates, blocked);
    let may_start = |bench: &mut Bench<'_, '_>, borrows: bool| {
        let usage = bench.state().resources().usage();
        (borrows || tree.over_with(usage, row, milli) == 0) && bench.place().is_some()
    };
    for &borrows in lines.tries {
        bench.restore();
        let mut stopped = Vec::new();
        for candidate in &lines.all {
            let books = Books { tree: &tree, usage: bench.state().resources().usage() };
            let stops = candidate.meeting.is_none_or(|meeting| {
                (!borrows || candidate.even_borrowing)
                    && books.between(candidate.row, meeting).all(|row| books.has_too_much(row))
            });
            if !stops {
                continue;
            }
            bench.stop(candidate.job);
            stopped.push(candidate.job);
            if may_start(bench, borrows) {
                return Some(bench.needed_if(stopped, |bench| may_start(bench, borrows)));
            }
        }
    }
    None
}

fn line_up(state: &State, (own, milli): (u32, u64), candidates: Vec<u32>, blocked: &Blocked<'_>) -> Lines {
    let tree = &state.classes().quotas;
    let books = Books { tree, usage: state.resources().usage() };
    let (mut advantage, mut others, mut mates) = (Vec::new(), Vec::new(), Vec::new());
    let gains = gains(&books, own, milli);
    for job in candidates {
        let Some(row) = state.held_as(job).row.map(|row| tree.pool(row)) else { continue };
        // The lowest queue that both stand below, none for the own one.
        let meeting = tree.path(own).find(|above| tree.is_within(row, *above));
        let Some(meeting) = meeting else { continue };
        if row == own {
            mates.push(Candidate { job, row, meeting: None, even_borrowing: true });
        } else if books.between(row, meeting).all(|row| books.has_too_much(row)) {
            let gains = gains.iter().any(|(above, gains)| *above == meeting && *gains);
            let even_borrowing = gains || borrows_from(state, job, blocked.job);
            let candidate = Candidate { job, row, meeting: Some(meeting), even_borrowing };
            if gains { advantage.push(candidate) } else { others.push(candidate) }
        }
    }
    for line in [&mut advantage, &mut others, &mut mates] {
        line.sort_by_key(|candidate| blocked.turn(state, candidate.job));
    }
    let forbids = state.plan().settings.classical.borrow_from == BorrowFrom::Never;
    let holds_its_own = books.usage.held(own) >= tree.nominal_milli(own);
    let tries: &[bool] = match (advantage.is_empty(), others.is_empty()) {
        (true, true) => &[true],
        _ if forbids && holds_its_own => &[true],
        (true, false) if forbids => &[false, true],
        _ => &[true, false],
    };
    Lines { all: [advantage, others, mates].concat(), tries }
}

/// Of the queues above one, from below up, whether a job of it that asks for so much has an advantage over those that stand below
/// them, and not below the one before: it fits in what is nominally there for that.
fn gains(books: &Books<'_>, own: u32, milli: u64) -> Vec<(u32, bool)> {
    let (mut at, mut left, mut gains) = (own, milli, false);
    let mut found = Vec::new();
    while let Some(above) = books.tree.parent(at) {
        gains |= books.tree.over_with(books.usage, at, left) == 0;
        found.push((above, gains));
        left = left.saturating_sub(books.tree.left_to_itself(books.usage, at));
        at = above;
    }
    found
}

/// Whether a job stops for another whose queue borrows.
fn borrows_from(state: &State, job: u32, blocked: u32) -> bool {
    let (theirs, own) = (state.class(job), state.class(blocked));
    let most = match state.plan().settings.classical.borrow_from {
        BorrowFrom::Never => return false,
        BorrowFrom::Lower => i32::MAX,
        BorrowFrom::UpTo(most) => most,
    };
    theirs.height() < own.height() && state.job(job).priority <= most
}

fn idle(plan: &Plan) -> Option<(&'static str, &'static str)> {
    let rules = plan.settings.classical;
    if rules.within_queue == WithinQueue::Never && rules.reclaim_from == ReclaimFrom::Never {
        return Some((
            "neither its own queue nor others yield",
            "`within_queue` and `reclaim_from` say which do",
        ));
    }
    reclaim::idle(plan)
}
