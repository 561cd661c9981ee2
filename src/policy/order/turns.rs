//! Queues that take turns: which of them goes next, from what they hold now.
//!
//! They go with backfill `skip`: what fits passes what does not, so that a job which waits binds no other queue. Of jobs that
//! cannot start the first of each class is tried in its turn.
//!
//! Of queues beside one another that goes next which has had the least, as the order counts it: from the top of the tree
//! down, and in the queue that this comes to the job of the highest priority, the oldest of equals. Among queues that have had
//! as much, the one whose job goes first by that does. All is counted anew for each job that is tried, so that a queue which
//! starts one stands behind others from then on. Jobs that stand in no queue, or ask for no GPU, stand beside the roots, as
//! if theirs had had nothing.
//!
//! Where quotas tell platforms apart, what queues have and hold of all of them counts together. What the job that goes next would
//! borrow is told of one platform, as Kueue assigns a flavour to a workload before it compares shares: of those that it may run on, in the
//! order in which they are tried, the first whose quota lets it in; where none does, the first. Whether nodes are free there is
//! not asked.
//!
//! # Complexity
//! O(|queues|) time a job that is tried.

use crate::history::Plan;
use crate::policy::walk::Key;
use crate::state::Concern;
use crate::state::quota::{Share, Tree, Usage};
use crate::state::{Event, State};
use crate::workload::Queue;
use std::collections::BTreeSet;

/// How much each of some queues beside one another gets of what there is for them, thousandths of GPUs.
type Divide = fn(u64, &[Claim]) -> Vec<u64>;

/// How an order lets queues take turns.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Turns {
    /// How much a queue has had, as it is to be compared with others beside it, where the job that goes next there would draw
    /// so many thousandths more of it, or of the row of its platform.
    pub(super) had: fn(&Had<'_>, (u32, u32), u64) -> Share,
    /// How queues beside one another divide what there is, where that is looked at.
    pub(super) divide: Option<Divide>,
}

/// What can be asked of queues.
pub(in crate::policy) struct Had<'a> {
    tree: &'a Tree,
    usage: &'a Usage,
    queues: &'a [Queue],
    /// By queue: its fair part.
    parts: &'a [u64],
    /// All GPUs.
    all_milli: u64,
}

impl Had<'_> {
    fn weight(&self, queue: u32) -> u32 {
        self.queues[queue as usize].weight()
    }
    /// What it borrows, by its weight, of what it could, with so many thousandths more.
    pub(super) fn borrowed(&self, at: (u32, u32), more: u64) -> Share {
        Share::with(self.tree, self.usage, at, (self.weight(at.0), more))
    }
    /// What it holds of all GPUs, by its weight.
    pub(super) fn of_all(&self, queue: u32) -> Share {
        Share::of_whole(self.usage.held(queue), self.all_milli, self.weight(queue))
    }
    /// What it holds of its fair part.
    pub(super) fn of_its_part(&self, queue: u32) -> Share {
        Share::of_whole(self.usage.held(queue), self.parts[queue as usize], 1000)
    }
}

/// What a queue claims of what there is for it and those beside it, thousandths of GPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    /// What is its own, with that of the queues below it.
    pub own: u64,
    /// What nobody else may borrow of that.
    pub kept: u64,
    /// What its jobs hold and ask for.
    pub request: u64,
    /// The most that it may hold; none: no limit.
    pub limit: Option<u64>,
    /// What it is to get beyond its own, relative to those beside it.
    pub weight_milli: u32,
    /// Those of a higher one come first.
    pub priority: i32,
}

impl Claim {
    /// What it asks for and may hold.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.limit.map_or(self.request, |limit| limit.min(self.request))
    }
}

/// The queue of a job that might go next there; its key, and how many thousandths it asks for.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Head {
    pub(in crate::policy) queue: Option<u32>,
    /// The row against which it would count there: that of the platform on which it is tried, where platforms are told apart.
    pub(in crate::policy) row: Option<u32>,
    pub(in crate::policy) key: Key,
    pub(in crate::policy) milli: u64,
}

/// The first of some heads.
#[derive(Debug, Clone, Copy)]
struct First {
    head: usize,
    key: Key,
    /// What the queue through which it came has had.
    had: Share,
    /// What it would draw more of the queue that it has come to, and of which row of it.
    more: u64,
    row: u32,
}

/// What queues hold and ask for, where queues take turns.
#[derive(Debug)]
pub(super) struct Books {
    turns: Turns,
    all_milli: u64,
    /// By queue: those right below it; at last those that are below none.
    below: Vec<Vec<u32>>,
    /// By queue: what is nominal of it and those below it.
    own: Vec<u64>,
    /// By queue: the most that it may hold, thousandths; none: no end.
    limits: Vec<Option<u64>>,
    /// By queue: what its own jobs that wait ask for; and by job: whether it is counted there.
    waiting: Vec<u64>,
    is_counted: Vec<bool>,
    /// How many segments of the history are seen.
    seen: usize,
    /// By queue: its fair part, and whether that has to be told anew.
    parts: Vec<u64>,
    is_stale: bool,
    /// By queue: the first that has come to it, in a choice.
    firsts: Vec<Option<First>>,
}

