//! Queues take back what others have borrowed: the fair sharing of Kueue.
//!
//! Of a blocked job's own queue jobs of lower priority may stop, of other queues of its tree any, while their queue borrows.
//! Which queue yields next is told by [shares](crate::state::quota::Share), those of the blocked job's queue counted as if it ran: from the root
//! down the one that is furthest above what it has, by weight. Of its jobs the lowest stops, then the one that started last,
//! then the lowest index; but a job of another queue only where the rule allows it. With the shares of the two queues, or
//! those above them, below where the two meet:
//!
//! - `final`: that of the blocked job is no greater than the other's after the stop;
//! - `initial`: it is less than the other's before.
//!
//! Where queues have what they have by platform, shares add platforms up, and the blocked job is tried on one after another: it counts
//! there, and jobs stop that run there, those of other queues only while these borrow of that platform.
//!
//! With both, what the first forbids is tried by the second once no other is left. At last those run on, from the last that
//! stopped to the first, without whose stop the job starts all the same.
//!
//! Two queues may take the same GPUs back from each other again and again: where jobs go by age, a job that stopped is the
//! oldest, starts on whatever becomes free, and stops once more for the next job of the queue whose turn it was. What bounds
//! that: a job is stopped only once its attempt has kept some work (a second of it where it writes no checkpoints, else up to the
//! next one), so that all work is done some day; `min_run` makes it longer; and under order `fair-sharing` what becomes free
//! goes to the queue that could take it back, so that it need not.

use super::ListedPreemption;
use super::fair::Fair;
use super::running::{May, Standing};
use super::yielding::{Bench, Blocked, MIN_RUN, Yields};
use crate::history::{Plan, ReclaimRule};
use crate::policy::part::PartOption;
use crate::state::State;
use crate::state::class::Class;
use crate::state::quota::Share;
use std::sync::Arc;

const RULES: PartOption = PartOption {
    name: "reclaim_rules",
    unit: "names",
    default: "final,initial",
    about: "when a job of another queue may stop, by the shares of both: after the stop, or before",
    expected: "`final`, `initial` or `final,initial`",
    read: |settings, text| {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let rules: Option<Vec<ReclaimRule>> =
            inner.split(',').map(|name| ReclaimRule::named(name.trim())).collect();
        let rules = rules.filter(|rules| rules.windows(2).all(|two| two[0] < two[1]))?;
        // Both are what nothing says, so that equal policies are equal settings.
        settings.reclaim_rule = if let [only] = rules[..] { Some(only) } else { None };
        Some(())
    },
    show: |settings| settings.reclaim_rule.map_or("final,initial", ReclaimRule::name).to_owned(),
};

pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "reclaim",
    about: "queues take back what others of their tree borrow, by shares, and in a queue lower priorities stop; a job stops \
            once its attempt has kept work (a checkpoint, if it writes any), and `min_run` bounds how often two take from each other",
    source: "Kueue, preemption within fair sharing (KEP-1714), checked against 0.20-devel",
    options: &[MIN_RUN, RULES],
    yields: Some(Yields {
        may,
        is_hopeless,
        choose,
        idle,
        keeps_work: true,
        by_queues: true,
        moves: false,
        reads_order: false,
    }),
};

fn may(state: &State, running: &Standing, blocked: &Blocked<'_>) -> May {
    let own = state.class(blocked.job);
    let (Some(queue), Some(theirs)) = (own.queue, running.row) else { return May::Never };
    let tree = &state.classes().quotas;
    // Of another platform nothing is taken that helps.
    let meets = own.rows_tried(tree).any(|row| tree.meet(row, theirs));
    May::all_if(meets && (running.queue != Some(queue) || running.height < own.height()))
}

/// Jobs of another queue stop only while its share, or that of what is above it, below where the two queues meet, is no less
/// than that of the job's own with the job; those of its own queue only if they are lower.
fn is_hopeless(state: &State, job: u32) -> bool {
    let class = state.class(job);
    let Some(queue) = class.queue else { return true };
    let tree = &state.classes().quotas;
    let is_lower = |other: &Class| other.queue == Some(queue) && other.height() < class.height();
    !class.rows_tried(tree).any(|row| has_a_claim(state, (queue, row), u64::from(class.gpus_milli)))
        && !state.classes().table.iter().any(is_lower)
}

/// Whether the share of a queue where so much more of a row of it is held, or that of what is above it, is no greater than that of
/// another which borrows, below where the two meet.
fn has_a_claim(state: &State, (queue, row): (u32, u32), mut more: u64) -> bool {
    let (tree, usage) = (&state.classes().quotas, state.resources().usage());
    let weight = |row: u32| state.plan().workload.queues[row as usize].weight();
    let mut own = (queue, tree.pool(row));
    while let Some(parent) = tree.parent(own.0) {
        let new = Share::with(tree, usage, own, (weight(own.0), more));
        let mut others = tree.below(parent).filter(|other| *other != own.0);
        let share = |other: u32| Share::with(tree, usage, (other, other), (weight(other), 0));
        if others.any(|other| share(other).borrows() && new <= share(other)) {
            return true;
        }
        more = tree.draws_more(usage, own.1, more);
        own = (parent, tree.parent(own.1).unwrap_or(parent));
    }
    false
}

fn choose(bench: &mut Bench<'_, '_>, candidates: Vec<u32>, blocked: &Blocked<'_>) -> Option<Vec<u32>> {
    let rules = match bench.state().plan().settings.reclaim_rule {
        Some(only) => vec![only],
        None => vec![ReclaimRule::Final, ReclaimRule::Initial],
    };
    each_row(bench, blocked, candidates, |bench, row, candidates| {
        let stopped = Fair::new(bench, blocked, row)?.stops(&candidates, &rules)?;
        Some(bench.needed(stopped))
    })
}

/// What is found first for a blocked job with one row after another on which it is tried, and those that may stop there.
pub(super) fn each_row(
    bench: &mut Bench<'_, '_>,
    blocked: &Blocked<'_>,
    candidates: Vec<u32>,
    mut find: impl FnMut(&mut Bench<'_, '_>, u32, Vec<u32>) -> Option<Vec<u32>>,
) -> Option<Vec<u32>> {
    let tree = Arc::clone(&bench.state().classes().quotas);
    let rows: Vec<u32> = bench.state().class(blocked.job).rows_tried(&tree).collect();
    if let [only] = rows[..] {
        return find(bench, only, candidates);
    }
    rows.into_iter().find_map(|row| {
        bench.restore();
        let state = bench.state();
        let here = |job: &u32| state.held_as(*job).row.is_some_and(|theirs| tree.meet(row, theirs));
        let candidates = candidates.iter().copied().filter(here).collect();
        find(bench, row, candidates)
    })
}

/// Also of [`super::classical`].
pub(super) fn idle(plan: &Plan) -> Option<(&'static str, &'static str)> {
    let hint = "`[[queue]]` makes queues, with `parent` those of which one may borrow from another";
    let is_leaf = |queue: &&crate::workload::Queue| queue.has_jobs();
    (!plan.workload.queues.iter().any(|queue| is_leaf(&queue))).then_some(("no job stands in a queue", hint))
}