impl Books {
    pub(super) fn new(turns: Turns, plan: &Plan) -> Self {
        let queues = &plan.workload.queues;
        let mut below = vec![Vec::new(); queues.len() + 1];
        let mut own: Vec<u64> = queues.iter().map(|queue| queue.own_milli().unwrap_or(0)).collect();
        for (index, queue) in (0..).zip(queues) {
            below[queue.parent.map_or(queues.len(), |parent| parent as usize)].push(index);
        }
        for (index, queue) in queues.iter().enumerate().rev() {
            if let Some(parent) = queue.parent {
                own[parent as usize] += own[index];
            }
        }
        let platforms: BTreeSet<u32> = plan.cluster.kinds.iter().map(|kind| kind.platform).collect();
        let counted = if turns.divide.is_some() { plan.workload.jobs.len() } else { 0 };
        Self {
            turns,
            all_milli: plan.cluster.gpus() * 1000,
            below,
            own,
            limits: queues.iter().map(|queue| queue.limit_over(&platforms)).collect(),
            waiting: vec![0; queues.len()],
            is_counted: vec![false; counted],
            seen: 0,
            parts: vec![0; queues.len()],
            is_stale: true,
            firsts: vec![None; queues.len()],
        }
    }

    /// Takes note of what has happened.
    pub(super) fn observe(&mut self, event: &Event, state: &State) {
        self.is_stale = true;
        if let Concern::Linked(job) = event.concern() {
            self.count(state, job);
        }
    }

    /// What a job asks for is counted as long as it waits.
    fn count(&mut self, state: &State, job: u32) {
        let (Some(is_counted), class) = (self.is_counted.get_mut(job as usize), state.class(job)) else {
            return;
        };
        let Some(queue) = class.queue else { return };
        let (waiting, milli) = (&mut self.waiting[queue as usize], u64::from(class.gpus_milli));
        match (std::mem::replace(is_counted, state.waits(job)), state.waits(job)) {
            (false, true) => *waiting += milli,
            (true, false) => *waiting -= milli,
            _ => {}
        }
    }

    /// Tells fair parts anew, if anything has happened; what a pass itself starts is told to nobody else, and changes none.
    fn divide(&mut self, state: &State) {
        let Some(divide) = self.turns.divide.filter(|_| std::mem::take(&mut self.is_stale)) else { return };
        let segments = &state.history().segments;
        // Of segments that were taken back nothing is left to count.
        for segment in segments.get(self.seen..).unwrap_or_default() {
            self.count(state, segment.job);
        }
        self.seen = segments.len();
        let (tree, usage) = (&state.classes().quotas, state.resources().usage());
        let queues = &state.plan().workload.queues;
        let mut request = self.waiting.clone();
        // What jobs hold of a queue is counted in those above it already.
        for (index, queue) in queues.iter().enumerate().rev() {
            if let Some(parent) = queue.parent {
                request[parent as usize] += request[index];
            }
        }
        let claim = |queue: u32| {
            let own = &queues[queue as usize];
            Claim {
                own: self.own[queue as usize],
                kept: tree.pools(queue).map(|row| tree.kept(row)).sum(),
                request: request[queue as usize] + usage.held(queue),
                limit: self.limits[queue as usize],
                weight_milli: own.weight(),
                priority: 0,
            }
        };
        let roots = queues.len();
        for above in std::iter::once(roots).chain(0..roots) {
            let there = if above == roots { self.all_milli } else { self.parts[above] };
            let claims: Vec<Claim> = self.below[above].iter().map(|queue| claim(*queue)).collect();
            for (queue, part) in self.below[above].iter().zip(divide(there, &claims)) {
                self.parts[*queue as usize] = part;
            }
        }
    }

    /// Which of some heads, of which no two are of one queue, goes next.
    pub(super) fn next(&mut self, state: &State, heads: &[Head]) -> usize {
        if heads.len() == 1 {
            return 0;
        }
        self.divide(state);
        let Self { turns, firsts, parts, .. } = self;
        let tree: &Tree = &state.classes().quotas;
        let (usage, queues) = (state.resources().usage(), &state.plan().workload.queues);
        let had = Had { tree, usage, queues, parts, all_milli: self.all_milli };
        let mut top: Option<First> = None;
        for (head, Head { queue, row, key, milli }) in heads.iter().copied().enumerate() {
            let first =
                First { head, key, had: Share::NONE, more: milli, row: row.map_or(0, |row| tree.pool(row)) };
            contend(queue.map_or(&mut top, |queue| &mut firsts[queue as usize]), first);
        }
        let count = u32::try_from(queues.len()).expect("queues are few");
        for (index, queue) in (0..count).zip(queues).rev() {
            let Some(first) = firsts[index as usize].take() else { continue };
            let more = tree.draws_more(usage, first.row, first.more);
            let row = tree.parent(first.row).unwrap_or(first.row);
            let first = First { had: (turns.had)(&had, (index, first.row), first.more), more, row, ..first };
            contend(queue.parent.map_or(&mut top, |parent| &mut firsts[parent as usize]), first);
        }
        top.map_or(0, |first| first.head)
    }
}

/// The one that has had less stays, of equals the one whose job goes first.
fn contend(place: &mut Option<First>, first: First) {
    if place.is_none_or(|other| (first.had, first.key) < (other.had, other.key)) {
        *place = Some(first);
    }
}
